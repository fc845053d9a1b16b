//! Access tokens: the example of [RFC 9068](https://www.rfc-editor.org/rfc/rfc9068), and each of its requirements.
#![allow(clippy::needless_pass_by_value, reason = "a caller passes json!(..) as it is")]

mod util;

use countersign::http::RequestError;
use countersign::profile::{AccessToken, AccessTokenVerifier, IdTokenVerifier, Login};
use countersign::{Algorithm, PolicyError, UnixTime, Verifier, VerifierBuilder, VerifyError};
use serde_json::{Value, json};
use util::{HEADER, NOW, assert_discreet_about_token, changed, key, signed};

const ISSUER: &str = "https://auth.example";
const API: &str = "https://api.example";

fn policy() -> VerifierBuilder {
    Verifier::builder(key()).issuer(ISSUER).audience(API)
}

fn verifier() -> AccessTokenVerifier {
    AccessTokenVerifier::new(policy()).unwrap()
}

/// The claims of a usual access token, with these in addition or in place; `null` removes a claim.
fn claims(changes: Value) -> String {
    let claims = json!({
        "iss": ISSUER, "sub": "ann", "aud": API, "iat": NOW.as_secs(), "exp": NOW.as_secs() + 300,
        "client_id": "client-1", "jti": "1",
    });
    changed(&claims, changes).to_string()
}

fn token(changes: Value) -> String {
    signed(r#"{"alg":"HS256","typ":"at+jwt"}"#, claims(changes))
}

#[track_caller]
fn accepted_by(verifier: &AccessTokenVerifier, text: &str) -> AccessToken<Value> {
    verifier.verify_at::<()>(text, NOW).unwrap();
    let bearer = verifier.verify_bearer_at::<Value>([format!("Bearer {text}")], NOW).unwrap();
    let access = verifier.verify_at::<Value>(text, NOW).unwrap();
    assert_eq!(access.claims(), bearer.claims());
    access
}

#[track_caller]
fn refused_by(verifier: &AccessTokenVerifier, text: &str) -> VerifyError {
    let error = verifier.verify_at::<Value>(text, NOW).unwrap_err();
    assert_eq!(verifier.verify_at::<()>(text, NOW).unwrap_err(), error);
    let bearer = verifier.verify_bearer_at::<()>([format!("Bearer {text}")], NOW).unwrap_err();
    assert_eq!(bearer, RequestError::Token(error.clone()));
    assert_discreet_about_token(core::slice::from_ref(&error), text);
    error
}

#[track_caller]
fn accepted(changes: Value) -> AccessToken<Value> {
    accepted_by(&verifier(), &token(changes))
}

#[track_caller]
fn refused(changes: Value) -> VerifyError {
    refused_by(&verifier(), &token(changes))
}

const fn malformed(claim: &'static str, found: &'static str) -> VerifyError {
    VerifyError::MalformedClaim { claim, found: Some(found) }
}

#[test]
fn section_2_the_example_is_accepted() {
    // The issuer's key is not published, so it is signed with ours.
    let header = r#"{"typ":"at+JWT","alg":"HS256","kid":"RjEwOwOA"}"#;
    let payload = r#"{
     "iss": "https://authorization-server.example.com/",
     "sub": "5ba552d67",
     "aud":   "https://rs.example.com/",
     "exp": 1639528912,
     "iat": 1618354090,
     "jti" : "dbe39bf3a3ba4238a513f51d6e1691c4",
     "client_id": "s6BhdRkqt3",
     "scope": "openid profile reademail"
    }"#;
    let policy = Verifier::builder(key())
        .issuer("https://authorization-server.example.com/")
        .audience("https://rs.example.com/");
    let verifier = AccessTokenVerifier::new(policy).unwrap();
    let now = UnixTime::from_secs(1_618_354_100);
    let access = verifier.verify_at::<()>(&signed(header, payload), now).unwrap();
    assert_eq!((access.client_id(), access.token().subject()), (Some("s6BhdRkqt3"), Some("5ba552d67")));
    assert_eq!(access.scopes().collect::<Vec<_>>(), ["openid", "profile", "reademail"]);
}

#[test]
fn s97_s98_the_type_and_the_seven_claims_are_required() {
    for claim in ["iss", "aud", "exp", "sub", "client_id", "iat", "jti"] {
        assert_eq!(refused(json!({ claim: null })), VerifyError::MissingClaim { claim: claim.into() });
    }
    for typ in ["at+jwt", "application/at+jwt", "AT+JWT"] {
        accepted_by(&verifier(), &signed(format!(r#"{{"alg":"HS256","typ":"{typ}"}}"#), claims(json!({}))));
    }
    let refusal = |policy| AccessTokenVerifier::new(policy).unwrap_err();
    for policy in [policy().typ("JWT"), policy().accept_any_typ()] {
        let expected = PolicyError::Contradiction { first: "typ", second: "AccessTokenVerifier" };
        assert_eq!(refusal(policy), expected);
    }
    for policy in [Verifier::builder(key()).issuer(ISSUER).no_audience(), policy().allow_missing_expiration()]
    {
        let error = refusal(policy);
        assert!(matches!(error, PolicyError::Contradiction { .. }), "{error}");
    }
    assert_eq!(refusal(Verifier::builder(key()).issuer(ISSUER)), PolicyError::AudienceUndecided);
}

#[test]
fn s235_scope_is_split_at_single_spaces_and_compared_exactly() {
    let access = accepted(json!({"scope": "orders:read profile"}));
    assert_eq!(access.scopes().collect::<Vec<_>>(), ["orders:read", "profile"]);
    assert!(access.has_scope("orders:read") && access.has_scope("profile"));
    for other in ["orders", "orders:", "Profile", "orders:read profile", "", " "] {
        assert!(!access.has_scope(other), "{other:?}");
    }
    for scope in [json!(null), json!("")] {
        let access = accepted(json!({ "scope": scope }));
        assert!(access.scopes().next().is_none() && !access.has_scope(""));
    }
    for scope in [" ", " a", "a ", "a  b"] {
        assert_eq!(
            refused(json!({ "scope": scope })),
            VerifyError::WrongClaim { claim: "scope" },
            "{scope:?}"
        );
    }
    // A tab does not separate.
    assert!(accepted(json!({"scope": "a\tb"})).has_scope("a\tb"));
    assert_eq!(refused(json!({"scope": ["a"]})), malformed("scope", "an array"));
}

#[test]
fn s235_roles_groups_and_entitlements_of_a_wrong_type_are_an_error() {
    let access = accepted(json!({"roles": ["admin", "b\u{00e4}r"], "groups": ["g"], "entitlements": []}));
    assert_eq!(access.roles().collect::<Vec<_>>(), ["admin", "bär"]);
    assert_eq!(access.groups().collect::<Vec<_>>(), ["g"]);
    assert_eq!(access.entitlements().next(), None);
    for claim in ["roles", "groups", "entitlements"] {
        for (value, found) in [
            (json!("admin"), "a string"),
            (json!({"admin": true}), "an object"),
            (json!(["admin", 1]), "an array"),
            (json!(["admin", null]), "an array"),
            (json!(7), "a number"),
        ] {
            assert_eq!(refused(json!({ claim: value })), malformed(claim, found));
        }
        let null = token(json!({})).len();
        let text = signed(
            r#"{"alg":"HS256","typ":"at+jwt"}"#,
            claims(json!({})).replace("\"jti\":\"1\"", &format!("\"jti\":\"1\",\"{claim}\":null")),
        );
        assert!(text.len() > null);
        assert_eq!(refused_by(&verifier(), &text), malformed(claim, "null"));
    }
    assert_eq!(refused(json!({"client_id": 7})), malformed("client_id", "a number"));
}

#[test]
fn s236_another_type_is_refused() {
    for typ in ["token-introspection+jwt", "JWT", "logout+jwt", "dpop+jwt", "at", ""] {
        let text = signed(format!(r#"{{"alg":"HS256","typ":"{typ}"}}"#), claims(json!({})));
        assert!(matches!(refused_by(&verifier(), &text), VerifyError::WrongType { .. }), "{typ}");
    }
    let text = signed(r#"{"alg":"HS256"}"#, claims(json!({})));
    assert!(matches!(refused_by(&verifier(), &text), VerifyError::WrongType { .. }));
}

#[test]
fn s236_a_type_of_another_profile_is_refused_where_any_type_is_accepted() {
    let lax = AccessTokenVerifier::untyped(policy().accept_any_typ()).unwrap();
    let typed = |typ: &str| signed(format!(r#"{{"alg":"HS256","typ":"{typ}"}}"#), claims(json!({})));
    for typ in [
        "token-introspection+jwt",
        "application/Token-Introspection+JWT",
        "logout+jwt",
        "dpop+jwt",
        "secevent+jwt",
        "client-authentication+jwt",
    ] {
        assert!(matches!(refused_by(&lax, &typed(typ)), VerifyError::WrongType { .. }), "{typ}");
    }
    for typ in ["at+jwt", "JWT", "JWS", ""] {
        accepted_by(&lax, &typed(typ));
    }
    accepted_by(&lax, &signed(r#"{"alg":"HS256"}"#, claims(json!({}))));
}

/// The same key, `iss`, `aud` and `typ`: canaille 0.3.6 and lemonldap-ng 2.16.1 sign such tokens, here for a client with the id
/// of its API.
#[test]
fn id_and_access_tokens_that_differ_in_claims_only_are_not_accepted_for_each_other() {
    let access = AccessTokenVerifier::untyped(policy()).unwrap();
    let id = Verifier::builder(key()).issuer(ISSUER);
    let id = IdTokenVerifier::new(id, API).unwrap().algorithm(Algorithm::Hs256);
    let jwt = |changes| signed(HEADER, claims(changes));
    let nonce = Login::new("n-0S6_WzA2Mj");

    let canaille = json!({"aud": [API], "client_id": null, "jti": null});
    let lemonldap = json!({"aud": [API], "scope": "openid profile"});
    for changes in [canaille, lemonldap] {
        let text = jwt(changes);
        accepted_by(&access, &text);
        for login in [nonce.clone(), Login::without_nonce()] {
            assert!(id.verify_at::<()>(&text, &login, NOW).is_err());
        }
    }
    let base = json!({"client_id": null, "jti": null});
    for own in [
        json!({"nonce": "n-0S6_WzA2Mj"}),
        json!({"nonce": "n-0S6_WzA2Mj", "at_hash": "77QmUPtjPfzWtF2AnpK9RQ", "auth_time": 1_700_000_000.085}),
        json!({"at_hash": "77QmUPtjPfzWtF2AnpK9RQ"}),
        json!({"c_hash": "LDktKdoQak3Pk0cnXxCltA"}),
    ] {
        let mut changes = base.clone();
        changes.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        let text = jwt(changes);
        let login = if own.get("nonce").is_some() { nonce.clone() } else { Login::without_nonce() };
        id.verify_at::<()>(&text, &login, NOW).unwrap();
        assert!(matches!(refused_by(&access, &text), VerifyError::WrongKind { .. }));
    }
    for (changes, claim) in [
        (json!({"nonce": 7}), "nonce"),
        (json!({"token_use": "id"}), "token_use"),
        (json!({"token_use": "refresh"}), "token_use"),
        (json!({"typ": "ID"}), "typ"),
        (json!({"typ": "Refresh"}), "typ"),
        (json!({"typ": "Offline"}), "typ"),
        (json!({"typ": "Logout"}), "typ"),
        (json!({"events": {}}), "events"),
        (json!({"token_introspection": {"active": true}}), "token_introspection"),
    ] {
        for (verifier, text) in [(&access, jwt(changes.clone())), (&verifier(), token(changes))] {
            assert_eq!(refused_by(verifier, &text), VerifyError::WrongKind { claim });
        }
    }
    accepted(json!({"token_use": "access", "typ": "Bearer"}));
    // `null` is a claim, too.
    let null = claims(json!({})).replace("\"jti\"", "\"nonce\":null,\"jti\"");
    assert_eq!(refused_by(&access, &signed(HEADER, null)), VerifyError::WrongKind { claim: "nonce" });
}

#[test]
fn s251_a_token_that_is_bound_to_a_key_is_refused_as_a_bearer_token() {
    let text = token(json!({"cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}));
    let error = refused_by(&verifier(), &text);
    assert_eq!(error, VerifyError::BoundToken { to: "jkt" });
    assert_eq!((error.code(), error.challenge().status()), ("bound_token", 401));
    let lax = AccessTokenVerifier::untyped(policy().accept_any_typ()).unwrap();
    for verifier in [lax.clone(), lax.leave_certificate_to_caller()] {
        assert_eq!(refused_by(&verifier, &text), error);
    }
}

#[test]
fn s252_a_confirmation_is_an_object_with_at_most_one_key() {
    for (value, found) in [
        (json!("jkt"), "a string"),
        (json!([]), "an array"),
        (json!(7), "a number"),
        (json!(true), "a boolean"),
    ] {
        assert_eq!(refused(json!({ "cnf": value })), malformed("cnf", found));
    }
    let null = claims(json!({})).replace("\"jti\"", r#""cnf":null,"jti""#);
    let null = signed(r#"{"alg":"HS256","typ":"at+jwt"}"#, null);
    assert_eq!(refused_by(&verifier(), &null), malformed("cnf", "null"));
    for value in [
        json!({"jwk": {}, "jku": "https://a"}),
        json!({"jwe": "a", "jku": "https://a"}),
        json!({"jwk": {}, "jwe": "a"}),
        json!({"jkt": 7}),
        json!({"x5t#S256": ["a"]}),
    ] {
        assert_eq!(refused(json!({ "cnf": value })), VerifyError::WrongClaim { claim: "cnf" });
    }
    let twice = claims(json!({})).replace("\"jti\"", r#""cnf":{"jkt":"a","jk\u0074":"b"},"jti""#);
    let twice = signed(r#"{"alg":"HS256","typ":"at+jwt"}"#, twice);
    assert_eq!(refused_by(&verifier(), &twice), VerifyError::WrongClaim { claim: "cnf" });
    // Unknown members are ignored.
    for value in [json!({}), json!({"new": 7}), json!({"JKT": "a"})] {
        accepted(json!({ "cnf": value }));
    }
}

#[test]
fn s253_a_binding_that_cannot_be_checked_is_refused_by_name() {
    for to in ["x5t#S256", "kid", "jku", "jwe", "fgp#S256"] {
        assert_eq!(refused(json!({"cnf": {to: "a"}})), VerifyError::BoundToken { to });
    }
    assert_eq!(refused(json!({"cnf": {"jwk": {}}})), VerifyError::BoundToken { to: "jwk" });
    let thumbprint = "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2";
    let text = token(json!({"cnf": {"x5t#S256": thumbprint}}));
    let access = accepted_by(&verifier().leave_certificate_to_caller(), &text);
    assert_eq!(access.certificate_thumbprint(), Some(thumbprint));
    assert_eq!(accepted(json!({})).certificate_thumbprint(), None);
}

#[test]
fn debug_texts_show_no_claims() {
    let access = accepted(json!({"scope": "correct horse"}));
    assert!(!format!("{access:?} {:?}", verifier()).contains("correct"));
}
