//! Issuers that hold a claim of the same token, as the tenants of one service have.
//!
//! Nothing of this is in a program that does not call `issuer_template`: the policy reaches it through [`make`] alone.

use crate::claims::{ClaimedIssuers, Registered};
use crate::error::{Expected, PolicyError, VerifyError};
use crate::json;
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// The text of a template, and the name of the claim that replaces its braces.
pub(crate) type Written = (Box<str>, Box<str>);

/// The type of [`make`].
pub(crate) type Make = fn(&[Written], &[Box<str>]) -> Result<Arc<dyn ClaimedIssuers>, PolicyError>;

/// Checks the templates. `names` are the issuers that are also accepted, for the error of a wrong issuer.
pub(crate) fn make(written: &[Written], names: &[Box<str>]) -> Result<Arc<dyn ClaimedIssuers>, PolicyError> {
    let templates: Vec<Template> = written.iter().map(Template::new).collect::<Result<_, _>>()?;
    let expected = names.iter().chain(written.iter().map(|(text, _)| text)).cloned().collect();
    Ok(Arc::new(Templates { templates, expected }))
}

#[derive(Debug)]
struct Templates {
    templates: Vec<Template>,
    /// All accepted issuers, the templates with their braces.
    expected: Arc<[Box<str>]>,
}

#[derive(Debug)]
struct Template {
    before: Box<str>,
    after: Box<str>,
    claim: Box<str>,
}

impl Template {
    fn new((text, claim): &Written) -> Result<Self, PolicyError> {
        if text.is_empty() || claim.is_empty() {
            return Err(PolicyError::Empty { setting: "issuer_template" });
        }
        let wrong = |problem| PolicyError::IssuerTemplate { template: text.clone(), problem };
        let (before, rest) = text.split_once('{').ok_or_else(|| wrong("has no braces: call issuer"))?;
        let (name, after) = rest.split_once('}').ok_or_else(|| wrong("has a brace that is not closed"))?;
        if [before, name, after].iter().any(|part| part.contains(['{', '}'])) {
            return Err(wrong("has more than one pair of braces"));
        }
        if name.is_empty() {
            return Err(wrong("has no name between its braces"));
        }
        // A `/` after the host ends it. The claim of a token must not choose the host, because then anyone with a host name
        // could be the issuer.
        let path = before.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
        if path.is_none_or(|(host, _)| host.is_empty()) {
            return Err(wrong(
                "must have its braces after the host and a slash, as in https://host/{tenant}",
            ));
        }
        Ok(Self { before: before.into(), after: after.into(), claim: claim.clone() })
    }

    /// Returns the part of `issuer` in place of the braces.
    fn value<'i>(&self, issuer: &'i str) -> Option<&'i str> {
        let value = issuer.strip_prefix(&*self.before)?.strip_suffix(&*self.after)?;
        is_name(value).then_some(value)
    }
}

/// Returns whether a claim may be a part of an issuer: letters, digits, `-`, `.` and `_`, of which the first is a letter or a
/// digit.
///
/// So it holds no separator of a URL, is not `..`, and means the same with and without percent-encoding. The tenants of Entra are
/// GUIDs.
fn is_name(value: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    value.starts_with(|first: char| first.is_ascii_alphanumeric()) && value.bytes().all(plain)
}

impl Templates {
    /// Returns the number of this claim: the place of the first template with it.
    fn number(&self, claim: &str) -> Option<usize> {
        self.templates.iter().position(|template| *template.claim == *claim)
    }
}

impl ClaimedIssuers for Templates {
    fn note(&self, name: &str, payload: &str, registered: &mut Registered) {
        let Some(number) = self.number(name) else { return };
        // The value of a name with an escape is not found, so it fits no issuer.
        let value = json::value_after(payload, name);
        let value = value.and_then(|value| json::leading_text(value, payload, &mut registered.resolved));
        registered.noted.push((number, value));
    }

    fn check(&self, issuer: &str, payload: &str, registered: &Registered) -> Result<(), VerifyError> {
        let mut missing = None;
        for template in &self.templates {
            let Some(wanted) = template.value(issuer) else { continue };
            let number = self.number(&template.claim);
            match registered.noted.iter().find(|(noted, _)| Some(*noted) == number) {
                Some((_, Some(found))) if found.of(payload, &registered.resolved) == wanted => return Ok(()),
                Some(_) => {}
                None => missing = missing.or(Some(&template.claim)),
            }
        }
        Err(match missing {
            Some(claim) => VerifyError::MissingClaim { claim: Cow::Owned(String::from(&**claim)) },
            None => {
                VerifyError::WrongIssuer { expected: Expected::new(self.expected.clone()).but_found(issuer) }
            }
        })
    }
}
