//! The forms of ML-DSA keys ([FIPS 204](https://doi.org/10.6028/NIST.FIPS.204),
//! [RFC 9881](https://www.rfc-editor.org/rfc/rfc9881)).
//!
//! This module checks lengths. All bytes of the right length are a public key, and all 32 bytes are a seed. The seed decides what
//! the public key and the expanded private key are, so the backend computes both and [`Private::check`] compares them with those
//! in the file.

use crate::algorithm::Algorithm;
use crate::error::KeyError;
use alloc::boxed::Box;
#[cfg(feature = "private-keys")]
use core::ops::Deref;
#[cfg(feature = "private-keys")]
use subtle::ConstantTimeEq;
#[cfg(feature = "private-keys")]
use zeroize::Zeroizing;

/// The parameter sets of FIPS 204 section 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Set {
    MlDsa44,
    MlDsa65,
    MlDsa87,
}

impl Set {
    pub(crate) const ALL: [Self; 3] = [Self::MlDsa44, Self::MlDsa65, Self::MlDsa87];

    /// Returns the length of a public key in bytes.
    pub(crate) const fn public_bytes(self) -> usize {
        match self {
            Self::MlDsa44 => 1312,
            Self::MlDsa65 => 1952,
            Self::MlDsa87 => 2592,
        }
    }

    /// Returns the length of an expanded private key in bytes.
    pub(crate) const fn expanded_bytes(self) -> usize {
        match self {
            Self::MlDsa44 => 2560,
            Self::MlDsa65 => 4032,
            Self::MlDsa87 => 4896,
        }
    }

    pub(crate) const fn algorithm(self) -> Algorithm {
        match self {
            Self::MlDsa44 => Algorithm::MlDsa44,
            Self::MlDsa65 => Algorithm::MlDsa65,
            Self::MlDsa87 => Algorithm::MlDsa87,
        }
    }

    /// Returns the name, which is that of the algorithm, too.
    pub(crate) const fn name(self) -> &'static str {
        self.algorithm().name()
    }

    /// Returns the parameter set of an algorithm, if it has one.
    pub(crate) fn of(algorithm: Algorithm) -> Option<Self> {
        Self::ALL.into_iter().find(|set| set.algorithm() == algorithm)
    }
}

/// A public key.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Public {
    set: Set,
    bytes: Box<[u8]>,
}

impl Public {
    pub(crate) fn new(set: Set, bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() == set.public_bytes() {
            Ok(Self { set, bytes: bytes.into() })
        } else {
            Err(KeyError::MalformedKey)
        }
    }

    pub(crate) const fn set(&self) -> Set {
        self.set
    }

    pub(crate) const fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// A private key: its seed, and the other keys from the same file.
#[cfg(feature = "private-keys")]
#[derive(Clone)]
pub(crate) struct Private {
    set: Set,
    /// In a block of its own, so that a move of the key leaves no copy.
    seed: Box<Zeroizing<[u8; 32]>>,
    expanded: Option<Zeroizing<Box<[u8]>>>,
    public: Option<Public>,
}

#[cfg(feature = "private-keys")]
impl Private {
    /// Reads the keys, and checks their lengths.
    pub(crate) fn new(
        set: Set,
        seed: &[u8],
        expanded: Option<&[u8]>,
        public: Option<&[u8]>,
    ) -> Result<Self, KeyError> {
        let seed: &[u8; 32] = seed.try_into().map_err(|_| KeyError::MalformedKey)?;
        if expanded.is_some_and(|expanded| expanded.len() != set.expanded_bytes()) {
            return Err(KeyError::MalformedKey);
        }
        Ok(Self {
            set,
            seed: Box::new(Zeroizing::new(*seed)),
            expanded: expanded.map(|expanded| Zeroizing::new(expanded.into())),
            public: public.map(|public| Public::new(set, public)).transpose()?,
        })
    }

    /// Makes the key of a seed that `fill` writes.
    pub(crate) fn generate(
        set: Set,
        fill: impl FnOnce(&mut [u8]) -> Result<(), KeyError>,
    ) -> Result<Self, KeyError> {
        let mut seed = Box::new(Zeroizing::new([0; 32]));
        fill(seed.as_mut_slice())?;
        Ok(Self { set, seed, expanded: None, public: None })
    }

    pub(crate) const fn set(&self) -> Set {
        self.set
    }

    pub(crate) fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    /// Returns the public key from the same file, if it holds one.
    pub(crate) const fn public(&self) -> Option<&Public> {
        self.public.as_ref()
    }

    /// Checks that the other keys in the file are the ones that the seed makes. Calls `expanded` only if the file has an
    /// expanded key.
    pub(crate) fn check<E: Deref<Target: AsRef<[u8]>>>(
        &self,
        public: &Public,
        expanded: impl FnOnce() -> Option<E>,
    ) -> Result<(), KeyError> {
        let same_public = self.public.as_ref().is_none_or(|given| given == public);
        let same_expanded = self.expanded.as_ref().is_none_or(|given| {
            expanded().is_some_and(|expanded| bool::from(given.ct_eq((*expanded).as_ref())))
        });
        if same_public && same_expanded { Ok(()) } else { Err(KeyError::MalformedKey) }
    }
}
