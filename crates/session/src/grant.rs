//! The result of a login or an exchange: a refresh token, and the right to sign one access token.

use crate::config::Config;
use crate::confirmation::Confirmation;
use crate::id::SessionId;
use crate::refresh_token::{RefreshToken, SALT};
use crate::row::Row;
use crate::text;
use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::string::String;
use core::fmt;
use core::time::Duration;
use countersign::Claims;
use countersign::UnixTime;
use countersign::jws::Prepared;
use countersign::{Entropy, Key, SignKey};
use countersign::{EntropyError, SignError};
use serde::Serialize;
use serde::de::IgnoredAny;

/// `typ` of an access token: [RFC 9068 section 2.1](https://www.rfc-editor.org/rfc/rfc9068#section-2.1).
pub(crate) const TYP: &str = "at+jwt";

/// The random bytes that one step of the machine may need. Draw new ones for each call.
///
/// # Examples
///
/// ```
/// use countersign::SystemEntropy;
/// use countersign_session::Randomness;
///
/// let random = Randomness::draw(&SystemEntropy::new())?;
/// # Ok::<(), countersign::EntropyError>(())
/// ```
pub struct Randomness {
    pub(crate) session: SessionId,
    pub(crate) salt: [u8; SALT],
    pub(crate) jti: [u8; 16],
}

impl Randomness {
    /// Draws the bytes.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] if the source fails.
    pub fn draw(entropy: &(impl Entropy + ?Sized)) -> Result<Self, EntropyError> {
        let (mut session, mut salt, mut jti) = ([0; 16], [0; SALT], [0; 16]);
        for bytes in [&mut session, &mut salt, &mut jti] {
            entropy.fill(bytes)?;
        }
        Ok(Self { session: SessionId::from_bytes(session), salt, jti })
    }
}

impl fmt::Debug for Randomness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Randomness(..)")
    }
}

/// The operation that made a [`Grant`].
///
/// # Examples
///
/// ```
/// use countersign_session::Exchange;
///
/// assert_ne!(Exchange::Login, Exchange::Rotated);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Exchange {
    /// A session began.
    Login,
    /// The refresh token was exchanged again, within the grace: the successor is the same as before.
    Replayed,
    /// The refresh token was exchanged for its successor.
    Rotated,
}

/// The result of a login or an exchange: the refresh token, and the claims of the access token.
///
/// The store has the row before the grant is returned. Now that you know the subject, you can add your own claims: look up the
/// roles of [`subject`](Self::subject), then sign with [`Sessions::access_token`](crate::Sessions::access_token).
///
/// # Examples
///
/// ```
/// # use countersign_session::{Config, Exchange, Login, Machine, MasterKeys, Randomness};
/// # use countersign::{HmacKey, SystemEntropy, UnixTime};
/// # let now = UnixTime::from_secs(0);
/// # let config = Config::builder("https://auth.example", "https://api.example").build()?;
/// # let machine = Machine::new(config, MasterKeys::new(1, [7; 32])?);
/// # let random = Randomness::draw(&SystemEntropy::new())?;
/// # let grant = machine.login(&Login::new("ann"), 0, now, &random)?.reply?;
/// assert_eq!((grant.subject(), grant.exchange()), ("ann", Exchange::Login));
/// assert_eq!(grant.refresh_lifetime().as_secs(), 14 * 24 * 3600); // Max-Age of its cookie
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Grant {
    pub(crate) row: Row,
    pub(crate) refresh_token: RefreshToken,
    pub(crate) exchange: Exchange,
    pub(crate) jti: [u8; 16],
    pub(crate) access_until: UnixTime,
    pub(crate) now: UnixTime,
}

impl Grant {
    /// Returns the id of the session.
    #[must_use]
    pub const fn session_id(&self) -> SessionId {
        self.row.session
    }

    /// Returns the subject of the session.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.row.subject
    }

    /// Returns the scope of the access tokens: names separated by spaces, or an empty text.
    #[must_use]
    pub fn scope(&self) -> &str {
        &self.row.scope
    }

    /// Returns the row as it was written.
    #[must_use]
    pub const fn row(&self) -> &Row {
        &self.row
    }

    /// Returns the operation that made this grant.
    #[must_use]
    pub const fn exchange(&self) -> Exchange {
        self.exchange
    }

    /// Returns the refresh token. The client exchanges it once for the next one.
    #[must_use]
    pub const fn refresh_token(&self) -> &RefreshToken {
        &self.refresh_token
    }

    /// Returns when the refresh token expires if it is not used.
    #[must_use]
    pub fn refresh_expires_at(&self) -> UnixTime {
        self.row.expires_at()
    }

    /// Returns how long the refresh token is valid from now: `Max-Age` of the cookies of refresh token and fingerprint.
    #[must_use]
    pub fn refresh_lifetime(&self) -> Duration {
        self.refresh_expires_at().saturating_duration_since(self.now)
    }

    /// Returns `exp` of the access token, which is never later than the end of the session.
    #[must_use]
    pub const fn access_expires_at(&self) -> UnixTime {
        self.access_until
    }

    /// Returns how long the access token is valid from now: `expires_in` of the answer.
    #[must_use]
    pub const fn access_lifetime(&self) -> Duration {
        self.access_until.saturating_duration_since(self.now)
    }

    /// Signs the access token.
    pub(crate) fn sign<T: Serialize>(
        &self,
        config: &Config,
        claims: &T,
        key: &(impl SignKey + ?Sized),
    ) -> Result<String, SignError> {
        self.claims(config, claims)?.sign(key)
    }

    /// Prepares the access token for a key elsewhere.
    pub(crate) fn prepare<T: Serialize>(
        &self,
        config: &Config,
        claims: &T,
        key: &(impl Key + ?Sized),
    ) -> Result<Prepared, SignError> {
        self.claims(config, claims)?.prepare(key)
    }

    /// Builds the claims of the access token.
    fn claims<'a, T: Serialize>(
        &'a self,
        config: &Config,
        claims: &'a T,
    ) -> Result<Claims<AccessClaims<'a, T>>, SignError> {
        refuse_reserved(claims)?;
        let claims = AccessClaims {
            client_id: some(&self.row.client),
            sid: text::encode(self.row.session.as_bytes()),
            sub_epoch: self.row.subject_epoch,
            scope: some(&self.row.scope),
            cnf: Confirmation::of(&self.row.binding),
            claims,
        };
        let claims = Claims::new(claims)
            .typ(TYP)
            .issuer(&*config.issuer)
            .subject(&*self.row.subject)
            .issued_at(self.now)
            .expires_at(self.access_until)
            .jwt_id(text::encode(&self.jti));
        Ok(config.audience.iter().fold(claims, |claims, audience| claims.audience(&**audience)))
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("exchange", &self.exchange)
            .field("row", &self.row)
            .finish_non_exhaustive()
    }
}

fn some(text: &str) -> Option<&str> {
    if text.is_empty() { None } else { Some(text) }
}

/// Rejects caller claims that would impersonate the session's own. Names that the session itself writes are refused as
/// duplicates.
fn refuse_reserved<T: Serialize>(claims: &T) -> Result<(), SignError> {
    let text = serde_json::to_string(claims).map_err(|_| SignError::Serialize)?;
    if text == "null" {
        return Ok(());
    }
    let said: BTreeMap<String, IgnoredAny> =
        serde_json::from_str(&text).map_err(|_| SignError::ClaimsNotAnObject)?;
    match ["client_id", "cnf", "scope"].into_iter().find(|name| said.contains_key(*name)) {
        Some(name) => Err(SignError::DuplicateClaim { claim: Cow::Borrowed(name) }),
        None => Ok(()),
    }
}

/// The private members of an access token. Those of the caller's own type follow.
#[derive(Serialize)]
struct AccessClaims<'a, T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    sid: String,
    sub_epoch: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cnf: Option<Confirmation<'static>>,
    #[serde(flatten)]
    claims: &'a T,
}
