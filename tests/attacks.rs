//! Tests the known attacks on token libraries.
//!
//! Each refusal is checked with both ways to verify and with several claims types. Each error is searched for text from the
//! token and from the secret: see `util`.

mod util;

use core::sync::atomic::{AtomicUsize, Ordering};
use countersign::{
    Algorithm, HmacKey, KeyError, KeyFile, KeySet, Limits, Part, PolicyError, SecretBytes, Size, UnixTime,
    Unverified, Verifier, VerifyError, jws,
};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use std::collections::BTreeMap;
use util::{
    GOOD, HEADER, NOW, assert_accepted, assert_accepted_at, assert_discreet, assert_refused, b64,
    b64_standard, headed, is_invalid_json, jwt, key, later, lax, malformed_claim, open, other_key, refusal,
    refusal_as, refusal_at, refusal_of_header, seconds, sign_text, signed, signed_with, strict,
};

/// Checks that a header is refused, by both layers.
#[track_caller]
fn header_refused(header: impl AsRef<[u8]>, expected: &VerifyError) {
    let header = header.as_ref();
    assert_eq!(refusal_of_header(&headed(header)), *expected, "{}", String::from_utf8_lossy(header));
}

/// Checks that a payload is refused.
#[track_caller]
fn payload_refused(payload: impl AsRef<[u8]>, expected: &VerifyError) {
    let payload = payload.as_ref();
    assert_eq!(refusal(&open(), &jwt(payload)), *expected, "{}", String::from_utf8_lossy(payload));
}

/// Checks that a document is JSON neither as a header nor as a payload.
#[track_caller]
fn not_json(document: impl AsRef<[u8]>) {
    let document = document.as_ref();
    let error = refusal_of_header(&headed(document));
    assert!(is_invalid_json(&error, Part::Header), "{error:?} {}", String::from_utf8_lossy(document));
    let error = refusal(&open(), &jwt(document));
    assert!(is_invalid_json(&error, Part::Payload), "{error:?} {}", String::from_utf8_lossy(document));
}

const fn invalid_header(name: &'static str) -> VerifyError {
    VerifyError::InvalidHeader { name }
}

const fn too_large(size: Size, limit: usize) -> VerifyError {
    VerifyError::TooLarge { size, limit }
}

// ---- alg ----

#[test]
fn alg_none_in_any_spelling_is_refused_with_and_without_a_signature() {
    for name in ["none", "None", "NONE", "nOnE", "none ", " none", "n\\u006fne", "none\\u0000", ""] {
        let header = format!(r#"{{"alg":"{name}","typ":"JWT"}}"#);
        header_refused(&header, &VerifyError::UnsupportedAlgorithm);
        let unsigned = format!("{}.{}.", b64(&header), b64(GOOD));
        assert_eq!(refusal_of_header(&unsigned), VerifyError::UnsupportedAlgorithm);
    }
}

#[test]
fn alg_is_compared_exactly_and_unknown_ones_are_refused() {
    for name in [
        "hs256",
        "Hs256",
        "HS256 ",
        " HS256",
        "HS-256",
        "HS256\\u0000",
        "HS\\u200b256",
        "HS25６",
        "SHA256",
        "HMAC",
        "HS224",
        "HS512/256",
        "RS1",
        "PS1",
        "ES224",
        "ES256k",
        "EdDsa",
        "ed25519",
        "Ed448",
        "dir",
        "A256GCMKW",
        "RSA1_5",
        "RSA-OAEP",
    ] {
        header_refused(format!(r#"{{"alg":"{name}"}}"#), &VerifyError::UnsupportedAlgorithm);
    }
    header_refused(format!(r#"{{"alg":"{}"}}"#, "HS256".repeat(2000)), &VerifyError::UnsupportedAlgorithm);
}

#[test]
fn alg_is_required_and_must_be_text() {
    for value in ["null", "true", "256", r#"["HS256"]"#, r#"{"name":"HS256"}"#, r#"[["HS256"]]"#] {
        header_refused(format!(r#"{{"alg":{value}}}"#), &invalid_header("alg"));
    }
    for header in
        ["{}", r#"{"typ":"JWT"}"#, r#"{"ALG":"HS256"}"#, r#"{"Alg":"HS256"}"#, r#"{"alg ":"HS256"}"#]
    {
        header_refused(header, &invalid_header("alg"));
    }
}

#[test]
fn a_header_with_more_than_1024_escapes_is_refused() {
    let header = |count| format!(r#"{{"alg":"HS256","x":"{}"}}"#, "\\/".repeat(count));
    assert_accepted(&open(), &headed(header(1024)));
    header_refused(header(1025), &VerifyError::TooLarge { size: Size::Escapes, limit: 1024 });
}

#[test]
fn an_escaped_alg_is_unescaped_before_it_is_compared() {
    assert_accepted(&open(), &headed(r#"{"\u0061lg":"\u0048S256"}"#));
}

#[test]
fn alg_in_the_payload_is_ignored() {
    assert_accepted(&open(), &jwt(r#"{"alg":"none","typ":"x","kid":"y","crit":["z"]}"#));
    header_refused(r#"{"typ":"JWT","x":{"alg":"HS256"}}"#, &invalid_header("alg"));
}

// ---- signatures that are missing, cut or extended ----

#[test]
fn a_token_without_its_signature_is_refused() {
    let text = jwt(GOOD);
    let input = text.rsplit_once('.').unwrap().0;
    assert_eq!(refusal_of_header(input), VerifyError::NotAToken);
    assert_eq!(refusal_of_header(&format!("{input}.")), VerifyError::InvalidSignature);
}

#[test]
fn a_signature_of_another_length_is_refused() {
    let input = format!("{}.{}", b64(HEADER), b64(GOOD));
    let signed = sign_text(&key(), &input);
    let tag = util::unb64(signed.rsplit_once('.').unwrap().1);
    for length in (0..tag.len()).chain([33, 48, 63, 64, 65, 66, 255, 256, 257, 512, 1023, 1024]) {
        let changed: Vec<u8> = tag.iter().copied().chain([0].into_iter().cycle()).take(length).collect();
        assert_eq!(refusal_of_header(&format!("{input}.{}", b64(changed))), VerifyError::InvalidSignature);
        let repeated: Vec<u8> = tag.iter().copied().cycle().take(length).collect();
        assert_eq!(refusal_of_header(&format!("{input}.{}", b64(repeated))), VerifyError::InvalidSignature);
    }
    assert_eq!(tag.len(), 32);
    for constant in [[0; 32], [0xff; 32]] {
        assert_eq!(refusal_of_header(&format!("{input}.{}", b64(constant))), VerifyError::InvalidSignature);
    }
}

#[test]
fn parts_of_good_tokens_do_not_make_a_good_token() {
    let (one, other) = (jwt(GOOD), jwt(r#"{"sub":"root"}"#));
    let [one, other] = [&one, &other].map(|text| text.split('.').collect::<Vec<_>>());
    let mixed = [one[0], other[1], one[2]].join(".");
    assert_eq!(refusal_of_header(&mixed), VerifyError::InvalidSignature);
    // The dot is signed too, so it cannot be moved.
    let all = format!("{}{}", one[0], one[1]);
    for place in [one[0].len() - 1, one[0].len() + 1] {
        let moved = format!("{}.{}.{}", &all[..place], &all[place..], one[2]);
        assert_refused!(
            open(),
            moved,
            VerifyError::InvalidBase64 { .. }
                | VerifyError::InvalidJson { .. }
                | VerifyError::InvalidUtf8 { .. }
        );
    }
}

#[test]
fn a_token_signed_with_another_key_is_refused() {
    let text = signed_with(&other_key(), HEADER, GOOD);
    assert_eq!(refusal_of_header(&text), VerifyError::InvalidSignature);
}

#[test]
fn any_changed_dropped_or_added_character_is_refused() {
    let text = jwt(r#"{"sub":"ann"}"#);
    let verifier = open();
    let refused = |changed: &str| {
        let error = verifier.at(NOW).verify::<IgnoredAny>(changed).err();
        assert!(error.is_some(), "{changed}");
    };
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.+/= \n\té";
    for place in 0..text.len() {
        let (before, after) = (&text[..place], &text[place + 1..]);
        refused(&format!("{before}{after}"));
        for other in alphabet.chars() {
            refused(&format!("{before}{other}{}", &text[place..]));
            if !text[place..].starts_with(other) {
                refused(&format!("{before}{other}{after}"));
            }
        }
    }
    for other in alphabet.chars() {
        refused(&format!("{text}{other}"));
    }
}

// ---- key confusion ----

#[test]
fn a_key_file_is_refused_as_a_secret_whatever_comes_before_it() {
    let pem = include_str!("data/rfc7515_a2.pem");
    let jwk = r#"{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddx","e":"AQAB"}"#;
    let ssh = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINnXe8olEcYXzzgxvvD31CN6vtFvO0l48C6MexKdTA8C me@here";
    for (text, found) in [(pem, KeyFile::Pem), (jwk, KeyFile::Jwk), (ssh, KeyFile::Ssh)] {
        for before in ["", " ", "\n", "\r\n\t ", "\u{feff}", "\u{feff}\n "] {
            let secret = format!("{before}{text}");
            secret_refused(secret.as_bytes(), found);
            secret_refused(secret.trim_end().as_bytes(), found);
            secret_refused(secret.replace('\n', "\r\n").as_bytes(), found);
            secret_refused(format!("{secret}\n\n\0").as_bytes(), found);
        }
    }
    for before in
        ["# the key of the login service\n", "Bag Attributes\n    friendlyName: x\n", "x", "\0", "'"]
    {
        secret_refused(format!("{before}{pem}").as_bytes(), KeyFile::Pem);
    }
    secret_refused(pem.replace('\n', "\\n").as_bytes(), KeyFile::Pem);
}

#[test]
fn every_kind_of_ssh_key_is_refused_as_a_secret() {
    let body = "AAAAB3NzaC1yc2EAAAADAQABAAABAQCjeSM0sNHd3p0ZsbfsE5rcYQocLPksjutmJv8yjPWKnCQukXXl";
    for kind in [
        "ssh-rsa",
        "ssh-dss",
        "ssh-ed25519",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com",
        "sk-ecdsa-sha2-nistp256@openssh.com",
    ] {
        secret_refused(format!("{kind} {body} me@here").as_bytes(), KeyFile::Ssh);
    }
}

#[test]
fn an_ssh_key_after_a_comment_or_options_is_refused_as_a_secret() {
    let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINnXe8olEcYXzzgxvvD31CN6vtFvO0l48C6MexKdTA8C";
    for before in ["# the key of the login service\n", "restrict,command=\"/bin/x\" ", "auth.example "] {
        secret_refused(format!("{before}{line}").as_bytes(), KeyFile::Ssh);
    }
}

#[test]
fn an_ssh2_key_file_is_refused_as_a_secret() {
    // RFC 4716: four dashes and a space.
    let file = "---- BEGIN SSH2 PUBLIC KEY ----\nComment: \"256-bit ED25519\"\n\
        AAAAC3NzaC1lZDI1NTE5AAAAINnXe8olEcYXzzgxvvD31CN6vtFvO0l48C6MexKdTA8C\n---- END SSH2 PUBLIC KEY ----\n";
    secret_refused(file.as_bytes(), KeyFile::Ssh);
}

#[test]
fn a_jwk_set_is_refused_as_a_secret() {
    secret_refused(
        br#"{ "keys": [ { "e": "AQAB", "kty": "RSA", "n": "ofgWCuLjybRlzo0t" } ] }"#,
        KeyFile::Jwk,
    );
}

#[test]
fn der_of_keys_and_certificates_is_refused_as_a_secret() {
    // openssl genpkey -algorithm ed25519; pkey -pubout; req -x509 -subj /CN=t; ecparam -name prime256v1.
    for (what, base64) in [
        ("an Ed25519 public key", "MCowBQYDK2VwAyEA4rch1xii0qT4lHFwf88quN8xPc9kCLGLF1AtTzn0AtI="),
        ("an Ed25519 private key", "MC4CAQAwBQYDK2VwBCIEIKqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq"),
        (
            "a P-256 public key",
            "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeSP3efo+ICshOAkK/nF9Sqi5ygylwYd3S5hPSjLcKqQMv7r5Kku3j5zdhdkncYqf\
             pt+L5PyzcwWRjgZd17f0cQ==",
        ),
        (
            "a P-256 certificate",
            "MIIBbzCCARWgAwIBAgIUWfUeNN/otxIaKH7ldTI1ZKBfU4owCgYIKoZIzj0EAwIwDDEKMAgGA1UEAwwBdDAgFw0yNjExMjEyMzQw\
             MjBaGA8yMTI2MTAyODIzNDAyMFowDDEKMAgGA1UEAwwBdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABHkj93n6PiArITgJCv5x\
             fUqoucoMpcGHd0uYT0oy3CqkDL+6+SpLt4+c3YXZJ3GKn6bfi+T8s3MFkY4GXde39HGjUzBRMB0GA1UdDgQWBBSqYpj9v4jKUkny\
             qMMInCtuxNis/zAfBgNVHSMEGDAWgBSqYpj9v4jKUknyqMMInCtuxNis/zAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gA\
             MEUCIQDme83iQMZmTuPlnrZKGDkY4NrtuM+a7hng/4BmEX2n+QIgfzjoD9zq34hTDdNgadZfTXLj2xP8JBpSrTk+/ARKnuA=",
        ),
        (
            "an Ed25519 private key with its public key, RFC 5958",
            "MFECAQEwBQYDK2VwBCIEIKqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqgSEAqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=",
        ),
        (
            "an Ed25519 certificate",
            "MIIBLjCB4aADAgECAhQpN1CEeqx0dChFiRJe0wPBORopQzAFBgMrZXAwDDEKMAgGA1UEAwwBdDAgFw0yNjExMjEyMzQwMjBaGA8y\
             MTI2MTAyODIzNDAyMFowDDEKMAgGA1UEAwwBdDAqMAUGAytlcAMhAOK3IdcYotKk+JRxcH/PKrjfMT3PZAixixdQLU859ALSo1Mw\
             UTAdBgNVHQ4EFgQUjPPGx1R8Xs4AAKZxNMRFhsXWsUswHwYDVR0jBBgwFoAUjPPGx1R8Xs4AAKZxNMRFhsXWsUswDwYDVR0TAQH/\
             BAUwAwEB/zAFBgMrZXADQQBO0rCevw9evX+bkyQXdwKAL29+Yl/NW2KbEMxuZmOH9GWKUf0EpLhfB6NK2aLyQKzdbSxz9SyVZxRh\
             qdqeW7IC",
        ),
    ] {
        let error = HmacKey::hs256(&SecretBytes::from_bytes(util::unb64(base64))).err();
        assert_eq!(error, Some(KeyError::NotASecret { found: KeyFile::Der }), "{what}");
    }
}

/// Checks that these bytes are refused as a secret, raw and encoded, weak or not.
#[track_caller]
fn secret_refused(secret: &[u8], found: KeyFile) {
    let expected = KeyError::NotASecret { found };
    let error = HmacKey::hs256(&SecretBytes::from_bytes(secret)).unwrap_err();
    assert_eq!(error, expected, "{}", String::from_utf8_lossy(secret));
    assert_discreet(&error, &[&String::from_utf8_lossy(secret)]);
    assert_eq!(
        HmacKey::with_weak_secret(Algorithm::Hs256, &SecretBytes::from_bytes(secret)).unwrap_err(),
        expected
    );
    assert_eq!(
        SecretBytes::from_base64(&b64_standard(secret))
            .and_then(|secret| HmacKey::hs256(&secret))
            .unwrap_err(),
        expected
    );
    assert_eq!(
        SecretBytes::from_base64url(&b64(secret)).and_then(|secret| HmacKey::hs256(&secret)).unwrap_err(),
        expected
    );
}

#[test]
fn public_keys_in_base64_are_refused_as_a_secret() {
    secret_refused(b"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAo3kj", KeyFile::Der);
    secret_refused(b"AAAAC3NzaC1lZDI1NTE5AAAAINnXe8olEcYXzzgxvvD31CN6vtFvO0l4", KeyFile::Ssh);
    let files = [
        (
            KeyFile::Pem,
            "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\n-----END PUBLIC KEY-----\n",
        ),
        (KeyFile::Ssh, "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCjeSM0sNHd3p0ZsbfsE5rcYQocLPks me@here"),
        (KeyFile::Ssh, "ssh-dss AAAAB3NzaC1kc3MAAACBAOWGYQYOVUqfzIgVnQmTnPZ"),
        (KeyFile::Ssh, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINnXe8olEcYXzzgxvvD31CN6vtFvO0l48C6MexKdTA8C"),
        (KeyFile::Ssh, "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBHkj93n6"),
        (KeyFile::Ssh, "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIE"),
        (KeyFile::Ssh, "sk-ecdsa-sha2-nistp256@openssh.com AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTZAb3Blbn"),
        (KeyFile::Ssh, "---- BEGIN SSH2 PUBLIC KEY ----\nComment: me\n---- END SSH2 PUBLIC KEY ----"),
        (KeyFile::Jwk, r#"{"kty":"RSA","n":"ofgWCuLjybRlzo0t","e":"AQAB"}"#),
    ];
    // Text before the file shifts its base64 to each of the three alignments.
    for before in ["", "\n", "  ", "# of the authentication server\n"] {
        for (found, file) in files {
            secret_refused(b64_standard(format!("{before}{file}")).as_bytes(), found);
        }
    }
    for der in [
        // PKCS#1 public keys of 2048, 3072, 4096 and 8192 bits, and a private key.
        "MIIBCgKCAQEAofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd",
        "MIIBigKCAYEAofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd",
        "MIICCgKCAgEAofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd",
        "MIIECgKCBAEAofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd",
        "MIIEowIBAAKCAQEAofgWCuLjybRlzo0tZWJjNiuSfb4p4",
        // SPKI on P-256, P-384, P-521 and for Ed25519; PKCS#8 on P-256 and for Ed25519.
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEHgScUIVmBMZKKlBP",
        "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE7fLOmuSmA7J9kx4onYcS",
        "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQAi5MUYbajYynaxe7W",
        "MCowBQYDK2VwAyEA4rch1xii0qT4lHFwf88quN8xPc9kCLGLF1AtTzn0AtI=",
        "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgqqqqqqqq",
        "MC4CAQAwBQYDK2VwBCIEIKqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq",
        // Certificates of a P-256 and an Ed25519 key.
        "MIIBbzCCARWgAwIBAgIUWfUeMDwwDDEKMAgGA1UEAwwBdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABHkj93n6",
        "MIIBbzCCARWgAwIBAgIUWfUeMDwwDDEKMAgGA1UEAwwBdDBZMBMBgcqhkjOPQIBBggqhkjOPQMBBwNCAAR5I/d5",
        "MIIBLjCB4aADAgECAhQpN1CEeqx0dChFiRJe0wPBORopQzAFBgMrZXAwDDEKMAgGA1UEAwwBdDAg",
        "MIIBLjCB4aADAgECAhQpN1CEeqx0dChFiRJe0wPBORop8wBTAFMAUGAytlcDAMMQowCAYDVQQDDAF0",
        // The OID of RSA where certificates may have it.
        "MIIDETCCAfmgAwIBAgIUcmqXWCtRZtxot6ZHsLFx+QgD6ncwDQYJKoZIhvcNAQELBQAw",
        "MIIDETCCAfmgAwIBAgIUcmqXWCtRZtxot6ZHsLFxwA0GCSqGSIb3DQEBCwUAMBcxFTAT",
    ] {
        secret_refused(der.as_bytes(), KeyFile::Der);
    }
    // JWKs with their members in different orders and layouts.
    for jwk in [
        r#"{"kty":"RSA","n":"ofgWCuLjybRlzo0t","e":"AQAB"}"#,
        r#"{"e":"AQAB","kty":"RSA","n":"ofgWCuLjybRlzo0t"}"#,
        r#"{"kid":"1","kty":"EC","crv":"P-256"}"#,
        r#"{"use":"sig", "kty" : "EC", "crv":"P-256"}"#,
        // With another JWK in a string.
        r#"{"kty":"RSA","x":"{\"kty\":\"RSA\"}"}"#,
        "{\n  \"kty\": \"RSA\",\n  \"n\": \"ofgWCuLjybRlzo0t\"\n}",
        "{\r\n\t\"e\": \"AQAB\",\r\n\t\"kty\": \"RSA\"\r\n}",
    ] {
        secret_refused(jwk.as_bytes(), KeyFile::Jwk);
        secret_refused(b64_standard(jwk).as_bytes(), KeyFile::Jwk);
        secret_refused(b64(jwk).as_bytes(), KeyFile::Jwk);
        // As a JSON string, as in configuration files.
        secret_refused(serde_json::to_string(jwk).unwrap().as_bytes(), KeyFile::Jwk);
    }
    // Base64 of other bytes is accepted as a secret.
    assert!(HmacKey::hs256(&SecretBytes::from_bytes(b64_standard([0xa5; 32]))).is_ok());
}

#[test]
fn der_with_a_line_break_after_it_is_refused_as_a_secret() {
    let key = util::unb64("MCowBQYDK2VwAyEA4rch1xii0qT4lHFwf88quN8xPc9kCLGLF1AtTzn0AtI=");
    for end in ["", "\n", "\r\n"] {
        secret_refused(&[&key, end.as_bytes()].concat(), KeyFile::Der);
    }
}

#[test]
fn an_empty_secret_is_refused() {
    assert_eq!(
        HmacKey::hs256(&SecretBytes::from_bytes("")).unwrap_err(),
        KeyError::SecretTooShort { bytes: 0, minimum: 32 }
    );
    assert_eq!(
        HmacKey::with_weak_secret(Algorithm::Hs256, &SecretBytes::from_bytes("")).unwrap_err(),
        KeyError::EmptySecret
    );
    assert_eq!(
        SecretBytes::from_base64("").and_then(|secret| HmacKey::hs256(&secret)).unwrap_err(),
        KeyError::SecretTooShort { bytes: 0, minimum: 32 }
    );
    assert_eq!(
        SecretBytes::from_base64url("").and_then(|secret| HmacKey::hs256(&secret)).unwrap_err(),
        KeyError::SecretTooShort { bytes: 0, minimum: 32 }
    );
}

#[test]
fn keys_in_the_header_are_ignored() {
    // The attacker's secret is in the header, where a trusting reader would take it.
    let oct = format!(r#"{{"kty":"oct","k":"{}"}}"#, b64([0xa5; 32]));
    for parameter in [
        format!(r#""jwk":{oct}"#),
        format!(r#""jwk":{oct},"kid":"1""#),
        r#""jku":"https://evil.example/keys""#.into(),
        r#""x5u":"https://evil.example/chain""#.into(),
        r#""x5c":["MIIBbzCCARWgAwIBAgIUWfUe"]"#.into(),
        r#""x5t":"AAAA","x5t#S256":"AAAA""#.into(),
    ] {
        let header = format!(r#"{{"alg":"HS256",{parameter}}}"#);
        let forged = signed_with(&other_key(), &header, GOOD);
        assert_eq!(refusal_of_header(&forged), VerifyError::InvalidSignature);
        assert_accepted(&open(), &headed(&header));
    }
}

// ---- kid ----

/// A set with two keys. Their ids are `one`, which is [`key`], and `two`.
fn set() -> KeySet {
    let mut keys = KeySet::new();
    keys.insert(key().with_key_id("one").unwrap()).unwrap();
    keys.insert(other_key().with_key_id("two").unwrap()).unwrap();
    keys
}

fn set_verifier() -> Verifier {
    open().with_keys(set())
}

#[test]
fn kid_finds_only_the_key_with_exactly_that_id() {
    let long = format!(r"{}one", "../".repeat(300));
    for kid in [
        "three",
        "",
        "One",
        "ONE",
        " one",
        "one ",
        "on",
        "onee",
        "one\\u0000",
        "\\u0000",
        "../../dev/null",
        "/dev/null",
        "one' OR '1'='1",
        "' UNION SELECT 'key';--",
        "one|two",
        "*",
        "o\\u200bne",
        "ｏｎｅ",
        "one\\n",
        "two/../one",
        &long,
    ] {
        let text = headed(format!(r#"{{"alg":"HS256","typ":"JWT","kid":"{kid}"}}"#));
        assert_eq!(refusal(&set_verifier(), &text), VerifyError::UnknownKey, "{kid}");
        // A single key without an id ignores the `kid`.
        assert_accepted(&open(), &text);
    }
    assert_accepted(&set_verifier(), &headed(r#"{"alg":"HS256","typ":"JWT","kid":"one"}"#));
    assert_accepted(&set_verifier(), &headed(r#"{"alg":"HS256","kid":"\u006fn\u0065"}"#));
}

#[test]
fn kid_is_not_normalised() {
    let composed = key().with_key_id("caf\u{e9}").unwrap();
    let verifier = open().with_keys(composed);
    assert_accepted(&verifier, &headed("{\"alg\":\"HS256\",\"kid\":\"caf\u{e9}\"}"));
    assert_accepted(&verifier, &headed(r#"{"alg":"HS256","kid":"caf\u00e9"}"#));
    let decomposed = headed("{\"alg\":\"HS256\",\"kid\":\"cafe\u{301}\"}");
    assert_eq!(refusal(&verifier, &decomposed), VerifyError::UnknownKey);
}

#[test]
fn a_token_is_verified_only_with_the_key_that_it_names() {
    let swapped = signed_with(&other_key(), r#"{"alg":"HS256","kid":"one"}"#, GOOD);
    assert_eq!(refusal(&set_verifier(), &swapped), VerifyError::InvalidSignature);
    let nameless = headed(r#"{"alg":"HS256"}"#);
    assert_eq!(refusal(&set_verifier(), &nameless), VerifyError::AmbiguousKey);
    assert_eq!(refusal(&set_verifier(), &jwt(GOOD)), VerifyError::AmbiguousKey);
}

#[test]
fn a_key_with_an_id_refuses_tokens_without_that_kid() {
    let verifier = open().with_keys(key().with_key_id("one").unwrap());
    for header in [HEADER, r#"{"alg":"HS256","kid":"two"}"#, r#"{"alg":"HS256","kid":""}"#] {
        assert_eq!(refusal(&verifier, &headed(header)), VerifyError::UnknownKey);
    }
    assert_accepted(&verifier, &headed(r#"{"kid":"one","alg":"HS256"}"#));
}

#[test]
fn kid_must_be_text() {
    for value in ["null", "1", "true", r#"["one"]"#, r#"{"one":1}"#] {
        header_refused(format!(r#"{{"alg":"HS256","kid":{value}}}"#), &invalid_header("kid"));
    }
}

#[test]
fn a_kid_of_a_megabyte_is_refused_by_each_limit() {
    let text = headed(format!(r#"{{"alg":"HS256","kid":"{}"}}"#, "k".repeat(1_000_000)));
    let limits = Limits::new().with_token_bytes(4 << 20);
    let refused = |limits| refusal(&lax().limits(limits).build().unwrap(), &text);
    assert_eq!(refused(Limits::new()), too_large(Size::TokenBytes, 192 << 10));
    assert_eq!(refused(limits), too_large(Size::HeaderBytes, 16 << 10));
    assert_eq!(refused(limits.with_header_bytes(4 << 20)), too_large(Size::KeyIdBytes, 1024));
}

#[test]
fn the_length_of_a_kid_is_counted_after_unescaping() {
    let header = |count: usize| {
        format!(r#"{{"alg":"HS256","kid":"{}{}"}}"#, "\\u006b".repeat(512), "k".repeat(count - 512))
    };
    let named = open().with_keys(key().with_key_id("k".repeat(1024)).unwrap());
    assert_accepted(&named, &headed(header(1024)));
    assert_eq!(refusal(&named, &headed(header(1025))), too_large(Size::KeyIdBytes, 1024));
}

// ---- base64: one token has one spelling ----

#[test]
fn stray_bits_are_refused_in_every_segment() {
    let header = b64(HEADER);
    let invalid = |part, offset| VerifyError::InvalidBase64 { part, offset };
    // One byte after a multiple of three leaves four spare bits, two bytes leave two.
    for (document, spare) in [("{\"alg\":\"HS256\" }", 4), ("{\"alg\":\"HS256\"  }", 2)] {
        let clean = b64(document);
        for stray in 1..(1 << spare) {
            let dirty = with_stray_bits(&clean, stray);
            let last = dirty.len() - 1;
            let text = sign_text(&key(), &format!("{dirty}.{}", b64(GOOD)));
            assert_eq!(refusal_of_header(&text), invalid(Part::Header, last));
            let text = sign_text(&key(), &format!("{header}.{dirty}"));
            assert_eq!(refusal_of_header(&text), invalid(Part::Payload, last));
        }
        assert_accepted(&open(), &sign_text(&key(), &format!("{clean}.{clean}")));
    }
    let text = jwt(GOOD);
    for stray in 1..4 {
        let dirty = with_stray_bits(&text, stray);
        assert_eq!(refusal_of_header(&dirty), invalid(Part::Signature, 42));
    }
}

/// Adds `bits` to the last character of `text`, after the last byte.
fn with_stray_bits(text: &str, bits: usize) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (start, last) = text.split_at(text.len() - 1);
    let place = ALPHABET.find(last).unwrap() + bits;
    format!("{start}{}", &ALPHABET[place..=place])
}

#[test]
fn padding_white_space_and_the_other_alphabet_are_refused_in_every_segment() {
    let text = jwt(GOOD);
    let segments: Vec<&str> = text.split('.').collect();
    let foreign = [
        "=", "==", " ", "\n", "\r\n", "\t", "\0", "+", "/", "~", "%3D", ",", "\u{e9}", "\u{200b}", "\u{feff}",
    ];
    for (place, part) in [Part::Header, Part::Payload, Part::Signature].into_iter().enumerate() {
        for symbol in foreign {
            for at in [0, 1, segments[place].len() / 2, segments[place].len()] {
                let mut changed = segments.clone();
                let (before, after) = segments[place].split_at(at);
                let segment = format!("{before}{symbol}{after}");
                changed[place] = &segment;
                // The changed text is signed, so that only its spelling is wrong.
                let text = match part {
                    Part::Signature => changed.join("."),
                    _ => sign_text(&key(), &changed[..2].join(".")),
                };
                let error = refusal_of_header(&text);
                let is_around = text.trim_ascii() != text;
                assert!(
                    match error {
                        VerifyError::InvalidBase64 { part: found, .. } => found == part && !is_around,
                        VerifyError::NotAlone { .. } => is_around,
                        _ => false,
                    },
                    "{text:?}"
                );
            }
        }
    }
}

#[test]
fn a_segment_of_an_impossible_length_is_refused() {
    let (header, payload) = (b64(HEADER), b64(GOOD));
    for (input, expected) in
        [(format!("{header}A.{payload}"), Part::Header), (format!("{header}.AAAAA"), Part::Payload)]
    {
        let error = refusal_of_header(&sign_text(&key(), &input));
        assert!(matches!(error, VerifyError::InvalidBase64 { part, .. } if part == expected), "{error:?}");
    }
    for signature in ["A", "AAAAA"] {
        let error = refusal_of_header(&format!("{header}.{payload}.{signature}"));
        assert!(matches!(error, VerifyError::InvalidBase64 { part: Part::Signature, .. }), "{error:?}");
    }
}

#[test]
fn white_space_and_prefixes_around_a_token_are_refused() {
    let text = jwt(GOOD);
    for (changed, with) in [
        (format!(" {text}"), "white space"),
        (format!("{text} "), "white space"),
        (format!("{text}\n"), "white space"),
        (format!("\r\n{text}\t"), "white space"),
        (format!("Bearer {text}"), "verify_bearer"),
        (format!(" bearer  {text}\n"), "verify_bearer"),
        (format!("JWT {text}"), "a scheme is before it: pass what follows"),
        (format!("DPoP {text}"), "a scheme is before it: pass what follows"),
        (format!("\"{text}\""), "quotation marks"),
        (format!("'{text}'\n"), "quotation marks"),
    ] {
        for error in [
            refusal(&open(), &changed),
            Unverified::parse(&changed).err().unwrap_or(refusal(&open(), &changed)),
        ] {
            assert!(matches!(error, VerifyError::NotAlone { .. }), "{changed:?}: {error}");
            assert!(error.to_string().contains(with) && error.code() == "not_alone", "{error}");
        }
    }
    for changed in [
        format!("{text}\0"),
        format!("\u{feff}{text}"),
        format!("{text}="),
        format!("{text};"),
        format!("\"{text}"),
        format!("Bearer:{text}"),
        format!("\"{text}'"),
        format!("\"{text}\",\""),
    ] {
        assert_refused!(open(), changed, VerifyError::InvalidBase64 { .. }, changed);
    }
}

// ---- segments ----

#[test]
fn fewer_or_more_than_three_segments_are_refused() {
    let text = jwt(GOOD);
    let [header, payload, signature] = text.split('.').collect::<Vec<_>>().try_into().unwrap();
    for changed in [
        String::new(),
        header.into(),
        format!("{header}.{payload}"),
        format!("{header}{payload}{signature}"),
        format!("{text}."),
        format!("{text}.."),
        format!(".{text}"),
        format!("{text}.{signature}"),
        format!("{header}..{payload}.{signature}"),
        format!("{header}.{payload}..{signature}"),
        format!("{header}.{payload}.{signature}.{header}.{payload}"),
        "...".into(),
        "....".into(),
        ".".into(),
    ] {
        assert_eq!(refusal_of_header(&changed), VerifyError::NotAToken, "{changed:?}");
        assert_eq!(Unverified::parse(&changed).unwrap_err(), VerifyError::NotAToken);
    }
}

#[test]
fn empty_segments_are_refused_as_invalid_json() {
    let (header, payload) = (b64(HEADER), b64(GOOD));
    for input in [".".into(), format!(".{payload}")] {
        let error = refusal_of_header(&sign_text(&key(), &input));
        assert!(is_invalid_json(&error, Part::Header), "{error:?}");
    }
    let error = refusal(&open(), &sign_text(&key(), &format!("{header}.")));
    assert!(is_invalid_json(&error, Part::Payload), "{error:?}");
    // A JWS may have an empty payload.
    let text = sign_text(&key(), &format!("{header}."));
    assert_eq!(jws::MessageVerifier::new(key()).verify(&text).unwrap().payload(), b"");
}

#[test]
fn a_million_dots_are_refused() {
    let dots = ".".repeat(1_000_000);
    assert_eq!(refusal_of_header(&dots), too_large(Size::TokenBytes, 192 << 10));
    let text = jwt(GOOD);
    let wide = lax().limits(Limits::new().with_token_bytes(usize::MAX)).build().unwrap();
    for changed in
        [dots.clone(), format!("{text}{dots}"), format!("{dots}{text}"), format!("{}.{dots}", b64(HEADER))]
    {
        assert_eq!(refusal(&wide, &changed), VerifyError::NotAToken);
    }
}

#[test]
fn the_json_serializations_are_refused() {
    let text = jwt(GOOD);
    let [header, payload, signature] = text.split('.').collect::<Vec<_>>().try_into().unwrap();
    let flat = format!(r#"{{"payload":"{payload}","protected":"{header}","signature":"{signature}"}}"#);
    let general = format!(
        r#"{{"payload":"{payload}","signatures":[{{"protected":"{header}","signature":"{signature}"}}]}}"#
    );
    for changed in [flat.as_str(), general.as_str(), r#"{"payload":"","signatures":[]}"#, "[]", "{}"] {
        assert_eq!(refusal_of_header(changed), VerifyError::NotAToken);
    }
    // A document in both forms: the compact form inside a member of the JSON form.
    let both = format!(r#"{{"  {header}.{payload}.{signature}":"","payload":"e30","protected":"{header}"}}"#);
    assert_refused!(open(), both, VerifyError::InvalidBase64 { part: Part::Header, offset: 0 });
    assert_refused!(
        open(),
        format!("{text}{flat}"),
        VerifyError::InvalidBase64 { part: Part::Signature, .. }
    );
}

#[test]
fn an_encrypted_token_is_not_accepted_as_a_signed_one() {
    let header = b64(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#);
    let five = format!("{header}.AAAA.AAAA.{}.AAAA", b64(GOOD));
    assert_eq!(refusal_of_header(&five), VerifyError::Encrypted);
    assert_eq!(Unverified::parse(&five).unwrap_err(), VerifyError::Encrypted);
    // Five segments without an `enc` are not an encrypted token.
    assert_eq!(refusal_of_header(&format!("{}.A.A.A.A", b64(HEADER))), VerifyError::NotAToken);
    header_refused(r#"{"alg":"dir","enc":"A128GCM","zip":"DEF"}"#, &VerifyError::UnsupportedAlgorithm);
}

// ---- duplicate names ----

#[test]
fn a_duplicate_header_parameter_is_refused() {
    let twice = VerifyError::DuplicateMember { part: Part::Header };
    for header in [
        r#"{"alg":"HS256","alg":"HS256"}"#,
        r#"{"alg":"none","alg":"HS256"}"#,
        r#"{"alg":"HS256","alg":"none"}"#,
        r#"{"alg":"HS256","typ":"JWT","typ":"JWT"}"#,
        r#"{"alg":"HS256","kid":"a","kid":"b"}"#,
        r#"{"alg":"HS256","crit":["x"],"x":1,"crit":["y"]}"#,
        r#"{"alg":"HS256","b64":true,"b64":false}"#,
        r#"{"alg":"HS256","x":1,"x":1}"#,
        r#"{"alg":"HS256","":1,"":2}"#,
        r#"{"alg":"HS256","\u0061lg":"none"}"#,
        r#"{"\u0061lg":"HS256","alg":"HS256"}"#,
        r#"{"alg":"HS256","\u006B\u0069\u0064":"a","kid":"a"}"#,
        r#"{"alg":"HS256","x\/y":1,"x/y":2}"#,
        r#"{"alg":"HS256","\ud83d\ude00":1,"😀":2}"#,
    ] {
        header_refused(header, &twice);
    }
}

#[test]
fn a_duplicate_claim_is_refused() {
    let twice = VerifyError::DuplicateMember { part: Part::Payload };
    for name in ["iss", "sub", "aud", "jti", "exp", "nbf", "iat", "private", "", "a b", "é"] {
        let value = if ["exp", "nbf", "iat"].contains(&name) { "1700000000" } else { "\"x\"" };
        payload_refused(format!(r#"{{"{name}":{value},"{name}":{value}}}"#), &twice);
        payload_refused(format!(r#"{{"{name}":{value},"between":[{{}}],"{name}":{value}}}"#), &twice);
    }
    for payload in [
        r#"{"exp":1,"\u0065xp":9999999999}"#,
        r#"{"\u0065xp":9999999999,"exp":1}"#,
        r#"{"e\u0078p":2,"ex\u0070":2}"#,
        r#"{"sub":"ann","\u0073\u0075\u0062":"root"}"#,
        r#"{"role":"user","r\u006fle":"admin"}"#,
        r#"{"\u0072ole":"user","\u0072ole":"admin"}"#,
        r#"{"a\/b":1,"a/b":2}"#,
        r#"{"\u00e9":1,"é":2}"#,
        r#"{"\ud83d\ude00":1,"😀":2}"#,
        r#"{"a\tb":1,"a\u0009b":2}"#,
    ] {
        payload_refused(payload, &twice);
    }
}

#[test]
fn a_duplicate_claim_is_found_among_thousands() {
    let twice = VerifyError::DuplicateMember { part: Part::Payload };
    for count in [30, 31, 32, 33, 100, 4094] {
        let many: String = (0..count).map(|number| format!(r#""n{number}":0,"#)).collect();
        for name in ["n0", r"\u006e0", &format!("n{}", count - 1), &format!(r"\u006e{}", count - 1)] {
            payload_refused(format!(r#"{{{many}"{name}":0}}"#), &twice);
            payload_refused(format!(r#"{{"first":0,{many}"{name}":0}}"#), &twice);
        }
        payload_refused(format!(r#"{{"exp":1700000900,{many}"exp":1700000900}}"#), &twice);
        // A header may have 64 parameters.
        if count < 62 {
            let header = format!(r#"{{"alg":"HS256",{many}"n{}":0}}"#, count - 1);
            header_refused(header, &VerifyError::DuplicateMember { part: Part::Header });
        }
    }
}

#[test]
fn names_are_case_sensitive() {
    // These names are not `exp`, so they are private claims without effect.
    let policy = Verifier::builder(key()).accept_any_issuer().accept_any_audience().build().unwrap();
    let missing = VerifyError::MissingClaim { claim: "exp".into() };
    for name in ["EXP", "Exp", "exp ", " exp", "exp\\u0000", "ｅｘｐ", "e\\u0301xp", "expires", "ex"] {
        let text = jwt(format!(r#"{{"{name}":1700000900}}"#));
        assert_eq!(refusal(&policy, &text), missing, "{name}");
    }
    let expired = jwt(r#"{"exp":1600000000,"EXP":9999999999,"Exp":9999999999}"#);
    assert_refused!(policy, expired, VerifyError::Expired { .. });
    let policy = lax().build().unwrap();
    assert_accepted(&policy, &jwt(r#"{"NBF":9999999999,"Iat":"x","AUD":5,"ISS":null,"\u017fub":1}"#));
    let issued = open().at(NOW).verify::<Value>(&jwt(r#"{"i\u017fs":"me","ISS":"me"}"#)).unwrap();
    assert_eq!(issued.issuer(), None);
}

// ---- encodings ----

#[test]
fn invalid_utf_8_is_refused_in_names_values_and_ignored_members() {
    let bad: [&[u8]; 9] = [
        b"\xff",
        b"\xc3",
        b"\xc3(",
        b"\x80",
        b"\xc0\xaf",
        b"\xe0\x80\xaf",
        b"\xed\xa0\x80",
        b"\xf8\x88\x80\x80\x80",
        b"\xf4\x90\x80\x80",
    ];
    for bad in bad {
        let around = |before: &[u8], after: &[u8]| [before, bad, after].concat();
        for payload in [
            around(b"{\"iss\":\"", b"\"}"),
            around(b"{\"x\":\"", b"\"}"),
            around(b"{\"", b"\":1}"),
            around(b"{\"x\":[{\"y\":\"", b"\"}]}"),
            around(b"{}", b""),
            around(b"", b"{}"),
        ] {
            let error = refusal(&open(), &jwt(payload));
            assert!(matches!(error, VerifyError::InvalidUtf8 { part: Part::Payload, .. }), "{error:?}");
        }
        for header in
            [around(b"{\"alg\":\"HS256\",\"kid\":\"", b"\"}"), around(b"{\"alg\":\"HS256\",\"x\":\"", b"\"}")]
        {
            let error = refusal_of_header(&headed(header));
            assert!(matches!(error, VerifyError::InvalidUtf8 { part: Part::Header, .. }), "{error:?}");
        }
    }
}

#[test]
fn byte_order_marks_and_wider_encodings_are_refused() {
    not_json("\u{feff}{\"alg\":\"HS256\"}");
    not_json("{\"alg\":\"HS256\"}\u{feff}");
    let text = r#"{"alg":"HS256"}"#;
    not_json(text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>());
    not_json(text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>());
    not_json(text.chars().flat_map(|symbol| u32::from(symbol).to_be_bytes()).collect::<Vec<_>>());
    let marked: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert_eq!(
        refusal_of_header(&headed(marked)),
        VerifyError::InvalidUtf8 { part: Part::Header, offset: 0 }
    );
}

#[test]
fn a_lone_surrogate_is_refused_in_members_that_are_read() {
    for half in
        [r"\ud800", r"\udc00", r"\ud800\ud800", r"\ud800\u0041", r"\udfff\ud800", r"\ud800\n", r"\ud83dx"]
    {
        for document in [
            format!(r#"{{"alg":"{half}"}}"#),
            format!(r#"{{"iss":"{half}"}}"#),
            format!(r#"{{"{half}":1}}"#),
            format!(r#"{{"x":1,"{half}":1}}"#),
            format!(r#"{{"aud":["a","{half}"]}}"#),
        ] {
            let error = refusal(&open(), &jwt(&document));
            assert!(is_invalid_json(&error, Part::Payload), "{document} {error:?}");
        }
        for header in [format!(r#"{{"alg":"{half}"}}"#), format!(r#"{{"alg":"HS256","kid":"{half}"}}"#)] {
            assert!(is_invalid_json(&refusal_of_header(&headed(header)), Part::Header));
        }
    }
}

#[test]
fn a_lone_surrogate_is_refused_in_ignored_members() {
    for half in [r"\ud800", r"\udc00", r"\ud800\u0041"] {
        for payload in [format!(r#"{{"x":"{half}"}}"#), format!(r#"{{"x":[{{"{half}":1}}]}}"#)] {
            let error = refusal(&open(), &jwt(&payload));
            assert!(is_invalid_json(&error, Part::Payload), "{payload} {error:?}");
        }
        let error = refusal_of_header(&headed(format!(r#"{{"alg":"HS256","x":"{half}"}}"#)));
        assert!(is_invalid_json(&error, Part::Header), "{error:?}");
    }
}

#[test]
fn control_characters_are_refused_and_escaped_ones_are_not_dropped() {
    for control in ["\0", "\u{1}", "\n", "\r", "\t", "\u{1f}"] {
        not_json(format!("{{\"alg\":\"HS256{control}\"}}"));
        not_json(format!("{{\"alg\":\"HS256\",\"x\":\"{control}\"}}"));
        not_json(format!("{{\"alg\":\"HS256\",\"x{control}\":1}}"));
    }
    for extra in [r"\u0000", r"\u0000.evil.example", r"\n", r"\u200b", r"\t"] {
        let text = jwt(format!(
            r#"{{"iss":"https://auth.example{extra}","aud":"https://api.example","exp":1700000900}}"#
        ));
        assert_refused!(strict(), text, VerifyError::WrongIssuer { .. });
    }
}

// ---- JSON ----

#[test]
fn anything_but_one_json_object_is_refused() {
    for document in [
        "",
        " ",
        "null",
        "true",
        "5",
        "\"x\"",
        "[]",
        r#"["alg","HS256"]"#,
        r#"[{"alg":"HS256"}]"#,
        "{",
        "}",
        r#"{"alg"}"#,
        r#"{"alg":}"#,
        r#"{"alg":"HS256""#,
        r#"{"alg":"HS256"}}"#,
        r#"{"alg":"HS256"}{}"#,
        r#"{"alg":"HS256"}{"x":1}"#,
        r#"{"alg":"HS256"} x"#,
        r#"{"alg":"HS256"},"#,
        r#"{"alg":"HS256"}]"#,
        r#"{"alg":"HS256"}null"#,
        r#"{"alg":"HS256"]"#,
        r#"{"alg":"HS256",}"#,
        r#"{,"alg":"HS256"}"#,
        r#"{"alg":"HS256",,"x":1}"#,
        r#"{"alg" "HS256"}"#,
        r#"{"alg"="HS256"}"#,
        r#"{"alg":"HS256";"x":1}"#,
        r#"{alg:"HS256"}"#,
        r#"{'alg':'HS256'}"#,
        r#"{"alg":'HS256'}"#,
        r#"{"alg":"HS256"}//"#,
        r#"{"alg":"HS256"/**/}"#,
        r#"/**/{"alg":"HS256"}"#,
        "{\"alg\":\"HS256\"}#",
        "{//\n\"alg\":\"HS256\"}",
        "{\"alg\":\"HS256\"}\0",
        "\0{\"alg\":\"HS256\"}",
        "\u{b}{\"alg\":\"HS256\"}",
        "\u{a0}{\"alg\":\"HS256\"}",
        "{\u{2003}\"alg\":\"HS256\"}",
        "{\"alg\":\"HS256\"}\u{c}",
        "\u{1e}{\"alg\":\"HS256\"}\n",
        r#"{"alg":"HS256","x":NaN}"#,
        r#"{"alg":"HS256","x":Infinity}"#,
        r#"{"alg":"HS256","x":-Infinity}"#,
        r#"{"alg":"HS256","x":+1}"#,
        r#"{"alg":"HS256","x":01}"#,
        r#"{"alg":"HS256","x":0x1}"#,
        r#"{"alg":"HS256","x":1.}"#,
        r#"{"alg":"HS256","x":.5}"#,
        r#"{"alg":"HS256","x":1e}"#,
        r#"{"alg":"HS256","x":-}"#,
        r#"{"alg":"HS256","x":1_0}"#,
        r#"{"alg":"HS256","x":True}"#,
        r#"{"alg":"HS256","x":nul}"#,
        r#"{"alg":"HS256","x":undefined}"#,
        r#"{"alg":"HS256","x":"\x41"}"#,
        r#"{"alg":"HS256","x":"\u12"}"#,
        r#"{"alg":"HS256","x":"\u+123"}"#,
        r#"{"alg":"HS256","x":"\'"}"#,
        r#"{"alg":"HS256","x":"}"#,
        r#"{"alg":"HS256","x":[1,]}"#,
        r#"{"alg":"HS256","x":[1 2]}"#,
        r#"{"alg":"HS256","x":{"y":1]}"#,
        r#"{"alg":"HS256","x":[1}"#,
        r#"{"alg":"HS256",5:1}"#,
        r#"{"alg":"HS256",null:1}"#,
    ] {
        not_json(document);
    }
}

#[test]
fn json_white_space_is_accepted() {
    assert_accepted(&open(), &headed(" \t\r\n{ \"alg\" : \"HS256\" , \"x\" : [ ] } \n"));
    assert_accepted(&open(), &jwt(" \t\r\n{ \"x\" : [ 1 , { } ] } \n"));
}

#[test]
fn names_reserved_by_json_libraries_are_refused_at_the_top() {
    for name in [
        "$serde_json::private::Number",
        "$serde_json::private::RawValue",
        "$serde_json::private::",
        "$serde_json::private::x",
        r"\u0024serde_json::private::RawValue",
        r"$serde_json\u003a:private::Number",
    ] {
        let member = format!(r#""{name}":"{{\"sub\":\"root\"}}""#);
        let (payload, header) = (Part::Payload, Part::Header);
        payload_refused(format!("{{{member}}}"), &VerifyError::ReservedMember { part: payload });
        payload_refused(
            format!(r#"{{"sub":"ann",{member}}}"#),
            &VerifyError::ReservedMember { part: payload },
        );
        header_refused(
            format!(r#"{{"alg":"HS256",{member}}}"#),
            &VerifyError::ReservedMember { part: header },
        );
    }
    // They are not values of registered claims either.
    for claim in ["exp", "nbf", "iat", "iss", "sub", "aud", "jti"] {
        for inner in ["Number", "RawValue"] {
            payload_refused(
                format!(r#"{{"{claim}":{{"$serde_json::private::{inner}":"1700000900"}}}}"#),
                &malformed_claim(claim, "{"),
            );
        }
    }
    header_refused(r#"{"alg":{"$serde_json::private::RawValue":"\"HS256\""}}"#, &invalid_header("alg"));
}

// ---- limits ----

/// An array (or object) that nests `depth` levels.
fn nested(depth: usize, open: &str, close: &str) -> String {
    format!("{}{}", open.repeat(depth), close.repeat(depth))
}

#[test]
fn nesting_is_accepted_up_to_the_limit_and_not_one_level_deeper() {
    let document = |depth: usize| format!(r#"{{"alg":"HS256","x":{}}}"#, nested(depth - 1, "[", "]"));
    let objects =
        |depth| format!(r#"{{"alg":"HS256","x":{}1{}}}"#, "{\"y\":".repeat(depth - 1), "}".repeat(depth - 1));
    for document in [&document as &dyn Fn(usize) -> String, &objects] {
        assert_accepted(&open(), &signed(document(128), document(128)));
        header_refused(document(129), &too_large(Size::Depth, 128));
        payload_refused(document(129), &too_large(Size::Depth, 128));
        let shallow = lax().limits(Limits::new().with_depth(3)).build().unwrap();
        assert_accepted(&shallow, &signed(document(3), document(3)));
        assert_eq!(refusal(&shallow, &signed(HEADER, document(4))), too_large(Size::Depth, 3));
        assert_eq!(refusal(&shallow, &signed(document(4), GOOD)), too_large(Size::Depth, 3));
    }
    // Many brackets next to each other are not deep.
    assert_accepted(&open(), &jwt(format!(r#"{{"x":{},"y":[[],[],{{}}]}}"#, nested(127, "[", "]"))));
}

#[test]
fn the_depth_limit_cannot_be_raised() {
    let deep = lax().limits(Limits::new().with_depth(usize::MAX)).build().unwrap();
    let payload = format!(r#"{{"x":{}}}"#, nested(128, "[", "]"));
    assert_eq!(refusal(&deep, &jwt(payload)), too_large(Size::Depth, 128));
}

#[test]
fn depth_bombs_are_refused_whether_they_are_closed_or_not() {
    for bomb in [
        nested(60_000, "[", "]"),
        "[".repeat(60_000),
        "{\"a\":".repeat(20_000),
        format!("{{\"x\":{}", "[".repeat(60_000)),
        format!("{{\"exp\":{}", nested(25_000, "[", "]")),
        format!("{{\"aud\":{}", "[".repeat(60_000)),
        format!("{{\"x\":\"\\\"\",\"y\":{}", "[{".repeat(25_000)),
    ] {
        payload_refused(&bomb, &too_large(Size::Depth, 128));
        let wide = lax().limits(Limits::new().with_header_bytes(usize::MAX)).build().unwrap();
        assert_eq!(refusal(&wide, &headed(&bomb)), too_large(Size::Depth, 128));
    }
}

#[test]
fn brackets_in_strings_and_siblings_do_not_count_as_depth() {
    let text = "[{".repeat(5000);
    assert_accepted(&open(), &jwt(format!(r#"{{"x":"{text}\"{text}\\","{text}":"\\\"{text}"}}"#)));
    assert_accepted(&open(), &jwt(format!(r#"{{"x":[{}[]]}}"#, "[],".repeat(5000))));
}

#[test]
fn a_token_is_accepted_up_to_its_limit_and_not_one_byte_longer() {
    let limited = |bytes| lax().limits(Limits::new().with_token_bytes(bytes)).build().unwrap();
    // With the header that the key writes, and with another header.
    for text in [jwt(GOOD), headed(r#"{ "alg":"HS256" }"#)] {
        assert_accepted(&limited(text.len()), &text);
        assert_eq!(refusal(&limited(text.len() - 1), &text), too_large(Size::TokenBytes, text.len() - 1));
        assert_eq!(refusal(&limited(0), &text), too_large(Size::TokenBytes, 0));
    }

    let limit = 192 << 10;
    let filled = |bytes| jwt(format!(r#"{{"x":"{}"}}"#, "x".repeat(bytes)));
    let overhead = filled(0).len();
    let most = (limit - overhead) / 4 * 3;
    let (fits, over) = (filled(most), filled(most + 3));
    assert!(fits.len() <= limit && fits.len() > limit - 4 && over.len() > limit);
    assert_accepted(&open(), &fits);
    assert_eq!(refusal_of_header(&over), too_large(Size::TokenBytes, limit));
    assert_eq!(Unverified::parse(&over).unwrap_err(), too_large(Size::TokenBytes, limit));
}

#[test]
fn a_header_is_accepted_up_to_its_limit_and_not_one_byte_longer() {
    let header = r#"{"alg":"HS256","x":"0123456789"}"#;
    let length = b64(header).len();
    let limited = |bytes| lax().limits(Limits::new().with_header_bytes(bytes)).build().unwrap();
    assert_accepted(&limited(length), &headed(header));
    assert_eq!(refusal(&limited(length - 1), &headed(header)), too_large(Size::HeaderBytes, length - 1));

    let filled = |bytes| headed(format!(r#"{{"alg":"HS256","x":"{}"}}"#, "x".repeat(bytes)));
    let most = (16 << 10) / 4 * 3 - r#"{"alg":"HS256","x":""}"#.len();
    assert_accepted(&open(), &filled(most));
    assert_eq!(refusal_of_header(&filled(most + 1)), too_large(Size::HeaderBytes, 16 << 10));
}

#[test]
fn a_key_id_is_accepted_up_to_its_limit_and_not_one_byte_longer() {
    let headed = |kid: &str| headed(format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#));
    assert_accepted(&open(), &headed(&"k".repeat(1024)));
    assert_eq!(refusal_of_header(&headed(&"k".repeat(1025))), too_large(Size::KeyIdBytes, 1024));
    // Bytes count, not characters.
    assert_eq!(refusal_of_header(&headed(&"é".repeat(513))), too_large(Size::KeyIdBytes, 1024));
    let limited = lax().limits(Limits::new().with_key_id_bytes(3)).build().unwrap();
    assert_accepted(&limited, &headed("one"));
    assert_eq!(refusal(&limited, &headed("four")), too_large(Size::KeyIdBytes, 3));
}

#[test]
fn members_are_accepted_up_to_their_limit_and_not_one_more() {
    let payload = |count| {
        let members: Vec<_> = (0..count).map(|number| format!(r#""n{number}":0"#)).collect();
        format!("{{{}}}", members.join(","))
    };
    assert_accepted(&open(), &jwt(payload(4096)));
    payload_refused(payload(4097), &too_large(Size::Members, 4096));
    let two = lax().limits(Limits::new().with_members(2)).build().unwrap();
    assert_accepted(&two, &jwt(payload(2)));
    assert_eq!(refusal(&two, &jwt(payload(3))), too_large(Size::Members, 2));
    assert_eq!(refusal(&two, &headed(r#"{"alg":"HS256","x":1,"y":2}"#)), too_large(Size::Members, 2));
    // A header may have at most 64 parameters, also with a higher limit.
    let header = |count: usize| {
        let others: Vec<_> = (1..count).map(|number| format!(r#""n{number}":0"#)).collect();
        headed(format!(r#"{{"alg":"HS256",{}}}"#, others.join(",")))
    };
    let many = lax().limits(Limits::new().with_members(usize::MAX)).build().unwrap();
    for verifier in [&open(), &many] {
        assert_accepted(verifier, &header(64));
        for count in [65, 1000] {
            assert_eq!(refusal(verifier, &header(count)), too_large(Size::Members, 64));
        }
    }
    // Registered claims and header parameters count as well.
    assert_eq!(refusal(&two, &jwt(r#"{"iss":"a","sub":"b","exp":1700000900}"#)), too_large(Size::Members, 2));
}

#[test]
fn audiences_are_accepted_up_to_their_limit_and_not_one_more() {
    let payload = |count: usize| format!(r#"{{"aud":[{}"last"]}}"#, r#""a","#.repeat(count - 1));
    let verifier = Verifier::builder(key()).accept_any_issuer().audience("last").allow_missing_expiration();
    let verifier = verifier.build().unwrap();
    assert_accepted(&verifier, &jwt(payload(16_384)));
    assert_eq!(refusal(&verifier, &jwt(payload(16_385))), too_large(Size::Audiences, 16_384));
    let two = lax().limits(Limits::new().with_audiences(2)).build().unwrap();
    assert_accepted(&two, &jwt(payload(2)));
    assert_eq!(refusal(&two, &jwt(payload(3))), too_large(Size::Audiences, 2));
    // A string counts as one audience.
    let none = lax().limits(Limits::new().with_audiences(0)).build().unwrap();
    assert_accepted(&none, &jwt(r#"{"aud":[]}"#));
    for one in [r#"{"aud":"a"}"#, r#"{"aud":["a"]}"#] {
        assert_eq!(refusal(&none, &jwt(one)), too_large(Size::Audiences, 0));
    }
    // The limit applies to verifying only. Signing accepts any number, also in the claims type.
    let many = countersign::Claims::new(serde_json::json!({ "aud": vec!["a"; 16_385] })).never_expires();
    let more = lax().limits(Limits::new().with_audiences(16_385)).build().unwrap();
    assert_accepted(&more, &many.sign(&key()).unwrap());
}

#[test]
fn a_signature_is_read_up_to_the_longest_length_and_not_one_character_more() {
    let input = format!("{}.{}", b64(HEADER), b64(GOOD));
    // The lengths of RSA with 8192 bits and of ML-DSA-87, and one byte more or less.
    for length in [1024, 1025, 4626, 4627] {
        let text = format!("{input}.{}", b64(vec![0; length]));
        assert_eq!(refusal_of_header(&text), VerifyError::InvalidSignature, "{length}");
    }
    let longest = format!("{input}.{}", b64([0; 4627]));
    assert_eq!(refusal_of_header(&format!("{longest}A")), too_large(Size::SignatureBytes, 6170));
    assert_eq!(
        refusal_of_header(&format!("{input}.{}", b64(vec![0; 100_000]))),
        too_large(Size::SignatureBytes, 6170)
    );
}

#[test]
fn limits_also_apply_to_the_header_that_a_key_writes() {
    let named = key().with_key_id("a name of twenty-six bytes").unwrap();
    let text = signed_with(
        &named,
        format!(r#"{{"alg":"HS256","typ":"JWT","kid":"{}"}}"#, named.key_id().unwrap()),
        GOOD,
    );
    let mut keys = KeySet::new();
    keys.insert(named.clone()).unwrap();
    for (limits, expected) in [
        (Limits::new().with_key_id_bytes(10), too_large(Size::KeyIdBytes, 10)),
        (Limits::new().with_members(2), too_large(Size::Members, 2)),
        (Limits::new().with_depth(0), too_large(Size::Depth, 0)),
        (Limits::new().with_header_bytes(10), too_large(Size::HeaderBytes, 10)),
    ] {
        let verifier = lax().limits(limits).build().unwrap();
        assert_eq!(refusal(&verifier.with_keys(named.clone()), &text), expected);
        assert_eq!(refusal(&verifier.with_keys(keys.clone()), &text), expected);
    }
}

#[test]
fn an_error_does_not_repeat_a_huge_input() {
    let huge = "x".repeat(150_000);
    let limits = Limits::new()
        .with_token_bytes(usize::MAX)
        .with_header_bytes(usize::MAX)
        .with_key_id_bytes(usize::MAX);
    let wide = lax().limits(limits).build().unwrap();
    let set = wide.with_keys(set());
    for (header, payload) in [
        (format!(r#"{{"alg":"{huge}"}}"#), String::from("{}")),
        (format!(r#"{{"alg":"HS256","typ":"{huge}"}}"#), String::from("{}")),
        (format!(r#"{{"alg":"HS256","{huge}":1,"{huge}":1}}"#), String::from("{}")),
        (format!(r#"{{"alg":"HS256","crit":["{huge}"]}}"#), String::from("{}")),
        (String::from(HEADER), format!(r#"{{"{huge}":1,"{huge}":2}}"#)),
        (String::from(HEADER), format!(r#"{{"exp":"{huge}"}}"#)),
        (String::from(HEADER), format!(r#"{{"x":{huge}}}"#)),
        (String::from(HEADER), format!(r#"{{"iss":["{huge}"]}}"#)),
    ] {
        // The helper checks the length of the error's texts, and that they contain no piece of the token.
        refusal(&wide, &signed(header, payload));
    }
    refusal(&set, &headed(format!(r#"{{"alg":"HS256","kid":"{huge}"}}"#)));
    for claim in ["iss", "aud"] {
        let foreign = GOOD.replace(&format!(r#""{claim}":""#), &format!(r#""{claim}":"{huge}"#));
        refusal(&strict(), &jwt(foreign));
    }
    #[derive(Debug, serde::Deserialize)]
    struct Narrow {
        #[serde(rename = "n")]
        _n: u8,
    }
    refusal_as::<Narrow>(&wide, &jwt(format!(r#"{{"n":"{huge}"}}"#)));
    refusal_as::<BTreeMap<String, u8>>(&wide, &jwt(format!(r#"{{"{huge}":"{huge}"}}"#)));
}

// ---- times ----

const TIMES: [&str; 3] = ["exp", "nbf", "iat"];

#[test]
fn a_time_of_the_wrong_json_type_is_malformed_and_not_missing() {
    for claim in TIMES {
        for value in [
            "null",
            "true",
            "false",
            "\"1700000900\"",
            "\"\"",
            "\"never\"",
            "[]",
            "[1700000900]",
            "{}",
            r#"{"seconds":1700000900}"#,
            "\"2030-01-01T00:00:00Z\"",
            "\"NaN\"",
            "[null]",
        ] {
            payload_refused(format!(r#"{{"{claim}":{value}}}"#), &malformed_claim(claim, value));
            payload_refused(format!(r#"{{"a":1,"{claim}":{value},"z":1}}"#), &malformed_claim(claim, value));
            // Invalid JSON is reported as such, also after a malformed claim.
            not_json(format!(r#"{{"{claim}":{value},"z":}}"#));
            not_json(format!(r#"{{"{claim}":{value}"#));
        }
    }
}

#[test]
fn a_time_that_no_number_type_holds_is_malformed() {
    for claim in TIMES {
        for value in [
            "1e300",
            "-1e300",
            "1e17",
            "9007199254740993",
            "-9007199254740993",
            "9007199254740994.0",
            "9223372036854775807",
            "9223372036854775808",
            "-9223372036854775808",
            "-9223372036854775809",
            "18446744073709551615",
            "18446744073709551616",
            "340282366920938463463374607431768211456",
            "1.7976931348623157e308",
        ] {
            payload_refused(format!(r#"{{"{claim}":{value}}}"#), &malformed_claim(claim, value));
        }
        let digits = format!("1{}", "0".repeat(5000));
        payload_refused(format!(r#"{{"{claim}":{digits}}}"#), &malformed_claim(claim, &digits));
    }
}

#[test]
fn a_time_beyond_every_float_is_malformed() {
    for claim in TIMES {
        for value in ["1e309", "1e999", "-1e999", "1e99999999999999999999"] {
            payload_refused(format!(r#"{{"{claim}":{value}}}"#), &malformed_claim(claim, value));
        }
    }
}

#[test]
fn an_expiry_long_ago_does_not_wrap_around() {
    for value in
        ["0", "-0", "-0.0", "1", "-1", "-8334601228800", "-9007199254740992", "1e-300", "-1.5", "0.0"]
    {
        let text = jwt(format!(r#"{{"exp":{value}}}"#));
        for now in [NOW, UnixTime::from_secs(i64::MAX), UnixTime::from_secs(31)] {
            assert!(refusal_at(&open(), &text, now).is_expired(), "{value}");
        }
    }
    for claim in ["nbf", "iat"] {
        for value in ["0", "-1", "-8334601228800", "-9007199254740992"] {
            assert_accepted(&open(), &jwt(format!(r#"{{"{claim}":{value}}}"#)));
        }
    }
}

#[test]
fn the_farthest_times_do_not_wrap_around() {
    let far = 1_i64 << 53;
    assert_accepted(&open(), &jwt(format!(r#"{{"exp":{far}}}"#)));
    assert_refused!(open(), jwt(format!(r#"{{"nbf":{far}}}"#)), VerifyError::NotYetValid { .. });
    assert_refused!(open(), jwt(format!(r#"{{"iat":{far}}}"#)), VerifyError::IssuedInFuture { .. });
    let text = jwt(format!(r#"{{"nbf":{far},"iat":{far},"exp":{}.0}}"#, far));
    for now in [i64::MIN, i64::MIN + 1, -far, -1, 0] {
        let error = refusal_at(&open(), &text, UnixTime::from_secs(now));
        assert!(matches!(error, VerifyError::NotYetValid { .. }), "{error:?}");
    }
    for now in [i64::MAX, i64::MAX - 1, far + 30] {
        assert!(refusal_at(&open(), &text, UnixTime::from_secs(now)).is_expired());
    }
}

#[test]
fn a_large_leeway_does_not_wrap_around() {
    let wide = lax()
        .leeway_beyond_limit(core::time::Duration::MAX)
        .max_age(core::time::Duration::MAX)
        .build()
        .unwrap();
    for now in [i64::MIN, -1, 0, NOW.as_secs(), i64::MAX - 1] {
        let text = jwt(r#"{"exp":-9007199254740992,"nbf":9007199254740992,"iat":9007199254740992}"#);
        assert_accepted_at(&wide, &text, UnixTime::from_secs(now));
    }
    // The leeway is larger than the time of the clock.
    let narrow = lax().leeway(seconds(300)).build().unwrap();
    for now in [0, 10, 299] {
        assert_accepted_at(&narrow, &jwt(r#"{"exp":0,"nbf":300,"iat":300}"#), UnixTime::from_secs(now));
        assert!(refusal_at(&narrow, &jwt(r#"{"exp":-301}"#), UnixTime::from_secs(now)).is_expired());
    }
    for now in [i64::MIN, -302] {
        assert_accepted_at(
            &narrow,
            &jwt(r#"{"exp":-301}"#),
            UnixTime::from_secs(now - i64::from(now == -302)),
        );
    }
}

#[test]
fn a_token_is_expired_in_the_very_second_of_its_expiry() {
    let exact = lax().leeway(seconds(0)).build().unwrap();
    let text = jwt(r#"{"exp":1700000000}"#);
    assert_accepted_at(&exact, &text, later(-1));
    assert_eq!(refusal(&exact, &text), VerifyError::Expired { expired_at: NOW, now: NOW });
    assert!(refusal_at(&exact, &text, later(1)).is_expired());
}

// ---- audiences, issuers, subjects ----

#[test]
fn an_audience_is_compared_as_a_whole() {
    for audience in [
        "https://api.example.evil",
        "https://api.exampl",
        "https://api",
        "api.example",
        "HTTPS://API.EXAMPLE",
        "",
        "https://api.example/",
        " https://api.example",
        "https://api.example ",
        "https://other,https://api.example",
        "https://other https://api.example",
        "*",
        "https://*.example",
        "h",
        "[\\\"https://api.example\\\"]",
        "https://api.example\\u0000",
    ] {
        for value in
            [format!(r#""{audience}""#), format!(r#"["{audience}"]"#), format!(r#"["x","{audience}","y"]"#)]
        {
            let payload = GOOD.replace(r#""https://api.example""#, &value);
            assert_refused!(strict(), jwt(payload), VerifyError::WrongAudience { .. }, audience);
        }
    }
    for value in [r#"["https://api.example"]"#, r#"["x","y","z","w","v","https://api.example"]"#] {
        assert_accepted(&strict(), &jwt(GOOD.replace(r#""https://api.example""#, value)));
    }
}

#[test]
fn an_audience_of_another_json_type_is_malformed_even_next_to_the_right_one() {
    for value in [
        "null",
        "5",
        "true",
        r#"{"a":1}"#,
        r#"{"https://api.example":1}"#,
        r#"["https://api.example",5]"#,
        r#"[5,"https://api.example"]"#,
        r#"["https://api.example",null]"#,
        r#"["https://api.example",["x"]]"#,
        r#"[["https://api.example"]]"#,
        r#"["https://api.example",{}]"#,
        r#"["https://api.example",true]"#,
    ] {
        let payload = GOOD.replace(r#""https://api.example""#, value);
        for verifier in [strict(), open()] {
            assert_eq!(refusal(&verifier, &jwt(&payload)), malformed_claim("aud", value), "{value}");
        }
    }
    let empty = jwt(GOOD.replace(r#""https://api.example""#, "[]"));
    assert_refused!(strict(), empty, VerifyError::WrongAudience { .. });
}

#[test]
fn an_issuer_or_subject_of_another_json_type_is_malformed() {
    let verifier = lax().subject("ann").build().unwrap();
    for claim in ["iss", "sub", "jti"] {
        for value in ["null", "5", "true", "{}", "[]", r#"["ann"]"#, r#"["ann","x"]"#, r#"{"ann":1}"#] {
            let payload = format!(r#"{{"{claim}":{value},"x":1}}"#);
            for verifier in [&verifier, &open(), &strict()] {
                assert_eq!(refusal(verifier, &jwt(&payload)), malformed_claim(claim, value), "{payload}");
            }
        }
    }
}

#[test]
fn a_configured_claim_is_required() {
    let missing = |claim: &'static str| VerifyError::MissingClaim { claim: claim.into() };
    for (leave_out, claim) in [
        (r#""iss":"https://auth.example","#, "iss"),
        (r#""aud":"https://api.example","#, "aud"),
        (r#","exp":1700000900"#, "exp"),
    ] {
        assert_eq!(refusal(&strict(), &jwt(GOOD.replace(leave_out, ""))), missing(claim));
    }
    let subject = lax().subject("ann").build().unwrap();
    assert_eq!(refusal(&subject, &jwt("{}")), missing("sub"));
    assert_eq!(refusal(&strict(), &jwt("{}")), missing("iss"));
}

#[test]
fn an_issuer_is_compared_as_a_whole() {
    for issuer in [
        "https://auth.example.evil.example",
        "https://auth.exampl",
        "https://auth",
        "HTTPS://AUTH.EXAMPLE",
        "",
        "a",
        "https://auth.example/",
        "https://evil.example/https://auth.example",
        "https://auth.example\\n",
    ] {
        let payload = GOOD.replace("https://auth.example", issuer);
        assert_refused!(strict(), jwt(payload), VerifyError::WrongIssuer { .. }, issuer);
    }
}

#[test]
fn an_empty_expected_name_is_refused() {
    let builder = || Verifier::builder(key()).accept_any_issuer().accept_any_audience();
    let empty = |setting| PolicyError::Empty { setting };
    let decided = Verifier::builder(key());
    assert_eq!(decided.clone().issuer("").no_audience().build().unwrap_err(), empty("issuer"));
    assert_eq!(decided.accept_any_issuer().audience("").build().unwrap_err(), empty("audience"));
    assert_eq!(builder().subject("").build().unwrap_err(), empty("subject"));
    assert_eq!(builder().require("").build().unwrap_err(), empty("require"));
    assert_eq!(builder().typ("").build().unwrap_err(), empty("typ"));
    assert_eq!(builder().understand_critical("").build().unwrap_err(), empty("understand_critical"));
    assert_eq!(jws::MessageVerifier::new(key()).typ("").unwrap_err(), empty("typ"));
    assert_eq!(
        jws::MessageVerifier::new(key()).understand_critical("").unwrap_err(),
        empty("understand_critical")
    );
    // Without its prefix, this one is empty too.
    assert_eq!(builder().typ("application/").build().unwrap_err(), empty("typ"));
}

#[test]
fn an_unexpected_audience_is_refused() {
    let none = Verifier::builder(key()).accept_any_issuer().no_audience().build().unwrap();
    for value in [r#""x""#, r#""""#, "[]", r#"["x"]"#] {
        let text = jwt(format!(r#"{{"aud":{value},"exp":1700000900}}"#));
        assert_eq!(refusal(&none, &text), VerifyError::UnexpectedAudience);
    }
    assert_accepted(&none, &jwt(r#"{"exp":1700000900}"#));
}

// ---- crit and b64 ----

#[test]
fn crit_that_names_an_unknown_extension_is_refused() {
    for header in [
        r#"{"alg":"HS256","crit":["x"],"x":1}"#,
        r#"{"alg":"HS256","x":1,"crit":["x"]}"#,
        r#"{"crit":["x"],"x":1,"alg":"HS256"}"#,
        r#"{"alg":"HS256","crit":["exp"],"exp":9999999999}"#,
        r#"{"alg":"HS256","crit":["http://x.example/y"],"http://x.example/y":1}"#,
        r#"{"alg":"HS256","crit":["x","y"],"x":1,"y":1}"#,
        r#"{"alg":"HS256","\u0063rit":["x"],"x":1}"#,
    ] {
        header_refused(header, &VerifyError::CriticalHeader);
    }
}

#[test]
fn crit_that_is_empty_or_duplicate_or_names_standard_or_absent_parameters_is_refused() {
    let verifier = lax().understand_critical("x").understand_critical("y").build().unwrap();
    for crit in [
        "[]",
        r#"["x","x"]"#,
        r#"["x","\u0078"]"#,
        r#"["y","x","y"]"#,
        r#"["alg"]"#,
        r#"["typ"]"#,
        r#"["kid"]"#,
        r#"["crit"]"#,
        r#"["x","alg"]"#,
        r#"["jwk"]"#,
        r#"["zip"]"#,
        r#"["enc"]"#,
        r#"["z"]"#,
        r#"["x","z"]"#,
        r#"["X"]"#,
        r#"["x "]"#,
        r#"[""]"#,
        r#"["b64"]"#,
        r#"["absent"]"#,
    ] {
        let header = format!(
            r#"{{"alg":"HS256","typ":"JWT","kid":"k","jwk":{{}},"zip":"","x":1,"y":2,"b64":true,"crit":{crit}}}"#
        );
        assert_eq!(refusal(&verifier, &headed(header)), VerifyError::CriticalHeader, "{crit}");
    }
    // The extension is understood but missing from the header.
    let absent = headed(r#"{"alg":"HS256","crit":["x"]}"#);
    assert_eq!(refusal(&verifier, &absent), VerifyError::CriticalHeader);
    for header in
        [r#"{"alg":"HS256","crit":["x"],"x":1}"#, r#"{"alg":"HS256","crit":["y","x"],"x":null,"y":0}"#]
    {
        assert_accepted(&verifier, &headed(header));
    }
    let below = jws::MessageVerifier::new(key()).understand_critical("x").unwrap();
    assert!(below.verify(&headed(r#"{"alg":"HS256","crit":["x"],"x":1}"#)).is_ok());
    assert_eq!(below.verify(&absent).unwrap_err(), VerifyError::CriticalHeader);
}

#[test]
fn crit_of_another_json_type_is_refused() {
    for value in
        ["null", "true", "1", "\"x\"", "{}", r#"{"x":1}"#, "[1]", "[null]", r#"[["x"]]"#, r#"["x",1]"#]
    {
        header_refused(format!(r#"{{"alg":"HS256","crit":{value},"x":1}}"#), &invalid_header("crit"));
    }
}

#[test]
fn standard_parameters_cannot_be_declared_as_extensions() {
    for name in [
        "alg", "typ", "cty", "kid", "jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256", "crit", "enc", "zip",
        "epk", "apu", "apv", "iv", "tag", "p2s", "p2c", "b64",
    ] {
        let unusable = PolicyError::UnusableExtension { name: name.into() };
        assert_eq!(lax().understand_critical(name).build().unwrap_err(), unusable);
        assert_eq!(jws::MessageVerifier::new(key()).understand_critical(name).unwrap_err(), unusable);
    }
}

#[test]
fn an_unencoded_payload_is_refused_with_and_without_crit() {
    for header in [
        r#"{"alg":"HS256","b64":false}"#,
        r#"{"alg":"HS256","b64":false,"crit":["b64"]}"#,
        r#"{"b64":false,"alg":"HS256"}"#,
        r#"{"alg":"HS256","b64":true,"crit":["b64"]}"#,
        r#"{"alg":"HS256","\u0062\u0036\u0034":false}"#,
        r#"{"alg":"HS256","crit":["b64"]}"#,
    ] {
        header_refused(header, &VerifyError::CriticalHeader);
    }
    for value in ["null", "0", "1", "\"false\"", "\"true\"", "[]", "[false]", "{}"] {
        header_refused(format!(r#"{{"alg":"HS256","b64":{value}}}"#), &invalid_header("b64"));
    }
    // The value true is the default (RFC 7797 section 3).
    assert_accepted(&open(), &headed(r#"{"alg":"HS256","b64":true}"#));
}

#[test]
fn a_detached_payload_is_refused() {
    let header = b64(HEADER);
    let full = sign_text(&key(), &format!("{header}.{}", b64(GOOD)));
    let detached = format!("{header}..{}", full.rsplit_once('.').unwrap().1);
    assert_eq!(refusal_of_header(&detached), VerifyError::InvalidSignature);
}

// ---- typ ----

#[test]
fn a_token_of_another_type_is_refused() {
    let typed = |typ: &str| headed(format!(r#"{{"alg":"HS256","typ":"{typ}"}}"#));
    let error = |verifier: &Verifier, typ: &str| {
        assert_refused!(verifier, typed(typ), VerifyError::WrongType { .. }, typ);
    };
    let access = lax().typ("at+jwt").build().unwrap();
    for typ in [
        "JWT",
        "dpop+jwt",
        "logout+jwt",
        "at+jwt ",
        "at",
        "jwt",
        "",
        "text/at+jwt",
        "application/x/at+jwt",
        "at+jwt;x=y",
    ] {
        error(&access, typ);
    }
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"] {
        assert_accepted(&access, &typed(typ));
        error(&open(), typ);
    }
    for typ in ["JWT", "jwt", "application/jwt"] {
        assert_accepted(&open(), &typed(typ));
    }
    for typ in
        ["", " ", "JWS", "JOSE", "JWTs", "JWT\\u0000", "at+JWT", "\u{212a}WT", "application/application/JWT"]
    {
        error(&open(), typ);
    }
    // A missing `typ` is not the required one.
    assert_refused!(access, headed(r#"{"alg":"HS256"}"#), VerifyError::WrongType { .. });
    assert_accepted(&open(), &headed(r#"{"alg":"HS256"}"#));
}

#[test]
fn any_of_several_types_is_accepted_and_others_are_refused() {
    let typed = |typ: &str| headed(format!(r#"{{"alg":"HS256","typ":"{typ}"}}"#));
    let verifier = lax().typ("at+jwt").typ("application/JWT").build().unwrap();
    for typ in ["at+jwt", "AT+JWT", "JWT", "jwt", "application/jwt"] {
        assert_accepted(&verifier, &typed(typ));
    }
    // Also the header that the key writes.
    assert_accepted(&verifier, &jwt(GOOD));
    for typ in ["", "JWS", "dpop+jwt", "at+jwt, JWT"] {
        assert_refused!(verifier, typed(typ), VerifyError::WrongType { .. }, typ);
    }
    let error = refusal(&verifier, &headed(r#"{"alg":"HS256"}"#));
    assert_eq!(error.to_string(), r#"token is not of type "at+jwt" or "JWT""#);

    let messages = jws::MessageVerifier::new(key()).typ("a").unwrap().typ("b").unwrap();
    for (typ, accepted) in [("a", true), ("b", true), ("c", false)] {
        let text = jws::Payload::new("x").typ(typ).sign(&key()).unwrap();
        assert_eq!(messages.verify(&text).is_ok(), accepted, "{typ}");
    }
    assert!(messages.verify(&jws::Payload::new("x").sign(&key()).unwrap()).is_err());
}

#[test]
fn accept_any_typ_loosens_no_other_check() {
    let verifier = lax().accept_any_typ().build().unwrap();
    for header in
        [r#"{"alg":"HS256"}"#, r#"{"alg":"HS256","typ":"JWS"}"#, r#"{"typ":"","alg":"HS256"}"#, HEADER]
    {
        assert_accepted(&verifier, &headed(header));
    }
    for header in [r#"{"alg":"HS256","typ":null}"#, r#"{"alg":"HS256","typ":1}"#] {
        assert_eq!(refusal(&verifier, &headed(header)), invalid_header("typ"));
    }
    let error = lax().accept_any_typ().typ("JWT").build().unwrap_err();
    assert_eq!(error, PolicyError::Contradiction { first: "typ", second: "accept_any_typ" });
}

#[test]
fn typ_and_cty_must_be_text() {
    for name in ["typ", "cty"] {
        for value in ["null", "1", "true", r#"["JWT"]"#, "{}"] {
            header_refused(format!(r#"{{"alg":"HS256","{name}":{value}}}"#), &invalid_header(name));
        }
    }
}

#[test]
fn the_type_is_also_checked_for_the_header_that_a_key_writes() {
    let mut keys = KeySet::new();
    keys.insert(key()).unwrap();
    let access = lax().typ("at+jwt").build().unwrap();
    for verifier in [access.clone(), access.with_keys(keys)] {
        assert_refused!(verifier, jwt(GOOD), VerifyError::WrongType { .. });
        assert_accepted(&verifier, &headed(r#"{"alg":"HS256","typ":"at+jwt"}"#));
    }
}

// ---- reading without a key ----

#[test]
fn an_unverified_token_gives_its_algorithm_key_id_and_type() {
    let says = |header: &str| {
        let text = headed(header);
        let token = Unverified::parse(&text).unwrap();
        (token.unverified_algorithm(), token.unverified_key_id(), token.unverified_typ())
    };
    let (algorithm, key_id, typ) = says(r#"{"typ":"at\u002bjwt","kid":"k\"1","alg":"RS256"}"#);
    assert_eq!(algorithm, Ok(Algorithm::Rs256));
    assert_eq!((key_id, typ), (Ok(Some("k\"1".into())), Ok(Some("at+jwt".into()))));
    // The other parameters can be read if the algorithm is not supported.
    let (algorithm, key_id, typ) = says(r#"{"alg":"none","kid":"1","crit":["x"]}"#);
    assert_eq!(algorithm, Err(VerifyError::UnsupportedAlgorithm));
    assert_eq!((key_id, typ), (Ok(Some("1".into())), Ok(None)));
    assert_eq!(says("{}").0, Err(invalid_header("alg")));
    for broken in [r#"{"kid":1}"#, r#"{"kid":"1","kid":"1"}"#, "[]", "{"] {
        let (algorithm, key_id, typ) = says(broken);
        assert!(algorithm.is_err() && key_id.is_err() && typ.is_err(), "{broken}");
    }
}

#[test]
fn an_unverified_token_is_read_as_strictly() {
    let says = |payload: &str| {
        let text = format!("{}.{}.", b64(r#"{"alg":"none"}"#), b64(payload));
        let error = Unverified::parse(&text).unwrap().unverified_claims::<Value>().map(|_| ()).err();
        if let Some(error) = &error {
            assert_discreet(error, &[&text, payload]);
        }
        error
    };
    assert_eq!(says(GOOD), None);
    assert_eq!(says(r#"{"exp":1}"#), None);
    assert_eq!(says(r#"{"exp":"a text and not a time"}"#), Some(malformed_claim("exp", "\"")));
    assert_eq!(says(r#"{"a":1,"\u0061":2}"#), Some(VerifyError::DuplicateMember { part: Part::Payload }));
    assert_eq!(says(&nested(200, "[", "]")), Some(too_large(Size::Depth, 128)));
    assert!(says("[]").is_some_and(|error| is_invalid_json(&error, Part::Payload)));
    assert!(says(r#"{} x"#).is_some_and(|error| is_invalid_json(&error, Part::Payload)));
    let header = format!("{}.e30.", b64(b"{\"alg\":\"\xff\"}"));
    let error = Unverified::parse(&header).unwrap().unverified_header().unwrap_err();
    assert_eq!(error, VerifyError::InvalidUtf8 { part: Part::Header, offset: 8 });
}

// ---- the order of the checks ----

#[test]
fn a_bad_signature_is_reported_before_any_error_of_the_claims() {
    for payload in [
        r#"{"exp":1}"#,
        r#"{"exp":"x"}"#,
        r#"{"iss":"evil"}"#,
        "{}",
        "",
        "[",
        "\u{0}",
        r#"{"a":1,"a":1}"#,
        &nested(1000, "[", "]"),
        r#"{"$serde_json::private::Number":"1"}"#,
    ] {
        let forged = signed_with(&other_key(), HEADER, payload);
        assert_eq!(refusal(&strict(), &forged), VerifyError::InvalidSignature);
        assert_eq!(refusal_as::<Vec<u8>>(&strict(), &forged), VerifyError::InvalidSignature);
    }
    let stray = format!("{}.{}", b64(HEADER), with_stray_bits(&b64("{ }x"), 1));
    assert_eq!(refusal(&strict(), &sign_text(&other_key(), &stray)), VerifyError::InvalidSignature);
}

#[test]
fn an_expired_token_with_another_error_is_not_reported_as_expired() {
    let expired = GOOD.replace("1700000900", "1600000000");
    assert!(refusal(&strict(), &jwt(&expired)).is_expired());
    for (from, to) in [("auth.example", "evil"), ("api.example", "evil")] {
        assert!(!refusal(&strict(), &jwt(expired.replace(from, to))).is_expired());
    }
    assert!(!refusal(&strict(), &signed_with(&other_key(), HEADER, &expired)).is_expired());
}

#[test]
fn claims_of_a_forged_token_are_not_read() {
    static READ: AtomicUsize = AtomicUsize::new(0);
    struct Watched;
    impl<'de> Deserialize<'de> for Watched {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            READ.fetch_add(1, Ordering::Relaxed);
            IgnoredAny::deserialize(deserializer).map(|_| Self)
        }
    }
    refusal_as::<Watched>(&strict(), &signed_with(&other_key(), HEADER, GOOD));
    refusal_as::<Watched>(&strict(), &headed(r#"{"alg":"none"}"#));
    assert_eq!(READ.load(Ordering::Relaxed), 0);
    assert!(strict().at(NOW).verify::<Watched>(&jwt(GOOD)).is_ok());
    assert_eq!(READ.load(Ordering::Relaxed), 1);
}

// ---- careless claims types, which ignore their input or its errors ----

/// Reads claims with the function `$read` over their `MapAccess`, or over the deserializer.
macro_rules! claims_type {
    ($name:ident, |$map:ident| $read:block) => {
        struct $name;
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_map(Self)
            }
        }
        impl<'de> Visitor<'de> for $name {
            type Value = Self;
            fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str("anything")
            }
            #[allow(unused_mut, reason = "some read nothing")]
            fn visit_map<A: MapAccess<'de>>(self, mut $map: A) -> Result<Self, A::Error> {
                $read
                Ok(self)
            }
        }
    };
}

claims_type!(StopsAtAnError, |map| { while let Ok(Some(_)) = map.next_entry::<String, Value>() {} });
claims_type!(PassesOverErrors, |map| {
    for _ in 0..50 {
        if let Ok(None) = map.next_entry::<String, Value>() {
            break;
        }
    }
});
claims_type!(ReadsTheFirstMember, |map| {
    let _ = map.next_entry::<String, Value>();
});
claims_type!(ReadsNothing, |map| {
    let _ = &map;
});
claims_type!(ReadsNamesOnly, |map| { while let Ok(Some(_)) = map.next_key::<String>() {} });
claims_type!(ReadsValuesOnly, |map| { while map.next_value::<Value>().is_ok() {} });
claims_type!(ReadsNumbersOnly, |map| {
    while let Ok(Some(_)) = map.next_key::<String>() {
        let _ = map.next_value::<u8>();
    }
});

/// A type that succeeds without reading anything.
struct Whatever;

impl<'de> Deserialize<'de> for Whatever {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Ok(Self)
    }
}

/// A type that turns an error of `T` into `None`.
struct Perhaps<T>(#[allow(dead_code, reason = "read for its side effects")] Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Perhaps<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(T::deserialize(deserializer).ok()))
    }
}

/// Verifies a token with every careless type, and returns the types that accepted it.
fn takers(verifier: &Verifier, text: &str) -> Vec<&'static str> {
    fn ask<T: serde::de::DeserializeOwned>(verifier: &Verifier, text: &str) -> Option<&'static str> {
        let taken = verifier.at(NOW).verify::<T>(text).is_ok();
        taken.then(|| core::any::type_name::<T>().split("::").last().unwrap())
    }
    [
        ask::<StopsAtAnError>,
        ask::<PassesOverErrors>,
        ask::<ReadsTheFirstMember>,
        ask::<ReadsNothing>,
        ask::<ReadsNamesOnly>,
        ask::<ReadsValuesOnly>,
        ask::<ReadsNumbersOnly>,
        ask::<Whatever>,
        ask::<Perhaps<StopsAtAnError>>,
        ask::<Perhaps<ReadsNothing>>,
        ask::<Perhaps<BTreeMap<String, u8>>>,
        ask::<Perhaps<BTreeMap<String, BTreeMap<String, u8>>>>,
        ask::<Perhaps<Vec<u8>>>,
        ask::<Perhaps<String>>,
        ask::<BTreeMap<String, Whatever>>,
        ask::<BTreeMap<String, Vec<Whatever>>>,
        ask::<BTreeMap<String, Option<Whatever>>>,
        ask::<BTreeMap<String, Perhaps<u8>>>,
        ask::<BTreeMap<String, Perhaps<Vec<u8>>>>,
        ask::<BTreeMap<String, Perhaps<BTreeMap<String, u8>>>>,
        ask::<BTreeMap<String, Perhaps<Perhaps<Vec<Vec<u8>>>>>>,
    ]
    .into_iter()
    .filter_map(|ask| ask(verifier, text))
    .collect()
}

#[test]
fn a_careless_type_reads_a_good_token() {
    let taken = takers(&strict(), &jwt(GOOD));
    assert!(taken.contains(&"Whatever") && taken.contains(&"StopsAtAnError"), "{taken:?}");
}

#[test]
fn a_careless_type_does_not_hide_a_malformed_claim() {
    for claim in ["exp", "nbf", "iat", "iss", "sub", "aud", "jti"] {
        for value in ["null", "true", "{}", "[5]", "1e300", "[]"] {
            if (claim, value) == ("aud", "[]") {
                continue;
            }
            for payload in [
                format!(r#"{{"{claim}":{value}}}"#),
                format!(r#"{{"x":1,"{claim}":{value}}}"#),
                format!(r#"{{"{claim}":{value},"x":1}}"#),
                format!(r#"{{"x":"1","{claim}":{value},"y":[{{}}]}}"#),
            ] {
                assert!(
                    takers(&open(), &jwt(&payload)).is_empty(),
                    "{payload} {:?}",
                    takers(&open(), &jwt(&payload))
                );
            }
        }
    }
}

#[test]
fn a_careless_type_does_not_hide_an_expired_or_foreign_token() {
    for payload in [
        GOOD.replace("1700000900", "1600000000"),
        GOOD.replace("auth.example", "evil"),
        GOOD.replace("api.example", "evil"),
        GOOD.replace(r#""exp":1700000900"#, r#""x":1"#),
        String::from("{}"),
        String::from(r#"{"x":[],"y":{}}"#),
    ] {
        assert!(
            takers(&strict(), &jwt(&payload)).is_empty(),
            "{payload} {:?}",
            takers(&strict(), &jwt(&payload))
        );
    }
}

#[test]
fn a_careless_type_does_not_hide_a_duplicate_or_reserved_name() {
    for payload in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"b":2,"\u0061":1}"#,
        r#"{"$serde_json::private::Number":"1"}"#,
        r#"{"a":1,"$serde_json::private::RawValue":"{}"}"#,
        r#"{"sub":"ann","sub":"root"}"#,
    ] {
        assert!(takers(&open(), &jwt(payload)).is_empty(), "{payload} {:?}", takers(&open(), &jwt(payload)));
    }
}

#[test]
fn a_careless_type_does_not_lift_inner_claims_to_the_top() {
    // If an inner type stops half-way, the outer type must not go on from there.
    for inner in [
        r#"{"k":"a","sub":"root"}"#,
        r#"{"k":["a"],"sub":"root"}"#,
        r#"["a","sub","root"]"#,
        r#"["a",{"sub":"root"}]"#,
        r#"[[1,"a"],{"sub":"root","x":{}}]"#,
        r#"{"k":1,"l":"a","sub":"root","m":{"sub":"root"}}"#,
    ] {
        for payload in [
            format!(r#"{{"x":{inner},"exp":1700000900}}"#),
            format!(r#"{{"exp":1700000900,"x":{inner}}}"#),
            format!(r#"{{"x":{inner}}}"#),
        ] {
            fn subject<T: serde::de::DeserializeOwned>(payload: &str) -> Option<String> {
                let token = open().at(NOW).verify::<T>(&jwt(payload)).ok()?;
                token.subject().map(String::from)
            }
            assert_eq!(subject::<BTreeMap<String, Perhaps<u8>>>(&payload), None);
            assert_eq!(subject::<BTreeMap<String, Perhaps<Vec<u8>>>>(&payload), None);
            assert_eq!(subject::<BTreeMap<String, Perhaps<BTreeMap<String, u8>>>>(&payload), None);
            assert_eq!(subject::<BTreeMap<String, Perhaps<Vec<Perhaps<Vec<u8>>>>>>(&payload), None);
            assert_eq!(subject::<BTreeMap<String, Option<Perhaps<BTreeMap<String, u8>>>>>(&payload), None);
            assert_eq!(subject::<Perhaps<BTreeMap<String, u8>>>(&payload), None);
            assert_eq!(subject::<ReadsNumbersOnly>(&payload), None);
            assert_eq!(subject::<PassesOverErrors>(&payload), None);
        }
    }
}

#[test]
fn a_careless_type_does_not_make_broken_json_valid() {
    for payload in [
        r#"{"b":-}}"#,
        r#"{"b":"\x}"#,
        r#"{"x":{"k":"a","exp":1700000900}"#,
        r#"{"a":{"exp":1700000900}"#,
        r#""abc"{"exp":1700000900}"#,
        r#"5{"exp":1700000900}"#,
        r#"null{}"#,
        r#"{"x":["a",,"exp":1700000900}"#,
        r#"{"x":1}{"exp":1700000900}"#,
        r#"{"a":1,"b":tru}"#,
        r#"[{"exp":1700000900}]"#,
        r#"{"a":"}"#,
        r#"{"a" "b"}"#,
        r#"{"a"}"#,
        r#"{"a","b"}"#,
        r#"{"iss":"x","a","exp":1700000900}"#,
        r#"{"a":}"#,
        r#"{"a":,"exp":1700000900}"#,
        r#"{"exp":1700000900,"a":}"#,
        r#"{"a":[,]}"#,
        r#"{"a":[],"b":[1,]}"#,
    ] {
        let takers = takers(&open(), &jwt(payload));
        assert!(takers.is_empty(), "{payload} {takers:?}");
    }
}

#[test]
fn a_careless_type_inside_another_does_not_make_broken_json_valid() {
    for payload in [r#"{"x":["a",,"exp":1700000900}"#, r#"{"x":[["a",,1]}"#, r#"{"x":[{"k":"a"]}"#] {
        fn refused<T: serde::de::DeserializeOwned>(payload: &str) {
            let error = refusal_as::<BTreeMap<String, T>>(&open(), &jwt(payload));
            assert!(is_invalid_json(&error, Part::Payload), "{payload} {error:?}");
        }
        refused::<Option<Perhaps<Vec<u8>>>>(payload);
        refused::<Vec<Perhaps<Vec<u8>>>>(payload);
        refused::<Vec<Perhaps<BTreeMap<String, u8>>>>(payload);
    }
}

#[test]
fn a_payload_that_does_not_fit_the_type_is_not_reported_as_invalid_json() {
    let mismatch = |error: VerifyError| {
        assert!(matches!(error, VerifyError::ClaimsMismatch { .. }), "{error:?}");
    };
    mismatch(refusal_as::<ReadsTheFirstMember>(&strict(), &jwt(GOOD)));
    mismatch(refusal_as::<ReadsNothing>(&strict(), &jwt(GOOD)));
    mismatch(refusal_as::<Vec<u8>>(&strict(), &jwt(GOOD)));
    mismatch(refusal_as::<String>(&strict(), &jwt(GOOD)));
    mismatch(refusal_as::<BTreeMap<String, f64>>(&open(), &jwt(r#"{"a":1e999}"#)));
    // The same without a key.
    let unverified = |payload: &str| {
        Unverified::parse(&jwt(payload)).unwrap().unverified_claims::<BTreeMap<String, f64>>()
    };
    mismatch(unverified(r#"{"a":1e999}"#).unwrap_err());
    mismatch(unverified(r#"{"a":"1"}"#).unwrap_err());
    assert!(is_invalid_json(&unverified(r#"{"a":1e}"#).unwrap_err(), Part::Payload));
}

// ---- RSA ----

#[cfg(any(feature = "aws-lc-rs", feature = "graviola", feature = "rsa"))]
mod rsa {
    use super::*;
    use countersign::{Algorithm, PublicKey, SignKey};
    use util::{RSA_PUBLIC, der, hmac_sha256, over_each_backend, pem};

    const RS_HEADER: &str = r#"{"alg":"RS256","typ":"JWT"}"#;
    const RS_PAYLOAD: &str = r#"{"exp":1700000900}"#;

    /// Makes a token with the fixed header and payload, and this signature.
    fn with_signature(signature: impl AsRef<[u8]>) -> String {
        format!("{}.{}.{}", b64(RS_HEADER), b64(RS_PAYLOAD), b64(signature))
    }

    /// A self-signed certificate of the key of RFC 7515 appendix A.2.
    const CERTIFICATE: &str = "MIIDETCCAfmgAwIBAgIUUox+B9a4vjEbvvFxtB3tWLkgERcwDQYJKoZIhvcNAQELBQAwFzEVMBMGA1UEAwwMZXZpbC5leGFtcGxl\
            MCAXDTI2MTEyNjExMjAwMVoYDzIxMjYxMTAyMTEyMDAxWjAXMRUwEwYDVQQDDAxldmlsLmV4YW1wbGUwggEiMA0GCSqGSIb3DQEB\
            AQUAA4IBDwAwggEKAoIBAQCh+BYK4uPJtGXOjS1lYmM2K5J9vinh8CR3/BYlzJChNuOL2TSXxbbqY913EeZ8dCn5VrD7io8ImtxL\
            aYk8wTM/U+3QGbh3hCUv7JFP5IV3aVlL6kKA0ywPVb9ilE8TA5a8bpvfbr3SvaNnjuygxmj3AbONv/s4yDQs4v5tJ/reSlpIdJed\
            1LnPmt7Ex1sFhSwsD174pcF1A5L5ROjtZMEQxrZHYJqkeDrrnGya11UxMFBji4NmXG9veoKjlnAqH2QbgtPr8jkiGUkftoaHLFcW\
            9Qr4NY2ai50Xw0Byj3+H2JoY2PyrZ62EWQwuz3WTOTY8BwNNb2BvniHgVFbK5emhAgMBAAGjUzBRMB0GA1UdDgQWBBQzGIiPp7+D\
            kM3e011UielRYxna2TAfBgNVHSMEGDAWgBQzGIiPp7+DkM3e011UielRYxna2TAPBgNVHRMBAf8EBTADAQH/MA0GCSqGSIb3DQEB\
            CwUAA4IBAQByNTPSIGAP5RVzz9DGioYnn65AX7NCmO8DZYufJXuPKGM8lK5sZEw5j0be1U+5VuARi9hkBSBjeS7UKVs4vYdmoM26\
            3HsAiNQYybcGTlUfFYpShpkVqCHt+ghq6yY/ruLd64wNAp7rZWdV8G0aChge2x2rIjKMLoQ78zLuIQjdAqag0w3jmtpYUtuZC4RT\
            fn/iivdsnV74jOUUQXW8rV7w3b4DsSHKgoEIXo1dz3Tfwe+Luv331e05GnRgI26IwAWCdpw+Vb4nzgIAevPxJbMVxcrft5Pb0a1B\
            HvZ8IZzvXqg3vHQaoZJWu+vWI/0UNMEoP4BxLcqatWVcw23yjvJZ";

    /// The modulus of the test key, big-endian.
    fn modulus() -> Vec<u8> {
        // SPKI has 24 bytes before PKCS#1. PKCS#1 has 9 bytes before the modulus and 5 after it.
        let spki = der(RSA_PUBLIC);
        spki[33..33 + 256].to_vec()
    }

    #[test]
    fn an_rsa_public_key_is_refused_as_a_secret_in_any_form() {
        let spki = der(RSA_PUBLIC);
        let pkcs1 = &spki[24..];
        let number = modulus();
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap().to_be_bytes();
        let ssh = [
            &length(b"ssh-rsa"),
            b"ssh-rsa".as_slice(),
            &length(b"abc"),
            &[1, 0, 1],
            &[0, 0, 1, 1, 0],
            &number,
        ]
        .concat();
        let jwk = format!(r#"{{"e":"AQAB","kty":"RSA","n":"{}"}}"#, b64(&number));
        for (secret, found) in [
            (RSA_PUBLIC.as_bytes(), KeyFile::Pem),
            (RSA_PUBLIC.trim_end().as_bytes(), KeyFile::Pem),
            (pem("RSA PUBLIC KEY", pkcs1).as_bytes(), KeyFile::Pem),
            (&spki, KeyFile::Der),
            (pkcs1, KeyFile::Der),
            (jwk.as_bytes(), KeyFile::Jwk),
            (format!("ssh-rsa {} me", b64_standard(ssh)).as_bytes(), KeyFile::Ssh),
        ] {
            secret_refused(secret, found);
        }
    }

    /// Checks that the hex of a key is refused: in either case, and as some tools separate the bytes.
    #[track_caller]
    fn hex_refused(der: &[u8]) {
        for separator in ["", ":", " "] {
            let hex: Vec<String> = der.iter().map(|byte| format!("{byte:02x}")).collect();
            let hex = hex.join(separator);
            secret_refused(hex.as_bytes(), KeyFile::Der);
            secret_refused(hex.to_uppercase().as_bytes(), KeyFile::Der);
        }
    }

    /// PKCS#1 does not name an algorithm, so its base64 is recognised by its lengths, which depend on the exponent.
    // Two tests, so that they run at the same time.

    #[test]
    fn an_rsa_public_key_of_any_exponent_is_refused_as_a_secret_in_base64_or_hex() {
        for bits in [2048, 3072, 4096] {
            rsa_public_keys_refused(bits);
        }
        hex_refused(&der(RSA_PUBLIC));
    }

    #[test]
    fn a_long_rsa_public_key_of_any_exponent_is_refused_as_a_secret_in_base64_or_hex() {
        rsa_public_keys_refused(8192);
    }

    /// Checks the forms of public keys with this length and several exponents.
    #[track_caller]
    fn rsa_public_keys_refused(bits: usize) {
        let integer = |bytes: &[u8]| -> Vec<u8> {
            let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
            if bytes.len() < 128 {
                [&[2, length[1]], bytes].concat()
            } else {
                [&[2, 0x82], &length[..], bytes].concat()
            }
        };
        let modulus = [&[0], &vec![0x5a | 0x80; bits / 8][..]].concat();
        for exponent in [&[3][..], &[17], &[35], &[1, 1], &[1, 0, 1], &[1, 0, 0, 1], &[1, 0, 0, 0, 1]] {
            let numbers = [integer(&modulus), integer(exponent)].concat();
            let length = u16::try_from(numbers.len()).unwrap().to_be_bytes();
            let der = [&[0x30, 0x82], &length[..], &numbers].concat();
            secret_refused(&der, KeyFile::Der);
            secret_refused(b64_standard(&der).as_bytes(), KeyFile::Der);
            secret_refused(b64(&der).as_bytes(), KeyFile::Der);
            // The hex is recognised by the modulus. One exponent for each length keeps the test short.
            if exponent == [1, 0, 1] {
                hex_refused(&der);
            }
        }
    }

    over_each_backend! { "rsa" =>
        fn rs_verifier() -> Verifier {
            open().with_keys(rsa_verifying_key())
        }

        #[test]
        fn a_token_signed_with_the_public_key_as_secret_is_refused() {
            let spki = der(RSA_PUBLIC);
            for secret in [RSA_PUBLIC.as_bytes(), RSA_PUBLIC.trim_end().as_bytes(), &spki, &spki[24..], &modulus()] {
                for kid in ["", r#","kid":"rsa""#] {
                    let header = format!(r#"{{"alg":"HS256","typ":"JWT"{kid}}}"#);
                    let input = format!("{}.{}", b64(header), b64(GOOD));
                    let text = format!("{input}.{}", b64(hmac_sha256(secret, &input)));
                    let expected =
                        VerifyError::AlgorithmMismatch { key: Algorithm::Rs256, token: Algorithm::Hs256 };
                    assert_eq!(refusal(&rs_verifier(), &text), expected);
                }
            }
            let error = refusal(&open(), &signed_with(&rsa_signing_key(), RS_HEADER, GOOD));
            let expected = VerifyError::AlgorithmMismatch { key: Algorithm::Hs256, token: Algorithm::Rs256 };
            assert_eq!(error, expected);
        }

        /// CVE-2018-0114: the attacker sends a key together with a signature made by it.
        #[test]
        fn an_rsa_key_in_the_header_is_ignored() {
            let theirs = signing(include_str!("data/rfc7515_a2.pem")).unwrap();
            let spki = der(&theirs.verifying_key().public_key().unwrap().to_pem().unwrap());
            let jwk = format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB"}}"#, b64(&spki[33..33 + 256]));
            let mut keys = KeySet::new();
            keys.insert(rsa_verifying_key().with_key_id("ours").unwrap()).unwrap();
            let set = open().with_keys(keys);
            for parameter in [
                format!(r#""jwk":{jwk}"#),
                format!(r#""x5c":["{CERTIFICATE}"]"#),
                format!(r#""jwk":{jwk},"x5c":["{CERTIFICATE}"],"jku":"https://evil.example/","x5u":"https://evil.example/""#),
            ] {
                let header = format!(r#"{{"alg":"RS256",{parameter}}}"#);
                let forged = signed_with(&theirs, &header, GOOD);
                // The signature is valid for a verifier that trusts that key.
                assert_accepted(&open().with_keys(theirs.verifying_key()), &forged);
                assert_eq!(refusal(&rs_verifier(), &forged), VerifyError::InvalidSignature);
                // A token without a `kid` belongs to the only key of its algorithm.
                assert_eq!(refusal(&set, &forged), VerifyError::InvalidSignature);
                for (kid, error) in [
                    ("ours", VerifyError::InvalidSignature),
                    ("theirs", VerifyError::UnknownKey),
                ] {
                    let header = format!(r#"{{"alg":"RS256","kid":"{kid}",{parameter}}}"#);
                    assert_eq!(refusal(&set, &signed_with(&theirs, &header, GOOD)), error);
                }
            }
        }

        #[test]
        fn one_kid_with_two_algorithms_is_two_keys() {
            let mut keys = KeySet::new();
            keys.insert(rsa_verifying_key().with_key_id("k").unwrap()).unwrap();
            let rsa_only = open().with_keys(keys.clone());
            let hs_token = signed_with(&key(), r#"{"alg":"HS256","kid":"k"}"#, GOOD);
            let rs_token = signed_with(&rsa_signing_key(), r#"{"alg":"RS256","kid":"k"}"#, GOOD);
            assert_eq!(refusal(&rsa_only, &hs_token), VerifyError::UnknownKey);
            assert_accepted(&rsa_only, &rs_token);

            keys.insert(key().with_key_id("k").unwrap()).unwrap();
            let both = open().with_keys(keys);
            assert_accepted(&both, &hs_token);
            assert_accepted(&both, &rs_token);
            for (signer, header) in [(&key() as &dyn SignKey, "RS256"), (&rsa_signing_key(), "HS256")] {
                let crossed = signed_with(&signer, format!(r#"{{"alg":"{header}","kid":"k"}}"#), GOOD);
                assert_eq!(refusal(&both, &crossed), VerifyError::InvalidSignature);
            }
        }

        #[test]
        fn a_signature_of_another_length_than_the_modulus_is_refused() {
            let good = util::unb64(VALID);
            assert_accepted(&rs_verifier(), &with_signature(&good));
            let zero_before: Vec<u8> = [0].into_iter().chain(good.iter().copied()).collect();
            let zero_after: Vec<u8> = good.iter().copied().chain([0]).collect();
            for signature in [
                &[][..],
                &[0],
                &good[..255],
                &good[1..],
                &good[..32],
                &zero_before,
                &zero_after,
                &good.repeat(2),
                &good.repeat(4),
            ] {
                assert_eq!(refusal(&rs_verifier(), &with_signature(signature)), VerifyError::InvalidSignature);
            }
        }

        #[test]
        fn signatures_of_0_and_1_and_the_modulus_are_refused() {
            let modulus = modulus();
            let mut one = [0; 256];
            one[255] = 1;
            let mut less = modulus.clone();
            less[255] -= 1;
            let mut more = modulus.clone();
            more[255] += 1;
            for signature in [&[0; 256][..], &one, &less, &modulus, &more, &[0xff; 256]] {
                assert_eq!(refusal(&rs_verifier(), &with_signature(signature)), VerifyError::InvalidSignature);
            }
        }

        #[test]
        fn any_flipped_bit_of_a_signature_is_refused() {
            let good = util::unb64(VALID);
            let verifier = rs_verifier();
            for place in (0..256).step_by(5) {
                let mut changed = good.clone();
                changed[place] ^= 1 << (place % 8);
                let error = verifier.at(NOW).verify::<()>(&with_signature(changed)).unwrap_err();
                assert_eq!(error, VerifyError::InvalidSignature);
            }
        }

        #[test]
        fn a_signature_with_any_other_padding_is_refused() {
            for (what, signature) in FORGED {
                let error = refusal(&rs_verifier(), &with_signature(util::unb64(signature)));
                assert_eq!(error, VerifyError::InvalidSignature, "{what}");
            }
        }

        #[test]
        fn a_cube_root_is_refused_as_a_signature_for_exponent_3() {
            let modulus = util::unb64(CUBE_MODULUS);
            let verifier =
                open().with_keys(verifying_of_any_exponent(&modulus, &[3]).unwrap());
            assert_accepted(&verifier, &with_signature(util::unb64(CUBE_VALID)));
            assert_eq!(
                refusal(&verifier, &with_signature(util::unb64(CUBE_ROOT))),
                VerifyError::InvalidSignature
            );
            // The cube of one is one.
            let mut one = [0; 256];
            one[255] = 1;
            assert_eq!(refusal(&verifier, &with_signature(one)), VerifyError::InvalidSignature);
        }

        #[test]
        fn exponents_that_make_signing_trivial_or_slow_are_refused() {
            let modulus = modulus();
            let huge = [0xff; 256];
            for exponent in [
                &[][..],
                &[0],
                &[1],
                &[2],
                &[0, 0, 1],
                &[4],
                &[1, 0, 0],
                &[2, 0, 0, 0, 1],
                &[1, 0, 0, 0, 0, 0, 0, 0, 1],
                &huge,
                &modulus,
            ] {
                for made in [
                    verifying_of(&modulus, exponent),
                    verifying_of_any_exponent(&modulus, exponent),
                ] {
                    assert_eq!(made.unwrap_err(), KeyError::Exponent, "{exponent:?}");
                }
            }
            for unusual in [&[3][..], &[17], &[1, 0, 3], &[1, 0xff, 0xff, 0xff, 0xff]] {
                assert_eq!(
                    verifying_of(&modulus, unusual).unwrap_err(),
                    KeyError::Exponent
                );
                let public = PublicKey::from_modulus_and_exponent(&modulus, unusual).unwrap();
                let made = verifying_of_any_exponent(&modulus, unusual).err();
                assert_eq!(made, (!takes(&public)).then_some(KeyError::UnsupportedByBackend));
            }
        }

        #[test]
        fn moduli_that_are_too_small_too_large_or_even_are_refused() {
            let made =
                |modulus: &[u8]| verifying_of(modulus, &[1, 0, 1]).map(|_| ());
            let small = |bits| Err(KeyError::ModulusTooSmall { bits, minimum: 2048 });
            let large = |bits| Err(KeyError::ModulusTooLarge { bits, limit: 8192 });
            assert_eq!(made(&[]), small(0));
            assert_eq!(made(&[0; 256]), small(0));
            assert_eq!(made(&[15]), small(4));
            assert_eq!(made(&[0xff; 128]), small(1024));
            assert_eq!(made(&[&[0x7f][..], &[0xff; 255]].concat()), small(2047));
            assert_eq!(made(&[&[0; 100][..], &[0xff; 255]].concat()), small(2040));
            assert_eq!(made(&[&[1][..], &[0xff; 1024]].concat()), large(8193));
            assert_eq!(made(&[0xff; 100_000]), large(800_000));
            let mut even = modulus();
            even[255] -= 1;
            assert_eq!(made(&even), Err(KeyError::SmallFactor));
            assert_eq!(made(&modulus()), Ok(()));
            assert_eq!(made(&der(include_str!("data/rsa_8192_public.pem"))[33..33 + 1024]), Ok(()));
            assert_eq!(made(&[&[0; 3][..], &modulus()].concat()), Ok(()));
        }

        fn rest(number: &[u8], prime: u32) -> u32 {
            number.iter().fold(0, |rest, byte| (rest << 8 | u32::from(*byte)) % prime)
        }

        /// The primes from 3 to 701.
        fn primes() -> impl Iterator<Item = u32> {
            (3..=701_u32).filter(|number| (2..*number).all(|divisor| !number.is_multiple_of(divisor)))
        }

        fn has_small_factor(number: &[u8]) -> bool {
            primes().any(|prime| rest(number, prime) == 0)
        }

        /// The odd multiples of a prime above a number of this many bytes, which are those of the test key's modulus, again and again.
        /// Only the last four bytes differ from that number.
        fn multiples(prime: u32, bytes: usize) -> impl Iterator<Item = Vec<u8>> {
            let number: Vec<u8> = modulus().into_iter().cycle().skip(256 - bytes % 256).take(bytes).collect();
            let first = prime - rest(&number, prime);
            (0..).map(move |count| first + count * prime).filter(|above| above % 2 == 0).map(move |above| {
                let mut number = number.clone();
                let place = bytes - 4;
                let end = u32::from_be_bytes(number[place..].try_into().unwrap());
                number[place..].copy_from_slice(&(end + above).to_be_bytes());
                number
            })
        }

        /// NIST SP 800-89 section 5.3.3.
        #[test]
        fn a_modulus_with_a_small_factor_is_refused() {
            let made = |modulus: &[u8]| verifying_of(modulus, &[1, 0, 1]).map(|_| ());
            for bytes in [256, 257, 263, 264, 384, 512, 520, 1024] {
                for prime in primes() {
                    let multiple = multiples(prime, bytes).next().unwrap();
                    assert_eq!(rest(&multiple, prime), 0);
                    assert_eq!(made(&multiple), Err(KeyError::SmallFactor), "{prime} in {bytes} bytes");
                }
                // Larger factors are not searched for.
                let only_709 = |number: &Vec<u8>| !has_small_factor(number);
                let multiple = multiples(709, bytes).find(only_709).unwrap();
                let key = PublicKey::from_modulus_and_exponent(&multiple, &[1, 0, 1]);
                assert!(key.is_ok(), "{key:?} of {bytes} bytes");
                // Each backend takes keys of these lengths.
                if bytes % 128 == 0 {
                    assert_eq!(made(&multiple), Ok(()), "{bytes} bytes");
                }
            }
            assert_eq!(KeyError::SmallFactor.code(), "small_factor");
            assert_eq!(made(&[0xff; 256]), Err(KeyError::SmallFactor));
        }

        /// CVE-2022-26320.
        #[test]
        fn a_modulus_of_neighbouring_primes_is_refused() {
            let made = |modulus: &str| verifying_of(&util::unb64(modulus), &[1, 0, 1]).map(|_| ());
            for modulus in [SAME_PRIMES, NEXT_PRIMES, CLOSE_PRIMES] {
                assert_eq!(made(modulus), Err(KeyError::ClosePrimes));
            }
            assert_eq!(KeyError::ClosePrimes.code(), "close_primes");
            assert_eq!(made(LESS_CLOSE_PRIMES), Ok(()));
        }

        #[test]
        fn neighbouring_factors_are_found_in_moduli_of_all_lengths() {
            // (2^h + k)^2 - 6^2 for a small k, as bytes: 2^2h + k * 2^(h + 1) + k^2 - 36.
            let number = |h: usize, k: u32| {
                let mut number = vec![0; 2 * h / 8 + 1];
                let last = number.len() - 1;
                number[last - 2 * h / 8] = 1 << (2 * h % 8);
                for (place, byte) in (u64::from(k) << ((h + 1) % 8)).to_le_bytes().into_iter().enumerate() {
                    number[last - (h + 1) / 8 - place] |= byte;
                }
                number[last - 3..].copy_from_slice(&(k * k - 36).to_be_bytes());
                number
            };
            for h in [1024, 1025, 1536, 2047, 2048, 3000, 4095] {
                let modulus = (7..).map(|k| number(h, k)).find(|number| {
                    number.last().is_some_and(|byte| byte % 2 == 1) && !has_small_factor(number)
                });
                let made = verifying_of(&modulus.unwrap(), &[1, 0, 1]).map(|_| ());
                assert_eq!(made, Err(KeyError::ClosePrimes), "{h}");
            }
        }

        #[test]
        fn a_modulus_that_can_be_factored_is_refused() {
            // The modulus of Project Wycheproof's case `rejectsKeyWithRocaVulnerability` (Apache-2.0).
            const MODULUS: &str = "\
            AanFpofbj7KjD4Lf-N2hVMKR7yewSyXhhbirIMTGpfYEhZ_lnt5UoK98DnKIgArXGTu3MaW_HhFw16HGaTDUHqPrId7fe4r1\
            1CqRw09yBFuW79V8sYIwHdzCaWflUI6auImYbVfoN9_nD5n8N8SY9DwXw7mwZM9wREPXoDPgOoIWl6q_MPsp7n0zs3Z5ZaiQ\
            WOOzl1S9OhwAfSiiOwz6efnXEaxuTEtPd7BjSx7NaFka8Dx9U7YqXy2RFj1O9PjyaDGuRh7YXsX3iMUSP_wSyHQg_c_qHRtK\
            UsNSGCT7OZg0hzm2KphtjnayKJvC64vAbROBR4Ubg6Bxg9IQVZ-QYyE";
            let made =
                |modulus: &[u8]| verifying_of(modulus, &[1, 0, 1]).map(|_| ());
            let mut modulus = util::unb64(MODULUS);
            assert_eq!(made(&modulus), Err(KeyError::Roca));
            assert_eq!(made(&[&[0][..], &modulus].concat()), Err(KeyError::Roca));
            assert_eq!(KeyError::Roca.code(), "roca");
            // Numbers next to it do not have the mark, though some have a small factor.
            let last = modulus.len() - 1;
            for change in [2, 4, 8, 32] {
                modulus[last] ^= change;
                assert_ne!(made(&modulus), Err(KeyError::Roca));
                modulus[last] ^= change;
            }
        }
    }

    // These signatures were made with `pow(message, d, n)` in Python. The signing input is that of `with_signature`, and the
    // private key is `util::RSA_PRIVATE`. The encoded message is 00 01 FF..FF 00, the DigestInfo of SHA-256 and the hash, with
    // the difference that each name states.

    /// A correct signature.
    const VALID: &str = "\
        G9YXNW7aM6d5mikS-Lx_Ex1ARy7z02SFw_U85O7nN55zzR3rKvBZAw6P2JgvxrRHHd6saOPf8HK2VlqilqMBOUWE2zhntzKE\
        PiUvDLyMkZOADcB2naHUfOxPq7gQjUXfSk_nDCrVVtMnAvjFqPcvG7XYNwDHbrGkh-3kP4jsvDF9dwsWUcQ6W-ZIMnBWN6Eu\
        WdpNfMv691tMgYROtynHaocjTT5i3pGeKOiziM6Y-IHpYhRjJ1QZ00xukgWD_LB3YILB9bi1GFK2cBWuDEelsgrieQVFWKmy\
        00j9V4qoddmypSZmh4z1EEPxWkY5K7bZ27r5y-1tm-nZZKaba9Nm4w";

    const FORGED: [(&str, &str); 17] = [
        (
            "the hash without NULL parameters",
            "XKwS3lKCvtL8c__Y1SG0XdfS4iDjvbbzJLYfdBXUM_wmMHprc3PNfTR3cAvIFOFzTZzy8iio-Q1ZVu2kVar63C3pkvLFpo8U\
             2kNxUPXDZwbUbzWMpgoHjFO6bI8eV6CyAEu1wRk7znPQvyzTnDbjgiL7mF92rOQLWIjI17XqBrSSuY-OLMLMXh7etkKdYhZB\
             7mFFN4rrSet_uCALm0RTgWe_zXzq23Uf3OnnGsUHe1Hn3XlTltDxTFL20QAoFuTlyLOfCo7iXhM2T7IHsZ6Igj1EA3OVpPPT\
             kkVf2qmo_-V7ebw7eTbnkUBjNqCx8x6NfzxanjXidiE47Rkzw4yiMA",
        ),
        (
            "SHA-1",
            "OBqa8zpgklxGBlHf_8k1cu2IXEAfrwHNywaKdxBZoq6qmBzgrwA4bsm-AQ4uXxPNtDx4ksHPnyDsHWfoGVDU5DMpjS_wvbcG\
             5DPpvCvaAyII3I28LUhgt1JRuhJ9d23HKP7UEgb1gsjgsqXyfJdgSEzCL8jFAQnfPYZMhZUoZDx-YPOU4MYcaHagvSY3kicc\
             xsWTyegPzqhE_yqu0-sak0cpXRnc5V7kaLuax9MGKWBNMyo-raE1vnIfzjHm0oliA_gSlFsEAy8ahQ0lsnwopniyjjhDuguZ\
             lJivjaYoxQpXDaVnbX123b2Z-IDvZM542fRirdIuvjHJLk6LNszEjw",
        ),
        (
            "SHA-512",
            "N4gX6b_wEZLOI4sRDc8NzpJabZceJ-gSjPgoxgPwHzWsnWKLeeOWFBq1rFnAwgPojuLp4GPlnAg31TY_eZ7L08NYP1N_OaIK\
             7ODfMmt5SBVVPvgfuDeyQ1P5Om58ejQP5-D-ttFvfzhIdAqbxrU2Rbba7b6ofjHyqpz4KST3MHHiCy85IABh2UN5ijuXeP7M\
             7G1S1LndL1ETRMLSC5IeSE91oYODDWXIHN5lJIDavwKXN6OJPZHDbNvtRXsSyEe-bMOrXzQ9MZnqa4B-vQj8obVXYqnw-LoP\
             rKci_FQu2-WLXxkTUgFfFQ-Sd7VxYfybeoa60gKsIGykNZJDnreB2g",
        ),
        (
            "the OID of SHA-512 over a SHA-256 hash",
            "iJ5S0eFLeQvDW7IJMQW7JFyRqhEA6oChC80xm-IAyYfLytcjvo5zlUlKV5YYp7NmBgtHohcNHJ_tRb43Ss_Lme3asFdoyuf3\
             wYmjAEQmkWf_owiXfHkkYySbzrBgA8R77Ke3oMC64qB5CrnVwQa-IJVtFuihFhVJ579931em39LZyx5OQyKDOFqIiXdIjJog\
             9qkJXdcWWi2LG8kMibBWczSckOrvkXYansaUOmPPKwfqvqs-xmY3WBqPTs_zn-mCsWr32ZFZumqBwrT-tJ_DAEZXctlffyCE\
             fMBDpVsdKRUTiGR4EjJWKVcLlUVkTQxbj_vArreUcMH4_1Ql162Irw",
        ),
        (
            "a bare hash",
            "ISObr0FmRCrVn-E11Vl1UNyODLYPjCIl7GAUSS6B0yXcVwqQlh7C-wT_NNBpHV_p1GOzndv3rN_Kr_4kZb0kAF0qpJLoRNle\
             iKgbsgU7tm7FREYR47XSlgNmjkDUUuJbjSwbfGn2fAHn6m0fDNC7yHHpGgdgQyY6EJrXzoQ27lMvsIxCbNzSOyEu6UFavNq5\
             hDDtz7H1THu14S82D3pnWL4QyK9JQUjyEYc1epU8fULh2qhLKTHKrrN0Gb6GGTf4-LXKUz9bUHGPP-dP2OdrWlr6ee48kToy\
             ksW0xvSlSONoHO3-WoQ-W2wVnOLKu920Gvhr_JcixLI3DH6TBlFGfg",
        ),
        (
            "short padding and garbage after the hash",
            "OXQ5H6kvkkb512mc_dHyJiHCqQsa9XlefUIpuaOMEPn47MR3QnmKgMQ2oDNUC7ul8Pk0eT01wTYJjGLtP8xRTxTpNYuAoDhO\
             Z5cRcFwHHB9ylL04TtOWtNkdv4elCg37qpBetXh1GQPpv6_ASl50f3wS62P_cuEI1eFXO2iN2MrYHXA5vqjK9n89S_UyA-K2\
             JLlW5dbQ9nLkXZXSeb_nRjOlGALaZMTlAxnftPbu4O2TvD6Bjt3BQNqJ7_sTqbnDmtovNI3zQge-dxg2s4XUXoU7Y8-u0nTP\
             UUUafVvdPlSlI5fW-5ez-Sj2aP43xFaVifj8QGE9nyxtIwhcWddZEQ",
        ),
        (
            "a byte of garbage after the hash",
            "Z7OC9XDfho0J8AhDDDi7zgIX_E8KbPHQwjow9QO0vcAT5oggE32dVBNXHkKJnAk2JUIeB249vaz1MdKf0gcfCkUYODY7fNqq\
             IOyjh3mp2Bx_67MOy97VuhWwcpOFnjoi44ufEYyIrP3zz_Ek8Drq5XULhcY3uJn2s3U692bS-SjNWl6cgZzB-qd41RmL8pWh\
             d1iwnoJ26C60aNP_lnKzUadQ3i59AUca0fRo4hE5iLtnARK85YuRxEFsIe1v0_a8ccAfasztEA4hrA5xI-ZuaJRhOqLyfDFZ\
             D48rK1zvBLBPHvjx56Zph9hKCP0oEDGCfK5vZSCORL8vhJ4q7uxURg",
        ),
        (
            "garbage in the parameters",
            "oh1-nJ38s7cktruBSnWxQMOS6vR4hyrK3CnT-uJ79U8v8snbL87kcRigQBPdLdvQQfMsCyliMfp6PV5HZpDRre6KKD4-yfyW\
             mOhuEIGlayvxNmTwYR5_qc8n0At9HrIlqmTLwlAdTUwRwxh-66szNDgxovPR11VrhJaksIilDXJvhApBFcyKKA6_BeU3cw-6\
             jhS3yB9hlJgoLEt-_Q4-i7RYIC4Re5tVYQJfNLg0-4unax4gM2s7oculmiT5S7C5ywd8EqTnAvKWOBcLebE48tD3gGvgeT_B\
             AGFXVxqRYpXhldgGfXvcVTMEdzSaxl5KIT6oCpJW8s1NnddQObfmFw",
        ),
        (
            "lengths in the long form",
            "ZifKgSZR4vzK2ZZcxIjVyzz0rP88CWnwEKNomp4lcW6qqmO6QZmIv1vADFS9TuumdqO_uAFrwFoVSDhJ28rGjIlGKbw_dnen\
             PRa0npJnvX_40dG9EXTEEoghPhkkAHdVPWcRepZEV70E3Jk3xCD6AaXxG_3eI0DTZb--bqw3kVfJIRnkD0iS1i39A2IINB1c\
             iv4npb9BmZNni_trctzBz4aQyj0VwkQuPerk3Oq1aP3cXCE0r2kur2-Gy7RNK-47ZtX2yk4S7AQw6wgm-xSPK9KLE0baUzsg\
             fReqKoLDmG-ScdXlkLc7MPkizww6ldnjREvRitjjN1GtIorAo48F7g",
        ),
        (
            "block type 2",
            "CYCvwQIyLBJXdrJjRQ-WtyFS-2DpaqZx3o31VmFgeNKDYDkHKliB_nXiV_PeyvCbemLR1oPCTJCt5DA-OdmiYctkhOsh3BCk\
             DW03exbpkjL3CxatjISmyT2jES8u8VI_hQwQUBCMYIt2276_OCs8vMU_lcZ6j1AxueA8ujd3kykrO8BylkLUqXWI0fMAHTEP\
             g9wKn25sPTnNBEE1JTP9kTiNMSD5yw7kvlsJMYSf7BpnUv6BkTBcjCpUmD7YlyP1f4v4HY7N9OhUPM9OHvjLc0n4KAccB_K1\
             DWGUTyOqN5Oozp0Dbg05X2FE7wpuOyJtop3tIPDERwxUu0LsMrucLg",
        ),
        (
            "block type 0",
            "Ug-EOddMCliRLrLqaX3UOhspkrcbAR1hMhzGixTYBifdoRfSqNzHLExxZNiu9LkIpimPfi1E0lZosnrJSgWKDMExLcpmhOE3\
             RZlje0GjBcE4OxLErvAxc8jgM7GJi6bVWtFOGOA-_n8OnIey91nh2ekr6IlUDblsPJJS2RcsyYXYawH_cxjt3pVf_jQ8hnWh\
             7WqpdpvjDvDR7lVhO-cTHLqFqgMUaKMMMZLjmnSMUzvkZNPjM3kIIUR9ybFcI7wmQjspUNJ2_NiYbiU6Eam5xICWOlN20bLR\
             lhCW8PmOb00tEpr61xhY-sR1fGtpIjZkzVAM_08L-6H7pjsy50GDtw",
        ),
        (
            "one padding byte that is not FF",
            "ksj0pcz1p1HJS5f4xky8MxoRiex-BUkFDULovklPV1d8-WLFBqtSRLcZ4XiFUF9a4xcTgquVsvE4zyRcxfvY3QdR8gMHma02\
             eMeXpP0j3gBznZ80ZAI_Cm3BbSfRidbhZ4eWxlwYPS9GTOo2HvouyMaJ3LIV2hG3s9D1-nWuRllZkzlot7Gav0jeuILvIZwN\
             efukp1d-BEJElzC04TgIih_88Exf7Q7uo-trtiQ5rQpXVAKOTQODaMQNfRhSD0sSWtL72mewtdbXmYpoMc-ewEy00eg1dp_q\
             2_GE4vwV-a_Re_EQqZjZIgS0Toqu2jey1_Jj2BbifG8Y6fX6rw0vpw",
        ),
        (
            "a separator that is not 0",
            "nKXm2KNnwGGcdcxp1x2cX16cNrnraSPmGbWF1hKV48wc_i01I0-PYQ6JZaLmrWKtjLEpiKL58W54QL-0iI8QzTH3_z852gTd\
             0mhghHIrp4cDiPqTAPFp4hegFU-XoiEOJaNWBO_dNWj3KnrjbpXIqzSfwFkn2tBLmmO2OIu2o_c0KSvV2gUYcxcDHKRhulSY\
             v5o3khd1kJnzOV-49oL6FnRLbhKKZZWEfYD7kjmwAlBRO8fpoblBXkyywf6sg-GF2nGgCB4-XBpK_TisyMlnD90s9gvRnXI6\
             Uki9nwtzLZJYwKDsUxwzNdpHPKU0Kz7QT9RL4eg7JSAX4Zi3E-UCZA",
        ),
        (
            "another hash",
            "ndYDgGgnP_Mv2qFGtTVN6s_beBAfMIuMHqmbdMSXprivzv_OgWwK-Yhm_WK19e0YdKhKEhEY535Cb0EmoG4ETsoXJKFsdcoY\
             ChRn2mNl2FvK1px1I_7tH_kNFqxVoCT2fQ7ily8ATvplyayWaGj56auTXDmf-oACQ3fRAzhRDkvTPkgXO5Ja95LK845mvBkp\
             IB4n1vCNODR7Mcim_BQ9bUwoKxekJVxCbnnrFJjq2ATyTij5NsGOf91uYc5RGEMAK_Bp47-3uPs7wDPmwjHx5T-3Bz-EWpFJ\
             qTHKS-KHjg82r0p9fcBn9zcM6mRi2j29zoDPnRNanbmFaTJeTMUjvg",
        ),
        (
            "PSS",
            "hSROPvIlX_OqLuS0nTgM7x_hc8S1L7DI25UVGYEIbL52QEicuaUfezwk_SlFxekdqfpGiyqtPy7hNCr0IQXPpxUgDaPHVE_L\
             I80xZ70DOk4dcZJQjfKngV7S6Sex3ecMpPFFi3uS1lMsA18_os66a43wtvFlPFqO4iDttQacKlVfJ6EoyPQtm_I1EpvXKENu\
             Yge-M--j2CZ_A6Qs-zkpZbqfyuyr-KnuSJtZnuSUgXHgGzodGKNSAFOiaNafEnRI0xmqYfyFQjAPFAxpZYTNUxsYNOOcF-wK\
             IoTGyc6VgzgaG-CS3JE4gD5FjWEfxv1l_tOSwZ9RUEkutc3Ax3WK_Q",
        ),
        (
            "the negated signature",
            "h6ML_0H3qjcjf4ik81cbyUPJ1P4FWSplojHCTZ4OUv2wYXOKuwlOEq_pmZdmG6jjEX0y1fOVeZqCgos-yqS4Ppx52X38kTr5\
             NlvITXIs5Ajh9FF73OiuQ3JUVXnxIoOmwd2-1CShNwJpuMh0VD3eNJh-aXZ0rubdrs2b4EKe2hgccgx7pcnV6PYZa1amyi3-\
             lcY4fksNH6U0HzEnw2AkoFRHdXtPoGMR17Yt7zEc8OjI_hsfaAoTJL-aB-xhi11cpPj4e0dS49yr3lwf2oikV_iLnBtCU8gD\
             VD3kHpIORz5jNkE-A-GksSqURaGaKMsXnZaRIPGKadkVKwUFyh0M7g",
        ),
        (
            "the signature plus the modulus",
            "v086ah-sEYYWs9rK5NAZ735KY1vs__NxKhw8F3vcwjqX-69hEOoAGM0JSsfFqRFxTTqLp7tVWn_vL0CD9-q6sSeDj-7L_6AB\
             sqYmZutGBy_iD9JpGCxXPUrzrOoSPQ9lVn2M7HpL5Ki3vrn_piw8bAQu13gDjEomvqlkX1R4UnsXYCKoSVJKoMKp0DdTOXBb\
             SXrTd-MDDlvNIjnFMbOzdWKOD_gVXYZOKYeVAM5O4eybwkPltrJGy1h3K_dphL5LZf58Zri9FIIYvod78xfvvA5QjiXNBRto\
             -s_ezadfMvHIgI4LEvuO0bJ2-i4MgDjLVQyEuMxloazH9FI8ocPatA",
        ),
    ];

    /// The square of a prime.
    const SAME_PRIMES: &str = "\
        oKotZhsFYRtd-G8ya8umrsEHmVNs6dzJ4WNWhCl_HU8E7mMVEY8DSEVu9D0QJPzJNDm1FwLBXGcC87mbWBLL65yZDKWOcEJ2\
        gZO_36Lz3kFbcVsfclmYeUMWiT6tDRaJSEwF30-fBMpg3psJmOS6lFDxBHrn0cP0GH368CKg25KTYy2cS6jSRawi5r-8q3Tb\
        lSFmqu5zCEizVzHutYFC7ICry15UfrGMl6O30gi67LGreHg-isGofACKmHIKBdILCX512m-c_tgb7PQlA-xCvMD0dSg7Xav8\
        ixRRjJvJWEyc6rk2K8YyBMYZIWhtNV-YgvO12KNJinZM56I533cxYQ";
    /// The product of a prime and the next one. Fermat's method factors it in the first round.
    const NEXT_PRIMES: &str = "\
        oKotZhsFYRtd-G8ya8umrsEHmVNs6dzJ4WNWhCl_HU8E7mMVEY8DSEVu9D0QJPzJNDm1FwLBXGcC87mbWBLL65yZDKWOcEJ2\
        gZO_36Lz3kFbcVsfclmYeUMWiT6tDRaJSEwF30-fBMpg3psJmOS6lFDxBHrn0cP0GH368CKg3K_FdkIjtA3D5wgGuTTyMVhR\
        nnCJLLfAm_mgG-zrKhbG5JogERY7GLB1QOhIez5GdKH20gdDmgEPJLh7koD92Vq7LiAGEhFd2rnyqYxyghGuDbm0RXmwoDQn\
        9v9EDbY938uCYz4rYfQh_N4PPBkFd8yRbvIp5pYKzKYw5l3Qp5mWSQ";
    /// A modulus that Fermat's method factors in round 100.
    const CLOSE_PRIMES: &str = "\
        oKotZhsFYRtd-G8ya8umrsEHmVNs6dzJ4WNWhCl_HU8E7mMVEY8DSEVu9D0QJPzJNDm1FwLBXGcC87mbWBLL_4Fm8xUxb65r\
        egy7k3aBFQ6pxYIWgFt70HmufzV-nFRS1u0DgmFPpXShSZMXZ-2pXHU_glXupcTwF9-pjZpW2CHN6psxrvsmPP-6U_WrLxRh\
        uIoOzMp-xnozG4VSTHUVCG_d5Do6IVWL5zhLacd5XEPC_cnOggnaikCL8jyTtMMY8NNVz4kn13bd_aqZdPnkSvAOOuJoiYGV\
        XaN49LrokBcThFkDdv3zYT5zLRUOXRTK-QrDbnIjmUMj9a42fubCJw";
    /// A modulus that Fermat's method would factor in round 101.
    const LESS_CLOSE_PRIMES: &str = "\
        oKotZhsFYRtd-G8ya8umrsEHmVNs6dzJ4WNWhCl_HU8E7mMVEY8DSEVu9D0QJPzJNDm1FwLBXGcC87mbWBLL_5ruHiizo8Pi\
        WjR-9ARvjiIXBt11yc9L0d7AagbgJ4VzOAtnjXZQnnrBzAN_skJEm0r2eDYE8xSyFxy6zkEMFy_kxaMAeOA_8xK3NbWTDC2w\
        8Y6pGfhzEuUP-peEVlW45TmlUpP1kHIcFZIYBRBcI_iykV0S7TdDKFlE5tSMkqBX8pgL9cZYGQh2BInTwP4rJu7EdrPhySar\
        6f-4Mxgszb8n-ATav58kswvW0KOluzhZWSo1KhFVRu8eeXuHscwC8Q";

    /// The modulus of a key with exponent 3 (`openssl genrsa -3 2048`).
    const CUBE_MODULUS: &str = "\
        l1iJUfAv-Wd6hZ82AtDtsVGwhX7P59mqHs6QCYtodJ-mgqupcuHGWAPx-mD7lWcA0BQ_qGd8rgyB5_heSuREhw9mcA4Xdi47\
        ttlbUmNx1ZsYsAwaM8p7MwnVFzl2wLz6fbqZ3sBZsstRAsPtEYPLLvi-xfzx9HpXeEd4I5J1fA2mNQRSrTAPKmTLuunRBFKZ\
        JDft9hDQ7mERz6r85gNx-t8MZ2bOBwhC3WiIh_B8gFGlDVP-JhWpV6RDxEZM4kPfteIuEl3mSrx2t5jo6LcH6ESS1CnFGYTm\
        k6Tphz6MiUpUL8rpnaMtvLMH-aRBxRr4GPKVBRNOC8MmTfOae_WC1Q";
    /// A correct signature of this key.
    const CUBE_VALID: &str = "\
        kjOO9g1ZUbuJKrwRI6bb5sY-og104dog7xz5S1mL1I0ojH0R1en0BAboxPKGy39g94ElvcUAgvyKRPqVO2_EUGmvEQLHCH9b\
        YAzcz5YYrOpg_Gfthdrr_L-dO1zy-zecfxRL3PEKlf1nxRgVq8S6PfDIHM-zzx0JtZqBlwd3AwR4Ef9bXJyfUvKk1XgVBGG-\
        x29XxHUiJsEhsMHGA3YW3ALgOanyA8Dm-CDCZJ2ABFvXJ5Occ_R1NCTENYtcNjxvo6HrJrMJya3OvBJ7hLkGaz65sDih3-DM\
        uv_6QbTHFyAraZmej2UcywHxFSPO72MavrTedTdEUTsUKWDtgjqrzg";
    /// A number that was found without the private key. Its cube begins with a short padding and the right hash.
    const CUBE_ROOT: &str = "\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAMsv9SnrceQVYPXZ1IPUWQHWRdtN4JvLvY649x6tb-wvTehXVRsgilbyee3Dk\
        sDO3ad2QbYF2YccF1hvQnuhphkM4AZsXKC1kbiWMgIRj0YOn_U8V7Q";
}
