//! The program that runs an issuer, and logs in to it.

use crate::Fallible;
use countersign::Algorithm;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A process that answers a line of JSON with a line of JSON.
pub(crate) struct Peer {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

#[derive(Deserialize)]
struct About {
    name: String,
    version: String,
    issuer: String,
    algorithms: Vec<String>,
}

/// What a client gets for its code.
#[derive(Deserialize)]
pub(crate) struct Tokens {
    pub(crate) access_token: String,
    pub(crate) id_token: String,
    pub(crate) client_id: String,
    /// The nonce that the client has sent.
    pub(crate) nonce: String,
    /// The keys of tokens that are signed with HS256, HS384 or HS512, in base64url.
    #[serde(default)]
    pub(crate) secrets: Secrets,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Secrets {
    pub(crate) access_token: String,
    pub(crate) id_token: String,
}

impl Peer {
    pub(crate) fn start(command: &[String]) -> Fallible<Self> {
        let [program, arguments @ ..] = command else { return Err("start it with ./run".into()) };
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{program}: {error}"))?;
        let input = Some(child.stdin.take().ok_or("no input")?);
        let output = BufReader::new(child.stdout.take().ok_or("no output")?);
        Ok(Self { child, input, output })
    }

    /// Prints what the issuer is, and returns its URL.
    pub(crate) fn issuer(&mut self) -> Fallible<String> {
        let About { name, version, issuer, .. } = self.ask(&json!({ "op": "about" }))?;
        println!("\n-- {name} {version}: {issuer}");
        Ok(issuer)
    }

    /// The algorithms of ID tokens with a signature that its discovery document names.
    pub(crate) fn algorithms(&mut self) -> Fallible<Vec<String>> {
        let About { algorithms, .. } = self.ask(&json!({ "op": "about" }))?;
        let names = algorithms.into_iter().filter(|name| name != "none");
        names.map(|name| Ok(name.parse::<Algorithm>().map(|_| name)?)).collect()
    }

    /// Logs in with a client that asks for this algorithm.
    pub(crate) fn tokens(&mut self, algorithm: &str) -> Fallible<Tokens> {
        self.ask(&json!({ "op": "tokens", "alg": algorithm }))
    }

    /// Logs in with a client that asks for no algorithm.
    pub(crate) fn tokens_by_default(&mut self) -> Fallible<Tokens> {
        self.ask(&json!({ "op": "tokens" }))
    }

    /// Changes the keys of the issuer.
    pub(crate) fn keys(&mut self, change: &str) -> Fallible<()> {
        self.ask::<Value>(&json!({ "op": "keys", "change": change })).map(|_| ())
    }

    fn ask<T: DeserializeOwned>(&mut self, request: &Value) -> Fallible<T> {
        writeln!(self.input.as_mut().ok_or("no input")?, "{request}")?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        serde_json::from_str(&line).map_err(|_| format!("no answer to {request}: {line}").into())
    }
}

/// Ends the input of the program, on which it ends its server and itself.
impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}
