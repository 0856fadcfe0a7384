//! What blocks beside the loops: so much at a time, and none of it for longer than somebody waits.
//!
//! A turn belongs to the work, not to who asked for it: work whose asker has given up keeps its
//! turn until it ends, so that no more runs than there are turns.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;
use usher_store::{Failure, Interrupt};

/// How often to check whether an answer can still come.
const LOOK: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Readers {
    turns: Arc<Semaphore>,
    /// How long to wait for a turn.
    patience: Duration,
}

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotRead<E> {
    /// No turn came free in time.
    NoTurn,
    /// The work panicked.
    Panicked,
    /// The work took too long; it is told to end.
    TooLong,
    /// No answer can be expected, for this reason.
    InTheWay(E),
    /// The work itself failed.
    Failed(Failure),
}

impl Readers {
    /// Turns for so many pieces of work at a time.
    pub(crate) fn new(turns: usize, patience: Duration) -> Readers {
        Readers {
            turns: Arc::new(Semaphore::new(turns)),
            patience,
        }
    }

    /// Runs `work` on a thread for blocking work, for `at_most`; `in_the_way` is asked from time to
    /// time why no answer can be expected. Queries of work that nobody waits for any more are
    /// ended.
    pub(crate) async fn run<T: Send + 'static, E>(
        &self,
        at_most: Duration,
        in_the_way: impl Fn() -> Option<E>,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, NotRead<E>> {
        let turn = self.turns.clone().acquire_owned();
        let Ok(Ok(turn)) = tokio::time::timeout(self.patience, turn).await else {
            return Err(NotRead::NoTurn);
        };
        let nobody_waits = SetAtDrop(Interrupt::default());
        let interrupt = nobody_waits.0.clone();
        let mut work = tokio::task::spawn_blocking(usher_vital::RequestId::carried(move || {
            let _turn = turn;
            usher_vital::catch("what a request reads", || interrupt.during(work))
        }));
        let until = Instant::now() + at_most;
        loop {
            let look = (Instant::now() + LOOK).min(until);
            match tokio::time::timeout_at(look, &mut work).await {
                Ok(Ok(Ok(done))) => return done.map_err(NotRead::Failed),
                Ok(_) => return Err(NotRead::Panicked),
                Err(_) if Instant::now() >= until => return Err(NotRead::TooLong),
                Err(_) => {}
            }
            if let Some(why) = in_the_way() {
                return Err(NotRead::InTheWay(why));
            }
        }
    }
}

/// Ends the queries of the work when the requester has gone or its patience is over.
struct SetAtDrop(Interrupt);

impl Drop for SetAtDrop {
    fn drop(&mut self) {
        self.0.set();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    const LONG: Duration = Duration::from_secs(60);

    fn nothing() -> Option<()> {
        None
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_any_more_keeps_its_turn_until_it_ends() {
        let readers = Readers::new(1, Duration::from_millis(1));
        let (release, hold) = mpsc::channel::<()>();
        let work = move || {
            // It ends when the test says so.
            let _ = hold.recv();
            Ok(())
        };
        let late = readers.run(Duration::from_millis(1), nothing, work).await;
        assert_eq!(late, Err(NotRead::TooLong));
        let second = readers.run(LONG, nothing, || Ok(())).await;
        assert_eq!(second, Err(NotRead::NoTurn), "the first still runs");
        drop(release);
        let readers = Readers {
            patience: LONG,
            ..readers
        };
        assert_eq!(readers.run(LONG, nothing, || Ok(7)).await, Ok(7));
    }

    #[tokio::test]
    async fn a_panic_and_what_is_in_the_way_are_told_and_give_the_turn_back() {
        let readers = Readers::new(1, LONG);
        let panics = || -> Result<(), Failure> { panic!("as it is to") };
        let panicked = readers.run(LONG, nothing, panics).await;
        assert_eq!(panicked, Err(NotRead::Panicked));
        let (release, hold) = mpsc::channel::<()>();
        let waits = move || Ok(hold.recv().is_ok());
        let stuck = readers.run(LONG, || Some("the disk"), waits).await;
        assert_eq!(stuck, Err(NotRead::InTheWay("the disk")));
        drop(release);
        assert_eq!(readers.run(LONG, nothing, || Ok(7)).await, Ok(7));
    }
}
