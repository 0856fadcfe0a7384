//! What is needed, and how much of it is missing.

use usher_api::{Cell, Metric, SiteUsage};

use super::Need;
use crate::asked::Asked;
use crate::cells;
use crate::words::{counted, is_unseen, length_seconds};

/// The share of the time in which nobody looked from which on figures are lower bounds.
const UNOBSERVED_SHARE: f64 = 0.05;

/// Why nobody knows how much is owned.
pub(super) const NO_OWNER: &str =
    "a server did not say what it owns, or another licence server counts it";

/// Seats that are needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Needed {
    /// So many, and how that was found.
    Exactly(u64, String),
    /// So many or more, and why.
    AtLeast(u64, String),
    /// Nobody knows, and why.
    NotKnown(String),
}

impl Needed {
    pub(super) fn cell(&self) -> Cell {
        match self {
            Needed::Exactly(seats, _) | Needed::AtLeast(seats, _) => cells::count(*seats),
            Needed::NotKnown(why) => Cell::not_known(why),
        }
    }

    pub(super) fn not_known(&self) -> Cell {
        Cell::not_known(self.why())
    }

    pub(super) fn word(&self) -> &'static str {
        match self {
            Needed::Exactly(..) => "exactly",
            Needed::AtLeast(..) => "at_least",
            Needed::NotKnown(_) => "not_known",
        }
    }

    pub(super) fn why(&self) -> &str {
        match self {
            Needed::Exactly(_, why) | Needed::AtLeast(_, why) | Needed::NotKnown(why) => why,
        }
    }
}

/// What was used, in the unit of a metric; none if nobody counts that.
pub(super) fn used(item: &SiteUsage, metric: Metric) -> Option<u64> {
    match metric {
        Metric::Concurrent => Some(item.peak),
        Metric::NamedUser => Some(item.users),
        Metric::Device => Some(item.computers),
        Metric::Core | Metric::Token => None,
    }
}

/// What is needed of a product, from its figures and what was worked out.
pub(super) fn needed(
    asked: &Asked,
    item: Option<&SiteUsage>,
    metric: Metric,
    needs: &[Need],
) -> Needed {
    let Some(item) = item else {
        return Needed::NotKnown("nothing is known of its use".to_owned());
    };
    let worked_out = needs.iter().find(|it| it.product == item.product);
    if let Some(need) = worked_out.filter(|_| metric == Metric::Concurrent) {
        return Needed::Exactly(need.seats, need.why.clone());
    }
    let Some(used) = used(item, metric) else {
        return Needed::NotKnown("use is not counted by this metric".to_owned());
    };
    let refused = item.denials.for_good;
    if refused > 0 && metric == Metric::Concurrent {
        let refusals = counted(refused, "refusal");
        let why = format!("{refusals} for good: `usher whatif` finds what would have served them");
        return Needed::AtLeast(used, why);
    }
    let unobserved = item.unobserved_seconds / length_seconds(item).max(1.0);
    match unobserved > UNOBSERVED_SHARE || is_unseen(item, asked.now) {
        true => Needed::AtLeast(used, "nobody looked for over 5 % of the time".to_owned()),
        false => Needed::Exactly(used, "what was used".to_owned()),
    }
}

/// How many seats are missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shortfall {
    /// None.
    Covered,
    /// So many.
    Short(u64),
    /// So many or more.
    ShortByAtLeast(u64),
    /// Nobody knows, and why.
    NotKnown(String),
}

/// What is needed beyond what is owned.
pub(super) fn shortfall(owned: Option<u64>, needed: &Needed) -> Shortfall {
    let Some(owned) = owned else {
        return Shortfall::NotKnown(NO_OWNER.to_owned());
    };
    match needed {
        Needed::NotKnown(why) => Shortfall::NotKnown(why.clone()),
        Needed::Exactly(needed, _) if *needed <= owned => Shortfall::Covered,
        Needed::Exactly(needed, _) => Shortfall::Short(needed - owned),
        Needed::AtLeast(needed, why) if *needed <= owned => Shortfall::NotKnown(why.clone()),
        Needed::AtLeast(needed, _) => Shortfall::ShortByAtLeast(needed - owned),
    }
}

impl Shortfall {
    /// Seats that are certainly missing, if any are.
    pub(super) fn at_least(&self) -> Option<u64> {
        match self {
            Shortfall::Short(seats) | Shortfall::ShortByAtLeast(seats) => Some(*seats),
            Shortfall::Covered | Shortfall::NotKnown(_) => None,
        }
    }

    pub(super) fn cell(&self) -> Cell {
        match self {
            Shortfall::Covered => cells::count(0),
            Shortfall::Short(seats) | Shortfall::ShortByAtLeast(seats) => cells::count(*seats),
            Shortfall::NotKnown(why) => Cell::not_known(why),
        }
    }

    pub(super) fn word(&self) -> &'static str {
        match self {
            Shortfall::Covered => "covered",
            Shortfall::Short(_) => "short",
            Shortfall::ShortByAtLeast(_) => "short_by_at_least",
            Shortfall::NotKnown(_) => "not_known",
        }
    }
}

/// What is owned beyond what is needed.
pub(super) fn spare(owned: Option<u64>, needed: &Needed) -> Cell {
    match (owned, needed) {
        (Some(owned), Needed::Exactly(needed, _)) => cells::count(owned.saturating_sub(*needed)),
        (Some(owned), Needed::AtLeast(needed, _)) if *needed >= owned => cells::count(0),
        (Some(_), Needed::AtLeast(_, why) | Needed::NotKnown(why)) => Cell::not_known(why),
        (None, _) => Cell::not_known(NO_OWNER),
    }
}
