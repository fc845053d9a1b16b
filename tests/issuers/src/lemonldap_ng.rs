//! LemonLDAP::NG: one key, without `alg`, and by default without `kid`. Its rotation removes the old key at once.

use crate::Fallible;
use crate::peer::{Peer, Tokens};
use crate::service::{Demand, Service};

pub(crate) fn check(mut peer: Peer) -> Fallible<()> {
    let service = Service::new(&peer.issuer()?)?;
    for algorithm in peer.algorithms()? {
        both(&service, &algorithm, &peer.tokens(&algorithm)?)?;
    }
    let without = peer.tokens("RS256")?;
    confusion(&service, &without)?;

    peer.keys("rotate")?;
    let first = peer.tokens("RS512")?;
    service.pass_cooldown();
    both(&service, "RS512", &first)?;
    // It has no kid, so the only key is tried.
    let what = "token without kid of the removed key";
    service.expect("invalid_signature", what, &without.id_token, id_token(&without))?;

    peer.keys("rotate")?;
    let second = peer.tokens("RS512")?;
    service.expect(
        "verified",
        "token of the removed key, before a fetch",
        &first.id_token,
        id_token(&first),
    )?;
    service.pass_cooldown();
    both(&service, "RS512", &second)?;
    service.expect("unknown_key", "token of the removed key", &first.id_token, id_token(&first))?;

    peer.keys("by hand")?;
    let third = peer.tokens("RS256")?;
    service.pass_cooldown();
    let fetches = service.fetches();
    // A bad signature leads to no fetch, so only the age of the set does, or another token.
    let what = "token without kid of a new key, before a fetch";
    service.expect("invalid_signature", what, &third.id_token, id_token(&third))?;
    if service.fetches() != fetches {
        return Err("a bad signature leads to a fetch".into());
    }
    service.fetch()?;
    both(&service, "RS256", &third)?;
    service.expect("unknown_key", "token of the removed key", &second.id_token, id_token(&second))
}

fn id_token(tokens: &Tokens) -> Demand<'_> {
    Demand {
        audience: &tokens.client_id,
        require: Some("nonce"),
        nonce: Some(&tokens.nonce),
        ..Demand::default()
    }
}

fn access_token(tokens: &Tokens) -> Demand<'_> {
    Demand { audience: &tokens.client_id, require: Some("client_id"), ..Demand::default() }
}

/// The access token is signed with RS256, whatever the client asks for.
fn both(service: &Service, algorithm: &str, tokens: &Tokens) -> Fallible<()> {
    let (what, id) = (format!("{algorithm} ID token"), &tokens.id_token);
    if algorithm.starts_with("HS") {
        let secret = (algorithm, tokens.secrets.id_token.as_str());
        service.expect_with_secret("verified", &what, id, secret, id_token(tokens))?;
        service.expect("unknown_key", &format!("{what} with the published key"), id, id_token(tokens))?;
    } else {
        service.expect("verified", &what, id, id_token(tokens))?;
    }
    service.expect("verified", "its access token", &tokens.access_token, access_token(tokens))
}

/// The two tokens have the same `typ`, key, issuer and audience. Each has a claim that the other one lacks.
fn confusion(service: &Service, tokens: &Tokens) -> Fallible<()> {
    let Tokens { id_token: id, access_token: access, .. } = tokens;
    service.expect("missing_claim", "access token given as ID token", access, id_token(tokens))?;
    service.expect("missing_claim", "ID token given as access token", id, access_token(tokens))
}
