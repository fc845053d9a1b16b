//! An actix-web server with handlers that take a `Bearer<User>`: they get a verified token, or are not called.
//!
//! ```sh
//! cargo run -p actix-web-bearer
//! ```

use actix_web::dev::{Payload, Server};
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{App, FromRequest, HttpRequest, HttpResponse, HttpServer, ResponseError, get, web};
use countersign::http::{Challenge, RequestError, Scope};
use countersign::{Algorithm, Claims, HmacKey, SignError, Token, Verifier};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::fmt;
use std::future::{Ready, ready};
use std::net::TcpListener;
use std::time::Duration;

/// The claims that this server needs in a token.
#[derive(Serialize, Deserialize)]
struct User {
    name: String,
    scopes: Vec<String>,
}

/// What the handlers share.
struct Guard {
    verifier: Verifier,
    admin: Scope,
}

/// A verified token. A handler with this argument is called only if there is one.
struct Bearer<T>(Token<T>);

impl<T: DeserializeOwned> FromRequest for Bearer<T> {
    type Error = Refused;
    type Future = Ready<Result<Self, Refused>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let guard = request.app_data::<web::Data<Guard>>().expect("the app has its guard");
        // All headers, because `get` would use the first of two.
        let values = request.headers().get_all(AUTHORIZATION);
        ready(guard.verifier.verify_bearer(values).map(Self).map_err(Refused::from))
    }
}

/// The answer to a refused request: status, `WWW-Authenticate`, and a stable code.
#[derive(Debug)]
struct Refused {
    challenge: Challenge,
    code: &'static str,
}

impl From<RequestError> for Refused {
    fn from(error: RequestError) -> Self {
        Self { challenge: error.challenge(), code: error.code() }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

impl ResponseError for Refused {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.challenge.status()).unwrap_or(StatusCode::UNAUTHORIZED)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        if let Some(challenge) = self.challenge.www_authenticate() {
            response.insert_header((WWW_AUTHENTICATE, challenge));
        }
        if self.challenge.status() == 503 {
            response.insert_header((RETRY_AFTER, "5"));
        }
        response.body(self.code)
    }
}

#[get("/whoami")]
async fn whoami(Bearer(token): Bearer<User>) -> String {
    format!("Hello, {}.\n", token.claims().name)
}

#[get("/settings")]
async fn settings(Bearer(token): Bearer<User>, guard: web::Data<Guard>) -> Result<String, Refused> {
    if token.claims().scopes.iter().any(|scope| scope == "admin") {
        return Ok("The settings.\n".into());
    }
    Err(Refused { challenge: Challenge::insufficient_scope(&guard.admin), code: "insufficient_scope" })
}

fn serve(listener: TcpListener, guard: Guard) -> std::io::Result<Server> {
    let guard = web::Data::new(guard);
    let server =
        HttpServer::new(move || App::new().app_data(guard.clone()).service(whoami).service(settings));
    Ok(server.workers(1).disable_signals().listen(listener)?.run())
}

fn guard(key: HmacKey) -> Result<Guard, Box<dyn Error>> {
    let policy = Verifier::builder(key).issuer("https://auth.example").audience("https://api.example");
    Ok(Guard { verifier: policy.build()?, admin: Scope::new("admin")? })
}

fn token(key: &HmacKey, name: &str, scopes: &[&str]) -> Result<String, SignError> {
    let scopes = scopes.iter().map(|scope| scope.to_string()).collect();
    Claims::new(User { name: name.into(), scopes })
        .issuer("https://auth.example")
        .audience("https://api.example")
        .expires_in(Duration::from_secs(15 * 60))
        .sign(key)
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // In production, read the secret from a secret store. The authentication server has it too.
    let key = HmacKey::generate(Algorithm::Hs256)?;
    let listener = TcpListener::bind("127.0.0.1:3000")?;
    let token = token(&key, "Ann", &["admin"])?;
    println!("curl -i http://127.0.0.1:3000/settings -H 'Authorization: Bearer {token}'");
    serve(listener, guard(key)?)?.await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign::SecretBytes;

    fn key(byte: u8) -> HmacKey {
        HmacKey::hs256(&SecretBytes::from_bytes([byte; 32])).unwrap()
    }

    fn bearer(byte: u8, scopes: &[&str]) -> String {
        format!("Bearer {}", token(&key(byte), "Ann", scopes).unwrap())
    }

    /// Starts a server, and returns a function that sends GET to it: it returns status, `WWW-Authenticate` and body.
    fn started() -> impl Fn(&str, &[&str]) -> (u16, Option<String>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            actix_web::rt::System::new()
                .block_on(async { serve(listener, guard(key(7)).unwrap()).unwrap().await })
        });
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        move |path, values| {
            let mut request = agent.get(format!("http://{address}{path}"));
            for value in values {
                request = request.header("authorization", *value);
            }
            let mut response = request.call().unwrap();
            let challenge = response.headers().get("www-authenticate");
            let challenge = challenge.map(|value| value.to_str().unwrap().to_owned());
            (response.status().as_u16(), challenge, response.body_mut().read_to_string().unwrap())
        }
    }

    #[test]
    fn the_server_answers_each_request_by_its_token() {
        let ask = started();
        assert_eq!(ask("/whoami", &[&bearer(7, &[])]), (200, None, "Hello, Ann.\n".into()));
        assert_eq!(
            ask("/settings", &[&bearer(7, &["read", "admin"])]),
            (200, None, "The settings.\n".into())
        );
        let good = bearer(7, &[]);
        for (values, status, code, challenge) in [
            (&[][..], 401, "missing_credentials", "Bearer"),
            (&["Basic YTpi"], 401, "other_scheme", "Bearer"),
            (&["Bearer"], 400, "malformed_credentials", r#"Bearer error="invalid_request""#),
            (&[&good, &good], 400, "several_credentials", r#"Bearer error="invalid_request""#),
            (&["Basic YTpi", &good], 400, "several_credentials", r#"Bearer error="invalid_request""#),
        ] {
            let expected = (status, Some(challenge.to_owned()), code.to_owned());
            assert_eq!(ask("/whoami", values), expected, "{values:?}");
        }
        let (status, challenge, code) = ask("/whoami", &[&bearer(8, &["admin"])]);
        assert_eq!((status, &*code), (401, "invalid_signature"));
        assert!(challenge.unwrap().starts_with(r#"Bearer error="invalid_token""#));
        let (status, challenge, code) = ask("/settings", &[&bearer(7, &["read"])]);
        assert_eq!((status, &*code), (403, "insufficient_scope"));
        assert_eq!(challenge.as_deref(), Some(r#"Bearer error="insufficient_scope", scope="admin""#));
    }
}
