//! The tower layer.

use crate::authenticate::{Authenticate, authenticate};
use crate::refused::Refused;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use http::header::{ACCESS_CONTROL_REQUEST_METHOD, ORIGIN};
use http::request::Parts;
use http::{Method, Request, Response};
use tower_layer::Layer;
use tower_service::Service;

/// A tower layer: only requests with a good token reach the service.
///
/// The verified token is in the extensions of the request, as the [`Authenticate::Token`] for claims of the type `()`: a
/// [`Token<()>`](countersign::Token) for a [`Verifier`](countersign::Verifier). It has the registered claims, and
/// [`payload`](countersign::Token::payload) has all of them. In axum, let handlers that need claims take a
/// [`Bearer`](crate::Bearer) instead.
///
/// `B` is the body of the responses. The layer makes one from text for each refusal, unless
/// [`with_response`](Self::with_response) makes the refusals. A service has one boxed future for each request.
///
/// # Examples
///
/// ```
/// use countersign::{HmacKey, SecretBytes, Token, Verifier};
/// use countersign_tower::BearerLayer;
/// use http::{Request, Response};
/// use std::convert::Infallible;
/// use tower::{Layer, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let service = service_fn(|request: Request<()>| async move {
///     let token = request.extensions().get::<Token<()>>().expect("the layer has verified it");
///     Ok::<_, Infallible>(Response::new(format!("Hello, {:?}.", token.subject())))
/// });
///
/// let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
/// let verifier = Verifier::builder(key).issuer("https://auth.example").audience("https://api.example").build()?;
/// let guarded = BearerLayer::new(verifier).layer(service);
///
/// let response = guarded.oneshot(Request::new(())).await?;
/// assert_eq!(response.status(), 401);
/// assert_eq!(response.headers()["www-authenticate"], "Bearer");
/// # Ok(())
/// # }
/// ```
pub struct BearerLayer<A, B> {
    gate: Gate<A, B>,
}

impl<A, B: From<&'static str>> BearerLayer<A, B> {
    /// Makes a layer with this verifier, for responses with a body that can be made from text.
    #[must_use]
    pub fn new(verifier: A) -> Self {
        Self::with_response(verifier, Response::from)
    }
}

impl<A, B> BearerLayer<A, B> {
    /// Makes a layer with this verifier that answers refused requests with `response`, e.g. in the format of your other errors.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::Verifier;
    /// use countersign_tower::{BearerLayer, Refused};
    /// use http::Response;
    ///
    /// fn problem(refused: Refused) -> Response<String> {
    ///     let body = format!(r#"{{"status":{},"code":"{}"}}"#, refused.challenge().status(), refused.code());
    ///     // Keep the status and the headers.
    ///     let mut response = Response::<&str>::from(refused).map(|_| body);
    ///     response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/problem+json"));
    ///     response
    /// }
    ///
    /// fn layer(verifier: Verifier) -> BearerLayer<Verifier, String> {
    ///     BearerLayer::with_response(verifier, problem)
    /// }
    /// ```
    #[must_use]
    pub const fn with_response(verifier: A, response: fn(Refused) -> Response<B>) -> Self {
        Self { gate: Gate { verifier, response, preflight: Preflight::Refused } }
    }

    /// Lets CORS preflight requests through without a token: `OPTIONS` with `Origin` and `Access-Control-Request-Method`.
    ///
    /// A browser sends no token with them. It is not needed if the layer for CORS is around this one and answers them, which is
    /// better: see [the manual](crate::manual).
    ///
    /// # Security
    ///
    /// Any program can send such a request, so the service must not act on `OPTIONS`. Its request has no token in its extensions.
    #[must_use]
    pub fn allow_preflight(mut self) -> Self {
        self.gate.preflight = Preflight::Allowed;
        self
    }
}

impl<A: Clone, B, S> Layer<S> for BearerLayer<A, B> {
    type Service = BearerService<S, A, B>;

    fn layer(&self, inner: S) -> Self::Service {
        BearerService { inner, gate: self.gate.clone() }
    }
}

impl<A: Clone, B> Clone for BearerLayer<A, B> {
    fn clone(&self) -> Self {
        Self { gate: self.gate.clone() }
    }
}

impl<A: fmt::Debug, B> fmt::Debug for BearerLayer<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BearerLayer").field("verifier", &self.gate.verifier).finish_non_exhaustive()
    }
}

/// A service that gets only requests with a good token. [`BearerLayer`] makes it.
pub struct BearerService<S, A, B> {
    inner: S,
    gate: Gate<A, B>,
}

impl<S, A, B, R> Service<Request<R>> for BearerService<S, A, B>
where
    S: Service<Request<R>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    A: Authenticate<(), Token: Clone + Send + Sync + 'static> + Clone + 'static,
    R: Send + 'static,
    B: 'static,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<R>) -> Self::Future {
        let gate = self.gate.clone();
        // The clone need not be ready, so it is for the next call.
        let clone = self.inner.clone();
        let mut inner = core::mem::replace(&mut self.inner, clone);
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            if !gate.lets_through(&parts) {
                let found = gate.verifier.find_token(&parts);
                match authenticate::<(), A>(&gate.verifier, found, &parts).await {
                    Ok(token) => parts.extensions.insert(token),
                    Err(refused) => return Ok((gate.response)(refused)),
                };
            }
            inner.call(Request::from_parts(parts, body)).await
        })
    }
}

impl<S: Clone, A: Clone, B> Clone for BearerService<S, A, B> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), gate: self.gate.clone() }
    }
}

impl<S: fmt::Debug, A: fmt::Debug, B> fmt::Debug for BearerService<S, A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BearerService")
            .field("inner", &self.inner)
            .field("verifier", &self.gate.verifier)
            .finish_non_exhaustive()
    }
}

/// The settings of a layer.
struct Gate<A, B> {
    verifier: A,
    response: fn(Refused) -> Response<B>,
    preflight: Preflight,
}

#[derive(Clone, Copy)]
enum Preflight {
    Allowed,
    Refused,
}

impl<A, B> Gate<A, B> {
    fn lets_through(&self, request: &Parts) -> bool {
        matches!(self.preflight, Preflight::Allowed)
            && request.method == Method::OPTIONS
            && request.headers.contains_key(ORIGIN)
            && request.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
    }
}

// `derive` would ask for `B: Clone`.
impl<A: Clone, B> Clone for Gate<A, B> {
    fn clone(&self) -> Self {
        Self { verifier: self.verifier.clone(), ..*self }
    }
}
