//! The table of the signature algorithms ([RFC 7518 section 3](https://www.rfc-editor.org/rfc/rfc7518#section-3)).

use core::fmt;
use serde::de::{Deserialize, Deserializer, Unexpected, Visitor};
use serde::ser::{Serialize, Serializer};

/// The properties of an algorithm that do not depend on a key.
struct Row {
    name: &'static str,
    family: Family,
    /// The lengths of the shortest and the longest signature, in bytes. They are equal if the algorithm fixes the length.
    signature: (usize, usize),
}

/// The type of key that an algorithm needs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Hmac,
    Rsa,
    /// A point on a curve.
    Ec,
    MlDsa,
}

/// Writes the enum, the list of all algorithms and their properties, so that no algorithm can be missing from one of them.
macro_rules! algorithms {
    ($($(#[$doc:meta])* $variant:ident, $name:literal, $family:ident, $shortest:literal..=$longest:literal;)*) => {
        /// A signature algorithm, as named in the header parameter `alg`.
        ///
        /// A token never chooses its algorithm. Each key has one, and the header is only compared with it. `none` is not an
        /// algorithm here.
        ///
        /// `FromStr`, `Display` and serde read and write the name.
        ///
        /// # Examples
        ///
        /// ```
        /// use countersign::{Algorithm, KeyError};
        ///
        /// assert_eq!("RS256".parse(), Ok(Algorithm::Rs256));
        /// assert_eq!("rs256".parse::<Algorithm>(), Err(KeyError::UnsupportedAlgorithm));
        /// assert_eq!("none".parse::<Algorithm>(), Err(KeyError::UnsupportedAlgorithm));
        /// assert_eq!(Algorithm::Hs256.to_string(), "HS256");
        /// assert_eq!(serde_json::to_string(&Algorithm::Hs256)?, r#""HS256""#);
        /// # Ok::<(), serde_json::Error>(())
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Algorithm {
            $($(#[$doc])* $variant,)*
        }

        /// All algorithms, each once.
        pub(crate) const ALL: &[Algorithm] = &[$(Algorithm::$variant),*];

        impl Algorithm {
            const fn row(self) -> Row {
                match self {
                    $(Self::$variant => {
                        Row { name: $name, family: Family::$family, signature: ($shortest, $longest) }
                    })*
                }
            }
        }
    };
}

// RSA signatures are as long as the modulus: 2048 to 8192 bits.
algorithms! {
    /// HMAC with SHA-256: one secret signs and verifies.
    Hs256, "HS256", Hmac, 32..=32;
    /// HMAC with SHA-384.
    Hs384, "HS384", Hmac, 48..=48;
    /// HMAC with SHA-512.
    Hs512, "HS512", Hmac, 64..=64;
    /// RSASSA-PKCS1-v1_5 with SHA-256: a private key signs, the public key verifies.
    Rs256, "RS256", Rsa, 256..=1024;
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384, "RS384", Rsa, 256..=1024;
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512, "RS512", Rsa, 256..=1024;
    /// RSASSA-PSS with SHA-256, MGF1 with the same hash, and a salt as long as its output.
    Ps256, "PS256", Rsa, 256..=1024;
    /// RSASSA-PSS with SHA-384.
    Ps384, "PS384", Rsa, 256..=1024;
    /// RSASSA-PSS with SHA-512.
    Ps512, "PS512", Rsa, 256..=1024;
    /// ECDSA with the curve P-256 and SHA-256.
    Es256, "ES256", Ec, 64..=64;
    /// ECDSA with the curve P-384 and SHA-384.
    Es384, "ES384", Ec, 96..=96;
    /// ECDSA with the curve P-521 and SHA-512.
    Es512, "ES512", Ec, 132..=132;
    /// ECDSA with the curve secp256k1 and SHA-256 ([RFC 8812](https://www.rfc-editor.org/rfc/rfc8812)).
    Es256k, "ES256K", Ec, 64..=64;
    /// EdDSA with the curve Ed25519 ([RFC 8037](https://www.rfc-editor.org/rfc/rfc8037)). Tokens name it `EdDSA`; the name
    /// `Ed25519` of [RFC 9864](https://www.rfc-editor.org/rfc/rfc9864) is read as the same.
    Ed25519, "EdDSA", Ec, 64..=64;
    /// ML-DSA-44 ([RFC 9964](https://www.rfc-editor.org/rfc/rfc9964), [FIPS 204](https://doi.org/10.6028/NIST.FIPS.204)), which
    /// is meant to withstand quantum computers.
    MlDsa44, "ML-DSA-44", MlDsa, 2420..=2420;
    /// ML-DSA-65.
    MlDsa65, "ML-DSA-65", MlDsa, 3309..=3309;
    /// ML-DSA-87.
    MlDsa87, "ML-DSA-87", MlDsa, 4627..=4627;
}

/// The length of the longest signature of all algorithms.
pub(crate) const LONGEST_SIGNATURE: usize = 4627;

impl Algorithm {
    /// Returns the name in the header, e.g. `HS256`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// Finds the algorithm with this name. Compares names exactly.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        ALL.iter()
            .copied()
            .find(|algorithm| algorithm.name() == name || algorithm.fully_specified_name() == name)
    }

    /// Returns the name that also says which curve is used, as [RFC 9864](https://www.rfc-editor.org/rfc/rfc9864#section-2.2)
    /// registers it. Only `EdDSA` does not say so.
    pub(crate) const fn fully_specified_name(self) -> &'static str {
        match self {
            Self::Ed25519 => "Ed25519",
            other => other.name(),
        }
    }

    /// Returns whether one secret both signs and verifies.
    pub(crate) const fn is_hmac(self) -> bool {
        matches!(self.row().family, Family::Hmac)
    }

    /// Reports whether the algorithm needs an RSA key.
    #[cfg(feature = "rsa-verify")]
    pub(crate) const fn is_rsa(self) -> bool {
        matches!(self.row().family, Family::Rsa)
    }

    /// Returns the type of key that the algorithm needs: `HMAC`, `RSA`, or the name of its curve or ML-DSA parameter set.
    pub(crate) const fn key_type(self) -> &'static str {
        match self {
            Self::Hs256 | Self::Hs384 | Self::Hs512 => "HMAC",
            Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 | Self::Ps384 | Self::Ps512 => "RSA",
            Self::Es256 => "P-256",
            Self::Es384 => "P-384",
            Self::Es512 => "P-521",
            Self::Es256k => "secp256k1",
            Self::Ed25519 => "Ed25519",
            Self::MlDsa44 | Self::MlDsa65 | Self::MlDsa87 => self.name(),
        }
    }

    /// Returns the length of a signature in bytes, if it does not depend on the key.
    pub(crate) const fn signature_length(self) -> Option<usize> {
        match self.row().signature {
            (shortest, longest) if shortest == longest => Some(longest),
            _ => None,
        }
    }

    /// Returns whether a signature of this algorithm can have this length.
    pub(crate) const fn allows_signature_of(self, bytes: usize) -> bool {
        let (shortest, longest) = self.row().signature;
        shortest <= bytes && bytes <= longest
    }

    /// Returns the length of most signatures. The buffer of a token gets this capacity.
    pub(crate) const fn usual_signature_bytes(self) -> usize {
        self.row().signature.0
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Algorithm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Algorithm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Named;

        impl Visitor<'_> for Named {
            type Value = Algorithm;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a supported algorithm")
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Algorithm, E> {
                Algorithm::from_name(name).ok_or_else(|| E::invalid_value(Unexpected::Str(name), &self))
            }
        }

        deserializer.deserialize_str(Named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_algorithm_is_found_by_its_name() {
        for algorithm in ALL.iter().copied() {
            assert_eq!(Algorithm::from_name(algorithm.name()), Some(algorithm));
            assert!(algorithm.row().signature.1 <= LONGEST_SIGNATURE);
        }
    }
}
