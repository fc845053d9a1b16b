//! Sessions: each rule of the machine, and each way in which other libraries have lost sessions or locked users out.
#![cfg(feature = "std")]

mod stores;
#[path = "../../../tests/util/mod.rs"]
mod util;

// A module, so that `cargo test session` runs its tests.
mod session {
    use crate::stores::{
        AUDIENCE, DAY, Dry, HOUR, ISSUER, MINUTE, Sequence, Server, UNIFORM, access_verifier, after, config,
        exchanged, master, server, server_of, signer, text,
    };
    use crate::util::{NOW, assert_hides, b64, later, seconds, signed_with, unb64};
    use core::time::Duration;
    use countersign::http::RequestError;
    use countersign::{
        Claims, HmacKey, Identity, Key, KeyError, KeyFile, KeySet, PolicyError, SecretBytes, SignError,
        SignKey, Signature, UnixTime, Unverified, Verifier, VerifyError,
    };
    use countersign_session::{
        AccessVerifier, Binding, Config, ConfigError, DenyKey, Denylist, Ended, Error, EventKind, Exchange,
        Fingerprint, Grace, Grant, Lifetime, Loaded, Login, Machine, MasterKeys, MemoryStore, OnMismatch,
        Randomness, Reason, Recency, RefreshToken, Refusal, Row, SessionId, Sessions, Store, StoreError,
        blocking,
    };
    use hmac::{Hmac, KeyInit, Mac};
    use serde_json::{Value, json};
    use sha2::Sha256;
    use std::collections::BTreeSet;
    use std::sync::{Arc, Mutex, mpsc};

    // Rule 1: tokens that were not issued here.

    #[test]
    fn a_text_that_is_not_a_refresh_token_is_malformed_and_reads_no_store() {
        let server = server();
        let grant = server.login("ann", NOW);
        let good = text(&grant);
        let mut texts: Vec<String> = [
            "",
            "v1.",
            "v1",
            ".",
            "garbage",
            "null",
            "eyJhbGciOiJIUzI1NiJ9.e30.AA",
            "' OR 1=1 --",
            "\0",
            "🦀",
        ]
        .map(String::from)
        .to_vec();
        texts.extend((0..good.len()).map(|length| good[..length].to_owned()));
        texts.extend([
            format!("{good}A"),
            format!("{good}="),
            format!("{good}=="),
            format!("{good}\n"),
            format!(" {good}"),
            format!("Bearer {good}"),
            format!("\"{good}\""),
            good.replacen("v1.", "v2.", 1),
            good.replacen("v1.", "V1.", 1),
            good.replacen("v1.", "", 1),
            good.repeat(2),
            "A".repeat(1 << 20),
            format!("v1.{}", "+".repeat(good.len() - 3)),
            format!("v1.{}", "ä".repeat((good.len() - 3) / 2)),
        ]);
        server.store().calls();
        for text in &texts {
            assert_eq!(server.refusal(text, NOW), Refusal::Malformed, "{text:?}");
            assert_eq!(blocking(server.sessions.at(NOW).logout(text)).unwrap(), Ended::Unknown);
        }
        assert_eq!(server.store().calls(), [""; 0]);
        server.refresh(&grant, NOW);
    }

    #[test]
    fn a_token_has_one_spelling() {
        let server = server();
        let grant = server.login("ann", NOW);
        let good = text(&grant);
        assert_eq!(good.len(), RefreshToken::LENGTH);
        // The last character has four bits that belong to no byte.
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let (front, last) = good.split_at(good.len() - 1);
        let taken: Vec<char> = alphabet
            .chars()
            .filter(|symbol| server.refusal_or_none(&format!("{front}{symbol}")) != Some(Refusal::Malformed))
            .collect();
        assert_eq!(taken, ['A', 'Q', 'g', 'w']);
        assert!(taken.contains(&last.chars().next().unwrap()));
    }

    /// Makes a token by the format of [`MasterKeys`], like a thief who has the secret and no store.
    fn forged(secret: [u8; 32], kid: u32, session: SessionId, generation: u64, salt: [u8; 16]) -> String {
        let hmac = |key: &[u8], parts: &[&[u8]]| -> [u8; 32] {
            let keyed = Hmac::<Sha256>::new_from_slice(key).unwrap();
            parts.iter().fold(keyed, |hmac, part| hmac.chain_update(part)).finalize().into_bytes().into()
        };
        let labels = [b"countersign/refresh/mac/1", b"countersign/refresh/tag/1"];
        let main = hmac(b"countersign/refresh/keys/1", &[&secret]);
        let [mac_key, tag_key] = labels.map(|label| hmac(&main, &[label, &[1]]));
        let name = [&kid.to_be_bytes()[..], session.as_bytes(), &generation.to_be_bytes()].concat();
        let tag = hmac(&tag_key, &[labels[1], &name, &salt]);
        let mac = hmac(&mac_key, &[labels[0], &name, &tag]);
        format!("v1.{}", b64([&name[..], &mac[..16], &tag].concat()))
    }

    #[test]
    fn a_stolen_master_key_alone_makes_no_valid_token() {
        let (secret, other) = ([0x11; 32], [0x22; 32]);
        let number_0 = MasterKeys::new(0, secret).unwrap();
        let former_0 = MasterKeys::new(1, other).unwrap().with_former(0, secret).unwrap();
        for keys in [number_0, former_0] {
            let server = Server::over(&Arc::default(), config(), keys);
            let grant = server.login("ann", NOW);
            // A row begins with no predecessor: number 0, and a salt of zeros.
            let before_the_first = forged(secret, 0, grant.session_id(), 0, [0; 16]);
            assert_eq!(server.refusal(&before_the_first, NOW), Refusal::Malformed);
            assert!(server.lives(&grant, NOW));
            // Any other generation can only end the session.
            let guessed = forged(secret, 0, grant.session_id(), 1, [0; 16]);
            assert_eq!(server.refusal(&guessed, NOW), Refusal::RolledBack);
        }
    }

    #[test]
    fn a_token_with_any_bit_changed_reads_no_store_and_revokes_no_session() {
        let server = server();
        // Of the third generation, because no single bit changes its number to zero.
        let (grant, _) = exchanged(&server, server.login("ann", NOW), 2);
        let bytes = unb64(&text(&grant)[3..]);
        server.store().calls();
        server.events();
        for place in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[place] ^= 1 << bit;
                let text = format!("v1.{}", b64(&changed));
                let expected = if place < 4 { Refusal::UnknownKey } else { Refusal::Forged };
                assert_eq!(server.refusal(&text, NOW), expected, "bit {bit} of byte {place}");
            }
        }
        assert_eq!(server.store().calls(), [""; 0]);
        assert_eq!(server.events(), []);
        server.refresh(&grant, NOW);
    }

    #[test]
    fn random_garbage_revokes_no_session() {
        let server = server();
        let grant = server.login("ann", NOW);
        let before = server.store().content();
        let random = Sequence::default();
        for _ in 0..1_000 {
            let mut bytes = [0; 76];
            countersign::Entropy::fill(&random, &mut bytes).unwrap();
            // Everything readable in a token is right: the key, the session, and the present generation.
            bytes[..28].copy_from_slice(&unb64(&text(&grant)[3..])[..28]);
            assert_eq!(server.refusal(&format!("v1.{}", b64(bytes)), NOW), Refusal::Forged);
        }
        assert_eq!(server.store().content(), before);
        server.refresh(&grant, NOW);
    }

    #[test]
    fn a_token_of_other_master_keys_is_refused() {
        let server = server();
        let grant = server.login("ann", NOW);
        let same_number = server.beside(config(), MasterKeys::new(1, [0x12; 32]).unwrap());
        assert_eq!(same_number.refusal(text(&grant), NOW), Refusal::Forged);
        let other_number = server.beside(config(), MasterKeys::new(2, [0x11; 32]).unwrap());
        assert_eq!(other_number.refusal(text(&grant), NOW), Refusal::UnknownKey);
    }

    #[test]
    fn an_access_token_is_not_a_refresh_token_and_the_reverse() {
        let server = server();
        let grant = server.login("ann", NOW);
        assert_eq!(server.refusal(&server.access(&grant), NOW), Refusal::Malformed);
        assert!(server.check(text(&grant), NOW).is_err());
    }

    // Rules 2 and 3: sessions that have ended.

    #[test]
    fn a_session_that_is_not_in_the_store_is_refused() {
        let (first, second) = (server(), server());
        let grant = first.login("ann", NOW);
        assert_eq!(second.refusal(text(&grant), NOW), Refusal::UnknownSession);
        assert_eq!(blocking(second.sessions.at(NOW).logout(text(&grant))).unwrap(), Ended::Unknown);
        assert_eq!(second.events(), []);
    }

    #[test]
    fn every_token_of_a_revoked_session_is_refused() {
        let server = server();
        let first = server.login("ann", NOW);
        let second = server.refresh(&first, later(MINUTE));
        assert_eq!(blocking(server.sessions.at(later(MINUTE)).logout(text(&second))).unwrap(), Ended::Now);
        server.events();
        let before = server.store().content();
        for grant in [&first, &second] {
            assert_eq!(server.refusal(text(grant), later(MINUTE)), Refusal::Revoked(Reason::Logout));
        }
        assert_eq!(server.store().content(), before);
        assert_eq!(server.events(), []);
    }

    #[test]
    fn an_idle_session_ends_after_two_weeks_and_the_clock_skew() {
        let server = server();
        let grant = server.login("ann", NOW);
        assert_eq!(grant.refresh_expires_at(), later(14 * DAY));
        assert_eq!(grant.refresh_lifetime(), Duration::from_secs(14 * 24 * 3600));
        let end = 14 * DAY + MINUTE;
        assert_eq!(server.refusal(text(&grant), later(end)), Refusal::Expired(Lifetime::Idle));
        // The refusal has changed nothing.
        server.refresh(&grant, later(end - 1));
    }

    #[test]
    fn a_session_in_use_ends_after_sixty_days_too() {
        let server = server();
        let mut grant = server.login("ann", NOW);
        for day in (10..60).step_by(10) {
            grant = server.refresh(&grant, later(day * DAY));
        }
        // The lifetime of fourteen days from the fiftieth is cut.
        assert_eq!(grant.refresh_expires_at(), later(60 * DAY));
        let grant = server.refresh(&grant, later(60 * DAY - 100));
        assert_eq!(grant.access_expires_at(), later(60 * DAY));
        assert_eq!(grant.access_lifetime(), seconds(100));
        let last = server.refresh(&grant, later(60 * DAY - 1));
        assert_eq!(server.refusal(text(&last), later(60 * DAY)), Refusal::Expired(Lifetime::Absolute));
        let replayed = server.refresh(&grant, later(60 * DAY - 1));
        assert_eq!((replayed.exchange(), replayed.access_lifetime()), (Exchange::Replayed, seconds(1)));
        server.access(&replayed);
    }

    #[test]
    fn all_sessions_of_a_subject_end_with_its_epoch_and_no_others() {
        let server = server();
        let (phone, laptop) = (server.login("ann", NOW), server.login("ann", NOW));
        let other = server.login("bob", NOW);
        let access = [server.access(&phone), server.access(&laptop), server.access(&other)];
        blocking(server.sessions.at(later(1)).revoke_all("ann")).unwrap();
        for grant in [&phone, &laptop] {
            assert_eq!(server.refusal(text(grant), later(1)), Refusal::StaleEpoch);
        }
        assert!(matches!(server.check(&access[0], later(1)), Err(Error::Denied)));
        assert!(matches!(server.check(&access[1], later(1)), Err(Error::Denied)));
        assert!(server.check(&access[2], later(1)).is_ok());
        server.refresh(&other, later(1));
        assert_eq!(blocking(server.sessions.at(later(1)).list("ann")).unwrap(), []);
        // She logs in again.
        let again = server.login("ann", later(2));
        assert!(server.check(&server.access(&again), later(2)).is_ok());
        server.refresh(&again, later(2));
        assert!(server.events().contains(&EventKind::AllRevoked));
    }

    #[test]
    fn the_end_of_all_sessions_denies_access_tokens_with_longer_lifetimes_than_the_present_one() {
        let before = server_of(config().access_lifetime(seconds(900)));
        let access = before.access(&before.login("ann", NOW));
        let today = before.beside(config().access_lifetime(seconds(60)), master());
        blocking(today.sessions.at(later(1)).revoke_all("ann")).unwrap();
        // `exp`, plus the largest leeway of a verifier, plus the clock skew.
        let end = later(15 * MINUTE + 5 * MINUTE + MINUTE);
        blocking(today.sessions.at(end).purge()).unwrap();
        assert!(matches!(today.check(&access, later(14 * MINUTE)), Err(Error::Denied)));
        blocking(today.sessions.at(after(end, 1)).purge()).unwrap();
        assert_eq!(today.store().denials(), 0);
    }

    #[test]
    fn a_login_with_an_epoch_is_refused_if_all_sessions_were_ended_after_its_password_was_read() {
        let server = server();
        let epoch = || blocking(server.sessions.epoch("ann")).unwrap();
        let login = |epoch| blocking(server.sessions.at(NOW).login(&Login::new("ann").in_epoch(epoch)));
        let before = epoch();
        server.refresh(&login(before).unwrap(), NOW);
        blocking(server.sessions.at(NOW).revoke_all("ann")).unwrap();
        let content = server.store().content();
        let error = login(before).unwrap_err();
        assert_eq!((error.challenge().status(), error.refusal()), (400, Some(Refusal::StaleEpoch)));
        let error = login(epoch() + 1).unwrap_err();
        assert!(matches!(error, Error::InvalidLogin { field: "epoch" }));
        assert_eq!(server.store().content(), content);
        let grant = login(epoch()).unwrap();
        assert!(server.check(&server.access(&grant), NOW).is_ok());
        server.refresh(&grant, NOW);
    }

    #[test]
    fn a_skipped_epoch_is_denied_when_the_end_of_all_sessions_is_repeated() {
        let server = server();
        let (other, store) = (server.beside(config(), master()), server.shared());
        let (sender, receiver) = mpsc::channel();
        // Another call ends all sessions too, a user logs in, and the store goes down before that denial.
        server.store().set_meanwhile("bump_epoch", 0, move || {
            blocking(other.sessions.at(NOW).revoke_all("ann")).unwrap();
            sender.send(other.login("ann", NOW)).unwrap();
            let down = store.clone();
            store.0.set_meanwhile("deny", 0, move || down.0.set_down(true));
        });
        assert!(blocking(server.sessions.at(NOW).revoke_all("ann")).is_err());
        server.store().set_down(false);
        let between = receiver.recv().unwrap();
        assert_eq!(server.refusal(text(&between), later(1)), Refusal::StaleEpoch);
        blocking(server.sessions.at(later(1)).revoke_all("ann")).unwrap();
        assert!(matches!(server.check(&server.access(&between), later(1)), Err(Error::Denied)));
    }

    #[test]
    fn a_wrong_epoch_from_the_store_is_an_error_at_the_end_of_all_sessions() {
        // The results of a store that counts from 5 by its own rule: unchanged, back, and far ahead.
        for counted in [5, 1, 1006, u64::MAX] {
            let server = server();
            server.store().set_epoch("ann", 5);
            server.login("ann", NOW);
            let store = server.shared();
            server.store().set_meanwhile("bump_epoch", 0, move || store.0.set_epoch("ann", counted - 1));
            server.events();
            server.store().calls();
            let error = blocking(server.sessions.at(NOW).revoke_all("ann")).unwrap_err();
            assert!(matches!(error, Error::Store(_)), "{counted}: {error:?}");
            assert_eq!(server.events(), []);
            assert_eq!(server.store().calls().iter().filter(|call| **call == "deny").count(), 1);
        }
        // Other calls may end all sessions in between, even many.
        let server = server();
        server.store().set_epoch("ann", 5);
        let store = server.shared();
        server.store().set_meanwhile("bump_epoch", 0, move || store.0.set_epoch("ann", 1004));
        blocking(server.sessions.at(NOW).revoke_all("ann")).unwrap();
        assert_eq!(server.store().calls().iter().filter(|call| **call == "deny").count(), 2);
    }

    #[test]
    fn a_session_of_an_epoch_that_the_store_has_lost_is_refused() {
        let server = server();
        server.store().set_epoch("ann", 5);
        let grant = server.login("ann", NOW);
        server.store().set_epoch("ann", 0);
        assert_eq!(server.refusal(text(&grant), later(1)), Refusal::StaleEpoch);
        // The refusal does not end the session.
        server.store().set_epoch("ann", 5);
        server.refresh(&grant, later(2));
    }

    #[test]
    fn an_end_of_all_sessions_also_ends_those_of_epochs_that_the_store_has_lost() {
        let ends: [fn(&Server, SessionId); 2] = [
            |server, _| blocking(server.sessions.at(later(1)).revoke_all("ann")).unwrap(),
            |server, other| {
                assert_eq!(blocking(server.sessions.at(later(1)).revoke_others("ann", other)).unwrap(), 1);
            },
        ];
        for end in ends {
            let server = server();
            server.store().set_epoch("ann", 1);
            let grant = server.login("ann", NOW);
            server.store().set_epoch("ann", 0);
            end(&server, server.login("ann", NOW).session_id());
            // The next epoch is the one of the lost session.
            server.store().set_epoch("ann", 1);
            assert_eq!(server.refusal(text(&grant), later(2)), Refusal::Revoked(Reason::Revoked));
            assert!(matches!(server.check(&server.access(&grant), later(2)), Err(Error::Denied)));
        }
    }

    #[test]
    fn a_login_that_races_with_the_end_of_all_sessions_ends_with_them() {
        let server = server();
        // The login has read the epoch; then all sessions are ended; then it writes its row.
        let early = server.store().backup();
        blocking(server.sessions.at(NOW).revoke_all("ann")).unwrap();
        let late = server.store().backup();
        server.store().restore(&early);
        let grant = server.login("ann", NOW);
        let row = server.store().row(grant.session_id());
        server.store().restore(&late);
        let _ = blocking(server.shared().insert(&row)).unwrap();
        assert_eq!(server.refusal(text(&grant), NOW), Refusal::StaleEpoch);
        assert!(matches!(server.check(&server.access(&grant), NOW), Err(Error::Denied)));
    }

    #[test]
    fn a_login_after_an_incomplete_end_of_all_sessions_gives_valid_tokens() {
        let server = server();
        let before = server.login("ann", NOW);
        // Its server crashed between its two writes.
        blocking(server.shared().deny(&[DenyKey::subject("ann", 0)], later(HOUR))).unwrap();
        server.store().calls();
        let grant = server.login("ann", later(1));
        assert_eq!(server.store().calls(), ["epoch", "is_denied", "epoch", "bump_epoch", "insert"]);
        assert!(server.check(&server.access(&grant), later(1)).is_ok());
        let next = server.refresh(&grant, later(10 * MINUTE));
        assert!(server.check(&server.access(&next), later(10 * MINUTE)).is_ok());
        // The incomplete end has been completed.
        assert_eq!(server.refusal(text(&before), later(10 * MINUTE)), Refusal::StaleEpoch);
    }

    #[test]
    fn a_right_password_is_accepted_after_an_incomplete_end_of_all_sessions() {
        let server = server();
        blocking(server.shared().deny(&[DenyKey::subject("ann", 0)], later(HOUR))).unwrap();
        let epoch = blocking(server.sessions.at(later(1)).epoch("ann")).unwrap();
        // The end is reported, although its caller is gone.
        assert_eq!((epoch, server.events()), (1, vec![EventKind::AllRevoked]));
        let login = Login::new("ann").in_epoch(epoch);
        let grant = blocking(server.sessions.at(later(1)).login(&login)).unwrap();
        assert!(server.check(&server.access(&grant), later(1)).is_ok());
    }

    #[test]
    fn a_login_during_the_completion_of_an_end_of_all_sessions_ends_no_later_login() {
        let server = server();
        let (other, store) = (server.beside(config(), master()), server.shared());
        blocking(store.deny(&[DenyKey::subject("ann", 0)], later(HOUR))).unwrap();
        let (sender, receiver) = mpsc::channel();
        // Before the epoch is read a second time.
        server.store().set_meanwhile("epoch", 1, move || {
            assert_eq!(blocking(store.bump_epoch("ann")).unwrap(), 1);
            sender.send(other.login("ann", NOW)).unwrap();
        });
        let grant = server.login("ann", NOW);
        let between = receiver.recv().unwrap();
        for grant in [&between, &grant] {
            assert_eq!(server.store().row(grant.session_id()).subject_epoch(), 1);
            assert!(server.lives(grant, NOW));
        }
    }

    #[test]
    fn a_session_with_an_incomplete_end_is_ended_by_its_next_exchange() {
        for all in [false, true] {
            let server = server();
            let (grant, other) = (server.login("ann", NOW), server.login("bob", NOW));
            // Its server crashed between its two writes.
            let key = if all { DenyKey::subject("ann", 0) } else { DenyKey::session(grant.session_id()) };
            blocking(server.shared().deny(&[key], later(HOUR))).unwrap();
            server.events();
            assert_eq!(server.refusal(text(&grant), later(1)), Refusal::Revoked(Reason::Revoked));
            assert_eq!(server.store().row(grant.session_id()).revoked(), Some((later(1), Reason::Revoked)));
            assert_eq!(server.events(), [EventKind::Revoked(Reason::Revoked)]);
            assert_eq!(server.refusal(text(&grant), later(2)), Refusal::Revoked(Reason::Revoked));
            assert!(server.lives(&other, later(2)));
        }
    }

    #[test]
    fn an_exchange_without_its_denylist_is_a_503_and_changes_nothing() {
        let server = server();
        let grant = server.login("ann", NOW);
        let before = server.store().content();
        let store = server.shared();
        server.store().set_meanwhile("is_denied", 0, move || store.0.set_down(true));
        assert!(matches!(server.try_refresh(text(&grant), NOW), Err(Error::Store(_))));
        server.store().set_down(false);
        assert_eq!(server.store().content(), before);
        server.refresh(&grant, NOW);
    }

    /// Exchanges the session's token before each call of this name, for ever.
    fn exchange_before_each(call: &'static str, thief: Server, token: String) {
        let store = thief.shared();
        store.0.set_meanwhile(call, 0, move || {
            let token = thief.try_refresh(&token, NOW).map_or(token, |grant| text(&grant).into());
            exchange_before_each(call, thief, token);
        });
    }

    #[test]
    fn a_client_that_keeps_exchanging_cannot_stop_the_end_of_its_session() {
        for call in ["deny", "compare_and_swap"] {
            let server = server();
            let grant = server.login("ann", NOW);
            exchange_before_each(call, server.beside(config(), master()), text(&grant).into());
            blocking(server.sessions.at(NOW).logout(text(&grant))).unwrap();
            assert!(server.store().row(grant.session_id()).revoked().is_some(), "{call}");
        }
    }

    // Rule 4: the binding.

    #[test]
    fn a_required_binding_refuses_sessions_without_one() {
        let server = server_of(config().require_binding());
        let error = blocking(server.sessions.at(NOW).login(&Login::new("ann"))).unwrap_err();
        assert!(matches!(error, Error::InvalidLogin { field: "binding" }), "{error:?}");
        // An empty cookie is not a binding.
        let empty = Login::new("ann").binding(Binding::fingerprint(""));
        assert!(matches!(blocking(server.sessions.at(NOW).login(&empty)), Err(Error::InvalidLogin { .. })));
        server.login_as(&Login::new("ann").binding(Binding::fingerprint("cookie")), NOW);
        // A session from before the requirement.
        let before = server.beside(config(), master());
        let grant = before.login("ann", NOW);
        let content = server.store().content();
        assert_eq!(server.refusal(text(&grant), NOW), Refusal::BindingMissing);
        assert_eq!(
            server.refusal_bound(text(&grant), &Binding::fingerprint("cookie"), NOW),
            Refusal::BindingMissing
        );
        assert_eq!(server.store().content(), content);
        before.refresh(&grant, NOW);
    }

    fn bound(server: &Server, value: &str) -> Grant {
        server.login_as(&Login::new("ann").binding(Binding::fingerprint(value)), NOW)
    }

    #[test]
    fn a_bound_session_is_exchanged_with_its_fingerprint() {
        let server = server();
        let fingerprint = server.sessions.fingerprint().unwrap();
        let grant = server.login_as(&Login::new("ann").binding(Binding::from(&fingerprint)), NOW);
        let shown = Binding::fingerprint(fingerprint.expose_secret());
        let grant = blocking(server.sessions.at(NOW).refresh(text(&grant), &shown)).unwrap();
        blocking(server.sessions.at(NOW).refresh(text(&grant), &shown)).unwrap();
    }

    #[test]
    fn a_missing_fingerprint_refuses_and_revokes_nothing() {
        let server = server();
        let grant = bound(&server, "cookie");
        let before = server.store().content();
        server.events();
        let key = Binding::key_thumbprint(&b64([7; 32])).unwrap();
        for shown in [Binding::None, Binding::fingerprint(""), key] {
            assert_eq!(server.refusal_bound(text(&grant), &shown, NOW), Refusal::BindingMissing);
        }
        assert_eq!(server.store().content(), before);
        assert_eq!(server.events(), []);
    }

    #[test]
    fn a_wrong_fingerprint_ends_the_session_and_no_other() {
        let server = server();
        let (grant, other) = (bound(&server, "cookie"), bound(&server, "another"));
        let access = server.access(&grant);
        server.events();
        let wrong = Binding::fingerprint("another");
        assert_eq!(server.refusal_bound(text(&grant), &wrong, NOW), Refusal::BindingMismatch);
        assert_eq!(server.events(), [EventKind::BindingMismatch]);
        let right = Binding::fingerprint("cookie");
        assert_eq!(
            server.refusal_bound(text(&grant), &right, NOW),
            Refusal::Revoked(Reason::BindingMismatch)
        );
        let verifier = access_verifier().with_denylist(server.shared());
        let error = blocking(verifier.at(NOW).verify::<()>(&access, &right)).unwrap_err();
        assert!(matches!(error, Error::Denied));
        blocking(server.sessions.at(NOW).refresh(text(&other), &wrong)).unwrap();
    }

    #[test]
    fn a_policy_may_soften_a_wrong_fingerprint_to_a_refusal() {
        let server = server_of(config().on_binding_mismatch(OnMismatch::Refuse));
        let grant = bound(&server, "cookie");
        let before = server.store().content();
        server.events();
        let wrong = Binding::fingerprint("another");
        assert_eq!(server.refusal_bound(text(&grant), &wrong, NOW), Refusal::BindingMismatch);
        assert_eq!(server.store().content(), before);
        assert_eq!(server.events(), [EventKind::BindingMismatch]);
        blocking(server.sessions.at(NOW).refresh(text(&grant), &Binding::fingerprint("cookie"))).unwrap();
    }

    #[test]
    fn a_session_bound_to_a_key_needs_that_key() {
        let server = server();
        let key = Binding::key_thumbprint(&b64([7; 32])).unwrap();
        let grant = server.login_as(&Login::new("ann").binding(key), NOW);
        let cookie = Binding::fingerprint("cookie");
        assert_eq!(server.refusal_bound(text(&grant), &cookie, NOW), Refusal::BindingMissing);
        let grant = blocking(server.sessions.at(NOW).refresh(text(&grant), &key)).unwrap();
        let other = Binding::key_thumbprint(&b64([8; 32])).unwrap();
        assert_eq!(server.refusal_bound(text(&grant), &other, NOW), Refusal::BindingMismatch);
        for text in ["", "a", &b64([7; 31]), &b64([7; 33]), &format!("{}=", b64([7; 32]))] {
            assert!(Binding::key_thumbprint(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_session_without_a_binding_accepts_any_binding() {
        let server = server();
        let grant = server.login("ann", NOW);
        // A cookie of an earlier session may still exist.
        blocking(server.sessions.at(NOW).refresh(text(&grant), &Binding::fingerprint("old"))).unwrap();
    }

    // Rule 5: the exchange.

    #[test]
    fn an_exchange_gives_another_refresh_token_of_the_same_session() {
        let server = server();
        let first = server.login_as(&Login::new("ann").label("Firefox").scope("read write"), NOW);
        assert_eq!(first.exchange(), Exchange::Login);
        let second = server.refresh(&first, later(10 * MINUTE));
        assert_eq!(second.exchange(), Exchange::Rotated);
        assert_eq!((second.subject(), second.scope()), ("ann", "read write"));
        assert_eq!((second.row().scope(), second.row().label()), ("read write", "Firefox"));
        assert_eq!(second.session_id(), first.session_id());
        assert_ne!(text(&second), text(&first));
        assert_eq!(second.refresh_expires_at(), later(14 * DAY + 10 * MINUTE));
        let row = server.store().row(first.session_id());
        assert_eq!((row.generation(), row.version(), row.subject_epoch()), (2, 2, 0));
        assert_eq!((row.created_at(), row.rotated_at()), (NOW, later(10 * MINUTE)));
        assert_eq!(row.access_until(), later(20 * MINUTE));
        assert_eq!(server.events(), [EventKind::Issued, EventKind::Rotated]);
        assert_eq!(
            server.store().calls(),
            ["epoch", "is_denied", "insert", "load", "is_denied", "compare_and_swap"]
        );
    }

    #[test]
    fn an_exchange_that_loses_its_swap_is_tried_four_times_more_and_then_asks_to_retry() {
        let server = server();
        let grant = server.login("ann", NOW);
        server.store().set_rivals(5);
        let before = server.store().content();
        let error = server.try_refresh(text(&grant), NOW).unwrap_err();
        assert!(matches!(error, Error::Retry));
        assert_eq!((error.code(), error.challenge().status(), error.refusal()), ("retry", 503, None));
        assert_eq!(server.store().content(), before);
        server.store().set_rivals(4);
        server.refresh(&grant, NOW);
        assert_eq!(server.events(), [EventKind::Issued, EventKind::Rotated]);
    }

    #[test]
    fn a_session_moves_to_the_newest_master_key_with_its_next_exchange() {
        let server = server();
        let first = server.login("ann", NOW);
        let rotated = || MasterKeys::new(2, [0x22; 32]).unwrap().with_former(1, [0x11; 32]).unwrap();
        let during = server.beside(config(), rotated());
        let second = during.refresh(&first, later(1));
        // A late answer: the previous token is still of the old key.
        assert_eq!(text(&during.refresh(&first, later(2))), text(&second));
        let beyond = server.beside(config(), MasterKeys::new(2, [0x22; 32]).unwrap());
        assert_eq!(beyond.refusal(text(&first), later(3)), Refusal::UnknownKey);
        beyond.refresh(&second, later(3));
    }

    #[test]
    fn a_logout_on_a_server_without_the_master_key_asks_to_retry_and_never_reports_success() {
        let old = server();
        let new =
            old.beside(config(), MasterKeys::new(2, [0x22; 32]).unwrap().with_former(1, [0x11; 32]).unwrap());
        let grant = new.login("ann", NOW);
        old.store().calls();
        let error = blocking(old.sessions.at(NOW).logout(text(&grant))).unwrap_err();
        assert!(matches!(error, Error::Retry));
        assert_eq!((error.code(), error.challenge().status(), error.refusal()), ("retry", 503, None));
        assert_eq!(old.store().calls(), [""; 0]);
        assert!(new.lives(&grant, NOW));
        assert_eq!(blocking(new.sessions.at(NOW).logout(text(&grant))).unwrap(), Ended::Now);
    }

    #[test]
    fn a_master_key_added_to_every_server_before_its_use_logs_no_client_out() {
        let first = server();
        let keys = |current: u32, former: u32| {
            let secret = |kid: u32| [if kid == 1 { 0x11 } else { 0x22 }; 32];
            MasterKeys::new(current, secret(current)).unwrap().with_former(former, secret(former)).unwrap()
        };
        let mut grant = first.login("ann", NOW);
        // One of two servers is one step ahead of the other, at each step.
        let steps = [
            (keys(1, 2), master()),
            (keys(1, 2), keys(1, 2)),
            (keys(2, 1), keys(1, 2)),
            (keys(2, 1), keys(2, 1)),
        ];
        for (updated, lagging) in steps {
            let servers = [first.beside(config(), updated), first.beside(config(), lagging)];
            for server in servers.iter().chain(&servers) {
                grant = server.refresh(&grant, NOW);
            }
        }
    }

    #[test]
    fn a_former_master_key_makes_no_token_for_a_generation_that_a_newer_one_has_made() {
        let server = server();
        let first = server.login("ann", NOW);
        // For a moment, two servers disagree on the current key.
        let both = |current: u32, former: u32| {
            let secret = |kid: u32| [if kid == 1 { 0x11 } else { 0x22 }; 32];
            MasterKeys::new(current, secret(current)).unwrap().with_former(former, secret(former)).unwrap()
        };
        let (new, old) = (server.beside(config(), both(2, 1)), server.beside(config(), both(1, 2)));
        let backup = server.store().backup();
        let of_new = new.refresh(&first, later(1));
        server.store().restore(&backup);
        // The same generation, with another key.
        let of_old = old.refresh(&first, later(1));
        assert_eq!(of_new.row().generation(), of_old.row().generation());
        assert_eq!(new.refusal(text(&of_new), later(2)), Refusal::RolledBack);
    }

    // Rule 6: the grace.

    #[test]
    fn two_tabs_that_refresh_at_once_hold_the_same_successor() {
        let server = server();
        let grant = server.login("ann", NOW);
        let winner = server.refresh(&grant, later(10 * MINUTE));
        let loser = server.refresh(&grant, later(10 * MINUTE));
        assert_eq!((winner.exchange(), loser.exchange()), (Exchange::Rotated, Exchange::Replayed));
        assert_eq!(text(&winner), text(&loser));
        let (first, second) = (server.access(&winner), server.access(&loser));
        assert_ne!(first, second);
        assert!(server.check(&first, later(10 * MINUTE)).is_ok());
        assert!(server.check(&second, later(10 * MINUTE)).is_ok());
        assert_eq!(server.events(), [EventKind::Issued, EventKind::Rotated, EventKind::GraceReplay]);
    }

    #[test]
    fn fifty_requests_of_one_page_refresh_at_once_and_only_one_writes() {
        let server = server();
        let grant = server.login("ann", NOW);
        server.store().calls();
        let successors: BTreeSet<String> =
            (0..50).map(|_| text(&server.refresh(&grant, later(MINUTE))).to_owned()).collect();
        assert_eq!(successors.len(), 1);
        let writes = server.store().calls().into_iter().filter(|call| *call == "compare_and_swap").count();
        assert_eq!(writes, 1);
        assert_eq!(server.store().row(grant.session_id()).generation(), 2);
    }

    #[test]
    fn a_lost_answer_is_given_again_and_the_window_does_not_grow() {
        let server = server();
        let grant = server.login("ann", NOW);
        let lost = server.refresh(&grant, NOW);
        for wait in [1, 30, 45, 60, 60 + MINUTE - 1] {
            assert_eq!(text(&server.refresh(&grant, later(wait))), text(&lost), "after {wait} s");
        }
        let row = server.store().row(grant.session_id());
        assert_eq!((row.generation(), row.rotated_at()), (2, NOW));
        server.events();
        // 60 seconds, plus 60 for the clocks.
        assert_eq!(server.refusal(text(&grant), later(2 * MINUTE)), Refusal::Reused(Recency::RecentPrevious));
        assert_eq!(server.events(), [EventKind::ReuseDetected(Recency::RecentPrevious)]);
    }

    #[test]
    fn two_tabs_that_refresh_on_the_same_timer_stay_logged_in_and_each_repeat_is_reported() {
        let server = server();
        let mut grant = server.login("ann", NOW);
        server.events();
        for step in 1..=1000 {
            let now = later(step * 570);
            let first = server.refresh(&grant, now);
            let second = server.refresh(&grant, after(now, 1));
            assert_eq!((second.exchange(), text(&second)), (Exchange::Replayed, text(&first)));
            assert_eq!(server.events(), [EventKind::Rotated, EventKind::GraceReplay]);
            grant = second;
        }
        assert!(server.lives(&grant, later(1000 * 570 + 1)));
    }

    #[test]
    fn the_grace_is_over_as_soon_as_the_successor_was_used() {
        let server = server();
        let first = server.login("ann", NOW);
        let second = server.refresh(&first, later(1));
        server.refresh(&second, later(2));
        assert_eq!(server.refusal(text(&first), later(3)), Refusal::Reused(Recency::Stale));
    }

    #[test]
    fn without_a_grace_a_second_exchange_revokes() {
        let server = server_of(config().grace(Grace::None));
        let first = server.login("ann", NOW);
        let second = server.refresh(&first, NOW);
        assert_eq!(server.refusal(text(&first), NOW), Refusal::Reused(Recency::RecentPrevious));
        assert_eq!(server.refusal(text(&second), NOW), Refusal::Revoked(Reason::Reuse));
    }

    #[test]
    fn a_client_without_an_answer_for_hours_stays_logged_in_if_the_grace_lasts_as_long() {
        let grace = Grace::UntilSuccessorUsed { cap: Duration::from_secs(8 * 3600) };
        let server = server_of(config().grace(grace));
        let first = server.login("ann", NOW);
        let second = server.refresh(&first, NOW);
        server.store().calls();
        let again = server.refresh(&first, later(8 * HOUR));
        assert_eq!(text(&again), text(&second));
        // The first access token has long expired, so the row must note a new one.
        assert_eq!(server.store().calls(), ["load", "is_denied", "compare_and_swap"]);
        assert_eq!(again.access_lifetime(), seconds(600));
        assert_eq!(server.store().row(first.session_id()).access_until(), again.access_expires_at());
        assert!(server.check(&server.access(&again), later(8 * HOUR)).is_ok());
        assert_eq!(text(&server.refresh(&first, later(8 * HOUR))), text(&second));
        let end = 8 * HOUR + MINUTE;
        assert_eq!(server.refusal(text(&first), later(end)), Refusal::Reused(Recency::RecentPrevious));
    }

    #[test]
    fn a_repeat_after_the_end_of_its_successor_is_refused_and_revokes_nothing() {
        let idle = seconds(24 * 3600);
        let grace = Grace::UntilSuccessorUsed { cap: idle };
        let server = server_of(config().idle_lifetime(idle).grace(grace));
        let first = server.login("ann", NOW);
        let second = server.refresh(&first, NOW);
        assert_eq!(server.refresh(&first, later(DAY - 1)).refresh_lifetime(), seconds(1));
        server.events();
        // Within the allowance for clocks.
        assert_eq!(server.refusal(text(&first), later(DAY)), Refusal::Expired(Lifetime::Idle));
        assert_eq!(server.events(), []);
        server.refresh(&second, later(DAY));
    }

    #[test]
    fn a_repeat_writes_only_when_less_than_half_an_access_token_is_left() {
        let cap = Duration::from_secs(8 * 3600);
        let server = server_of(config().grace(Grace::UntilSuccessorUsed { cap }));
        let first = server.login("ann", NOW);
        server.refresh(&first, NOW);
        let repeat = |wait| {
            server.store().calls();
            let grant = server.refresh(&first, later(wait));
            assert_eq!(grant.exchange(), Exchange::Replayed);
            (grant.access_lifetime().as_secs(), server.store().calls().contains(&"compare_and_swap"))
        };
        assert_eq!(repeat(0), (600, false));
        assert_eq!(repeat(5 * MINUTE), (300, false));
        assert_eq!(repeat(5 * MINUTE + 1), (600, true));
        // From here on, the time left is that of the new access token.
        assert_eq!(repeat(5 * MINUTE + 2), (599, false));
    }

    #[test]
    fn a_repeat_gets_a_valid_access_token_even_if_they_live_for_a_second() {
        let server = server_of(config().access_lifetime(seconds(1)));
        let first = server.login("ann", NOW);
        server.refresh(&first, NOW);
        for wait in 0..3 {
            let repeated = server.refresh(&first, later(wait));
            assert_eq!(repeated.access_lifetime(), seconds(1));
            assert!(server.check(&server.access(&repeated), later(wait)).is_ok());
        }
    }

    #[test]
    fn the_clock_of_another_server_may_lag_by_a_minute() {
        let server = server();
        let grant = server.login("ann", NOW);
        let winner = server.refresh(&grant, NOW);
        assert_eq!(text(&server.refresh(&grant, later(-MINUTE))), text(&winner));
        server.refresh(&winner, later(-MINUTE));
    }

    #[test]
    fn a_replay_with_another_fingerprint_gets_nothing() {
        let server = server();
        let grant = bound(&server, "cookie");
        let right = Binding::fingerprint("cookie");
        blocking(server.sessions.at(NOW).refresh(text(&grant), &right)).unwrap();
        assert_eq!(server.refusal_bound(text(&grant), &Binding::None, NOW), Refusal::BindingMissing);
        let wrong = Binding::fingerprint("another");
        assert_eq!(server.refusal_bound(text(&grant), &wrong, NOW), Refusal::BindingMismatch);
    }

    // Rule 7: reuse.

    #[test]
    fn reuse_of_an_old_token_logs_out_that_device_and_no_other_of_the_same_subject() {
        let server = server();
        let stolen = server.login("ann", NOW);
        let (tablet, other) = (server.login("ann", NOW), server.login("bob", NOW));
        let (last, now) = exchanged(&server, server.refresh(&stolen, NOW), 3);
        let access = server.access(&last);
        assert!(server.check(&access, now).is_ok());
        server.events();
        assert_eq!(server.refusal(text(&stolen), now), Refusal::Reused(Recency::Stale));
        assert_eq!(server.events(), [EventKind::ReuseDetected(Recency::Stale)]);
        // The thief and the owner are both logged out, at once.
        assert_eq!(server.refusal(text(&last), now), Refusal::Revoked(Reason::Reuse));
        assert!(matches!(server.check(&access, now), Err(Error::Denied)));
        assert!(server.lives(&tablet, now) && server.lives(&other, now));
        server.refresh(&tablet, now);
        server.refresh(&other, now);
    }

    #[test]
    fn an_old_token_is_recognised_however_many_exchanges_later_and_without_history() {
        let server = server();
        let first = server.login("ann", NOW);
        let size = server.store().content().len();
        let (_, now) = exchanged(&server, server.refresh(&first, NOW), 1_000);
        // Apart from digits of times and counters, the store has not grown.
        assert!(server.store().content().len() < size + 100);
        assert_eq!(server.refusal(text(&first), now), Refusal::Reused(Recency::Stale));
    }

    #[test]
    fn the_denial_of_a_stolen_session_outlives_its_access_tokens_and_no_more() {
        let server = server();
        let first = server.login("ann", NOW);
        let second = server.refresh(&first, NOW);
        server.refresh(&second, later(1));
        let access = server.access(&second);
        assert_eq!(server.refusal(text(&first), later(2)), Refusal::Reused(Recency::Stale));
        // `exp` of one issued at that time, plus the largest leeway of a verifier, plus the clock skew.
        let end = later(2 + 10 * MINUTE + 5 * MINUTE + MINUTE);
        blocking(server.sessions.at(end).purge()).unwrap();
        assert_eq!(server.store().denials(), 1);
        assert!(matches!(server.check(&access, later(60)), Err(Error::Denied)));
        blocking(server.sessions.at(after(end, 1)).purge()).unwrap();
        assert_eq!(server.store().denials(), 0);
    }

    // Rule 8: the store was restored to an earlier state.

    #[test]
    fn a_token_newer_than_a_restored_store_ends_its_session() {
        let server = server();
        let (first, other) = (server.login("ann", NOW), server.login("bob", NOW));
        let backup = server.store().backup();
        let second = server.refresh(&first, later(10 * MINUTE));
        let access = server.access(&second);
        server.store().restore(&backup);
        server.events();
        assert_eq!(server.refusal(text(&second), later(11 * MINUTE)), Refusal::RolledBack);
        assert_eq!(server.events(), [EventKind::Anomaly]);
        assert_eq!(server.refusal(text(&first), later(11 * MINUTE)), Refusal::Revoked(Reason::Rollback));
        // The row did not know this access token, but it is denied.
        assert!(matches!(server.check(&access, later(11 * MINUTE)), Err(Error::Denied)));
        server.refresh(&other, later(11 * MINUTE));
    }

    #[test]
    fn ending_a_session_of_a_restored_store_denies_access_tokens_that_its_row_does_not_know() {
        let server = server();
        let first = server.login("ann", NOW);
        let backup = server.store().backup();
        let access = server.access(&server.refresh(&first, later(7 * HOUR)));
        server.store().restore(&backup);
        blocking(server.sessions.at(later(7 * HOUR)).revoke(first.session_id())).unwrap();
        blocking(server.sessions.at(later(7 * HOUR + 9 * MINUTE)).purge()).unwrap();
        assert!(matches!(server.check(&access, later(7 * HOUR + 9 * MINUTE)), Err(Error::Denied)));
    }

    #[test]
    fn a_failed_denial_after_its_row_is_written_by_the_next_call() {
        let comers: [fn(&Server, &Grant); 2] = [
            |server, lost| {
                assert_eq!(server.refusal(text(lost), later(3)), Refusal::Revoked(Reason::Rollback));
            },
            |server, lost| {
                let found = blocking(server.sessions.at(later(3)).revoke(lost.session_id())).unwrap();
                assert_eq!(found, Ended::Already);
            },
        ];
        for come in comers {
            let server = server();
            let first = server.login("ann", NOW);
            let backup = server.store().backup();
            let lost = server.refresh(&first, later(1));
            server.store().restore(&backup);
            let store = server.shared();
            server.store().set_meanwhile("deny", 0, move || store.0.set_down(true));
            assert_eq!(server.try_refresh(text(&lost), later(2)).unwrap_err().challenge().status(), 503);
            server.store().set_down(false);
            assert!(server.check(&server.access(&lost), later(3)).is_ok());
            come(&server, &lost);
            assert!(matches!(server.check(&server.access(&lost), later(3)), Err(Error::Denied)));
            // It is not written once it would have no effect.
            let end = later(2 + 10 * MINUTE + 5 * MINUTE + MINUTE);
            let machine = Machine::new(config().build().unwrap(), master());
            let row = server.store().row(lost.session_id());
            assert!(machine.denial_again(&row, later(2 + 16 * MINUTE - 1)).is_some());
            assert_eq!(machine.denial_again(&row, end), None);
            blocking(server.sessions.at(after(end, 1)).purge()).unwrap();
            blocking(server.sessions.at(after(end, 1)).revoke(lost.session_id())).unwrap();
            assert_eq!(server.store().denials(), 0);
        }
    }

    #[test]
    fn a_row_that_ended_after_a_restore_is_kept_until_its_denial_is_written() {
        // The access tokens that the row knows have been over for more than an hour.
        for (lifetime, exchanged, asked) in
            [(10 * MINUTE, 2 * HOUR, 2 * HOUR + 1), (8 * HOUR, 10 * HOUR, 17 * HOUR)]
        {
            let server = server_of(config().access_lifetime_beyond_limit(seconds(lifetime as u64)));
            let first = server.login("ann", NOW);
            let backup = server.store().backup();
            let lost = server.refresh(&first, later(exchanged));
            server.store().restore(&backup);
            let store = server.shared();
            server.store().set_meanwhile("deny", 0, move || store.0.set_down(true));
            assert_eq!(
                server.try_refresh(text(&lost), later(exchanged + 1)).unwrap_err().challenge().status(),
                503
            );
            server.store().set_down(false);
            blocking(server.sessions.at(later(asked)).purge()).unwrap();
            assert_eq!(server.refusal(text(&lost), later(asked)), Refusal::Revoked(Reason::Rollback));
            let checked = server.check(&server.access(&lost), later(asked));
            assert!(matches!(checked, Err(Error::Denied)));
        }
    }

    #[test]
    fn a_token_lost_in_a_restore_differs_from_the_one_of_the_same_generation() {
        let server = server();
        let first = server.login("ann", NOW);
        let backup = server.store().backup();
        let lost = server.refresh(&first, later(1));
        server.store().restore(&backup);
        let second = server.refresh(&first, later(2));
        assert_ne!(text(&lost), text(&second));
        server.events();
        // As the present generation, and as the previous one.
        let branch = server.store().backup();
        assert_eq!(server.refusal(text(&lost), later(3)), Refusal::RolledBack);
        server.store().restore(&branch);
        server.refresh(&second, later(3));
        assert_eq!(server.refusal(text(&lost), later(4)), Refusal::RolledBack);
        assert_eq!(server.events(), [EventKind::Anomaly, EventKind::Rotated, EventKind::Anomaly]);
    }

    #[test]
    fn a_stale_read_denies_and_revokes_no_session() {
        let server = server();
        let first = server.login("ann", NOW);
        let stale = server.store().backup();
        let second = server.refresh(&first, later(1));
        let fresh = server.store().content();
        // A replica that lags answers the read; the write then goes to the primary, and fails.
        server.store().restore(&stale);
        server.store().set_rivals(5);
        assert!(matches!(server.try_refresh(text(&second), later(2)), Err(Error::Retry)));
        assert_eq!(server.store().denials(), 0);
        assert_ne!(server.store().content(), fresh);
        assert_eq!(server.events(), [EventKind::Issued, EventKind::Rotated]);
    }

    // Deliberate ends.

    #[test]
    fn a_logout_ends_the_session_and_its_access_tokens_at_once() {
        let server = server();
        let (grant, other) = (server.login("ann", NOW), server.login("ann", NOW));
        let access = server.access(&grant);
        assert_eq!(blocking(server.sessions.at(NOW).logout(text(&grant))).unwrap(), Ended::Now);
        assert!(matches!(server.check(&access, NOW), Err(Error::Denied)));
        assert_eq!(blocking(server.sessions.at(NOW).logout(text(&grant))).unwrap(), Ended::Already);
        assert!(server.lives(&other, NOW));
        assert_eq!(
            server.events(),
            [EventKind::Issued, EventKind::Issued, EventKind::Revoked(Reason::Logout)]
        );
    }

    #[test]
    fn a_logout_right_after_the_end_denies_what_verifiers_would_still_accept() {
        let server = server();
        let mut grant = server.login("ann", NOW);
        for day in (10..60).step_by(10) {
            grant = server.refresh(&grant, later(day * DAY));
        }
        let last = server.refresh(&grant, later(60 * DAY - 1));
        let access = server.access(&last);
        let end = later(60 * DAY + 20);
        assert!(server.check(&access, end).is_ok(), "within the leeway");
        assert_eq!(blocking(server.sessions.at(end).logout(text(&last))).unwrap(), Ended::Now);
        assert!(matches!(server.check(&access, end), Err(Error::Denied)));
        let (idle, much_later) = (server.login("bob", NOW), later(15 * DAY));
        assert_eq!(blocking(server.sessions.at(much_later).logout(text(&idle))).unwrap(), Ended::Already);
    }

    #[test]
    fn a_logout_with_the_token_before_the_present_one_is_a_logout() {
        let server = server();
        let first = server.login("ann", NOW);
        server.refresh(&first, NOW);
        assert_eq!(blocking(server.sessions.at(NOW).logout(text(&first))).unwrap(), Ended::Now);
    }

    #[test]
    fn a_session_can_be_ended_as_long_as_a_server_with_a_lagging_clock_would_exchange_it() {
        let end = 14 * DAY + MINUTE;
        for others in [false, true] {
            let server = server();
            let grant = server.login("ann", NOW);
            assert_eq!(server.refusal(text(&grant), later(end)), Refusal::Expired(Lifetime::Idle));
            if others {
                let keep = SessionId::from_bytes([9; 16]);
                let count = blocking(server.sessions.at(later(end)).revoke_others("ann", keep)).unwrap();
                assert_eq!(count, 1);
            } else {
                let ended = blocking(server.sessions.at(later(end)).logout(text(&grant))).unwrap();
                assert_eq!(ended, Ended::Now);
            }
            assert!(matches!(server.refusal(text(&grant), later(end - 1)), Refusal::Revoked(_)));
        }
        let server = server();
        let grant = server.login("ann", NOW);
        let ended = blocking(server.sessions.at(later(end + MINUTE)).logout(text(&grant))).unwrap();
        assert_eq!(ended, Ended::Already);
    }

    #[test]
    fn a_denial_is_written_before_its_row() {
        let server = server();
        let grant = server.login("ann", NOW);
        server.store().calls();
        blocking(server.sessions.at(NOW).logout(text(&grant))).unwrap();
        assert_eq!(server.store().calls(), ["load", "deny", "compare_and_swap"]);
        blocking(server.sessions.at(NOW).revoke_all("ann")).unwrap();
        assert_eq!(server.store().calls(), ["epoch", "list", "deny", "bump_epoch"]);
    }

    #[test]
    fn a_subject_ends_one_of_its_sessions_and_none_of_anothers() {
        let server = server();
        let (mine, also_mine, theirs) =
            (server.login("ann", NOW), server.login("ann", NOW), server.login("bob", NOW));
        let end =
            |subject: &str, session| blocking(server.sessions.at(NOW).revoke_of(subject, session)).unwrap();
        assert_eq!(end("ann", theirs.session_id()), Ended::Unknown);
        assert_eq!(end("ann", SessionId::from_bytes([9; 16])), Ended::Unknown);
        assert!(server.lives(&theirs, NOW));
        assert_eq!(end("ann", mine.session_id()), Ended::Now);
        assert_eq!(end("ann", mine.session_id()), Ended::Already);
        assert!(server.lives(&also_mine, NOW));
        assert_eq!(server.refusal(text(&mine), NOW), Refusal::Revoked(Reason::Revoked));
        // An administrator may end it.
        assert_eq!(blocking(server.sessions.at(NOW).revoke(theirs.session_id())).unwrap(), Ended::Now);
    }

    #[test]
    fn a_subject_ends_all_its_sessions_but_one() {
        let server = server();
        let grants: Vec<_> = (0..4).map(|_| server.login("ann", NOW)).collect();
        let other = server.login("bob", NOW);
        let keep = &grants[2];
        let count = blocking(server.sessions.at(NOW).revoke_others("ann", keep.session_id())).unwrap();
        assert_eq!(count, 3);
        for grant in &grants {
            assert_eq!(server.lives(grant, NOW), grant.session_id() == keep.session_id());
        }
        assert!(server.lives(&other, NOW));
        let again = blocking(server.sessions.at(NOW).revoke_others("ann", keep.session_id())).unwrap();
        assert_eq!(again, 0);
    }

    #[test]
    fn the_sessions_that_live_are_listed_the_newest_first() {
        let server = server();
        for (label, time) in [("old", 0), ("middle", 10), ("new", 20)] {
            server.login_as(&Login::new("ann").label(label), later(time));
        }
        server.login("bob", NOW);
        let gone = server.login("ann", later(30));
        blocking(server.sessions.at(later(30)).logout(text(&gone))).unwrap();
        let rows = blocking(server.sessions.at(later(40)).list("ann")).unwrap();
        let labels: Vec<&str> = rows.iter().map(Row::label).collect();
        assert_eq!(labels, ["new", "middle", "old"]);
        assert_eq!(rows[0].created_at(), later(20));
        assert_eq!(blocking(server.sessions.at(later(15 * DAY)).list("ann")).unwrap(), []);
    }

    #[test]
    fn a_login_above_the_cap_ends_the_session_that_began_first() {
        let server = server_of(config().sessions_per_subject(2));
        let first = server.login("ann", NOW);
        let second = server.login("ann", later(1));
        server.login("bob", later(1));
        // The session is in use, but it is still the oldest.
        let first = server.refresh(&first, later(2));
        let third = server.login("ann", later(3));
        assert_eq!(server.refusal(text(&first), later(4)), Refusal::Revoked(Reason::Evicted));
        assert!(server.lives(&second, later(4)) && server.lives(&third, later(4)));
        assert!(server.events().contains(&EventKind::Revoked(Reason::Evicted)));
    }

    #[test]
    fn a_login_reads_no_more_rows_than_the_cap_allows_however_many_came_before() {
        const CAP: usize = 3;
        const LOGINS: usize = 200;
        // Once before its row is written and once after. The first logins find fewer rows, and evict no session.
        let full = (0..LOGINS).map(|before| 2 * before.min(CAP) + 1).sum();
        type Then = fn(&Server, &Grant, UnixTime);
        let after_each: [(&str, usize, Then); 4] = [
            ("nothing", full, |_, _, _| {}),
            ("a logout", LOGINS, |server, grant, now| {
                blocking(server.sessions.at(now).logout(text(grant))).unwrap();
            }),
            ("reuse", LOGINS, |server, grant, now| {
                let second = server.refresh(grant, now);
                server.refresh(&second, now);
                assert_eq!(server.refusal(text(grant), now), Refusal::Reused(Recency::Stale));
            }),
            // Its rows stay unchanged, and each end of all sessions reads them once more.
            (
                "an end of all",
                full + (1..=LOGINS).map(|rows| rows.min(CAP)).sum::<usize>(),
                |server, _, now| {
                    blocking(server.sessions.at(now).revoke_all("ann")).unwrap();
                },
            ),
        ];
        for (what, expected, then) in after_each {
            let server = server_of(config().sessions_per_subject(CAP));
            server.login("bob", NOW);
            server.store().listed();
            for step in 0..LOGINS {
                let now = later(i64::try_from(step).unwrap());
                let grant = server.login("ann", now);
                then(&server, &grant, now);
            }
            assert_eq!(server.store().listed(), expected, "{what}");
            // Nothing was purged.
            assert_eq!(server.store().rows(), LOGINS + 1, "{what}");
        }
    }

    #[test]
    fn sessions_that_have_expired_do_not_fill_the_list_and_end_without_an_event() {
        const CAP: i64 = 3;
        let server = server_of(config().sessions_per_subject(3));
        for round in 0..50 {
            let now = later(round * 15 * DAY);
            for step in 0..CAP {
                server.login("ann", after(now, step.unsigned_abs()));
            }
            assert_eq!(blocking(server.shared().list("ann")).unwrap().len(), 3);
        }
        assert!(server.events().iter().all(|kind| *kind == EventKind::Issued));
    }

    #[test]
    fn a_live_session_is_never_evicted_before_one_that_is_over() {
        let server = server_of(config().sessions_per_subject(3));
        let over: Vec<_> = (0..3).map(|_| server.login("ann", NOW)).collect();
        blocking(server.sessions.at(NOW).revoke_all("ann")).unwrap();
        let living: Vec<_> = (0..3).map(|step| server.login("ann", later(1 + step))).collect();
        assert!(living.iter().all(|grant| server.lives(grant, later(5))));
        for grant in &over {
            assert_eq!(server.refusal(text(grant), later(5)), Refusal::Revoked(Reason::Revoked));
            assert!(server.check(&server.access(grant), later(5)).is_err());
        }
    }

    #[test]
    fn a_single_session_is_the_last_one_even_on_a_server_with_a_lagging_clock() {
        let server = server_of(config().single_session());
        let first = server.login("ann", NOW);
        let second = server.login("ann", later(-30));
        assert_eq!(server.refusal(text(&first), later(1)), Refusal::Revoked(Reason::Evicted));
        assert!(server.lives(&second, later(1)));
        let third = server.login("ann", later(-30));
        assert!(server.lives(&third, later(1)) && !server.lives(&second, later(1)));
        // Only its place in the order is dated ahead: its token has its own time.
        assert!(server.check(&server.access(&third), later(-30)).is_ok());
        assert_eq!(third.access_expires_at(), later(-30 + 10 * MINUTE));
    }

    #[test]
    fn a_single_session_is_the_last_one_even_of_many_that_begin_in_one_second() {
        for skew in [0, 60] {
            let server = server_of(config().single_session().clock_skew(seconds(skew)));
            for _ in 0..400 {
                let grant = server.login("ann", NOW);
                server.refresh(&grant, NOW);
            }
            assert_eq!(blocking(server.sessions.at(NOW).list("ann")).unwrap().len(), 1);
        }
    }

    #[test]
    fn a_clock_that_was_wrong_once_blocks_no_login() {
        let ahead = [HOUR, DAY - 2, DAY - 1, DAY, DAY + 1, 400 * DAY];
        for (cap, ahead) in ahead.into_iter().flat_map(|ahead| [(1, ahead), (3, ahead)]) {
            let server = server_of(config().sessions_per_subject(cap));
            let wrong: Vec<_> = (0..cap).map(|_| server.login("ann", later(ahead))).collect();
            for _ in 0..cap {
                let one = server.login("ann", NOW);
                assert!(server.lives(&one, NOW), "cap {cap}, {ahead} s ahead");
                // At most a day ahead, and not after sessions that are further ahead.
                let created_at = one.row().created_at();
                assert!(created_at <= later(DAY) && (created_at > later(ahead) || ahead >= DAY));
            }
            let left = blocking(server.sessions.at(NOW).list("ann")).unwrap();
            assert_eq!(left.len(), cap);
            // Within seconds of a day, the order of the others is not defined.
            if ahead == HOUR || ahead > 2 * DAY {
                let gone = |grant: &Grant| left.iter().all(|row| row.session_id() != grant.session_id());
                assert!(wrong.iter().all(gone), "cap {cap}, {ahead} s ahead");
            }
        }
    }

    #[test]
    fn a_login_that_ended_with_all_sessions_evicts_no_later_one() {
        let server = server_of(config().single_session());
        // So that the slow login dates itself later than the one after it.
        server.login("ann", NOW);
        let other = server.beside(config().single_session(), master());
        let (sender, receiver) = mpsc::channel();
        server.store().set_meanwhile("list", 1, move || {
            blocking(other.sessions.at(NOW).revoke_all("ann")).unwrap();
            sender.send(other.login("ann", NOW)).unwrap();
        });
        let died = server.login("ann", NOW);
        let after = receiver.recv().unwrap();
        assert!(server.check(&server.access(&after), NOW).is_ok());
        server.refresh(&after, NOW);
        assert_eq!(server.refusal(text(&died), NOW), Refusal::Revoked(Reason::Revoked));
    }

    #[test]
    fn only_rows_and_denials_that_are_over_are_purged() {
        let server = server();
        let grant = server.login("ann", NOW);
        let row = server.store().row(grant.session_id());
        assert!(row.purge_after() > later(14 * DAY + MINUTE));
        blocking(server.sessions.at(row.purge_after()).purge()).unwrap();
        assert_eq!(server.refusal(text(&grant), row.purge_after()), Refusal::Expired(Lifetime::Idle));
        blocking(server.sessions.at(after(row.purge_after(), 1)).purge()).unwrap();
        assert_eq!(server.refusal(text(&grant), row.purge_after()), Refusal::UnknownSession);
    }

    #[test]
    fn an_ended_row_is_purged_an_hour_after_its_last_access_token() {
        let server = server_of(config().single_session());
        let grants: Vec<_> = (0..100).map(|step| server.login("ann", later(2 * step))).collect();
        let (last, ended) = grants.split_last().unwrap();
        let purged = |now| {
            blocking(server.sessions.at(now).purge()).unwrap();
            server.store().rows()
        };
        let end = later(10 * MINUTE + HOUR);
        assert_eq!(purged(end), 100);
        assert_eq!(purged(after(end, 2 * 98)), 2);
        assert_eq!(purged(after(end, 2 * 98 + 1)), 1);
        server.refresh(last, end);
        for grant in ended {
            assert_eq!(server.refusal(text(grant), end), Refusal::UnknownSession);
        }
    }

    // Failures.

    #[test]
    fn a_store_that_is_down_ends_no_session() {
        let server = server();
        let grant = server.login("ann", NOW);
        let access = server.access(&grant);
        let before = server.store().content();
        server.store().set_down(true);
        let errors = [
            blocking(server.sessions.at(NOW).login(&Login::new("bob"))).unwrap_err(),
            server.try_refresh(text(&grant), NOW).unwrap_err(),
            blocking(server.sessions.at(NOW).logout(text(&grant))).unwrap_err(),
            blocking(server.sessions.at(NOW).revoke(grant.session_id())).unwrap_err(),
            blocking(server.sessions.at(NOW).revoke_of("ann", grant.session_id())).unwrap_err(),
            blocking(server.sessions.at(NOW).revoke_others("ann", grant.session_id())).unwrap_err(),
            blocking(server.sessions.at(NOW).revoke_all("ann")).unwrap_err(),
            blocking(server.sessions.at(NOW).list("ann")).unwrap_err(),
            blocking(server.sessions.at(NOW).purge()).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(
                (error.code(), error.challenge().status(), error.refusal()),
                ("store_unavailable", 503, None)
            );
            assert_eq!(error.to_string(), "the session store is not available");
            let cause = core::error::Error::source(&error).expect("the error of the database");
            assert_eq!(cause.to_string(), "connection refused");
        }
        let error = server.check(&access, NOW).unwrap_err();
        assert_eq!((error.code(), error.challenge().status()), ("denylist_unavailable", 503));
        server.store().set_down(false);
        assert_eq!(server.store().content(), before);
        assert!(server.check(&access, NOW).is_ok());
        server.refresh(&grant, NOW);
    }

    #[test]
    fn randomness_that_fails_is_an_error_and_changes_nothing() {
        let server = server();
        let grant = server.login("ann", NOW);
        let before = server.store().content();
        let dry = Sessions::new_with(config().build().unwrap(), master(), signer(), server.shared(), Dry);
        for error in [
            blocking(dry.at(NOW).login(&Login::new("bob"))).unwrap_err(),
            blocking(dry.at(NOW).refresh(text(&grant), &Binding::None)).unwrap_err(),
            dry.fingerprint().unwrap_err(),
        ] {
            assert!(matches!(error, Error::Entropy));
            assert_eq!((error.code(), error.challenge().status()), ("entropy", 503));
        }
        assert_eq!(server.store().content(), before);
        // A logout needs no randomness.
        assert_eq!(blocking(dry.at(NOW).logout(text(&grant))).unwrap(), Ended::Now);
    }

    #[test]
    fn a_row_that_cannot_be_read_is_a_store_that_is_not_available() {
        let error = Row::from_bytes(b"?").unwrap_err();
        assert_eq!(error.to_string(), "the session store holds a row of an unknown version");
        let error = Error::from(Row::from_bytes(b"").unwrap_err());
        assert_eq!(error.to_string(), "the session store holds bytes that are not a row");
        assert_eq!((error.code(), error.challenge().status()), ("malformed_row", 503));
    }

    #[test]
    fn a_text_that_is_not_an_identifier_says_what_was_expected() {
        for (error, text) in [
            (
                "x".parse::<SessionId>().unwrap_err(),
                "not a session id: it must be the base64url text of 16 bytes",
            ),
            (
                Binding::key_thumbprint("x").unwrap_err(),
                "not a key thumbprint: it must be the base64url text of 32 bytes",
            ),
        ] {
            assert_eq!(error.to_string(), text);
            assert_eq!((error.code(), error.challenge().status()), ("malformed_text", 400));
        }
    }

    #[test]
    fn each_error_about_an_access_token_has_its_answer() {
        let unavailable = StoreError::unavailable();
        for (error, code, status) in [
            (Error::BindingMismatch, "binding_mismatch", 401),
            (Error::BindingMissing, "binding_missing", 401),
            (Error::Denied, "denied", 401),
            (Error::DenylistUnavailable(unavailable), "denylist_unavailable", 503),
            (Error::from(RequestError::MissingCredentials), "missing_credentials", 401),
            (Error::from(RequestError::SeveralCredentials), "several_credentials", 400),
            (Error::from(RequestError::Token(VerifyError::InvalidSignature)), "invalid_signature", 401),
            (Error::from(VerifyError::KeysUnavailable), "keys_unavailable", 503),
        ] {
            assert_eq!((error.code(), error.challenge().status()), (code, status));
        }
        // A refused token is the same error in both cases.
        let error = Error::from(RequestError::Token(VerifyError::InvalidSignature));
        assert!(matches!(error, Error::Token(VerifyError::InvalidSignature)));
        let expired = VerifyError::Expired { expired_at: NOW, now: NOW };
        assert!(Error::Request(RequestError::Token(expired.clone())).is_expired());
        assert!(Error::Token(expired).is_expired() && !Error::Denied.is_expired());
    }

    // Logins.

    #[test]
    fn an_invalid_login_names_its_fault_and_writes_nothing() {
        let server = server();
        let long = "a".repeat(1025);
        for (login, field) in [
            (Login::new(""), "subject"),
            (Login::new(&*long), "subject"),
            (Login::new("an\0n"), "subject"),
            (Login::new("ann").label(&*long), "label"),
            (Login::new("ann").client_id(&*long), "client_id"),
            (Login::new("ann").scope("a".repeat(4097)), "scope"),
            (Login::new("ann").scope(" "), "scope"),
            (Login::new("ann").scope("read  write"), "scope"),
            (Login::new("ann").scope("read "), "scope"),
            (Login::new("ann").scope("re\"ad"), "scope"),
            (Login::new("ann").scope("re\\ad"), "scope"),
            (Login::new("ann").scope("läsen"), "scope"),
            (Login::new("ann").scope("a\nb"), "scope"),
        ] {
            let error = blocking(server.sessions.at(NOW).login(&login)).unwrap_err();
            assert!(matches!(error, Error::InvalidLogin { field: named } if named == field), "{error:?}");
            assert_eq!((error.code(), error.challenge().status()), ("invalid_login", 400));
        }
        assert_eq!(server.store().calls(), [""; 0]);
    }

    #[test]
    fn a_subject_of_any_text_is_kept_as_it_is() {
        let server = server();
        for subject in ["'; DROP TABLE sessions; --", "änne\n\u{7f}\"\\", &"a".repeat(1024)] {
            let grant = server.login_as(&Login::new(subject).label(subject).client_id(subject), NOW);
            let grant = server.refresh(&grant, NOW);
            assert_eq!(grant.subject(), subject);
            assert_eq!((grant.row().label(), grant.row().client_id()), (subject, subject));
            assert_eq!(server.check(&server.access(&grant), NOW).unwrap().subject(), subject);
        }
    }

    #[test]
    fn an_absurd_configuration_is_named() {
        let error = |builder: countersign_session::ConfigBuilder| builder.build().unwrap_err();
        let of = Duration::from_secs;
        assert_eq!(error(Config::builder("", AUDIENCE)), ConfigError::Empty { setting: "issuer" });
        assert_eq!(error(Config::builder(ISSUER, "")), ConfigError::Empty { setting: "audience" });
        assert_eq!(error(config().audience("")), ConfigError::Empty { setting: "audience" });
        assert_eq!(error(Config::builder(" ", AUDIENCE)), ConfigError::Empty { setting: "issuer" });
        assert_eq!(error(Config::builder(ISSUER, "\n")), ConfigError::Empty { setting: "audience" });
        // A fraction of a second is cut off, so that no error says "900 is above 900".
        assert!(config().access_lifetime(Duration::from_millis(900_999)).build().is_ok());
        assert_eq!(
            error(config().access_lifetime(of(901))),
            ConfigError::AccessAboveLimit { seconds: 901, cap: 900 }
        );
        for (builder, setting) in [
            (config().access_lifetime(Duration::from_millis(999)), "access_lifetime"),
            (config().idle_lifetime(of(0)), "idle_lifetime"),
            (config().absolute_lifetime(of(0)), "absolute_lifetime"),
            (config().grace(Grace::Within(of(0))), "grace"),
            (config().grace(Grace::UntilSuccessorUsed { cap: of(0) }), "grace"),
            (config().sessions_per_subject(0), "sessions_per_subject"),
        ] {
            assert_eq!(error(builder), ConfigError::Zero { setting });
        }
    }

    #[test]
    fn lifetimes_and_graces_that_contradict_each_other_are_named() {
        let error = |builder: countersign_session::ConfigBuilder| builder.build().unwrap_err();
        let of = Duration::from_secs;
        let day = 24 * 3600;
        assert_eq!(
            error(config().absolute_lifetime(of(400 * day + 1))),
            ConfigError::AbsoluteAboveLimit { seconds: 400 * day + 1, cap: 400 * day }
        );
        assert_eq!(error(config().idle_lifetime(of(61 * day))), ConfigError::IdleAboveAbsolute);
        assert_eq!(error(config().idle_lifetime(of(600))), ConfigError::AccessNotUnderIdle);
        assert_eq!(
            error(config().clock_skew(of(301))),
            ConfigError::ClockSkewAboveLimit { seconds: 301, cap: 300 }
        );
        assert_eq!(
            error(config().grace(Grace::Within(of(301)))),
            ConfigError::GraceAboveLimit { seconds: 301, cap: 300 }
        );
        let cap = of(14 * day + 1);
        assert_eq!(
            error(config().grace(Grace::UntilSuccessorUsed { cap })),
            ConfigError::GraceAboveLimit { seconds: 14 * day + 1, cap: 14 * day }
        );
        let short = || config().access_lifetime(of(1)).idle_lifetime(of(100));
        assert_eq!(
            error(short().clock_skew(of(101))),
            ConfigError::ClockSkewAboveLimit { seconds: 101, cap: 100 }
        );
        assert_eq!(
            error(short().clock_skew(of(60)).grace(Grace::Within(of(41)))),
            ConfigError::GraceAboveLimit { seconds: 41, cap: 40 }
        );
        assert!(short().clock_skew(of(60)).grace(Grace::Within(of(40))).build().is_ok());
        // An error about a limit names the setting to use instead.
        for (builder, way) in [
            (
                config().grace(Grace::Within(of(600))),
                "Grace::UntilSuccessorUsed may be longer than Grace::Within",
            ),
            (config().access_lifetime(of(901)), "access_lifetime_beyond_limit allows it"),
        ] {
            assert!(error(builder).to_string().ends_with(way));
        }
        // The most extreme valid settings are accepted.
        let builder = config()
            .access_lifetime(of(900))
            .idle_lifetime(of(901))
            .absolute_lifetime(of(901))
            .clock_skew(of(0))
            .grace(Grace::Within(of(300)));
        assert!(builder.build().is_ok());
        assert!(config().access_lifetime_beyond_limit(of(3600)).build().is_ok());
    }

    #[test]
    fn every_absurd_configuration_has_its_own_code() {
        let error = |builder: countersign_session::ConfigBuilder| builder.build().unwrap_err();
        let of = Duration::from_secs;
        let day = 24 * 3600;
        let codes: BTreeSet<&str> = [
            error(Config::builder("", "")),
            error(config().access_lifetime(of(901))),
            error(config().access_lifetime(of(0))),
            error(config().absolute_lifetime(of(401 * day))),
            error(config().idle_lifetime(of(61 * day))),
            error(config().idle_lifetime(of(1))),
            error(config().clock_skew(of(301))),
            error(config().grace(Grace::Within(of(301)))),
        ]
        .map(|error| error.code())
        .into();
        assert_eq!(codes.len(), 8);
    }

    #[test]
    fn a_weak_mistaken_or_doubled_master_key_is_named() {
        assert_eq!(
            MasterKeys::new(1, [7; 31]).unwrap_err(),
            KeyError::SecretTooShort { bytes: 31, minimum: 32 }
        );
        let pem = "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA";
        assert_eq!(MasterKeys::new(1, pem).unwrap_err(), KeyError::NotASecret { found: KeyFile::Pem });
        assert_eq!(master().with_former(1, [7; 32]).unwrap_err(), KeyError::DuplicateKey);
        let keys = master().with_former(2, [7; 32]).unwrap();
        assert_eq!(keys.with_former(2, [8; 32]).unwrap_err(), KeyError::DuplicateKey);
    }

    // The access token.

    #[derive(serde::Serialize, serde::Deserialize)]
    struct User {
        role: String,
    }

    #[test]
    fn an_access_token_has_the_shape_of_rfc_9068() {
        let server = server_of(config().audience("https://other.example"));
        let binding = Binding::fingerprint("cookie");
        let login = Login::new("ann").scope("read write").client_id("web").binding(binding);
        let grant = server.login_as(&login, NOW);
        let token = server.sessions.access_token(&grant, &User { role: "admin".into() }).unwrap();
        let token = Unverified::parse(&token).unwrap();
        let header: Value = serde_json::from_str(&token.unverified_header().unwrap()).unwrap();
        assert_eq!(header, json!({"alg": "HS256", "typ": "at+jwt"}));
        let mut claims = token.unverified_claims::<Value>().unwrap();
        let jti = claims.as_object_mut().unwrap().remove("jti").unwrap();
        assert_eq!(unb64(jti.as_str().unwrap()).len(), 16);
        let hash = Binding::fingerprint("cookie");
        let Binding::Fingerprint(hash) = hash else { unreachable!() };
        assert_eq!(
            claims,
            json!({
                "iss": ISSUER,
                "aud": [AUDIENCE, "https://other.example"],
                "sub": "ann",
                "iat": NOW.as_secs(),
                "exp": NOW.as_secs() + 600,
                "client_id": "web",
                "scope": "read write",
                "sid": grant.session_id().to_string(),
                "sub_epoch": 0,
                "cnf": {"fgp#S256": b64(hash)},
                "role": "admin",
            })
        );
    }

    #[test]
    fn an_access_token_leaves_out_what_the_login_does_not_set() {
        let server = server();
        let grant = server.login("ann", NOW);
        let token = server.sessions.access_token(&grant, &()).unwrap();
        let claims = Unverified::parse(&token).unwrap().unverified_claims::<Value>().unwrap();
        let names: Vec<&String> = claims.as_object().unwrap().keys().collect();
        let mut names: Vec<&str> = names.into_iter().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["aud", "exp", "iat", "iss", "jti", "sid", "sub", "sub_epoch"]);
    }

    #[test]
    fn claims_of_the_callers_cannot_take_the_place_of_the_sessions() {
        let server = server();
        let grant = server.login_as(&Login::new("ann").scope("read").client_id("web"), NOW);
        for name in ["iss", "sub", "aud", "exp", "iat", "jti", "sid", "sub_epoch", "scope", "client_id"] {
            let error = server.sessions.access_token(&grant, &json!({name: "x"})).unwrap_err();
            assert_eq!(error, SignError::DuplicateClaim { claim: name.into() }, "{name}");
        }
        for no_object in [json!([1]), json!("text"), json!(7)] {
            let error = server.sessions.access_token(&grant, &no_object).unwrap_err();
            assert_eq!(error, SignError::ClaimsNotAnObject, "{no_object}");
        }
    }

    #[test]
    fn a_reserved_name_that_the_session_does_not_use_is_refused_in_claims() {
        let server = server();
        let grant = server.login("ann", NOW);
        for name in ["scope", "client_id", "cnf"] {
            let error = server.sessions.access_token(&grant, &json!({name: "admin"})).unwrap_err();
            assert_eq!(error, SignError::DuplicateClaim { claim: name.into() }, "{name}");
        }
    }

    #[test]
    fn an_access_token_may_be_signed_elsewhere() {
        let server = server();
        let grant = server.login("ann", NOW);
        let key = signer();
        let prepared = server.sessions.prepare_access_token(&grant, &(), &key).unwrap();
        let signature = SignKey::sign_bytes(&key, prepared.signing_input()).unwrap();
        let token = prepared.finish(signature.as_bytes()).unwrap();
        assert!(server.check(&token, NOW).is_ok());
    }

    #[test]
    fn an_access_token_is_checked_for_its_type_and_its_required_claims() {
        let verifier = access_verifier();
        let good = json!({"sid": SessionId::from_bytes([7; 16]).to_string(), "sub_epoch": 0});
        let claims = |private: &Value| {
            Claims::new(private.clone())
                .issuer(ISSUER)
                .audience(AUDIENCE)
                .subject("ann")
                .jwt_id("1")
                .expires_at(later(600))
                .typ("at+jwt")
        };
        let check = |claims: Claims<Value>| {
            let text = claims.sign(&signer()).unwrap();
            verifier.at(NOW).verify::<Value>(&text, &Binding::None)
        };
        assert!(check(claims(&good)).is_ok());
        let refused = |claims: Claims<Value>| check(claims).unwrap_err().code();
        assert_eq!(refused(claims(&good).typ("JWT")), "wrong_type");
        assert_eq!(refused(claims(&good).issuer("https://other.example")), "wrong_issuer");
        assert_eq!(refused(claims(&good).expires_at(later(-31))), "expired");
        for (private, code) in [
            (json!({"sub_epoch": 0}), "missing_claim"),
            (json!({"sid": "BwcHBwcHBwcHBwcHBwcHBw"}), "missing_claim"),
            (json!({"sid": "short", "sub_epoch": 0}), "malformed_claim"),
            (json!({"sid": 7, "sub_epoch": 0}), "malformed_claim"),
            (json!({"sid": "BwcHBwcHBwcHBwcHBwcHBw", "sub_epoch": "0"}), "malformed_claim"),
            (json!({"sid": "BwcHBwcHBwcHBwcHBwcHBw", "sub_epoch": -1}), "malformed_claim"),
            (json!({"sid": "BwcHBwcHBwcHBwcHBwcHBw", "sub_epoch": 0, "cnf": "x"}), "malformed_claim"),
            (json!({"sid": "BwcHBwcHBwcHBwcHBwcHBw", "sub_epoch": 0, "cnf": null}), "malformed_claim"),
            (json!({"sid": "BwcHBwcHBwcHBwcHBwcHBw", "sub_epoch": 0, "cnf": {}}), "malformed_claim"),
            (json!({"sid": "BwcHBwcHBwcHBwcHBwcHBw", "sub_epoch": 0, "cnf": {"jwk": {}}}), "malformed_claim"),
            (
                json!({"sid": "BwcHBwcHBwcHBwcHBwcHBw", "sub_epoch": 0, "cnf": {"jkt": "x"}}),
                "malformed_claim",
            ),
        ] {
            assert_eq!(refused(claims(&private)), code, "{private}");
        }
    }

    #[test]
    fn an_access_token_without_any_one_of_its_claims_is_refused() {
        let verifier = access_verifier();
        let all = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "exp": later(600).as_secs(), "jti": "1",
            "sid": "BwcHBwcHBwcHBwcHBwcHBw", "sub_epoch": 0,
        });
        let check = |claims: &Value| {
            let text = signed_with(&signer(), r#"{"alg":"HS256","typ":"at+jwt"}"#, claims.to_string());
            verifier.at(NOW).verify::<Value>(&text, &Binding::None)
        };
        assert!(check(&all).is_ok());
        for name in all.as_object().unwrap().keys() {
            let mut rest = all.clone();
            rest.as_object_mut().unwrap().remove(name);
            match check(&rest) {
                Err(Error::Token(error)) => {
                    assert_eq!(error, VerifyError::MissingClaim { claim: name.clone().into() });
                }
                other => panic!("{name}: {other:?}"),
            }
        }
    }

    #[test]
    fn no_policy_lets_access_tokens_live_for_ever() {
        let policy = Verifier::builder(signer()).issuer(ISSUER).audience(AUDIENCE);
        let error = AccessVerifier::new(policy.allow_missing_expiration()).unwrap_err();
        let (first, second) = ("require(\"exp\")", "allow_missing_expiration");
        assert_eq!(error, PolicyError::Contradiction { first, second });
    }

    #[test]
    fn an_access_token_of_a_server_a_minute_ahead_is_valid_with_a_leeway_of_a_minute() {
        let server = server();
        let ahead = server.access(&server.login("ann", later(MINUTE)));
        let policy = || Verifier::builder(signer()).issuer(ISSUER).audience(AUDIENCE);
        let patient = AccessVerifier::new(policy().leeway(seconds(60))).unwrap();
        assert!(patient.at(NOW).verify::<()>(&ahead, &Binding::None).is_ok());
        let error = access_verifier().at(NOW).verify::<()>(&ahead, &Binding::None).unwrap_err();
        assert!(matches!(error, Error::Token(VerifyError::IssuedInFuture { .. })), "{error:?}");
    }

    #[test]
    fn a_claim_of_sessions_that_is_malformed_is_named() {
        let sid = SessionId::from_bytes([7; 16]).to_string();
        for (private, named) in [
            (json!({"sid": 7, "sub_epoch": 0}), "sid"),
            (json!({"sid": "short", "sub_epoch": 0}), "sid"),
            (json!({"sid": 7, "sub_epoch": "0"}), "sid"),
            (json!({"sid": sid, "sub_epoch": "0"}), "sub_epoch"),
            (json!({"sid": sid, "sub_epoch": -1}), "sub_epoch"),
            (json!({"sid": sid, "sub_epoch": null}), "sub_epoch"),
            (json!({"sid": sid, "sub_epoch": 0, "cnf": "x"}), "cnf"),
            (json!({"sid": sid, "sub_epoch": 0, "cnf": {"jkt": 7}}), "cnf"),
            (json!({"sid": sid, "sub_epoch": 0, "cnf": {"jkt": "x"}}), "cnf"),
        ] {
            let claims = Claims::new(&private).issuer(ISSUER).audience(AUDIENCE).subject("ann").jwt_id("1");
            let text = claims.expires_at(later(600)).typ("at+jwt").sign(&signer()).unwrap();
            let error = access_verifier().at(NOW).verify::<()>(&text, &Binding::None).unwrap_err();
            let Error::Token(error) = error else { panic!("{private}: {error:?}") };
            assert_eq!(error, VerifyError::MalformedClaim { claim: named, found: None }, "{private}");
        }
    }

    #[test]
    fn a_verifier_of_access_tokens_goes_on_with_other_keys() {
        let server = server();
        let grant = server.login("ann", NOW);
        let access = server.access(&grant);
        let other = HmacKey::hs256(&SecretBytes::from_bytes([1; 32])).unwrap();
        let bearer = [format!("Bearer {access}")];
        let denylist = access_verifier().with_denylist(server.shared());

        let changed = access_verifier().with_keys(other.clone());
        let error = changed.at(NOW).verify::<()>(&access, &Binding::None).unwrap_err();
        assert_eq!(error.code(), "invalid_signature");
        let changed = denylist.with_keys(other);
        let error = blocking(changed.at(NOW).verify_bearer::<()>(&bearer, &Binding::None)).unwrap_err();
        assert_eq!(error.code(), "invalid_signature");

        // The policy and the denylist are unchanged.
        let same = denylist.with_keys(signer());
        assert!(blocking(same.at(NOW).verify::<()>(&access, &Binding::None)).is_ok());
        blocking(server.sessions.at(NOW).revoke(grant.session_id())).unwrap();
        let error = blocking(same.at(NOW).verify::<()>(&access, &Binding::None)).unwrap_err();
        assert!(matches!(error, Error::Denied), "{error:?}");
    }

    fn named(name: &str, byte: u8) -> HmacKey {
        HmacKey::hs256(&SecretBytes::from_bytes([byte; 32])).unwrap().with_key_id(name).unwrap()
    }

    /// Returns a verifier that has all these keys.
    fn verifier_of(keys: &[&HmacKey]) -> AccessVerifier {
        let mut set = KeySet::new();
        for key in keys {
            set.insert((*key).clone()).unwrap();
        }
        AccessVerifier::new(Verifier::builder(set).issuer(ISSUER).audience(AUDIENCE)).unwrap()
    }

    /// Returns the `kid` of an access token that this verifier accepts.
    fn key_of(verifier: &AccessVerifier, text: &str, now: UnixTime) -> Result<String, Error> {
        let access = verifier.at(now).verify::<()>(text, &Binding::None)?;
        Ok(access.token().header().key_id().unwrap().to_owned())
    }

    #[test]
    fn after_a_change_of_the_signing_key_tokens_of_the_old_key_verify_until_they_expire() {
        let (old, new) = (named("old", 1), named("new", 2));
        let server = server();
        server.sessions.set_signer(old.clone());
        let grant = server.login("ann", NOW);
        let first = server.access(&grant);

        server.sessions.set_signer(new.clone());
        let next = server.refresh(&grant, later(5 * MINUTE));
        let second = server.access(&next);

        // A verifier that has got the new key beside the old one.
        let both = verifier_of(&[&old, &new]);
        let end = 10 * MINUTE + 30;
        assert_eq!(key_of(&both, &first, later(end - 1)).unwrap(), "old");
        assert_eq!(key_of(&both, &second, later(end - 1)).unwrap(), "new");
        assert_eq!(key_of(&both, &first, later(end)).unwrap_err().code(), "expired");
        assert_eq!(key_of(&both, &second, later(end)).unwrap(), "new");

        // Then the old key is removed from verifiers.
        let only_new = verifier_of(&[&new]);
        assert_eq!(key_of(&only_new, &first, later(0)).unwrap_err().code(), "unknown_key");
        assert_eq!(key_of(&only_new, &second, later(end)).unwrap(), "new");
    }

    /// A key that takes its time: it tells when it is asked to sign, and waits for an answer.
    struct Slow(HmacKey, mpsc::SyncSender<()>, Mutex<mpsc::Receiver<()>>);

    impl Key for Slow {
        fn identity(&self) -> &Identity {
            self.0.identity()
        }
    }

    impl SignKey for Slow {
        fn sign_bytes(&self, input: &[u8]) -> Result<Signature, SignError> {
            self.1.send(()).map_err(|_| SignError::SigningFailed)?;
            let answer = self.2.lock().unwrap().recv_timeout(seconds(30));
            answer.map_err(|_| SignError::SigningFailed)?;
            self.0.sign_bytes(input)
        }
    }

    #[test]
    fn a_slow_signature_keeps_its_key_and_delays_no_change_of_the_key() {
        let (old, new) = (named("old", 1), named("new", 2));
        let verifier = verifier_of(&[&old, &new]);
        let (asked, is_asked) = mpsc::sync_channel(1);
        let (answer, answered) = mpsc::sync_channel(1);
        let server = server();
        server.sessions.set_signer(Slow(old, asked, Mutex::new(answered)));
        let grant = server.login("ann", NOW);
        std::thread::scope(|scope| {
            let signing = scope.spawn(|| server.sessions.access_token(&grant, &()));
            is_asked.recv().unwrap();
            // If this waited for the signature, the signature would wait in vain for its answer.
            server.sessions.set_signer(new);
            let second = server.access(&server.login("bob", NOW));
            assert_eq!(key_of(&verifier, &second, NOW).unwrap(), "new");
            answer.send(()).unwrap();
            let first = signing.join().unwrap().unwrap();
            assert_eq!(key_of(&verifier, &first, NOW).unwrap(), "old");
        });
    }

    #[test]
    fn each_token_of_concurrent_threads_is_signed_with_the_key_that_it_names() {
        let (even, odd) = (named("even", 1), named("odd", 2));
        let verifier = verifier_of(&[&even, &odd]);
        let server = server();
        server.sessions.set_signer(even.clone());
        let grant = server.login("ann", NOW);
        let (server, grant, verifier) = (&server, &grant, &verifier);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(move || {
                    for _ in 0..200 {
                        let text = server.access(grant);
                        // A signature by another key than that of the header is `invalid_signature`.
                        key_of(verifier, &text, NOW).unwrap();
                    }
                });
            }
            for round in 0..200 {
                let key = if round % 2 == 0 { &odd } else { &even };
                server.sessions.set_signer(key.clone());
                // This thread alone changes the key, so its next token has the new one.
                assert_eq!(key_of(verifier, &server.access(grant), NOW).unwrap(), key.key_id().unwrap());
            }
        });
    }

    #[test]
    fn an_access_token_is_taken_out_of_the_requests_headers() {
        let server = server();
        let cookie = Binding::fingerprint("cookie");
        let grant = server.login_as(&Login::new("ann").binding(cookie), NOW);
        let value = format!("Bearer {}", server.access(&grant));
        let by_itself = |values: &[&str], shown: &Binding| {
            access_verifier().at(NOW).verify_bearer::<()>(values, shown).map(|access| access.session_id())
        };
        let denylist = access_verifier().with_denylist(server.shared());
        let with_list = |values: &[&str], shown: &Binding| {
            blocking(denylist.at(NOW).verify_bearer::<()>(values, shown)).map(|access| access.session_id())
        };
        for check in [&by_itself as &dyn Fn(&[&str], &Binding) -> Result<SessionId, Error>, &with_list] {
            assert_eq!(check(&[&value], &cookie).unwrap(), grant.session_id());
            assert!(matches!(check(&[&value], &Binding::None), Err(Error::BindingMissing)));
            for (values, code, status) in [
                (&[][..], "missing_credentials", 401),
                (&[&*value, &*value][..], "several_credentials", 400),
                (&["Basic YTpi"][..], "other_scheme", 401),
                (&["Bearer e30"][..], "not_a_token", 401),
            ] {
                let error = check(values, &cookie).unwrap_err();
                assert_eq!((error.code(), error.challenge().status()), (code, status), "{values:?}");
            }
        }
        // An iterator that continues after its end.
        let mut calls = 0;
        let values = std::iter::from_fn(|| {
            calls += 1;
            (calls > 1).then_some(&value)
        });
        let error = access_verifier().at(NOW).verify_bearer::<()>(values, &cookie).unwrap_err();
        assert_eq!(error.code(), "missing_credentials");

        blocking(server.sessions.at(NOW).logout(text(&grant))).unwrap();
        assert!(matches!(with_list(&[&value], &cookie), Err(Error::Denied)));
    }

    #[test]
    fn a_verifier_that_requires_a_binding_refuses_tokens_without_one() {
        let server = server();
        let cookie = Binding::fingerprint("cookie");
        let unbound = server.access(&server.login("ann", NOW));
        let bound = server.access(&server.login_as(&Login::new("ann").binding(cookie), NOW));
        let strict = access_verifier().require_binding();
        assert!(strict.at(NOW).verify::<()>(&bound, &cookie).is_ok());
        for shown in [Binding::None, cookie] {
            assert!(access_verifier().at(NOW).verify::<()>(&unbound, &shown).is_ok());
            for verifier in [strict.clone(), strict.with_keys(signer())] {
                let error = verifier.at(NOW).verify::<()>(&unbound, &shown).unwrap_err();
                assert!(matches!(error, Error::Unbound));
                assert_eq!((error.code(), error.challenge().status()), ("unbound", 401));
            }
        }
        let error = blocking(strict.with_denylist(server.shared()).at(NOW).verify::<()>(&unbound, &cookie));
        assert!(matches!(error, Err(Error::Unbound)));
    }

    #[test]
    fn a_verifier_of_access_tokens_accepts_no_other_type_of_token() {
        let policy = || Verifier::builder(signer()).issuer(ISSUER).audience(AUDIENCE);
        for second in [policy().typ("logout+jwt"), policy().typ("at+jwt"), policy().accept_any_typ()] {
            let error = AccessVerifier::new(second).unwrap_err();
            assert!(matches!(error, PolicyError::Contradiction { first: "typ", .. }), "{error}");
        }
        assert!(AccessVerifier::new(policy()).is_ok());
    }

    #[test]
    fn no_verifier_of_access_tokens_has_a_leeway_that_outlasts_a_denial() {
        let policy = |leeway| {
            let policy = Verifier::builder(signer()).issuer(ISSUER).audience(AUDIENCE);
            AccessVerifier::new(policy.leeway_beyond_limit(seconds(leeway)))
        };
        assert!(policy(300).is_ok());
        assert_eq!(policy(301).unwrap_err(), PolicyError::LeewayAboveLimit { seconds: 301, cap: 300 });
        // A fraction of a second is not counted as leeway.
        let fraction = Verifier::builder(signer()).issuer(ISSUER).audience(AUDIENCE);
        assert!(AccessVerifier::new(fraction.leeway(Duration::from_millis(300_900))).is_ok());
    }

    #[test]
    fn a_bound_access_token_is_refused_without_its_binding() {
        let server = server();
        let (cookie, other) = (Binding::fingerprint("cookie"), Binding::fingerprint("another"));
        let key = Binding::key_thumbprint(&b64([7; 32])).unwrap();
        let verifier = access_verifier();
        for (binding, wrong) in [(cookie, other), (key, Binding::key_thumbprint(&b64([8; 32])).unwrap())] {
            let grant = server.login_as(&Login::new("ann").binding(binding), NOW);
            let text = server.access(&grant);
            let check = |shown: &Binding| verifier.at(NOW).verify::<()>(&text, shown);
            assert_eq!(check(&binding).unwrap().binding(), &binding);
            assert!(matches!(check(&Binding::None), Err(Error::BindingMissing)));
            assert!(matches!(check(&wrong), Err(Error::BindingMismatch)));
            assert_eq!(check(&wrong).unwrap_err().challenge().status(), 401);
        }
        // An unbound token accepts any binding.
        let grant = server.login("ann", NOW);
        assert!(verifier.at(NOW).verify::<()>(&server.access(&grant), &cookie).is_ok());
    }

    #[test]
    fn a_scope_is_compared_by_its_whole_name() {
        let server = server();
        let grant = server.login_as(&Login::new("ann").scope("read:all write"), NOW);
        let access = server.check(&server.access(&grant), NOW).unwrap();
        assert!(access.has_scope("read:all") && access.has_scope("write"));
        for name in ["read", "all", "", " ", "read:all write", "Write"] {
            assert!(!access.has_scope(name), "{name:?}");
        }
        let none = server.login("ann", NOW);
        assert!(!server.check(&server.access(&none), NOW).unwrap().has_scope("write"));
    }

    #[test]
    fn the_denylist_is_read_once_for_each_access_and_never_without_one() {
        let server = server();
        let grant = server.login("ann", NOW);
        let text = server.access(&grant);
        server.store().calls();
        access_verifier().at(NOW).verify::<()>(&text, &Binding::None).unwrap();
        assert_eq!(server.store().calls(), [""; 0]);
        server.check(&text, NOW).unwrap();
        assert_eq!(server.store().calls(), ["is_denied"]);
        // Nor for a token that is not valid anyway.
        server.check(&text, later(HOUR)).unwrap_err();
        assert_eq!(server.store().calls(), [""; 0]);
    }

    #[test]
    fn one_access_token_can_be_denied_by_itself() {
        let server = server();
        let grant = server.login("ann", NOW);
        let (first, second) = (server.access(&grant), server.access(&server.refresh(&grant, NOW)));
        let access = server.check(&first, NOW).unwrap();
        blocking(server.sessions.deny_access_token(&access)).unwrap();
        assert!(matches!(server.check(&first, NOW), Err(Error::Denied)));
        assert!(server.check(&second, NOW).is_ok());
        // `exp`, plus the largest leeway of a verifier, plus the clock skew.
        let end = after(access.token().expires_at().unwrap(), 6 * 60);
        blocking(server.sessions.at(end).purge()).unwrap();
        assert!(blocking(server.shared().is_denied(&access.deny_keys()[2..])).unwrap());
        blocking(server.sessions.at(after(end, 1)).purge()).unwrap();
        assert_eq!(server.store().denials(), 0);
        server.store().set_down(true);
        assert!(matches!(blocking(server.sessions.deny_access_token(&access)), Err(Error::Store(_))));
    }

    #[test]
    fn fail_open_accepts_valid_tokens_while_the_denylist_is_down_and_no_others() {
        let server = server();
        let grant = server.login("ann", NOW);
        let text = server.access(&grant);
        let verifier = access_verifier().with_denylist(server.shared()).fail_open();
        let check = |text: &str, now| blocking(verifier.at(now).verify::<()>(text, &Binding::None));
        server.store().set_down(true);
        assert!(check(&text, NOW).is_ok());
        let error = check(&text, later(HOUR)).unwrap_err();
        assert!(error.is_expired() && matches!(error, Error::Token(VerifyError::Expired { .. })));
        server.store().set_down(false);
        blocking(server.sessions.at(NOW).revoke(grant.session_id())).unwrap();
        let error = check(&text, NOW).unwrap_err();
        assert!(matches!(error, Error::Denied) && !error.is_expired());
    }

    #[test]
    fn bindings_are_equal_if_they_are_of_one_kind_and_value() {
        let key = |byte| Binding::key_thumbprint(&b64([byte; 32])).unwrap();
        let different = [Binding::None, Binding::fingerprint("a"), Binding::fingerprint("b"), key(1), key(2)];
        for (place, one) in different.iter().enumerate() {
            for (other_place, other) in different.iter().enumerate() {
                assert_eq!(one == other, place == other_place, "{one:?} {other:?}");
            }
            assert_eq!(one.is_none(), place == 0);
        }
    }

    #[test]
    fn everything_that_is_denied_has_its_own_key() {
        let session = |byte| DenyKey::session(SessionId::from_bytes([byte; 16]));
        let jti = SessionId::from_bytes([7; 16]).to_string();
        let keys = [
            session(7),
            session(8),
            // The same 16 bytes as another kind of key, and ids that this crate did not make.
            DenyKey::access_token(&jti),
            DenyKey::access_token("1"),
            DenyKey::access_token("2"),
            DenyKey::access_token(""),
            DenyKey::access_token(&jti[1..]),
            DenyKey::subject("ann", 0),
            DenyKey::subject("ann", 1),
            DenyKey::subject("bob", 0),
            DenyKey::subject("", 0),
        ];
        assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
        for key in keys {
            assert_eq!(key.to_string(), b64(key.as_bytes()));
        }
    }

    // Rows.

    #[test]
    fn a_row_survives_its_bytes_and_no_other_bytes_are_one() {
        let server = server();
        let login = Login::new("ann").label("Firefox").scope("read").client_id("web");
        let bound = login.clone().binding(Binding::fingerprint("cookie"));
        let grants = [server.login_as(&login, NOW), server.login_as(&bound, NOW)];
        blocking(server.sessions.at(NOW).logout(text(&grants[1]))).unwrap();
        let cause = |bytes: &[u8]| Row::from_bytes(bytes).unwrap_err().code();
        for grant in &grants {
            let row = server.store().row(grant.session_id());
            let bytes = row.to_bytes();
            assert_eq!(Row::from_bytes(&bytes).unwrap(), row);
            for length in 0..bytes.len() {
                assert_eq!(cause(&bytes[..length]), "malformed_row", "{length}");
            }
            assert_eq!(cause(&[&bytes[..], b"\0"].concat()), "malformed_row");
            // Version and generation begin at 1, and must have a successor.
            for (number, byte) in [(17..25, 0), (33..41, 0), (17..25, 0xff), (33..41, 0xff)] {
                let mut impossible = bytes.clone();
                impossible[number].fill(byte);
                assert_eq!(cause(&impossible), "malformed_row");
            }
            let mut newer = bytes.clone();
            newer[0] = 2;
            assert_eq!(cause(&newer), "unknown_row_version");
            // If changed bytes are read as a row, that row has the same bytes.
            for place in 0..bytes.len() {
                let mut changed = bytes.clone();
                changed[place] ^= 0x41;
                if let Ok(row) = Row::from_bytes(&changed) {
                    assert_eq!(row.to_bytes(), changed, "{place}");
                }
            }
        }
    }

    #[test]
    fn a_stolen_store_holds_nothing_that_could_be_replayed() {
        let server = server();
        let fingerprint = Fingerprint::generate_with(&Sequence::default()).unwrap();
        let grant = server.login_as(&Login::new("ann").binding(Binding::from(&fingerprint)), NOW);
        let bytes = server.store().row(grant.session_id()).to_bytes();
        let token = unb64(&text(&grant)[3..]);
        let (mac, tag) = (&token[28..44], &token[44..]);
        let cookie = fingerprint.expose_secret().as_bytes();
        for secret in [mac, &tag[..16], &tag[16..], &unb64(fingerprint.expose_secret())[..16], &cookie[..16]]
        {
            assert!(!bytes.windows(16).any(|window| window == secret));
        }
    }

    // Secrets in output.

    #[test]
    fn nothing_shows_a_token_a_secret_or_a_session_id() {
        let server = server();
        let fingerprint = Fingerprint::generate_with(&Sequence::default()).unwrap();
        let grant = server.login_as(&Login::new("ann").binding(Binding::from(&fingerprint)), NOW);
        let access = server.access(&grant);
        let binding = Binding::from(&fingerprint);
        let token = access_verifier().at(NOW).verify::<()>(&access, &binding).unwrap();
        let session = grant.session_id();
        let told = [
            format!("{grant:?}"),
            format!("{:?}", grant.refresh_token()),
            format!("{fingerprint:?} {binding:?} {:?}", server.sessions),
            format!("{:?} {:?}", grant.row(), grant.session_id()),
            format!("{token:?} {:?}", token.deny_keys()),
            format!("{:?}", master().authenticate(text(&grant)).unwrap()),
            format!("{:?} {}", Error::InvalidGrant(Refusal::Forged), Refusal::Forged),
        ];
        let numbers = format!("{:?}", session.as_bytes());
        let Binding::Fingerprint(hash) = binding else { unreachable!() };
        let id = session.to_string();
        assert_hides(&told, &[text(&grant), &access, fingerprint.expose_secret(), &id, &numbers, &b64(hash)]);
    }

    #[test]
    fn what_debug_says_of_each_type_is_its_name_and_no_secret() {
        let server = server();
        let fingerprint = Fingerprint::generate_with(&Sequence::default()).unwrap();
        let binding = Binding::from(&fingerprint);
        let grant = server.login_as(&Login::new("ann").binding(binding), NOW);
        let access = access_verifier().at(NOW).verify::<()>(&server.access(&grant), &binding).unwrap();
        let key = Binding::key_thumbprint(&b64([7; 32])).unwrap();
        let hash = grant.session_id().hash();
        assert_eq!(hash.to_string().len(), 22);
        for (told, begin) in [
            (format!("{fingerprint:?}"), "Fingerprint(..)"),
            (format!("{:?}", grant.refresh_token()), "RefreshToken(..)"),
            (format!("{:?}", Randomness::draw(&Sequence::default()).unwrap()), "Randomness(..)"),
            (format!("{:?}", hash), &format!("SessionHash({hash})")),
            (format!("{binding:?} {:?} {key:?}", Binding::None), "Fingerprint(..) None KeyThumbprint(..)"),
            (format!("{access:?}"), "AccessToken { session: SessionId(#"),
            (format!("{grant:?}"), "Grant { exchange: Login, row: Row { session: SessionId(#"),
            (
                format!("{:?}", access.deny_keys()),
                "[DenyKey(session), DenyKey(subject), DenyKey(access token)]",
            ),
            (format!("{:?}", server.sessions), "Sessions { machine: Machine { config: Config { issuer:"),
            (format!("{:?}", MemoryStore::new()), "MemoryStore { sessions: 0, .. }"),
            (format!("{:?}", master()), "MasterKeys([1])"),
            (
                format!("{:?}", master().authenticate(text(&grant)).unwrap()),
                "AuthenticToken { session: SessionId(#",
            ),
        ] {
            assert!(told.starts_with(begin), "{told}");
        }
        let loaded = Loaded::new(grant.row().clone(), 7);
        assert_eq!((loaded.subject_epoch(), loaded.row()), (7, grant.row()));
    }

    #[test]
    fn every_refusal_looks_the_same_from_outside_and_has_a_name_inside() {
        let refusals = [
            Refusal::BindingMismatch,
            Refusal::BindingMissing,
            Refusal::Expired(Lifetime::Absolute),
            Refusal::Expired(Lifetime::Idle),
            Refusal::Forged,
            Refusal::Malformed,
            Refusal::Reused(Recency::RecentPrevious),
            Refusal::Reused(Recency::Stale),
            Refusal::Revoked(Reason::Logout),
            Refusal::RolledBack,
            Refusal::StaleEpoch,
            Refusal::UnknownKey,
            Refusal::UnknownSession,
        ];
        for refusal in refusals {
            let error = Error::InvalidGrant(refusal);
            assert_eq!(
                (error.to_string().as_str(), error.code(), error.challenge().status()),
                (UNIFORM, "invalid_grant", 400)
            );
            assert!(core::error::Error::source(&error).is_none());
        }
        let codes: BTreeSet<&str> = refusals.iter().map(Refusal::code).collect();
        assert_eq!(codes.len(), refusals.len());
        let texts: BTreeSet<String> = refusals.iter().map(Refusal::to_string).collect();
        assert_eq!(texts.len(), refusals.len());
    }

    #[test]
    fn an_event_names_the_subject_and_hides_the_session() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = seen.clone();
        let sessions = Sessions::new_with(
            config().build().unwrap(),
            master(),
            signer(),
            MemoryStore::new(),
            Sequence::default(),
        )
        .observed_by(move |event: &countersign_session::Event| log.lock().unwrap().push(event.clone()));
        let grant = blocking(sessions.at(NOW).login(&Login::new("ann"))).unwrap();
        blocking(sessions.at(later(1)).revoke_all("ann")).unwrap();
        let seen = seen.lock().unwrap();
        let [issued, all] = &seen[..] else { panic!("{seen:?}") };
        assert_eq!((issued.kind, &*issued.subject, issued.at), (EventKind::Issued, "ann", NOW));
        assert_eq!(issued.session, Some(grant.session_id().hash()));
        assert_eq!((all.kind, all.session, all.at), (EventKind::AllRevoked, None, later(1)));
        assert!(!format!("{issued:?}").contains(&grant.session_id().to_string()));
    }

    #[test]
    fn the_names_of_events_and_reasons_are_stable() {
        let reasons = [
            (Reason::BindingMismatch, "binding_mismatch"),
            (Reason::Evicted, "evicted"),
            (Reason::Logout, "logout"),
            (Reason::Reuse, "reuse"),
            (Reason::Revoked, "revoked"),
            (Reason::Rollback, "rollback"),
        ];
        for (reason, code) in reasons {
            assert_eq!(reason.code(), code);
        }
        for (kind, code) in [
            (EventKind::AllRevoked, "all_revoked"),
            (EventKind::Anomaly, "anomaly"),
            (EventKind::BindingMismatch, "binding_mismatch"),
            (EventKind::GraceReplay, "grace_replay"),
            (EventKind::Issued, "issued"),
            (EventKind::ReuseDetected(Recency::Stale), "reuse_detected"),
            (EventKind::Revoked(Reason::Logout), "revoked"),
            (EventKind::Rotated, "rotated"),
        ] {
            assert_eq!(kind.code(), code);
        }
    }

    // Runtimes.

    #[test]
    fn the_futures_can_move_between_threads() {
        fn sent<F: Future + Send>(_: F) {}
        let server = server();
        let (sessions, session) = (&server.sessions, SessionId::from_bytes([7; 16]));
        sent(sessions.at(NOW).epoch("ann"));
        sent(sessions.at(NOW).login(&Login::new("ann")));
        sent(sessions.at(NOW).refresh("", &Binding::None));
        sent(sessions.at(NOW).logout(""));
        sent(sessions.at(NOW).revoke_of("ann", session));
        sent(sessions.at(NOW).revoke_others("ann", session));
        sent(sessions.at(NOW).revoke_all("ann"));
        sent(sessions.at(NOW).list("ann"));
        sent(sessions.at(NOW).purge());
        let verifier = access_verifier().with_denylist(server.shared());
        sent(verifier.at(NOW).verify::<()>("", &Binding::None));
        sent(verifier.at(NOW).verify_bearer::<()>([""], &Binding::None));
    }

    #[test]
    fn a_store_that_waits_is_not_run_as_a_blocking_one() {
        struct Waits;

        impl Denylist for Waits {
            async fn denies(&self, _: &[DenyKey]) -> Result<bool, StoreError> {
                core::future::pending().await
            }
        }

        let server = server();
        let text = server.access(&server.login("ann", NOW));
        let verifier = access_verifier().with_denylist(Waits);
        let error = blocking(verifier.at(NOW).verify::<()>(&text, &Binding::None)).unwrap_err();
        assert!(matches!(error, Error::Store(_)));
    }

    #[test]
    fn the_clock_is_read_where_no_time_is_given() {
        let server = server();
        let grant = blocking(server.sessions.login(&Login::new("ann"))).unwrap();
        let grant = blocking(server.sessions.refresh(text(&grant), &Binding::None)).unwrap();
        assert!(grant.row().created_at() <= UnixTime::now() && grant.row().created_at() > NOW);
        let access = server.access(&grant);
        assert!(access_verifier().verify::<()>(&access, &Binding::None).is_ok());
        let listed = blocking(server.sessions.list("ann")).unwrap();
        assert_eq!(listed.len(), 1);
        blocking(server.sessions.purge()).unwrap();
        let other = blocking(server.sessions.login(&Login::new("ann"))).unwrap();
        assert_eq!(blocking(server.sessions.revoke_others("ann", grant.session_id())).unwrap(), 1);
        assert!(!server.lives(&other, UnixTime::now()) && server.lives(&grant, UnixTime::now()));
        assert_eq!(blocking(server.sessions.revoke_of("bob", grant.session_id())).unwrap(), Ended::Unknown);
        assert_eq!(blocking(server.sessions.revoke(grant.session_id())).unwrap(), Ended::Now);
        assert_eq!(blocking(server.sessions.logout(text(&grant))).unwrap(), Ended::Already);
        let last = blocking(server.sessions.login(&Login::new("ann"))).unwrap();
        blocking(server.sessions.revoke_all("ann")).unwrap();
        assert!(!server.lives(&last, UnixTime::now()));
        // This session expired long ago.
        let old = server.login("ann", NOW);
        blocking(server.sessions.purge()).unwrap();
        assert_eq!(server.refusal(text(&old), NOW), Refusal::UnknownSession);
    }
}
