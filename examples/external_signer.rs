//! Signs in two steps, with a private key that is elsewhere: here in a thread that plays the HSM.
//!
//! ```sh
//! cargo run --example external_signer
//! ```

use core::time::Duration;
use countersign::{Algorithm, Claims, Identity, PrivateKey, PublicKey, SignKey, Verifier};
use std::sync::mpsc::{Receiver, Sender, channel};

/// Bytes to sign, and where the signature goes.
type Request = (Vec<u8>, Sender<Vec<u8>>);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (hsm, requests) = channel();
    let (publish, published) = channel();
    std::thread::spawn(move || play_hsm(&requests, &publish));
    let public = PublicKey::from_pem(&published.recv()?)?.rs256()?.with_key_id("slot-9c")?;

    // All that is known here of the private key: its algorithm and its name.
    let key = Identity::new(Algorithm::Rs256).with_key_id("slot-9c")?;
    let prepared = Claims::registered()
        .issuer("https://auth.example")
        .subject("user123")
        .expires_in(Duration::from_secs(15 * 60))
        .prepare(&key)?;

    // Any call will do, blocking or awaited: bytes go out, a signature comes back.
    let (reply, signature) = channel();
    hsm.send((prepared.signing_input().to_vec(), reply))?;
    let signature = signature.recv()?;

    // Checked with the public key, so that a wrong slot shows here and not at the recipient.
    let text = prepared.finish_checked(&signature, &public)?;
    println!("token:    {text}\n");

    let verifier = Verifier::builder(public).issuer("https://auth.example").no_audience().build()?;
    println!("verified: {}", verifier.verify::<()>(&text)?.payload());
    Ok(())
}

/// Makes a key that never leaves this thread, and signs whatever is asked.
fn play_hsm(requests: &Receiver<Request>, publish: &Sender<String>) {
    let key = PrivateKey::generate_rsa(2048).and_then(|key| key.rs256()).expect("randomness");
    publish
        .send(
            key.verifying_key().public_key().expect("a key made of numbers").to_pem().expect("a public key"),
        )
        .expect("someone to listen");
    for (input, reply) in requests {
        // A request that fails gets no answer: its sender sees the channel closed.
        if let Ok(signature) = key.sign_bytes(&input) {
            let _ = reply.send(signature.as_bytes().to_vec());
        }
    }
}
