//! `cnf`: what an access token has to come with ([RFC 7800](https://www.rfc-editor.org/rfc/rfc7800)).

use crate::binding::Binding;
use crate::text;
use alloc::borrow::Cow;
use serde::{Deserialize, Serialize};

/// The value of `cnf`: one of two hashes, as base64url text.
// Empty means absent; `Option<Cow>` would not borrow.
#[derive(Serialize, Deserialize)]
pub(crate) struct Confirmation<'a> {
    /// SHA-256 of the cookie's value, named after `x5t#S256`.
    #[serde(borrow, default, rename = "fgp#S256", skip_serializing_if = "is_absent")]
    fingerprint: Cow<'a, str>,
    /// The thumbprint of a key ([RFC 9449 section 6.1](https://www.rfc-editor.org/rfc/rfc9449#section-6.1)).
    #[serde(borrow, default, skip_serializing_if = "is_absent")]
    jkt: Cow<'a, str>,
}

#[allow(clippy::ptr_arg, reason = "serde passes a reference to the field")]
fn is_absent(text: &Cow<'_, str>) -> bool {
    text.is_empty()
}

impl Confirmation<'_> {
    /// What a token of a session with this binding says.
    pub(crate) fn of(binding: &Binding) -> Option<Self> {
        let (fingerprint, jkt) = match binding {
            Binding::None => return None,
            Binding::Fingerprint(hash) => (text::encode(hash).into(), Cow::default()),
            Binding::KeyThumbprint(hash) => (Cow::default(), text::encode(hash).into()),
        };
        Some(Self { fingerprint, jkt })
    }

    /// The binding that the token demands. `None` unless it is exactly one that is understood here: any other cannot be
    /// checked, so the token must be refused.
    pub(crate) fn binding(self) -> Option<Binding> {
        match (&*self.fingerprint, &*self.jkt) {
            (hash, "") => text::decode(hash).map(Binding::Fingerprint),
            ("", hash) => text::decode(hash).map(Binding::KeyThumbprint),
            _ => None,
        }
    }
}
