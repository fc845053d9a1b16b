//! The algorithms, each with the key that is used for it.

use crate::keys::{self, KeyPair};

/// An algorithm of JSON Web Tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Hs256,
    Hs384,
    Hs512,
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    Es512,
    Es256k,
    EdDsa,
    MlDsa44,
    MlDsa65,
    MlDsa87,
}

impl Algorithm {
    /// All of them, in the order of the tables.
    pub const ALL: [Self; 17] = [
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::Es256k,
        Self::EdDsa,
        Self::MlDsa44,
        Self::MlDsa65,
        Self::MlDsa87,
    ];

    /// Those whose signatures take a random number of attempts.
    pub const ML_DSA: [Self; 3] = [Self::MlDsa44, Self::MlDsa65, Self::MlDsa87];

    /// Those with one operation to sign and one to verify. HS256 and RS256 have more, for several sizes.
    pub fn others() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|algorithm| !matches!(algorithm, Self::Hs256 | Self::Rs256))
    }

    /// The value of `alg` in a header.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::Es256k => "ES256K",
            Self::EdDsa => "EdDSA",
            Self::MlDsa44 => "ML-DSA-44",
            Self::MlDsa65 => "ML-DSA-65",
            Self::MlDsa87 => "ML-DSA-87",
        }
    }

    /// The secret of an HMAC algorithm, which has the length of the hash. `None` for the others.
    #[must_use]
    pub const fn secret(self) -> Option<&'static [u8]> {
        match self {
            Self::Hs256 => Some(&keys::SECRET),
            Self::Hs384 => Some(keys::LONG_SECRET.split_at(48).0),
            Self::Hs512 => Some(&keys::LONG_SECRET),
            _ => None,
        }
    }

    /// The keys of an algorithm with key pairs. RSA has 2048 bits.
    ///
    /// # Panics
    ///
    /// For an HMAC algorithm.
    #[must_use]
    pub const fn key_pair(self) -> KeyPair {
        match self {
            Self::Hs256 | Self::Hs384 | Self::Hs512 => panic!("an HMAC algorithm has a secret"),
            Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 | Self::Ps384 | Self::Ps512 => {
                keys::RSA_2048
            }
            Self::Es256 => keys::P256,
            Self::Es384 => keys::P384,
            Self::Es512 => keys::P521,
            Self::Es256k => keys::SECP256K1,
            Self::EdDsa => keys::ED25519,
            Self::MlDsa44 => keys::ML_DSA_44,
            Self::MlDsa65 => keys::ML_DSA_65,
            Self::MlDsa87 => keys::ML_DSA_87,
        }
    }
}
