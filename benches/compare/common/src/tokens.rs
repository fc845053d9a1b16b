//! The names of the operations, and the tokens that the driver signs once for all libraries: files in one
//! folder.

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

/// Signing an RS256 token with the seven typical claims and 2048 bits.
pub const SIGN_RS256: &str = "rs256/sign/2048";

/// The tokens that whoever verifies the typical HS256 token has to refuse.
pub const REFUSED: [&str; 4] = [FORGED, EXPIRED, OTHER_ISSUER, OTHER_AUDIENCE];

/// One of [`REFUSED`], for RS256 with 2048 bits.
#[must_use]
pub fn refused_rs256(name: &str) -> String {
    format!("rs256/{name}")
}

/// The typical HS256 token with its signature changed.
pub const FORGED: &str = "forged";

/// The typical HS256 token, expired long ago.
pub const EXPIRED: &str = "expired";

/// The typical HS256 token of another issuer.
pub const OTHER_ISSUER: &str = "other-issuer";

/// The typical HS256 token for another audience.
pub const OTHER_AUDIENCE: &str = "other-audience";
