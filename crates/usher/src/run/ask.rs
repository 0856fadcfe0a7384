//! Which seats a command asks for, and how long it waits for them.

use std::borrow::Cow;
use std::time::Duration;

use tokio::time::Instant;
use usher_api::{AlsoWanted, CheckoutRequest, ProgramFacts};

use crate::time;

/// How long to wait in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// Until a seat comes.
    Forever,
    /// At most for this long.
    For(Duration),
}

impl Wait {
    /// Reads the value of `--wait`.
    pub(crate) fn read(text: &str) -> Result<Wait, String> {
        match text {
            "forever" | "true" => Ok(Wait::Forever),
            _ => time::duration(text).map(Wait::For),
        }
    }

    /// How much is left of a wait that began then; `None`: it never ends.
    pub(super) fn left(self, begun: Instant) -> Option<Duration> {
        match self {
            Wait::For(how_long) => Some(how_long.saturating_sub(begun.elapsed())),
            Wait::Forever => None,
        }
    }
}

/// What a waiting command does while no server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Away {
    /// It waits only until it is sure that none answers: the product may run without a seat, and
    /// does.
    Run,
    /// It waits for the server, too, as long as for a seat.
    Wait,
}

/// The request of a command.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    /// Product id.
    pub(crate) product: String,
    /// Further products and seats of each: all, or none.
    pub(crate) also: Vec<(String, u32)>,
    /// The user that the seat counts for.
    pub(crate) user: String,
    /// The computer that the seat is used on.
    pub(crate) computer: String,
    /// How many seats.
    pub(crate) seats: u32,
    /// How long the lease lives without renewal, if that is given.
    pub(crate) ttl_seconds: Option<u32>,
    /// Place in the queue before arrival counts.
    pub(crate) priority: i8,
    /// The command that is started, for the history.
    pub(crate) program: Option<String>,
    /// Whether, and how long, to wait.
    pub(crate) wait: Option<Wait>,
    /// When the request was first made.
    pub(crate) begun: Instant,
    /// What to do while no server answers, if the command waits.
    pub(crate) away: Away,
    /// Whether the agent may answer with a lease that is already held for the same use.
    pub(crate) one_use: bool,
}

impl Ask {
    /// All products that are asked for, the one that is started first.
    pub(super) fn products(&self) -> impl Iterator<Item = &str> {
        let also = self.also.iter().map(|(product, _)| product.as_str());
        std::iter::once(self.product.as_str()).chain(also)
    }

    /// The path of the request.
    pub(super) fn path(&self) -> &'static str {
        match self.one_use {
            true => "/v1/checkouts?one_use=true",
            false => "/v1/checkouts",
        }
    }

    /// Whether there is a wait of any length.
    pub(super) fn waits(&self) -> bool {
        !matches!(self.wait, None | Some(Wait::For(Duration::ZERO)))
    }

    /// How much of the wait is left, if it is ever over.
    pub(super) fn time_left(&self) -> Option<Duration> {
        self.wait.and_then(|wait| wait.left(self.begun))
    }

    /// The request's body; `wait`: whether to wait if there is no seat.
    pub(super) fn request(&self, wait: bool) -> CheckoutRequest<'_> {
        CheckoutRequest {
            product: Cow::Borrowed(&self.product),
            also: self
                .also
                .iter()
                .map(|(product, seats)| AlsoWanted {
                    product: Cow::Borrowed(product),
                    seats: *seats,
                })
                .collect(),
            user: Cow::Borrowed(&self.user),
            computer: Cow::Borrowed(&self.computer),
            seats: self.seats,
            wait,
            ttl_seconds: self.ttl_seconds,
            priority: self.priority,
            program: self.program.as_deref().map(|name| ProgramFacts {
                name: Some(Cow::Borrowed(name)),
                version: None,
            }),
            subject: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_for_ever_or_as_long_as_said() {
        assert_eq!(Wait::read("forever"), Ok(Wait::Forever));
        assert_eq!(Wait::read("5m"), Ok(Wait::For(Duration::from_secs(300))));
        assert!(Wait::read("soon").is_err());
    }
}
