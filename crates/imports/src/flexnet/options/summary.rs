//! An options file in plain words.

use std::collections::{BTreeMap, BTreeSet};

use super::rule::{Access, FeatureSpec, Group, Limit, Quantity, Right, Seats};
use super::whole::Options;

/// Lines that a summary has at most; the last says how many more there would be.
pub const SUMMARY_LIMIT_LINES: usize = 1_000;
/// Names that one line of a summary shows.
const SHOWN_NAMES: usize = 20;

impl Options {
    /// What the file says, a sentence a line: what is reserved, what is limited, who may, who may not,
    /// times, groups, logs, and doubts. Names of people are in it as the file has them.
    pub fn summary(&self) -> Vec<String> {
        let mut lines = Vec::new();
        lines.extend(self.reserved.iter().map(reserved));
        lines.extend(self.sums());
        lines.extend(self.at_most.iter().map(at_most));
        lines.extend(self.rights());
        lines.extend(self.limits.iter().map(limit));
        lines.extend(self.sizes());
        lines.extend(self.logs());
        for other in &self.other {
            lines.push(format!(
                "Line {}: {} is not looked at.",
                other.line, other.keyword
            ));
        }
        for doubt in &self.doubts {
            lines.push(format!("Line {}: {}.", doubt.line, doubt.what));
        }
        if lines.len() > SUMMARY_LIMIT_LINES {
            let shown = SUMMARY_LIMIT_LINES.saturating_sub(1);
            let more = lines.len().saturating_sub(shown);
            lines.truncate(shown);
            lines.push(format!("{more} more."));
        }
        lines
    }

    /// Sums of features that several lines reserve.
    fn sums(&self) -> Vec<String> {
        let mut lines: BTreeMap<String, u32> = BTreeMap::new();
        for reserved in &self.reserved {
            let count = lines.entry(reserved.feature.to_string()).or_default();
            *count = count.saturating_add(1);
        }
        let sums = self.reserved_seats().into_iter();
        let several =
            sums.filter(|(feature, _)| lines.get(feature).is_some_and(|count| *count > 1));
        let sum = |(feature, seats): (String, u64)| {
            format!(
                "In all, {} of {feature} are reserved.",
                counted(seats, "seat")
            )
        };
        several.map(sum).collect()
    }

    /// Who may and who may not, all lines of one right and feature together.
    fn rights(&self) -> Vec<String> {
        let mut names: BTreeMap<(bool, Right, Option<&FeatureSpec>), BTreeSet<String>> =
            BTreeMap::new();
        for access in &self.access {
            let key = (access.allowed, access.right, access.feature.as_ref());
            names
                .entry(key)
                .or_default()
                .insert(access.whom.to_string());
        }
        let sentence = |((allowed, right, feature), names): (
            (bool, Right, Option<&FeatureSpec>),
            BTreeSet<String>,
        )| {
            let does = does(right);
            let what = of(feature);
            match allowed {
                true => format!("Only these may {does} {what}: {}.", listed(names)),
                false => format!("These may not {does} {what}: {}.", listed(names)),
            }
        };
        names.into_iter().map(sentence).collect()
    }

    fn sizes(&self) -> Vec<String> {
        let groups = self.groups.iter().map(|group| ("Group", group));
        let host_groups = self.host_groups.iter().map(|group| ("Host group", group));
        let size = |(nature, (name, group)): (&str, (&String, &Group))| {
            let members: BTreeSet<&String> = group.members.iter().collect();
            format!(
                "{nature} {name} has {}.",
                counted(u64::try_from(members.len()).unwrap_or(u64::MAX), "member")
            )
        };
        let mut lines: Vec<String> = groups.chain(host_groups).map(size).collect();
        if self.ignores_case_in_groups {
            lines.push("Names in groups are compared without regard to case.".to_owned());
        }
        lines
    }

    fn logs(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(path) = &self.debug_log {
            lines.push(format!(
                "The debug log is {}.",
                path.trim_start_matches('+')
            ));
        }
        if let Some(path) = &self.report_log {
            lines.push(format!(
                "The report log is {}.",
                path.trim_start_matches('+')
            ));
        }
        if !self.not_logged.is_empty() {
            lines.push(format!(
                "The debug log leaves out {}.",
                self.not_logged.join(", ")
            ));
        }
        lines
    }
}

pub(super) fn reserved(seats: &Seats) -> String {
    let count = counted(u64::from(seats.seats), "seat");
    let verb = match seats.seats {
        1 => "is",
        _ => "are",
    };
    format!(
        "{count} of {} {verb} reserved for {} (line {}).",
        seats.feature, seats.whom, seats.line
    )
}

pub(super) fn at_most(seats: &Seats) -> String {
    let count = counted(u64::from(seats.seats), "seat");
    format!(
        "At most {count} of {} for {} (line {}).",
        seats.feature, seats.whom, seats.line
    )
}

pub(super) fn limit(limit: &Limit) -> String {
    let what = of(limit.feature.as_ref());
    let sentence = match limit.quantity {
        Quantity::TimeoutSeconds(number) => {
            format!(
                "A seat of {what} is taken back after {} without use",
                counted(number, "second")
            )
        }
        Quantity::LingerSeconds(number) => {
            format!(
                "A seat of {what} stays taken for {} after its use",
                counted(number, "second")
            )
        }
        Quantity::NotBorrowable(number) => {
            format!("{} of {what} cannot be borrowed", counted(number, "seat"))
        }
        Quantity::NotActivatable(number) => {
            format!("{} of {what} cannot be activated", counted(number, "seat"))
        }
        Quantity::BorrowHours(number) => {
            format!(
                "A seat of {what} is borrowed for at most {}",
                counted(number, "hour")
            )
        }
        Quantity::Overdraft(number) => {
            format!(
                "At most {} of the overdraft of {what} may be used",
                counted(number, "seat")
            )
        }
    };
    format!("{sentence} (line {}).", limit.line)
}

/// Who may or may not, by one line.
pub(super) fn access(access: &Access) -> String {
    let (does, what) = (does(access.right), of(access.feature.as_ref()));
    match access.allowed {
        true => format!(
            "{} may {does} {what}, and nobody who is not named (line {}).",
            access.whom, access.line
        ),
        false => format!(
            "{} may not {does} {what} (line {}).",
            access.whom, access.line
        ),
    }
}

fn does(right: Right) -> &'static str {
    match right {
        Right::Use => "use",
        Right::Borrow => "borrow",
        Right::Activate => "activate",
    }
}

fn of(feature: Option<&FeatureSpec>) -> String {
    match feature {
        Some(feature) => feature.to_string(),
        None => "any feature of this daemon".to_owned(),
    }
}

fn listed(names: BTreeSet<String>) -> String {
    let more = names.len().saturating_sub(SHOWN_NAMES);
    let mut shown: Vec<String> = names.into_iter().take(SHOWN_NAMES).collect();
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    shown.join(", ")
}

/// `1 seat`, `2 seats`
fn counted(number: u64, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}
