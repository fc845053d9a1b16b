//! Checks whether a request comes from a page that may use a cookie, against cross-site request forgery.

use crate::http::error::{RequestError, SetupError};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// A list of origins: only their pages may use the routes that read a cookie.
///
/// Browsers send two headers about the origin of a request. They send `Origin` with all requests except simple reads, and since
/// 2023 all of them send `Sec-Fetch-Site`. Scripts cannot change these headers. A form on a page with
/// `Referrer-Policy: no-referrer` sends `Origin: null` and is refused, but `fetch` from such a page works.
///
/// Call [`check`](Self::check) in routes that change something. These should accept POST only. A route that takes its token
/// from `Authorization` does not need the check, because browsers do not add that header on their own.
///
/// # Examples
///
/// ```
/// use countersign::http::{AllowedOrigins, RequestError};
///
/// let origins = AllowedOrigins::new(["https://app.example"])?;
/// assert_eq!(origins.check(["https://app.example"], ["same-origin"]), Ok(()));
/// assert_eq!(
///     origins.check(["https://evil.example"], ["cross-site"]),
///     Err(RequestError::ForeignOrigin),
/// );
/// # Ok::<(), countersign::http::SetupError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedOrigins {
    origins: Vec<Box<str>>,
    silent: SilentRequests,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SilentRequests {
    Allowed,
    Refused,
}

impl AllowedOrigins {
    /// Makes a list of these origins. Write each as a browser does: `https://app.example`, `http://localhost:8080`.
    ///
    /// # Errors
    ///
    /// - [`SetupError::NoOrigins`] for an empty list.
    /// - [`SetupError::InvalidOrigin`] for an origin that browsers do not send, so that it would match no request: with a path
    ///   or a slash at its end, in upper case, or with the default port of its scheme. Also for `*` and `null`.
    ///
    /// An IP address in an unusual form is not an error, but it matches no request.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::http::{AllowedOrigins, SetupError};
    ///
    /// let error = AllowedOrigins::new(["https://app.example", "https://app.example/"]).unwrap_err();
    /// assert_eq!(error, SetupError::InvalidOrigin { position: 1 });
    /// ```
    pub fn new<O: AsRef<str>>(origins: impl IntoIterator<Item = O>) -> Result<Self, SetupError> {
        let mut allowed = Vec::new();
        for (position, origin) in origins.into_iter().enumerate() {
            if !is_origin(origin.as_ref()) {
                return Err(SetupError::InvalidOrigin { position });
            }
            allowed.push(origin.as_ref().into());
        }
        if allowed.is_empty() {
            return Err(SetupError::NoOrigins);
        }
        Ok(Self { origins: allowed, silent: SilentRequests::Refused })
    }

    /// Accepts requests that have neither `Origin` nor `Sec-Fetch-Site`.
    ///
    /// # Security
    ///
    /// Programs send such requests, and so do browsers from before 2020. Only `SameSite` protects the users of such a browser
    /// then.
    #[must_use]
    pub const fn allow_requests_without_origin(mut self) -> Self {
        self.silent = SilentRequests::Allowed;
        self
    }

    /// Checks whether a request with these values of `Origin` and `Sec-Fetch-Site` may use the cookie.
    ///
    /// If the request has an `Origin`, it must be an allowed one. `Sec-Fetch-Site` is then ignored, because an allowed origin
    /// may be another site. If it has no `Origin`, `Sec-Fetch-Site` must be `same-origin`, or `none` for a request that the
    /// user started, e.g. from a bookmark. Pass all values that the request has.
    ///
    /// # Errors
    ///
    /// - [`RequestError::SeveralOrigins`] if either header occurs twice.
    /// - [`RequestError::ForeignOrigin`] if the origin is not allowed. `null` is never allowed.
    /// - [`RequestError::CrossSite`] if there is no `Origin` and `Sec-Fetch-Site` names another origin.
    /// - [`RequestError::NoOrigin`] if the request has neither header.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::http::{AllowedOrigins, RequestError};
    ///
    /// let none: [&str; 0] = [];
    /// let origins = AllowedOrigins::new(["https://app.example"])?;
    /// assert_eq!(origins.check(none, ["same-origin"]), Ok(()));
    /// assert_eq!(origins.check(none, ["same-site"]), Err(RequestError::CrossSite));
    /// assert_eq!(origins.check(none, none), Err(RequestError::NoOrigin));
    /// # Ok::<(), countersign::http::SetupError>(())
    /// ```
    pub fn check(
        &self,
        origin: impl IntoIterator<Item: AsRef<[u8]>>,
        sec_fetch_site: impl IntoIterator<Item: AsRef<[u8]>>,
    ) -> Result<(), RequestError> {
        let origin = at_most_one(origin)?;
        let site = at_most_one(sec_fetch_site)?;
        if let Some(origin) = origin {
            let mut allowed = self.origins.iter();
            return if allowed.any(|allowed| allowed.as_bytes() == origin.as_ref()) {
                Ok(())
            } else {
                Err(RequestError::ForeignOrigin)
            };
        }
        match site {
            Some(site) if matches!(site.as_ref(), b"same-origin" | b"none") => Ok(()),
            Some(_) => Err(RequestError::CrossSite),
            None if self.silent == SilentRequests::Allowed => Ok(()),
            None => Err(RequestError::NoOrigin),
        }
    }
}

fn at_most_one<I: IntoIterator>(values: I) -> Result<Option<I::Item>, RequestError> {
    let mut values = values.into_iter();
    let first = values.next();
    if values.next().is_some() { Err(RequestError::SeveralOrigins) } else { Ok(first) }
}

/// Returns whether this is an origin in the form of
/// [RFC 6454 section 6.2](https://www.rfc-editor.org/rfc/rfc6454#section-6.2).
fn is_origin(text: &str) -> bool {
    let Some((scheme, authority)) = text.split_once("://") else { return false };
    let scheme_is_good = scheme.starts_with(|first: char| first.is_ascii_lowercase())
        && scheme.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'-' | b'.'));
    // The colons of an IPv6 address are in brackets.
    let after_host = authority.rfind(']').and_then(|end| authority.get(end..)).unwrap_or(authority);
    let (host, port) = match after_host.rsplit_once(':') {
        Some((_, port)) => (authority.strip_suffix(port).and_then(|rest| rest.strip_suffix(':')), Some(port)),
        None => (Some(authority), None),
    };
    let usual = match scheme {
        "http" => "80",
        "https" => "443",
        _ => "",
    };
    let port_is_good = port.is_none_or(|port| {
        port != usual
            && !port.starts_with('0')
            && port.bytes().all(|byte| byte.is_ascii_digit())
            && port.parse::<u16>().is_ok()
    });
    scheme_is_good && port_is_good && host.is_some_and(is_host)
}

/// Returns whether this is a name, an IPv4 address, or an IPv6 address in brackets, with letters in lower case. Does not
/// resolve the name.
fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<core::net::Ipv6Addr>().is_ok()
            && !address.bytes().any(|byte| byte.is_ascii_uppercase());
    }
    !host.is_empty()
        && host.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_'))
}
