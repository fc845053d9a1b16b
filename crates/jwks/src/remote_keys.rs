//! The keys of one issuer.

use crate::address;
use crate::engine::{Clock, Engine, Settings};
use crate::error::Error;
use crate::fetch::Fetch;
use crate::loaded::Reader;
use crate::location::Location;
use crate::snapshot::Snapshot;
use crate::status::Status;
use crate::task;
use core::fmt;
use core::time::Duration;
use countersign::jwk::{LoadedKeys, RefreshConfig};
use countersign::{Algorithm, Header, KeyError, KeyRef, KeySet, KeySource, UnixTime, VerifyError};
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

/// The longest set that the core reads.
const MOST_BYTES: usize = 1024 * 1024;

/// A caller that waits longer gets an answer too late.
const DEADLINE: Duration = Duration::from_secs(5);

/// The keys of one issuer: a JWK set that is fetched, and fetched again while it is used.
///
/// It is a [`KeySource`], so that a [`Verifier`](countersign::Verifier) takes it. A look-up never waits and sends no request: it
/// uses the keys that are there. If it finds no key, it wakes the task that fetches.
/// [`RemoteVerifier`](crate::RemoteVerifier) also waits for the new keys.
///
/// It owns one tokio task, which ends when the last clone is dropped. The rules of when to fetch and how long to use the keys are
/// those of [`Refresh`](countersign::jwk::Refresh). At least once a minute, the task compares the age of the keys with the wall clock.
///
/// # Security
///
/// - An address must begin with `https`, unless its host is `localhost` or a loopback address.
/// - Nothing of a token is in a request. A bad signature under a known key id fetches nothing.
/// - A response that is not a set, or has no key for the allowed algorithms, changes no keys. So an issuer cannot revoke its keys
///   with an empty set. It can replace them.
/// - When the hard age is over, the runtime of the task has ended, or a client of yours has panicked, tokens are refused with
///   [`VerifyError::KeysUnavailable`]. While you block the runtime, only [`RemoteVerifier`](crate::RemoteVerifier) notices the
///   hard age.
///
/// # Examples
///
/// ```no_run
/// use countersign::{Algorithm, Verifier};
/// use countersign_jwks::RemoteKeys;
///
/// # #[cfg(feature = "rustls")]
/// # async fn example(text: &str) -> Result<(), Box<dyn std::error::Error>> {
/// let issuer = "https://idp.example";
/// let keys = RemoteKeys::discover(issuer, &[Algorithm::Rs256]).await?;
/// let verifier = Verifier::builder(keys).issuer(issuer).audience("https://api.example").build()?;
/// let token = verifier.verify::<()>(text)?; // waits for nothing
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RemoteKeys(Arc<Owner>);

/// Ends the task when it is dropped.
struct Owner {
    engine: Arc<Engine>,
    task: AbortHandle,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl RemoteKeys {
    /// Begins to fetch the JWK set at `url`, and returns at once. Until a fetch succeeds, tokens are refused with
    /// [`VerifyError::KeysUnavailable`]. [`ready`](Self::ready) waits for the keys.
    ///
    /// # Errors
    ///
    /// As [`RemoteKeysBuilder::spawn`].
    #[cfg(feature = "rustls")]
    pub fn new(url: &str, algorithms: &[Algorithm]) -> Result<Self, Error> {
        Self::builder(url, algorithms).spawn()
    }

    /// Fetches the metadata of the issuer and the JWK set that it names, and returns when both are there.
    ///
    /// The metadata is that of [OpenID Connect](https://openid.net/specs/openid-connect-discovery-1_0.html), or of OAuth
    /// ([RFC 8414](https://www.rfc-editor.org/rfc/rfc8414)) if the issuer has no other. Its `issuer` must equal `issuer` byte for
    /// byte. Nothing else is taken from it, also not the algorithms.
    ///
    /// # Errors
    ///
    /// As [`RemoteKeysBuilder::start`].
    #[cfg(feature = "rustls")]
    pub async fn discover(issuer: &str, algorithms: &[Algorithm]) -> Result<Self, Error> {
        Self::builder_of_issuer(issuer, algorithms).start().await
    }

    /// Configures the keys of a JWK set at `url`.
    pub fn builder(url: &str, algorithms: &[Algorithm]) -> RemoteKeysBuilder {
        RemoteKeysBuilder::new(address::key_set(url).map(Location::KeySet), algorithms)
    }

    /// Configures the keys of an issuer. The metadata is fetched with the first keys, and again after a failure.
    pub fn builder_of_issuer(issuer: &str, algorithms: &[Algorithm]) -> RemoteKeysBuilder {
        let location = address::issuer(issuer).map(|url| Location::Issuer(issuer.into(), url));
        RemoteKeysBuilder::new(location, algorithms)
    }

    /// Waits for the first keys. Returns at once if there are some.
    ///
    /// # Errors
    ///
    /// Why the last fetch failed. The next one follows after a wait that doubles, so this can be called again.
    pub async fn ready(&self) -> Result<(), Error> {
        self.0.engine.ready().await
    }

    /// Returns counters, the age of the keys, and the last error.
    #[must_use]
    pub fn status(&self) -> Status {
        self.0.engine.status()
    }

    /// Returns the last key set of any age, to be stored for the next start. `None` before the first keys.
    #[must_use]
    pub fn snapshot(&self) -> Option<Snapshot> {
        self.0.engine.snapshot()
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// Finds the key, and lends it. Does not wake the task.
    pub(crate) fn look_up(
        &self,
        header: &Header<'_>,
        borrower: &mut dyn FnMut(&KeyRef<'_>),
    ) -> Result<(), VerifyError> {
        let current = self.0.engine.current();
        let loaded = current.loaded.as_ref().ok_or(VerifyError::KeysUnavailable)?;
        match loaded.keys.find(header) {
            Ok(key) => borrower(&key),
            Err(VerifyError::UnknownKey) => return Err(current.unknown()),
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

impl KeySource for RemoteKeys {
    fn find(&self, header: &Header<'_>) -> Result<KeyRef<'_>, VerifyError> {
        let mut found = None;
        self.lend(header, &mut |key| found = Some(key.clone().into_owned()))?;
        found.ok_or(VerifyError::UnknownKey)
    }

    fn lend(&self, header: &Header<'_>, borrower: &mut dyn FnMut(&KeyRef<'_>)) -> Result<(), VerifyError> {
        let result = self.look_up(header, borrower);
        if matches!(result, Err(VerifyError::UnknownKey | VerifyError::KeysUnavailable)) {
            self.0.engine.unknown.notify_one();
        }
        result
    }

    fn generation(&self) -> Option<u64> {
        Some(self.0.engine.current().generation)
    }
}

impl fmt::Debug for RemoteKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RemoteKeys").field(&self.0.engine.settings.location).finish()
    }
}

/// The settings of [`RemoteKeys`].
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use countersign::Algorithm;
/// use countersign::jwk::RefreshConfig;
/// use countersign_jwks::RemoteKeys;
///
/// let builder = RemoteKeys::builder("https://idp.example/keys", &[Algorithm::Es256])
///     .refresh(RefreshConfig::new().with_outage(Duration::from_secs(3600)))
///     .deadline(Duration::from_secs(2));
/// let error = builder.spawn().unwrap_err();
/// assert_eq!(error.code(), if cfg!(feature = "rustls") { "no_runtime" } else { "no_client" });
/// ```
#[must_use = "a builder does nothing until `start` or `spawn` is called"]
pub struct RemoteKeysBuilder {
    location: Result<Location, Error>,
    algorithms: Box<[Algorithm]>,
    config: RefreshConfig,
    deadline: Duration,
    most_bytes: usize,
    client: Option<Arc<dyn Fetch>>,
    reader: Reader,
    snapshot: Option<Snapshot>,
    clock: Clock,
}

impl RemoteKeysBuilder {
    fn new(location: Result<Location, Error>, algorithms: &[Algorithm]) -> Self {
        Self {
            location,
            algorithms: algorithms.into(),
            config: RefreshConfig::new(),
            deadline: DEADLINE,
            most_bytes: MOST_BYTES,
            client: None,
            reader: Arc::new(KeySet::from_jwks),
            snapshot: None,
            clock: Arc::new(UnixTime::now),
        }
    }

    /// Sets when the set is fetched and how long its keys are used.
    ///
    /// [`RefreshConfig::starting_empty`] has no effect here: [`start`](Self::start) fails if the first fetch fails, and
    /// [`spawn`](Self::spawn) begins without keys.
    pub const fn refresh(mut self, config: RefreshConfig) -> Self {
        self.config = config;
        self
    }

    /// Sets how long a caller of [`RemoteVerifier::verify`](crate::RemoteVerifier::verify) waits for a fetch. After that, its token
    /// is refused with [`VerifyError::KeysUnavailable`], and the fetch goes on. The default is 5 seconds.
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Limits the size of a response. The default, and the largest limit that counts, is 1 MiB.
    pub const fn most_bytes(mut self, bytes: usize) -> Self {
        self.most_bytes = if bytes < MOST_BYTES { bytes } else { MOST_BYTES };
        self
    }

    /// Fetches with this HTTP client.
    pub fn fetch_with(mut self, client: impl Fetch + 'static) -> Self {
        self.client = Some(Arc::new(client));
        self
    }

    /// Reads the responses with this function, which also gets the allowed algorithms. The default is [`KeySet::from_jwks`].
    ///
    /// # Examples
    ///
    /// The map of certificates of Firebase (feature `certificate` of `countersign`) is read by `KeySet::from_certificate_map`, the
    /// bundle of a SPIFFE trust domain by `KeySet::from_spiffe_bundle`, and a set for another backend by
    /// `KeySet::from_jwks_with`:
    ///
    /// ```
    /// use countersign::{Algorithm, KeySet, PublicKey};
    /// use countersign_jwks::RemoteKeys;
    ///
    /// let backend = PublicKey::verifying_key; // or countersign::aws_lc::verifying_key
    /// let builder = RemoteKeys::builder("https://idp.example/keys", &[Algorithm::Es256])
    ///     .read_with(move |text, algorithms| KeySet::from_jwks_with(text, algorithms, backend));
    /// ```
    pub fn read_with(
        mut self,
        reader: impl Fn(&str, &[Algorithm]) -> Result<LoadedKeys, KeyError> + Send + Sync + 'static,
    ) -> Self {
        self.reader = Arc::new(reader);
        self
    }

    /// Begins with the keys of a [`Snapshot`], unless it is older than the hard age or from the future. They keep their age.
    pub fn snapshot(mut self, snapshot: Snapshot) -> Self {
        self.snapshot = Some(snapshot);
        self
    }

    /// Reads the time from this function, in tests. The default is the wall clock.
    pub fn clock(mut self, clock: impl Fn() -> UnixTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Spawns the task, and waits for the first keys. If the first fetch fails, the start fails, so that a wrong address is noticed
    /// when it is deployed.
    ///
    /// # Errors
    ///
    /// - Those of [`spawn`](Self::spawn).
    /// - Those of a fetch: [`Error::Request`], [`Error::Status`], [`Error::TimedOut`], [`Error::TooLarge`],
    ///   [`Error::NotAKeySet`], [`Error::NoUsableKey`]. With an issuer also [`Error::NotMetadata`], [`Error::IssuerMismatch`], and
    ///   [`Error::Address`] of its `jwks_uri`.
    pub async fn start(self) -> Result<RemoteKeys, Error> {
        let keys = self.spawn()?;
        keys.ready().await?;
        Ok(keys)
    }

    /// Spawns the task, and returns at once. Until a fetch succeeds, tokens are refused with [`VerifyError::KeysUnavailable`],
    /// unless there is a snapshot. Fetches that fail are repeated.
    ///
    /// The runtime must have its timers enabled.
    ///
    /// # Errors
    ///
    /// [`Error::Address`], [`Error::NoAlgorithm`], [`Error::NoClient`], [`Error::Client`], [`Error::NoRuntime`]. For a snapshot,
    /// [`Error::NotAKeySet`] and [`Error::NoUsableKey`].
    pub fn spawn(self) -> Result<RemoteKeys, Error> {
        let location = self.location?;
        if self.algorithms.is_empty() {
            return Err(Error::NoAlgorithm);
        }
        let client = self.client.map_or_else(default_client, Ok)?;
        let runtime = Handle::try_current().map_err(|_| Error::NoRuntime)?;
        let settings = Settings {
            location,
            algorithms: self.algorithms,
            // Otherwise the first failure would be the last fetch. `start` returns it and drops the task.
            config: self.config.starting_empty(),
            deadline: self.deadline,
            most_bytes: self.most_bytes,
            client,
            reader: self.reader,
            clock: self.clock,
        };
        let engine = Arc::new(Engine::new(settings, self.snapshot.as_ref())?);
        let task = runtime.spawn(task::run(engine.clone())).abort_handle();
        Ok(RemoteKeys(Arc::new(Owner { engine, task })))
    }
}

impl fmt::Debug for RemoteKeysBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteKeysBuilder")
            .field("location", &self.location)
            .field("algorithms", &self.algorithms)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "rustls")]
fn default_client() -> Result<Arc<dyn Fetch>, Error> {
    Ok(Arc::new(crate::reqwest_fetch::ReqwestFetch::new()?))
}

#[cfg(not(feature = "rustls"))]
fn default_client() -> Result<Arc<dyn Fetch>, Error> {
    Err(Error::NoClient)
}
