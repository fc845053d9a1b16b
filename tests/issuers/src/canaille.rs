//! canaille: keys without `use` and `alg`, RS512 for clients that ask for nothing, and `"aud": []` for those of its command line.

use crate::Fallible;
use crate::peer::{Peer, Tokens};
use crate::service::{Demand, Service};

pub(crate) fn check(mut peer: Peer) -> Fallible<()> {
    let service = Service::new(&peer.issuer()?)?;
    for algorithm in peer.algorithms()? {
        both(&service, &algorithm, &peer.tokens(&algorithm)?)?;
    }
    let tokens = peer.tokens_by_default()?;
    let Tokens { id_token: id, access_token: access, .. } = &tokens;
    service.expect("wrong_audience", "ID token with an empty aud", id, id_token(&tokens))?;
    service.expect("wrong_audience", "access token with an empty aud", access, access_token(&tokens))?;
    let old = peer.tokens("RS256")?;
    confusion(&service, &old)?;

    peer.keys("publish")?;
    peer.keys("sign")?;
    let new = peer.tokens("RS256")?;
    service.pass_cooldown();
    both(&service, "new RS256", &new)?;
    both(&service, "old RS256", &old)?;
    for algorithm in peer.algorithms()?.iter().filter(|name| name.starts_with("ES")) {
        both(&service, algorithm, &peer.tokens(algorithm)?)?;
    }
    peer.keys("remove")?;
    service.fetch()?;
    both(&service, "new RS256", &new)?;
    service.expect("unknown_key", "token of the removed key", &old.id_token, id_token(&old))
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
    Demand { audience: &tokens.client_id, ..Demand::default() }
}

fn both(service: &Service, algorithm: &str, tokens: &Tokens) -> Fallible<()> {
    service.expect("verified", &format!("{algorithm} ID token"), &tokens.id_token, id_token(tokens))?;
    let what = format!("{algorithm} access token");
    service.expect("verified", &what, &tokens.access_token, access_token(tokens))
}

/// The two tokens have the same `typ`, key, issuer and audience. The ID token alone has a `nonce`; the access token has no claim of
/// its own, so a service has to look for the `nonce`.
fn confusion(service: &Service, tokens: &Tokens) -> Fallible<()> {
    let Tokens { id_token: id, access_token: access, .. } = tokens;
    service.expect("missing_claim", "access token given as ID token", access, id_token(tokens))?;
    let shown = Demand { nonce: Some(&tokens.nonce), ..access_token(tokens) };
    service.expect("verified", "ID token given as access token, with its nonce", id, shown)?;
    let typed = Demand { typ: Some("at+jwt"), ..access_token(tokens) };
    service.expect("wrong_type", "access token for a service that asks for at+jwt", access, typed)
}
