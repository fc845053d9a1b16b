//! A service that trusts the keys of one issuer.

use crate::Fallible;
use crate::peer::{About, Peer};
use core::time::Duration;
use countersign::{Algorithm, HmacKey, KeySet, Keys, SecretBytes, UnixTime, Verifier, VerifyError};
use serde::Deserialize;

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

pub(crate) struct Service {
    keys: KeySet,
    issuer: String,
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
    /// How much later the token is verified.
    pub(crate) later: Duration,
}

#[derive(Deserialize)]
struct Claims {
    nonce: Option<String>,
}

impl Service {
    pub(crate) fn new(about: &About, peer: &mut Peer) -> Fallible<Self> {
        println!("\n-- {} {}: {}", about.name, about.version, about.issuer);
        let mut service = Self { keys: KeySet::new(), issuer: about.issuer.clone() };
        service.fetch(peer)?;
        Ok(service)
    }

    pub(crate) fn fetch(&mut self, peer: &mut Peer) -> Fallible<()> {
        let loaded = KeySet::from_jwks(&peer.set()?, &ALLOWED)?;
        if let Some(skipped) = loaded.skipped.first() {
            return Err(format!("skips a key: {skipped:?}").into());
        }
        self.keys = loaded.keys;
        Ok(())
    }

    /// Fails unless the verdict on a token is this one: `verified`, or the code of the error.
    pub(crate) fn expect(&self, verdict: &str, what: &str, token: &str, demand: Demand<'_>) -> Fallible<()> {
        expect(verdict, what, self.verify(self.keys.clone(), token, demand)?)
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
        expect(verdict, what, self.verify(key, token, demand)?)
    }

    fn verify(&self, keys: impl Into<Keys>, token: &str, demand: Demand<'_>) -> Fallible<Verdict> {
        let mut builder =
            Verifier::builder(keys).issuer(demand.issuer.unwrap_or(&self.issuer)).audience(demand.audience);
        if let Some(typ) = demand.typ {
            builder = builder.typ(typ);
        }
        if let Some(claim) = demand.require {
            builder = builder.require(claim);
        }
        let now = UnixTime::now().saturating_add(demand.later);
        let verified = builder.build()?.at(now).verify::<Claims>(token);
        if let (Some(nonce), Ok(token)) = (demand.nonce, &verified)
            && token.claims().nonce.as_deref() != Some(nonce)
        {
            return Err("the nonce is not the one of the request".into());
        }
        Ok(verified.map(|_| ()))
    }
}

type Verdict = Result<(), VerifyError>;

fn expect(expected: &str, what: &str, verdict: Verdict) -> Fallible<()> {
    let found = verdict.as_ref().map_or_else(VerifyError::code, |()| "verified");
    match verdict {
        Ok(()) => println!("{what}: verified"),
        Err(error) => println!("{what}: refused: {error}"),
    }
    if found == expected { Ok(()) } else { Err(format!("{what}: expected {expected}, found {found}").into()) }
}
