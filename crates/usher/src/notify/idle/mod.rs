//! Reports to the agent for how long this session's displays had no input: the agent sees terminals
//! itself, but displays only through a process of their user.
//!
//! Wayland is asked before X11: if both exist, X11 runs inside Wayland and sees only a part of the
//! input. If the time is not known, nothing is reported; then the display counts as in use.

mod gnome;
mod wayland;
mod x11;

use std::borrow::Cow;
use std::path::PathBuf;
use std::time::Duration;

use usher_api::client::Client;
use usher_api::{DisplaysAnswer, DisplaysReport};
use usher_core::idle::displays_of;

use crate::context::Context;
use crate::run::door;

/// How soon a display or an agent that did not answer is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(5);
/// How long a display may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The bounds of the period that an agent may ask for.
const AGAIN_SECONDS: (u32, u32) = (1, 60);

/// What knows of input in this session.
enum Sensor {
    Wayland(wayland::Seats),
    Gnome(gnome::Monitor),
    X11(x11::Screen),
}

impl Sensor {
    /// `None` if nothing here knows.
    async fn of_session() -> Option<Sensor> {
        if variable("WAYLAND_DISPLAY").is_none() {
            return x11::Screen::open().await.map(Sensor::X11);
        }
        match wayland::Seats::open().await {
            Some(seats) => Some(Sensor::Wayland(seats)),
            None => gnome::Monitor::open().await.map(Sensor::Gnome),
        }
    }

    /// For how long there was no input; `None` if the sensor does not answer any more.
    async fn idle_ms(&self) -> Option<u64> {
        match self {
            Sensor::Wayland(seats) => seats.idle_ms(),
            Sensor::Gnome(monitor) => monitor.idle_ms().await,
            Sensor::X11(screen) => screen.idle_ms().await,
        }
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The displays of this session by name.
fn displays() -> Vec<Cow<'static, str>> {
    let known = ["DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR"];
    let known = known.map(|name| (name, variable(name)));
    let names = displays_of(|wanted| {
        let found = known.iter().find(|(name, _)| *name == wanted);
        found.and_then(|(_, value)| value.as_deref())
    });
    names
        .into_iter()
        .map(|name| Cow::Owned(name.into()))
        .collect()
}

/// Reports until it is dropped.
pub(super) async fn report(named: Option<PathBuf>, context: &Context) {
    let displays = displays();
    if displays.is_empty() {
        return std::future::pending().await;
    }
    loop {
        if let Some(sensor) = Sensor::of_session().await {
            report_by(&sensor, &displays, named.as_deref(), context).await;
        }
        tokio::time::sleep(TRY_AGAIN).await;
    }
}

/// Reports until the sensor does not answer any more.
async fn report_by(
    sensor: &Sensor,
    displays: &[Cow<'static, str>],
    named: Option<&std::path::Path>,
    context: &Context,
) {
    let mut agent: Option<Client> = None;
    while let Ok(Some(idle_ms)) = tokio::time::timeout(PATIENCE, sensor.idle_ms()).await {
        if agent.is_none() {
            let found = door::agent(named, context).await;
            agent = found.ok().flatten().map(|(agent, _)| agent);
        }
        let report = DisplaysReport {
            displays: displays.to_vec(),
            idle_ms,
        };
        let told = match &agent {
            Some(agent) => agent
                .post::<_, DisplaysAnswer>("/v1/displays", &report)
                .await
                .ok(),
            None => None,
        };
        let (least, most) = AGAIN_SECONDS;
        let pause = match told {
            Some(answer) => Duration::from_secs(answer.again_seconds.clamp(least, most).into()),
            None => {
                agent = None;
                TRY_AGAIN
            }
        };
        tokio::time::sleep(pause).await;
    }
}
