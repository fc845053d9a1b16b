//! A store of sessions: a table of bytes, as a key-value database has it.

use countersign::UnixTime;
use countersign_session::{BlockingStore, DenyKey, Loaded, Row, SessionId, StoreError, Swap};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The table of sessions, with the epochs of their subjects and the denylist.
#[derive(Debug, Default)]
pub struct Table(Mutex<Content>);

#[derive(Debug, Default)]
struct Content {
    rows: BTreeMap<SessionId, Vec<u8>>,
    epochs: HashMap<String, u64>,
    denials: HashMap<DenyKey, UnixTime>,
}

impl Table {
    /// Each operation is done in one go, so a thread that died while it held the lock has left nothing half done.
    fn content(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Content {
    fn row(&self, session: SessionId) -> Result<Option<Row>, StoreError> {
        self.rows.get(&session).map(|bytes| Row::from_bytes(bytes)).transpose()
    }

    fn epoch(&self, subject: &str) -> u64 {
        self.epochs.get(subject).copied().unwrap_or(0)
    }

    /// Writes the row if the stored one has this version; `None` means that there must be none.
    fn swap(&mut self, expected: Option<u64>, row: &Row) -> Result<Swap, StoreError> {
        let stored = self.row(row.session_id())?.map(|stored| stored.version());
        if stored != expected {
            return Ok(Swap::Conflict);
        }
        self.rows.insert(row.session_id(), row.to_bytes());
        Ok(Swap::Done)
    }
}

impl BlockingStore for Table {
    fn load(&self, session: SessionId) -> Result<Option<Loaded>, StoreError> {
        let content = self.content();
        let row = content.row(session)?;
        Ok(row.map(|row| {
            let epoch = content.epoch(row.subject());
            Loaded::new(row, epoch)
        }))
    }

    fn insert(&self, row: &Row) -> Result<Swap, StoreError> {
        self.content().swap(None, row)
    }

    fn compare_and_swap(&self, expected: u64, row: &Row) -> Result<Swap, StoreError> {
        self.content().swap(Some(expected), row)
    }

    fn list(&self, subject: &str) -> Result<Vec<Row>, StoreError> {
        let content = self.content();
        let rows = content.rows.values().map(|bytes| Row::from_bytes(bytes));
        let is_listed = |row: &Row| row.subject() == subject && row.revoked().is_none();
        rows.filter(|row| row.as_ref().map_or(true, is_listed)).collect()
    }

    fn epoch(&self, subject: &str) -> Result<u64, StoreError> {
        Ok(self.content().epoch(subject))
    }

    fn bump_epoch(&self, subject: &str) -> Result<u64, StoreError> {
        let mut content = self.content();
        let next = content.epoch(subject).checked_add(1).ok_or_else(StoreError::unavailable)?;
        content.epochs.insert(subject.to_owned(), next);
        Ok(next)
    }

    fn deny(&self, keys: &[DenyKey], until: UnixTime) -> Result<(), StoreError> {
        let mut content = self.content();
        for key in keys {
            let kept = content.denials.entry(*key).or_insert(until);
            *kept = until.max(*kept);
        }
        Ok(())
    }

    fn is_denied(&self, keys: &[DenyKey]) -> Result<bool, StoreError> {
        let content = self.content();
        Ok(keys.iter().any(|key| content.denials.contains_key(key)))
    }

    fn purge(&self, now: UnixTime) -> Result<(), StoreError> {
        let mut content = self.content();
        content.denials.retain(|_, until| *until >= now);
        // A row that cannot be read stays, for somebody to look at.
        content.rows.retain(|_, bytes| Row::from_bytes(bytes).map_or(true, |row| row.purge_after() >= now));
        Ok(())
    }
}
