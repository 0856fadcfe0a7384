//! The time since the last input of a GNOME session, by the session's D-Bus: its compositor has
//! none of Wayland's protocols for that.

use zbus::Connection;

const SERVICE: &str = "org.gnome.Mutter.IdleMonitor";
const PATH: &str = "/org/gnome/Mutter/IdleMonitor/Core";

/// The compositor's own watch on all input.
pub(super) struct Monitor(Connection);

impl Monitor {
    /// None where the session's compositor is another.
    pub(super) async fn open() -> Option<Monitor> {
        let monitor = Monitor(Connection::session().await.ok()?);
        let first = tokio::time::timeout(super::PATIENCE, monitor.idle_ms()).await;
        first.ok()??;
        Some(monitor)
    }

    /// Milliseconds since the last input; none where it does not answer.
    pub(super) async fn idle_ms(&self) -> Option<u64> {
        let asked = (self.0).call_method(Some(SERVICE), PATH, Some(SERVICE), "GetIdletime", &());
        asked.await.ok()?.body().deserialize().ok()
    }
}
