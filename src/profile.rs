//! Profiles: the rules for one kind of token, on top of those of a [`Verifier`](crate::Verifier).
//!
//! | to | use |
//! |---|---|
//! | log a user in with OpenID Connect | [`IdTokenVerifier`], with a [`Login`] for each login |
//! | protect an API with access tokens of another issuer | [`AccessTokenVerifier`], which makes an [`AccessToken`] |
//!
//! Logout tokens and client assertions need no type of their own: see [the page on profiles](crate::manual::profiles).

pub(crate) mod access_token;
mod id_token;
pub(crate) mod payload;

pub use access_token::{AccessToken, AccessTokenVerifier};
pub use id_token::{IdTokenVerifier, Login};
