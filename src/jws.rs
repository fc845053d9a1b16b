//! Signs and verifies bytes as JSON Web Signatures ([RFC 7515](https://www.rfc-editor.org/rfc/rfc7515)):
//! `header.payload.signature`, or the same parts in JSON.
//!
//! A JWT is a JWS with claims as its payload. This module does not read claims. It signs and verifies payload bytes, with the
//! same keys, key sets and strict rules. It does not check a time, an issuer or an audience. For JWTs, use
//! [`Claims`](crate::Claims) and [`Verifier`](crate::Verifier).
//!
//! # Forms
//!
//! Each form has a method of its own, so the text of a message never chooses how it is read:
//!
//! | form | write | verify |
//! |---|---|---|
//! | compact | [`sign`](Payload::sign) | [`verify`](MessageVerifier::verify) |
//! | compact, the payload is elsewhere | [`detached`](Payload::detached) | [`verify_detached`](MessageVerifier::verify_detached) |
//! | flattened JSON | [`flattened`](Payload::flattened) | [`verify_flattened`](MessageVerifier::verify_flattened) |
//! | flattened JSON, the payload is elsewhere | both | [`verify_flattened_detached`](MessageVerifier::verify_flattened_detached) |
//!
//! In each of them, the payload may be signed as it is and not as base64url, with [`unencoded`](Payload::unencoded) and
//! [`accept_unencoded_payload`](MessageVerifier::accept_unencoded_payload). The general JSON serialization, which may have several
//! signatures, is not supported.
//!
//! # Security
//!
//! A payload that is a JSON object of claims makes a JWT. If a server signs texts from other parties with the key of its
//! tokens, these parties can write tokens. So use another key for such documents. Or give all of them a special
//! [`typ`](Payload::typ), which a [`Verifier`](crate::Verifier) refuses ([RFC 8725 section
//! 3.11](https://www.rfc-editor.org/rfc/rfc8725#section-3.11)).
//!
//! # Examples
//!
//! ```
//! use countersign::{HmacKey, SecretBytes, jws};
//!
//! let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
//! let text = jws::Payload::new(b"any bytes \xff").content_type("application/octet-stream").sign(&key)?;
//!
//! let message = jws::MessageVerifier::new(key).verify(&text)?;
//! assert_eq!(message.payload(), b"any bytes \xff");
//! assert_eq!(message.header().content_type(), Some("application/octet-stream"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub(crate) mod compact;
mod detached;
mod flattened;

pub use compact::{MessageVerifier, Payload, Prepared, Verified};

use crate::error::{Expected, PolicyError, VerifyError};
use crate::header::{Header, Unencoded, is_registered};
use crate::limits::Limits;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// The rules of a verifier for headers.
#[derive(Clone, Debug)]
pub(crate) struct HeaderRules {
    pub(crate) typ: TypRule,
    pub(crate) understood: Vec<Box<str>>,
    pub(crate) unencoded: Unencoded,
    pub(crate) limits: Limits,
}

impl HeaderRules {
    pub(crate) const fn new(typ: TypRule) -> Self {
        Self { typ, understood: Vec::new(), unencoded: Unencoded::Refused, limits: Limits::new() }
    }

    /// Adds an extension that `crit` may name.
    pub(crate) fn understand(&mut self, name: &str) -> Result<(), PolicyError> {
        if name.is_empty() {
            return Err(PolicyError::Empty { setting: "understand_critical" });
        }
        if is_registered(name) || name == "b64" {
            return Err(PolicyError::UnusableExtension { name: name.into() });
        }
        self.understood.push(name.into());
        Ok(())
    }
}

/// Which `typ` a verifier accepts.
#[derive(Clone, Debug)]
pub(crate) enum TypRule {
    /// Any `typ`, or none. Most tokens have the `usual` one.
    Any { usual: Option<&'static str> },
    /// `JWT`, which RFC 7519 section 5.1 recommends, or none. This refuses the tokens of other profiles.
    JwtOrAbsent,
    /// One of these, without the optional `application/`. The list is not empty.
    OneOf(Vec<Box<str>>),
}

impl TypRule {
    /// Adds `typ` to the rule. If the rule has no list of types yet, starts one.
    pub(crate) fn or(self, typ: &str) -> Result<Self, PolicyError> {
        let typ = match essence(typ) {
            "" => return Err(PolicyError::Empty { setting: "typ" }),
            typ => typ.into(),
        };
        let mut types = match self {
            Self::Any { .. } | Self::JwtOrAbsent => Vec::new(),
            Self::OneOf(types) => types,
        };
        types.push(typ);
        Ok(Self::OneOf(types))
    }

    /// Returns the `typ` of most tokens that follow the rule.
    pub(crate) fn usual(&self) -> Option<&str> {
        match self {
            Self::Any { usual } => *usual,
            Self::JwtOrAbsent => Some("JWT"),
            Self::OneOf(types) => types.first().map(|typ| &**typ),
        }
    }

    pub(crate) fn check(&self, header: &Header<'_>) -> Result<(), VerifyError> {
        let found = header.typ().map(essence);
        let is = |expected: &str| found.is_some_and(|typ| typ.eq_ignore_ascii_case(expected));
        let expected = match self {
            Self::Any { .. } => return Ok(()),
            Self::JwtOrAbsent if found.is_none() || is("JWT") => return Ok(()),
            Self::JwtOrAbsent => Arc::from([Box::from("JWT")]),
            Self::OneOf(types) if types.iter().any(|typ| is(typ)) => return Ok(()),
            Self::OneOf(types) => Arc::from(types.as_slice()),
        };
        Err(VerifyError::WrongType { expected: Expected::new(expected) })
    }
}

/// Removes `application/` from a media type if no other `/` follows, because RFC 7515 section 4.1.9 makes it optional then.
pub(crate) fn essence(typ: &str) -> &str {
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
