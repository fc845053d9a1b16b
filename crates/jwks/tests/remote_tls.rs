//! Two crypto providers of rustls in one program, neither of them installed as its default.
#![cfg(feature = "rustls")]

use countersign::Algorithm;
use countersign_jwks::RemoteKeys;
use rustls::crypto::{CryptoProvider, aws_lc_rs, ring};

#[test]
fn two_providers_of_rustls_in_one_program_cause_no_panic() {
    // Both are compiled in, so that rustls cannot choose.
    assert!(!ring::default_provider().cipher_suites.is_empty());
    assert!(!aws_lc_rs::default_provider().cipher_suites.is_empty());
    assert!(CryptoProvider::get_default().is_none());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        // It answers the handshake with something else than TLS.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/keys", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            use tokio::io::AsyncWriteExt;
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        });
        let error = RemoteKeys::builder(&url, &[Algorithm::Rs256]).start().await.unwrap_err();
        assert_eq!(error.code(), "request");
        server.await.unwrap();
    });
}
