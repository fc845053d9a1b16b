//! The authentication server.

use auth_server::config::{Config, LogFormat};
use auth_server::routes::router;
use auth_server::server::Server;
use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// How long the server waits, before it stops, for requests in progress and for ends of sessions without a client.
const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("auth-server: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let config = Config::from_environment()?;
    match config.log {
        LogFormat::Json => tracing_subscriber::fmt().json().init(),
        LogFormat::Text => tracing_subscriber::fmt().init(),
    }
    let server = Arc::new(Server::start(&config).await?);
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|error| format!("AUTH_LISTEN: {}: {error}", config.listen))?;
    tracing::info!(address = %listener.local_addr()?, algorithm = ?config.algorithm, "listening");
    tokio::spawn({
        let server = server.clone();
        async move { server.housekeeping().await }
    });
    tokio::spawn({
        let server = server.clone();
        async move { server.rotate_in_time().await }
    });
    let app = router(server.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let asked = Arc::new(tokio::sync::Notify::new());
    let told = asked.clone();
    let serve = axum::serve(listener, app).with_graceful_shutdown(async move {
        asked_to_stop().await;
        tracing::info!("stopping");
        told.notify_one();
    });
    let served = async {
        serve.await?;
        server.unattended.ended().await;
        Ok::<(), std::io::Error>(())
    };
    tokio::select! {
        result = served => result?,
        // Stops even if a client never finishes.
        () = async { asked.notified().await; tokio::time::sleep(PATIENCE).await } => {}
    }
    Ok(())
}

async fn asked_to_stop() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        _ = interrupt => {}
        () = terminate => {}
    }
}
