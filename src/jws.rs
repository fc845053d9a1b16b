//! JSON Web Signatures ([RFC 7515](https://www.rfc-editor.org/rfc/rfc7515)): any bytes, signed, as
//! `header.payload.signature`.
//!
//! A JWT is a JWS whose payload is a set of claims. This layer knows nothing of claims: it signs and verifies
//! payload bytes, with the same keys, key sets and strictness. No time, issuer or audience is checked here, so
//! for JWTs use [`Claims`](crate::Claims) and [`Verifier`](crate::Verifier).
//!
//! Only the compact form exists. Detached and unencoded payloads
//! ([RFC 7797](https://www.rfc-editor.org/rfc/rfc7797)) are refused.
//!
//! # Examples
//!
//! ```
//! use countersign::{Hs256Key, jws};
//!
//! let key = Hs256Key::from_bytes([7; 32])?;
//! let text = jws::Payload::new(b"any bytes \xff").content_type("application/octet-stream").sign(&key)?;
//!
//! let message = jws::MessageVerifier::new(key).verify(&text)?;
//! assert_eq!(message.payload(), b"any bytes \xff");
//! assert_eq!(message.header().content_type(), Some("application/octet-stream"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub(crate) mod compact;

pub use compact::{MessageVerifier, Payload, Prepared, Verified};

use crate::error::{Expected, PolicyError, VerifyError};
use crate::header::{Header, REGISTERED};
use crate::limits::Limits;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// What a verifier asks of headers.
#[derive(Clone, Debug)]
pub(crate) struct HeaderRules {
    pub(crate) typ: TypRule,
    pub(crate) understood: Vec<Box<str>>,
    pub(crate) limits: Limits,
}

impl HeaderRules {
    pub(crate) const fn new(typ: TypRule) -> Self {
        Self { typ, understood: Vec::new(), limits: Limits::new() }
    }

    /// Adds an extension that `crit` may name.
    pub(crate) fn understand(&mut self, name: &str) -> Result<(), PolicyError> {
        if name.is_empty() {
            return Err(PolicyError::Empty { setting: "understand_critical" });
        }
        if REGISTERED.contains(&name) || name == "b64" {
            return Err(PolicyError::UnusableExtension { name: name.into() });
        }
        self.understood.push(name.into());
        Ok(())
    }
}

/// Which `typ` a verifier takes.
#[derive(Clone, Debug)]
pub(crate) enum TypRule {
    /// Any, or none: a JWS of unknown purpose.
    Any,
    /// `JWT` or none: what RFC 7519 section 5.1 recommends, so no token of another profile.
    JwtOrAbsent,
    /// This one, without the optional `application/`.
    Exactly(Box<str>),
}

impl TypRule {
    /// The rule for exactly `typ`.
    pub(crate) fn exactly(typ: &str) -> Result<Self, PolicyError> {
        match essence(typ) {
            "" => Err(PolicyError::Empty { setting: "typ" }),
            typ => Ok(Self::Exactly(typ.into())),
        }
    }

    /// What a token that follows the rule would say.
    pub(crate) fn written(&self) -> Option<&str> {
        match self {
            Self::Any => None,
            Self::JwtOrAbsent => Some("JWT"),
            Self::Exactly(typ) => Some(typ),
        }
    }

    pub(crate) fn check(&self, header: &Header<'_>) -> Result<(), VerifyError> {
        let matches = |expected: &str| header.typ().map(|typ| essence(typ).eq_ignore_ascii_case(expected));
        match self {
            Self::Any => Ok(()),
            Self::JwtOrAbsent if matches("JWT").unwrap_or(true) => Ok(()),
            Self::Exactly(typ) if matches(typ).unwrap_or(false) => Ok(()),
            Self::JwtOrAbsent | Self::Exactly(_) => {
                let expected = Arc::from_iter(self.written().map(Box::from));
                Err(VerifyError::WrongType { expected: Expected::new(expected) })
            }
        }
    }
}

/// A media type without the `application/` that RFC 7515 section 4.1.9 lets out when no other `/` follows.
fn essence(typ: &str) -> &str {
    const PREFIX: &str = "application/";
    match (typ.get(..PREFIX.len()), typ.get(PREFIX.len()..)) {
        (Some(prefix), Some(rest)) if prefix.eq_ignore_ascii_case(PREFIX) && !rest.contains('/') => rest,
        _ => typ,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn application_is_implied_unless_another_slash_follows() {
        assert_eq!(essence("application/at+jwt"), "at+jwt");
        assert_eq!(essence("Application/JWT"), "JWT");
        assert_eq!(essence("at+jwt"), "at+jwt");
        assert_eq!(essence("application/a/b"), "application/a/b");
        assert_eq!(essence("text/plain"), "text/plain");
        assert_eq!(essence(""), "");
    }
}
