//! Who used a product and for how long.

use usher_core::usage::Counted;

use super::super::db::Db;
use super::super::failure::Result;
use super::about::product_number;
use super::named::named;
use super::running::runs;
use super::within::Look;
use crate::archive::{Archive, Archived};
use crate::reported::{SumsAsked, UseSums};
use crate::usage::Uses;

/// The uses of each person, or on each computer. It takes memory for each of them.
pub(in crate::postgres) fn sums(
    db: &Db,
    asked: &SumsAsked,
    archive: Option<&Archive>,
) -> Result<UseSums> {
    let product = product_number(db, &asked.product)?;
    let look = Look::new(db, product, (asked.from_ms, asked.to_ms));
    let look = look.of_people(asked.people.as_deref());
    let mut found = Uses::new(asked);
    let mut archived = Archived::default();
    match asked.counted {
        Counted::Elsewhere => look.elsewhere(&mut |person, computer, adds| {
            found.add(person, computer, adds);
        })?,
        Counted::Here => {
            let runs = runs(db, product, &asked.running)?;
            let mut reading = look.reading(archive)?;
            look.here(&mut reading, &mut |person, computer, adds| {
                found.add(person, computer, adds);
            })?;
            archived = reading.end();
            found.add_running(&runs);
        }
    }
    let sums = found.answer(|needed| named(db, needed))?;
    Ok(UseSums { archived, ..sums })
}
