//! Asks the watched servers, all at once, and reads their lists page by page.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use usher_api::client::escaped;
use usher_api::{Code, Cut, Page, WatchedServer};

use crate::app::App;
use crate::routes::catalogue::forward::{Asked, look, look_or, servers};

/// All servers together have so long.
const TOGETHER: Duration = Duration::from_secs(8);
/// Servers that are asked at the same time.
const AT_ONCE: usize = 32;
/// Rows on a page of a server.
const PAGE: usize = 1_000;
/// Pages of a list that are read of a server.
const PAGES_LIMIT: usize = 20;

/// Something that a server does not say.
pub(in crate::routes) fn not_told(what: &str, server: &str, why: &str) -> Cut {
    Cut {
        what: what_of(what, server),
        why: why.to_owned(),
        before: None,
    }
}

/// That of a server, as answers call it.
pub(in crate::routes) fn what_of(what: &str, server: &str) -> String {
    format!("{what} on {server}")
}

/// What each of these servers says, or why it says nothing, by the names of the servers.
pub(in crate::routes) async fn each<T, F>(
    app: &Arc<App>,
    product: Option<&str>,
    watched: &[WatchedServer],
    ask: impl Fn(Arc<App>, OfServer) -> F,
) -> BTreeMap<String, Result<T, String>>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let watched: BTreeMap<&str, &WatchedServer> =
        watched.iter().map(|it| (&*it.name, it)).collect();
    let until = Instant::now() + TOGETHER;
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let mut asking = JoinSet::new();
    let mut told = BTreeMap::new();
    for server in servers(app) {
        let Some(watched) = watched.get(&*server.name) else {
            continue;
        };
        let name = server.name.clone();
        // One that panics leaves this; it is in the log.
        let failed = Err("the manager has a fault, which is in its log".to_owned());
        told.insert(name.clone(), failed);
        let asked = ask(
            app.clone(),
            OfServer {
                id: watched.server_id.clone().unwrap_or_default(),
                product: product.map(str::to_owned),
                server,
            },
        );
        let room = room.clone();
        asking.spawn(async move {
            let asked = async {
                // It is never closed.
                let _place = room.acquire().await;
                asked.await
            };
            let said = timeout_at(until, asked).await;
            (
                name,
                said.map_err(|_| "it has not answered in time".to_owned()),
            )
        });
    }
    while let Some(said) = asking.join_next().await {
        told.extend(said);
    }
    told
}

/// A server that is asked.
pub(in crate::routes) struct OfServer {
    pub(in crate::routes) server: Asked,
    /// Its id; empty if it has not told it.
    pub(in crate::routes) id: String,
    /// Of which product; none: of all.
    product: Option<String>,
}

impl OfServer {
    /// A list about the product, page by page, or as much of it as is read. `path` ends with `?` or
    /// `&`.
    pub(in crate::routes) async fn list<T: DeserializeOwned>(
        &self,
        app: &App,
        path: &str,
    ) -> List<T> {
        self.read(app, path, self.product.as_deref()).await
    }

    /// The same of a list that is not about products.
    pub(in crate::routes) async fn whole_list<T: DeserializeOwned>(
        &self,
        app: &App,
        path: &str,
    ) -> List<T> {
        self.read(app, path, None).await
    }

    /// One answer.
    pub(in crate::routes) async fn one<T: DeserializeOwned>(
        &self,
        app: &App,
        path: &str,
    ) -> Result<T, String> {
        let body = look(app, &self.server, path).await?;
        serde_json::from_slice(&body).map_err(|error| format!("its answer cannot be read: {error}"))
    }

    /// Whether it has the product, or does not say that it has not.
    pub(in crate::routes) async fn may_have_it(&self, app: &App) -> bool {
        let product = escaped(self.product.as_deref().unwrap_or_default());
        let path = format!("/v1/products/{product}");
        match look_or(app, &self.server, &path).await {
            Ok(_) => true,
            Err(not) => not.code.as_deref() != Some(Code::UnknownProduct.as_str()),
        }
    }

    async fn read<T: DeserializeOwned>(
        &self,
        app: &App,
        path: &str,
        product: Option<&str>,
    ) -> List<T> {
        let mut list = List {
            items: Vec::new(),
            why: None,
        };
        let mut cursor: Option<String> = None;
        for _ in 0..PAGES_LIMIT {
            let mut path = format!("{path}limit={PAGE}");
            if let Some(product) = product {
                path.push_str(&format!("&product={}", escaped(product)));
            }
            if let Some(cursor) = &cursor {
                path.push_str(&format!("&cursor={}", escaped(cursor)));
            }
            match self.one::<Page<T>>(app, &path).await {
                Ok(page) => {
                    list.items.extend(page.items);
                    cursor = page.next;
                }
                Err(why) => {
                    list.why = Some(why);
                    return list;
                }
            }
            if cursor.is_none() {
                return list;
            }
        }
        list.why = Some(format!(
            "only the first {} are read: ask for one product",
            PAGES_LIMIT * PAGE
        ));
        list
    }
}

/// What was read of a list, and why not all of it.
pub(in crate::routes) struct List<T> {
    pub(in crate::routes) items: Vec<T>,
    pub(in crate::routes) why: Option<String>,
}
