//! DPoP proofs ([RFC 9449](https://www.rfc-editor.org/rfc/rfc9449)): a client shows with each request that it has the key that
//! its access token is bound to.
//!
//! A proof brings its own key in the header parameter `jwk`. This is the only file that reads the parameter. The key proves
//! nothing alone: its thumbprint must be the one in the access token, or go into a new one.

use crate::algorithm::Algorithm;
use crate::base64url;
use crate::claims::Claims;
use crate::error::{KeyError, PolicyError, SignError, VerifyError};
use crate::header::Header;
use crate::json;
use crate::jwk::{Jwk, Thumbprint};
use crate::key::SigningKey;
use crate::key::entropy::Entropy;
#[cfg(all(
    feature = "getrandom",
    feature = "std",
    not(all(target_arch = "wasm32", target_os = "unknown"))
))]
use crate::key::entropy::SystemEntropy;
use crate::keyset::{KeyRef, KeySource};
use crate::limits::Limits;
use crate::profile::access_token::{AccessToken, AccessTokenVerifier};
use crate::profile::payload::Picked;
use crate::profile::replay::{ProofError, ReplayStore};
use crate::time::UnixTime;
use crate::verifier::{Token, Verifier, VerifierBuilder};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use fluent_uri::Uri;
use serde::Serialize;
use serde::de::{Deserialize, DeserializeOwned};
use sha2::{Digest, Sha256};

/// The `typ` of RFC 9449 section 4.2.
const TYP: &str = "dpop+jwt";
/// Section 11.1 wants seconds to minutes. Each proof is remembered for this long.
const DEFAULT_AGE: Duration = Duration::from_secs(60);
const MOST_AGE: Duration = Duration::from_secs(5 * 60);
/// The key of ML-DSA-87 has 2,592 bytes and its signature 4,627. No other proof is longer.
const LIMITS: Limits = Limits::new().with_token_bytes(16 * 1024).with_header_bytes(8 * 1024).with_members(64);

/// A request that a proof is for: the server checks proofs with it, and the client makes them.
///
/// # Examples
///
/// ```
/// # #[cfg(all(feature = "ecdsa", feature = "getrandom"))] {
/// use countersign::profile::{DpopRequest, DpopVerifier, MemoryReplayStore, ProofError};
/// use countersign::{Algorithm, PrivateKey, UnixTime};
///
/// // The client, which keeps one key.
/// let key = PrivateKey::generate(Algorithm::Es256)?.es256()?;
/// let request = DpopRequest::new("POST", "https://server.example/token")?;
/// let proof = request.sign(&key)?; // goes into the header `DPoP`
///
/// // The server. The method is that of the request, and the URI is its own, never from `Host`.
/// let verifier = DpopVerifier::new(&[Algorithm::Es256], MemoryReplayStore::new(100_000))?;
/// let thumbprint = verifier.verify(&request, &proof, UnixTime::now())?; // goes into `cnf.jkt` of the access token
///
/// assert_eq!(verifier.verify(&request, &proof, UnixTime::now()), Err(ProofError::Replayed));
/// let other = DpopRequest::new("GET", "https://server.example/token")?;
/// assert_eq!(verifier.verify(&other, &request.sign(&key)?, UnixTime::now()), Err(ProofError::WrongMethod));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct DpopRequest<'a> {
    method: &'a str,
    /// Normalised, without query and fragment.
    uri: String,
    access_token: Option<&'a str>,
    nonces: Vec<&'a str>,
}

impl<'a> DpopRequest<'a> {
    /// Describes a request by its method and its absolute URI. The query and the fragment are dropped, and the rest is
    /// normalised as RFC 3986 sections 6.2.2 and 6.2.3 say: the case of scheme and host, the default port, dot segments, percent
    /// encoding, and `/` for an empty path. The method is compared exactly.
    ///
    /// # Security
    ///
    /// On a server, take scheme and host from your configuration. A client chooses what is in `Host` and `X-Forwarded-Host`.
    ///
    /// # Errors
    ///
    /// [`ProofError::InvalidRequest`] for an empty method, and unless the URI is `http` or `https`, with a host and without a user.
    pub fn new(method: &'a str, uri: &str) -> Result<Self, ProofError> {
        let uri = normalised(uri).filter(|_| !method.is_empty()).ok_or(ProofError::InvalidRequest)?;
        Ok(Self { method, uri, access_token: None, nonces: Vec::new() })
    }

    /// Sets the access token of the request. The proof must have its hash (`ath`). For a request to the token endpoint, there is
    /// none.
    #[must_use]
    pub const fn access_token(mut self, access_token: &'a str) -> Self {
        self.access_token = Some(access_token);
        self
    }

    /// Adds a nonce that the server has given out in `DPoP-Nonce` and that has not expired. If there are any, the proof must have
    /// one of them. A client writes the one that was added last.
    #[must_use]
    pub fn nonce(mut self, nonce: &'a str) -> Self {
        self.nonces.push(nonce);
        self
    }

    /// Makes a proof for this request with a new `jti`, at the time of the wall clock.
    ///
    /// # Errors
    ///
    /// - [`SignError::SigningFailed`] for a key that does not have its public half: one made from
    ///   [`VerifyingKey::custom`](crate::VerifyingKey::custom).
    /// - [`SignError::Entropy`], and the errors of the key.
    #[cfg(all(
        feature = "getrandom",
        feature = "std",
        not(all(target_arch = "wasm32", target_os = "unknown"))
    ))]
    pub fn sign(&self, key: &SigningKey) -> Result<String, SignError> {
        self.sign_with(key, UnixTime::now(), &SystemEntropy)
    }

    /// Makes a proof at the time `now`, with a `jti` from this source of randomness.
    ///
    /// # Errors
    ///
    /// As `sign`.
    pub fn sign_with(
        &self,
        key: &SigningKey,
        now: UnixTime,
        entropy: &(impl Entropy + ?Sized),
    ) -> Result<String, SignError> {
        let public = key.verifying_key();
        let jwk = public.public_key().ok_or(SignError::SigningFailed)?.to_jwk();
        let jwk = jwk.map_err(|_| SignError::SigningFailed)?;
        // The members of a public key are texts.
        let jwk = json::read(&jwk, |reader| BTreeMap::<String, String>::deserialize(reader));
        let mut id = [0; 16];
        entropy.fill(&mut id)?;
        Claims::new(WrittenProof {
            htm: self.method,
            htu: &self.uri,
            ath: self.access_token.map(|token| encoded(&Sha256::digest(token))),
            nonce: self.nonces.last().copied(),
        })
        .typ(TYP)
        .jwt_id(encoded(&id))
        .issued_at(now)
        .never_expires()
        .header_parameter("jwk", &jwk.map_err(|_| SignError::Serialize)?)?
        .sign(key)
    }

    /// Checks the claims of a proof with a valid signature.
    fn check(&self, found: &Picked<'_>) -> Result<(), ProofError> {
        let text = |claim| found.text(claim).map_err(ProofError::Proof);
        if text("htm")?.as_deref() != Some(self.method) {
            return Err(ProofError::WrongMethod);
        }
        if text("htu")?.as_deref().and_then(normalised).as_deref() != Some(&*self.uri) {
            return Err(ProofError::WrongUri);
        }
        let hash = self.access_token.map(|token| encoded(&Sha256::digest(token)));
        let found_hash = text("ath")?;
        if hash.is_some() && found_hash.as_deref() != hash.as_deref() {
            return Err(ProofError::WrongAccessToken);
        }
        let nonce = text("nonce")?;
        let is_known = |nonce: &str| !nonce.is_empty() && self.nonces.contains(&nonce);
        if !self.nonces.is_empty() && !nonce.as_deref().is_some_and(is_known) {
            return Err(ProofError::WrongNonce);
        }
        Ok(())
    }
}

/// Shows no token and no nonce.
impl fmt::Debug for DpopRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, uri, .. } = self;
        f.debug_struct("DpopRequest").field("method", method).field("uri", uri).finish_non_exhaustive()
    }
}

/// The claims of a proof besides `jti` and `iat`.
#[derive(Serialize)]
struct WrittenProof<'a> {
    htm: &'a str,
    htu: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ath: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
}

/// Returns scheme, authority and path of an HTTP URI, so that equivalent URIs are equal.
fn normalised(uri: &str) -> Option<String> {
    let uri = Uri::parse(uri).ok()?.normalize();
    let scheme = uri.scheme().as_str();
    let authority = uri.authority()?;
    let path = uri.path().as_str();
    let is_http = matches!(scheme, "http" | "https");
    if !is_http || authority.has_userinfo() || authority.host().is_empty() {
        return None;
    }
    Some(format!("{scheme}://{}{}", authority.as_str(), if path.is_empty() { "/" } else { path }))
}

fn encoded(bytes: &[u8]) -> String {
    let mut text = Vec::new();
    base64url::encode_onto(&mut text, bytes);
    // base64url text is ASCII.
    String::from_utf8(text).unwrap_or_default()
}

/// Verifies DPoP proofs ([RFC 9449 section 4.3](https://www.rfc-editor.org/rfc/rfc9449#section-4.3)). Make it once.
///
/// It checks that the proof is a strict JWT of `typ` `dpop+jwt`, that its algorithm is one of the list, that it is signed with
/// the public key in its own `jwk`, that `htm`, `htu`, `ath` and `nonce` fit the [`DpopRequest`], that it was made in the last
/// minute, and that it was not used before. `kid`, `jku`, `x5u` and `x5c` choose nothing.
///
/// # Security
///
/// Anyone can make a proof with a new key. [`verify`](Self::verify) returns the thumbprint for the token endpoint, which writes
/// it into `cnf.jkt`. At a resource, use [`AccessTokenVerifier::verify_dpop`], which compares it with that of the token, before it looks at the store.
///
/// A proof is remembered after all other checks, so a refused proof changes nothing. A client that has a code or a bound access token
/// is known; any other sender can fill the store of a token endpoint with good proofs of new keys. So limit the requests of each
/// sender before you verify their proofs.
///
/// # Examples
///
/// See [`DpopRequest`].
#[derive(Clone)]
pub struct DpopVerifier {
    verifier: Verifier,
    algorithms: Arc<[Algorithm]>,
    max_age: Duration,
    replay: Arc<dyn ReplayStore>,
}

impl DpopVerifier {
    /// Makes a verifier for proofs of these algorithms, with a store for the proofs that were used. It verifies in Rust, not with a
    /// backend, so a proof of an algorithm that the enabled features lack is refused.
    ///
    /// # Errors
    ///
    /// - [`PolicyError::Empty`] for an empty list.
    /// - [`PolicyError::Contradiction`] for an HMAC, which has no public key.
    pub fn new(algorithms: &[Algorithm], replay: impl ReplayStore + 'static) -> Result<Self, PolicyError> {
        if algorithms.is_empty() {
            return Err(PolicyError::Empty { setting: "algorithms" });
        }
        if let Some(secret) = algorithms.iter().find(|algorithm| algorithm.is_hmac()) {
            return Err(PolicyError::Contradiction { first: secret.name(), second: "DpopVerifier" });
        }
        let algorithms: Arc<[Algorithm]> = algorithms.into();
        // A proof has no issuer, no audience and no expiry.
        let policy = Verifier::builder(OwnKey(algorithms.clone()))
            .typ(TYP)
            .accept_any_issuer()
            .accept_any_audience()
            .allow_missing_expiration()
            .max_age(MOST_AGE)
            .limits(LIMITS);
        let verifier = ["jti", "htm", "htu"].into_iter().fold(policy, VerifierBuilder::require).build()?;
        Ok(Self { verifier, algorithms, max_age: DEFAULT_AGE, replay: Arc::new(replay) })
    }

    /// Sets how long after its `iat` a proof is accepted, in whole seconds. The default is 60 seconds. Values above 5 minutes are
    /// clamped to it. Clocks may differ by 30 seconds more.
    ///
    /// # Security
    ///
    /// The store keeps a proof for as long as the verifier that it was shown to accepts it. So give the same value to all verifiers
    /// that share a store, also to clones and to other servers. Otherwise one of them forgets a proof that another still accepts.
    #[must_use]
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age.min(MOST_AGE);
        self
    }

    /// Verifies a proof for this request, and remembers it. Returns the thumbprint of its key.
    ///
    /// # Errors
    ///
    /// - [`ProofError::Proof`] with the [`VerifyError`] of the proof; [`VerifyError::InvalidHeader`] for a `jwk` that is missing,
    ///   private, symmetric, malformed or not for this algorithm; [`VerifyError::UnsupportedAlgorithm`] for an algorithm outside
    ///   the list; [`VerifyError::TooOld`] and [`VerifyError::IssuedInFuture`] outside the window.
    /// - [`ProofError::WrongMethod`], [`ProofError::WrongUri`], [`ProofError::WrongAccessToken`], [`ProofError::WrongNonce`].
    /// - [`ProofError::Replayed`], [`ProofError::StoreUnavailable`].
    pub fn verify(
        &self,
        request: &DpopRequest<'_>,
        proof: &str,
        now: UnixTime,
    ) -> Result<Thumbprint, ProofError> {
        let (token, thumbprint) = self.open(request, proof, now)?;
        self.remember(request, &token, &thumbprint, now)?;
        Ok(thumbprint)
    }

    /// Makes all checks but that for replay.
    fn open(
        &self,
        request: &DpopRequest<'_>,
        proof: &str,
        now: UnixTime,
    ) -> Result<(Token<()>, Thumbprint), ProofError> {
        let token = self.verifier.at(now).verify::<()>(proof).map_err(ProofError::Proof)?;
        self.check_age(&token, now).map_err(ProofError::Proof)?;
        request.check(&Picked::of(token.payload(), &["ath", "htm", "htu", "nonce"]))?;
        let thumbprint = with_key_of(&token.header(), |jwk| jwk.thumbprint()).map_err(ProofError::Proof)?;
        Ok((token, thumbprint))
    }

    /// The verifier has checked that there is an `iat`.
    fn check_age(&self, token: &Token<()>, now: UnixTime) -> Result<(), VerifyError> {
        let (issued_at, max_age) = (token.issued_at().unwrap_or(now), self.max_age);
        let oldest = now.saturating_sub(max_age).saturating_sub(self.verifier.leeway());
        if issued_at < oldest { Err(VerifyError::TooOld { issued_at, max_age, now }) } else { Ok(()) }
    }

    /// Notes the use of a proof. The key is a part of the id, so that a proof of another client with the same `jti` blocks
    /// nothing.
    fn remember(
        &self,
        request: &DpopRequest<'_>,
        token: &Token<()>,
        thumbprint: &Thumbprint,
        now: UnixTime,
    ) -> Result<(), ProofError> {
        let id = Sha256::new()
            .chain_update(thumbprint.as_bytes())
            .chain_update(Sha256::digest(&request.uri))
            .chain_update(token.jwt_id().unwrap_or_default())
            .finalize();
        let until = token.issued_at().unwrap_or(now).saturating_add(self.max_age);
        let until = until.saturating_add(self.verifier.leeway());
        if self.replay.first_use(&id, until, now)? { Ok(()) } else { Err(ProofError::Replayed) }
    }

    /// Returns the accepted algorithms, for `algs` in a challenge and for the metadata of the server.
    pub fn algorithms(&self) -> impl Iterator<Item = Algorithm> {
        self.algorithms.iter().copied()
    }
}

impl fmt::Debug for DpopVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DpopVerifier").field("algorithms", &self.algorithms).finish_non_exhaustive()
    }
}

/// Finds the key of a proof in the proof.
struct OwnKey(Arc<[Algorithm]>);

impl KeySource for OwnKey {
    fn find(&self, header: &Header<'_>) -> Result<KeyRef<'_>, VerifyError> {
        let algorithm = header.algorithm();
        if !self.0.contains(&algorithm) {
            return Err(VerifyError::UnsupportedAlgorithm);
        }
        with_key_of(header, |jwk| {
            jwk.check_purpose(algorithm, &["verify"])?;
            // Not under its `kid`, which chooses nothing.
            jwk.public_key()?.verifying_key(algorithm).map(KeyRef::from)
        })
    }
}

/// Reads the header parameter `jwk`.
fn with_key_of<T>(
    header: &Header<'_>,
    read: impl FnOnce(&Jwk<'_>) -> Result<T, KeyError>,
) -> Result<T, VerifyError> {
    let refused = VerifyError::InvalidHeader { name: "jwk" };
    let Some(jwk) = Picked::of(header.json(), &["jwk"]).value("jwk") else { return Err(refused) };
    Jwk::parse(jwk).and_then(|jwk| read(&jwk)).map_err(|_| refused)
}

impl AccessTokenVerifier {
    /// Verifies an access token of the scheme `DPoP` with its proof
    /// ([RFC 9449 section 7.1](https://www.rfc-editor.org/rfc/rfc9449#section-7.1)). The token must be bound to the key of the
    /// proof (`cnf.jkt`), and the proof must be for this request and this token.
    ///
    /// # Errors
    ///
    /// - [`ProofError::Token`] for the token, with the errors of [`verify_at`](Self::verify_at).
    /// - [`ProofError::UnboundToken`] for a token without `cnf.jkt`, [`ProofError::WrongKey`] for one that is bound to another key.
    /// - The errors of [`DpopVerifier::verify`] for the proof.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(all(feature = "ecdsa", feature = "getrandom"))] {
    /// use core::time::Duration;
    /// use countersign::profile::{AccessTokenVerifier, DpopRequest, DpopVerifier, MemoryReplayStore};
    /// use countersign::{Algorithm, Claims, HmacKey, PrivateKey, SecretBytes, UnixTime, Verifier};
    ///
    /// # let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
    /// # let client = PrivateKey::generate(Algorithm::Es256)?;
    /// # let claims = serde_json::json!({"client_id": "client-1", "cnf": {"jkt": client.public_key()?.thumbprint()?.to_string()}});
    /// # let access_token = Claims::new(claims).typ("at+jwt").issuer("https://auth.example").audience("https://api.example")
    /// #     .subject("ann").jwt_id("1").expires_in(Duration::from_secs(300)).sign(&key)?;
    /// # let client = client.es256()?;
    /// // The client.
    /// let request = DpopRequest::new("GET", "https://api.example/orders")?;
    /// let proof = request.clone().access_token(&access_token).sign(&client)?;
    ///
    /// // The server.
    /// let policy = Verifier::builder(key).issuer("https://auth.example").audience("https://api.example");
    /// let verifier = AccessTokenVerifier::new(policy)?;
    /// let dpop = DpopVerifier::new(&[Algorithm::Es256], MemoryReplayStore::new(100_000))?;
    /// let access = verifier.verify_dpop::<()>(&access_token, &dpop, &request, &proof, UnixTime::now())?;
    /// assert_eq!(access.token().subject(), Some("ann"));
    /// // Without a proof, the token is refused.
    /// assert!(verifier.verify::<()>(&access_token).is_err());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn verify_dpop<T: DeserializeOwned>(
        &self,
        text: &str,
        dpop: &DpopVerifier,
        request: &DpopRequest<'_>,
        proof: &str,
        now: UnixTime,
    ) -> Result<AccessToken<T>, ProofError> {
        let (access, bound_to) = self.open::<T>(text, now).map_err(ProofError::Token)?;
        let bound_to = bound_to.ok_or(ProofError::UnboundToken)?;
        let request = DpopRequest { access_token: Some(text), ..request.clone() };
        let (proof, thumbprint) = dpop.open(&request, proof, now)?;
        if bound_to.parse().ok() != Some(thumbprint) {
            return Err(ProofError::WrongKey);
        }
        dpop.remember(&request, &proof, &thumbprint, now)?;
        Ok(access)
    }
}
