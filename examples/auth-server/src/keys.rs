//! Keys: generated at the first start, in files that only the server's user can read.

use crate::config::SigningAlgorithm;
use crate::server::new_id;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use countersign::{
    HmacKey, KeyError, PolicyError, PrivateKey, PublicKey, SecretBytes, SigningKey, Verifier, VerifyingKey,
};
use countersign_session::AccessVerifier;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;

/// The secret that signs and verifies with HS256: base64.
pub const SHARED: &str = "access.secret";
/// The private key of RS256.
pub const PRIVATE: &str = "access.private.pem";
/// The public key of RS256.
pub const PUBLIC: &str = "access.public.pem";
/// The secret that refresh tokens are derived from: base64. No application server has it.
pub const REFRESH: &str = "refresh.secret";

const SECRET_BYTES: usize = 32;
/// 112 bits of security, which is enough for access tokens that live for minutes.
const RSA_BITS: usize = 2048;
/// How much the clocks of the servers may differ: the default of sessions.
const CLOCKS: Duration = Duration::from_secs(60);

/// The key that signs access tokens.
pub enum AccessKey {
    /// A secret, which the application servers also have.
    Hs256(HmacKey),
    /// A private key. The application servers have the public one.
    Rs256(SigningKey),
}

/// The key that verifies access tokens.
#[derive(Clone)]
pub enum CheckingKey {
    /// The secret itself.
    Hs256(HmacKey),
    /// The public key.
    Rs256(VerifyingKey),
}

/// Why the keys cannot be loaded.
#[derive(Debug, Error)]
pub enum KeyFileError {
    /// The file exists and cannot be read, or does not exist and cannot be created.
    #[error("{path}: {error}", path = .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        error: std::io::Error,
    },
    /// The file does not hold a key.
    #[error("{path}: {error}", path = .path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// The error of the key.
        error: KeyError,
    },
}

impl AccessKey {
    /// Loads the key from this folder, or generates it if it does not exist.
    pub fn open(folder: &Path, algorithm: SigningAlgorithm) -> Result<Self, KeyFileError> {
        match algorithm {
            SigningAlgorithm::Hs256 => shared(folder).map(Self::Hs256),
            SigningAlgorithm::Rs256 => private(folder).map(Self::Rs256),
        }
    }

    /// Returns the key that verifies the tokens of this one.
    pub fn verifying(&self) -> CheckingKey {
        match self {
            Self::Hs256(key) => CheckingKey::Hs256(key.clone()),
            Self::Rs256(key) => CheckingKey::Rs256(key.verifying_key()),
        }
    }
}

/// Loads the private key, and writes the public one next to it.
fn private(folder: &Path) -> Result<SigningKey, KeyFileError> {
    let path = folder.join(PRIVATE);
    let at = |error| KeyFileError::Key { path: path.clone(), error };
    let pem = read_or_make(&path, || PrivateKey::generate_rsa(RSA_BITS)?.to_secret_pem())?;
    let private = PrivateKey::from_pem(pem.expose_secret_text().unwrap_or_default()).map_err(at)?;
    let key = private.rs256().map_err(at)?;
    let public = private.public_key().map_err(&at)?;
    // For the application servers. Written at every start, because the private key may have been replaced.
    let public_path = folder.join(PUBLIC);
    let pem = public.to_pem().map_err(&at)?;
    replace(&public_path, pem.as_bytes()).map_err(|error| KeyFileError::File { path: public_path, error })?;
    // Each holder of the public key computes the same name.
    key.with_key_id(public.thumbprint().map_err(&at)?.to_string()).map_err(at)
}

impl CheckingKey {
    /// Loads the key of an application server from one of the files: the secret or the public key.
    pub fn read(path: &Path) -> Result<Self, KeyFileError> {
        let at = |error| KeyFileError::Key { path: path.into(), error };
        let bytes = fs::read(path).map_err(|error| KeyFileError::File { path: path.into(), error })?;
        let secret = SecretBytes::from(bytes);
        let text = secret.expose_secret_text().unwrap_or_default();
        if text.contains("-----BEGIN") {
            let public = PublicKey::from_pem(text).map_err(at)?;
            let id = public.thumbprint().map_err(at)?.to_string();
            return Ok(Self::Rs256(public.rs256().and_then(|key| key.with_key_id(id)).map_err(at)?));
        }
        SecretBytes::from_base64(text.trim_end())
            .and_then(|secret| HmacKey::hs256(&secret))
            .map(Self::Hs256)
            .map_err(at)
    }

    /// Returns a verifier for access tokens of `issuer` for `audience`.
    pub fn verifier(&self, issuer: &str, audience: &str) -> Result<AccessVerifier, PolicyError> {
        let policy = match self {
            Self::Hs256(key) => Verifier::builder(key.clone()),
            Self::Rs256(key) => Verifier::builder(key.clone()),
        };
        AccessVerifier::new(policy.issuer(issuer).audience(audience).leeway(CLOCKS))
    }
}

/// Loads the secret of the refresh tokens.
pub fn refresh_secret(folder: &Path) -> Result<SecretBytes, KeyFileError> {
    let path = folder.join(REFRESH);
    let text = read_or_make(&path, new_secret)?;
    let bytes = BASE64_STANDARD.decode(text.expose_secret().trim_ascii_end());
    bytes.map(SecretBytes::from).map_err(|_| KeyFileError::Key { path, error: KeyError::InvalidBase64 })
}

fn shared(folder: &Path) -> Result<HmacKey, KeyFileError> {
    let path = folder.join(SHARED);
    let text = read_or_make(&path, new_secret)?;
    let text = text.expose_secret_text().unwrap_or_default().trim_end();
    SecretBytes::from_base64(text)
        .and_then(|secret| HmacKey::hs256(&secret))
        .map_err(|error| KeyFileError::Key { path, error })
}

fn new_secret() -> Result<SecretBytes, KeyError> {
    let secret = SecretBytes::generate(SECRET_BYTES)?;
    Ok(SecretBytes::from(BASE64_STANDARD.encode(secret.expose_secret()).into_bytes()))
}

/// Replaces a file's content in one step: a concurrent reader gets either all of the old content or all of the new.
fn replace(path: &Path, content: &[u8]) -> std::io::Result<()> {
    if fs::read(path).is_ok_and(|present| present == content) {
        return Ok(());
    }
    // Each server uses another name, because several may start at once.
    let name = new_id().ok_or_else(|| std::io::Error::other("the system has no randomness"))?;
    let new = path.with_extension(name);
    let written = File::create_new(&new).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&new, path)).inspect_err(|_| {
        let _ = fs::remove_file(&new);
    })
}

/// Warns if other users can access the file. It is not an error, because secrets from an orchestrator often have such permissions.
fn warn_if_others_can_read(path: &Path) {
    #[cfg(unix)]
    if let Ok(metadata) = fs::metadata(path)
        && std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0
    {
        tracing::warn!(path = %path.display(), "other users of this machine can read or write this key");
    }
}

/// Returns the content of a file. If the file does not exist, writes it first.
fn read_or_make(
    path: &Path,
    make: impl FnOnce() -> Result<SecretBytes, KeyError>,
) -> Result<SecretBytes, KeyFileError> {
    let at = |error| KeyFileError::File { path: path.into(), error };
    match fs::read(path) {
        Ok(bytes) => {
            warn_if_others_can_read(path);
            return Ok(SecretBytes::from(bytes));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(at(error)),
    }
    let made = make().map_err(|error| KeyFileError::Key { path: path.into(), error })?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(at)?;
    file.write_all(made.expose_secret()).and_then(|()| file.sync_all()).map_err(at)?;
    tracing::info!(path = %path.display(), "made a key");
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn a_reader_of_the_public_key_has_the_old_one_or_the_new_one() {
        let folder = std::env::temp_dir().join(format!("auth-server-keys-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(PUBLIC);
        replace(&path, b"old").unwrap();
        // A reader that has opened the file before the change still reads the old content to its end.
        let mut reading = File::open(&path).unwrap();
        replace(&path, b"new").unwrap();
        let mut read = String::new();
        reading.read_to_string(&mut read).unwrap();
        assert_eq!((&*read, &*fs::read(&path).unwrap()), ("old", b"new".as_slice()));
        replace(&path, b"new").unwrap();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        fs::remove_dir_all(&folder).unwrap();
    }
}
