//! The task that fetches.

use crate::engine::{Engine, Outcome, Step};
use crate::error::Error;
use crate::fetch::Response;
use crate::loaded::Loaded;
use crate::location::{Failure, Fetcher};
use std::sync::Arc;
use tokio::time::Instant;
use url::Url;

/// The longest `ETag` that is sent back.
const LONGEST_TAG: usize = 1024;

/// Fetches the key set whenever it is due, until it is dropped.
pub(crate) async fn run(engine: Arc<Engine>) {
    let end = End(engine);
    let engine = &*end.0;
    let mut task = Task { engine, url: None, tagged: None };
    loop {
        match engine.step() {
            Step::Fetch { attempt, tag } => {
                tracing::debug!(attempt, "fetch of a key set started");
                let outcome = task.fetch(tag).await;
                engine.end(attempt, outcome);
            }
            Step::Wait { time, unknown_counts } => tokio::select! {
                () = engine.begun.notified() => {}
                () = engine.unknown.notified(), if unknown_counts => engine.ask(),
                () = tokio::time::sleep(time) => {}
            },
        }
    }
}

/// Notes the end of the task, also if its runtime ends or the client panics.
struct End(Arc<Engine>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.stop();
    }
}

struct Task<'a> {
    engine: &'a Engine,
    /// The address of the key set, once it is known. Forgotten after a failure, because the metadata may name another one by then.
    url: Option<Url>,
    /// The address that the tag is for.
    tagged: Option<Url>,
}

impl Task<'_> {
    async fn fetch(&mut self, tag: Option<String>) -> Result<Outcome, Failure> {
        let engine = self.engine;
        let limit = engine.settings.config.fetch_timeout();
        let timed_out = || Error::TimedOut { seconds: limit.as_secs() };
        let outcome = tokio::select! {
            outcome = tokio::time::timeout(limit, self.send(tag)) => outcome.unwrap_or_else(|_| Err(timed_out().into())),
            () = engine.superseded() => Err(timed_out().into()),
        };
        if outcome.is_err() {
            self.url = None;
        }
        outcome
    }

    async fn send(&mut self, tag: Option<String>) -> Result<Outcome, Failure> {
        let settings = &self.engine.settings;
        let fetcher = Fetcher {
            client: &*settings.client,
            most_bytes: settings.most_bytes,
            begun: Instant::now(),
            limit: settings.config.fetch_timeout(),
        };
        let url = match self.url.take() {
            Some(url) => url,
            None => fetcher.find(&settings.location).await?,
        };
        let tag = tag.filter(|_| self.tagged.as_ref() == Some(&url));
        let response = fetcher.key_set(&url, tag.as_deref()).await?;
        if response.status == 304 {
            self.url = Some(url);
            return Ok(Outcome::NotModified { headers: response.headers });
        }
        let last = self.engine.last().filter(|last| last.text.as_bytes() == response.body);
        let loaded = match last {
            // The same keys, so that caches of verified tokens need not be cleared.
            Some(last) => last,
            None => Arc::new(Loaded::read(&response.body, &settings.algorithms, &settings.reader)?),
        };
        self.tagged = Some(url.clone());
        self.url = Some(url);
        Ok(Outcome::Keys { loaded, tag: etag(&response), headers: response.headers })
    }
}

/// Returns the `ETag`, if there is one that can be sent back.
fn etag(response: &Response) -> Option<String> {
    let mut tags = response.values("etag");
    let (tag, None) = (tags.next()?, tags.next()) else { return None };
    let tag = core::str::from_utf8(tag).ok()?;
    (tag.len() <= LONGEST_TAG && tag.bytes().all(|byte| byte.is_ascii_graphic())).then(|| tag.into())
}
