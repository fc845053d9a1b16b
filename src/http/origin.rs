//! Whether a request comes from a page that may use a cookie: cross-site request forgery.

use crate::http::error::{RequestError, SetupError};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// The origins whose pages may use the routes that read a cookie.
///
/// Browsers say where a request comes from: `Origin` with everything except simple reads, and `Sec-Fetch-Site`, all of
/// them since 2023. No script can change either. A form on a page with `Referrer-Policy: no-referrer` sends
/// `Origin: null` and is refused; `fetch` does not. [`check`](Self::check) is for the routes that change something, which
/// should take POST only. A route that takes its token from `Authorization` needs none of this: no browser adds that by
/// itself.
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
    /// These origins, each as a browser writes it: `https://app.example`, `http://localhost:8080`.
    ///
    /// # Errors
    ///
    /// - [`SetupError::NoOrigins`] for no origin at all.
    /// - [`SetupError::InvalidOrigin`] for one that no browser would ever send, so that nothing could match it: with a path or
    ///   a slash at its end, in upper case, with the port that its scheme has anyway; and for `*` and `null`. An IP address
    ///   that is not in its usual form is not noticed: it matches nothing.
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

    /// Takes requests that carry neither `Origin` nor `Sec-Fetch-Site`.
    ///
    /// # Security
    ///
    /// Programs send such requests, and browsers from before 2020. The latter are then protected by `SameSite` alone.
    #[must_use]
    pub const fn allow_requests_without_origin(mut self) -> Self {
        self.silent = SilentRequests::Allowed;
        self
    }

    /// Whether a request with these values of `Origin` and `Sec-Fetch-Site` may use the cookie.
    ///
    /// `Origin` must be an allowed one if it is there. Without it, `Sec-Fetch-Site` must be `same-origin` or `none`: the
    /// user's own doing. With it, the origin decides, since an allowed one may well be another site. One of the two must
    /// be there, and neither twice. Hand over all values that the request has.
    ///
    /// # Errors
    ///
    /// - [`RequestError::SeveralOrigins`] when either header is there twice.
    /// - [`RequestError::ForeignOrigin`] when the origin is not allowed; `null` never is.
    /// - [`RequestError::CrossSite`] when there is no origin and the browser says that another one asks.
    /// - [`RequestError::NoOrigin`] when there is neither header.
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

/// Whether this is an origin as [RFC 6454 section 6.2](https://www.rfc-editor.org/rfc/rfc6454#section-6.2) writes it.
fn is_origin(text: &str) -> bool {
    let Some((scheme, authority)) = text.split_once("://") else { return false };
    let scheme_is_good = scheme.starts_with(|first: char| first.is_ascii_lowercase())
        && scheme.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'-' | b'.'));
    // The colons of an IPv6 address stand in brackets.
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

/// A name, an IPv4 address, or an IPv6 address in brackets; letters in lower case. Nothing is resolved.
fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<core::net::Ipv6Addr>().is_ok()
            && !address.bytes().any(|byte| byte.is_ascii_uppercase());
    }
    !host.is_empty()
        && host.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_'))
}
