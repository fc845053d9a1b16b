//! Recipes for kinds of tokens that have no type of their own: the code of `src/manual/profiles.md`, and the requirements on it.
#![cfg(feature = "std")]
#![allow(clippy::needless_pass_by_value, reason = "a caller passes json!(..) as it is")]

mod util;

use core::time::Duration;
use countersign::http::{Challenge, NO_STORE, Scope};
use countersign::profile::{
    AccessToken, AccessTokenVerifier, IdTokenVerifier, Login, MemoryReplayStore, ProofError, ReplayStore,
};
use countersign::{
    Algorithm, Claims, Keys, PolicyError, SignError, SignKey, Token, UnixTime, Verifier, VerifierBuilder,
    VerifyError,
};
use serde::de::{Deserializer, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::error::Error;
use util::{NOW, changed, key, later, parts_shown, signed, signed_with};

// ---- the code of the page ----

/// What the server keeps for a browser.
struct Browser {
    nonce: Option<String>,
}

fn provider(keys: impl Into<Keys>) -> Result<IdTokenVerifier, Box<dyn Error>> {
    let policy = Verifier::builder(keys).issuer("https://op.example");
    Ok(IdTokenVerifier::new(policy, "client-1")?.algorithm(Algorithm::Hs256))
}

fn log_in(
    verifier: &IdTokenVerifier,
    browser: &mut Browser,
    id_token: &str,
    access_token: &str,
    now: UnixTime,
) -> Result<Token<()>, Box<dyn Error>> {
    let nonce = browser.nonce.take().ok_or("no login was started in this browser")?;
    Ok(verifier.verify_at(id_token, &Login::new(&nonce).access_token(access_token), now)?)
}

fn api(keys: impl Into<Keys>) -> Result<AccessTokenVerifier, Box<dyn Error>> {
    let policy = Verifier::builder(keys).issuer("https://auth.example").audience("https://api.example");
    Ok(AccessTokenVerifier::new(policy)?)
}

/// Refuses a request with a token that lacks this scope, with a 403.
fn require(access: &AccessToken<()>, scope: &Scope) -> Result<(), Challenge> {
    if access.has_scope(&scope.to_string()) { Ok(()) } else { Err(Challenge::insufficient_scope(scope)) }
}

const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
const LOGOUT_AGE: Duration = Duration::from_secs(120);

#[derive(Deserialize)]
struct Logout {
    sid: Option<String>,
    events: Map<String, Value>,
    /// Whether there is a `nonce`, also `null`.
    #[serde(default, rename = "nonce", deserialize_with = "is_present")]
    has_nonce: bool,
}

fn is_present<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(value).map(|_| true)
}

fn logout_verifier(keys: impl Into<Keys>) -> Result<Verifier, PolicyError> {
    let policy = Verifier::builder(keys)
        .issuer("https://op.example")
        .audience("client-1")
        .accept_any_typ() // `is_logout` checks it
        .max_age(LOGOUT_AGE);
    ["iat", "exp", "jti"].into_iter().fold(policy, VerifierBuilder::require).build()
}

fn is_logout(token: &Token<Logout>) -> bool {
    // To demand the typed form, call `typ("logout+jwt")` in place of `accept_any_typ`.
    let typ_fits = token.header().typ().is_none_or(|typ| typ.eq_ignore_ascii_case("logout+jwt"));
    let claims = token.claims();
    let event = claims.events.get(LOGOUT_EVENT).is_some_and(Value::is_object);
    let names_someone = token.subject().is_some() || claims.sid.is_some();
    typ_fits && event && names_someone && !claims.has_nonce
}

fn log_out(
    verifier: &Verifier,
    seen: &impl ReplayStore,
    logout_token: &str,
    now: UnixTime,
) -> Result<Token<Logout>, Box<dyn Error>> {
    let token = verifier.at(now).verify::<Logout>(logout_token)?;
    if !is_logout(&token) {
        return Err("not a logout token".into());
    }
    let id = format!("logout {:?} {:?}", token.issuer(), token.jwt_id());
    // Later, the verifier refuses it for its age.
    let until = token.issued_at().unwrap_or(now).saturating_add(LOGOUT_AGE).saturating_add(verifier.leeway());
    if seen.first_use(id.as_bytes(), until, now)? { Ok(token) } else { Err("used before".into()) }
}

/// The status and the header of the answer.
fn logout_answer(ended: &Result<Token<Logout>, Box<dyn Error>>) -> (u16, (&'static str, &'static str)) {
    (if ended.is_ok() { 200 } else { 400 }, ("Cache-Control", NO_STORE))
}

fn logout_token(key: &impl SignKey, sid: &str, jti: &str, now: UnixTime) -> Result<String, SignError> {
    #[derive(Serialize)]
    struct Body<'a> {
        sid: &'a str,
        events: Value,
    }
    Claims::new(Body { sid, events: json!({ LOGOUT_EVENT: {} }) })
        .typ("logout+jwt")
        .issuer("https://op.example")
        .audience("client-1")
        .jwt_id(jti)
        .issued_at(now)
        .expires_in(Duration::from_secs(120))
        .sign(key)
}

fn client_assertion(
    key: &impl SignKey,
    client_id: &str,
    issuer: &str,
    jti: &str,
    now: UnixTime,
) -> Result<String, SignError> {
    Claims::registered()
        .typ("client-authentication+jwt")
        .issuer(client_id)
        .subject(client_id)
        .audience(issuer)
        .jwt_id(jti)
        .issued_at(now)
        .expires_in(Duration::from_secs(60))
        .sign(key)
}

/// For one client, with the keys that are registered for it. The audience is the issuer, not the token endpoint.
fn assertion_policy(keys: impl Into<Keys>, client_id: &str) -> VerifierBuilder {
    Verifier::builder(keys)
        .issuer(client_id)
        .subject(client_id)
        .audience("https://auth.example")
        .accept_any_typ() // `authenticate` checks it
        .require("jti")
}

/// For clients that still name the token endpoint. Leave it out if you can.
fn legacy_assertion_policy(keys: impl Into<Keys>, client_id: &str) -> VerifierBuilder {
    assertion_policy(keys, client_id).audience("https://auth.example/token")
}

fn authenticate(
    verifier: &Verifier,
    seen: &impl ReplayStore,
    assertion: &str,
    now: UnixTime,
) -> Result<Token<()>, Box<dyn Error>> {
    let token = verifier.at(now).verify::<()>(assertion)?;
    // To demand the typed form, call `typ("client-authentication+jwt")` in place of `accept_any_typ`.
    let typ = token.header().typ().unwrap_or("JWT");
    if !["client-authentication+jwt", "JWT"].iter().any(|known| typ.eq_ignore_ascii_case(known)) {
        return Err("not a client assertion".into());
    }
    if token.audience().count() != 1 {
        return Err("meant for others too".into());
    }
    let latest = now.saturating_add(Duration::from_secs(300));
    let expires = token.expires_at().filter(|expires| *expires <= latest).ok_or("lives too long")?;
    let id = format!("assertion {:?} {:?}", token.issuer(), token.jwt_id());
    let until = expires.saturating_add(verifier.leeway());
    if seen.first_use(id.as_bytes(), until, now)? { Ok(token) } else { Err("used before".into()) }
}

/// Texts from `SystemEntropy`, which the server replaces every few minutes.
struct Nonces {
    current: String,
    former: String,
}

/// The answer of a token endpoint to a refused proof: status, headers, body.
fn refused_proof(error: &ProofError, nonces: &Nonces) -> (u16, [(&'static str, String); 2], String) {
    let status = if *error == ProofError::StoreUnavailable { 503 } else { 400 };
    let headers = [("Cache-Control", NO_STORE.into()), ("DPoP-Nonce", nonces.current.clone())];
    (status, headers, format!(r#"{{"error":"{}"}}"#, error.oauth_error()))
}

// ---- the page ----

/// Each part of the code of the page is in this file, so the tests here are tests of the page.
#[test]
fn the_page_shows_the_code_of_these_tests() {
    let page = include_str!("../src/manual/profiles.md");
    let here = include_str!("profiles.rs");
    let shown = parts_shown(page, here);
    assert!(shown > 15, "{shown}");
}

// ---- logging in ----

#[test]
fn s221_a_second_use_of_an_id_token_finds_no_nonce() {
    let claims = json!({
        "iss": "https://op.example", "sub": "ann", "aud": "client-1", "iat": NOW.as_secs(),
        "exp": NOW.as_secs() + 300, "nonce": "n-0S6_WzA2Mj",
    });
    let text = signed(r#"{"alg":"HS256"}"#, claims.to_string());
    let verifier = provider(key()).unwrap();
    let mut browser = Browser { nonce: Some("n-0S6_WzA2Mj".into()) };
    assert_eq!(log_in(&verifier, &mut browser, &text, "a", NOW).unwrap().subject(), Some("ann"));
    assert!(log_in(&verifier, &mut browser, &text, "a", NOW).is_err());
    // A login that fails uses its nonce up.
    let mut browser = Browser { nonce: Some("another".into()) };
    assert!(log_in(&verifier, &mut browser, &text, "a", NOW).is_err());
    assert!(browser.nonce.is_none());
}

#[test]
fn a_missing_scope_is_a_403() {
    let claims = json!({
        "iss": "https://auth.example", "sub": "ann", "aud": "https://api.example", "iat": NOW.as_secs(),
        "exp": NOW.as_secs() + 300, "client_id": "c", "jti": "1", "scope": "orders:read",
    });
    let text = signed(r#"{"alg":"HS256","typ":"at+jwt"}"#, claims.to_string());
    let access = api(key()).unwrap().verify_at::<()>(&text, NOW).unwrap();
    assert!(require(&access, &Scope::new("orders:read").unwrap()).is_ok());
    assert_eq!(require(&access, &Scope::new("orders").unwrap()).unwrap_err().status(), 403);
}

// ---- logout tokens ----

fn logout_claims(changes: Value) -> String {
    let claims = json!({
        "iss": "https://op.example", "sub": "ann", "aud": "client-1", "iat": NOW.as_secs(),
        "exp": NOW.as_secs() + 120, "jti": "1", "events": {LOGOUT_EVENT: {}},
    });
    changed(&claims, changes).to_string()
}

fn typed(typ: &str, claims: &str) -> String {
    signed(format!(r#"{{"alg":"HS256","typ":"{typ}"}}"#), claims)
}

/// Logs out with an empty store.
fn ended(text: &str) -> Result<Token<Logout>, Box<dyn Error>> {
    log_out(&logout_verifier(key()).unwrap(), &MemoryReplayStore::new(10), text, NOW)
}

fn ends(changes: Value) -> bool {
    ended(&typed("logout+jwt", &logout_claims(changes))).is_ok()
}

#[test]
fn s231_a_logout_token_has_the_event_as_an_object_and_no_nonce() {
    assert!(ends(json!({})));
    assert!(ends(json!({"events": {LOGOUT_EVENT: {"more": 1}, "https://other.example": 7}})));
    for events in [
        Value::Null,
        json!({}),
        json!([{}]),
        json!(LOGOUT_EVENT),
        json!({LOGOUT_EVENT: null}),
        json!({LOGOUT_EVENT: []}),
        json!({LOGOUT_EVENT: "{}"}),
        json!({LOGOUT_EVENT: true}),
        json!({"http://schemas.openid.net/event/Backchannel-logout": {}}),
    ] {
        assert!(!ends(json!({ "events": events })), "{events}");
    }
    assert!(!ends(json!({"nonce": "n"})));
    let null = logout_claims(json!({})).replace("\"jti\"", "\"nonce\":null,\"jti\"");
    assert!(ended(&typed("logout+jwt", &null)).is_err());
}

#[test]
fn s232_a_logout_token_has_its_claims_and_is_used_once() {
    for claim in ["iss", "aud", "iat", "exp", "jti"] {
        let text = typed("logout+jwt", &logout_claims(json!({ claim: null })));
        let error = ended(&text).err().unwrap();
        let error = error.downcast_ref::<VerifyError>().unwrap();
        assert_eq!(*error, VerifyError::MissingClaim { claim: claim.into() });
    }
    assert!(!ends(json!({"sub": null})));
    assert!(ends(json!({"sub": null, "sid": "s-1"})));
    assert!(!ends(json!({"sub": null, "sid": 7})));
    let unsigned = format!(
        "{}.{}.",
        util::b64(r#"{"alg":"none","typ":"logout+jwt"}"#),
        util::b64(logout_claims(json!({})))
    );
    assert!(ended(&unsigned).is_err());

    let (verifier, seen) = (logout_verifier(key()).unwrap(), MemoryReplayStore::new(10));
    let text = typed("logout+jwt", &logout_claims(json!({})));
    assert!(log_out(&verifier, &seen, &text, NOW).is_ok());
    // For as long as it is valid.
    assert!(log_out(&verifier, &seen, &text, later(149)).is_err());
    let error = log_out(&verifier, &seen, &text, later(151)).err().unwrap();
    assert!(matches!(error.downcast_ref::<VerifyError>(), Some(VerifyError::Expired { .. })));
    let other = typed("logout+jwt", &logout_claims(json!({"jti": "2"})));
    assert!(log_out(&verifier, &seen, &other, NOW).is_ok());
}

#[test]
fn s233_a_logout_token_is_typed_or_has_no_type_and_is_written_with_its_type() {
    let claims = logout_claims(json!({}));
    assert!(ended(&typed("LOGOUT+jwt", &claims)).is_ok());
    assert!(ended(&signed(r#"{"alg":"HS256"}"#, &claims)).is_ok());
    for typ in ["at+jwt", "dpop+jwt", "secevent+jwt", "JWT", ""] {
        assert!(ended(&typed(typ, &claims)).is_err(), "{typ}");
    }
    let written = logout_token(&key(), "s-1", "1", NOW).unwrap();
    // A client that demands the typed form.
    let strict = Verifier::builder(key()).issuer("https://op.example").audience("client-1").typ("logout+jwt");
    let strict = strict.build().unwrap();
    let log_out = |text: &str| log_out(&strict, &MemoryReplayStore::new(10), text, NOW);
    assert!(log_out(&written).is_ok());
    let error = log_out(&signed(r#"{"alg":"HS256"}"#, &claims)).err().unwrap();
    assert!(matches!(error.downcast_ref::<VerifyError>(), Some(VerifyError::WrongType { .. })));
    let token = ended(&written).unwrap();
    assert_eq!((token.header().typ(), token.claims().sid.as_deref()), (Some("logout+jwt"), Some("s-1")));
    // It is neither an ID token nor an access token.
    let id = IdTokenVerifier::new(Verifier::builder(key()).issuer("https://op.example"), "client-1").unwrap();
    let id = id.algorithm(Algorithm::Hs256);
    assert!(id.verify_at::<()>(&written, &Login::without_nonce(), NOW).is_err());
    let untyped = signed(r#"{"alg":"HS256"}"#, &claims);
    let error = id.verify_at::<()>(&untyped, &Login::without_nonce(), NOW).unwrap_err();
    assert_eq!(error, VerifyError::WrongKind { claim: "events" });
}

#[test]
fn s234_a_bad_logout_request_is_a_400_and_no_answer_is_stored() {
    let no_store = ("Cache-Control", "no-store");
    assert_eq!(logout_answer(&ended(&logout_token(&key(), "s-1", "1", NOW).unwrap())), (200, no_store));
    assert_eq!(logout_answer(&ended("a.b.c")), (400, no_store));
}

// ---- client assertions ----

fn assertion_claims(changes: Value) -> String {
    let claims = json!({
        "iss": "client-1", "sub": "client-1", "aud": "https://auth.example", "exp": NOW.as_secs() + 60, "jti": "1",
    });
    changed(&claims, changes).to_string()
}

fn authenticated(typ: &str, claims: &str) -> Result<Token<()>, Box<dyn Error>> {
    let verifier = assertion_policy(key(), "client-1").build().unwrap();
    authenticate(&verifier, &MemoryReplayStore::new(10), &typed(typ, claims), NOW)
}

#[test]
fn s254_an_assertion_names_the_client_twice_and_is_short_lived_and_used_once() {
    let is_accepted = |changes| authenticated("JWT", &assertion_claims(changes)).is_ok();
    assert!(is_accepted(json!({})));
    for claim in ["iss", "sub", "aud", "exp", "jti"] {
        assert!(!is_accepted(json!({ claim: null })), "{claim}");
    }
    for changes in [
        json!({"iss": "client-2"}),
        json!({"sub": "client-2"}),
        json!({"iss": "client-2", "sub": "client-2"}),
    ] {
        assert!(!is_accepted(changes));
    }
    assert!(is_accepted(json!({"exp": NOW.as_secs() + 300})));
    assert!(!is_accepted(json!({"exp": NOW.as_secs() + 301})));
    assert!(!is_accepted(json!({"exp": NOW.as_secs() - 30})));

    let verifier = assertion_policy(key(), "client-1").build().unwrap();
    let seen = MemoryReplayStore::new(10);
    let text = client_assertion(&key(), "client-1", "https://auth.example", "1", NOW).unwrap();
    assert!(authenticate(&verifier, &seen, &text, NOW).is_ok());
    assert!(authenticate(&verifier, &seen, &text, later(89)).is_err());
    let forged = signed_with(&util::other_key(), r#"{"alg":"HS256"}"#, assertion_claims(json!({})));
    assert!(authenticate(&verifier, &seen, &forged, NOW).is_err());
}

/// `private_key_jwt`: the client has registered its JWK set.
#[cfg(all(feature = "ecdsa", feature = "ed25519"))]
#[test]
fn s254_an_assertion_by_a_registered_key_pair_is_accepted_and_one_by_another_client_is_not() {
    use countersign::{KeySet, PrivateKey};
    let own = PrivateKey::from_pem(include_str!("data/p256.pem")).unwrap().es256().unwrap();
    let own = own.with_key_id("2026").unwrap();
    let other = PrivateKey::from_pem(include_str!("data/ed25519.pem")).unwrap().ed25519().unwrap();
    let mut jwk: Value =
        serde_json::from_str(&own.verifying_key().public_key().unwrap().to_jwk().unwrap()).unwrap();
    jwk["kid"] = json!("2026");
    let set = json!({ "keys": [jwk] });
    let keys = KeySet::from_jwks(&set.to_string(), &[Algorithm::Es256, Algorithm::Ed25519]).unwrap().keys;
    let verifier = assertion_policy(keys, "client-1").build().unwrap();
    let seen = MemoryReplayStore::new(10);

    let text = client_assertion(&own, "client-1", "https://auth.example", "1", NOW).unwrap();
    assert!(authenticate(&verifier, &seen, &text, NOW).is_ok());
    assert!(authenticate(&verifier, &seen, &text, NOW).is_err());
    for other in [other.clone(), other.with_key_id("2026").unwrap()] {
        let text = client_assertion(&other, "client-1", "https://auth.example", "2", NOW).unwrap();
        assert!(authenticate(&verifier, &seen, &text, NOW).is_err());
    }
    // Its key, with the name of another client.
    let text = client_assertion(&own, "client-2", "https://auth.example", "3", NOW).unwrap();
    assert!(authenticate(&verifier, &seen, &text, NOW).is_err());
    // An HMAC with the public key as the secret.
    let secret = countersign::SecretBytes::from_bytes(set["keys"][0]["x"].as_str().unwrap());
    let secret = countersign::HmacKey::hs256(&secret).unwrap();
    let text = client_assertion(&secret, "client-1", "https://auth.example", "4", NOW).unwrap();
    assert!(authenticate(&verifier, &seen, &text, NOW).is_err());
}

#[test]
fn s255_the_audience_is_the_issuer_alone() {
    let is_accepted = |aud: Value| authenticated("JWT", &assertion_claims(json!({ "aud": aud }))).is_ok();
    assert!(is_accepted(json!("https://auth.example")));
    assert!(is_accepted(json!(["https://auth.example"])));
    for aud in [
        json!(["https://auth.example", "https://other.example"]),
        json!(["https://auth.example", "https://auth.example/token"]),
        json!("https://auth.example/token"),
        json!("https://auth.example/"),
        json!([]),
    ] {
        assert!(!is_accepted(aud));
    }
    let legacy = legacy_assertion_policy(key(), "client-1").build().unwrap();
    let text = typed("JWT", &assertion_claims(json!({"aud": "https://auth.example/token"})));
    assert!(authenticate(&legacy, &MemoryReplayStore::new(10), &text, NOW).is_ok());
}

#[test]
fn s256_an_assertion_is_typed_or_an_ordinary_jwt_and_is_written_with_its_type() {
    for typ in ["client-authentication+jwt", "JWT", "jwt"] {
        assert!(authenticated(typ, &assertion_claims(json!({}))).is_ok(), "{typ}");
    }
    for typ in ["at+jwt", "logout+jwt", "dpop+jwt", "token-introspection+jwt", ""] {
        assert!(authenticated(typ, &assertion_claims(json!({}))).is_err(), "{typ}");
    }
    let verifier = assertion_policy(key(), "client-1").build().unwrap();
    let untyped = signed(r#"{"alg":"HS256"}"#, assertion_claims(json!({})));
    assert!(authenticate(&verifier, &MemoryReplayStore::new(10), &untyped, NOW).is_ok());
    let text = client_assertion(&key(), "client-1", "https://auth.example", "1", NOW).unwrap();
    let token = authenticate(&verifier, &MemoryReplayStore::new(10), &text, NOW).unwrap();
    assert_eq!(token.header().typ(), Some("client-authentication+jwt"));
    // A server that demands the typed form.
    let strict =
        Verifier::builder(key()).issuer("client-1").subject("client-1").audience("https://auth.example");
    let strict = strict.typ("client-authentication+jwt").require("jti").build().unwrap();
    assert!(authenticate(&strict, &MemoryReplayStore::new(10), &text, NOW).is_ok());
    for other in [untyped, typed("JWT", &assertion_claims(json!({})))] {
        let error = authenticate(&strict, &MemoryReplayStore::new(10), &other, NOW).err().unwrap();
        assert!(matches!(error.downcast_ref::<VerifyError>(), Some(VerifyError::WrongType { .. })));
    }
}

// ---- proofs ----

#[test]
fn s248_a_token_endpoint_answers_a_wrong_nonce_with_a_400_and_one_new_nonce() {
    let nonces = Nonces { current: "now".into(), former: "before".into() };
    assert_ne!(nonces.current, nonces.former);
    let (status, headers, body) = refused_proof(&ProofError::WrongNonce, &nonces);
    assert_eq!((status, &*body), (400, r#"{"error":"use_dpop_nonce"}"#));
    assert_eq!(headers, [("Cache-Control", "no-store".into()), ("DPoP-Nonce", "now".into())]);
    assert_eq!(refused_proof(&ProofError::WrongUri, &nonces).2, r#"{"error":"invalid_dpop_proof"}"#);
    assert_eq!(refused_proof(&ProofError::StoreUnavailable, &nonces).0, 503);
}
