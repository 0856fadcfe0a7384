//! What systemd is told (sd_notify(3)): the state, how work moves, and signs of life.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sd_notify::NotifyState;
use usher_core::lifecycle::{Report, ServiceManager, ServiceState};

/// Where systemd listens.
const ADDRESS: &str = "NOTIFY_SOCKET";

/// The systemd that started this process.
#[derive(Debug)]
pub(super) struct Systemd {
    address: OsString,
    watchdog: Option<Duration>,
    /// The state and the checkpoint that were told last.
    last: Mutex<(ServiceState, u32)>,
}

impl Systemd {
    /// None if nobody wants to hear.
    pub(super) fn of_this_process() -> Option<Systemd> {
        Some(Systemd {
            address: std::env::var_os(ADDRESS)?,
            watchdog: sd_notify::watchdog_enabled(),
            last: Mutex::new((ServiceState::Stopped, 0)),
        })
    }
}

impl ServiceManager for Systemd {
    fn told(&self, report: &Report) {
        let state = report.status.state;
        let last = {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *last, (state, report.status.checkpoint))
        };
        let text = report.to_string();
        let mut said = Vec::new();
        if state != last.0 {
            said.extend(announcement(last.0, state));
        }
        said.push(NotifyState::Status(&text));
        if report.status.checkpoint > last.1 && state == last.0 {
            // Work has moved: a long stop is as alive as a server that serves.
            said.push(NotifyState::Watchdog);
        }
        if let Some(patience) = report.patience() {
            let micros = u32::try_from(patience.as_micros()).unwrap_or(u32::MAX);
            said.push(NotifyState::ExtendTimeoutUsec(micros));
        }
        send(&self.address, &said);
    }

    fn alive(&self) {
        send(&self.address, &[NotifyState::Watchdog]);
    }

    fn watchdog(&self) -> Option<Duration> {
        self.watchdog
    }
}

/// What a change of state is to systemd. Its only word for a short while between two states in
/// which a service serves is RELOADING; which one it is, the text tells.
fn announcement(last: ServiceState, state: ServiceState) -> Option<NotifyState<'static>> {
    match state {
        ServiceState::Running | ServiceState::Paused => Some(NotifyState::Ready),
        ServiceState::PausePending | ServiceState::ContinuePending => Some(NotifyState::Reloading),
        ServiceState::Stopped if last == ServiceState::StopPending => None,
        ServiceState::StopPending | ServiceState::Stopped => Some(NotifyState::Stopping),
        ServiceState::StartPending => None,
    }
}

/// Tells systemd that this process is ready, for roles that have no more to tell.
pub fn tell_ready() {
    if let Some(address) = std::env::var_os(ADDRESS) {
        send(&address, &[NotifyState::Ready]);
    }
}

/// Nothing depends on what is told but systemd's patience, and it says so itself.
fn send(address: &OsStr, said: &[NotifyState<'_>]) {
    let lines: Vec<String> = said.iter().map(NotifyState::to_string).collect();
    if let Err(error) = datagram(address, lines.join("\n").as_bytes()) {
        tracing::warn!(%error, "cannot report the state of the service to systemd");
    }
}

/// One datagram to a path, or to an abstract address, written with a leading `@`: sd-notify knows
/// paths only. Never waits.
fn datagram(address: &OsStr, message: &[u8]) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    let address = match address.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(address)?,
    };
    socket.send_to_addr(message, &address).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use usher_core::lifecycle::{Control, Input, Lifecycle, Limits, Step, Work};

    fn said(last: ServiceState, state: ServiceState) -> Option<String> {
        announcement(last, state).map(|said| said.to_string())
    }

    #[test]
    fn a_pause_is_a_reload_that_ends_ready_and_a_stop_is_said_once() {
        use ServiceState::*;
        assert_eq!(said(StartPending, Running).as_deref(), Some("READY=1"));
        assert_eq!(said(Running, PausePending).as_deref(), Some("RELOADING=1"));
        assert_eq!(said(PausePending, Paused).as_deref(), Some("READY=1"));
        assert_eq!(said(Paused, StopPending).as_deref(), Some("STOPPING=1"));
        assert_eq!(said(StopPending, Stopped), None);
    }

    fn unique(name: &str) -> String {
        format!("usher-test-{}-{name}", std::process::id())
    }

    fn received(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 1024];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    #[test]
    fn systemd_is_told_over_a_path_and_over_an_abstract_address() {
        let path = std::env::temp_dir().join(unique("path"));
        let by_path = UnixDatagram::bind(&path).unwrap();
        send(path.as_os_str(), &[NotifyState::Ready]);
        let name = unique("name");
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let by_name = UnixDatagram::bind_addr(&address).unwrap();
        send(format!("@{name}").as_ref(), &[NotifyState::Ready]);
        for socket in [by_path, by_name] {
            assert_eq!(received(&socket), "READY=1");
        }
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn work_that_moves_gains_time_and_is_a_sign_of_life() {
        let name = unique("moves");
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let socket = UnixDatagram::bind_addr(&address).unwrap();
        let systemd = Systemd {
            address: format!("@{name}").into(),
            watchdog: None,
            last: Mutex::new((ServiceState::Stopped, 0)),
        };
        let mut machine = Lifecycle::new(Limits::default(), Duration::ZERO);
        let mut tell = |input| {
            machine.apply(Duration::ZERO, input).unwrap();
            systemd.told(&Report {
                status: machine.status(),
                trouble: None,
            });
            received(&socket)
        };
        tell(Input::Start);
        let running = tell(Input::Done);
        assert_eq!(running, "READY=1\nSTATUS=running");
        let stopping = tell(Input::Control(Control::Stop));
        assert_eq!(
            stopping,
            "STOPPING=1\nSTATUS=stopping: answering requests in flight\nEXTEND_TIMEOUT_USEC=15000000"
        );
        let counted = tell(Input::Moved(Work::new(Step::Drain, 3)));
        assert!(!counted.contains("WATCHDOG"), "{counted}");
        let moved = tell(Input::Moved(Work::new(Step::Drain, 2)));
        assert!(
            moved.contains("2 left\nWATCHDOG=1\nEXTEND_TIMEOUT"),
            "{moved}"
        );
    }
}
