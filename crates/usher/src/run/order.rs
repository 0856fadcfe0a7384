//! What `usher run` was told.

use std::ffi::OsString;
use std::path::PathBuf;

use super::ask::Wait;
use crate::output::{quoted, tame};

/// What `usher run` was told.
#[derive(Debug)]
pub(crate) struct Order {
    /// The product, where it was named.
    pub(crate) product: Option<String>,
    /// The lease to join.
    pub(crate) lease: Option<String>,
    /// Whether the lease was named on the command line, and not by a `usher run` around this one.
    pub(crate) lease_named: bool,
    /// The product of the `usher run` around this one, if that went without a seat.
    pub(crate) without_seat: Option<String>,
    /// The proof of that lease.
    pub(crate) proof: Option<String>,
    /// The product of the lease that the environment names, where that is the lease to join.
    pub(crate) around: Option<String>,
    /// Whether, and how long, to wait.
    pub(crate) wait: Option<Wait>,
    /// Whether a seat is taken also if who asks holds one for the same use already.
    pub(crate) own_seat: bool,
    /// Seats to take.
    pub(crate) seats: u32,
    /// Further products and seats of each.
    pub(crate) also: Vec<(String, u32)>,
    /// Place in the queue before arrival counts.
    pub(crate) priority: i8,
    /// How long the lease lives without renewal, where it is said.
    pub(crate) ttl_seconds: Option<u32>,
    /// Who is counted, where it is not who asks.
    pub(crate) user: Option<String>,
    /// Where, where it is not here.
    pub(crate) computer: Option<String>,
    /// The agent's socket, where it was named.
    pub(crate) agent_socket: Option<PathBuf>,
    /// The command and its arguments.
    pub(crate) words: Vec<OsString>,
}

impl Order {
    /// The same command line, waiting for a seat. A token is not repeated: others may read what is
    /// printed.
    pub(crate) fn to_wait(&self) -> String {
        let mut words = vec!["usher".to_owned(), "run".to_owned()];
        if let Some(product) = &self.product {
            words.extend(["--product".to_owned(), quoted(product)]);
        }
        if self.seats != 1 {
            words.extend(["--seats".to_owned(), self.seats.to_string()]);
        }
        for (product, seats) in &self.also {
            words.extend(["--also".to_owned(), quoted(&format!("{product}={seats}"))]);
        }
        words.extend(["--wait".to_owned(), "--".to_owned()]);
        let command = self.words.iter();
        words.extend(command.map(|word| quoted(&word.to_string_lossy())));
        tame(&words.join(" "))
    }
}
