//! Reads bearer credentials from `Authorization` headers (RFC 6750 section 2.1, in the grammar of RFC 9110 section 11.4).

use crate::http::error::RequestError;
use crate::profile::access_token::{AccessToken, AccessTokenVerifier};
use crate::time::UnixTime;
use crate::verifier::{Token, Verifier, VerifierAt};
use serde::de::DeserializeOwned;

/// The scheme of RFC 6750.
const BEARER: &str = "Bearer";

/// Returns the token from the values of a request's `Authorization` headers. There must be exactly one value.
///
/// Pass all values (`headers.get_all(AUTHORIZATION)` with the crate `http`), so that neither of two contradicting values wins.
/// Pass an `Option` if your framework gives you only one.
///
/// The value must be `Bearer` in any case, one or more spaces, and the token
/// ([RFC 6750 section 2.1](https://www.rfc-editor.org/rfc/rfc6750#section-2.1)). This function does not verify the token:
/// [`Verifier::verify_bearer`](crate::Verifier::verify_bearer) reads and verifies it.
///
/// # Errors
///
/// - [`RequestError::MissingCredentials`] if there is no value.
/// - [`RequestError::SeveralCredentials`] if there are two or more.
/// - [`RequestError::OtherScheme`] if the scheme is not `Bearer`.
/// - [`RequestError::MalformedCredentials`] if the value does not follow the grammar.
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
    parse(single(values)?.as_ref(), BEARER)
}

/// Returns the only value.
pub(crate) fn single<I: IntoIterator>(values: I) -> Result<I::Item, RequestError> {
    let mut values = values.into_iter();
    let value = values.next().ok_or(RequestError::MissingCredentials)?;
    if values.next().is_some() { Err(RequestError::SeveralCredentials) } else { Ok(value) }
}

/// Returns the token from one value of this scheme.
pub(crate) fn parse<'v>(value: &'v [u8], expected: &str) -> Result<&'v str, RequestError> {
    let (scheme, rest) = split(value, is_token_char);
    if scheme.is_empty() || !matches!(rest.first(), None | Some(b' ')) {
        return Err(RequestError::MalformedCredentials { offset: scheme.len() });
    }
    if !scheme.eq_ignore_ascii_case(expected.as_bytes()) {
        return Err(RequestError::OtherScheme);
    }
    // The grammar says `1*SP`, so a tab does not count as a space.
    let (_, token) = split(rest, |byte| byte == b' ');
    // Most tokens have nothing else. Looking at all bytes is several times faster than looking for the first other one, because the
    // compiler can use the CPU's vector unit for it.
    let all = token.iter().fold(true, |all, byte| all & is_b64token_char(*byte));
    let (letters, rest) = if all { (token, [].as_slice()) } else { split(token, is_b64token_char) };
    let (_, rest) = split(rest, |byte| byte == b'=');
    // Padding without a character before it is wrong from its first character on.
    let wrong = if letters.is_empty() { token } else { rest };
    let malformed = RequestError::MalformedCredentials { offset: value.len().saturating_sub(wrong.len()) };
    if letters.is_empty() || !rest.is_empty() {
        return Err(malformed);
    }
    core::str::from_utf8(token).map_err(|_| malformed)
}

/// Splits off the bytes at the start that are of this kind.
fn split(bytes: &[u8], kind: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let count = bytes.iter().take_while(|byte| kind(**byte)).count();
    bytes.split_at_checked(count).unwrap_or_default()
}

/// Returns whether the byte is a `tchar` of [RFC 9110 section 5.6.2](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2).
pub(crate) const fn is_token_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}

/// Returns whether a `b64token` may contain the byte before its padding.
const fn is_b64token_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
}

impl Verifier {
    /// Verifies the bearer token in the values of a request's `Authorization` headers, at the time of the wall clock.
    ///
    /// Pass all values, so that neither of two contradicting values wins. Pass an `Option` if your framework gives you only
    /// one. [`bearer_token`](crate::http::bearer_token) describes the form of a value.
    ///
    /// # Errors
    ///
    /// - [`RequestError::MissingCredentials`], [`RequestError::OtherScheme`], [`RequestError::SeveralCredentials`] or
    ///   [`RequestError::MalformedCredentials`] if there is not exactly one bearer token.
    /// - [`RequestError::Token`] with the error of [`verify`](Self::verify).
    ///
    /// [`RequestError::challenge`] makes the HTTP answer from each of them.
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
        Ok(self.verify(parse(value.as_ref(), BEARER)?)?)
    }
}

impl VerifierAt<'_> {
    /// Verifies a bearer token like [`Verifier::verify_bearer`], at the fixed time.
    ///
    /// # Errors
    ///
    /// The same as [`Verifier::verify_bearer`].
    pub fn verify_bearer<T: DeserializeOwned>(
        self,
        authorization: impl IntoIterator<Item: AsRef<[u8]>>,
    ) -> Result<Token<T>, RequestError> {
        let value = single(authorization)?;
        Ok(self.verify(parse(value.as_ref(), BEARER)?)?)
    }
}

impl AccessTokenVerifier {
    /// Verifies the access token in the values of a request's `Authorization` headers, as [`Verifier::verify_bearer`] does, at the
    /// time of the wall clock.
    ///
    /// # Errors
    ///
    /// As [`Verifier::verify_bearer`], with the errors of [`verify`](Self::verify) in [`RequestError::Token`].
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub fn verify_bearer<T: DeserializeOwned>(
        &self,
        authorization: impl IntoIterator<Item: AsRef<[u8]>>,
    ) -> Result<AccessToken<T>, RequestError> {
        self.verify_bearer_at(authorization, UnixTime::now())
    }

    /// Verifies like `verify_bearer`, at the time `now`.
    ///
    /// # Errors
    ///
    /// The same as `verify_bearer`.
    pub fn verify_bearer_at<T: DeserializeOwned>(
        &self,
        authorization: impl IntoIterator<Item: AsRef<[u8]>>,
        now: UnixTime,
    ) -> Result<AccessToken<T>, RequestError> {
        let value = single(authorization)?;
        Ok(self.verify_at(parse(value.as_ref(), BEARER)?, now)?)
    }
}
