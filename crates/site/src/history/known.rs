//! Which sessions are there, by the numbers that their agents gave them.
//!
//! An agent numbers its sessions one after another, so what is known of it is a range of numbers and a few
//! more beside it. These take no room, and the rows of an hour are in few pages, which an index of all
//! keys would not be: in it, each computer is in another place.

use rusqlite::{CachedStatement, Connection, Result, params};

use super::ranges::Ranges;

/// A computer, an incarnation of its agent and the number of a session.
pub(super) type Key = [i64; 3];

/// Numbers that are further apart are looked up apart: what is known between them is not read.
const NEAR: i64 = 4_096;

/// Enters sessions; for each, whether it was not there. Of those with the same key the first was not.
pub(super) fn enter(connection: &Connection, keys: &[Key]) -> Result<Vec<bool>> {
    let mut sorted: Vec<(Key, usize)> = keys.iter().copied().zip(0..).collect();
    sorted.sort_unstable();
    let mut is_new = vec![false; keys.len()];
    let mut kept = Kept::new(connection)?;
    for group in sorted.chunk_by(|one, other| are_near(&one.0, &other.0)) {
        let [Some(first), Some(last)] = [group.first(), group.last()] else {
            continue;
        };
        let [computer, incarnation, low] = first.0;
        let of = [computer, incarnation];
        let before = kept.read(of, (low, last.0[2]))?;
        let mut ranges = before.clone();
        for ([.., session], place) in group {
            is_new[*place] = ranges.add(*session);
        }
        kept.write(of, &before, &ranges)?;
    }
    Ok(is_new)
}

fn are_near(one: &Key, other: &Key) -> bool {
    let apart = other[2].checked_sub(one[2]);
    one[..2] == other[..2] && apart.is_some_and(|apart| apart <= NEAR)
}

/// The statements of a batch.
struct Kept<'c> {
    read: CachedStatement<'c>,
    put: CachedStatement<'c>,
    remove: CachedStatement<'c>,
}

impl<'c> Kept<'c> {
    fn new(connection: &'c Connection) -> Result<Kept<'c>> {
        let read = "SELECT first, last FROM history_known_sessions \
            WHERE computer = ?1 AND agent_incarnation = ?2 AND first <= ?4 AND first >= coalesce( \
            (SELECT max(first) FROM history_known_sessions \
            WHERE computer = ?1 AND agent_incarnation = ?2 AND first <= ?3), ?3)";
        let put = "INSERT INTO history_known_sessions (computer, agent_incarnation, first, last) \
            VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET last = ?4";
        let remove = "DELETE FROM history_known_sessions \
            WHERE computer = ?1 AND agent_incarnation = ?2 AND first = ?3";
        Ok(Kept {
            read: connection.prepare_cached(read)?,
            put: connection.prepare_cached(put)?,
            remove: connection.prepare_cached(remove)?,
        })
    }

    /// The ranges that hold numbers from one to another, or are next to them.
    fn read(
        &mut self,
        [computer, incarnation]: [i64; 2],
        (low, high): (i64, i64),
    ) -> Result<Ranges> {
        let mut ranges = Ranges::default();
        let behind = high.saturating_add(1);
        let mut rows = self.read.query([computer, incarnation, low, behind])?;
        while let Some(row) = rows.next()? {
            ranges.know(row.get(0)?, row.get(1)?);
        }
        Ok(ranges)
    }

    fn write(
        &mut self,
        [computer, incarnation]: [i64; 2],
        before: &Ranges,
        ranges: &Ranges,
    ) -> Result<()> {
        let differences = ranges.since(before);
        for first in differences.removed {
            self.remove.execute([computer, incarnation, first])?;
        }
        for (first, last) in differences.put {
            self.put
                .execute(params![computer, incarnation, first, last])?;
        }
        Ok(())
    }
}
