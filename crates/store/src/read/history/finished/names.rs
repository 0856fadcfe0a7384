//! The people and computers in the items of a page.

use rusqlite::{Connection, OptionalExtension};
use rustc_hash::FxHashSet;
use usher_core::ledger::{ComputerId, SubjectId};

use super::items::{Finished, FinishedItem};

/// A person in the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPerson {
    /// The surrogate.
    pub id: SubjectId,
    /// The realm of the account.
    pub realm: String,
    /// The account, as it is compared.
    pub account: String,
    /// The account as people see it.
    pub name: String,
}

/// A computer in the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedComputer {
    /// The surrogate.
    pub id: ComputerId,
    /// The id that its agent made, or the name that a request gave.
    pub key: String,
    /// The name of the computer.
    pub name: String,
}

/// The people and computers in the items, once each.
pub(super) fn of(
    connection: &Connection,
    items: &[FinishedItem],
) -> rusqlite::Result<(Vec<NamedPerson>, Vec<NamedComputer>)> {
    let (mut seen, mut people) = (FxHashSet::default(), Vec::new());
    let mut find =
        connection.prepare_cached("SELECT authority, key, name FROM subjects WHERE id = ?1")?;
    for id in items
        .iter()
        .flat_map(people_of)
        .filter(|id| seen.insert(*id))
    {
        let found = find.query_row([id.0.cast_signed()], |row| {
            Ok(NamedPerson {
                id,
                realm: row.get(0)?,
                account: row.get(1)?,
                name: row.get(2)?,
            })
        });
        people.extend(found.optional()?);
    }
    let (mut seen, mut computers) = (FxHashSet::default(), Vec::new());
    let mut find = connection.prepare_cached("SELECT key, name FROM computers WHERE id = ?1")?;
    for id in items
        .iter()
        .map(|item| item.computer)
        .filter(|id| seen.insert(*id))
    {
        let found = find.query_row([id.0.cast_signed()], |row| {
            Ok(NamedComputer {
                id,
                key: row.get(0)?,
                name: row.get(1)?,
            })
        });
        computers.extend(found.optional()?);
    }
    Ok((people, computers))
}

fn people_of(item: &FinishedItem) -> impl Iterator<Item = SubjectId> {
    let real = match &item.what {
        Finished::Session(session) => session.real_person,
        Finished::Lease(_) | Finished::Refusal(_) | Finished::Wait(_) => None,
    };
    std::iter::once(item.person).chain(real)
}
