//! oidc-provider: every algorithm, ID tokens without `typ`, access tokens as RFC 9068 wants them.

use crate::Fallible;
use crate::load::{KeyIs, Load};
use crate::peer::{Peer, Tokens};
use crate::service::{Demand, Service};
use core::time::Duration;

/// The resource server.
const AUDIENCE: &str = "https://api.example";

pub(crate) fn check(mut peer: Peer) -> Fallible<()> {
    let service = Service::new(&peer.issuer()?)?;
    for algorithm in peer.algorithms()? {
        let tokens = peer.tokens(&algorithm)?;
        if algorithm.starts_with("HS") {
            with_secret(&service, &algorithm, &tokens)?;
        } else {
            with_public_key(&service, &algorithm, &tokens)?;
        }
    }
    refusals(&service, &peer.tokens("RS256")?)?;
    rotation(&service, &mut peer)
}

fn id_token(tokens: &Tokens) -> Demand<'_> {
    Demand { audience: &tokens.client_id, nonce: Some(&tokens.nonce), ..Demand::default() }
}

fn access_token() -> Demand<'static> {
    Demand { audience: AUDIENCE, typ: Some("at+jwt"), ..Demand::default() }
}

fn with_public_key(service: &Service, algorithm: &str, tokens: &Tokens) -> Fallible<()> {
    service.expect("verified", &format!("{algorithm} ID token"), &tokens.id_token, id_token(tokens))?;
    service.expect("verified", &format!("{algorithm} access token"), &tokens.access_token, access_token())
}

fn with_secret(service: &Service, algorithm: &str, tokens: &Tokens) -> Fallible<()> {
    let Tokens { id_token: id, access_token: access, secrets, .. } = tokens;
    let what = format!("{algorithm} ID token");
    service.expect_with_secret("verified", &what, id, (algorithm, &secrets.id_token), id_token(tokens))?;
    let what = format!("{algorithm} access token");
    service.expect_with_secret(
        "verified",
        &what,
        access,
        (algorithm, &secrets.access_token),
        access_token(),
    )?;
    let what = format!("{algorithm} access token with the published keys");
    service.expect("unknown_key", &what, access, access_token())
}

fn refusals(service: &Service, tokens: &Tokens) -> Fallible<()> {
    let Tokens { id_token: id, access_token: access, .. } = tokens;
    service.expect("wrong_type", "ID token given as access token", id, access_token())?;
    service.expect("wrong_type", "access token given as ID token", access, id_token(tokens))?;
    let other = Demand { audience: "https://other.example", ..access_token() };
    service.expect("wrong_audience", "access token for another service", access, other)?;
    let issuer = Demand { issuer: Some("https://op.example"), ..access_token() };
    service.expect("wrong_issuer", "access token of another issuer", access, issuer)?;
    let later = Duration::from_secs(2 * 3600);
    service.expect_later("expired", "access token two hours later", access, later, access_token())?;
    let (signed, _) = access.rsplit_once('.').ok_or("no signature")?;
    let (_, signature) = id.rsplit_once('.').ok_or("no signature")?;
    let mixed = format!("{signed}.{signature}");
    service.expect(
        "invalid_signature",
        "access token with the signature of the ID token",
        &mixed,
        access_token(),
    )
}

/// The provider changes its keys twice, while requests go on with tokens of all keys.
fn rotation(service: &Service, peer: &mut Peer) -> Fallible<()> {
    let load = Load::start(&service.runtime, &service.verifier(access_token())?);
    let before = service.fetches();
    let first = load.add(peer.tokens("RS256")?.access_token);
    load.requests(&first)?;

    peer.keys("publish")?;
    peer.keys("sign")?;
    service.pass_cooldown();
    let second = load.add(peer.tokens("RS256")?.access_token);
    load.requests(&second)?;
    load.requests(&first)?;

    peer.keys("publish")?;
    peer.keys("sign")?;
    first.key_is(KeyIs::Leaving);
    second.key_is(KeyIs::Leaving);
    peer.keys("remove")?;
    service.pass_cooldown();
    let third = load.add(peer.tokens("RS256")?.access_token);
    load.requests(&third)?;
    first.key_is(KeyIs::Removed);
    second.key_is(KeyIs::Removed);
    load.requests(&first)?;
    load.requests(&third)?;

    let fetches = service.fetches() - before;
    let requests = load.end(&service.runtime)?;
    println!(
        "two rotations: {requests} requests, {fetches} fetches; no good token refused, none of a removed key accepted"
    );
    if fetches == 2 { Ok(()) } else { Err("each rotation should lead to one fetch".into()) }
}
