//! Keys of several tenants, which are replaced while verifiers use them. A key id is the tenant, a colon, and a name.

use countersign::{Header, KeyRef, KeySet, KeySource, VerifyError};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

/// The keys of all tenants.
#[derive(Debug, Default)]
pub struct Tenants {
    sets: RwLock<BTreeMap<String, KeySet>>,
    generation: AtomicU64,
}

impl Tenants {
    /// Replaces the keys of a tenant.
    pub fn replace(&self, tenant: &str, keys: KeySet) {
        // A set is replaced in one go, so a thread that died while it held the lock has left nothing half done.
        self.sets.write().unwrap_or_else(PoisonError::into_inner).insert(tenant.to_owned(), keys);
        // After the keys: who sees the new number sees the new keys.
        self.generation.fetch_add(1, Ordering::Release);
    }
}

impl KeySource for Tenants {
    fn find(&self, header: &Header<'_>) -> Result<KeyRef<'_>, VerifyError> {
        let (tenant, _) = header.key_id().and_then(|id| id.split_once(':')).ok_or(VerifyError::UnknownKey)?;
        let sets = self.sets.read().unwrap_or_else(PoisonError::into_inner);
        // Shared, so that it outlives the lock.
        sets.get(tenant).ok_or(VerifyError::UnknownKey)?.find(header).map(KeyRef::into_owned)
    }

    fn generation(&self) -> Option<u64> {
        Some(self.generation.load(Ordering::Acquire))
    }
}
