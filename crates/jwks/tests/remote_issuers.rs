//! Several issuers in one list.

mod util;

use countersign::{Claims, Expected, SigningKey, VerifyError};
use countersign_jwks::{Issuers, RemoteKeys};
use util::{AUDIENCE, Idp, Time, key, paused, seconds, settle, started, token_of};

const GOOGLE: [&str; 2] = ["https://accounts.google.com", "accounts.google.com"];
const ENTRA: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";

#[derive(serde::Serialize, serde::Deserialize)]
struct Tenant {
    tid: String,
}

fn tenant(issuer: &str, tid: &str, key: &SigningKey) -> String {
    Claims::new(Tenant { tid: tid.into() })
        .issuer(issuer)
        .audience(AUDIENCE)
        .issued_at(Time::START)
        .expires_in(seconds(3600))
        .sign(key)
        .unwrap()
}

fn both(google: &RemoteKeys, entra: &RemoteKeys) -> Issuers {
    Issuers::new()
        .with_issuer(&GOOGLE, google.clone(), |policy| policy.audience(AUDIENCE))
        .unwrap()
        .with_template(ENTRA, "tid", entra.clone(), |policy| policy.audience(AUDIENCE))
        .unwrap()
}

#[test]
fn each_token_is_verified_with_the_keys_of_its_issuer() {
    paused(async {
        let (one, two) = (key("1"), key("1"));
        let (google, entra) = (Idp::with_keys(&[&one]), Idp::with_keys(&[&two]));
        let ((google_keys, _), (entra_keys, _)) = (started(&google).await, started(&entra).await);
        let issuers = both(&google_keys, &entra_keys);
        for issuer in GOOGLE {
            issuers.verify::<()>(&token_of(issuer, &one)).await.unwrap();
            // With the key of the other issuer, under the same key id.
            let error = issuers.verify::<()>(&token_of(issuer, &two)).await.unwrap_err();
            assert_eq!(error, VerifyError::InvalidSignature);
        }
        let issuer = ENTRA.replace("{tenantid}", "contoso");
        let token = issuers.verify::<Tenant>(&tenant(&issuer, "contoso", &two)).await.unwrap();
        assert_eq!(token.claims().tid, "contoso");
        let error = issuers.verify::<()>(&tenant(&issuer, "contoso", &one)).await.unwrap_err();
        assert_eq!(error, VerifyError::InvalidSignature);
        let error = issuers.verify::<()>(&tenant(&issuer, "fabrikam", &two)).await.unwrap_err();
        assert!(matches!(error, VerifyError::WrongIssuer { .. }));
        assert_eq!((google.requests(), entra.requests()), (1, 1), "all tenants share one set");
    });
}

#[test]
fn a_token_of_an_issuer_that_is_not_listed_is_refused_and_fetches_nothing() {
    paused(async {
        let (google, entra) = (Idp::with_keys(&[&key("1")]), Idp::with_keys(&[&key("2")]));
        let ((google_keys, time), (entra_keys, _)) = (started(&google).await, started(&entra).await);
        let issuers = both(&google_keys, &entra_keys);
        time.jump(60);
        for issuer in [
            "https://evil.example",
            "",
            "https://accounts.google.com/",
            "HTTPS://accounts.google.com",
            "https://login.microsoftonline.com/v2.0",
            "https://login.microsoftonline.com.evil.example/contoso/v2.0",
            "https://login.microsoftonline.com/contoso/v1.0",
        ] {
            let error = issuers.verify::<()>(&token_of(issuer, &key("unknown"))).await.unwrap_err();
            let names = [GOOGLE[0], GOOGLE[1], ENTRA];
            assert_eq!(error, VerifyError::WrongIssuer { expected: Expected::instead_of(issuer, names) });
        }
        let error =
            issuers.verify::<()>(&token_of("https://accounts.google.com/", &key("x"))).await.unwrap_err();
        assert!(error.to_string().contains("with a slash at the end"), "{error}");
        settle().await;
        assert_eq!((google.requests(), entra.requests()), (1, 1));
        let none = Issuers::new().verify::<()>(&token_of(GOOGLE[0], &key("1"))).await.unwrap_err();
        assert_eq!(none.code(), "wrong_issuer");
    });
}

#[test]
fn a_token_without_one_issuer_is_refused() {
    use countersign::jws::Payload;
    paused(async {
        let idp = Idp::with_keys(&[&key("1")]);
        let (keys, _) = started(&idp).await;
        let issuers = both(&keys, &keys);
        for (payload, code) in [
            ("{}", "missing_claim"),
            (r#"{"iss":null}"#, "malformed_claim"),
            (r#"{"iss":7}"#, "malformed_claim"),
            (r#"{"iss":["accounts.google.com"]}"#, "malformed_claim"),
            (r#"{"iss":"accounts.google.com","iss":"accounts.google.com"}"#, "duplicate_member"),
            (r#"{"iss":"a","\u0069ss":"accounts.google.com"}"#, "duplicate_member"),
            ("[\"accounts.google.com\"]", "invalid_json"),
            ("accounts.google.com", "invalid_json"),
            ("", "invalid_json"),
        ] {
            let text = Payload::new(payload).sign(&key("1")).unwrap();
            let error = issuers.verify::<()>(&text).await.unwrap_err();
            assert_eq!(error.code(), code, "{payload}: {error}");
        }
        let error = issuers.verify::<()>("nothing").await.unwrap_err();
        assert_eq!(error, VerifyError::NotAToken);
    });
}

#[test]
fn a_policy_without_a_decision_on_the_audience_is_an_error() {
    paused(async {
        let (keys, _) = started(&Idp::with_keys(&[&key("1")])).await;
        assert!(Issuers::new().with_issuer(&GOOGLE, keys.clone(), |policy| policy).is_err());
        assert!(Issuers::new().with_issuer(&[], keys.clone(), |policy| policy.no_audience()).is_err());
        assert!(
            Issuers::new().with_template("https://{a}", "a", keys, |policy| policy.no_audience()).is_err()
        );
    });
}
