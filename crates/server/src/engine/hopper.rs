//! How requests of one core reach the ledger's writer, and how answers come back.
//!
//! Requests that arrive in one turn of the core's loop are handed over together, after the turn's
//! other work; the answers of a batch come back together, with one wake of the core. A request
//! whose asker is gone frees its place at once, and its answer is dropped when it comes. A request
//! that waits for the writer for [`WAIT_AT_MOST`] is refused as busy, and never done. One that was
//! handed to the disk is answered after [`ANSWER_SECONDS`] that its outcome is not known.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use usher_core::ledger::Command;
use usher_store::{Answer, Engine, Failure, Request, Sink, Work};

/// How long to wait for an answer of the ledger, in seconds.
pub(crate) const ANSWER_SECONDS: u32 = 30;

/// How long a request may wait to be handed to the disk. A look each second finds it: it is refused
/// within five.
const WAIT_AT_MOST: Duration = Duration::from_secs(4);

type Outcome = Result<Answer, Failure>;

/// The reason that is given if no answer came in time.
pub(crate) fn no_answer() -> Failure {
    Failure::OutcomeUnknown(format!(
        "the disk has not answered for {ANSWER_SECONDS} seconds"
    ))
}

/// The mailbox of one core, where the writer puts answers.
#[derive(Default)]
struct Mailbox {
    state: Mutex<Letters>,
}

#[derive(Default)]
struct Letters {
    answers: Vec<(u64, Outcome)>,
    waker: Option<Waker>,
}

impl Mailbox {
    fn lock(&self) -> std::sync::MutexGuard<'_, Letters> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Mailbox {
    fn deliver(&self, answers: &mut Vec<(u64, Outcome)>) {
        let waker = {
            let mut letters = self.lock();
            match letters.answers.is_empty() {
                true => std::mem::swap(&mut letters.answers, answers),
                false => letters.answers.append(answers),
            }
            letters.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

#[expect(
    clippy::large_enum_variant,
    reason = "slots are used again and again; a box would be allocated for each answer"
)]
enum State {
    Free { next: usize },
    Waiting(Option<Waker>),
    Done(Outcome),
}

struct Slot {
    /// Changes whenever the slot is freed, so that answers to former requests are recognised.
    generation: u32,
    since_second: u32,
    state: State,
}

const NONE: usize = usize::MAX;

struct Slots {
    slots: Vec<Slot>,
    free: usize,
}

impl Slots {
    fn take(&mut self, since_second: u32) -> usize {
        let state = State::Waiting(None);
        match self.free {
            NONE => {
                self.slots.push(Slot {
                    generation: 0,
                    since_second,
                    state,
                });
                self.slots.len() - 1
            }
            index => {
                let slot = &mut self.slots[index];
                if let State::Free { next } = slot.state {
                    self.free = next;
                }
                slot.since_second = since_second;
                slot.state = state;
                index
            }
        }
    }

    fn free(&mut self, index: usize) -> State {
        let next = self.free;
        let slot = &mut self.slots[index];
        slot.generation = slot.generation.wrapping_add(1);
        self.free = index;
        std::mem::replace(&mut slot.state, State::Free { next })
    }

    /// Answers requests that have waited too long: their outcome is not known.
    fn give_up(&mut self, second: u32) {
        for slot in &mut self.slots {
            let waits = matches!(slot.state, State::Waiting(_));
            if waits && second.saturating_sub(slot.since_second) > ANSWER_SECONDS {
                slot.finish(Err(no_answer()));
            }
        }
    }

    fn token(&self, index: usize) -> u64 {
        (u64::from(self.slots[index].generation) << 32) | index as u64
    }

    fn complete(&mut self, token: u64, outcome: Outcome) {
        let index = (token & u64::from(u32::MAX)) as usize;
        let Some(slot) = self.slots.get_mut(index) else {
            return;
        };
        if u64::from(slot.generation) == token >> 32 {
            slot.finish(outcome);
        }
    }
}

impl Slot {
    fn finish(&mut self, outcome: Outcome) {
        if let State::Waiting(waker) = &mut self.state {
            let waker = waker.take();
            self.state = State::Done(outcome);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

struct Inner {
    engine: Engine,
    mailbox: Arc<Mailbox>,
    sink: Arc<dyn Sink>,
    pending: RefCell<Vec<Request>>,
    flusher: RefCell<Option<Waker>>,
    slots: RefCell<Slots>,
    second: Cell<u32>,
}

/// The request queue of one core. Clones share it.
#[derive(Clone)]
pub(crate) struct Hopper {
    inner: Rc<Inner>,
}

impl Hopper {
    /// The hopper of one core. Its [`Hopper::run`] must run there.
    pub(crate) fn new(engine: Engine) -> Hopper {
        let mailbox = Arc::new(Mailbox::default());
        Hopper {
            inner: Rc::new(Inner {
                engine,
                sink: mailbox.clone(),
                mailbox,
                pending: RefCell::default(),
                flusher: RefCell::default(),
                slots: RefCell::new(Slots {
                    slots: Vec::new(),
                    free: NONE,
                }),
                second: Cell::new(0),
            }),
        }
    }

    /// Sends a command to the ledger, and waits for its answer.
    pub(crate) fn ask(&self, command: Command) -> PendingRequest {
        let inner = self.inner.clone();
        let index = {
            let mut slots = inner.slots.borrow_mut();
            let index = slots.take(inner.second.get());
            let token = slots.token(index);
            inner.pending.borrow_mut().push(Request {
                work: Work::Command(command),
                sink: inner.sink.clone(),
                token,
            });
            index
        };
        if let Some(waker) = inner.flusher.borrow_mut().take() {
            waker.wake();
        }
        PendingRequest { inner, index }
    }

    /// Hands over requests and delivers answers, for ever.
    pub(crate) async fn run(self) {
        let hand_over = self.clone().hand_over();
        let hand_back = self.hand_back();
        tokio::join!(hand_over, hand_back);
    }

    async fn hand_over(self) {
        poll_fn(|cx| {
            let mut pending = self.inner.pending.borrow_mut();
            if pending.is_empty() {
                *self.inner.flusher.borrow_mut() = Some(cx.waker().clone());
            } else {
                // A full queue is answered through the mailbox before this returns.
                let mut batch = std::mem::take(&mut *pending);
                drop(pending);
                self.inner.engine.submit(&mut batch);
                batch.clear();
                *self.inner.pending.borrow_mut() = batch;
                *self.inner.flusher.borrow_mut() = Some(cx.waker().clone());
            }
            Poll::<()>::Pending
        })
        .await;
    }

    async fn hand_back(self) {
        let mut answers = Vec::new();
        poll_fn(|cx| {
            {
                let mut letters = self.inner.mailbox.lock();
                std::mem::swap(&mut answers, &mut letters.answers);
                letters.waker = Some(cx.waker().clone());
            }
            let mut slots = self.inner.slots.borrow_mut();
            for (token, outcome) in answers.drain(..) {
                slots.complete(token, outcome);
            }
            Poll::<()>::Pending
        })
        .await;
    }

    /// Advances the coarse clock and gives up requests that have waited too long. Called once a
    /// second.
    pub(crate) fn tick(&self, second: u32) {
        self.inner.second.set(second);
        self.inner.engine.refuse_late(WAIT_AT_MOST);
        self.inner.slots.borrow_mut().give_up(second);
    }
}

/// A request that waits for its answer.
pub(crate) struct PendingRequest {
    inner: Rc<Inner>,
    index: usize,
}

impl Future for PendingRequest {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        let mut slots = self.inner.slots.borrow_mut();
        let state = &mut slots.slots[self.index].state;
        match state {
            State::Waiting(waker) => {
                *waker = Some(cx.waker().clone());
                Poll::Pending
            }
            State::Done(_) => {
                match std::mem::replace(state, State::Waiting(None)) {
                    State::Done(outcome) => Poll::Ready(outcome),
                    // It was just seen to be done.
                    _ => Poll::Pending,
                }
            }
            State::Free { .. } => Poll::Pending,
        }
    }
}

impl Drop for PendingRequest {
    fn drop(&mut self) {
        self.inner.slots.borrow_mut().free(self.index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots() -> Slots {
        Slots {
            slots: Vec::new(),
            free: NONE,
        }
    }

    #[test]
    fn an_answer_to_an_asker_who_is_gone_reaches_nobody_else() {
        let mut slots = slots();
        let first = slots.take(0);
        let former = slots.token(first);
        slots.free(first);
        let second = slots.take(0);
        assert_eq!(first, second, "a freed slot is used again");
        slots.complete(former, Err(Failure::Busy));
        assert!(matches!(slots.slots[second].state, State::Waiting(_)));
        slots.complete(slots.token(second), Err(Failure::Stopping));
        assert!(matches!(
            slots.slots[second].state,
            State::Done(Err(Failure::Stopping))
        ));
    }

    #[test]
    fn an_answer_that_comes_twice_or_for_no_slot_changes_nothing() {
        let mut slots = slots();
        let index = slots.take(0);
        let token = slots.token(index);
        slots.complete(token, Err(Failure::Busy));
        slots.complete(token, Err(Failure::Stopping));
        slots.complete(99, Err(Failure::Stopping));
        assert!(matches!(
            slots.slots[index].state,
            State::Done(Err(Failure::Busy))
        ));
    }

    #[test]
    fn who_has_waited_too_long_is_told_that_the_outcome_is_not_known() {
        let mut slots = slots();
        let early = slots.take(10);
        let late = slots.take(11);
        slots.give_up(11 + ANSWER_SECONDS);
        assert!(matches!(
            slots.slots[early].state,
            State::Done(Err(Failure::OutcomeUnknown(_)))
        ));
        assert!(matches!(slots.slots[late].state, State::Waiting(_)));
        let token = slots.token(early);
        slots.complete(token, Err(Failure::Stopping));
        assert!(
            matches!(
                slots.slots[early].state,
                State::Done(Err(Failure::OutcomeUnknown(_)))
            ),
            "an answer that comes after all changes nothing"
        );
    }
}
