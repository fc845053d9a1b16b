//! Verifies tokens, and waits for new keys.

use crate::remote_keys::RemoteKeys;
use countersign::{Header, KeyRef, KeySource, PolicyError, Token, Verifier, VerifierBuilder, VerifyError};
use serde::de::DeserializeOwned;

/// A verifier for the tokens of one issuer that waits for new keys if a token's key is unknown.
///
/// A token with a known key waits for nothing. One with an unknown key waits for one fetch, which all such tokens share, and is
/// then verified once more. After a fetch, an unknown key is refused at once until the cooldown is over.
///
/// # Examples
///
/// ```no_run
/// use countersign::Algorithm;
/// use countersign_jwks::{RemoteKeys, RemoteVerifier};
///
/// #[derive(serde::Deserialize)]
/// struct User { email: String }
///
/// # #[cfg(feature = "rustls")]
/// # async fn example(text: &str) -> Result<(), Box<dyn std::error::Error>> {
/// let issuer = "https://idp.example";
/// let keys = RemoteKeys::discover(issuer, &[Algorithm::Rs256]).await?;
/// let verifier = RemoteVerifier::new(keys, |policy| policy.issuer(issuer).audience("https://api.example"))?;
/// let token = verifier.verify::<User>(text).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct RemoteVerifier {
    keys: RemoteKeys,
    verifier: Verifier,
}

impl RemoteVerifier {
    /// Makes a verifier with these keys and this policy.
    ///
    /// # Errors
    ///
    /// As [`VerifierBuilder::build`].
    pub fn new(
        keys: RemoteKeys,
        policy: impl FnOnce(VerifierBuilder) -> VerifierBuilder,
    ) -> Result<Self, PolicyError> {
        let verifier = policy(Verifier::builder(Quiet(keys.clone()))).build()?;
        Ok(Self { keys, verifier })
    }

    /// Returns the keys.
    #[must_use]
    pub const fn keys(&self) -> &RemoteKeys {
        &self.keys
    }

    /// Verifies a token like [`Verifier::verify`], at the time of the clock of the keys. Waits for a fetch if its key is unknown or
    /// there are no keys.
    ///
    /// If the future is dropped, the fetch goes on.
    ///
    /// # Errors
    ///
    /// As [`Verifier::verify`]. With [`VerifyError::UnknownKey`], the answer is 401: the key is not in a set that was just
    /// fetched. With [`VerifyError::KeysUnavailable`], it is 503: the last fetch failed, did not end within the deadline, or
    /// too many callers wait for it.
    pub async fn verify<T: DeserializeOwned>(&self, text: &str) -> Result<Token<T>, VerifyError> {
        let generation = self.keys.generation();
        let result = self.verify_now(text);
        if !self.lacks_key(&result) {
            return result;
        }
        match self.keys.engine().refetched().await {
            Ok(true) => self.verify_now(text),
            // The key may be a new one that could not be fetched.
            Ok(false) => match self.verify_now(text) {
                Err(VerifyError::UnknownKey) => Err(VerifyError::KeysUnavailable),
                result => result,
            },
            // A fetch may have ended since the token was looked at.
            Err(_) if self.keys.generation() != generation => self.verify_now(text),
            Err(error) => Err(error),
        }
    }

    fn verify_now<T: DeserializeOwned>(&self, text: &str) -> Result<Token<T>, VerifyError> {
        let engine = self.keys.engine();
        let now = engine.now();
        engine.retire(now);
        self.verifier.at(now).verify(text)
    }

    /// Returns whether a fetch may help. A key that itself is unavailable does not count.
    fn lacks_key<T>(&self, result: &Result<Token<T>, VerifyError>) -> bool {
        match result {
            Err(VerifyError::UnknownKey) => true,
            Err(VerifyError::KeysUnavailable) => self.keys.engine().current().may_lack_keys(),
            _ => false,
        }
    }
}

/// Keys that do not wake the task, because the verifier decides whether to fetch.
struct Quiet(RemoteKeys);

impl KeySource for Quiet {
    fn find(&self, header: &Header<'_>) -> Result<KeyRef<'_>, VerifyError> {
        let mut found = None;
        self.lend(header, &mut |key| found = Some(key.clone().into_owned()))?;
        found.ok_or(VerifyError::UnknownKey)
    }

    fn lend(&self, header: &Header<'_>, borrower: &mut dyn FnMut(&KeyRef<'_>)) -> Result<(), VerifyError> {
        self.0.look_up(header, borrower)
    }

    fn generation(&self) -> Option<u64> {
        self.0.generation()
    }
}
