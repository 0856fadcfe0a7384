//! The texts of notices.

use serde::{Deserialize, Serialize};
use usher_api::{NoticeKind, Reason};

/// What is to be said.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct News {
    pub(crate) kind: NoticeKind,
    pub(crate) product: String,
    pub(crate) product_name: String,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) decision: Option<String>,
    pub(crate) can_wait: bool,
    pub(crate) ticket: Option<String>,
}

/// Why a start was refused, as a server said; none: no server answered.
#[derive(Debug, Clone)]
pub(crate) struct Denial {
    pub(crate) reason: Reason,
    pub(crate) detail: String,
    pub(crate) decision: String,
}

impl News {
    /// The same for who waits for a seat already.
    pub(crate) fn of_who_waits(self, ticket: &str) -> News {
        News {
            text: "No seat is free. You are waiting for one, and will be told when there is one."
                .to_owned(),
            can_wait: false,
            ticket: Some(ticket.to_owned()),
            ..self
        }
    }
}

impl Denial {
    /// Whether waiting may help.
    pub(crate) fn can_wait(&self) -> bool {
        self.reason == Reason::NoSeat
    }
}

/// How a server begins to say why there is no seat of a product that has one.
const ONLY_SEAT: &str = "the only seat ";
/// How it says of seats that nobody uses them, though nobody else may.
const ONLY_KEPT: &str = " kept for somebody's next start";

/// That a start was refused.
pub(crate) fn refused(product: &str, name: &str, denial: Option<&Denial>) -> News {
    let text = match denial {
        None => "The licence server cannot be reached, and this program may not run without it. \
                 Try again in a few minutes."
            .to_owned(),
        Some(denial) if denial.can_wait() => {
            let is_only = denial.detail.starts_with(ONLY_SEAT);
            let seats = match (is_only, denial.detail.contains(ONLY_KEPT)) {
                (true, false) => "The only seat is in use",
                (true, true) => "The only seat is kept for somebody's next start",
                (false, false) => "All seats are in use",
                (false, true) => "All seats are in use or kept for somebody's next start",
            };
            format!("{seats}. Try again later, or be told when one is free.")
        }
        Some(denial) => denial.detail.clone(),
    };
    News {
        kind: NoticeKind::Refused,
        product: product.to_owned(),
        product_name: name.to_owned(),
        title: format!("{name} was not started"),
        text,
        decision: denial.map(|denial| denial.decision.clone()),
        can_wait: denial.is_some_and(Denial::can_wait),
        ticket: None,
    }
}

/// That a seat is kept for so many seconds.
pub(crate) fn free(product: &str, name: &str, seconds: u32) -> News {
    News {
        kind: NoticeKind::Free,
        product: product.to_owned(),
        product_name: name.to_owned(),
        title: format!("A seat of {name} is free"),
        text: format!(
            "It is kept for you for {}. Start {name} now.",
            words_of(seconds.into())
        ),
        decision: None,
        can_wait: false,
        ticket: None,
    }
}

/// What became of a seat that was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// Its person runs on it.
    Used,
    /// It went back: given back, not used in time, or lost.
    GoneBack,
}

impl News {
    /// The same of a seat that is kept no more.
    pub(crate) fn is_over(&mut self, kept: Kept) {
        self.title = format!("A seat of {} was free", self.product_name);
        let text = match kept {
            Kept::Used => "It was kept for you, and you have used it.",
            Kept::GoneBack => "It was kept for you, and is kept no more.",
        };
        self.text = text.to_owned();
    }
}

/// That a person has a seat who waited for one: they wait for no other.
pub(crate) fn seated(product: &str, name: &str) -> News {
    News {
        kind: NoticeKind::Seated,
        product: product.to_owned(),
        product_name: name.to_owned(),
        title: format!("You no longer wait for a seat of {name}"),
        text: "What you have started on this computer meanwhile has one.".to_owned(),
        decision: None,
        can_wait: false,
        ticket: None,
    }
}

/// That a seat was not used in time.
pub(crate) fn missed(product: &str, name: &str) -> News {
    News {
        kind: NoticeKind::Missed,
        product: product.to_owned(),
        product_name: name.to_owned(),
        title: format!("The seat of {name} is no longer kept for you"),
        text: format!("It was not used in time. Start {name}, or wait for a seat again."),
        decision: None,
        can_wait: true,
        ticket: None,
    }
}

/// That a seat will not come free: there are not as many.
pub(crate) fn impossible(product: &str, name: &str) -> News {
    News {
        kind: NoticeKind::Missed,
        product: product.to_owned(),
        product_name: name.to_owned(),
        title: format!("No seat of {name} will come free for you"),
        text: format!("There are no seats of {name} any more. Ask who administers it."),
        decision: None,
        can_wait: false,
        ticket: None,
    }
}

/// A time in words, in its largest unit of which there are two.
pub(crate) fn words_of(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7_200 => (seconds / 60, "minute"),
        _ => (seconds / 3_600, "hour"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_that_is_the_only_one_is_not_called_all_seats_and_one_that_is_kept_not_used() {
        let text = |detail: &str| {
            let denial = Denial {
                reason: Reason::NoSeat,
                detail: detail.to_owned(),
                decision: "D1".to_owned(),
            };
            refused("cad", "CAD", Some(&denial)).text
        };
        assert_eq!(
            text("the only seat of cad is in use: wait for one with --wait"),
            "The only seat is in use. Try again later, or be told when one is free."
        );
        assert_eq!(
            text("all 2 seats of cad are in use: wait for one with --wait"),
            "All seats are in use. Try again later, or be told when one is free."
        );
        assert_eq!(
            text("the only seat of cad is kept for somebody's next start, and not used yet: start"),
            "The only seat is kept for somebody's next start. Try again later, or be told when one \
             is free."
        );
        assert_eq!(
            text(
                "all 2 seats of cad are in use, 1 of them kept for somebody's next start and not \
                 used yet: start it again later"
            ),
            "All seats are in use or kept for somebody's next start. Try again later, or be told \
             when one is free."
        );
    }

    #[test]
    fn how_long_a_seat_is_kept_is_said_in_one_word() {
        let said = [1, 60, 119, 300, 7_200].map(words_of);
        assert_eq!(
            said,
            [
                "1 second",
                "60 seconds",
                "119 seconds",
                "5 minutes",
                "2 hours"
            ]
        );
    }
}
