//! The private keys in their folder, and what they are used for now.

use crate::keys::{self, KeyFileError};
use crate::life_cycle::{State, begin, is_due, states};
use countersign::{KeyError, KeySet, SigningKey, UnixTime};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;
use thiserror::Error;

/// The private keys in their folder.
pub struct Rotation {
    folder: PathBuf,
    /// How long a key signs before its successor is published. `None`: until a key is added to the folder by hand.
    every: Option<Duration>,
    /// The keys of the last step that were not over, by the time from which they sign.
    loaded: BTreeMap<UnixTime, SigningKey>,
}

/// The keys at a time.
pub struct Stage {
    /// The key of new tokens.
    pub signing: SigningKey,
    /// The keys of tokens that may be valid, and those that will sign.
    pub published: KeySet,
}

/// Why the keys cannot be rotated.
#[derive(Debug, Error)]
pub enum RotationError {
    /// The step was interrupted.
    #[error("the step of the rotation was interrupted")]
    Interrupted,
    /// A file cannot be used.
    #[error("{0}")]
    Key(#[from] KeyFileError),
    /// The public keys cannot be written as a JWK set.
    #[error("the public keys cannot be published: {0}")]
    Published(#[from] KeyError),
}

impl Rotation {
    /// Uses the keys of this folder. The first step makes one if there is none.
    pub fn new(folder: PathBuf, every: Option<Duration>) -> Self {
        Self { folder, every, loaded: BTreeMap::new() }
    }

    /// Does what is due at `now`: makes a key, and deletes those that are over.
    ///
    /// Reads files, and may generate a key, which takes a moment.
    ///
    /// # Errors
    ///
    /// [`RotationError::Key`], and [`RotationError::Published`] if two files hold the same key. The step can be repeated.
    pub fn step(&mut self, now: UnixTime) -> Result<Stage, RotationError> {
        let mut begins = self.read(now)?;
        if is_due(&begins, now, self.every) {
            keys::make_private_key(&self.folder, begin(&begins, now))?;
            // Another server may have made one too.
            begins = self.read(now)?;
        }
        let (mut signing, mut published) = (None, KeySet::new());
        for (begin, state) in begins.iter().zip(states(&begins, now)) {
            let Some(key) = self.loaded.get(begin) else {
                keys::remove_private_key(&self.folder, *begin);
                continue;
            };
            published.insert(key.verifying_key())?;
            if state == State::Signing {
                signing = Some(key.clone());
            }
        }
        // Another program has deleted the keys meanwhile.
        let gone = || KeyFileError::File { path: self.folder.clone(), error: ErrorKind::NotFound.into() };
        let stage = Stage { signing: signing.ok_or_else(gone)?, published };
        keys::write_public_key(&self.folder, &stage.signing)?;
        Ok(stage)
    }

    /// Loads the keys of the folder that are not over, and forgets the others. Returns the times from which all of them sign.
    fn read(&mut self, now: UnixTime) -> Result<Vec<UnixTime>, KeyFileError> {
        let begins = keys::private_keys(&self.folder)?;
        let mut present = BTreeMap::new();
        for (begin, state) in begins.iter().zip(states(&begins, now)) {
            if state != State::Over {
                let key = match self.loaded.get(begin) {
                    Some(key) => key.clone(),
                    None => keys::private_key(&self.folder, *begin)?,
                };
                present.insert(*begin, key);
            }
        }
        self.loaded = present;
        Ok(begins)
    }
}
