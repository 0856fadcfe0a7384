//! Removes the rows of imports that were taken out, and of those that nobody finished.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::wall_ms;
use crate::logged::or_log;
use crate::tools::Tools;

/// Between two looks for imports that nobody finished.
const PAUSE: Duration = Duration::from_secs(3_600);
/// An import that took in nothing for so long is given up.
const UNTOUCHED_MS: i64 = 24 * 3_600 * 1_000;
/// Rows that are removed at once: other calls wait for no longer than these take.
const AT_ONCE: u32 = 10_000;

/// Removes them for as long as it runs.
pub(crate) async fn run(tools: Arc<Tools>) {
    loop {
        let untouched_ms = wall_ms().saturating_sub(UNTOUCHED_MS);
        let removed = tools.site.clean_imports(untouched_ms, AT_ONCE).await;
        if or_log(removed).unwrap_or(0) > 0 {
            continue;
        }
        // One that is taken out meanwhile is remembered by the notice.
        let _ = tokio::time::timeout(PAUSE, tools.import_removed.notified()).await;
    }
}
