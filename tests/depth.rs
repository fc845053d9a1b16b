//! Tests that claims types cannot read deeper than the limit, even if they ignore errors and read on from the place where the
//! reader stopped.

mod util;

use countersign::{Limits, Unverified, VerifyError};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use util::depth::{Depth, Lenient};
use util::{NOW, jwt, lax};

/// Reads `text` into a type with a member `x` that ignores errors of `X`, with and without `flatten`, verified and unverified.
/// Asserts that it never enters a level beyond the limit.
#[track_caller]
fn reads_within_the_limit<X: DeserializeOwned>(text: &str) {
    #[derive(Deserialize)]
    #[serde(bound = "X: DeserializeOwned")]
    #[allow(dead_code)]
    struct Flat<X> {
        #[serde(default = "nothing")]
        x: Lenient<X>,
        #[serde(flatten)]
        others: BTreeMap<String, Depth>,
    }
    #[derive(Deserialize)]
    #[serde(bound = "X: DeserializeOwned")]
    #[allow(dead_code)]
    struct Plain<X> {
        #[serde(default = "nothing")]
        x: Lenient<X>,
        y: Option<Depth>,
        #[serde(rename = ":")]
        colon: Option<Depth>,
    }
    fn nothing<X>() -> Lenient<X> {
        Lenient(None)
    }

    let token = jwt(text);
    let unverified = Unverified::parse(&token).unwrap();
    for limit in [128, 3] {
        let verifier = lax().limits(Limits::new().with_depth(limit)).build().unwrap();
        let sound = verifier.at(NOW).verify::<()>(&token).err();
        for (read, depth) in [
            Depth::measure(|| verifier.at(NOW).verify::<Plain<X>>(&token).err()),
            Depth::measure(|| verifier.at(NOW).verify::<Flat<X>>(&token).err()),
        ] {
            assert!(depth < limit, "{depth} levels inside of the object");
            // Errors of the text are the same as without such a type.
            match sound.clone() {
                Some(error) => assert_eq!(read, Some(error)),
                None => assert!(matches!(read, None | Some(VerifyError::ClaimsMismatch { .. })), "{read:?}"),
            }
        }
    }
    for ((), depth) in [
        Depth::measure(|| drop(unverified.unverified_claims::<Plain<X>>())),
        Depth::measure(|| drop(unverified.unverified_claims::<Flat<X>>())),
    ] {
        assert!(depth < 128, "{depth} levels inside of the object");
    }
}

#[test]
fn a_type_that_ignores_errors_reads_no_deeper_than_the_limit() {
    for levels in [1, 2, 126, 127, 128, 129, 600] {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        let objects = "{\"a\":".repeat(levels);
        for deep in [open.clone(), format!("{open}{close}"), objects.clone(), format!("{objects}1")] {
            // An invalid escape ends the string for the reader, but not for the code that counts brackets in the text.
            reads_within_the_limit::<String>(&format!(r#"{{"x":"\q,"y":{deep}"#));
            reads_within_the_limit::<String>(&format!(r#"{{"x":"\q,"y":{deep}"}}"#));
            reads_within_the_limit::<String>(&format!("{{\"x\":\"\n,\"y\":{deep}\"}}"));
            reads_within_the_limit::<f64>(&format!(r#"{{"x":1e999,"y":{deep}}}"#));
        }
        // This JSON is valid. At a key that is not a number, the reader stops inside the key, so that it mistakes text for
        // structure from there on.
        reads_within_the_limit::<BTreeMap<u32, u8>>(&format!(r#"{{"x":{{",":":{open}"}}}}"#));
        reads_within_the_limit::<BTreeMap<i64, u8>>(&format!(r#"{{"x":{{",":":{open}{close}"}}}}"#));
        reads_within_the_limit::<BTreeMap<bool, u8>>(&format!(r#"{{"x":{{"t,":":{open}"}}}}"#));
        reads_within_the_limit::<BTreeMap<bool, u8>>(&format!(r#"{{"x":{{"t":1,":":":{open}"}}}}"#));
    }
}
