//! The requirements on key files, S167 to S184 of `src/manual/standards.md`, and tables of bad keys. What several backends
//! offer runs over all of them.
#![cfg(all(feature = "rsa", feature = "ecdsa", feature = "ed25519"))]

#[path = "util/each.rs"]
mod each;
mod util;

use countersign::{Algorithm, FileMistake, KeyError, PrivateKey, PublicKey};
use each::{ECDSA, combine, files, hex, of_private_file, of_public_file, order, pairs, private, public, tlv};
use util::{der, pem};

const NULL: &[u8] = &[5, 0];
const P256: &str = "06082a8648ce3d030107";
const P384: &str = "06052b81040022";

// ---- parts of files ----

/// The AlgorithmIdentifier in the files of an algorithm.
fn identifier(algorithm: Algorithm) -> Vec<u8> {
    let file = der(files(algorithm)[1]);
    let start = match file[1] {
        0x82 => 4,
        0x81 => 3,
        _ => 2,
    };
    file[start..start + 2 + usize::from(file[start + 1])].to_vec()
}

/// SPKI, RFC 5280 section 4.1.2.7.
fn spki(identifier: &[u8], key: &[u8]) -> Vec<u8> {
    tlv(0x30, &[identifier, &tlv(3, &[&[0], key].concat())].concat())
}

/// The content of the BIT STRING in the public file of an algorithm.
fn public_bits(algorithm: Algorithm) -> Vec<u8> {
    let file = der(files(algorithm)[1]);
    let outer = spki(&identifier(algorithm), &[]).len();
    // The headers of a long file are longer than those of an empty one.
    let bits = (outer - 2..).find(|at| spki(&identifier(algorithm), &file[*at..]) == file);
    file[bits.unwrap()..].to_vec()
}

/// PKCS#8, RFC 5958 section 2.
fn pkcs8(version: u8, identifier: &[u8], key: &[u8], after: &[u8]) -> Vec<u8> {
    tlv(0x30, &[&[2, 1, version], identifier, &tlv(4, key), after].concat())
}

/// `ECPrivateKey`, RFC 5915 section 3.
fn ec_private(version: u8, number: &[u8], curve: Option<&[u8]>, point: Option<&[u8]>) -> Vec<u8> {
    let curve = curve.map(|curve| tlv(0xa0, curve)).unwrap_or_default();
    let point = point.map(|point| tlv(0xa1, &tlv(3, &[&[0], point].concat()))).unwrap_or_default();
    tlv(0x30, &[&[2, 1, version], &*tlv(4, number), &curve, &point].concat())
}

/// The private number of the file of a curve: the OCTET STRING after the version of `ECPrivateKey`.
fn number(algorithm: Algorithm) -> Vec<u8> {
    let file = der(files(algorithm)[0]);
    let at = file.windows(4).position(|window| window == [2, 1, 1, 4]).unwrap() + 4;
    file[at + 1..=at + usize::from(file[at])].to_vec()
}

/// The seed in the file of Ed25519.
fn seed() -> Vec<u8> {
    der(files(Algorithm::Ed25519)[0])[16..].to_vec()
}

/// The PKCS#8 content of an algorithm: what is in the OCTET STRING.
fn private_content(algorithm: Algorithm) -> Vec<u8> {
    match algorithm {
        Algorithm::Ed25519 => tlv(4, &seed()),
        ec if ECDSA.contains(&ec) => ec_private(1, &number(ec), None, Some(&public_bits(ec))),
        _ => der(files(algorithm)[0])[26..].to_vec(),
    }
}

/// One algorithm of each type of key.
fn types() -> Vec<Algorithm> {
    [&[Algorithm::Rs256, Algorithm::Ed25519], ECDSA].concat()
}

#[test]
fn the_parts_make_the_files_again() {
    for algorithm in types() {
        let [private, public] = files(algorithm).map(der);
        assert_eq!(spki(&identifier(algorithm), &public_bits(algorithm)), public, "{algorithm}");
        let made = pkcs8(0, &identifier(algorithm), &private_content(algorithm), &[]);
        assert_eq!(made, private, "{algorithm}");
    }
}

/// Checks that each backend refuses a private key file with this code.
#[track_caller]
fn private_is(algorithm: Algorithm, der: &[u8], code: &str, what: &str) {
    let codes = of_private_file(der, algorithm);
    let is_right = !codes.is_empty() && codes.iter().all(|found| *found == code);
    assert!(is_right, "{algorithm}, {what}: {codes:?} and not {code}");
}

/// Checks that each backend refuses a public key file with this code.
#[track_caller]
fn public_is(algorithm: Algorithm, der: &[u8], code: &str, what: &str) {
    let codes = of_public_file(der, algorithm);
    let is_right = !codes.is_empty() && codes.iter().all(|found| *found == code);
    assert!(is_right, "{algorithm}, {what}: {codes:?} and not {code}");
}

// ---- PEM ----

/// S167.
#[test]
fn line_ends_blanks_and_surrounding_text_are_read() {
    for algorithm in types() {
        for (place, file) in files(algorithm).into_iter().enumerate() {
            for text in [
                file.replace('\n', "\r\n"),
                file.replace('\n', "\r"),
                file.replace('\n', " \t\n"),
                format!("subject: a key\n\n{file}"),
                format!("{file}\nmore text\n"),
                format!("\n\n{file}\n\n"),
                file.trim_end().to_owned(),
            ] {
                let is_same = if place == 0 {
                    PrivateKey::from_pem(&text).unwrap().public_key().unwrap() == public(algorithm)
                } else {
                    PublicKey::from_pem(&text).unwrap() == public(algorithm)
                };
                assert!(is_same, "{algorithm}: {text:?}");
            }
        }
    }
}

/// S168.
#[test]
fn a_pem_with_another_or_no_end_makes_no_key_of_any_type() {
    for algorithm in types() {
        let [private, public] = files(algorithm);
        for (text, mistake) in [
            (private.replace("END PRIVATE", "END EC PRIVATE"), FileMistake::LabelMismatch),
            (private.split("-----END").next().unwrap().to_owned(), FileMistake::MissingEnd),
            (private[..private.len() - 8].to_owned(), FileMistake::MissingEnd),
        ] {
            assert_eq!(PrivateKey::from_pem(&text).unwrap_err(), KeyError::File(mistake), "{algorithm}");
        }
        for (text, mistake) in [
            (public.replace("END PUBLIC", "END RSA PUBLIC"), FileMistake::LabelMismatch),
            (public.split("-----END").next().unwrap().to_owned(), FileMistake::MissingEnd),
        ] {
            assert_eq!(PublicKey::from_pem(&text).unwrap_err(), KeyError::File(mistake), "{algorithm}");
        }
    }
}

/// S169.
#[test]
fn a_written_pem_has_lines_of_64_characters_and_no_headers() {
    for algorithm in types() {
        let secret = private(algorithm).to_secret_pem().unwrap();
        let written = [
            (secret.expose_secret_text().unwrap().to_owned(), "PRIVATE KEY"),
            (public(algorithm).to_pem().unwrap(), "PUBLIC KEY"),
        ];
        for (text, label) in written {
            let body = text.strip_prefix(&format!("-----BEGIN {label}-----\n")).unwrap();
            let body = body.strip_suffix(&format!("\n-----END {label}-----\n")).unwrap();
            let lines: Vec<&str> = body.split('\n').collect();
            let (last, others) = lines.split_last().unwrap();
            assert!(
                others.iter().all(|line| line.len() == 64) && (1..=64).contains(&last.len()),
                "{algorithm}"
            );
            assert!(body.chars().all(|c| c.is_ascii_alphanumeric() || "+/=\n".contains(c)));
            assert_eq!(body.replace('\n', "").len() % 4, 0);
        }
    }
}

/// S170. The content decides which form it is, because tools put one form under the label of another. A public and a private
/// key are never confused.
#[test]
fn the_content_decides_and_the_label_says_which_half() {
    for algorithm in types() {
        let [private, public] = files(algorithm).map(der);
        for label in ["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY", "ED25519 PRIVATE KEY"] {
            assert!(PrivateKey::from_pem(&pem(label, &private)).is_ok(), "{algorithm}, {label}");
            let error = PrivateKey::from_pem(&pem(label, &public)).unwrap_err();
            assert_eq!(error, KeyError::File(FileMistake::PublicKey), "{algorithm}, {label}");
        }
        for label in ["PUBLIC KEY", "RSA PUBLIC KEY"] {
            assert!(PublicKey::from_pem(&pem(label, &public)).is_ok(), "{algorithm}, {label}");
            let error = PublicKey::from_pem(&pem(label, &private)).unwrap_err();
            assert_eq!(error, KeyError::File(FileMistake::PrivateKey), "{algorithm}, {label}");
        }
        for label in ["DSA PRIVATE KEY", "PRIVATE KEY ", "private key"] {
            assert!(PrivateKey::from_pem(&pem(label, &private)).is_err(), "{algorithm}, {label}");
        }
    }
    let certificate = der(include_str!("data/certificate.pem"));
    let error = PublicKey::from_pem(&pem("PUBLIC KEY", &certificate)).unwrap_err();
    assert_eq!(error, KeyError::File(FileMistake::Certificate));
}

/// S171.
#[test]
fn an_encrypted_private_key_of_any_type_is_named() {
    let encrypted = KeyError::File(FileMistake::Encrypted);
    for algorithm in types() {
        let content = private_content(algorithm);
        // PBES2, and the encrypted content.
        let scheme = tlv(0x30, &[&hex("06092a864886f70d01050d"), NULL].concat());
        let file = tlv(0x30, &[scheme, tlv(4, &content)].concat());
        for text in [
            pem("ENCRYPTED PRIVATE KEY", &file),
            pem("PRIVATE KEY", &file),
            pem("EC PRIVATE KEY", &content).replacen(
                '\n',
                "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n",
                1,
            ),
        ] {
            assert_eq!(PrivateKey::from_pem(&text).unwrap_err(), encrypted, "{algorithm}");
        }
        assert_eq!(PrivateKey::from_der(&file).unwrap_err(), encrypted, "{algorithm}");
    }
}

/// S172. `curves::each_form_of_a_file_makes_the_same_key` reads files with `EC PARAMETERS`.
#[test]
fn a_file_with_two_keys_makes_none() {
    for one in types() {
        for other in types() {
            let [text, public_text] = [0, 1].map(|half| files(one)[half].to_owned() + files(other)[half]);
            let several = KeyError::File(FileMistake::SeveralKeys);
            assert_eq!(PrivateKey::from_pem(&text).unwrap_err(), several, "{one} and {other}");
            assert_eq!(PublicKey::from_pem(&public_text).unwrap_err(), several, "{one} and {other}");
        }
        // Parameters are not a key.
        let parameters = pem("EC PARAMETERS", &hex(P256));
        assert!(PrivateKey::from_pem(&(parameters + files(one)[0])).is_ok(), "{one}");
    }
}

/// S173. `keys::the_page_on_keys_has_the_outcome_of_each_form` tries more forms.
#[test]
fn what_is_no_pem_is_named_for_each_type() {
    for algorithm in types() {
        let [private, public] = files(algorithm);
        for (text, mistake) in [
            (private.replace('\n', "\\n"), FileMistake::EscapedLineBreaks),
            (util::b64_standard(der(private)), FileMistake::Base64),
            (util::b64_standard(private), FileMistake::Base64OfPem),
            (r#"{"kty":"EC","crv":"P-256"}"#.to_owned(), FileMistake::Jwk),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE KEY-----\n".to_owned(), FileMistake::OpenSsh),
            ("PuTTY-User-Key-File-3: ecdsa-sha2-nistp256\r\n".to_owned(), FileMistake::Putty),
        ] {
            assert_eq!(PrivateKey::from_pem(&text).unwrap_err(), KeyError::File(mistake), "{algorithm}");
        }
        assert!(PrivateKey::from_pem(&format!("\u{feff}{private}")).is_ok(), "{algorithm}");
        let der_mistake = KeyError::File(FileMistake::Pem);
        assert_eq!(PublicKey::from_der(public.as_bytes()).unwrap_err(), der_mistake, "{algorithm}");
        assert_eq!(PrivateKey::from_der(private.as_bytes()).unwrap_err(), der_mistake, "{algorithm}");
    }
}

// ---- DER ----

/// S174.
#[test]
fn der_has_one_form_and_nothing_behind_it() {
    for algorithm in types() {
        let [private, public] = files(algorithm).map(der);
        for (file, is) in [(private, private_is as fn(Algorithm, &[u8], &str, &str)), (public, public_is)] {
            let start = if file[1] < 0x80 { 2 } else { 2 + usize::from(file[1] & 0x7f) };
            let content = &file[start..];
            is(algorithm, &[&*file, &[0]].concat(), "malformed_key", "a zero behind");
            is(algorithm, &[&*file, NULL].concat(), "malformed_key", "an element behind");
            is(algorithm, &[&[0x30, 0x80], content, &[0, 0]].concat(), "malformed_key", "indefinite length");
            let length = u16::try_from(content.len()).unwrap().to_be_bytes();
            is(
                algorithm,
                &[&[0x30, 0x83, 0], &length[..], content].concat(),
                "malformed_key",
                "a long length",
            );
            is(
                algorithm,
                &[&[0x30, 0x84, 0, 0], &length[..], content].concat(),
                "malformed_key",
                "a longer length",
            );
            is(algorithm, &[&[0x31], &file[1..]].concat(), "malformed_key", "a SET");
        }
    }
}

/// S175, S184. RFC 8410 sections 10.1 and 10.3: version 2 with an attribute and the public key.
#[test]
fn rfc_8410_10() {
    let [one, two] = [
        "302e020100300506032b657004220420d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842",
        "3072020101300506032b657004220420d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842a01f301d060a2a864886f70d01090914310f0c0d437572646c6520436861697273812100 19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1",
    ]
    .map(|file| hex(&file.replace(' ', "")));
    let public =
        hex("302a300506032b657003210019bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1");
    let public = PublicKey::from_der(&public).unwrap();
    for file in [one, two] {
        private_is(Algorithm::Ed25519, &file, "taken", "the example");
        assert!(PrivateKey::from_der(&file).unwrap().public_key().unwrap() == public);
    }
}

/// S175.
#[test]
fn pkcs8_has_version_0_or_1() {
    for algorithm in types() {
        let (identifier, content) = (identifier(algorithm), private_content(algorithm));
        // An attribute: a friendly name.
        let name = tlv(0x30, &[&hex("060a2a864886f70d01091402"), &*tlv(0x31, &tlv(0x0c, b"name"))].concat());
        let attributes = tlv(0xa0, &name);
        let public = tlv(0x81, &[&[0], &*public_bits(algorithm)].concat());
        for (version, after, code) in [
            (0, vec![], "taken"),
            (0, attributes.clone(), "taken"),
            (1, public.clone(), "taken"),
            (1, [attributes, public.clone()].concat(), "taken"),
            (0, public, "malformed_key"),
            (2, vec![], "malformed_key"),
            (3, vec![], "malformed_key"),
            (0xff, vec![], "malformed_key"),
        ] {
            let file = pkcs8(version, &identifier, &content, &after);
            private_is(algorithm, &file, code, &format!("version {version}, {} bytes after", after.len()));
        }
    }
}

/// S176.
#[test]
fn a_private_key_with_the_public_key_of_another_is_refused() {
    for algorithm in types() {
        let other = match algorithm {
            Algorithm::Rs256 => {
                PublicKey::from_pem(include_str!("data/rsa_8192_public.pem")).unwrap().to_der()
            }
            _ => {
                PrivateKey::generate_with(algorithm, &util::Counting).unwrap().public_key().unwrap().to_der()
            }
        };
        let own = spki(&identifier(algorithm), &public_bits(algorithm));
        let other = other.unwrap();
        assert_ne!(own, other);
        let bits = match algorithm {
            Algorithm::Rs256 => other[24..].to_vec(),
            _ => other[own.len() - public_bits(algorithm).len()..].to_vec(),
        };
        let (identifier, content) = (identifier(algorithm), private_content(algorithm));
        let beside = |bits: &[u8]| pkcs8(1, &identifier, &content, &tlv(0x81, &[&[0], bits].concat()));
        private_is(algorithm, &beside(&public_bits(algorithm)), "taken", "its own public key");
        private_is(algorithm, &beside(&bits), "malformed_key", "beside");
        if ECDSA.contains(&algorithm) {
            let inside = ec_private(1, &number(algorithm), None, Some(&bits));
            private_is(algorithm, &pkcs8(0, &identifier, &inside, &[]), "malformed_key", "inside");
        }
    }
}

/// S177. `curves::a_number_may_have_a_byte_more_or_less` reads other widths.
#[test]
fn an_ec_private_key_is_version_1_and_written_at_full_width() {
    for &algorithm in ECDSA {
        let identifier = identifier(algorithm);
        let width = order(algorithm).len();
        let of =
            |version: u8, number: &[u8]| pkcs8(0, &identifier, &ec_private(version, number, None, None), &[]);
        for (version, code) in
            [(1, "taken"), (0, "malformed_key"), (2, "malformed_key"), (3, "malformed_key")]
        {
            private_is(algorithm, &of(version, &number(algorithm)), code, &format!("version {version}"));
        }
        // A number that is read without its leading zero is written with it.
        let mut short = vec![0; width];
        short[width - 1] = 7;
        short[1] = 1;
        for number in [&short[..], &short[1..]] {
            let key = PrivateKey::from_der(&of(1, number)).unwrap();
            let written = der(key.to_secret_pem().unwrap().expose_secret_text().unwrap());
            let wanted = tlv(4, &short);
            assert!(written.windows(wanted.len()).any(|window| window == wanted), "{algorithm}");
        }
    }
}

/// S178.
#[test]
fn the_curve_is_in_one_place_or_the_same_in_both() {
    for &algorithm in ECDSA {
        let identifier = identifier(algorithm);
        let own = &identifier[11..];
        let other = hex(if algorithm == Algorithm::Es384 { P256 } else { P384 });
        let number = number(algorithm);
        for (curve, code) in [(None, "taken"), (Some(own), "taken"), (Some(&*other), "malformed_key")] {
            let inside = ec_private(1, &number, curve, None);
            private_is(algorithm, &pkcs8(0, &identifier, &inside, &[]), code, "PKCS#8");
        }
        private_is(algorithm, &ec_private(1, &number, Some(own), None), "taken", "SEC1");
        private_is(algorithm, &ec_private(1, &number, None, None), "malformed_key", "SEC1 without a curve");
    }
}

/// S179, S180, S183. `curves::a_curve_that_a_file_describes_by_numbers_is_named` reads files of OpenSSL.
#[test]
fn identifiers_that_are_not_offered_are_refused() {
    const EC: &str = "06072a8648ce3d0201";
    let point = public_bits(Algorithm::Es256);
    let inner = ec_private(1, &number(Algorithm::Es256), None, None);
    for (algorithm, parameters, code) in [
        (EC, P256, "taken"),
        (EC, "0500", "explicit_curve"),
        (EC, "3003020101", "explicit_curve"),
        (EC, "", "unsupported_key_type"),
        // secp192r1, secp224r1, brainpoolP256r1, SM2, and P-256 as the parameters of ECDH and ECMQV alone.
        (EC, "06082a8648ce3d030101", "unsupported_key_type"),
        (EC, "06052b81040021", "unsupported_key_type"),
        (EC, "06092b2403030208010107", "unsupported_key_type"),
        (EC, "06082a811ccf5501822d", "unsupported_key_type"),
        ("06052b8104010c", P256, "unsupported_key_type"),
        ("06052b8104010d", P256, "unsupported_key_type"),
        // DSA, Diffie-Hellman, RSAES-OAEP, X25519, X448, Ed448; Ed25519 with NULL or a curve.
        ("06072a8648ce380401", "0500", "unsupported_key_type"),
        ("06092a864886f70d010301", "0500", "unsupported_key_type"),
        ("06092a864886f70d010107", "0500", "unsupported_key_type"),
        ("06032b656e", "", "unsupported_key_type"),
        ("06032b656f", "", "unsupported_key_type"),
        ("06032b6571", "", "unsupported_key_type"),
        ("06032b6570", "0500", "unsupported_key_type"),
        ("06032b6570", P256, "unsupported_key_type"),
    ] {
        let identifier = tlv(0x30, &[hex(algorithm), hex(parameters)].concat());
        let what = format!("{algorithm} {parameters}");
        public_is(Algorithm::Es256, &spki(&identifier, &point), code, &what);
        private_is(Algorithm::Es256, &pkcs8(0, &identifier, &inner, &[]), code, &what);
    }
}

/// S181. `curves::points_that_are_not_on_their_curve_are_refused` tries each other form of a point.
#[test]
fn a_bit_string_with_unused_bits_makes_no_key() {
    for algorithm in types() {
        for unused in 1..8 {
            let bits = tlv(3, &[&[unused], &*public_bits(algorithm)].concat());
            let file = tlv(0x30, &[identifier(algorithm), bits].concat());
            public_is(algorithm, &file, "malformed_key", &format!("{unused} unused bits"));
        }
    }
}

/// S184.
#[test]
fn an_ed25519_seed_has_32_bytes_in_two_octet_strings() {
    let identifier = identifier(Algorithm::Ed25519);
    let seed = seed();
    for (content, code) in [
        (tlv(4, &seed), "taken"),
        (seed.clone(), "malformed_key"),
        (tlv(4, &tlv(4, &seed)), "malformed_key"),
        (tlv(4, &seed[1..]), "malformed_key"),
        (tlv(4, &[&*seed, &[0]].concat()), "malformed_key"),
        // The seed and the public key in one, as some libraries keep them; and the length of Ed448.
        (tlv(4, &[&*seed, &*public_bits(Algorithm::Ed25519)].concat()), "malformed_key"),
        (tlv(4, &[7; 57]), "malformed_key"),
        (tlv(3, &[&[0], &*seed].concat()), "malformed_key"),
        (vec![], "malformed_key"),
    ] {
        let file = pkcs8(0, &identifier, &content, &[]);
        private_is(Algorithm::Ed25519, &file, code, &format!("{} bytes", content.len()));
    }
}

// ---- tables ----

/// Points and numbers that no key has, for each curve and backend.
#[test]
fn every_bad_number_of_a_curve_is_refused_by_name() {
    for &algorithm in ECDSA {
        let (identifier, order) = (identifier(algorithm), order(algorithm));
        let width = order.len();
        let good = public_bits(algorithm);
        let (x, y) = (&good[1..=width], &good[1 + width..]);
        let zero = vec![0; width];
        let ones = vec![0xff; width];
        for (what, point) in [
            ("off the curve", [&[4], x, &*combine(y, &[1], 1)].concat()),
            ("exchanged", [&[4], y, x].concat()),
            ("zero", [&[4], &*zero, &*zero].concat()),
            ("above the modulus", [&[4], &*ones, &*ones].concat()),
            ("y above the modulus", [&[4], x, &*ones].concat()),
            ("compressed, above the modulus", [&[2], &*ones].concat()),
            ("infinity", vec![0]),
            ("infinity at full length", vec![0; good.len()]),
            ("hybrid", [&[6 + (y[width - 1] & 1)], x, y].concat()),
            ("without its form", [x, y].concat()),
            ("compressed, with y", [&[2], x, y].concat()),
            ("one byte less", good[..good.len() - 1].to_vec()),
            ("one byte more", [&*good, &[0]].concat()),
            ("nothing", vec![]),
        ] {
            public_is(algorithm, &spki(&identifier, &point), "invalid_point", what);
        }
        // A file of another curve of the same width, and of another width.
        for &other in ECDSA.iter().filter(|other| **other != algorithm) {
            public_is(algorithm, &der(files(other)[1]), "wrong_key_type", "the key of another curve");
            private_is(algorithm, &der(files(other)[0]), "wrong_key_type", "the key of another curve");
            let point = spki(&identifier, &public_bits(other));
            public_is(algorithm, &point, "invalid_point", "a point of another curve");
        }
        let one = combine(&zero, &[1], 1);
        for (what, number, code) in [
            ("zero", zero.clone(), "malformed_key"),
            ("one", one, "taken"),
            ("the order less one", combine(&order, &[1], -1), "taken"),
            ("the order", order.clone(), "malformed_key"),
            ("the order and one", combine(&order, &[1], 1), "malformed_key"),
            ("the largest", ones.clone(), "malformed_key"),
            ("too long", [&[1], &*number(algorithm)].concat(), "malformed_key"),
            ("far too long", vec![1; 1000], "malformed_key"),
            ("nothing", vec![], "malformed_key"),
        ] {
            let inner = ec_private(1, &number, None, None);
            private_is(algorithm, &pkcs8(0, &identifier, &inner, &[]), code, what);
        }
    }
}

/// Every file that is cut short, of each type, and with a changed length.
#[test]
fn a_cut_file_of_any_type_is_refused_by_name() {
    for algorithm in types() {
        let [private, public] = files(algorithm).map(der);
        private_is(algorithm, b"", "empty", "nothing");
        public_is(algorithm, b"", "empty", "nothing");
        for length in 1..private.len() {
            private_is(algorithm, &private[..length], "malformed_key", &format!("{length} bytes"));
        }
        for length in 1..public.len() {
            public_is(algorithm, &public[..length], "malformed_key", &format!("{length} bytes"));
        }
    }
}

/// Bytes that say that gigabytes follow. `alloc::a_bad_key_file_allocates_no_more_than_its_size_allows` counts.
#[test]
fn a_length_beyond_the_file_makes_no_key() {
    for algorithm in pairs() {
        for length in [
            &[0x84, 0x7f, 0xff, 0xff, 0xff][..],
            &[0x84, 0xff, 0xff, 0xff, 0xff],
            &[0x88, 0x7f, 0, 0, 0, 0, 0, 0, 0],
        ] {
            let identifier = identifier(algorithm);
            let public = [&[0x30], length, &identifier, &[3], length, &[0, 4]].concat();
            public_is(algorithm, &public, "malformed_key", "SPKI");
            let inside = tlv(0x30, &[&*identifier, &[3], length, &[0, 4]].concat());
            public_is(algorithm, &inside, "malformed_key", "BIT STRING");
            let inside = tlv(0x30, &[&[2, 1, 0], &*identifier, &[4], length, &[4]].concat());
            private_is(algorithm, &inside, "malformed_key", "OCTET STRING");
        }
    }
}
