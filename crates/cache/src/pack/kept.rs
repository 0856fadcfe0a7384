//! What the file keeps of packs: how far one has come, and what the last one did.

use rusqlite::Connection;

use super::{PackReport, PackResult, Skipped, Stage};
use crate::schema::{number, put, put_text, text};

/// The version that made the last pack that was done.
pub(super) const PACKED_BY_VERSION: &str = "packed_by_version";
const UNDER_WAY: &str = "pack_under_way";
const LAST: &str = "pack_last";

/// How far a pack has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) stage: Stage,
    /// The last row that was looked at, in a stage that walks over rows.
    pub(super) cursor: i64,
    pub(super) started_at: i64,
    pub(super) purged_rows: u64,
    pub(super) bytes_before: u64,
}

/// Keeps how far a pack has come.
pub(super) fn put_position(connection: &Connection, at: &Position) -> rusqlite::Result<()> {
    let text = format!(
        "{} {} {} {} {}",
        at.stage as u8, at.cursor, at.started_at, at.purged_rows, at.bytes_before
    );
    put_text(connection, UNDER_WAY, &text)
}

/// How far a pack that was cut off had come; none where none was. What cannot be read is none:
/// then the next pack begins anew.
pub(super) fn stage(connection: &Connection) -> rusqlite::Result<Option<Position>> {
    let Some(kept) = text(connection, UNDER_WAY)? else {
        return Ok(None);
    };
    let words: Vec<&str> = kept.split(' ').collect();
    let [stage, cursor, started_at, purged_rows, bytes_before] = words[..] else {
        return Ok(None);
    };
    let read = || {
        Some(Position {
            stage: Stage::of(stage.parse().ok()?)?,
            cursor: cursor.parse().ok()?,
            started_at: started_at.parse().ok()?,
            purged_rows: purged_rows.parse().ok()?,
            bytes_before: bytes_before.parse().ok()?,
        })
    };
    Ok(read())
}

/// Keeps what a pack did, and that it is over.
pub(super) fn put_last(connection: &Connection, report: &PackReport) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM meta WHERE key = ?1", [UNDER_WAY])?;
    let mut text = String::new();
    for skipped in &report.skipped {
        let line = |part: &str| part.replace(['\t', '\n'], " ");
        text += &format!("{}\t{}\n", line(&skipped.what), line(&skipped.why));
    }
    put_text(connection, LAST, &text)?;
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

/// What the last pack did.
pub(super) fn last(connection: &Connection) -> rusqlite::Result<Option<PackReport>> {
    let Some(kept) = text(connection, LAST)? else {
        return Ok(None);
    };
    let value = |key| number(connection, key).map(Option::unwrap_or_default);
    let skipped = kept.lines().filter_map(|line| line.split_once('\t'));
    let skipped = skipped.map(|(what, why)| Skipped {
        what: what.to_owned(),
        why: why.to_owned(),
    });
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
        skipped: skipped.collect(),
    }))
}
