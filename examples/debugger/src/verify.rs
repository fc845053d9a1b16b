//! Verifies a token with a key, and says which checks were made.

use crate::keys::{Pasted, Verifying};
use crate::text::token_in;
use core::time::Duration;
use countersign::{Algorithm, Keys, PolicyError, UnixTime, Unverified, Verifier, VerifyError, jws};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
pub(crate) struct Request {
    token: String,
    key: Pasted,
    /// Empty for a token of any issuer, audience or type.
    issuer: String,
    audience: String,
    typ: String,
    allow_missing_expiration: bool,
    /// Seconds since 1970, from the browser.
    now: f64,
}

/// Returns the verdict: `valid`, `refused`, `key` if the key cannot be used, or `none` if something has to be pasted first.
pub(crate) fn verify(request: &Request) -> Value {
    let text = token_in(&request.token);
    if text.is_empty() || request.key.is_empty() {
        return json!({ "verdict": "none" });
    }
    let algorithm = match Unverified::parse(&text).and_then(|token| token.unverified_algorithm()) {
        Ok(algorithm) => algorithm,
        Err(error) => return refused(&error, false, &[]),
    };
    let Verifying { keys, notes } = match request.key.verifying(algorithm) {
        Ok(verifying) => verifying,
        Err(refusal) => {
            return json!({ "verdict": "key", "code": refusal.code, "text": refusal.text });
        }
    };
    if let Err(error) = jws::MessageVerifier::new(keys.clone()).verify(&text) {
        return refused(&error, false, &notes);
    }
    let verifier = match request.verifier(keys) {
        Ok(verifier) => verifier,
        Err(error) => return json!({ "verdict": "key", "code": error.code(), "text": error.to_string() }),
    };
    match verifier.at(seconds(request.now)).verify::<()>(&text) {
        Ok(_) => json!({
            "verdict": "valid",
            "checked": request.checked(algorithm, verifier.leeway()),
            "unchecked": request.unchecked(),
            "notes": notes,
        }),
        Err(error) => refused(&error, true, &notes),
    }
}

impl Request {
    fn verifier(&self, keys: Keys) -> Result<Verifier, PolicyError> {
        let mut builder = Verifier::builder(keys);
        builder =
            if self.issuer.is_empty() { builder.accept_any_issuer() } else { builder.issuer(&self.issuer) };
        builder = if self.audience.is_empty() {
            builder.accept_any_audience()
        } else {
            builder.audience(&self.audience)
        };
        builder = if self.typ.is_empty() { builder.accept_any_typ() } else { builder.typ(&self.typ) };
        if self.allow_missing_expiration {
            builder = builder.allow_missing_expiration();
        }
        builder.build()
    }

    fn checked(&self, algorithm: Algorithm, leeway: Duration) -> Vec<String> {
        let mut checked = vec![
            format!("the signature, with {algorithm}"),
            format!("exp, nbf and iat, with {} seconds of leeway", leeway.as_secs()),
        ];
        for (name, value) in self.expected() {
            if !value.is_empty() {
                checked.push(format!("{name} is {value:?}"));
            }
        }
        checked
    }

    fn unchecked(&self) -> Vec<&'static str> {
        self.expected().into_iter().filter(|(_, value)| value.is_empty()).map(|(name, _)| name).collect()
    }

    fn expected(&self) -> [(&'static str, &str); 3] {
        [("iss", &self.issuer), ("aud", &self.audience), ("typ", &self.typ)]
    }
}

fn refused(error: &VerifyError, signature_valid: bool, notes: &[String]) -> Value {
    json!({
        "verdict": "refused",
        "code": error.code(),
        "text": error.to_string(),
        "signature_valid": signature_valid,
        "notes": notes,
    })
}

/// Converts the browser's time. It is far below the 2^53 from which on numbers are not exact.
#[allow(clippy::as_conversions)]
fn seconds(now: f64) -> UnixTime {
    UnixTime::from_secs(now as i64)
}
