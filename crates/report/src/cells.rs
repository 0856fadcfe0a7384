//! Cells that several reports have.

use usher_api::{Cell, CountedBy, GroupBy, LastUse, LastUseState, SiteUsage, Timestamp};

use crate::words::{is_unseen, whole};

/// A whole number.
pub(crate) fn count(count: u64) -> Cell {
    Cell::Whole(count)
}

/// How many are in a list.
pub(crate) fn many(count: usize) -> Cell {
    Cell::Whole(whole(count))
}

/// A length of time, to the millisecond.
pub(crate) fn seconds(seconds: f64) -> Cell {
    number(seconds, 1_000.0)
}

/// A share of a whole, to a hundredth of a percent.
pub(crate) fn share(share: f64) -> Cell {
    number(share, 10_000.0)
}

/// A mean, to four decimals.
pub(crate) fn mean(mean: f64) -> Cell {
    number(mean, 10_000.0)
}

fn number(number: f64, by: f64) -> Cell {
    // Adding 0 makes 0 of -0.
    Cell::number((number * by).round() / by + 0.0)
}

/// An amount of money in ten-thousandths.
pub(crate) fn money(ten_thousandths: u64) -> Cell {
    Cell::number(ten_thousandths as f64 / 10_000.0)
}

/// An instant, if there is one.
pub(crate) fn time(at: Option<Timestamp>) -> Cell {
    Cell::or_null(at.map(Cell::time))
}

/// A text, if there is one.
pub(crate) fn text(text: Option<&str>) -> Cell {
    Cell::or_null(text.map(Cell::text))
}

/// Active time, which not every site records.
pub(crate) fn active(active_seconds: Option<f64>) -> Cell {
    match active_seconds {
        Some(active) => seconds(active),
        None => Cell::not_known("active time is not recorded"),
    }
}

/// Who counts a product.
pub(crate) fn counted(by: CountedBy) -> Cell {
    Cell::text(match by {
        CountedBy::Here => "here",
        CountedBy::Elsewhere => "elsewhere",
    })
}

/// Figures of a stretch of usage. If nobody looked in all of it, or it has not begun, what would be
/// none is not known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figure {
    is_unseen: bool,
}

impl Figure {
    pub(crate) fn of(item: &SiteUsage, now: Timestamp) -> Figure {
        Figure {
            is_unseen: is_unseen(item, now),
        }
    }

    pub(crate) fn count(self, figure: u64) -> Cell {
        self.unless_none(figure == 0, count(figure))
    }

    pub(crate) fn seconds(self, figure: f64) -> Cell {
        self.unless_none(figure <= 0.0, seconds(figure))
    }

    pub(crate) fn mean(self, figure: f64) -> Cell {
        self.unless_none(figure <= 0.0, mean(figure))
    }

    fn unless_none(self, is_none: bool, cell: Cell) -> Cell {
        match self.is_unseen && is_none {
            true => Cell::not_known("nobody looked in all of that time"),
            false => cell,
        }
    }
}

/// A figure that only rows say, unless rows of its time were removed.
pub(crate) fn kept(cell: Cell, item: &SiteUsage, since: Option<Timestamp>) -> Cell {
    let is_here = item.counted == CountedBy::Here;
    match since.filter(|since| is_here && item.from < *since) {
        Some(since) => Cell::not_known(format!(
            "what was recorded before {since} was removed after its retention"
        )),
        None => cell,
    }
}

/// Seats that are owned.
pub(crate) fn owned(item: &SiteUsage) -> Cell {
    match (item.owned, item.counted) {
        (Some(owned), _) => count(owned),
        (None, CountedBy::Here) => Cell::not_known("a server did not say what it owns"),
        (None, CountedBy::Elsewhere) => Cell::not_known("another licence server counts it"),
    }
}

/// The state of a last use, and its instant.
pub(crate) fn last_use(last_use: &LastUse) -> [Cell; 2] {
    match last_use.state {
        LastUseState::Used => [Cell::text("used"), time(last_use.at)],
        LastUseState::Never => [Cell::text("never"), Cell::Null],
        LastUseState::NotKnown => {
            let why = last_use.why.as_deref().unwrap_or("nobody said why");
            [Cell::text("not_known"), Cell::not_known(why)]
        }
    }
}

/// The key and title of what a row stands for.
pub(crate) fn group(by: GroupBy) -> (&'static str, &'static str) {
    match by {
        GroupBy::Product => ("product", "Product"),
        GroupBy::User => ("user", "User"),
        GroupBy::Computer => ("computer", "Computer"),
        GroupBy::Group => ("group", "Group"),
    }
}
