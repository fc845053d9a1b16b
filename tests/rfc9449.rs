//! DPoP: the examples of [RFC 9449](https://www.rfc-editor.org/rfc/rfc9449), and each of its requirements.
#![cfg(all(feature = "dpop", feature = "ecdsa", feature = "ed25519"))]
#![allow(clippy::needless_pass_by_value, reason = "a caller passes json!(..) as it is")]

mod util;

use countersign::http::RequestError;
use countersign::profile::{
    AccessTokenVerifier, DpopRequest, DpopVerifier, MemoryReplayStore, ProofError, ReplayStore,
};
use countersign::{
    Algorithm, EntropyError, HmacKey, Limits, PolicyError, PrivateKey, SecretBytes, SignError, SignKey,
    SigningKey, Size, UnixTime, Verifier, VerifyError, VerifyingKey,
};
use serde_json::{Value, json};
use std::sync::{Arc, Barrier};
use util::{Counting, NOW, assert_discreet, b64, changed, key, later, seconds, signed, signed_with, unb64};

const URI: &str = "https://server.example/token";

fn p256() -> SigningKey {
    PrivateKey::from_pem(include_str!("data/p256.pem")).unwrap().es256().unwrap()
}

fn ed25519() -> SigningKey {
    PrivateKey::from_pem(include_str!("data/ed25519.pem")).unwrap().ed25519().unwrap()
}

fn verifier() -> DpopVerifier {
    DpopVerifier::new(&[Algorithm::Es256, Algorithm::Ed25519], MemoryReplayStore::new(1000)).unwrap()
}

fn request() -> DpopRequest<'static> {
    DpopRequest::new("POST", URI).unwrap()
}

/// The public key of [`p256`] as a JWK.
fn jwk() -> Value {
    serde_json::from_str(&p256().verifying_key().public_key().unwrap().to_jwk().unwrap()).unwrap()
}

/// A proof by [`p256`] with these changes; `null` removes a member.
fn proof(header: Value, claims: Value) -> String {
    let header = changed(&json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk()}), header);
    let claims = changed(&json!({"jti": "1", "htm": "POST", "htu": URI, "iat": NOW.as_secs()}), claims);
    signed_with(&p256(), header.to_string(), claims.to_string())
}

#[track_caller]
fn accepted(request: &DpopRequest<'_>, proof: &str) {
    verifier().verify(request, proof, NOW).unwrap();
}

#[track_caller]
fn refused(request: &DpopRequest<'_>, proof: &str) -> ProofError {
    let error = verifier().verify(request, proof, NOW).unwrap_err();
    let segments: Vec<String> =
        proof.split('.').take(2).map(|part| String::from_utf8_lossy(&unb64(part)).into_owned()).collect();
    assert_discreet(&error, &[proof, &segments[0], segments.get(1).map_or("", |text| text)]);
    error
}

const BAD_JWK: ProofError = ProofError::Proof(VerifyError::InvalidHeader { name: "jwk" });

// ---- the examples ----

const SPEC_HEADER: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19";
const SPEC_TOKEN_REQUEST: &str = "eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";
const SPEC_RESOURCE: &str = "eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
const SPEC_ACCESS_TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
const SPEC_THUMBPRINT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

#[test]
fn section_5_the_proof_of_the_token_request_verifies_and_has_the_thumbprint_of_section_6_1() {
    let request = DpopRequest::new("POST", "https://server.example.com/token").unwrap();
    let proof = format!("{SPEC_HEADER}.{SPEC_TOKEN_REQUEST}");
    let now = UnixTime::from_secs(1_562_262_616);
    assert_eq!(verifier().verify(&request, &proof, now).unwrap().to_string(), SPEC_THUMBPRINT);
}

#[test]
fn section_7_1_the_proof_of_the_resource_request_verifies_with_its_access_token() {
    let request = DpopRequest::new("GET", "https://resource.example.org/protectedresource").unwrap();
    let proof = format!("{SPEC_HEADER}.{SPEC_RESOURCE}");
    let now = UnixTime::from_secs(1_562_262_618);
    let with = request.clone().access_token(SPEC_ACCESS_TOKEN);
    assert_eq!(verifier().verify(&with, &proof, now).unwrap().to_string(), SPEC_THUMBPRINT);
    let other = request.access_token("another access token");
    assert_eq!(verifier().verify(&other, &proof, now), Err(ProofError::WrongAccessToken));
}

#[test]
fn a_proof_that_is_made_here_has_the_claims_of_section_4_2_and_verifies() {
    for key in [p256(), ed25519(), p256().with_key_id("2026").unwrap()] {
        let request = DpopRequest::new("GET", "HTTPS://API.example:443/a/../orders?page=2#top").unwrap();
        let request = request.access_token("t").nonce("former").nonce("now");
        let proof = request.sign_with(&key, NOW, &Counting).unwrap();
        let parts: Vec<Value> =
            proof.split('.').take(2).map(|part| serde_json::from_slice(&unb64(part)).unwrap()).collect();
        let public: Value =
            serde_json::from_str(&key.verifying_key().public_key().unwrap().to_jwk().unwrap()).unwrap();
        assert_eq!((&parts[0]["typ"], &parts[0]["jwk"]), (&json!("dpop+jwt"), &public));
        let claims = json!({
            "htm": "GET", "htu": "https://api.example/orders", "iat": NOW.as_secs(), "jti": "AAECAwQFBgcICQoLDA0ODw",
            "nonce": "now", "ath": "4-PC-NeGxTEe0GXxQ3kNIAbMhdUnL5eLBNHRAbB5OBY",
        });
        // SHA-256 of `t`, by another program.
        assert_eq!(parts[1].as_object().unwrap().len(), claims.as_object().unwrap().len());
        for (name, value) in claims.as_object().unwrap() {
            assert!(name == "ath" || parts[1][name] == *value, "{name}");
        }
        assert_eq!(parts[1]["ath"], b64(sha256(b"t")));
        let thumbprint = verifier().verify(&request, &proof, NOW).unwrap();
        assert_eq!(thumbprint, key.verifying_key().public_key().unwrap().thumbprint().unwrap());
    }
    #[cfg(feature = "getrandom")]
    assert_ne!(request().sign(&p256()), request().sign(&p256()));
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).to_vec()
}

#[test]
fn a_proof_needs_a_key_with_a_public_half_and_randomness() {
    struct Empty;
    impl countersign::Entropy for Empty {
        fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
            Err(EntropyError::new())
        }
    }
    assert_eq!(request().sign_with(&p256(), NOW, &Empty), Err(SignError::Entropy));
    let elsewhere = VerifyingKey::custom(p256().verifying_key()).unwrap();
    let custom = SigningKey::custom(p256(), elsewhere).unwrap();
    assert_eq!(request().sign_with(&custom, NOW, &Counting), Err(SignError::SigningFailed));
}

// ---- the requirements ----

#[test]
fn s237_there_is_one_header_with_one_proof() {
    let proof = proof(json!({}), json!({}));
    let read = |values: &[&str]| verifier().verify_header(&request(), values, NOW);
    assert!(read(&[&proof]).is_ok());
    let joined = format!("{proof},{proof}");
    let spaced = format!("{proof}, {proof}");
    for (values, expected) in [
        (&[][..], ProofError::MissingProof),
        (&[""], ProofError::MissingProof),
        (&[&*proof, &*proof], ProofError::SeveralProofs),
        (&[&*proof, ""], ProofError::SeveralProofs),
        (&[&*joined], ProofError::SeveralProofs),
        (&[&*spaced], ProofError::SeveralProofs),
    ] {
        let error = read(values).unwrap_err();
        assert_eq!(error, RequestError::Proof(expected));
        assert_eq!(error.challenge().status(), 401);
    }
    let bytes: [&[u8]; 1] = [b"\xff"];
    let error = verifier().verify_header(&request(), bytes, NOW).unwrap_err();
    assert_eq!(error, RequestError::Proof(ProofError::Proof(VerifyError::NotAToken)));
}

#[test]
fn s238_a_private_symmetric_missing_or_malformed_key_is_refused() {
    let private = PrivateKey::from_pem(include_str!("data/p256.pem")).unwrap().to_private_jwk().unwrap();
    let private: Value = serde_json::from_str(private.expose_secret_text().unwrap()).unwrap();
    let public = jwk();
    for jwk in [
        Value::Null,
        private,
        changed(&public, json!({"d": "AA"})),
        json!({"kty": "oct", "k": b64([7; 32])}),
        json!({}),
        json!([public]),
        json!(public.to_string()),
        json!(7),
        changed(&public, json!({"y": b64([7; 32])})),
        changed(&public, json!({"crv": "P-384"})),
        changed(&public, json!({"use": "enc"})),
        changed(&public, json!({"key_ops": ["sign"]})),
        changed(&public, json!({"alg": "ES384"})),
        changed(&public, json!({"x": null})),
    ] {
        assert_eq!(refused(&request(), &proof(json!({ "jwk": jwk }), json!({}))), BAD_JWK, "{jwk}");
    }
    let null = proof(json!({}), json!({}));
    let header = String::from_utf8(unb64(null.split('.').next().unwrap())).unwrap();
    let null = signed_with(
        &p256(),
        header.replace(&public.to_string(), "null"),
        json!({"jti": "1", "htm": "POST", "htu": URI, "iat": NOW.as_secs()}).to_string(),
    );
    assert_eq!(refused(&request(), &null), BAD_JWK);
    accepted(
        &request(),
        &proof(json!({"jwk": changed(&public, json!({"use": "sig", "kid": ""}))}), json!({})),
    );
}

#[test]
fn s238_a_second_key_under_an_escaped_name_is_refused() {
    let claims = json!({"jti": "1", "htm": "POST", "htu": URI, "iat": NOW.as_secs()}).to_string();
    let header = |members: &str| format!(r#"{{"typ":"dpop+jwt","alg":"ES256",{members}}}"#);
    let other = ed25519().verifying_key().public_key().unwrap().to_jwk().unwrap();
    let own = jwk();
    for members in [
        format!(r#""jwk":{own},"jwk":{other}"#),
        format!(r#""jwk":{own},"\u006awk":{other}"#),
        format!(r#""\u006awk":{other},"jwk":{own}"#),
    ] {
        let error = refused(&request(), &signed_with(&p256(), header(&members), &claims));
        assert!(matches!(error, ProofError::Proof(VerifyError::DuplicateMember { .. })), "{error:?}");
    }
    let escaped = signed_with(&p256(), header(&format!(r#""\u006awk":{own}"#)), &claims);
    accepted(&request(), &escaped);
}

#[test]
fn s238_an_algorithm_outside_the_list_is_refused() {
    let unsupported = ProofError::Proof(VerifyError::UnsupportedAlgorithm);
    for algorithm in ["none", "HS256", "HS512", "RS256", "ES384", "es256", "ES256K"] {
        assert_eq!(
            refused(&request(), &proof(json!({"alg": algorithm}), json!({}))),
            unsupported,
            "{algorithm}"
        );
    }
    // The algorithm of the header must be that of the key.
    let error = refused(&request(), &proof(json!({"alg": "EdDSA"}), json!({})));
    assert_eq!(error, BAD_JWK);
    // With the public key as the secret.
    let secret = HmacKey::hs256(&SecretBytes::from_bytes(jwk().to_string()));
    assert!(secret.is_err());
    let secret = HmacKey::hs256(&SecretBytes::from_bytes(unb64(jwk()["x"].as_str().unwrap()))).unwrap();
    let header = json!({"typ": "dpop+jwt", "alg": "HS256", "jwk": {"kty": "oct", "k": jwk()["x"]}});
    let claims = json!({"jti": "1", "htm": "POST", "htu": URI, "iat": NOW.as_secs()});
    let forged = signed_with(&secret, header.to_string(), claims.to_string());
    assert_eq!(refused(&request(), &forged), unsupported);

    let new =
        |algorithms: &[Algorithm]| DpopVerifier::new(algorithms, MemoryReplayStore::new(1)).unwrap_err();
    assert_eq!(new(&[]), PolicyError::Empty { setting: "algorithms" });
    let error = new(&[Algorithm::Es256, Algorithm::Hs384]);
    assert_eq!(error, PolicyError::Contradiction { first: "HS384", second: "DpopVerifier" });
}

#[test]
fn s238_the_type_and_the_claims_of_a_proof_are_required() {
    for typ in [Value::Null, json!("JWT"), json!("at+jwt"), json!("dpop"), json!("")] {
        let error = refused(&request(), &proof(json!({ "typ": typ }), json!({})));
        assert!(matches!(error, ProofError::Proof(VerifyError::WrongType { .. })), "{error:?}");
    }
    for claim in ["jti", "htm", "htu", "iat"] {
        let error = refused(&request(), &proof(json!({}), json!({ claim: null })));
        assert_eq!(error, ProofError::Proof(VerifyError::MissingClaim { claim: claim.into() }));
    }
    for claim in ["htm", "htu", "ath", "nonce"] {
        let error = refused(&request().access_token("t"), &proof(json!({}), json!({ claim: ["POST"] })));
        let malformed = VerifyError::MalformedClaim { claim, found: Some("an array") };
        // `ath` is read before `nonce`.
        let expected =
            if claim == "nonce" { ProofError::WrongAccessToken } else { ProofError::Proof(malformed) };
        assert_eq!(error, expected);
    }
}

#[test]
fn s239_only_the_key_in_the_proof_verifies_it() {
    let others =
        json!({"kid": "another", "jku": "https://a.example", "x5u": "https://a.example", "x5c": ["AA"]});
    accepted(&request(), &proof(others.clone(), json!({})));
    // Without the key in the proof, none of them replaces it.
    let mut without = others;
    without["jwk"] = Value::Null;
    let other = proof(without, json!({}));
    assert_eq!(refused(&request(), &other), BAD_JWK);
    let own = proof(json!({}), json!({}));
    let (input, _) = own.rsplit_once('.').unwrap();
    let signature = ed25519().sign_bytes(input.as_bytes()).unwrap();
    let forged = format!("{input}.{}", b64(signature.as_bytes()));
    assert_eq!(refused(&request(), &forged), ProofError::Proof(VerifyError::InvalidSignature));
}

#[test]
fn s240_the_method_is_compared_exactly_and_the_uri_without_query_and_fragment() {
    for method in ["post", "Post", "GET", "POST ", ""] {
        let error = refused(&request(), &proof(json!({}), json!({"htm": method})));
        assert_eq!(error, ProofError::WrongMethod, "{method}");
    }
    for uri in ["https://server.example/token?a=1", "https://server.example/token#a", URI] {
        accepted(&request(), &proof(json!({}), json!({"htu": uri})));
        accepted(&DpopRequest::new("POST", uri).unwrap(), &proof(json!({}), json!({})));
    }
    for uri in [
        "http://server.example/token",
        "https://server.example/Token",
        "https://server.example/token/",
        "https://server.example/",
        "https://server.example:8443/token",
        "https://server.example.evil.example/token",
        "https://user@server.example/token",
        "//server.example/token",
        "/token",
        "server.example/token",
        "https:/token",
        "https:///token",
        "wss://server.example/token",
        "",
        "https://server.example/tok en",
    ] {
        let error = refused(&request(), &proof(json!({}), json!({"htu": uri})));
        assert_eq!(error, ProofError::WrongUri, "{uri}");
    }
}

#[test]
fn s241_equivalent_uris_are_equal() {
    for (expected, written) in [
        (URI, "HTTPS://Server.EXAMPLE:443/token"),
        (URI, "https://server.example:/./a/../token"),
        (URI, "https://server.example/%74oken"),
        ("http://localhost:80", "http://LOCALHOST/"),
        ("https://server.example", "https://server.example/"),
        ("https://server.example/%c3%a4%2f", "https://server.example/%C3%A4%2F"),
        ("https://[::1]:443/a", "https://[::1]/a"),
    ] {
        let proof = proof(json!({}), json!({"htu": written}));
        accepted(&DpopRequest::new("POST", expected).unwrap(), &proof);
    }
    for (expected, written) in [
        ("https://server.example/a%2fb", "https://server.example/a/b"),
        ("https://server.example/a", "https://server.example/A"),
        ("https://server.example:80/", "https://server.example/"),
        ("https://server.example/a//b", "https://server.example/a/b"),
    ] {
        let error =
            refused(&DpopRequest::new("POST", expected).unwrap(), &proof(json!({}), json!({"htu": written})));
        assert_eq!(error, ProofError::WrongUri, "{written}");
    }
}

#[test]
fn s242_the_expected_uri_comes_from_the_caller_and_must_be_absolute() {
    for uri in
        ["/token", "server.example", "https://", "ftp://server.example/", "https://u@server.example/", "a b"]
    {
        assert_eq!(DpopRequest::new("GET", uri).unwrap_err(), ProofError::InvalidRequest, "{uri}");
    }
    assert_eq!(DpopRequest::new("", URI).unwrap_err(), ProofError::InvalidRequest);
    assert!(!format!("{:?}", request().access_token("secret").nonce("secret")).contains("secret"));
}

/// Access tokens that are bound to the key with this thumbprint.
fn access_token(cnf: Value) -> String {
    let claims = json!({
        "iss": "https://auth.example", "sub": "ann", "aud": "https://api.example", "iat": NOW.as_secs(),
        "exp": NOW.as_secs() + 300, "client_id": "client-1", "jti": "1", "cnf": cnf,
    });
    signed(r#"{"alg":"HS256","typ":"at+jwt"}"#, claims.to_string())
}

fn access_verifier() -> AccessTokenVerifier {
    let policy = Verifier::builder(key()).issuer("https://auth.example").audience("https://api.example");
    AccessTokenVerifier::new(policy).unwrap()
}

fn thumbprint(key: &SigningKey) -> String {
    key.verifying_key().public_key().unwrap().thumbprint().unwrap().to_string()
}

fn get() -> DpopRequest<'static> {
    DpopRequest::new("GET", "https://api.example/orders").unwrap()
}

#[test]
fn s243_the_hash_of_the_access_token_is_required() {
    let token = access_token(json!({"jkt": thumbprint(&p256())}));
    let verify = |proof: &str| access_verifier().verify_dpop::<()>(&token, &verifier(), &get(), proof, NOW);
    let hash = b64(sha256(token.as_bytes()));
    let with =
        |ath: Value| proof(json!({}), json!({"htm": "GET", "htu": "https://api.example/orders", "ath": ath}));
    assert!(verify(&with(json!(hash))).is_ok());
    let (hex, padded) = (
        sha256(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
        format!("{hash}="),
    );
    for ath in [Value::Null, json!(""), json!(b64(sha256(b"another"))), json!(padded), json!(hex)] {
        assert_eq!(verify(&with(ath)).unwrap_err(), ProofError::WrongAccessToken);
    }
    assert!(verify(&get().access_token(&token).sign_with(&p256(), NOW, &Counting).unwrap()).is_ok());
    // What the caller put into the request does not count.
    let lax = get().access_token("another");
    let proof = get().access_token(&token).sign_with(&p256(), NOW, &Counting).unwrap();
    assert!(access_verifier().verify_dpop::<()>(&token, &verifier(), &lax, &proof, NOW).is_ok());
}

#[test]
fn s244_the_access_token_is_bound_to_the_key_of_the_proof() {
    let bound = access_token(json!({"jkt": thumbprint(&p256())}));
    let verify = |token: &str, key: &SigningKey| {
        let proof = get().access_token(token).sign_with(key, NOW, &Counting).unwrap();
        access_verifier().verify_dpop::<()>(token, &verifier(), &get(), &proof, NOW)
    };
    assert_eq!(verify(&bound, &p256()).unwrap().client_id(), Some("client-1"));
    assert_eq!(verify(&bound, &ed25519()).unwrap_err(), ProofError::WrongKey);
    for jkt in ["", "0", &thumbprint(&p256())[..42]] {
        assert_eq!(verify(&access_token(json!({"jkt": jkt})), &p256()).unwrap_err(), ProofError::WrongKey);
    }
    assert_eq!(verify(&access_token(json!({})), &p256()).unwrap_err(), ProofError::UnboundToken);
    let certificate = access_token(json!({"jkt": thumbprint(&p256()), "x5t#S256": "a"}));
    let error = verify(&certificate, &p256()).unwrap_err();
    assert_eq!(error, ProofError::Token(VerifyError::BoundToken { to: "x5t#S256" }));
}

#[test]
fn s245_a_proof_outside_the_window_is_refused() {
    let at = |offset: i64| proof(json!({}), json!({"iat": NOW.as_secs() + offset}));
    for offset in [-90, -60, 0, 30] {
        accepted(&request(), &at(offset));
    }
    for offset in [-91, -86400] {
        assert!(matches!(refused(&request(), &at(offset)), ProofError::Proof(VerifyError::TooOld { .. })));
    }
    assert!(matches!(refused(&request(), &at(31)), ProofError::Proof(VerifyError::IssuedInFuture { .. })));
    let expired = proof(json!({}), json!({"exp": NOW.as_secs() - 30}));
    assert!(matches!(refused(&request(), &expired), ProofError::Proof(VerifyError::Expired { .. })));
    // The window has a bound.
    let long = verifier().max_age(seconds(u64::MAX));
    assert!(long.verify(&request(), &at(-330), NOW).is_ok());
    assert!(long.verify(&request(), &at(-331), NOW).is_err());
    let short = verifier().max_age(seconds(5));
    assert!(short.verify(&request(), &at(-35), NOW).is_ok());
    assert!(short.verify(&request(), &at(-36), NOW).is_err());
}

#[test]
fn s246_a_proof_is_used_once_for_a_uri_as_long_as_it_is_valid() {
    let verifier = verifier();
    let proof = |claims| proof(json!({}), claims);
    let once = proof(json!({}));
    verifier.verify(&request(), &once, NOW).unwrap();
    for now in [NOW, later(60), later(90)] {
        assert_eq!(verifier.verify(&request(), &once, now), Err(ProofError::Replayed));
    }
    assert!(matches!(verifier.verify(&request(), &once, later(91)), Err(ProofError::Proof(_))));
    // The same id in another proof, and the same URI in another spelling.
    let again = proof(json!({"iat": NOW.as_secs() + 1, "htu": "https://SERVER.example:443/token?a"}));
    assert_eq!(verifier.verify(&request(), &again, NOW), Err(ProofError::Replayed));
    // Another URI, another id, another key.
    let other = DpopRequest::new("POST", "https://server.example/other").unwrap();
    verifier.verify(&other, &proof(json!({"htu": "https://server.example/other"})), NOW).unwrap();
    verifier.verify(&request(), &proof(json!({"jti": "2"})), NOW).unwrap();
    verifier.verify(&request(), &proof(json!({"jti": "2".repeat(8000)})), NOW).unwrap();
    let header = json!({"typ": "dpop+jwt", "alg": "EdDSA", "jwk": serde_json::from_str::<Value>(
        &ed25519().verifying_key().public_key().unwrap().to_jwk().unwrap()).unwrap()});
    let claims = json!({"jti": "1", "htm": "POST", "htu": URI, "iat": NOW.as_secs()});
    let key = signed_with(&ed25519(), header.to_string(), claims.to_string());
    verifier.verify(&request(), &key, NOW).unwrap();
}

#[test]
fn s246_a_refused_proof_is_not_remembered() {
    let verifier = verifier();
    let good = proof(json!({}), json!({}));
    let other = DpopRequest::new("GET", URI).unwrap();
    assert_eq!(verifier.verify(&other, &good, NOW), Err(ProofError::WrongMethod));
    assert_eq!(verifier.verify(&request().access_token("t"), &good, NOW), Err(ProofError::WrongAccessToken));
    assert_eq!(verifier.verify(&request().nonce("n"), &good, NOW), Err(ProofError::WrongNonce));
    assert!(verifier.verify(&request(), &good, NOW).is_ok());
    // A proof with the wrong key leaves the place free for the right one.
    let token = access_token(json!({"jkt": thumbprint(&p256())}));
    for (key, is_right) in [(ed25519(), false), (p256(), true)] {
        let proof = get().access_token(&token).sign_with(&key, NOW, &Counting).unwrap();
        let result = access_verifier().verify_dpop::<()>(&token, &verifier, &get(), &proof, NOW);
        assert_eq!(result.is_ok(), is_right);
    }
}

#[test]
fn s246_of_uses_at_the_same_time_one_succeeds() {
    const THREADS: usize = 8;
    let proofs: Vec<String> =
        (0..20).map(|number| proof(json!({}), json!({"jti": number.to_string()}))).collect();
    let (verifier, barrier) = (verifier(), Barrier::new(THREADS));
    let use_all = || {
        barrier.wait();
        proofs.iter().map(|proof| verifier.verify(&request(), proof, NOW)).collect::<Vec<_>>()
    };
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(use_all)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), proofs.len());
    let replayed = results.iter().filter(|result| **result == Err(ProofError::Replayed)).count();
    assert_eq!(replayed, (THREADS - 1) * proofs.len());
}

#[test]
fn a_full_store_refuses_new_ids_until_others_expire() {
    let store = Arc::new(MemoryReplayStore::new(2));
    assert_eq!(store.first_use(b"1", later(10), NOW), Ok(true));
    assert_eq!(store.first_use(b"2", later(20), NOW), Ok(true));
    assert_eq!(store.first_use(b"3", later(20), NOW), Err(ProofError::StoreUnavailable));
    assert_eq!(store.first_use(b"1", later(10), later(10)), Ok(false));
    assert_eq!(store.first_use(b"3", later(20), later(10)), Err(ProofError::StoreUnavailable));
    assert_eq!(store.first_use(b"3", later(20), later(11)), Ok(true));
    assert_eq!(store.first_use(b"2", later(20), later(11)), Ok(false));

    let full = DpopVerifier::new(&[Algorithm::Es256], MemoryReplayStore::new(0)).unwrap();
    let error = full.verify(&request(), &proof(json!({}), json!({})), NOW).unwrap_err();
    assert_eq!(error, ProofError::StoreUnavailable);
    assert_eq!(RequestError::Proof(error).challenge().status(), 503);
    assert!(format!("{store:?}").contains('2'));
}

/// A store that notes how long it has to keep each id.
#[derive(Default)]
struct Noting(std::sync::Mutex<Vec<UnixTime>>);

impl ReplayStore for Noting {
    fn first_use(&self, _: &[u8], until: UnixTime, _: UnixTime) -> Result<bool, ProofError> {
        self.0.lock().unwrap().push(until);
        Ok(true)
    }
}

#[test]
fn s246_a_proof_is_kept_for_as_long_as_it_is_accepted_and_not_longer() {
    for (max_age, kept) in [(5, 35), (60, 90), (300, 330), (u64::MAX, 330)] {
        let store = Arc::new(Noting::default());
        let verifier =
            DpopVerifier::new(&[Algorithm::Es256], store.clone()).unwrap().max_age(seconds(max_age));
        let proof = proof(json!({}), json!({"iat": NOW.as_secs() - 2}));
        verifier.verify(&request(), &proof, NOW).unwrap();
        assert_eq!(*store.0.lock().unwrap(), [later(kept - 2)]);
        assert!(verifier.verify(&request(), &proof, later(kept - 2)).is_ok());
        assert!(verifier.verify(&request(), &proof, later(kept - 1)).is_err());
    }
}

#[test]
fn s246_a_clock_that_jumps_ahead_and_back_does_not_let_a_proof_be_used_again() {
    let verifier = verifier();
    let used = proof(json!({}), json!({}));
    verifier.verify(&request(), &used, NOW).unwrap();
    // A wrong reading: the store forgets what has expired by then.
    let ahead = proof(json!({}), json!({"jti": "2", "iat": later(3600).as_secs()}));
    verifier.verify(&request(), &ahead, later(3600)).unwrap();
    assert_eq!(verifier.verify(&request(), &used, later(1)), Err(ProofError::StoreUnavailable));
    // A newer proof cannot be among those that were forgotten.
    let newer = proof(json!({}), json!({"jti": "3", "iat": later(1).as_secs()}));
    verifier.verify(&request(), &newer, later(1)).unwrap();
    assert_eq!(verifier.verify(&request(), &newer, later(1)), Err(ProofError::Replayed));
}

#[test]
fn a_huge_proof_is_refused_by_its_length_and_a_long_one_within_the_limits_is_read() {
    let too_large = |size, limit| ProofError::Proof(VerifyError::TooLarge { size, limit });
    let long = proof(json!({}), json!({"jti": "1".repeat(13_000)}));
    assert_eq!(refused(&request(), &long), too_large(Size::TokenBytes, 16 * 1024));
    let long = proof(json!({"x": "1".repeat(7_000)}), json!({}));
    assert_eq!(refused(&request(), &long), too_large(Size::HeaderBytes, 8 * 1024));
    let members: serde_json::Map<String, Value> = (0..65).map(|n| (format!("n{n}"), json!(n))).collect();
    let many = proof(json!({}), Value::Object(members));
    assert_eq!(refused(&request(), &many), too_large(Size::Members, 64));
    let claims =
        json!({"jti": "1", "htm": "POST", "htu": URI, "iat": NOW.as_secs(), "n": "deep"}).to_string();
    let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk()}).to_string();
    let nested = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
    let deep = signed_with(&p256(), header, claims.replace("\"deep\"", &nested));
    assert_eq!(refused(&request(), &deep), too_large(Size::Depth, Limits::MAX_DEPTH));
    for text in ["a".repeat(20 << 20), format!("{}.{}.AAAA", "A".repeat(9 << 20), "A".repeat(9 << 20))] {
        let error = verifier().verify(&request(), &text, NOW).unwrap_err();
        assert_eq!(error, too_large(Size::TokenBytes, 16 * 1024));
    }
    accepted(&request(), &proof(json!({}), json!({"jti": "1".repeat(8_000)})));
}

/// No other algorithm has a longer key or signature.
#[cfg(feature = "ml-dsa")]
#[test]
fn a_proof_by_the_largest_key_is_within_the_limits() {
    let private = PrivateKey::from_pem(include_str!("data/ml_dsa_87_seed.pem")).unwrap();
    let key: SigningKey = private.signing_key_with(Algorithm::MlDsa87, Counting).unwrap();
    let verifier = DpopVerifier::new(&[Algorithm::MlDsa87], MemoryReplayStore::new(1)).unwrap();
    let request = request().access_token("t").nonce("n");
    let proof = request.sign_with(&key, NOW, &Counting).unwrap();
    assert_eq!(verifier.verify(&request, &proof, NOW).unwrap().to_string(), thumbprint(&key));
    assert!(proof.len() > 10_000, "{}", proof.len());
}

#[test]
fn s247_a_nonce_is_required_once_the_server_demands_one() {
    let with = |nonce: Value| proof(json!({}), json!({ "nonce": nonce }));
    let demanding = request().nonce("former").nonce("current");
    for nonce in ["former", "current"] {
        accepted(&demanding, &with(json!(nonce)));
    }
    for nonce in [Value::Null, json!(""), json!("expired"), json!("current ")] {
        assert_eq!(refused(&demanding, &with(nonce)), ProofError::WrongNonce);
    }
    assert_eq!(refused(&request().nonce(""), &with(json!(""))), ProofError::WrongNonce);
    accepted(&request(), &with(json!("any")));
}

#[test]
fn s248_a_wrong_nonce_is_answered_with_use_dpop_nonce() {
    let error = RequestError::Proof(ProofError::WrongNonce);
    assert_eq!(ProofError::WrongNonce.oauth_error(), "use_dpop_nonce");
    let challenge = verifier().challenge(error.challenge());
    assert_eq!(challenge.status(), 401);
    assert_eq!(challenge.www_authenticate(), Some(r#"DPoP error="use_dpop_nonce", algs="ES256 EdDSA""#));
}

#[test]
fn s249_s250_a_bad_proof_and_a_wrong_key_have_their_error_and_the_algorithms() {
    let verifier = verifier();
    let challenge = |error| {
        let challenge = verifier.challenge(RequestError::challenge(&error));
        (challenge.status(), challenge.www_authenticate().map(ToOwned::to_owned))
    };
    let dpop = |status: u16, text: &str| (status, Some(format!(r#"DPoP {text}algs="ES256 EdDSA""#)));
    let invalid = r#"error="invalid_token", error_description="the token is invalid", "#;
    let bad = r#"error="invalid_dpop_proof", "#;
    for (error, expected) in [
        (RequestError::Proof(ProofError::WrongUri), dpop(401, bad)),
        (RequestError::Proof(ProofError::Replayed), dpop(401, bad)),
        (RequestError::Proof(ProofError::MissingProof), dpop(401, bad)),
        (RequestError::Proof(ProofError::Proof(VerifyError::InvalidSignature)), dpop(401, bad)),
        (RequestError::Proof(ProofError::WrongKey), dpop(401, invalid)),
        (RequestError::Proof(ProofError::UnboundToken), dpop(401, invalid)),
        (RequestError::Proof(ProofError::Token(VerifyError::InvalidSignature)), dpop(401, invalid)),
        (RequestError::MissingCredentials, dpop(401, "")),
        (RequestError::OtherScheme, dpop(401, "")),
        (RequestError::SeveralCredentials, dpop(400, r#"error="invalid_request", "#)),
        (RequestError::Proof(ProofError::StoreUnavailable), (503, None)),
        (RequestError::Proof(ProofError::Token(VerifyError::KeysUnavailable)), (503, None)),
    ] {
        assert_eq!(challenge(error.clone()), expected, "{error:?}");
    }
    // Without the verifier, the algorithms are not known.
    let plain = RequestError::Proof(ProofError::WrongUri).challenge();
    assert_eq!(plain.www_authenticate(), Some(r#"DPoP error="invalid_dpop_proof""#));
    let realm = countersign::http::Realm::new("api").unwrap();
    assert_eq!(
        verifier.challenge(plain).with_realm(&realm).www_authenticate(),
        Some(r#"DPoP realm="api", error="invalid_dpop_proof", algs="ES256 EdDSA""#)
    );
    // A right that is missing belongs to the scheme of the request, too.
    let scope = countersign::http::Scope::new("orders:write").unwrap();
    let forbidden = verifier.challenge(countersign::http::Challenge::insufficient_scope(&scope));
    assert_eq!(
        (forbidden.status(), forbidden.www_authenticate()),
        (403, Some(r#"DPoP error="insufficient_scope", scope="orders:write", algs="ES256 EdDSA""#))
    );
}

#[test]
fn each_bad_proof_of_a_request_is_answered_with_its_status_and_a_stable_code() {
    let (dpop, access) = (verifier(), access_verifier());
    let token = access_token(json!({"jkt": thumbprint(&p256())}));
    let own =
        json!({"htm": "GET", "htu": "https://api.example/orders", "ath": b64(sha256(token.as_bytes()))});
    let ask = |proofs: &[&str]| {
        let authorization = [format!("DPoP {token}")];
        let answer = access.verify_request::<()>(authorization, proofs, &dpop, &get(), NOW);
        answer.map(drop).map_err(|error| (dpop.challenge(error.challenge()).status(), error.code()))
    };
    let proof = |header: Value, claims: Value| proof(header, changed(&own, claims));
    let good = proof(json!({}), json!({}));
    assert_eq!(ask(&[&good]), Ok(()));
    let query = proof(json!({}), json!({"jti": "2", "htu": "https://API.example:443/orders?page=2"}));
    assert_eq!(ask(&[&query]), Ok(()));

    let private = PrivateKey::from_pem(include_str!("data/p256.pem")).unwrap().to_private_jwk().unwrap();
    let private: Value = serde_json::from_str(private.expose_secret_text().unwrap()).unwrap();
    let symmetric = json!({"kty": "oct", "k": b64([7; 32])});
    for (proofs, code) in [
        (vec![], "missing_proof"),
        (vec![&*good, &*good], "several_proofs"),
        (vec![&*good], "replayed_proof"),
        (vec![&*proof(json!({}), json!({"htm": "get"}))], "wrong_proof_method"),
        (vec![&*proof(json!({}), json!({"htu": "https://api.example/Orders"}))], "wrong_proof_uri"),
        (vec![&*proof(json!({}), json!({"htu": "https://api.example:8443/orders"}))], "wrong_proof_uri"),
        (vec![&*proof(json!({}), json!({"ath": null}))], "wrong_proof_access_token"),
        (vec![&*proof(json!({"jwk": private}), json!({}))], "invalid_header"),
        (vec![&*proof(json!({ "jwk": symmetric }), json!({}))], "invalid_header"),
        (vec![&*proof(json!({"alg": "none"}), json!({}))], "unsupported_algorithm"),
        (vec![&*proof(json!({"alg": "HS256", "jwk": symmetric}), json!({}))], "unsupported_algorithm"),
    ] {
        assert_eq!(ask(&proofs), Err((401, code)));
    }
}

#[test]
fn s251_a_request_with_the_scheme_dpop_needs_token_and_proof_and_bearer_is_refused() {
    let (dpop, access) = (verifier(), access_verifier());
    let token = access_token(json!({"jkt": thumbprint(&p256())}));
    let proof = get().access_token(&token).sign_with(&p256(), NOW, &Counting).unwrap();
    let verify = |authorization: &[&str], proofs: &[&str]| {
        access.verify_request::<()>(authorization, proofs, &dpop, &get(), NOW).map(drop)
    };
    let value = format!("DPoP {token}");
    assert_eq!(verify(&[&value], &[]), Err(RequestError::Proof(ProofError::MissingProof)));
    assert_eq!(verify(&[&value], &[&proof, &proof]), Err(RequestError::Proof(ProofError::SeveralProofs)));
    assert_eq!(verify(&[], &[&proof]), Err(RequestError::MissingCredentials));
    assert_eq!(verify(&[&value, &value], &[&proof]), Err(RequestError::SeveralCredentials));
    assert_eq!(verify(&[&format!("Bearer {token}")], &[&proof]), Err(RequestError::OtherScheme));
    assert_eq!(verify(&["DPoP a b"], &[&proof]), Err(RequestError::MalformedCredentials { offset: 6 }));
    assert_eq!(verify(&[&value.replace("DPoP", "dpop")], &[&proof]), Ok(()));
    assert_eq!(verify(&[&value], &[&proof]), Err(RequestError::Proof(ProofError::Replayed)));
    // As a bearer token, by a server that knows nothing of DPoP.
    let error = access.verify_bearer_at::<()>([format!("Bearer {token}")], NOW).unwrap_err();
    assert_eq!(error, RequestError::Token(VerifyError::BoundToken { to: "jkt" }));
}
