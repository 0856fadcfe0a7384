//! `holders`: who holds seats now, who waits, and what is idle.

use usher_api::{Report, ReportName, Timestamp};

use crate::asked::Asked;
use crate::draft::Draft;

/// What `holders` is made from: what the servers say now.
#[derive(Debug, Clone, Default)]
pub struct HoldersInput {
    /// The seats of each product.
    pub products: Vec<SeatsNow>,
    /// Who holds them, and who runs the product without a seat.
    pub held: Vec<Held>,
    /// Who waits.
    pub waiting: Vec<Waiting>,
}

/// The seats of a product now, over all servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeatsNow {
    /// Product id.
    pub product: String,
    /// Seats that may be in use; none if a server does not say it.
    pub seats: Option<u64>,
    /// Seats in use, those that are only kept included.
    pub in_use: u64,
    /// Seats that are only kept for somebody's next start.
    pub kept: u64,
    /// Programs that run without a seat.
    pub unseated: u64,
    /// Requests that wait.
    pub waiting: u64,
}

/// Somebody who holds seats, or runs the product without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The server's name.
    pub server: String,
    /// Product id.
    pub product: String,
    /// The name of the person.
    pub user: String,
    /// The computer's name.
    pub computer: String,
    /// Seats; 0 without a seat.
    pub seats: u64,
    /// Since when.
    pub since: Timestamp,
    /// What it is held as.
    pub held_as: HeldAs,
    /// For how long nobody has touched the program; none if nobody knows it.
    pub idle_seconds: Option<u64>,
}

/// What a seat is held as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldAs {
    /// A lease that is in use.
    InUse,
    /// A lease that is only kept for the person's next start.
    Kept,
    /// A session without a seat.
    Unseated,
}

/// Somebody who waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The server's name.
    pub server: String,
    /// Product id.
    pub product: String,
    /// The name of the person.
    pub user: String,
    /// The computer's name.
    pub computer: String,
    /// Seats asked for.
    pub seats: u64,
    /// Place in the queue, from 1.
    pub position: u64,
    /// Since when; none if the server does not say it.
    pub since: Option<Timestamp>,
}

/// Who holds seats now, who waits, and which seats are idle.
pub fn holders(asked: &Asked, input: HoldersInput) -> Report {
    let _ = input;
    Draft::new(ReportName::Holders, "Holders now").report(asked)
}
