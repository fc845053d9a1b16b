//! ID tokens ([OpenID Connect Core 1.0 section 2](https://openid.net/specs/openid-connect-core-1_0.html#IDToken)).

use crate::algorithm::Algorithm;
use crate::base64url;
use crate::error::{PolicyError, VerifyError};
use crate::keyset::Keys;
use crate::profile::payload::{Picked, check};
use crate::time::UnixTime;
use crate::verifier::{Token, Verifier, VerifierBuilder};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256, Sha384, Sha512};

/// OpenID Connect Core 1.0 section 2.
const SUBJECT_BYTES: usize = 255;

/// The claims that this file reads.
const CLAIMS: &[&str] =
    &["acr", "at_hash", "auth_time", "azp", "c_hash", "events", "nonce", "scope", "scp", "token_use", "typ"];

/// Verifies the ID tokens of one client at one OpenID provider
/// ([OpenID Connect Core 1.0 section 3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation)).
///
/// In addition to what the [`Verifier`] checks, it checks:
///
/// - The header names the registered algorithm: RS256, unless [`algorithm`](Self::algorithm) sets another.
/// - `iss`, `sub`, `aud`, `exp` and `iat` are present. `sub` has at most 255 ASCII characters.
/// - `aud` has the client id, and no other audience that was not [trusted](Self::trust_audience).
/// - `azp`, if present, is the client id.
/// - What the client asked for and received: see [`Login`].
/// - The token is not of another kind: see [below](#security).
///
/// It does not check whether the token was used before. The nonce does this if the client forgets each nonce when it uses it.
///
/// # Security
///
/// Some providers sign access tokens with the same key, `iss`, `aud` and `typ` as ID tokens, so that only claims tell the two
/// apart. This profile accepts a token only if it has the `nonce` of the login or, after [`Login::without_nonce`], one of
/// `at_hash` and `c_hash`. It refuses a token with `scope`, `scp` or `events`, with a `token_use` other than `id`, or with a claim `typ`
/// other than `ID`. So an access token without a nonce is refused. Send a nonce with every login.
///
/// An HS256 key for ID tokens is the client secret as it is, not decoded. Each party that has the secret
/// can then write ID tokens, so tokens of an HMAC with several audiences are refused.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use countersign::profile::{IdTokenVerifier, Login};
/// use countersign::{Algorithm, Claims, HmacKey, SecretBytes, Verifier, VerifyError};
///
/// #[derive(serde::Deserialize)]
/// struct User { email: String }
///
/// // A client that is registered with HS256. With a JWK set, pass the keys of the set.
/// let key = HmacKey::hs256(&SecretBytes::from_bytes("the client secret of 32 bytes or more"))?;
/// let verifier = IdTokenVerifier::new(Verifier::builder(key.clone()).issuer("https://op.example"), "client-1")?
///     .algorithm(Algorithm::Hs256);
///
/// # let claims = serde_json::json!({"nonce": "n-0S6_WzA2Mj", "email": "ann@example.org"});
/// # let text = Claims::new(claims).issuer("https://op.example").audience("client-1").subject("ann")
/// #     .expires_in(Duration::from_secs(300)).sign(&key)?;
/// // The nonce that was sent with this login. Take it out of the user's session, so that it is used once.
/// let token = verifier.verify::<User>(&text, &Login::new("n-0S6_WzA2Mj"))?;
/// assert_eq!(token.claims().email, "ann@example.org");
///
/// let error = verifier.verify::<User>(&text, &Login::new("of another login")).unwrap_err();
/// assert_eq!(error, VerifyError::WrongClaim { claim: "nonce" });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct IdTokenVerifier {
    verifier: Verifier,
    client_id: Arc<str>,
    trusted: Vec<Box<str>>,
    algorithm: Algorithm,
    authorized_party: AuthorizedParty,
}

/// When a token must have `azp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AuthorizedParty {
    Never,
    WithSeveralAudiences,
}

impl IdTokenVerifier {
    /// Makes a verifier with this policy, which names the issuer, for the client of this id. The profile sets the audience and
    /// the accepted `typ`: `JWT` or none.
    ///
    /// [`VerifierBuilder::max_age`] limits the age of `iat`; [`Login::authenticated_within`] that of `auth_time`.
    ///
    /// # Errors
    ///
    /// As [`VerifierBuilder::build`], and [`PolicyError::Contradiction`] for a policy that sets an audience or a `typ` itself.
    pub fn new(policy: VerifierBuilder, client_id: impl Into<String>) -> Result<Self, PolicyError> {
        let client_id: String = client_id.into();
        policy.leaves_audience_to("IdTokenVerifier")?;
        policy.leaves_typ_to("IdTokenVerifier")?;
        let policy = ["iss", "sub", "iat", "exp"].into_iter().fold(policy, VerifierBuilder::require);
        Ok(Self {
            verifier: policy.audience(client_id.as_str()).build()?,
            client_id: client_id.into(),
            trusted: Vec::new(),
            algorithm: Algorithm::Rs256,
            authorized_party: AuthorizedParty::Never,
        })
    }

    /// Sets the algorithm that the client is registered with (`id_token_signed_response_alg`). The default is RS256.
    #[must_use]
    pub const fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// Accepts tokens that name this audience beside the client id. Call it again to trust another one as well.
    #[must_use]
    pub fn trust_audience(mut self, audience: impl Into<String>) -> Self {
        self.trusted.push(audience.into().into_boxed_str());
        self
    }

    /// Requires `azp` in tokens with several audiences, as section 3.1.3.7 (4) of OpenID Connect Core recommends.
    #[must_use]
    pub const fn require_authorized_party(mut self) -> Self {
        self.authorized_party = AuthorizedParty::WithSeveralAudiences;
        self
    }

    /// Returns a verifier with the same policy and other keys, as [`Verifier::with_keys`].
    #[must_use]
    pub fn with_keys(&self, keys: impl Into<Keys>) -> Self {
        Self { verifier: self.verifier.with_keys(keys), ..self.clone() }
    }

    /// Verifies the ID token of this login at the time of the wall clock.
    ///
    /// # Errors
    ///
    /// - The errors of [`Verifier::verify`].
    /// - [`VerifyError::WrongAlgorithm`].
    /// - [`VerifyError::WrongClaim`] for `acr`, `at_hash`, `auth_time`, `azp`, `c_hash`, `iss`, `nonce` or `sub`.
    /// - [`VerifyError::MissingClaim`] also for `nonce`, `at_hash`, `c_hash`, `auth_time` or `azp`.
    /// - [`VerifyError::MalformedClaim`] also for these.
    /// - [`VerifyError::UntrustedAudience`].
    /// - [`VerifyError::WrongKind`] for another kind of token.
    /// - [`VerifyError::AuthenticationTooOld`].
    /// - [`VerifyError::HashUndefined`] if a hash is to be checked for a signature by ML-DSA.
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub fn verify<T: DeserializeOwned>(
        &self,
        text: &str,
        login: &Login<'_>,
    ) -> Result<Token<T>, VerifyError> {
        self.verify_at(text, login, UnixTime::now())
    }

    /// Verifies the ID token of this login at the time `now`: for tests, and for platforms without a clock.
    ///
    /// # Errors
    ///
    /// As `verify`.
    pub fn verify_at<T: DeserializeOwned>(
        &self,
        text: &str,
        login: &Login<'_>,
        now: UnixTime,
    ) -> Result<Token<T>, VerifyError> {
        let token = self.verifier.at(now).verify::<T>(text)?;
        let found = Picked::of(token.payload(), CLAIMS);
        self.check_algorithm(&token)?;
        check("sub", token.subject(), |sub| sub.is_ascii() && sub.len() <= SUBJECT_BYTES)?;
        check_kind(&found)?;
        self.check_audience(&token)?;
        self.check_authorized_party(&token, &found)?;
        login.check_nonce(&found)?;
        login.check_previous(&token, &found)?;
        login.check_hashes(self.algorithm, &found)?;
        login.check_context(&found)?;
        login.check_authentication(&found, self.verifier.leeway(), now)?;
        Ok(token)
    }

    fn check_algorithm<T>(&self, token: &Token<T>) -> Result<(), VerifyError> {
        let (expected, token) = (self.algorithm, token.header().algorithm());
        if token == expected { Ok(()) } else { Err(VerifyError::WrongAlgorithm { expected, token }) }
    }

    /// The verifier accepts the client id among other audiences. They must be trusted too.
    fn check_audience<T>(&self, token: &Token<T>) -> Result<(), VerifyError> {
        let trusts =
            |name: &str| *name == *self.client_id || self.trusted.iter().any(|known| **known == *name);
        let shared_secret = self.algorithm.is_hmac() && token.audience().count() > 1;
        if shared_secret || !token.audience().all(trusts) {
            return Err(VerifyError::UntrustedAudience);
        }
        Ok(())
    }

    fn check_authorized_party<T>(&self, token: &Token<T>, found: &Picked<'_>) -> Result<(), VerifyError> {
        let azp = found.text("azp")?;
        let optional = self.authorized_party == AuthorizedParty::Never || token.audience().count() <= 1;
        if azp.is_none() && optional {
            return Ok(());
        }
        check("azp", azp.as_deref(), |azp| *azp == *self.client_id)
    }
}

/// Refuses claims that tokens of other kinds have.
fn check_kind(found: &Picked<'_>) -> Result<(), VerifyError> {
    for claim in ["events", "scope", "scp"] {
        if found.value(claim).is_some() {
            return Err(VerifyError::WrongKind { claim });
        }
    }
    // What Amazon Cognito and Keycloak write.
    for (claim, own) in [("token_use", "id"), ("typ", "ID")] {
        if found.text(claim)?.is_some_and(|kind| kind != own) {
            return Err(VerifyError::WrongKind { claim });
        }
    }
    Ok(())
}

/// What a client sent with a login and received beside the ID token, which the token must fit.
///
/// # Examples
///
/// The code flow, with the nonce and the `max_age` of the request, and the access token that came with the ID token:
///
/// ```
/// use core::time::Duration;
/// use countersign::profile::Login;
///
/// let login = Login::new("n-0S6_WzA2Mj")
///     .authenticated_within(Duration::from_secs(600))
///     .access_token("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y");
/// assert_eq!(format!("{login:?}"), "Login { .. }");
/// ```
#[derive(Clone)]
pub struct Login<'a> {
    nonce: Nonce<'a>,
    channel: Channel,
    access_token: Option<&'a str>,
    code: Option<&'a str>,
    context: Option<&'a [&'a str]>,
    age: Option<Duration>,
    previous: Option<Previous<'a>>,
}

#[derive(Clone, Copy)]
enum Nonce<'a> {
    Sent(&'a str),
    NotSent,
    /// Of the token that was refreshed.
    Former,
}

/// Where the ID token came from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Channel {
    TokenEndpoint,
    Browser,
}

/// An earlier ID token of the same user.
#[derive(Clone, Copy)]
struct Previous<'a> {
    issuer: Option<&'a str>,
    subject: Option<&'a str>,
    payload: &'a str,
}

impl<'a> Login<'a> {
    /// Starts with the `nonce` that the client sent. The token must have it.
    ///
    /// # Security
    ///
    /// Make the nonce from at least 16 random bytes, keep it in the user's session, and remove it there before you verify. Then
    /// an ID token is accepted once. An empty nonce never fits.
    #[must_use]
    pub const fn new(nonce: &'a str) -> Self {
        Self::of(Nonce::Sent(nonce))
    }

    /// Starts for a login without a `nonce`. The token must not have one, and must have `at_hash` or `c_hash`.
    ///
    /// # Security
    ///
    /// An ID token of another login of the same user is then accepted too. Prefer [`new`](Self::new).
    #[must_use]
    pub const fn without_nonce() -> Self {
        Self::of(Nonce::NotSent)
    }

    /// Starts for the ID token in the answer to a refresh. It must have the issuer and the subject of this earlier token of the
    /// login, and its `auth_time` and `nonce` if it has them
    /// ([section 12.2](https://openid.net/specs/openid-connect-core-1_0.html#RefreshTokenResponse)).
    ///
    /// # Security
    ///
    /// The token may be without `nonce` and `at_hash`, so that an access token may pass for it. Take it only from the token
    /// endpoint.
    #[must_use]
    pub fn refresh_of<T>(former: &'a Token<T>) -> Self {
        Self::of(Nonce::Former).same_user_as(former)
    }

    const fn of(nonce: Nonce<'a>) -> Self {
        Self {
            nonce,
            channel: Channel::TokenEndpoint,
            access_token: None,
            code: None,
            context: None,
            age: None,
            previous: None,
        }
    }

    /// Sets the access token that came with the ID token. `at_hash`, if present, must be its hash.
    #[must_use]
    pub const fn access_token(mut self, access_token: &'a str) -> Self {
        self.access_token = Some(access_token);
        self
    }

    /// Sets the code that came with the ID token. `c_hash`, if present, must be its hash.
    #[must_use]
    pub const fn code(mut self, code: &'a str) -> Self {
        self.code = Some(code);
        self
    }

    /// Says that the token came through the browser, in the implicit or the hybrid flow. The nonce is then required, `at_hash` if
    /// an [`access_token`](Self::access_token) came with the token, and `c_hash` if a [`code`](Self::code) did.
    #[must_use]
    pub const fn through_browser(mut self) -> Self {
        self.channel = Channel::Browser;
        self
    }

    /// Requires `iss` and `sub` of this other ID token. It is for the token of the token endpoint in the hybrid flow
    /// ([section 3.3.3.6](https://openid.net/specs/openid-connect-core-1_0.html#HybridIDToken2)).
    #[must_use]
    pub fn same_user_as<T>(mut self, other: &'a Token<T>) -> Self {
        let (issuer, subject) = (other.issuer(), other.subject());
        self.previous = Some(Previous { issuer, subject, payload: other.payload() });
        self
    }

    /// Requires `acr` to be one of these values, which the client asked for.
    #[must_use]
    pub const fn acr_values(mut self, values: &'a [&'a str]) -> Self {
        self.context = Some(values);
        self
    }

    /// Requires `auth_time`, and refuses a user who logged in longer ago than this plus the leeway. It is for a request with
    /// `max_age`, which may be 0. Fractions of a second are cut off.
    #[must_use]
    pub const fn authenticated_within(mut self, max_age: Duration) -> Self {
        self.age = Some(max_age);
        self
    }

    fn check_nonce(&self, found: &Picked<'_>) -> Result<(), VerifyError> {
        let nonce = found.text("nonce")?;
        match (self.nonce, nonce) {
            (Nonce::Sent(sent), nonce) => {
                check("nonce", nonce.as_deref(), |nonce| nonce == sent && !sent.is_empty())
            }
            (Nonce::NotSent, Some(_)) => Err(VerifyError::WrongClaim { claim: "nonce" }),
            (Nonce::NotSent, None) if self.channel == Channel::Browser => check("nonce", None, |_| false),
            (Nonce::NotSent, None) if found.value("c_hash").is_some() => Ok(()),
            // Without a nonce, a hash is what an access token does not have.
            (Nonce::NotSent, None) => check("at_hash", found.value("at_hash"), |_| true),
            (Nonce::Former, None) => Ok(()),
            (Nonce::Former, Some(nonce)) => {
                let former = self.previous.and_then(|former| former.claims().text("nonce").ok().flatten());
                check("nonce", Some(&nonce), |nonce| former.as_deref() == Some(nonce))
            }
        }
    }

    fn check_previous<T>(&self, token: &Token<T>, found: &Picked<'_>) -> Result<(), VerifyError> {
        let Some(previous) = self.previous else { return Ok(()) };
        check("iss", token.issuer(), |issuer| Some(issuer) == previous.issuer)?;
        check("sub", token.subject(), |subject| Some(subject) == previous.subject)?;
        let now = found.date("auth_time")?;
        let before = previous.claims().date("auth_time")?;
        match (self.nonce, before, now) {
            (Nonce::Former, Some(before), Some(now)) if before.rounded_down() != now.rounded_down() => {
                Err(VerifyError::WrongClaim { claim: "auth_time" })
            }
            _ => Ok(()),
        }
    }

    fn check_hashes(&self, algorithm: Algorithm, found: &Picked<'_>) -> Result<(), VerifyError> {
        for (claim, hashed) in [("at_hash", self.access_token), ("c_hash", self.code)] {
            let hash = found.text(claim)?;
            let Some(hashed) = hashed else { continue };
            if hash.is_none() && self.channel == Channel::TokenEndpoint {
                continue;
            }
            let expected = left_half(algorithm, hashed)?;
            check(claim, hash.as_deref(), |hash| hash == expected)?;
        }
        Ok(())
    }

    fn check_context(&self, found: &Picked<'_>) -> Result<(), VerifyError> {
        let acr = found.text("acr")?;
        let Some(values) = self.context else { return Ok(()) };
        check("acr", acr.as_deref(), |acr| values.contains(&acr))
    }

    fn check_authentication(
        &self,
        found: &Picked<'_>,
        leeway: Duration,
        now: UnixTime,
    ) -> Result<(), VerifyError> {
        let time = found.date("auth_time")?;
        let Some(max_age) = self.age else { return Ok(()) };
        let time = time.ok_or(VerifyError::MissingClaim { claim: "auth_time".into() })?;
        let authenticated_at = time.rounded_down();
        if authenticated_at < now.saturating_sub(max_age).saturating_sub(leeway) {
            return Err(VerifyError::AuthenticationTooOld { authenticated_at, max_age, now });
        }
        Ok(())
    }
}

impl<'a> Previous<'a> {
    fn claims(&self) -> Picked<'a> {
        Picked::of(self.payload, CLAIMS)
    }
}

/// Shows nothing, because codes and access tokens are secret.
impl fmt::Debug for Login<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").finish_non_exhaustive()
    }
}

/// Computes `at_hash` or `c_hash`: the left half of the hash that `algorithm` uses
/// ([section 3.1.3.6](https://openid.net/specs/openid-connect-core-1_0.html#CodeIDToken)).
fn left_half(algorithm: Algorithm, text: &str) -> Result<String, VerifyError> {
    use Algorithm::{
        Ed25519, Es256, Es256k, Es384, Es512, Hs256, Hs384, Hs512, MlDsa44, MlDsa65, MlDsa87, Ps256, Ps384,
        Ps512, Rs256, Rs384, Rs512,
    };
    let hash = match algorithm {
        Hs256 | Rs256 | Ps256 | Es256 | Es256k => Sha256::digest(text).to_vec(),
        Hs384 | Rs384 | Ps384 | Es384 => Sha384::digest(text).to_vec(),
        // Ed25519 hashes with SHA-512 (RFC 8032 section 5.1).
        Hs512 | Rs512 | Ps512 | Es512 | Ed25519 => Sha512::digest(text).to_vec(),
        MlDsa44 | MlDsa65 | MlDsa87 => return Err(VerifyError::HashUndefined { algorithm }),
    };
    let (left, _) = hash.split_at_checked(hash.len() / 2).unwrap_or_default();
    let mut text = Vec::new();
    base64url::encode_onto(&mut text, left);
    // base64url text is ASCII.
    Ok(String::from_utf8(text).unwrap_or_default())
}
