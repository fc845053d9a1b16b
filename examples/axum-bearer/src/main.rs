//! An axum server with handlers that take a `Bearer<User>`: they get a verified token, or are not called.
//!
//! ```sh
//! cargo run -p axum-bearer
//! ```

use axum::Router;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use countersign::http::{Challenge, Scope};
use countersign::{Algorithm, Claims, HmacKey, Token, Verifier};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::time::Duration;

/// The claims that this server needs in a token.
#[derive(Serialize, Deserialize)]
struct User {
    name: String,
    scopes: Vec<String>,
}

/// A verified token. A handler with this argument is called only if there is one.
struct Bearer<T>(Token<T>);

impl<T, S> FromRequestParts<S> for Bearer<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
    Verifier: FromRef<S>,
{
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        // All headers, because `get` would use the first of two.
        let values = parts.headers.get_all(AUTHORIZATION);
        let token = Verifier::from_ref(state)
            .verify_bearer(values)
            .map_err(|error| Refused { challenge: error.challenge(), code: error.code() })?;
        Ok(Self(token))
    }
}

/// The answer to a refused request: status, `WWW-Authenticate`, and a stable code.
struct Refused {
    challenge: Challenge,
    code: &'static str,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.challenge.status()).unwrap_or(StatusCode::UNAUTHORIZED);
        let mut response = (status, self.code).into_response();
        if let Some(value) =
            self.challenge.www_authenticate().and_then(|text| HeaderValue::from_str(text).ok())
        {
            response.headers_mut().insert(WWW_AUTHENTICATE, value);
        }
        response
    }
}

async fn whoami(Bearer(token): Bearer<User>) -> String {
    format!("Hello, {}.\n", token.claims().name)
}

async fn admin(Bearer(token): Bearer<User>) -> Result<String, Refused> {
    if token.claims().scopes.iter().any(|scope| scope == "admin") {
        return Ok("The settings.\n".into());
    }
    let scope = Scope::new("admin").expect("a valid scope");
    Err(Refused { challenge: Challenge::insufficient_scope(&scope), code: "insufficient_scope" })
}

fn app(verifier: Verifier) -> Router {
    Router::new().route("/", get(whoami)).route("/admin", get(admin)).with_state(verifier)
}

fn verifier(key: HmacKey) -> Result<Verifier, countersign::PolicyError> {
    Verifier::builder(key).issuer("https://auth.example").audience("https://api.example").build()
}

fn token(key: &HmacKey, name: &str, scopes: &[&str]) -> Result<String, countersign::SignError> {
    let scopes = scopes.iter().map(|scope| scope.to_string()).collect();
    Claims::new(User { name: name.into(), scopes })
        .issuer("https://auth.example")
        .audience("https://api.example")
        .expires_in(Duration::from_secs(15 * 60))
        .sign(key)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // In production, read the secret from a secret store. The authentication server has it too.
    let key = HmacKey::generate(Algorithm::Hs256)?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!(
        "curl -i http://127.0.0.1:3000/admin -H 'Authorization: Bearer {}'",
        token(&key, "Ann", &["admin"])?
    );
    axum::serve(listener, app(verifier(key)?)).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use countersign::SecretBytes;
    use tower::ServiceExt;

    /// Returns status, `WWW-Authenticate` and body of the answer.
    async fn ask(path: &str, authorization: &[&str]) -> (u16, Option<String>, String) {
        let mut request = Request::get(path);
        for value in authorization {
            request = request.header(AUTHORIZATION, *value);
        }
        let app = app(verifier(key()).unwrap());
        let response = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let challenge =
            response.headers().get(WWW_AUTHENTICATE).map(|value| value.to_str().unwrap().to_owned());
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 1000).await.unwrap();
        (status, challenge, String::from_utf8(body.into()).unwrap())
    }

    fn key() -> HmacKey {
        HmacKey::hs256(&SecretBytes::from_bytes([7; 32])).unwrap()
    }

    fn bearer(scopes: &[&str]) -> String {
        format!("Bearer {}", token(&key(), "Ann", scopes).unwrap())
    }

    #[tokio::test]
    async fn a_good_token_lets_its_user_in() {
        assert_eq!(ask("/", &[&bearer(&[])]).await, (200, None, "Hello, Ann.\n".into()));
        assert_eq!(
            ask("/admin", &[&bearer(&["read", "admin"])]).await,
            (200, None, "The settings.\n".into())
        );
    }

    #[tokio::test]
    async fn without_a_token_the_answer_is_401_and_no_error_code() {
        for values in [&[][..], &["Basic YTpi"]] {
            let (status, challenge, _) = ask("/", values).await;
            assert_eq!((status, challenge.as_deref()), (401, Some("Bearer")), "{values:?}");
        }
    }

    #[tokio::test]
    async fn a_token_of_another_key_is_401_and_invalid_token() {
        let other =
            token(&HmacKey::hs256(&SecretBytes::from_bytes([8; 32])).unwrap(), "Ann", &["admin"]).unwrap();
        let (status, challenge, code) = ask("/", &[&format!("Bearer {other}")]).await;
        assert_eq!((status, code.as_str()), (401, "invalid_signature"));
        assert!(challenge.unwrap().starts_with(r#"Bearer error="invalid_token""#));
    }

    #[tokio::test]
    async fn two_headers_are_400_whichever_comes_first() {
        let good = bearer(&["admin"]);
        for values in [[good.as_str(), "Bearer x"], ["Basic YTpi", &good], [&good, &good]] {
            let (status, challenge, code) = ask("/admin", &values).await;
            assert_eq!((status, code.as_str()), (400, "several_credentials"));
            assert_eq!(challenge.as_deref(), Some(r#"Bearer error="invalid_request""#));
        }
    }

    #[tokio::test]
    async fn a_user_without_the_scope_is_403_and_not_401() {
        let (status, challenge, code) = ask("/admin", &[&bearer(&["read"])]).await;
        assert_eq!((status, code.as_str()), (403, "insufficient_scope"));
        assert_eq!(challenge.as_deref(), Some(r#"Bearer error="insufficient_scope", scope="admin""#));
    }
}
