//! How keys are fetched again while they are used, without a network. The numbers are those of the list of requirements.

mod util;

use core::task::{Context, Poll, Waker};
use core::time::Duration;
use countersign::http::Challenge;
use countersign::{KeySource, Verifier, VerifyError};
use countersign_jwks::{Error, RemoteKeys, Response, Snapshot};
use std::pin::pin;
use tokio::time::advance;
use util::{
    ALLOWED, AUDIENCE, Answer, ISSUER, Idp, Time, builder, config, key, paused, seconds, set, settle,
    started, token, verifier,
};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// Lets the time pass in steps, so that the task does what is due in between.
async fn pass(duration: Duration) {
    let mut left = duration;
    while !left.is_zero() {
        let step = left.min(seconds(30));
        advance(step).await;
        settle().await;
        left -= step;
    }
}

/// Lets the time pass until this many requests have been sent. The jitter decides when that is.
async fn pass_until(idp: &Idp, requests: u64) {
    for _ in 0..HOUR {
        if idp.requests() >= requests {
            break;
        }
        pass(seconds(1)).await;
    }
    assert_eq!(idp.requests(), requests);
}

/// Polls once.
fn now_or_never<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

// ---- rotation ----

#[test]
fn s210_a_token_of_a_new_key_waits_for_one_fetch_and_the_removed_key_is_forgotten() {
    paused(async {
        let (old, new) = (key("old"), key("new"));
        let idp = Idp::with_keys(&[&old]);
        let (keys, _) = started(&idp).await;
        let verifier = verifier(&keys);
        verifier.verify::<()>(&token(&old)).await.unwrap();
        pass(seconds(11)).await;
        idp.publishes(&[&new]);
        assert_eq!(verifier.verify::<()>(&token(&new)).await.unwrap().subject(), Some("ann"));
        assert_eq!(idp.requests(), 2);
        // The removed key is unknown now, and that needs no further fetch.
        assert_eq!(verifier.verify::<()>(&token(&old)).await.unwrap_err(), VerifyError::UnknownKey);
        pass(seconds(60)).await;
        assert_eq!(idp.requests(), 2);
    });
}

/// Sends `count` requests with new tokens at once, and returns the errors.
async fn rotate(idp: &Idp, keys: &RemoteKeys, count: usize, new: &str) -> Vec<VerifyError> {
    let verifier = verifier(keys);
    let requests: Vec<_> = (0..count)
        .map(|_| {
            let (verifier, text) = (verifier.clone(), new.to_owned());
            tokio::spawn(async move { verifier.verify::<()>(&text).await.map(drop) })
        })
        .collect();
    let mut errors = Vec::new();
    for request in requests {
        errors.extend(request.await.unwrap().err());
    }
    assert!(idp.requests() > 1);
    errors
}

#[test]
fn s205_ten_thousand_requests_over_a_rotation_cause_one_fetch_and_none_is_refused() {
    paused(async {
        let (old, new) = (key("old"), key("new"));
        let idp = Idp::with_keys(&[&old]);
        let time = Time::new();
        let keys = builder(&idp, &time).refresh(config().with_most_waiting(10_000)).start().await.unwrap();
        pass(seconds(11)).await;
        idp.publishes(&[&new]);
        idp.takes(seconds(2));
        assert_eq!(rotate(&idp, &keys, 10_000, &token(&new)).await, []);
        assert_eq!(idp.requests(), 2);
        // Nothing of the removed key is accepted after the fetch.
        for _ in 0..1000 {
            let error = verifier(&keys).verify::<()>(&token(&old)).await.unwrap_err();
            assert_eq!(error, VerifyError::UnknownKey);
        }
        pass(seconds(8)).await;
        assert_eq!(idp.requests(), 2);
    });
}

#[test]
fn requests_on_several_threads_over_a_rotation_cause_one_fetch_and_none_is_refused() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(async {
        let (old, new) = (key("old"), key("new"));
        let idp = Idp::with_keys(&[&old]);
        // The clock follows the real time, and is set ahead beyond the cooldown of a minute.
        let time = Time::new();
        let config = config().with_most_waiting(10_000).with_cooldown(seconds(60));
        let keys = builder(&idp, &time).refresh(config).start().await.unwrap();
        time.jump(61);
        idp.publishes(&[&new]);
        assert_eq!(rotate(&idp, &keys, 10_000, &token(&new)).await, []);
        assert_eq!(idp.requests(), 2);
        let error = verifier(&keys).verify::<()>(&token(&old)).await.unwrap_err();
        assert_eq!(error, VerifyError::UnknownKey);
    });
}

#[test]
fn s204_a_known_key_is_never_delayed_by_a_fetch() {
    paused(async {
        let known = key("known");
        let idp = Idp::with_keys(&[&known]);
        let (keys, _) = started(&idp).await;
        let verifier = verifier(&keys);
        let text = token(&known);
        idp.answers(Answer::Silence);
        pass_until(&idp, 2).await; // The soft age is over, and the fetch does not end.
        // Each is answered at the first poll, and the task is not polled in between.
        for _ in 0..1000 {
            assert!(now_or_never(verifier.verify::<()>(&text)).unwrap().is_ok());
        }
        assert_eq!(idp.requests(), 2);
    });
}

// ---- unknown keys ----

#[test]
fn a_look_up_without_waiting_refuses_an_unknown_key_and_wakes_the_task() {
    paused(async {
        let (old, new) = (key("old"), key("new"));
        let idp = Idp::with_keys(&[&old]);
        let (keys, time) = started(&idp).await;
        let verifier = Verifier::builder(keys.clone()).issuer(ISSUER).audience(AUDIENCE).build().unwrap();
        pass(seconds(11)).await;
        idp.publishes(&[&old, &new]);
        let text = token(&new);
        assert_eq!(verifier.at(time.now()).verify::<()>(&text).unwrap_err(), VerifyError::UnknownKey);
        settle().await;
        assert_eq!(idp.requests(), 2);
        assert!(verifier.at(time.now()).verify::<()>(&text).is_ok());
    });
}

#[test]
fn an_unknown_key_during_the_cooldown_causes_one_fetch_at_its_end() {
    paused(async {
        let known = key("known");
        let idp = Idp::with_keys(&[&known]);
        let (keys, time) = started(&idp).await;
        let verifier = Verifier::builder(keys.clone()).issuer(ISSUER).audience(AUDIENCE).build().unwrap();
        let text = token(&key("unknown"));
        for _ in 0..5 {
            assert_eq!(verifier.at(time.now()).verify::<()>(&text).unwrap_err(), VerifyError::UnknownKey);
            settle().await;
        }
        assert_eq!(idp.requests(), 1);
        pass(seconds(11)).await;
        assert_eq!(idp.requests(), 2);
        pass(seconds(60)).await;
        assert_eq!(idp.requests(), 2);
    });
}

#[test]
fn s205_an_invented_key_id_that_waits_causes_one_fetch_and_no_second_one() {
    paused(async {
        let known = key("known");
        let idp = Idp::with_keys(&[&known]);
        let (keys, _) = started(&idp).await;
        pass(seconds(11)).await;
        let error = verifier(&keys).verify::<()>(&token(&key("unknown"))).await.unwrap_err();
        assert_eq!(error, VerifyError::UnknownKey);
        pass(seconds(60)).await;
        assert_eq!(idp.requests(), 2);
    });
}

#[test]
fn an_ambiguous_key_fetches_nothing() {
    paused(async {
        let (one, two) = (key("one"), key("two"));
        let idp = Idp::with_keys(&[&one, &two]);
        let (keys, _) = started(&idp).await;
        pass(seconds(11)).await;
        let nameless =
            countersign::PrivateKey::generate(countersign::Algorithm::Ed25519).unwrap().ed25519().unwrap();
        let error = verifier(&keys).verify::<()>(&token(&nameless)).await.unwrap_err();
        assert_eq!(error, VerifyError::AmbiguousKey);
        assert_eq!(idp.requests(), 1);
    });
}

#[test]
fn s207_a_caller_waits_until_its_deadline_and_the_number_of_callers_is_bounded() {
    paused(async {
        let known = key("known");
        let idp = Idp::with_keys(&[&known]);
        let time = Time::new();
        let config = config().with_most_waiting(2);
        let keys = builder(&idp, &time).refresh(config).deadline(seconds(3)).start().await.unwrap();
        let verifier = verifier(&keys);
        pass(seconds(11)).await;
        idp.answers(Answer::Silence);
        let text = token(&key("unknown"));
        let wait = || {
            let (verifier, text) = (verifier.clone(), text.clone());
            tokio::spawn(async move { verifier.verify::<()>(&text).await.map(drop) })
        };
        // One that began the fetch, and two that wait with it.
        let callers = [wait(), wait(), wait()];
        settle().await;
        assert_eq!(
            now_or_never(verifier.verify::<()>(&text)).unwrap().unwrap_err(),
            VerifyError::KeysUnavailable
        );
        // A caller that gives up makes room for another one.
        callers[1].abort();
        settle().await;
        assert!(now_or_never(verifier.verify::<()>(&text)).is_none());
        advance(seconds(2)).await;
        settle().await;
        assert!(!callers[0].is_finished() && !callers[2].is_finished());
        advance(seconds(1)).await;
        settle().await;
        assert!(callers[0].is_finished() && callers[2].is_finished());
        for caller in callers {
            if let Ok(result) = caller.await {
                assert_eq!(result.unwrap_err(), VerifyError::KeysUnavailable);
            }
        }
        assert_eq!(idp.requests(), 2);
        // The deadlines gave the places back.
        assert!(now_or_never(verifier.verify::<()>(&text)).is_none());
    });
}

#[test]
fn s208_a_bad_signature_under_a_known_key_id_fetches_nothing() {
    paused(async {
        let idp = Idp::with_keys(&[&key("one")]);
        let (keys, time) = started(&idp).await;
        pass(seconds(11)).await;
        let text = token(&key("one"));
        let error = now_or_never(verifier(&keys).verify::<()>(&text)).unwrap().unwrap_err();
        assert_eq!(error, VerifyError::InvalidSignature);
        let plain = Verifier::builder(keys).issuer(ISSUER).audience(AUDIENCE).build().unwrap();
        assert_eq!(plain.at(time.now()).verify::<()>(&text).unwrap_err(), VerifyError::InvalidSignature);
        pass(seconds(60)).await;
        assert_eq!(idp.requests(), 1);
    });
}

#[test]
fn s209_unknown_keys_of_one_issuer_delay_no_other_issuer() {
    paused(async {
        let (old, new) = (key("old"), key("new"));
        let (attacked, other) = (Idp::with_keys(&[&old]), Idp::with_keys(&[&old]));
        let ((attacked_keys, _), (other_keys, _)) = (started(&attacked).await, started(&other).await);
        pass(seconds(11)).await;
        let error = verifier(&attacked_keys).verify::<()>(&token(&key("unknown"))).await.unwrap_err();
        assert_eq!(error, VerifyError::UnknownKey);
        other.publishes(&[&new]);
        assert!(verifier(&other_keys).verify::<()>(&token(&new)).await.is_ok());
        assert_eq!((attacked.requests(), other.requests()), (2, 2));
    });
}

// ---- outages ----

#[test]
fn s204_an_outage_keeps_the_keys_until_the_hard_age_and_then_all_tokens_are_a_503() {
    paused(async {
        let known = key("known");
        let idp = Idp::with_keys(&[&known]);
        let (keys, _) = started(&idp).await;
        let verifier = verifier(&keys);
        let text = token(&known);
        let generation = keys.generation();
        idp.answers(Answer::Down);
        pass(seconds(12 * HOUR)).await;
        verifier.verify::<()>(&text).await.unwrap();
        assert_eq!(keys.generation(), generation);
        assert_eq!(keys.status().last_error, Some(Error::Request { message: "connection refused".into() }));
        pass(seconds(10 * MINUTE)).await;
        assert_eq!(verifier.verify::<()>(&text).await.unwrap_err(), VerifyError::KeysUnavailable);
        assert_ne!(keys.generation(), generation, "caches of verified tokens must be cleared");
        assert_eq!(keys.status().keys, 0);
        idp.publishes(&[&known]);
        pass(seconds(5 * MINUTE)).await;
        verifier.verify::<()>(&text).await.unwrap();
        assert_eq!(keys.status().last_error, None);
    });
}

#[test]
fn s206_a_rotation_during_an_outage_is_a_503_for_new_keys_and_delays_no_known_key() {
    paused(async {
        let (old, new) = (key("old"), key("new"));
        let idp = Idp::with_keys(&[&old]);
        let (keys, time) = started(&idp).await;
        let plain = Verifier::builder(keys.clone()).issuer(ISSUER).audience(AUDIENCE).build().unwrap();
        let verifier = verifier(&keys);
        pass(seconds(11)).await;
        idp.answers(Answer::Down);
        let (old, new_text) = (token(&old), token(&new));
        assert_eq!(verifier.verify::<()>(&new_text).await.unwrap_err(), VerifyError::KeysUnavailable);
        // It may be the new key, so this is no 401.
        assert_eq!(plain.at(time.now()).verify::<()>(&new_text).unwrap_err(), VerifyError::KeysUnavailable);
        assert!(now_or_never(verifier.verify::<()>(&old)).unwrap().is_ok());
        idp.publishes(&[&new]);
        pass(seconds(MINUTE)).await;
        assert!(now_or_never(verifier.verify::<()>(&new_text)).unwrap().is_ok());
        assert_eq!(verifier.verify::<()>(&old).await.unwrap_err(), VerifyError::UnknownKey);
    });
}

#[test]
fn s206_fetches_that_fail_become_rare_and_keep_the_keys() {
    paused(async {
        let known = key("known");
        let idp = Idp::with_keys(&[&known]);
        let (keys, _) = started(&idp).await;
        let generation = keys.generation();
        idp.answers(Answer::Down);
        pass_until(&idp, 2).await;
        // The waits begin with 10 to 20 seconds, as the jitter says, double, and end with 150 to 300 seconds.
        pass(seconds(HOUR)).await;
        let requests = idp.requests() - 2;
        assert!((14..=28).contains(&requests), "{requests}");
        verifier(&keys).verify::<()>(&token(&known)).await.unwrap();
        assert_eq!(keys.generation(), generation);
    });
}

#[test]
fn s203_retry_after_of_a_503_is_obeyed_up_to_the_longest_retry_and_can_be_told_to_clients() {
    paused(async {
        let known = key("known");
        let idp = Idp::with_keys(&[&known]);
        let (keys, _) = started(&idp).await;
        for (status, value, wait) in
            [(503, "120", 120), (429, "120", 120), (503, "86400", 5 * MINUTE), (500, "120", 0)]
        {
            idp.publishes(&[&known]);
            while keys.status().last_error.is_some() {
                pass(seconds(1)).await;
            }
            pass(seconds(20)).await;
            let before = idp.requests();
            idp.responds(Response::new(status, "").with_header("Retry-After", value));
            assert_eq!(
                verifier(&keys).verify::<()>(&token(&key("new"))).await.unwrap_err(),
                VerifyError::KeysUnavailable
            );
            assert_eq!(keys.status().last_error, Some(Error::Status { status }));
            let told = keys.status().retry_after.as_secs();
            if wait == 0 {
                assert!((10..=20).contains(&told), "{told}");
                continue;
            }
            assert_eq!(told, wait, "{value}");
            pass(seconds(wait - 1)).await;
            let text = token(&key("new"));
            assert_eq!(verifier(&keys).verify::<()>(&text).await.unwrap_err(), VerifyError::KeysUnavailable);
            assert_eq!(idp.requests(), before + 1);
            pass(seconds(2)).await;
            assert!(verifier(&keys).verify::<()>(&text).await.is_err());
            assert_eq!(idp.requests(), before + 2);
        }
    });
}

#[test]
fn s211_a_response_that_is_not_a_set_keeps_the_old_keys() {
    paused(async {
        let known = key("known");
        let idp = Idp::with_keys(&[&known]);
        let (keys, _) = started(&idp).await;
        let verifier = verifier(&keys);
        let generation = keys.generation();
        for (response, code) in [
            (Response::new(500, set(&[&key("evil")])), "status"),
            (Response::new(204, ""), "status"),
            (Response::new(304, ""), "status"),
            (Response::new(200, "<html>"), "not_a_key_set"),
            (Response::new(200, ""), "not_a_key_set"),
            (Response::new(200, "{}"), "not_a_key_set"),
            (Response::new(200, "[]"), "not_a_key_set"),
            (Response::new(200, "\u{feff}{\"keys\":[]}"), "not_a_key_set"),
            (Response::new(200, vec![0xff; 10]), "not_a_key_set"),
            (Response::new(200, r#"{"keys":[]}"#), "no_usable_key"),
            (Response::new(200, r#"{"keys":[{"kty":"oct","k":"AAAA"},null]}"#), "no_usable_key"),
            (Response::new(200, many(10_000)), "not_a_key_set"),
            (Response::new(200, " ".repeat(10_000_000)), "too_large"),
        ] {
            idp.responds(response);
            pass(seconds(11 * MINUTE)).await;
            assert_eq!(keys.status().last_error.unwrap().code(), code);
            verifier.verify::<()>(&token(&known)).await.unwrap();
        }
        assert_eq!(keys.generation(), generation);
        // Of a set, the entries that can be used are used.
        let good = set(&[&known]);
        idp.responds(Response::new(200, good.replacen('[', r#"[{"kty":"RSA"},null,"#, 1)));
        pass(seconds(11 * MINUTE)).await;
        let status = keys.status();
        assert_eq!((status.keys, status.skipped.len(), status.last_error), (1, 2, None));
        verifier.verify::<()>(&token(&known)).await.unwrap();
    });
}

/// A set with so many entries that differ in their key ids.
fn many(count: usize) -> String {
    let entry = |number| {
        format!(
            r#"{{"kty":"OKP","crv":"Ed25519","kid":"{number}","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}"#
        )
    };
    format!(r#"{{"keys":[{}]}}"#, (0..count).map(entry).collect::<Vec<_>>().join(","))
}

#[test]
fn s211_sets_with_odd_entries_are_used_as_far_as_they_can_be() {
    paused(async {
        let long = "k".repeat(10_000);
        let (plain, odd) = (key("plain"), key("a+b/c=="));
        let good = set(&[&plain, &odd]);
        // An entry with a key id of 10 KB, one that is there twice, and two that contradict each other.
        let with_long = set(&[&key("short")]).replace("short", &long);
        let contradiction = [set(&[&key("twice")]), set(&[&key("twice")])];
        let entries: Vec<&str> = [&*good, &good, &with_long, &contradiction[0], &contradiction[1]]
            .into_iter()
            .map(|set| set.strip_prefix(r#"{"keys":["#).unwrap().strip_suffix("]}").unwrap())
            .collect();
        let idp =
            Idp::new(Answer::Response(Response::new(200, format!(r#"{{"keys":[{}]}}"#, entries.join(",")))));
        let (keys, _) = started(&idp).await;
        let status = keys.status();
        assert_eq!((status.keys, status.skipped.len()), (2, 3));
        verifier(&keys).verify::<()>(&token(&plain)).await.unwrap();
        verifier(&keys).verify::<()>(&token(&odd)).await.unwrap();
        assert_eq!(
            verifier(&keys).verify::<()>(&token(&key("twice"))).await.unwrap_err(),
            VerifyError::UnknownKey
        );
    });
}

#[test]
fn a_set_with_a_thousand_keys_is_used() {
    paused(async {
        let idp = Idp::new(Answer::Response(Response::new(200, many(1000))));
        assert_eq!(started(&idp).await.0.status().keys, 1000);
    });
}

#[test]
fn keys_with_one_id_for_two_algorithms_are_both_used() {
    paused(async {
        use countersign::{Algorithm, PrivateKey};
        let named = |algorithm| PrivateKey::generate(algorithm).unwrap().signing_key(algorithm).unwrap();
        let one = named(Algorithm::Ed25519).with_key_id("same").unwrap();
        let two = named(Algorithm::Es256).with_key_id("same").unwrap();
        let idp = Idp::with_keys(&[&one, &two]);
        let time = Time::new();
        let clock = time.clone();
        let keys = RemoteKeys::builder("https://idp.example/keys", &[Algorithm::Ed25519, Algorithm::Es256])
            .fetch_with(idp)
            .clock(move || clock.now())
            .start()
            .await
            .unwrap();
        verifier(&keys).verify::<()>(&token(&one)).await.unwrap();
        verifier(&keys).verify::<()>(&token(&two)).await.unwrap();
    });
}

// ---- ages ----

#[test]
fn ages_that_an_issuer_states_count_between_floor_and_ceiling() {
    paused(async {
        for (value, floor, ceiling) in [
            // SPIRE, Okta before a rotation, Auth0, Kubernetes, GitLab, and one that states a year.
            ("no-store", 5 * MINUTE, 5 * MINUTE),
            ("no-cache", 5 * MINUTE, 5 * MINUTE),
            ("public, max-age=15, stale-while-revalidate=15, stale-if-error=86400", 5 * MINUTE, 5 * MINUTE),
            ("public, max-age=3600", 54 * MINUTE, HOUR),
            ("max-age=86400, must-revalidate", 21 * HOUR, 24 * HOUR),
            ("max-age=31536000", 21 * HOUR, 24 * HOUR),
        ] {
            let body = set(&[&key("one")]);
            let idp =
                Idp::new(Answer::Response(Response::new(200, body).with_header("cache-control", value)));
            let (_keys, _) = started(&idp).await;
            pass(seconds(floor - 1)).await;
            assert_eq!(idp.requests(), 1, "{value}");
            pass(seconds(ceiling - floor + 2)).await;
            assert_eq!(idp.requests(), 2, "{value}");
        }
    });
}

#[test]
fn a_clock_that_jumps_ahead_ages_the_keys_within_a_minute_and_causes_one_fetch() {
    paused(async {
        let known = key("known");
        let idp = Idp::with_keys(&[&known]);
        let (keys, time) = started(&idp).await;
        time.jump(24 * 3600);
        pass(seconds(61)).await;
        assert_eq!(idp.requests(), 2);
        verifier(&keys).verify::<()>(&token(&known)).await.unwrap();
        // During an outage, they are too old.
        idp.answers(Answer::Down);
        time.jump(24 * 3600);
        pass(seconds(61)).await;
        let error = verifier(&keys).verify::<()>(&token(&known)).await.unwrap_err();
        assert_eq!(error, VerifyError::KeysUnavailable);
        idp.publishes(&[&known]);
        pass(seconds(5 * MINUTE)).await;
        verifier(&keys).verify::<()>(&token(&known)).await.unwrap();
    });
}

#[test]
fn a_clock_that_is_set_back_causes_one_fetch_and_no_token_is_refused() {
    paused(async {
        let known = key("known");
        let idp = Idp::with_keys(&[&known]);
        let (keys, time) = started(&idp).await;
        pass(seconds(4 * MINUTE)).await;
        time.jump(-200);
        pass(seconds(90)).await;
        assert_eq!(idp.requests(), 2);
        verifier(&keys).verify::<()>(&token(&known)).await.unwrap();
        pass(seconds(4 * MINUTE)).await;
        assert_eq!(idp.requests(), 2);
    });
}

#[test]
fn a_fetch_that_the_clock_has_timed_out_does_not_keep_a_new_one_waiting() {
    paused(async {
        let (old, new) = (key("old"), key("new"));
        let idp = Idp::with_keys(&[&old]);
        let (keys, time) = started(&idp).await;
        pass(seconds(20)).await;
        idp.answers(Answer::Silence);
        // The caller gives up after 5 seconds, and the fetch would go on for 5 more.
        let error = verifier(&keys).verify::<()>(&token(&new)).await.unwrap_err();
        assert_eq!(error, VerifyError::KeysUnavailable);
        idp.publishes(&[&new]);
        time.jump(60);
        let error = now_or_never(verifier(&keys).verify::<()>(&token(&new))).unwrap().unwrap_err();
        assert_eq!(
            error,
            VerifyError::KeysUnavailable,
            "the timeout counts as a failure, and a pause follows"
        );
        time.jump(60);
        verifier(&keys).verify::<()>(&token(&new)).await.unwrap();
    });
}

#[test]
fn s202_the_tag_is_sent_back_and_a_304_keeps_the_keys() {
    paused(async {
        let known = key("known");
        let body = set(&[&known]);
        let idp = Idp::new(Answer::Response(Response::new(200, body).with_header("ETag", r#"W/"one""#)));
        let (keys, _) = started(&idp).await;
        let generation = keys.generation();
        idp.responds(Response::new(304, "").with_header("cache-control", "max-age=3600"));
        pass(seconds(10 * MINUTE)).await;
        assert_eq!(idp.tags(), [None, Some(r#"W/"one""#.into())]);
        verifier(&keys).verify::<()>(&token(&known)).await.unwrap();
        assert_eq!((keys.generation(), keys.status().failures), (generation, 0));
        assert!(keys.status().age.unwrap() < seconds(MINUTE));
        // An hour counts from the 304.
        pass(seconds(50 * MINUTE)).await;
        assert_eq!(idp.requests(), 2);
        // The tag is that of the last set.
        idp.responds(Response::new(200, set(&[&key("two")])));
        pass(seconds(10 * MINUTE)).await;
        pass(seconds(10 * MINUTE)).await;
        assert_eq!(idp.tags()[2..], [Some(r#"W/"one""#.into()), None]);
        assert_ne!(keys.generation(), generation);
    });
}

#[test]
fn the_same_text_keeps_the_generation_and_another_one_changes_it() {
    paused(async {
        let (one, two) = (key("one"), key("two"));
        let idp = Idp::with_keys(&[&one]);
        let (keys, _) = started(&idp).await;
        let generation = keys.generation();
        pass(seconds(11 * MINUTE)).await;
        assert_eq!((idp.requests(), keys.generation()), (2, generation));
        idp.publishes(&[&one, &two]);
        pass(seconds(11 * MINUTE)).await;
        assert_eq!(idp.requests(), 3);
        assert_ne!(keys.generation(), generation);
    });
}

// ---- start and end ----

#[test]
fn s213_a_start_fails_or_comes_up_empty_as_the_caller_chooses() {
    paused(async {
        let known = key("known");
        let idp = Idp::new(Answer::Down);
        let error = builder(&idp, &Time::new()).start().await.unwrap_err();
        assert_eq!(error.to_string(), "the request failed: connection refused");
        settle().await;
        assert_eq!(idp.holders(), 0, "a start that failed leaves no task");

        let keys = builder(&idp, &Time::new()).spawn().unwrap();
        let verifier = verifier(&keys);
        assert!(keys.ready().await.is_err());
        assert_eq!(verifier.verify::<()>(&token(&known)).await.unwrap_err(), VerifyError::KeysUnavailable);
        idp.publishes(&[&known]);
        pass(seconds(21)).await;
        keys.ready().await.unwrap();
        verifier.verify::<()>(&token(&known)).await.unwrap();
    });
}

#[test]
fn a_token_that_arrives_before_the_first_keys_waits_for_them() {
    paused(async {
        let known = key("known");
        let idp = Idp::with_keys(&[&known]);
        idp.takes(seconds(1));
        let keys = builder(&idp, &Time::new()).spawn().unwrap();
        verifier(&keys).verify::<()>(&token(&known)).await.unwrap();
        assert_eq!(idp.requests(), 1);
    });
}

#[test]
fn s214_a_snapshot_begins_with_its_keys_and_keeps_its_age() {
    paused(async {
        let (old, new) = (key("old"), key("new"));
        let idp = Idp::with_keys(&[&old]);
        let (keys, time) = started(&idp).await;
        pass(seconds(MINUTE)).await;
        let stored = keys.snapshot().unwrap();
        assert_eq!((stored.text(), stored.fetched_at()), (&*set(&[&old]), Time::START));
        drop(keys);

        // Younger than the soft age: used, and not fetched again yet.
        let idp = Idp::with_keys(&[&new]);
        let keys = builder(&idp, &time).snapshot(stored.clone()).start().await.unwrap();
        verifier(&keys).verify::<()>(&token(&old)).await.unwrap();
        assert_eq!(keys.status().age, Some(seconds(MINUTE)));
        assert_eq!(idp.requests(), 0);
        pass(seconds(10 * MINUTE)).await;
        assert_eq!(idp.requests(), 1);

        // Older than the soft age: used, and fetched at once.
        let keys = builder(&idp, &time).snapshot(stored.clone()).spawn().unwrap();
        assert!(now_or_never(verifier(&keys).verify::<()>(&token(&old))).unwrap().is_ok());
        settle().await;
        assert!(now_or_never(verifier(&keys).verify::<()>(&token(&new))).unwrap().is_ok());

        // Older than the hard age, or not a set: not used.
        time.jump(24 * 3600);
        idp.answers(Answer::Down);
        assert_eq!(builder(&idp, &time).snapshot(stored).start().await.unwrap_err().code(), "request");
        let broken = Snapshot::new("{", time.now());
        assert_eq!(builder(&idp, &time).snapshot(broken).spawn().unwrap_err().code(), "not_a_key_set");
    });
}

#[test]
fn s215_unavailable_keys_are_a_503_and_an_unknown_key_is_a_401() {
    paused(async {
        let known = key("known");
        let idp = Idp::with_keys(&[&known]);
        let (keys, _) = started(&idp).await;
        let status = |error: &VerifyError| Challenge::status(&error.challenge());
        let unknown = verifier(&keys).verify::<()>(&token(&key("unknown"))).await.unwrap_err();
        assert_eq!(status(&unknown), 401);
        let keys = builder(&Idp::new(Answer::Down), &Time::new()).spawn().unwrap();
        let unavailable = verifier(&keys).verify::<()>(&token(&known)).await.unwrap_err();
        assert_eq!(status(&unavailable), 503);
        assert!(keys.status().retry_after >= seconds(1));
    });
}

#[test]
fn without_a_runtime_the_start_is_an_error() {
    let error = builder(&Idp::new(Answer::Down), &Time::new()).spawn().unwrap_err();
    assert_eq!(error, Error::NoRuntime);
}

#[test]
fn without_an_algorithm_the_start_is_an_error() {
    paused(async {
        let builder = RemoteKeys::builder("https://idp.example", &[]).fetch_with(Idp::new(Answer::Down));
        assert_eq!(builder.spawn().unwrap_err(), Error::NoAlgorithm);
    });
}

#[test]
fn the_task_ends_with_the_last_clone() {
    paused(async {
        let idp = Idp::with_keys(&[&key("one")]);
        let (keys, _) = started(&idp).await;
        let (clone, verifier) = (keys.clone(), verifier(&keys));
        drop(keys);
        settle().await;
        assert_eq!(idp.holders(), 1);
        // Also while it fetches.
        idp.answers(Answer::Silence);
        pass_until(&idp, 2).await;
        drop((clone, verifier));
        settle().await;
        assert_eq!(idp.holders(), 0);
    });
}

#[test]
fn when_the_runtime_ends_the_keys_are_not_used_any_more() {
    let known = key("known");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (keys, time) = runtime.block_on(started(&Idp::with_keys(&[&known])));
    let plain = Verifier::builder(keys.clone()).issuer(ISSUER).audience(AUDIENCE).build().unwrap();
    let text = token(&known);
    plain.at(time.now()).verify::<()>(&text).unwrap();
    drop(runtime);
    assert_eq!(plain.at(time.now()).verify::<()>(&text).unwrap_err(), VerifyError::KeysUnavailable);
    paused(async {
        assert_eq!(keys.ready().await.unwrap_err(), Error::Stopped);
        let error = verifier(&keys).verify::<()>(&text).await.unwrap_err();
        assert_eq!(error, VerifyError::KeysUnavailable);
    });
}

#[test]
fn s204_keys_of_the_hard_age_are_not_used_while_the_runtime_of_the_task_is_blocked() {
    use core::sync::atomic::{AtomicI64, Ordering};
    use countersign::UnixTime;
    use std::sync::{Arc, mpsc};

    let known = key("known");
    let idp = Idp::with_keys(&[&known]);
    let time = Arc::new(AtomicI64::new(Time::START.as_secs()));
    let clock = time.clone();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let keys = runtime
        .block_on(
            RemoteKeys::builder("https://idp.example/keys", &ALLOWED)
                .fetch_with(idp.clone())
                .clock(move || UnixTime::from_secs(clock.load(Ordering::Relaxed)))
                .start(),
        )
        .unwrap();
    let generation = keys.generation();
    let verifier = verifier(&keys);
    let text = token(&known);
    // The only thread of the runtime waits until the end of the test.
    let (blocked, is_blocked) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    runtime.spawn(async move {
        blocked.send(()).unwrap();
        let _ = released.recv();
    });
    is_blocked.recv().unwrap();
    paused(async {
        verifier.verify::<()>(&text).await.unwrap();
        time.fetch_add(13 * HOUR as i64, Ordering::Relaxed);
        assert_eq!(verifier.verify::<()>(&text).await.unwrap_err(), VerifyError::KeysUnavailable);
    });
    // Then the keys are taken from all users.
    let now = UnixTime::from_secs(time.load(Ordering::Relaxed));
    let plain = Verifier::builder(keys.clone()).issuer(ISSUER).audience(AUDIENCE).build().unwrap();
    assert_eq!(plain.at(now).verify::<()>(&text).unwrap_err(), VerifyError::KeysUnavailable);
    assert_ne!(keys.generation(), generation);
    assert_eq!((keys.status().keys, idp.requests()), (0, 1));
    drop(release);
    // The caller above began a fetch, which runs now. The next one waits for it.
    let live = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    live.block_on(verifier.verify::<()>(&text)).unwrap();
    assert_eq!((keys.status().keys, idp.requests()), (1, 2));
}

#[test]
fn a_client_that_panics_makes_the_keys_unavailable_and_no_caller_panics() {
    paused(async {
        let idp = Idp::with_keys(&[&key("one")]);
        let (keys, _) = started(&idp).await;
        pass(seconds(11)).await;
        idp.answers(Answer::Panic);
        let error = verifier(&keys).verify::<()>(&token(&key("two"))).await.unwrap_err();
        assert_eq!(error, VerifyError::KeysUnavailable);
        assert_eq!(keys.ready().await.unwrap_err(), Error::Stopped);
    });
}

#[test]
fn the_status_counts_fetches_failures_and_keys() {
    paused(async {
        let idp = Idp::with_keys(&[&key("one")]);
        let (keys, time) = started(&idp).await;
        let status = keys.status();
        assert_eq!((status.fetches, status.failures, status.keys), (1, 0, 1));
        assert_eq!(status.age, Some(Duration::ZERO));
        assert!(status.next_fetch > time.now().saturating_add(seconds(8 * MINUTE)));
        idp.answers(Answer::Down);
        pass_until(&idp, 2).await;
        let status = keys.status();
        assert_eq!((status.fetches, status.failures, status.keys), (2, 1, 1));
        assert_eq!(status.last_error.unwrap().code(), "request");
    });
}

#[test]
fn algorithms_that_are_not_allowed_are_not_used() {
    paused(async {
        use countersign::{Algorithm, PrivateKey};
        let other =
            PrivateKey::generate(Algorithm::Es256).unwrap().es256().unwrap().with_key_id("other").unwrap();
        let idp = Idp::with_keys(&[&other]);
        let error = builder(&idp, &Time::new()).start().await.unwrap_err();
        assert_eq!(error, Error::NoUsableKey { entries: 1 });
        assert_eq!(ALLOWED, [Algorithm::Ed25519]);
    });
}
