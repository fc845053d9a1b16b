//! Where a key set is, and one fetch of it.

use crate::address;
use crate::error::Error;
use crate::fetch::{Fetch, Request, Response};
use core::error::Error as StdError;
use core::time::Duration;
use tokio::time::Instant;
use url::Url;

/// For keys ([RFC 7517 section 8.5.2](https://www.rfc-editor.org/rfc/rfc7517#section-8.5.2)).
const KEYS: &str = "application/jwk-set+json, application/json";
const JSON: &str = "application/json";

/// What was configured.
#[derive(Clone, Debug)]
pub(crate) enum Location {
    KeySet(Url),
    /// With its text, because the URL may be another spelling.
    Issuer(String, Url),
}

/// A fetch that failed, with the values of `Retry-After`.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: Error,
    pub(crate) retry_after: Vec<Vec<u8>>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, retry_after: Vec::new() }
    }
}

/// The members of a metadata document that are used
/// ([RFC 8414 section 2](https://www.rfc-editor.org/rfc/rfc8414#section-2)).
#[derive(serde::Deserialize)]
struct Metadata {
    issuer: Option<String>,
    jwks_uri: Option<String>,
}

/// Sends the requests of one fetch.
pub(crate) struct Fetcher<'a> {
    pub(crate) client: &'a dyn Fetch,
    pub(crate) most_bytes: usize,
    pub(crate) begun: Instant,
    /// For all requests of the fetch.
    pub(crate) limit: Duration,
}

impl Fetcher<'_> {
    /// Returns the address of the key set. Fetches the metadata if an issuer was configured.
    pub(crate) async fn find(&self, location: &Location) -> Result<Url, Failure> {
        let (text, issuer) = match location {
            Location::KeySet(url) => return Ok(url.clone()),
            Location::Issuer(text, url) => (text, url),
        };
        let [first, second] = address::metadata(issuer);
        let response = self.get(&first, JSON, None).await?;
        let response = match response.status {
            // Another one may be there. Not so after an error of the server, or 429.
            400..=428 | 430..=499 => {
                let other = self.get(&second, JSON, None).await?;
                // If there is none either, report the usual one.
                if other.status == 200 { other } else { response }
            }
            _ => response,
        };
        let body = ok(response)?.body;
        Ok(jwks_uri(&body, text, issuer)?)
    }

    /// Fetches the key set. The status is 200, or 304 if a tag was sent.
    pub(crate) async fn key_set(&self, url: &Url, tag: Option<&str>) -> Result<Response, Failure> {
        let response = self.get(url, KEYS, tag).await?;
        if response.status == 304 && tag.is_some() { Ok(response) } else { ok(response) }
    }

    async fn get(&self, url: &Url, accept: &'static str, tag: Option<&str>) -> Result<Response, Failure> {
        let timeout = self.limit.saturating_sub(self.begun.elapsed());
        let request =
            Request { url: url.as_str(), accept, if_none_match: tag, most_bytes: self.most_bytes, timeout };
        let response = self
            .client
            .fetch(request)
            .await
            .map_err(|error| Error::Request { message: with_sources(&*error) })?;
        if response.body.len() > self.most_bytes {
            return Err(Error::TooLarge { limit: self.most_bytes }.into());
        }
        Ok(response)
    }
}

fn ok(response: Response) -> Result<Response, Failure> {
    if response.status == 200 {
        return Ok(response);
    }
    // Other statuses have no `Retry-After` that means this.
    let waits = matches!(response.status, 429 | 503);
    let retry_after =
        if waits { response.values("retry-after").map(<[u8]>::to_vec).collect() } else { Vec::new() };
    Err(Failure { error: Error::Status { status: response.status }, retry_after })
}

/// Reads the metadata of this issuer.
fn jwks_uri(body: &[u8], configured: &str, issuer: &Url) -> Result<Url, Error> {
    let not_metadata = |problem| Error::NotMetadata { problem };
    match body.trim_ascii_start().first() {
        Some(b'{') => {}
        Some(b'<') => return Err(not_metadata("it is HTML or XML: check the issuer")),
        _ => return Err(not_metadata("it is not a JSON object")),
    }
    let metadata: Metadata = serde_json::from_slice(body)
        .map_err(|_| not_metadata("it is not JSON, or issuer or jwks_uri is not one string"))?;
    let found = metadata.issuer.ok_or_else(|| not_metadata("it has no issuer"))?;
    if found != configured {
        let found = found.chars().take(200).collect();
        return Err(Error::IssuerMismatch { configured: configured.into(), found });
    }
    let address = metadata.jwks_uri.ok_or_else(|| not_metadata("it has no jwks_uri"))?;
    address::jwks_uri(&address, issuer)
}

/// Joins the messages of an error and its sources, because that of an HTTP client alone says little.
fn with_sources(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
