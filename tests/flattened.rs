//! The flattened JSON serialization, detached payloads and unencoded payloads: the requirements S257 to S264 of
//! `src/manual/standards.md`, and attacks. The examples of the RFCs are in `rfc7515`, `rfc7520` and `rfc7797`.

mod util;

use countersign::{
    Identity, Key, KeySet, Limits, Part, SignError, SignKey, Size, Unverified, VerifyError, jws,
};
use serde_json::{Value, json};
use util::{HEADER, b64, key, leak, open, other_key, refusal};

/// The protected header of most messages here, and of those with an unencoded payload.
const PROTECTED: &str = r#"{"alg":"HS256"}"#;
const UNENCODED: &str = r#"{"alg":"HS256","b64":false,"crit":["b64"]}"#;

fn verifier() -> jws::MessageVerifier {
    jws::MessageVerifier::new(key())
}

/// A verifier with RFC 7797.
fn unencoded() -> jws::MessageVerifier {
    verifier().accept_unencoded_payload()
}

/// The encoded signature of [`key`] over this header and this payload as it is.
fn signature(protected: &str, payload: &[u8]) -> String {
    let input = [b64(protected).as_bytes(), b".", payload].concat();
    b64(key().sign_bytes(&input).unwrap().as_bytes())
}

/// The members of a good message with this header, over `payload` as it is.
fn members(protected: &str, payload: &str) -> Value {
    let signature = signature(protected, payload.as_bytes());
    json!({"payload": payload, "protected": b64(protected), "signature": signature})
}

/// A good message.
fn good() -> Value {
    members(PROTECTED, &b64("hello"))
}

/// `message` with another value of one member, or without it.
fn with(mut message: Value, name: &str, value: Option<Value>) -> String {
    let members = message.as_object_mut().unwrap();
    match value {
        Some(value) => members.insert(name.into(), value),
        None => members.remove(name),
    };
    message.to_string()
}

/// Why each way of verifying with RFC 7797 and without it refuses the message.
#[track_caller]
fn refused(text: &str) -> VerifyError {
    let error = verifier().verify_flattened(text).unwrap_err();
    assert_eq!(unencoded().verify_flattened(text).unwrap_err(), error);
    // The name of a member is not content of the message.
    let told = [error.to_string(), format!("{error:?}").replace("signatures", "")];
    assert_eq!(leak(&told, &[text]), None, "is told in {told:?}");
    assert!(!told[0].ends_with('.') && told[0].len() < 200, "{}", told[0]);
    error
}

#[track_caller]
fn payload_of(text: &str) -> Vec<u8> {
    assert_eq!(unencoded().verify_flattened(text).unwrap().payload(), b"hello");
    verifier().verify_flattened(text).unwrap().into_payload()
}

#[test]
fn s257_the_members_are_of_the_right_type_and_there_unless_they_are_empty() {
    assert_eq!(payload_of(&good().to_string()), b"hello");
    // Members may be in any order, and have escapes. Unknown ones are ignored.
    let [payload, protected, signature] =
        ["payload", "protected", "signature"].map(|name| good()[name].as_str().unwrap().to_owned());
    let text = format!(
        " {{\n\"x\":null,\"signature\":\"{signature}\",\"\\u0070ayload\":\"\\u{:04x}{}\",\"protected\":\"{protected}\"}}\t",
        payload.as_bytes()[0],
        &payload[1..]
    );
    assert_eq!(payload_of(&text), b"hello");

    for name in ["payload", "protected", "signature"] {
        let invalid = VerifyError::InvalidMember { name };
        for value in [json!(null), json!(true), json!(7), json!([]), json!({}), json!(["x"])] {
            assert_eq!(refused(&with(good(), name, Some(value))), invalid, "{name}");
        }
        assert_eq!(refused(&with(good(), name, None)), invalid);
    }
    // Only a payload may be empty.
    assert_eq!(verifier().verify_flattened(&members(PROTECTED, "").to_string()).unwrap().payload(), b"");
    let empty = with(good(), "protected", Some(json!("")));
    assert_eq!(refused(&empty), VerifyError::InvalidMember { name: "protected" });
    assert_eq!(refused(&with(good(), "signature", Some(json!("")))), VerifyError::InvalidSignature);
    for header in [json!(null), json!("x"), json!([]), json!({}), json!(1)] {
        let text = with(good(), "header", Some(header));
        assert_eq!(refused(&text), VerifyError::InvalidMember { name: "header" });
    }
    // The protected header is one JSON object in base64url.
    for (protected, expected) in [
        ("[]", VerifyError::InvalidJson { part: Part::Header, offset: 0 }),
        ("\"x\"", VerifyError::InvalidJson { part: Part::Header, offset: 0 }),
        ("{}", VerifyError::InvalidHeader { name: "alg" }),
        (r#"{"alg":"none"}"#, VerifyError::UnsupportedAlgorithm),
        (r#"{"alg":"HS256","alg":"HS256"}"#, VerifyError::DuplicateMember { part: Part::Header }),
    ] {
        let error = refused(&members(protected, &b64("hello")).to_string());
        match (&error, &expected) {
            (VerifyError::InvalidJson { part, .. }, VerifyError::InvalidJson { part: expected, .. }) => {
                assert_eq!(part, expected);
            }
            _ => assert_eq!(error, expected, "{protected}"),
        }
    }

    // What is written has neither an empty header nor an empty payload member.
    let written: Value =
        serde_json::from_str(&jws::Payload::new("hello").flattened().sign(&key()).unwrap()).unwrap();
    assert_eq!(written, good());
    let detached = jws::Payload::new("hello").flattened().detached().sign(&key()).unwrap();
    let names: Vec<_> =
        serde_json::from_str::<serde_json::Map<_, _>>(&detached).unwrap().into_iter().collect();
    assert_eq!(names.iter().map(|(name, _)| &**name).collect::<Vec<_>>(), ["protected", "signature"]);
}

#[test]
fn s257_the_form_is_strict_json_within_the_limits() {
    let text = good().to_string();
    let invalid = |text: &str| {
        let error = refused(text);
        assert!(matches!(error, VerifyError::InvalidJson { part: Part::Message, .. }), "{error:?} {text}");
    };
    for broken in ["", "{", "[]", "\"x\"", "null", "{}x", "\u{feff}{}"] {
        invalid(broken);
    }
    for end in ["x", "{}", ",", "\0"] {
        invalid(&format!("{text}{end}"));
    }
    invalid(&text.replace(r#""payload":""#, r#""payload":"\ud800"#));
    invalid(&text.replace('{', "{,"));
    // A compact token is not an object.
    invalid(&jws::Payload::new("hello").sign(&key()).unwrap());

    let add = |member: &str| text.replacen('{', &format!("{{{member},"), 1);
    for twice in [r#""payload":"""#, r#""\u0070ayload":"""#, r#""x":1,"\u0078":1"#, r#""x":1,"x":1"#] {
        assert_eq!(refused(&add(twice)), VerifyError::DuplicateMember { part: Part::Message }, "{twice}");
    }
    let reserved = add(r#""$serde_json::private::Number":"1""#);
    assert_eq!(refused(&reserved), VerifyError::ReservedMember { part: Part::Message });

    let too_large = |size, limit| VerifyError::TooLarge { size, limit };
    let deep = add(&format!(r#""x":{}{}"#, "[".repeat(128), "]".repeat(128)));
    assert_eq!(refused(&deep), too_large(Size::Depth, 128));
    let many: Vec<_> = (0..5000).map(|number| format!(r#""{number}":0"#)).collect();
    assert_eq!(refused(&add(&many.join(","))), too_large(Size::Members, 4096));
    assert_eq!(
        refused(&add(&format!(r#""x":"{}""#, "x".repeat(192 * 1024)))),
        too_large(Size::TokenBytes, 192 * 1024)
    );
    let long = with(good(), "protected", Some(json!("A".repeat(16 * 1024 + 1))));
    assert_eq!(refused(&long), too_large(Size::HeaderBytes, 16 * 1024));
    let small = verifier().limits(Limits::new().with_token_bytes(text.len()));
    assert!(small.verify_flattened(&text).is_ok());
    assert_eq!(
        small.verify_flattened(&format!("{text} ")).unwrap_err(),
        too_large(Size::TokenBytes, text.len())
    );
}

#[test]
fn s257_the_general_serialization_is_refused_by_name() {
    let message = good();
    let signature = json!({"protected": message["protected"], "signature": message["signature"]});
    let general = json!({"payload": message["payload"], "signatures": [signature]});
    let error = refused(&general.to_string());
    assert_eq!(error, VerifyError::InvalidMember { name: "signatures" });
    assert!(error.to_string().contains("general JSON serialization"));
    // Both forms in one.
    for value in [json!([]), json!(null), general["signatures"].clone()] {
        assert_eq!(refused(&with(good(), "signatures", Some(value))), error);
    }
}

#[test]
fn s257_every_segment_is_canonical_base64url() {
    for (name, part) in
        [("payload", Part::Payload), ("protected", Part::Header), ("signature", Part::Signature)]
    {
        let text = good()[name].as_str().unwrap().to_owned();
        let middle = text.len() / 2;
        let changed = ["=", " ", "+", "/", ".", "\n", "é"].map(|other| {
            [format!("{text}{other}"), format!("{}{other}{}", &text[..middle], &text[middle..])]
        });
        for changed in changed.into_iter().flatten() {
            let error = refused(&with(good(), name, Some(json!(changed))));
            let is_named = matches!(error, VerifyError::InvalidBase64 { part: named, .. } if named == part);
            // In a segment, a dot would end it.
            assert!(is_named || error == VerifyError::NotAToken, "{error:?} {changed:?}");
        }
    }
    // The last character of this payload has four unused bits.
    let stray = members(PROTECTED, "aGVsbG9");
    assert!(matches!(
        refused(&stray.to_string()),
        VerifyError::InvalidBase64 { part: Part::Payload, offset: 6 }
    ));
}

#[test]
fn s258_a_name_in_both_headers_is_refused_also_with_escapes() {
    let text = members(r#"{"alg":"HS256","typ":"x","kid":"k","\u0079":1}"#, &b64("hello")).to_string();
    assert!(verifier().verify_flattened(&text).is_ok());
    let beside = |header: &str| text.replacen('{', &format!(r#"{{"header":{header},"#), 1);
    for header in [
        r#"{"alg":"HS256"}"#,
        r#"{"al\u0067":"HS256"}"#,
        r#"{"\u0061\u006c\u0067":"none"}"#,
        r#"{"typ":"x"}"#,
        r#"{"t\u0079p":"y"}"#,
        r#"{"kid":null}"#,
        r#"{"x":1,"y":2}"#,
    ] {
        let duplicate = VerifyError::DuplicateMember { part: Part::UnprotectedHeader };
        assert_eq!(refused(&beside(header)), duplicate, "{header}");
    }
    // Within the unprotected header too.
    for header in [r#"{"x":1,"x":1}"#, r#"{"x":1,"\u0078":1}"#] {
        let duplicate = VerifyError::DuplicateMember { part: Part::UnprotectedHeader };
        assert_eq!(refused(&beside(header)), duplicate, "{header}");
    }
    // Names are compared with upper and lower case, and only at the top.
    for header in [r#"{"ALG":"none"}"#, r#"{"x":{"alg":"none","crit":[]}}"#, r#"{"x":{"a":1,"a":1}}"#] {
        assert!(verifier().verify_flattened(&beside(header)).is_ok(), "{header}");
    }
    // A header of many names, of which the last one is the duplicate.
    let names = |last: &str| {
        let mut names: Vec<_> = (0..63).map(|number| format!(r#""p{number}":0"#)).collect();
        names.push(format!(r#""{last}":0"#));
        format!("{{{}}}", names.join(","))
    };
    assert!(verifier().verify_flattened(&beside(&names("z"))).is_ok());
    let duplicate = VerifyError::DuplicateMember { part: Part::UnprotectedHeader };
    assert_eq!(refused(&beside(&names("kid"))), duplicate);
    let many = names("z").replace('}', r#","more":0}"#);
    assert_eq!(refused(&beside(&many)), VerifyError::TooLarge { size: Size::Members, limit: 64 });
    let reserved = beside(r#"{"$serde_json::private::RawValue":"1"}"#);
    assert_eq!(refused(&reserved), VerifyError::ReservedMember { part: Part::UnprotectedHeader });
}

#[test]
fn s259_alg_crit_and_b64_must_be_protected() {
    let beside = |message: Value, header: Value| with(message, "header", Some(header));
    let unprotected = |name| VerifyError::UnprotectedParameter { name };
    assert_eq!(refused(&beside(good(), json!({"crit": ["x"], "x": 1}))), unprotected("crit"));
    assert_eq!(refused(&beside(good(), json!({"b64": false}))), unprotected("b64"));
    assert_eq!(refused(&beside(good(), json!({"b64": true}))), unprotected("b64"));
    // The header with `alg` outside of the signature, with a signature that is good for it.
    for protected in [r#"{"typ":"JWT"}"#, r#"{"kid":"1"}"#] {
        let message = members(protected, &b64("hello"));
        assert_eq!(refused(&beside(message, json!({"alg": "HS256"}))), unprotected("alg"));
    }
    let mut message = good();
    let input = format!(".{}", b64("hello"));
    message["signature"] = json!(b64(key().sign_bytes(input.as_bytes()).unwrap().as_bytes()));
    message.as_object_mut().unwrap().remove("protected");
    assert_eq!(refused(&beside(message.clone(), json!({"alg": "HS256"}))), unprotected("alg"));
    assert_eq!(refused(&beside(message.clone(), json!({"b64": false, "kid": "1"}))), unprotected("b64"));
    let missing = VerifyError::InvalidHeader { name: "alg" };
    assert_eq!(refused(&beside(message.clone(), json!({"kid": "1"}))), missing);
    assert_eq!(refused(&message.to_string()), VerifyError::InvalidMember { name: "protected" });
    // `crit` that names a parameter of the other header.
    let critical = members(r#"{"alg":"HS256","crit":["x"]}"#, &b64("hello"));
    let extended = verifier().understand_critical("x").unwrap();
    let error = extended.verify_flattened(&beside(critical, json!({"x": 1}))).unwrap_err();
    assert_eq!(error, VerifyError::CriticalHeader);
}

#[test]
fn s259_the_unprotected_header_chooses_nothing() {
    let mut keys = KeySet::new();
    keys.insert(key().with_key_id("one").unwrap()).unwrap();
    keys.insert(other_key().with_key_id("two").unwrap()).unwrap();
    let set = jws::MessageVerifier::new(keys);
    let named = |kid: &str| with(good(), "header", Some(json!({"kid": kid})));
    for kid in ["one", "two", "three"] {
        // Two keys fit, and the unprotected name chooses neither.
        assert_eq!(set.verify_flattened(&named(kid)).unwrap_err(), VerifyError::AmbiguousKey);
        let one = jws::MessageVerifier::new(key().with_key_id("one").unwrap());
        assert_eq!(one.verify_flattened(&named(kid)).unwrap_err(), VerifyError::UnknownKey);
        assert!(verifier().verify_flattened(&named(kid)).is_ok());
    }
    // Nor does it say the type.
    let typed = verifier().typ("x").unwrap();
    let text = with(good(), "header", Some(json!({"typ": "x"})));
    assert!(matches!(typed.verify_flattened(&text), Err(VerifyError::WrongType { .. })));
    assert!(typed.verify_flattened(&members(r#"{"alg":"HS256","typ":"x"}"#, &b64("a")).to_string()).is_ok());
    // It is not returned.
    let message = verifier().verify_flattened(&text).unwrap();
    assert_eq!((message.header().typ(), message.header().json()), (None, PROTECTED));
    let own =
        json!({"jwk": {"kty": "oct", "k": b64([0xa5; 32])}, "jku": "https://evil.example/", "x5c": [""]});
    assert!(verifier().verify_flattened(&with(good(), "header", Some(own.clone()))).is_ok());
    let mut forged = members(PROTECTED, &b64("hello"));
    let input = format!("{}.{}", b64(PROTECTED), b64("hello"));
    forged["signature"] = json!(b64(other_key().sign_bytes(input.as_bytes()).unwrap().as_bytes()));
    assert_eq!(refused(&with(forged, "header", Some(own))), VerifyError::InvalidSignature);
}

#[test]
fn s260_a_detached_payload_is_verified_only_with_its_content() {
    for content in [&b"hello"[..], b"", b"\xff\0", b"a.b"] {
        let payload = jws::Payload::new(content);
        let compact = payload.clone().detached().sign(&key()).unwrap();
        let flattened = payload.clone().flattened().detached().sign(&key()).unwrap();
        assert_eq!(flattened, payload.clone().detached().flattened().sign(&key()).unwrap());
        let whole = [payload.sign(&key()).unwrap(), payload.clone().flattened().sign(&key()).unwrap()];
        assert_eq!(compact.matches('.').count(), 2);

        for verifier in [verifier(), unencoded()] {
            assert_eq!(verifier.verify_detached(&compact, content).unwrap().payload(), content);
            assert_eq!(verifier.verify_flattened_detached(&flattened, content).unwrap().payload(), content);
            for other in [&b"hell"[..], b"helloo", b"Hello", b"x"] {
                let invalid = VerifyError::InvalidSignature;
                assert_eq!(verifier.verify_detached(&compact, other).unwrap_err(), invalid);
                assert_eq!(verifier.verify_flattened_detached(&flattened, other).unwrap_err(), invalid);
            }
            // Without the content.
            if content.is_empty() {
                // In the compact form, an empty payload and a detached one are the same.
                assert_eq!(verifier.verify(&compact).unwrap().payload(), b"");
            } else {
                assert_eq!(verifier.verify(&compact).unwrap_err(), VerifyError::InvalidSignature);
                assert_eq!(
                    verifier.verify_detached(&compact, b"").unwrap_err(),
                    VerifyError::InvalidSignature
                );
            }
            let missing = VerifyError::InvalidMember { name: "payload" };
            assert_eq!(verifier.verify_flattened(&flattened).unwrap_err(), missing);
            // With content and a payload, also if they are the same.
            if !content.is_empty() {
                let error = verifier.verify_detached(&whole[0], content).unwrap_err();
                assert_eq!(error, VerifyError::NotDetached);
            }
            let error = verifier.verify_flattened_detached(&whole[1], content).unwrap_err();
            assert_eq!(error, VerifyError::NotDetached);
        }
        // A verifier of JWTs takes no content.
        if !content.is_empty() {
            assert_eq!(refusal(&open(), &compact), VerifyError::InvalidSignature);
        }
    }
    let error = verifier().verify_detached("a.b", b"").unwrap_err();
    assert_eq!(error, VerifyError::NotAToken);
    let text = jws::Payload::new("hello").detached().sign(&key()).unwrap();
    let spaced = format!(" {text}");
    assert!(matches!(verifier().verify_detached(&spaced, b"hello"), Err(VerifyError::NotAlone { .. })));
}

#[test]
fn s260_keys_elsewhere_sign_detached_content() {
    let identity = Identity::new(key().identity().algorithm());
    let prepared = jws::Payload::new("hello").detached().unencoded().prepare(&identity).unwrap();
    assert_eq!(prepared.signing_input(), format!("{}.hello", b64(UNENCODED)).as_bytes());
    let made = key().sign_bytes(prepared.signing_input()).unwrap();
    let text = prepared.clone().finish(made.as_bytes()).unwrap();
    assert_eq!(unencoded().verify_detached(&text, b"hello").unwrap().payload(), b"hello");
    assert_eq!(prepared.clone().finish_checked(made.as_bytes(), &key()).unwrap(), text);
    assert_eq!(prepared.clone().finish_checked(&[0; 32], &key()).unwrap_err(), SignError::SigningFailed);
    assert!(matches!(prepared.finish(b"short"), Err(SignError::SignatureLength { .. })));
}

#[test]
fn s261_an_unencoded_payload_is_signed_as_it_is() {
    let every_byte: Vec<u8> = (0..=255).collect();
    for content in [&every_byte[..], b"", b".", b"a.b.c", b"\xff\xfe", "ж".as_bytes(), b"e30"] {
        let expected = signature(UNENCODED, content);
        let compact = jws::Payload::new(content).unencoded().detached().sign(&key()).unwrap();
        assert_eq!(compact, format!("{}..{expected}", b64(UNENCODED)));
        let flattened = jws::Payload::new(content).unencoded().detached().flattened().sign(&key()).unwrap();
        let message: Value = serde_json::from_str(&flattened).unwrap();
        assert_eq!(message, json!({"protected": b64(UNENCODED), "signature": expected}));

        assert_eq!(unencoded().verify_detached(&compact, content).unwrap().into_payload(), content);
        let verified = unencoded().verify_flattened_detached(&flattened, content).unwrap();
        assert_eq!((verified.payload(), verified.header().json()), (content, UNENCODED));
        // The signature is not one over the encoded content.
        let encoded = b64(content);
        if encoded.as_bytes() != content {
            let error = unencoded().verify_detached(&compact, encoded.as_bytes()).unwrap_err();
            assert_eq!(error, VerifyError::InvalidSignature);
        }
    }
    // A signature over the encoded payload is not good for the same text as it is, and the other way around.
    let encoded = signature(PROTECTED, b"e30");
    let swapped = format!("{}.e30.{encoded}", b64(UNENCODED));
    assert_eq!(unencoded().verify(&swapped).unwrap_err(), VerifyError::InvalidSignature);
    let plain = signature(UNENCODED, b"e30");
    let swapped = format!("{}.e30.{plain}", b64(PROTECTED));
    assert_eq!(unencoded().verify(&swapped).unwrap_err(), VerifyError::InvalidSignature);
    // What comes with a typ and a key id.
    let key = key().with_key_id("1").unwrap();
    let text = jws::Payload::new("$02").typ("x").unencoded().sign(&key).unwrap();
    let header = r#"{"alg":"HS256","typ":"x","kid":"1","b64":false,"crit":["b64"]}"#;
    assert_eq!(text, format!("{}.$02.{}", b64(header), signature(header, b"$02")));
}

#[test]
fn s262_an_attached_compact_payload_has_only_printable_ascii_without_dots() {
    for byte in 0..=127_u8 {
        let content = [b'a', byte, b'b'];
        let text = core::str::from_utf8(&content).unwrap();
        let signed = format!("{}.{text}.{}", b64(UNENCODED), signature(UNENCODED, &content));
        let made = jws::Payload::new(&content).unencoded().sign(&key());
        if matches!(byte, 0x20..=0x2d | 0x2f..=0x7e) {
            assert_eq!(made.unwrap(), signed);
            assert_eq!(unencoded().verify(&signed).unwrap().payload(), content);
        } else {
            assert_eq!(made.unwrap_err(), SignError::UnencodedPayload { offset: 1 });
            let error = unencoded().verify(&signed).unwrap_err();
            assert_eq!(error, VerifyError::UnencodedPayload { offset: 1 }, "{byte}");
        }
    }
    let error = jws::Payload::new("aж").unencoded().sign(&key()).unwrap_err();
    assert_eq!((error.code(), error), ("unencoded_payload", SignError::UnencodedPayload { offset: 1 }));
    let signed = format!("{}.aж.{}", b64(UNENCODED), signature(UNENCODED, "aж".as_bytes()));
    let error = unencoded().verify(&signed).unwrap_err();
    assert_eq!((error.code(), error), ("unencoded_payload", VerifyError::UnencodedPayload { offset: 1 }));
    // An encoded payload has the base64url alphabet, also with RFC 7797.
    let signed = format!("{}.$02.{}", b64(PROTECTED), signature(PROTECTED, b"$02"));
    // The same is said of a message with another signature.
    let forged = format!("{}.$02.{}", b64(PROTECTED), signature(PROTECTED, b"other"));
    for text in [signed, forged] {
        let error = unencoded().verify(&text).unwrap_err();
        assert_eq!(error, VerifyError::InvalidBase64 { part: Part::Payload, offset: 0 });
        assert_eq!(verifier().verify(&text).unwrap_err(), error);
    }
}

#[test]
fn s263_an_unencoded_payload_in_json_is_the_text_without_escapes() {
    for (written, content) in [
        (r"$.02", "$.02"),
        (r"\u0024\u002e02", "$.02"),
        (r#"{\"a\":\"\\n\"}"#, r#"{"a":"\n"}"#),
        (r"a\/b\n\u0000", "a/b\n\0"),
        ("ж\\u0436\\ud83d\\ude00", "жж😀"),
        ("", ""),
        ("e30", "e30"),
    ] {
        let signature = signature(UNENCODED, content.as_bytes());
        let text = format!(
            r#"{{"payload":"{written}","protected":"{}","signature":"{signature}"}}"#,
            b64(UNENCODED)
        );
        let message = unencoded().verify_flattened(&text).unwrap();
        assert_eq!(message.payload(), content.as_bytes());
        let made = jws::Payload::new(content).unencoded().flattened().sign(&key()).unwrap();
        assert_eq!(unencoded().verify_flattened(&made).unwrap().payload(), content.as_bytes());
        let made: Value = serde_json::from_str(&made).unwrap();
        assert_eq!(made, serde_json::from_str::<Value>(&text).unwrap());
        // A text of one half of a surrogate pair has no UTF-8.
        let half = text.replace(r#""payload":""#, r#""payload":"\udc00"#);
        assert!(matches!(
            unencoded().verify_flattened(&half),
            Err(VerifyError::InvalidJson { part: Part::Message, .. })
        ));
    }
    let error = jws::Payload::new(b"a\xff").unencoded().flattened().sign(&key()).unwrap_err();
    assert_eq!(error, SignError::UnencodedPayload { offset: 1 });
}

#[test]
fn s264_b64_is_a_boolean_and_false_only_if_it_is_enabled_and_critical() {
    let of = |protected: &str, payload: &str| {
        let signature = signature(protected, payload.as_bytes());
        (
            format!("{}.{payload}.{signature}", b64(protected)),
            format!("{}..{signature}", b64(protected)),
            members(protected, payload).to_string(),
            json!({"protected": b64(protected), "signature": signature}).to_string(),
        )
    };
    let all = |verifier: &jws::MessageVerifier, protected: &str, content: &str, payload: &str| {
        let (compact, detached, flattened, flattened_detached) = of(protected, payload);
        [
            verifier.verify(&compact).err(),
            verifier.verify_detached(&detached, content.as_bytes()).err(),
            verifier.verify_flattened(&flattened).err(),
            verifier.verify_flattened_detached(&flattened_detached, content.as_bytes()).err(),
        ]
    };
    for value in ["null", "0", "1", "\"false\"", "[]", "[false]", "{}"] {
        let header = format!(r#"{{"alg":"HS256","b64":{value},"crit":["b64"]}}"#);
        for verifier in [verifier(), unencoded()] {
            let invalid = Some(VerifyError::InvalidHeader { name: "b64" });
            assert_eq!(
                all(&verifier, &header, "x", &b64("x")),
                [const { None }; 4].map(|_: Option<()>| invalid.clone())
            );
        }
    }
    let critical = [const { Some(VerifyError::CriticalHeader) }; 4];
    // Not enabled. `e30` has only characters of base64url.
    assert_eq!(all(&verifier(), UNENCODED, "e30", "e30"), critical);
    assert_eq!(all(&unencoded(), UNENCODED, "e30", "e30"), [const { None }; 4]);
    // Not critical.
    for header in [
        r#"{"alg":"HS256","b64":false}"#,
        r#"{"alg":"HS256","b64":false,"crit":["x"],"x":1}"#,
        r#"{"alg":"HS256","b64":false,"crit":[]}"#,
        r#"{"alg":"HS256","b64":false,"crit":["b64","b64"]}"#,
        r#"{"alg":"HS256","b64":false,"crit":["b64","alg"]}"#,
        r#"{"alg":"HS256","crit":["b64"]}"#,
    ] {
        assert_eq!(all(&unencoded(), header, "e30", "e30"), critical, "{header}");
    }
    // The value true is the default, and says nothing unless it is critical.
    let encoded = r#"{"alg":"HS256","b64":true,"crit":["b64"]}"#;
    assert_eq!(all(&verifier(), encoded, "x", &b64("x")), critical);
    assert_eq!(all(&unencoded(), encoded, "x", &b64("x")), [const { None }; 4]);
    for verifier in [verifier(), unencoded()] {
        assert_eq!(all(&verifier, r#"{"alg":"HS256","b64":true}"#, "x", &b64("x")), [const { None }; 4]);
    }
    // A verifier of JWTs cannot enable it.
    assert_eq!(refusal(&open(), &of(UNENCODED, "e30").0), VerifyError::CriticalHeader);

    // What is written has `b64` only if it is false.
    for payload in
        [jws::Payload::new("x"), jws::Payload::new("x").detached(), jws::Payload::new("x").flattened()]
    {
        let text = payload.sign(&key()).unwrap();
        let [compact, flattened] =
            [verifier().verify_detached(&text, b"x"), verifier().verify_flattened(&text)];
        let header = match (compact, flattened, verifier().verify(&text)) {
            (Ok(message), ..) | (_, Ok(message), _) | (.., Ok(message)) => message.header().json().to_owned(),
            _ => panic!("{text}"),
        };
        assert_eq!(header, PROTECTED);
    }
    let mut parameters = jws::Payload::new("x").unencoded();
    for name in ["b64", "crit"] {
        assert!(parameters.clone().header_parameter(name, &true).is_err());
    }
    // `b64` and `crit` count as parameters, so that a verifier accepts what is signed.
    for number in 0..58 {
        parameters = parameters.header_parameter(&format!("p{number}"), &0).unwrap();
    }
    assert!(unencoded().verify(&parameters.sign(&key()).unwrap()).is_ok());
    let more = parameters.header_parameter("more", &0).unwrap();
    assert_eq!(more.sign(&key()).unwrap_err(), SignError::TooManyHeaderParameters { limit: 58 });
}

#[test]
fn no_text_is_a_message_in_two_forms() {
    let compact = jws::Payload::new("hello").sign(&key()).unwrap();
    let flattened = jws::Payload::new("hello").flattened().sign(&key()).unwrap();
    for verifier in [verifier(), unencoded()] {
        assert!(verifier.verify_flattened(&compact).is_err());
        assert!(
            verifier.verify(&flattened).is_err() && verifier.verify_detached(&flattened, b"hello").is_err()
        );
        // The compact form inside of a member of the other form, and around it.
        let polyglot = flattened.replacen('{', &format!(r#"{{"{compact}":"","#), 1);
        assert!(verifier.verify_flattened(&polyglot).is_ok());
        assert!(
            verifier.verify(&polyglot).is_err() && verifier.verify_detached(&polyglot, b"hello").is_err()
        );
        assert!(Unverified::parse(&polyglot).is_err());
        let around = format!(
            r#"{}.{{"payload":"e30"}}.{}"#,
            b64(UNENCODED),
            signature(UNENCODED, br#"{"payload":"e30"}"#)
        );
        assert!(verifier.verify_flattened(&around).is_err());
    }
}

#[test]
fn any_changed_byte_of_a_flattened_message_is_noticed() {
    let text = jws::Payload::new("hello").typ("x").flattened().sign(&key()).unwrap();
    for place in 0..text.len() {
        for other in ["A", "b", "\\", "\"", "{", "0", " "] {
            let mut changed = text.clone();
            changed.replace_range(place..=place, other);
            if let Ok(message) = verifier().verify_flattened(&changed) {
                assert_eq!((message.payload(), changed), (&b"hello"[..], text.clone()));
            }
        }
    }
}

#[test]
fn any_changed_or_added_character_of_an_unencoded_payload_is_noticed() {
    let payload = "a b";
    let message = members(UNENCODED, payload);
    assert_eq!(unencoded().verify_flattened(&message.to_string()).unwrap().payload(), payload.as_bytes());
    let compact = jws::Payload::new(payload).unencoded().sign(&key()).unwrap();
    assert_eq!(unencoded().verify(&compact).unwrap().payload(), payload.as_bytes());
    for place in 0..=payload.len() {
        for other in [" ", "\t", "\n", "\0", "\u{feff}", "\u{a0}", "c"] {
            let (before, after) = payload.split_at(place);
            for changed in
                [[before, other, after].concat(), [before, other, after.get(1..).unwrap_or("")].concat()]
            {
                if changed == payload {
                    continue;
                }
                let text = with(message.clone(), "payload", Some(json!(changed)));
                let error = unencoded().verify_flattened(&text).unwrap_err();
                assert_eq!(error, VerifyError::InvalidSignature, "{changed:?}");
                assert!(unencoded().verify(&compact.replace(payload, &changed)).is_err(), "{changed:?}");
                let detached = with(message.clone(), "payload", None);
                let error = unencoded().verify_flattened_detached(&detached, changed.as_bytes()).unwrap_err();
                assert_eq!(error, VerifyError::InvalidSignature, "{changed:?}");
            }
        }
    }
}

#[test]
fn the_usual_header_of_a_jwt_is_read_in_the_flattened_form_too() {
    let text = members(HEADER, &b64("{}")).to_string();
    let message = verifier().verify_flattened(&text).unwrap();
    assert_eq!((message.header().typ(), message.payload()), (Some("JWT"), &b"{}"[..]));
}
