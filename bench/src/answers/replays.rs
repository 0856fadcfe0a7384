//! Work of a what-if on several threads, as a manager does it: each takes the next item until there is
//! none.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::{panic, thread};

use super::progress::Progress;

/// What comes of each item, in their order. `what` is counted for who waits.
pub(super) fn each<I: Sync, T: Send>(
    threads: usize,
    what: &str,
    items: &[I],
    one: impl Fn(&I) -> T + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let progress = Mutex::new((Progress::new(what, items.len() as u64), 0));
    let work = || {
        let mut done = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(place) else {
                return done;
            };
            done.push((place, one(item)));
            let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
            let (told, many) = &mut *progress;
            *many += 1;
            told.at(*many);
        }
    };
    let mut all = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut all = work();
        for other in others {
            all.extend(other.join().unwrap_or_else(|why| panic::resume_unwind(why)));
        }
        all
    });
    all.sort_unstable_by_key(|(place, _)| *place);
    all.into_iter().map(|(_, done)| done).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_of_each_is_in_their_order_on_any_number_of_threads() {
        let items: Vec<u32> = (0..1_000).collect();
        for threads in [1, 2, 5] {
            let all = each(threads, "doubled", &items, |item| item * 2);
            assert!(all.iter().zip(0..).all(|(done, item)| *done == item * 2));
            assert_eq!(all.len(), items.len());
        }
    }
}
