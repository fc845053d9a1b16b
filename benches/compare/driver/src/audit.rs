//! Before a library is measured: does it do all of the work, with what its package adds to it?

use crate::Result;
use crate::peer::Peer;
use compare_common::claims::{AUDIENCE, ISSUER, Size};
use compare_common::keys::{RSA_2048, SECRET};
use compare_common::tokens::{self, REFUSED, Tokens};
use countersign::{HmacKey, KeySet, PublicKey, SecretBytes, Verifier};
use std::path::Path;

pub(crate) fn check(peer: &mut Peer, target: &Path) -> Result<()> {
    let tokens = Tokens::open(target.join("tokens"));
    check_refusals(peer, &tokens, tokens::verify_hs256(Size::Typical), &REFUSED.map(str::to_owned))?;
    let verify = tokens::verify_rs256(RSA_2048.bits);
    check_refusals(peer, &tokens, &verify, &REFUSED.map(tokens::refused_rs256))?;
    check_signed(peer)
}

fn check_refusals(peer: &mut Peer, tokens: &Tokens, operation: &str, refused: &[String]) -> Result<()> {
    let Some(verify) = peer.number(operation) else { return Ok(()) };
    // Else it would be no news that it refuses the others.
    if !peer.accepts(verify, &tokens.read(operation))? {
        return Err(format!("what is measured refuses the token of {operation}").into());
    }
    for name in refused {
        if peer.accepts(verify, &tokens.read(name))? {
            return Err(format!("what is measured accepts the token `{name}`").into());
        }
    }
    Ok(())
}

/// A strict reader has to accept what was signed.
fn check_signed(peer: &mut Peer) -> Result<()> {
    let mut keys = KeySet::new();
    keys.insert(HmacKey::hs256(&SecretBytes::from_bytes(SECRET))?)?;
    keys.insert(PublicKey::from_pem(RSA_2048.public_pem)?.rs256()?)?;
    let verifier = Verifier::builder(keys).issuer(ISSUER).audience(AUDIENCE).build()?;
    for name in [tokens::sign_hs256(Size::Typical), tokens::SIGN_RS256] {
        if let Some(sign) = peer.number(name) {
            verifier
                .verify::<()>(&peer.sign(sign)?)
                .map_err(|error| format!("what {name} signs: {error}"))?;
        }
    }
    Ok(())
}
