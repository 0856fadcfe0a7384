//! What waits for the writer is bounded.

use std::sync::Arc;

use usher_core::ledger::{Command, ComputerRef, Report, ReportItem};

use super::*;
use crate::queue::requests::{Answer, Sink};
use crate::queue::weight::bytes_of;

struct Nowhere;

impl Sink for Nowhere {
    fn deliver(&self, _: &mut Vec<(u64, Result<Answer, Failure>)>) {}
}

/// A report with a text of so many bytes.
fn report(bytes: usize) -> Item {
    let command = Command::Report(Box::new(Report {
        computer: ComputerRef {
            key: "c1".into(),
            candidate: 1,
        },
        name: "c1".into(),
        document: " ".repeat(bytes).into(),
        incarnation: 1,
        items: vec![(1, ReportItem::Nothing)],
    }));
    Item::Request(Request {
        work: Work::Command(command),
        sink: Arc::new(Nowhere),
        token: 0,
    })
}

fn put(inbox: &mut Inbox, item: Item) -> Option<Item> {
    let bytes = bytes_of(&item);
    inbox.take_in(item, bytes)
}

#[test]
fn what_waits_is_bounded_in_bytes_and_gives_them_back() {
    const LARGE: usize = 1 << 20;
    let mut inbox = Inbox::default();
    let mut taken = 0;
    while put(&mut inbox, report(LARGE)).is_none() {
        taken += 1;
    }
    assert!(taken > 100 && taken * LARGE <= QUEUE_LIMIT_BYTES, "{taken}");
    assert!(
        put(&mut inbox, report(1_000)).is_none(),
        "smaller ones fit still"
    );
    inbox.came(taken + 1);
    assert_eq!(inbox.drain(2).len(), 2);
    assert!(put(&mut inbox, report(LARGE)).is_none());
    inbox.came(1);
    inbox.drain(taken);
    assert_eq!(inbox.bytes, 0);
    assert!(
        put(&mut inbox, report(QUEUE_LIMIT_BYTES)).is_none(),
        "it waits alone"
    );
    assert!(put(&mut inbox, report(1)).is_some());
}

#[test]
fn what_waits_is_bounded_in_number() {
    let mut inbox = Inbox::default();
    let mut taken = 0;
    while put(&mut inbox, Item::Settle(Box::new(|_| {}))).is_none() {
        taken += 1;
    }
    assert_eq!(taken, QUEUE_LIMIT);
}
