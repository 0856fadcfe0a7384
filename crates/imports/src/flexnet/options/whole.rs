//! What an options file says as a whole.

use std::collections::BTreeMap;

use super::rule::{Access, Doubt, Group, Limit, Nature, Seats, Unread};

/// Doubts that are kept; further ones are dropped.
pub const DOUBTS_LIMIT: usize = 1_000;

/// What an options file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Seats that only some may use (`RESERVE`).
    pub reserved: Vec<Seats>,
    /// The most seats that some may use at a time (`MAX`).
    pub at_most: Vec<Seats>,
    /// Who may use, borrow or activate, and who may not (`INCLUDE`, `EXCLUDE` and their kin).
    pub access: Vec<Access>,
    /// Times and numbers (`TIMEOUT`, `LINGER`, `BORROW_LOWWATER`, ...).
    pub limits: Vec<Limit>,
    /// Groups of users, by name. A name that comes again adds to its group.
    pub groups: BTreeMap<String, Group>,
    /// Groups of computers, by name.
    pub host_groups: BTreeMap<String, Group>,
    /// Names of members of groups are compared without regard to case (`GROUPCASEINSENSITIVE ON`).
    pub ignores_case_in_groups: bool,
    /// Where the daemon writes its debug log; a `+` at the beginning: it appends.
    pub debug_log: Option<String>,
    /// Where the daemon writes its report log; a `+` at the beginning: it appends.
    pub report_log: Option<String>,
    /// What the debug log leaves out: `IN`, `OUT`, `DENIED`, `QUEUED`, `UNSUPPORTED`. A log without
    /// some of these says less of use.
    pub not_logged: Vec<String>,
    /// Keywords that have no part in who may use how many seats.
    pub other: Vec<Unread>,
    /// What a daemon may read in another way than its author meant.
    pub doubts: Vec<Doubt>,
}

impl Options {
    /// The seats of each feature that are reserved in all, by the feature as it is written. A group's
    /// reservation is one number for all its members.
    pub fn reserved_seats(&self) -> BTreeMap<String, u64> {
        let mut sums = BTreeMap::new();
        for reserved in &self.reserved {
            let sum: &mut u64 = sums.entry(reserved.feature.to_string()).or_default();
            *sum = sum.saturating_add(u64::from(reserved.seats));
        }
        sums
    }

    /// Notes a doubt about that line, if there is room.
    pub(super) fn doubt(&mut self, line: u64, what: String) {
        if self.doubts.len() < DOUBTS_LIMIT {
            self.doubts.push(Doubt { line, what });
        }
    }

    /// Notes each use of a group that the file does not define.
    pub(super) fn doubt_groups(&mut self) {
        let of_seats = self
            .reserved
            .iter()
            .chain(&self.at_most)
            .map(|seats| (seats.line, &seats.whom));
        let of_access = self.access.iter().map(|access| (access.line, &access.whom));
        let mut unknown = Vec::new();
        for (line, whom) in of_seats.chain(of_access) {
            let groups = match whom.nature {
                Nature::Group => &self.groups,
                Nature::HostGroup => &self.host_groups,
                _ => continue,
            };
            let missing = whom.names.iter().find(|name| !groups.contains_key(*name));
            if let Some(name) = missing
                && unknown.len() < DOUBTS_LIMIT
            {
                unknown.push((line, format!("the file defines no {} {name}", whom.nature)));
            }
        }
        for (line, what) in unknown {
            self.doubt(line, what);
        }
    }
}
