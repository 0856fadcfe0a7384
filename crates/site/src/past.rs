//! What is asked of the collected history of one product: what was held, wanted and refused in a time.

use std::collections::BTreeSet;

use usher_core::replay::Past;

/// A question about the past: a product, a time, and the position of the next page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastAsked {
    /// Product id.
    pub product: String,
    /// The first instant of the time, in Unix milliseconds.
    pub from_ms: i64,
    /// The first instant after it.
    pub until_ms: i64,
    /// Where the page before ended; none: at the beginning.
    pub after: Option<PastPlace>,
}

/// Where a page ended, as its engine knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastPlace(pub(crate) Vec<i64>);

/// A page of what touches the time, in no particular order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PastPage {
    /// What was held, wanted and refused.
    pub items: Vec<Past>,
    /// Of which servers they are, by number.
    pub servers: BTreeSet<u64>,
    /// Whether anything of the product was collected, whenever it was.
    pub is_known: bool,
    /// The first that is known of any product in this page, in Unix milliseconds.
    pub first_ms: Option<i64>,
    /// Where the next page begins; none: this is the last.
    pub next: Option<PastPlace>,
}

/// A server whose history is collected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRow {
    /// The number that items name it by.
    pub number: u64,
    /// Its own id.
    pub server: String,
    /// When something new of it was last collected, in Unix milliseconds.
    pub collected_ms: i64,
}
