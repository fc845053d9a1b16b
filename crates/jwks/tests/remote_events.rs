//! The events of the crate `tracing`.

mod util;

use core::fmt::{Debug, Write};
use countersign_jwks::Response;
use std::sync::{Arc, Mutex};
use tokio::time::advance;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::with_default;
use tracing::{Event, Metadata, Subscriber};
use util::{Answer, Idp, Time, builder, key, paused, seconds, set, settle, token, verifier};

/// Keeps each event of this crate as a line: level, message, and the other fields.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// Returns the lines since the last call.
    fn take(&self) -> Vec<String> {
        core::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("countersign_jwks")
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => write!(self.0, " {value:?}").unwrap(),
            name => write!(self.0, " {name}={value:?}").unwrap(),
        }
    }
}

#[test]
fn events_tell_of_fetches_their_results_and_skipped_entries() {
    let log = Log::default();
    with_default(log.clone(), || {
        paused(async {
            let (one, two) = (key("one"), key("two"));
            let body = set(&[&one]).replacen('[', r#"[{"kty":"RSA","kid":"broken"},"#, 1);
            let idp = Idp::new(Answer::Response(Response::new(200, body).with_header("ETag", "\"a\"")));
            let keys = builder(&idp, &Time::new()).start().await.unwrap();
            let lines = log.take();
            assert_eq!(lines.len(), 4, "{lines:#?}");
            assert_eq!(lines[0], "DEBUG fetch of a key set started attempt=1");
            assert!(
                lines[1]
                    .starts_with("WARN entry of a key set skipped position=0 kid=Some(\"broken\") reason=")
            );
            assert_eq!(lines[2], "INFO fetch of a key set succeeded keys=1 skipped=1");
            assert_eq!(lines[3], "INFO keys replaced keys=1");

            let verifier = verifier(&keys);
            for (answer, expected) in [
                (Answer::Response(Response::new(304, "")), ["DEBUG key set is not modified"].as_slice()),
                (
                    Answer::Down,
                    &["WARN fetch of a key set failed error=the request failed: connection refused"],
                ),
                (
                    Answer::Response(Response::new(200, set(&[&two]))),
                    &["INFO fetch of a key set succeeded keys=1 skipped=0", "INFO keys replaced keys=1"],
                ),
            ] {
                idp.answers(answer);
                advance(seconds(21)).await;
                settle().await;
                verifier.verify::<()>(&token(&key("unknown"))).await.unwrap_err();
                assert_eq!(log.take()[1..], *expected);
            }
            // The keys reach the hard age in an outage.
            idp.answers(Answer::Down);
            for _ in 0..13 * 60 {
                advance(seconds(60)).await;
                settle().await;
            }
            assert!(log.take().contains(&"INFO keys replaced keys=0".to_owned()));
        });
    });
}

#[test]
fn events_hold_nothing_of_a_token() {
    let log = Log::default();
    with_default(log.clone(), || {
        paused(async {
            let idp = Idp::with_keys(&[&key("one")]);
            let keys = builder(&idp, &Time::new()).start().await.unwrap();
            let verifier = verifier(&keys);
            let texts = [token(&key("one")), token(&key("secret-kid"))];
            for text in &texts {
                advance(seconds(21)).await;
                settle().await;
                verifier.verify::<()>(text).await.unwrap_err();
            }
            let told = log.take().join("\n");
            assert!(told.contains("attempt=2"), "{told}");
            for part in texts.iter().flat_map(|text| text.split('.')).chain(["secret-kid", "ann"]) {
                assert!(!told.contains(part), "{part}");
            }
        });
    });
}
