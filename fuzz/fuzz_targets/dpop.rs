//! Law: under a valid signature of its own key, every header and payload is accepted or refused as a proof without a panic. An
//! accepted proof has the type, one of the algorithms, a public key, and the method and the URI of the request, and it is accepted
//! once. A proof that the crate makes for any URI is accepted for that URI, and for no other method.
#![no_main]

use countersign::profile::{DpopRequest, DpopVerifier, MemoryReplayStore, ProofError};
use countersign::{Algorithm, Entropy, EntropyError, PrivateKey, SignKey, SigningKey, UnixTime, jws};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use std::sync::LazyLock;

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

static KEY: LazyLock<SigningKey> = LazyLock::new(|| {
    PrivateKey::from_pem(include_str!("../../tests/data/p256.pem")).unwrap().es256().unwrap()
});

struct Fixed;

impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        bytes.fill(0x5a);
        Ok(())
    }
}

fuzz_target!(|parts: (&[u8], &[u8], &str)| {
    let (header, payload, uri) = parts;
    let public = KEY.verifying_key().public_key().unwrap().clone();
    // An empty header is replaced with the usual one, so that inputs reach the payload quickly.
    let usual = format!(r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{}}}"#, public.to_jwk().unwrap());
    let header = if header.is_empty() { usual.as_bytes() } else { header };
    let request = DpopRequest::new("POST", uri).ok();
    if let Some(request) = &request {
        check_own(request, uri);
    }
    let expected =
        request.unwrap_or_else(|| DpopRequest::new("POST", "https://server.example/token").unwrap());
    let verifier = verifier();
    let proof = signed(header, payload);
    match verifier.verify(&expected, &proof, NOW) {
        Ok(thumbprint) => {
            assert_eq!(thumbprint, public.thumbprint().unwrap());
            check_accepted(header, payload, &expected);
            assert_eq!(verifier.verify(&expected, &proof, NOW), Err(ProofError::Replayed));
            let get = DpopRequest::new("GET", uri)
                .unwrap_or_else(|_| DpopRequest::new("GET", "https://server.example/token").unwrap());
            assert_eq!(verifier.verify(&get, &proof, NOW), Err(ProofError::WrongMethod));
        }
        Err(error) => assert!(!error.to_string().is_empty() && !error.code().is_empty()),
    }
});

fn verifier() -> DpopVerifier {
    DpopVerifier::new(&[Algorithm::Es256, Algorithm::Ed25519], MemoryReplayStore::new(4)).unwrap()
}

/// Checks that a proof which is made here is accepted once, for its own request.
fn check_own(request: &DpopRequest<'_>, uri: &str) {
    let verifier = verifier();
    let bound = request.clone().access_token(uri).nonce("n");
    let proof = bound.sign_with(&KEY, NOW, &Fixed).unwrap();
    // Only a URI that makes the proof too long.
    if proof.len() > 16 * 1024 {
        return;
    }
    verifier.verify(&bound, &proof, NOW).unwrap();
    assert_eq!(verifier.verify(&bound, &proof, NOW), Err(ProofError::Replayed));
    let get = DpopRequest::new("GET", uri).unwrap();
    assert_eq!(verifier.verify(&get, &proof, NOW), Err(ProofError::WrongMethod));
    let other = bound.clone().access_token("another");
    assert_eq!(verifier.verify(&other, &proof, NOW).is_ok(), uri == "another");
}

/// Checks an accepted proof with another parser.
fn check_accepted(header: &[u8], payload: &[u8], request: &DpopRequest<'_>) {
    let header: Value = serde_json::from_slice(header).unwrap();
    let typ = header["typ"].as_str().unwrap().to_ascii_lowercase();
    assert!(["dpop+jwt", "application/dpop+jwt"].contains(&&*typ));
    assert_eq!(header["alg"], "ES256");
    let jwk = header["jwk"].as_object().unwrap();
    assert!(jwk["kty"] == "EC" && !jwk.contains_key("d"));
    let claims: Value = serde_json::from_slice(payload).unwrap();
    assert_eq!(claims["htm"], "POST");
    assert!(claims["jti"].is_string());
    let age = NOW.as_secs() as f64 - claims["iat"].as_f64().unwrap();
    assert!((-31.0..=91.0).contains(&age), "{age}");
    let again = DpopRequest::new("POST", claims["htu"].as_str().unwrap()).unwrap();
    assert_eq!(format!("{again:?}"), format!("{request:?}"));
}

/// Returns the header and the payload in base64url with a valid signature.
fn signed(header: &[u8], payload: &[u8]) -> String {
    let input = format!("{}.{}", encode(header), encode(payload));
    let signature = KEY.sign_bytes(input.as_bytes()).unwrap();
    format!("{input}.{}", encode(signature.as_bytes()))
}

/// Encodes as base64url with the crate itself: the second segment of a JWS.
fn encode(bytes: &[u8]) -> String {
    jws::Payload::new(bytes).sign(&*KEY).unwrap().split('.').nth(1).unwrap().to_owned()
}
