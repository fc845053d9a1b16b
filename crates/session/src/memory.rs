//! A store in memory.

use crate::denial::DenyKey;
use crate::error::StoreError;
use crate::id::SessionId;
use crate::machine::Loaded;
use crate::row::Row;
use crate::store::{Store, Swap};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::hash::Hash;
use countersign::UnixTime;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

/// A [`Store`] in memory: for tests, and for one server with users who may log in again after a restart.
///
/// It grows with logins. Only [`sessions_per_subject`](crate::ConfigBuilder::sessions_per_subject) limits the sessions of a
/// subject. Call [`Sessions::purge`](crate::Sessions::purge) from time to time to free memory. A purge holds the lock while
/// it looks at every row, so with millions of rows, other calls wait for a noticeable time.
///
/// # Security
///
/// A restart forgets the denylist together with the sessions: access tokens that were revoked before are valid again until
/// their `exp`.
///
/// # Examples
///
/// ```
/// use countersign_session::{MemoryStore, Store, blocking};
///
/// let store = MemoryStore::new();
/// assert_eq!(blocking(store.epoch("user123"))?, 0);
/// # Ok::<(), countersign_session::StoreError>(())
/// ```
#[derive(Default)]
pub struct MemoryStore {
    tables: Mutex<Tables>,
    /// Has its own lock, because every access reads it and nothing else.
    denials: RwLock<HashMap<DenyKey, UnixTime>>,
}

#[derive(Default)]
struct Tables {
    /// Shared, so that a list is cloned after the lock is released.
    rows: HashMap<SessionId, Arc<Row>>,
    /// The sessions that have not been ended.
    by_subject: BTreeMap<String, BTreeSet<SessionId>>,
    epochs: HashMap<String, u64>,
}

impl MemoryStore {
    /// Creates an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Locks the tables. Each operation is complete under one lock, so a poisoned lock protects no partial change.
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    fn epoch(&self, subject: &str) -> u64 {
        self.epochs.get(subject).copied().unwrap_or_default()
    }

    fn put(&mut self, row: &Row) {
        if row.revoked.is_none() {
            self.by_subject.entry(row.subject.clone()).or_default().insert(row.session);
        } else if let Some(sessions) = self.by_subject.get_mut(&row.subject) {
            sessions.remove(&row.session);
            if sessions.is_empty() {
                self.by_subject.remove(&row.subject);
            }
        }
        self.rows.insert(row.session, Arc::new(row.clone()));
    }

    fn purge(&mut self, now: UnixTime) {
        self.rows.retain(|_, row| row.purge_after() >= now);
        self.by_subject.retain(|_, sessions| {
            sessions.retain(|session| self.rows.contains_key(session));
            !sessions.is_empty()
        });
        give_back(&mut self.rows);
    }
}

/// Shrinks the map once three quarters of its memory are unused.
fn give_back<K: Eq + Hash, V>(map: &mut HashMap<K, V>) {
    if map.len() < map.capacity() / 4 {
        map.shrink_to_fit();
    }
}

impl Store for MemoryStore {
    async fn load(&self, session: SessionId) -> Result<Option<Loaded>, StoreError> {
        let tables = self.tables();
        let found = tables.rows.get(&session).map(|row| (row.clone(), tables.epoch(&row.subject)));
        drop(tables);
        Ok(found.map(|(row, epoch)| Loaded::new((*row).clone(), epoch)))
    }

    async fn insert(&self, row: &Row) -> Result<Swap, StoreError> {
        let mut tables = self.tables();
        if tables.rows.contains_key(&row.session) {
            return Ok(Swap::Conflict);
        }
        tables.put(row);
        Ok(Swap::Done)
    }

    async fn compare_and_swap(&self, expected: u64, row: &Row) -> Result<Swap, StoreError> {
        let mut tables = self.tables();
        if tables.rows.get(&row.session).is_none_or(|stored| stored.version != expected) {
            return Ok(Swap::Conflict);
        }
        tables.put(row);
        Ok(Swap::Done)
    }

    async fn list(&self, subject: &str) -> Result<Vec<Row>, StoreError> {
        let tables = self.tables();
        let sessions = tables.by_subject.get(subject).into_iter().flatten();
        let rows: Vec<Arc<Row>> = sessions.filter_map(|session| tables.rows.get(session)).cloned().collect();
        drop(tables);
        Ok(rows.iter().map(|row| (**row).clone()).collect())
    }

    async fn epoch(&self, subject: &str) -> Result<u64, StoreError> {
        Ok(self.tables().epoch(subject))
    }

    async fn bump_epoch(&self, subject: &str) -> Result<u64, StoreError> {
        let mut tables = self.tables();
        let next = tables.epoch(subject).checked_add(1).ok_or_else(StoreError::unavailable)?;
        tables.epochs.insert(subject.into(), next);
        Ok(next)
    }

    async fn deny(&self, keys: &[DenyKey], until: UnixTime) -> Result<(), StoreError> {
        let mut denials = self.denials.write().unwrap_or_else(PoisonError::into_inner);
        for key in keys {
            let kept = denials.entry(*key).or_insert(until);
            *kept = until.max(*kept);
        }
        Ok(())
    }

    async fn is_denied(&self, keys: &[DenyKey]) -> Result<bool, StoreError> {
        let denials = self.denials.read().unwrap_or_else(PoisonError::into_inner);
        Ok(!denials.is_empty() && keys.iter().any(|key| denials.contains_key(key)))
    }

    async fn purge(&self, now: UnixTime) -> Result<(), StoreError> {
        let mut denials = self.denials.write().unwrap_or_else(PoisonError::into_inner);
        denials.retain(|_, until| *until >= now);
        give_back(&mut denials);
        drop(denials);
        self.tables().purge(now);
        Ok(())
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("sessions", &self.tables().rows.len()).finish_non_exhaustive()
    }
}
