//! Replays on several threads: each takes the next number of seats and draw until there is none.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use usher_core::replay::{Answer, Cancelled, Parameters, Prepared, SeatsResult};

use crate::kept_replays::Results;
use crate::turns::Turn;

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stopped {
    /// It was told to stop, for nobody waits for the answer any more.
    Told,
    /// It has panicked; that is in the log.
    Panicked,
}

impl From<Cancelled> for Stopped {
    fn from(_: Cancelled) -> Stopped {
        Stopped::Told
    }
}

/// The cores that work may take, and whether it is to stop.
pub(super) struct Cores {
    threads: usize,
    is_over: Arc<AtomicBool>,
}

/// Has work stop when who waits for it goes away.
struct Waits(Arc<AtomicBool>);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Does work on the cores of a turn, on threads that may block. If this future is dropped, the
/// work stops soon, and the turn ends with it.
pub(super) async fn on_cores<T: Send + 'static>(
    turn: Turn,
    work: impl FnOnce(&Cores) -> Result<T, Stopped> + Send + 'static,
) -> Result<T, Stopped> {
    let is_over = Arc::new(AtomicBool::new(false));
    let _waits = Waits(is_over.clone());
    let done = tokio::task::spawn_blocking(move || {
        let cores = Cores {
            threads: turn.threads(),
            is_over,
        };
        let done = usher_vital::catch("a what-if", || work(&cores));
        drop(turn);
        done.unwrap_or(Err(Stopped::Panicked))
    });
    done.await.unwrap_or(Err(Stopped::Panicked))
}

impl Cores {
    /// The answer of all replays, but for those numbers of seats whose results are known.
    pub(super) fn answer(
        &self,
        prepared: &Prepared,
        parameters: &Parameters,
        known: &Results,
    ) -> Result<Answer, Stopped> {
        let (kept, counts): (Vec<u32>, Vec<u32>) = parameters
            .counts()
            .into_iter()
            .partition(|seats| known.contains_key(seats));
        let kept = kept.iter().filter_map(|seats| known.get(seats)).cloned();
        let mut results: Vec<SeatsResult> = kept.collect();
        if !counts.is_empty() {
            results.extend(self.replayed(prepared, parameters, &counts)?);
        }
        results.sort_unstable_by_key(|result| result.seats);
        Ok(prepared.answer(parameters, results))
    }

    fn replayed(
        &self,
        prepared: &Prepared,
        parameters: &Parameters,
        counts: &[u32],
    ) -> Result<Vec<SeatsResult>, Stopped> {
        let draws = prepared.draws(parameters);
        let numbers: Vec<u32> = (0..draws).collect();
        let drawn = self.each(&numbers, |number| {
            Ok(prepared.draw(parameters.seed, *number))
        })?;
        let of_count = |seats: &u32| {
            let seats = *seats;
            drawn.iter().map(move |draw| (seats, draw))
        };
        let replays: Vec<_> = counts.iter().flat_map(of_count).collect();
        let figures = self.each(&replays, |(seats, draw)| {
            let mut go_on = |_: u64| !self.is_over.load(Ordering::Relaxed);
            Ok(prepared.replay(*seats, parameters, draw, &mut go_on)?)
        })?;
        // There is a draw at least, so no chunk is of nothing.
        let of_counts = figures.chunks(drawn.len().max(1));
        let results = counts.iter().zip(of_counts);
        let results = results.filter_map(|(seats, figures)| prepared.result(*seats, figures));
        Ok(results.collect())
    }

    /// What comes of each item, in their order; the first that is told to stop stops all.
    fn each<I: Sync, T: Send>(
        &self,
        items: &[I],
        one: impl Fn(&I) -> Result<T, Stopped> + Sync,
    ) -> Result<Vec<T>, Stopped> {
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            loop {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some(item) = items.get(place) else {
                    return Ok(done);
                };
                if self.is_over.load(Ordering::Relaxed) {
                    return Err(Stopped::Told);
                }
                done.push((place, one(item)?));
            }
        };
        let parts = std::thread::scope(|scope| {
            let others: Vec<_> = (1..self.threads)
                // Without them this one does all.
                .filter_map(|_| usher_vital::beside(scope, "what-if", work))
                .collect();
            let mut parts = vec![work()];
            for other in others {
                match other.join() {
                    Ok(part) => parts.push(part),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            parts
        });
        let mut all: Vec<(usize, T)> = Vec::with_capacity(items.len());
        for part in parts {
            all.extend(part?);
        }
        all.sort_unstable_by_key(|(place, _)| *place);
        Ok(all.into_iter().map(|(_, done)| done).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cores(threads: usize) -> Cores {
        Cores {
            threads,
            is_over: Arc::default(),
        }
    }

    #[test]
    fn what_comes_of_each_is_in_their_order_on_any_number_of_threads() {
        let items: Vec<u32> = (0..1_000).collect();
        for threads in [1, 2, 5] {
            let all = cores(threads).each(&items, |item| Ok(item * 2)).unwrap();
            assert!(all.iter().zip(0..).all(|(done, item)| *done == item * 2));
            assert_eq!(all.len(), items.len());
        }
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_any_more_stops() {
        let turns = crate::turns::Turns::default();
        let turn = turns.next().await.unwrap();
        let (stopped, told) = std::sync::mpsc::channel();
        let (began, begins) = tokio::sync::oneshot::channel();
        let work = on_cores(turn, move |cores| {
            let _ = began.send(());
            let items: Vec<u32> = (0..u32::MAX / 1_000).collect();
            let done = cores.each(&items, |_| {
                std::thread::yield_now();
                Ok(())
            });
            let _ = stopped.send(done.err());
            Ok(())
        });
        tokio::select! {
            _ = work => {}
            _ = begins => {}
        }
        let last = told.recv_timeout(std::time::Duration::from_secs(20));
        assert_eq!(last.unwrap(), Some(Stopped::Told));
    }

    #[tokio::test]
    async fn a_panic_ends_one_what_if_alone() {
        let turns = crate::turns::Turns::default();
        let turn = turns.next().await.unwrap();
        let done = on_cores(turn, |cores| {
            let items = [1, 2, 3];
            cores.each(&items, |item| match item {
                3 => panic!("planted"),
                item => Ok(*item),
            })
        });
        assert_eq!(done.await, Err(Stopped::Panicked));
        assert!(turns.next().await.is_some(), "the turn is over");
    }
}
