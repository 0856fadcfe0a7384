//! Packs days that are over, so that reports read them at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::clock::wall_ms;
use crate::logged::or_log;
use crate::tools::Tools;

/// Between two looks for days that are not packed.
const PAUSE: Duration = Duration::from_secs(300);
/// What of a day comes later than so long after its end unpacks it again.
const OVER_MS: i64 = 12 * 3_600 * 1_000;
/// Days of products that are packed in one call: other calls wait for no longer than these take.
const AT_ONCE: u32 = 10;
/// Others have the database for so many times as long as a call took, and for at least [`REST`].
const REST_SHARE: u32 = 2;
const REST: Duration = Duration::from_millis(20);

/// Packs them for as long as it runs.
pub(crate) async fn run(tools: Arc<Tools>) {
    loop {
        while pack_some(&tools).await {}
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whether there may be more.
async fn pack_some(tools: &Tools) -> bool {
    let began = Instant::now();
    let before_ms = wall_ms().saturating_sub(OVER_MS);
    match or_log(tools.site.pack_days(before_ms, AT_ONCE).await) {
        None | Some(0) => false,
        Some(_) => {
            tokio::time::sleep((began.elapsed() * REST_SHARE).max(REST)).await;
            true
        }
    }
}
