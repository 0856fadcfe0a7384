//! systemd: what it gives a process, what it wants to hear, and what it knows of units.

mod notify;
mod sockets;
mod systemctl;

use std::net::TcpListener;
use std::sync::Arc;

use usher_core::lifecycle::ServiceManager;

pub use notify::tell_ready;
pub use sockets::inherited;
pub use systemctl::{
    ask_to_start, ask_to_stop, has_manager, kill, query, reload, restart, start, stop,
};

/// What whoever started this process has given it.
#[derive(Default)]
pub struct Given {
    /// Listeners that are bound already (sd_listen_fds(3)).
    pub listeners: Vec<TcpListener>,
    /// Who wants to hear of the service's state, if somebody does.
    pub manager: Option<Arc<dyn ServiceManager>>,
}

/// Takes what systemd has given this process. To be called once, at the beginning, before this
/// process opens files or starts threads.
///
/// # Errors
/// What was given cannot be used: says which and why.
pub fn of_this_process() -> Result<Given, String> {
    Ok(Given {
        listeners: sockets::take()?,
        manager: notify::Systemd::of_this_process().map(|systemd| Arc::new(systemd) as _),
    })
}
