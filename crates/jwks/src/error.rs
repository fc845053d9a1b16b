//! The one error type of this crate. Refused tokens have the [`VerifyError`](countersign::VerifyError) of the core.

use countersign::KeyError;
use thiserror::Error as ThisError;

/// Why a key set cannot be set up, or why a fetch of it failed.
///
/// It holds no token text, because no part of a token is in a request.
///
/// # Examples
///
/// ```
/// use countersign::Algorithm;
/// use countersign_jwks::{Error, RemoteKeys};
///
/// let error = RemoteKeys::builder("http://idp.example/keys", &[Algorithm::Rs256]).spawn().unwrap_err();
/// assert_eq!(error.code(), "address");
/// assert_eq!(
///     error.to_string(),
///     "the address \"http://idp.example/keys\" must begin with https, unless its host is this machine"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// An address that was configured, or the `jwks_uri` of a metadata document, is refused.
    #[error("the address {address:?} {problem}")]
    Address {
        /// The address.
        address: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The HTTP client cannot be made.
    #[error("the HTTP client cannot be made: {message}")]
    Client {
        /// The message of the client.
        message: String,
    },
    /// The metadata document names another issuer than the one configured
    /// ([OpenID Connect Discovery section 4.3](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationValidation)).
    /// The two must be equal byte for byte.
    #[error(
        "the metadata is of the issuer {found:?} and not of {configured:?}: configure it exactly as it is written there"
    )]
    IssuerMismatch {
        /// The issuer that was configured.
        configured: String,
        /// The issuer in the document. Not longer than 200 characters.
        found: String,
    },
    /// The list of allowed algorithms is empty.
    #[error("no algorithm is allowed: name those that the issuer signs with")]
    NoAlgorithm,
    /// No HTTP client was given, and this build has none.
    #[error("there is no HTTP client: call fetch_with, or enable the feature rustls")]
    NoClient,
    /// No tokio runtime is running here, but the task that fetches needs one.
    #[error("no tokio runtime is running on this thread: call this inside of one, such as in async code")]
    NoRuntime,
    /// The response is a JWK set, but none of its entries makes a key for the allowed algorithms. The keys from before are kept.
    #[error("no key of the set can be used for the allowed algorithms: {entries} entries were skipped")]
    NoUsableKey {
        /// The number of entries. Events say why each was skipped.
        entries: usize,
    },
    /// The response is not a JWK set.
    #[error("the response is not a key set: {0}")]
    NotAKeySet(KeyError),
    /// The response is not a metadata document.
    #[error("the response is not a metadata document: {problem}")]
    NotMetadata {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// No response came: the connection failed, or the client refused the response.
    #[error("the request failed: {message}")]
    Request {
        /// The messages of the client.
        message: String,
    },
    /// The response has a status other than 200 and 304.
    #[error("the response has the status {status} and not 200")]
    Status {
        /// The status.
        status: u16,
    },
    /// The runtime of the task has ended, or the client panicked. Keys are no longer fetched, and none are used.
    #[error("the task that fetches has ended: keep its runtime running")]
    Stopped,
    /// The response did not end in time.
    #[error("the response did not end within {seconds} s")]
    TimedOut {
        /// The limit.
        seconds: u64,
    },
    /// The response is larger than the limit.
    #[error("the response has more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
}

impl Error {
    /// Returns a stable name for logs and metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Address { .. } => "address",
            Self::Client { .. } => "client",
            Self::IssuerMismatch { .. } => "issuer_mismatch",
            Self::NoAlgorithm => "no_algorithm",
            Self::NoClient => "no_client",
            Self::NoRuntime => "no_runtime",
            Self::NoUsableKey { .. } => "no_usable_key",
            Self::NotAKeySet(_) => "not_a_key_set",
            Self::NotMetadata { .. } => "not_metadata",
            Self::Request { .. } => "request",
            Self::Status { .. } => "status",
            Self::Stopped => "stopped",
            Self::TimedOut { .. } => "timed_out",
            Self::TooLarge { .. } => "too_large",
        }
    }
}
