//! The text of a refresh token: `v1.` and base64url of kid, session, generation, mac and tag, each of a fixed width.

use crate::error::Refusal;
use crate::id::SessionId;
use crate::text;
use alloc::string::String;
use core::fmt;
use core::num::NonZeroU64;
use zeroize::Zeroizing;

const PREFIX: &str = "v1.";
pub(crate) const SALT: usize = 16;
pub(crate) const MAC: usize = 16;
pub(crate) const TAG: usize = 32;
/// kid, session, generation, mac, tag.
const BYTES: usize = 4 + 16 + 8 + MAC + TAG;

/// A refresh token for the client. It is wiped when dropped.
///
/// It is derived, not stored. Nothing in the store can be turned back into it, and the server can derive it again for a client
/// that lost the answer.
///
/// # Examples
///
/// ```
/// # use countersign_session::{Config, Login, Machine, MasterKeys, Randomness};
/// # use countersign::{SystemEntropy, UnixTime};
/// # let config = Config::builder("https://auth.example", "https://api.example").build()?;
/// # let machine = Machine::new(config, MasterKeys::new(1, [7; 32])?);
/// # let random = Randomness::draw(&SystemEntropy::new())?;
/// # let step = machine.login(&Login::new("ann"), 0, UnixTime::from_secs(0), &random)?;
/// # let grant = step.reply?;
/// let token = grant.refresh_token();
/// assert!(token.expose_secret().starts_with("v1."));
/// assert_eq!(format!("{token:?}"), "RefreshToken(..)");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RefreshToken(Zeroizing<String>);

impl RefreshToken {
    /// The length of the text, in bytes.
    pub const LENGTH: usize = PREFIX.len() + BYTES.div_ceil(3) * 4 - 2;

    /// Returns the text: for a cookie or the body of an answer, never for a log.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        &self.0
    }

    /// Builds the text from these parts.
    pub(crate) fn write(name: &Name, mac: &[u8; MAC], tag: &[u8; TAG]) -> Self {
        let mut bytes = Zeroizing::new([0; BYTES]);
        let parts = [&name.to_bytes()[..], mac, tag];
        for (place, byte) in bytes.iter_mut().zip(parts.into_iter().flatten()) {
            *place = *byte;
        }
        let body = Zeroizing::new(text::encode(bytes.as_slice()));
        let mut text = Zeroizing::new(String::with_capacity(Self::LENGTH));
        text.push_str(PREFIX);
        text.push_str(&body);
        Self(text)
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(..)")
    }
}

/// The unencrypted part of a refresh token: its key, its session and its generation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) kid: u32,
    pub(crate) session: SessionId,
    pub(crate) generation: u64,
}

impl Name {
    pub(crate) fn to_bytes(self) -> [u8; 28] {
        let mut bytes = [0; 28];
        let parts = [&self.kid.to_be_bytes()[..], self.session.as_bytes(), &self.generation.to_be_bytes()];
        for (place, byte) in bytes.iter_mut().zip(parts.into_iter().flatten()) {
            *place = *byte;
        }
        bytes
    }
}

/// A text in the form of a refresh token. It has not been verified.
pub(crate) struct Parsed {
    pub(crate) name: Name,
    pub(crate) mac: [u8; MAC],
    pub(crate) tag: Zeroizing<[u8; TAG]>,
}

impl Parsed {
    /// Reads the one valid spelling; anything else is malformed.
    pub(crate) fn read(text: &str) -> Result<Self, Refusal> {
        Self::split(text).ok_or(Refusal::Malformed)
    }

    fn split(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; BYTES]);
        if !text::decode_into(bytes.as_mut_slice(), text.strip_prefix(PREFIX)?) {
            return None;
        }
        let (kid, rest) = bytes.split_first_chunk()?;
        let (session, rest) = rest.split_first_chunk()?;
        let (generation, rest) = rest.split_first_chunk()?;
        let (mac, rest) = rest.split_first_chunk()?;
        let name = Name {
            kid: u32::from_be_bytes(*kid),
            session: SessionId::from_bytes(*session),
            // The first generation is 1. For generation 0 the row has only a zero salt, which a thief of a master key knows
            // too.
            generation: NonZeroU64::new(u64::from_be_bytes(*generation))?.get(),
        };
        Some(Self { name, mac: *mac, tag: Zeroizing::new(rest.try_into().ok()?) })
    }
}

/// A refresh token that this server once issued: its mac is right. Only the row tells whether it is still valid.
///
/// # Examples
///
/// ```
/// use countersign_session::{MasterKeys, Refusal};
///
/// let keys = MasterKeys::new(1, [7; 32])?;
/// assert_eq!(keys.authenticate("garbage").unwrap_err().refusal(), Some(Refusal::Malformed));
/// # Ok::<(), countersign::KeyError>(())
/// ```
pub struct AuthenticToken {
    pub(crate) name: Name,
    pub(crate) tag: Zeroizing<[u8; TAG]>,
}

impl AuthenticToken {
    /// Returns the session that it was issued for.
    #[must_use]
    pub const fn session_id(&self) -> SessionId {
        self.name.session
    }

    /// Returns its generation: the login has 1, and each exchange adds one.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.name.generation
    }
}

impl fmt::Debug for AuthenticToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthenticToken")
            .field("session", &self.session_id())
            .field("generation", &self.generation())
            .finish_non_exhaustive()
    }
}
