//! `cnf`: the binding inside an access token ([RFC 7800](https://www.rfc-editor.org/rfc/rfc7800)).

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
    /// Returns the `cnf` of a token of a session with this binding.
    pub(crate) fn of(binding: &Binding) -> Option<Self> {
        let (fingerprint, jkt) = match binding {
            Binding::None => return None,
            Binding::Fingerprint(hash) => (text::encode(hash).into(), Cow::default()),
            Binding::KeyThumbprint(hash) => (Cow::default(), text::encode(hash).into()),
        };
        Some(Self { fingerprint, jkt })
    }

    /// Returns the binding that the token requires. `None` unless it is exactly one that this crate supports: no other can be
    /// checked, so the token must be refused.
    pub(crate) fn binding(self) -> Option<Binding> {
        match (&*self.fingerprint, &*self.jkt) {
            (hash, "") => text::decode(hash).map(Binding::Fingerprint),
            ("", hash) => text::decode(hash).map(Binding::KeyThumbprint),
            _ => None,
        }
    }
}
