//! Before a library is measured: does it do all of the work, with what its package adds to it?

use crate::Result;
use crate::peer::Peer;
use compare_common::Algorithm;
use compare_common::claims::{AUDIENCE, ISSUER};
use compare_common::tokens::{self, REFUSED, Tokens};
use countersign::{HmacKey, Keys, PublicKey, SecretBytes, Verifier};
use std::path::Path;

/// A library that does not pad the numbers of an ECDSA signature makes one of 128 too short.
const TRIES: usize = 3;

pub(crate) fn check(peer: &mut Peer, target: &Path) -> Result<()> {
    let tokens = Tokens::open(target.join("tokens"));
    for algorithm in Algorithm::ALL {
        check_refusals(peer, &tokens, algorithm)?;
        check_signed(peer, algorithm)?;
    }
    Ok(())
}

fn check_refusals(peer: &mut Peer, tokens: &Tokens, algorithm: Algorithm) -> Result<()> {
    let operation = tokens::verify(algorithm);
    let Some(verify) = peer.number(operation) else { return Ok(()) };
    // Else it would be no news that it refuses the others.
    if !peer.accepts(verify, &tokens.read(operation))? {
        return Err(format!("what is measured refuses the token of {operation}").into());
    }
    for name in REFUSED.map(|name| tokens::refused(algorithm, name)) {
        if peer.accepts(verify, &tokens.read(&name))? {
            return Err(format!("what is measured accepts the token `{name}`").into());
        }
    }
    Ok(())
}

/// A strict reader has to accept what was signed.
fn check_signed(peer: &mut Peer, algorithm: Algorithm) -> Result<()> {
    let name = tokens::sign(algorithm);
    let Some(sign) = peer.number(name) else { return Ok(()) };
    let verifier = Verifier::builder(keys(algorithm)?).issuer(ISSUER).audience(AUDIENCE).build()?;
    let mut outcome = Ok(());
    for _ in 0..TRIES {
        outcome = verifier.verify::<()>(&peer.sign(sign)?).map(drop);
        if outcome.is_ok() {
            break;
        }
    }
    outcome.map_err(|error| format!("what {name} signs: {error}").into())
}

fn keys(algorithm: Algorithm) -> Result<Keys> {
    let name = algorithm.name().parse()?;
    Ok(match algorithm.secret() {
        Some(secret) => HmacKey::new(name, &SecretBytes::from_bytes(secret))?.into(),
        None => PublicKey::from_pem(algorithm.key_pair().public_pem)?.verifying_key(name)?.into(),
    })
}
