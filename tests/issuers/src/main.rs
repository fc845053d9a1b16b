//! Verifies the tokens of an issuer that runs here, and checks which tokens are refused. Run by `./run`.
//!
//! Arguments: the name of the issuer, and the command of the program that runs it.

mod canaille;
mod kubernetes;
mod lemonldap_ng;
mod load;
mod oidc_provider;
mod peer;
mod service;

use core::error::Error;
use peer::Peer;
use std::process::ExitCode;

type Fallible<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("issuers: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Fallible<()> {
    let [name, command @ ..] = arguments else { return Err("start it with ./run".into()) };
    match name.as_str() {
        "canaille" => canaille::check(Peer::start(command)?),
        "kubernetes" => kubernetes::check(command),
        "lemonldap-ng" => lemonldap_ng::check(Peer::start(command)?),
        "oidc-provider" => oidc_provider::check(Peer::start(command)?),
        _ => Err("start it with ./run".into()),
    }
}
