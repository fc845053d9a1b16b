//! Compares the machine with a very simple model: any sequence of events must have the same outcomes in both.
#![cfg(feature = "std")]

mod stores;
#[path = "../../../tests/util/mod.rs"]
mod util;

mod model {
    use crate::stores::{DAY, HOUR, MINUTE, Server, Tables, access_verifier, config, server_of, text};
    use crate::util::{NOW, seconds};
    use countersign::UnixTime;
    use countersign_session::{
        Binding, Ended, Error, Exchange, Grace, Lifetime, Login, OnMismatch, Reason, Recency, Refusal,
        SessionId, blocking,
    };
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const SUBJECTS: [&str; 2] = ["ann", "bob"];

    #[derive(Clone, Debug)]
    enum Event {
        Login {
            subject: usize,
            bound: bool,
        },
        /// Presents the last token of the session, or the token this many places before it.
        Refresh {
            session: usize,
            back: usize,
            shown: Shown,
        },
        Logout {
            session: usize,
            back: usize,
        },
        RevokeOf {
            subject: usize,
            session: usize,
        },
        RevokeOthers {
            session: usize,
        },
        RevokeAll {
            subject: usize,
        },
        Wait {
            seconds: u64,
        },
        Backup,
        Restore,
        Purge,
    }

    #[derive(Clone, Copy, Debug)]
    enum Shown {
        Right,
        Nothing,
        Wrong,
    }

    fn event() -> impl Strategy<Value = Event> {
        let session = 0_usize..4;
        let back = prop_oneof![6 => Just(0_usize), 3 => Just(1_usize), 1 => 2_usize..5];
        let shown = prop_oneof![12 => Just(Shown::Right), 1 => Just(Shown::Nothing), 1 => Just(Shown::Wrong)];
        let wait = prop::sample::select(vec![
            0,
            1,
            30,
            59,
            60,
            61,
            119,
            120,
            5 * MINUTE,
            10 * MINUTE,
            7 * HOUR,
            9 * HOUR,
            13 * DAY,
            14 * DAY,
        ]);
        prop_oneof![
            4 => (0_usize..2, any::<bool>()).prop_map(|(subject, bound)| Event::Login { subject, bound }),
            20 => (session.clone(), back.clone(), shown)
                .prop_map(|(session, back, shown)| Event::Refresh { session, back, shown }),
            1 => (session.clone(), back).prop_map(|(session, back)| Event::Logout { session, back }),
            1 => (0_usize..2, session.clone())
                .prop_map(|(subject, session)| Event::RevokeOf { subject, session }),
            1 => session.prop_map(|session| Event::RevokeOthers { session }),
            1 => (0_usize..2).prop_map(|subject| Event::RevokeAll { subject }),
            8 => wait.prop_map(|wait| Event::Wait { seconds: wait.unsigned_abs() }),
            1 => Just(Event::Backup),
            1 => Just(Event::Restore),
            1 => Just(Event::Purge),
        ]
    }

    fn grace() -> impl Strategy<Value = Grace> {
        prop_oneof![
            1 => Just(Grace::None),
            3 => Just(Grace::default()),
            2 => Just(Grace::UntilSuccessorUsed { cap: seconds(8 * 3600) }),
        ]
    }

    /// The expected content of the store.
    #[derive(Clone, Default)]
    struct Kept {
        sessions: Vec<Session>,
        epochs: [u64; 2],
        denied_sessions: BTreeSet<SessionId>,
        denied_epochs: BTreeSet<(usize, u64)>,
    }

    #[derive(Clone)]
    struct Session {
        id: SessionId,
        subject: usize,
        epoch: u64,
        bound: bool,
        /// The token of each generation, as this store has them.
        line: Vec<String>,
        created: UnixTime,
        rotated: UnixTime,
        access_until: UnixTime,
        revoked: Option<Reason>,
    }

    struct Access {
        text: String,
        session: SessionId,
        subject: usize,
        epoch: u64,
        bound: bool,
        until: UnixTime,
    }

    /// What the test knows besides the content of the store, because a restored store does not take issued tokens back.
    struct Model {
        grace: Grace,
        on_mismatch: OnMismatch,
        now: UnixTime,
        kept: Kept,
        backup: (Kept, Option<Tables>),
        /// Every refresh token of each session with its generation, in the order in which they were issued.
        issued: Vec<(SessionId, Vec<(usize, String)>)>,
        accesses: Vec<Access>,
    }

    impl Model {
        fn later(&self, time: UnixTime, count: i64) -> bool {
            self.now >= time.saturating_add(seconds(count.unsigned_abs()))
        }

        /// Returns why a session in the store is over, if it is.
        fn over(&self, session: &Session) -> Option<Refusal> {
            self.over_at(session, self.now)
        }

        /// Returns the time of a clock that lags by as much as allowed.
        fn slowest_clock(&self) -> UnixTime {
            self.now.saturating_sub(seconds(60))
        }

        fn over_at(&self, session: &Session, now: UnixTime) -> Option<Refusal> {
            let absolute = session.created.saturating_add(seconds(60 * 24 * 3600));
            let idle = session.rotated.saturating_add(seconds(14 * 24 * 3600)).min(absolute);
            if let Some(reason) = session.revoked {
                Some(Refusal::Revoked(reason))
            } else if now >= absolute {
                Some(Refusal::Expired(Lifetime::Absolute))
            } else if now >= idle.saturating_add(seconds(60)) {
                Some(Refusal::Expired(Lifetime::Idle))
            } else if session.epoch != self.kept.epochs[session.subject] {
                Some(Refusal::StaleEpoch)
            } else {
                None
            }
        }

        fn in_grace(&self, session: &Session) -> bool {
            match self.grace {
                Grace::Within(window) | Grace::UntilSuccessorUsed { cap: window } => {
                    !self.later(session.rotated.saturating_add(window), MINUTE)
                }
                _ => false,
            }
        }

        /// Computes the outcome of an exchange, and changes the session accordingly.
        fn exchange(
            &self,
            id: SessionId,
            (generation, text): (usize, &str),
            shown: Shown,
        ) -> (Result<Exchange, Refusal>, Option<Reason>) {
            let Some(session) = self.kept.sessions.iter().find(|session| session.id == id) else {
                return (Err(Refusal::UnknownSession), None);
            };
            if let Some(refusal) = self.over(session) {
                return (Err(refusal), None);
            }
            match shown {
                Shown::Nothing if session.bound => return (Err(Refusal::BindingMissing), None),
                Shown::Wrong if session.bound => {
                    let reason = (self.on_mismatch == OnMismatch::Revoke).then_some(Reason::BindingMismatch);
                    return (Err(Refusal::BindingMismatch), reason);
                }
                _ => {}
            }
            let present = session.line.len();
            let known = session.line.get(generation - 1).is_some_and(|known| known == text);
            let reused = |recency| (Err(Refusal::Reused(recency)), Some(Reason::Reuse));
            if generation + 1 < present {
                reused(Recency::Stale)
            } else if !known {
                (Err(Refusal::RolledBack), Some(Reason::Rollback))
            } else if generation == present {
                (Ok(Exchange::Rotated), None)
            } else if self.in_grace(session) {
                (Ok(Exchange::Replayed), None)
            } else {
                reused(Recency::RecentPrevious)
            }
        }

        fn session(&mut self, id: SessionId) -> Option<&mut Session> {
            self.kept.sessions.iter_mut().find(|session| session.id == id)
        }

        fn end(&mut self, id: SessionId, reason: Reason) {
            self.session(id).unwrap().revoked = Some(reason);
            self.kept.denied_sessions.insert(id);
        }

        /// Returns whether a session exists and has something to end: itself, in any epoch, or an access token, which may be
        /// accepted until six minutes after it expires. By a clock that lags by a minute, it may still be exchanged.
        fn endable(&self, id: SessionId) -> Option<bool> {
            let session = self.kept.sessions.iter().find(|session| session.id == id)?;
            Some(match self.over_at(session, self.slowest_clock()) {
                None | Some(Refusal::StaleEpoch) => true,
                Some(Refusal::Expired(_)) => !self.later(session.access_until, 6 * MINUTE),
                Some(_) => false,
            })
        }

        fn ended(&mut self, id: SessionId, reason: Reason) -> Ended {
            match self.endable(id) {
                None => Ended::Unknown,
                Some(false) => Ended::Already,
                Some(true) => {
                    self.end(id, reason);
                    Ended::Now
                }
            }
        }
    }

    fn binding(bound: bool, shown: Shown) -> Binding {
        match shown {
            Shown::Right if bound => Binding::fingerprint("right"),
            Shown::Right | Shown::Nothing => Binding::None,
            Shown::Wrong => Binding::fingerprint("wrong"),
        }
    }

    /// Returns the session of an event, from all sessions that have ever existed.
    fn pick(model: &Model, number: usize) -> Option<(SessionId, Vec<(usize, String)>)> {
        // The newest ones, because most of the others are over.
        let place = model.issued.len().checked_sub(1 + number)?;
        Some(model.issued[place].clone())
    }

    fn login(server: &Server, model: &mut Model, subject: usize, bound: bool) {
        let shown = binding(bound, Shown::Right);
        let grant = server.login_as(&Login::new(SUBJECTS[subject]).binding(shown), model.now);
        let epoch = model.kept.epochs[subject];
        model.issued.push((grant.session_id(), vec![(1, text(&grant).to_owned())]));
        model.kept.sessions.push(Session {
            id: grant.session_id(),
            subject,
            epoch,
            bound,
            line: vec![text(&grant).to_owned()],
            created: model.now,
            rotated: model.now,
            access_until: grant.access_expires_at(),
            revoked: None,
        });
        remember(server, model, &grant, subject, bound);
    }

    fn remember(
        server: &Server,
        model: &mut Model,
        grant: &countersign_session::Grant,
        subject: usize,
        bound: bool,
    ) {
        assert!(grant.access_expires_at() > model.now);
        assert!(grant.access_expires_at() <= grant.row().access_until());
        model.accesses.push(Access {
            text: server.access(grant),
            session: grant.session_id(),
            subject,
            epoch: grant.row().subject_epoch(),
            bound,
            until: grant.access_expires_at(),
        });
    }

    fn refresh(server: &Server, model: &mut Model, number: usize, back: usize, shown: Shown) {
        let Some((id, tokens)) = pick(model, number) else { return };
        let (generation, token) = &tokens[tokens.len().saturating_sub(1 + back)];
        let bound = model.accesses.iter().any(|access| access.session == id && access.bound);
        let (expected, ends) = model.exchange(id, (*generation, token), shown);
        let before = server.store().content();
        let outcome = blocking(server.sessions.at(model.now).refresh(token, &binding(bound, shown)));
        match (expected, outcome) {
            (Ok(exchange), Ok(grant)) => {
                assert_eq!(grant.exchange(), exchange);
                let now = model.now;
                let session = model.session(id).unwrap();
                session.access_until = session.access_until.max(grant.access_expires_at());
                if exchange == Exchange::Rotated {
                    session.line.push(text(&grant).to_owned());
                    session.rotated = now;
                    let generation = session.line.len();
                    let issued = model.issued.iter_mut().find(|(issued, _)| *issued == id).unwrap();
                    issued.1.push((generation, text(&grant).to_owned()));
                } else {
                    assert_eq!(session.line.last().map(String::as_str), Some(text(&grant)));
                }
                let subject = model.session(id).unwrap().subject;
                remember(server, model, &grant, subject, bound);
            }
            (Err(refusal), Err(Error::InvalidGrant(found))) => {
                assert_eq!(found, refusal);
                match ends {
                    Some(reason) => model.end(id, reason),
                    None => assert_eq!(server.store().content(), before, "{refusal:?} changes nothing"),
                }
            }
            (expected, outcome) => panic!("expected {expected:?}, found {outcome:?}"),
        }
    }

    fn apply(server: &Server, model: &mut Model, event: &Event) {
        match *event {
            Event::Login { subject, bound } => login(server, model, subject, bound),
            Event::Refresh { session, back, shown } => refresh(server, model, session, back, shown),
            Event::Logout { session, back } => {
                let Some((id, tokens)) = pick(model, session) else { return };
                let (_, token) = &tokens[tokens.len().saturating_sub(1 + back)];
                let found = blocking(server.sessions.at(model.now).logout(token)).unwrap();
                assert_eq!(found, model.ended(id, Reason::Logout));
            }
            Event::RevokeOf { subject, session } => {
                let Some((id, _)) = pick(model, session) else { return };
                let theirs = model.session(id).is_some_and(|session| session.subject == subject);
                let name = SUBJECTS[subject];
                let found = blocking(server.sessions.at(model.now).revoke_of(name, id)).unwrap();
                let expected = if theirs { model.ended(id, Reason::Revoked) } else { Ended::Unknown };
                assert_eq!(found, expected);
            }
            Event::RevokeOthers { session } => {
                let Some((keep, _)) = pick(model, session) else { return };
                let Some(subject) = model.session(keep).map(|session| session.subject) else { return };
                let others = model.kept.sessions.iter().filter(|session| {
                    session.subject == subject
                        && session.id != keep
                        && model.over_at(session, model.slowest_clock()).is_none()
                });
                let others: Vec<SessionId> = others.map(|session| session.id).collect();
                let name = SUBJECTS[subject];
                let count = blocking(server.sessions.at(model.now).revoke_others(name, keep)).unwrap();
                assert_eq!(count, others.len());
                others.into_iter().for_each(|id| model.end(id, Reason::Revoked));
            }
            Event::RevokeAll { subject } => {
                blocking(server.sessions.at(model.now).revoke_all(SUBJECTS[subject])).unwrap();
                model.kept.denied_epochs.insert((subject, model.kept.epochs[subject]));
                model.kept.epochs[subject] += 1;
            }
            Event::Wait { seconds: count } => model.now = model.now.saturating_add(seconds(count)),
            Event::Backup => model.backup = (model.kept.clone(), Some(server.store().backup())),
            Event::Restore => {
                if let (kept, Some(tables)) = &model.backup {
                    server.store().restore(tables);
                    model.kept = kept.clone();
                }
            }
            Event::Purge => purge(server, model),
        }
    }

    /// Checks that a purge removes only what is over, so that no call notices it.
    fn purge(server: &Server, model: &mut Model) {
        blocking(server.sessions.at(model.now).purge()).unwrap();
        let left: BTreeSet<SessionId> = model
            .kept
            .sessions
            .iter()
            .map(|session| session.id)
            .filter(|id| blocking(countersign_session::Store::load(&server.shared(), *id)).unwrap().is_some())
            .collect();
        let gone: Vec<&Session> =
            model.kept.sessions.iter().filter(|session| !left.contains(&session.id)).collect();
        for session in &gone {
            let absolute = session.created.saturating_add(seconds(60 * 24 * 3600));
            let idle = session.rotated.saturating_add(seconds(14 * 24 * 3600));
            let over = if session.revoked.is_some() { session.access_until } else { idle.min(absolute) };
            assert!(model.later(over, HOUR), "purged although it might still be used");
        }
        for session in model.kept.sessions.iter().filter(|session| left.contains(&session.id)) {
            let absolute = session.created.saturating_add(seconds(60 * 24 * 3600));
            let idle = session.rotated.saturating_add(seconds(14 * 24 * 3600));
            let over = idle.min(absolute).max(session.access_until);
            assert!(!model.later(over, 25 * HOUR), "kept although it has been over for more than a day");
        }
        model.kept.sessions.retain(|session| left.contains(&session.id));
    }

    /// Compares everything that is visible from outside.
    fn compare(server: &Server, model: &Model) {
        for (subject, name) in SUBJECTS.iter().enumerate() {
            let listed = blocking(server.sessions.at(model.now).list(name)).unwrap();
            let listed: BTreeSet<SessionId> = listed.iter().map(|row| row.session_id()).collect();
            let living = model
                .kept
                .sessions
                .iter()
                .filter(|session| session.subject == subject && model.over(session).is_none());
            assert_eq!(listed, living.map(|session| session.id).collect::<BTreeSet<_>>());
        }
        let verifier = access_verifier().with_denylist(server.shared());
        for access in model.accesses.iter().rev().take(6) {
            let shown = binding(access.bound, Shown::Right);
            let outcome = blocking(verifier.at(model.now).verify::<()>(&access.text, &shown));
            let denied = model.kept.denied_sessions.contains(&access.session)
                || model.kept.denied_epochs.contains(&(access.subject, access.epoch));
            let expired = model.later(access.until, 30);
            match outcome {
                Ok(_) => assert!(!denied && !expired),
                Err(Error::Denied) => assert!(denied && !expired),
                Err(error) => assert!(expired && error.is_expired(), "{error:?}"),
            }
        }
    }

    proptest! {
        #[test]
        fn any_events_have_the_outcomes_that_the_rules_say(
            grace in grace(),
            refuses in any::<bool>(),
            events in prop::collection::vec(event(), 1..80),
        ) {
            let on_mismatch = if refuses { OnMismatch::Refuse } else { OnMismatch::Revoke };
            let server = server_of(config().grace(grace).on_binding_mismatch(on_mismatch));
            let mut model = Model {
                grace,
                on_mismatch,
                now: NOW,
                kept: Kept::default(),
                backup: (Kept::default(), None),
                issued: Vec::new(),
                accesses: Vec::new(),
            };
            login(&server, &mut model, 0, false);
            for event in &events {
                apply(&server, &mut model, event);
                compare(&server, &model);
            }
        }

        #[test]
        fn no_text_is_taken_for_a_token(
            any_text in ".{0,200}",
            place in any::<prop::sample::Index>(),
            character in prop::char::range('!', '~'),
        ) {
            let server = server_of(config());
            let genuine = text(&server.login("ann", NOW)).to_owned();
            let place = place.index(genuine.len());
            let changed = format!("{}{character}{}", &genuine[..place], &genuine[place + 1..]);
            let framed = format!("v1.{}", crate::util::b64(any_text.as_bytes()));
            server.store().calls();
            for text in [any_text, framed, changed] {
                prop_assert!(text == genuine || server.try_refresh(&text, NOW).is_err());
            }
            prop_assert_eq!(server.store().calls(), [""; 0]);
        }

        #[test]
        fn no_other_bytes_are_read_as_a_row(
            place in any::<prop::sample::Index>(),
            by in prop::collection::vec(any::<u8>(), 0..3),
        ) {
            let server = server_of(config());
            let grant = server.login("ann", NOW);
            let mut bytes = server.store().row(grant.session_id()).to_bytes();
            let place = place.index(bytes.len());
            bytes.splice(place..=place, by);
            if let Ok(row) = countersign_session::Row::from_bytes(&bytes) {
                prop_assert_eq!(row.to_bytes(), bytes);
            }
        }
    }
}
