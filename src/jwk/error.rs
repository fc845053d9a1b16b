//! Why a JSON Web Key is refused.

use core::fmt;
use thiserror::Error;

/// Why a JSON Web Key is refused, or cannot be written. Names the member, and never holds a value out of the key.
///
/// # Examples
///
/// ```
/// use countersign::{KeyError, PublicKey, jwk::JwkError};
///
/// let error = PublicKey::from_jwk(r#"{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}"#).unwrap_err();
/// assert_eq!(error, KeyError::Jwk(JwkError::WrongLength { member: "x", bytes: 3, expected: 32 }));
/// assert_eq!(error.to_string(), "member x of the JWK has 3 bytes and not 32: leading zeros must be kept");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum JwkError {
    /// A member occurs twice, with or without escapes in its name.
    #[error("member {} of the JWK occurs twice", .member.unwrap_or("(of another name)"))]
    DuplicateMember {
        /// The member, if this crate knows its name.
        member: Option<&'static str>,
    },
    /// `key_ops` holds an operation twice ([RFC 7517 section 4.3](https://www.rfc-editor.org/rfc/rfc7517#section-4.3)).
    #[error("member key_ops of the JWK holds an operation twice")]
    DuplicateOperation,
    /// The text is an encrypted JWK ([RFC 7517 section 7](https://www.rfc-editor.org/rfc/rfc7517#section-7)).
    #[error("the JWK is encrypted: decrypt it first")]
    Encrypted,
    /// The text is HTML or XML: often the page of another address, or of an error.
    #[error("this is HTML or XML and not JSON: check the address that it came from")]
    Html,
    /// The text is a JWK set, and not a JWK.
    #[error("this is a JWK set: pass one entry of its member keys")]
    KeySet,
    /// A number of an RSA key begins with a zero byte
    /// ([RFC 7518 section 2](https://www.rfc-editor.org/rfc/rfc7518#section-2)).
    #[error("member {member} of the JWK begins with a zero byte, which must be left out")]
    LeadingZero {
        /// The member.
        member: &'static str,
    },
    /// The member does not belong to the other members: the private half is that of another key, or a number of an RSA key
    /// is not what follows from the others.
    #[error("member {member} of the JWK does not belong to the other members")]
    Mismatch {
        /// The member.
        member: &'static str,
    },
    /// A member is missing.
    #[error("member {member} of the JWK is missing")]
    MissingMember {
        /// The member.
        member: &'static str,
    },
    /// The RSA private key has more than two primes, in its member `oth`.
    #[error("member oth of the JWK holds more primes of the RSA key, which is not supported")]
    MultiPrime,
    /// The key cannot be written, because it was made by `custom`: its numbers are not known.
    #[error("the key was made by custom(), so its numbers are not known")]
    NoMaterial,
    /// `use`, `key_ops` or `alg` does not allow this use of the key.
    #[error("member {member} of the JWK does not allow this use of the key")]
    NotAllowed {
        /// The member.
        member: &'static str,
    },
    /// The text is one JWK, and not a JWK set.
    #[error("this is a JWK and not a JWK set: call Jwk::parse")]
    NotASet,
    /// The text is not exactly one JSON object.
    #[error("the JWK is not a JSON object, at byte {offset}")]
    NotAnObject {
        /// The offset at which reading stopped.
        offset: usize,
    },
    /// A secret is needed, but `kty` is not `oct`.
    #[error(
        "member kty of the JWK is not oct, so it is not a secret: call from_jwk of PublicKey or PrivateKey"
    )]
    NotASecret,
    /// A member is not unpadded, canonical base64url. The error does not say where, because the member may be private.
    #[error("member {member} of the JWK is not base64url without padding: it {found}")]
    NotBase64url {
        /// The member.
        member: &'static str,
        /// What is wrong with it.
        found: &'static str,
    },
    /// The text is PEM.
    #[error("this is PEM text: call from_pem")]
    Pem,
    /// The key is a private one, but the public one is needed.
    #[error(
        "member {member} of the JWK is private, but the public key is needed: a private key that was published must be replaced"
    )]
    PrivateMember {
        /// The member.
        member: &'static str,
    },
    /// A member has a name that JSON libraries use internally.
    #[error("the JWK has a member with a reserved name")]
    ReservedMember,
    /// `kty` is `oct`, but a key pair or one half of it is needed.
    #[error(
        "member kty of the JWK is oct, so it is a secret and not a key pair: call from_jwk of SecretBytes"
    )]
    Secret,
    /// The text is not a SHA-256 thumbprint, or not the URI of one.
    #[error(
        "not a SHA-256 thumbprint: 43 characters of base64url, in a URI after urn:ietf:params:oauth:jwk-thumbprint:sha-256:"
    )]
    Thumbprint,
    /// Something is larger than its limit.
    #[error("the JWK has more than {limit} {what}")]
    TooLarge {
        /// The quantity.
        what: &'static str,
        /// The maximum.
        limit: usize,
    },
    /// `kty`, `crv` or `alg` has a value that this crate does not support. Values are compared exactly.
    #[error("member {member} of the JWK has a value that is not supported; values are compared exactly")]
    UnsupportedValue {
        /// The member.
        member: &'static str,
    },
    /// A member has another length than the type of the key demands.
    #[error("{}", wrong_length(member, *.bytes, *.expected))]
    WrongLength {
        /// The member.
        member: &'static str,
        /// Its length.
        bytes: usize,
        /// The only length that is allowed.
        expected: usize,
    },
    /// A member has the wrong JSON type; `null` is a wrong type.
    #[error("member {member} of the JWK must be {expected}, not {found}")]
    WrongType {
        /// The member.
        member: &'static str,
        /// What it must be.
        expected: &'static str,
        /// What it is instead: a kind of JSON value, never the value.
        found: &'static str,
    },
}

/// Says how long a member is, and why it may be too short.
fn wrong_length(member: &str, bytes: usize, expected: usize) -> impl fmt::Display {
    struct WrongLength<'a>(&'a str, usize, usize);
    impl fmt::Display for WrongLength<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let Self(member, bytes, expected) = *self;
            write!(f, "member {member} of the JWK has {bytes} bytes and not {expected}")?;
            // Some writers leave zeros out, although the length is fixed.
            if bytes < expected { f.write_str(": leading zeros must be kept") } else { Ok(()) }
        }
    }
    WrongLength(member, bytes, expected)
}

impl JwkError {
    /// Returns a stable name for logs and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::DuplicateMember { .. } => "jwk_duplicate_member",
            Self::DuplicateOperation => "jwk_duplicate_operation",
            Self::Encrypted => "jwk_encrypted",
            Self::Html => "jwk_html",
            Self::KeySet => "jwk_key_set",
            Self::LeadingZero { .. } => "jwk_leading_zero",
            Self::Mismatch { .. } => "jwk_mismatch",
            Self::MissingMember { .. } => "jwk_missing_member",
            Self::MultiPrime => "jwk_multi_prime",
            Self::NoMaterial => "jwk_no_material",
            Self::NotASecret => "jwk_not_a_secret",
            Self::NotASet => "jwk_not_a_set",
            Self::NotAllowed { .. } => "jwk_not_allowed",
            Self::NotAnObject { .. } => "jwk_not_an_object",
            Self::NotBase64url { .. } => "jwk_not_base64url",
            Self::Pem => "jwk_pem",
            Self::PrivateMember { .. } => "jwk_private_member",
            Self::ReservedMember => "jwk_reserved_member",
            Self::Secret => "jwk_secret",
            Self::Thumbprint => "jwk_thumbprint",
            Self::TooLarge { .. } => "jwk_too_large",
            Self::UnsupportedValue { .. } => "jwk_unsupported_value",
            Self::WrongLength { .. } => "jwk_wrong_length",
            Self::WrongType { .. } => "jwk_wrong_type",
        }
    }

    /// Returns the member that is wrong, if it is one and this crate knows its name.
    #[must_use]
    pub const fn member(self) -> Option<&'static str> {
        match self {
            Self::DuplicateMember { member } => member,
            Self::DuplicateOperation => Some("key_ops"),
            Self::MultiPrime => Some("oth"),
            Self::NotASecret | Self::Secret => Some("kty"),
            Self::LeadingZero { member }
            | Self::Mismatch { member }
            | Self::MissingMember { member }
            | Self::NotAllowed { member }
            | Self::NotBase64url { member, .. }
            | Self::PrivateMember { member }
            | Self::UnsupportedValue { member }
            | Self::WrongLength { member, .. }
            | Self::WrongType { member, .. } => Some(member),
            Self::Encrypted
            | Self::Html
            | Self::KeySet
            | Self::NoMaterial
            | Self::NotASet
            | Self::NotAnObject { .. }
            | Self::Pem
            | Self::ReservedMember
            | Self::Thumbprint
            | Self::TooLarge { .. } => None,
        }
    }
}
