//! Fetches with the crate `reqwest`.

#[cfg(feature = "rustls")]
use crate::error::Error;
use crate::fetch::{Fetch, Fetching, Request, Response};
use reqwest::Client;
#[cfg(feature = "rustls")]
use reqwest::redirect::Policy;

/// Redirects of one request. More are a loop.
#[cfg(feature = "rustls")]
const MOST_REDIRECTS: usize = 3;

/// A [`Fetch`] over reqwest.
///
/// # Examples
///
/// ```
/// use countersign::Algorithm;
/// use countersign_jwks::{RemoteKeys, ReqwestFetch};
///
/// # fn example(client: reqwest::Client) {
/// let builder = RemoteKeys::builder("https://idp.example/keys", &[Algorithm::Rs256])
///     .fetch_with(ReqwestFetch::with_client(client));
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ReqwestFetch(Client);

impl ReqwestFetch {
    /// Makes a client with rustls and the certificates of the system. It follows redirects to the same origin only, and keeps no
    /// connection open.
    ///
    /// If the program has installed a default crypto provider of rustls, the client uses that one. Otherwise it uses aws-lc-rs, also
    /// if several providers are compiled in.
    ///
    /// # Errors
    ///
    /// [`Error::Client`], for example if the system has no certificates.
    #[cfg(feature = "rustls")]
    pub fn new() -> Result<Self, Error> {
        let client = Client::builder()
            .redirect(same_origin())
            .referer(false)
            .user_agent(concat!("countersign-jwks/", env!("CARGO_PKG_VERSION")))
            // The next request follows after minutes.
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|error| Error::Client { message: error.to_string() })?;
        Ok(Self(client))
    }

    /// Uses a client of yours, with its TLS, proxy and headers.
    ///
    /// # Security
    ///
    /// A response that came from another origin by a redirect is refused. But the client has sent the request there: give it
    /// `reqwest::redirect::Policy::none()`.
    #[must_use]
    pub const fn with_client(client: Client) -> Self {
        Self(client)
    }
}

impl Fetch for ReqwestFetch {
    fn fetch<'a>(&'a self, request: Request<'a>) -> Fetching<'a> {
        Box::pin(async move {
            let url = url::Url::parse(request.url())?;
            let origin = url.origin();
            let mut sent = self.0.get(url);
            for (name, value) in request.headers() {
                sent = sent.header(name, value);
            }
            let mut received = sent.send().await?;
            if received.url().origin() != origin {
                return Err("the response came from another origin by a redirect".into());
            }
            let mut response = Response::new(received.status().as_u16(), Vec::new());
            for (name, value) in received.headers() {
                response = response.with_header(name.as_str(), value.as_bytes());
            }
            while let Some(chunk) = received.chunk().await? {
                response.body.extend_from_slice(&chunk);
                if response.body.len() > request.most_bytes() {
                    // The caller reports it.
                    break;
                }
            }
            Ok(response)
        })
    }
}

#[cfg(feature = "rustls")]
fn same_origin() -> Policy {
    Policy::custom(|attempt| {
        let is_same = attempt.previous().iter().all(|before| before.origin() == attempt.url().origin());
        if !is_same {
            attempt
                .error("a redirect to another origin is not followed: configure the address that it leads to")
        } else if attempt.previous().len() > MOST_REDIRECTS {
            attempt.error("too many redirects")
        } else {
            attempt.follow()
        }
    })
}
