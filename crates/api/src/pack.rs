//! The pack: upkeep of a metering server's store.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /v1/pack`: the pack's state, schedule and last report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Pack {
    /// Whether a pack runs.
    pub state: PackState,
    /// How much of the running pack is done, from 0 to 1; 0 if none runs.
    pub progress: f64,
    /// When packs run, such as `Sun 01:59:59`.
    pub schedule: String,
    /// The time zone of the schedule, such as `Europe/Berlin`.
    pub time_zone: String,
    /// The next run, in Unix seconds; null if the calendar ends before it.
    pub pack_time: Option<i64>,
    /// The last pack that ended.
    pub last: Option<PackReport>,
}

/// Whether a pack runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PackState {
    /// No pack runs.
    Idle,
    /// A pack runs.
    Running,
}

/// The report of a pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PackReport {
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// When it ended.
    #[schema(value_type = String, format = DateTime)]
    pub ended_at: Timestamp,
    /// How the pack ended.
    pub result: PackResult,
    /// Rows that were removed because they were past their retention.
    pub purged_rows: u64,
    /// The file's size when it began.
    pub bytes_before: u64,
    /// The file's size when it ended.
    pub bytes_after: u64,
    /// What it left out, or found wrong.
    pub skipped: Vec<PackSkipped>,
}

/// How a pack ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PackResult {
    /// It is complete.
    Done,
    /// Somebody stopped it.
    Stopped,
    /// The disk failed, or the check found damage or could not read a table: `skipped` says why.
    Failed,
}

/// What a pack left out, or found wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PackSkipped {
    /// What was left out.
    pub what: String,
    /// Why, and what to do.
    pub why: String,
}

/// `PUT /v1/pack/schedule`: change when packs run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PackSchedule {
    /// `Sun 01:59:59`, `Mon,Thu 03:00`, `daily 03:00`, `every 14 days 03:00` or `every 36 hours`.
    pub schedule: String,
    /// A name of the IANA time zone database, such as `Europe/Berlin`. Left out: the zone stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// A run, in Unix seconds, from which the runs of an `every` schedule count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pack_time: Option<i64>,
}
