//! Who used a product and for how long.

use usher_core::usage::Counted;

use super::super::db::Db;
use super::super::failure::Result;
use super::about::product_number;
use super::named::named;
use super::running::runs;
use super::within::Look;
use crate::reported::{SumsAsked, UseSums};
use crate::usage::Uses;

/// The uses of each person, or on each computer. It takes memory for each of them.
pub(in crate::postgres) fn sums(db: &Db, asked: &SumsAsked) -> Result<UseSums> {
    let product = product_number(db, &asked.product)?;
    let look = Look::new(db, product, (asked.from_ms, asked.to_ms));
    let mut found = Uses::new(asked);
    match asked.counted {
        Counted::Elsewhere => look.elsewhere(&mut |person, computer, adds| {
            found.add(person, computer, adds);
        })?,
        Counted::Here => {
            let runs = runs(db, product, &asked.running)?;
            look.here(&mut |person, computer, adds| found.add(person, computer, adds))?;
            found.add_running(&runs);
        }
    }
    found.answer(|needed| named(db, needed))
}
