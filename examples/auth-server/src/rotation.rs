//! The private keys in their folder, and what they are used for now.

use crate::keys::{self, KeyFileError};
use crate::life_cycle::{State, begin, is_due, states};
use countersign::{KeyError, SigningKey, UnixTime, VerifyingKey};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;
use thiserror::Error;

/// The longest time between two steps.
const LONGEST_INTERVAL: Duration = Duration::from_secs(60);

/// The settings of the rotation.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// `AUTH_ROTATE_SECONDS`: how long a key signs before its successor is published. `None`: only on command.
    pub every: Option<Duration>,
    /// `AUTH_PUBLISH_SECONDS`: how long a key is published before it signs.
    pub publish: Duration,
}

impl Rules {
    /// Returns how long verifiers may use a published set: half the time for which a key is published before it signs. The other
    /// half is for steps of other servers, for clocks that differ, and for verifiers that wait before they fetch again.
    pub fn max_age(&self) -> Duration {
        self.publish / 2
    }

    /// Returns the time between two steps of a server.
    pub fn interval(&self) -> Duration {
        (self.publish / 10).clamp(Duration::from_secs(1), LONGEST_INTERVAL)
    }
}

/// The private keys in their folder.
pub struct Rotation {
    folder: PathBuf,
    rules: Rules,
    /// By the time from which they sign: those in the folder that are not over, at the last step.
    loaded: BTreeMap<UnixTime, SigningKey>,
}

/// The keys at a time.
pub struct Stage {
    /// The key of new tokens.
    pub signing: SigningKey,
    /// The keys of tokens that may be valid, and those that will sign.
    pub published: Vec<VerifyingKey>,
    /// The key that signs next, and from when.
    pub next: Option<(String, UnixTime)>,
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
    pub fn new(folder: PathBuf, rules: Rules) -> Self {
        Self { folder, rules, loaded: BTreeMap::new() }
    }

    /// Does what is due at `now`: makes a key, and deletes those that are over. With `wanted`, a new key is due unless one is
    /// published already that does not sign yet.
    ///
    /// Reads files, and may generate a key, which takes a moment.
    ///
    /// # Errors
    ///
    /// [`RotationError::Key`]. The step can be repeated.
    pub fn step(&mut self, now: UnixTime, wanted: bool) -> Result<Stage, RotationError> {
        let mut begins = self.read(now)?;
        let every = if wanted { Some(Duration::ZERO) } else { self.rules.every };
        if is_due(&begins, now, every) {
            keys::make_private_key(&self.folder, begin(&begins, now, self.rules.publish))?;
            // Another server may have made one too.
            begins = self.read(now)?;
        }
        let mut staged = Staged::default();
        for (begin, state) in begins.iter().zip(states(&begins, now)) {
            match self.loaded.get(begin) {
                Some(key) => staged.add(key, *begin, state),
                None => keys::remove_private_key(&self.folder, *begin),
            }
        }
        // Another program has deleted the keys meanwhile.
        let gone = || KeyFileError::File { path: self.folder.clone(), error: ErrorKind::NotFound.into() };
        let stage = staged.finish().ok_or_else(gone)?;
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

/// A [`Stage`] in the making.
#[derive(Default)]
struct Staged {
    signing: Option<SigningKey>,
    published: Vec<VerifyingKey>,
    next: Option<(String, UnixTime)>,
}

impl Staged {
    fn add(&mut self, key: &SigningKey, begin: UnixTime, state: State) {
        self.published.push(key.verifying_key());
        match state {
            State::Signing => self.signing = Some(key.clone()),
            State::Published if self.next.is_none() => {
                self.next = key.key_id().map(|id| (id.to_owned(), begin));
            }
            _ => {}
        }
    }

    fn finish(self) -> Option<Stage> {
        let Self { signing, published, next } = self;
        signing.map(|signing| Stage { signing, published, next })
    }
}
