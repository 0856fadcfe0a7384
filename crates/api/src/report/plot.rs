//! What may be plotted of a report's table: data only, which whoever shows it draws.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A plot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Plot {
    /// Values over time.
    Lines {
        /// The unit of the values, such as `seats`.
        unit: String,
        /// The first instant of the plot.
        #[schema(value_type = String, format = DateTime)]
        from: Timestamp,
        /// The first instant after it.
        #[schema(value_type = String, format = DateTime)]
        to: Timestamp,
        /// Its lines.
        series: Vec<Series>,
    },
    /// A bar for each of some things.
    Bars {
        /// The unit of the values.
        unit: String,
        /// The bars, from the first on.
        bars: Vec<Bar>,
    },
    /// A value for each row and column.
    HeatMap {
        /// The unit of the values.
        unit: String,
        /// The titles of the columns.
        columns: Vec<String>,
        /// The rows.
        rows: Vec<HeatRow>,
    },
}

/// A line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Series {
    /// What it shows.
    pub title: String,
    /// Whether each value holds from its instant until the next one; else values are joined.
    pub is_step: bool,
    /// Its values, in the order of their instants.
    pub points: Vec<Point>,
}

/// A value at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Point {
    /// The instant.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The value; null: there is none, or nobody knows it, and the line is interrupted.
    pub value: Option<f64>,
}

/// A bar.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Bar {
    /// What it stands for.
    pub title: String,
    /// Its parts, one after the other.
    pub parts: Vec<BarPart>,
}

/// A part of a bar.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BarPart {
    /// What it shows, the same word in all bars of a plot.
    pub title: String,
    /// Its length.
    pub value: f64,
}

/// A row of a heat map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HeatRow {
    /// Its title.
    pub title: String,
    /// A value for each column; null: there is none, or nobody knows it.
    pub values: Vec<Option<f64>>,
}
