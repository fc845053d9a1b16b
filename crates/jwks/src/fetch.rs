//! What an HTTP client has to do for this crate.

use core::pin::Pin;
use core::time::Duration;

/// An HTTP client that fetches key sets and metadata. `ReqwestFetch` (feature `reqwest`) is one; implement it for another.
///
/// The crate checks the status, the size and the time again, so that a simple implementation is enough.
///
/// # Security
///
/// - Check the certificate of the server.
/// - Do not follow redirects, or only to the same origin.
/// - Stop reading after [`Request::most_bytes`].
///
/// # Examples
///
/// A client that answers from a table, for tests:
///
/// ```
/// use countersign_jwks::{BoxError, Fetch, Fetching, Request, Response};
///
/// struct Fixed(&'static str);
///
/// impl Fetch for Fixed {
///     fn fetch<'a>(&'a self, _request: Request<'a>) -> Fetching<'a> {
///         Box::pin(async { Ok(Response::new(200, self.0).with_header("Cache-Control", "max-age=3600")) })
///     }
/// }
/// ```
pub trait Fetch: Send + Sync {
    /// Sends a GET request.
    ///
    /// # Errors
    ///
    /// Any error, if there is no complete response. Return responses with any status as they are.
    fn fetch<'a>(&'a self, request: Request<'a>) -> Fetching<'a>;
}

/// The error of an HTTP client. Its text, and those of its sources, become [`Error::Request`](crate::Error::Request).
pub type BoxError = Box<dyn core::error::Error + Send + Sync>;

/// The future of a request.
pub type Fetching<'a> = Pin<Box<dyn Future<Output = Result<Response, BoxError>> + Send + 'a>>;

/// A GET request. It holds nothing of a token.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub(crate) url: &'a str,
    pub(crate) accept: &'static str,
    pub(crate) if_none_match: Option<&'a str>,
    pub(crate) most_bytes: usize,
    pub(crate) timeout: Duration,
}

impl<'a> Request<'a> {
    /// Returns the address.
    #[must_use]
    pub const fn url(&self) -> &'a str {
        self.url
    }

    /// Returns the headers to send: `Accept`, and `If-None-Match` if an earlier response had an `ETag`.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &'a str)> {
        let accept: &'a str = self.accept;
        let tag = self.if_none_match.map(|tag| ("If-None-Match", tag));
        core::iter::once(("Accept", accept)).chain(tag)
    }

    /// Returns the size of the largest body that is used. Stop reading when it is exceeded.
    #[must_use]
    pub const fn most_bytes(&self) -> usize {
        self.most_bytes
    }

    /// Returns the time that is left for the response with its body. The future is dropped after it, so that only a client that
    /// blocks a thread needs it.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }
}

/// A response.
///
/// # Examples
///
/// ```
/// let response = countersign_jwks::Response::new(304, "").with_header("Cache-Control", "max-age=3600");
/// ```
#[derive(Clone, Debug)]
pub struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// Makes a response without headers.
    #[must_use]
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    /// Adds a header. Add all of them: `Age`, `Cache-Control`, `Date`, `ETag`, `Expires` and `Retry-After` are read.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Returns the values of the headers with this name.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.headers.iter().filter(move |(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }
}
