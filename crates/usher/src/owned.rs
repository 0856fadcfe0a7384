//! What is metered and owned, as a metering server lists it, or a manager for all of its servers: whose
//! each is, and which servers did not say what they have.
//!
//! A list that is shown may lack servers, if it says which. What is worked on is of one server, whole.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use usher_api::client::{Client, ClientError};
use usher_api::{Page, Unseen};

use crate::context::Context;
use crate::failure::{Failure, exit};
use crate::listing::{
    Extent, Form, Query, Whole, eprintln_quiet, fetch_whole, say_if_cut, show_as,
};
use crate::output::{Table, print, print_json, tame};

/// At most so many servers are named in the error that asks to choose one.
const NAMED: usize = 5;

/// A list of products or entitlements.
#[derive(Debug)]
pub(crate) struct Owned<T> {
    pub(crate) page: Page<T>,
    /// Set if a manager lists what its servers have.
    of_servers: Option<OfServers>,
}

/// What a manager says beside the items of its servers.
#[derive(Debug, Serialize)]
struct OfServers {
    /// The items, each with `server`.
    items: Vec<Value>,
    next: Option<String>,
    /// The servers that did not say what they have.
    unseen: Vec<Unseen>,
}

impl OfServers {
    fn server_of(item: &Value) -> String {
        item["server"].as_str().unwrap_or("-").to_owned()
    }

    /// The servers that are there, and those that are not.
    fn servers(&self) -> Vec<String> {
        let seen = self.items.iter().map(OfServers::server_of);
        let unseen = self.unseen.iter().map(|it| it.server.clone());
        let mut all: Vec<String> = seen.chain(unseen).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// Lists up to `extent` of them.
pub(crate) async fn list<T: DeserializeOwned>(
    client: &Client,
    query: &Query,
    extent: &Extent,
) -> Result<Owned<T>, Failure> {
    let whole: Whole<Value> = fetch_whole(client, query, extent).await?;
    let not_understood = |error: serde_json::Error| ClientError::NotUnderstood {
        endpoint: client.endpoint().to_string(),
        why: error.to_string(),
    };
    let of_servers = whole.unseen.map(|unseen| OfServers {
        items: whole.items.clone(),
        next: whole.next.clone(),
        unseen,
    });
    let items: Result<Vec<T>, _> = whole
        .items
        .into_iter()
        .map(serde_json::from_value)
        .collect();
    Ok(Owned {
        page: Page {
            items: items.map_err(not_understood)?,
            next: whole.next,
            only: whole.only,
            time: whole.time,
        },
        of_servers,
    })
}

/// All of them, of one server.
///
/// # Errors
/// A manager lists those of several, or the server that is meant did not say what it has.
pub(crate) async fn all<T: DeserializeOwned>(
    client: &Client,
    query: &Query,
) -> Result<Vec<T>, Failure> {
    let listed = list(client, query, &Extent::ALL).await?;
    listed.must_be_of_one()?;
    Ok(listed.page.items)
}

impl<T> Owned<T> {
    /// Whether nothing is missing: neither further pages nor servers that did not answer.
    pub(crate) fn is_whole(&self) -> bool {
        let of_servers = self.of_servers.as_ref();
        self.page.next.is_none() && of_servers.is_none_or(|it| it.unseen.is_empty())
    }

    /// Refuses what is of several servers, or not whole.
    pub(crate) fn must_be_of_one(&self) -> Result<(), Failure> {
        let Some(of_servers) = &self.of_servers else {
            return Ok(());
        };
        let servers = of_servers.servers();
        match (&of_servers.unseen[..], &servers[..]) {
            (_, [_, _, ..]) => Err(Failure::usage(format!(
                "{} servers of the manager are meant ({}), and this is done with what one has",
                servers.len(),
                first_of(&servers)
            ))
            .next("--at NAME says which server is meant.")),
            ([unseen, ..], _) => Err(Failure::new(
                exit::NO_SERVER,
                format!(
                    "the server {} does not say what it has: {}",
                    tame(&unseen.server),
                    tame(&unseen.why)
                ),
            )
            .next("`usher servers show NAME` says how it is.")),
            _ => Ok(()),
        }
    }

    /// The server that all of this is of, if a manager says it.
    pub(crate) fn server(&self) -> Option<String> {
        self.of_servers.as_ref()?.servers().into_iter().next()
    }
}

impl<T: Serialize> Owned<T> {
    /// Prints them: as JSON, or as a table made by `rows`, with the server of each if a manager lists
    /// them. On standard error stands which servers are missing.
    pub(crate) fn show(
        &self,
        form: Form,
        context: &Context,
        empty: &str,
        rows: impl FnOnce(&[T]) -> Table,
    ) -> Result<(), Failure> {
        let Some(of_servers) = &self.of_servers else {
            return show_as(form, context, &self.page, empty, rows);
        };
        let names: Vec<String> = of_servers.items.iter().map(OfServers::server_of).collect();
        let table = || rows(&self.page.items).behind("SERVER", &names);
        match (form.csv, context.json()) {
            (true, _) => print(&table().csv()?)?,
            (false, true) => print_json(of_servers)?,
            (false, false) if self.page.items.is_empty() => eprintln_quiet(empty),
            (false, false) => table().print()?,
        }
        if form.csv || !context.json() {
            say_if_cut(&self.page);
        }
        for it in &of_servers.unseen {
            eprintln_quiet(&missing(it));
        }
        // JSON says who is missing; values with commas cannot.
        match form.csv && !of_servers.unseen.is_empty() {
            true => Err(Failure::Quiet(exit::NO_SERVER)),
            false => Ok(()),
        }
    }
}

fn missing(it: &Unseen) -> String {
    format!(
        "usher: what {} has is missing here: {}",
        tame(&it.server),
        tame(&it.why)
    )
}

/// The first names, and how many more there are.
fn first_of(servers: &[String]) -> String {
    let mut names: Vec<String> = servers.iter().take(NAMED).map(|it| tame(it)).collect();
    let more = servers.len().saturating_sub(NAMED);
    names.extend((more > 0).then(|| format!("{more} more")));
    names.join(", ")
}

#[cfg(test)]
mod tests;
