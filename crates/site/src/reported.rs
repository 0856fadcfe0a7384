//! What a site is asked for reports besides the figures of use: who used, who was refused, what was
//! last used, what is owned elsewhere. Times are Unix milliseconds.

use std::collections::HashMap;
use std::sync::Arc;

use usher_core::usage::Counted;

use crate::archive::Archived;
use crate::used::RunningUse;

/// The most rows of one answer.
pub const REPORT_ROWS_LIMIT: u32 = 10_000;

/// Whose uses are summed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UsedBy {
    /// Those of each person.
    Person,
    /// Those on each computer.
    Computer,
}

/// A question about who used one product.
#[derive(Debug, Clone)]
pub struct SumsAsked {
    /// The product's id.
    pub product: String,
    /// Who counts it.
    pub counted: Counted,
    /// The first instant of the time.
    pub from_ms: i64,
    /// The first instant behind it, which is not after now: what still runs lasts up to it.
    pub to_ms: i64,
    /// Whose uses are summed up.
    pub by: UsedBy,
    /// Only what these people used, by the numbers of [`crate::Site::numbered_people`]; none: everybody.
    /// It does not apply to what still runs.
    pub people: Option<Arc<[u64]>>,
    /// What of it still runs.
    pub running: Vec<RunningUse>,
    /// At most so many rows, those with the longest use; never more than [`REPORT_ROWS_LIMIT`].
    pub limit: u32,
}

/// Who used a product.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UseSums {
    /// The longest use first.
    pub rows: Vec<UseSum>,
    /// How many there are besides.
    pub left_out: u64,
    /// What of it was read from the archive.
    pub archived: Archived,
}

/// The uses of one person, or on one computer, that overlap the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UseSum {
    /// The person's realm; none of a computer, and if a server does not tell it.
    pub realm: Option<String>,
    /// The name of the person or computer; none: it is not known any more whose they are.
    pub name: Option<String>,
    /// Sessions, and leases that no session held; checkouts if it is counted elsewhere.
    pub sessions: u64,
    /// How many of these still run.
    pub running: u64,
    /// How long they last within the time, together.
    pub open_ms: u64,
    /// Seats by how long they were held within the time, what ran without a seat included, in seat
    /// milliseconds.
    pub seat_ms: u64,
    /// Different computers of a person, different people of a computer.
    pub others: u64,
    /// When the last of them ended within the time; its end if one goes on.
    pub last_ms: i64,
}

/// Which groups somebody is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InGroups {
    /// In these, by numbers that the asker has given them; empty: in none.
    Of(Vec<u32>),
    /// It is not known.
    NotKnown,
}

/// A question about which groups used one product.
#[derive(Debug, Clone)]
pub struct GroupsAsked {
    /// The product and the time; `by` does not apply.
    pub sums: SumsAsked,
    /// The groups of people, by the numbers of [`crate::Site::numbered_people`]. Of who is not among
    /// them it is not known.
    pub people: Arc<HashMap<u64, InGroups>>,
    /// Those of the people of `sums.running`, in its order: the site may not know them yet.
    pub running: Vec<InGroups>,
}

/// A group, or those who are in none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WhichGroup {
    /// The group with that number of the asker's.
    Group(u32),
    /// Those who are in no group.
    InNone,
    /// Those of whom it is not known, or not known any more who they are.
    NotKnown,
}

/// Which groups used a product. Who is in several groups counts in each of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupSums {
    /// In the order of the groups.
    pub rows: Vec<GroupSum>,
    /// How many there are besides: those with the shortest use.
    pub left_out: u64,
    /// People who are in several groups, each once.
    pub in_several: u64,
    /// Seats by how long they were held within the time, each use once, in seat milliseconds.
    pub seat_ms: u64,
    /// What of it was read from the archive.
    pub archived: Archived,
}

/// The uses of one group that overlap the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupSum {
    /// Whose they are.
    pub whose: WhichGroup,
    /// Sessions, and leases that no session held; checkouts if it is counted elsewhere.
    pub sessions: u64,
    /// How long they last within the time, together.
    pub open_ms: u64,
    /// As of [`UseSum::seat_ms`].
    pub seat_ms: u64,
    /// Different people.
    pub users: u64,
    /// Different computers.
    pub computers: u64,
    /// The most seats of the group at once, leases and what ran without a seat; none: there are too
    /// many uses to find it.
    pub peak: Option<u64>,
    /// The first instant of the peak; none also if no seat was in use.
    pub peak_at_ms: Option<i64>,
    /// When the last of them ended within the time; its end if one goes on.
    pub last_ms: i64,
}

/// Refusals for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReasonSum {
    /// The word of the reason.
    pub reason: String,
    /// Refusals, repeats counted.
    pub refusals: u64,
    /// Different people, of whom it is still known who they are.
    pub people: u64,
}

/// Waits that ended in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitSum {
    /// How they ended, in the word of the server; `granted`, `not_granted` or `not_known` of another
    /// licence server.
    pub outcome: String,
    /// How many there were.
    pub waits: u64,
    /// How long they lasted together, in milliseconds.
    pub waited_ms: u64,
}

/// Who was refused seats of a product.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refused {
    /// Those of them who were refused last, the last first.
    pub people: Vec<RefusedPerson>,
    /// How many there are besides.
    pub left_out: u64,
    /// By reason, the most frequent first.
    pub reasons: Vec<ReasonSum>,
    /// What of it was read from the archive.
    pub archived: Archived,
}

/// What became of a person who was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedPerson {
    /// The realm; none: it is not known any more who it was.
    pub realm: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// The computer of the last refusal; none: it is not known.
    pub computer: Option<String>,
    /// Refusals in the time, repeats counted.
    pub refusals: u64,
    /// The first of them.
    pub first_ms: i64,
    /// The last of them.
    pub last_ms: i64,
    /// Why the last one was, in the word of its server.
    pub reason: String,
    /// When they first got seats, or used the product, after the last of them, as far as is known;
    /// none: never, or it is not known who it was.
    pub came_back_ms: Option<i64>,
}

/// When a product was last used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastUsed {
    /// The product's id.
    pub product: String,
    /// Who counts it.
    pub counted: Counted,
    /// When the last use ended that has ended; for one that another licence server counts and that
    /// goes on, the greatest number there is. None: none is known.
    pub at_ms: Option<i64>,
    /// When the first use began that is known.
    pub first_ms: Option<i64>,
}

/// What another licence server's files say is owned, of the last finished import of a source and
/// kind. Of the kinds of a source that tell of a product it is one: their seats are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedElsewhere {
    /// Whose files they are.
    pub source: String,
    /// The product's id.
    pub product: String,
    /// What kind of file or report says it.
    pub kind: String,
    /// The highest version that it is for.
    pub version: Option<String>,
    /// Seats; none: uncounted.
    pub seats: Option<u32>,
    /// Seats that may be used beyond.
    pub overdraft: u32,
    /// The first day, such as `2026-12-31`.
    pub from_day: Option<String>,
    /// The last day; none: for ever.
    pub to_day: Option<String>,
    /// Why its seats do not count; none: they do.
    pub set_aside: Option<String>,
}

/// The kind that says what was bought; others say what a licence server issues of it.
const LICENCE_FILE: &str = "flexnet-licence";

/// In which order kinds are asked what is owned of a product: the least that tells of it counts. What the
/// server itself says comes before its licence file, of which it may not have taken up all.
pub(crate) fn order_of_owned(kind: &str) -> (bool, &str) {
    (kind == LICENCE_FILE, kind)
}

/// SQL: the same of a column, as what is sorted by.
pub(crate) const ORDER_OF_OWNED: &str = "e.kind = 'flexnet-licence', e.kind";

/// Takes of rows by product and source, each in the order of their kinds, those of the first kind.
#[derive(Debug, Default)]
pub(crate) struct OneKind {
    last: Option<(String, String, String)>,
}

impl OneKind {
    pub(crate) fn takes(&mut self, it: &OwnedElsewhere) -> bool {
        match &self.last {
            Some((product, source, kind)) if (product, source) == (&it.product, &it.source) => {
                *kind == it.kind
            }
            _ => {
                let of = (it.product.clone(), it.source.clone(), it.kind.clone());
                self.last = Some(of);
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_comes_before_its_licence_file() {
        let mut kinds = ["rlmstat", "flexnet-licence", "lmstat", "a"];
        kinds.sort_by_key(|kind| order_of_owned(kind));
        assert_eq!(kinds, ["a", "lmstat", "rlmstat", "flexnet-licence"]);
        assert!(ORDER_OF_OWNED.contains(&format!("'{LICENCE_FILE}'")));
    }
}
