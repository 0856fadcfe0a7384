//! The time since the last input of a Wayland session: by `ext-idle-notify-v1`, or by
//! `org_kde_kwin_idle` if the compositor is older. Both report when there was no input for a while,
//! and when there is input again; while something inhibits idleness, as a film does, they report no
//! idleness.
//!
//! The connection has a thread of its own, which waits for the compositor's events.

mod protocol;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use wayland_client::protocol::wl_registry::{self, WlRegistry};
use wayland_client::protocol::wl_seat::{self, WlSeat};
use wayland_client::{Connection, Dispatch, EventQueue, Proxy, QueueHandle, delegate_noop};

use self::protocol::ext_idle_notification_v1::{self, ExtIdleNotificationV1};
use self::protocol::ext_idle_notifier_v1::ExtIdleNotifierV1;
use self::protocol::org_kde_kwin_idle::OrgKdeKwinIdle;
use self::protocol::org_kde_kwin_idle_timeout::{self, OrgKdeKwinIdleTimeout};

/// The compositor tells of no input after so long.
const QUIET: Duration = Duration::from_secs(5);
/// Seats, groups of keyboards and pointers, that are listened to.
const SEATS_LIMIT: usize = 16;

/// Since when each seat, by its number, is quiet; none: it is not.
type Quiet = BTreeMap<u32, Option<Instant>>;

/// All seats of the session.
pub(super) struct Seats {
    told: Arc<Mutex<Option<Quiet>>>,
    compositor: Connection,
}

impl Drop for Seats {
    /// Ends the thread, which a compositor that hangs or says no more would keep for ever.
    fn drop(&mut self) {
        let socket = self.compositor.backend();
        // One that is over needs no end.
        let _ = rustix::net::shutdown(socket.poll_fd(), rustix::net::Shutdown::Both);
    }
}

impl Seats {
    /// None if the compositor has neither protocol.
    pub(super) async fn open() -> Option<Seats> {
        Seats::of(Connection::connect_to_env().ok()?).await
    }

    async fn of(compositor: Connection) -> Option<Seats> {
        let seats = Seats {
            told: Arc::default(),
            compositor: compositor.clone(),
        };
        let (begun, has_begun) = oneshot::channel();
        let told = seats.told.clone();
        std::thread::Builder::new()
            .name("wayland".to_owned())
            .spawn(move || {
                let _ = listen(&compositor, &told, begun);
                *lock(&told) = None;
            })
            .ok()?;
        let has_begun = tokio::time::timeout(super::PATIENCE, has_begun);
        has_begun.await.ok()?.ok()?;
        Some(seats)
    }

    /// Milliseconds since the last input at any seat; none if the session is over, or has none.
    pub(super) fn idle_ms(&self) -> Option<u64> {
        let told = lock(&self.told);
        let seats = told.as_ref()?.values();
        let idle = seats.map(|since| since.map_or(Duration::ZERO, |since| since.elapsed()));
        u64::try_from(idle.min()?.as_millis()).ok()
    }
}

fn lock(told: &Mutex<Option<Quiet>>) -> MutexGuard<'_, Option<Quiet>> {
    told.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Listens until the session is over.
fn listen(
    connection: &Connection,
    told: &Arc<Mutex<Option<Quiet>>>,
    begun: oneshot::Sender<()>,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut events: EventQueue<Listener> = connection.new_event_queue();
    let queue = events.handle();
    connection.display().get_registry(&queue, ());
    let mut listener = Listener {
        told: told.clone(),
        notifier: None,
        older: None,
        seats: BTreeMap::new(),
    };
    events.roundtrip(&mut listener)?;
    if listener.notifier.is_none() && listener.older.is_none() {
        return Err("the compositor tells of no idleness".into());
    }
    *lock(told) = Some(Quiet::new());
    listener.watch_all(&queue);
    events.roundtrip(&mut listener)?;
    let _ = begun.send(());
    loop {
        events.blocking_dispatch(&mut listener)?;
        listener.watch_all(&queue);
    }
}

struct Listener {
    told: Arc<Mutex<Option<Quiet>>>,
    notifier: Option<ExtIdleNotifierV1>,
    older: Option<OrgKdeKwinIdle>,
    /// Seats by number, and whether each is watched.
    seats: BTreeMap<u32, (WlSeat, bool)>,
}

impl Listener {
    fn watch_all(&mut self, queue: &QueueHandle<Listener>) {
        let after_ms = QUIET.as_millis() as u32;
        for (number, (seat, is_watched)) in &mut self.seats {
            if std::mem::replace(is_watched, true) {
                continue;
            }
            if let Some(notifier) = &self.notifier {
                notifier.get_idle_notification(after_ms, seat, queue, *number);
            } else if let Some(older) = &self.older {
                older.get_idle_timeout(seat, after_ms, queue, *number);
            }
            if let Some(told) = lock(&self.told).as_mut() {
                told.insert(*number, None);
            }
        }
    }

    fn tell(&self, seat: u32, since: Option<Instant>) {
        if let Some(known) = lock(&self.told)
            .as_mut()
            .and_then(|told| told.get_mut(&seat))
        {
            *known = since;
        }
    }

    fn is_quiet(&self, seat: u32) {
        self.tell(seat, Instant::now().checked_sub(QUIET));
    }
}

impl Dispatch<WlRegistry, ()> for Listener {
    fn event(
        listener: &mut Self,
        registry: &WlRegistry,
        event: wl_registry::Event,
        (): &(),
        _: &Connection,
        queue: &QueueHandle<Self>,
    ) {
        match event {
            wl_registry::Event::Global {
                name, interface, ..
            } => {
                // The first version of each has all that is asked for here.
                if interface == WlSeat::interface().name && listener.seats.len() < SEATS_LIMIT {
                    let seat = registry.bind(name, 1, queue, ());
                    listener.seats.insert(name, (seat, false));
                } else if interface == ExtIdleNotifierV1::interface().name {
                    listener.notifier = Some(registry.bind(name, 1, queue, ()));
                } else if interface == OrgKdeKwinIdle::interface().name {
                    listener.older = Some(registry.bind(name, 1, queue, ()));
                }
            }
            wl_registry::Event::GlobalRemove { name } => {
                listener.seats.remove(&name);
                if let Some(told) = lock(&listener.told).as_mut() {
                    told.remove(&name);
                }
            }
            _ => {}
        }
    }
}

impl Dispatch<ExtIdleNotificationV1, u32> for Listener {
    fn event(
        listener: &mut Self,
        _: &ExtIdleNotificationV1,
        event: ext_idle_notification_v1::Event,
        seat: &u32,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        match event {
            ext_idle_notification_v1::Event::Idled => listener.is_quiet(*seat),
            _ => listener.tell(*seat, None),
        }
    }
}

impl Dispatch<OrgKdeKwinIdleTimeout, u32> for Listener {
    fn event(
        listener: &mut Self,
        _: &OrgKdeKwinIdleTimeout,
        event: org_kde_kwin_idle_timeout::Event,
        seat: &u32,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        match event {
            org_kde_kwin_idle_timeout::Event::Idle => listener.is_quiet(*seat),
            _ => listener.tell(*seat, None),
        }
    }
}

impl Dispatch<WlSeat, ()> for Listener {
    fn event(
        _: &mut Self,
        _: &WlSeat,
        _: wl_seat::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        // What it can do is of no concern.
    }
}

delegate_noop!(Listener: ExtIdleNotifierV1);
delegate_noop!(Listener: OrgKdeKwinIdle);
