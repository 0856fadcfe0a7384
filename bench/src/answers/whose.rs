//! What a manager does for reports of groups of people, and of one person.

use std::collections::HashMap;
use std::sync::Arc;

use usher_core::usage::Counted;
use usher_site::{GroupsAsked, InGroups, SumsAsked, UsedBy};

use super::asked::{GOAL, REPORT_LINES, asked};
use super::fill::Filling;
use super::goals::{Figure, Goal};

/// Groups of people, each as large as any other.
const GROUPS: u64 = 40;
/// People that are read at once.
const PAGE: u32 = 1_000;

/// Asks which groups used which products, of one product and of all, and what one person used.
pub(super) fn figures(
    filling: &Filling,
    products: &[String],
    time: (i64, i64),
    rounds: usize,
) -> Result<Vec<Figure>, String> {
    let people = Arc::new(people(filling)?);
    let several = format!("{} products", products.len());
    let mut figures = Vec::new();
    for (whose, products) in [
        ("the busiest product", &products[..1]),
        (&*several, products),
    ] {
        let what = format!("use and peaks of {whose} by {GROUPS} groups of people");
        figures.push(asked(what, Goal::AtMost(GOAL), rounds, || {
            let mut rows = 0;
            for product in products {
                let asked = GroupsAsked {
                    sums: sums(product, time),
                    people: people.clone(),
                    running: Vec::new(),
                };
                let found = filling.runtime.block_on(filling.site.group_sums(asked));
                rows += found.map_err(|error| error.to_string())?.rows.len();
            }
            match rows {
                0 => Err("no group used anything".to_owned()),
                _ => Ok(()),
            }
        })?);
    }
    let person: Arc<[u64]> = people.keys().min().copied().into_iter().collect();
    let what = format!("which of {several} one person used, and for how long");
    figures.push(asked(what, Goal::AtMost(GOAL), rounds, || {
        for product in products {
            let asked = SumsAsked {
                people: Some(person.clone()),
                ..sums(product, time)
            };
            let found = filling.runtime.block_on(filling.site.use_sums(asked));
            if found.map_err(|error| error.to_string())?.rows.len() > 1 {
                return Err(format!("more than one person used {product} as one"));
            }
        }
        Ok(())
    })?);
    Ok(figures)
}

/// Everybody, in a group by number.
fn people(filling: &Filling) -> Result<HashMap<u64, InGroups>, String> {
    let (mut people, mut last) = (HashMap::new(), None);
    loop {
        let page = filling.site.numbered_people(last, PAGE);
        let page = filling.runtime.block_on(page);
        let page = page.map_err(|error| error.to_string())?;
        let Some(next) = page.last() else {
            return Ok(people);
        };
        last = Some(next.number);
        people.extend(page.iter().map(|it| {
            let group = u32::try_from(it.number % GROUPS).unwrap_or(0);
            (it.number, InGroups::Of(vec![group]))
        }));
    }
}

fn sums(product: &str, (from_ms, to_ms): (i64, i64)) -> SumsAsked {
    SumsAsked {
        product: product.to_owned(),
        counted: Counted::Here,
        by: UsedBy::Person,
        from_ms,
        to_ms,
        people: None,
        running: Vec::new(),
        limit: REPORT_LINES as u32,
    }
}
