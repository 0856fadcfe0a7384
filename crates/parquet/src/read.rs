//! Reading a table.

use std::fs::File;

use bytes::Bytes;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::file::reader::{ChunkReader, FileReader, SerializedFileReader};
use parquet::file::statistics::Statistics;

use crate::error::ParquetError;
use crate::schema;
use crate::table::{Column, Values};

/// The most rows of a group that is read: more are not held in memory.
const GROUP_LIMIT: usize = 1 << 20;

/// What a table can be read from.
pub trait Source: ChunkReader + 'static {}

impl Source for File {}
impl Source for Bytes {}

/// A table that is read.
pub struct Reader<R: Source> {
    from: SerializedFileReader<R>,
    columns: Vec<Column>,
}

impl<R: Source> Reader<R> {
    /// Reads what the table is; none of its rows.
    ///
    /// # Errors
    /// [`ParquetError::Read`]: what is there is no table, or one with columns that no table of ours
    /// has.
    pub fn open(from: R) -> Result<Reader<R>, ParquetError> {
        let from = SerializedFileReader::new(from).map_err(|error| ParquetError::read(&error))?;
        let schema = from.metadata().file_metadata().schema_descr();
        let columns = schema.columns().iter().map(|found| {
            schema::column(found).ok_or_else(|| {
                ParquetError::Read(format!(
                    "its column {} is of a kind that is not read",
                    found.name()
                ))
            })
        });
        Ok(Reader {
            columns: columns.collect::<Result<_, _>>()?,
            from,
        })
    }

    /// Its columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The place of the column of that name.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|it| it.name == name)
    }

    /// How many groups it has.
    pub fn groups(&self) -> usize {
        self.from.num_row_groups()
    }

    /// How many rows it has.
    pub fn rows(&self) -> u64 {
        let rows = self.from.metadata().file_metadata().num_rows();
        u64::try_from(rows).unwrap_or(0)
    }

    /// How many rows a group has; none: there is no such group.
    pub fn group_rows(&self, group: usize) -> Option<usize> {
        let found = self.from.metadata().row_groups().get(group)?;
        usize::try_from(found.num_rows()).ok()
    }

    /// What else was said of the table, by its key.
    pub fn note(&self, key: &str) -> Option<&str> {
        let notes = self.from.metadata().file_metadata().key_value_metadata()?;
        let found = notes.iter().find(|note| note.key == key)?;
        found.value.as_deref()
    }

    /// The least and the greatest number of a column in a group; none: it is not known, or there is
    /// no number.
    pub fn numbers(&self, group: usize, column: usize) -> Option<(i64, i64)> {
        match self.statistics(group, column)? {
            Statistics::Int64(it) => it.min_opt().copied().zip(it.max_opt().copied()),
            _ => None,
        }
    }

    /// Whether a text may be in a column of a group: no tells that it is in no row.
    pub fn may_have(&self, group: usize, column: usize, text: &str) -> bool {
        let Some(Statistics::ByteArray(it)) = self.statistics(group, column) else {
            return true;
        };
        // Ends that were cut off still enclose all texts.
        let is_above = it.min_opt().is_none_or(|min| min.data() <= text.as_bytes());
        let is_below = it.max_opt().is_none_or(|max| text.as_bytes() <= max.data());
        is_above && is_below
    }

    fn statistics(&self, group: usize, column: usize) -> Option<&Statistics> {
        let group = self.from.metadata().row_groups().get(group)?;
        group.columns().get(column)?.statistics()
    }

    /// The cells of some columns, by their places, in a group.
    ///
    /// # Errors
    /// [`ParquetError::Read`].
    pub fn read(&self, group: usize, columns: &[usize]) -> Result<Vec<Values>, ParquetError> {
        let rows = self.group_rows(group).ok_or_else(|| {
            ParquetError::Read(format!("it has {} groups, and no {group}", self.groups()))
        })?;
        if rows > GROUP_LIMIT {
            return Err(ParquetError::Read(format!(
                "its group {group} has {rows} rows, and at most {GROUP_LIMIT} are read at once"
            )));
        }
        let found = self.from.get_row_group(group);
        let found = found.map_err(|error| ParquetError::read(&error))?;
        let read = columns.iter().map(|place| {
            if *place >= self.columns.len() {
                return Err(ParquetError::Read(format!("it has no column {place}")));
            }
            let column = found.get_column_reader(*place);
            cells(column.map_err(|error| ParquetError::read(&error))?, rows)
        });
        read.collect()
    }
}

fn cells(column: ColumnReader, rows: usize) -> Result<Values, ParquetError> {
    Ok(match column {
        ColumnReader::Int64ColumnReader(from) => Values::Whole(each(from, rows, Ok)?),
        ColumnReader::Int32ColumnReader(from) => {
            Values::Whole(each(from, rows, |day| Ok(i64::from(day)))?)
        }
        ColumnReader::DoubleColumnReader(from) => Values::Number(each(from, rows, Ok)?),
        ColumnReader::BoolColumnReader(from) => Values::Flag(each(from, rows, Ok)?),
        ColumnReader::ByteArrayColumnReader(from) => Values::Text(each(from, rows, |bytes| {
            String::from_utf8(bytes.data().to_vec()).map_err(|error| ParquetError::read(&error))
        })?),
        _ => {
            let why = "a column is of a kind that is not read";
            return Err(ParquetError::Read(why.to_owned()));
        }
    })
}

/// All cells of a column in a group of so many rows.
fn each<T: DataType, U>(
    mut from: ColumnReaderImpl<T>,
    rows: usize,
    of: impl Fn(T::T) -> Result<U, ParquetError>,
) -> Result<Vec<Option<U>>, ParquetError> {
    let (mut levels, mut there) = (Vec::new(), Vec::new());
    from.read_records(rows, Some(&mut levels), None, &mut there)
        .map_err(|error| ParquetError::read(&error))?;
    let many = levels.iter().filter(|level| **level > 0).count();
    if levels.len() != rows || there.len() != many {
        return Err(ParquetError::Read(format!(
            "a column of a group with {rows} rows has {} cells",
            levels.len()
        )));
    }
    let mut there = there.into_iter();
    let cells = levels.into_iter().map(|level| match level {
        0 => Ok(None),
        _ => there.next().map(&of).transpose(),
    });
    cells.collect()
}
