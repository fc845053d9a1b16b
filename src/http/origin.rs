//! Whether a request comes from a page that may use a cookie: cross-site request forgery.

use alloc::boxed::Box;
use alloc::vec::Vec;
use thiserror::Error;

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
/// use countersign::http::{AllowedOrigins, CrossSiteError};
///
/// let origins = AllowedOrigins::new(["https://app.example"])?;
/// assert_eq!(origins.check(["https://app.example"], ["same-origin"]), Ok(()));
/// assert_eq!(
///     origins.check(["https://evil.example"], ["cross-site"]),
///     Err(CrossSiteError::ForeignOrigin),
/// );
/// # Ok::<(), countersign::http::OriginError>(())
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
    /// - [`OriginError::Empty`] for no origin at all.
    /// - [`OriginError::Invalid`] for one that no browser would ever send, so that nothing could match it: with a path or
    ///   a slash at its end, in upper case, with the port that its scheme has anyway; and for `*` and `null`. An IP address
    ///   that is not in its usual form is not noticed: it matches nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::http::{AllowedOrigins, OriginError};
    ///
    /// let error = AllowedOrigins::new(["https://app.example", "https://app.example/"]).unwrap_err();
    /// assert_eq!(error, OriginError::Invalid { position: 1 });
    /// ```
    pub fn new<O: AsRef<str>>(origins: impl IntoIterator<Item = O>) -> Result<Self, OriginError> {
        let mut allowed = Vec::new();
        for (position, origin) in origins.into_iter().enumerate() {
            if !is_origin(origin.as_ref()) {
                return Err(OriginError::Invalid { position });
            }
            allowed.push(origin.as_ref().into());
        }
        if allowed.is_empty() {
            return Err(OriginError::Empty);
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
    /// - [`CrossSiteError::Several`] when either header is there twice.
    /// - [`CrossSiteError::ForeignOrigin`] when the origin is not allowed; `null` never is.
    /// - [`CrossSiteError::CrossSite`] when there is no origin and the browser says that another one asks.
    /// - [`CrossSiteError::Silent`] when there is neither header.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::http::{AllowedOrigins, CrossSiteError};
    ///
    /// let none: [&str; 0] = [];
    /// let origins = AllowedOrigins::new(["https://app.example"])?;
    /// assert_eq!(origins.check(none, ["same-origin"]), Ok(()));
    /// assert_eq!(origins.check(none, ["same-site"]), Err(CrossSiteError::CrossSite));
    /// assert_eq!(origins.check(none, none), Err(CrossSiteError::Silent));
    /// # Ok::<(), countersign::http::OriginError>(())
    /// ```
    pub fn check(
        &self,
        origin: impl IntoIterator<Item: AsRef<[u8]>>,
        sec_fetch_site: impl IntoIterator<Item: AsRef<[u8]>>,
    ) -> Result<(), CrossSiteError> {
        let origin = at_most_one(origin)?;
        let site = at_most_one(sec_fetch_site)?;
        if let Some(origin) = origin {
            let mut allowed = self.origins.iter();
            return if allowed.any(|allowed| allowed.as_bytes() == origin.as_ref()) {
                Ok(())
            } else {
                Err(CrossSiteError::ForeignOrigin)
            };
        }
        match site {
            Some(site) if matches!(site.as_ref(), b"same-origin" | b"none") => Ok(()),
            Some(_) => Err(CrossSiteError::CrossSite),
            None if self.silent == SilentRequests::Allowed => Ok(()),
            None => Err(CrossSiteError::Silent),
        }
    }
}

fn at_most_one<I: IntoIterator>(values: I) -> Result<Option<I::Item>, CrossSiteError> {
    let mut values = values.into_iter();
    let first = values.next();
    if values.next().is_some() { Err(CrossSiteError::Several) } else { Ok(first) }
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

/// Why a list of origins cannot be used.
///
/// # Examples
///
/// ```
/// use countersign::http::{AllowedOrigins, OriginError};
///
/// let error = AllowedOrigins::new(["*"]).unwrap_err();
/// assert_eq!(error.to_string(), "entry 0 is not an origin as a browser writes it");
/// assert_eq!(error.code(), "invalid_origin");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OriginError {
    /// There is none.
    #[error("no origin is allowed")]
    Empty,
    /// One of them is not written as a browser would write it.
    #[error("entry {position} is not an origin as a browser writes it")]
    Invalid {
        /// Which one, counted from 0.
        position: usize,
    },
}

impl OriginError {
    /// A stable name for logs and metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "no_origins",
            Self::Invalid { .. } => "invalid_origin",
        }
    }
}

/// Why a request may not use a cookie: answer 403.
///
/// # Examples
///
/// ```
/// use countersign::http::CrossSiteError;
///
/// assert_eq!(CrossSiteError::ForeignOrigin.to_string(), "the request comes from an origin that is not allowed");
/// assert_eq!(CrossSiteError::ForeignOrigin.code(), "foreign_origin");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CrossSiteError {
    /// The browser says that the page is of another origin.
    #[error("the request comes from another site")]
    CrossSite,
    /// The origin is not an allowed one, or it is `null`.
    #[error("the request comes from an origin that is not allowed")]
    ForeignOrigin,
    /// There are several values where there is one at most.
    #[error("the request says more than once where it comes from")]
    Several,
    /// There is nothing to go by.
    #[error("the request does not say where it comes from")]
    Silent,
}

impl CrossSiteError {
    /// A stable name for logs, metrics and clients.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::CrossSite => "cross_site",
            Self::ForeignOrigin => "foreign_origin",
            Self::Several => "several_origins",
            Self::Silent => "no_origin",
        }
    }
}
