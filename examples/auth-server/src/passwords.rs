//! Passwords: runs Argon2id once for every attempt, for known and unknown users alike.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use thiserror::Error;
use tokio::sync::Semaphore;

/// In characters. Fewer make guessing easy: [NIST SP 800-63B-4](https://pages.nist.gov/800-63-4/sp800-63b.html) asks for 15 if
/// there is no second factor. The upper bound is more than any user needs.
const LENGTH: std::ops::RangeInclusive<usize> = 15..=256;

/// The longest wait for a turn. After it, the answer is a 503.
const PATIENCE: Duration = Duration::from_secs(5);

/// Hashes passwords and checks them.
///
/// Each run takes 19 MiB and most of a tenth of a second of one core, so there are at most as many runs at once as cores; other
/// calls wait.
#[derive(Clone)]
pub struct Passwords {
    hasher: Argon2<'static>,
    /// The hash of a random password, which is checked if the user does not exist.
    decoy: Arc<str>,
    running: Arc<Semaphore>,
    runs: Arc<AtomicU64>,
}

/// Why a password could not be hashed or checked.
#[derive(Debug, Error)]
pub enum PasswordError {
    /// Too many calls are waiting already.
    #[error("passwords cannot be checked at the moment")]
    Busy,
    /// Argon2, the randomness or the thread failed, or the stored hash is malformed.
    #[error("passwords cannot be checked")]
    Failed,
    /// The password does not have 15 to 256 characters.
    #[error("a password must have 15 to 256 characters")]
    Length,
}

impl Passwords {
    /// Uses the first recommendation of OWASP: 19 MiB, two passes, one lane.
    pub fn new() -> Result<Self, PasswordError> {
        let params = Params::new(19 * 1024, 2, 1, None).map_err(|_| PasswordError::Failed)?;
        let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let decoy = hash(&hasher, &random::<32>()?)?.into();
        let cores = std::thread::available_parallelism().map_or(1, Into::into);
        let running = Arc::new(Semaphore::new(cores));
        Ok(Self { hasher, decoy, running, runs: Arc::default() })
    }

    /// Returns how often Argon2 has run for a request.
    pub fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }

    /// Returns the hash of a new password.
    pub async fn hash(&self, password: String) -> Result<String, PasswordError> {
        if !LENGTH.contains(&password.chars().count()) {
            return Err(PasswordError::Length);
        }
        self.run(move |hasher| hash(hasher, password.as_bytes())).await
    }

    /// Returns whether this is the password of the user with this hash. If there is no such user, or if the password has an
    /// impossible length, Argon2 still runs once and in the same way.
    pub async fn check(&self, password: String, hash: Option<String>) -> Result<bool, PasswordError> {
        let stored = hash.as_deref().unwrap_or(&self.decoy).to_owned();
        let matches = self
            .run(move |hasher| {
                let stored = PasswordHash::new(&stored).map_err(|_| PasswordError::Failed)?;
                Ok(hasher.verify_password(password.as_bytes(), &stored).is_ok())
            })
            .await?;
        Ok(matches && hash.is_some())
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon2<'static>) -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let turn = tokio::time::timeout(PATIENCE, self.running.clone().acquire_owned());
        let permit = turn.await.map_err(|_| PasswordError::Busy)?.map_err(|_| PasswordError::Failed)?;
        let hasher = self.hasher.clone();
        self.runs.fetch_add(1, Ordering::Relaxed);
        let work = move || {
            // Kept until the work is done, even if the caller has gone.
            let _permit = permit;
            work(&hasher)
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| PasswordError::Failed)?
    }
}

fn hash(hasher: &Argon2<'_>, password: &[u8]) -> Result<String, PasswordError> {
    let salt = SaltString::encode_b64(&random::<16>()?).map_err(|_| PasswordError::Failed)?;
    Ok(hasher.hash_password(password, &salt).map_err(|_| PasswordError::Failed)?.to_string())
}

fn random<const N: usize>() -> Result<[u8; N], PasswordError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| PasswordError::Failed)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &str = "correct horse battery staple";

    #[tokio::test]
    async fn a_password_is_known_again_and_another_is_not() {
        let passwords = Passwords::new().unwrap();
        let hash = passwords.hash(PASSWORD.into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.check(PASSWORD.into(), Some(hash.clone())).await.unwrap());
        assert!(!passwords.check("correct horse battery stapler".into(), Some(hash)).await.unwrap());
    }

    #[tokio::test]
    async fn argon2_runs_once_for_known_and_unknown_users_alike() {
        let passwords = Passwords::new().unwrap();
        let known = passwords.hash(PASSWORD.into()).await.unwrap();
        for (password, hash) in [
            (PASSWORD, Some(&known)),
            ("wrong", Some(&known)),
            ("", Some(&known)),
            (PASSWORD, None),
            ("wrong", None),
            ("", None),
        ] {
            let before = passwords.runs();
            let is_right = passwords.check(password.into(), hash.cloned()).await.unwrap();
            assert_eq!(passwords.runs() - before, 1, "{password:?} {}", hash.is_some());
            assert_eq!(is_right, password == PASSWORD && hash.is_some());
        }
    }

    #[tokio::test]
    async fn short_and_endless_passwords_are_not_taken() {
        let passwords = Passwords::new().unwrap();
        for password in [
            "",
            "fourteen chars",
            "\u{43f}\u{430}\u{440}\u{43e}\u{43b}\u{44c}\u{43f}\u{430}",
            &"x".repeat(257),
        ] {
            assert!(matches!(passwords.hash(password.into()).await, Err(PasswordError::Length)));
        }
        assert_eq!(passwords.runs(), 0);
    }
}
