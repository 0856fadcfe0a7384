//! Tells the user once that a server takes long to answer.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::Endpoint;

/// The function to call if an answer takes long, and whether it was called.
#[derive(Debug, Clone)]
pub(super) struct Slow {
    after: Duration,
    tell: fn(&Endpoint),
    is_told: Arc<AtomicBool>,
}

impl Slow {
    /// A function that was not called yet.
    pub(super) fn new(after: Duration, tell: fn(&Endpoint)) -> Self {
        Slow {
            after,
            tell,
            is_told: Arc::default(),
        }
    }
}

/// Awaits `answer`, which may take `wait`; calls the function once if it takes longer.
pub(super) async fn told<T>(
    slow: &Option<Slow>,
    endpoint: &Endpoint,
    wait: Duration,
    answer: impl Future<Output = T>,
) -> T {
    let mut answer = pin!(answer);
    let Some(slow) = slow
        .as_ref()
        .filter(|it| !it.is_told.load(Ordering::Relaxed))
    else {
        return answer.await;
    };
    match tokio::time::timeout(wait + slow.after, &mut answer).await {
        Ok(answered) => answered,
        Err(_) => {
            if !slow.is_told.swap(true, Ordering::Relaxed) {
                (slow.tell)(endpoint);
            }
            answer.await
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    #[tokio::test]
    async fn an_answer_that_takes_long_is_told_of_once_and_a_long_poll_after_its_own_wait() {
        static TOLD: AtomicU32 = AtomicU32::new(0);
        let count = || TOLD.load(Ordering::Relaxed);
        let endpoint = Endpoint::Url("http://a:1".into());
        let slow = |after| {
            Some(Slow::new(after, |endpoint| {
                assert_eq!(endpoint.to_string(), "http://a:1");
                TOLD.fetch_add(1, Ordering::Relaxed);
            }))
        };
        let soon = async || tokio::task::yield_now().await;
        told(&slow(HOUR), &endpoint, Duration::ZERO, soon()).await;
        told(&slow(Duration::ZERO), &endpoint, HOUR, soon()).await;
        assert_eq!(count(), 0);
        // The answer comes when it was told that there is none yet.
        let late = async || {
            while count() == 0 {
                tokio::task::yield_now().await;
            }
        };
        let slow = slow(Duration::from_millis(1));
        told(&slow, &endpoint, Duration::ZERO, late()).await;
        // Of the same client, nothing more.
        told(&slow, &endpoint, Duration::ZERO, late()).await;
        assert_eq!(count(), 1);
    }
}
