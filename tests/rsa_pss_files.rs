//! RSA keys that their file restricts to RSA-PSS, without parameters or with those of one algorithm: RFC 4055 sections 1.2 and 3.
//! What both backends offer runs over both.
#![cfg(feature = "rsa")]

mod util;

use countersign::{
    Algorithm, FileMistake, KeyError, PrivateKey, PublicKey, SignKey, SigningKey, VerifyKey, VerifyingKey,
};

const ALGORITHMS: [Algorithm; 6] = [
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
];

const PSS: [Algorithm; 3] = [Algorithm::Ps256, Algorithm::Ps384, Algorithm::Ps512];

/// The key files that OpenSSL wrote, private and public, and the algorithms that they allow.
const FILES: [(&str, &str, &[Algorithm]); 4] = [
    (include_str!("data/rsa_pss.pem"), include_str!("data/rsa_pss_public.pem"), &PSS),
    (
        include_str!("data/rsa_pss_sha256.pem"),
        include_str!("data/rsa_pss_sha256_public.pem"),
        &[Algorithm::Ps256],
    ),
    (
        include_str!("data/rsa_pss_sha384.pem"),
        include_str!("data/rsa_pss_sha384_public.pem"),
        &[Algorithm::Ps384],
    ),
    (
        include_str!("data/rsa_pss_sha512.pem"),
        include_str!("data/rsa_pss_sha512_public.pem"),
        &[Algorithm::Ps512],
    ),
];

/// The keys of each backend that verify with this algorithm, or why there are none.
fn verifiers(public: &PublicKey, algorithm: Algorithm) -> Vec<Result<VerifyingKey, KeyError>> {
    vec![
        public.verifying_key(algorithm),
        #[cfg(feature = "aws-lc-rs")]
        countersign::aws_lc::verifying_key(public, algorithm),
    ]
}

fn signers(private: &PrivateKey, algorithm: Algorithm) -> Vec<Result<SigningKey, KeyError>> {
    vec![
        private.signing_key_with(algorithm, util::Counting),
        #[cfg(feature = "aws-lc-rs")]
        countersign::aws_lc::signing_key(private, algorithm),
    ]
}

/// Checks that each backend verifies with these algorithms and refuses the other ones of RSA by name.
#[track_caller]
fn verifies_only(public: &PublicKey, allowed: &[Algorithm]) {
    for algorithm in ALGORITHMS {
        for key in verifiers(public, algorithm) {
            match key {
                Ok(_) => assert!(allowed.contains(&algorithm), "{algorithm}"),
                Err(error) => {
                    assert!(!allowed.contains(&algorithm), "{algorithm}");
                    assert_eq!(error, restricted(algorithm, allowed));
                }
            }
        }
    }
}

fn restricted(algorithm: Algorithm, allowed: &[Algorithm]) -> KeyError {
    let allowed = if let [only] = allowed { only.name() } else { "PS256, PS384 and PS512" };
    KeyError::RestrictedKey { algorithm, allowed }
}

// ---- the files of OpenSSL ----

#[test]
fn a_file_allows_its_algorithms_and_the_other_ones_of_rsa_are_refused_by_name() {
    for (private, public, allowed) in FILES {
        let (private, public) =
            (PrivateKey::from_pem(private).unwrap(), PublicKey::from_pem(public).unwrap());
        verifies_only(&public, allowed);
        verifies_only(&public.clone().any_exponent(), allowed);
        verifies_only(&private.public_key().unwrap(), allowed);
        verifies_only(&private.clone().any_exponent().public_key().unwrap(), allowed);
        for algorithm in ALGORITHMS {
            for signer in signers(&private, algorithm) {
                let Ok(signer) = signer else {
                    assert!(!allowed.contains(&algorithm), "{algorithm}");
                    assert_eq!(signer.unwrap_err(), restricted(algorithm, allowed));
                    continue;
                };
                verifies_only(signer.verifying_key().public_key().unwrap(), allowed);
                let signature = signer.sign_bytes(b"input").unwrap();
                for key in verifiers(&public, algorithm) {
                    assert!(key.unwrap().verify_bytes(b"input", signature.as_bytes()).is_ok());
                }
            }
        }
    }
}

#[test]
fn the_error_says_what_the_file_allows() {
    let [any, sha256, ..] = FILES.map(|(_, public, _)| PublicKey::from_pem(public).unwrap());
    let error = any.rs256().unwrap_err();
    assert_eq!(error.code(), "restricted_key");
    assert_eq!(
        error.to_string(),
        "the file of the RSA key allows PS256, PS384 and PS512 only, so the key cannot be used for RS256"
    );
    assert_eq!(
        sha256.ps512().unwrap_err().to_string(),
        "the file of the RSA key allows PS256 only, so the key cannot be used for PS512"
    );
    // For the algorithm of another type of key, the type is wrong.
    let wrong = KeyError::WrongKeyType { algorithm: Algorithm::Hs256, key: "RSA" };
    assert_eq!(any.verifying_key(Algorithm::Hs256).unwrap_err(), wrong);
}

/// A restriction that is lost when a key is stored would be none.
#[test]
fn a_file_is_written_with_its_restriction() {
    for (private, public, _) in FILES {
        let key = PrivateKey::from_pem(private).unwrap();
        assert_eq!(key.to_secret_pem().unwrap().expose_secret_text(), Some(private));
        assert_eq!(key.public_key().unwrap().to_pem().unwrap(), public);
        assert_eq!(PublicKey::from_pem(public).unwrap().to_pem().unwrap(), public);
    }
}

/// If only the hash of the message is named, MGF1 has SHA-1: RFC 4055 section 3.1.
#[test]
fn a_file_that_allows_no_algorithm_is_refused_by_name() {
    let text = include_str!("data/rsa_pss_sha256_mgf1_sha1.pem");
    let error = PrivateKey::from_pem(text).unwrap_err();
    assert_eq!(error, KeyError::File(FileMistake::RsaPss));
    assert_eq!(error.code(), "rsa_pss");
}

// ---- parameters ----

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    match u16::try_from(content.len()).unwrap() {
        short @ ..0x80 => [&[tag, short as u8], content].concat(),
        length => [&[tag, 0x82], &length.to_be_bytes()[..], content].concat(),
    }
}

/// The public key of `tests/util` with this algorithm identifier.
fn public(identifier: &[u8]) -> Result<PublicKey, KeyError> {
    let plain = util::der(util::RSA_PUBLIC);
    PublicKey::from_der(&tlv(0x30, &[identifier, &plain[19..]].concat()))
}

/// The same with `id-RSASSA-PSS` and these parameters.
fn with(parameters: &[u8]) -> Result<PublicKey, KeyError> {
    public(&identifier(b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a", parameters))
}

fn identifier(oid: &[u8], parameters: &[u8]) -> Vec<u8> {
    tlv(0x30, &[&tlv(6, oid), parameters].concat())
}

/// The algorithm identifier of a hash function: SHA-256 is 1, SHA-384 2, SHA-512 3, SHA-224 4, SHA-512/256 6.
fn sha(number: u8, parameters: &[u8]) -> Vec<u8> {
    identifier(&[b"\x60\x86\x48\x01\x65\x03\x04\x02", &[number][..]].concat(), parameters)
}

const NULL: &[u8] = b"\x05\0";

fn mgf1(hash: &[u8]) -> Vec<u8> {
    identifier(b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08", hash)
}

fn field(number: u8, content: &[u8]) -> Vec<u8> {
    tlv(0xa0 | number, content)
}

fn integer(number: u8) -> Vec<u8> {
    tlv(2, &[number])
}

/// `RSASSA-PSS-params` with these fields.
fn parameters(fields: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &fields.concat())
}

/// The hash and MGF1 of the PS* algorithm with this hash function.
fn hashes(number: u8) -> [Vec<u8>; 2] {
    [field(0, &sha(number, NULL)), field(1, &mgf1(&sha(number, NULL)))]
}

#[test]
fn parameters_of_one_algorithm_allow_it() {
    let [hash, mask] = hashes(1);
    let salt = |bytes| field(2, &integer(bytes));
    for (fields, what) in [
        (vec![hash.clone(), mask.clone()], "the salt of 20 bytes is the default"),
        (vec![hash.clone(), mask.clone(), salt(0)], "no salt needed"),
        (vec![hash.clone(), mask.clone(), salt(20)], "the default, although DER leaves it out"),
        (vec![hash.clone(), mask.clone(), salt(32)], "the salt of PS256"),
        (vec![hash.clone(), mask.clone(), salt(32), field(3, &integer(1))], "the usual trailer"),
        (vec![field(0, &sha(1, &[])), mask.clone()], "a hash without NULL"),
        (vec![hash.clone(), field(1, &mgf1(&sha(1, &[])))], "MGF1 with a hash without NULL"),
    ] {
        let key = with(&parameters(&fields)).unwrap_or_else(|error| panic!("{what}: {error}"));
        verifies_only(&key, &[Algorithm::Ps256]);
        // The file is written in DER, with the same meaning.
        let again = PublicKey::from_der(&key.to_der().unwrap()).unwrap();
        verifies_only(&again, &[Algorithm::Ps256]);
        assert_eq!(again.to_der().unwrap(), key.to_der().unwrap());
    }
    for (number, algorithm) in [(2, Algorithm::Ps384), (3, Algorithm::Ps512)] {
        verifies_only(&with(&parameters(&hashes(number))).unwrap(), &[algorithm]);
    }
    verifies_only(&with(&[]).unwrap(), &PSS);
    verifies_only(&PublicKey::from_pem(util::RSA_PUBLIC).unwrap(), &ALGORITHMS);
}

#[test]
fn a_salt_of_the_default_length_is_left_out_and_other_ones_are_kept() {
    let [hash, mask] = hashes(1);
    let written = |salt: u8| {
        let fields = [hash.clone(), mask.clone(), field(2, &integer(salt))];
        with(&parameters(&fields)).unwrap().to_der().unwrap()
    };
    let holds = |der: &[u8], fields: &[Vec<u8>]| {
        let expected = parameters(fields);
        der.windows(expected.len()).any(|window| window == expected)
    };
    assert!(holds(&written(20), &[hash.clone(), mask.clone()]));
    for salt in [0, 19, 21, 32] {
        assert!(holds(&written(salt), &[hash.clone(), mask.clone(), field(2, &integer(salt))]), "{salt}");
    }
}

#[test]
fn parameters_of_no_algorithm_are_refused_by_name() {
    let [hash, mask] = hashes(1);
    let sha1 = identifier(b"\x2b\x0e\x03\x02\x1a", NULL);
    for (fields, what) in [
        (vec![], "SHA-1 by default"),
        (vec![hash.clone()], "MGF1 with SHA-1 by default"),
        (vec![mask.clone()], "SHA-1 by default, MGF1 with SHA-256"),
        (vec![field(0, &sha1), field(1, &mgf1(&sha1))], "SHA-1"),
        (vec![field(0, &sha(4, NULL)), field(1, &mgf1(&sha(4, NULL)))], "SHA-224"),
        (vec![field(0, &sha(6, NULL)), field(1, &mgf1(&sha(6, NULL)))], "SHA-512/256"),
        (vec![hash.clone(), field(1, &mgf1(&sha1))], "MGF1 with SHA-1"),
        (vec![hash.clone(), hashes(2)[1].clone()], "MGF1 with SHA-384"),
        (vec![hash.clone(), field(1, &mgf1(&[]))], "MGF1 without a hash"),
        (vec![hash.clone(), field(1, &sha(1, NULL))], "a mask that is not MGF1"),
        (vec![hash.clone(), field(1, &identifier(&[0x2a, 9], &sha(1, NULL)))], "an unknown mask"),
        (vec![field(0, &sha(1, &integer(1))), mask.clone()], "a hash with parameters"),
        (vec![hash.clone(), mask.clone(), field(2, &integer(33))], "a salt longer than the hash"),
        (vec![hash.clone(), mask.clone(), field(2, &tlv(2, &[1, 0]))], "a salt of 256 bytes"),
        (vec![hash.clone(), mask.clone(), field(3, &integer(2))], "another trailer"),
    ] {
        let error = with(&parameters(&fields)).map(|_| what).unwrap_err();
        assert_eq!(error, KeyError::File(FileMistake::RsaPss), "{what}");
    }
}

#[test]
fn malformed_parameters_are_refused() {
    let [hash, mask] = hashes(1);
    for (bytes, what) in [
        (NULL.to_vec(), "NULL"),
        (integer(1), "an integer"),
        (tlv(0x31, &[hash.clone(), mask.clone()].concat()), "a set"),
        (parameters(&[mask.clone(), hash.clone()]), "fields in another order"),
        (parameters(&[hash.clone(), hash.clone(), mask.clone()]), "a field twice"),
        (parameters(&[hash.clone(), mask.clone(), integer(32)]), "a salt without its tag"),
        (parameters(&[hash.clone(), mask.clone(), field(2, &tlv(2, &[0xff]))]), "a negative salt"),
        (
            parameters(&[hash.clone(), mask.clone(), field(2, &tlv(2, &[0, 32]))]),
            "a salt with a zero before it",
        ),
        (parameters(&[hash.clone(), mask.clone(), field(4, &integer(1))]), "an unknown field"),
        (parameters(&[field(0, &sha(1, NULL)[..10]), mask.clone()]), "a hash that is cut off"),
        (parameters(&[hash.clone(), field(1, &mgf1(&integer(1)))]), "MGF1 with an integer"),
        ([parameters(&[hash, mask]), NULL.to_vec()].concat(), "something after the parameters"),
    ] {
        let error = with(&bytes).map(|_| what).unwrap_err();
        assert_eq!(error, KeyError::MalformedKey, "{what}");
    }
}

/// RFC 4055 section 4: a key for RSAES-OAEP encrypts.
#[test]
fn a_key_for_encryption_is_refused() {
    for parameters in [&[][..], NULL, &[0x30, 0]] {
        let error = public(&identifier(b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x07", parameters)).unwrap_err();
        assert_eq!(error, KeyError::UnsupportedKeyType);
    }
}
