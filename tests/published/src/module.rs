//! A key pair in a security module, which is played by a thread: the private key never leaves it.

use countersign::{
    Algorithm, Identity, Key, KeyError, PrivateKey, SignError, SignKey, Signature, SignatureError,
    SigningKey, VerifyKey, VerifyingKey,
};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

/// What the module is asked, each with the channel for its answer.
enum Request {
    Sign { input: Vec<u8>, answer: Sender<Result<Signature, SignError>> },
    Stop,
    Verify { input: Vec<u8>, signature: Vec<u8>, answer: Sender<Result<(), SignatureError>> },
}

/// A connection to the module, for one of its keys.
#[derive(Clone, Debug)]
pub struct Module {
    requests: Sender<Request>,
    identity: Identity,
}

impl Module {
    /// Starts a module that holds this key and uses it with RS256.
    ///
    /// # Errors
    ///
    /// As [`PrivateKey::rs256`] and [`Identity::with_key_id`].
    pub fn start(private: &PrivateKey, key_id: &str) -> Result<Self, KeyError> {
        let key = private.rs256()?;
        let identity = Identity::new(Algorithm::Rs256).with_key_id(key_id)?;
        let (requests, received) = channel();
        thread::spawn(move || serve(&received, &key));
        Ok(Self { requests, identity })
    }

    /// Makes a key that signs and verifies in the module.
    ///
    /// # Errors
    ///
    /// As [`SigningKey::custom`].
    pub fn signing_key(&self) -> Result<SigningKey, KeyError> {
        SigningKey::custom(self.clone(), self.verifying_key()?)
    }

    /// Makes a key that verifies in the module.
    ///
    /// # Errors
    ///
    /// As [`VerifyingKey::custom`].
    pub fn verifying_key(&self) -> Result<VerifyingKey, KeyError> {
        VerifyingKey::custom(self.clone())
    }

    /// Stops the module. Its keys are then unavailable.
    pub fn stop(&self) {
        // A module that is gone has stopped.
        let _ = self.requests.send(Request::Stop);
    }

    /// What the module answers; `None` if it has stopped.
    fn ask<T>(&self, request: impl FnOnce(Sender<T>) -> Request) -> Option<T> {
        let (answer, answered) = channel();
        self.requests.send(request(answer)).ok()?;
        answered.recv().ok()
    }
}

impl Key for Module {
    fn identity(&self) -> &Identity {
        &self.identity
    }
}

impl SignKey for Module {
    fn sign_bytes(&self, input: &[u8]) -> Result<Signature, SignError> {
        let input = input.to_vec();
        self.ask(|answer| Request::Sign { input, answer }).unwrap_or(Err(SignError::SigningFailed))
    }
}

impl VerifyKey for Module {
    fn verify_bytes(&self, input: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let (input, signature) = (input.to_vec(), signature.to_vec());
        self.ask(|answer| Request::Verify { input, signature, answer })
            .unwrap_or(Err(SignatureError::KeyUnavailable))
    }
}

fn serve(requests: &Receiver<Request>, key: &SigningKey) {
    let verifying = key.verifying_key();
    for request in requests {
        // The caller may have gone.
        let _ = match request {
            Request::Sign { input, answer } => answer.send(key.sign_bytes(&input)).is_ok(),
            Request::Stop => return,
            Request::Verify { input, signature, answer } => {
                answer.send(verifying.verify_bytes(&input, &signature)).is_ok()
            }
        };
    }
}
