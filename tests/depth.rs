//! How deep a claims type can make the reader go: never deeper than the limit, not even a type that ignores errors and reads
//! on at whatever place the reader stopped.

mod util;

use countersign::{Limits, Unverified, VerifyError};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use util::depth::{Depth, Lenient};
use util::{NOW, jwt, lax};

/// Reads `text` into a type whose member `x` ignores errors of `X`, with and without `flatten`, verified and not, and
/// asserts that no level beyond the limit is ever entered.
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
            // Whatever is wrong with the text itself is said, as it is without such a type.
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
            // An escape that does not exist ends the string for the reader, not for whoever counts brackets in text.
            reads_within_the_limit::<String>(&format!(r#"{{"x":"\q,"y":{deep}"#));
            reads_within_the_limit::<String>(&format!(r#"{{"x":"\q,"y":{deep}"}}"#));
            reads_within_the_limit::<String>(&format!("{{\"x\":\"\n,\"y\":{deep}\"}}"));
            reads_within_the_limit::<f64>(&format!(r#"{{"x":1e999,"y":{deep}}}"#));
        }
        // Good JSON. A key that is not a number leaves the reader inside of the key, so that text and structure are
        // exchanged from there on.
        reads_within_the_limit::<BTreeMap<u32, u8>>(&format!(r#"{{"x":{{",":":{open}"}}}}"#));
        reads_within_the_limit::<BTreeMap<i64, u8>>(&format!(r#"{{"x":{{",":":{open}{close}"}}}}"#));
        reads_within_the_limit::<BTreeMap<bool, u8>>(&format!(r#"{{"x":{{"t,":":{open}"}}}}"#));
        reads_within_the_limit::<BTreeMap<bool, u8>>(&format!(r#"{{"x":{{"t":1,":":":{open}"}}}}"#));
    }
}
