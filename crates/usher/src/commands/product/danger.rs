//! Rules that would hit what a computer needs are not enforced by accident.

use std::collections::HashSet;

use usher_api::{Mode, Product, WouldHit};
use usher_core::identify::{Danger, Rule};
use usher_platform::files;

use super::installed;
use crate::failure::Failure;
use crate::listing::eprintln_quiet;
use crate::output::tame;

/// Programs that are listed at the most.
const LISTED: usize = 20;

/// Refuses to enforce `product` if its new rules would hit what this computer, or any, needs.
/// `before` is the product as it is. With `force` it only prints what they hit.
pub(crate) fn check(
    before: Option<&Product>,
    product: &Product,
    force: bool,
) -> Result<(), Failure> {
    if product.mode != Mode::Enforce {
        return Ok(());
    }
    let enforced: HashSet<&String> = before
        .filter(|before| before.mode == Mode::Enforce)
        .map(|before| before.programs.iter().collect())
        .unwrap_or_default();
    if product.programs.iter().all(|rule| enforced.contains(rule)) {
        return Ok(());
    }
    // What cannot be read was refused before, or the server says why.
    let rules: Result<Vec<Rule>, _> = product.programs.iter().map(|r| Rule::parse(r)).collect();
    let Ok(rules) = rules else { return Ok(()) };
    let found = installed::dangers(&rules)?;
    let rule_of = |danger: &Danger| &product.programs[danger.rule];
    let mut found: Vec<&Danger> = found
        .iter()
        .filter(|danger| !enforced.contains(rule_of(danger)))
        .collect();
    // What only other computers have is no news beside what is here.
    if found.iter().any(|danger| is_here(danger)) {
        found.retain(|danger| is_here(danger));
    }
    let hits: Vec<WouldHit> = found
        .into_iter()
        .map(|danger| WouldHit {
            path: String::from_utf8_lossy(&danger.path).into_owned(),
            what: danger.role.description().to_owned(),
            rule: rule_of(danger).clone(),
        })
        .collect();
    match hits.is_empty() {
        true => Ok(()),
        false if force => {
            eprintln_quiet(&forced(&product.id, &hits));
            Ok(())
        }
        false => Err(refusal(&product.id, &hits)),
    }
}

/// Whether it lies on this computer under that very path, which no link leads to.
fn is_here(danger: &Danger) -> bool {
    let path = files::path_of(&danger.path);
    std::fs::canonicalize(&path).is_ok_and(|real| real == path)
}

fn refusal(id: &str, hits: &[WouldHit]) -> Failure {
    Failure::usage(format!(
        "{id} cannot be enforced: its rules would hit what a computer needs\n{}",
        listed(hits)
    ))
    .next("Write a narrower rule; --force takes it all the same.")
}

fn forced(id: &str, hits: &[WouldHit]) -> String {
    format!(
        "usher: {id} will be enforced by rules that hit what a computer needs\n{}\n  What people \
         log in, start up and repair it by is never refused all the same.",
        listed(hits)
    )
}

fn listed(hits: &[WouldHit]) -> String {
    let mut lines: Vec<String> = hits
        .iter()
        .take(LISTED)
        .map(|hit| {
            let (rule, path) = (tame(&hit.rule), tame(&hit.path));
            format!("  {rule} hits {path}, which is {}", tame(&hit.what))
        })
        .collect();
    if hits.len() > LISTED {
        lines.push(format!("  and {} more", hits.len() - LISTED));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests;
