//! `GET /v1/reports/{name}` of a manager: a report, which is tables and what may be plotted of them.

mod cell;
mod name;
mod plot;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{AsOf, Cut};

pub use cell::{Cell, Column, ColumnKind};
pub use name::{NoReport, ReportName};
pub use plot::{Bar, BarPart, HeatRow, Plot, Point, Series};

/// A report. The same question later gives the same sections and the same hash, unless something
/// came in since, or was removed; `as_of` says what had.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Report {
    /// Which report.
    pub name: ReportName,
    /// Its title, for people.
    pub title: String,
    /// What was asked for.
    pub parameters: ReportParameters,
    /// The first instant of the time that it is about.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// The first instant after that time.
    #[schema(value_type = String, format = DateTime)]
    pub to: Timestamp,
    /// The time zone of its hours, days, weeks and months, by its IANA name.
    pub time_zone: String,
    /// Up to which event of which server all is in it.
    pub as_of: Vec<AsOf>,
    /// What is not in it: removed by retention, not collected yet, or beyond a limit.
    pub cut: Vec<Cut>,
    /// How to read it, a sentence each.
    pub notes: Vec<String>,
    /// SHA-256, in hexadecimal, of the question, the servers' events (without the times at which
    /// they were collected), `cut` and `sections`, in a canonical form. `holders`, `programs` and
    /// `health` are of the moment, and so is their hash; `state` and `days_left` of `expiring` are
    /// not in it.
    pub hash: String,
    /// Its tables, in the order in which they are read.
    pub sections: Vec<Section>,
}

/// What a report was asked for. What does not apply to a report is null.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportParameters {
    /// Only this product.
    #[serde(default)]
    pub product: Option<String>,
    /// Only this person, by the name of the account.
    #[serde(default)]
    pub user: Option<String>,
    /// What a row stands for.
    #[serde(default)]
    pub group_by: Option<GroupBy>,
    /// Into which stretches the time is divided.
    #[serde(default)]
    pub grain: Option<ReportGrain>,
}

/// What a row of a report stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroupBy {
    /// A product.
    Product,
    /// A person.
    User,
    /// A computer.
    Computer,
    /// A group of people.
    Group,
}

/// Stretches of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportGrain {
    /// Hours.
    Hour,
    /// Days.
    Day,
    /// Weeks, which begin on Monday.
    Week,
    /// Months.
    Month,
}

/// A table of a report, and what may be plotted of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Section {
    /// A name for programs, different from those of the report's other sections.
    pub key: String,
    /// Its title, for people.
    pub title: String,
    /// What it says, in a sentence.
    pub summary: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows: in each a cell for each column. A cell is a number or a text, as the column's kind
    /// says; null if there is no value; `{"not_known": WHY}` if nobody knows it.
    #[schema(value_type = Vec<Vec<Value>>)]
    pub rows: Vec<Vec<Cell>>,
    /// What may be plotted of it; null: nothing.
    #[serde(default)]
    pub plot: Option<Plot>,
}
