//! An HTTP server on this machine that answers as a test says.

use core::pin::Pin;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Context, Poll};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// A request that has arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) target: String,
    headers: hyper::HeaderMap,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

pub(crate) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Body,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), body: Body::Text(Some(body.into())) }
    }

    pub(crate) fn json(body: impl Into<String>) -> Self {
        Self::new(200, body).with("content-type", "application/json")
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Replaces the body by one without an end, and counts what is sent.
    pub(crate) fn endless(mut self, sent: &Arc<AtomicUsize>) -> Self {
        self.body = Body::Endless(sent.clone());
        self
    }

    /// Ends after the first byte, without an end of the response.
    pub(crate) fn stalled(mut self) -> Self {
        self.body = Body::Stalled(false);
        self
    }
}

enum Body {
    Text(Option<String>),
    Endless(Arc<AtomicUsize>),
    Stalled(bool),
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut *self {
            Self::Text(text) => Poll::Ready(text.take().map(|text| Ok(Frame::data(text.into())))),
            Self::Endless(sent) => {
                let chunk = Bytes::from_static(&[b' '; 16 * 1024]);
                sent.fetch_add(chunk.len(), Ordering::Relaxed);
                Poll::Ready(Some(Ok(Frame::data(chunk))))
            }
            Self::Stalled(true) => Poll::Pending,
            Self::Stalled(begun) => {
                *begun = true;
                Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"{")))))
            }
        }
    }
}

type Answers = Box<dyn FnMut(&Seen) -> Reply + Send>;

#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) origin: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    answers: Arc<Mutex<Answers>>,
}

impl Server {
    pub(crate) async fn start(answers: impl FnMut(&Seen) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let server = Self { origin, seen: Arc::default(), answers: Arc::new(Mutex::new(Box::new(answers))) };
        let serving = server.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let server = serving.clone();
                tokio::spawn(async move {
                    let service = service_fn(move |request| {
                        let reply = server.reply(&request);
                        async move { Ok::<_, Infallible>(reply) }
                    });
                    // A client that closes the connection early is an error here, and often the point of the test.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        server
    }

    pub(crate) fn answers(&self, answers: impl FnMut(&Seen) -> Reply + Send + 'static) {
        *self.answers.lock().unwrap() = Box::new(answers);
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn targets(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.target).collect()
    }

    fn reply(&self, request: &hyper::Request<Incoming>) -> hyper::Response<Body> {
        let seen = Seen { target: request.uri().to_string(), headers: request.headers().clone() };
        let reply = (self.answers.lock().unwrap())(&seen);
        self.seen.lock().unwrap().push(seen);
        let mut response = hyper::Response::builder().status(reply.status);
        for (name, value) in reply.headers {
            response = response.header(name, value);
        }
        response.body(reply.body).unwrap()
    }
}
