//! Static files in the shape of a Kubernetes cluster, and tokens of service accounts: an array of audiences, no `typ`, and the hash
//! of the public key as key id.

use crate::Fallible;
use crate::service::{Demand, Service};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use core::time::Duration;
use countersign::{Algorithm, KeySet, PrivateKey, SigningKey, UnixTime, jws};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

const AUDIENCE: &str = "https://vault.example";
const SUBJECT: &str = "system:serviceaccount:shop:api";

/// Arguments: a folder for the files, and the command of a server of static files, to which the port is added.
pub(crate) fn check(arguments: &[String]) -> Fallible<()> {
    let [folder, command @ ..] = arguments else { return Err("start it with ./run".into()) };
    let folder = Path::new(folder);
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let issuer = format!("http://127.0.0.1:{port}");
    write(folder, ".well-known/openid-configuration", &discovery(&issuer, port))?;
    let old = [Algorithm::Rs256, Algorithm::Es256].map(key);
    let old = old.into_iter().collect::<Fallible<Vec<_>>>()?;
    publish(folder, &old)?;
    let _server = Server::start(command, port)?;
    println!("\n-- static files in the shape of Kubernetes: {issuer}");

    let service = Service::new(&issuer)?;
    for key in &old {
        expect(&service, "verified", "token", &issuer, key)?;
    }
    let demand = Demand { audience: "https://other.example", ..Demand::default() };
    service.expect("wrong_audience", "token for another service", &token(&issuer, &old[0])?, demand)?;
    let demand = Demand { typ: Some("JWT"), ..demand_of_service() };
    service.expect(
        "wrong_type",
        "token for a service that asks for a typ",
        &token(&issuer, &old[0])?,
        demand,
    )?;

    let new = [Algorithm::Es384, Algorithm::MlDsa65].map(key).into_iter().collect::<Fallible<Vec<_>>>()?;
    publish(folder, &new)?;
    service.pass_cooldown();
    for key in &new {
        expect(&service, "verified", "token of a new key", &issuer, key)?;
    }
    for key in &old {
        expect(&service, "unknown_key", "token of a removed key", &issuer, key)?;
    }
    Ok(())
}

fn demand_of_service() -> Demand<'static> {
    Demand { audience: AUDIENCE, ..Demand::default() }
}

fn expect(service: &Service, verdict: &str, what: &str, issuer: &str, key: &SigningKey) -> Fallible<()> {
    let what = format!("{} {what}", key.algorithm());
    service.expect(verdict, &what, &token(issuer, key)?, demand_of_service())
}

/// As the API server writes it: the key set is at an address of its own, and not at the issuer's.
fn discovery(issuer: &str, port: u16) -> String {
    json!({
        "issuer": issuer,
        "jwks_uri": format!("http://localhost:{port}/openid/v1/jwks"),
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256", "ES384", "ML-DSA-65", "RS256"],
    })
    .to_string()
}

fn publish(folder: &Path, keys: &[SigningKey]) -> Fallible<()> {
    let mut set = KeySet::new();
    for key in keys {
        set.insert(key.verifying_key())?;
    }
    write(folder, "openid/v1/jwks", &set.to_jwks()?)
}

fn write(folder: &Path, name: &str, text: &str) -> Fallible<()> {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().ok_or("no folder")?)?;
    Ok(fs::write(path, text)?)
}

fn key(algorithm: Algorithm) -> Fallible<SigningKey> {
    let private = PrivateKey::generate(algorithm)?;
    let key_id = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(private.public_key()?.to_der()?));
    Ok(private.signing_key(algorithm)?.with_key_id(key_id)?)
}

fn token(issuer: &str, key: &SigningKey) -> Fallible<String> {
    let now = UnixTime::now().as_secs();
    let claims = json!({
        "aud": [AUDIENCE],
        "exp": now + 3600,
        "iat": now,
        "iss": issuer,
        "jti": "5f2d7b2c-6d7e-4b1d-9c39-0e0b2c4c8a11",
        "kubernetes.io": {
            "namespace": "shop",
            "node": { "name": "node-1", "uid": "8a1e6c61-6a3b-4f8e-8f0a-5b0f6f4f0f63" },
            "pod": { "name": "api-0", "uid": "c0a5b5a2-3c39-4a0e-9c8f-90d2c2c35b67" },
            "serviceaccount": { "name": "api", "uid": "1d8c2c1c-1cbb-4f41-9d9f-4d7ad5f1a3a5" },
            "warnafter": now + 3607,
        },
        "nbf": now,
        "sub": SUBJECT,
    });
    Ok(jws::Payload::new(&claims.to_string()).sign(key)?)
}

/// Ends the process when it is dropped.
struct Server(Child);

impl Server {
    fn start(command: &[String], port: u16) -> Fallible<Self> {
        let [program, arguments @ ..] = command else { return Err("start it with ./run".into()) };
        let child = Command::new(program)
            .args(arguments)
            .arg(port.to_string())
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| format!("{program}: {error}"))?;
        let mut server = Self(child);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Some(status) = server.0.try_wait()? {
                return Err(format!("the server has ended: {status}").into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
