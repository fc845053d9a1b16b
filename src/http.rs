//! Reads and writes HTTP headers: bearer credentials, challenges and cookies. Checks whether a request comes from one of the
//! server's own pages.
//!
//! The functions take text and return text. They do not depend on a web framework and do not open a socket. If a header may
//! occur several times, the function takes all values of it, so that a caller does not pick the first of two by accident. A
//! value is anything that is bytes: `&str`, `&[u8]`, `http::HeaderValue`.
//!
//! | to | use |
//! |---|---|
//! | verify the token of a request | [`Verifier::verify_bearer`](crate::Verifier::verify_bearer); in axum or tower, the crate `countersign-tower` |
//! | verify the access token of a session | `AccessVerifier::verify_bearer` of the crate `countersign-session`, with [`Cookie::find`] for the cookie that the token is bound to |
//! | verify an access token with its DPoP proof | `AccessTokenVerifier::verify_request` of the module [`profile`](crate::profile) |
//! | read the token without verifying it | [`bearer_token`] |
//! | refuse a request | [`Challenge`], with [`Realm`] and [`Scope`] |
//! | keep a refresh token in a browser | [`Cookie`] |
//! | keep other sites away from that cookie | [`AllowedOrigins`] |
//! | keep tokens out of caches | [`NO_STORE`] |

pub(crate) mod bearer;
pub(crate) mod challenge;
mod cookie;
#[cfg(feature = "dpop")]
mod dpop;
mod error;
mod origin;

pub use bearer::bearer_token;
pub use challenge::{Challenge, Realm, Scope};
pub use cookie::{Cookie, SameSite, SetCookie};
pub use error::{RequestError, SetupError};
pub use origin::AllowedOrigins;

/// The value of `Cache-Control` for every answer that contains a token or sets a cookie
/// ([RFC 6749 section 5.1](https://www.rfc-editor.org/rfc/rfc6749#section-5.1)).
///
/// Without it, a cache between server and browser may store a `Set-Cookie` and give one user's session to the next user.
///
/// # Examples
///
/// ```
/// assert_eq!(countersign::http::NO_STORE, "no-store");
/// ```
pub const NO_STORE: &str = "no-store";
