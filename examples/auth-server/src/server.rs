//! The state that the routes share, created once at the start.

use crate::attempts::Attempts;
use crate::config::{Bind, Config, SigningAlgorithm};
use crate::database::{Database, DatabaseError};
use crate::keys::{self, KeyFileError};
use crate::life_cycle::INTERVAL;
use crate::passwords::{PasswordError, Passwords};
use crate::rotation::{Rotation, RotationError, Stage};
use crate::unattended::Unattended;
use crate::users::{Name, Role, User};
use countersign::http::{AllowedOrigins, Cookie};
use countersign::{KeyError, KeySet, Keys, PolicyError, SignKey, UnixTime};
use countersign_session::{
    self as session, ConfigError, DynStore, Event, EventKind, Grace, MasterKeys, RevocationVerifier, Sessions,
};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use thiserror::Error;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// The state that the routes share.
pub struct Server {
    /// Begins, exchanges and ends sessions.
    pub sessions: Sessions<DynStore>,
    /// What the present keys are used for, besides signing.
    keys: RwLock<Arc<PresentKeys>>,
    /// Replaces the keys, with RS256. One step at a time.
    rotation: Option<Arc<Mutex<Rotation>>>,
    /// Users.
    pub database: Database,
    /// Hashes and checks passwords.
    pub passwords: Passwords,
    /// Counts logins and registrations.
    pub attempts: Attempts,
    /// The sites with pages that may use the cookies.
    pub origins: AllowedOrigins,
    /// Holds the refresh token. A `__Host-` cookie has only one path, so there is no former path to delete.
    pub refresh_cookie: Cookie,
    /// Holds the binding of the session's tokens.
    pub fingerprint_cookie: Cookie,
    /// Whether sessions have a binding.
    pub bind: Bind,
    /// Tasks that run to their end even if their client disconnects.
    pub unattended: Unattended,
}

/// What the present keys are used for, besides signing.
pub struct PresentKeys {
    /// Checks access tokens, and that their session has not been ended.
    pub access: RevocationVerifier<DynStore>,
    /// The public keys as a JWK set, with RS256.
    pub jwks: Option<String>,
    /// The `kid` of the key that signs.
    signing: Option<String>,
}

/// Why the server does not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The administrator's name is not valid.
    #[error("AUTH_ADMIN_NAME: 3 to 32 letters, digits, dots, hyphens and underscores are expected")]
    AdminName,
    /// Another user has registered the administrator's name.
    #[error("AUTH_ADMIN_NAME: a user with this name exists and is not an administrator")]
    AdminNameTaken,
    /// The administrator's password is not valid, or Argon2 failed.
    #[error("AUTH_ADMIN_PASSWORD: {0}")]
    AdminPassword(#[from] PasswordError),
    /// The database failed.
    #[error("{0}")]
    Database(#[from] DatabaseError),
    /// The folder for the keys cannot be created.
    #[error("{path}: {error}", path = .path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The error of the system.
        error: std::io::Error,
    },
    /// A key cannot be loaded.
    #[error("{0}")]
    Key(#[from] KeyFileError),
    /// The secret of the refresh tokens is not valid.
    #[error("{file}: {0}", file = keys::REFRESH)]
    MasterKey(#[from] KeyError),
    /// The issuer or the audience is not valid.
    #[error("AUTH_ISSUER, AUTH_AUDIENCE: {0}")]
    Policy(#[from] PolicyError),
    /// The keys that sign access tokens cannot be used.
    #[error("{0}")]
    Rotation(#[from] RotationError),
    /// The lifetimes are not valid.
    #[error("the lifetimes are not valid: {0}")]
    Sessions(#[from] ConfigError),
    /// The system's randomness failed.
    #[error("{0}")]
    Start(#[from] session::Error),
}

impl Server {
    /// Opens the database, reads the keys or makes them, and adds the administrator.
    pub async fn start(config: &Config) -> Result<Self, StartError> {
        let folder = &config.data;
        make_folder(folder).map_err(|error| StartError::Folder { path: folder.clone(), error })?;
        let (database, store) = Database::open(config).await?;
        let access = |keys: Keys| keys::verifier(keys, &config.issuer, &config.audience);
        let (sessions, keys, rotation) = match config.algorithm {
            SigningAlgorithm::Hs256 => {
                let key = keys::shared(folder)?;
                let access = access(key.clone().into())?.with_denylist(store.clone());
                (sessions(config, key, store)?, PresentKeys { access, jwks: None, signing: None }, None)
            }
            SigningAlgorithm::Rs256 => {
                let rotation = Rotation::new(folder.clone(), config.rotate_after);
                let rotation = Arc::new(Mutex::new(rotation));
                let (_, stage) = step(&rotation, UnixTime::now()).await?;
                let access = access(KeySet::new().into())?.with_denylist(store.clone());
                let keys = PresentKeys::of(&stage, &access)?;
                (sessions(config, stage.signing, store)?, keys, Some(rotation))
            }
        };
        let server = Self {
            sessions,
            keys: RwLock::new(Arc::new(keys)),
            rotation,
            database,
            passwords: Passwords::new()?,
            attempts: Attempts::new(config.attempts_per_minute),
            origins: config.origins.clone(),
            refresh_cookie: Cookie::refresh(),
            fingerprint_cookie: Cookie::fingerprint(),
            bind: config.bind,
            unattended: Unattended::default(),
        };
        if let Some((name, password)) = &config.admin {
            let name = Name::new(name).ok_or(StartError::AdminName)?;
            server.add_admin(name, password.0.clone()).await?;
        }
        Ok(server)
    }

    /// Adds the administrator. If the name exists, the user must be an administrator, and keeps the password.
    async fn add_admin(&self, name: Name, password: String) -> Result<(), StartError> {
        if self.database.user_named(&name).await?.is_none() {
            let password_hash = self.passwords.hash(password).await?;
            let id = new_id().ok_or(session::Error::Entropy)?;
            let admin = User { id, name: name.clone(), role: Role::Admin, password_hash };
            if self.database.add_user(&admin).await? {
                return Ok(());
            }
        }
        match self.database.user_named(&name).await? {
            Some(User { role: Role::Admin, .. }) => Ok(()),
            _ => Err(StartError::AdminNameTaken),
        }
    }

    /// Returns what the present keys are used for.
    pub fn keys(&self) -> Arc<PresentKeys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Does what is due at `now` for the keys that sign access tokens. With HS256, does nothing: all parties would have to get
    /// the new secret at once.
    ///
    /// # Errors
    ///
    /// [`RotationError`]. The present keys stay in use.
    pub async fn rotate(&self, now: UnixTime) -> Result<(), RotationError> {
        let Some(rotation) = &self.rotation else { return Ok(()) };
        // Held until the end, so that an older step does not undo a newer one.
        let (_turn, stage) = step(rotation, now).await?;
        let present = self.keys();
        let next = PresentKeys::of(&stage, &present.access)?;
        let signs_anew = next.signing != present.signing;
        if next.jwks != present.jwks || signs_anew {
            tracing::info!(published = stage.published.len(), signing = next.signing, "keys");
        }
        // Accepted and published before it signs.
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        if signs_anew {
            self.sessions.set_signer(stage.signing);
        }
        Ok(())
    }

    /// Rotates the keys and cleans up periodically, for as long as the server runs.
    pub async fn housekeeping(&self) {
        let mut minutely = tokio::time::interval(INTERVAL);
        for minute in 0_u64.. {
            minutely.tick().await;
            if let Err(error) = self.rotate(UnixTime::now()).await {
                tracing::error!(%error, "the keys could not be rotated");
            }
            self.attempts.forget_the_quiet();
            if minute % 60 == 0
                && let Err(error) = self.sessions.purge().await
            {
                tracing::warn!(?error, "expired sessions could not be purged");
            }
        }
    }
}

/// Creates a folder that only its owner can read, because it holds keys and hashes of passwords.
fn make_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

impl PresentKeys {
    /// Publishes the keys of this stage, and accepts their tokens by the policy of `access`.
    fn of(stage: &Stage, access: &RevocationVerifier<DynStore>) -> Result<Self, KeyError> {
        Ok(Self {
            jwks: Some(stage.published.to_jwks()?),
            access: access.with_keys(stage.published.clone()),
            signing: stage.signing.key_id().map(str::to_owned),
        })
    }
}

/// Runs a step on a thread that may block. Returns the turn too, and the next step begins when it is dropped.
async fn step(
    rotation: &Arc<Mutex<Rotation>>,
    now: UnixTime,
) -> Result<(OwnedMutexGuard<Rotation>, Stage), RotationError> {
    let mut turn = rotation.clone().lock_owned().await;
    let work = move || {
        let stage = turn.step(now)?;
        Ok((turn, stage))
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| RotationError::Interrupted)?
}

fn sessions(
    config: &Config,
    key: impl SignKey + 'static,
    store: DynStore,
) -> Result<Sessions<DynStore>, StartError> {
    let rules = session::Config::builder(&*config.issuer, &*config.audience);
    let rules = match config.bind {
        Bind::Cookie => rules.require_binding(),
        Bind::Nothing => rules,
    };
    let rules = rules
        .access_lifetime(config.lifetimes.access)
        .idle_lifetime(config.lifetimes.idle)
        .absolute_lifetime(config.lifetimes.absolute)
        .grace(if config.grace.is_zero() { Grace::None } else { Grace::Within(config.grace) })
        .sessions_per_subject(config.sessions_per_user)
        .build()?;
    let secret = keys::refresh_secret(&config.data)?;
    let master = MasterKeys::new(1, secret.expose_secret())?;
    Ok(Sessions::new(rules, master, key, store)?.observed_by(record))
}

/// Writes the audit log: events of sessions, without tokens and session ids; users are named by their id.
fn record(event: &Event) {
    let session = event.session.as_ref().map(ToString::to_string).unwrap_or_default();
    let (kind, subject) = (event.kind.code(), &event.subject);
    match event.kind {
        EventKind::Anomaly | EventKind::BindingMismatch | EventKind::ReuseDetected(_) => {
            tracing::warn!(kind, session, subject, "session");
        }
        _ => tracing::info!(kind, session, subject, "session"),
    }
}

/// Returns a new, unique id for a user: 16 random bytes as hexadecimal text.
pub fn new_id() -> Option<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
