//! The lists of all watched servers as one, page by page.

use std::sync::Arc;
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use serde_json::Value;
use usher_api::client::escaped;
use usher_api::{Page, SitePage, Unseen};
use usher_http::input;

use super::PageOf;
use super::forward::{Asked, each_once, look, servers};
use crate::app::App;
use crate::problem::Refusal;

/// How long a page may take before it ends early: each server that does not answer takes seconds.
const PAGE: Duration = Duration::from_secs(8);

/// Where a page begins: the server, and the place in its list.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cursor {
    server: String,
    /// The server's own cursor; empty: at the beginning of its list.
    within: String,
}

impl Cursor {
    fn text(&self) -> String {
        format!(
            "{}@{}",
            HEXLOWER.encode(self.within.as_bytes()),
            self.server
        )
    }

    fn parse(text: &str) -> Option<Cursor> {
        let (within, server) = text.split_once('@')?;
        let within = HEXLOWER.decode(within.as_bytes()).ok()?;
        Some(Cursor {
            server: server.to_owned(),
            within: String::from_utf8(within).ok()?,
        })
    }
}

/// One page of the list `path` of all servers, or of the named one.
pub(super) async fn page(app: &Arc<App>, path: &str, asked: PageOf) -> Result<SitePage, Refusal> {
    let limit = input::paging(asked.limit, None)?.limit;
    let from = match asked.cursor.as_deref().map(Cursor::parse) {
        None => None,
        Some(Some(cursor)) => Some(cursor),
        Some(None) => {
            return Err(Refusal::invalid(
                "`cursor` is none that a page has given: begin without it",
            ));
        }
    };
    let mut all = servers(app);
    match &asked.server {
        None => each_once(app, &mut all),
        Some(named) => {
            all.retain(|server| server.name == *named);
            if all.is_empty() {
                return Err(Refusal::unknown_server(named));
            }
        }
    }
    if let Some(from) = &from {
        // One that is watched no longer is gone from the list, too.
        all.retain(|server| server.name >= from.server);
    }
    let mut page = SitePage {
        items: Vec::new(),
        next: None,
        unseen: Vec::new(),
    };
    let began = Instant::now();
    for server in all {
        let within = from.as_ref().filter(|from| from.server == server.name);
        let within = within.map_or_else(String::new, |from| from.within.clone());
        let left = limit as usize - page.items.len();
        if left == 0 || began.elapsed() > PAGE {
            let server = server.name;
            page.next = Some(Cursor { server, within }.text());
            break;
        }
        let query = Query {
            product: asked.product.as_deref(),
            limit: left,
            within: &within,
        };
        match of_server(app, &server, path, &query).await {
            Ok((items, next)) => {
                page.items.extend(items);
                if let Some(within) = next {
                    let server = server.name;
                    page.next = Some(Cursor { server, within }.text());
                    break;
                }
            }
            Err(why) => page.unseen.push(Unseen {
                server: server.name,
                why,
            }),
        }
    }
    Ok(page)
}

struct Query<'a> {
    product: Option<&'a str>,
    limit: usize,
    within: &'a str,
}

async fn of_server(
    app: &App,
    server: &Asked,
    path: &str,
    query: &Query<'_>,
) -> Result<(Vec<Value>, Option<String>), String> {
    let mut path = format!("{path}?limit={}", query.limit);
    if let Some(product) = query.product {
        path.push_str(&format!("&product={}", escaped(product)));
    }
    if !query.within.is_empty() {
        path.push_str(&format!("&cursor={}", escaped(query.within)));
    }
    let body = look(app, server, &path).await?;
    let page: Page<Value> = serde_json::from_slice(&body)
        .map_err(|error| format!("its answer cannot be read: {error}"))?;
    let mut items = page.items;
    for item in &mut items {
        if let Value::Object(object) = item {
            object.insert("server".to_owned(), server.name.as_str().into());
        }
    }
    Ok((items, page.next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written_whatever_the_server_is_called() {
        for (server, within) in [("alpha", ""), ("a@b", "17"), ("a", "x@y é")] {
            let cursor = Cursor {
                server: server.to_owned(),
                within: within.to_owned(),
            };
            assert_eq!(Cursor::parse(&cursor.text()), Some(cursor));
        }
        for odd in ["", "alpha", "zz@alpha", "ff@alpha"] {
            assert_eq!(Cursor::parse(odd), None, "{odd}");
        }
    }
}
