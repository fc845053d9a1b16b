//! Checks that the private half of a key belongs to the public one.

use crate::error::KeyError;
use crate::key::material::{Material, PrivateKey, PublicKey, Secret};

impl PrivateKey {
    /// Returns the public half, and checks that it is the one that was read next to the private half.
    ///
    /// If the feature of the key's type is off, it cannot be computed, so the one that was read is returned. A backend checks
    /// it when it makes a key.
    pub(crate) fn matching_public_key(&self) -> Result<PublicKey, KeyError> {
        match (self.public_key(), self.known_public_key()) {
            (Ok(computed), Some(known)) if computed != known => Err(KeyError::MalformedKey),
            (Err(KeyError::UnsupportedByBackend), Some(known)) => Ok(known),
            (computed, _) => computed,
        }
    }

    /// Returns the public half that was read next to the private one.
    fn known_public_key(&self) -> Option<PublicKey> {
        match &self.0 {
            #[cfg(feature = "rsa-verify")]
            Secret::Rsa { public, .. } => Some(public.clone()),
            Secret::Ec { public, .. } => public.clone().map(|point| PublicKey::of(Material::Ec(point))),
            Secret::Ed25519 { public, .. } => public.map(|key| PublicKey::of(Material::Ed25519(key))),
            Secret::MlDsa(key) => key.public().cloned().map(|key| PublicKey::of(Material::MlDsa(key))),
        }
    }
}
