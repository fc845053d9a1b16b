//! What the checks share.

use crate::binding::Binding;
use crate::config::{Config, Grace};
use crate::denial::DenyKey;
use crate::error::{Error, StoreError};
use crate::grant::Grant;
use crate::login::Login;
use crate::master_keys::MasterKeys;
use crate::sessions::Sessions;
use crate::store::Store;
use crate::text;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::num::NonZeroUsize;
use countersign::Entropy;
use countersign::HmacKey;
use countersign::UnixTime;
use countersign::{Algorithm, EntropyError, KeyError};
use thiserror::Error as ThisError;

/// The time of every check. It is long ago, so that a purge does not touch real rows in the store.
pub(crate) const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

/// A law that the store breaks.
///
/// # Examples
///
/// ```
/// use countersign_session::contract::Violation;
///
/// fn tell(violation: &Violation) -> String {
///     format!("{}: {}", violation.law(), violation.found())
/// }
/// ```
#[derive(Clone, Debug, ThisError)]
#[error("the store breaks its contract: {law}: {found}")]
pub struct Violation {
    law: &'static str,
    found: String,
}

impl Violation {
    pub(crate) fn new(law: &'static str, found: impl fmt::Debug) -> Self {
        Self { law, found: format!("{found:?}") }
    }

    /// Returns the law, as a sentence.
    #[must_use]
    pub const fn law(&self) -> &'static str {
        self.law
    }

    /// Returns what was found instead.
    #[must_use]
    pub fn found(&self) -> &str {
        &self.found
    }
}

impl From<StoreError> for Violation {
    fn from(error: StoreError) -> Self {
        let cause = core::error::Error::source(&error).map(|cause| format!("{cause}"));
        Self::new("every call is answered", cause)
    }
}

impl From<Error> for Violation {
    fn from(error: Error) -> Self {
        match error {
            Error::Store(error) => error.into(),
            error => Self::new("no session is lost", error),
        }
    }
}

impl From<EntropyError> for Violation {
    fn from(error: EntropyError) -> Self {
        Self::new("there is randomness", error)
    }
}

/// The checks that a store has passed, and how often each ran: the result of [`check`](crate::contract::check).
///
/// # Examples
///
/// ```
/// use countersign_session::{MemoryStore, blocking, contract};
///
/// let report = blocking(contract::check(&MemoryStore::new()))?;
/// assert!(report.entries().all(|(_, count)| count > 0));
/// # Ok::<(), contract::Violation>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Report(Vec<(&'static str, usize)>);

impl Report {
    pub(crate) fn add(&mut self, what: &'static str, count: usize) {
        self.0.push((what, count));
    }

    /// Returns each kind of check, and the number of cases or orders in which it ran.
    pub fn entries(&self) -> impl Iterator<Item = (&'static str, usize)> {
        self.0.iter().copied()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(what, count)| writeln!(f, "{count:>6}  {what}"))
    }
}

/// Fails with `law` unless it holds.
pub(crate) fn hold(law: &'static str, holds: bool, found: impl fmt::Debug) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(Violation::new(law, found)) }
}

/// A store under test, and what sessions over it need.
pub(crate) struct Kit<'a, S> {
    pub(crate) store: &'a S,
    pub(crate) keys: MasterKeys,
    signer: HmacKey,
    entropy: Shared,
}

/// A source of randomness with several owners.
#[derive(Clone)]
pub(crate) struct Shared(Arc<dyn Entropy>);

impl Entropy for Shared {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        self.0.fill(bytes)
    }
}

impl<'a, S: Store> Kit<'a, S> {
    pub(crate) fn new(store: &'a S, entropy: impl Entropy + 'static) -> Result<Self, Violation> {
        let unusable = |error: KeyError| Violation::new("there is randomness", error);
        let mut secret = [0; 32];
        entropy.fill(&mut secret)?;
        Ok(Self {
            store,
            keys: MasterKeys::new(1, secret).map_err(unusable)?,
            signer: HmacKey::generate_with(Algorithm::Hs256, &entropy).map_err(unusable)?,
            entropy: Shared(Arc::new(entropy)),
        })
    }

    /// Returns a new subject that no other check uses.
    pub(crate) fn subject(&self) -> Result<String, Violation> {
        let mut name = [0; 16];
        self.entropy.fill(&mut name)?;
        Ok(format!("contract-{}", text::encode(&name)))
    }

    pub(crate) const fn entropy(&self) -> &Shared {
        &self.entropy
    }

    /// Returns a server that allows one session for each subject.
    pub(crate) fn single<T: Store>(&self, store: T) -> Result<Sessions<T>, Violation> {
        let (keys, signer) = (self.keys.clone(), self.signer.clone());
        let config = Config { cap: Some(NonZeroUsize::MIN), ..Self::config(Grace::default())? };
        Ok(Sessions::new_with(config, keys, signer, store, self.entropy.clone()))
    }

    pub(crate) fn config(grace: Grace) -> Result<Config, Violation> {
        let config =
            Config::builder("https://contract.invalid", "https://contract.invalid").grace(grace).build();
        config.map_err(|error| Violation::new("the configuration is sound", error))
    }

    /// Returns a server over `store`, which is the store under test or a wrapper around it.
    pub(crate) fn server<T: Store>(&self, store: T, grace: Grace) -> Result<Sessions<T>, Violation> {
        let (keys, signer) = (self.keys.clone(), self.signer.clone());
        Ok(Sessions::new_with(Self::config(grace)?, keys, signer, store, self.entropy.clone()))
    }

    /// Begins two sessions of one new subject: one to test with, and one that must not change.
    pub(crate) async fn two_sessions(&self) -> Result<(Grant, Grant), Violation> {
        let server = self.server(self.store, Grace::default())?;
        let login = Login::new(self.subject()?);
        Ok((server.at(NOW).login(&login).await?, server.at(NOW).login(&login).await?))
    }

    /// Returns whether the access token of a grant is denied.
    pub(crate) async fn denies(&self, grant: &Grant) -> Result<bool, Violation> {
        let row = grant.row();
        let keys = [DenyKey::session(row.session_id()), DenyKey::subject(row.subject(), row.subject_epoch())];
        Ok(self.store.is_denied(&keys).await?)
    }

    /// Checks that an untouched session can still be exchanged.
    pub(crate) async fn unharmed(&self, grant: &Grant) -> Result<(), Violation> {
        let law = "a change to one session does not affect another";
        let server = self.server(self.store, Grace::default())?;
        let text = grant.refresh_token().expose_secret();
        let next = server.at(NOW).refresh(text, &Binding::None).await;
        let next = next.map_err(|error| Violation::new(law, error))?;
        hold(law, next.row().generation() == 2, next.row())
    }
}
