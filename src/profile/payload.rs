//! Finds claims in the payload of a verified token. Its JSON is strict already, and no name occurs twice.

use crate::error::VerifyError;
use crate::json;
use crate::json::members::{self, Members};
use crate::numeric_date::{NumericDate, NumericDateSeed};
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use serde::de::DeserializeSeed;

/// The claims of a profile in one payload: a name, and the JSON text of its value.
pub(crate) struct Picked<'t>(Vec<(&'static str, &'t str)>);

impl<'t> Picked<'t> {
    /// Finds the claims of these names.
    pub(crate) fn of(payload: &'t str, names: &[&'static str]) -> Self {
        let members = Members::of(payload).into_iter().flatten();
        let picked = members.filter_map(|(name, value)| {
            let name = members::text(name)?;
            names.iter().find(|known| **known == name).map(|known| (*known, value))
        });
        Self(picked.collect())
    }

    /// Returns the JSON text of a claim, which may be `null`.
    pub(crate) fn value(&self, claim: &str) -> Option<&'t str> {
        self.0.iter().find(|(name, _)| *name == claim).map(|(_, value)| *value)
    }

    /// Returns a claim that must be text if it is present.
    pub(crate) fn text(&self, claim: &'static str) -> Result<Option<Cow<'t, str>>, VerifyError> {
        self.read(claim, members::text)
    }

    /// Returns a claim that must be an array of texts if it is present.
    pub(crate) fn texts(&self, claim: &'static str) -> Result<Option<Vec<String>>, VerifyError> {
        self.read(claim, members::texts)
    }

    /// Returns a claim that must be a time if it is present.
    pub(crate) fn date(&self, claim: &'static str) -> Result<Option<NumericDate>, VerifyError> {
        self.read(claim, |value| json::read(value, |reader| NumericDateSeed.deserialize(reader)).ok())
    }

    fn read<T>(
        &self,
        claim: &'static str,
        read: impl FnOnce(&'t str) -> Option<T>,
    ) -> Result<Option<T>, VerifyError> {
        let Some(value) = self.value(claim) else { return Ok(None) };
        match read(value) {
            Some(read) => Ok(Some(read)),
            None => Err(VerifyError::MalformedClaim { claim, found: Some(members::kind(value)) }),
        }
    }
}

/// Checks that a claim has one of these values. It is missing if `found` is `None`.
pub(crate) fn check(
    claim: &'static str,
    found: Option<&str>,
    allowed: impl FnOnce(&str) -> bool,
) -> Result<(), VerifyError> {
    match found {
        None => Err(VerifyError::MissingClaim { claim: Cow::Borrowed(claim) }),
        Some(found) if allowed(found) => Ok(()),
        Some(_) => Err(VerifyError::WrongClaim { claim }),
    }
}
