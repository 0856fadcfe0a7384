//! How an entitlement is named: the name that somebody gave it, and its id.

use usher_api::Entitlement as Wire;
use usher_api::client::Client;
use usher_core::names::composed;
use usher_core::policy::is_servers_own;

use super::details;
use super::validity::end;
use crate::failure::Failure;
use crate::listing::{Query, segment};
use crate::output::{counted, tame};
use crate::owned;

/// As sentences name it: `cad-2026 (E12)`, or `E12` if nobody named it.
pub(crate) fn called(it: &Wire) -> String {
    match &it.name {
        Some(name) => format!("{} ({})", tame(name), tame(&it.id)),
        None => tame(&it.id),
    }
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
    let found = all
        .into_iter()
        .find(|it| it.name.as_deref() == Some(&*name));
    found.ok_or_else(|| {
        Failure::failed(format!(
            "no entitlement has the name or the id {}",
            tame(named)
        ))
        .next("`usher entitlement list` shows what is owned, with ids and names.")
    })
}

/// The path of an entitlement.
pub(super) fn path(it: &Wire) -> Result<String, Failure> {
    Ok(format!("/v1/entitlements/{}", segment(&it.id)?))
}
