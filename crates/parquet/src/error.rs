//! Why a table cannot be written or read.

use thiserror::Error;

/// Why a table cannot be written or read.
#[derive(Debug, Error)]
pub enum ParquetError {
    /// What was to be written does not fit the columns, for this reason.
    #[error("these are no rows of the Parquet table: {0}")]
    Rows(String),
    /// Writing failed, for this reason.
    #[error("cannot write a Parquet table: {0}")]
    Write(String),
    /// What is there cannot be read: it is damaged, or no such table.
    #[error("cannot read a Parquet table: {0}")]
    Read(String),
}

impl ParquetError {
    pub(crate) fn write(error: &dyn std::fmt::Display) -> ParquetError {
        ParquetError::Write(error.to_string())
    }

    pub(crate) fn read(error: &dyn std::fmt::Display) -> ParquetError {
        ParquetError::Read(error.to_string())
    }
}
