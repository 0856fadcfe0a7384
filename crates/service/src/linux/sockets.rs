//! Listeners that systemd holds for this service (sd_listen_fds(3)): connections that come while it
//! is started again wait, and none is refused.

use std::net::TcpListener;
use std::os::fd::{AsFd, FromRawFd, OwnedFd, RawFd};

use rustix::net::{AddressFamily, SocketType};

/// All that were passed to this process.
pub(super) fn take() -> Result<Vec<TcpListener>, String> {
    let passed = sd_notify::listen_fds()
        .map_err(|error| format!("the sockets that systemd passed cannot be taken: {error}"))?;
    // Between systemd and this process nobody else has a hand on them.
    passed.map(|number| listener(number, "systemd")).collect()
}

/// The listener that whoever started this process left open at that number for it.
///
/// # Errors
/// There is no listening TCP socket.
pub fn inherited(number: u16) -> Result<TcpListener, String> {
    let is_open = std::fs::exists(format!("/proc/self/fd/{number}")).unwrap_or(false);
    if number <= 2 || !is_open {
        return Err(format!(
            "descriptor {number} was not left open for this process"
        ));
    }
    let listener = listener(RawFd::from(number), "the process before")?;
    // It is this process's alone.
    rustix::io::fcntl_setfd(&listener, rustix::io::FdFlags::CLOEXEC)
        .map_err(|error| format!("descriptor {number} cannot be kept: {error}"))?;
    Ok(listener)
}

fn listener(number: RawFd, giver: &str) -> Result<TcpListener, String> {
    // SAFETY: systemd says in LISTEN_PID and LISTEN_FDS that this descriptor was passed to this
    // very process, and `listen_fds` has just set its flags; or /proc has just shown it, and it is
    // none of the standard three. So it is open, and nobody else closes it: this is called once,
    // before anything else is opened.
    #[allow(unsafe_code)]
    let passed = unsafe { OwnedFd::from_raw_fd(number) };
    let kind = (|| {
        let family = rustix::net::getsockname(passed.as_fd())?.address_family();
        let kind = rustix::net::sockopt::socket_type(passed.as_fd())?;
        let listens = rustix::net::sockopt::socket_acceptconn(passed.as_fd())?;
        Ok::<_, rustix::io::Errno>((family, kind, listens))
    })();
    let is_internet = |family| matches!(family, AddressFamily::INET | AddressFamily::INET6);
    match kind {
        Ok((family, SocketType::STREAM, true)) if is_internet(family) => {
            Ok(TcpListener::from(passed))
        }
        Ok(_) => Err(format!(
            "descriptor {number} that {giver} passed is no listening TCP socket: the socket unit \
             must say ListenStream=HOST:PORT and Accept=no"
        )),
        Err(error) => Err(format!(
            "descriptor {number} that {giver} passed is no socket: {error}"
        )),
    }
}
