//! What `usher run` was told.

use std::ffi::OsString;
use std::path::PathBuf;

use super::ask::Wait;
use crate::output::{quoted, tame};

/// The options of `usher run`.
#[derive(Debug)]
pub(crate) struct Order {
    /// The product, if it was named.
    pub(crate) product: Option<String>,
    /// The lease to join.
    pub(crate) lease: Option<String>,
    /// Whether the lease was named on the command line, and not by a `usher run` around this one.
    pub(crate) lease_named: bool,
    /// The product of the `usher run` around this one, if that went without a seat.
    pub(crate) without_seat: Option<String>,
    /// The proof of that lease.
    pub(crate) proof: Option<String>,
    /// The product of the lease that the environment names, if that is the lease to join.
    pub(crate) around: Option<String>,
    /// Whether, and how long, to wait.
    pub(crate) wait: Option<Wait>,
    /// Whether a seat is taken even if the user already holds one for the same use.
    pub(crate) own_seat: bool,
    /// Seats to take.
    pub(crate) seats: u32,
    /// Further products and seats of each.
    pub(crate) also: Vec<(String, u32)>,
    /// Place in the queue before arrival counts.
    pub(crate) priority: i8,
    /// How long the lease lives without renewal, if that is given.
    pub(crate) ttl_seconds: Option<u32>,
    /// The user that the seat counts for, if it is not the user who runs this.
    pub(crate) user: Option<String>,
    /// The computer that the seat is used on, if it is not this one.
    pub(crate) computer: Option<String>,
    /// The agent's socket, if it was named.
    pub(crate) agent_socket: Option<PathBuf>,
    /// The command and its arguments.
    pub(crate) words: Vec<OsString>,
}

impl Order {
    /// The same command line, waiting for a seat. A token is not repeated: others may read what is
    /// printed.
    pub(crate) fn to_wait(&self) -> String {
        let mut words = vec!["usher".to_owned(), "run".to_owned()];
        let mut with = |option: &str, value: Option<String>| {
            if let Some(value) = value {
                words.extend([option.to_owned(), quoted(&value)]);
            }
        };
        with("--product", self.product.clone());
        with("--seats", (self.seats != 1).then(|| self.seats.to_string()));
        for (product, seats) in &self.also {
            with("--also", Some(format!("{product}={seats}")));
        }
        with("--ttl", self.ttl_seconds.map(|ttl| format!("{ttl}s")));
        with(
            "--priority",
            (self.priority != 0).then(|| self.priority.to_string()),
        );
        with("--user", self.user.clone());
        with("--computer", self.computer.clone());
        let socket = self.agent_socket.as_ref();
        with("--agent-socket", socket.map(|it| it.display().to_string()));
        words.extend(self.own_seat.then(|| "--own-seat".to_owned()));
        words.extend(["--wait".to_owned(), "--".to_owned()]);
        let command = self.words.iter();
        words.extend(command.map(|word| quoted(&word.to_string_lossy())));
        tame(&words.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_advised_to_wait_is_all_that_was_asked_for_but_the_token() {
        let plain = Order {
            product: Some("cad".into()),
            lease: None,
            lease_named: false,
            without_seat: None,
            proof: None,
            around: None,
            wait: None,
            own_seat: false,
            seats: 1,
            also: Vec::new(),
            priority: 0,
            ttl_seconds: None,
            user: None,
            computer: None,
            agent_socket: None,
            words: vec!["/opt/cad/cad".into(), "a file".into()],
        };
        insta::assert_snapshot!(plain.to_wait(), @"usher run --product cad --wait -- /opt/cad/cad 'a file'");
        let own = Order {
            own_seat: true,
            seats: 2,
            also: vec![("pack".into(), 3)],
            priority: -5,
            ttl_seconds: Some(90),
            user: Some("anna".into()),
            computer: Some("pc7".into()),
            agent_socket: Some("/run/a.sock".into()),
            ..plain
        };
        insta::assert_snapshot!(own.to_wait(), @"usher run --product cad --seats 2 --also pack=3 --ttl 90s --priority -5 --user anna --computer pc7 --agent-socket /run/a.sock --own-seat --wait -- /opt/cad/cad 'a file'");
    }
}
