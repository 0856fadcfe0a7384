//! Turns of work that keeps cores busy: as much of it at once as there are cores.
//!
//! Each turn has a core of its own, and a second one if that is free. Who finds none waits a while,
//! and only so many wait.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many wait for a turn at the most; one more is turned away at once.
const WAITING_LIMIT: usize = 8;
/// How long a turn is waited for.
pub(crate) const WAIT: Duration = Duration::from_secs(20);
/// The cores of one turn at the most.
const CORES_LIMIT: usize = 2;

/// Turns of work that keeps cores busy.
pub(crate) struct Turns {
    cores: Arc<Semaphore>,
    waiting: Semaphore,
}

/// A turn: the cores are others' when it is dropped.
pub(crate) struct Turn(Vec<OwnedSemaphorePermit>);

impl Turn {
    /// How many threads may work at once.
    pub(crate) fn threads(&self) -> usize {
        self.0.len().max(1)
    }
}

impl Default for Turns {
    /// With as many cores as the computer lets this process use.
    fn default() -> Turns {
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        Turns::with(cores)
    }
}

impl Turns {
    fn with(cores: usize) -> Turns {
        Turns {
            cores: Arc::new(Semaphore::new(cores)),
            waiting: Semaphore::new(WAITING_LIMIT),
        }
    }

    /// The next turn; none: too many wait, or none was free for as long as may be waited.
    pub(crate) async fn next(&self) -> Option<Turn> {
        self.next_within(WAIT).await
    }

    async fn next_within(&self, wait: Duration) -> Option<Turn> {
        let first = match self.cores.clone().try_acquire_owned() {
            Ok(core) => core,
            Err(_) => {
                let _place = self.waiting.try_acquire().ok()?;
                let core = self.cores.clone().acquire_owned();
                tokio::time::timeout(wait, core).await.ok()?.ok()?
            }
        };
        let mut held = vec![first];
        while held.len() < CORES_LIMIT
            && let Ok(core) = self.cores.clone().try_acquire_owned()
        {
            held.push(core);
        }
        Some(Turn(held))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_turn_has_two_cores_if_they_are_free_and_the_next_waits_for_one() {
        let turns = Turns::with(3);
        let first = turns.next().await.unwrap();
        let second = turns.next().await.unwrap();
        assert_eq!((first.threads(), second.threads()), (2, 1));
        let (third, ()) = tokio::join!(turns.next(), async { drop(first) });
        assert_eq!(third.map(|turn| turn.threads()), Some(2));
    }

    #[tokio::test]
    async fn who_waits_in_vain_is_turned_away_and_so_are_those_beyond_the_limit() {
        let turns = Arc::new(Turns::with(1));
        let held = turns.next().await;
        let wait = Duration::from_millis(100);
        let waiting: Vec<_> = (0..WAITING_LIMIT)
            .map(|_| {
                let turns = turns.clone();
                tokio::spawn(async move { turns.next_within(wait).await.is_some() })
            })
            .collect();
        tokio::task::yield_now().await;
        let hour = Duration::from_secs(3_600);
        let beyond = turns.next_within(hour).await;
        assert!(beyond.is_none(), "one more than may wait");
        for one in waiting {
            assert!(!one.await.unwrap());
        }
        drop(held);
        assert!(turns.next().await.is_some());
    }
}
