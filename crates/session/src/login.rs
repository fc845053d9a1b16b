//! The description of a session at login.

use crate::binding::Binding;
use crate::error::{Error, Refusal};
use alloc::string::String;
use core::cmp::Ordering;
use countersign::http::Scope;

/// The limit for subjects, clients and labels. Longer ones are mistakes, or attempts to fill a disk.
const NAME_BYTES: usize = 1024;
/// The limit for `scope`. Every access token contains it, and a token has to fit into a header line.
const SCOPE_BYTES: usize = 4096;

/// A login of a subject with verified credentials, and the description of its session.
///
/// # Examples
///
/// ```
/// use countersign_session::{Binding, Login};
///
/// let login = Login::new("user123")
///     .label("Firefox on Linux")
///     .scope("read write")
///     .binding(Binding::fingerprint("the cookie's value"));
/// ```
#[derive(Clone, Debug)]
#[must_use = "a login does nothing until it is handed to `login`"]
pub struct Login {
    pub(crate) subject: String,
    pub(crate) label: String,
    pub(crate) scope: String,
    pub(crate) client: String,
    pub(crate) binding: Binding,
    pub(crate) epoch: Option<u64>,
}

impl Login {
    /// Creates a login of `subject` (`sub`): a name that is never given to another user, up to 1,024 bytes, without a zero
    /// byte.
    pub fn new(subject: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            label: String::new(),
            scope: String::new(),
            client: String::new(),
            binding: Binding::None,
            epoch: None,
        }
    }

    /// Sets a name by which the user recognises the session in a list: up to 1,024 bytes.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Sets the scope of the access tokens (`scope`): names separated by one space
    /// ([RFC 6749 section 3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3)), up to 4,096 bytes.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = scope.into();
        self
    }

    /// Sets the client that begins the session (`client_id`), if there are several: up to 1,024 bytes.
    pub fn client_id(mut self, client: impl Into<String>) -> Self {
        self.client = client.into();
        self
    }

    /// Sets the binding that requests must present together with the session's tokens.
    pub const fn binding(mut self, binding: Binding) -> Self {
        self.binding = binding;
        self
    }

    /// Sets the subject's [`epoch`](crate::Sessions::epoch) from *before* its credentials were read. If all its sessions are
    /// ended while the credentials are checked, for example by a change of the password, this login is refused.
    ///
    /// # Examples
    ///
    /// ```
    /// # use countersign_session::{Config, MasterKeys, MemoryStore, Sessions};
    /// # use countersign::{HmacKey, SecretBytes};
    /// use countersign_session::{Error, Login, Refusal, blocking};
    ///
    /// # let config = Config::builder("https://auth.example", "https://api.example").build()?;
    /// # let keys = MasterKeys::new(1, [7; 32])?;
    /// # let sessions = Sessions::new(config, keys, HmacKey::hs256(&SecretBytes::from_bytes([8; 32]))?, MemoryStore::new())?;
    /// let epoch = blocking(sessions.epoch("user123"))?;
    /// // Read the hash of the password and check it. Meanwhile, the password is changed elsewhere:
    /// blocking(sessions.revoke_all("user123"))?;
    /// let error = blocking(sessions.login(&Login::new("user123").in_epoch(epoch))).unwrap_err();
    /// assert_eq!(error.refusal(), Some(Refusal::StaleEpoch));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn in_epoch(mut self, epoch: u64) -> Self {
        self.epoch = Some(epoch);
        self
    }

    /// Checks the requested epoch against the subject's present one.
    pub(crate) fn check_epoch(&self, present: u64) -> Result<(), Error> {
        match self.epoch.unwrap_or(present).cmp(&present) {
            Ordering::Less => Err(Error::InvalidGrant(Refusal::StaleEpoch)),
            Ordering::Equal => Ok(()),
            Ordering::Greater => Err(Error::InvalidLogin { field: "epoch" }),
        }
    }

    /// Checks that the texts can be stored.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let fits = |text: &str, limit: usize| text.len() <= limit;
        let rules = [
            ("subject", is_name(&self.subject)),
            ("label", fits(&self.label, NAME_BYTES)),
            ("client_id", fits(&self.client, NAME_BYTES)),
            ("scope", is_scope(&self.scope) && fits(&self.scope, SCOPE_BYTES)),
        ];
        match rules.into_iter().find(|(_, holds)| !holds) {
            Some((field, _)) => Err(Error::InvalidLogin { field }),
            None => Ok(()),
        }
    }
}

/// Returns whether any store can hold the text in a text column: that of PostgreSQL allows all characters except NUL.
fn is_name(subject: &str) -> bool {
    !subject.is_empty() && subject.len() <= NAME_BYTES && !subject.contains('\0')
}

fn is_scope(scope: &str) -> bool {
    scope.is_empty() || Scope::new(scope).is_ok()
}
