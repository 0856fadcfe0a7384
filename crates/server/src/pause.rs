//! What a pause waits for: the checkouts that are being decided. Then nothing is granted any more
//! until the service goes on; leases are renewed and given back, and everything can be read.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use usher_core::lifecycle::{ServiceState, Step};

use crate::app::App;

/// Between two looks at how a pause comes on.
const LOOK: Duration = Duration::from_millis(5);

/// Does the work of pauses and continuations, for ever.
pub(crate) async fn tend(app: Arc<App>) {
    let mut state = app.life.state();
    loop {
        match state {
            ServiceState::PausePending => pause(&app).await,
            // Nothing was given up for the pause: there is nothing to take again.
            ServiceState::ContinuePending => app.life.done(),
            _ => {}
        }
        state = app.life.other_than(state).await;
    }
}

/// Until no checkout is being decided that began before the pause.
async fn pause(app: &App) {
    while app.life.state() == ServiceState::PausePending {
        let counts = app.counts.iter();
        let deciding: u64 = counts
            .map(|counts| counts.deciding.load(Ordering::SeqCst))
            .sum();
        if deciding == 0 {
            app.life.done();
            return;
        }
        app.life.moved(Step::Drain, deciding);
        tokio::time::sleep(LOOK).await;
    }
}
