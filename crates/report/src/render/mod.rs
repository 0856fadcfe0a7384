//! A report as text: for a terminal, as CSV, as JSON, and as one HTML page; and as a Parquet table.

mod csv;
mod head;
mod html;
mod json;
mod parquet;
mod shown;
mod table;

pub use self::csv::{csv, csv_section};
pub use self::parquet::parquet;
pub use html::html;
pub use json::json;
pub use table::table;

/// Why a report cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The CSV writer failed.
    #[error("the report cannot be written as CSV: {0}")]
    Csv(String),
    /// The JSON writer failed.
    #[error("the report cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The Parquet writer failed.
    #[error("the report cannot be written as a Parquet file: {0}")]
    Parquet(#[from] usher_parquet::ParquetError),
}
