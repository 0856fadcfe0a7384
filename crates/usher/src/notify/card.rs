//! The text of a notice, for people.

use usher_api::{Notice, NoticeKind};

use crate::output::{counted, tame};
use crate::time;

/// A product's id, and its name for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Product {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// One card; it replaces the card that was shown for the same product before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Card {
    pub(crate) product: Product,
    pub(crate) title: String,
    pub(crate) text: String,
    /// Whether it has a button that asks to be told when a seat is free.
    pub(crate) can_wait: bool,
    /// Whether it stays until somebody has seen it.
    pub(crate) stays: bool,
}

impl Card {
    pub(crate) fn of(notice: &Notice) -> Card {
        Card {
            product: Product {
                id: notice.product.clone(),
                name: notice.product_name.clone(),
            },
            title: tame(&notice.title),
            text: tame(&notice.text),
            can_wait: notice.can_wait,
            stays: stays(notice.kind),
        }
    }

    /// For a user for whom the agent now waits for a seat.
    pub(crate) fn waits(product: &Product) -> Card {
        Card {
            title: format!("You wait for a seat of {}", tame(&product.name)),
            text: "You will be told here when it is free.".to_owned(),
            product: product.clone(),
            can_wait: false,
            stays: false,
        }
    }

    /// For a user who holds a seat and so need not wait for one.
    pub(crate) fn holds(product: &Product) -> Card {
        let name = tame(&product.name);
        Card {
            title: format!("You hold a seat of {name} here"),
            text: format!("Start {name} now, it shares the seat."),
            product: product.clone(),
            can_wait: false,
            stays: false,
        }
    }

    pub(crate) fn cannot_wait(product: &Product, why: &str) -> Card {
        Card {
            title: format!("You cannot wait for a seat of {}", tame(&product.name)),
            text: tame(why),
            product: product.clone(),
            can_wait: false,
            stays: false,
        }
    }
}

/// Whether it is of use to a user who is away when it is shown.
fn stays(kind: NoticeKind) -> bool {
    use NoticeKind::{Ended, Free, Idle, Released, Unseated};
    matches!(kind, Ended | Free | Idle | Released | Unseated)
}

/// The card as one line, with the command in place of the button.
pub(crate) fn as_text(notice: &Notice) -> String {
    let next = match notice.can_wait {
        true => format!(" Wait for a seat: {}", command(&notice.product)),
        false => String::new(),
    };
    format!("{}{next}", as_news(notice))
}

fn as_news(notice: &Notice) -> String {
    let card = Card::of(notice);
    // Commands take the id.
    let id = match notice.product == notice.product_name {
        true => String::new(),
        false => format!(" ({})", tame(&notice.product)),
    };
    format!("{}{id}. {}", card.title, card.text)
}

/// The card of an earlier notice: with its time, and, on lines of their own, the next step and the
/// decision that explains it.
pub(crate) fn as_record(notice: &Notice) -> String {
    let mut lines = vec![format!("{}  {}", time::local(notice.at), as_news(notice))];
    if notice.can_wait {
        lines.push(format!("wait for a seat: {}", command(&notice.product)));
    }
    if let Some(id) = &notice.decision_id {
        lines.push(format!(
            "how the seats are held, and more: usher why {}",
            tame(id)
        ));
    }
    lines.join("\n    ")
}

/// The command that does what the button does.
pub(crate) fn command(product: &str) -> String {
    format!("usher notify --when-free {product}")
}

/// A duration as an agent's notices give it: in the largest unit of which it has at least two.
pub(crate) fn in_words(seconds: u32) -> String {
    let (count, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7_200 => (seconds / 60, "minute"),
        _ => (seconds / 3_600, "hour"),
    };
    counted(count.into(), unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_a_seat_is_kept_is_said_in_the_words_of_the_notices() {
        let said = [1, 119, 299, 300, 7_200].map(in_words);
        assert_eq!(
            said,
            [
                "1 second",
                "119 seconds",
                "4 minutes",
                "5 minutes",
                "2 hours"
            ]
        );
    }

    #[test]
    fn what_cannot_be_pressed_is_said_as_a_command_and_nothing_that_is_shown_moves_the_cursor() {
        let notice = Notice {
            id: "N1-1".to_owned(),
            kind: NoticeKind::Refused,
            product: "cad".to_owned(),
            product_name: "CAD\u{1b}[2J".to_owned(),
            title: "CAD\u{1b}[2J was not started".to_owned(),
            text: "All seats are in use.".to_owned(),
            decision_id: None,
            at: jiff::Timestamp::UNIX_EPOCH,
            can_wait: true,
            ticket: None,
        };
        let text = as_text(&notice);
        assert!(!text.contains('\u{1b}'), "{text:?}");
        assert!(
            text.ends_with("All seats are in use. Wait for a seat: usher notify --when-free cad"),
            "{text}"
        );
        let refused = Notice {
            decision_id: Some("D1-7".to_owned()),
            ..notice
        };
        let record = as_record(&refused);
        assert!(record.starts_with(&time::local(refused.at)), "{record}");
        let lines: Vec<&str> = record.lines().collect();
        assert!(lines[0].ends_with("All seats are in use."), "{record}");
        assert!(lines[0].contains(" was not started (cad). All"), "{record}");
        assert_eq!(
            lines[1..],
            [
                "    wait for a seat: usher notify --when-free cad",
                "    how the seats are held, and more: usher why D1-7"
            ]
        );
    }
}
