//! Which groups of people used a product, for how long, and with how many seats at once.

use usher_core::usage::Counted;

use super::super::db::Db;
use super::super::failure::Result;
use super::about::product_number;
use super::running::runs;
use super::within::Look;
use crate::archive::{Archive, Archived};
use crate::reported::{GroupSums, GroupsAsked};
use crate::usage::Grouped;

/// The uses of each group.
pub(in crate::postgres) fn grouped(
    db: &Db,
    asked: &GroupsAsked,
    archive: Option<&Archive>,
) -> Result<GroupSums> {
    let sums = &asked.sums;
    let product = product_number(db, &sums.product)?;
    let look = Look::new(db, product, (sums.from_ms, sums.to_ms));
    let mut found = Grouped::new(asked);
    let mut archived = Archived::default();
    match sums.counted {
        Counted::Elsewhere => look.elsewhere(&mut |person, computer, adds| {
            found.add(person, computer, adds);
        })?,
        Counted::Here => {
            let runs = runs(db, product, &sums.running)?;
            let mut reading = look.reading(archive)?;
            look.here(&mut reading, &mut |person, computer, adds| {
                found.add(person, computer, adds);
            })?;
            archived = reading.end();
            found.add_running(&runs);
        }
    }
    Ok(GroupSums {
        archived,
        ..found.answer()
    })
}
