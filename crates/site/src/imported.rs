//! Imports: how one is begun, takes in rows, is finished, and what is kept of it. Times are Unix
//! milliseconds of the wall clock, but for those of what was imported.

use crate::elsewhere::ElsewhereRow;

/// Imports that may be begun and not finished at the same time.
pub const OPEN_IMPORTS_LIMIT: u64 = 100;

/// Live imports that may be begun and not finished at the same time.
pub const LIVE_IMPORTS_LIMIT: u64 = 1_000;

/// How many imports there are at the most, whatever became of them: each day of a watch is one.
pub const IMPORTS_LIMIT: u64 = 250_000;

/// The most uses that one look answers.
pub const USES_LIMIT: u32 = 10_000;

/// An import that begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewImport {
    /// Its id, which no other has.
    pub id: String,
    /// What tells a repeat of the request that begins it; none: each is another one.
    pub request: Option<String>,
    /// What kind of file it is.
    pub kind: String,
    /// Whose file it is: keys of rows are compared within a source.
    pub source: String,
    /// The zone that was asked for.
    pub time_zone: Option<String>,
    /// When it begins.
    pub at_ms: i64,
    /// Its rows count as soon as they are in.
    pub live: bool,
}

/// What became of a beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// The import is begun.
    New,
    /// It was begun before by the same request.
    Again {
        /// The id that it got then.
        id: String,
    },
    /// The request has begun an import of another kind, source or zone.
    Other,
    /// Too many are begun and not finished: at most [`OPEN_IMPORTS_LIMIT`], of live ones
    /// [`LIVE_IMPORTS_LIMIT`].
    Full,
    /// There are [`IMPORTS_LIMIT`] in all.
    TooMany,
}

/// Rows of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportBatch {
    /// The import's id.
    pub id: String,
    /// From 1 on, without a gap.
    pub number: u64,
    /// When they came.
    pub at_ms: i64,
    /// The rows.
    pub rows: Vec<ElsewhereRow>,
    /// Of a live import: the first and the last instant of which it tells so far.
    pub told_ms: Option<(i64, i64)>,
}

/// What became of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowsTaken {
    /// They are in, now or already.
    Taken {
        /// The number that the next ones have.
        next_number: u64,
    },
    /// Others are missing before them: nothing was done.
    Missing {
        /// The number that is next.
        next_number: u64,
    },
    /// The import takes in no more.
    Finished,
    /// There is no such import.
    Unknown,
}

/// The end of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportEnd {
    /// The import's id.
    pub id: String,
    /// How many bodies of rows it had.
    pub bodies: u64,
    /// What was understood; given back as it is.
    pub summary: String,
    /// The first instant of which the file tells.
    pub from_ms: Option<i64>,
    /// The last one.
    pub to_ms: Option<i64>,
    /// When it ends.
    pub at_ms: i64,
}

/// What became of an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finish {
    /// It is finished, now or already; what its rows say counts from now on.
    Done {
        /// The import.
        import: ImportRecord,
        /// It was not before.
        is_new: bool,
    },
    /// Not so many bodies of rows came: nothing was done.
    Missing {
        /// The number that the next one has.
        next_number: u64,
    },
    /// There is no such import.
    Unknown,
}

/// What is kept of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRecord {
    /// Its number in this site: a later one has a higher one.
    pub number: i64,
    /// Its id.
    pub id: String,
    /// What kind of file it is.
    pub kind: String,
    /// Whose file it is.
    pub source: String,
    /// The zone that was asked for.
    pub time_zone: Option<String>,
    /// When it began.
    pub begun_ms: i64,
    /// When it was finished; none: rows may follow.
    pub finished_ms: Option<i64>,
    /// Rows may follow, and those that are there count.
    pub live: bool,
    /// The number that the next rows have.
    pub next_number: u64,
    /// Rows that were new.
    pub added: u64,
    /// Rows that were there and say nothing new.
    pub already_there: u64,
    /// Rows that were there and have an end now, or were seen later.
    pub completed: u64,
    /// What was understood; none: nobody finished it, or this is one of a list.
    pub summary: Option<String>,
}

/// Which uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsesAsked {
    /// Of that product.
    pub product: String,
    /// That last at this instant or later.
    pub from_ms: i64,
    /// That began before this one.
    pub to_ms: i64,
    /// Only those behind the use that began then and has that number: the page after it.
    pub after: Option<(i64, i64)>,
    /// At most so many; never more than [`USES_LIMIT`].
    pub limit: u32,
}

/// A use that another licence server counted, of an import that is finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedElsewhere {
    /// The number of its row.
    pub number: i64,
    /// Whose file told of it.
    pub source: String,
    /// Who: a surrogate of the site; none: that is not known.
    pub person: Option<i64>,
    /// On which computer: a surrogate of the site; none: that is not known.
    pub computer: Option<i64>,
    /// Seats.
    pub seats: u32,
    /// Its first instant.
    pub started_ms: i64,
    /// The first instant behind it; none: that is not known.
    pub ended_ms: Option<i64>,
    /// Without an end: the last instant at which it was seen; none: it still runs.
    pub seen_ms: Option<i64>,
}
