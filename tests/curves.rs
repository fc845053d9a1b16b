//! ECDSA and Ed25519 keys: the vectors of the RFCs, Project Wycheproof's, key files, and bad keys and signatures. What several
//! backends offer runs over each of them.
//!
//! `cargo test --test curves --features p521,k256 -- --nocapture` prints the counts.
#![cfg(all(feature = "ecdsa", feature = "ed25519"))]

mod util;

use countersign::{
    Algorithm, Claims, Entropy, EntropyError, FileMistake, HmacKey, KeyError, PrivateKey, PublicKey,
    SecretBytes, SignKey, SigningKey, UnixTime, Verifier, VerifyKey, VerifyingKey, jws,
};
use util::{b64, b64_standard, unb64};
use wycheproof_ng_core::TestResult;

/// The algorithms that the features offer.
const ALGORITHMS: &[Algorithm] = &[
    Algorithm::Es256,
    Algorithm::Es384,
    #[cfg(feature = "p521")]
    Algorithm::Es512,
    #[cfg(feature = "k256")]
    Algorithm::Es256k,
    Algorithm::Ed25519,
];

/// The SPKI of a key before its point: RFC 5480 and RFC 8410.
fn spki(algorithm: Algorithm, point: &[u8]) -> Vec<u8> {
    let before: &[u8] = match algorithm {
        Algorithm::Es256 => b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\0",
        Algorithm::Es384 => b"\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\0\x22\x03\x62\0",
        Algorithm::Es512 => b"\x30\x81\x9b\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\0\x23\x03\x81\x86\0",
        Algorithm::Es256k => b"\x30\x56\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\0\x0a\x03\x42\0",
        _ => b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\0",
    };
    [before, point].concat()
}

/// PKCS#8 with a number alone, as Java writes it.
fn pkcs8(algorithm: Algorithm, number: &[u8]) -> Vec<u8> {
    let identifier: &[u8] = match algorithm {
        Algorithm::Es256 => {
            b"\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
        }
        Algorithm::Es384 => b"\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\0\x22",
        Algorithm::Es512 => b"\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\0\x23",
        _ => b"\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\0\x0a",
    };
    let key = tlv(0x30, &[b"\x02\x01\x01", &*tlv(4, number)].concat());
    tlv(0x30, &[b"\x02\x01\0", identifier, &tlv(4, &key)].concat())
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap();
    if length < 0x80 { [&[tag, length], content].concat() } else { [&[tag, 0x81, length], content].concat() }
}

/// What makes keys of another backend than pure Rust, and the algorithms that it does not have.
type Other = (
    fn(&PublicKey, Algorithm) -> Result<VerifyingKey, KeyError>,
    fn(&PrivateKey, Algorithm) -> Result<SigningKey, KeyError>,
    &'static [Algorithm],
);

const OTHERS: &[Other] = &[
    #[cfg(feature = "aws-lc-rs")]
    (countersign::aws_lc::verifying_key, countersign::aws_lc::signing_key, &[Algorithm::Es256k]),
    #[cfg(feature = "graviola")]
    (
        countersign::graviola::verifying_key,
        countersign::graviola::signing_key,
        &[Algorithm::Es256k, Algorithm::Es512],
    ),
];

/// The keys of each backend that verify with this algorithm. A backend that does not have it must say so.
fn verifiers(public: &PublicKey, algorithm: Algorithm) -> Vec<VerifyingKey> {
    let mut keys = vec![public.verifying_key(algorithm).unwrap()];
    for (verifying, _, without) in OTHERS {
        match verifying(public, algorithm) {
            Err(error) if without.contains(&algorithm) => assert_eq!(error, KeyError::UnsupportedByBackend),
            key => keys.push(key.unwrap()),
        }
    }
    keys
}

/// The keys of each backend that sign with this algorithm. A backend that does not have it must say so.
fn signers(private: &PrivateKey, algorithm: Algorithm) -> Vec<SigningKey> {
    let mut keys = vec![private.signing_key_with(algorithm, util::Counting).unwrap()];
    for (_, signing, without) in OTHERS {
        match signing(private, algorithm) {
            Err(error) if without.contains(&algorithm) => assert_eq!(error, KeyError::UnsupportedByBackend),
            key => keys.push(key.unwrap()),
        }
    }
    keys
}

/// Checks that no other backend than pure Rust makes a key that verifies, for this reason.
#[track_caller]
fn no_other_verifies(public: &PublicKey, algorithm: Algorithm, expected: &KeyError) {
    for (verifying, _, _) in OTHERS.iter().filter(|other| !other.2.contains(&algorithm)) {
        assert_eq!(verifying(public, algorithm).unwrap_err(), *expected, "{algorithm}");
    }
}

/// Checks that no other backend than pure Rust makes a key that signs, for this reason.
#[track_caller]
fn no_other_signs(private: &PrivateKey, algorithm: Algorithm, expected: &KeyError) {
    for (_, signing, _) in OTHERS.iter().filter(|other| !other.2.contains(&algorithm)) {
        assert_eq!(signing(private, algorithm).unwrap_err(), *expected, "{algorithm}");
    }
}

/// The key files of an algorithm that OpenSSL 3.0 wrote: PKCS#8, SPKI, SEC1 after its parameters, and SPKI with a compressed point.
fn files(algorithm: Algorithm) -> [&'static str; 4] {
    macro_rules! files {
        ($name:literal) => {
            [
                include_str!(concat!("data/", $name, ".pem")),
                include_str!(concat!("data/", $name, "_public.pem")),
                include_str!(concat!("data/", $name, "_sec1.pem")),
                include_str!(concat!("data/", $name, "_compressed.pem")),
            ]
        };
    }
    match algorithm {
        Algorithm::Es256 => files!("p256"),
        Algorithm::Es384 => files!("p384"),
        Algorithm::Es512 => files!("p521"),
        Algorithm::Es256k => files!("secp256k1"),
        _ => {
            let [private, public] =
                [include_str!("data/ed25519.pem"), include_str!("data/ed25519_public.pem")];
            [private, public, private, public]
        }
    }
}

fn private(algorithm: Algorithm) -> PrivateKey {
    PrivateKey::from_pem(files(algorithm)[0]).unwrap()
}

fn public(algorithm: Algorithm) -> PublicKey {
    PublicKey::from_pem(files(algorithm)[1]).unwrap()
}

fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    SecretBytes::from_base64(&body).unwrap().expose_secret().to_vec()
}

// ---- the RFCs ----

#[test]
fn rfc_7515_a_3_and_a_7_verify() {
    const TEXT: &str = "eyJhbGciOiJFUzI1NiJ9.\
        eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
        DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    let x = unb64("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
    let y = unb64("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
    let key = PublicKey::from_der(&spki(Algorithm::Es256, &[vec![4], x, y].concat())).unwrap();
    // Appendix A.7: the same in the flattened JSON serialization.
    const FLATTENED: &str = r#"{
        "payload":
         "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
        "protected":"eyJhbGciOiJFUzI1NiJ9",
        "header":
         {"kid":"e9bc097a-ce51-4036-9562-d2ade882db0d"},
        "signature":
         "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    }"#;
    for verifier in verifiers(&key, Algorithm::Es256) {
        let verifier = jws::MessageVerifier::new(verifier);
        let compact = verifier.verify(TEXT).unwrap();
        let flattened = verifier.verify_flattened(FLATTENED).unwrap();
        assert_eq!(flattened.payload(), compact.payload());
        assert_eq!(flattened.header().key_id(), None);
    }
    // The number of the same key makes its public half.
    let number = unb64("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI");
    let private = PrivateKey::from_der(&pkcs8(Algorithm::Es256, &number)).unwrap();
    assert!(private.public_key().unwrap() == key);
}

#[test]
#[cfg(feature = "p521")]
fn rfc_7515_a_4_verifies() {
    const TEXT: &str = "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.\
        AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZg\
        oXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn";
    let x = unb64("AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk");
    let y = unb64("ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2");
    let key = PublicKey::from_der(&spki(Algorithm::Es512, &[vec![4], x, y].concat())).unwrap();
    for verifier in verifiers(&key, Algorithm::Es512) {
        assert_eq!(jws::MessageVerifier::new(verifier).verify(TEXT).unwrap().payload(), b"Payload");
    }
}

#[test]
fn rfc_8037_a_4_verifies_and_is_signed_again_to_the_same_bytes() {
    const TEXT: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
        hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let key = unb64("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    let key = PublicKey::from_der(&spki(Algorithm::Ed25519, &key)).unwrap();
    for verifier in verifiers(&key, Algorithm::Ed25519) {
        assert!(jws::MessageVerifier::new(verifier).verify(TEXT).is_ok());
    }
    let seed = unb64("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
    let file = [b"\x30\x2e\x02\x01\0\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20", &*seed].concat();
    let private = PrivateKey::from_der(&file).unwrap();
    assert!(private.public_key().unwrap() == key);
    for signer in signers(&private, Algorithm::Ed25519) {
        let text = jws::Payload::new("Example of Ed25519 signing").sign(&signer).unwrap();
        assert_eq!(text, TEXT);
    }
}

/// RFC 9864 section 2.2.1.
#[test]
fn a_token_with_the_fully_specified_name_of_ed25519_verifies_with_the_same_key() {
    let (private, public) = (private(Algorithm::Ed25519), public(Algorithm::Ed25519));
    let input = format!("{}.{}", b64(r#"{"alg":"Ed25519"}"#), b64("payload"));
    let signature = private.ed25519().unwrap().sign_bytes(input.as_bytes()).unwrap();
    let text = format!("{input}.{}", b64(signature.as_bytes()));
    let message = jws::MessageVerifier::new(public.ed25519().unwrap()).verify(&text).unwrap();
    assert_eq!((message.payload(), message.header().algorithm()), (&b"payload"[..], Algorithm::Ed25519));
    assert_eq!("Ed25519".parse(), Ok(Algorithm::Ed25519));
    assert_eq!(Algorithm::Ed25519.to_string(), "EdDSA");
}

/// RFC 9864 section 2.2.
#[test]
fn a_fully_specified_key_writes_ed25519_and_all_others_write_what_they_wrote() {
    let header = |token: &str| String::from_utf8(unb64(token.split('.').next().unwrap())).unwrap();
    for (algorithm, usual, specified) in
        [(Algorithm::Ed25519, "EdDSA", "Ed25519"), (Algorithm::Es256, "ES256", "ES256")]
    {
        let plain = PrivateKey::generate(algorithm).unwrap().signing_key(algorithm).unwrap();
        let named = plain.clone().fully_specified().with_key_id("a").unwrap();
        let same = plain.clone().with_key_id("a").unwrap().fully_specified();
        assert_eq!((named.algorithm(), named.key_id()), (algorithm, Some("a")));
        let payload = jws::Payload::new("hello");
        assert_eq!(header(&payload.sign(&plain).unwrap()), format!(r#"{{"alg":"{usual}"}}"#));
        for key in [&named, &same] {
            let usual_typ = payload.sign(key).unwrap();
            assert_eq!(header(&usual_typ), format!(r#"{{"alg":"{specified}","kid":"a"}}"#));
            let own_typ = payload.clone().typ("at+jwt").sign(key).unwrap();
            assert_eq!(header(&own_typ), format!(r#"{{"alg":"{specified}","typ":"at+jwt","kid":"a"}}"#));
            // Its public half, and one that was made from the usual key, read either name.
            for verifying in [key.verifying_key(), plain.verifying_key()] {
                let verifier = jws::MessageVerifier::new(verifying);
                assert_eq!(verifier.verify(&usual_typ).unwrap().payload(), b"hello");
            }
            let other = payload.sign(&plain.clone().with_key_id("a").unwrap()).unwrap();
            assert!(jws::MessageVerifier::new(key.verifying_key()).verify(&other).is_ok());
        }
    }
}

// ---- tokens ----

#[test]
fn each_algorithm_verifies_what_each_backend_signs() {
    for &algorithm in ALGORITHMS {
        for signer in signers(&private(algorithm), algorithm) {
            let now = UnixTime::from_secs(1_700_000_000);
            let exp = UnixTime::from_secs(1_700_000_900);
            let text = Claims::registered().issued_at(now).expires_at(exp).sign(&signer).unwrap();
            let head = format!("{}.", b64(format!(r#"{{"alg":"{algorithm}","typ":"JWT"}}"#)));
            assert!(text.starts_with(&head), "{text}");
            for key in verifiers(&public(algorithm), algorithm).into_iter().chain([signer.verifying_key()]) {
                let verifier = Verifier::builder(key).accept_any_issuer().no_audience().build().unwrap();
                assert!(verifier.at(now).verify::<()>(&text).is_ok(), "{algorithm}");
            }
        }
    }
}

#[test]
fn a_key_is_refused_for_the_algorithm_of_another_curve_or_type() {
    for &own in ALGORITHMS {
        for &other in
            ALGORITHMS.iter().chain(&[Algorithm::Hs256, Algorithm::Rs256]).filter(|other| **other != own)
        {
            let wrong = KeyError::WrongKeyType { algorithm: other, key: key_type(own) };
            assert_eq!(public(own).verifying_key(other).unwrap_err(), wrong, "{own} as {other}");
            let signing = private(own).signing_key_with(other, util::Counting);
            assert_eq!(signing.unwrap_err(), wrong, "{own} as {other}");
            no_other_verifies(&public(own), other, &wrong);
            no_other_signs(&private(own), other, &wrong);
        }
    }
}

/// The type of the keys of an algorithm, as errors name it.
fn key_type(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Es256 => "P-256",
        Algorithm::Es384 => "P-384",
        Algorithm::Es512 => "P-521",
        Algorithm::Es256k => "secp256k1",
        _ => "Ed25519",
    }
}

#[test]
fn the_error_for_a_key_of_another_type_says_what_the_key_is_for() {
    let text = |own: Algorithm, other: Algorithm| public(own).verifying_key(other).unwrap_err().to_string();
    assert_eq!(
        text(Algorithm::Es256, Algorithm::Es384),
        "ES384 needs a key of type P-384, but this one is of type P-256, which is for ES256"
    );
    #[cfg(feature = "rsa-verify")]
    assert_eq!(
        text(Algorithm::Ed25519, Algorithm::Rs256),
        "RS256 needs a key of type RSA, but this one is of type Ed25519, which is for EdDSA"
    );
    #[cfg(feature = "rsa-verify")]
    assert_eq!(
        PublicKey::from_pem(include_str!("data/rsa_8192_public.pem"))
            .unwrap()
            .es256()
            .unwrap_err()
            .to_string(),
        "ES256 needs a key of type P-256, but this one is of type RSA, which is for RS256, RS384, RS512, PS256, PS384, PS512"
    );
    let secret = SecretBytes::from_bytes([7; 32]);
    assert_eq!(
        HmacKey::new(Algorithm::Es256, &secret).unwrap_err().to_string(),
        "ES256 needs a key of type P-256, but this one is of type HMAC, which is for HS256, HS384, HS512"
    );
}

#[test]
fn a_generated_key_is_written_and_read_again() {
    for &algorithm in ALGORITHMS {
        let generated = PrivateKey::generate_with(algorithm, &util::Counting).unwrap();
        let pem = generated.to_secret_pem().unwrap();
        let again = PrivateKey::from_pem(pem.expose_secret_text().unwrap()).unwrap();
        let key = generated.public_key().unwrap();
        assert!(again.public_key().unwrap() == key);
        assert!(PublicKey::from_pem(&key.to_pem().unwrap()).unwrap() == key);
        assert!(PublicKey::from_der(&key.to_der().unwrap()).unwrap() == key);
        let signature =
            again.signing_key_with(algorithm, util::Counting).unwrap().sign_bytes(b"input").unwrap();
        for verifier in verifiers(&key, algorithm) {
            assert!(verifier.verify_bytes(b"input", signature.as_bytes()).is_ok(), "{algorithm}");
        }
        assert_eq!(PrivateKey::generate_with(algorithm, &Failing).unwrap_err(), KeyError::Entropy);
    }
    assert_eq!(
        PrivateKey::generate_with(Algorithm::Hs256, &util::Counting).unwrap_err(),
        KeyError::WrongKeyType { algorithm: Algorithm::Hs256, key: "key pair" }
    );
    // A number that is never in range.
    assert_eq!(PrivateKey::generate_with(Algorithm::Es256, &Zeros).unwrap_err(), KeyError::Entropy);
}

struct Failing;

impl Entropy for Failing {
    fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
        Err(EntropyError::new())
    }
}

struct Zeros;

impl Entropy for Zeros {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        bytes.fill(0);
        Ok(())
    }
}

// ---- files ----

#[test]
fn each_form_of_a_file_makes_the_same_key() {
    for &algorithm in ALGORITHMS {
        let [pkcs8_pem, public_pem, sec1, compressed] = files(algorithm);
        let key = public(algorithm);
        for text in [pkcs8_pem, sec1] {
            let private = PrivateKey::from_pem(text).unwrap();
            assert!(private.public_key().unwrap() == key, "{text}");
            assert!(!signers(&private, algorithm).is_empty());
            // A public key is asked for.
            let error = PublicKey::from_pem(text).unwrap_err();
            assert_eq!(error, KeyError::File(FileMistake::PrivateKey), "{text}");
        }
        let compressed = PublicKey::from_pem(compressed).unwrap();
        assert!(compressed == key);
        assert!(compressed.verifying_key(algorithm).is_ok());
        #[cfg(feature = "aws-lc-rs")]
        if algorithm != Algorithm::Es256k {
            assert!(countersign::aws_lc::verifying_key(&compressed, algorithm).is_ok());
        }
        // graviola has no square roots. The two files of Ed25519 are the same.
        #[cfg(feature = "graviola")]
        if algorithm != Algorithm::Ed25519 {
            let key = countersign::graviola::verifying_key(&compressed, algorithm);
            assert_eq!(key.unwrap_err(), KeyError::UnsupportedByBackend, "{algorithm}");
        }
        assert!(PublicKey::from_der(&der(public_pem)).unwrap() == key);
        assert_eq!(key.to_pem().unwrap(), public_pem);
        let error = PrivateKey::from_pem(public_pem).unwrap_err();
        assert_eq!(error, KeyError::File(FileMistake::PublicKey));
    }
    // The label of a Perl library.
    let [pem, ..] = files(Algorithm::Ed25519);
    assert!(PrivateKey::from_pem(&pem.replace("PRIVATE KEY", "ED25519 PRIVATE KEY")).is_ok());
}

/// GnuTLS 3.7 writes a zero before a number whose first bit is set; others leave out a zero that belongs there.
#[test]
fn a_number_may_have_a_byte_more_or_less() {
    for &algorithm in ALGORITHMS.iter().filter(|algorithm| **algorithm != Algorithm::Ed25519) {
        let length = if algorithm == Algorithm::Es384 {
            48
        } else if algorithm == Algorithm::Es512 {
            66
        } else {
            32
        };
        let mut number = vec![1; length];
        number[0] = 0;
        let of = |number: &[u8]| PrivateKey::from_der(&pkcs8(algorithm, number));
        let key = of(&number).unwrap().public_key().unwrap();
        assert!(of(&number[1..]).unwrap().public_key().unwrap() == key);
        assert!(of(&[&[0], &*number].concat()).unwrap().public_key().unwrap() == key);
        for wrong in [&number[3..], &[&[0, 0], &*number].concat(), &[&[1], &*number].concat(), b""] {
            assert_eq!(of(wrong).unwrap_err(), KeyError::MalformedKey, "{algorithm}, {} bytes", wrong.len());
        }
    }
}

/// GnuTLS 3.7 leaves out two zero bytes of one P-521 key in a thousand. The point in the file shows that the number is read right.
#[cfg(feature = "p521")]
#[test]
fn a_number_of_p521_may_have_two_bytes_less() {
    let file = include_str!("data/p521_64_bytes.pem");
    // An OCTET STRING of 64 bytes.
    assert_eq!(der(file)[6..8], [4, 64]);
    let private = PrivateKey::from_pem(file).unwrap();
    let signature = private.es512().unwrap().sign_bytes(b"input").unwrap();
    let public = private.public_key().unwrap();
    for verifier in verifiers(&public, Algorithm::Es512) {
        assert!(verifier.verify_bytes(b"input", signature.as_bytes()).is_ok());
    }
}

#[test]
fn a_curve_that_a_file_describes_by_numbers_is_named() {
    let mistake = KeyError::File(FileMistake::ExplicitCurve);
    assert_eq!(PrivateKey::from_pem(include_str!("data/p256_explicit.pem")).unwrap_err(), mistake);
    assert_eq!(PublicKey::from_pem(include_str!("data/p256_explicit_public.pem")).unwrap_err(), mistake);
}

/// RFC 5958 section 2: version 2 has the public key beside the private one, as ed25519-dalek and aws-lc-rs write it.
#[test]
fn a_private_key_next_to_another_public_key_is_refused() {
    let seed = der(files(Algorithm::Ed25519)[0])[16..].to_vec();
    let own = der(files(Algorithm::Ed25519)[1])[12..].to_vec();
    let file = |public: &[u8]| {
        let version_2 =
            [b"\x30\x51\x02\x01\x01\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20", &*seed].concat();
        PrivateKey::from_der(&[&*version_2, b"\x81\x21\0", public].concat()).unwrap()
    };
    assert!(file(&own).ed25519().is_ok());
    let other = unb64("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    assert_eq!(file(&other).ed25519().unwrap_err(), KeyError::MalformedKey);
    no_other_signs(&file(&other), Algorithm::Ed25519, &KeyError::MalformedKey);

    // The point of an elliptic curve key is inside, at its end.
    let mut changed = der(files(Algorithm::Es256)[0]);
    let at = changed.len() - 64;
    changed[at..].copy_from_slice(&der(include_str!("data/p256_public.pem"))[27..]);
    assert!(PrivateKey::from_der(&changed).unwrap().es256().is_ok());
    let generator = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
    changed[at..].copy_from_slice(&hex(generator));
    let private = PrivateKey::from_der(&changed).unwrap();
    assert_eq!(private.es256().unwrap_err(), KeyError::MalformedKey);
    no_other_signs(&private, Algorithm::Es256, &KeyError::MalformedKey);
}

fn hex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn cut_and_stretched_files_are_refused() {
    for &algorithm in ALGORITHMS {
        let [private, public, sec1, _] = files(algorithm);
        for file in [private, sec1.split("-----END EC PARAMETERS-----").last().unwrap()].map(der) {
            for length in 0..file.len() {
                assert!(PrivateKey::from_der(&file[..length]).is_err(), "{algorithm}, {length} bytes");
            }
            assert!(PrivateKey::from_der(&[&*file, &[0]].concat()).is_err());
        }
        let file = der(public);
        for length in 0..file.len() {
            assert!(PublicKey::from_der(&file[..length]).is_err(), "{algorithm}, {length} bytes");
        }
        assert!(PublicKey::from_der(&[&*file, &[0]].concat()).is_err());
    }
}

#[test]
fn no_debug_text_of_a_key_shows_its_numbers() {
    for &algorithm in ALGORITHMS {
        let (private, public) = (private(algorithm), public(algorithm));
        let told = [format!("{private:?} {:?}", signers(&private, algorithm)), format!("{public:?}")];
        let hidden = [der(files(algorithm)[0]), der(files(algorithm)[1])];
        assert_eq!(util::leak(&told, &hidden), None, "{told:?}");
    }
}

// ---- bad keys ----

#[test]
fn points_that_are_not_on_their_curve_are_refused() {
    for &algorithm in ALGORITHMS.iter().filter(|algorithm| **algorithm != Algorithm::Ed25519) {
        let mut file = der(files(algorithm)[1]);
        *file.last_mut().unwrap() ^= 1;
        let key = PublicKey::from_der(&file).unwrap();
        assert_eq!(key.verifying_key(algorithm).unwrap_err(), KeyError::InvalidPoint, "{algorithm}");
        no_other_verifies(&key, algorithm, &KeyError::InvalidPoint);
        // Coordinates that are not below the field's modulus.
        let length = (file.len() - spki(algorithm, &[]).len() - 1) / 2;
        let key = PublicKey::from_der(&spki(algorithm, &[vec![4], vec![0xff; 2 * length]].concat())).unwrap();
        assert_eq!(key.verifying_key(algorithm).unwrap_err(), KeyError::InvalidPoint, "{algorithm}");
        no_other_verifies(&key, algorithm, &KeyError::InvalidPoint);
        // The point at infinity, the hybrid form, no point, and another length.
        let coordinates = &file[file.len() - 2 * length..];
        for form in [0, 1, 5, 6, 7] {
            let point = [&[form], coordinates].concat();
            let error = PublicKey::from_der(&spki(algorithm, &point)).unwrap_err();
            assert_eq!(error, KeyError::InvalidPoint, "{algorithm}, {form}");
        }
        for short in [&[0][..], &[4], &[2]] {
            // With the lengths of this content.
            let bits = tlv(3, &[&[0], short].concat());
            let identifier = &spki(algorithm, &[])[if algorithm == Algorithm::Es512 { 3 } else { 2 }..];
            let identifier = &identifier[..2 + usize::from(identifier[1])];
            let file = tlv(0x30, &[identifier, &bits].concat());
            assert_eq!(
                PublicKey::from_der(&file).unwrap_err(),
                KeyError::InvalidPoint,
                "{algorithm}, {short:?}"
            );
        }
    }
}

#[test]
fn private_numbers_that_are_out_of_range_are_refused() {
    for &algorithm in ALGORITHMS.iter().filter(|algorithm| **algorithm != Algorithm::Ed25519) {
        let length = if algorithm == Algorithm::Es384 {
            48
        } else if algorithm == Algorithm::Es512 {
            66
        } else {
            32
        };
        for number in [vec![0; length], vec![0xff; length]] {
            let key = PrivateKey::from_der(&pkcs8(algorithm, &number)).unwrap();
            let signing = key.signing_key_with(algorithm, util::Counting);
            assert_eq!(signing.unwrap_err(), KeyError::MalformedKey, "{algorithm}");
            assert_eq!(key.public_key().unwrap_err(), KeyError::MalformedKey, "{algorithm}");
            no_other_signs(&key, algorithm, &KeyError::MalformedKey);
        }
    }
}

/// The y coordinates of the points of small order, also in their second forms, and each with either sign.
const SMALL_ORDER: [&str; 7] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

#[test]
fn ed25519_keys_of_small_order_or_in_a_second_form_are_refused() {
    for point in SMALL_ORDER.map(hex) {
        for sign in [0, 0x80] {
            let mut point = point.clone();
            point[31] |= sign;
            let error = PublicKey::from_der(&spki(Algorithm::Ed25519, &point)).unwrap_err();
            assert_eq!(error, KeyError::InvalidPoint);
            // The crate agrees where it takes the bytes for a point.
            let theirs = ed25519_dalek::VerifyingKey::from_bytes(&point.try_into().unwrap());
            assert!(theirs.is_err() || theirs.is_ok_and(|key| key.is_weak()));
        }
    }
    // y = 2^255 - 1 is 18, in a second form: not of small order.
    for last in [0x7f, 0xff] {
        let mut point = [0xff; 32];
        point[31] = last;
        let error = PublicKey::from_der(&spki(Algorithm::Ed25519, &point)).unwrap_err();
        assert_eq!(error, KeyError::InvalidPoint);
    }
    // Below the modulus, and not the y of a point.
    let y = (2_u8..=255).map(|first| [&[first][..], &[0; 31]].concat());
    let mut keys = y.map(|y| PublicKey::from_der(&spki(Algorithm::Ed25519, &y)).unwrap());
    let key = keys.find(|key| key.ed25519().is_err()).unwrap();
    assert_eq!(key.ed25519().unwrap_err(), KeyError::InvalidPoint);
    no_other_verifies(&key, Algorithm::Ed25519, &KeyError::InvalidPoint);
}

#[test]
fn a_point_with_another_y_is_another_key() {
    let mut file = der(files(Algorithm::Es256)[0]);
    // Inside y: its last byte, which says whether it is odd, stays.
    let at = file.len() - 20;
    file[at] ^= 0xff;
    let private = PrivateKey::from_der(&file).unwrap();
    assert_eq!(private.es256().unwrap_err(), KeyError::MalformedKey);
    let mut file = der(files(Algorithm::Es256)[1]);
    let at = file.len() - 20;
    file[at] ^= 0xff;
    assert!(PublicKey::from_der(&file).unwrap() != public(Algorithm::Es256));
}

#[test]
fn the_version_of_a_sec1_key_is_an_integer() {
    let mut file = pkcs8(Algorithm::Es256, &[1; 32]);
    assert!(PrivateKey::from_der(&file).is_ok());
    let version = file.windows(3).rposition(|three| three == b"\x02\x01\x01").unwrap();
    file[version] = 4;
    assert_eq!(PrivateKey::from_der(&file).unwrap_err(), KeyError::MalformedKey);
}

// ---- bad signatures ----

#[test]
fn signatures_of_any_other_length_or_form_are_refused() {
    for &algorithm in ALGORITHMS {
        let signature = signers(&private(algorithm), algorithm)[0].sign_bytes(b"input").unwrap();
        let good = signature.as_bytes();
        for key in verifiers(&public(algorithm), algorithm) {
            assert!(key.verify_bytes(b"input", good).is_ok());
            assert!(key.verify_bytes(b"other", good).is_err());
            for length in (0..good.len()).chain(good.len() + 1..good.len() + 80) {
                let mut other = good.to_vec();
                other.resize(length, 0);
                assert!(key.verify_bytes(b"input", &other).is_err(), "{algorithm}, {length} bytes");
            }
            for place in 0..8 * good.len() {
                let mut other = good.to_vec();
                other[place / 8] ^= 1 << (place % 8);
                assert!(key.verify_bytes(b"input", &other).is_err(), "{algorithm}, bit {place}");
            }
            for byte in [0, 0xff] {
                let half = vec![byte; good.len() / 2];
                let (first, second) = good.split_at(good.len() / 2);
                for other in [[&*half, second], [first, &half], [&half, &half]] {
                    assert!(key.verify_bytes(b"input", &other.concat()).is_err(), "{algorithm}");
                }
            }
            // The DER of the same numbers.
            let (r, s) = good.split_at(good.len() / 2);
            let der = tlv(0x30, &[tlv(2, &[&[0], r].concat()), tlv(2, &[&[0], s].concat())].concat());
            assert!(key.verify_bytes(b"input", &der).is_err(), "{algorithm}");
        }
    }
}

/// RFC 7518 and RFC 8812 do not ask for the smaller `s`, and other signers send either.
#[test]
#[cfg(feature = "k256")]
fn either_s_of_an_es256k_signature_is_accepted() {
    const ORDER: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    let key = private(Algorithm::Es256k).es256k().unwrap();
    let signature = key.sign_bytes(b"input").unwrap();
    let (r, s) = signature.as_bytes().split_at(32);
    // The order less s, from the last byte on.
    let mut borrow = 0;
    let mut other: Vec<u8> = hex(ORDER)
        .iter()
        .zip(s)
        .rev()
        .map(|(order, byte)| {
            let difference = i16::from(*order) - i16::from(*byte) - borrow;
            borrow = i16::from(difference < 0);
            difference.rem_euclid(256) as u8
        })
        .collect();
    other.reverse();
    for s in [s, &other] {
        assert!(key.verifying_key().verify_bytes(b"input", &[r, s].concat()).is_ok());
    }
}

#[test]
fn an_ed25519_signature_with_a_point_of_small_order_is_refused() {
    let key = public(Algorithm::Ed25519);
    for point in SMALL_ORDER.map(hex) {
        for sign in [0, 0x80] {
            let mut signature = [&*point, &[0; 32]].concat();
            signature[31] |= sign;
            for key in verifiers(&key, Algorithm::Ed25519) {
                assert!(key.verify_bytes(b"input", &signature).is_err());
            }
        }
    }
}

// ---- Wycheproof ----

#[test]
fn wycheproof_ecdsa() {
    use wycheproof_ng_ecdsa::TestName::{
        EcdsaSecp256k1Sha256P1363, EcdsaSecp256r1Sha256P1363, EcdsaSecp384r1Sha384P1363,
        EcdsaSecp521r1Sha512P1363,
    };
    for (name, algorithm) in [
        (EcdsaSecp256r1Sha256P1363, Algorithm::Es256),
        (EcdsaSecp384r1Sha384P1363, Algorithm::Es384),
        (EcdsaSecp521r1Sha512P1363, Algorithm::Es512),
        (EcdsaSecp256k1Sha256P1363, Algorithm::Es256k),
    ] {
        if !ALGORITHMS.contains(&algorithm) {
            continue;
        }
        let (mut accepted, mut refused) = (0, 0);
        for group in wycheproof_ng_ecdsa::TestSet::load(name).unwrap().test_groups {
            let key = PublicKey::from_pem(&group.pem).unwrap();
            assert!(PublicKey::from_der(&group.der).unwrap() == key);
            for test in group.tests {
                let valid = test.result == TestResult::Valid;
                for key in verifiers(&key, algorithm) {
                    let verdict = key.verify_bytes(&test.msg, &test.sig);
                    assert_eq!(verdict.is_ok(), valid, "{algorithm}, case {}: {}", test.tc_id, test.comment);
                }
                if valid { accepted += 1 } else { refused += 1 }
            }
        }
        println!("{name:?}: {accepted} accepted, {refused} refused");
        assert!(accepted > 50 && refused > 50);
    }
}

#[test]
fn wycheproof_ed25519() {
    let (mut accepted, mut refused) = (0, 0);
    let set = wycheproof_ng_eddsa::TestSet::load(wycheproof_ng_eddsa::TestName::Ed25519).unwrap();
    for group in set.test_groups {
        let key = PublicKey::from_pem(&group.pem).unwrap();
        assert!(PublicKey::from_der(&group.der).unwrap() == key);
        for test in group.tests {
            let valid = test.result == TestResult::Valid;
            for key in verifiers(&key, Algorithm::Ed25519) {
                let verdict = key.verify_bytes(&test.msg, &test.sig);
                assert_eq!(verdict.is_ok(), valid, "case {}: {}", test.tc_id, test.comment);
            }
            if valid { accepted += 1 } else { refused += 1 }
        }
    }
    println!("ed25519: {accepted} accepted, {refused} refused");
    assert!(accepted > 20 && refused > 50);
}

/// base64 without BEGIN and END lines, as admin pages show it, is named.
#[test]
fn a_bare_base64_key_is_named() {
    for &algorithm in ALGORITHMS {
        let text = b64_standard(der(files(algorithm)[1]));
        assert_eq!(
            PublicKey::from_pem(&text).unwrap_err(),
            KeyError::File(FileMistake::Base64),
            "{algorithm}"
        );
    }
}
