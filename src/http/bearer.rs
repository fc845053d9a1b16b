//! Credentials in the `Authorization` header: RFC 6750 section 2.1, in the grammar of RFC 9110 section 11.4.

use crate::error::VerifyError;
use crate::http::challenge::Challenge;
use crate::verifier::{Token, Verifier, VerifierAt};
use serde::de::DeserializeOwned;
use thiserror::Error;

/// The token in the values of a request's `Authorization` headers; there must be exactly one.
///
/// Hand over all that there are (`headers.get_all(AUTHORIZATION)` with the crate `http`), so that of two contradicting
/// ones neither wins. An `Option` will do where a framework knows only one.
///
/// The value is `Bearer` in any case, one or more blanks, the token, and nothing else:
/// [RFC 6750 section 2.1](https://www.rfc-editor.org/rfc/rfc6750#section-2.1). Whether the token is any good is not asked
/// here: [`Verifier::verify_bearer`](crate::Verifier::verify_bearer) does both.
///
/// # Errors
///
/// - [`CredentialsError::Missing`] when there is no value, [`CredentialsError::Several`] when there are two or more.
/// - [`CredentialsError::OtherScheme`] when the scheme is not `Bearer`.
/// - [`CredentialsError::Malformed`] when the value is not in the grammar.
///
/// # Examples
///
/// ```
/// use countersign::http::{CredentialsError, bearer_token};
///
/// assert_eq!(bearer_token(["bearer e30.e30.c2ln"]), Ok("e30.e30.c2ln"));
/// assert_eq!(bearer_token(["Bearer a", "Bearer b"]), Err(CredentialsError::Several));
/// assert_eq!(bearer_token(None::<&str>), Err(CredentialsError::Missing));
/// ```
pub fn bearer_token<'a, V>(values: impl IntoIterator<Item = &'a V>) -> Result<&'a str, CredentialsError>
where
    V: AsRef<[u8]> + ?Sized + 'a,
{
    parse(single(values)?.as_ref())
}

/// The only value.
fn single<I: IntoIterator>(values: I) -> Result<I::Item, CredentialsError> {
    let mut values = values.into_iter();
    let value = values.next().ok_or(CredentialsError::Missing)?;
    if values.next().is_some() { Err(CredentialsError::Several) } else { Ok(value) }
}

/// The token in one value.
fn parse(value: &[u8]) -> Result<&str, CredentialsError> {
    let (scheme, rest) = split(value, is_token_char);
    if scheme.is_empty() || !matches!(rest.first(), None | Some(b' ')) {
        return Err(CredentialsError::Malformed { offset: scheme.len() });
    }
    if !scheme.eq_ignore_ascii_case(b"Bearer") {
        return Err(CredentialsError::OtherScheme);
    }
    // A tab is no blank here: `1*SP`.
    let (_, token) = split(rest, |byte| byte == b' ');
    let (letters, rest) = split(token, is_b64token_char);
    let (_, rest) = split(rest, |byte| byte == b'=');
    // Padding is wrong from its first character on when there is nothing before it.
    let wrong = if letters.is_empty() { token } else { rest };
    let malformed = CredentialsError::Malformed { offset: value.len().saturating_sub(wrong.len()) };
    if letters.is_empty() || !rest.is_empty() {
        return Err(malformed);
    }
    core::str::from_utf8(token).map_err(|_| malformed)
}

/// The bytes at the start that are of a kind, and the rest.
fn split(bytes: &[u8], kind: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let count = bytes.iter().take_while(|byte| kind(**byte)).count();
    bytes.split_at_checked(count).unwrap_or_default()
}

/// `tchar` of [RFC 9110 section 5.6.2](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2).
pub(crate) const fn is_token_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}

/// What a `b64token` is made of before its padding.
const fn is_b64token_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
}

impl Verifier {
    /// Checks the bearer token in the values of a request's `Authorization` headers, against the wall clock.
    ///
    /// Hand over all that there are, so that of two contradicting ones neither wins; an `Option` will do where a
    /// framework knows only one. See [`bearer_token`](crate::http::bearer_token) for what a value may be.
    ///
    /// # Errors
    ///
    /// - [`BearerError::Credentials`] when there is no bearer token, or not exactly one.
    /// - [`BearerError::Token`] as [`verify`](Self::verify) says.
    ///
    /// Either has the HTTP answer: [`BearerError::challenge`].
    ///
    /// # Examples
    ///
    /// ```
    /// # use core::time::Duration;
    /// use countersign::{Claims, HmacKey, SecretBytes, Verifier};
    ///
    /// # let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
    /// # let verifier = Verifier::builder(key.clone()).accept_any_issuer().no_audience().build()?;
    /// # let text = Claims::registered().subject("ann").expires_in(Duration::from_secs(900)).sign(&key)?;
    /// // With the crate `http`: `headers.get_all(AUTHORIZATION)`.
    /// let values = [format!("Bearer {text}")];
    /// let token = verifier.verify_bearer::<()>(&values)?;
    /// assert_eq!(token.subject(), Some("ann"));
    ///
    /// let error = verifier.verify_bearer::<()>(&[] as &[String]).unwrap_err();
    /// assert_eq!((error.challenge().status(), error.challenge().www_authenticate()), (401, Some("Bearer")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "std")]
    pub fn verify_bearer<T: DeserializeOwned>(
        &self,
        authorization: impl IntoIterator<Item: AsRef<[u8]>>,
    ) -> Result<Token<T>, BearerError> {
        let value = single(authorization)?;
        Ok(self.verify(parse(value.as_ref())?)?)
    }
}

impl VerifierAt<'_> {
    /// As [`Verifier::verify_bearer`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn verify_bearer<T: DeserializeOwned>(
        self,
        authorization: impl IntoIterator<Item: AsRef<[u8]>>,
    ) -> Result<Token<T>, BearerError> {
        let value = single(authorization)?;
        Ok(self.verify(parse(value.as_ref())?)?)
    }
}

/// Why a request's `Authorization` headers hold no bearer token.
///
/// # Examples
///
/// ```
/// use countersign::http::{CredentialsError, bearer_token};
///
/// let error = bearer_token(["Bearer  a b"]).unwrap_err();
/// assert_eq!(error, CredentialsError::Malformed { offset: 9 });
/// assert_eq!(error.to_string(), "credentials are malformed at byte 9");
/// assert_eq!((error.code(), error.challenge().status()), ("malformed_credentials", 400));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// The value is not a scheme, blanks and a token.
    #[error("credentials are malformed at byte {offset}")]
    Malformed {
        /// Where in the value reading stopped.
        offset: usize,
    },
    /// There is no `Authorization` header.
    #[error("no credentials")]
    Missing,
    /// The scheme is another than `Bearer`.
    #[error("credentials are of another scheme than bearer")]
    OtherScheme,
    /// There are several `Authorization` headers, whatever they hold.
    #[error("several authorization headers")]
    Several,
}

impl CredentialsError {
    /// A stable name for logs, metrics and clients.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "malformed_credentials",
            Self::Missing => "missing_credentials",
            Self::OtherScheme => "other_scheme",
            Self::Several => "several_credentials",
        }
    }

    /// The HTTP answer ([RFC 6750 section 3.1](https://www.rfc-editor.org/rfc/rfc6750#section-3.1)).
    ///
    /// 401 without an error code where no bearer token was tried, which includes another scheme; 400 and
    /// `invalid_request` where one was, and not as it should be.
    #[must_use]
    pub const fn challenge(&self) -> Challenge {
        match self {
            Self::Missing | Self::OtherScheme => Challenge::missing_credentials(),
            Self::Malformed { .. } | Self::Several => Challenge::invalid_request(),
        }
    }
}

/// Why a request is not let in by [`Verifier::verify_bearer`](crate::Verifier::verify_bearer).
///
/// # Examples
///
/// ```
/// use countersign::{HmacKey, SecretBytes, Verifier, VerifyError};
/// use countersign::http::{BearerError, CredentialsError};
///
/// let verifier = Verifier::builder(HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?).issuer("me").no_audience().build()?;
///
/// let error = verifier.verify_bearer::<()>(None::<&str>).unwrap_err();
/// assert_eq!(error, BearerError::Credentials(CredentialsError::Missing));
/// assert_eq!(error.challenge().www_authenticate(), Some("Bearer"));
///
/// let error = verifier.verify_bearer::<()>(["Bearer a.b"]).unwrap_err();
/// assert_eq!(error, BearerError::Token(VerifyError::NotAToken));
/// assert_eq!((error.code(), error.challenge().status()), ("not_a_token", 401));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BearerError {
    /// There is no bearer token to verify.
    #[error("{0}")]
    Credentials(CredentialsError),
    /// There is one, and it is refused.
    #[error("{0}")]
    Token(VerifyError),
}

impl BearerError {
    /// Whether the token's time is over and nothing else was found wrong with it:
    /// [`VerifyError::is_expired`].
    #[must_use]
    pub const fn is_expired(&self) -> bool {
        matches!(self, Self::Token(error) if error.is_expired())
    }

    /// A stable name for logs, metrics and clients: that of the error inside.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Credentials(error) => error.code(),
            Self::Token(error) => error.code(),
        }
    }

    /// The HTTP answer: that of the error inside.
    #[must_use]
    pub const fn challenge(&self) -> Challenge {
        match self {
            Self::Credentials(error) => error.challenge(),
            Self::Token(error) => error.challenge(),
        }
    }
}

impl From<CredentialsError> for BearerError {
    fn from(error: CredentialsError) -> Self {
        Self::Credentials(error)
    }
}

impl From<VerifyError> for BearerError {
    fn from(error: VerifyError) -> Self {
        Self::Token(error)
    }
}
