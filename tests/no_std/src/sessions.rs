//! A session without std, for the programs here and in `tests/wasm`.

use crate::vectors::SECRET;
use alloc::boxed::Box;
use core::error::Error;
use countersign::{Entropy, HmacKey, SecretBytes, UnixTime, Verifier};
use countersign_session::{
    AccessVerifier, Binding, Config, Exchange, Fingerprint, Loaded, Login, Machine, MasterKeys, Randomness,
    Reason, Recency, Refusal,
};
use serde::{Deserialize, Serialize};

const ISSUED: UnixTime = UnixTime::from_secs(1_700_000_000);

#[derive(Serialize, Deserialize)]
struct User {
    admin: bool,
}

/// Runs a session to its end: login, access token, exchange, repeat, reuse. The store is a variable.
pub fn run(entropy: &impl Entropy) -> Result<(), Box<dyn Error>> {
    let key = HmacKey::hs256(&SecretBytes::from_bytes(SECRET))?;
    let config = Config::builder("https://auth.example", "https://api.example").build()?;
    let machine = Machine::new(config, MasterKeys::new(1, SECRET)?);
    let fingerprint = Fingerprint::generate_with(entropy)?;
    let binding = Binding::from(&fingerprint);
    let step =
        machine.login(&Login::new("user123").binding(binding), 0, ISSUED, &Randomness::draw(entropy)?)?;
    let mut loaded = Loaded::new(step.write.ok_or("a login writes nothing")?.row, 0);
    let first = step.reply?;

    let access = machine.access_token(&first, &User { admin: true }, &key)?;
    let policy =
        Verifier::builder(key.clone()).issuer("https://auth.example").audience("https://api.example");
    let verifier = AccessVerifier::new(policy)?;
    let checked = verifier.at(ISSUED).verify::<User>(&access, &binding)?;
    ensure(checked.subject() == "user123" && checked.claims().admin, "the access token says something else")?;
    ensure(
        verifier.at(ISSUED).verify::<User>(&access, &Binding::None).is_err(),
        "taken without its binding",
    )?;

    let mut exchange = |text: &str| -> Result<_, Box<dyn Error>> {
        let token = machine.authenticate(text)?;
        let step = machine.refresh(&token, Some(&loaded), &binding, ISSUED, &Randomness::draw(entropy)?);
        if let Some(write) = step.write {
            loaded = Loaded::new(write.row, 0);
        }
        Ok(step.reply)
    };
    let text = first.refresh_token().expose_secret();
    let second = exchange(text)??;
    let again = exchange(text)??;
    ensure(again.exchange() == Exchange::Replayed, "a repeat makes a step")?;
    let successor = second.refresh_token().expose_secret();
    ensure(again.refresh_token().expose_secret() == successor, "a repeat has another successor")?;
    let third = exchange(successor)??;
    let late = exchange(text)?.err().and_then(|error| error.refusal());
    ensure(late == Some(Refusal::Reused(Recency::Stale)), "reuse is not noticed")?;
    let over = exchange(third.refresh_token().expose_secret())?.err().and_then(|error| error.refusal());
    ensure(over == Some(Refusal::Revoked(Reason::Reuse)), "reuse does not end the session")?;
    Ok(())
}

fn ensure(holds: bool, otherwise: &'static str) -> Result<(), Box<dyn Error>> {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}
