//! What schema 3 changes of people and of names, in the tables and in the journal.
//!
//! The journal may tell of some that the tables do not have yet. So what it says is put beside what
//! the tables hold first, then all of it is changed together, and then the journal is made to say
//! what became of it.

use std::path::Path;

use rusqlite::Connection;
use usher_core::ledger::Event;

use crate::base::error::StoreError;
use crate::tables::composed::Names;
use crate::tables::{journal, persons};

/// Makes the change for the whole file, within the migration's transaction.
pub(crate) fn change(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let database = |source| StoreError::Database {
        doing: "migrate",
        path: path.into(),
        source,
    };
    persons::begin(connection).map_err(database)?;
    let mut names = Names::of(connection).map_err(database)?;
    each_record(connection, path, |first, events| {
        for (number, event) in (first..).zip(&events) {
            match event {
                Event::SubjectEntered(person) => {
                    persons::enter(connection, person, number).map_err(database)?;
                }
                Event::ComputerEntered(computer) => names.put_computer(computer.id, &computer.key),
                Event::ProductPut { product, spec } => names.put_product(*product, &spec.id, false),
                Event::ProductRemoved { product } => names.remove_product(*product),
                _ => {}
            }
        }
        Ok(())
    })?;
    names.compose(connection).map_err(database)?;
    persons::by_account(connection).map_err(database)?;
    each_record(connection, path, |first, mut events| {
        let mut is_changed = false;
        for event in &mut events {
            match event {
                Event::SubjectEntered(person) => {
                    *person = persons::kept(connection, person.id).map_err(database)?;
                    is_changed = true;
                }
                Event::ComputerEntered(computer) => {
                    if let Some(now) = names.computer(computer) {
                        *computer = now;
                        is_changed = true;
                    }
                }
                Event::ProductPut { product, spec } => {
                    if let Some(id) = names.product_id(*product) {
                        spec.id = id.into();
                        is_changed = true;
                    }
                }
                _ => {}
            }
        }
        if !is_changed {
            return Ok(());
        }
        journal::replace(connection, first, &events).map_err(|why| StoreError::Damaged {
            path: path.into(),
            why: format!("journal record {first}: {why}"),
        })
    })
}

/// Calls `step` for each record of the journal, one at a time.
fn each_record(
    connection: &Connection,
    path: &Path,
    mut step: impl FnMut(u64, Vec<Event>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut next = 0;
    loop {
        let batches = journal::oldest(connection, path, next, 1)?;
        if batches.is_empty() {
            return Ok(());
        }
        for batch in batches {
            next = batch.first + 1;
            step(batch.first, batch.events.to_vec())?;
        }
    }
}
