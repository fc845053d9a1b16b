//! Reads DPoP proofs from headers and makes challenges
//! ([RFC 9449 section 7.1](https://www.rfc-editor.org/rfc/rfc9449#section-7.1)).

use crate::http::bearer::{parse, single};
use crate::http::challenge::Challenge;
use crate::http::error::RequestError;
use crate::jwk::Thumbprint;
use crate::profile::access_token::{AccessToken, AccessTokenVerifier};
use crate::profile::dpop::{DpopRequest, DpopVerifier};
use crate::profile::replay::ProofError;
use crate::time::UnixTime;
use alloc::string::String;
use serde::de::DeserializeOwned;

/// Calls `read` with the only proof in the values of the `DPoP` headers.
fn with_proof<T>(
    values: impl IntoIterator<Item: AsRef<[u8]>>,
    read: impl FnOnce(&str) -> Result<T, ProofError>,
) -> Result<T, RequestError> {
    let value = match single(values) {
        Ok(value) => value,
        Err(RequestError::SeveralCredentials) => return Err(RequestError::Proof(ProofError::SeveralProofs)),
        Err(_) => return Err(RequestError::Proof(ProofError::MissingProof)),
    };
    let value = value.as_ref();
    if value.is_empty() {
        return Err(RequestError::Proof(ProofError::MissingProof));
    }
    // Some servers join several headers with a comma, which a proof never has.
    if value.contains(&b',') {
        return Err(RequestError::Proof(ProofError::SeveralProofs));
    }
    // The verifier says what is wrong with an empty text in place of other bytes.
    Ok(read(core::str::from_utf8(value).unwrap_or_default())?)
}

impl DpopVerifier {
    /// Verifies the proof in the values of a request's `DPoP` headers. There must be exactly one. It is for the token endpoint,
    /// which writes the thumbprint into `cnf.jkt` of the access token.
    ///
    /// # Errors
    ///
    /// [`RequestError::Proof`] with [`ProofError::MissingProof`], [`ProofError::SeveralProofs`], or the errors of
    /// [`verify`](Self::verify).
    pub fn verify_header(
        &self,
        request: &DpopRequest<'_>,
        dpop: impl IntoIterator<Item: AsRef<[u8]>>,
        now: UnixTime,
    ) -> Result<Thumbprint, RequestError> {
        with_proof(dpop, |proof| self.verify(request, proof, now))
    }

    /// Turns a challenge into that of a resource server that demands DPoP: with the scheme `DPoP` and the algorithms of this
    /// verifier. It is for [`RequestError::challenge`], and for [`Challenge::insufficient_scope`] after a valid token and proof.
    ///
    /// For [`ProofError::WrongNonce`], add a header `DPoP-Nonce` with a nonce.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::Algorithm;
    /// use countersign::http::RequestError;
    /// use countersign::profile::{DpopVerifier, MemoryReplayStore, ProofError};
    ///
    /// let dpop = DpopVerifier::new(&[Algorithm::Es256, Algorithm::Ed25519], MemoryReplayStore::new(1000))?;
    /// let challenge = dpop.challenge(RequestError::Proof(ProofError::WrongNonce).challenge());
    /// assert_eq!(challenge.status(), 401);
    /// assert_eq!(challenge.www_authenticate(), Some(r#"DPoP error="use_dpop_nonce", algs="ES256 EdDSA""#));
    /// # Ok::<(), countersign::PolicyError>(())
    /// ```
    #[must_use]
    pub fn challenge(&self, challenge: Challenge) -> Challenge {
        let mut algorithms = String::new();
        for algorithm in self.algorithms() {
            if !algorithms.is_empty() {
                algorithms.push(' ');
            }
            algorithms.push_str(algorithm.name());
        }
        challenge.for_dpop(algorithms)
    }
}

impl AccessTokenVerifier {
    /// Verifies the access token and the proof of a request: the values of its `Authorization` headers, with the scheme `DPoP`, and
    /// of its `DPoP` headers. [`verify_dpop`](Self::verify_dpop) says what is checked.
    ///
    /// # Errors
    ///
    /// - [`RequestError::MissingCredentials`], [`RequestError::OtherScheme`], [`RequestError::SeveralCredentials`] or
    ///   [`RequestError::MalformedCredentials`] if there is not exactly one token of the scheme `DPoP`.
    /// - [`RequestError::Proof`] with [`ProofError::MissingProof`], [`ProofError::SeveralProofs`], or the errors of
    ///   [`verify_dpop`](Self::verify_dpop).
    ///
    /// [`DpopVerifier::challenge`] makes the HTTP answer from each of them.
    pub fn verify_request<T: DeserializeOwned>(
        &self,
        authorization: impl IntoIterator<Item: AsRef<[u8]>>,
        dpop: impl IntoIterator<Item: AsRef<[u8]>>,
        verifier: &DpopVerifier,
        request: &DpopRequest<'_>,
        now: UnixTime,
    ) -> Result<AccessToken<T>, RequestError> {
        let value = single(authorization)?;
        let token = parse(value.as_ref(), "DPoP")?;
        with_proof(dpop, |proof| self.verify_dpop(token, verifier, request, proof, now))
    }
}
