//! Cookies that hold secrets, as text: RFC 6265bis (draft-ietf-httpbis-rfc6265bis).

use crate::http::bearer::is_token_char;
use crate::http::error::{RequestError, SetupError};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use zeroize::Zeroizing;

/// A cookie for a secret: its name, and the paths that a browser sends it to. Create it once, then use it to set, read and
/// delete the cookie.
///
/// Unsafe attributes cannot be expressed: every cookie is `Secure` and `HttpOnly`, none has a `Domain`, and a `__Host-` cookie
/// has `Path=/`. `SameSite` is `Strict` unless [`same_site`](Self::same_site) changes it.
///
/// - [`refresh`](Self::refresh): `__Host-refresh; Path=/`. Only this host can set it, not a sibling domain and not over plain
///   HTTP. The browser sends it with every request to the host.
/// - [`refresh_under`](Self::refresh_under): for example `__Secure-refresh; Path=/auth/refresh`. The browser sends it with
///   fewer requests. A sibling domain can set one of the same name; the server then reports a doubled cookie.
///
/// # Security
///
/// A browser sends a cookie even if a page of another site makes the request. So routes that read it need
/// [`AllowedOrigins`](super::AllowedOrigins) in addition to `SameSite`, which does not stop other hosts of the same domain.
///
/// Send [`clear`](Self::clear) only in the answer to a logout. It deletes by name and path, so a late answer to a failed
/// refresh would delete the cookie that another tab has just received.
///
/// A logout must always be able to delete the cookie. Read it there with [`find_all`](Self::find_all), because
/// [`find`](Self::find) refuses a doubled cookie, and a user with a doubled cookie could not log out.
///
/// # A path that changes
///
/// A browser keeps cookies of one name below several paths and sends all that match. After a change of the path it sends both,
/// until the older one expires after 400 days at most, and every request is a [`RequestError::DoubledCookie`]. Name the former
/// paths with [`formerly_under`](Self::formerly_under), and send [`clear_former`](Self::clear_former) with each answer that
/// sets the cookie, with the answer to a doubled cookie and with the answer to a logout. It cannot delete a new cookie, because
/// no answer sets one below a former path any more.
///
/// A `__Host-` cookie has only one path. If it is doubled, an old browser has let another host plant one. Newer browsers refuse
/// that ([RFC 6265bis section 5.7](https://www.ietf.org/archive/id/draft-ietf-httpbis-rfc6265bis-22.html#section-5.7)).
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use countersign::http::Cookie;
///
/// let cookie = Cookie::refresh();
/// let set = cookie.set("abc", Duration::from_secs(3600))?;
/// assert_eq!(
///     set.expose_secret(),
///     "__Host-refresh=abc; Path=/; Max-Age=3600; Secure; HttpOnly; SameSite=Strict",
/// );
///
/// assert_eq!(cookie.find(["theme=dark; __Host-refresh=abc"]), Ok(Some("abc")));
/// # Ok::<(), countersign::http::SetupError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookie {
    name: Box<str>,
    path: Box<str>,
    same_site: SameSite,
    former_paths: Vec<Box<str>>,
}

impl Cookie {
    /// Creates `__Host-refresh; Path=/`, for a refresh token.
    #[must_use]
    pub fn refresh() -> Self {
        Self::build("__Host-refresh".into(), "/".into())
    }

    /// Creates `__Secure-refresh` below `path`, for a refresh token that is sent to few routes only.
    ///
    /// # Errors
    ///
    /// [`SetupError::InvalidCookiePath`] if `path` does not begin with `/`, holds a `;` or anything but visible ASCII, or has
    /// more than 1,024 bytes.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::http::Cookie;
    ///
    /// let cookie = Cookie::refresh_under("/auth/refresh")?;
    /// assert_eq!((cookie.name(), cookie.path()), ("__Secure-refresh", "/auth/refresh"));
    /// # Ok::<(), countersign::http::SetupError>(())
    /// ```
    pub fn refresh_under(path: &str) -> Result<Self, SetupError> {
        Self::secure("refresh", path)
    }

    /// Creates `__Host-fingerprint; Path=/`, for the value that binds an access token to a browser.
    #[must_use]
    pub fn fingerprint() -> Self {
        Self::build("__Host-fingerprint".into(), "/".into())
    }

    /// Creates a cookie named `__Host-` and `name`, with `Path=/`.
    ///
    /// # Errors
    ///
    /// [`SetupError::InvalidCookieName`] if `name` is empty, begins with `__`, has more than 256 bytes, or holds anything but
    /// letters, digits and `` !#$%&'*+-.^_`|~ ``.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::http::{Cookie, SetupError};
    ///
    /// assert_eq!(Cookie::host("session")?.name(), "__Host-session");
    /// assert_eq!(Cookie::host("a=b"), Err(SetupError::InvalidCookieName));
    /// # Ok::<(), SetupError>(())
    /// ```
    pub fn host(name: &str) -> Result<Self, SetupError> {
        Ok(Self::build(prefixed("__Host-", name)?, "/".into()))
    }

    /// Creates a cookie named `__Secure-` and `name`, which is sent below `path` only.
    ///
    /// # Errors
    ///
    /// - [`SetupError::InvalidCookieName`] as for [`host`](Self::host).
    /// - [`SetupError::InvalidCookiePath`] as for [`refresh_under`](Self::refresh_under).
    pub fn secure(name: &str, path: &str) -> Result<Self, SetupError> {
        let name = prefixed("__Secure-", name)?;
        Ok(Self::build(name, checked_path(path)?))
    }

    fn build(name: Box<str>, path: Box<str>) -> Self {
        Self { name, path, same_site: SameSite::Strict, former_paths: Vec::new() }
    }

    /// Adds a path below which this server used to set the cookie, for [`clear_former`](Self::clear_former). Can be called once
    /// for each former path.
    ///
    /// # Errors
    ///
    /// [`SetupError::InvalidCookiePath`] as for [`refresh_under`](Self::refresh_under), for the present path, and for a
    /// `__Host-` cookie, which cannot have had another path.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::http::{Cookie, RequestError};
    ///
    /// // This server used to set the cookie below /auth. Browsers that have both send both.
    /// let cookie = Cookie::refresh_under("/auth/refresh")?.formerly_under("/auth")?;
    /// let header = "__Secure-refresh=new; __Secure-refresh=old";
    /// assert_eq!(cookie.find([header]), Err(RequestError::DoubledCookie));
    /// // With the status 400, this leaves only the new one.
    /// assert_eq!(
    ///     cookie.clear_former(),
    ///     ["__Secure-refresh=; Path=/auth; Max-Age=0; Secure; HttpOnly; SameSite=Strict"],
    /// );
    /// # Ok::<(), countersign::http::SetupError>(())
    /// ```
    pub fn formerly_under(mut self, path: &str) -> Result<Self, SetupError> {
        let path = checked_path(path)?;
        if path == self.path || self.name.starts_with("__Host-") {
            return Err(SetupError::InvalidCookiePath);
        }
        self.former_paths.push(path);
        Ok(self)
    }

    /// Sets another `SameSite` than `Strict`.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::http::{Cookie, SameSite};
    ///
    /// // For a page that is shown inside pages of other sites.
    /// let cookie = Cookie::host("embedded")?.same_site(SameSite::None);
    /// assert!(cookie.clear().ends_with("; Secure; HttpOnly; SameSite=None"));
    /// # Ok::<(), countersign::http::SetupError>(())
    /// ```
    #[must_use]
    pub const fn same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = same_site;
        self
    }

    /// Returns the name, including the prefix.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the path.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the value of a `Set-Cookie` header that sets this cookie for the time that `remains`.
    ///
    /// `Max-Age` is whole seconds, rounded down, and at most 400 days, which is the limit of browsers
    /// ([RFC 6265bis section 5.5](https://www.ietf.org/archive/id/draft-ietf-httpbis-rfc6265bis-22.html#section-5.5)).
    ///
    /// # Errors
    ///
    /// - [`SetupError::InvalidCookieValue`] if `value` is empty or holds anything but visible ASCII without `"`, `,`, `;` and
    ///   `\`: base64url is always allowed.
    /// - [`SetupError::NoTimeRemains`] under a second, because `Max-Age=0` would delete the cookie.
    /// - [`SetupError::CookieTooLarge`] if name, value and attributes have more than 4,096 bytes, because browsers drop such a
    ///   cookie.
    pub fn set(&self, value: &str, remains: Duration) -> Result<SetCookie, SetupError> {
        const FOUR_HUNDRED_DAYS: u64 = 400 * 24 * 60 * 60;
        if let Some(offset) = value.bytes().position(|byte| !is_cookie_octet(byte)) {
            return Err(SetupError::InvalidCookieValue { offset });
        }
        if value.is_empty() {
            return Err(SetupError::InvalidCookieValue { offset: 0 });
        }
        let seconds = remains.as_secs().min(FOUR_HUNDRED_DAYS);
        if seconds == 0 {
            return Err(SetupError::NoTimeRemains);
        }
        let attributes = self.attributes(&self.path, seconds);
        let length =
            [self.name.len(), 1, value.len(), attributes.len()].into_iter().fold(0, usize::saturating_add);
        if length > LIMIT {
            return Err(SetupError::CookieTooLarge { bytes: length, limit: LIMIT });
        }
        // Allocated at full size, because a growing text leaves copies in freed memory.
        let mut text = Zeroizing::new(String::with_capacity(length));
        for part in [&*self.name, "=", value, &attributes] {
            text.push_str(part);
        }
        Ok(SetCookie { text, name: self.name.clone() })
    }

    /// Returns the value of a `Set-Cookie` header that deletes this cookie: it has the same name, path and `Secure`.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::http::Cookie;
    ///
    /// assert_eq!(
    ///     Cookie::refresh().clear(),
    ///     "__Host-refresh=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict",
    /// );
    /// ```
    #[must_use]
    pub fn clear(&self) -> String {
        self.clear_under(&self.path)
    }

    /// Returns the values of the `Set-Cookie` headers that delete the cookies of this name below the former paths. Empty
    /// without a call of [`formerly_under`](Self::formerly_under).
    ///
    /// # Examples
    ///
    /// See [`formerly_under`](Self::formerly_under).
    #[must_use]
    pub fn clear_former(&self) -> Vec<String> {
        self.former_paths.iter().map(|path| self.clear_under(path)).collect()
    }

    fn clear_under(&self, path: &str) -> String {
        format!("{}={}", self.name, self.attributes(path, 0))
    }

    fn attributes(&self, path: &str, seconds: u64) -> String {
        format!("; Path={path}; Max-Age={seconds}; Secure; HttpOnly; SameSite={}", self.same_site)
    }

    /// Reads the value of this cookie from the values of a request's `Cookie` headers; `None` if the cookie is absent.
    ///
    /// Pass all `Cookie` headers of the request, because HTTP/2 splits them. Other cookies may hold anything, because others
    /// set them. This cookie must have the form that [`set`](Self::set) writes, and occur once. Names are compared exactly,
    /// including case. Nothing is trimmed except the one blank after a `;`.
    ///
    /// # Errors
    ///
    /// - [`RequestError::DoubledCookie`] if the cookie occurs twice, even with the same value: one of them may have been
    ///   planted from another path or a sibling domain, and the order does not tell which.
    /// - [`RequestError::MalformedCookie`] if its value is empty or holds a character that [`set`](Self::set) does not allow.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::http::{Cookie, RequestError};
    ///
    /// let cookie = Cookie::refresh();
    /// assert_eq!(cookie.find(["a=1", "__Host-refresh=abc"]), Ok(Some("abc")));
    /// assert_eq!(cookie.find(["a=1; __host-refresh=abc"]), Ok(None));
    /// assert_eq!(
    ///     cookie.find(["__Host-refresh=abc; __Host-refresh=abd"]),
    ///     Err(RequestError::DoubledCookie),
    /// );
    /// ```
    pub fn find<'a, V>(
        &self,
        values: impl IntoIterator<Item = &'a V>,
    ) -> Result<Option<&'a str>, RequestError>
    where
        V: AsRef<[u8]> + ?Sized + 'a,
    {
        let mut found = self.values_in(values);
        let Some(value) = found.next() else { return Ok(None) };
        if found.next().is_some() {
            return Err(RequestError::DoubledCookie);
        }
        well_formed(value).map(Some).ok_or(RequestError::MalformedCookie)
    }

    /// Reads all values of this cookie from the values of a request's `Cookie` headers, for a logout: end the session of each,
    /// then delete the cookie. Leaves out values that [`find`](Self::find) calls malformed.
    ///
    /// # Security
    ///
    /// Do not grant access based on one of several values. One may have been planted, and the order does not tell which.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::http::Cookie;
    ///
    /// let cookie = Cookie::refresh();
    /// assert_eq!(cookie.find_all(["__Host-refresh=abc; __Host-refresh=planted"]), ["abc", "planted"]);
    /// assert!(cookie.find_all(["__Host-refresh="]).is_empty());
    /// ```
    pub fn find_all<'a, V>(&self, values: impl IntoIterator<Item = &'a V>) -> Vec<&'a str>
    where
        V: AsRef<[u8]> + ?Sized + 'a,
    {
        self.values_in(values).filter_map(well_formed).collect()
    }

    fn values_in<'a, V>(&self, values: impl IntoIterator<Item = &'a V>) -> impl Iterator<Item = &'a [u8]>
    where
        V: AsRef<[u8]> + ?Sized + 'a,
    {
        let pairs = values.into_iter().flat_map(|value| value.as_ref().split(|byte| *byte == b';'));
        pairs.filter_map(|pair| self.value_in(pair))
    }

    /// Returns the bytes after this cookie's name and `=`. A name without a value counts as an empty value.
    fn value_in<'a>(&self, pair: &'a [u8]) -> Option<&'a [u8]> {
        let pair = pair.strip_prefix(b" ").unwrap_or(pair);
        let rest = pair.strip_prefix(self.name.as_bytes())?;
        if rest.is_empty() { Some(rest) } else { rest.strip_prefix(b"=") }
    }
}

/// The size at which browsers drop a cookie. They count name and value; this crate counts the whole text, as proxies do.
const LIMIT: usize = 4096;

/// Returns whether the byte is a `cookie-octet` of [RFC 6265 section 4.1.1](https://www.rfc-editor.org/rfc/rfc6265#section-4.1.1).
const fn is_cookie_octet(byte: u8) -> bool {
    matches!(byte, b'!' | b'#'..=b'+' | b'-'..=b':' | b'<'..=b'[' | b']'..=b'~')
}

fn well_formed(value: &[u8]) -> Option<&str> {
    if value.is_empty() || !value.iter().all(|byte| is_cookie_octet(*byte)) {
        return None;
    }
    core::str::from_utf8(value).ok()
}

fn checked_path(path: &str) -> Result<Box<str>, SetupError> {
    let allowed = path.bytes().all(|byte| matches!(byte, b'!'..=b'~') && byte != b';');
    // Browsers ignore a longer attribute, and the cookie then has another path.
    if !path.starts_with('/') || !allowed || path.len() > 1024 {
        return Err(SetupError::InvalidCookiePath);
    }
    Ok(path.into())
}

fn prefixed(prefix: &str, name: &str) -> Result<Box<str>, SetupError> {
    // A second prefix would misstate the cookie's attributes.
    if name.is_empty() || name.starts_with("__") || name.len() > 256 || !name.bytes().all(is_token_char) {
        return Err(SetupError::InvalidCookieName);
    }
    Ok(format!("{prefix}{name}").into())
}

/// Whether a browser sends a cookie with requests that come from pages of other sites.
///
/// # Examples
///
/// ```
/// use countersign::http::SameSite;
///
/// assert_eq!(SameSite::default(), SameSite::Strict);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SameSite {
    /// Also with links from other sites, but not with their forms and scripts.
    Lax,
    /// Always: other sites can act for the user, unless [`AllowedOrigins`](super::AllowedOrigins) stops them.
    None,
    /// Only from pages of the same site.
    #[default]
    Strict,
}

impl fmt::Display for SameSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lax => "Lax",
            Self::None => "None",
            Self::Strict => "Strict",
        })
    }
}

/// The value of a `Set-Cookie` header. It holds a secret: it is wiped when dropped, and `Debug` shows a name and a length.
///
/// This crate cannot wipe copies that a framework makes. `HeaderValue::set_sensitive` of the crate `http` keeps the value out
/// of logs and of header compression.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use countersign::http::Cookie;
///
/// let set = Cookie::refresh().set("abc", Duration::from_secs(60))?;
/// assert_eq!(format!("{set:?}"), "SetCookie(__Host-refresh, 73 bytes)");
/// # Ok::<(), countersign::http::SetupError>(())
/// ```
pub struct SetCookie {
    text: Zeroizing<String>,
    name: Box<str>,
}

impl SetCookie {
    /// Returns the value of the header. It is visible ASCII and blanks.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for SetCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SetCookie({}, {} bytes)", self.name, self.text.len())
    }
}
