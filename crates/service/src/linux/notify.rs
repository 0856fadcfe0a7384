//! What systemd is told (sd_notify(3)): the state, how work moves, and signs of life.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use sd_notify::NotifyState;
use usher_core::lifecycle::{Report, ServiceManager, ServiceState};

/// The file in the service's runtime directory that says that it was stopped on purpose: the unit
/// then closes its socket too, so that no connection starts it again.
pub(crate) const ON_PURPOSE: &str = "stopped-on-purpose";

/// The systemd that started this process.
#[derive(Debug)]
pub(super) struct Systemd {
    watchdog: Option<Duration>,
    runtime: Option<PathBuf>,
    /// The state and the checkpoint that were told last.
    last: Mutex<(ServiceState, u32)>,
}

impl Systemd {
    /// None where nobody wants to hear.
    pub(super) fn of_this_process() -> Option<Systemd> {
        std::env::var_os("NOTIFY_SOCKET")?;
        Some(Systemd {
            watchdog: sd_notify::watchdog_enabled(),
            runtime: std::env::var_os("RUNTIME_DIRECTORY").map(PathBuf::from),
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
        if state == ServiceState::StopPending && report.on_purpose {
            self.mark();
        }
        let text = report.to_string();
        let mut said = vec![NotifyState::Status(&text)];
        if state != last.0 {
            said.extend(announcement(last.0, state));
        }
        if report.status.checkpoint > last.1 && state == last.0 {
            // Work has moved: a long stop is as alive as a server that serves.
            said.push(NotifyState::Watchdog);
        }
        if let Some(patience) = report.patience() {
            let micros = u32::try_from(patience.as_micros()).unwrap_or(u32::MAX);
            said.push(NotifyState::ExtendTimeoutUsec(micros));
        }
        send(&said);
    }

    fn alive(&self) {
        send(&[NotifyState::Watchdog]);
    }

    fn watchdog(&self) -> Option<Duration> {
        self.watchdog
    }
}

impl Systemd {
    fn mark(&self) {
        let Some(runtime) = &self.runtime else {
            return;
        };
        if let Err(error) = std::fs::write(runtime.join(ON_PURPOSE), "") {
            tracing::warn!(
                %error,
                directory = %runtime.display(),
                "cannot note that this stop is on purpose: a connection may start the service again"
            );
        }
    }
}

/// What a change of state is to systemd. Pausing is none of its states: the text tells of it.
fn announcement(last: ServiceState, state: ServiceState) -> Option<NotifyState<'static>> {
    match state {
        ServiceState::Running if last == ServiceState::StartPending => Some(NotifyState::Ready),
        // A start so short that it was not told of.
        ServiceState::Running if last == ServiceState::Stopped => Some(NotifyState::Ready),
        ServiceState::StopPending => Some(NotifyState::Stopping),
        ServiceState::Stopped if last != ServiceState::StopPending => Some(NotifyState::Stopping),
        _ => None,
    }
}

fn send(said: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(said) {
        tracing::warn!(%error, "cannot tell systemd of the service");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(last: ServiceState, state: ServiceState) -> Option<String> {
        announcement(last, state).map(|said| said.to_string())
    }

    #[test]
    fn ready_is_said_once_and_not_after_a_pause() {
        use ServiceState::*;
        assert_eq!(said(StartPending, Running).as_deref(), Some("READY=1"));
        assert_eq!(said(ContinuePending, Running), None);
        assert_eq!(said(Running, PausePending), None);
        assert_eq!(said(Paused, StopPending).as_deref(), Some("STOPPING=1"));
        assert_eq!(said(StopPending, Stopped), None);
    }
}
