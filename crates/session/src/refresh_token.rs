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

/// A refresh token as it goes to the client, wiped when dropped.
///
/// It is derived, not stored: nothing in the store can be turned back into it, and the same one can be derived again for a
/// client that lost the answer.
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
    /// How long the text is.
    pub const LENGTH: usize = PREFIX.len() + BYTES.div_ceil(3) * 4 - 2;

    /// The text: for a cookie or an answer's body, never for a log.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        &self.0
    }

    /// The text of these parts.
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

/// What a refresh token says openly: which key, which session, which generation.
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

/// A text that has the form of a refresh token. Nobody has checked it.
pub(crate) struct Parsed {
    pub(crate) name: Name,
    pub(crate) mac: [u8; MAC],
    pub(crate) tag: Zeroizing<[u8; TAG]>,
}

impl Parsed {
    /// Reads the one spelling that there is; anything else is malformed.
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
            // The first is 1. Of the one before it a row knows no salt but zeros, which a thief of a master key knows too.
            generation: NonZeroU64::new(u64::from_be_bytes(*generation))?.get(),
        };
        Some(Self { name, mac: *mac, tag: Zeroizing::new(rest.try_into().ok()?) })
    }
}

/// A refresh token that was issued here once: its mac is right. Whether it is still worth anything, the row tells.
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
    /// The session that it was issued for.
    #[must_use]
    pub const fn session_id(&self) -> SessionId {
        self.name.session
    }

    /// How many exchanges the session had seen when it was issued, the login counted.
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
