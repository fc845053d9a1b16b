//! Profiles: the rules for one kind of token, on top of those of a [`Verifier`](crate::Verifier).
//!
//! | to | use |
//! |---|---|
//! | log a user in with OpenID Connect | [`IdTokenVerifier`], with a [`Login`] for each login |
//!
//! Logout tokens and client assertions need no type of their own: see [the page on profiles](crate::manual::profiles).

mod id_token;
pub(crate) mod payload;

pub use id_token::{IdTokenVerifier, Login};
