//! Panics that end one request, item or connection and not the process: they are counted.
//!
//! Once [`crate::install`] has run, each panic of the process is counted when it happens, also one
//! that only a runtime catches: none is in the log alone.

use std::any::Any;
use std::cell::Cell;
use std::fmt::Display;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::Poll;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::owner::with;
use crate::{ended, plant};

/// What was done panicked. The panic has been written to the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caught;

/// The panics of this process that did not end it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counted {
    /// How many there were since the process started.
    pub count: u64,
    /// When the last was, in Unix milliseconds on the wall clock.
    pub last_at_ms: i64,
    /// What was handled, and what the panic said: one line of ASCII, 255 characters at most.
    pub last: String,
}

thread_local! {
    /// The last panic of this thread is counted.
    static IS_COUNTED: Cell<bool> = const { Cell::new(false) };
}

static COUNTED: Mutex<Counted> = Mutex::new(Counted {
    count: 0,
    last_at_ms: 0,
    last: String::new(),
});

/// The panics that were caught since the process began.
pub fn counted() -> Counted {
    COUNTED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

/// Does `work`, which handles `what`.
///
/// # Errors
/// It panicked. What it shares with others must be whole all the same.
pub fn catch<T>(what: impl Display, work: impl FnOnce() -> T) -> Result<T, Caught> {
    let work = || {
        planted(&what);
        work()
    };
    catch_unwind(AssertUnwindSafe(|| with(None, work)))
        .map_err(|panic| count(&what, panic.as_ref()))
}

/// The same for what is waited for. It is pinned by the caller: this would hold it twice, and copy
/// all of it.
///
/// # Errors
/// As [`catch`].
pub async fn caught<F: Future>(
    what: impl Display,
    mut work: Pin<&mut F>,
) -> Result<F::Output, Caught> {
    poll_fn(|cx| {
        let poll = || {
            planted(&what);
            work.as_mut().poll(cx)
        };
        match catch_unwind(AssertUnwindSafe(|| with(None, poll))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(done)) => Poll::Ready(Ok(done)),
            Err(panic) => Poll::Ready(Err(count(&what, panic.as_ref()))),
        }
    })
    .await
}

/// Panics if a test has planted a panic in what is handled.
fn planted(what: &dyn Display) {
    if plant::is_possible() {
        plant::here(&what.to_string());
    }
}

/// Counts a panic as it happens; who catches it later says better what was handled.
pub(crate) fn happened(thread: &str, said: &str) {
    note(&format!("thread {thread}: {said}"), 1);
    // A thread that is just ending has no place for it any more.
    let _ = IS_COUNTED.try_with(|is_counted| is_counted.set(true));
}

fn count(what: &dyn Display, panic: &(dyn Any + Send)) -> Caught {
    let is_counted = IS_COUNTED.try_with(Cell::take).unwrap_or_default();
    note(&format!("{what}: {}", said(panic)), u64::from(!is_counted));
    Caught
}

fn note(last: &str, more: u64) {
    let mut counted = COUNTED.lock().unwrap_or_else(PoisonError::into_inner);
    counted.count += more;
    counted.last_at_ms = wall_ms();
    counted.last = ended::cut(last);
}

/// What a panic said.
pub(crate) fn said(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("it does not say why")
}

pub(crate) fn wall_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::task::{Context, Waker};

    #[test]
    fn a_panic_ends_what_it_was_in_and_is_counted_with_what_it_said() {
        assert_eq!(catch("an item", || 7), Ok(7));
        let number = 5;
        let caught_one = catch("an item", || panic!("seat {number} is nobody's"));
        assert_eq!(caught_one, Err(Caught));
        let counted = counted();
        assert_eq!(counted.last, "an item: seat 5 is nobody's");
        assert!(counted.count >= 1 && counted.last_at_ms > 0);
        let request = pin!(async { panic!("in the middle") });
        let mut work = pin!(caught("a request", request));
        let polled: Poll<Result<(), Caught>> =
            work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(polled, Poll::Ready(Err(Caught)));
    }
    #[test]
    fn what_is_caught_is_held_once() {
        let request = pin!(async {
            let room = [7_u8; 8_192];
            std::future::ready(()).await;
            room.iter().map(|byte| u64::from(*byte)).sum::<u64>()
        });
        assert!(size_of_val(&*request) >= 8_192);
        let work = caught("a request", request);
        assert!(size_of_val(&work) < 256, "{} bytes", size_of_val(&work));
    }
}
