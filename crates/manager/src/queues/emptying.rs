//! A queue's task: delivers one after another until nothing waits there.

use std::pin::pin;
use std::sync::Arc;

use usher_vital::caught;

use super::TRIES;
use super::shared::Shared;
use crate::delivery::{self, Parcel};
use crate::targets::Errand;
use crate::undelivered::{Again, Undelivered};

pub(super) async fn empty(shared: Arc<Shared>, key: Errand) {
    while let Some(mut it) = shared.next(&key) {
        // It is in the site database: whoever leads now delivers it.
        if !shared.leading.holds() {
            return;
        }
        // What waited too long for a destination that takes nothing is not tried at all.
        if it.waited() >= shared.patience.limit
            && let Some(why) = shared.why_failing(&key)
        {
            shared.give_up_late(&key, &it, &why).await;
            continue;
        }
        let failed = match attempt(&shared, &it.parcel).await {
            Ok(()) => {
                shared.delivered(&key, &it).await;
                continue;
            }
            Err(failed) => failed,
        };
        it.tries += 1;
        let pause = match failed.again {
            Again::Later => shared.put_off(&key, &mut it, failed.why).await,
            Again::Soon if it.tries < TRIES => shared.patience.pause(it.tries),
            // What waits behind it is tried at once.
            Again::Soon | Again::Never => {
                shared.refused(&key, &it, failed).await;
                continue;
            }
        };
        shared.put_back(&key, it);
        // Whichever comes first; the queue of this task is there.
        let again = shared.again(&key);
        let _ = tokio::time::timeout(pause, again.notified()).await;
    }
}

async fn attempt(shared: &Shared, parcel: &Parcel) -> Result<(), Undelivered> {
    let once = delivery::once(&parcel.message, &parcel.errand, &shared.means);
    let panicked = |_| {
        let why = "a fault of the manager's own: see its log";
        Err(Undelivered::for_good(why))
    };
    caught("a delivery", pin!(once))
        .await
        .unwrap_or_else(panicked)
}
