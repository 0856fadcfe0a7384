//! Fills a site database with made-up pages, by the call with which a manager appends what it collects.

use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use usher_site::{Candidate, Election, PostgresAddress, PostgresSite, Site, SqliteSite};

use super::pages::Page;
use super::progress::Progress;

/// For how long the site is led without a renewal: longer than any run takes.
const LEASE: Duration = Duration::from_secs(24 * 60 * 60);
/// Items of a transaction, as a manager gathers them from a server that has much to tell.
pub(super) const BATCH: u32 = 20_000;
/// Batches that are made ahead: the thread that makes them waits at so many.
const AHEAD: usize = 2;

/// What was appended.
pub(super) struct Filled {
    /// Uses.
    pub(super) uses: u64,
    /// From the first page to the last.
    pub(super) took: Duration,
    /// How much of that time the site waited for a page to be made.
    pub(super) waited: Duration,
}

impl Filled {
    /// Uses appended in a second.
    pub(super) fn per_second(&self) -> f64 {
        self.uses as f64 / self.took.as_secs_f64()
    }
}

/// A site database, and what waits for its answers.
pub(super) struct Filling {
    /// The database.
    pub(super) site: Box<dyn Site>,
    /// Waits for it.
    pub(super) runtime: Runtime,
}

impl Filling {
    /// Opens the site database of a folder, or makes it.
    pub(super) fn open(folder: &Path) -> Result<Filling, String> {
        let site = SqliteSite::open(folder).map_err(|error| error.to_string())?;
        Ok(Filling {
            site: Box::new(site),
            runtime: runtime()?,
        })
    }

    /// Opens a site database on PostgreSQL, or makes it.
    pub(super) fn on_postgres(url: &str) -> Result<Filling, String> {
        let address = PostgresAddress::parse(url).map_err(|error| error.to_string())?;
        let runtime = runtime()?;
        let site = runtime.block_on(led(address))?;
        Ok(Filling {
            site: Box::new(site),
            runtime,
        })
    }

    /// Appends pages of `total` uses together. A thread beside makes them.
    pub(super) fn fill(
        &self,
        pages: impl Iterator<Item = Page> + Send,
        total: u64,
    ) -> Result<Filled, String> {
        thread::scope(|scope| {
            let (send, made) = sync_channel(AHEAD);
            scope.spawn(move || {
                for page in pages {
                    // Whoever takes them has failed, and says so.
                    if send.send(page).is_err() {
                        return;
                    }
                }
            });
            self.append(&made, total)
        })
    }

    fn append(&self, made: &Receiver<Page>, total: u64) -> Result<Filled, String> {
        let began = Instant::now();
        let mut progress = Progress::new("uses appended to the site", total);
        let (mut uses, mut waited) = (0, Duration::ZERO);
        loop {
            let asked = Instant::now();
            let Ok(page) = made.recv() else { break };
            waited += asked.elapsed();
            let items = page.batch.items.len() as u64;
            let done = self
                .runtime
                .block_on(self.site.append_history(page.batch))
                .map_err(|error| error.to_string())?;
            if done.is_stale || done.added != items {
                return Err(format!(
                    "of a page of {items} items the site took {}: is it empty at the beginning?",
                    done.added
                ));
            }
            uses += page.uses;
            progress.at(uses);
        }
        match uses == total {
            true => Ok(Filled {
                uses,
                took: began.elapsed(),
                waited,
            }),
            false => Err(format!("{uses} uses were made up instead of {total}")),
        }
    }
}

pub(super) fn runtime() -> Result<Runtime, String> {
    let built = Builder::new_current_thread().build();
    built.map_err(|error| format!("cannot wait for the site database: {error}"))
}

/// A site database on PostgreSQL, opened by who leads it: only the leader appends.
async fn led(address: PostgresAddress) -> Result<PostgresSite, String> {
    let site = PostgresSite::open(address).await;
    let site = site.map_err(|error| error.to_string())?;
    let candidate = Candidate {
        name: "usher-bench".to_owned(),
        address: String::new(),
        lease: LEASE,
        ended: None,
    };
    let stood = site.stand(candidate).await;
    match stood.map_err(|error| error.to_string())? {
        Election::Leads { epoch, .. } => Ok(site.under(Some(epoch))),
        Election::Follows(leader) => Err(format!("{} leads this site", leader.name)),
    }
}
