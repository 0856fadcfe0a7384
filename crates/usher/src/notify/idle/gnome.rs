//! The time since the last input of a GNOME session, by the session's D-Bus: its compositor has
//! none of Wayland's protocols for that.

use zbus::Connection;

const SERVICE: &str = "org.gnome.Mutter.IdleMonitor";
const PATH: &str = "/org/gnome/Mutter/IdleMonitor/Core";

/// The compositor's own monitor of all input.
pub(super) struct Monitor(Connection);

impl Monitor {
    /// `None` if the session has another compositor.
    pub(super) async fn open() -> Option<Monitor> {
        Monitor::on(Connection::session().await.ok()?).await
    }

    async fn on(bus: Connection) -> Option<Monitor> {
        let monitor = Monitor(bus);
        let first = tokio::time::timeout(super::PATIENCE, monitor.idle_ms()).await;
        first.ok()??;
        Some(monitor)
    }

    /// Milliseconds since the last input; `None` if the compositor does not answer.
    pub(super) async fn idle_ms(&self) -> Option<u64> {
        let asked = (self.0).call_method(Some(SERVICE), PATH, Some(SERVICE), "GetIdletime", &());
        asked.await.ok()?.body().deserialize().ok()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use zbus::connection::Builder;

    use super::*;

    /// The compositor's end, as its interface is described.
    struct Core;

    #[zbus::interface(name = "org.gnome.Mutter.IdleMonitor")]
    impl Core {
        #[zbus(name = "GetIdletime")]
        fn idle_time(&self) -> u64 {
            61_000
        }
    }

    /// A bus of two: a compositor that has this at that path, and who asks it.
    async fn bus(path: &'static str) -> (Connection, Connection) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let end = |stream: UnixStream| {
            stream.set_nonblocking(true).unwrap();
            let stream = tokio::net::UnixStream::from_std(stream).unwrap();
            Builder::unix_stream(stream).p2p()
        };
        let compositor = end(theirs).server(zbus::Guid::generate()).unwrap();
        let compositor = compositor.serve_at(path, Core).unwrap();
        let (compositor, asker) = tokio::join!(compositor.build(), end(ours).build());
        (compositor.unwrap(), asker.unwrap())
    }

    #[tokio::test]
    async fn gnome_says_how_long_there_was_no_input_and_another_session_does_not() {
        let (_compositor, bus_of_gnome) = bus(PATH).await;
        let monitor = Monitor::on(bus_of_gnome).await.unwrap();
        assert_eq!(monitor.idle_ms().await, Some(61_000));
        let (_compositor, another) = bus("/another").await;
        assert!(Monitor::on(another).await.is_none());
    }
}
