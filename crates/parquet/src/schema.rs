//! Columns as Parquet describes them.

use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::schema::types::{ColumnDescriptor, Type, TypePtr};

use crate::table::{Column, Kind};

/// The name of a table's root, which readers do not show.
const ROOT: &str = "usher";

/// The schema of a table of these columns.
pub(crate) fn of(columns: &[Column]) -> parquet::errors::Result<TypePtr> {
    let fields: parquet::errors::Result<Vec<TypePtr>> =
        columns.iter().map(|it| field(it).map(Arc::new)).collect();
    let root = Type::group_type_builder(ROOT).with_fields(fields?);
    root.build().map(Arc::new)
}

fn field(column: &Column) -> parquet::errors::Result<Type> {
    let utc = |unit| Some(LogicalType::timestamp(true, unit));
    let (physical, logical) = match column.kind {
        Kind::Whole => (Physical::INT64, None),
        Kind::Number => (Physical::DOUBLE, None),
        Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Kind::Flag => (Physical::BOOLEAN, None),
        Kind::Millis => (Physical::INT64, utc(TimeUnit::MILLIS)),
        Kind::Micros => (Physical::INT64, utc(TimeUnit::MICROS)),
        Kind::Day => (Physical::INT32, Some(LogicalType::Date)),
    };
    Type::primitive_type_builder(&column.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical)
        .build()
}

/// What a column of a file is; none: a kind that no table of ours has.
pub(crate) fn column(found: &ColumnDescriptor) -> Option<Column> {
    // Every cell of ours may be null, and none is a list.
    if (found.max_def_level(), found.max_rep_level()) != (1, 0) {
        return None;
    }
    let kind = match (found.physical_type(), found.logical_type_ref()) {
        (Physical::INT64, None) => Kind::Whole,
        (Physical::DOUBLE, None) => Kind::Number,
        (Physical::BYTE_ARRAY, Some(LogicalType::String)) => Kind::Text,
        (Physical::BOOLEAN, None) => Kind::Flag,
        (Physical::INT64, Some(LogicalType::Timestamp(it))) => match it.unit {
            TimeUnit::MILLIS => Kind::Millis,
            TimeUnit::MICROS => Kind::Micros,
            TimeUnit::NANOS => return None,
        },
        (Physical::INT32, Some(LogicalType::Date)) => Kind::Day,
        _ => return None,
    };
    Some(Column::new(found.name(), kind))
}
