//! Tests the policy of a verifier for claims, and which claims cannot be signed.

mod util;

use core::cell::Cell;
use core::fmt::Debug;
use core::time::Duration;
use countersign::{
    Algorithm, Audience, Claims, Identity, KeyError, KeyFile, Limits, Part, PolicyError, SerdeMessage,
    SignError, SignKey, Size, UnixTime, Verifier, VerifierBuilder, VerifyError, jws,
};
use serde::ser::{SerializeMap, SerializeStruct, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use util::{
    GOOD, HEADER, NOW, assert_accepted, assert_accepted_at, assert_discreet, assert_refused, jwt, key,
    kind_of, later, lax, malformed_claim, open, other_key, refusal, refusal_as, refusal_at, seconds, signed,
    strict, written,
};

#[track_caller]
fn built(builder: VerifierBuilder) -> Verifier {
    builder.build().unwrap()
}

/// A builder without any decision.
fn undecided() -> VerifierBuilder {
    Verifier::builder(key())
}

fn missing(claim: &'static str) -> VerifyError {
    VerifyError::MissingClaim { claim: claim.into() }
}

/// Returns the expected names from an error.
fn expected_names(error: &VerifyError) -> Vec<&str> {
    match error {
        VerifyError::WrongAudience { expected }
        | VerifyError::WrongIssuer { expected }
        | VerifyError::WrongSubject { expected }
        | VerifyError::WrongType { expected } => expected.names().collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_time_is_shown_as_its_seconds() {
    assert_eq!(NOW.to_string(), "1700000000");
    assert_eq!(format!("{:>5}", UnixTime::from_secs(-7)), "   -7");
}

// ---- issuer, audience, subject ----

#[test]
fn any_of_several_issuers_is_accepted_and_others_are_refused() {
    let verifier = built(lax_issuer().issuer("a").issuer("b"));
    assert_accepted(&verifier, &jwt(r#"{"iss":"a"}"#));
    assert_accepted(&verifier, &jwt(r#"{"iss":"\u0062"}"#));
    for other in ["c", "ab", "a b", "A", ""] {
        let error = refusal(&verifier, &jwt(format!(r#"{{"iss":"{other}"}}"#)));
        assert!(matches!(error, VerifyError::WrongIssuer { .. }));
        assert_eq!(expected_names(&error), ["a", "b"]);
    }
    assert_eq!(refusal(&verifier, &jwt("{}")), missing("iss"));
}

/// A builder that lacks only the decision on the issuer.
fn lax_issuer() -> VerifierBuilder {
    undecided().accept_any_audience().allow_missing_expiration()
}

/// A builder that lacks only the decision on the audience.
fn lax_audience() -> VerifierBuilder {
    undecided().accept_any_issuer().allow_missing_expiration()
}

#[test]
fn any_of_several_audiences_is_accepted_and_others_are_refused() {
    let verifier = built(lax_audience().audience("a").audience("b"));
    for value in
        [r#""a""#, r#""b""#, r#"["b"]"#, r#"["x","a"]"#, r#"["1","2","3","4","5","6","b"]"#, r#"["a","a"]"#]
    {
        assert_accepted(&verifier, &jwt(format!(r#"{{"aud":{value}}}"#)));
    }
    for value in [r#""c""#, "[]", r#"["c","d"]"#, r#"["ab"]"#, r#""a,b""#, r#"[""]"#] {
        let error = refusal(&verifier, &jwt(format!(r#"{{"aud":{value}}}"#)));
        assert!(matches!(error, VerifyError::WrongAudience { .. }));
        assert_eq!(expected_names(&error), ["a", "b"]);
    }
    assert_eq!(refusal(&verifier, &jwt("{}")), missing("aud"));
}

#[test]
fn any_of_several_subjects_is_accepted_and_others_are_refused() {
    let verifier = built(lax().subject("ann").subject("bob"));
    assert_accepted(&verifier, &jwt(r#"{"sub":"bob"}"#));
    for other in ["eve", "Ann", "an", "anna", "ann ", " ann", "", "ann\\u0000", "a\\u200bnn", "ann,bob", "*"]
    {
        let error = refusal(&verifier, &jwt(format!(r#"{{"sub":"{other}"}}"#)));
        assert!(matches!(error, VerifyError::WrongSubject { .. }), "{other}");
        assert_eq!(expected_names(&error), ["ann", "bob"]);
    }
    assert_accepted(&verifier, &jwt(r#"{"sub":"\u0061nn"}"#));
    assert_eq!(refusal(&verifier, &jwt("{}")), missing("sub"));
    // Without an expected subject, it may be any text or missing.
    assert_accepted(&open(), &jwt(r#"{"sub":""}"#));
}

#[test]
fn accepting_any_issuer_and_audience_also_accepts_none_but_no_wrong_type() {
    for payload in ["{}", r#"{"iss":"x","aud":"y"}"#, r#"{"iss":"","aud":[]}"#, r#"{"aud":["x","y"]}"#] {
        assert_accepted(&open(), &jwt(payload));
    }
    for (claim, value) in [("iss", "5"), ("aud", "5"), ("aud", "null")] {
        let payload = format!(r#"{{"{claim}":{value}}}"#);
        assert_eq!(refusal(&open(), &jwt(payload)), malformed_claim(claim, value));
    }
}

#[test]
fn the_error_names_the_expected_value_and_never_the_found_one() {
    let error = refusal(&strict(), &jwt(GOOD.replace("https://auth.example", "https://evil-issuer.example")));
    assert_eq!(error.to_string(), r#"token is not issued by "https://auth.example""#);
    let error =
        refusal(&strict(), &jwt(GOOD.replace("https://api.example", "https://evil-audience.example")));
    assert_eq!(error.to_string(), r#"token is not meant for "https://api.example""#);
}

#[test]
fn the_error_names_a_difference_of_a_slash_the_scheme_or_the_case_only() {
    for (expected, found, how) in [
        ("https://a.example/", "https://a.example", "without the slash at the end"),
        ("https://a.example", "https://a.example/", "with a slash at the end"),
        ("https://a.example", "http://a.example", "with http in place of https"),
        ("http://a.example", "https://a.example", "with https in place of http"),
        ("https://a.example", "https://A.Example", "in other upper and lower case"),
    ] {
        let hint = format!(": it has \"{expected}\" {how}");
        let issuers = built(lax_issuer().issuer("other").issuer(expected));
        let error = refusal(&issuers, &jwt(format!(r#"{{"iss":"{found}"}}"#)));
        assert_eq!(error.to_string(), format!("token is not issued by \"other\" or \"{expected}\"{hint}"));
        assert_eq!((error.code(), expected_names(&error)), ("wrong_issuer", vec!["other", expected]));

        let audiences = built(lax_audience().audience(expected));
        for value in [format!("\"{found}\""), format!(r#"["x","{found}"]"#)] {
            let error = refusal(&audiences, &jwt(format!(r#"{{"aud":{value}}}"#)));
            assert_eq!(error.to_string(), format!("token is not meant for \"{expected}\"{hint}"));
            assert_eq!((error.code(), expected_names(&error)), ("wrong_audience", vec![expected]));
        }
    }
    let verifier = built(lax_issuer().issuer("https://a.example"));
    let two_differences = ["https://a.example//", "http://a.example/", "HTTPS://a.example/"];
    for other in [&two_differences[..], &["https://b.example/", "a.example", "/", ""]].concat() {
        let error = refusal(&verifier, &jwt(format!(r#"{{"iss":"{other}"}}"#)));
        assert_eq!(error.to_string(), r#"token is not issued by "https://a.example""#, "{other}");
    }
    // A subject is a name and not a URL, so its error gives no such hint.
    let error = refusal(&built(lax().subject("ann")), &jwt(r#"{"sub":"Ann"}"#));
    assert_eq!(error.to_string(), r#"token subject is not "ann""#);
}

#[test]
fn the_text_of_an_error_says_what_is_wrong_and_where() {
    let said = |error: &dyn std::fmt::Display| error.to_string();
    for (part, name) in [(Part::Header, "header"), (Part::Payload, "payload"), (Part::Signature, "signature")]
    {
        let offset = 7;
        let text = format!("{name} is not base64url at character 7 of the segment");
        assert_eq!(said(&VerifyError::InvalidBase64 { part, offset }), text);
    }
    for (size, name) in [
        (Size::Audiences, "audiences"),
        (Size::Depth, "levels of nesting"),
        (Size::HeaderBytes, "bytes of header"),
        (Size::KeyIdBytes, "bytes of key id"),
        (Size::Members, "members"),
        (Size::SignatureBytes, "bytes of signature"),
        (Size::TokenBytes, "bytes of token"),
    ] {
        assert_eq!(said(&VerifyError::TooLarge { size, limit: 9 }), format!("more than 9 {name}"));
    }
    let mismatch =
        |claim| said(&VerifyError::ClaimsMismatch { claim, offset: 9, message: SerdeMessage::default() });
    assert_eq!(
        mismatch(Some("role")),
        "claims do not fit the requested type in field role, at byte 9 of the payload"
    );
    assert_eq!(mismatch(None), "claims do not fit the requested type, at byte 9 of the payload");
    for (claim, what) in [
        ("exp", "a number of seconds, perhaps with a fraction"),
        ("nbf", "a number of seconds, perhaps with a fraction"),
        ("iat", "a number of seconds, perhaps with a fraction"),
        ("aud", "a string or an array of strings"),
        ("iss", "a string"),
        ("sub", "a string"),
        ("jti", "a string"),
    ] {
        let text = format!(
            "claims do not fit the requested type in field {claim}, {what}, at byte 9 of the payload"
        );
        assert_eq!(mismatch(Some(claim)), text);
    }

    let several = built(undecided().issuer("a").issuer("b").issuer("c").no_audience());
    let error = refusal(&several, &jwt(r#"{"iss":"d","exp":1700000900}"#));
    assert_eq!(said(&error), r#"token is not issued by "a" or "b" or "c""#);
    for (file, name) in [
        (KeyFile::Der, "a DER key file"),
        (KeyFile::Jwk, "a JSON Web Key"),
        (KeyFile::Pem, "a PEM key file"),
        (KeyFile::Ssh, "an SSH key"),
    ] {
        assert_eq!(
            said(&KeyError::NotASecret { found: file }),
            format!("this is {name}, not an HMAC secret")
        );
    }
}

// ---- required claims ----

#[test]
fn a_required_claim_must_be_present() {
    for (claim, value) in [
        ("iss", r#""x""#),
        ("sub", r#""x""#),
        ("aud", r#""x""#),
        ("exp", "1700000900"),
        ("nbf", "1700000000"),
        ("iat", "1700000000"),
        ("jti", r#""x""#),
        ("role", r#""x""#),
        ("role", "null"),
        ("role", "{}"),
        ("https://example.com/role", "0"),
        ("é", "0"),
    ] {
        let verifier = built(undecided().accept_any_issuer().accept_any_audience().require(claim));
        let with = format!(r#"{{"{claim}":{value},"x":0}}"#);
        let with = if claim == "exp" { with } else { with.replace(r#""x":0"#, r#""exp":1700000900"#) };
        assert_accepted(&verifier, &jwt(&with));
        for without in [
            String::from(r#"{"x":0}"#),
            format!(r#"{{"x":{{"{claim}":{value}}}}}"#),
            format!(r#"{{"x":"{claim}"}}"#),
            format!(r#"{{"{}":0,"{claim} ":0}}"#, claim.to_uppercase()),
        ] {
            let without =
                if claim == "exp" { without } else { without.replacen('{', r#"{"exp":1700000900,"#, 1) };
            let error = refusal(&verifier, &jwt(without));
            assert_eq!(error, VerifyError::MissingClaim { claim: claim.to_owned().into() });
        }
    }
}

#[test]
fn a_required_claim_may_be_spelled_with_escapes() {
    let verifier = built(lax().require("role"));
    assert_accepted(&verifier, &jwt(r#"{"\u0072ole":1}"#));
}

#[test]
fn each_of_64_required_claims_is_checked() {
    let names: Vec<String> = (0..64).map(|number| format!("claim{number}")).collect();
    let verifier = built(names.iter().fold(lax(), VerifierBuilder::require));
    let payload = |left_out: usize| {
        let members = names.iter().enumerate().filter(|(place, _)| *place != left_out);
        let members: Vec<_> = members.map(|(_, name)| format!("{name:?}:0")).collect();
        format!("{{{}}}", members.join(","))
    };
    assert_accepted(&verifier, &jwt(payload(64)));
    for (place, name) in names.iter().enumerate() {
        let error = refusal(&verifier, &jwt(payload(place)));
        assert_eq!(error, VerifyError::MissingClaim { claim: name.clone().into() });
    }
    let one_more = names.iter().fold(lax(), VerifierBuilder::require).require("claim64");
    assert_eq!(one_more.build().unwrap_err(), PolicyError::TooManyRequired { limit: 64 });
}

// ---- times ----

/// Checks that a payload is accepted in the second `good` and refused in the second `bad` next to it.
#[track_caller]
fn edge(verifier: &Verifier, payload: &str, good: i64, bad: i64, expected: fn(UnixTime) -> VerifyError) {
    assert_eq!((good - bad).abs(), 1, "an edge is between two seconds");
    assert_accepted_at(verifier, &jwt(payload), later(good));
    assert_eq!(refusal_at(verifier, &jwt(payload), later(bad)), expected(later(bad)));
}

#[test]
fn leeway_is_exact_to_the_second_on_both_sides() {
    for (leeway, verifier) in [
        (0, built(lax().leeway(seconds(0)))),
        (30, open()),
        (1, built(lax().leeway(seconds(1)))),
        (300, built(lax().leeway(seconds(300)))),
        (301, built(lax().leeway_beyond_limit(seconds(301)))),
        (86_400, built(lax().leeway_beyond_limit(seconds(86_400)))),
    ] {
        edge(&verifier, r#"{"exp":1700000000}"#, leeway - 1, leeway, |now| VerifyError::Expired {
            expired_at: NOW,
            now,
        });
        edge(&verifier, r#"{"nbf":1700000000}"#, -leeway, -leeway - 1, |now| VerifyError::NotYetValid {
            not_before: NOW,
            now,
        });
        edge(&verifier, r#"{"iat":1700000000}"#, -leeway, -leeway - 1, |now| VerifyError::IssuedInFuture {
            issued_at: NOW,
            now,
        });
    }
}

#[test]
fn leeway_counts_whole_seconds_only() {
    let verifier = built(lax().leeway(Duration::from_millis(999)));
    assert!(refusal(&verifier, &jwt(r#"{"exp":1700000000}"#)).is_expired());
}

#[test]
fn an_age_is_exact_to_the_second() {
    fn too_old(now: UnixTime) -> VerifyError {
        VerifyError::TooOld { issued_at: NOW, max_age: seconds(60), now }
    }
    let aged = |leeway| built(lax().max_age(seconds(60)).leeway(seconds(leeway)));
    edge(&aged(0), r#"{"iat":1700000000}"#, 60, 61, too_old);
    edge(&aged(10), r#"{"iat":1700000000}"#, 70, 71, too_old);
    edge(&built(lax().max_age(seconds(60))), r#"{"iat":1700000000}"#, 90, 91, too_old);
    edge(&built(lax().max_age(seconds(0)).leeway(seconds(0))), r#"{"iat":1700000000}"#, 0, 1, |now| {
        VerifyError::TooOld { issued_at: NOW, max_age: seconds(0), now }
    });
}

#[test]
fn a_maximum_age_requires_an_iat_that_is_valid_and_not_in_the_future() {
    let verifier = built(lax().max_age(seconds(60)));
    assert_eq!(refusal(&verifier, &jwt("{}")), missing("iat"));
    assert_eq!(refusal(&verifier, &jwt(r#"{"exp":1700000900,"nbf":1700000000}"#)), missing("iat"));
    assert_eq!(refusal(&verifier, &jwt(r#"{"iat":null}"#)), malformed_claim("iat", "null"));
    assert_refused!(verifier, jwt(r#"{"iat":1700000031}"#), VerifyError::IssuedInFuture { .. });
    assert_refused!(verifier, jwt(r#"{"iat":-8334601228800}"#), VerifyError::TooOld { .. });
}

#[test]
fn fractions_of_a_second_are_not_rounded_away() {
    let exact = built(lax().leeway(seconds(0)));
    // These times are between NOW and NOW + 1.
    for value in
        ["1700000000.5", "1700000000.000001", "1700000000.999999", "17000000005e-1", "1.7000000005e9"]
    {
        let last = UnixTime::from_secs(1_700_000_001);
        let exp = jwt(format!(r#"{{"exp":{value}}}"#));
        assert_accepted_at(&exact, &exp, NOW);
        assert_eq!(
            refusal_at(&exact, &exp, later(1)),
            VerifyError::Expired { expired_at: last, now: later(1) }
        );
        let nbf = jwt(format!(r#"{{"nbf":{value}}}"#));
        assert_eq!(refusal_at(&exact, &nbf, NOW), VerifyError::NotYetValid { not_before: last, now: NOW });
        assert_accepted_at(&exact, &nbf, later(1));
        let iat = jwt(format!(r#"{{"iat":{value}}}"#));
        assert_eq!(refusal_at(&exact, &iat, NOW), VerifyError::IssuedInFuture { issued_at: last, now: NOW });
        assert_accepted_at(&exact, &iat, later(1));
    }
    for value in ["1700000000.0", "1.7e9", "17E8", "170000000000e-2", "1700000000.000"] {
        assert!(refusal_at(&exact, &jwt(format!(r#"{{"exp":{value}}}"#)), NOW).is_expired(), "{value}");
        assert_accepted_at(&exact, &jwt(format!(r#"{{"nbf":{value},"iat":{value}}}"#)), NOW);
    }
}

#[test]
fn a_fraction_does_not_make_a_token_younger_than_it_is() {
    let verifier = built(lax().max_age(seconds(60)).leeway(seconds(0)));
    assert_accepted(&verifier, &jwt(r#"{"iat":1699999940}"#));
    // 60.5 seconds ago.
    assert_refused!(verifier, jwt(r#"{"iat":1699999939.5}"#), VerifyError::TooOld { .. });
}

#[test]
fn times_before_1970_are_compared_like_other_times() {
    let exact = built(lax().leeway(seconds(0)));
    let token = jwt(r#"{"iat":-2000,"nbf":-1000,"exp":-500}"#);
    let at = UnixTime::from_secs;
    assert_accepted_at(&exact, &token, at(-1000));
    assert_accepted_at(&exact, &token, at(-501));
    assert!(refusal_at(&exact, &token, at(-500)).is_expired());
    assert!(refusal_at(&exact, &token, at(0)).is_expired());
    let error = refusal_at(&exact, &token, at(-1001));
    assert_eq!(error, VerifyError::NotYetValid { not_before: at(-1000), now: at(-1001) });
    // Negative fractions are rounded up too.
    assert_accepted_at(&exact, &jwt(r#"{"exp":-1.5}"#), at(-2));
    assert!(refusal_at(&exact, &jwt(r#"{"exp":-1.5}"#), at(-1)).is_expired());
}

#[test]
fn an_expiry_is_required_unless_allowed_to_be_missing_and_always_checked() {
    let demanding = built(undecided().accept_any_issuer().accept_any_audience());
    assert_eq!(refusal(&demanding, &jwt("{}")), missing("exp"));
    assert_accepted(&open(), &jwt("{}"));
    assert!(refusal(&open(), &jwt(r#"{"exp":1600000000}"#)).is_expired());
    assert_eq!(refusal(&open(), &jwt(r#"{"exp":null}"#)), malformed_claim("exp", "null"));
}

#[test]
fn an_issue_time_in_the_future_is_refused_unless_it_is_allowed() {
    let token = jwt(r#"{"iat":1700000031}"#);
    assert_refused!(open(), token, VerifyError::IssuedInFuture { .. });
    let allowing = built(lax().allow_future_issued_at());
    assert_accepted(&allowing, &token);
    assert_accepted(&allowing, &jwt(r#"{"iat":9007199254740992}"#));
    assert_accepted(&built(lax().allow_future_issued_at().max_age(seconds(1))), &token);
    // The other checks remain.
    assert_refused!(
        allowing,
        jwt(r#"{"iat":"1700000031"}"#),
        VerifyError::MalformedClaim { claim: "iat", .. }
    );
    assert_refused!(allowing, jwt(r#"{"iat":1700000031,"nbf":1700000031}"#), VerifyError::NotYetValid { .. });
}

#[test]
fn the_first_error_is_reported_and_age_comes_last() {
    let verifier = built(
        undecided()
            .issuer("me")
            .audience("us")
            .subject("ann")
            .require("role")
            .max_age(seconds(60))
            .leeway(seconds(0)),
    );
    let all = r#"{"iss":"x","aud":"x","sub":"x","nbf":1800000000,"iat":1800000000,"exp":1600000000}"#;
    let mut payload = String::from(all);
    for (mend, code) in [
        (("", ""), "wrong_issuer"),
        ((r#""iss":"x""#, r#""iss":"me""#), "wrong_audience"),
        ((r#""aud":"x""#, r#""aud":"us""#), "wrong_subject"),
        ((r#""sub":"x""#, r#""sub":"ann""#), "missing_claim"),
        ((r#""nbf""#, r#""role":1,"nbf""#), "not_yet_valid"),
        ((r#""nbf":1800000000"#, r#""nbf":1500000000"#), "issued_in_future"),
        ((r#""iat":1800000000"#, r#""iat":1500000000"#), "expired"),
        ((r#""exp":1600000000"#, r#""exp":1800000000"#), "too_old"),
    ] {
        payload = payload.replace(mend.0, mend.1);
        assert_eq!(refusal(&verifier, &jwt(&payload)).code(), code);
    }
    assert_accepted(&verifier, &jwt(payload.replace("1500000000", "1700000000")));
}

#[test]
fn a_payload_that_does_not_fit_the_type_is_reported_last() {
    #[derive(Debug, Deserialize)]
    struct Typed {
        #[serde(rename = "n")]
        _n: u8,
    }
    let with = |exp: i64, n: &str| {
        jwt(format!(r#"{{"iss":"https://auth.example","aud":"https://api.example","exp":{exp}{n}}}"#))
    };
    assert!(refusal_as::<Typed>(&strict(), &with(1_600_000_000, r#","n":"x""#)).is_expired());
    assert!(refusal_as::<Typed>(&strict(), &with(1_600_000_000, "")).is_expired());
    assert_eq!(refusal_as::<Typed>(&strict(), &with(1_700_000_900, "")), missing("n"));
    let error = refusal_as::<Typed>(&strict(), &with(1_700_000_900, r#","n":"a text that is kept quiet""#));
    assert!(matches!(error, VerifyError::ClaimsMismatch { claim: Some("n"), .. }), "{error:?}");
    for text in [r#","n":300"#, r#","n":null"#, r#","n":-1"#, r#","n":1.5"#, r#","n":[1]"#] {
        let error = refusal_as::<Typed>(&strict(), &with(1_700_000_900, text));
        assert!(matches!(error, VerifyError::ClaimsMismatch { claim: Some("n"), .. }), "{error:?}");
    }
}

#[test]
fn an_expired_token_and_an_invalid_one_get_different_challenges() {
    let expired = refusal(&strict(), &jwt(GOOD.replace("1700000900", "1600000000"))).challenge();
    assert_eq!(expired.status(), 401);
    let value = r#"Bearer error="invalid_token", error_description="the token expired""#;
    assert_eq!(expired.www_authenticate(), Some(value));
    for payload in ["{}", "[]", r#"{"exp":"x"}"#, &GOOD.replace("auth.example", "evil")] {
        let invalid = refusal(&strict(), &jwt(payload)).challenge();
        assert_eq!(invalid.status(), 401);
        let value = r#"Bearer error="invalid_token", error_description="the token is invalid""#;
        assert_eq!(invalid.www_authenticate(), Some(value));
    }
}

// ---- the content of a verified token ----

#[test]
fn a_token_returns_the_claims_that_were_signed() {
    let payload = r#"{"iss":"me","sub":"a\u006en","aud":["x","\u0079"],"exp":1700000900.25,"nbf":-1,"iat":0,"jti":"","n":1}"#;
    let text = signed(r#"{"typ":"jwt","alg":"HS256","kid":"k\u0031","cty":"c"}"#, payload);
    let token = open().at(NOW).verify::<Value>(&text).unwrap();
    assert_eq!(token.issuer(), Some("me"));
    assert_eq!(token.subject(), Some("ann"));
    assert_eq!(token.audience().collect::<Vec<_>>(), ["x", "y"]);
    assert_eq!(token.expires_at(), Some(UnixTime::from_secs(1_700_000_901)));
    assert_eq!(token.not_before(), Some(UnixTime::from_secs(-1)));
    assert_eq!(token.issued_at(), Some(UnixTime::from_secs(0)));
    assert_eq!(token.jwt_id(), Some(""));
    assert_eq!(token.payload(), payload);
    assert_eq!(token.header().typ(), Some("jwt"));
    assert_eq!(token.header().key_id(), Some("k1"));
    assert_eq!(token.header().content_type(), Some("c"));
    assert_eq!(token.header().json(), r#"{"typ":"jwt","alg":"HS256","kid":"k\u0031","cty":"c"}"#);
    assert_eq!(*token.claims(), serde_json::from_str::<Value>(payload).unwrap());
}

#[test]
fn a_token_without_claims_returns_none() {
    let token = open().at(NOW).verify::<()>(&jwt("{}")).unwrap();
    assert_eq!((token.issuer(), token.subject(), token.jwt_id()), (None, None, None));
    assert_eq!((token.expires_at(), token.not_before(), token.issued_at()), (None, None, None));
    assert_eq!(token.audience().count(), 0);
    assert_eq!((token.payload(), token.header().json()), ("{}", HEADER));
}

#[test]
fn a_buffer_forgets_the_previous_token() {
    let mut buffer = countersign::Buffer::new();
    for payload in [r#"{"sub":"a long first subject"}"#, r#"{"sub":"b"}"#, "{}"] {
        let text = jwt(payload);
        assert!(open().at(NOW).verify_in::<()>(&mut buffer, "no token").is_err());
        assert!(open().at(NOW).verify_in::<()>(&mut buffer, &jwt(b"{\"\xff\":1}")).is_err());
        assert!(open().at(NOW).verify_in::<()>(&mut buffer, &jwt("{\"exp\":1}")).is_err());
        let token = open().at(NOW).verify_in::<Value>(&mut buffer, &text).unwrap();
        assert_eq!((token.payload(), token.header().json()), (payload, HEADER));
        assert_eq!(token.claims().get("sub").and_then(Value::as_str), token.subject());
    }
}

// ---- issuers with a claim in them ----

const TEMPLATE: &str = "https://login.example/{tenantid}/v2.0";

fn of_tenants() -> VerifierBuilder {
    lax_issuer().issuer_template(TEMPLATE, "tid")
}

fn of_tenant(iss: &str, tid: &str) -> String {
    jwt(format!(r#"{{"iss":{iss},"tid":{tid}}}"#))
}

#[test]
fn an_issuer_template_accepts_the_issuer_that_has_the_claim_in_it() {
    let verifier = built(of_tenants());
    for tenant in ["9188040d-6c67-4c5b-b112-36a304b66dad", "contoso.example", "A", "0", "a_b-c.d"] {
        let iss = format!("https://login.example/{tenant}/v2.0");
        for payload in [
            format!(r#"{{"iss":"{iss}","tid":"{tenant}"}}"#),
            format!(r#"{{"tid" : "{tenant}" , "iss":"{iss}"}}"#),
            format!(r#"{{"x":{{"tid":"other"}},"tid":"{tenant}","y":["tid"],"iss":"{iss}"}}"#),
        ] {
            assert_accepted(&verifier, &jwt(payload));
        }
    }
    // Both texts mean what they are after their escapes.
    assert_accepted(&verifier, &of_tenant(r#""https:\/\/login.example\/\u0061\/v2.0""#, r#""a""#));
    assert_accepted(&verifier, &of_tenant(r#""https://login.example/a/v2.0""#, r#""\u0061""#));
}

#[test]
fn an_issuer_template_refuses_the_issuer_of_another_tenant_and_any_other_text() {
    let verifier = built(of_tenants());
    let refused = |iss: &str, tid: &str| {
        let error = refusal(&verifier, &of_tenant(iss, tid));
        let VerifyError::WrongIssuer { expected } = &error else { panic!("{error:?} for {iss} {tid}") };
        assert_eq!(expected.names().collect::<Vec<_>>(), [TEMPLATE]);
        assert_eq!(error.to_string(), format!("token is not issued by {TEMPLATE:?}"), "{iss}");
    };
    for iss in [
        "https://login.example/b/v2.0",
        "https://login.example/A/v2.0",
        "https://login.example/a/v2.0/",
        "https://login.example/a/v1.0",
        "https://login.example//v2.0",
        "https://login.example/v2.0",
        "http://login.example/a/v2.0",
        "https://login.example/{tenantid}/v2.0",
        "https://login.example/a/a/v2.0",
        "a",
        "",
    ] {
        refused(&format!("\"{iss}\""), r#""a""#);
    }
}

#[test]
fn the_claim_of_an_issuer_template_cannot_bring_in_a_part_of_a_url() {
    let verifier = built(of_tenants());
    for tenant in [
        "",
        ".",
        "..",
        "-a",
        "_a",
        "a/b",
        "../evil",
        "a/v2.0/../../b",
        "a?b",
        "a#b",
        "a@b",
        "a:b",
        "a%2Fb",
        "a b",
        "ä",
        "{tenantid}",
    ] {
        let error = refusal(
            &verifier,
            &of_tenant(&format!("\"https://login.example/{tenant}/v2.0\""), &format!("\"{tenant}\"")),
        );
        assert!(matches!(error, VerifyError::WrongIssuer { .. }), "{error:?} for {tenant}");
    }
    for escaped in [r"a\\b", r"a\u0000b", r"a\u002fb", r"a\nb"] {
        let iss = format!("\"https://login.example/{escaped}/v2.0\"");
        let error = refusal(&verifier, &of_tenant(&iss, &format!("\"{escaped}\"")));
        assert!(matches!(error, VerifyError::WrongIssuer { .. }), "{error:?} for {escaped}");
    }
}

#[test]
fn the_claim_of_an_issuer_template_must_be_there_once_and_be_text() {
    let verifier = built(of_tenants());
    let iss = r#""https://login.example/7/v2.0""#;
    for tid in ["7", "null", r#"["7"]"#, r#"{"tid":"7"}"#, "true"] {
        assert_refused!(verifier, of_tenant(iss, tid), VerifyError::WrongIssuer { .. }, tid);
    }
    let without = refusal(&verifier, &jwt(format!(r#"{{"iss":{iss},"Tid":"7"}}"#)));
    assert_eq!(without, VerifyError::MissingClaim { claim: "tid".into() });
    let without_issuer = refusal(&verifier, &jwt(r#"{"tid":"7"}"#));
    assert_eq!(without_issuer, VerifyError::MissingClaim { claim: "iss".into() });
    assert_refused!(verifier, jwt(r#"{"iss":"x"}"#), VerifyError::WrongIssuer { .. });
    // Not one of two readings is taken.
    let twice = jwt(format!(r#"{{"iss":{iss},"tid":"7","t\u0069d":"8"}}"#));
    assert_refused!(verifier, twice, VerifyError::DuplicateMember { part: Part::Payload });
    assert_refused!(
        verifier,
        jwt(format!(r#"{{"iss":{iss},"t\u0069d":"7"}}"#)),
        VerifyError::WrongIssuer { .. }
    );
    assert_refused!(verifier, of_tenant("7", "\"7\""), VerifyError::MalformedClaim { claim: "iss", .. });
}

#[test]
fn issuer_templates_and_issuers_can_be_combined() {
    let both = of_tenants()
        .issuer_template("https://sts.example/{tenantid}/", "tid")
        .issuer_template("https://other.example/org-{o}", "org")
        .issuer("https://auth.example");
    let verifier = built(both);
    assert_accepted(&verifier, &of_tenant(r#""https://login.example/a/v2.0""#, r#""a""#));
    assert_accepted(&verifier, &of_tenant(r#""https://sts.example/a/""#, r#""a""#));
    let of = |iss: &str, others: &str| jwt(format!(r#"{{"iss":"{iss}"{others}}}"#));
    assert_accepted(&verifier, &of("https://auth.example", ""));
    assert_accepted(&verifier, &of("https://auth.example", r#","tid":7"#));
    assert_accepted(&verifier, &of("https://other.example/org-b", r#","org":"b","tid":"a""#));
    // Each template reads its own claim.
    let error = refusal(&verifier, &of("https://other.example/org-b", r#","org":"a","tid":"b""#));
    let VerifyError::WrongIssuer { expected } = error else { panic!("{error:?}") };
    assert_eq!(
        expected.names().collect::<Vec<_>>(),
        [
            "https://auth.example",
            TEMPLATE,
            "https://sts.example/{tenantid}/",
            "https://other.example/org-{o}"
        ]
    );
    let error = refusal(&verifier, &of("https://other.example/org-b", r#","tid":"b""#));
    assert_eq!(error, VerifyError::MissingClaim { claim: "org".into() });
    // Two templates for one issuer: either claim will do.
    let either = built(of_tenants().issuer_template(TEMPLATE, "tenant"));
    let of = |claims: &str| of("https://login.example/a/v2.0", claims);
    for claims in
        [r#","tid":"a""#, r#","tenant":"a""#, r#","tid":"b","tenant":"a""#, r#","tenant":7,"tid":"a""#]
    {
        assert_accepted(&either, &of(claims));
    }
    assert_refused!(either, of(r#","tid":"b","tenant":"c""#), VerifyError::WrongIssuer { .. });
    for claims in ["", r#","tenant":"b""#] {
        assert_eq!(refusal(&either, &of(claims)), VerifyError::MissingClaim { claim: "tid".into() });
    }
}

#[test]
fn the_claim_of_an_issuer_template_is_given_to_the_claims_type_as_it_is() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Employee {
        tid: Option<String>,
    }
    let verifier = built(of_tenants().issuer("x"));
    let text = of_tenant(r#""https://login.example/a/v2.0""#, r#""a""#);
    let token = verifier.at(NOW).verify::<Employee>(&text).unwrap();
    assert_eq!(*token.claims(), Employee { tid: Some("a".into()) });
    let token = verifier.at(NOW).verify::<Employee>(&of_tenant(r#""x""#, "null")).unwrap();
    assert_eq!(*token.claims(), Employee { tid: None });
}

/// Reads names and leaves the values to the reader, which then takes inner members for outer ones.
struct NamesOnly;

impl<'de> Deserialize<'de> for NamesOnly {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;

        impl<'de> serde::de::Visitor<'de> for Names {
            type Value = NamesOnly;

            fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<NamesOnly, A::Error> {
                while let Ok(Some(_)) = map.next_key::<String>() {}
                Ok(NamesOnly)
            }
        }

        deserializer.deserialize_map(Names)
    }
}

#[test]
fn a_claims_type_cannot_choose_the_claim_of_an_issuer_template() {
    let verifier = built(of_tenants());
    let of = |tid: &str| {
        let inner = r#"{"x":{"tid":"a"},"iss":"https://login.example/a/v2.0","tid":"#;
        verifier.at(NOW).verify::<NamesOnly>(&jwt(format!("{inner}\"{tid}\"}}"))).map(drop).unwrap_err()
    };
    assert!(matches!(of("b"), VerifyError::WrongIssuer { .. }), "{:?}", of("b"));
    assert!(matches!(of("a"), VerifyError::ClaimsMismatch { .. }), "{:?}", of("a"));
}

#[test]
fn an_issuer_template_that_cannot_be_used_is_refused() {
    let refused = |template: &str, problem: &'static str| {
        let expected = PolicyError::IssuerTemplate { template: template.into(), problem };
        no_verifier(undecided().no_audience().issuer_template(template, "tid"), &expected, "issuer_template");
        // Also next to one that can be used.
        no_verifier(of_tenants().issuer_template(template, "tid"), &expected, "issuer_template");
    };
    refused("https://login.example/v2.0", "has no braces: call issuer");
    refused("https://login.example/tenantid}/v2.0", "has no braces: call issuer");
    refused("https://login.example/{tenantid/v2.0", "has a brace that is not closed");
    for template in [
        "https://a.example/{b}/{c}",
        "https://a.example/{{b}}",
        "https://a.example/}{b}",
        "https://a.example/{b}}",
    ] {
        refused(template, "has more than one pair of braces");
    }
    refused("https://login.example/{}/v2.0", "has no name between its braces");
    for template in [
        "https://{tenant}.login.example/v2.0",
        "https://{tenant}/v2.0",
        "https://login.example{tenant}/v2.0",
        "https://login.example:{tenant}/",
        "https:///{tenant}",
        "{tenant}",
        "urn:tenant:{tenant}",
        "login.example/{tenant}",
    ] {
        refused(template, "must have its braces after the host and a slash, as in https://host/{tenant}");
    }
    let error = undecided().no_audience().issuer_template("https://a.example/", "tid").build().unwrap_err();
    assert_eq!(error.to_string(), r#"issuer template "https://a.example/" has no braces: call issuer"#);
}

// ---- policies that are refused ----

#[track_caller]
fn no_verifier(builder: VerifierBuilder, expected: &PolicyError, code: &str) {
    let error = builder.build().unwrap_err();
    assert_eq!(error, *expected);
    assert_eq!(error.code(), code);
    assert_discreet(&error, &[]);
}

#[test]
fn a_policy_without_a_decision_on_issuer_and_audience_is_refused() {
    no_verifier(undecided(), &PolicyError::IssuerUndecided, "issuer_undecided");
    no_verifier(undecided().audience("x"), &PolicyError::IssuerUndecided, "issuer_undecided");
    no_verifier(undecided().issuer("x"), &PolicyError::AudienceUndecided, "audience_undecided");
    no_verifier(undecided().accept_any_issuer(), &PolicyError::AudienceUndecided, "audience_undecided");
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    for (builder, first, second) in [
        (undecided().issuer("x").accept_any_issuer().no_audience(), "issuer", "accept_any_issuer"),
        (of_tenants().accept_any_issuer(), "issuer_template", "accept_any_issuer"),
        (lax_audience().audience("x").no_audience(), "audience", "no_audience"),
        (lax_audience().audience("x").accept_any_audience(), "audience", "accept_any_audience"),
        (lax_audience().no_audience().accept_any_audience(), "no_audience", "accept_any_audience"),
        (lax().leeway(seconds(1)).leeway_beyond_limit(seconds(1)), "leeway", "leeway_beyond_limit"),
        (lax().require("exp"), "require(\"exp\")", "allow_missing_expiration"),
        (undecided().accept_any_issuer().no_audience().require("aud"), "require(\"aud\")", "no_audience"),
    ] {
        no_verifier(builder, &PolicyError::Contradiction { first, second }, "contradiction");
    }
}

#[test]
fn empty_names_are_refused() {
    for (builder, setting) in [
        (lax_issuer().issuer(""), "issuer"),
        (lax_issuer().issuer("x").issuer(""), "issuer"),
        (of_tenants().issuer(""), "issuer"),
        (lax_issuer().issuer_template("", "tid"), "issuer_template"),
        (lax_issuer().issuer_template(TEMPLATE, ""), "issuer_template"),
        (lax_audience().audience("x").audience(""), "audience"),
        (lax().subject(""), "subject"),
        (lax().subject("x").subject(""), "subject"),
        (lax().require(""), "require"),
        (lax().typ(""), "typ"),
        (lax().understand_critical(""), "understand_critical"),
    ] {
        no_verifier(builder, &PolicyError::Empty { setting }, "empty");
    }
}

#[test]
fn a_leeway_above_five_minutes_needs_leeway_beyond_limit() {
    let above = |seconds| PolicyError::LeewayAboveLimit { seconds, cap: 300 };
    no_verifier(lax().leeway(seconds(301)), &above(301), "leeway_above_limit");
    no_verifier(lax().leeway(Duration::MAX), &above(u64::MAX), "leeway_above_limit");
    let said = above(301).to_string();
    assert_eq!(said, "a leeway of 301 s is above the cap of 300 s: leeway_beyond_limit allows it");
    built(lax().leeway(seconds(300)));
    built(lax().leeway_beyond_limit(Duration::MAX));
}

#[test]
fn an_extension_that_the_standards_define_is_refused() {
    for name in ["alg", "crit", "b64", "jwk"] {
        let expected = PolicyError::UnusableExtension { name: name.into() };
        no_verifier(lax().understand_critical(name), &expected, "unusable_extension");
    }
    built(lax().understand_critical("http://example.com/extension"));
}

// ---- writing claims ----

/// Claims that can be signed, for tests that change one thing.
fn claims<T>(claims: T) -> Claims<T> {
    Claims::new(claims).never_expires()
}

#[track_caller]
fn unsigned<T: Serialize>(claims: &Claims<T>, expected: &SignError) {
    let error = claims.sign(&key()).unwrap_err();
    assert_eq!(error, *expected);
    assert_discreet(&error, &[]);
    // `prepare` returns the same error.
    let elsewhere = Identity::new(Algorithm::Hs256);
    assert_eq!(claims.prepare(&elsewhere).unwrap_err(), *expected);
}

#[test]
fn all_claims_are_written_into_one_object() {
    #[derive(Serialize)]
    struct User {
        name: &'static str,
        tags: [u8; 2],
        nothing: Option<u8>,
    }
    let text = Claims::new(User { name: "Ann \"é\u{1f600}\0", tags: [1, 2], nothing: None })
        .issuer("https://auth.example")
        .subject("ann")
        .audience("one")
        .issued_at(NOW)
        .not_before(later(-5))
        .expires_in(seconds(900))
        .jwt_id("7")
        .sign(&key())
        .unwrap();
    let message = jws::MessageVerifier::new(key()).verify(&text).unwrap();
    assert_eq!(message.header().json(), HEADER);
    assert_eq!(
        serde_json::from_slice::<Value>(message.payload()).unwrap(),
        json!({
            "iss": "https://auth.example", "sub": "ann", "aud": "one", "iat": 1_700_000_000, "nbf": 1_699_999_995,
            "exp": 1_700_000_900, "jti": "7", "name": "Ann \"é\u{1f600}\0", "tags": [1, 2], "nothing": null,
        })
    );
}

#[test]
fn one_audience_is_written_as_text_and_several_as_an_array() {
    let claims = || Claims::registered().never_expires();
    assert_eq!(written(&claims()), json!({}));
    assert_eq!(written(&claims().audience("a")), json!({"aud": "a"}));
    assert_eq!(written(&claims().audience("a").audience("b")), json!({"aud": ["a", "b"]}));
}

#[test]
fn a_lifetime_counts_from_the_issue_time() {
    let lifetime = |lifetime| Claims::registered().issued_at(NOW).expires_in(lifetime);
    assert_eq!(written(&lifetime(seconds(1))), json!({"iat": 1_700_000_000, "exp": 1_700_000_001}));
    assert_eq!(
        written(&lifetime(Duration::from_millis(1999))),
        json!({"iat": 1_700_000_000, "exp": 1_700_000_001})
    );
    // The order of the calls does not matter.
    let claims = Claims::registered().expires_in(seconds(5)).issued_at(UnixTime::from_secs(-10));
    assert_eq!(written(&claims), json!({"iat": -10, "exp": -5}));
    unsigned(&lifetime(Duration::MAX), &unsignable("exp", "1e300"));
}

#[cfg(feature = "std")]
#[test]
fn a_lifetime_without_an_issue_time_counts_from_the_clock() {
    let before = UnixTime::now();
    let text = Claims::registered().expires_in(seconds(900)).sign(&key()).unwrap();
    let token = open().verify::<()>(&text).unwrap();
    let issued_at = token.issued_at().unwrap();
    assert!(before <= issued_at && issued_at <= UnixTime::now());
    assert_eq!(token.expires_at(), Some(issued_at.saturating_add(seconds(900))));
}

#[cfg(not(feature = "std"))]
#[test]
fn a_lifetime_without_an_issue_time_needs_a_clock() {
    unsigned(&Claims::registered().expires_in(seconds(900)), &SignError::NoClock);
}

#[test]
fn claims_without_a_decision_on_expiry_are_not_signed() {
    unsigned(&Claims::registered(), &SignError::MissingExpiration);
    unsigned(
        &Claims::new(json!({"sub": "ann"})).issued_at(NOW).not_before(NOW),
        &SignError::MissingExpiration,
    );
    unsigned(&Claims::new(json!({"exp": null})), &SignError::MissingExpiration);
    assert_eq!(written(&Claims::new(json!({"exp": 1_700_000_900}))), json!({"exp": 1_700_000_900}));
}

#[test]
fn the_last_of_two_expiries_counts() {
    let claims = || Claims::registered().issued_at(NOW);
    assert_eq!(written(&claims().expires_in(seconds(1)).expires_at(later(2)))["exp"], 1_700_000_002);
    assert_eq!(written(&claims().expires_at(later(2)).expires_in(seconds(1)))["exp"], 1_700_000_001);
    assert_eq!(written(&claims().expires_at(later(2)).never_expires()).get("exp"), None);
    assert_eq!(written(&claims().never_expires().expires_at(later(2)))["exp"], 1_700_000_002);
}

#[test]
fn times_that_contradict_each_other_are_not_signed() {
    let claims = || Claims::registered().expires_at(NOW);
    for contradiction in [
        claims().issued_at(NOW),
        claims().issued_at(later(1)),
        claims().not_before(NOW),
        claims().not_before(later(1)),
        Claims::registered().issued_at(NOW).expires_in(seconds(0)),
        Claims::registered().issued_at(NOW).expires_in(Duration::from_millis(999)),
        Claims::registered().issued_at(NOW).expires_in(seconds(10)).not_before(later(10)),
    ] {
        unsigned(&contradiction, &SignError::ContradictoryTimes);
    }
    written(&claims().issued_at(later(-1)).not_before(later(-1)));
}

#[test]
fn times_of_the_builder_and_of_the_type_are_compared_with_each_other() {
    for (contradiction, expected) in [
        (Claims::new(json!({"iat": 1_700_000_000})).expires_at(NOW), SignError::ContradictoryTimes),
        (Claims::new(json!({"nbf": 1_700_000_000})).expires_at(NOW), SignError::ContradictoryTimes),
        (Claims::new(json!({"exp": 1_700_000_000})).issued_at(NOW), SignError::ContradictoryTimes),
        (Claims::new(json!({"exp": 1_700_000_000})).not_before(NOW), SignError::ContradictoryTimes),
        (Claims::new(json!({"exp": 5, "iat": 5})), SignError::ContradictoryTimes),
        (Claims::new(json!({"exp": 5.5, "iat": 5.7})), SignError::ContradictoryTimes),
        (Claims::new(json!({"exp": -5, "nbf": -4})), SignError::ContradictoryTimes),
    ] {
        unsigned(&contradiction, &expected);
    }
    written(&Claims::new(json!({"exp": 6, "iat": 5, "nbf": 4.5})));
}

#[test]
fn accept_numeric_subject_accepts_integers_and_loosens_no_other_check() {
    let numeric = built(lax().accept_numeric_subject());
    for (value, subject) in [
        ("4", "4"),
        ("0", "0"),
        ("-7", "-7"),
        ("18446744073709551615", "18446744073709551615"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("\"4\"", "4"),
        ("\"\\u0061nn\"", "ann"),
    ] {
        #[derive(serde::Deserialize)]
        struct Own {
            sub: String,
        }
        for payload in
            [format!(r#"{{"sub":{value}}}"#), format!(r#"{{"a":{{"sub":{{}}}},"sub" : {value} ,"z":1}}"#)]
        {
            let token = numeric.at(NOW).verify::<Own>(&jwt(&payload)).unwrap();
            assert_eq!((token.subject(), &*token.claims().sub), (Some(subject), subject));
        }
        assert_accepted(&numeric, &jwt(format!(r#"{{"sub":{value}}}"#)));
    }
    for value in [
        "4.0",
        "4e0",
        "-0",
        "0.5",
        "18446744073709551616",
        "-9223372036854775809",
        "1e400",
        "null",
        "true",
        "[4]",
        "[]",
        "{}",
        r#"{"a":"4"}"#,
    ] {
        let error = refusal(&numeric, &jwt(format!(r#"{{"sub":{value}}}"#)));
        let expected = match kind_of("sub", value) {
            "a number" => "a number beyond 64 bits or with a fraction",
            kind => kind,
        };
        assert_eq!(error, VerifyError::MalformedClaim { claim: "sub", found: Some(expected) }, "{value}");
    }
    // Some readers would take this object for a number.
    let error = refusal(&numeric, &jwt(r#"{"sub":{"$serde_json::private::Number":"4"}}"#));
    assert_eq!(error, malformed_claim("sub", "{"));
    // The policy compares the digits.
    let expecting = built(lax().accept_numeric_subject().subject("4"));
    assert_accepted(&expecting, &jwt(r#"{"sub":4}"#));
    assert!(matches!(refusal(&expecting, &jwt(r#"{"sub":5}"#)), VerifyError::WrongSubject { .. }));
    for (claim, value) in [("iss", "4"), ("jti", "4"), ("aud", "4"), ("exp", "\"4\"")] {
        let error = refusal(&numeric, &jwt(format!(r#"{{"sub":4,"{claim}":{value}}}"#)));
        assert_eq!(error, malformed_claim(claim, value));
    }
    assert_eq!(refusal(&open(), &jwt(r#"{"sub":4}"#)), malformed_claim("sub", "4"));
}

/// Returns the error for a registered claim in the claims type with this malformed value.
fn unsignable(claim: &'static str, value: &str) -> SignError {
    SignError::MalformedClaim { claim, found: Some(kind_of(claim, value)) }
}

#[test]
fn the_error_of_a_malformed_claim_names_the_required_and_the_found_type() {
    for (claim, wanted) in [
        ("iss", "a string"),
        ("sub", "a string"),
        ("jti", "a string"),
        ("aud", "a string or an array of strings"),
        ("exp", "a number of seconds within 2^53"),
        ("nbf", "a number of seconds within 2^53"),
        ("iat", "a number of seconds within 2^53"),
    ] {
        for value in [
            "null",
            "true",
            "false",
            "5",
            "-0.5",
            "1e300",
            "\"x\"",
            "[]",
            "[5]",
            "[\"x\"]",
            "{}",
            "{\"a\":1}",
        ] {
            let fits = match claim {
                "aud" => value.contains("\"x") || value == "[]",
                "iss" | "sub" | "jti" => value == "\"x\"",
                _ => ["5", "-0.5"].contains(&value),
            };
            if fits {
                continue;
            }
            let expected = format!("claim {claim} must be {wanted}, not {}", kind_of(claim, value));
            for payload in [
                format!(r#"{{"{claim}":{value}}}"#),
                format!("{{ \"a\" : {{\"{claim}\":7}} , \"{claim}\"\n:\t{value} , \"z\": 1 }}"),
            ] {
                let error = refusal(&open(), &jwt(payload));
                assert_eq!((error.to_string(), error.code()), (expected.clone(), "malformed_claim"));
            }
            let document: Value = serde_json::from_str(value).unwrap();
            // A registered claim that is `None` is left out of the token.
            if !document.is_null() {
                let error = Claims::new(json!({claim: document})).never_expires().sign(&key()).unwrap_err();
                let expected = expected + advice_for(claim, value);
                assert_eq!((error.to_string(), error.code()), (expected, "malformed_claim"));
            }
        }
    }
    // A name with an escape is also the claim.
    let error = refusal(&open(), &jwt(r#"{"\u0073ub":4}"#));
    assert_eq!(error, VerifyError::MalformedClaim { claim: "sub", found: None });
    assert_eq!(error.to_string(), "claim sub must be a string");
}

/// Returns the advice in the error about a claims type.
fn advice_for(claim: &str, value: &str) -> &'static str {
    match (claim, value.as_bytes()[0]) {
        ("exp" | "nbf" | "iat", b'"' | b'[' | b'{') => {
            ": use UnixTime, or let serde write seconds, e.g. with chrono's ts_seconds"
        }
        ("aud", _) => ": use Audience",
        ("iss" | "sub" | "jti", b'5' | b'-' | b'1') => ": write its digits as a string",
        _ => "",
    }
}

#[test]
fn times_that_no_verifier_accepts_are_not_signed() {
    let malformed = |claim| unsignable(claim, "1e300");
    for seconds in [i64::MIN, -(1 << 53) - 1, (1 << 53) + 1, i64::MAX] {
        let time = UnixTime::from_secs(seconds);
        unsigned(&Claims::registered().expires_at(time), &malformed("exp"));
        unsigned(&Claims::registered().never_expires().not_before(time), &malformed("nbf"));
        unsigned(&Claims::registered().never_expires().issued_at(time), &malformed("iat"));
    }
    let far = UnixTime::from_secs(1 << 53);
    assert_eq!(written(&Claims::registered().expires_at(far))["exp"], 1_i64 << 53);
}

#[test]
fn a_registered_claim_set_in_the_builder_and_in_the_type_is_not_signed() {
    let duplicate = |claim: &'static str| SignError::DuplicateClaim { claim: claim.into() };
    let with = |name: &str| claims(json!({name: 1_700_000_000}));
    let text = |name: &str| claims(json!({name: "x"}));
    unsigned(&text("iss").issuer("x"), &duplicate("iss"));
    unsigned(&text("sub").subject("y"), &duplicate("sub"));
    unsigned(&text("aud").audience("x"), &duplicate("aud"));
    unsigned(&text("jti").jwt_id("x"), &duplicate("jti"));
    unsigned(&with("exp").expires_at(later(9)), &duplicate("exp"));
    unsigned(&with("exp").issued_at(NOW).expires_in(seconds(9)), &duplicate("exp"));
    unsigned(&with("nbf").not_before(NOW), &duplicate("nbf"));
    unsigned(&with("iat").issued_at(NOW), &duplicate("iat"));
    unsigned(&with("iat").issued_at(NOW).expires_in(seconds(9)), &duplicate("iat"));
}

#[test]
fn a_type_that_writes_a_name_twice_is_not_signed() {
    struct Twice(&'static str, usize);
    impl Serialize for Twice {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(None)?;
            map.serialize_entry(self.0, "x")?;
            for number in 0..self.1 {
                map.serialize_entry(&number.to_string(), &number)?;
            }
            map.serialize_entry(self.0, "x")?;
            map.end()
        }
    }
    for between in [0, 30, 31, 32, 33, 5000] {
        for name in ["role", "iss", "", "é"] {
            unsigned(&claims(Twice(name, between)), &SignError::DuplicateClaim { claim: name.into() });
        }
    }

    #[derive(Serialize)]
    struct Renamed {
        role: u8,
        #[serde(rename = "role")]
        other: u8,
    }
    unsigned(&claims(Renamed { role: 1, other: 2 }), &SignError::DuplicateClaim { claim: "role".into() });

    #[derive(Serialize)]
    struct Flattened {
        role: u8,
        #[serde(flatten)]
        rest: Value,
    }
    let flattened = claims(Flattened { role: 1, rest: json!({"role": 2}) });
    unsigned(&flattened, &SignError::DuplicateClaim { claim: "role".into() });
    assert_eq!(written(&claims(Flattened { role: 1, rest: json!({"x": 2}) })), json!({"role": 1, "x": 2}));
}

#[test]
fn a_type_may_contain_the_registered_claims_itself() {
    #[derive(Serialize)]
    struct Everything {
        iss: &'static str,
        sub: Option<String>,
        aud: Audience,
        exp: u64,
        nbf: Option<UnixTime>,
        iat: f64,
        jti: Option<String>,
        role: Option<u8>,
    }
    let everything = |aud| Everything {
        iss: "me",
        sub: None,
        aud,
        exp: 1_700_000_900,
        nbf: Some(NOW),
        iat: 1_700_000_000.5,
        jti: None,
        role: None,
    };
    let one = written(&Claims::new(everything(Audience::from("a"))));
    let times = json!({
        "iss": "me", "aud": "a", "exp": 1_700_000_900, "nbf": 1_700_000_000, "iat": 1_700_000_000.5, "role": null,
    });
    assert_eq!(one, times);
    let several = everything(["a", "b"].into_iter().collect());
    // The builder may set claims that the type leaves out.
    let several = written(&Claims::new(several).subject("ann").jwt_id("7"));
    assert_eq!(
        (&several["aud"], &several["sub"], &several["jti"]),
        (&json!(["a", "b"]), &json!("ann"), &json!("7"))
    );
}

#[test]
fn a_float_of_whole_seconds_is_written_as_an_integer() {
    #[derive(Serialize)]
    struct Floats {
        exp: f64,
        nbf: Option<f32>,
        iat: f64,
        auth_time: f64,
    }
    let payload = |exp, iat| {
        let floats = Floats { exp, nbf: Some(16_777_216.0), iat, auth_time: 1_700_000_000.0 };
        let text = Claims::new(floats).sign(&key()).unwrap();
        let message = jws::MessageVerifier::new(key()).verify(&text).unwrap();
        String::from_utf8(message.payload().to_vec()).unwrap()
    };
    // A private claim is written as its type serialises it.
    assert_eq!(
        payload(1_700_000_900.0, -0.0),
        r#"{"exp":1700000900,"nbf":16777216,"iat":0,"auth_time":1700000000.0}"#
    );
    assert_eq!(
        payload(9_007_199_254_740_992.0, -2.0),
        r#"{"exp":9007199254740992,"nbf":16777216,"iat":-2,"auth_time":1700000000.0}"#
    );
    // A fraction is not rounded away.
    assert_eq!(
        payload(1_700_000_900.25, -0.5),
        r#"{"exp":1700000900.25,"nbf":16777216,"iat":-0.5,"auth_time":1700000000.0}"#
    );
    let map = Claims::new(BTreeMap::from([("exp", 1.7e9)])).sign(&key()).unwrap();
    let map = jws::MessageVerifier::new(key()).verify(&map).unwrap();
    assert_eq!(map.payload(), br#"{"exp":1700000000}"#);
}

#[test]
fn a_registered_claim_of_the_wrong_type_is_not_signed() {
    for (claim, values) in [
        (
            "exp",
            vec![json!("1700000900"), json!(true), json!([1]), json!({}), json!(9.1e15), json!(u64::MAX)],
        ),
        ("nbf", vec![json!("x"), json!(i64::MIN)]),
        ("iat", vec![json!("x"), json!(1e300)]),
        ("iss", vec![json!(5), json!(["x"]), json!(true), json!({})]),
        ("sub", vec![json!(5), json!([])]),
        ("jti", vec![json!(5)]),
        ("aud", vec![json!(5), json!(["x", 5]), json!([null]), json!({"x": 1}), json!([["x"]])]),
    ] {
        for value in values {
            let error = unsignable(claim, &value.to_string());
            unsigned(&claims(json!({claim: value})), &error);
        }
    }
}

#[test]
fn a_time_that_is_not_a_number_does_not_count_as_none() {
    for (claim, time) in [("nbf", f64::NAN), ("iat", f64::INFINITY), ("exp", f64::NEG_INFINITY)] {
        unsigned(&claims(BTreeMap::from([(claim, time)])), &unsignable(claim, "null"));
    }
}

#[test]
fn a_type_that_does_not_serialise_as_an_object_is_not_signed() {
    #[derive(Serialize)]
    enum Choice {
        Unit,
        Newtype(Value),
        Tuple(u8, u8),
        Struct { a: u8 },
    }
    #[derive(Serialize)]
    struct Tuple(u8, u8);
    #[derive(Serialize)]
    struct Newtype(u8);
    #[derive(Serialize)]
    #[serde(rename = "$serde_json::private::RawValue")]
    struct Raw {
        a: u8,
    }
    struct Bytes;
    impl Serialize for Bytes {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(b"x")
        }
    }
    fn refused<T: Serialize>(value: T) {
        unsigned(&claims(value), &SignError::ClaimsNotAnObject);
    }
    refused(true);
    refused('x');
    refused("x");
    refused(String::from("{}"));
    refused(5_u8);
    refused(-5_i64);
    refused(0.5_f32);
    refused(5_i128);
    refused(5_u128);
    refused(Bytes);
    refused([1, 2]);
    refused(vec![("a", 1)]);
    refused((1, "x"));
    refused(Tuple(1, 2));
    refused(Newtype(1));
    refused(Some(5));
    refused(Choice::Unit);
    refused(Choice::Newtype(json!({})));
    refused(Choice::Tuple(1, 2));
    refused(Choice::Struct { a: 1 });
    refused(Raw { a: 1 });
    refused(json!([]));
    refused(json!("x"));
    refused(BTreeMap::from([(5, 1)]));
    refused(BTreeMap::from([(true, 1)]));
    refused(BTreeMap::from([((1, 2), 1)]));
    refused(Ok::<_, ()>(json!({})));
}

#[test]
fn a_type_that_serialises_as_an_object_or_nothing_is_signed() {
    #[derive(Serialize)]
    struct Unit;
    #[derive(Serialize)]
    struct Newtype<T>(T);
    #[derive(Serialize)]
    #[serde(tag = "kind")]
    enum Tagged {
        User { a: u8 },
    }
    #[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
    enum Name {
        A,
    }
    fn signs<T: Serialize>(value: T, expected: &Value) {
        assert_eq!(written(&claims(value)), *expected);
    }
    let (nothing, one) = (json!({}), json!({"a": 1}));
    signs((), &nothing);
    signs(Unit, &nothing);
    signs(None::<Unit>, &nothing);
    signs(Newtype(()), &nothing);
    signs(one.clone(), &one);
    signs(&one, &one);
    signs(Box::new(one.clone()), &one);
    signs(Some(Newtype(one.clone())), &one);
    signs(BTreeMap::from([("a", 1)]), &one);
    signs(BTreeMap::from([('a', 1)]), &one);
    signs(BTreeMap::from([(Name::A, 1)]), &json!({"A": 1}));
    signs(Tagged::User { a: 1 }, &json!({"kind": "User", "a": 1}));
}

#[test]
fn names_reserved_by_json_libraries_are_not_signed_at_the_top() {
    for name in ["$serde_json::private::Number", "$serde_json::private::RawValue", "$serde_json::private::"] {
        unsigned(&claims(json!({name: "1"})), &SignError::ReservedName);
        unsigned(&claims(json!({"a": 1, name: "1"})), &SignError::ReservedName);
    }
    #[derive(Serialize)]
    struct Field {
        #[serde(rename = "$serde_json::private::Number")]
        number: u8,
    }
    unsigned(&claims(Field { number: 1 }), &SignError::ReservedName);
}

/// A value that fails to serialise.
struct Failing;

impl Serialize for Failing {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("correct horse battery staple"))
    }
}

#[test]
fn a_type_that_fails_to_serialise_is_not_signed_and_its_error_is_not_shown() {
    unsigned(&claims(Failing), &SignError::Serialize);
    for name in ["role", "iss", "exp", "aud"] {
        unsigned(&claims(BTreeMap::from([(name, Failing)])), &SignError::Serialize);
        unsigned(
            &claims(BTreeMap::from([(name, [1]), ("x", [2])].map(|(name, _)| (name, Failing)))),
            &SignError::Serialize,
        );
    }
}

#[test]
fn a_type_that_hides_a_failure_is_not_signed() {
    struct HidesInAMap;
    impl Serialize for HidesInAMap {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(None)?;
            let _ = map.serialize_entry("a", &Failing);
            map.serialize_entry("b", &1)?;
            map.end()
        }
    }
    struct HidesInAStruct;
    impl Serialize for HidesInAStruct {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut fields = serializer.serialize_struct("HidesInAStruct", 1)?;
            let _ = fields.serialize_field("a", &Failing);
            fields.end()
        }
    }
    struct HidesItsExpiry;
    impl Serialize for HidesItsExpiry {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(None)?;
            let _ = map.serialize_entry("nbf", &Failing);
            map.end()
        }
    }
    struct HidesADuplicate;
    impl Serialize for HidesADuplicate {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(None)?;
            map.serialize_entry("a", &1)?;
            let _ = map.serialize_entry("a", &2);
            map.end()
        }
    }
    unsigned(&claims(HidesInAMap), &SignError::Serialize);
    unsigned(&claims(HidesInAStruct), &SignError::Serialize);
    unsigned(&claims(HidesItsExpiry), &SignError::Serialize);
    unsigned(&claims(HidesADuplicate), &SignError::DuplicateClaim { claim: "a".into() });
}

#[test]
fn a_type_that_writes_a_name_without_a_value_adds_no_claim() {
    struct NameOnly;
    impl Serialize for NameOnly {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(None)?;
            map.serialize_key("sub")?;
            map.serialize_key("role")?;
            map.serialize_value("admin")?;
            map.end()
        }
    }
    struct ValueOnly;
    impl Serialize for ValueOnly {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(None)?;
            map.serialize_value("admin")?;
            map.end()
        }
    }
    assert_eq!(written(&claims(NameOnly)), json!({"role": "admin"}));
    unsigned(&claims(ValueOnly), &SignError::Serialize);
}

#[test]
fn a_wrapped_registered_claim_is_written_and_a_wrapped_none_is_left_out() {
    #[derive(Serialize)]
    struct UserId(&'static str);
    #[derive(Serialize)]
    struct Maybe(Option<&'static str>);
    #[derive(Serialize)]
    struct Wrapped {
        sub: UserId,
        jti: Option<Option<&'static str>>,
        iss: Maybe,
        aud: Option<UserId>,
    }
    let claims = Wrapped { sub: UserId("ann"), jti: Some(None), iss: Maybe(None), aud: Some(UserId("api")) };
    assert_eq!(written(&Claims::new(claims).never_expires()), json!({ "sub": "ann", "aud": "api" }));
    // An object is not a text, also with `None` inside.
    #[derive(Serialize)]
    enum Kind {
        Maybe(Option<u8>),
    }
    let odd = Claims::new(BTreeMap::from([("sub", Kind::Maybe(None))])).never_expires();
    assert_eq!(odd.sign(&key()).unwrap_err(), unsignable("sub", "{"));
}

#[test]
fn the_signed_value_of_a_registered_claim_is_the_checked_one() {
    /// Serialises as a number this many times, and then as a text.
    struct Turning(Cell<u8>);
    impl Serialize for Turning {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            match self.0.replace(self.0.get().saturating_sub(1)) {
                0 => serializer.serialize_str("x"),
                _ => serializer.serialize_u64(1_700_000_900),
            }
        }
    }
    for numbers in 0..8 {
        match Claims::new(BTreeMap::from([("exp", Turning(Cell::new(numbers)))])).sign(&key()) {
            Ok(text) => assert_accepted(&open(), &text),
            Err(error) => assert_eq!(error, unsignable("exp", "\"")),
        }
    }
}

#[test]
fn a_typ_that_no_verifier_accepts_is_not_signed() {
    let typed = |typ: &str| Claims::registered().never_expires().typ(typ);
    for typ in ["", &"x".repeat(1025)] {
        unsigned(&typed(typ), &SignError::InvalidHeader { name: "typ" });
    }
    for typ in ["at+jwt", "a \"quoted\\ é", &"x".repeat(1024)] {
        let text = typed(typ).sign(&key()).unwrap();
        let token = built(lax().typ(typ)).at(NOW).verify::<()>(&text).unwrap();
        assert_eq!(token.header().typ(), Some(typ));
        assert_refused!(open(), text, VerifyError::WrongType { .. });
        assert_eq!(expected_names(&refusal(&open(), &text)), ["JWT"]);
    }
    let text = jws::Payload::new("x").content_type("");
    assert_eq!(text.sign(&key()).unwrap_err(), SignError::InvalidHeader { name: "cty" });
    let text = jws::Payload::new("x").typ("");
    assert_eq!(text.sign(&key()).unwrap_err(), SignError::InvalidHeader { name: "typ" });
}

#[test]
fn claims_signed_in_two_steps_are_the_same_token() {
    let claims = Claims::registered().subject("ann").expires_at(later(900));
    let prepare = || claims.prepare(&Identity::new(Algorithm::Hs256)).unwrap();
    let signature = key().sign_bytes(prepare().signing_input()).unwrap();
    let text = claims.sign(&key()).unwrap();
    assert_eq!(prepare().finish(signature.as_bytes()).unwrap(), text);
    assert_eq!(prepare().finish_checked(signature.as_bytes(), &key()).unwrap(), text);
    assert_accepted(&open(), &text);
    for length in [0, 31, 33, 64, 256] {
        let error = prepare().finish(&vec![0; length]).unwrap_err();
        let algorithm = Algorithm::Hs256;
        assert_eq!(error, SignError::SignatureLength { algorithm, bytes: length });
    }
    assert_eq!(prepare().finish_checked(&[0; 32], &key()).unwrap_err(), SignError::SigningFailed);
    let other = other_key();
    assert_eq!(prepare().finish_checked(signature.as_bytes(), &other).unwrap_err(), SignError::SigningFailed);
}

#[test]
fn sign_errors_have_stable_names() {
    let code = |error: SignError| error.code();
    assert_eq!(code(Claims::registered().sign(&key()).unwrap_err()), "missing_expiration");
    assert_eq!(code(claims(5).sign(&key()).unwrap_err()), "claims_not_an_object");
    assert_eq!(code(claims(Failing).sign(&key()).unwrap_err()), "serialize");
    assert_eq!(code(claims(json!({"exp": "x"})).sign(&key()).unwrap_err()), "malformed_claim");
    assert_eq!(code(claims(json!({"iss": "x"})).issuer("y").sign(&key()).unwrap_err()), "duplicate_claim");
    assert_eq!(
        code(claims(json!({"$serde_json::private::x": 1})).sign(&key()).unwrap_err()),
        "reserved_name"
    );
    assert_eq!(code(claims(()).typ("").sign(&key()).unwrap_err()), "invalid_header");
    let contradictory = Claims::registered().expires_at(NOW).issued_at(NOW);
    assert_eq!(code(contradictory.sign(&key()).unwrap_err()), "contradictory_times");
}

#[test]
fn the_debug_text_does_not_use_that_of_the_claims_type() {
    fn shown(value: &impl Debug) -> String {
        format!("{value:?}")
    }
    let claims = Claims::new(json!({"x": "a secret of the claims"})).issuer("an issuer").never_expires();
    assert_eq!(shown(&claims), "Claims { .. }");
    let prepared = claims.prepare(&key()).unwrap();
    assert_eq!(shown(&prepared), format!("Prepared(HS256, {} bytes)", prepared.signing_input().len()));
}

#[test]
fn never_expires_contradicts_an_expiry_in_the_claims_type() {
    let both = Claims::new(BTreeMap::from([("exp", 1_700_000_900)])).never_expires();
    unsigned(&both, &SignError::DuplicateClaim { claim: "exp".into() });
}

#[test]
fn header_parameters_are_written_after_those_of_the_key_and_read_back() {
    let key = key().with_key_id("k").unwrap();
    let text = Claims::registered()
        .never_expires()
        .content_type("x")
        .header_parameter("x5t#S256", "abc")
        .unwrap()
        .header_parameter("a\"b", &serde_json::json!({"n": [1, null]}))
        .unwrap()
        .sign(&key)
        .unwrap();
    let verifier = Verifier::builder(key).accept_any_issuer().no_audience().allow_missing_expiration();
    let token = verifier.build().unwrap().at(NOW).verify::<()>(&text).unwrap();
    assert_eq!(
        token.header().json(),
        r#"{"alg":"HS256","typ":"JWT","cty":"x","kid":"k","x5t#S256":"abc","a\"b":{"n":[1,null]}}"#
    );
    assert_eq!(token.header().content_type(), Some("x"));

    // As many as a verifier accepts in addition to `alg`, `kid`, `typ` and `cty`.
    let named = other_key().with_key_id("1").unwrap();
    let full = (0..60).try_fold(Claims::registered().never_expires(), |claims, number| {
        claims.header_parameter(&format!("n{number}"), &0)
    });
    let full = full.unwrap().content_type("x");
    assert_accepted(&built(lax()).with_keys(named.clone()), &full.sign(&named).unwrap());
    let error = full.header_parameter("n60", &0).unwrap_err();
    assert_eq!(
        (error.code(), error),
        ("too_many_header_parameters", SignError::TooManyHeaderParameters { limit: 60 })
    );

    let message = jws::Payload::new("x").header_parameter("n", &7).unwrap().sign(&other_key()).unwrap();
    let verified = jws::MessageVerifier::new(other_key()).verify(&message).unwrap();
    assert_eq!(verified.header().json(), r#"{"alg":"HS256","n":7}"#);
}

#[test]
fn a_header_parameter_that_is_written_elsewhere_or_given_twice_is_refused() {
    let claims = || Claims::registered().never_expires();
    for name in ["alg", "b64", "crit", "cty", "kid", "typ"] {
        let taken = SignError::HeaderParameterTaken { name: name.into() };
        assert_eq!(claims().header_parameter(name, "x").unwrap_err(), taken);
        assert_eq!(jws::Payload::new("x").header_parameter(name, "x").unwrap_err(), taken);
    }
    let twice = claims().header_parameter("nonce", "1").unwrap().header_parameter("nonce", "2").unwrap_err();
    assert_eq!(twice, SignError::HeaderParameterTaken { name: "nonce".into() });
    assert_eq!(twice.to_string(), r#"header parameter "nonce" cannot be set here, or is set already"#);
    assert_eq!(twice.code(), "header_parameter_taken");
    let reserved = claims().header_parameter("$serde_json::private::RawValue", "1").unwrap_err();
    assert_eq!(reserved, SignError::ReservedName);
    let not_json = BTreeMap::from([((1, 2), 3)]);
    assert_eq!(claims().header_parameter("x", &not_json).unwrap_err(), SignError::Serialize);
}

#[test]
fn the_name_of_an_algorithm_is_read_and_written_exactly() {
    for (algorithm, name) in [(Algorithm::Hs256, "HS256"), (Algorithm::Rs256, "RS256")] {
        assert_eq!(name.parse(), Ok(algorithm));
        assert_eq!((algorithm.to_string(), algorithm.name()), (name.into(), name));
        let json = format!("\"{name}\"");
        assert_eq!(serde_json::to_string(&algorithm).unwrap(), json);
        assert_eq!(serde_json::from_str::<Algorithm>(&json).unwrap(), algorithm);
    }
    for name in ["", "none", "hs256", "HS256 ", "HS1", "A256GCM"] {
        assert_eq!(name.parse::<Algorithm>(), Err(KeyError::UnsupportedAlgorithm), "{name}");
        assert!(serde_json::from_str::<Algorithm>(&format!("\"{name}\"")).is_err(), "{name}");
    }
    assert!(serde_json::from_str::<Algorithm>("7").is_err());
}

#[test]
fn limits_return_the_values_that_were_set() {
    let limits = Limits::new()
        .with_token_bytes(1)
        .with_header_bytes(2)
        .with_key_id_bytes(3)
        .with_depth(4)
        .with_members(5)
        .with_audiences(6);
    let said = [limits.token_bytes(), limits.header_bytes(), limits.key_id_bytes()];
    assert_eq!(said, [1, 2, 3]);
    assert_eq!([limits.depth(), limits.members(), limits.audiences()], [4, 5, 6]);
    assert_eq!(Limits::new().with_depth(1000).depth(), Limits::MAX_DEPTH);
    assert_eq!(Limits::new().with_token_bytes(usize::MAX).token_bytes(), 1 << 30);
}
