//! What a file says and how much of it was understood: the answer of an import.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ImportKind;

/// What a file says and how much of it was understood.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ImportSummary {
    /// What kind of file it is.
    pub kind: ImportKind,
    /// Lines in all.
    pub lines: u64,
    /// Lines that were understood, also if they say nothing of use.
    pub understood: u64,
    /// Lines that were not understood, by their shape, the most frequent first.
    pub not_understood: Vec<NotUnderstood>,
    /// Lines of further shapes than are told apart.
    #[serde(default)]
    pub not_understood_more: u64,
    /// Each feature, by product id.
    pub features: Vec<ImportedFeature>,
    /// Features that `features` leaves out, because the answer would be too long.
    #[serde(default)]
    pub features_more: u64,
    /// The first instant of which the file tells; null: it tells of none.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub from: Option<Timestamp>,
    /// The last instant of which the file tells.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub to: Option<Timestamp>,
    /// The zone in which times without one were read.
    pub time_zone: String,
    /// How dates were found; null: the file has none. The least sure of all that were needed.
    pub dates_from: Option<DatesFrom>,
    /// How often the file's clock was set.
    pub clock_changes: u64,
    /// Seconds of which nothing was recorded.
    pub unobserved_seconds: u64,
    /// The highest peak that a daemon says itself; null: none does.
    pub daemon_peak: Option<u64>,
    /// Each peak that a daemon says itself, beside ours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub daemon_peaks: Vec<DaemonPeakBeside>,
    /// Rows that the file makes. Those that cannot cross, because a name is longer than 255 bytes or
    /// a product's id is none, are not among them.
    #[serde(default)]
    pub rows: u64,
    /// Rows that cannot cross.
    #[serde(default)]
    pub left_out: u64,
    /// What was assumed, doubted or left out, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Lines of one shape that were not understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NotUnderstood {
    /// The line with what differs replaced.
    pub shape: String,
    /// How many there were.
    pub count: u64,
    /// The first, with names replaced.
    pub example: String,
}

/// What is known of a feature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportedFeature {
    /// Product id.
    pub product: String,
    /// Lines that say that a use begins; null: the file is of snapshots, of sums, or of what is owned.
    pub checkouts: Option<u64>,
    /// Lines that say that a use ends; null as above.
    pub checkins: Option<u64>,
    /// Refusals; null as above.
    pub denials: Option<u64>,
    /// Waits; of snapshots the most seats that were waited for at once.
    pub queued: u64,
    /// Asks for it although the daemon does not serve it.
    pub unsupported: u64,
    /// People who used it.
    pub users: u64,
    /// There may be more people than `users`: not all names were kept.
    #[serde(default, skip_serializing_if = "is_false")]
    pub users_at_least: bool,
    /// The most at once.
    pub peak: ImportedPeak,
    /// Uses that run at the end.
    pub open_at_end: u64,
    /// Seats that are owned by the word of the file, or of the licence files that were given beside it;
    /// null: uncounted, or not told.
    #[serde(default)]
    pub owned: Option<u64>,
}

/// The most at once, each its own maximum at its first instant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportedPeak {
    /// Checkouts: a line with `(N licenses)` is one.
    pub lines: u64,
    /// When; null: there were none.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub lines_at: Option<Timestamp>,
    /// Different pairs of user and computer.
    pub users_hosts: u64,
    /// When; null: there were none.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub users_hosts_at: Option<Timestamp>,
    /// Seats: a line with `(N licenses)` is N. Null: nothing says which checkouts share a seat, and
    /// `users_hosts` to `lines` is the range.
    pub seats: Option<u64>,
    /// When; null as `seats`, or there were none.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub seats_at: Option<Timestamp>,
}

/// How the dates of a file's lines were found, the surest first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum DatesFrom {
    /// Lines say their date, or the file has time stamps with dates.
    Timestamp,
    /// The file says when its server started.
    StartDate,
    /// Somebody gave the date.
    Option,
    /// The file's own time, that of its last change.
    FileTime,
}

/// A peak of a daemon beside ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DaemonPeakBeside {
    /// Product id; null: all clients of the daemon together.
    pub product: Option<String>,
    /// The daemon, if it is told.
    pub daemon: Option<String>,
    /// The daemon's count.
    pub seats: u64,
    /// When the daemon says that it was.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub at: Option<Timestamp>,
    /// Our count: seats if they are known, else checkouts; null: there is none of the kind.
    pub ours: Option<u64>,
}

fn is_false(said: &bool) -> bool {
    !said
}
