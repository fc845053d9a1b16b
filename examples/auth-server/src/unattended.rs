//! Tasks that run to their end even if their client disconnects.

use std::sync::Arc;
use tokio::sync::RwLock;
use tokio::task::JoinError;

/// Tasks that outlive their requests. The server waits for them before it stops.
#[derive(Default)]
pub struct Unattended(Arc<RwLock<()>>);

impl Unattended {
    /// Runs `work` in a task, which continues if this call is dropped because its client disconnects.
    ///
    /// # Errors
    ///
    /// [`JoinError`] if the work panics.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, JoinError> {
        // Each task takes a read lock, so that tasks do not wait for each other.
        let running = self.0.clone().read_owned().await;
        tokio::spawn(async move {
            let _running = running;
            work.await
        })
        .await
    }

    /// Waits until all tasks that have begun are complete.
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

    /// Polls a future once, and returns whether it is ready.
    async fn is_ready<F: Future>(mut future: Pin<&mut F>) -> bool {
        poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await
    }

    #[tokio::test]
    async fn work_of_a_disconnected_client_goes_on_and_is_waited_for() {
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
