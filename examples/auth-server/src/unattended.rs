//! What runs to its end though nobody waits for its answer any more.

use std::sync::Arc;
use tokio::sync::RwLock;
use tokio::task::JoinError;

/// Tasks that outlive the requests that began them, and that a server waits for before it stops.
#[derive(Default)]
pub struct Unattended(Arc<RwLock<()>>);

impl Unattended {
    /// Runs `work` in a task, which goes on if this call is dropped: its client has gone.
    ///
    /// # Errors
    ///
    /// [`JoinError`] when the work has panicked.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, JoinError> {
        // Each task reads, so that none waits for another.
        let running = self.0.clone().read_owned().await;
        tokio::spawn(async move {
            let _running = running;
            work.await
        })
        .await
    }

    /// Waits until all that was begun has come to its end.
    pub async fn ended(&self) {
        drop(self.0.write().await);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::pin::{Pin, pin};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::Poll;
    use tokio::sync::oneshot;

    /// Whether a future is ready after one look at it.
    async fn is_ready<F: Future>(mut future: Pin<&mut F>) -> bool {
        poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await
    }

    #[tokio::test]
    async fn what_a_client_has_left_goes_on_and_is_waited_for() {
        let unattended = Unattended::default();
        assert!(is_ready(pin!(unattended.ended())).await);
        let (release, released) = oneshot::channel();
        let done = Arc::new(AtomicBool::new(false));
        let told = done.clone();
        {
            let call = pin!(unattended.run(async move {
                released.await.unwrap();
                told.store(true, Ordering::SeqCst);
            }));
            assert!(!is_ready(call).await);
        }
        let mut ended = pin!(unattended.ended());
        assert!(!is_ready(ended.as_mut()).await);
        release.send(()).unwrap();
        ended.await;
        assert!(done.load(Ordering::SeqCst));
    }
}
