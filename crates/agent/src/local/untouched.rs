//! Looks every few seconds, while a product says something of idle programs, whether anybody
//! touches its programs.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;

use crate::agent::Agent;
use crate::base::lock;
use crate::watch::sense::Sensor;

/// How often programs are checked.
const LOOK: Duration = Duration::from_secs(2);
/// How soon a new rule about idle programs is noticed.
const LOOK_FOR_RULES: Duration = Duration::from_secs(5);

/// Looks after idle programs until told to stop. Files of processes are read beside: whatever one
/// of them is kept waiting by, nothing else is.
pub(crate) async fn run(agent: Arc<Mutex<Agent>>, mut stop: watch::Receiver<bool>) {
    let sensor = Arc::new(Mutex::new(Sensor::default()));
    loop {
        let pause = match lock(&agent).rulebook().has_idle_rules() {
            true => LOOK,
            false => LOOK_FOR_RULES,
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stop.changed() => return,
        }
        let asked = lock(&agent).may_be_idle();
        if asked.is_empty() {
            continue;
        }
        let sensor = sensor.clone();
        let looked = tokio::task::spawn_blocking(move || lock(&sensor).look(asked));
        tokio::select! {
            places = looked => match places {
                Ok(places) => lock(&agent).left_alone(&places),
                Err(error) => tracing::error!(%error, "idle programs cannot be looked at"),
            },
            _ = stop.changed() => return,
        }
    }
}
