//! Before a library is measured: does it do all of the work, with what its package adds to it?

use crate::Result;
use crate::peer::Peer;
use compare_common::claims::{AUDIENCE, ISSUER, Size};
use compare_common::keys::{RSA_2048, SECRET};
use compare_common::tokens::{self, Tokens};
use countersign::{Hs256Key, KeySet, Rs256VerifyingKey, Verifier};
use std::path::Path;

pub(crate) fn check(peer: &mut Peer, target: &Path) -> Result<()> {
    check_refusals(peer, &Tokens::open(target.join("tokens")))?;
    check_signed(peer)
}

fn check_refusals(peer: &mut Peer, tokens: &Tokens) -> Result<()> {
    let Some(verify) = peer.number(tokens::verify_hs256(Size::Typical)) else { return Ok(()) };
    for name in [tokens::FORGED, tokens::EXPIRED, tokens::OTHER_ISSUER, tokens::OTHER_AUDIENCE] {
        if peer.accepts(verify, &tokens.read(name))? {
            return Err(format!("what is measured accepts the token `{name}`").into());
        }
    }
    Ok(())
}

/// A strict reader has to accept what was signed.
fn check_signed(peer: &mut Peer) -> Result<()> {
    let mut keys = KeySet::new();
    keys.insert(Hs256Key::from_bytes(SECRET)?)?;
    keys.insert(Rs256VerifyingKey::from_pem(RSA_2048.public_pem)?)?;
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
