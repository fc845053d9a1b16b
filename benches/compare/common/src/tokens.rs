//! The names of the operations, and the tokens that the driver signs once for all libraries: files in one
//! folder.

use crate::algorithm::Algorithm;
use crate::claims::Size;
use std::fs;
use std::path::PathBuf;

/// The folder of tokens.
pub struct Tokens(PathBuf);

impl Tokens {
    /// The tokens in `folder`.
    #[must_use]
    pub fn open(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// The token that the operation `name` verifies.
    ///
    /// # Panics
    ///
    /// If the driver wrote none.
    #[must_use]
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("the token of {name}: {error}"))
    }

    /// Keeps the token that the operation `name` verifies.
    ///
    /// # Errors
    ///
    /// If the folder cannot be written to.
    pub fn write(&self, name: &str, token: &str) -> std::io::Result<()> {
        fs::write(self.path(name), token)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name.replace('/', "_"))
    }
}

/// Verifying a token with the seven typical claims. RSA has 2048 bits.
#[must_use]
pub const fn verify(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Hs256 => verify_hs256(Size::Typical),
        Algorithm::Hs384 => "hs384/verify",
        Algorithm::Hs512 => "hs512/verify",
        Algorithm::Rs256 => "rs256/verify/2048",
        Algorithm::Rs384 => "rs384/verify",
        Algorithm::Rs512 => "rs512/verify",
        Algorithm::Ps256 => "ps256/verify",
        Algorithm::Ps384 => "ps384/verify",
        Algorithm::Ps512 => "ps512/verify",
        Algorithm::Es256 => "es256/verify",
        Algorithm::Es384 => "es384/verify",
        Algorithm::Es512 => "es512/verify",
        Algorithm::Es256k => "es256k/verify",
        Algorithm::EdDsa => "eddsa/verify",
        Algorithm::MlDsa44 => "ml-dsa-44/verify",
        Algorithm::MlDsa65 => "ml-dsa-65/verify",
        Algorithm::MlDsa87 => "ml-dsa-87/verify",
    }
}

/// Signing a token with the seven typical claims. RSA has 2048 bits.
#[must_use]
pub const fn sign(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Hs256 => sign_hs256(Size::Typical),
        Algorithm::Hs384 => "hs384/sign",
        Algorithm::Hs512 => "hs512/sign",
        Algorithm::Rs256 => SIGN_RS256,
        Algorithm::Rs384 => "rs384/sign",
        Algorithm::Rs512 => "rs512/sign",
        Algorithm::Ps256 => "ps256/sign",
        Algorithm::Ps384 => "ps384/sign",
        Algorithm::Ps512 => "ps512/sign",
        Algorithm::Es256 => "es256/sign",
        Algorithm::Es384 => "es384/sign",
        Algorithm::Es512 => "es512/sign",
        Algorithm::Es256k => "es256k/sign",
        Algorithm::EdDsa => "eddsa/sign",
        Algorithm::MlDsa44 => "ml-dsa-44/sign",
        Algorithm::MlDsa65 => "ml-dsa-65/sign",
        Algorithm::MlDsa87 => "ml-dsa-87/sign",
    }
}

/// Signing the same token with random bytes that are zero (FIPS 204 section 3.4, the deterministic variant), so that each
/// signature takes the same number of attempts.
#[must_use]
pub const fn sign_deterministic(algorithm: Algorithm) -> Option<&'static str> {
    match algorithm {
        Algorithm::MlDsa44 => Some("ml-dsa-44/sign/deterministic"),
        Algorithm::MlDsa65 => Some("ml-dsa-65/sign/deterministic"),
        Algorithm::MlDsa87 => Some("ml-dsa-87/sign/deterministic"),
        _ => None,
    }
}

/// The HMAC of the signing input of the typical token, without the rest of the work.
#[must_use]
pub const fn raw_hmac(algorithm: Algorithm) -> Option<&'static str> {
    match algorithm {
        Algorithm::Hs256 => Some("hs256/raw"),
        Algorithm::Hs384 => Some("hs384/raw"),
        Algorithm::Hs512 => Some("hs512/raw"),
        _ => None,
    }
}

/// Verifying an HS256 token with seven claims.
#[must_use]
pub const fn verify_hs256(size: Size) -> &'static str {
    match size {
        Size::Typical => "hs256/verify/typical",
        Size::OneKilobyte => "hs256/verify/1KB",
        Size::HundredKilobytes => "hs256/verify/100KB",
    }
}

/// Signing an HS256 token with seven claims.
#[must_use]
pub const fn sign_hs256(size: Size) -> &'static str {
    match size {
        Size::Typical => "hs256/sign/typical",
        Size::OneKilobyte => "hs256/sign/1KB",
        Size::HundredKilobytes => "hs256/sign/100KB",
    }
}

/// Verifying an HS256 token with one private claim and `exp`.
pub const VERIFY_TINY: &str = "hs256/verify/tiny";

/// Signing an HS256 token with one private claim and `exp`.
pub const SIGN_TINY: &str = "hs256/sign/tiny";

/// Verifying an RS256 token with the seven typical claims.
#[must_use]
pub fn verify_rs256(bits: usize) -> String {
    format!("rs256/verify/{bits}")
}

/// The typical HS256 token under a header whose members stand the other way round.
pub const VERIFY_OTHER_HEADER: &str = "hs256/verify/other-header";

/// The typical HS256 token once more, verified into claims that borrow from a buffer.
pub const VERIFY_IN: &str = "hs256/verify/borrowed";

/// Refusing the token [`FORGED`].
pub const REFUSE_FORGED: &str = "hs256/refuse/forged";

/// Refusing the token [`EXPIRED`].
pub const REFUSE_EXPIRED: &str = "hs256/refuse/expired";

/// Verifying a typical HS256 token with one of so many keys, found by its `kid`.
#[must_use]
pub fn verify_by_key_id(keys: u32) -> String {
    format!("hs256/verify/keys-{keys}")
}

/// How many keys [`verify_by_key_id`] is measured with.
pub const KEY_SET_SIZES: [u32; 4] = [1, 10, 1_000, 100_000];

/// Reading a JWK set of [`KEYS_IN_SET`] RSA keys with 2048 bits.
pub const READ_KEY_SET: &str = "jwks/read/1000";

/// Reading this set, and verifying one token with each of its keys.
pub const USE_KEY_SET: &str = "jwks/use/1000";

/// How many keys the set of [`READ_KEY_SET`] has.
pub const KEYS_IN_SET: u32 = 1_000;

/// The set of [`READ_KEY_SET`].
pub const KEY_SET: &str = "jwks/set";

/// One token for each key of the set, each in a line.
pub const KEY_SET_TOKENS: &str = "jwks/tokens";

/// Signing an RS256 token with the seven typical claims and 2048 bits.
pub const SIGN_RS256: &str = "rs256/sign/2048";

/// The tokens that every library has to refuse.
pub const REFUSED: [&str; 4] = [FORGED, EXPIRED, OTHER_ISSUER, OTHER_AUDIENCE];

/// One of [`REFUSED`], which are HS256 tokens, for another algorithm.
#[must_use]
pub fn refused(algorithm: Algorithm, name: &str) -> String {
    match algorithm {
        Algorithm::Hs256 => name.to_owned(),
        _ => format!("{}/{name}", algorithm.name().to_lowercase()),
    }
}

/// The typical HS256 token with its signature changed.
pub const FORGED: &str = "forged";

/// The typical HS256 token, expired long ago.
pub const EXPIRED: &str = "expired";

/// The typical HS256 token of another issuer.
pub const OTHER_ISSUER: &str = "other-issuer";

/// The typical HS256 token for another audience.
pub const OTHER_AUDIENCE: &str = "other-audience";
