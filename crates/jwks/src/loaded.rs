//! A key set that was fetched and read.

use crate::error::Error;
use countersign::jwk::{JwkError, LoadedKeys, SkippedKey};
use countersign::{Algorithm, KeyError, KeySet};
use std::sync::Arc;

/// What reads the text of a key set.
pub(crate) type Reader = Arc<dyn Fn(&str, &[Algorithm]) -> Result<LoadedKeys, KeyError> + Send + Sync>;

/// The keys of a text, with the text for a snapshot.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) keys: KeySet,
    pub(crate) skipped: Vec<SkippedKey>,
    pub(crate) text: Box<str>,
}

impl Loaded {
    /// Reads a set. One without a usable key is an error, so that it does not replace one that has some.
    pub(crate) fn read(body: &[u8], algorithms: &[Algorithm], reader: &Reader) -> Result<Self, Error> {
        let text = core::str::from_utf8(body).map_err(|error| {
            Error::NotAKeySet(KeyError::Jwk(JwkError::NotAnObject { offset: error.valid_up_to() }))
        })?;
        let LoadedKeys { keys, skipped, .. } = reader(text, algorithms).map_err(Error::NotAKeySet)?;
        for entry in &skipped {
            let key_id: Option<String> = entry.key_id.as_ref().map(|id| id.chars().take(100).collect());
            tracing::warn!(position = entry.position, kid = ?key_id, reason = %entry.reason, "entry of a key set skipped");
        }
        if keys.is_empty() {
            return Err(Error::NoUsableKey { entries: skipped.len() });
        }
        Ok(Self { keys, skipped, text: text.into() })
    }
}
