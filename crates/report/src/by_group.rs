//! What tables about groups of people have in common.

use usher_api::Cell;
use usher_api::ColumnKind::{State, Text};

use crate::cells::count;
use crate::draft::{Draft, Of};
use crate::gathered::{GroupUse, OfGroup};

/// The columns that say which group it is: the keys and titles.
pub(crate) const COLUMNS: [Of; 2] = [
    ("group", "Group", Text),
    ("membership", "Membership", State),
];

/// The columns of a table about groups: those, and what it has besides.
pub(crate) fn columns(others: &[Of]) -> Vec<Of> {
    COLUMNS.iter().chain(others).copied().collect()
}

/// The cells of [`COLUMNS`]. A group may have the name that stands for those who are in none: the second
/// cell tells the two apart.
pub(crate) fn cells(whose: &OfGroup, why_not_known: &str) -> [Cell; 2] {
    match whose {
        OfGroup::Group(name) => [Cell::text(name), Cell::text("group")],
        OfGroup::InNone => [Cell::text(title(whose)), Cell::text("none")],
        OfGroup::NotKnown => [Cell::not_known(why(why_not_known)), Cell::text("not_known")],
    }
}

fn why(why_not_known: &str) -> &str {
    match why_not_known {
        "" => "it is not known which groups these people are in",
        why => why,
    }
}

/// As sentences and plots call it.
pub(crate) fn title(whose: &OfGroup) -> &str {
    match whose {
        OfGroup::Group(name) => name,
        OfGroup::InNone => "in no group",
        OfGroup::NotKnown => "group not known",
    }
}

/// The most seats of a group at once.
pub(crate) fn peak(of: &GroupUse) -> Cell {
    match of.peak {
        Some(peak) => count(peak),
        None => Cell::not_known("there are too many uses to find it: ask for less time"),
    }
}

/// What to know of all tables by group.
pub(crate) fn notes(draft: &mut Draft, in_several: bool) {
    draft.note(
        "People count in the groups that they are in now, also for what they used before they were.",
    );
    if in_several {
        draft.note(
            "Who is in several groups counts in each of them: the rows of the groups add up to more \
             than the whole.",
        );
    }
}
