//! The rules of a key set that is refreshed, each by its number in the list of requirements. `jwk_refresh_model.rs` tries them
//! in every order of events.
#![cfg(feature = "key-files")]

use core::time::Duration;
use countersign::jwk::{Action, Refresh, RefreshConfig};
use countersign::{
    Claims, Header, HmacKey, KeyRef, KeySet, KeySource, SecretBytes, UnixTime, Verifier, VerifyError,
};
use proptest::prelude::*;
use std::sync::{Arc, Mutex};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
/// The defaults.
const COOLDOWN: u64 = 10;
const TIMEOUT: u64 = 10;
const DEFAULT_AGE: u64 = 10 * MINUTE;
const FLOOR: u64 = 5 * MINUTE;
const CEILING: u64 = 24 * HOUR;
const OUTAGE: u64 = 12 * HOUR;
const LONGEST_RETRY: u64 = 5 * MINUTE;

const NO_HEADERS: [(&str, &str); 0] = [];
const NO_WAIT: Option<&str> = None;

/// The time so many seconds after the start. It is 2023-11-14T22:13:20Z then.
fn at(seconds: u64) -> UnixTime {
    UnixTime::from_secs(1_700_000_000).saturating_add(Duration::from_secs(seconds))
}

fn seconds_until(action: Action) -> u64 {
    let Action::WaitUntil(until) = action else { panic!("{action:?}") };
    until.saturating_duration_since(at(0)).as_secs()
}

fn cold(config: RefreshConfig) -> Refresh<&'static str> {
    Refresh::new(config, at(0), 0)
}

/// A machine that has just fetched its first keys, in no time.
fn fetched(headers: &[(&str, &str)]) -> Refresh<&'static str> {
    let mut refresh = cold(RefreshConfig::new());
    assert_eq!(refresh.timer(at(0)), Action::Fetch { attempt: 1 });
    refresh.fetched(at(0), 1, "old", headers.iter().copied());
    refresh
}

/// Returns the age at which the set is fetched again, for a response with these headers.
fn soft_age(headers: &[(&str, &str)]) -> u64 {
    seconds_until(fetched(headers).timer(at(0)))
}

/// Returns the age at which the keys are no longer used.
fn hard_age(headers: &[(&str, &str)]) -> u64 {
    let refresh = fetched(headers);
    let ages: Vec<u64> = (0..100 * HOUR).collect();
    ages.partition_point(|age| refresh.keys(at(*age)).is_some()) as u64
}

/// Returns the time after which a fetch that failed is repeated.
fn wait_after_failure(retry_after: &[&str]) -> u64 {
    let mut refresh = fetched(&[]);
    assert_eq!(refresh.timer(at(HOUR)), Action::Fetch { attempt: 2 });
    seconds_until(refresh.failed(at(HOUR), 2, retry_after)) - HOUR
}

#[test]
fn s197_freshness_is_max_age_then_expires_minus_date_then_our_default() {
    let date = ("Date", "Tue, 14 Nov 2023 20:00:00 GMT");
    let expires = ("Expires", "Tue, 14 Nov 2023 22:00:00 GMT");
    for (headers, expected) in [
        (&[][..], DEFAULT_AGE),
        (&[("Cache-Control", "public")], DEFAULT_AGE),
        (&[("cache-control", "max-age=3600")], HOUR),
        (&[("CACHE-CONTROL", "public, max-age=3600, must-revalidate, no-transform")], HOUR),
        (&[expires, date], 2 * HOUR),
        (&[("Expires", "Tuesday, 14-Nov-23 22:00:00 GMT"), ("Date", "Tue Nov 14 20:00:00 2023")], 2 * HOUR),
        // Without a valid date, by our clock, which shows 22:13:20.
        (&[("Expires", "Tue, 14 Nov 2023 23:13:20 GMT")], HOUR),
        (&[("Expires", "Tue, 14 Nov 2023 23:13:20 GMT"), ("Date", "today")], HOUR),
        (&[("Expires", "Tue, 14 Nov 2023 23:13:20 GMT"), date, date], HOUR),
        (&[("Cache-Control", "max-age=3600"), expires, date], HOUR),
        // A shared cache has other ages.
        (&[("Cache-Control", "s-maxage=3600")], DEFAULT_AGE),
        (&[("Cache-Control", "s-maxage=7200, max-age=3600")], HOUR),
        // Keys are used while they are fetched anyway.
        (&[("Cache-Control", "max-age=3600, stale-while-revalidate=3600")], HOUR),
        (&[("Pragma", "no-cache"), ("X-Cache-Control", "max-age=3600")], DEFAULT_AGE),
    ] {
        assert_eq!(soft_age(headers), expected, "{headers:?}");
    }
}

#[test]
fn s198_age_is_subtracted_and_an_invalid_expires_is_expired() {
    let hour = ("Cache-Control", "max-age=3600");
    for (headers, expected) in [
        (&[hour, ("Age", "600")][..], 50 * MINUTE),
        (&[hour, ("age", " 600 ")], 50 * MINUTE),
        (&[hour, ("Age", "600, 1200")], 50 * MINUTE),
        (&[hour, ("Age", "600"), ("Age", "1200")], 50 * MINUTE),
        (&[hour, ("Age", "3600")], FLOOR),
        (&[hour, ("Age", "99999999999999999999999")], FLOOR),
        (&[("Age", "60")], DEFAULT_AGE - MINUTE),
        (&[hour, ("Age", "-600")], HOUR),
        (&[hour, ("Age", "600s")], HOUR),
        (&[hour, ("Age", "")], HOUR),
        // The first value is the one that counts, also if it is invalid.
        (&[hour, ("Age", "x"), ("Age", "600")], HOUR),
        (&[("Expires", "0")], FLOOR),
        (&[("Expires", "-1")], FLOOR),
        (&[("Expires", "Tue, 14 Nov 2023 23:13:20")], FLOOR),
        (&[("Expires", "Tue, 14 Nov 2000 23:13:20 GMT")], FLOOR),
        (
            &[("Expires", "Tue, 14 Nov 2023 23:13:20 GMT"), ("Expires", "Tue, 14 Nov 2023 23:13:20 GMT")],
            FLOOR,
        ),
        (&[hour, ("Expires", "0")], HOUR),
    ] {
        assert_eq!(soft_age(headers), expected, "{headers:?}");
    }
}

#[test]
fn s198_the_time_of_the_fetch_counts_as_age() {
    let mut refresh = cold(RefreshConfig::new());
    assert_eq!(refresh.timer(at(0)), Action::Fetch { attempt: 1 });
    let next = refresh.fetched(at(9), 1, "keys", [("Cache-Control", "max-age=3600")]);
    assert_eq!(next, Action::WaitUntil(at(HOUR)));
    assert_eq!(refresh.snapshot(), Some((&"keys", at(0))));
}

#[test]
fn s199_directives_are_read_without_case_as_token_or_quoted_and_never_as_the_largest() {
    for (value, expected) in [
        ("MAX-AGE=3600", HOUR),
        ("Max-Age=\"3600\"", HOUR),
        ("max-age=03600", HOUR),
        (",, ,max-age=3600,", HOUR),
        ("\tmax-age=3600 ", HOUR),
        ("private=\"max-age=60, x\", max-age=3600", HOUR),
        (r#"a="\", max-age=60", max-age=3600"#, HOUR),
        ("max-age=99999999999999999999999999", CEILING),
        ("max-age=4294967297", CEILING),
        // Invalid means expired.
        ("max-age", FLOOR),
        ("max-age=", FLOOR),
        ("max-age=\"\"", FLOOR),
        ("max-age=\"3600", FLOOR),
        ("max-age=3600\"", FLOOR),
        ("max-age= 3600", FLOOR),
        ("max-age=-1", FLOOR),
        ("max-age=+3600", FLOOR),
        ("max-age=3600s", FLOOR),
        ("max-age=3600.5", FLOOR),
        ("max-age=1e9", FLOOR),
        ("max-age=0x1000", FLOOR),
        ("max-age=\u{663}\u{663}\u{663}\u{663}", FLOOR),
        ("max-age=3600;public", FLOOR),
        ("max-age=60, max-age=3600", FLOOR),
        ("max-age=3600, max-age=7200", FLOOR),
        ("max-age=3600, max-age=3600", FLOOR),
        // Other names.
        ("max-age =3600", DEFAULT_AGE),
        ("maxage=3600", DEFAULT_AGE),
        ("x=\"max-age=3600\"", DEFAULT_AGE),
        ("x=\"y, max-age=3600", DEFAULT_AGE),
        ("", DEFAULT_AGE),
    ] {
        assert_eq!(soft_age(&[("Cache-Control", value)]), expected, "{value}");
    }
    // One list in two fields.
    let twice = |value| soft_age(&[("Cache-Control", "max-age=3600"), ("Cache-Control", value)]);
    assert_eq!((twice("public"), twice("max-age=7200"), twice("no-store")), (HOUR, FLOOR, FLOOR));
    let long = format!("max-age=3600, x={}", "y".repeat(5000));
    assert_eq!(soft_age(&[("Cache-Control", &long)]), FLOOR);
}

#[test]
fn s200_each_age_is_between_floor_and_ceiling() {
    for (value, expected) in [
        ("no-store", FLOOR),
        ("No-Cache", FLOOR),
        ("no-cache=\"Set-Cookie\", max-age=3600", FLOOR),
        ("max-age=3600, no-store", FLOOR),
        ("max-age=0", FLOOR),
        ("max-age=15", FLOOR),
        ("max-age=299", FLOOR),
        ("max-age=301", FLOOR + 1),
        ("max-age=86399", CEILING - 1),
        ("max-age=31536000", CEILING),
    ] {
        assert_eq!(soft_age(&[("Cache-Control", value)]), expected, "{value}");
    }
    let minute = Duration::from_secs(60);
    let soft_age = |config: RefreshConfig| {
        let mut refresh = cold(config);
        assert_eq!(refresh.timer(at(0)), Action::Fetch { attempt: 1 });
        seconds_until(refresh.fetched(at(0), 1, "keys", NO_HEADERS))
    };
    assert_eq!(soft_age(RefreshConfig::new().with_default_age(minute)), FLOOR);
    assert_eq!(soft_age(RefreshConfig::new().with_default_age(minute).with_age_floor(minute)), MINUTE);
    assert_eq!(soft_age(RefreshConfig::new().with_default_age(Duration::MAX)), CEILING);
    // The floor is above the ceiling.
    assert_eq!(soft_age(RefreshConfig::new().with_age_ceiling(minute)), FLOOR);
}

#[test]
fn s201_stale_if_error_lengthens_the_hard_age_up_to_the_ceiling_unless_the_set_must_be_revalidated() {
    for (value, expected) in [
        ("max-age=3600", HOUR + OUTAGE),
        ("max-age=3600, stale-if-error=60", HOUR + OUTAGE),
        ("max-age=3600, stale-if-error=50400", 15 * HOUR),
        ("max-age=3600, stale-if-error=\"50400\"", 15 * HOUR),
        ("max-age=3600, stale-if-error=31536000", HOUR + CEILING),
        ("max-age=31536000, stale-if-error=31536000", 2 * CEILING),
        ("stale-if-error=50400", DEFAULT_AGE + 14 * HOUR),
        ("max-age=3600, stale-if-error=50400, must-revalidate", HOUR + OUTAGE),
        ("no-store, stale-if-error=50400", FLOOR + OUTAGE),
        ("max-age=3600, stale-if-error=x", HOUR + OUTAGE),
        ("max-age=3600, stale-if-error=50400, stale-if-error=50400", HOUR + OUTAGE),
    ] {
        assert_eq!(hard_age(&[("Cache-Control", value)]), expected, "{value}");
    }
}

#[test]
fn s202_a_304_renews_the_ages_and_keeps_the_keys() {
    let mut refresh = fetched(&[("Cache-Control", "max-age=3600")]);
    assert_eq!(refresh.timer(at(HOUR)), Action::Fetch { attempt: 2 });
    // Without an age of its own, it has the one that the issuer stated last.
    assert_eq!(refresh.not_modified(at(HOUR), 2, NO_HEADERS), Action::WaitUntil(at(2 * HOUR)));
    assert_eq!(refresh.keys(at(HOUR + OUTAGE + 1)), Some(&"old"));
    assert_eq!(refresh.timer(at(2 * HOUR)), Action::Fetch { attempt: 3 });
    let next = refresh.not_modified(at(2 * HOUR), 3, [("Cache-Control", "max-age=7200")]);
    assert_eq!(next, Action::WaitUntil(at(4 * HOUR)));
    assert_eq!(refresh.timer(at(4 * HOUR)), Action::Fetch { attempt: 4 });
    let next = refresh.not_modified(at(4 * HOUR), 4, [("Age", "3600")]);
    assert_eq!(next, Action::WaitUntil(at(5 * HOUR)));

    // Nothing was asked that could be unchanged.
    let mut refresh = cold(RefreshConfig::new().starting_empty());
    assert_eq!(refresh.timer(at(0)), Action::Fetch { attempt: 1 });
    assert_eq!(refresh.not_modified(at(0), 1, NO_HEADERS), Action::WaitUntil(at(COOLDOWN)));
    assert_eq!(refresh.keys(at(0)), None);
}

#[test]
fn s203_retry_after_counts_between_the_back_off_and_the_longest_retry() {
    for (values, expected) in [
        (&[][..], COOLDOWN),
        (&["120"], 120),
        (&[" 120 "], 120),
        (&["1"], COOLDOWN),
        (&["0"], COOLDOWN),
        (&["86400"], LONGEST_RETRY),
        (&["99999999999999999999999999"], LONGEST_RETRY),
        (&["60", "120", "90"], 120),
        // An hour after the start, it is 23:13:20.
        (&["Tue, 14 Nov 2023 23:15:20 GMT"], 120),
        (&["Tuesday, 14-Nov-23 23:15:20 GMT"], 120),
        (&["Tue, 14 Nov 2023 20:00:00 GMT"], COOLDOWN),
        (&["Fri, 31 Dec 9999 23:59:59 GMT"], LONGEST_RETRY),
        (&["soon"], COOLDOWN),
        (&["-120"], COOLDOWN),
        (&["120.5"], COOLDOWN),
        (&[""], COOLDOWN),
    ] {
        assert_eq!(wait_after_failure(values), expected, "{values:?}");
    }
}

#[test]
fn s204_keys_are_used_while_they_are_fetched_again_and_refused_after_the_hard_age() {
    let mut refresh = fetched(&[]);
    assert_eq!(refresh.timer(at(DEFAULT_AGE - 1)), Action::WaitUntil(at(DEFAULT_AGE)));
    assert_eq!(refresh.timer(at(DEFAULT_AGE)), Action::Fetch { attempt: 2 });
    assert_eq!(refresh.keys(at(DEFAULT_AGE)), Some(&"old"));
    assert_eq!(refresh.keys(at(DEFAULT_AGE + OUTAGE - 1)), Some(&"old"));
    assert_eq!(refresh.keys(at(DEFAULT_AGE + OUTAGE)), None);
    // The timer did not run all the time, and a token finds no keys.
    let attempt = 3;
    refresh.failed(at(DEFAULT_AGE + 1), 2, NO_WAIT);
    assert_eq!(refresh.unknown_key(at(DEFAULT_AGE + OUTAGE)), Action::Fetch { attempt });
    refresh.fetched(at(DEFAULT_AGE + OUTAGE), attempt, "new", NO_HEADERS);
    assert_eq!(refresh.keys(at(DEFAULT_AGE + OUTAGE)), Some(&"new"));
}

#[test]
fn s205_unknown_keys_share_one_fetch_whose_cooldown_counts_from_the_last_attempt() {
    let mut refresh = fetched(&[]);
    assert_eq!(refresh.unknown_key(at(COOLDOWN - 1)), Action::UseKeys);
    assert_eq!(refresh.unknown_key(at(COOLDOWN)), Action::Fetch { attempt: 2 });
    for _ in 0..5 {
        assert_eq!(refresh.unknown_key(at(COOLDOWN + 1)), Action::Join { attempt: 2 });
    }
    assert!(matches!(refresh.timer(at(COOLDOWN + 1)), Action::WaitUntil(_)));
    // Those who waited for a slow fetch do not cause the next one.
    refresh.fetched(at(COOLDOWN + 9), 2, "new", NO_HEADERS);
    assert_eq!(refresh.unknown_key(at(COOLDOWN + 9)), Action::UseKeys);
    assert_eq!(refresh.unknown_key(at(COOLDOWN + 18)), Action::UseKeys);
    assert_eq!(refresh.unknown_key(at(COOLDOWN + 19)), Action::Fetch { attempt: 3 });
    // After an attempt that failed, the key may be a new one, so it is not said to be unknown.
    refresh.failed(at(COOLDOWN + 20), 3, NO_WAIT);
    assert_eq!(refresh.unknown_key(at(COOLDOWN + 29)), Action::Unavailable);
    assert_eq!(refresh.unknown_key(at(COOLDOWN + 30)), Action::Fetch { attempt: 4 });
}

#[test]
fn s206_failures_back_off_with_jitter_and_change_no_keys() {
    let waits = |jitter| -> Vec<u64> {
        let mut refresh = Refresh::new(RefreshConfig::new(), at(0), jitter);
        assert_eq!(refresh.timer(at(0)), Action::Fetch { attempt: 1 });
        let mut next = seconds_until(refresh.fetched(at(0), 1, "keys", NO_HEADERS));
        let waits = (2..10).map(|attempt| {
            let now = next;
            assert_eq!(refresh.timer(at(now)), Action::Fetch { attempt });
            next = seconds_until(refresh.failed(at(now), attempt, NO_WAIT));
            assert_eq!(refresh.keys(at(now)), Some(&"keys"));
            assert_eq!(refresh.timer(at(next - 1)), Action::WaitUntil(at(next)));
            next - now
        });
        waits.collect()
    };
    assert_eq!(waits(0), [10, 20, 40, 80, 150, 150, 150, 150]);
    assert_eq!(waits(1 << 31), [15, 30, 60, 120, 225, 225, 225, 225]);
    assert_eq!(waits(u32::MAX), [19, 39, 79, 159, 299, 299, 299, 299]);

    // A success ends it.
    let mut refresh = fetched(&[]);
    for (time, attempt) in [(HOUR, 2), (2 * HOUR, 3), (3 * HOUR, 4)] {
        assert_eq!(refresh.timer(at(time)), Action::Fetch { attempt });
        refresh.failed(at(time), attempt, NO_WAIT);
    }
    assert_eq!(refresh.timer(at(4 * HOUR)), Action::Fetch { attempt: 5 });
    refresh.fetched(at(4 * HOUR), 5, "new", NO_HEADERS);
    assert_eq!(refresh.timer(at(5 * HOUR)), Action::Fetch { attempt: 6 });
    assert_eq!(refresh.failed(at(5 * HOUR), 6, NO_WAIT), Action::WaitUntil(at(5 * HOUR + COOLDOWN)));
}

#[test]
fn s206_servers_that_start_together_do_not_fetch_together() {
    let soft_age = |jitter| {
        let mut refresh = Refresh::new(RefreshConfig::new(), at(0), jitter);
        assert_eq!(refresh.timer(at(0)), Action::Fetch { attempt: 1 });
        seconds_until(refresh.fetched(at(0), 1, "keys", [("Cache-Control", "max-age=36000")]))
    };
    assert_eq!((soft_age(0), soft_age(1 << 31), soft_age(u32::MAX)), (36_000, 34_200, 32_401));
}

#[test]
fn s207_the_number_of_waiting_callers_is_bounded_and_a_place_can_be_given_back() {
    let mut refresh = cold(RefreshConfig::new().with_most_waiting(2));
    assert_eq!(refresh.unknown_key(at(0)), Action::Fetch { attempt: 1 });
    let unknown_key = |refresh: &mut Refresh<_>| refresh.unknown_key(at(1));
    assert_eq!(unknown_key(&mut refresh), Action::Join { attempt: 1 });
    assert_eq!(unknown_key(&mut refresh), Action::Join { attempt: 1 });
    assert_eq!(unknown_key(&mut refresh), Action::Unavailable);
    refresh.stop_waiting(1);
    assert_eq!(unknown_key(&mut refresh), Action::Join { attempt: 1 });
    assert_eq!(unknown_key(&mut refresh), Action::Unavailable);
    // A caller that waited for another attempt gives nothing back.
    refresh.stop_waiting(0);
    refresh.stop_waiting(2);
    assert_eq!(unknown_key(&mut refresh), Action::Unavailable);
    // The end of the attempt frees all places.
    refresh.fetched(at(2), 1, "keys", NO_HEADERS);
    assert_eq!(refresh.unknown_key(at(30)), Action::Fetch { attempt: 2 });
    assert_eq!(refresh.unknown_key(at(30)), Action::Join { attempt: 2 });
    refresh.stop_waiting(1);
    assert_eq!(refresh.unknown_key(at(30)), Action::Join { attempt: 2 });
    assert_eq!(refresh.unknown_key(at(30)), Action::Unavailable);
}

#[test]
fn s209_unknown_keys_of_one_issuer_delay_no_other_issuer() {
    let (mut flooded, mut other) = (fetched(&[]), fetched(&[]));
    for second in COOLDOWN..55 {
        let _ = flooded.unknown_key(at(second));
    }
    assert_eq!(flooded.unknown_key(at(55)), Action::Unavailable);
    assert_eq!(other.unknown_key(at(55)), Action::Fetch { attempt: 2 });
}

#[test]
fn s210_keys_that_a_new_set_lacks_are_forgotten() {
    let mut refresh = Refresh::new(RefreshConfig::new(), at(0), 0);
    assert_eq!(refresh.timer(at(0)), Action::Fetch { attempt: 1 });
    refresh.fetched(at(0), 1, vec!["stolen", "good"], NO_HEADERS);
    assert_eq!(refresh.timer(at(HOUR)), Action::Fetch { attempt: 2 });
    refresh.fetched(at(HOUR), 2, vec!["good"], NO_HEADERS);
    assert_eq!(refresh.keys(at(HOUR)), Some(&vec!["good"]));
}

#[test]
fn s210_the_hard_age_bounds_the_use_of_a_removed_key_during_an_outage() {
    let mut refresh = fetched(&[("Cache-Control", "max-age=31536000, stale-if-error=31536000")]);
    let (mut now, mut attempt) = (0, 1);
    while refresh.keys(at(now)).is_some() {
        match refresh.timer(at(now)) {
            Action::WaitUntil(until) => now = until.saturating_duration_since(at(0)).as_secs(),
            Action::Fetch { attempt: next } => {
                attempt = next;
                refresh.failed(at(now), attempt, NO_WAIT);
            }
            action => panic!("{action:?}"),
        }
    }
    assert!((2 * CEILING..2 * CEILING + LONGEST_RETRY).contains(&now), "{now}");
    assert!(attempt > 100, "{attempt}");
}

#[test]
fn s211_s213_a_failed_fetch_keeps_old_keys_and_ends_a_start_that_may_fail() {
    // A body that is not a set is reported to `failed`.
    let mut refresh = fetched(&[]);
    assert_eq!(refresh.timer(at(HOUR)), Action::Fetch { attempt: 2 });
    refresh.failed(at(HOUR), 2, NO_WAIT);
    assert_eq!(refresh.keys(at(HOUR)), Some(&"old"));

    let mut refresh = cold(RefreshConfig::new());
    assert_eq!(refresh.timer(at(0)), Action::Fetch { attempt: 1 });
    assert_eq!(refresh.failed(at(1), 1, NO_WAIT), Action::Unavailable);
    assert_eq!(refresh.timer(at(HOUR)), Action::Unavailable);
    assert_eq!(refresh.unknown_key(at(HOUR)), Action::Unavailable);

    let mut refresh = cold(RefreshConfig::new().starting_empty());
    assert_eq!(refresh.timer(at(0)), Action::Fetch { attempt: 1 });
    assert_eq!(refresh.failed(at(1), 1, NO_WAIT), Action::WaitUntil(at(1 + COOLDOWN)));
    assert_eq!(refresh.keys(at(1)), None);
    assert_eq!(refresh.unknown_key(at(1)), Action::Unavailable);
    assert_eq!(refresh.timer(at(1 + COOLDOWN)), Action::Fetch { attempt: 2 });
    refresh.fetched(at(1 + COOLDOWN), 2, "keys", NO_HEADERS);
    assert_eq!(refresh.keys(at(1 + COOLDOWN)), Some(&"keys"));
}

#[test]
fn s212_a_fetch_without_an_end_fails_after_its_timeout_and_its_answer_is_ignored() {
    let config = RefreshConfig::new();
    assert_eq!(config.fetch_timeout(), Duration::from_secs(TIMEOUT));
    let mut refresh = fetched(&[]);
    assert_eq!(refresh.timer(at(HOUR)), Action::Fetch { attempt: 2 });
    assert_eq!(refresh.timer(at(HOUR)), Action::WaitUntil(at(HOUR + TIMEOUT)));
    assert_eq!(refresh.timer(at(HOUR + TIMEOUT)), Action::WaitUntil(at(HOUR + TIMEOUT + COOLDOWN)));
    refresh.fetched(at(HOUR + TIMEOUT), 2, "late", NO_HEADERS);
    assert_eq!(refresh.keys(at(HOUR + TIMEOUT)), Some(&"old"));
    assert_eq!(refresh.timer(at(HOUR + TIMEOUT + COOLDOWN)), Action::Fetch { attempt: 3 });
    refresh.fetched(at(HOUR + TIMEOUT + COOLDOWN), 2, "later", NO_HEADERS);
    refresh.failed(at(HOUR + TIMEOUT + COOLDOWN), 2, NO_WAIT);
    refresh.fetched(at(HOUR + TIMEOUT + COOLDOWN), 3, "new", NO_HEADERS);
    assert_eq!(refresh.keys(at(HOUR + TIMEOUT + COOLDOWN)), Some(&"new"));
    // No fetch is under way that these could end.
    refresh.fetched(at(2 * HOUR), 3, "again", NO_HEADERS);
    refresh.not_modified(at(2 * HOUR), 3, NO_HEADERS);
    assert_eq!(refresh.keys(at(2 * HOUR)), Some(&"new"));
}

#[test]
fn s214_a_snapshot_keeps_its_age() {
    let (keys, fetched_at) = fetched(&[]).snapshot().map(|(keys, time)| (*keys, time)).unwrap();
    assert_eq!(fetched_at, at(0));
    let start = |seconds| Refresh::from_snapshot(RefreshConfig::new(), keys, fetched_at, at(seconds), 0);

    let mut fresh = start(MINUTE);
    assert_eq!(fresh.keys(at(MINUTE)), Some(&"old"));
    assert_eq!(fresh.timer(at(MINUTE)), Action::WaitUntil(at(DEFAULT_AGE)));
    assert_eq!(fresh.snapshot(), Some((&"old", at(0))));

    // Past the soft age, it is used and fetched again. If that fails, the start does not fail.
    let mut stale = start(HOUR);
    assert_eq!(stale.keys(at(HOUR)), Some(&"old"));
    assert_eq!(stale.timer(at(HOUR)), Action::Fetch { attempt: 1 });
    assert_eq!(stale.failed(at(HOUR), 1, NO_WAIT), Action::WaitUntil(at(HOUR + COOLDOWN)));
    assert_eq!(stale.keys(at(DEFAULT_AGE + OUTAGE - 1)), Some(&"old"));
    assert_eq!(stale.keys(at(DEFAULT_AGE + OUTAGE)), None);

    let old = start(DEFAULT_AGE + OUTAGE);
    assert_eq!((old.keys(at(DEFAULT_AGE + OUTAGE)), old.snapshot()), (None, None));

    // Clocks of two servers differ by seconds. What is further in the future has an unknown age.
    let of_future = |seconds| {
        Refresh::from_snapshot(RefreshConfig::new(), keys, at(seconds), at(0), 0).keys(at(0)).copied()
    };
    assert_eq!((of_future(60), of_future(61)), (Some("old"), None));
}

/// A driver that fetches while the token waits.
struct Driver {
    now: Mutex<UnixTime>,
    refresh: Mutex<Refresh<Arc<KeySet>>>,
    /// What the issuer publishes; `None` while it is down.
    issuer: Mutex<Option<Arc<KeySet>>>,
}

impl KeySource for Driver {
    fn find(&self, header: &Header<'_>) -> Result<KeyRef<'_>, VerifyError> {
        let (now, mut refresh) = (*self.now.lock().unwrap(), self.refresh.lock().unwrap());
        let find = |refresh: &Refresh<Arc<KeySet>>| {
            let keys = refresh.keys(now).ok_or(VerifyError::KeysUnavailable)?;
            keys.find(header).map(KeyRef::into_owned)
        };
        if let Ok(key) = find(&refresh) {
            return Ok(key);
        }
        match refresh.unknown_key(now) {
            Action::Fetch { attempt } => match self.issuer.lock().unwrap().clone() {
                Some(keys) => {
                    refresh.fetched(now, attempt, keys, NO_HEADERS);
                    find(&refresh)
                }
                None => {
                    refresh.failed(now, attempt, NO_WAIT);
                    Err(VerifyError::KeysUnavailable)
                }
            },
            Action::UseKeys => find(&refresh),
            _ => Err(VerifyError::KeysUnavailable),
        }
    }
}

impl Driver {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            now: Mutex::new(at(0)),
            refresh: Mutex::new(Refresh::new(RefreshConfig::new().starting_empty(), at(0), 0)),
            issuer: Mutex::new(None),
        })
    }

    fn publish(&self, key: Option<HmacKey>) {
        let set = key.map(|key| {
            let mut keys = KeySet::new();
            keys.insert(key).unwrap();
            Arc::new(keys)
        });
        *self.issuer.lock().unwrap() = set;
    }

    /// Verifies a token of this key.
    fn verify(self: &Arc<Self>, seconds: u64, key: &HmacKey) -> Result<(), VerifyError> {
        let month = Duration::from_secs(30 * 24 * HOUR);
        let claims = Claims::registered().issuer("https://auth.example").issued_at(at(0)).expires_in(month);
        let verifier = Verifier::builder(self.clone()).issuer("https://auth.example").no_audience().build();
        *self.now.lock().unwrap() = at(seconds);
        verifier.unwrap().at(at(seconds)).verify::<()>(&claims.sign(key).unwrap()).map(drop)
    }
}

fn key(id: &str, secret: u8) -> HmacKey {
    HmacKey::hs256(&SecretBytes::from_bytes([secret; 32])).unwrap().with_key_id(id).unwrap()
}

#[test]
fn s208_a_bad_signature_under_a_known_key_id_fetches_nothing() {
    let driver = Driver::new();
    driver.publish(Some(key("1", 7)));
    assert_eq!(driver.verify(0, &key("1", 7)), Ok(()));
    assert_eq!(driver.verify(COOLDOWN, &key("1", 8)), Err(VerifyError::InvalidSignature));
    let mut refresh = driver.refresh.lock().unwrap();
    assert_eq!(refresh.snapshot().map(|(_, fetched_at)| fetched_at), Some(at(0)));
    assert_eq!(refresh.unknown_key(at(COOLDOWN)), Action::Fetch { attempt: 2 });
}

#[test]
fn s215_unavailable_keys_are_a_503_and_an_unknown_key_is_a_401() {
    let driver = Driver::new();
    let status = |seconds, id| match driver.verify(seconds, &key(id, 7)) {
        Ok(()) => 200,
        Err(error) => error.challenge().status(),
    };
    let publish = |id: Option<&str>| driver.publish(id.map(|id| key(id, 7)));

    assert_eq!(status(0, "1"), 503); // the issuer is down
    publish(Some("1"));
    assert_eq!(status(1, "1"), 503); // the cooldown
    assert_eq!(status(COOLDOWN, "1"), 200);
    assert_eq!(status(COOLDOWN + 1, "2"), 401); // an invented key
    publish(Some("2"));
    assert_eq!(status(COOLDOWN + 2, "2"), 401); // the cooldown
    assert_eq!(status(2 * COOLDOWN, "2"), 200); // a rotation
    assert_eq!(status(3 * COOLDOWN, "1"), 401); // a removed key
    publish(None);
    assert_eq!(status(HOUR, "3"), 503); // it may be a new key
    assert_eq!(status(HOUR, "2"), 200);
    assert_eq!(status(3 * COOLDOWN + DEFAULT_AGE + OUTAGE, "2"), 503); // too old
}

#[test]
fn a_clock_that_jumps_ahead_causes_one_fetch() {
    let mut refresh = fetched(&[]);
    let later = at(100 * 366 * 24 * HOUR);
    assert_eq!(refresh.keys(later), None);
    assert_eq!(refresh.timer(later), Action::Fetch { attempt: 2 });
    refresh.fetched(later, 2, "new", NO_HEADERS);
    assert_eq!(refresh.keys(later), Some(&"new"));
    // And back again.
    assert_eq!(refresh.timer(at(0)), Action::WaitUntil(at(COOLDOWN)));
    assert_eq!(refresh.keys(at(0)), Some(&"new"));
    assert_eq!(refresh.timer(at(COOLDOWN)), Action::Fetch { attempt: 3 });
    refresh.fetched(at(COOLDOWN), 3, "newer", NO_HEADERS);
    assert_eq!(refresh.timer(at(COOLDOWN)), Action::WaitUntil(at(COOLDOWN + DEFAULT_AGE)));
}

#[test]
fn a_clock_that_is_set_back_causes_one_fetch_and_lengthens_no_age() {
    let hour = [("Cache-Control", "max-age=3600")];
    let mut refresh = cold(RefreshConfig::new());
    assert_eq!(refresh.timer(at(HOUR)), Action::Fetch { attempt: 1 });
    assert_eq!(refresh.fetched(at(HOUR), 1, "keys", hour), Action::WaitUntil(at(2 * HOUR)));
    // Before anyone calls, an hour may have passed, because the timer was asked for then.
    let mut now = HOUR - 61;
    let mut hours = 0;
    while refresh.keys(at(now)).is_some() {
        match refresh.timer(at(now)) {
            Action::WaitUntil(until) => {
                hours += until.saturating_duration_since(at(now)).as_secs();
                now = until.saturating_duration_since(at(0)).as_secs();
            }
            Action::Fetch { attempt } => {
                refresh.failed(at(now), attempt, NO_WAIT);
            }
            action => panic!("{action:?}"),
        }
    }
    // Together with that hour, it is the hard age, up to a wait.
    assert!((OUTAGE..OUTAGE + LONGEST_RETRY).contains(&hours), "{hours}");
}

#[test]
fn a_small_step_back_counts_as_no_time() {
    let mut refresh = fetched(&[]);
    assert_eq!(refresh.timer(at(100)), Action::WaitUntil(at(DEFAULT_AGE)));
    for now in [99, 100, 40, 100, 70] {
        assert_eq!(refresh.timer(at(now)), Action::WaitUntil(at(DEFAULT_AGE)), "{now}");
    }
    assert_eq!(refresh.timer(at(39)), Action::Fetch { attempt: 2 });
}

#[test]
fn settings_are_clamped() {
    // A cooldown of zero would fetch for each unknown key.
    let mut refresh = cold(RefreshConfig::new().with_cooldown(Duration::from_millis(999)));
    assert_eq!(refresh.timer(at(0)), Action::Fetch { attempt: 1 });
    refresh.fetched(at(0), 1, "keys", NO_HEADERS);
    assert_eq!(refresh.unknown_key(at(0)), Action::UseKeys);
    assert_eq!(refresh.unknown_key(at(1)), Action::Fetch { attempt: 2 });
    assert_eq!(
        RefreshConfig::new().with_fetch_timeout(Duration::ZERO).fetch_timeout(),
        Duration::from_secs(1)
    );
    let longest = RefreshConfig::new().with_fetch_timeout(Duration::MAX).fetch_timeout();
    assert_eq!(longest, Duration::from_secs(400 * 24 * HOUR));
    assert_eq!(RefreshConfig::new(), RefreshConfig::default());
    // A longest retry below the cooldown.
    let mut refresh = cold(RefreshConfig::new().with_longest_retry(Duration::ZERO).starting_empty());
    assert_eq!(refresh.timer(at(0)), Action::Fetch { attempt: 1 });
    assert_eq!(refresh.failed(at(0), 1, ["3600"]), Action::WaitUntil(at(COOLDOWN)));
}

/// Calls a method that this number chooses. Returns whether it begins a fetch, and notes its number.
fn any_call(refresh: &mut Refresh<u64>, number: u8, now: UnixTime, header: &[u8], attempt: &mut u64) -> bool {
    // Some calls are about an earlier attempt.
    let of = *attempt - u64::from(number / 224);
    let action = match number % 8 {
        0 | 1 => refresh.timer(now),
        2..=4 => refresh.unknown_key(now),
        5 => refresh.fetched(now, of, of, [("cache-control", header), ("age", header)]),
        6 => refresh.not_modified(now, of, [("expires", header), ("date", header)]),
        _ => refresh.failed(now, of, [header]),
    };
    let Action::Fetch { attempt: next } = action else { return false };
    *attempt = next;
    true
}

fn header() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..60),
        "[a-z, =\"\\\\0-9-]{0,60}".prop_map(String::into_bytes),
        "(max-age|stale-if-error|no-store)(=[0-9\"]{0,30})?(, ?max-age=[0-9]{1,9})?"
            .prop_map(String::into_bytes),
        "(Sun|Monday),? [0-9]{2}[ -](Feb|Nov)[ -][0-9]{2,4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT"
            .prop_map(String::into_bytes),
    ]
}

proptest! {
    #[test]
    fn no_events_cause_two_fetches_within_a_cooldown(
        calls in prop::collection::vec((any::<u8>(), 0_u64..30, header()), 1..200),
        jitter: u32,
    ) {
        let mut refresh = Refresh::new(RefreshConfig::new().starting_empty(), at(0), jitter);
        let (mut now, mut last, mut attempt) = (0, None, 1);
        for (number, pause, header) in calls {
            now += pause / 2;
            if any_call(&mut refresh, number, at(now), &header, &mut attempt) {
                prop_assert!(last.is_none_or(|last| now >= last + COOLDOWN), "{last:?} {now}");
                last = Some(now);
            }
        }
    }

    #[test]
    fn any_clock_causes_at_most_one_fetch_for_each_jump(
        times in prop::collection::vec(any::<i64>(), 1..50),
        calls in prop::collection::vec((any::<u8>(), header()), 1..50),
    ) {
        let mut refresh = Refresh::new(RefreshConfig::new().starting_empty(), at(0), 0);
        let mut attempt = 1;
        for time in times {
            let now = UnixTime::from_secs(time);
            let begins = calls.iter().filter(|(number, header)| {
                any_call(&mut refresh, *number, now, header, &mut attempt)
            });
            let fetches = begins.count();
            prop_assert!(fetches <= 1, "{fetches} at {time}");
        }
        // The next fetch comes, at the latest after one that is under way and the wait after it.
        let mut now = 0;
        while let Action::WaitUntil(until) = refresh.timer(at(now)) {
            let next = until.saturating_duration_since(at(0)).as_secs();
            prop_assert!(next > now && next <= CEILING + TIMEOUT + LONGEST_RETRY, "{next} after {now}");
            now = next;
        }
    }

    #[test]
    fn any_headers_leave_the_ages_within_their_bounds(
        fields in prop::collection::vec((prop::sample::select(vec!["cache-control", "age", "expires", "date"]), header()), 0..5),
    ) {
        let mut refresh = cold(RefreshConfig::new());
        prop_assert_eq!(refresh.timer(at(0)), Action::Fetch { attempt: 1 });
        let soft = seconds_until(refresh.fetched(at(0), 1, "keys", fields));
        prop_assert!((FLOOR..=CEILING).contains(&soft), "{}", soft);
        prop_assert!(refresh.keys(at(soft + OUTAGE - 1)).is_some());
        prop_assert!(refresh.keys(at(2 * CEILING)).is_none());
    }
}
