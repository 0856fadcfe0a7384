//! The names of reports.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The name of a report.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ReportName {
    /// Use over time.
    Usage,
    /// The most seats at once, beside what is owned.
    Peaks,
    /// Use by weekday and hour.
    Heatmap,
    /// Refusals.
    Denials,
    /// Waits for seats.
    Waits,
    /// Who holds seats now.
    Holders,
    /// The people of a product, the products of a person.
    People,
    /// What was never used, and of what that is not known.
    Unused,
    /// Programs of no product.
    Programs,
    /// Owned, used, needed.
    Position,
    /// What ends, and by when notice is due.
    Expiring,
    /// What is paid, and for whom.
    Cost,
    /// How the metering servers are.
    Health,
    /// Who never came back after a refusal.
    GaveUp,
}

impl ReportName {
    /// All of them, in the order in which they are listed.
    pub const ALL: [ReportName; 14] = [
        ReportName::Usage,
        ReportName::Peaks,
        ReportName::Heatmap,
        ReportName::Denials,
        ReportName::Waits,
        ReportName::GaveUp,
        ReportName::Holders,
        ReportName::People,
        ReportName::Unused,
        ReportName::Programs,
        ReportName::Position,
        ReportName::Expiring,
        ReportName::Cost,
        ReportName::Health,
    ];

    /// The name in the API and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            ReportName::Usage => "usage",
            ReportName::Peaks => "peaks",
            ReportName::Heatmap => "heatmap",
            ReportName::Denials => "denials",
            ReportName::Waits => "waits",
            ReportName::Holders => "holders",
            ReportName::People => "people",
            ReportName::Unused => "unused",
            ReportName::Programs => "programs",
            ReportName::Position => "position",
            ReportName::Expiring => "expiring",
            ReportName::Cost => "cost",
            ReportName::Health => "health",
            ReportName::GaveUp => "gave_up",
        }
    }
}

impl fmt::Display for ReportName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// No report has that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no report of that name: `usher report list` has them all")]
pub struct NoReport;

impl FromStr for ReportName {
    type Err = NoReport;

    fn from_str(text: &str) -> Result<ReportName, NoReport> {
        let mut all = ReportName::ALL.into_iter();
        all.find(|it| it.word() == text).ok_or(NoReport)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_word_everywhere_and_listed_once() {
        for (place, name) in ReportName::ALL.into_iter().enumerate() {
            assert_eq!(name.word().parse(), Ok(name));
            let json = serde_json::to_string(&name).unwrap();
            assert_eq!(json, format!("\"{}\"", name.word()));
            assert!(!ReportName::ALL[..place].contains(&name), "{name}");
        }
        assert_eq!("Usage".parse::<ReportName>(), Err(NoReport));
    }
}
