//! A service that trusts the keys of one issuer.

use crate::Fallible;
use core::time::Duration;
use countersign::{
    Algorithm, Claims, HmacKey, PrivateKey, SecretBytes, SigningKey, Token, UnixTime, Verifier,
    VerifierBuilder, VerifyError,
};
use countersign_jwks::{RemoteKeys, RemoteVerifier, ReqwestFetch};
use serde::Deserialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::runtime::Runtime;

/// All algorithms of public keys that issuers sign with here.
const ALLOWED: [Algorithm; 13] = [
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::Es512,
    Algorithm::Ed25519,
    Algorithm::MlDsa44,
    Algorithm::MlDsa65,
    Algorithm::MlDsa87,
];

/// Longer than the cooldown between two fetches.
const COOLDOWN: u64 = 11;

pub(crate) struct Service {
    pub(crate) runtime: Runtime,
    keys: RemoteKeys,
    issuer: String,
    /// How many seconds the clock of the keys is ahead, so that nothing has to wait for the end of a cooldown.
    ahead: Arc<AtomicU64>,
    /// A key that the issuer does not have.
    stranger: SigningKey,
}

/// What a service demands of a token.
#[derive(Clone, Copy, Default)]
pub(crate) struct Demand<'a> {
    pub(crate) audience: &'a str,
    /// Default: `JWT`, or none.
    pub(crate) typ: Option<&'a str>,
    /// A claim that only one kind of token has.
    pub(crate) require: Option<&'a str>,
    pub(crate) nonce: Option<&'a str>,
    /// Another issuer than the one of the keys.
    pub(crate) issuer: Option<&'a str>,
}

impl Demand<'_> {
    fn policy(self, issuer: &str) -> impl FnOnce(VerifierBuilder) -> VerifierBuilder {
        move |mut builder| {
            builder = builder.issuer(self.issuer.unwrap_or(issuer)).audience(self.audience);
            if let Some(typ) = self.typ {
                builder = builder.typ(typ);
            }
            match self.require {
                Some(claim) => builder.require(claim),
                None => builder,
            }
        }
    }
}

#[derive(Deserialize)]
struct Nonce {
    nonce: Option<String>,
}

impl Service {
    /// Finds the keys of an issuer through its discovery document.
    pub(crate) fn new(issuer: &str) -> Fallible<Self> {
        let runtime = Runtime::new()?;
        let client =
            reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
        let ahead = Arc::new(AtomicU64::new(0));
        let clock = ahead.clone();
        let builder = RemoteKeys::builder_of_issuer(issuer, &ALLOWED)
            .fetch_with(ReqwestFetch::with_client(client))
            .clock(move || UnixTime::now().saturating_add(Duration::from_secs(clock.load(Ordering::SeqCst))));
        let keys = runtime.block_on(builder.start())?;
        let stranger = PrivateKey::generate(Algorithm::Ed25519)?.ed25519()?.with_key_id("unknown")?;
        let service = Self { runtime, keys, issuer: issuer.into(), ahead, stranger };
        service.all_keys_are_used()?;
        Ok(service)
    }

    fn all_keys_are_used(&self) -> Fallible<()> {
        match self.keys.status().skipped.first() {
            Some(skipped) => Err(format!("skips a key: {skipped:?}").into()),
            None => Ok(()),
        }
    }

    pub(crate) fn fetches(&self) -> u64 {
        self.keys.status().fetches
    }

    /// Lets the cooldown pass, so that the next token with an unknown key leads to a fetch.
    pub(crate) fn pass_cooldown(&self) {
        self.ahead.fetch_add(COOLDOWN, Ordering::SeqCst);
    }

    /// Has the keys fetched again, because of a token with an unknown key.
    pub(crate) fn fetch(&self) -> Fallible<()> {
        let before = self.fetches();
        self.pass_cooldown();
        let token = Claims::registered().expires_in(Duration::from_secs(60)).sign(&self.stranger)?;
        let demand = Demand { audience: "https://api.example", ..Demand::default() };
        self.expect("unknown_key", "token of a stranger", &token, demand)?;
        if self.fetches() != before + 1 {
            return Err("an unknown key leads to no fetch".into());
        }
        self.all_keys_are_used()
    }

    pub(crate) fn verifier(&self, demand: Demand<'_>) -> Fallible<RemoteVerifier> {
        Ok(RemoteVerifier::new(self.keys.clone(), demand.policy(&self.issuer))?)
    }

    /// Fails unless the verdict on a token is this one: `verified`, or the code of the error.
    pub(crate) fn expect(&self, verdict: &str, what: &str, token: &str, demand: Demand<'_>) -> Fallible<()> {
        let verified = self.runtime.block_on(self.verifier(demand)?.verify(token));
        expect(verdict, what, &verified, demand)
    }

    /// The same some time later, with the keys that are there.
    pub(crate) fn expect_later(
        &self,
        verdict: &str,
        what: &str,
        token: &str,
        later: Duration,
        demand: Demand<'_>,
    ) -> Fallible<()> {
        let verifier = demand.policy(&self.issuer)(Verifier::builder(self.keys.clone())).build()?;
        let verified = verifier.at(UnixTime::now().saturating_add(later)).verify(token);
        expect(verdict, what, &verified, demand)
    }

    /// The same for a token that is signed with a secret, in base64url.
    pub(crate) fn expect_with_secret(
        &self,
        verdict: &str,
        what: &str,
        token: &str,
        (algorithm, secret): (&str, &str),
        demand: Demand<'_>,
    ) -> Fallible<()> {
        let key = HmacKey::new(algorithm.parse()?, &SecretBytes::from_base64url(secret)?)?;
        let verified = demand.policy(&self.issuer)(Verifier::builder(key)).build()?.verify(token);
        expect(verdict, what, &verified, demand)
    }
}

fn expect(
    expected: &str,
    what: &str,
    verdict: &Result<Token<Nonce>, VerifyError>,
    demand: Demand<'_>,
) -> Fallible<()> {
    let found = verdict.as_ref().map_or_else(VerifyError::code, |_| "verified");
    match verdict {
        Ok(_) => println!("{what}: verified"),
        Err(error) => println!("{what}: refused: {error}"),
    }
    if let (Ok(token), Some(_)) = (verdict, demand.nonce)
        && token.claims().nonce.as_deref() != demand.nonce
    {
        return Err(format!("{what}: the nonce is not the one of the request").into());
    }
    if found == expected { Ok(()) } else { Err(format!("{what}: expected {expected}, found {found}").into()) }
}
