//! Programs of no product, as they are counted.

use rusqlite::{Connection, params};
use usher_core::ledger::{Now, ProgramUse};

use super::signed;

/// Program names that are kept apart; what comes after them is gathered.
const PROGRAMS_LIMIT: i64 = 4_096;
/// Under which name.
const OTHER_PROGRAMS: &str = "(other)";

/// Counts what was seen of a program of no product, in a table of bounded size.
pub(super) fn programs(
    connection: &Connection,
    at: Now,
    computer: i64,
    seen: &ProgramUse,
) -> rusqlite::Result<()> {
    let program = &*seen.program;
    let known: bool = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM programs WHERE program = ?1)")?
        .query_row([program], |row| row.get(0))?;
    let names: i64 = match known {
        true => 0,
        false => connection
            .prepare_cached("SELECT count(DISTINCT program) FROM programs")?
            .query_row([], |row| row.get(0))?,
    };
    let name = if names < PROGRAMS_LIMIT {
        program
    } else {
        OTHER_PROGRAMS
    };
    connection
        .prepare_cached(
            "INSERT INTO programs \
             (program, computer, starts, first_at, last_at, run_seconds, package, desktop_name) \
             VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7) ON CONFLICT (program, computer) DO UPDATE SET \
             starts = starts + ?3, last_at = ?4, run_seconds = run_seconds + ?5, \
             package = coalesce(?6, package), desktop_name = coalesce(?7, desktop_name)",
        )?
        .execute(params![
            name,
            computer,
            signed(seen.starts),
            at.wall.0,
            signed(seen.run_seconds),
            // Of those that are gathered each has another.
            seen.package.as_deref().filter(|_| name == program),
            seen.desktop_name.as_deref().filter(|_| name == program)
        ])
        .map(drop)
}
