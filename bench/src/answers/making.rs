//! A page while it is made: who and what its items name.

use std::collections::HashSet;

use usher_core::usage::made_up::MadeUpSession;
use usher_site::{Ended, HistoryComputer, HistoryItem, HistoryPerson, Made, Point};

const PRODUCT: &str = "product-";

/// The id of a product that is made up, by its number.
pub(super) fn product_id(number: u32) -> String {
    format!("{PRODUCT}{number}")
}

/// The number of a product that is made up, by its id.
pub(super) fn product_number(id: &str) -> Option<u32> {
    id.strip_prefix(PRODUCT)?.parse().ok()
}

/// The id that the agent of a computer made, by the computer's number.
pub(super) fn computer_key(number: u32) -> String {
    format!("c0ffee0000000000{number:016x}")
}

/// A page while it is made.
#[derive(Default)]
pub(super) struct Making {
    pub(super) items: Vec<HistoryItem>,
    pub(super) people: Vec<HistoryPerson>,
    pub(super) computers: Vec<HistoryComputer>,
    named_people: HashSet<u32>,
    named_computers: HashSet<u32>,
    /// When the last of it ended.
    pub(super) last_ms: i64,
}

impl Making {
    /// A page names each person and each computer once.
    pub(super) fn name(&mut self, session: &MadeUpSession) {
        if self.named_people.insert(session.person) {
            let account = format!("user{:05}", session.person);
            self.people.push(HistoryPerson {
                id: session.person.to_string(),
                realm: "corp.example".to_owned(),
                name: account.clone(),
                account,
            });
        }
        if self.named_computers.insert(session.computer) {
            self.computers.push(HistoryComputer {
                id: session.computer.to_string(),
                key: computer_key(session.computer),
                name: format!("pc{:05}", session.computer),
            });
        }
    }

    /// Adds what happened to a use, by its key.
    pub(super) fn add(&mut self, session: &MadeUpSession, key: Made, what: Ended) {
        self.last_ms = session.span.until_ms;
        self.items.push(HistoryItem {
            at: Point {
                incarnation: key.incarnation,
                event: key.event,
            },
            product: product_id(session.product),
            person: session.person.to_string(),
            computer: session.computer.to_string(),
            what,
        });
    }
}
