//! The contract of stores: this crate's stores keep it, and stores with the usual faults break it.
#![cfg(feature = "std")]

mod stores;
#[path = "../../../tests/util/mod.rs"]
mod util;

// A module, so that `cargo test session` runs its tests.
mod contract {
    use crate::stores::{Kept, Sequence, SharedSequence};
    use core::task::{Context, Poll, Waker};
    use countersign::UnixTime;
    use countersign_session::contract::{self, Report, Violation};
    use countersign_session::{
        Blocking, BlockingStore, DenyKey, DynStore, Loaded, MemoryStore, Reason, Row, SessionId, Store,
        StoreError, Swap, blocking,
    };
    use std::collections::{BTreeMap, BTreeSet};
    use std::io::Write;
    use std::pin::pin;
    use std::sync::{Arc, Mutex};

    /// Prints how much was checked, even if the test passes.
    #[allow(clippy::explicit_write, reason = "the test harness hides the output of println")]
    fn tell(text: core::fmt::Arguments<'_>) {
        #[allow(clippy::explicit_write, reason = "the test harness hides the output of println")]
        writeln!(std::io::stdout(), "{text}").unwrap();
    }

    fn check<S: Store>(store: &S) -> Result<Report, Violation> {
        blocking(contract::check_with(store, Sequence::default()))
    }

    #[test]
    fn the_store_in_memory_keeps_the_contract() {
        let report = check(&MemoryStore::new()).unwrap();
        tell(format_args!("what was checked of the store in memory:\n{report}"));
        let lines: Vec<String> =
            report.entries().map(|(what, count)| format!("{count:>6}  {what}\n")).collect();
        assert_eq!(report.to_string(), lines.concat());
        let counts: Vec<usize> = report.entries().map(|(_, count)| count).collect();
        // Lower numbers would mean that some orders are no longer tried.
        assert_eq!(counts, [14, 6, 150, 150, 6, 12, 12, 47, 17, 3, 4, 5, 5, 4, 4, 5]);
    }

    #[cfg(feature = "getrandom")]
    #[test]
    fn the_systems_randomness_checks_as_much_and_finds_the_same_faults() {
        let store = MemoryStore::new();
        let report = blocking(contract::check(&store)).unwrap();
        assert_eq!(report.to_string(), check(&MemoryStore::new()).unwrap().to_string());
        // It also passes on a store that was checked before.
        blocking(contract::check(&store)).unwrap();
        let faulty = Faulty::new(Some(Fault::BumpTellsTheOldEpoch));
        assert_eq!(blocking(contract::check(&faulty)).unwrap_err().law(), "two bumps at once both count");
    }

    #[test]
    fn a_statement_that_hit_no_row_wrote_nothing() {
        assert_eq!(
            [0, 1, 2, u64::MAX].map(Swap::from_rows),
            [Swap::Conflict, Swap::Done, Swap::Done, Swap::Done]
        );
    }

    #[test]
    fn a_blocking_store_of_bytes_keeps_the_contract() {
        check(&Arc::new(Blocking(Kept::default()))).unwrap();
    }

    #[test]
    fn a_store_chosen_at_run_time_keeps_the_contract_and_shows_its_faults() {
        let pick = |fault| -> DynStore {
            let store: Box<dyn BlockingStore> = Box::new(Faulty::new(fault).0);
            DynStore::new(Blocking(store))
        };
        check(&pick(None)).unwrap();
        check(&DynStore::new(MemoryStore::new())).unwrap();
        for (fault, law) in FAULTS {
            assert_eq!(check(&pick(Some(fault))).unwrap_err().law(), law);
        }
        // It waits for the store, so it must be movable between tasks on any thread.
        fn sent<T: Send + Sync + Clone + 'static>(_: &T) {}
        sent(&pick(None));
        let slow = DynStore::new(ReadsThenWrites { store: MemoryStore::new(), what: What::Swap });
        let violation = run(contract::check_with(&slow, Sequence::default())).unwrap_err();
        assert_eq!(violation.law(), "of two swaps at once one is made");
        assert_eq!(format!("{slow:?}"), "DynStore");
    }

    #[test]
    fn a_store_that_has_content_already_keeps_the_contract() {
        let store = MemoryStore::new();
        let random = Arc::new(Sequence::default());
        for _ in 0..2 {
            blocking(contract::check_with(&store, SharedSequence(random.clone()))).unwrap();
        }
    }

    #[test]
    fn four_callers_hold_the_same_successor_in_every_order() {
        let orders = blocking(contract::exchanges(&MemoryStore::new(), Sequence::default(), 4)).unwrap();
        tell(format_args!("{orders} orders of four exchanges of one token"));
        assert_eq!(orders, 11_112);
    }

    #[test]
    fn one_of_two_logins_at_once_is_left_in_every_order_if_one_is_allowed() {
        let orders = blocking(contract::logins(&MemoryStore::new(), Sequence::default())).unwrap();
        tell(format_args!("{orders} orders of two logins where one session is allowed"));
        assert_eq!(orders, 17_752);
    }

    /// A mistake that the author of a store may make.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Fault {
        BumpTellsTheOldEpoch,
        DenialKeepsThreeKeys,
        DenialKeepsTwoKeys,
        DenialKeysEndAtZero,
        DenialOfAKeyTwiceFails,
        EpochIsAByte,
        ListGivesAPageOf(usize),
        LooksUpTwoKeys,
        SubjectIsCut,
        SubjectIsFolded,
        SubjectIsTrimmed,
        SubjectWithoutInvisible,
        VersionIs(Width),
        DenialIsShortened,
        DenialsAreNeverPurged,
        DenialsArePurgedTooSoon,
        EndedRowsArePurgedLate,
        EpochOfAllSubjects,
        EpochsArePurged,
        InsertMovesTheSubject,
        InsertOverwrites,
        ListByPrefix,
        ListIgnoresCase,
        ListHasEnded,
        ListHasEndedUnlessLoggedOut,
        ListLeavesOutExpired,
        ListLeavesOutFormerEpochs,
        ListLeavesOutSwapped,
        ListLeavesOutWhatALostSwapEnds,
        LoadFromCache,
        LoadLeavesOutEnded,
        LoadWithoutEpoch,
        NeedsAllKeysDenied,
        NoDenylist,
        RowsAreNeverPurged,
        RowsArePurgedTooSoon,
        SwapComparesNothing,
        SwapEndsOthers,
        SwapInsertsWhatIsAbsent,
        SwapSaysDoneAlways,
        SwapWritesNothing,
        SwapWritesTheVersionOnly,
    }

    /// The type in which versions are compared.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Width {
        F64,
        U16,
        U32,
        U8,
    }

    /// The law that finds each fault.
    const FAULTS: [(Fault, &str); 47] = [
        (Fault::DenialKeepsThreeKeys, "every key of a denial counts"),
        (Fault::DenialKeepsTwoKeys, "every key of a denial counts"),
        (Fault::DenialKeysEndAtZero, "a denial is of its keys only"),
        (Fault::DenialOfAKeyTwiceFails, "every call is answered"),
        (Fault::EpochIsAByte, "a bump adds one and returns the result"),
        (Fault::ListGivesAPageOf(10), "a list has all rows of its subject and no others"),
        (Fault::ListGivesAPageOf(100), "a list has all rows of its subject and no others"),
        (Fault::ListGivesAPageOf(1000), "a list has all rows of its subject and no others"),
        (Fault::LooksUpTwoKeys, "any one denied key is enough"),
        (Fault::SubjectIsCut, "a list has all rows of its subject and no others"),
        (Fault::SubjectIsFolded, "a list has all rows of its subject and no others"),
        (Fault::SubjectIsTrimmed, "a list has all rows of its subject and no others"),
        (Fault::SubjectWithoutInvisible, "a list has all rows of its subject and no others"),
        (Fault::VersionIs(Width::F64), "a swap from another version is a conflict"),
        (Fault::VersionIs(Width::U16), "a swap from another version is a conflict"),
        (Fault::VersionIs(Width::U32), "a swap from another version is a conflict"),
        (Fault::VersionIs(Width::U8), "a swap from another version is a conflict"),
        (Fault::BumpTellsTheOldEpoch, "two bumps at once both count"),
        (Fault::DenialIsShortened, "the latest time of a denial counts"),
        (Fault::DenialsAreNeverPurged, "a denial is purged after its time"),
        (Fault::DenialsArePurgedTooSoon, "a denial is kept until its time"),
        (Fault::EndedRowsArePurgedLate, "a row is purged sooner once it was ended"),
        (Fault::EpochOfAllSubjects, "a bump is of one subject"),
        (Fault::EpochsArePurged, "an epoch is kept when its last row is purged"),
        (Fault::InsertMovesTheSubject, "an inserted row is listed"),
        (Fault::InsertOverwrites, "a second row of the same id is a conflict"),
        (Fault::ListByPrefix, "a list has all rows of its subject and no others"),
        (Fault::ListIgnoresCase, "a list has all rows of its subject and no others"),
        (Fault::ListHasEnded, "a list leaves out ended rows"),
        (Fault::ListHasEndedUnlessLoggedOut, "a list leaves out ended rows"),
        (Fault::ListLeavesOutExpired, "an inserted row is listed"),
        (Fault::ListLeavesOutFormerEpochs, "a list has rows of former epochs"),
        (Fault::ListLeavesOutSwapped, "a list has the present row"),
        (Fault::ListLeavesOutWhatALostSwapEnds, "a swap that was not made leaves its row listed"),
        (Fault::LoadFromCache, "a swap is seen by the next load"),
        (Fault::LoadLeavesOutEnded, "an ended session keeps its row"),
        (Fault::LoadWithoutEpoch, "a row is loaded with the present epoch"),
        (Fault::NeedsAllKeysDenied, "any one denied key is enough"),
        (Fault::NoDenylist, "any one denied key is enough"),
        (Fault::RowsAreNeverPurged, "a row is purged after its time"),
        (Fault::RowsArePurgedTooSoon, "a row is kept until its time"),
        (Fault::SwapComparesNothing, "a swap from another version is a conflict"),
        (Fault::SwapEndsOthers, "a change to one session does not affect another"),
        (Fault::SwapInsertsWhatIsAbsent, "a swap of an absent row is a conflict"),
        (Fault::SwapSaysDoneAlways, "a swap of an absent row is a conflict"),
        (Fault::SwapWritesNothing, "a swap is seen by the next load"),
        (Fault::SwapWritesTheVersionOnly, "a swap is seen by the next load"),
    ];

    /// A store with one fault, or none.
    struct Faulty {
        fault: Option<Fault>,
        tables: Mutex<Tables>,
    }

    #[derive(Default)]
    struct Tables {
        rows: BTreeMap<SessionId, Row>,
        /// The subject of the last insert of each row.
        subjects: BTreeMap<SessionId, String>,
        /// The first loaded row of each session.
        cache: BTreeMap<SessionId, Row>,
        /// The sessions that a failed swap removed from the lists.
        unlisted: BTreeSet<SessionId>,
        epochs: BTreeMap<String, u64>,
        denials: BTreeMap<Vec<u8>, UnixTime>,
    }

    impl Faulty {
        fn new(fault: Option<Fault>) -> Blocking<Self> {
            Blocking(Self { fault, tables: Mutex::default() })
        }

        fn has(&self, fault: Fault) -> bool {
            self.fault == Some(fault)
        }

        fn epoch_of(&self, subject: &str) -> String {
            if self.has(Fault::EpochOfAllSubjects) { String::new() } else { self.subject(subject) }
        }

        /// Returns a subject in the form in which it is compared.
        fn subject(&self, subject: &str) -> String {
            match self.fault {
                Some(Fault::SubjectIsCut) => subject.chars().take(255).collect(),
                Some(Fault::SubjectIsFolded) => subject.replace('\u{df}', "ss"),
                Some(Fault::SubjectIsTrimmed) => subject.trim_start().to_owned(),
                Some(Fault::SubjectWithoutInvisible) => subject.replace(['\u{200b}', '\u{ad}'], ""),
                _ => subject.to_owned(),
            }
        }

        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "the faults")]
        fn same_version(&self, stored: u64, expected: u64) -> bool {
            match self.fault {
                Some(Fault::VersionIs(Width::F64)) => stored as f64 == expected as f64,
                Some(Fault::VersionIs(Width::U16)) => stored as u16 == expected as u16,
                Some(Fault::VersionIs(Width::U32)) => stored as u32 == expected as u32,
                Some(Fault::VersionIs(Width::U8)) => stored as u8 == expected as u8,
                _ => stored == expected,
            }
        }

        fn is_listed(&self, row: &Row, tables: &Tables) -> bool {
            let reason = row.revoked().map(|(_, reason)| reason);
            let epoch = tables.epochs.get(row.subject()).copied().unwrap_or_default();
            match self.fault {
                Some(Fault::ListHasEnded) => true,
                Some(Fault::ListHasEndedUnlessLoggedOut) => reason != Some(Reason::Logout),
                // Uses its own clock, years ahead of the contract's.
                Some(Fault::ListLeavesOutExpired)
                    if row.expires_at() < UnixTime::from_secs(1_800_000_000) =>
                {
                    false
                }
                Some(Fault::ListLeavesOutFormerEpochs) if row.subject_epoch() < epoch => false,
                Some(Fault::ListLeavesOutSwapped) => row.version() == 1,
                _ => reason.is_none() && !tables.unlisted.contains(&row.session_id()),
            }
        }

        /// Returns a key of the denylist in the form in which it is compared.
        fn key(&self, key: &DenyKey) -> Vec<u8> {
            let whole = key.as_bytes().to_vec();
            let cut =
                whole.iter().position(|byte| *byte == 0).filter(|_| self.has(Fault::DenialKeysEndAtZero));
            whole[..cut.unwrap_or(whole.len())].to_vec()
        }
    }

    /// Returns the row with the version of the other row. Its bytes follow those of the format number and of the session.
    fn with_version_of(row: &Row, other: &Row) -> Row {
        let (mut bytes, other) = (row.to_bytes(), other.to_bytes());
        bytes[17..25].copy_from_slice(&other[17..25]);
        Row::from_bytes(&bytes).unwrap()
    }

    impl BlockingStore for Faulty {
        fn load(&self, session: SessionId) -> Result<Option<Loaded>, StoreError> {
            let tables = &mut *self.tables.lock().unwrap();
            let Some(mut row) = tables.rows.get(&session) else { return Ok(None) };
            if self.has(Fault::LoadFromCache) {
                row = tables.cache.entry(session).or_insert_with(|| row.clone());
            }
            if self.has(Fault::LoadLeavesOutEnded) && row.revoked().is_some() {
                return Ok(None);
            }
            let epoch = tables.epochs.get(&self.epoch_of(row.subject())).copied().unwrap_or_default();
            Ok(Some(Loaded::new(row.clone(), if self.has(Fault::LoadWithoutEpoch) { 0 } else { epoch })))
        }

        fn insert(&self, row: &Row) -> Result<Swap, StoreError> {
            let mut tables = self.tables.lock().unwrap();
            if self.has(Fault::InsertMovesTheSubject) {
                tables.subjects.insert(row.session_id(), row.subject().to_owned());
            }
            if tables.rows.contains_key(&row.session_id()) && !self.has(Fault::InsertOverwrites) {
                return Ok(Swap::Conflict);
            }
            tables.rows.insert(row.session_id(), row.clone());
            Ok(Swap::Done)
        }

        fn compare_and_swap(&self, expected: u64, row: &Row) -> Result<Swap, StoreError> {
            let mut tables = self.tables.lock().unwrap();
            let stored = tables.rows.get(&row.session_id()).map(Row::version);
            let fits = match stored {
                Some(version) => self.same_version(version, expected) || self.has(Fault::SwapComparesNothing),
                None => self.has(Fault::SwapInsertsWhatIsAbsent),
            };
            if self.has(Fault::ListLeavesOutWhatALostSwapEnds) && row.revoked().is_some() {
                tables.unlisted.insert(row.session_id());
            }
            if self.has(Fault::SwapEndsOthers) && fits && row.revoked().is_some() {
                tables.rows.retain(|_, other| other.subject() != row.subject());
            }
            if fits && !self.has(Fault::SwapWritesNothing) {
                let old =
                    tables.rows.get(&row.session_id()).filter(|_| self.has(Fault::SwapWritesTheVersionOnly));
                let new = old.map_or(row.clone(), |old| with_version_of(old, row));
                tables.rows.insert(row.session_id(), new);
            }
            Ok(if fits || self.has(Fault::SwapSaysDoneAlways) { Swap::Done } else { Swap::Conflict })
        }

        fn list(&self, subject: &str) -> Result<Vec<Row>, StoreError> {
            let tables = self.tables.lock().unwrap();
            let matches = |row: &&Row| {
                let theirs = tables.subjects.get(&row.session_id()).map_or(row.subject(), String::as_str);
                (self.subject(theirs) == self.subject(subject)
                    || self.has(Fault::ListByPrefix) && theirs.starts_with(subject)
                    || self.has(Fault::ListIgnoresCase) && theirs.eq_ignore_ascii_case(subject))
                    && self.is_listed(row, &tables)
            };
            let page = match self.fault {
                Some(Fault::ListGivesAPageOf(rows)) => rows,
                _ => usize::MAX,
            };
            Ok(tables.rows.values().filter(matches).take(page).cloned().collect())
        }

        fn epoch(&self, subject: &str) -> Result<u64, StoreError> {
            Ok(self.tables.lock().unwrap().epochs.get(&self.epoch_of(subject)).copied().unwrap_or_default())
        }

        fn bump_epoch(&self, subject: &str) -> Result<u64, StoreError> {
            let mut tables = self.tables.lock().unwrap();
            let epoch = tables.epochs.entry(self.epoch_of(subject)).or_default();
            *epoch += 1;
            if self.has(Fault::EpochIsAByte) {
                *epoch %= 256;
            }
            Ok(if self.has(Fault::BumpTellsTheOldEpoch) { *epoch - 1 } else { *epoch })
        }

        fn deny(&self, keys: &[DenyKey], until: UnixTime) -> Result<(), StoreError> {
            let mut tables = self.tables.lock().unwrap();
            let distinct: BTreeSet<&DenyKey> = keys.iter().collect();
            if self.has(Fault::DenialOfAKeyTwiceFails) && distinct.len() < keys.len() {
                return Err(StoreError::new("a row cannot be affected a second time"));
            }
            let kept = match self.fault {
                Some(Fault::NoDenylist) => 0,
                Some(Fault::DenialKeepsTwoKeys) => 2,
                Some(Fault::DenialKeepsThreeKeys) => 3,
                _ => keys.len(),
            };
            for key in keys.iter().take(kept) {
                let kept = tables.denials.entry(self.key(key)).or_insert(until);
                *kept = if self.has(Fault::DenialIsShortened) { until } else { until.max(*kept) };
            }
            Ok(())
        }

        fn is_denied(&self, keys: &[DenyKey]) -> Result<bool, StoreError> {
            let tables = self.tables.lock().unwrap();
            let denied = |key: &DenyKey| tables.denials.contains_key(&self.key(key));
            let keys = if self.has(Fault::LooksUpTwoKeys) { &keys[..keys.len().min(2)] } else { keys };
            Ok(if self.has(Fault::NeedsAllKeysDenied) {
                !keys.is_empty() && keys.iter().all(denied)
            } else {
                keys.iter().any(denied)
            })
        }

        fn purge(&self, now: UnixTime) -> Result<(), StoreError> {
            let tables = &mut *self.tables.lock().unwrap();
            if !self.has(Fault::DenialsAreNeverPurged) {
                let early = self.has(Fault::DenialsArePurgedTooSoon);
                tables.denials.retain(|_, until| if early { *until > now } else { *until >= now });
            }
            if !self.has(Fault::RowsAreNeverPurged) {
                let until = |row: &Row| match self.fault {
                    Some(Fault::RowsArePurgedTooSoon) => row.expires_at(),
                    Some(Fault::EndedRowsArePurgedLate) => row.purge_after().max(row.expires_at()),
                    _ => row.purge_after(),
                };
                tables.rows.retain(|_, row| until(row) >= now);
            }
            if self.has(Fault::EpochsArePurged) {
                let subjects: BTreeSet<&str> = tables.rows.values().map(Row::subject).collect();
                tables.epochs.retain(|subject, _| subjects.contains(&**subject));
            }
            Ok(())
        }
    }

    #[test]
    fn every_fault_of_a_store_is_found_and_named() {
        check(&Faulty::new(None)).unwrap();
        for (fault, law) in FAULTS {
            let violation = check(&Faulty::new(Some(fault))).expect_err(&format!("{fault:?} is not found"));
            assert_eq!(violation.law(), law, "{fault:?}: {violation}");
            assert!(violation.to_string().contains(law));
        }
    }

    /// A store that reads, waits, and then writes: in between, another call may have written.
    struct ReadsThenWrites {
        store: MemoryStore,
        what: What,
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum What {
        Bump,
        Insert,
        Swap,
    }

    /// Returns a pending result once.
    async fn wait() {
        let mut waited = false;
        core::future::poll_fn(|context| {
            if waited {
                return Poll::Ready(());
            }
            waited = true;
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    impl Store for ReadsThenWrites {
        async fn load(&self, session: SessionId) -> Result<Option<Loaded>, StoreError> {
            wait().await;
            self.store.load(session).await
        }

        async fn insert(&self, row: &Row) -> Result<Swap, StoreError> {
            if self.what == What::Insert {
                let found = self.store.load(row.session_id()).await?;
                wait().await;
                let _ = self.store.insert(row).await?;
                return Ok(if found.is_some() { Swap::Conflict } else { Swap::Done });
            }
            self.store.insert(row).await
        }

        async fn compare_and_swap(&self, expected: u64, row: &Row) -> Result<Swap, StoreError> {
            if self.what == What::Swap {
                let found = self.store.load(row.session_id()).await?;
                wait().await;
                if found.is_none_or(|found| found.row().version() != expected) {
                    return Ok(Swap::Conflict);
                }
                let _ = self.store.compare_and_swap(expected, row).await?;
                return Ok(Swap::Done);
            }
            wait().await;
            self.store.compare_and_swap(expected, row).await
        }

        async fn list(&self, subject: &str) -> Result<Vec<Row>, StoreError> {
            self.store.list(subject).await
        }

        async fn epoch(&self, subject: &str) -> Result<u64, StoreError> {
            self.store.epoch(subject).await
        }

        async fn bump_epoch(&self, subject: &str) -> Result<u64, StoreError> {
            if self.what == What::Bump {
                let epoch = self.store.epoch(subject).await?;
                wait().await;
                self.store.bump_epoch(subject).await?;
                return Ok(epoch + 1);
            }
            self.store.bump_epoch(subject).await
        }

        async fn deny(&self, keys: &[DenyKey], until: UnixTime) -> Result<(), StoreError> {
            self.store.deny(keys, until).await
        }

        async fn is_denied(&self, keys: &[DenyKey]) -> Result<bool, StoreError> {
            wait().await;
            self.store.is_denied(keys).await
        }

        async fn purge(&self, now: UnixTime) -> Result<(), StoreError> {
            self.store.purge(now).await
        }
    }

    /// Polls until the result is ready.
    fn run<T>(future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return value;
            }
        }
    }

    #[test]
    fn a_store_that_reads_first_and_writes_then_is_found() {
        for (what, law) in [
            (What::Bump, "two bumps at once both count"),
            (What::Insert, "of two inserts at once one is made"),
            (What::Swap, "of two swaps at once one is made"),
        ] {
            let store = ReadsThenWrites { store: MemoryStore::new(), what };
            let violation = run(contract::check_with(&store, Sequence::default())).unwrap_err();
            assert_eq!(violation.law(), law);
        }
    }

    #[test]
    fn a_store_that_cannot_be_asked_is_named_with_its_cause() {
        let store = Blocking(Kept::default());
        store.0.set_down(true);
        let violation = check(&store).unwrap_err();
        assert_eq!(violation.law(), "every call is answered");
        assert!(violation.found().contains("connection refused"));
    }
}
