//! Counts allocations: an extractor allocates what its verifier does.
#![cfg(feature = "axum")]

#[path = "../../../tests/util/counting.rs"]
mod counting;
mod util;

use axum_core::extract::FromRequestParts;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use countersign::Verifier;
use countersign_tower::{Bearer, Guard, Refused};
use counting::allocations;
use http::Request;
use http::request::Parts;
use util::{User, bearer, key_of, token, verifier};

fn parts(authorization: &str) -> Parts {
    Request::get("/").header("authorization", authorization).body(()).unwrap().into_parts().0
}

/// Runs a future that does not wait.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the verifier waits"),
    }
}

#[test]
fn the_extractor_allocates_what_the_verifier_allocates() {
    let (verifier, text) = (verifier(), token());
    let guard = Guard::new(verifier.clone());
    let mut parts = parts(&bearer());
    verifier.verify::<User>(&text).unwrap();
    let alone = allocations(|| verifier.verify::<User>(&text).unwrap());
    assert!(alone > 0);
    let extracted = allocations(|| now(Bearer::<User>::from_request_parts(&mut parts, &verifier)).unwrap());
    assert_eq!(extracted, alone);
    let guarded =
        allocations(|| now(Bearer::<User, Guard<Verifier>>::from_request_parts(&mut parts, &guard)).unwrap());
    assert_eq!(guarded, alone);
}

#[test]
fn a_refused_token_allocates_once_for_its_reason() {
    let verifier = verifier();
    let forged = util::claims(&[]).sign(&key_of(8)).unwrap();
    let mut parts = parts(&format!("Bearer {forged}"));
    assert!(verifier.verify::<User>(&forged).is_err());
    let refuse = |parts: &mut Parts| -> Refused {
        now(Bearer::<User>::from_request_parts(parts, &verifier)).unwrap_err()
    };
    let alone = allocations(|| verifier.verify::<User>(&forged).is_err());
    assert_eq!(allocations(|| refuse(&mut parts)), alone + 1);
}
