//! Refuses to enforce a rule that hits what a computer needs, unless the request insists.
//!
//! A server sees none of the computers that agents run on: it knows what every system has. What is
//! installed on one besides, `usher product` looks at where it runs.

use std::collections::HashSet;

use usher_api::{Code, Mode, Product, WouldHit};
use usher_core::identify::{Danger, Rule, dangers};

use crate::state::app::App;
use crate::wire::problem::{Refusal, shown};
use crate::wire::records;

/// The largest number of programs in an answer.
const LISTED: usize = 100;

/// Refuses a product that would be enforced by a dangerous rule, and removes `force`, which is not
/// part of a product. Rules that are already enforced are not checked again.
pub(super) async fn check(app: &App, product: &mut Product) -> Result<(), Refusal> {
    let forced = std::mem::take(&mut product.force);
    if product.mode != Mode::Enforce || forced {
        return Ok(());
    }
    let id = product.id.clone();
    let before = app
        .look(move |ledger, _| {
            let (_, pool) = ledger.product(&id)?;
            Some(pool.listing.spec.clone())
        })
        .await?;
    let enforced: HashSet<String> = before
        .map(|spec| records::product(&spec))
        .filter(|before| before.mode == Mode::Enforce)
        .map(|before| before.programs.into_iter().collect())
        .unwrap_or_default();
    if product.programs.iter().all(|rule| enforced.contains(rule)) {
        return Ok(());
    }
    let rules = parsed(&product.programs)?;
    let found = tokio::task::spawn_blocking(usher_vital::RequestId::carried(move || {
        dangers(&rules, no_computer())
    }))
    .await
    .map_err(|_| Refusal::unexpected())?
    .map_err(|why| Refusal::invalid(format!("`programs`: {why}; give fewer, or shorter ones")))?;
    let hits: Vec<WouldHit> = found
        .iter()
        .filter(|danger| !enforced.contains(&product.programs[danger.rule]))
        .map(|danger| would_hit(danger, &product.programs))
        .collect();
    match hits.first() {
        None => Ok(()),
        Some(first) => Err(refusal(product, first, &hits)),
    }
}

fn parsed(rules: &[String]) -> Result<Vec<Rule>, Refusal> {
    let parsed = rules.iter().map(|rule| Rule::parse(rule));
    parsed
        .collect::<Result<_, _>>()
        .map_err(|why| Refusal::invalid(why.to_string()))
}

/// Only well-known programs, none that is really installed: the server's computer is no example for
/// others.
fn no_computer() -> [Nothing; 0] {
    []
}

enum Nothing {}

impl usher_core::identify::Facts for Nothing {
    fn path(&self) -> &[u8] {
        match *self {}
    }
}

fn would_hit(danger: &Danger, rules: &[String]) -> WouldHit {
    WouldHit {
        path: String::from_utf8_lossy(&danger.path).into_owned(),
        what: danger.role.description().to_owned(),
        rule: rules[danger.rule].clone(),
    }
}

fn refusal(product: &Product, first: &WouldHit, hits: &[WouldHit]) -> Refusal {
    let others = match hits.len() - 1 {
        0 => String::new(),
        more => format!(" and {more} more that a computer needs"),
    };
    let detail = format!(
        "product {} cannot be enforced by the rule {}: it would hit {}, which is {}{others}; \
         write a narrower rule, or send \"force\": true if it is meant",
        shown(&product.id),
        shown(&first.rule),
        first.path,
        first.what,
    );
    let listed = hits.iter().take(LISTED).cloned().collect();
    Refusal::new(Code::DangerousRule, detail).with_hits(listed)
}
