//! ID tokens: the examples of [OpenID Connect Core 1.0](https://openid.net/specs/openid-connect-core-1_0.html), and each of its
//! requirements.
#![allow(clippy::needless_pass_by_value, reason = "a caller passes json!(..) as it is")]
#![allow(unexpected_cfgs, reason = "tests/unification, which runs it too, has no feature ml-dsa")]

mod util;

use countersign::profile::{IdTokenVerifier, Login};
use countersign::{Algorithm, PolicyError, Token, Verifier, VerifyError};
#[cfg(any(feature = "ecdsa", feature = "ed25519", feature = "ml-dsa"))]
use countersign::{PrivateKey, SigningKey};
use serde_json::{Value, json};
use util::{
    HEADER, NOW, assert_discreet_about_token, b64, changed, jwt, key, later, seconds, signed, signed_with,
};

const ISSUER: &str = "https://op.example";
const CLIENT: &str = "client-1";
const NONCE: &str = "n-0S6_WzA2Mj";

fn verifier() -> IdTokenVerifier {
    made_of(key()).algorithm(Algorithm::Hs256)
}

fn made_of(keys: impl Into<countersign::Keys>) -> IdTokenVerifier {
    IdTokenVerifier::new(Verifier::builder(keys).issuer(ISSUER), CLIENT).unwrap()
}

/// The claims of a usual ID token, with these in addition or in place; `null` removes a claim.
fn claims(changes: Value) -> String {
    let claims = json!({
        "iss": ISSUER, "sub": "ann", "aud": CLIENT, "iat": NOW.as_secs(), "exp": NOW.as_secs() + 300, "nonce": NONCE,
    });
    changed(&claims, changes).to_string()
}

fn token(changes: Value) -> String {
    jwt(claims(changes))
}

#[track_caller]
fn accepted_by(verifier: &IdTokenVerifier, text: &str, login: &Login<'_>) -> Token<Value> {
    verifier.verify_at::<()>(text, login, NOW).unwrap();
    verifier.verify_at(text, login, NOW).unwrap()
}

#[track_caller]
fn refused_by(verifier: &IdTokenVerifier, text: &str, login: &Login<'_>) -> VerifyError {
    let error = verifier.verify_at::<Value>(text, login, NOW).unwrap_err();
    assert_eq!(verifier.verify_at::<()>(text, login, NOW).unwrap_err(), error);
    assert_discreet_about_token(core::slice::from_ref(&error), text);
    error
}

fn usual() -> Login<'static> {
    Login::new(NONCE)
}

#[track_caller]
fn accepted(changes: Value) -> Token<Value> {
    accepted_by(&verifier(), &token(changes), &usual())
}

#[track_caller]
fn refused(changes: Value) -> VerifyError {
    refused_by(&verifier(), &token(changes), &usual())
}

fn missing(claim: &'static str) -> VerifyError {
    VerifyError::MissingClaim { claim: claim.into() }
}

const fn wrong(claim: &'static str) -> VerifyError {
    VerifyError::WrongClaim { claim }
}

// ---- appendix A ----

/// Appendix A.7.
#[cfg(feature = "rsa-verify")]
const SPEC_KEY: &str = r#"{"kty":"RSA","kid":"1e9gdk7","e":"AQAB","n":"w7Zdfmece8iaB0kiTY8pCtiBtzbptJmP28nSWwtdjRu0f2GFpajvWE4VhfJAjEsOcwYzay7XGN0b-X84BfC8hmCTOj2b2eHT7NsZegFPKRUQzJ9wW8ipn_aDJWMGDuB1XyqT1E7DYqjUCEOD1b4FLpy_xPn6oV_TYOfQ9fZdbE5HGxJUzekuGcOKqOQ8M7wfYHhHHLxGpQVgL0apWuP2gDDOdTtpuld4D2LK1MZK99s9gaSjRHE8JDb1Z4IGhEcEyzkxswVdPndUWzfvWBBWXWxtSUvQGBRkuy1BHOa4sP6FKjWEeeF7gm7UMs2Nm2QUgNZw6xvEDGaLk4KASdIxRQ"}"#;

/// Appendices A.2, A.3 and A.6: the segments after the header, which is the same in all.
#[cfg(feature = "rsa-verify")]
const SPEC_TOKENS: [&str; 3] = [
    "ewogImlzcyI6ICJodHRwOi8vc2VydmVyLmV4YW1wbGUuY29tIiwKICJzdWIiOiAiMjQ4Mjg5NzYxMDAxIiwKICJhdWQiOiAiczZCaGRSa3F0MyIsCiAibm9uY2UiOiAibi0wUzZfV3pBMk1qIiwKICJleHAiOiAxMzExMjgxOTcwLAogImlhdCI6IDEzMTEyODA5NzAsCiAibmFtZSI6ICJKYW5lIERvZSIsCiAiZ2l2ZW5fbmFtZSI6ICJKYW5lIiwKICJmYW1pbHlfbmFtZSI6ICJEb2UiLAogImdlbmRlciI6ICJmZW1hbGUiLAogImJpcnRoZGF0ZSI6ICIwMDAwLTEwLTMxIiwKICJlbWFpbCI6ICJqYW5lZG9lQGV4YW1wbGUuY29tIiwKICJwaWN0dXJlIjogImh0dHA6Ly9leGFtcGxlLmNvbS9qYW5lZG9lL21lLmpwZyIKfQ.rHQjEmBqn9Jre0OLykYNnspA10Qql2rvx4FsD00jwlB0Sym4NzpgvPKsDjn_wMkHxcp6CilPcoKrWHcipR2iAjzLvDNAReF97zoJqq880ZD1bwY82JDauCXELVR9O6_B0w3K-E7yM2macAAgNCUwtik6SjoSUZRcf-O5lygIyLENx882p6MtmwaL1hd6qn5RZOQ0TLrOYu0532g9Exxcm-ChymrB4xLykpDj3lUivJt63eEGGN6DH5K6o33TcxkIjNrCD4XB1CKKumZvCedgHHF3IAK4dVEDSUoGlH9z4pP_eWYNXvqQOjGs-rDaQzUHl6cQQWNiDpWOl_lxXjQEvQ",
    "ewogImlzcyI6ICJodHRwOi8vc2VydmVyLmV4YW1wbGUuY29tIiwKICJzdWIiOiAiMjQ4Mjg5NzYxMDAxIiwKICJhdWQiOiAiczZCaGRSa3F0MyIsCiAibm9uY2UiOiAibi0wUzZfV3pBMk1qIiwKICJleHAiOiAxMzExMjgxOTcwLAogImlhdCI6IDEzMTEyODA5NzAsCiAiYXRfaGFzaCI6ICI3N1FtVVB0alBmeld0RjJBbnBLOVJRIgp9.F9gRev0Dt2tKcrBkHy72cmRqnLdzw9FLCCSebV7mWs7o_sv2O5s6zMky2kmhHTVx9HmdvNnx9GaZ8XMYRFeYk8L5NZ7aYlA5W56nsG1iWOou_-gji0ibWIuuf4Owaho3YSoi7EvsTuLFz6tq-dLyz0dKABMDsiCmJ5wqkPUDTE3QTXjzbUmOzUDli-gCh5QPuZAq0cNW3pf_2n4zpvTYtbmj12cVcxGIMZby7TMWESRjQ9_o3jvhVNcCGcE0KAQXejhA1ocJhNEvQNqMFGlBb6_0RxxKjDZ-Oa329eGDidOvvp0h5hoES4a8IuGKS7NOcpp-aFwp0qVMDLI-Xnm-Pg",
    "ewogImlzcyI6ICJodHRwOi8vc2VydmVyLmV4YW1wbGUuY29tIiwKICJzdWIiOiAiMjQ4Mjg5NzYxMDAxIiwKICJhdWQiOiAiczZCaGRSa3F0MyIsCiAibm9uY2UiOiAibi0wUzZfV3pBMk1qIiwKICJleHAiOiAxMzExMjgxOTcwLAogImlhdCI6IDEzMTEyODA5NzAsCiAiY19oYXNoIjogIkxEa3RLZG9RYWszUGswY25YeENsdEEiCn0.XW6uhdrkBgcGx6zVIrCiROpWURs-4goO1sKA4m9jhJIImiGg5muPUcNegx6sSv43c5DSn37sxCRrDZZm4ZPBKKgtYASMcE20SDgvYJdJS0cyuFw7Ijp_7WnIjcrl6B5cmoM6ylCvsLMwkoQAxVublMwH10oAxjzD6NEFsu9nipkszWhsPePf_rM4eMpkmCbTzume-fzZIi5VjdWGGEmzTg32h3jiex-r5WTHbj-u5HL7u_KP3rmbdYNzlzd1xWRYTUs4E8nOTgzAUwvwXkIQhOh5TPcSMBYy6X3E7-_gr9Ue6n4ND7hTFhtjYs3cjNKIA08qm5cpVYFMFMG6PkhzLQ",
];

#[cfg(feature = "rsa-verify")]
#[test]
fn appendix_a_the_examples_verify_with_their_access_token_and_code() {
    let key = countersign::jwk::Jwk::parse(SPEC_KEY).unwrap().verifying_key(Algorithm::Rs256).unwrap();
    let policy = Verifier::builder(key).issuer("http://server.example.com");
    let verifier = IdTokenVerifier::new(policy, "s6BhdRkqt3").unwrap();
    let now = countersign::UnixTime::from_secs(1_311_281_000);
    let tokens = SPEC_TOKENS.map(|rest| format!("eyJraWQiOiIxZTlnZGs3IiwiYWxnIjoiUlMyNTYifQ.{rest}"));
    let (access_token, code) = (
        "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y",
        "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk",
    );
    let received = [usual(), usual().access_token(access_token), usual().code(code)];
    for (text, login) in tokens.iter().zip(&received) {
        let token = verifier.verify_at::<()>(text, &login.clone().through_browser(), now).unwrap();
        assert_eq!(token.subject(), Some("248289761001"));
    }
    // A.4 has both hashes, of the same two texts.
    let other = usual().access_token(code).code(access_token).through_browser();
    assert_eq!(verifier.verify_at::<()>(&tokens[1], &other, now).unwrap_err(), wrong("at_hash"));
    let other = usual().code(access_token).through_browser();
    assert_eq!(verifier.verify_at::<()>(&tokens[2], &other, now).unwrap_err(), wrong("c_hash"));
    let other = usual().code(code).through_browser();
    assert_eq!(verifier.verify_at::<()>(&tokens[1], &other, now).unwrap_err(), missing("c_hash"));
}

// ---- the requirements ----

#[test]
fn s216_the_five_claims_are_required_and_a_subject_has_at_most_255_ascii_characters() {
    accepted(json!({}));
    for claim in ["iss", "sub", "aud", "exp", "iat"] {
        assert_eq!(refused(json!({ claim: null })), missing(claim));
    }
    let any = Verifier::builder(key()).accept_any_issuer();
    let any = IdTokenVerifier::new(any, CLIENT).unwrap().algorithm(Algorithm::Hs256);
    assert_eq!(refused_by(&any, &token(json!({"iss": null})), &usual()), missing("iss"));
    // A policy cannot make `exp` optional.
    let endless = Verifier::builder(key()).issuer(ISSUER).allow_missing_expiration();
    let error = IdTokenVerifier::new(endless, CLIENT).unwrap_err();
    assert!(matches!(error, PolicyError::Contradiction { .. }), "{error}");
    assert_eq!(accepted(json!({"sub": "a".repeat(255)})).subject().unwrap().len(), 255);
    assert_eq!(refused(json!({"sub": "a".repeat(256)})), wrong("sub"));
    assert_eq!(refused(json!({"sub": "änn"})), wrong("sub"));
}

#[test]
fn s217_another_audience_must_be_trusted() {
    // With a key pair in the place of the secret, which has a rule of its own.
    let other = "https://other.example";
    let text = token(json!({"aud": [CLIENT, other]}));
    assert_eq!(refused_by(&verifier(), &text, &usual()), VerifyError::UntrustedAudience);
    assert!(matches!(refused(json!({"aud": [other]})), VerifyError::WrongAudience { .. }));
    assert!(matches!(refused(json!({"aud": []})), VerifyError::WrongAudience { .. }));
    // A policy that names an audience itself would accept tokens for another client.
    for policy in [
        Verifier::builder(key()).issuer(ISSUER).audience(other),
        Verifier::builder(key()).issuer(ISSUER).no_audience(),
        Verifier::builder(key()).issuer(ISSUER).accept_any_audience(),
    ] {
        let error = IdTokenVerifier::new(policy, CLIENT).unwrap_err();
        assert_eq!(error, PolicyError::Contradiction { first: "audience", second: "IdTokenVerifier" });
    }
    let policy = Verifier::builder(key()).issuer(ISSUER);
    assert_eq!(IdTokenVerifier::new(policy, "").unwrap_err(), PolicyError::Empty { setting: "audience" });
}

#[cfg(feature = "ecdsa")]
#[test]
fn s217_s218_of_several_audiences_each_is_trusted_and_the_authorized_party_is_the_client() {
    let (key, verifier) = p256();
    let other = "https://other.example";
    let text = |changes| signed_with(&key, r#"{"alg":"ES256"}"#, claims(changes));
    let several = text(json!({"aud": [other, CLIENT]}));
    assert_eq!(refused_by(&verifier, &several, &usual()), VerifyError::UntrustedAudience);
    let trusting = verifier.trust_audience("https://third.example").trust_audience(other);
    accepted_by(&trusting, &several, &usual());
    // Trust in an audience does not replace the client.
    let error = refused_by(&trusting, &text(json!({"aud": other})), &usual());
    assert!(matches!(error, VerifyError::WrongAudience { .. }));

    let careful = trusting.clone().require_authorized_party();
    assert_eq!(refused_by(&careful, &several, &usual()), missing("azp"));
    accepted_by(&careful, &text(json!({})), &usual());
    accepted_by(&careful, &text(json!({"aud": [other, CLIENT], "azp": CLIENT})), &usual());
    for verifier in [&careful, &trusting] {
        let error = refused_by(verifier, &text(json!({"aud": [other, CLIENT], "azp": other})), &usual());
        assert_eq!(error, wrong("azp"));
    }
}

#[test]
fn s218_an_authorized_party_that_is_not_the_client_is_refused() {
    accepted(json!({"azp": CLIENT}));
    assert_eq!(refused(json!({"azp": "client-10"})), wrong("azp"));
    let error = refused(json!({"azp": [CLIENT]}));
    assert_eq!(error, VerifyError::MalformedClaim { claim: "azp", found: Some("an array") });
    assert_eq!(error.to_string(), "claim azp must be a string, not an array");
}

#[test]
fn s219_only_the_registered_algorithm_is_accepted_and_it_is_rs256_by_default() {
    let error = refused_by(&made_of(key()), &token(json!({})), &usual());
    assert_eq!(error, VerifyError::WrongAlgorithm { expected: Algorithm::Rs256, token: Algorithm::Hs256 });
    assert_eq!(error.to_string(), "token is signed with HS256, but the client is registered with RS256");
    let unsigned = format!("{}.{}.", b64(r#"{"alg":"none"}"#), b64(claims(json!({}))));
    for login in [usual(), usual().through_browser(), Login::without_nonce()] {
        assert_eq!(refused_by(&verifier(), &unsigned, &login), VerifyError::UnsupportedAlgorithm);
    }
}

#[test]
fn s220_a_client_secret_is_a_key_for_one_audience() {
    // Each of these is a text of another encoding too. The key is made of its UTF-8.
    for secret in [
        "bm90LWJhc2U2NC1idXQtdGhlLXRleHQtYXMtaXQtaXM=",
        "00112233445566778899aabbccddeeff",
        "секрет клиента номер 1",
    ] {
        let key = countersign::HmacKey::hs256(&countersign::SecretBytes::from_bytes(secret)).unwrap();
        let verifier = made_of(key).algorithm(Algorithm::Hs256);
        let input = format!("{}.{}", b64(HEADER), b64(claims(json!({}))));
        let mac = <hmac::Hmac<sha2::Sha256> as hmac::KeyInit>::new_from_slice(secret.as_bytes()).unwrap();
        let mac = hmac::Mac::chain_update(mac, &input);
        let text = format!("{input}.{}", b64(hmac::Mac::finalize(mac).into_bytes()));
        accepted_by(&verifier, &text, &usual());
    }
    let text = token(json!({"aud": [CLIENT, "trusted"]}));
    let error = refused_by(&verifier().trust_audience("trusted"), &text, &usual());
    assert_eq!(error, VerifyError::UntrustedAudience);
    accepted(json!({"aud": [CLIENT]}));
    assert_eq!(refused(json!({"azp": "another"})), wrong("azp"));
    let short = countersign::HmacKey::hs256(&countersign::SecretBytes::from_bytes("a client secret"));
    assert_eq!(short.unwrap_err().code(), "secret_too_short");
}

#[test]
fn s221_the_nonce_of_the_login_is_required() {
    assert_eq!(refused(json!({"nonce": null})), missing("nonce"));
    assert_eq!(refused(json!({"nonce": "n-0S6_WzA2MJ"})), wrong("nonce"));
    assert_eq!(refused(json!({"nonce": ""})), wrong("nonce"));
    assert_eq!(refused_by(&verifier(), &token(json!({"nonce": ""})), &Login::new("")), wrong("nonce"));
    let malformed = |nonce: &str| jwt(claims(json!({})).replace(&format!("\"{NONCE}\""), nonce));
    for (nonce, found) in [("null", "null"), ("7", "a number"), (r#"["n-0S6_WzA2Mj"]"#, "an array")] {
        let error = refused_by(&verifier(), &malformed(nonce), &usual());
        assert_eq!(error, VerifyError::MalformedClaim { claim: "nonce", found: Some(found) });
    }
    // The name and the value may be escaped.
    let escaped = malformed(r#""\u006e-0S6_WzA2Mj""#);
    accepted_by(&verifier(), &escaped, &usual());
    let escaped = jwt(claims(json!({})).replace("\"nonce\"", r#""\u006eonce""#));
    accepted_by(&verifier(), &escaped, &usual());
    // A nonce inside another claim does not count.
    assert_eq!(refused(json!({"nonce": null, "a": {"nonce": NONCE}})), missing("nonce"));
}

#[test]
fn s221_a_nonce_that_was_used_fails_the_second_time() {
    // As the page on profiles shows it.
    let (text, mut session) = (token(json!({})), Some(NONCE.to_owned()));
    let mut log_in = || {
        let nonce = session.take()?;
        verifier().verify_at::<()>(&text, &Login::new(&nonce), NOW).ok()
    };
    assert!(log_in().is_some());
    assert!(log_in().is_none());
}

#[test]
fn a_login_without_a_nonce_refuses_a_nonce_and_needs_a_hash() {
    let login = Login::without_nonce();
    assert_eq!(refused_by(&verifier(), &token(json!({})), &login), wrong("nonce"));
    assert_eq!(refused_by(&verifier(), &token(json!({"nonce": null})), &login), missing("at_hash"));
    accepted_by(&verifier(), &token(json!({"nonce": null, "at_hash": "77QmUPtjPfzWtF2AnpK9RQ"})), &login);
    accepted_by(&verifier(), &token(json!({"nonce": null, "c_hash": "LDktKdoQak3Pk0cnXxCltA"})), &login);
}

#[test]
fn s222_auth_time_is_required_and_bounded_when_an_age_was_asked_for() {
    let login = usual().authenticated_within(seconds(600));
    let at = |seconds: f64| token(json!({"auth_time": NOW.as_secs() as f64 + seconds}));
    assert_eq!(refused_by(&verifier(), &token(json!({})), &login), missing("auth_time"));
    // The leeway is 30 seconds. Some providers write fractions.
    for age in [0.0, -600.0, -630.0, 20.0, -629.75] {
        accepted_by(&verifier(), &at(age), &login);
    }
    for age in [-631.0, -630.25] {
        let error = refused_by(&verifier(), &at(age), &login);
        let expected = VerifyError::AuthenticationTooOld {
            authenticated_at: later(-631),
            max_age: seconds(600),
            now: NOW,
        };
        assert_eq!(error, expected);
        assert!(!error.is_expired());
    }
    let now = usual().authenticated_within(seconds(0));
    accepted_by(&verifier(), &at(-30.0), &now);
    assert_eq!(refused_by(&verifier(), &at(-31.0), &now).code(), "authentication_too_old");
    // It is read even if no age was asked for.
    for login in [usual(), login] {
        let error = refused_by(&verifier(), &token(json!({"auth_time": "1700000000"})), &login);
        assert_eq!(error, VerifyError::MalformedClaim { claim: "auth_time", found: Some("a string") });
    }
}

#[test]
fn s223_acr_is_one_of_the_requested_values_and_the_age_of_iat_can_be_bounded() {
    let login = usual().acr_values(&["urn:loa:2", "urn:loa:3"]);
    accepted_by(&verifier(), &token(json!({"acr": "urn:loa:3"})), &login);
    assert_eq!(refused_by(&verifier(), &token(json!({"acr": "urn:loa:1"})), &login), wrong("acr"));
    assert_eq!(refused_by(&verifier(), &token(json!({})), &login), missing("acr"));
    assert_eq!(
        refused(json!({"acr": 1})),
        VerifyError::MalformedClaim { claim: "acr", found: Some("a number") }
    );
    let nothing = usual().acr_values(&[]);
    assert_eq!(refused_by(&verifier(), &token(json!({"acr": "urn:loa:1"})), &nothing), wrong("acr"));

    let policy = Verifier::builder(key()).issuer(ISSUER).max_age(seconds(60));
    let young = IdTokenVerifier::new(policy, CLIENT).unwrap().algorithm(Algorithm::Hs256);
    let old = token(json!({"iat": NOW.as_secs() - 91}));
    assert!(matches!(refused_by(&young, &old, &usual()), VerifyError::TooOld { .. }));
    accepted_by(&young, &token(json!({"iat": NOW.as_secs() - 90})), &usual());
}

/// The access token of appendix A.3, and its hashes with SHA-256, SHA-384 and SHA-512 by another program.
const ACCESS_TOKEN: &str = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
const HASHES: [&str; 3] = [HASH_256, HASH_384, HASH_512];
const HASH_256: &str = "77QmUPtjPfzWtF2AnpK9RQ";
const HASH_384: &str = "jtAeDp945y1dDqU3nkIVGNZP1HjH_MFs";
const HASH_512: &str = "q7nS86GgvvFaZkzALLWqJYaJIKw2wCDAVfCAsm5CrBM";

#[test]
fn s224_the_hash_follows_from_the_algorithm_of_the_token() {
    use countersign::{HmacKey, SecretBytes};
    let secret = SecretBytes::from_bytes([7; 64]);
    for (algorithm, expected) in
        [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512].into_iter().zip(HASHES)
    {
        let key = HmacKey::new(algorithm, &secret).unwrap();
        let verifier = made_of(key.clone()).algorithm(algorithm);
        for hash in HASHES {
            let header = format!(r#"{{"alg":"{algorithm}"}}"#);
            let text = signed_with(&key, header, claims(json!({"at_hash": hash})));
            let login = usual().access_token(ACCESS_TOKEN);
            if hash == expected {
                accepted_by(&verifier, &text, &login);
            } else {
                assert_eq!(refused_by(&verifier, &text, &login), wrong("at_hash"));
            }
        }
    }
    let padded = token(json!({"at_hash": format!("{HASH_256}==")}));
    assert_eq!(refused_by(&verifier(), &padded, &usual().access_token(ACCESS_TOKEN)), wrong("at_hash"));
}

#[cfg(feature = "ed25519")]
#[test]
fn s225_the_hash_of_ed25519_is_sha_512() {
    let key: SigningKey = PrivateKey::from_pem(include_str!("data/ed25519.pem")).unwrap().ed25519().unwrap();
    let verifier = made_of(key.verifying_key()).algorithm(Algorithm::Ed25519);
    for name in ["EdDSA", "Ed25519"] {
        let text = |hash: &str| {
            signed_with(&key, format!(r#"{{"alg":"{name}"}}"#), claims(json!({"at_hash": hash})))
        };
        accepted_by(&verifier, &text(HASH_512), &usual().access_token(ACCESS_TOKEN));
        let error = refused_by(&verifier, &text(HASH_256), &usual().access_token(ACCESS_TOKEN));
        assert_eq!(error, wrong("at_hash"));
    }
}

#[cfg(feature = "ml-dsa")]
#[test]
fn s225_no_hash_is_computed_for_ml_dsa() {
    let private = PrivateKey::from_pem(include_str!("data/ml_dsa_44_seed.pem")).unwrap();
    let key: SigningKey = private.signing_key_with(Algorithm::MlDsa44, util::Counting).unwrap();
    let verifier = made_of(key.verifying_key()).algorithm(Algorithm::MlDsa44);
    let text = |changes| signed_with(&key, r#"{"alg":"ML-DSA-44"}"#, claims(changes));
    let login = usual().access_token(ACCESS_TOKEN);
    let error = refused_by(&verifier, &text(json!({"at_hash": HASH_256})), &login);
    assert_eq!(error, VerifyError::HashUndefined { algorithm: Algorithm::MlDsa44 });
    assert!(error.to_string().contains("ML-DSA-44"));
    // Nothing has to be computed here.
    accepted_by(&verifier, &text(json!({})), &login);
    accepted_by(&verifier, &text(json!({"at_hash": HASH_256})), &usual());
}

#[test]
fn s226_at_hash_is_required_through_the_browser_and_checked_when_present() {
    let login = usual().access_token(ACCESS_TOKEN);
    accepted_by(&verifier(), &token(json!({})), &login);
    accepted_by(&verifier(), &token(json!({"at_hash": HASH_256})), &login);
    let other = usual().access_token("another access token");
    assert_eq!(refused_by(&verifier(), &token(json!({"at_hash": HASH_256})), &other), wrong("at_hash"));

    let browser = login.through_browser();
    assert_eq!(refused_by(&verifier(), &token(json!({})), &browser), missing("at_hash"));
    accepted_by(&verifier(), &token(json!({"at_hash": HASH_256})), &browser);
    assert_eq!(
        refused(json!({"at_hash": 7})),
        VerifyError::MalformedClaim { claim: "at_hash", found: Some("a number") }
    );
}

#[test]
fn s227_c_hash_and_nonce_are_required_through_the_browser() {
    let code = "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk";
    let hash = "LDktKdoQak3Pk0cnXxCltA";
    let browser = usual().code(code).through_browser();
    assert_eq!(refused_by(&verifier(), &token(json!({})), &browser), missing("c_hash"));
    accepted_by(&verifier(), &token(json!({"c_hash": hash})), &browser);
    assert_eq!(refused_by(&verifier(), &token(json!({"c_hash": HASH_256})), &browser), wrong("c_hash"));
    let both = browser.access_token(ACCESS_TOKEN);
    assert_eq!(refused_by(&verifier(), &token(json!({"c_hash": hash})), &both), missing("at_hash"));
    accepted_by(&verifier(), &token(json!({"c_hash": hash, "at_hash": HASH_256})), &both);

    let without = Login::without_nonce().code(code).through_browser();
    let text = token(json!({"c_hash": hash, "nonce": null}));
    assert_eq!(refused_by(&verifier(), &text, &without), missing("nonce"));
    accepted_by(&verifier(), &token(json!({})), &usual().code(code));
}

#[test]
fn s228_both_tokens_of_the_hybrid_flow_have_one_issuer_and_subject() {
    let policy = Verifier::builder(key()).issuer(ISSUER).issuer("https://op2.example");
    let verifier = IdTokenVerifier::new(policy, CLIENT).unwrap().algorithm(Algorithm::Hs256);
    let first = accepted_by(&verifier, &token(json!({})), &usual().through_browser());
    let login = usual().same_user_as(&first);
    // A later login at the provider does not contradict it.
    accepted_by(&verifier, &token(json!({"auth_time": NOW.as_secs()})), &login);
    let earlier = accepted_by(&verifier, &token(json!({"auth_time": 1_699_990_000})), &usual());
    let after = usual().same_user_as(&earlier);
    accepted_by(&verifier, &token(json!({"auth_time": NOW.as_secs()})), &after);
    assert_eq!(refused_by(&verifier, &token(json!({"sub": "bob"})), &login), wrong("sub"));
    assert_eq!(refused_by(&verifier, &token(json!({"iss": "https://op2.example"})), &login), wrong("iss"));
    assert_eq!(refused_by(&verifier, &token(json!({"nonce": null})), &login), missing("nonce"));
}

#[test]
fn s229_a_refreshed_token_is_of_the_same_user_and_login() {
    let before = accepted(json!({"auth_time": 1_699_990_000}));
    let login = Login::refresh_of(&before);
    for changes in [
        json!({}),
        json!({"nonce": null}),
        json!({"nonce": null, "auth_time": 1_699_990_000}),
        json!({"nonce": null, "auth_time": 1_699_990_000.5}),
    ] {
        accepted_by(&verifier(), &token(changes), &login);
    }
    for (changes, claim) in [
        (json!({"sub": "bob"}), "sub"),
        (json!({"nonce": "of another login"}), "nonce"),
        (json!({"auth_time": 1_699_990_001}), "auth_time"),
        (json!({"azp": "another"}), "azp"),
    ] {
        assert_eq!(refused_by(&verifier(), &token(changes), &login), wrong(claim));
    }
    let error = refused_by(&verifier(), &token(json!({"aud": "client-2"})), &login);
    assert!(matches!(error, VerifyError::WrongAudience { .. }));
    // Of another issuer that the policy accepts too.
    let policy = Verifier::builder(key()).issuer(ISSUER).issuer("https://op2.example");
    let both = IdTokenVerifier::new(policy, CLIENT).unwrap().algorithm(Algorithm::Hs256);
    let other = token(json!({"iss": "https://op2.example"}));
    accepted_by(&both, &other, &usual());
    assert_eq!(refused_by(&both, &other, &login), wrong("iss"));
    // The first token had no nonce, so a second one must have none.
    let without = accepted_by(
        &verifier(),
        &token(json!({"nonce": null, "at_hash": HASH_256})),
        &Login::without_nonce(),
    );
    assert_eq!(refused_by(&verifier(), &token(json!({})), &Login::refresh_of(&without)), wrong("nonce"));
}

#[test]
fn s230_s236_a_typ_of_another_profile_is_refused() {
    let typed = |typ: &str| signed(format!(r#"{{"alg":"HS256","typ":"{typ}"}}"#), claims(json!({})));
    for typ in [
        "at+jwt",
        "application/at+jwt",
        "logout+jwt",
        "dpop+jwt",
        "token-introspection+jwt",
        "secevent+jwt",
        "",
    ] {
        let error = refused_by(&verifier(), &typed(typ), &usual());
        assert!(matches!(error, VerifyError::WrongType { .. }), "{typ}");
    }
    for header in [HEADER, r#"{"alg":"HS256"}"#, r#"{"alg":"HS256","typ":"application/jwt"}"#] {
        accepted_by(&verifier(), &signed(header, claims(json!({}))), &usual());
    }
    for policy in [
        Verifier::builder(key()).issuer(ISSUER).typ("at+jwt"),
        Verifier::builder(key()).issuer(ISSUER).accept_any_typ(),
    ] {
        let error = IdTokenVerifier::new(policy, CLIENT).unwrap_err();
        assert_eq!(error, PolicyError::Contradiction { first: "typ", second: "IdTokenVerifier" });
    }
}

/// The same key, `iss`, `aud` and `typ`: canaille 0.3.6 and lemonldap-ng 2.16.1 sign such tokens.
#[test]
fn an_access_token_that_differs_from_an_id_token_in_claims_only_is_refused() {
    let canaille = json!({"nonce": null, "aud": [CLIENT]});
    let lemonldap =
        json!({"nonce": null, "aud": [CLIENT], "client_id": CLIENT, "jti": "1", "scope": "openid"});
    for (changes, claim) in [(canaille, "nonce"), (lemonldap, "scope")] {
        let error = refused_by(&verifier(), &token(changes), &usual());
        let expected = if claim == "scope" { VerifyError::WrongKind { claim } } else { missing(claim) };
        assert_eq!(error, expected);
    }
    // Also if it has the nonce of the login, as those of former versions of Keycloak.
    for (changes, claim) in [
        (json!({"scope": "openid"}), "scope"),
        (json!({"scp": "User.Read"}), "scp"),
        (json!({"scp": ["openid"]}), "scp"),
        (json!({"typ": "Bearer"}), "typ"),
        (json!({"token_use": "access"}), "token_use"),
        (json!({"events": {"http://schemas.openid.net/event/backchannel-logout": {}}}), "events"),
    ] {
        assert_eq!(refused(changes), VerifyError::WrongKind { claim });
    }
    accepted(json!({"typ": "ID", "token_use": "id"}));
}

#[test]
fn the_errors_of_the_verifier_come_first_and_expired_tokens_are_expired() {
    let error = refused(json!({"exp": NOW.as_secs() - 30, "nonce": "another"}));
    assert!(error.is_expired());
    let forged = signed_with(&util::other_key(), HEADER, claims(json!({})));
    assert_eq!(refused_by(&verifier(), &forged, &usual()), VerifyError::InvalidSignature);
    let rotated = verifier().with_keys(util::other_key());
    accepted_by(&rotated, &forged, &usual());
    assert_eq!(refused_by(&rotated, &token(json!({})), &usual()), VerifyError::InvalidSignature);
}

#[cfg(feature = "ecdsa")]
fn p256() -> (SigningKey, IdTokenVerifier) {
    let key = PrivateKey::from_pem(include_str!("data/p256.pem")).unwrap().es256().unwrap();
    let verifier = made_of(key.verifying_key()).algorithm(Algorithm::Es256);
    (key, verifier)
}
