//! Runs callers with their store calls in a chosen order, for all possible orders.

use crate::contract::kit::Violation;
use crate::denial::DenyKey;
use crate::error::StoreError;
use crate::id::SessionId;
use crate::machine::Loaded;
use crate::row::Row;
use crate::store::{Store, Swap};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::sync::atomic::{AtomicU8, Ordering};
use core::task::Poll;
use countersign::UnixTime;

/// A turnstile before every store call of one caller. It lets one call through per step.
#[derive(Clone, Default)]
pub(crate) struct Turnstile(Arc<AtomicU8>);

const CLOSED: u8 = 0;
const OPEN: u8 = 1;
const WAITING: u8 = 2;

impl Turnstile {
    async fn pass(&self) {
        poll_fn(|_| {
            if self.0.compare_exchange(OPEN, CLOSED, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
                return Poll::Ready(());
            }
            self.0.store(WAITING, Ordering::SeqCst);
            Poll::Pending
        })
        .await;
    }

    fn open(&self) {
        self.0.store(OPEN, Ordering::SeqCst);
    }

    fn is_waited_at(&self) -> bool {
        self.0.load(Ordering::SeqCst) == WAITING
    }
}

/// A store in which each call waits at a turnstile.
pub(crate) struct SteppedStore<'a, S> {
    store: &'a S,
    turnstile: Turnstile,
}

impl<'a, S> SteppedStore<'a, S> {
    pub(crate) const fn new(store: &'a S, turnstile: Turnstile) -> Self {
        Self { store, turnstile }
    }
}

impl<S: Store> Store for SteppedStore<'_, S> {
    async fn load(&self, session: SessionId) -> Result<Option<Loaded>, StoreError> {
        self.turnstile.pass().await;
        self.store.load(session).await
    }

    async fn insert(&self, row: &Row) -> Result<Swap, StoreError> {
        self.turnstile.pass().await;
        self.store.insert(row).await
    }

    async fn compare_and_swap(&self, expected: u64, row: &Row) -> Result<Swap, StoreError> {
        self.turnstile.pass().await;
        self.store.compare_and_swap(expected, row).await
    }

    async fn list(&self, subject: &str) -> Result<Vec<Row>, StoreError> {
        self.turnstile.pass().await;
        self.store.list(subject).await
    }

    async fn epoch(&self, subject: &str) -> Result<u64, StoreError> {
        self.turnstile.pass().await;
        self.store.epoch(subject).await
    }

    async fn bump_epoch(&self, subject: &str) -> Result<u64, StoreError> {
        self.turnstile.pass().await;
        self.store.bump_epoch(subject).await
    }

    async fn deny(&self, keys: &[DenyKey], until: UnixTime) -> Result<(), StoreError> {
        self.turnstile.pass().await;
        self.store.deny(keys, until).await
    }

    async fn is_denied(&self, keys: &[DenyKey]) -> Result<bool, StoreError> {
        // The denylist query of an exchange about its own session takes the same step as the load before it. That saves
        // equivalent orders: only a denial changes the result, and a denial between the two calls is the same as one before
        // both.
        if !keys.iter().any(DenyKey::is_of_session) {
            self.turnstile.pass().await;
        }
        self.store.is_denied(keys).await
    }

    async fn purge(&self, now: UnixTime) -> Result<(), StoreError> {
        self.turnstile.pass().await;
        self.store.purge(now).await
    }
}

/// A call in progress, which advances one store call at a time.
pub(crate) struct Caller<'a, R> {
    turnstile: Turnstile,
    call: Pin<Box<dyn Future<Output = R> + 'a>>,
    outcome: Option<R>,
}

impl<'a, R> Caller<'a, R> {
    /// Creates a caller. Its store calls wait at `turnstile`.
    pub(crate) fn new(turnstile: Turnstile, call: impl Future<Output = R> + 'a) -> Self {
        Self { turnstile, call: Box::pin(call), outcome: None }
    }

    pub(crate) const fn is_done(&self) -> bool {
        self.outcome.is_some()
    }

    /// Lets the call make one store call, and runs it to its next store call or to its end.
    pub(crate) async fn step(&mut self) {
        self.turnstile.open();
        let (turnstile, call, outcome) = (&self.turnstile, &mut self.call, &mut self.outcome);
        poll_fn(|context| match call.as_mut().poll(context) {
            Poll::Ready(value) => {
                *outcome = Some(value);
                Poll::Ready(())
            }
            Poll::Pending if turnstile.is_waited_at() => Poll::Ready(()),
            // The store itself waits, and wakes this task.
            Poll::Pending => Poll::Pending,
        })
        .await;
    }
}

/// Iterates over all orders of steps.
#[derive(Default)]
pub(crate) struct Orders {
    /// At each step, the index chosen and the number of choices.
    choices: Vec<(usize, usize)>,
    depth: usize,
}

impl Orders {
    /// Lets the callers make their steps in this order, and returns the result of each.
    pub(crate) async fn run<R>(&mut self, mut callers: Vec<Caller<'_, R>>) -> Result<Vec<R>, Violation> {
        self.depth = 0;
        loop {
            let waiting: Vec<usize> = callers
                .iter()
                .enumerate()
                .filter_map(|(number, caller)| (!caller.is_done()).then_some(number))
                .collect();
            if waiting.is_empty() {
                break;
            }
            let next = waiting.get(self.choose(waiting.len())).and_then(|number| callers.get_mut(*number));
            if let Some(caller) = next {
                caller.step().await;
            }
        }
        Ok(callers.into_iter().filter_map(|caller| caller.outcome).collect())
    }

    fn choose(&mut self, count: usize) -> usize {
        let depth = self.depth;
        self.depth = depth.saturating_add(1);
        match self.choices.get(depth) {
            Some((choice, _)) => *choice,
            None => {
                self.choices.push((0, count));
                0
            }
        }
    }

    /// Advances to the next order, if there is one.
    pub(crate) fn advance(&mut self) -> bool {
        self.choices.truncate(self.depth);
        while let Some((choice, count)) = self.choices.pop() {
            let next = choice.saturating_add(1);
            if next < count {
                self.choices.push((next, count));
                return true;
            }
        }
        false
    }
}
