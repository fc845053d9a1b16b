//! Counts allocations, so that a flood of tokens cannot take memory.

#[path = "../../../tests/util/counting.rs"]
mod counting;
mod util;

use countersign::jws::{MessageVerifier, Verified};
use countersign::{KeySource, SigningKey, VerifyError};
use counting::{allocations, held};
use tokio::time::advance;
use util::{Idp, key, paused, paused_runtime, seconds, settle, started, token, verifier};

/// Makes a header with the id of this key.
fn header_of(key: &SigningKey) -> Verified {
    MessageVerifier::new(key.verifying_key()).verify(&token(key)).unwrap()
}

#[test]
fn a_million_unknown_key_ids_cause_one_fetch_per_cooldown_and_hold_no_memory() {
    let runtime = paused_runtime();
    let idp = Idp::with_keys(&[&key("known")]);
    let (keys, _) = runtime.block_on(started(&idp));
    let verifier = verifier(&keys);
    let unknown = key("unknown");
    let (text, header) = (token(&unknown), header_of(&unknown));
    // In a hundred seconds, ten times the cooldown.
    let flood = async {
        for _ in 0..100 {
            for _ in 0..9_990 {
                let refused = keys.lend(&header.header(), &mut |_| unreachable!());
                assert_eq!(refused, Err(VerifyError::UnknownKey));
            }
            for _ in 0..10 {
                assert_eq!(verifier.verify::<()>(&text).await.unwrap_err(), VerifyError::UnknownKey);
            }
            advance(seconds(1)).await;
            settle().await;
        }
    };
    let grown = held(|| runtime.block_on(flood));
    assert_eq!(idp.requests() - 1, 10);
    // What the provider notes of each request, and what tokio sets up at first use.
    assert!(grown < 4096, "{grown} bytes");
}

#[test]
fn a_look_up_allocates_nothing() {
    paused(async {
        let (known, unknown) = (key("known"), key("unknown"));
        let (keys, _) = started(&Idp::with_keys(&[&known])).await;
        let (known, unknown) = (header_of(&known), header_of(&unknown));
        let mut found = 0;
        let mut look_up = |verified: &Verified| keys.lend(&verified.header(), &mut |_| found += 1);
        // The first look-up of a thread sets up its place.
        look_up(&known).unwrap();
        assert_eq!(allocations(|| look_up(&known).unwrap()), 0);
        assert_eq!(allocations(|| look_up(&unknown).unwrap_err()), 0);
        assert_eq!(found, 2);
    });
}
