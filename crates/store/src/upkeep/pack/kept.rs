//! What the file stores about packs: the position of an interrupted one, and the report of the last
//! one.

use rusqlite::Connection;

use super::stage::Stage;
use super::{PackReport, PackResult, Skipped};
use crate::base::meta::{number, put, put_text, text};

/// The name in `meta` of the version that did the last complete pack.
pub(super) const PACKED_BY_VERSION: &str = "packed_by_version";
const UNDER_WAY: &str = "pack_under_way";
const SKIPPED: &str = "pack_under_way_skipped";
const LAST: &str = "pack_last";

/// The position of a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) stage: Stage,
    /// The last row that was handled, in a stage that walks over rows; in the check, the tables
    /// that were checked.
    pub(super) cursor: i64,
    pub(super) started_at: i64,
    pub(super) purged_rows: u64,
    pub(super) bytes_before: u64,
    /// Whether the check has found a fault so far.
    pub(super) failed: bool,
}

/// Stores the position of a pack.
pub(super) fn put_position(connection: &Connection, at: &Position) -> rusqlite::Result<()> {
    let text = format!(
        "{} {} {} {} {} {}",
        at.stage as u8, at.cursor, at.started_at, at.purged_rows, at.bytes_before, at.failed
    );
    put_text(connection, UNDER_WAY, &text)
}

/// The position of an interrupted pack; `None`: no pack was interrupted, or the position cannot be
/// read, and the next pack starts anew.
pub(super) fn stage(connection: &Connection) -> rusqlite::Result<Option<Position>> {
    let Some(kept) = text(connection, UNDER_WAY)? else {
        return Ok(None);
    };
    let words: Vec<&str> = kept.split(' ').collect();
    let [stage, cursor, started_at, purged_rows, bytes_before, failed] = words[..] else {
        return Ok(None);
    };
    let read = || {
        Some(Position {
            stage: Stage::of(stage.parse().ok()?)?,
            cursor: cursor.parse().ok()?,
            started_at: started_at.parse().ok()?,
            purged_rows: purged_rows.parse().ok()?,
            bytes_before: bytes_before.parse().ok()?,
            failed: failed.parse().ok()?,
        })
    };
    Ok(read())
}

/// Stores what a running pack has left out.
pub(super) fn put_skipped(connection: &Connection, skipped: &[Skipped]) -> rusqlite::Result<()> {
    put_text(connection, SKIPPED, &write_skipped(skipped))
}

/// What an interrupted pack had left out.
pub(super) fn skipped(connection: &Connection) -> rusqlite::Result<Vec<Skipped>> {
    Ok(read_skipped(
        &text(connection, SKIPPED)?.unwrap_or_default(),
    ))
}

fn write_skipped(skipped: &[Skipped]) -> String {
    let line = |part: &str| part.replace(['\t', '\n'], " ");
    let lines = skipped.iter();
    lines
        .map(|skipped| format!("{}\t{}\n", line(&skipped.what), line(&skipped.why)))
        .collect()
}

fn read_skipped(text: &str) -> Vec<Skipped> {
    let skipped = text.lines().filter_map(|line| line.split_once('\t'));
    skipped
        .map(|(what, why)| Skipped {
            what: what.to_owned(),
            why: why.to_owned(),
        })
        .collect()
}

/// Forgets the position of a pack: the next one starts anew.
pub(super) fn forget_position(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .execute(
            "DELETE FROM meta WHERE key IN (?1, ?2)",
            [UNDER_WAY, SKIPPED],
        )
        .map(drop)
}

/// Stores the report of a pack.
pub(super) fn put_last(connection: &Connection, report: &PackReport) -> rusqlite::Result<()> {
    put_text(connection, LAST, &write_skipped(&report.skipped))?;
    let result = match report.result {
        PackResult::Done => 0,
        PackResult::Stopped => 1,
        PackResult::Failed => 2,
    };
    for (key, value) in [
        ("pack_last_result", result),
        ("pack_last_started_at", report.started_at.cast_unsigned()),
        ("pack_last_ended_at", report.ended_at.cast_unsigned()),
        ("pack_last_purged_rows", report.purged_rows),
        ("pack_last_bytes_before", report.bytes_before),
        ("pack_last_bytes_after", report.bytes_after),
    ] {
        put(connection, key, value)?;
    }
    Ok(())
}

/// The report of the last pack.
pub(super) fn last(connection: &Connection) -> rusqlite::Result<Option<PackReport>> {
    let Some(kept) = text(connection, LAST)? else {
        return Ok(None);
    };
    let value = |key| number(connection, key).map(Option::unwrap_or_default);
    Ok(Some(PackReport {
        started_at: value("pack_last_started_at")?.cast_signed(),
        ended_at: value("pack_last_ended_at")?.cast_signed(),
        result: match value("pack_last_result")? {
            0 => PackResult::Done,
            1 => PackResult::Stopped,
            _ => PackResult::Failed,
        },
        purged_rows: value("pack_last_purged_rows")?,
        bytes_before: value("pack_last_bytes_before")?,
        bytes_after: value("pack_last_bytes_after")?,
        skipped: read_skipped(&kept),
    }))
}
