//! What the routes of one core use.

use std::sync::Arc;

use crate::engine::hopper::Hopper;
use crate::engine::metrics::CoreCounts;
use crate::state::app::App;

/// The state of one core, with which it answers requests.
pub(crate) struct Core {
    pub(crate) app: Arc<App>,
    pub(crate) hopper: Hopper,
    pub(crate) counts: Arc<CoreCounts>,
}

impl Core {
    /// A core of this server.
    pub(crate) fn new(app: Arc<App>, counts: Arc<CoreCounts>) -> Core {
        Core {
            hopper: Hopper::new(app.engine.clone()),
            app,
            counts,
        }
    }
}
