//! A row of the table of uses.

use jiff::Timestamp;

use super::{Column, Problem};
use crate::asked::{self, NAME_LIMIT_BYTES};
use crate::fact::{Product, Session};
use crate::record;

/// Reads a row whose cells are of these columns. Blanks around a cell are not of it.
pub(super) fn read(line: &str, columns: &[Column], row: u64) -> Result<Session, Problem> {
    let cells = record::cells(line, ',').ok_or(Problem::Quotes)?;
    if cells.len() != columns.len() {
        return Err(Problem::Cells {
            expected: columns.len(),
            found: cells.len(),
        });
    }
    let cell = |wanted: Column| {
        let place = columns.iter().position(|column| *column == wanted);
        let cell = place.and_then(|place| cells.get(place));
        cell.map_or("", |cell| cell.trim())
    };
    let name = |column: Column| match cell(column) {
        "" => Err(Problem::Empty(column.name())),
        written => checked(written, column),
    };
    let maybe = |column: Column| match cell(column) {
        "" => Ok(None),
        written => checked(written, column).map(|name| Some(name.to_owned())),
    };
    let product = name(Column::Product)?.to_owned();
    let holder = asked::holder(name(Column::User)?, name(Column::Computer)?);
    let from = match cell(Column::StartedAt) {
        "" => return Err(Problem::Empty(Column::StartedAt.name())),
        written => time(written, Column::StartedAt)?,
    };
    let until = match cell(Column::EndedAt) {
        "" => None,
        written => Some(time(written, Column::EndedAt)?),
    };
    if until.is_some_and(|until| until < from) {
        return Err(Problem::EndsBeforeStart);
    }
    let seats = match cell(Column::Seats) {
        "" => 1,
        written => match written.parse() {
            Ok(seats @ 1..) => seats,
            _ => return Err(Problem::Seats(shown(written))),
        },
    };
    Ok(Session {
        product: Product::Id(product),
        holder,
        seats,
        version: maybe(Column::Version)?,
        program: maybe(Column::Program)?,
        from,
        until,
        row,
    })
}

fn checked(written: &str, column: Column) -> Result<&str, Problem> {
    match written.len() > NAME_LIMIT_BYTES || written.chars().any(char::is_control) {
        true => Err(Problem::Name(column.name())),
        false => Ok(written),
    }
}

fn time(written: &str, column: Column) -> Result<Timestamp, Problem> {
    // jiff reads more than RFC 3339, such as a name of a zone in brackets.
    let is_plain = written.len() <= 64 && !written.contains('[');
    let read = written.parse::<Timestamp>().ok().filter(|_| is_plain);
    read.ok_or_else(|| Problem::Time {
        column: column.name(),
        written: shown(written),
    })
}

/// What an error shows of a cell.
fn shown(written: &str) -> String {
    written.chars().take(100).collect()
}
