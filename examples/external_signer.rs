//! Signs in two steps with a private key in another place. Here, a thread plays the HSM.
//!
//! ```sh
//! cargo run --example external_signer
//! ```

use core::time::Duration;
use countersign::{Algorithm, Claims, Identity, PrivateKey, PublicKey, SignKey, Verifier};
use std::sync::mpsc::{Receiver, Sender, channel};

/// The bytes to sign, and the channel for the signature.
type Request = (Vec<u8>, Sender<Vec<u8>>);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (hsm, requests) = channel();
    let (publish, published) = channel();
    std::thread::spawn(move || play_hsm(&requests, &publish));
    let public = PublicKey::from_pem(&published.recv()?)?.rs256()?.with_key_id("slot-9c")?;

    // This side knows only the algorithm and the id of the private key.
    let key = Identity::new(Algorithm::Rs256).with_key_id("slot-9c")?;
    let prepared = Claims::registered()
        .issuer("https://auth.example")
        .subject("user123")
        .expires_in(Duration::from_secs(15 * 60))
        .prepare(&key)?;

    // Send the bytes and wait for the signature. You can use any blocking or async call.
    let (reply, signature) = channel();
    hsm.send((prepared.signing_input().to_vec(), reply))?;
    let signature = signature.recv()?;

    // Check the signature with the public key, so that a wrong slot is noticed here and not by the recipient.
    let text = prepared.finish_checked(&signature, &public)?;
    println!("token:    {text}\n");

    let verifier = Verifier::builder(public).issuer("https://auth.example").no_audience().build()?;
    let token = verifier.verify::<()>(&text)?;
    println!("verified: {}", token.payload());
    assert_eq!((token.subject(), token.header().key_id()), (Some("user123"), Some("slot-9c")));
    Ok(())
}

/// Makes a key that never leaves this thread, and signs all requests with it.
fn play_hsm(requests: &Receiver<Request>, publish: &Sender<String>) {
    let key = PrivateKey::generate_rsa(2048).and_then(|key| key.rs256()).expect("random bytes");
    publish
        .send(
            key.verifying_key()
                .public_key()
                .expect("a key made from numbers")
                .to_pem()
                .expect("a public key"),
        )
        .expect("an open channel");
    for (input, reply) in requests {
        // A request that fails gets no answer. Its sender notices that the channel is closed.
        if let Ok(signature) = key.sign_bytes(&input) {
            let _ = reply.send(signature.as_bytes().to_vec());
        }
    }
}
