//! Writing to the archive, and telling of it if that fails.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use usher_site::{Archive, Overdues, Written};

use crate::tools::Tools;

/// Nothing can be written to the archive.
const FAILS: u16 = 9466;
/// It can again.
const GOES_ON: u16 = 9467;
/// If writing takes longer, a message says so, and the manager goes on waiting.
const PATIENCE: Duration = Duration::from_secs(60);
/// How soon it is tried again after it failed; twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// As often is that doubled.
const DOUBLED: u32 = 11;

/// Where sessions go whose time is over, and whether that worked the last time.
pub(crate) struct Place {
    archive: Arc<Archive>,
    /// How often it failed in a row.
    failures: u32,
}

impl Place {
    pub(crate) fn new(archive: Arc<Archive>) -> Place {
        Place {
            archive,
            failures: 0,
        }
    }

    /// The folder, to be shown.
    pub(crate) fn folder(&self) -> String {
        self.archive.folder().display().to_string()
    }

    /// When to try again after it failed; none: it works.
    pub(crate) fn again(&self) -> Option<Duration> {
        let doubled = self.failures.checked_sub(1)?.min(DOUBLED);
        Some(FIRST_PAUSE * 2_u32.pow(doubled))
    }

    /// Writes rows; none if that failed, which is told once. Its disk may be slow, and nothing else waits
    /// for it. `site` is the site's id.
    pub(crate) async fn write(
        &mut self,
        tools: &Tools,
        site: &Arc<str>,
        overdue: Overdues,
    ) -> Option<Written> {
        let (archive, site) = (self.archive.clone(), site.clone());
        let write = move || archive.write(&site, &overdue);
        let mut writing = tokio::task::spawn_blocking(write);
        let written = match tokio::time::timeout(PATIENCE, &mut writing).await {
            Ok(written) => written,
            Err(_) => {
                let why = format!("nothing was written within {PATIENCE:?}");
                self.fails(tools, why).await;
                writing.await
            }
        };
        match written {
            Ok(Ok(written)) => {
                if std::mem::take(&mut self.failures) > 0 {
                    let values = vec![self.folder()];
                    tools.dispatcher.raise(GOES_ON, None, values).await;
                }
                Some(written)
            }
            Ok(Err(error)) => {
                self.fails(tools, error.to_string()).await;
                None
            }
            Err(_) => {
                let why = "a fault of Usher, which its log has, while a file was written";
                self.fails(tools, why.to_owned()).await;
                None
            }
        }
    }

    async fn fails(&mut self, tools: &Tools, why: String) {
        tracing::warn!(folder = self.folder(), why, "the archive cannot be written");
        self.failures = self.failures.saturating_add(1);
        if self.failures > 1 {
            return;
        }
        let since = Timestamp::now()
            .strftime("%Y-%m-%d %H:%M:%S UTC")
            .to_string();
        let values = vec![self.folder(), since, why];
        tools.dispatcher.raise(FAILS, None, values).await;
    }
}
