//! Which request a thread works on: the lines that it logs meanwhile name it.
//!
//! A mark on the thread, set for each poll of a request's work: a request that logs nothing costs
//! two writes a poll and no text.

use std::cell::Cell;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

/// The id of a request, which its answer and the log name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestId {
    /// Made here, shown as 16 hexadecimal digits.
    Made(u64),
    /// The client's own.
    Given(Arc<str>),
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RequestId::Made(number) => write!(f, "{number:016x}"),
            RequestId::Given(text) => f.write_str(text),
        }
    }
}

thread_local! {
    static NOW: Cell<Option<RequestId>> = const { Cell::new(None) };
}

impl RequestId {
    /// The request that this thread works on; none outside of one.
    pub fn current() -> Option<RequestId> {
        // A thread that is just ending has no place for it any more.
        let current = NOW.try_with(|now| {
            let id = now.take();
            now.set(id.clone());
            id
        });
        current.ok().flatten()
    }

    /// Does a part of this request's work.
    pub fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        struct Before(Option<RequestId>);
        impl Drop for Before {
            fn drop(&mut self) {
                let _ = NOW.try_with(|now| now.set(self.0.take()));
            }
        }
        let before = NOW.try_with(|now| now.replace(Some(self.clone())));
        let _before = Before(before.unwrap_or_default());
        work()
    }

    /// Work for another thread, done for the request that this one works on.
    pub fn carried<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
        let id = RequestId::current();
        move || match id {
            Some(id) => id.during(work),
            None => work(),
        }
    }

    /// As [`RequestId::during`], for what is waited for. It is pinned by the caller: this would hold it twice.
    pub async fn through<F: Future>(&self, mut work: Pin<&mut F>) -> F::Output {
        poll_fn(|cx| self.during(|| work.as_mut().poll(cx))).await
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn a_thread_names_the_request_that_it_works_on_and_no_other() {
        assert_eq!(RequestId::current(), None);
        let (made, given) = (RequestId::Made(0xab), RequestId::Given("mine-1".into()));
        let shown = made.during(|| {
            let inner = given.during(|| RequestId::current().unwrap().to_string());
            (inner, RequestId::current().unwrap().to_string())
        });
        assert_eq!(shown, ("mine-1".into(), "00000000000000ab".into()));
        let panics = AssertUnwindSafe(|| made.during(|| panic!("in the middle")));
        assert!(catch_unwind(panics).is_err());
        assert_eq!(RequestId::current(), None);
    }

    #[test]
    fn work_that_is_carried_to_another_thread_names_its_request_there() {
        let shown = || RequestId::current().map(|id| id.to_string());
        let carried = RequestId::Made(1).during(|| RequestId::carried(shown));
        let there = std::thread::spawn(|| RequestId::Made(2).during(carried));
        assert_eq!(there.join().unwrap().as_deref(), Some("0000000000000001"));
        assert_eq!(RequestId::carried(shown)(), None);
    }

    #[test]
    fn what_is_waited_for_is_marked_while_it_runs_and_not_between() {
        let id = RequestId::Made(7);
        let work = pin!(async {
            let first = RequestId::current();
            std::future::pending::<()>().await;
            first
        });
        let mut through = pin!(id.through(work));
        let mut cx = Context::from_waker(Waker::noop());
        assert_eq!(through.as_mut().poll(&mut cx), Poll::Pending);
        assert_eq!(RequestId::current(), None);
    }
}
