//! Credentials in the `Authorization` header: RFC 6750 section 2.1, in the grammar of RFC 9110 section 11.4.

use crate::http::error::RequestError;
use crate::verifier::{Token, Verifier, VerifierAt};
use serde::de::DeserializeOwned;

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
/// - [`RequestError::MissingCredentials`] when there is no value, [`RequestError::SeveralCredentials`] when there are two or more.
/// - [`RequestError::OtherScheme`] when the scheme is not `Bearer`.
/// - [`RequestError::MalformedCredentials`] when the value is not in the grammar.
///
/// # Examples
///
/// ```
/// use countersign::http::{RequestError, bearer_token};
///
/// assert_eq!(bearer_token(["bearer e30.e30.c2ln"]), Ok("e30.e30.c2ln"));
/// assert_eq!(bearer_token(["Bearer a", "Bearer b"]), Err(RequestError::SeveralCredentials));
/// assert_eq!(bearer_token(None::<&str>), Err(RequestError::MissingCredentials));
/// ```
pub fn bearer_token<'a, V>(values: impl IntoIterator<Item = &'a V>) -> Result<&'a str, RequestError>
where
    V: AsRef<[u8]> + ?Sized + 'a,
{
    parse(single(values)?.as_ref())
}

/// The only value.
fn single<I: IntoIterator>(values: I) -> Result<I::Item, RequestError> {
    let mut values = values.into_iter();
    let value = values.next().ok_or(RequestError::MissingCredentials)?;
    if values.next().is_some() { Err(RequestError::SeveralCredentials) } else { Ok(value) }
}

/// The token in one value.
fn parse(value: &[u8]) -> Result<&str, RequestError> {
    let (scheme, rest) = split(value, is_token_char);
    if scheme.is_empty() || !matches!(rest.first(), None | Some(b' ')) {
        return Err(RequestError::MalformedCredentials { offset: scheme.len() });
    }
    if !scheme.eq_ignore_ascii_case(b"Bearer") {
        return Err(RequestError::OtherScheme);
    }
    // A tab does not count as a space: `1*SP`.
    let (_, token) = split(rest, |byte| byte == b' ');
    let (letters, rest) = split(token, is_b64token_char);
    let (_, rest) = split(rest, |byte| byte == b'=');
    // Padding is wrong from its first character on when there is nothing before it.
    let wrong = if letters.is_empty() { token } else { rest };
    let malformed = RequestError::MalformedCredentials { offset: value.len().saturating_sub(wrong.len()) };
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
    /// - [`RequestError::MissingCredentials`], [`RequestError::OtherScheme`], [`RequestError::SeveralCredentials`] or
    ///   [`RequestError::MalformedCredentials`] when there is no bearer token, or not exactly one.
    /// - [`RequestError::Token`] as [`verify`](Self::verify) says.
    ///
    /// Either has the HTTP answer: [`RequestError::challenge`].
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
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub fn verify_bearer<T: DeserializeOwned>(
        &self,
        authorization: impl IntoIterator<Item: AsRef<[u8]>>,
    ) -> Result<Token<T>, RequestError> {
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
    ) -> Result<Token<T>, RequestError> {
        let value = single(authorization)?;
        Ok(self.verify(parse(value.as_ref())?)?)
    }
}
