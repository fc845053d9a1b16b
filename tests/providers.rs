//! Identity providers: the verifiers of `src/manual/providers.md`, with sets and tokens in the form of each provider, and what
//! is peculiar to each. The keys are ours, and the time is fixed.
#![cfg(all(feature = "ecdsa", feature = "ed25519", feature = "getrandom", feature = "rsa"))]
#![allow(clippy::needless_pass_by_value, reason = "a caller passes json!(..) as it is")]
#![allow(unexpected_cfgs, reason = "tests/unification, which runs it too, has no feature ml-dsa")]

mod util;

use countersign::jwk::{JwkError, LoadedKeys};
use countersign::{
    Algorithm, HmacKey, KeyError, KeySet, PrivateKey, PublicKey, SecretBytes, SignKey, SigningKey, Verifier,
    VerifyError,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::error::Error;
use util::{
    NOW, RSA_PRIVATE, RSA_PUBLIC, assert_accepted, b64, b64_standard, changed, hmac_sha256, later,
    parts_shown, refusal, signed_with,
};

// ---- the verifiers of the page ----

fn google(jwks: &str) -> Result<Verifier, Box<dyn Error>> {
    let keys = KeySet::from_jwks(jwks, &[Algorithm::Rs256])?.keys;
    let verifier = Verifier::builder(keys)
        .issuer("https://accounts.google.com")
        .issuer("accounts.google.com")
        .audience("1234-example.apps.googleusercontent.com")
        .build()?;
    Ok(verifier)
}

#[cfg(feature = "certificate")]
fn firebase(certificates: &str) -> Result<Verifier, Box<dyn Error>> {
    let keys = KeySet::from_certificate_map(certificates, &[Algorithm::Rs256])?.keys;
    let verifier = Verifier::builder(keys)
        .issuer("https://securetoken.google.com/my-project")
        .audience("my-project")
        .require("sub")
        .build()?;
    Ok(verifier)
}

fn entra(jwks: &str) -> Result<Verifier, Box<dyn Error>> {
    let keys = KeySet::from_jwks(jwks, &[Algorithm::Rs256])?.keys;
    let verifier = Verifier::builder(keys)
        .issuer("https://login.microsoftonline.com/a3c4b1de-0000-4000-8000-000000000001/v2.0")
        .audience("6e74172b-0000-4000-8000-00000000000a")
        .build()?;
    Ok(verifier)
}

fn entra_tenants(jwks: &str) -> Result<Verifier, Box<dyn Error>> {
    let keys = KeySet::from_jwks(jwks, &[Algorithm::Rs256])?.keys;
    let verifier = Verifier::builder(keys)
        .issuer_template("https://login.microsoftonline.com/{tenantid}/v2.0", "tid")
        .audience("6e74172b-0000-4000-8000-00000000000a")
        .build()?;
    Ok(verifier)
}

#[derive(Deserialize)]
struct Employee {
    tid: String,
    oid: String,
}

impl Employee {
    fn is_of(&self, customers: &[&str]) -> bool {
        customers.contains(&&*self.tid)
    }
}

fn auth0(jwks: &str) -> Result<Verifier, Box<dyn Error>> {
    let keys = KeySet::from_jwks(jwks, &[Algorithm::Rs256])?.keys;
    let verifier = Verifier::builder(keys)
        .issuer("https://example.eu.auth0.com/")
        .audience("https://api.example")
        .typ("JWT")
        .typ("at+jwt")
        .build()?;
    Ok(verifier)
}

fn okta(jwks: &str) -> Result<Verifier, Box<dyn Error>> {
    let keys = KeySet::from_jwks(jwks, &[Algorithm::Rs256])?.keys;
    let verifier = Verifier::builder(keys)
        .issuer("https://example.okta.com/oauth2/default")
        .audience("api://default")
        .build()?;
    Ok(verifier)
}

fn cognito_id(jwks: &str) -> Result<Verifier, Box<dyn Error>> {
    let keys = KeySet::from_jwks(jwks, &[Algorithm::Rs256])?.keys;
    let verifier = Verifier::builder(keys)
        .issuer("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI")
        .audience("1example23456789")
        .build()?;
    Ok(verifier)
}

fn cognito_access(jwks: &str) -> Result<Verifier, Box<dyn Error>> {
    let keys = KeySet::from_jwks(jwks, &[Algorithm::Rs256])?.keys;
    let verifier = Verifier::builder(keys)
        .issuer("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI")
        .no_audience()
        .build()?;
    Ok(verifier)
}

#[derive(Deserialize)]
struct CognitoAccess {
    token_use: String,
    client_id: String,
}

impl CognitoAccess {
    fn is_ours(&self) -> bool {
        self.token_use == "access" && self.client_id == "1example23456789"
    }
}

fn keycloak(jwks: &str) -> Result<Verifier, Box<dyn Error>> {
    let keys = KeySet::from_jwks(jwks, &[Algorithm::Rs256])?.keys;
    let verifier = Verifier::builder(keys)
        .issuer("https://sso.example/realms/staff")
        .audience("https://api.example")
        .build()?;
    Ok(verifier)
}

fn supabase(jwks: &str) -> Result<Verifier, Box<dyn Error>> {
    let keys = KeySet::from_jwks(jwks, &[Algorithm::Es256, Algorithm::Rs256])?.keys;
    let verifier = Verifier::builder(keys)
        .issuer("https://abcdefghijklmnop.supabase.co/auth/v1")
        .audience("authenticated")
        .build()?;
    Ok(verifier)
}

fn clerk(jwks: &str) -> Result<Verifier, Box<dyn Error>> {
    let keys = KeySet::from_jwks(jwks, &[Algorithm::Rs256])?.keys;
    let verifier = Verifier::builder(keys).issuer("https://clerk.shop.example").no_audience().build()?;
    Ok(verifier)
}

#[derive(Deserialize)]
struct ClerkSession {
    azp: String,
}

impl ClerkSession {
    fn is_ours(&self) -> bool {
        self.azp == "https://shop.example"
    }
}

fn github_actions(jwks: &str) -> Result<Verifier, Box<dyn Error>> {
    let keys = KeySet::from_jwks(jwks, &[Algorithm::Rs256])?.keys;
    let verifier = Verifier::builder(keys)
        .issuer("https://token.actions.githubusercontent.com")
        .audience("https://deploy.example")
        .build()?;
    Ok(verifier)
}

#[derive(Deserialize)]
struct Workflow {
    repository: String,
    r#ref: String,
}

impl Workflow {
    fn may_deploy(&self) -> bool {
        self.repository == "octo-org/octo-repo" && self.r#ref == "refs/heads/main"
    }
}

fn gitlab(jwks: &str) -> Result<Verifier, Box<dyn Error>> {
    let keys = KeySet::from_jwks(jwks, &[Algorithm::Rs256])?.keys;
    let verifier = Verifier::builder(keys)
        .issuer("https://gitlab.example")
        .audience("https://deploy.example")
        .build()?;
    Ok(verifier)
}

fn kubernetes(jwks: &str) -> Result<Verifier, Box<dyn Error>> {
    let keys = KeySet::from_jwks(jwks, &[Algorithm::Rs256, Algorithm::Es256])?.keys;
    let verifier = Verifier::builder(keys)
        .issuer("https://kubernetes.default.svc.cluster.local")
        .audience("https://vault.example")
        .subject("system:serviceaccount:shop:api")
        .build()?;
    Ok(verifier)
}

fn spiffe(bundle: &str) -> Result<Verifier, Box<dyn Error>> {
    let keys = KeySet::from_spiffe_bundle(bundle, &[Algorithm::Rs256, Algorithm::Es256])?.keys;
    let verifier = Verifier::builder(keys)
        .accept_any_issuer()
        .audience("spiffe://prod.example/api")
        .subject("spiffe://prod.example/web")
        .subject("spiffe://prod.example/worker")
        .build()?;
    Ok(verifier)
}

fn cloudflare(jwks: &str) -> Result<Verifier, Box<dyn Error>> {
    let keys = KeySet::from_jwks(jwks, &[Algorithm::Rs256])?.keys;
    let verifier = Verifier::builder(keys)
        .issuer("https://team.cloudflareaccess.com")
        .audience("32eafc7626e974616deaf0dc3ce63d7bcbed58a2731e84d06bc3cdf1b53c4228")
        .build()?;
    Ok(verifier)
}

#[derive(Deserialize)]
struct CloudflareAccess {
    r#type: String,
}

impl CloudflareAccess {
    fn is_of_an_application(&self) -> bool {
        self.r#type == "app"
    }
}

fn workos(jwks: &str) -> Result<Verifier, Box<dyn Error>> {
    let keys = KeySet::from_jwks(jwks, &[Algorithm::Rs256])?.keys;
    let verifier = Verifier::builder(keys).issuer("https://api.workos.com").no_audience().build()?;
    Ok(verifier)
}

#[derive(Deserialize)]
struct WorkosSession {
    org_id: Option<String>,
}

impl WorkosSession {
    fn is_of(&self, customers: &[&str]) -> bool {
        self.org_id.as_deref().is_some_and(|id| customers.contains(&id))
    }
}

/// Each part of the code of the page is in this file, so the tests here are tests of the page.
#[test]
fn the_page_shows_the_verifiers_of_these_tests() {
    let page = include_str!("../src/manual/providers.md");
    let here = include_str!("providers.rs");
    let shown = parts_shown(page, here);
    assert!(shown > 20, "{shown}");
    let recipes = here.split("\nfn ").skip(1).filter_map(|text| text.split_once('('));
    for (name, _) in recipes.filter(|(_, rest)| rest.starts_with("jwks: &str)")) {
        assert!(page.contains(&format!("fn {name}(")), "{name} is not on the page");
    }
}

// ---- keys, sets and tokens ----

fn private(pem: &str) -> PrivateKey {
    PrivateKey::from_pem(pem).unwrap()
}

/// The key that signs in these tests.
fn rsa() -> PrivateKey {
    private(RSA_PRIVATE)
}

/// The second key of providers that have two.
fn second_rsa() -> PrivateKey {
    private(include_str!("data/rfc7520_3_4.pem"))
}

fn p256() -> PrivateKey {
    private(include_str!("data/p256.pem"))
}

fn p384() -> PrivateKey {
    private(include_str!("data/p384.pem"))
}

/// The public numbers of a key, with other members.
fn jwk(key: &PrivateKey, members: Value) -> Value {
    let text = key.public_key().unwrap().to_jwk().unwrap();
    changed(&serde_json::from_str(&text).unwrap(), members)
}

fn set(entries: impl Into<Value>) -> String {
    json!({ "keys": entries.into() }).to_string()
}

fn load(entries: impl Into<Value>, allowed: &[Algorithm]) -> LoadedKeys {
    KeySet::from_jwks(&set(entries), allowed).unwrap()
}

/// Returns the algorithm and the `kid` of each key, sorted.
fn names(loaded: &LoadedKeys) -> Vec<(&'static str, Option<&str>)> {
    let mut names: Vec<_> = loaded.keys.iter().map(|key| (key.algorithm().name(), key.key_id())).collect();
    names.sort_unstable();
    names
}

/// Returns the `kid` of each skipped entry and why it is skipped.
fn skipped(loaded: &LoadedKeys) -> Vec<(Option<&str>, String)> {
    loaded.skipped.iter().map(|key| (key.key_id.as_deref(), key.reason.to_string())).collect()
}

/// A certificate in a set. It is not read.
fn x5c() -> Value {
    json!([b64_standard([0x30; 700])])
}

/// A token as a provider makes it, to be changed.
struct Sample {
    key: SigningKey,
    header: Value,
    claims: Value,
}

impl Sample {
    /// Makes a token with `iat` and `exp`.
    fn new(key: SigningKey, header: Value, claims: Value) -> Self {
        let (iat, exp) = (NOW.as_secs() - 60, NOW.as_secs() + 840);
        Self { key, header, claims: changed(&claims, json!({ "iat": iat, "exp": exp })) }
    }

    fn rs256(header: Value, claims: Value) -> Self {
        Self::new(rsa().rs256().unwrap(), changed(&json!({ "alg": "RS256" }), header), claims)
    }

    fn es256(header: Value, claims: Value) -> Self {
        Self::new(p256().es256().unwrap(), changed(&json!({ "alg": "ES256" }), header), claims)
    }

    fn token(&self) -> String {
        self.with(json!({}))
    }

    fn with(&self, claims: Value) -> String {
        self.sign(&self.key, json!({}), claims)
    }

    fn headed(&self, header: Value) -> String {
        self.sign(&self.key, header, json!({}))
    }

    fn sign(&self, key: &impl SignKey, header: Value, claims: Value) -> String {
        signed_with(key, changed(&self.header, header).to_string(), changed(&self.claims, claims).to_string())
    }

    /// Checks that the token is accepted, and that what no recipe may accept is refused.
    #[track_caller]
    fn check(&self, verifier: &Verifier) {
        let token = self.token();
        assert_accepted(verifier, &token);
        assert!(verifier.at(later(840 + 30)).verify::<()>(&token).unwrap_err().is_expired());
        assert_eq!(refusal(verifier, &self.with(json!({ "exp": null }))).to_string(), "claim exp is missing");
        // Without a signature, and with the public key as the secret.
        let none = [self.header.clone(), self.claims.clone()].map(|part| b64(part.to_string()));
        let none = |header: Value| format!("{}.{}.", b64(changed(&self.header, header).to_string()), none[1]);
        for name in ["none", "None", "nOnE"] {
            let error = refusal(verifier, &none(json!({ "alg": name })));
            assert_eq!(error, VerifyError::UnsupportedAlgorithm);
        }
        let input = none(json!({ "alg": "HS256" }));
        let input = input.trim_end_matches('.');
        for secret in [RSA_PUBLIC, RSA_PUBLIC.trim_end()] {
            let confused = format!("{input}.{}", b64(hmac_sha256(secret.as_bytes(), input)));
            assert_eq!(refusal(verifier, &confused), VerifyError::UnknownKey);
        }
        // A key of someone else, under the same `kid` or with itself in the header.
        let other = if self.header["alg"] == "ES256" {
            PrivateKey::generate(Algorithm::Es256).unwrap().es256().unwrap()
        } else {
            private(include_str!("data/rfc7515_a2.pem")).rs256().unwrap()
        };
        let own: Value = serde_json::from_str(&other.verifying_key().to_jwk().unwrap()).unwrap();
        for header in [json!({}), json!({ "jwk": own, "jku": "https://evil.example/jwks" })] {
            assert_eq!(
                refusal(verifier, &self.sign(&other, header, json!({}))),
                VerifyError::InvalidSignature
            );
        }
        let unknown = self.sign(&other, json!({ "kid": "invented" }), json!({}));
        assert_eq!(refusal(verifier, &unknown), VerifyError::UnknownKey);
    }
}

/// Checks that a token is refused with this text.
#[track_caller]
fn refused(verifier: &Verifier, token: &str, text: &str) {
    assert_eq!(refusal(verifier, token).to_string(), text);
}

// ---- each recipe ----

#[test]
fn google_id_token() {
    const CLIENT: &str = "1234-example.apps.googleusercontent.com";
    let [kid, next] =
        ["0e345fd7e4a9727e1c1b5a5f6f0f7b3c1e7a2b4d", "c66a01e7e8a94d44a8ab7a5b9b2e5b1a7d0f3c9e"];
    let entries = [
        jwk(&second_rsa(), json!({ "use": "sig", "alg": "RS256", "kid": next })),
        jwk(&rsa(), json!({ "use": "sig", "alg": "RS256", "kid": kid })),
    ];
    let verifier = google(&set(entries.to_vec())).unwrap();
    let sample = Sample::rs256(
        json!({ "kid": kid, "typ": "JWT" }),
        json!({
            "iss": "https://accounts.google.com", "azp": CLIENT, "aud": CLIENT, "sub": "110169484474386276334",
            "email": "ann@shop.example", "email_verified": true, "hd": "shop.example",
        }),
    );
    sample.check(&verifier);
    refused(
        &verifier,
        &sample.with(json!({ "aud": "9999-other.apps.googleusercontent.com" })),
        &format!("token is not meant for {CLIENT:?}"),
    );
    refused(&verifier, &sample.with(json!({ "aud": null })), "claim aud is missing");
    refused(&verifier, &sample.headed(json!({ "typ": "at+jwt" })), "token is not of type \"JWT\"");
}

#[test]
fn google_issuer_with_and_without_its_scheme() {
    let verifier =
        google(&set(vec![jwk(&rsa(), json!({ "kid": "a", "use": "sig", "alg": "RS256" }))])).unwrap();
    let sample = Sample::rs256(
        json!({ "kid": "a", "typ": "JWT" }),
        json!({ "aud": "1234-example.apps.googleusercontent.com", "sub": "1" }),
    );
    for issuer in ["https://accounts.google.com", "accounts.google.com"] {
        assert_accepted(&verifier, &sample.with(json!({ "iss": issuer })));
    }
    let expected = "token is not issued by \"https://accounts.google.com\" or \"accounts.google.com\"";
    for (issuer, difference) in [
        ("https://accounts.google.com/", ": it has \"https://accounts.google.com\" with a slash at the end"),
        (
            "http://accounts.google.com",
            ": it has \"https://accounts.google.com\" with http in place of https",
        ),
        ("https://accounts.google.com.evil.example", ""),
    ] {
        refused(&verifier, &sample.with(json!({ "iss": issuer })), &format!("{expected}{difference}"));
    }
}

#[cfg(feature = "certificate")]
#[test]
fn firebase_id_token_and_the_map_of_certificates() {
    let kid = "3f6722372dcb3ba2b2b2e1b7ee5ea85c6cd04db0";
    let certificates = json!({ kid: include_str!("data/certificate.pem"), "old": "-----BEGIN" }).to_string();
    let verifier = firebase(&certificates).unwrap();
    let sample = Sample::rs256(
        json!({ "kid": kid, "typ": "JWT" }),
        json!({
            "iss": "https://securetoken.google.com/my-project", "aud": "my-project", "sub": "Zk3pU1", "user_id": "Zk3pU1",
            "auth_time": NOW.as_secs() - 60, "firebase": { "identities": {}, "sign_in_provider": "password" },
        }),
    );
    sample.check(&verifier);
    refused(
        &verifier,
        &sample.with(json!({ "iss": "https://securetoken.google.com/other", "aud": "other" })),
        "token is not issued by \"https://securetoken.google.com/my-project\"",
    );
    refused(&verifier, &sample.with(json!({ "aud": "other" })), "token is not meant for \"my-project\"");
    refused(&verifier, &sample.with(json!({ "sub": null })), "claim sub is missing");
    // The map is not a JWK set, and a JWK set is not a map.
    let error = KeySet::from_jwks(&certificates, &[Algorithm::Rs256]).unwrap_err();
    assert_eq!(error, KeyError::Jwk(JwkError::MissingMember { member: "keys" }));
    let loaded =
        KeySet::from_certificate_map(&set(vec![jwk(&rsa(), json!({}))]), &[Algorithm::Rs256]).unwrap();
    assert!(loaded.keys.is_empty());
    assert_eq!(loaded.skipped[0].key_id.as_deref(), Some("keys"));
}

const TENANT: &str = "a3c4b1de-0000-4000-8000-000000000001";
const OTHER_TENANT: &str = "a3c4b1de-0000-4000-8000-000000000002";

fn entra_set() -> String {
    let kid = "CNv0OI3RwqlHFEVnaoMAshCH2XE";
    let members = json!({ "use": "sig", "kid": kid, "x5t": kid, "x5c": x5c(), "cloud_instance_name": "microsoftonline.com" });
    set(vec![
        jwk(&second_rsa(), changed(&members, json!({ "kid": "next", "x5t": "next" }))),
        jwk(&rsa(), members),
    ])
}

fn entra_sample(tenant: &str) -> Sample {
    let kid = "CNv0OI3RwqlHFEVnaoMAshCH2XE";
    Sample::rs256(
        json!({ "typ": "JWT", "kid": kid, "x5t": kid }),
        json!({
            "aud": "6e74172b-0000-4000-8000-00000000000a", "iss": format!("https://login.microsoftonline.com/{tenant}/v2.0"),
            "nbf": NOW.as_secs() - 60, "azp": "6e74172b-0000-4000-8000-00000000000b", "oid": "690222be-ff1a-4d56-abd1-7e4f7d38e474",
            "scp": "access_as_user", "sub": "HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ", "tid": tenant, "ver": "2.0",
        }),
    )
}

#[test]
fn entra_token_of_one_tenant() {
    let verifier = entra(&entra_set()).unwrap();
    let sample = entra_sample(TENANT);
    sample.check(&verifier);
    let wrong = format!("token is not issued by \"https://login.microsoftonline.com/{TENANT}/v2.0\"");
    refused(&verifier, &entra_sample(OTHER_TENANT).token(), &wrong);
    // The issuer of version 1.
    refused(&verifier, &sample.with(json!({ "iss": format!("https://sts.windows.net/{TENANT}/") })), &wrong);
    let audience = "token is not meant for \"6e74172b-0000-4000-8000-00000000000a\"";
    refused(&verifier, &sample.with(json!({ "aud": "00000003-0000-0000-c000-000000000000" })), audience);
}

#[test]
fn entra_keys_have_no_alg_and_are_for_the_allowed_algorithms_only() {
    let loaded = KeySet::from_jwks(&entra_set(), &[Algorithm::Rs256]).unwrap();
    assert_eq!(names(&loaded), [("RS256", Some("CNv0OI3RwqlHFEVnaoMAshCH2XE")), ("RS256", Some("next"))]);
    assert!(loaded.skipped.is_empty());
    // The key of RS256 also makes signatures of PS256, but no verifier asked for them.
    let sample = entra_sample(TENANT);
    let token = sample.sign(&rsa().ps256().unwrap(), json!({ "alg": "PS256" }), json!({}));
    assert_eq!(refusal(&entra(&entra_set()).unwrap(), &token), VerifyError::UnknownKey);
}

#[test]
fn entra_tokens_of_all_tenants_by_the_template_of_the_common_metadata() {
    let verifier = entra_tenants(&entra_set()).unwrap();
    entra_sample(TENANT).check(&verifier);
    entra_sample(OTHER_TENANT).check(&verifier);

    let wrong = "token is not issued by \"https://login.microsoftonline.com/{tenantid}/v2.0\"";
    let sample = entra_sample(TENANT);
    // One tenant cannot name another one, and the text of the metadata is not an issuer.
    refused(&verifier, &sample.with(json!({ "tid": OTHER_TENANT })), wrong);
    for issuer in [
        "https://login.microsoftonline.com/{tenantid}/v2.0".to_owned(),
        "https://login.microsoftonline.com/common/v2.0".to_owned(),
        format!("https://sts.windows.net/{TENANT}/"),
        format!("https://login.microsoftonline.com/{TENANT}"),
    ] {
        refused(&verifier, &sample.with(json!({ "iss": issuer })), wrong);
    }
    refused(&verifier, &sample.with(json!({ "tid": null })), "claim tid is missing");
    refused(&verifier, &sample.with(json!({ "iss": null })), "claim iss is missing");
    let audience = "token is not meant for \"6e74172b-0000-4000-8000-00000000000a\"";
    refused(&verifier, &sample.with(json!({ "aud": "api://other" })), audience);

    // The check that the page asks for.
    let of = |tenant| {
        let token = verifier.at(NOW).verify::<Employee>(&entra_sample(tenant).token()).unwrap();
        assert_eq!(token.claims().oid, "690222be-ff1a-4d56-abd1-7e4f7d38e474");
        token.into_claims().is_of(&[TENANT])
    };
    assert!(of(TENANT) && !of(OTHER_TENANT));
}

/// Both `kid` and `x5t` of old tenants are base64url of the 40 hex digits of a SHA-1 hash, in place of its 20 bytes.
fn auth0_thumbprint() -> String {
    b64("6AB4A541C549E49915C4A2623644BBA2A22ABFB0")
}

#[test]
fn auth0_access_token() {
    let kid = auth0_thumbprint();
    let entry = jwk(&rsa(), json!({ "use": "sig", "alg": "RS256", "kid": kid, "x5t": kid, "x5c": x5c() }));
    let verifier = auth0(&set(vec![entry])).unwrap();
    let sample = Sample::rs256(
        json!({ "typ": "JWT", "kid": kid }),
        json!({
            "iss": "https://example.eu.auth0.com/", "sub": "auth0|5f7c8ec7c33c6c004bbafe82",
            "aud": ["https://api.example", "https://example.eu.auth0.com/userinfo"], "azp": "my_client_id", "scope": "openid read:orders",
        }),
    );
    sample.check(&verifier);
    assert_accepted(&verifier, &sample.headed(json!({ "typ": "at+jwt" })));
    assert_accepted(&verifier, &sample.with(json!({ "aud": "https://api.example" })));
    // An ID token is for the client.
    let audience = "token is not meant for \"https://api.example\"";
    refused(&verifier, &sample.with(json!({ "aud": "my_client_id", "azp": null, "scope": null })), audience);
    refused(
        &verifier,
        &sample.with(json!({ "iss": "https://example.eu.auth0.com" })),
        "token is not issued by \"https://example.eu.auth0.com/\": it has \"https://example.eu.auth0.com/\" without the slash at the end",
    );
    let typ = "token is not of type \"JWT\" or \"at+jwt\"";
    refused(&verifier, &sample.headed(json!({ "typ": "logout+jwt" })), typ);
    refused(&verifier, &sample.headed(json!({ "typ": null })), typ);
}

#[test]
fn auth0_x5t_of_40_hex_digits_does_not_lose_the_key() {
    let x5t = auth0_thumbprint();
    assert_eq!(x5t.len(), 54);
    let loaded =
        load(vec![jwk(&rsa(), json!({ "kid": x5t, "alg": "RS256", "x5t": x5t }))], &[Algorithm::Rs256]);
    assert_eq!(names(&loaded), [("RS256", Some(&*x5t))]);
}

#[test]
fn okta_access_token_of_a_custom_authorization_server() {
    let kid = "U5R8cHbGw445Qbq8zVO1PcCpXL8yG6IcovVa3laCoxM";
    let entries = ["next", kid].map(|kid| {
        let key = if kid == "next" { second_rsa() } else { rsa() };
        jwk(&key, json!({ "alg": "RS256", "use": "sig", "kid": kid }))
    });
    let verifier = okta(&set(entries.to_vec())).unwrap();
    let sample = Sample::rs256(
        json!({ "kid": kid }),
        json!({
            "ver": 1, "jti": "AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE", "iss": "https://example.okta.com/oauth2/default",
            "aud": "api://default", "sub": "ann@shop.example", "cid": "0oabucvyc38HLL1ef0h7", "scp": ["openid"],
        }),
    );
    sample.check(&verifier);
    // The server of the organisation is another issuer.
    refused(
        &verifier,
        &sample.with(json!({ "iss": "https://example.okta.com", "aud": "https://example.okta.com" })),
        "token is not issued by \"https://example.okta.com/oauth2/default\"",
    );
    let audience = "token is not meant for \"api://default\"";
    refused(&verifier, &sample.with(json!({ "aud": "0oabucvyc38HLL1ef0h7" })), audience);
}

/// Two keys: of the ID tokens and of the access tokens.
const COGNITO_KIDS: [&str; 2] =
    ["q3Vb+S/pT0yqJ9eDn3F4n1yB2Ydp6yB4m8o7h0cUuXk=", "hYz0bGxV/T+Wc6lJ1o9lV0b8o3mC9gq2f5s4u7t1r0Y="];

fn cognito_set() -> String {
    let [id, access] = COGNITO_KIDS;
    set(vec![
        jwk(&second_rsa(), json!({ "alg": "RS256", "kid": id, "use": "sig" })),
        jwk(&rsa(), json!({ "alg": "RS256", "kid": access, "use": "sig" })),
    ])
}

fn cognito_samples() -> [Sample; 2] {
    let common = json!({
        "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI",
        "event_id": "64f513be-32db-42b0-b78e-b02127b4f463", "auth_time": NOW.as_secs() - 60, "jti": "e2c1",
    });
    let id = json!({ "aud": "1example23456789", "token_use": "id", "cognito:username": "ann", "email_verified": true });
    let access = json!({ "client_id": "1example23456789", "token_use": "access", "username": "ann", "scope": "openid" });
    let mut id = Sample::rs256(json!({ "kid": COGNITO_KIDS[0] }), changed(&common, id));
    id.key = second_rsa().rs256().unwrap();
    [id, Sample::rs256(json!({ "kid": COGNITO_KIDS[1] }), changed(&common, access))]
}

#[test]
fn cognito_id_token_and_access_token_have_different_verifiers() {
    let [id, access] = cognito_samples();
    let [of_id, of_access] = [cognito_id, cognito_access].map(|recipe| recipe(&cognito_set()).unwrap());
    id.check(&of_id);
    access.check(&of_access);
    refused(&of_id, &access.token(), "claim aud is missing");
    refused(&of_access, &id.token(), "token has an audience, but this verifier expects none");
    refused(&of_id, &id.with(json!({ "aud": "other" })), "token is not meant for \"1example23456789\"");
    let pool = json!({ "iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other" });
    let wrong = "token is not issued by \"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI\"";
    refused(&of_id, &id.with(pool.clone()), wrong);
    refused(&of_access, &access.with(pool), wrong);
}

#[test]
fn cognito_access_token_needs_a_check_of_client_id_and_token_use() {
    let verifier = cognito_access(&cognito_set()).unwrap();
    let [_, access] = cognito_samples();
    let ours =
        |claims| verifier.at(NOW).verify::<CognitoAccess>(&access.with(claims)).unwrap().claims().is_ours();
    assert!(ours(json!({})));
    assert!(!ours(json!({ "client_id": "other" })));
    assert!(!ours(json!({ "token_use": "id" })));
    let error =
        verifier.at(NOW).verify::<CognitoAccess>(&access.with(json!({ "client_id": null }))).unwrap_err();
    assert_eq!(error, VerifyError::MissingClaim { claim: "client_id".into() });
}

#[test]
fn cognito_kid_in_base64_with_plus_slash_and_padding_is_compared_as_text() {
    let verifier = cognito_access(&cognito_set()).unwrap();
    let [_, access] = cognito_samples();
    let kid = COGNITO_KIDS[1];
    for other in [
        kid.replace('+', "-").replace('/', "_"),
        kid.trim_end_matches('=').to_owned(),
        kid.to_lowercase(),
        format!("{kid} "),
        kid.replace('+', "%2B"),
    ] {
        assert_eq!(
            refusal(&verifier, &access.headed(json!({ "kid": other }))),
            VerifyError::UnknownKey,
            "{other}"
        );
    }
}

#[test]
fn cognito_identity_pool_rs512_and_typ_jws() {
    let entry = jwk(&rsa(), json!({ "kid": "eu-west-1-3", "use": "sig", "alg": "RS512" }));
    let loaded = load(vec![entry.clone()], &[Algorithm::Rs512]);
    let build = |keys: KeySet| {
        Verifier::builder(keys)
            .issuer("https://cognito-identity.amazonaws.com")
            .audience("eu-west-1:12345678-dc46-45ec-beef-8b9d6abcdef0")
    };
    let sample = Sample::new(
        rsa().rs512().unwrap(),
        json!({ "kid": "eu-west-1-3", "typ": "JWS", "alg": "RS512" }),
        json!({
            "sub": "eu-west-1:87654321", "aud": "eu-west-1:12345678-dc46-45ec-beef-8b9d6abcdef0", "amr": ["authenticated"],
            "iss": "https://cognito-identity.amazonaws.com",
        }),
    );
    assert_accepted(&build(loaded.keys.clone()).typ("JWS").build().unwrap(), &sample.token());
    refused(&build(loaded.keys).build().unwrap(), &sample.token(), "token is not of type \"JWT\"");
    assert_eq!(
        skipped(&load(vec![entry], &[Algorithm::Rs256])),
        [(Some("eu-west-1-3"), "member alg of the JWK does not allow this use of the key".to_owned())]
    );
}

/// The key for signatures and the one for encryption.
const KEYCLOAK_KIDS: [&str; 2] =
    ["FJ86GcF3jTbNLOco4NvZkUCIUmfYCqoqtOQeMfbhNlE", "fJ8xLcF3jTbNLOco4NvZkUCIUmfYCqoqtOQeMfbhNlE"];

fn keycloak_set() -> Vec<Value> {
    let members = json!({ "x5c": x5c(), "x5t": b64([1; 20]), "x5t#S256": b64([1; 32]) });
    let [signature, encryption] = [
        json!({ "kid": KEYCLOAK_KIDS[0], "alg": "RS256", "use": "sig" }),
        json!({ "kid": KEYCLOAK_KIDS[1], "alg": "RSA-OAEP", "use": "enc" }),
    ];
    vec![jwk(&second_rsa(), changed(&members, encryption)), jwk(&rsa(), changed(&members, signature))]
}

#[test]
fn keycloak_access_token() {
    let verifier = keycloak(&set(keycloak_set())).unwrap();
    let sample = Sample::rs256(
        json!({ "typ": "JWT", "kid": KEYCLOAK_KIDS[0] }),
        json!({
            "iss": "https://sso.example/realms/staff", "aud": ["https://api.example", "account"], "sub": "f:1", "typ": "Bearer",
            "azp": "web", "realm_access": { "roles": ["offline_access"] }, "scope": "email", "jti": "4c2f",
        }),
    );
    sample.check(&verifier);
    let audience = "token is not meant for \"https://api.example\"";
    refused(&verifier, &sample.with(json!({ "aud": "account" })), audience);
    refused(
        &verifier,
        &sample.with(json!({ "iss": "https://sso.example/realms/customers" })),
        "token is not issued by \"https://sso.example/realms/staff\"",
    );
    refused(&verifier, &sample.headed(json!({ "typ": "at+jwt" })), "token is not of type \"JWT\"");
}

#[test]
fn keycloak_encryption_key_in_the_set_verifies_nothing() {
    let loaded = load(keycloak_set(), &[Algorithm::Rs256, Algorithm::Ps256]);
    assert_eq!(names(&loaded), [("RS256", Some(KEYCLOAK_KIDS[0]))]);
    let reason = "member use of the JWK does not allow this use of the key".to_owned();
    assert_eq!(skipped(&loaded), [(Some(KEYCLOAK_KIDS[1]), reason)]);
    let verifier = keycloak(&set(keycloak_set())).unwrap();
    let header = json!({ "alg": "RS256", "typ": "JWT", "kid": KEYCLOAK_KIDS[1] });
    let token = signed_with(&second_rsa().rs256().unwrap(), header.to_string(), "{}");
    assert_eq!(refusal(&verifier, &token), VerifyError::UnknownKey);
}

#[test]
fn keycloak_ec_coordinates_without_their_leading_zeros_are_named() {
    // About one key in 128 has one.
    let (key, entry) = loop {
        let key = PrivateKey::generate(Algorithm::Es256).unwrap();
        let entry = jwk(&key, json!({ "kid": "short", "alg": "ES256", "use": "sig" }));
        if entry["x"].as_str().unwrap().starts_with("AA") {
            break (key, entry);
        }
    };
    let x = util::unb64(entry["x"].as_str().unwrap());
    let short = x.iter().position(|byte| *byte != 0).unwrap();
    let entry = changed(&entry, json!({ "x": b64(&x[short..]) }));
    let loaded = load([keycloak_set(), vec![entry]].concat(), &[Algorithm::Rs256, Algorithm::Es256]);
    assert_eq!(names(&loaded), [("RS256", Some(KEYCLOAK_KIDS[0]))]);
    let reason = KeyError::Jwk(JwkError::WrongLength { member: "x", bytes: 32 - short, expected: 32 });
    assert_eq!(loaded.skipped[1].reason, reason);
    let token = signed_with(&key.es256().unwrap(), r#"{"alg":"ES256","kid":"short"}"#, "{}");
    assert_eq!(refusal(&keycloak(&set(keycloak_set())).unwrap(), &token), VerifyError::UnknownKey);
}

#[test]
fn keycloak_key_on_secp256k1_is_skipped_or_used_by_choice() {
    let entry = json!({
        "kid": "k", "kty": "EC", "alg": "ES256K", "use": "sig", "crv": "secp256k1",
        // The generator of the curve.
        "x": b64(hex("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")),
        "y": b64(hex("483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8")),
    });
    let loaded = load([keycloak_set(), vec![entry.clone()]].concat(), &[Algorithm::Rs256, Algorithm::Es256]);
    assert_eq!(names(&loaded), [("RS256", Some(KEYCLOAK_KIDS[0]))]);
    let reason = "member alg of the JWK does not allow this use of the key".to_owned();
    assert_eq!(skipped(&loaded)[1], (Some("k"), reason));
    let chosen = load(vec![entry], &[Algorithm::Es256k]);
    if cfg!(feature = "k256") {
        assert_eq!(names(&chosen), [("ES256K", Some("k"))]);
    } else {
        assert_eq!(chosen.skipped[0].reason, KeyError::UnsupportedByBackend);
    }
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn keycloak_broker_with_one_kid_for_two_algorithms() {
    let [ec, rs] = [
        jwk(&p256(), json!({ "kid": "b", "alg": "ES256" })),
        jwk(&rsa(), json!({ "kid": "b", "alg": "RS256" })),
    ];
    let loaded = load(vec![ec, rs], &[Algorithm::Rs256, Algorithm::Es256]);
    assert_eq!(names(&loaded), [("ES256", Some("b")), ("RS256", Some("b"))]);
    let verifier = Verifier::builder(loaded.keys).issuer("i").no_audience().build().unwrap();
    Sample::rs256(json!({ "kid": "b" }), json!({ "iss": "i" })).check(&verifier);
    Sample::es256(json!({ "kid": "b" }), json!({ "iss": "i" })).check(&verifier);
}

const SUPABASE_KID: &str = "b81269f1-21d8-4f2e-b719-c2240a840d90";

fn supabase_claims() -> Value {
    json!({
        "iss": "https://abcdefghijklmnop.supabase.co/auth/v1", "aud": "authenticated", "role": "authenticated",
        "sub": "8ccaa7af-909f-44e7-84cb-67cdccb56be6", "session_id": "3f1e", "aal": "aal1", "is_anonymous": false,
    })
}

#[test]
fn supabase_access_token() {
    let members =
        json!({ "kid": SUPABASE_KID, "alg": "ES256", "use": "sig", "key_ops": ["verify"], "ext": true });
    let standby = json!({ "kid": "c0ffee00-21d8-4f2e-b719-c2240a840d90", "alg": "RS256", "use": "sig", "key_ops": ["verify"] });
    let verifier = supabase(&set(vec![jwk(&p256(), members), jwk(&second_rsa(), standby)])).unwrap();
    let sample = Sample::es256(json!({ "typ": "JWT", "kid": SUPABASE_KID }), supabase_claims());
    sample.check(&verifier);
    refused(&verifier, &sample.with(json!({ "aud": "anon" })), "token is not meant for \"authenticated\"");
    refused(
        &verifier,
        &sample.with(json!({ "iss": "https://zyxwvutsrqponmlk.supabase.co/auth/v1" })),
        "token is not issued by \"https://abcdefghijklmnop.supabase.co/auth/v1\"",
    );
}

#[test]
fn supabase_empty_keys_of_a_project_with_hs256() {
    let loaded = load(Vec::<Value>::new(), &[Algorithm::Es256, Algorithm::Rs256]);
    assert!(loaded.keys.is_empty() && loaded.skipped.is_empty());
    let secret = SecretBytes::from_bytes(b"super-secret-jwt-token-with-at-least-32-characters-long");
    let key = HmacKey::hs256(&secret).unwrap();
    let (header, claims) = (json!({ "alg": "HS256", "typ": "JWT", "kid": SUPABASE_KID }), supabase_claims());
    let token = signed_with(
        &key,
        header.to_string(),
        changed(&claims, json!({ "exp": NOW.as_secs() + 60 })).to_string(),
    );
    assert_eq!(refusal(&supabase(&set(Vec::<Value>::new())).unwrap(), &token), VerifyError::UnknownKey);
    // The secret has no name of its own, so the `kid` of the token does not matter.
    let verifier =
        Verifier::builder(key).issuer(claims["iss"].as_str().unwrap()).audience("authenticated").build();
    assert_accepted(&verifier.unwrap(), &token);
}

fn clerk_sample() -> Sample {
    Sample::rs256(
        json!({ "cat": "cl_B7d4PD111AAA", "kid": "ins_2abcDEF", "typ": "JWT" }),
        json!({
            "iss": "https://clerk.shop.example", "azp": "https://shop.example", "sub": "user_2abc", "sid": "sess_2abc",
            "nbf": NOW.as_secs() - 70, "fva": [0, -1], "v": 2,
        }),
    )
}

fn clerk_set() -> String {
    set(vec![jwk(&rsa(), json!({ "use": "sig", "kid": "ins_2abcDEF", "alg": "RS256" }))])
}

#[test]
fn clerk_session_token_with_its_own_header_parameter() {
    let verifier = clerk(&clerk_set()).unwrap();
    clerk_sample().check(&verifier);
    refused(
        &verifier,
        &clerk_sample().with(json!({ "aud": "https://api.example" })),
        "token has an audience, but this verifier expects none",
    );
    refused(
        &verifier,
        &clerk_sample().with(json!({ "iss": "https://clerk.other.example" })),
        "token is not issued by \"https://clerk.shop.example\"",
    );
}

#[test]
fn clerk_session_token_needs_a_check_of_azp() {
    let verifier = clerk(&clerk_set()).unwrap();
    let ours = |claims| {
        let token = verifier.at(NOW).verify::<ClerkSession>(&clerk_sample().with(claims));
        token.map(|token| token.claims().is_ours())
    };
    assert_eq!(ours(json!({})), Ok(true));
    assert_eq!(ours(json!({ "azp": "https://evil.shop.example" })), Ok(false));
    assert_eq!(ours(json!({ "azp": null })), Err(VerifyError::MissingClaim { claim: "azp".into() }));
}

fn github_sample() -> Sample {
    let kid = "38826b17-6a30-5f9b-b169-8beb8202f723";
    Sample::rs256(
        json!({ "typ": "JWT", "kid": kid, "x5t": b64([7; 20]) }),
        json!({
            "jti": "example-id", "sub": "repo:octo-org/octo-repo:ref:refs/heads/main", "aud": "https://deploy.example",
            "ref": "refs/heads/main", "repository": "octo-org/octo-repo", "repository_owner": "octo-org", "run_id": "1",
            "iss": "https://token.actions.githubusercontent.com", "nbf": NOW.as_secs() - 600, "event_name": "push",
        }),
    )
}

fn github_set() -> String {
    let kid = "38826b17-6a30-5f9b-b169-8beb8202f723";
    set(vec![jwk(
        &rsa(),
        json!({ "use": "sig", "kid": kid, "alg": "RS256", "x5c": x5c(), "x5t": b64([7; 20]) }),
    )])
}

#[test]
fn github_actions_token() {
    let verifier = github_actions(&github_set()).unwrap();
    github_sample().check(&verifier);
    // The audience that a workflow has if it asks for none.
    let audience = "token is not meant for \"https://deploy.example\"";
    refused(&verifier, &github_sample().with(json!({ "aud": "https://github.com/octo-org" })), audience);
    refused(
        &verifier,
        &github_sample().with(json!({ "iss": "https://token.actions.githubusercontent.com/octocat-inc" })),
        "token is not issued by \"https://token.actions.githubusercontent.com\"",
    );
}

#[test]
fn github_actions_token_needs_a_check_of_the_repository() {
    let verifier = github_actions(&github_set()).unwrap();
    let may = |claims| {
        verifier.at(NOW).verify::<Workflow>(&github_sample().with(claims)).unwrap().claims().may_deploy()
    };
    assert!(may(json!({})));
    assert!(!may(json!({ "repository": "evil/octo-repo" })));
    assert!(!may(json!({ "ref": "refs/pull/7/merge" })));
}

#[test]
fn gitlab_keys_of_six_members_and_a_token_with_one_or_more_audiences() {
    let [kid, of_jobs] =
        [rsa(), second_rsa()].map(|key| key.public_key().unwrap().thumbprint().unwrap().to_string());
    let entries = [(second_rsa(), &of_jobs), (rsa(), &kid)]
        .map(|(key, kid)| jwk(&key, json!({ "kid": kid, "use": "sig", "alg": "RS256" })));
    for entry in &entries {
        let mut members: Vec<_> = entry.as_object().unwrap().keys().map(String::as_str).collect();
        members.sort_unstable();
        assert_eq!(members, ["alg", "e", "kid", "kty", "n", "use"]);
    }
    let verifier = gitlab(&set(entries.to_vec())).unwrap();
    let sample = Sample::rs256(
        json!({ "kid": kid, "typ": "JWT" }),
        json!({
            "iss": "https://gitlab.example", "sub": "project_path:shop/api:ref_type:branch:ref:main", "aud": "https://deploy.example",
            "project_path": "shop/api", "ref": "main", "ref_protected": "true", "jti": "235b3a54",
        }),
    );
    sample.check(&verifier);
    assert_accepted(
        &verifier,
        &sample.with(json!({ "aud": ["https://other.example", "https://deploy.example"] })),
    );
    let audience = "token is not meant for \"https://deploy.example\"";
    refused(&verifier, &sample.with(json!({ "aud": ["https://other.example"] })), audience);
    refused(
        &verifier,
        &sample.with(json!({ "iss": "https://gitlab.example/" })),
        "token is not issued by \"https://gitlab.example\": it has \"https://gitlab.example\" with a slash at the end",
    );
}

/// The `kid` is the SHA-256 hash of the SPKI.
fn kubernetes_kid(key: &PrivateKey) -> String {
    use sha2::{Digest, Sha256};
    b64(Sha256::digest(key.public_key().unwrap().to_der().unwrap()))
}

fn kubernetes_claims() -> Value {
    json!({
        "aud": ["https://vault.example"], "iss": "https://kubernetes.default.svc.cluster.local", "jti": "7a1c",
        "kubernetes.io": { "namespace": "shop", "node": { "name": "n1", "uid": "1" }, "pod": { "name": "api-0", "uid": "2" },
            "serviceaccount": { "name": "api", "uid": "3" }, "warnafter": NOW.as_secs() + 600 },
        "nbf": NOW.as_secs() - 60, "sub": "system:serviceaccount:shop:api",
    })
}

#[test]
fn kubernetes_token_without_typ_and_with_an_array_of_audiences() {
    let entries = [(rsa(), "RS256"), (p256(), "ES256")]
        .map(|(key, alg)| jwk(&key, json!({ "use": "sig", "kid": kubernetes_kid(&key), "alg": alg })));
    let verifier = kubernetes(&set(entries.to_vec())).unwrap();
    let sample = Sample::rs256(json!({ "kid": kubernetes_kid(&rsa()) }), kubernetes_claims());
    assert_eq!(sample.header.get("typ"), None);
    sample.check(&verifier);
    Sample::es256(json!({ "kid": kubernetes_kid(&p256()) }), kubernetes_claims()).check(&verifier);
    // The token that a pod has for the API server itself.
    refused(
        &verifier,
        &sample.with(json!({ "aud": ["https://kubernetes.default.svc.cluster.local"] })),
        "token is not meant for \"https://vault.example\"",
    );
    refused(
        &verifier,
        &sample.with(json!({ "sub": "system:serviceaccount:other:api" })),
        "token subject is not \"system:serviceaccount:shop:api\"",
    );
    refused(
        &verifier,
        &sample.with(json!({ "iss": "https://oidc.eks.eu-west-1.amazonaws.com/id/OTHER" })),
        "token is not issued by \"https://kubernetes.default.svc.cluster.local\"",
    );
}

#[test]
fn kubernetes_ml_dsa_key_is_skipped_and_the_others_are_kept() {
    let entries = vec![
        json!({ "kty": "AKP", "alg": "ML-DSA-65", "use": "sig", "kid": "pq", "pub": b64([7; 1952]) }),
        jwk(&rsa(), json!({ "use": "sig", "kid": "rs", "alg": "RS256" })),
    ];
    let loaded = load(entries.clone(), &[Algorithm::Rs256, Algorithm::Es256]);
    assert_eq!(names(&loaded), [("RS256", Some("rs"))]);
    let reason = "member alg of the JWK does not allow this use of the key".to_owned();
    assert_eq!(skipped(&loaded), [(Some("pq"), reason)]);
    let verifier = kubernetes(&set(entries)).unwrap();
    Sample::rs256(json!({ "kid": "rs" }), kubernetes_claims()).check(&verifier);
}

#[cfg(feature = "ml-dsa")]
#[test]
fn kubernetes_ml_dsa_key_verifies_by_choice() {
    let key = private(include_str!("data/ml_dsa_65_seed.pem"));
    let entry = jwk(&key, json!({ "use": "sig", "kid": kubernetes_kid(&key) }));
    assert_eq!((&entry["kty"], &entry["alg"]), (&json!("AKP"), &json!("ML-DSA-65")));
    let keys = load(vec![entry], &[Algorithm::MlDsa65]).keys;
    let builder = Verifier::builder(keys).issuer("https://kubernetes.default.svc.cluster.local");
    let verifier = builder.audience("https://vault.example").build().unwrap();
    let header = json!({ "alg": "ML-DSA-65", "kid": kubernetes_kid(&key) });
    assert_accepted(&verifier, &Sample::new(key.ml_dsa_65().unwrap(), header, kubernetes_claims()).token());
}

fn spiffe_bundle() -> Value {
    json!({
        "keys": [
            jwk(&p384(), json!({ "use": "x509-svid", "x5c": x5c() })),
            jwk(&p256(), json!({ "use": "jwt-svid", "kid": "C6vs25welZOx6WksNYfbMfiw9l96pMnD" })),
            jwk(&rsa(), json!({ "use": "jwt-svid", "kid": "Zk3pU1" })),
        ],
        "spiffe_sequence": 12, "spiffe_refresh_hint": 300,
    })
}

#[test]
fn spiffe_jwt_svid_and_the_uses_of_its_bundle() {
    let bundle = spiffe_bundle().to_string();
    let verifier = spiffe(&bundle).unwrap();
    let claims = json!({ "aud": ["spiffe://prod.example/api"], "sub": "spiffe://prod.example/web" });
    let sample =
        Sample::es256(json!({ "kid": "C6vs25welZOx6WksNYfbMfiw9l96pMnD", "typ": "JWT" }), claims.clone());
    sample.check(&verifier);
    Sample::rs256(json!({ "kid": "Zk3pU1" }), claims).check(&verifier);
    assert_accepted(&verifier, &sample.with(json!({ "iss": "https://oidc.prod.example" })));
    let audience = "token is not meant for \"spiffe://prod.example/api\"";
    refused(&verifier, &sample.with(json!({ "aud": ["spiffe://prod.example/db"] })), audience);
    refused(
        &verifier,
        &sample.with(json!({ "sub": "spiffe://test.example/web" })),
        "token subject is not \"spiffe://prod.example/web\" or \"spiffe://prod.example/worker\"",
    );

    let allowed = &[Algorithm::Rs256, Algorithm::Es256, Algorithm::Es384];
    let loaded = KeySet::from_spiffe_bundle(&bundle, allowed).unwrap();
    assert_eq!(
        names(&loaded),
        [("ES256", Some("C6vs25welZOx6WksNYfbMfiw9l96pMnD")), ("RS256", Some("Zk3pU1"))]
    );
    let reason = || "member use of the JWK does not allow this use of the key".to_owned();
    assert_eq!(skipped(&loaded), [(None, reason())]);
    // As an ordinary set, it has no key for signatures.
    let ordinary = KeySet::from_jwks(&bundle, allowed).unwrap();
    assert!(ordinary.keys.is_empty());
    assert_eq!(ordinary.skipped.len(), 3);
}

#[test]
fn spiffe_discovery_provider_writes_no_use() {
    let entry = jwk(&p256(), json!({ "kid": "C6vs25", "alg": "ES256" }));
    for loaded in [KeySet::from_jwks, KeySet::from_spiffe_bundle]
        .map(|read| read(&set(vec![entry.clone()]), &[Algorithm::Es256]))
    {
        assert_eq!(names(&loaded.unwrap()), [("ES256", Some("C6vs25"))]);
    }
}

const CLOUDFLARE_AUD: &str = "32eafc7626e974616deaf0dc3ce63d7bcbed58a2731e84d06bc3cdf1b53c4228";

fn cloudflare_sample() -> Sample {
    let kid = "9338abe1baf2fe492f646a736f25afbf7b025e35c627be4f60c414d4c73069b8";
    Sample::rs256(
        json!({ "kid": kid, "typ": "JWT" }),
        json!({
            "aud": [CLOUDFLARE_AUD], "email": "ann@shop.example", "nbf": NOW.as_secs() - 60, "iss": "https://team.cloudflareaccess.com",
            "type": "app", "identity_nonce": "6ei69kawdKzMIAPF", "sub": "7335d417-61da-459d-899c-0a01c76a2f94", "country": "DE",
        }),
    )
}

fn cloudflare_set() -> String {
    let kid = "9338abe1baf2fe492f646a736f25afbf7b025e35c627be4f60c414d4c73069b8";
    let old = "b7d0c3f1baf2fe492f646a736f25afbf7b025e35c627be4f60c414d4c73069b8";
    let certificate =
        json!({ "kid": kid, "cert": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n" });
    let entries = [(second_rsa(), old), (rsa(), kid)]
        .map(|(key, kid)| jwk(&key, json!({ "kid": kid, "alg": "RS256", "use": "sig" })));
    json!({ "keys": entries, "public_cert": certificate, "public_certs": [certificate, certificate] })
        .to_string()
}

#[test]
fn cloudflare_application_token() {
    let verifier = cloudflare(&cloudflare_set()).unwrap();
    cloudflare_sample().check(&verifier);
    let audience = format!("token is not meant for {CLOUDFLARE_AUD:?}");
    refused(
        &verifier,
        &cloudflare_sample().with(json!({ "aud": [CLOUDFLARE_AUD.replace('3', "4")] })),
        &audience,
    );
    refused(
        &verifier,
        &cloudflare_sample().with(json!({ "iss": "https://other.cloudflareaccess.com" })),
        "token is not issued by \"https://team.cloudflareaccess.com\"",
    );
    let is_of_an_application = |claims| {
        let token = verifier.at(NOW).verify::<CloudflareAccess>(&cloudflare_sample().with(claims)).unwrap();
        token.claims().is_of_an_application()
    };
    assert!(is_of_an_application(json!({})));
    assert!(!is_of_an_application(json!({ "type": "org" })));
}

#[test]
fn cloudflare_members_next_to_keys_are_ignored() {
    let loaded = KeySet::from_jwks(&cloudflare_set(), &[Algorithm::Rs256]).unwrap();
    assert_eq!((loaded.keys.len(), loaded.skipped.len()), (2, 0));
}

#[test]
fn workos_session_token_without_typ_and_audience() {
    let kid = "sso_oidc_key_pair_01HJT8QD8WCD9Z8ZR3Q5FKHQTG";
    let members = json!({ "alg": "RS256", "use": "sig", "kid": kid, "x5c": x5c(), "x5t#S256": b64([3; 32]) });
    let verifier = workos(&set(vec![jwk(&rsa(), members)])).unwrap();
    let sample = Sample::rs256(
        json!({ "kid": kid }),
        json!({
            "iss": "https://api.workos.com", "sub": "user_01HBEQKA6K4QJAS93VPE39W1JT", "sid": "session_01HQSXZGF8FHF7A9ZZFCW4387R",
            "org_id": "org_01HRDMC6CM357W30QMHMQ96Q0S", "role": "member", "permissions": ["posts:read"], "jti": "01HQSXZXPPFPKMDD32RKTFY6PV",
        }),
    );
    sample.check(&verifier);
    let unexpected = "token has an audience, but this verifier expects none";
    refused(&verifier, &sample.with(json!({ "aud": "client_01" })), unexpected);
    let of_customer = |claims| {
        let token = verifier.at(NOW).verify::<WorkosSession>(&sample.with(claims)).unwrap();
        token.claims().is_of(&["org_01HRDMC6CM357W30QMHMQ96Q0S"])
    };
    assert!(of_customer(json!({})));
    assert!(!of_customer(json!({ "org_id": "org_other" })) && !of_customer(json!({ "org_id": null })));
}

// ---- what other issuers write ----

#[test]
fn pingfederate_every_key_twice_without_alg_and_with_it_under_another_kid() {
    let entries = vec![
        jwk(&rsa(), json!({ "kid": "X", "use": "sig" })),
        jwk(&rsa(), json!({ "kid": "X_RS256", "use": "sig", "alg": "RS256" })),
    ];
    let loaded = load(entries, &[Algorithm::Rs256]);
    assert_eq!(names(&loaded), [("RS256", Some("X")), ("RS256", Some("X_RS256"))]);
    let verifier =
        Verifier::builder(loaded.keys).issuer("https://ping.example").no_audience().build().unwrap();
    for kid in ["X", "X_RS256"] {
        Sample::rs256(json!({ "kid": kid }), json!({ "iss": "https://ping.example" })).check(&verifier);
    }
}

#[test]
fn netiq_modulus_in_standard_base64_with_padding_and_a_leading_zero_is_named() {
    let modulus = rsa().public_key().unwrap().modulus_and_exponent().unwrap().0;
    let padded = b64_standard([&[0][..], &modulus].concat());
    let found = |n: &str| {
        let loaded = load(vec![jwk(&rsa(), json!({ "kid": "n", "n": n }))], &[Algorithm::Rs256]);
        assert!(loaded.keys.is_empty());
        loaded.skipped[0].reason.to_string()
    };
    let not_base64url = |what| format!("member n of the JWK is not base64url without padding: it {what}");
    assert_eq!(found(&padded), not_base64url("holds + or / in place of - or _"));
    let padded = b64([&[0][..], &modulus].concat()) + "=";
    assert_eq!(found(&padded), not_base64url("is padded"));
    let zero = b64([&[0][..], &modulus].concat());
    assert_eq!(found(&zero), "member n of the JWK begins with a zero byte, which must be left out");
}

#[test]
fn authentik_answer_without_keys_is_an_error_and_not_an_empty_set() {
    let error = KeySet::from_jwks("{}", &[Algorithm::Rs256]).unwrap_err();
    assert_eq!(error, KeyError::Jwk(JwkError::MissingMember { member: "keys" }));
}

#[test]
fn authentik_encryption_key_with_its_own_member_is_skipped() {
    let entries = vec![
        jwk(&rsa(), json!({ "kid": "s", "use": "sig", "alg": "RS256", "x5c": x5c() })),
        jwk(
            &second_rsa(),
            json!({ "kid": "e", "use": "enc", "alg": "RSA-OAEP-256", "enc": "A256CBC-HS512" }),
        ),
    ];
    let loaded = load(entries, &[Algorithm::Rs256]);
    assert_eq!(names(&loaded), [("RS256", Some("s"))]);
    let reason = "member use of the JWK does not allow this use of the key".to_owned();
    assert_eq!(skipped(&loaded), [(Some("e"), reason)]);
}

#[test]
fn zitadel_kid_of_digits_is_text() {
    let loaded =
        load(vec![jwk(&rsa(), json!({ "kid": "226872436985234564", "use": "sig" }))], &[Algorithm::Rs256]);
    assert_eq!(names(&loaded), [("RS256", Some("226872436985234564"))]);
    let verifier =
        Verifier::builder(loaded.keys).issuer("https://zitadel.example").audience("1").build().unwrap();
    let claims = json!({ "iss": "https://zitadel.example", "aud": ["1", "2"] });
    let sample = Sample::rs256(json!({ "kid": "226872436985234564" }), claims);
    sample.check(&verifier);
    let number = sample.headed(json!({ "kid": 226_872_436_985_234_564_u64 }));
    assert_eq!(refusal(&verifier, &number), VerifyError::InvalidHeader { name: "kid" });
}

#[test]
fn apple_booleans_as_texts_are_read_by_a_type_that_expects_them() {
    #[derive(serde::Deserialize)]
    struct User {
        email_verified: String,
    }
    #[derive(serde::Deserialize, Debug)]
    struct Strict {
        #[allow(dead_code)]
        email_verified: bool,
    }
    // Several keys at once, with short names.
    let entry = |key: &PrivateKey, kid: &str| jwk(key, json!({ "kid": kid, "use": "sig", "alg": "RS256" }));
    let entries = vec![entry(&second_rsa(), "fh6Bs8C"), entry(&rsa(), "lVHdOx8ltR")];
    let loaded = load(entries, &[Algorithm::Rs256]);
    assert_eq!(names(&loaded), [("RS256", Some("fh6Bs8C")), ("RS256", Some("lVHdOx8ltR"))]);
    let verifier = Verifier::builder(loaded.keys)
        .issuer("https://appleid.apple.com")
        .audience("com.example.app")
        .build()
        .unwrap();
    let claims = json!({
        "iss": "https://appleid.apple.com", "aud": "com.example.app", "sub": "001.a.1", "email_verified": "true",
    });
    let sample = Sample::rs256(json!({ "kid": "lVHdOx8ltR" }), claims);
    sample.check(&verifier);
    let token = verifier.at(NOW).verify::<User>(&sample.token()).unwrap();
    assert_eq!(token.claims().email_verified, "true");
    let error = verifier.at(NOW).verify::<Strict>(&sample.token()).unwrap_err();
    assert!(matches!(error, VerifyError::ClaimsMismatch { .. }), "{error:?}");
}

#[test]
fn hydra_audiences_are_a_list_and_a_set_may_be_named_in_the_kid() {
    let names_of_keys = ["4e5c1b1a-6f0c-4f0e-9f5a-2d1c8f0b7a11", "hydra.jwt.access-token"];
    let entry = |key: &PrivateKey, kid: &str| jwk(key, json!({ "kid": kid, "use": "sig", "alg": "RS256" }));
    let entries = vec![entry(&second_rsa(), names_of_keys[0]), entry(&rsa(), names_of_keys[1])];
    let loaded = load(entries, &[Algorithm::Rs256]);
    assert_eq!(names(&loaded), names_of_keys.map(|name| ("RS256", Some(name))));
    let builder =
        Verifier::builder(loaded.keys).issuer("https://hydra.example/").audience("https://api.example");
    let verifier = builder.build().unwrap();
    let claims = json!({
        "iss": "https://hydra.example/", "aud": ["https://api.example", "https://other.example"], "scp": ["read"],
    });
    let sample = Sample::rs256(json!({ "kid": names_of_keys[1], "typ": "JWT" }), claims);
    sample.check(&verifier);
    refused(&verifier, &sample.with(json!({ "aud": [] })), "token is not meant for \"https://api.example\"");
    // Its access tokens are no JWTs by default.
    let opaque = refusal(&verifier, "ory_at_8fq2b1kqZ3o.5m0xO3fC9mA");
    assert_eq!(opaque.code(), "not_a_token");
}

#[test]
fn logto_access_token_with_es384() {
    let entry = jwk(&p384(), json!({ "kid": "l", "use": "sig", "alg": "ES384" }));
    let loaded = load(vec![entry], &[Algorithm::Es384]);
    let builder = Verifier::builder(loaded.keys)
        .issuer("https://tenant.logto.app/oidc")
        .audience("https://api.example");
    let header = json!({ "alg": "ES384", "kid": "l", "typ": "at+jwt" });
    let claims = json!({ "iss": "https://tenant.logto.app/oidc", "aud": "https://api.example" });
    let sample = Sample::new(p384().es384().unwrap(), header, claims);
    assert_accepted(&builder.clone().typ("at+jwt").build().unwrap(), &sample.token());
    refused(&builder.build().unwrap(), &sample.token(), "token is not of type \"JWT\"");
}

/// canaille 0.3.6: no `use` and no `alg`, an Ed25519 key first.
fn canaille_set() -> Vec<Value> {
    let ed25519 = private(include_str!("data/ed25519.pem"));
    let thumbprint = |key: &PrivateKey| key.public_key().unwrap().thumbprint().unwrap().to_string();
    [ed25519, rsa()].iter().map(|key| jwk(key, json!({ "kid": thumbprint(key) }))).collect()
}

fn canaille_sample(alg: &str) -> Sample {
    let kid = rsa().public_key().unwrap().thumbprint().unwrap().to_string();
    let key = rsa().signing_key(alg.parse().unwrap()).unwrap();
    let claims = json!({ "iss": "http://localhost:5000", "aud": ["client"], "sub": "ann", "auth_time": 1_796_133_425.086_015_f64 });
    Sample::new(key, json!({ "typ": "JWT", "alg": alg, "kid": kid }), claims)
}

#[test]
fn canaille_keys_without_use_and_alg_verify_rs256_and_rs512() {
    let loaded = load(canaille_set(), &[Algorithm::Rs256, Algorithm::Rs512, Algorithm::Ed25519]);
    let kinds: Vec<_> = names(&loaded).into_iter().map(|(algorithm, _)| algorithm).collect();
    assert_eq!(kinds, ["EdDSA", "RS256", "RS512"]);
    let verifier =
        Verifier::builder(loaded.keys).issuer("http://localhost:5000").audience("client").build().unwrap();
    for alg in ["RS256", "RS512"] {
        assert_accepted(&verifier, &canaille_sample(alg).token());
    }
    assert_eq!(refusal(&verifier, &canaille_sample("PS256").token()), VerifyError::UnknownKey);
}

#[test]
fn canaille_auth_time_has_a_fraction_and_an_empty_aud_is_the_wrong_audience() {
    #[derive(Deserialize)]
    struct Login {
        auth_time: f64,
    }
    let loaded = load(canaille_set(), &[Algorithm::Rs512]);
    let verifier =
        Verifier::builder(loaded.keys).issuer("http://localhost:5000").audience("client").build().unwrap();
    let sample = canaille_sample("RS512");
    let token = verifier.at(NOW).verify::<Login>(&sample.token()).unwrap();
    assert!((token.claims().auth_time - 1_796_133_425.086).abs() < 0.01);
    let error = refusal(&verifier, &sample.with(json!({ "aud": [] })));
    assert!(matches!(error, VerifyError::WrongAudience { .. }), "{error:?}");
    assert_eq!(error.to_string(), "token is not meant for \"client\"");
}

/// lemonldap-ng 2.16.1: one key, with `use` and without `alg`. Its `kid` is absent unless it is set.
#[test]
fn lemonldap_no_kid_in_the_key_and_in_the_token() {
    let loaded = load(vec![jwk(&rsa(), json!({ "use": "sig" }))], &[Algorithm::Rs256]);
    assert_eq!(names(&loaded), [("RS256", None)]);
    let verifier =
        Verifier::builder(loaded.keys).issuer("http://auth.example.com/").audience("c1").build().unwrap();
    let claims = json!({ "iss": "http://auth.example.com/", "aud": ["c1"], "sub": "dwho" });
    let sample = Sample::rs256(json!({ "typ": "JWT" }), claims);
    assert_accepted(&verifier, &sample.token());
    refused(
        &verifier,
        &sample.with(json!({ "iss": "http://auth.example.com" })),
        "token is not issued by \"http://auth.example.com/\": it has \"http://auth.example.com/\" without the slash at the end",
    );
    let other = second_rsa().rs256().unwrap();
    assert_eq!(refusal(&verifier, &sample.sign(&other, json!({}), json!({}))), VerifyError::InvalidSignature);
}

#[test]
fn lemonldap_rotation_replaces_the_only_key_at_once() {
    let before = load(vec![jwk(&rsa(), json!({ "use": "sig", "kid": "a/.9" }))], &[Algorithm::Rs256]);
    let after = load(vec![jwk(&second_rsa(), json!({ "use": "sig", "kid": "b/.9" }))], &[Algorithm::Rs256]);
    let old =
        Verifier::builder(before.keys).issuer("http://auth.example.com/").no_audience().build().unwrap();
    let sample =
        Sample::rs256(json!({ "typ": "JWT", "kid": "a/.9" }), json!({ "iss": "http://auth.example.com/" }));
    sample.check(&old);
    assert_eq!(refusal(&old.with_keys(after.keys), &sample.token()), VerifyError::UnknownKey);
}

#[test]
fn django_oauth_toolkit_empty_set_of_a_server_with_hs256() {
    let loaded = KeySet::from_jwks(r#"{"keys": []}"#, &[Algorithm::Rs256]).unwrap();
    assert!(loaded.keys.is_empty() && loaded.skipped.is_empty());
    let verifier = Verifier::builder(loaded.keys).issuer("http://host/o").audience("c").build().unwrap();
    let sample =
        Sample::rs256(json!({ "kid": "a", "typ": "JWT" }), json!({ "iss": "http://host/o", "aud": "c" }));
    assert_eq!(refusal(&verifier, &sample.token()), VerifyError::UnknownKey);
    // Its HS256 tokens have no `kid`, and the secret of the client is the key.
    let key = HmacKey::hs256(&SecretBytes::from_bytes(b"a-client-secret-of-at-least-32-bytes")).unwrap();
    let verifier = Verifier::builder(key.clone()).issuer("http://host/o").audience("c").build().unwrap();
    assert_accepted(&verifier, &sample.sign(&key, json!({ "alg": "HS256", "kid": null }), json!({})));
}

#[test]
fn oidc_provider_two_rsa_keys_without_alg_and_no_typ() {
    let entries = vec![
        jwk(&rsa(), json!({ "kid": "first", "use": "sig" })),
        jwk(&second_rsa(), json!({ "kid": "second", "use": "sig" })),
    ];
    let loaded = load(entries, &[Algorithm::Rs256, Algorithm::Ps256]);
    assert_eq!(
        names(&loaded),
        [
            ("PS256", Some("first")),
            ("PS256", Some("second")),
            ("RS256", Some("first")),
            ("RS256", Some("second"))
        ]
    );
    let verifier = Verifier::builder(loaded.keys).issuer("http://op.example").audience("c").build().unwrap();
    let claims = json!({ "iss": "http://op.example", "aud": "c", "sub": "ann" });
    let sample = Sample::rs256(json!({ "kid": "first" }), claims);
    sample.check(&verifier);
    assert_accepted(&verifier, &sample.sign(&rsa().ps256().unwrap(), json!({ "alg": "PS256" }), json!({})));
    // Without a `kid`, either key may be meant.
    assert_eq!(refusal(&verifier, &sample.headed(json!({ "kid": null }))), VerifyError::AmbiguousKey);
    refused(&verifier, &sample.headed(json!({ "typ": "logout+jwt" })), "token is not of type \"JWT\"");
}

#[test]
fn oauth2_mock_server_keys_of_several_algorithms_sign_in_turn() {
    let [rs, ec] = ["a", "b"].map(|digit| digit.repeat(80));
    let entries = vec![
        jwk(&rsa(), json!({ "kid": rs, "alg": "RS256" })),
        jwk(&p256(), json!({ "kid": ec, "alg": "ES256" })),
    ];
    let loaded = load(entries, &[Algorithm::Rs256, Algorithm::Es256]);
    let verifier =
        Verifier::builder(loaded.keys).issuer("http://localhost:8080").audience("c").build().unwrap();
    let claims = json!({ "iss": "http://localhost:8080", "aud": "c", "nbf": NOW.as_secs() - 70 });
    let [first, second] = [
        Sample::rs256(json!({ "typ": "JWT", "kid": rs }), claims.clone()),
        Sample::es256(json!({ "typ": "JWT", "kid": ec }), claims),
    ];
    first.check(&verifier);
    second.check(&verifier);
    // A request without a client id makes a token without an audience.
    refused(&verifier, &first.with(json!({ "aud": null })), "claim aud is missing");
}

// ---- for publishers ----

/// The members that PyJWT, jose, joserfc and browsers need.
#[test]
fn a_set_that_we_publish_has_kid_use_and_alg_and_no_member_that_others_refuse() {
    let mut keys = KeySet::new();
    keys.insert(rsa().rs256().unwrap().verifying_key().with_key_id("rs").unwrap()).unwrap();
    keys.insert(p256().es256().unwrap().verifying_key().with_key_id("es").unwrap()).unwrap();
    let ed25519 = private(include_str!("data/ed25519.pem")).ed25519().unwrap();
    keys.insert(ed25519.verifying_key().with_key_id("ed").unwrap()).unwrap();
    let published: Value = serde_json::from_str(&keys.to_jwks().unwrap()).unwrap();
    let mut found = Vec::new();
    for key in published["keys"].as_array().unwrap() {
        let mut members: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
        members.sort_unstable();
        let text = |name: &str| key[name].as_str().unwrap().to_owned();
        assert_eq!(text("use"), "sig");
        assert!(!key.to_string().contains('=') && !key.to_string().contains("null"), "{key}");
        found.push((text("kid"), text("alg"), members.join(" ")));
    }
    found.sort_unstable();
    let expected = [
        ("ed", "EdDSA", "alg crv kid kty use x"),
        ("es", "ES256", "alg crv kid kty use x y"),
        ("rs", "RS256", "alg e kid kty n use"),
    ];
    assert_eq!(
        found,
        expected.map(|(kid, alg, members)| (kid.to_owned(), alg.to_owned(), members.to_owned()))
    );
}

/// `PublicKey` has no name, so each of these keys gets one.
#[test]
fn a_key_without_a_name_is_published_under_its_thumbprint_and_its_tokens_need_it() {
    let public = PublicKey::from_pem(RSA_PUBLIC).unwrap();
    let mut keys = KeySet::new();
    keys.insert(public.rs256().unwrap()).unwrap();
    let kid = public.thumbprint().unwrap().to_string();
    let loaded = KeySet::from_jwks(&keys.to_jwks().unwrap(), &[Algorithm::Rs256]).unwrap();
    assert_eq!(names(&loaded), [("RS256", Some(&*kid))]);
    let verifier = Verifier::builder(loaded.keys).issuer("i").no_audience().build().unwrap();
    Sample::rs256(json!({ "kid": kid }), json!({ "iss": "i" })).check(&verifier);
}
