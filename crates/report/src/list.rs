//! The names of all reports, with an explanation in a sentence each.

use usher_api::ReportName;

/// A report that there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: ReportName,
    /// What it answers, in a sentence.
    pub explanation: &'static str,
}

/// All reports, in the order in which they are listed.
pub fn list() -> impl Iterator<Item = Listed> {
    ReportName::ALL.into_iter().map(|name| Listed {
        name,
        explanation: explanation(name),
    })
}

/// What a report answers, in a sentence.
pub fn explanation(name: ReportName) -> &'static str {
    match name {
        ReportName::Usage => {
            "How much each product was used: sessions, people, open and active time, seats."
        }
        ReportName::Peaks => "The most seats in use at once, and when, beside the seats owned.",
        ReportName::Heatmap => "At which hours of which weekdays a product is in use.",
        ReportName::Denials => {
            "How often people were refused, why, and whether they got a seat shortly after."
        }
        ReportName::Waits => "How long people waited for seats, and how the waits ended.",
        ReportName::GaveUp => "Who was refused a product and never used it afterwards.",
        ReportName::Holders => "Who holds seats now, for how long, who is idle, and who waits.",
        ReportName::People => "The people who use a product, or the products that a person uses.",
        ReportName::Unused => {
            "What is owned and was never used, was not used lately, or nobody knows it of."
        }
        ReportName::Programs => "Programs that belong to no product, those most used first.",
        ReportName::Position => {
            "Seats owned, used and needed, and the shortfall by metric and date."
        }
        ReportName::Expiring => "Which entitlements end when, and by when notice is due.",
        ReportName::Cost => "What is paid for each product, and each group's share by its use.",
        ReportName::Health => "How the metering servers are, and which trouble is open.",
    }
}
