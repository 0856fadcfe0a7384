//! Writing a table.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};

use crate::error::ParquetError;
use crate::schema;
use crate::table::{Column, Kind, Values};

/// Writes a table to `W`.
pub struct Writer<W: Write + Send> {
    columns: Vec<Column>,
    out: SerializedFileWriter<W>,
}

impl<W: Write + Send> Writer<W> {
    /// Begins a table with these columns.
    ///
    /// # Errors
    /// [`ParquetError::Write`].
    pub fn new(out: W, columns: Vec<Column>) -> Result<Writer<W>, ParquetError> {
        let root = schema::of(&columns).map_err(|error| ParquetError::write(&error))?;
        // Groups are few pages each: where pages begin and end is not worth writing down.
        let properties = WriterProperties::builder()
            .set_created_by(concat!("usher ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_compression(Compression::SNAPPY)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_offset_index_disabled(true)
            .build();
        let out = SerializedFileWriter::new(out, root, Arc::new(properties));
        Ok(Writer {
            columns,
            out: out.map_err(|error| ParquetError::write(&error))?,
        })
    }

    /// Writes a group of rows: for each column its cells, as many of each. Of no rows no group is made.
    ///
    /// # Errors
    /// [`ParquetError::Rows`], after which nothing of the group is written; [`ParquetError::Write`],
    /// after which the table is not whole.
    pub fn group(&mut self, values: &[Values]) -> Result<(), ParquetError> {
        self.check(values)?;
        if values.first().is_none_or(Values::is_empty) {
            return Ok(());
        }
        let failed = |error: parquet::errors::ParquetError| ParquetError::write(&error);
        let mut group = self.out.next_row_group().map_err(failed)?;
        for values in values {
            let Some(column) = group.next_column().map_err(failed)? else {
                break;
            };
            put(column, values).map_err(failed)?;
        }
        group.close().map(drop).map_err(failed)
    }

    /// Ends the table, with what else is to be said of it, by key; gives back what it was written to.
    ///
    /// # Errors
    /// [`ParquetError::Write`].
    pub fn end(mut self, notes: &[(&str, String)]) -> Result<W, ParquetError> {
        for (key, text) in notes {
            let note = KeyValue::new((*key).to_owned(), text.clone());
            self.out.append_key_value_metadata(note);
        }
        self.out
            .into_inner()
            .map_err(|error| ParquetError::write(&error))
    }

    fn check(&self, values: &[Values]) -> Result<(), ParquetError> {
        let (wanted, given) = (self.columns.len(), values.len());
        if wanted != given {
            return Err(ParquetError::Rows(format!(
                "there are {wanted} columns, and cells of {given}"
            )));
        }
        let rows = values.first().map_or(0, Values::len);
        for (column, values) in self.columns.iter().zip(values) {
            if values.len() != rows {
                return Err(ParquetError::Rows(format!(
                    "the column {} has {} cells, and the first has {rows}",
                    column.name,
                    values.len()
                )));
            }
            if !values.fit(column.kind) || !are_days(column.kind, values) {
                return Err(ParquetError::Rows(format!(
                    "the cells of the column {} are not of its kind",
                    column.name
                )));
            }
        }
        Ok(())
    }
}

/// Whether those of a column of days are such.
fn are_days(kind: Kind, values: &Values) -> bool {
    match values {
        Values::Whole(days) if kind == Kind::Day => {
            let mut days = days.iter().flatten();
            days.all(|day| i32::try_from(*day).is_ok())
        }
        _ => true,
    }
}

fn put(mut column: SerializedColumnWriter<'_>, values: &Values) -> parquet::errors::Result<()> {
    let mut levels: Vec<i16> = Vec::with_capacity(values.len());
    match (column.untyped(), values) {
        (ColumnWriter::Int64ColumnWriter(out), Values::Whole(values)) => {
            let there = there(values, &mut levels, |it| *it);
            out.write_batch(&there, Some(&levels), None)?;
        }
        (ColumnWriter::Int32ColumnWriter(out), Values::Whole(values)) => {
            // They were found to be days.
            let there = there(values, &mut levels, |it| i32::try_from(*it).unwrap_or(0));
            out.write_batch(&there, Some(&levels), None)?;
        }
        (ColumnWriter::DoubleColumnWriter(out), Values::Number(values)) => {
            let there = there(values, &mut levels, |it| *it);
            out.write_batch(&there, Some(&levels), None)?;
        }
        (ColumnWriter::ByteArrayColumnWriter(out), Values::Text(values)) => {
            let bytes = |it: &String| ByteArray::from(it.as_bytes().to_vec());
            let there = there(values, &mut levels, bytes);
            out.write_batch(&there, Some(&levels), None)?;
        }
        (ColumnWriter::BoolColumnWriter(out), Values::Flag(values)) => {
            let there = there(values, &mut levels, |it| *it);
            out.write_batch(&there, Some(&levels), None)?;
        }
        // They were found to be of the column's kind.
        _ => {}
    }
    column.close()
}

/// The cells that are not null; for each whether it is, as a level.
fn there<T, U>(values: &[Option<T>], levels: &mut Vec<i16>, of: impl Fn(&T) -> U) -> Vec<U> {
    levels.extend(values.iter().map(|it| i16::from(it.is_some())));
    values.iter().flatten().map(of).collect()
}

#[cfg(test)]
mod tests;
