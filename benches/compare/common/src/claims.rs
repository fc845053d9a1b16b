//! The claims, and the checks for libraries that leave them to their caller.

use serde::{Deserialize, Serialize};
use std::time::{SystemTime, UNIX_EPOCH};

/// `iss`.
pub const ISSUER: &str = "https://auth.example.com";
/// `sub`.
pub const SUBJECT: &str = "user-12345678";
/// `aud`.
pub const AUDIENCE: &str = "https://api.example.com";
/// `iat`: in the year 2023.
pub const ISSUED_AT: u64 = 1_700_000_000;
/// `exp`: in the year 2100, so that a token need not be made anew.
pub const EXPIRES_AT: u64 = 4_102_444_800;

const NAME: &str = "Ann Example";
const ROLE: &str = "administrator";

/// How much the seven claims of a token weigh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// About 180 bytes of JSON.
    Typical,
    /// 1,000 bytes of JSON.
    OneKilobyte,
    /// 100,000 bytes of JSON.
    HundredKilobytes,
}

impl Size {
    /// From small to large.
    pub const ALL: [Self; 3] = [Self::Typical, Self::OneKilobyte, Self::HundredKilobytes];

    /// The private claim that makes up the size.
    fn name(self) -> String {
        // The JSON with an empty name has this many bytes.
        const REST: usize = 165;
        match self {
            Self::Typical => NAME.to_owned(),
            Self::OneKilobyte => "x".repeat(1_000 - REST),
            Self::HundredKilobytes => "x".repeat(100_000 - REST),
        }
    }
}

/// The seven claims in one, for libraries without types for registered claims.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Everything {
    pub iss: String,
    pub sub: String,
    pub aud: String,
    pub exp: u64,
    pub iat: u64,
    pub name: String,
    pub role: String,
}

impl Everything {
    /// The claims of a token of this size.
    #[must_use]
    pub fn of(size: Size) -> Self {
        let User { name, role } = User::of(size);
        Self {
            iss: ISSUER.to_owned(),
            sub: SUBJECT.to_owned(),
            aud: AUDIENCE.to_owned(),
            exp: EXPIRES_AT,
            iat: ISSUED_AT,
            name,
            role,
        }
    }

    /// Checks `iss`, `aud` and `exp`, for libraries that leave that to their caller.
    ///
    /// # Errors
    ///
    /// If one of them is another, or the token has expired.
    pub fn check(&self) -> Result<(), Refused> {
        check_parties(Some(&self.iss), Some(&self.aud))?;
        check_expiry(self.exp)
    }
}

/// The private claims, for libraries with types for the registered ones.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct User {
    pub name: String,
    pub role: String,
}

impl User {
    /// The private claims of a token of this size.
    #[must_use]
    pub fn of(size: Size) -> Self {
        Self { name: size.name(), role: ROLE.to_owned() }
    }
}

/// The claims of the tiny token: a private one and `exp`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tiny {
    pub role: String,
    pub exp: u64,
}

impl Default for Tiny {
    fn default() -> Self {
        Self { role: ROLE.to_owned(), exp: EXPIRES_AT }
    }
}

impl Tiny {
    /// Checks `exp`, for libraries that leave that to their caller.
    ///
    /// # Errors
    ///
    /// If the token has expired.
    pub fn check(&self) -> Result<(), Refused> {
        check_expiry(self.exp)
    }
}

/// The private claim of the tiny token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TinyUser {
    pub role: String,
}

impl Default for TinyUser {
    fn default() -> Self {
        Self { role: ROLE.to_owned() }
    }
}

/// A check that the library leaves to its caller has failed.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    /// By the library itself.
    Token,
    /// It is not of the expected issuer.
    Issuer,
    /// It is not for the expected audience.
    Audience,
    /// It has expired.
    Expired,
}

/// Checks `exp` against the wall clock.
///
/// # Errors
///
/// If that time has come.
pub fn check_expiry(exp: u64) -> Result<(), Refused> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    if exp > now { Ok(()) } else { Err(Refused::Expired) }
}

/// Checks `iss` and `aud`.
///
/// # Errors
///
/// If one of them is absent or another.
pub fn check_parties(iss: Option<&str>, aud: Option<&str>) -> Result<(), Refused> {
    if iss != Some(ISSUER) {
        return Err(Refused::Issuer);
    }
    if aud == Some(AUDIENCE) { Ok(()) } else { Err(Refused::Audience) }
}
