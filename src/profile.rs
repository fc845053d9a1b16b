//! Profiles: the rules for one kind of token, on top of those of a [`Verifier`](crate::Verifier).
//!
//! | to | use |
//! |---|---|
//! | log a user in with OpenID Connect | [`IdTokenVerifier`], with a [`Login`] for each login |
//! | protect an API with access tokens of another issuer | [`AccessTokenVerifier`], which makes an [`AccessToken`] |
//! | bind access tokens to keys (feature `dpop`) | `DpopVerifier` on the server, `DpopRequest` on both sides |
//! | use something once | [`ReplayStore`], such as `MemoryReplayStore` |
//!
//! Logout tokens and client assertions need no type of their own: see [the page on profiles](crate::manual::profiles).

pub(crate) mod access_token;
#[cfg(feature = "dpop")]
pub(crate) mod dpop;
mod id_token;
pub(crate) mod payload;
pub(crate) mod replay;

pub use access_token::{AccessToken, AccessTokenVerifier};
#[cfg(feature = "dpop")]
pub use dpop::{DpopRequest, DpopVerifier};
pub use id_token::{IdTokenVerifier, Login};
#[cfg(feature = "std")]
pub use replay::MemoryReplayStore;
pub use replay::{ProofError, ReplayStore};
