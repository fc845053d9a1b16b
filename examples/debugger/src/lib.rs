//! What the page asks: to show a token, to verify it with a key, to make one, to make a key. [`answer`] takes a request and returns
//! an answer, both as JSON.
//!
//! The page draws the answer as text. All text in an answer that comes from a token is [visible](text::visible).

#![cfg_attr(not(target_arch = "wasm32"), forbid(unsafe_code))]
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::panic_in_result_fn,
        clippy::string_slice,
        clippy::unwrap_used
    )
)]

mod inspect;
mod keys;
mod make;
mod members;
mod text;
mod verify;

use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Request {
    Inspect(inspect::Request),
    Verify(verify::Request),
    Make(make::Request),
    Generate(make::KeyRequest),
}

/// Answers a request of the page. A request that is not well-formed is answered with an error, too.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen::prelude::wasm_bindgen)]
#[must_use]
pub fn answer(request: &str) -> String {
    match serde_json::from_str(request) {
        Ok(Request::Inspect(request)) => inspect::inspect(&request),
        Ok(Request::Verify(request)) => verify::verify(&request),
        Ok(Request::Make(request)) => make::make(&request).unwrap_or_else(refusal),
        Ok(Request::Generate(request)) => make::generate(&request).unwrap_or_else(refusal),
        Err(error) => json!({ "error": { "code": "request", "text": error.to_string() } }),
    }
    .to_string()
}

/// Why a key or a token cannot be made: the code of the crate's error, or of this page, and its text.
struct Refusal {
    code: &'static str,
    text: String,
}

fn refusal(Refusal { code, text }: Refusal) -> Value {
    json!({ "error": { "code": code, "text": text } })
}

impl From<countersign::KeyError> for Refusal {
    fn from(error: countersign::KeyError) -> Self {
        Self { code: error.code(), text: error.to_string() }
    }
}

impl From<countersign::SignError> for Refusal {
    fn from(error: countersign::SignError) -> Self {
        Self { code: error.code(), text: error.to_string() }
    }
}
