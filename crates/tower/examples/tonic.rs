//! A gRPC server on tonic, with the layer in front of its services.
//!
//! ```sh
//! cargo run -p countersign-tower --example tonic
//! ```

use countersign::{Algorithm, Claims, HmacKey, PolicyError, SignError, Token, Verifier};
use countersign_tower::{BearerLayer, Refused};
use std::error::Error;
use std::time::Duration;
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::codegen::tokio_stream::Empty;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

/// The service of gRPC for health checks, in place of one of yours. It knows the service that is named as the caller.
struct Service;

#[tonic::async_trait]
impl Health for Service {
    type WatchStream = Empty<Result<HealthCheckResponse, Status>>;

    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        // The layer has put it there.
        let token = request.extensions().get::<Token<()>>().ok_or(Status::unauthenticated("no token"))?;
        if token.subject() != Some(&request.get_ref().service) {
            return Err(Status::permission_denied("another subject"));
        }
        Ok(Response::new(HealthCheckResponse { status: ServingStatus::Serving.into() }))
    }

    async fn watch(&self, _: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("only check is implemented"))
    }
}

/// Answers in the way of gRPC: with the status 200, and the code in its own header.
fn refuse(refused: Refused) -> http::Response<Body> {
    let code = match refused.challenge().status() {
        403 => Code::PermissionDenied,
        503 => Code::Unavailable,
        // A client repeats no request because of it, also if its credentials were malformed.
        _ => Code::Unauthenticated,
    };
    let mut response = Status::new(code, refused.code()).into_http();
    response.extensions_mut().insert(refused);
    response
}

pub(crate) async fn serve(listener: TcpListener, verifier: Verifier) -> Result<(), tonic::transport::Error> {
    Server::builder()
        .layer(BearerLayer::with_response(verifier, refuse))
        .add_service(HealthServer::new(Service))
        .serve_with_incoming(TcpIncoming::from(listener))
        .await
}

pub(crate) fn verifier(key: HmacKey) -> Result<Verifier, PolicyError> {
    Verifier::builder(key).issuer("https://auth.example").audience("https://api.example").build()
}

pub(crate) fn token(key: &HmacKey, subject: &str) -> Result<String, SignError> {
    Claims::registered()
        .issuer("https://auth.example")
        .audience("https://api.example")
        .subject(subject)
        .expires_in(Duration::from_secs(15 * 60))
        .sign(key)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // In production, read the secret from a secret store. The authentication server has it too.
    let key = HmacKey::generate(Algorithm::Hs256)?;
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    println!(
        "grpcurl -plaintext -H 'authorization: Bearer {}' -d '{{\"service\":\"ann\"}}' 127.0.0.1:3000 grpc.health.v1.Health/Check",
        token(&key, "ann")?
    );
    serve(listener, verifier(key)?).await?;
    Ok(())
}
