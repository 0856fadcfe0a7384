//! Lists from the API: query strings and pages.

use clap::Args;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
pub(crate) use usher_api::client::escaped;
use usher_api::client::{Client, ClientError};
use usher_api::{Code, OfTime, Only, PAGE_LIMIT, Page, Unseen};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Table, print, print_json};
use crate::time::{self, Period};

/// How many rows of a list are wanted.
#[derive(Debug, Clone, Args)]
pub(crate) struct Extent {
    /// Show at most so many; 0 shows all
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub(crate) limit: u32,
}

impl Extent {
    /// The whole list, without a limit.
    pub(crate) const ALL: Extent = Extent { limit: 0 };
}

/// The period that is asked for.
#[derive(Debug, Clone, Args)]
pub(crate) struct InTime {
    /// Only since then: a time (07:30), a day, the first day of "last week", or how long ago (7d)
    #[arg(long, value_name = "TIME", value_parser = time::since)]
    since: Option<Timestamp>,
    /// Only until then, to the end of a day
    #[arg(long, value_name = "TIME", value_parser = time::up_to)]
    until: Option<Timestamp>,
    /// Only in that time: yesterday, "last week", "this month", 2026-01, a day
    #[arg(long, value_name = "PERIOD", value_parser = time::during,
        conflicts_with_all = ["since", "until"])]
    during: Option<Period>,
}

impl InTime {
    /// Whether no time was named.
    pub(crate) fn is_any(&self) -> bool {
        self.since.is_none() && self.until.is_none() && self.during.is_none()
    }

    /// A query about that time.
    pub(crate) fn of(&self, query: Query) -> Result<Query, Failure> {
        query.in_time(self.since, self.until, self.during)
    }
}

/// Another form of a list, besides those for people and for programs.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct Form {
    /// Print comma-separated values, as spreadsheets read them
    #[arg(long)]
    pub(crate) csv: bool,
}

/// A path with a query, built piece by piece.
pub(crate) struct Query {
    path: String,
    separator: char,
}

impl Query {
    /// Begins with a path.
    pub(crate) fn new(path: &str) -> Self {
        Query {
            path: path.to_owned(),
            separator: '?',
        }
    }

    /// Adds `name=value` if there is a value.
    pub(crate) fn with(mut self, name: &str, value: Option<impl AsRef<str>>) -> Self {
        if let Some(value) = value {
            self.path.push(self.separator);
            self.path.push_str(name);
            self.path.push('=');
            self.path.push_str(&escaped(value.as_ref()));
            self.separator = '&';
        }
        self
    }

    /// Adds the first and the last time of the period that was named.
    pub(crate) fn in_time(
        self,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
        during: Option<Period>,
    ) -> Result<Self, Failure> {
        let ends = Period::ends(since, until, during);
        let (since, until) = ends.map_err(Failure::usage)?;
        Ok(self
            .with("since", since.map(|since| since.to_string()))
            .with("until", until.map(|until| until.to_string())))
    }

    /// The path with its query.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    fn page(&self, limit: u32, cursor: Option<&str>) -> String {
        Query {
            path: self.path.clone(),
            separator: self.separator,
        }
        .with("limit", Some(limit.to_string()))
        .with("cursor", cursor)
        .path
    }
}

/// An id as one segment of a path. Ids that no path can name are refused: an empty id would be the
/// list itself, and `..` what is above it.
pub(crate) fn segment(id: &str) -> Result<String, Failure> {
    match id {
        "" => Err(Failure::usage("the id is empty").next("Give the id of the one that is meant.")),
        "." | ".." => Err(Failure::usage(format!("nothing has the id {id}"))
            .next("Give the id of the one that is meant.")),
        id => Ok(escaped(id)),
    }
}

/// A list, from its first page to the last that was asked for.
#[derive(Debug, Deserialize)]
pub(crate) struct Whole<T> {
    pub(crate) items: Vec<T>,
    /// Where it continues, if there is more.
    pub(crate) next: Option<String>,
    #[serde(default)]
    pub(crate) only: Option<Only>,
    /// The time that sums of use are about.
    #[serde(default)]
    pub(crate) time: Option<OfTime>,
    /// In a manager's list of what its servers have: the servers that did not answer. `None`: it is
    /// no such list.
    #[serde(default)]
    pub(crate) unseen: Option<Vec<Unseen>>,
}

/// Fetches up to `extent` items, page by page.
pub(crate) async fn fetch<T: DeserializeOwned>(
    client: &Client,
    query: &Query,
    extent: &Extent,
) -> Result<Page<T>, ClientError> {
    let Whole {
        items,
        next,
        only,
        time,
        ..
    } = fetch_whole(client, query, extent).await?;
    Ok(Page {
        items,
        next,
        only,
        time,
    })
}

/// The same, with what a manager says of its servers.
pub(crate) async fn fetch_whole<T: DeserializeOwned>(
    client: &Client,
    query: &Query,
    extent: &Extent,
) -> Result<Whole<T>, ClientError> {
    let wanted = if extent.limit == 0 {
        usize::MAX
    } else {
        extent.limit as usize
    };
    let mut whole = Whole {
        items: Vec::new(),
        next: None,
        only: None,
        time: None,
        unseen: None,
    };
    loop {
        let rest = wanted
            .saturating_sub(whole.items.len())
            .min(PAGE_LIMIT as usize);
        let limit = u32::try_from(rest).unwrap_or(PAGE_LIMIT);
        let page: Whole<T> = client
            .get(&query.page(limit, whole.next.as_deref()))
            .await?;
        // A page that brings nothing new would be asked for without end. A manager's page may end
        // with servers that do not answer alone.
        let is_empty = page.items.is_empty() && page.unseen.iter().all(Vec::is_empty);
        let stuck = is_empty || page.next == whole.next;
        whole.items.extend(page.items);
        whole.next = page.next;
        whole.only = whole.only.or(page.only);
        whole.time = whole.time.or(page.time);
        if let Some(unseen) = page.unseen {
            whole.unseen.get_or_insert_default().extend(unseen);
        }
        if whole.next.is_none() || stuck || whole.items.len() >= wanted {
            return Ok(whole);
        }
    }
}

/// Prints a page: as JSON, or as a table made by `rows`.
pub(crate) fn show<T: Serialize>(
    context: &Context,
    page: &Page<T>,
    empty: &str,
    rows: impl FnOnce(&[T]) -> Table,
) -> Result<(), Failure> {
    show_as(Form::default(), context, page, empty, rows)
}

/// The same, also for spreadsheets.
pub(crate) fn show_as<T: Serialize>(
    form: Form,
    context: &Context,
    page: &Page<T>,
    empty: &str,
    rows: impl FnOnce(&[T]) -> Table,
) -> Result<(), Failure> {
    if form.csv {
        print(&rows(&page.items).csv()?)?;
        say_if_cut(page);
        return Ok(());
    }
    if context.json() {
        return print_json(page);
    }
    if page.items.is_empty() {
        eprintln_quiet(empty);
        return Ok(());
    }
    rows(&page.items).print()?;
    say_if_cut(page);
    Ok(())
}

/// Says that there is more than was asked for.
pub(crate) fn say_if_cut<T>(page: &Page<T>) {
    if page.next.is_some() {
        eprintln_quiet(&format!(
            "There are more than the {} shown; --limit 0 shows all.",
            page.items.len()
        ));
    }
}

/// Prints a line on stderr; it is no failure if nobody reads it.
pub(crate) fn eprintln_quiet(line: &str) {
    use std::io::Write;
    drop(writeln!(std::io::stderr(), "{line}"));
}

/// Fails if the product that was named does not exist: an empty list would not say so. Users who
/// may not see products are shown the list as it is.
pub(crate) async fn must_exist(client: &Client, product: Option<&str>) -> Result<(), Failure> {
    let Some(product) = product else {
        return Ok(());
    };
    let path = format!("/v1/products/{}", segment(product)?);
    match client.get::<serde::de::IgnoredAny>(&path).await {
        Err(ClientError::Problem(problem)) if problem.is(Code::UnknownProduct) => {
            Err(ClientError::Problem(problem).into())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_escapes_what_is_special_and_leaves_out_what_is_not_given() {
        let query = Query::new("/v1/leases")
            .with("product", Some("a&b c/ü"))
            .with("user", None::<&str>)
            .with("computer", Some("pc"));
        assert_eq!(
            query.path,
            "/v1/leases?product=a%26b%20c%2F%C3%BC&computer=pc"
        );
    }
}
