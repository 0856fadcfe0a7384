//! How an entitlement is named: the name that somebody gave it, and its id.

use usher_api::Entitlement as Wire;
use usher_api::client::Client;
use usher_core::names::composed;
use usher_core::policy::is_servers_own;

use super::details;
use super::validity::end;
use crate::failure::Failure;
use crate::listing::{Query, segment};
use crate::near::nearest;
use crate::output::{counted, quoted, tame};
use crate::owned;

/// As sentences name it: `cad-2026 (E12)`, or `E12` if nobody named it.
pub(crate) fn called(it: &Wire) -> String {
    match &it.name {
        Some(name) => format!("{} ({})", tame(name), tame(&it.id)),
        None => tame(&it.id),
    }
}

/// As a command takes it: its name, or its id if a command would read the name otherwise.
pub(crate) fn word(it: &Wire) -> String {
    let name = it.name.as_ref().filter(|name| !name.starts_with('-'));
    quoted(name.unwrap_or(&it.id))
}

/// An option with its value as it is typed. One with a minus would be read as an option.
pub(super) fn with_value(option: &str, value: &str) -> String {
    let between = if value.starts_with('-') { '=' } else { ' ' };
    format!("{option}{between}{}", quoted(value))
}

/// The same with what is said of it: `cad-2026 (E12, 5 seats)`, or `E12 (5 seats)`.
pub(crate) fn called_with(it: &Wire, what: &str) -> String {
    match &it.name {
        Some(name) => format!("{} ({}, {what})", tame(name), tame(&it.id)),
        None => format!("{} ({what})", tame(&it.id)),
    }
}

/// What it is, on one line: `5 seats of cad until 2026-12-31, 15000 EUR/year, contract A-4711`.
pub(crate) fn described(it: &Wire, here: &str) -> String {
    let mut text = format!(
        "{} of {}",
        counted(it.seats.into(), "seat"),
        tame(&it.product)
    );
    if let Some(to) = it.to {
        let last = end(it.to_day.as_ref(), it.time_zone.as_ref(), Some(to), here);
        text += &format!(" until {last}");
    }
    for said in details::said(it) {
        text += &format!(", {}", tame(&said));
    }
    text
}

/// The entitlement of that id or name.
pub(super) async fn find(client: &Client, named: &str) -> Result<Wire, Failure> {
    let id = segment(named)?;
    if is_servers_own(named) {
        return Ok(client.get(&format!("/v1/entitlements/{id}")).await?);
    }
    let name = composed(named);
    let all = owned::all::<Wire>(client, &Query::new("/v1/entitlements")).await?;
    let is_it = |it: &&Wire| it.name.as_deref() == Some(&*name);
    let found = all.iter().find(is_it).cloned();
    found.ok_or_else(|| none_named(named, &all))
}

/// None has that name: the one that was meant, as far as it can be told.
fn none_named(named: &str, all: &[Wire]) -> Failure {
    let failure = Failure::failed(format!(
        "no entitlement has the name or the id {}",
        tame(named)
    ))
    .next("`usher entitlement list` shows what is owned, with ids and names.");
    let names = all.iter().filter_map(|it| it.name.as_deref());
    if let Some(name) = nearest(named, names) {
        return failure.first(&format!("Did you mean {}?", tame(name)));
    }
    // A product is named for what is owned of it.
    let mut of_product = all.iter().filter(|it| it.product == named);
    match of_product.next() {
        Some(_) => failure.first(&format!(
            "It is the id of a product: `usher entitlement list --product {}` shows what is owned \
             of it.",
            quoted(named)
        )),
        None => failure,
    }
}

/// The path of an entitlement.
pub(super) fn path(it: &Wire) -> Result<String, Failure> {
    Ok(format!("/v1/entitlements/{}", segment(&it.id)?))
}

#[cfg(test)]
mod tests;
