//! Requests that wait for the writer, limited in number and in bytes.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::queue::requests::{Failure, QUEUE_LIMIT, QUEUE_LIMIT_BYTES, Request, Work};
use crate::tables::journal::CommitError;

/// For how many items at most room is made before they come.
const ROOM_ITEMS: usize = 256;

/// Work on the writer's own connection; it gets the failure instead if there is no connection.
pub(crate) type Statement =
    Box<dyn FnOnce(Result<&Connection, Failure>) -> Result<(), CommitError> + Send>;
/// Told when the tables hold what was durable.
pub(crate) type Settler = Box<dyn FnMut(Result<(), Failure>) + Send>;

/// What waits for the writer.
pub(crate) enum Item {
    Request(Request),
    Statement(Statement),
    Settle(Settler),
}

#[derive(Default)]
pub(crate) struct Inbox {
    pub(crate) items: Vec<Item>,
    /// The bytes that each of `items` takes in memory, about.
    weights: VecDeque<usize>,
    /// The sum of `weights`, in bytes.
    bytes: usize,
    /// When `items` came, oldest first: an instant and how many came then.
    arrivals: VecDeque<(Instant, usize)>,
    /// Whether the writer waits and nobody has woken it yet: waking is a system call.
    pub(crate) is_awaited: bool,
    pub(crate) closing: bool,
    pub(crate) closed: bool,
}

impl Inbox {
    /// Takes an item in, if there is room for one of that size ([`bytes_of`], found before the lock
    /// was taken); what finds none.
    ///
    /// [`bytes_of`]: crate::queue::weight::bytes_of
    pub(crate) fn take_in(&mut self, item: Item, bytes: usize) -> Option<Item> {
        let has_room = self.bytes + bytes <= QUEUE_LIMIT_BYTES || self.items.is_empty();
        if !has_room || self.items.len() >= QUEUE_LIMIT {
            return Some(item);
        }
        self.items.push(item);
        self.weights.push_back(bytes);
        self.bytes += bytes;
        None
    }

    /// So many were added just now.
    pub(crate) fn came(&mut self, count: usize) {
        if count > 0 {
            self.arrivals.push_back((Instant::now(), count));
        }
    }

    /// Takes the first `count` out.
    pub(crate) fn drain(&mut self, count: usize) -> Vec<Item> {
        let mut left = count;
        while let Some((_, came)) = self.arrivals.front_mut() {
            if *came > left {
                *came -= left;
                break;
            }
            left -= *came;
            self.arrivals.pop_front();
        }
        let bytes: usize = self.weights.drain(..count).sum();
        self.bytes = self.bytes.saturating_sub(bytes);
        match count == self.items.len() {
            true => {
                // As many will come while these are served.
                let room = Vec::with_capacity(count.min(ROOM_ITEMS));
                std::mem::replace(&mut self.items, room)
            }
            false => self.items.drain(..count).collect(),
        }
    }

    /// Takes out what has waited for longer than `at_most`.
    pub(crate) fn drain_late(&mut self, at_most: Duration) -> Vec<Item> {
        let is_late = |(at, _): &&(Instant, usize)| at.elapsed() > at_most;
        let late = self.arrivals.iter().take_while(is_late);
        let count = late.map(|(_, count)| count).sum();
        self.drain(count)
    }
}

/// Answers requests that cannot be carried out.
pub(crate) fn refuse(items: Vec<Item>, failure: &Failure) {
    for item in items {
        match item {
            Item::Request(Request {
                work: Work::Command(_),
                sink,
                token,
            }) => {
                sink.deliver(&mut vec![(token, Err(failure.clone()))]);
            }
            Item::Request(Request {
                work: Work::Read(look),
                ..
            }) => {
                look(Err(failure.clone()));
            }
            Item::Statement(statement) => {
                let _ = statement(Err(failure.clone()));
            }
            Item::Settle(mut settler) => settler(Err(failure.clone())),
        }
    }
}

#[cfg(test)]
mod tests;
