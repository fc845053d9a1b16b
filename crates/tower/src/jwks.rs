//! The verifiers of countersign-jwks.

use crate::authenticate::{Authenticate, refuse_bound};
use crate::refused::Refused;
use countersign::Token;
use countersign_jwks::{Issuers, RemoteVerifier};
use http::request::Parts;
use serde::de::DeserializeOwned;

/// Verifies as [`RemoteVerifier::verify`] does, and refuses a token that is bound to a key or a certificate. The `Retry-After` of a
/// 503 is the time until the keys may be fetched again.
impl<T: DeserializeOwned + Send> Authenticate<T> for RemoteVerifier {
    type Token = Token<T>;

    async fn verify_token(&self, text: &str, _: &Parts) -> Result<Self::Token, Refused> {
        let token = self.verify(text).await?;
        refuse_bound(&token).map(|()| token)
    }

    fn complete(&self, refused: Refused) -> Refused {
        if refused.challenge().status() == 503 {
            return refused.with_retry_after(self.keys().status().retry_after);
        }
        refused
    }
}

/// Verifies as [`Issuers::verify`] does, and refuses a token that is bound to a key or a certificate. Put it into an `Arc`.
impl<T: DeserializeOwned + Send> Authenticate<T> for Issuers {
    type Token = Token<T>;

    async fn verify_token(&self, text: &str, request: &Parts) -> Result<Self::Token, Refused> {
        let verifier = self.choose(text)?;
        let verified = verifier.verify_token(text, request).await;
        verified.map_err(|refused| Authenticate::<T>::complete(verifier, refused))
    }
}
