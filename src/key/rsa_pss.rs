//! RSA keys that their file restricts to RSASSA-PSS, perhaps with one hash function
//! ([RFC 4055 sections 1.2 and 3](https://www.rfc-editor.org/rfc/rfc4055#section-3)).

use crate::algorithm::Algorithm;
use crate::error::{FileMistake, KeyError};
use pkcs8::der::asn1::{AnyRef, ContextSpecific};
use pkcs8::der::{self, Decode, Encode, TagMode, TagNumber};
use pkcs8::spki::{AlgorithmIdentifierRef, ObjectIdentifier};

/// `rsaEncryption`, RFC 8017 appendix A.1.
pub(crate) const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// `id-RSASSA-PSS`, RFC 4055 section 3.1.
pub(crate) const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
/// `id-mgf1`, RFC 4055 section 2.2.
const MGF1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.8");
/// The hash functions of RFC 4055 section 2.1 that JWS uses.
const SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA_384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA_512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");
/// The length of the salt if the parameters do not name one.
const DEFAULT_SALT: u32 = 20;

/// The algorithms that the file of an RSA key allows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Uses {
    /// RS* and PS*.
    All,
    /// PS*.
    Pss,
    /// The PS* algorithm of this hash function, which MGF1 uses, too. The salt must not be shorter than this number of bytes.
    One { hash: Hash, salt: u32 },
}

/// A hash function of a PS* algorithm.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// Returns the hash function of this algorithm identifier. Its parameters are NULL or absent: RFC 4055 section 2.1.
    fn read(identifier: AlgorithmIdentifierRef<'_>) -> Option<Self> {
        match (identifier.oid, identifier.parameters) {
            (_, Some(parameters)) if parameters != AnyRef::NULL => None,
            (SHA_256, _) => Some(Self::Sha256),
            (SHA_384, _) => Some(Self::Sha384),
            (SHA_512, _) => Some(Self::Sha512),
            _ => None,
        }
    }

    const fn identifier(self) -> AlgorithmIdentifierRef<'static> {
        let oid = match self {
            Self::Sha256 => SHA_256,
            Self::Sha384 => SHA_384,
            Self::Sha512 => SHA_512,
        };
        AlgorithmIdentifierRef { oid, parameters: Some(AnyRef::NULL) }
    }

    /// Returns the length of the hash in bytes, which is also that of the salt: RFC 7518 section 3.5.
    const fn bytes(self) -> u32 {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    const fn algorithm(self) -> Algorithm {
        match self {
            Self::Sha256 => Algorithm::Ps256,
            Self::Sha384 => Algorithm::Ps384,
            Self::Sha512 => Algorithm::Ps512,
        }
    }
}

impl Uses {
    /// Reads the parameters of `id-RSASSA-PSS`.
    pub(crate) fn read(parameters: Option<AnyRef<'_>>) -> Result<Self, KeyError> {
        let Some(parameters) = parameters else { return Ok(Self::Pss) };
        let uses = read_parameters(parameters).map_err(|_| KeyError::MalformedKey)?;
        uses.ok_or(KeyError::File(FileMistake::RsaPss))
    }

    /// Refuses an algorithm that the file does not allow.
    pub(crate) fn check(self, algorithm: Algorithm) -> Result<(), KeyError> {
        let is_pss = matches!(algorithm, Algorithm::Ps256 | Algorithm::Ps384 | Algorithm::Ps512);
        let allowed = match self {
            Self::All => return Ok(()),
            Self::Pss if is_pss => return Ok(()),
            Self::Pss => "PS256, PS384 and PS512",
            Self::One { hash, .. } if hash.algorithm() == algorithm => return Ok(()),
            Self::One { hash, .. } => hash.algorithm().name(),
        };
        Err(KeyError::RestrictedKey { algorithm, allowed })
    }

    /// Calls `write` with the algorithm identifier of a key with this restriction.
    pub(crate) fn write<T>(
        self,
        write: impl FnOnce(AlgorithmIdentifierRef<'_>) -> der::Result<T>,
    ) -> der::Result<T> {
        let Self::One { hash, salt } = self else {
            return write(match self {
                Self::All => AlgorithmIdentifierRef { oid: RSA, parameters: Some(AnyRef::NULL) },
                _ => AlgorithmIdentifierRef { oid: RSA_PSS, parameters: None },
            });
        };
        let inner = hash.identifier().to_der()?;
        let mask = AlgorithmIdentifierRef { oid: MGF1, parameters: Some(AnyRef::from_der(&inner)?) };
        let fields = [
            explicit(0, hash.identifier()).to_der()?,
            explicit(1, mask).to_der()?,
            explicit(2, salt).to_der()?,
        ];
        // DER leaves out a value that is the default.
        let count = if salt == DEFAULT_SALT { 2 } else { 3 };
        let fields: der::Result<alloc::vec::Vec<AnyRef<'_>>> =
            fields.iter().take(count).map(|field| AnyRef::from_der(field)).collect();
        let parameters = fields?.to_der()?;
        write(AlgorithmIdentifierRef { oid: RSA_PSS, parameters: Some(AnyRef::from_der(&parameters)?) })
    }
}

const fn explicit<T>(number: u32, value: T) -> ContextSpecific<T> {
    ContextSpecific { tag_number: TagNumber(number), tag_mode: TagMode::Explicit, value }
}

/// Reads `RSASSA-PSS-params`. Returns `None` if they allow no PS* algorithm: other hash functions, a hash in MGF1 that is not
/// the one of the message, a longer salt, or another trailer. A field that is absent has its default, which is SHA-1 for both
/// hash functions.
fn read_parameters(parameters: AnyRef<'_>) -> der::Result<Option<Uses>> {
    parameters.sequence(|fields| {
        let hash = ContextSpecific::<AlgorithmIdentifierRef<'_>>::decode_explicit(fields, TagNumber(0))?;
        let mask = ContextSpecific::<AlgorithmIdentifierRef<'_>>::decode_explicit(fields, TagNumber(1))?;
        let salt = ContextSpecific::<u32>::decode_explicit(fields, TagNumber(2))?;
        let trailer = ContextSpecific::<u32>::decode_explicit(fields, TagNumber(3))?;
        let Some(hash) = hash.and_then(|field| Hash::read(field.value)) else { return Ok(None) };
        let mask = mask.map(|field| field.value).filter(|mask| mask.oid == MGF1);
        let mask = mask.and_then(|mask| mask.parameters).map(|inner| inner.decode_as()).transpose()?;
        let salt = salt.map_or(DEFAULT_SALT, |field| field.value);
        let fits = mask.and_then(Hash::read) == Some(hash)
            && salt <= hash.bytes()
            && trailer.is_none_or(|field| field.value == 1);
        Ok(fits.then_some(Uses::One { hash, salt }))
    })
}
