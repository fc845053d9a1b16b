//! What a server says and reads in HTTP headers: bearer credentials, challenges, cookies, and whether a request comes
//! from a page of its own.
//!
//! Text in, text out: no framework, no type of one, no socket. Where a header may stand several times, the functions
//! take all values of it, so that nobody picks the first of two by accident. A value is anything that is bytes:
//! `&str`, `&[u8]`, `http::HeaderValue`.
//!
//! | to | there is |
//! |---|---|
//! | verify the token of a request | [`Verifier::verify_bearer`](crate::Verifier::verify_bearer) |
//! | verify the access token of a session | `AccessVerifier::verify_bearer` of the crate `countersign-session`, with [`Cookie::find`] for what it is bound to |
//! | read it only | [`bearer_token`] |
//! | refuse a request | [`Challenge`], with [`Realm`] and [`Scope`] |
//! | keep a refresh token in a browser | [`Cookie`] |
//! | keep other sites away from that cookie | [`AllowedOrigins`] |
//! | keep tokens out of caches | [`NO_STORE`] |

pub(crate) mod bearer;
pub(crate) mod challenge;
mod cookie;
mod error;
mod origin;

pub use bearer::bearer_token;
pub use challenge::{Challenge, Realm, Scope};
pub use cookie::{Cookie, SameSite, SetCookie};
pub use error::{RequestError, SetupError};
pub use origin::AllowedOrigins;

/// The value of `Cache-Control` for every answer that holds a token or sets a cookie
/// ([RFC 6749 section 5.1](https://www.rfc-editor.org/rfc/rfc6749#section-5.1)).
///
/// A cache between server and browser that keeps a `Set-Cookie` hands one user's session to the next.
///
/// # Examples
///
/// ```
/// assert_eq!(countersign::http::NO_STORE, "no-store");
/// ```
pub const NO_STORE: &str = "no-store";
