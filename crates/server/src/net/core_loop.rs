//! The loop of one core: a thread of its own that answers its connections.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use usher_http::core_loop::{Accepted, CoreLoop};
use usher_vital::task;

use crate::engine::metrics::CoreCounts;
use crate::net::service::Service;
use crate::state::app::App;

/// How long requests in flight may take when the server stops. Then their connections are closed,
/// before the service's own deadline ends the process by force.
const DRAIN: Duration = Duration::from_secs(8);
/// How many threads of one core are for blocking work.
const BLOCKING_THREADS: usize = 16;

/// Serves the connections that come through `incoming` until the server stops and they are done.
pub(crate) fn run(
    app: Arc<App>,
    counts: Arc<CoreCounts>,
    incoming: mpsc::UnboundedReceiver<Accepted>,
    tls: Option<TlsAcceptor>,
) -> std::io::Result<()> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .build_local(LocalOptions::default())?;
    let serving = async {
        let core = CoreLoop::new(Service::new(app, counts));
        let hopper = core.handler().core.hopper.clone();
        tokio::task::spawn_local(task("hopper", hopper.run()));
        tokio::task::spawn_local(task("sweep", core.clone().sweep()));
        core.serve(incoming, tls, DRAIN).await;
    };
    usher_vital::tasks(|| runtime.block_on(serving));
    // What blocks on a disk that hangs must not keep the server from stopping.
    runtime.shutdown_background();
    Ok(())
}
