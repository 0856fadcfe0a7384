//! The watch over one core's connections: it ends one when its other side dawdles.
//!
//! A request's head must come within [`HEAD_SECONDS`] of its first byte, a body within
//! [`BODY_SECONDS`], and a connection without a request ends after [`IDLE_SECONDS`]. A body that does
//! not come ends its connection, or on HTTP/2 its stream, with 408: others on it go on. One sweep a
//! second on each core looks after all of these, so that a request sets no timer.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::limits::{BODY_SECONDS, HEAD_SECONDS, IDLE_SECONDS};

/// What the sweep knows about a connection.
#[derive(Debug, Default)]
pub struct ConnectionWatch {
    second: Rc<Cell<u32>>,
    is_http2: bool,
    /// Its index among the core's connections.
    place: Cell<usize>,
    /// Requests that are being answered.
    active: Cell<u32>,
    /// The bodies that are being read: at most one for each stream.
    reading: RefCell<Vec<Rc<Coming>>>,
    /// When the first byte of an incomplete head arrived.
    head_since: Cell<Option<u32>>,
    idle_since: Cell<u32>,
    must_end: Cell<bool>,
    must_drain: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl ConnectionWatch {
    fn new(second: Rc<Cell<u32>>, is_http2: bool) -> ConnectionWatch {
        ConnectionWatch {
            idle_since: Cell::new(second.get()),
            is_http2,
            second,
            ..ConnectionWatch::default()
        }
    }

    /// The coarse clock of this thread: seconds since it began.
    pub(crate) fn second(&self) -> u32 {
        self.second.get()
    }

    /// Marks that a request is being answered until the guard is dropped.
    pub fn busy(self: &Rc<Self>) -> Busy {
        self.head_since.set(None);
        self.active.set(self.active.get() + 1);
        Busy(self.clone())
    }

    /// Marks that a body is being read until the guard is dropped.
    pub(crate) fn reading(&self) -> Reading<'_> {
        let body = Rc::new(Coming {
            since: self.second.get(),
            is_late: Cell::new(false),
            waker: RefCell::default(),
        });
        self.reading.borrow_mut().push(body.clone());
        Reading { watch: self, body }
    }

    /// Notes that bytes have arrived.
    pub(crate) fn bytes_came(&self) {
        if self.active.get() == 0 && !self.is_http2 && self.head_since.get().is_none() {
            self.head_since.set(Some(self.second.get()));
        }
    }

    /// Checks the time limits; called once a second.
    pub(crate) fn sweep(&self) {
        let now = self.second.get();
        let over = |since: u32, bound: u32| now.saturating_sub(since) > bound;
        let head = self
            .head_since
            .get()
            .is_some_and(|since| over(since, HEAD_SECONDS));
        let reading = self.reading.borrow();
        let mut late = reading.iter().filter(|body| over(body.since, BODY_SECONDS));
        let body = match self.is_http2 {
            true => {
                late.for_each(|body| body.end());
                false
            }
            false => late.next().is_some(),
        };
        let idle = self.active.get() == 0 && over(self.idle_since.get(), IDLE_SECONDS);
        if head || body || idle {
            self.end();
        }
    }

    /// Ends the connection at once.
    pub(crate) fn end(&self) {
        self.must_end.set(true);
        self.wake();
    }

    /// Ends the connection when what is in flight is answered.
    pub(crate) fn drain(&self) {
        self.must_drain.set(true);
        self.wake();
    }

    /// Whether it is to end at once.
    pub(crate) fn must_end(&self) -> bool {
        self.must_end.get()
    }

    /// Whether it is to end when what is in flight is answered.
    pub(crate) fn must_drain(&self) -> bool {
        self.must_drain.get()
    }

    /// Wakes the connection's task when it is to end; the first task stays.
    pub(crate) fn wakes(&self, cx: &Context<'_>) {
        if self.waker.borrow().is_none() {
            *self.waker.borrow_mut() = Some(cx.waker().clone());
        }
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.borrow().as_ref() {
            waker.wake_by_ref();
        }
    }
}

/// The guard of [`ConnectionWatch::busy`].
#[derive(Debug)]
pub struct Busy(Rc<ConnectionWatch>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.active.set(self.0.active.get().saturating_sub(1));
        self.0.idle_since.set(self.0.second.get());
    }
}

/// A body that is being read.
#[derive(Debug)]
struct Coming {
    since: u32,
    is_late: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Coming {
    fn end(&self) {
        self.is_late.set(true);
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }
}

/// The guard of [`ConnectionWatch::reading`].
pub(crate) struct Reading<'a> {
    watch: &'a ConnectionWatch,
    body: Rc<Coming>,
}

impl Reading<'_> {
    /// Completes if the body did not arrive in time, so that its stream ends without the others of
    /// its connection.
    pub(crate) async fn late(&self) {
        std::future::poll_fn(|cx| match self.body.is_late.get() {
            true => Poll::Ready(()),
            false => {
                *self.body.waker.borrow_mut() = Some(cx.waker().clone());
                Poll::Pending
            }
        })
        .await;
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        let mut reading = self.watch.reading.borrow_mut();
        if let Some(at) = reading.iter().position(|body| Rc::ptr_eq(body, &self.body)) {
            reading.swap_remove(at);
        }
    }
}

/// The connections of one core.
#[derive(Default)]
pub(crate) struct Connections {
    second: Rc<Cell<u32>>,
    open: RefCell<Vec<Rc<ConnectionWatch>>>,
}

impl Connections {
    /// Adds a connection, until the returned guard is dropped.
    pub(crate) fn enter(self: &Rc<Self>, is_http2: bool) -> Entered {
        let watch = Rc::new(ConnectionWatch::new(self.second.clone(), is_http2));
        let mut open = self.open.borrow_mut();
        watch.place.set(open.len());
        open.push(watch.clone());
        Entered {
            connections: self.clone(),
            watch,
        }
    }

    /// How many connections there are.
    pub(crate) fn len(&self) -> usize {
        self.open.borrow().len()
    }

    /// How many requests are being answered.
    pub(crate) fn active(&self) -> u64 {
        let open = self.open.borrow();
        open.iter().map(|watch| u64::from(watch.active.get())).sum()
    }

    /// Advances the coarse clock and checks all connections.
    pub(crate) fn sweep(&self, second: u32) {
        self.second.set(second);
        for watch in self.open.borrow().iter() {
            watch.sweep();
        }
    }

    /// Ends the connections without a request, whatever their clients do.
    pub(crate) fn end_idle(&self) {
        for watch in self.open.borrow().iter() {
            if watch.active.get() == 0 {
                watch.end();
            }
        }
    }

    /// Ends the connections without a request at once, and the others when theirs is answered.
    pub(crate) fn drain(&self) {
        for watch in self.open.borrow().iter() {
            watch.drain();
        }
    }
}

/// The guard of [`Connections::enter`].
pub(crate) struct Entered {
    connections: Rc<Connections>,
    pub(crate) watch: Rc<ConnectionWatch>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let mut open = self.connections.open.borrow_mut();
        let place = self.watch.place.get();
        open.swap_remove(place);
        if let Some(moved) = open.get(place) {
            moved.place.set(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch() -> (Rc<Cell<u32>>, Rc<ConnectionWatch>) {
        watch_of(false)
    }

    fn watch_of(is_http2: bool) -> (Rc<Cell<u32>>, Rc<ConnectionWatch>) {
        let second = Rc::new(Cell::new(100));
        (
            second.clone(),
            Rc::new(ConnectionWatch::new(second, is_http2)),
        )
    }

    #[test]
    fn a_head_that_dawdles_ends_its_connection() {
        let (second, watch) = watch();
        watch.bytes_came();
        second.set(100 + HEAD_SECONDS);
        watch.bytes_came();
        watch.sweep();
        assert!(!watch.must_end.get());
        second.set(101 + HEAD_SECONDS);
        watch.sweep();
        assert!(watch.must_end.get(), "a byte now and then is no progress");
    }

    #[test]
    fn an_answer_may_take_its_time_and_a_silent_connection_may_not() {
        let (second, watch) = watch();
        watch.bytes_came();
        let busy = watch.busy();
        second.set(10_000);
        watch.sweep();
        assert!(!watch.must_end.get());
        drop(busy);
        second.set(10_000 + IDLE_SECONDS);
        watch.sweep();
        assert!(!watch.must_end.get());
        second.set(10_001 + IDLE_SECONDS);
        watch.sweep();
        assert!(watch.must_end.get());
    }

    #[test]
    fn a_body_that_does_not_come_ends_its_connection() {
        let (second, watch) = watch();
        let _busy = watch.busy();
        let reading = watch.reading();
        second.set(101 + BODY_SECONDS);
        watch.sweep();
        assert!(watch.must_end.get());
        drop(reading);
        assert!(watch.reading.borrow().is_empty());
    }

    #[test]
    fn a_body_that_does_not_come_is_not_hidden_by_fresh_ones() {
        let (second, watch) = watch_of(true);
        let _busy = watch.busy();
        let slow = watch.reading();
        for now in 101..=100 + BODY_SECONDS {
            second.set(now);
            drop(watch.reading());
            watch.sweep();
            assert!(!slow.body.is_late.get());
        }
        second.set(101 + BODY_SECONDS);
        let fresh = watch.reading();
        watch.sweep();
        assert!(slow.body.is_late.get());
        assert!(!fresh.body.is_late.get(), "each has its own time");
        assert!(!watch.must_end.get(), "the others of the connection go on");
    }
}
