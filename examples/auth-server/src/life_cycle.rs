//! When a signing key is published, signs, and leaves: rules without files and without a clock.
//!
//! A key is known by the time from which it signs. It is published as soon as it exists, so that verifiers have it before they
//! see a token of it. After its successor has begun to sign, it stays until its last token has expired everywhere.

use countersign::UnixTime;
use std::time::Duration;

/// How long a key is published before it signs: longer than the hour for which some verifiers keep a set, whatever the server
/// states, and longer than a proxy, and then a verifier, that keep it for [`MAX_AGE`] each.
pub const PUBLISHED: Duration = Duration::from_secs(2 * 3600);

/// `max-age` of the published set: how soon verifiers ask for the keys again.
pub const MAX_AGE: Duration = Duration::from_secs(5 * 60);

/// The time between two steps of a server. In a step, it reads the keys again, so that all servers with the same folder publish a
/// new key before one of them signs with it.
pub const INTERVAL: Duration = Duration::from_secs(60);

/// How long a key stays after its successor has begun to sign: the longest life of an access token (15 minutes), the longest
/// leeway of a verifier (5 minutes), the time by which clocks differ (1 minute), and [`INTERVAL`], because a server may sign with
/// the old key until its next step.
///
/// It does not depend on settings, because these may have been others when the last token was signed.
pub const KEPT: Duration = Duration::from_secs((15 + 5 + 1 + 1) * 60);

/// The state of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Verifiers can fetch it. It does not sign yet.
    Published,
    /// New tokens are signed with it.
    Signing,
    /// Its tokens are still valid. It does not sign any more.
    Retired,
    /// Its last token has expired.
    Over,
}

/// Returns the state of each key at `now`. `begins` are the times from which the keys sign, in ascending order.
///
/// The last key that may sign does so. If none may, because all are in the future, the first one signs.
pub fn states(begins: &[UnixTime], now: UnixTime) -> Vec<State> {
    let signing = signing(begins, now);
    let state = |index: usize| match begins.get(index + 1) {
        _ if index == signing => State::Signing,
        _ if index > signing => State::Published,
        Some(successor) if now >= successor.saturating_add(KEPT) => State::Over,
        _ => State::Retired,
    };
    (0..begins.len()).map(state).collect()
}

/// Returns whether a new key should be published at `now`: there is none, or the signing key has signed for `every` and has no
/// successor.
pub fn is_due(begins: &[UnixTime], now: UnixTime, every: Option<Duration>) -> bool {
    match begins.last() {
        None => true,
        Some(last) => {
            let is_signing = signing(begins, now) == begins.len() - 1;
            is_signing && every.is_some_and(|every| now >= last.saturating_add(every))
        }
    }
}

/// Returns the time from which a key signs that is made at `now`. The first key signs at once, because there is no other.
pub fn begin(begins: &[UnixTime], now: UnixTime) -> UnixTime {
    if begins.is_empty() { now } else { now.saturating_add(PUBLISHED) }
}

fn signing(begins: &[UnixTime], now: UnixTime) -> usize {
    begins.iter().rposition(|begin| *begin <= now).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::State::{Over, Published, Retired, Signing};
    use super::*;

    const fn at(seconds: i64) -> UnixTime {
        UnixTime::from_secs(1_796_000_000 + seconds)
    }

    fn states_at<const N: usize>(begins: [i64; N], now: i64) -> Vec<State> {
        states(&begins.map(at), at(now))
    }

    #[test]
    fn a_key_is_published_then_signs_then_is_retired_and_then_is_over() {
        let kept = i64::try_from(KEPT.as_secs()).unwrap();
        for (now, expected) in [
            (0, [Signing, Published]),
            (599, [Signing, Published]),
            (600, [Retired, Signing]),
            (600 + kept - 1, [Retired, Signing]),
            (600 + kept, [Over, Signing]),
            (i64::from(u32::MAX), [Over, Signing]),
        ] {
            assert_eq!(states_at([0, 600], now), expected, "{now}");
        }
    }

    #[test]
    fn exactly_one_key_signs_at_any_time() {
        let begins = [0, 1, 600, 4000];
        for now in -10..10_000 {
            let states = states_at(begins, now);
            assert_eq!(states.iter().filter(|state| **state == Signing).count(), 1, "{now}: {states:?}");
        }
        assert_eq!(states(&[], at(0)), []);
    }

    #[test]
    fn the_only_key_signs_and_is_never_over() {
        for now in [-1000, 0, 1_000_000_000] {
            assert_eq!(states_at([0], now), [Signing]);
        }
    }

    #[test]
    fn a_clock_that_is_set_back_lets_the_former_key_sign_again() {
        assert_eq!(states_at([0, 600], 601), [Retired, Signing]);
        assert_eq!(states_at([0, 600], 599), [Signing, Published]);
        assert_eq!(states_at([600, 1200], 0), [Signing, Published]);
    }

    #[test]
    fn after_a_long_stop_the_newest_key_signs_and_the_others_are_over() {
        assert_eq!(states_at([0, 600, 1200], 1_000_000), [Over, Over, Signing]);
    }

    #[test]
    fn a_new_key_is_due_when_the_signing_one_has_signed_long_enough_and_has_no_successor() {
        let every = Some(Duration::from_secs(1000));
        for (begins, now, expected) in [
            (&[][..], 0, true),
            (&[0], 999, false),
            (&[0], 1000, true),
            (&[0], 1_000_000, true),
            (&[0, 1600], 1000, false),
            (&[0, 1600], 1599, false),
            (&[0, 1600], 1600, false),
            (&[0, 1600], 2600, true),
            // The only key is in the future.
            (&[600], 0, false),
        ] {
            let begins: Vec<UnixTime> = begins.iter().copied().map(at).collect();
            assert_eq!(is_due(&begins, at(now), every), expected, "{begins:?} {now}");
        }
        assert!(!is_due(&[at(0)], at(1_000_000_000), None));
        assert!(is_due(&[], at(0), None));
    }

    #[test]
    fn only_the_first_key_signs_without_being_published_before() {
        assert_eq!(begin(&[], at(5)), at(5));
        assert_eq!(begin(&[at(0)], at(5)), at(7205));
    }

    #[test]
    fn a_life_of_rotations_never_signs_with_a_key_that_was_not_published_long_enough() {
        let every = Some(Duration::from_secs(3600));
        let (mut begins, mut born): (Vec<UnixTime>, Vec<UnixTime>) = (Vec::new(), Vec::new());
        let mut last_token_of = std::collections::BTreeMap::new();
        for second in (0..100_000).step_by(60) {
            let now = at(second);
            if is_due(&begins, now, every) {
                begins.push(begin(&begins, now));
                born.push(now);
            }
            for (index, state) in states(&begins, now).into_iter().enumerate() {
                match state {
                    Signing => {
                        assert!(index == 0 || now.saturating_duration_since(born[index]) >= PUBLISHED);
                        last_token_of.insert(index, now);
                    }
                    // A token of 15 minutes, and a verifier with 5 minutes of leeway and a clock that is 1 minute late.
                    Over => {
                        assert!(now >= last_token_of[&index].saturating_add(Duration::from_secs(21 * 60)))
                    }
                    Published | Retired => {}
                }
            }
        }
        assert_eq!(begins.len(), 10);
    }
}
