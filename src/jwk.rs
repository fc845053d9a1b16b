//! Reads and writes JSON Web Keys ([RFC 7517](https://www.rfc-editor.org/rfc/rfc7517)), and computes their thumbprints
//! ([RFC 7638](https://www.rfc-editor.org/rfc/rfc7638)).
//!
//! | to | use |
//! |---|---|
//! | read the material of a key | `PublicKey::from_jwk`, `PrivateKey::from_jwk`, [`SecretBytes::from_jwk`](crate::SecretBytes::from_jwk) |
//! | make a key that obeys its `use`, `key_ops` and `alg` and has its `kid` | [`Jwk::parse`], then `verifying_key`, `signing_key` or [`hmac_key`](Jwk::hmac_key) |
//! | publish a key with `kid`, `use` and `alg` | `VerifyingKey::to_jwk` |
//! | write a public key without them | `PublicKey::to_jwk` |
//! | store a private key or a secret | `PrivateKey::to_private_jwk`, [`SecretBytes::to_private_jwk`](crate::SecretBytes::to_private_jwk) |
//! | keep a set up to date while it is used | [`Refresh`] |
//! | make a key id that follows from the key | `PublicKey::thumbprint` |
//!
//! Key pairs need a feature that has their type: see [`PublicKey`](crate::PublicKey). X25519, X448, Ed448 and other curves are
//! refused by the name of the member.
//!
//! # What is checked
//!
//! - The text is one JSON object of at most 64 KiB, in which no name occurs twice, also if it is spelled with escapes.
//! - Each member of RFC 7517 and RFC 7518 has its JSON type; `null` has not. Unknown members are ignored. So is the content of
//!   `x5c`, `x5u`, `x5t` and `x5t#S256`: no certificate is read.
//! - Numbers are unpadded, canonical base64url: of the exact length for a curve, without leading zeros for RSA.
//! - RSA keys are at least as long, and their exponents as usual, as in a file. Points are checked when an algorithm makes a key.
//! - A public key has no private member. The private members of a private key belong to the public ones, if the feature of its
//!   type is on; otherwise the backend checks this when it makes a key.
//!
//! # Examples
//!
//! ```
//! # #[cfg(all(feature = "ecdsa", feature = "getrandom"))]
//! # fn main() -> Result<(), countersign::KeyError> {
//! use countersign::{Algorithm, KeyError, PrivateKey};
//! use countersign::jwk::{Jwk, JwkError};
//!
//! let private = PrivateKey::generate(Algorithm::Es256)?;
//! let kid = private.public_key()?.thumbprint()?.to_string();
//! let published = private.es256()?.with_key_id(kid.as_str())?.verifying_key().to_jwk()?;
//!
//! let jwk = Jwk::parse(&published)?;
//! assert_eq!((jwk.key_id(), jwk.key_use(), jwk.algorithm()), (Some(&*kid), Some("sig"), Some("ES256")));
//! let key = jwk.verifying_key(Algorithm::Es256)?;
//! assert_eq!(key.key_id(), Some(&*kid));
//!
//! let encryption = published.replace("sig", "enc");
//! let error = Jwk::parse(&encryption)?.verifying_key(Algorithm::Es256).unwrap_err();
//! assert_eq!(error, KeyError::Jwk(JwkError::NotAllowed { member: "use" }));
//! # Ok(())
//! # }
//! # #[cfg(not(all(feature = "ecdsa", feature = "getrandom")))]
//! # fn main() {}
//! ```

pub(crate) mod error;
#[cfg(feature = "private-keys")]
mod halves;
mod keys;
mod read;
mod refresh;
mod set;
mod thumbprint;
mod write;

pub use error::JwkError;
pub use read::Jwk;
pub use refresh::{Action, Refresh, RefreshConfig};
pub use set::{LoadedKeys, SkippedKey};
pub use thumbprint::Thumbprint;
