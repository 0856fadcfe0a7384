//! Clients that ask without a pause, each time on a connection of its own, and count what failed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;

use crate::http::{Http, checkout};
use crate::support::wait_for;

const CLIENTS: u32 = 4;

/// Clients that take a seat of `tool` and give it back, until they are told to stop.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    asked: Arc<AtomicU32>,
    clients: Vec<JoinHandle<Vec<String>>>,
}

impl Load {
    /// Begins; `tool` has a seat for each client.
    pub(crate) fn begin(api: &str, token: &str) -> Load {
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::new(AtomicU32::new(0));
        let client = |number: u32| {
            let (api, token) = (api.to_owned(), token.to_owned());
            let (stop, asked) = (stop.clone(), asked.clone());
            let user = format!("load{number}");
            std::thread::spawn(move || {
                let mut failures = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    if let Err(failure) = round(&api, &token, &user) {
                        failures.push(failure);
                    }
                    asked.fetch_add(1, Ordering::Relaxed);
                }
                failures
            })
        };
        let clients = (0..CLIENTS).map(client).collect();
        let load = Load {
            stop,
            asked,
            clients,
        };
        load.goes_on("load");
        load
    }

    /// Waits for more rounds.
    pub(crate) fn goes_on(&self, what: &str) {
        let from = self.asked.load(Ordering::Relaxed);
        wait_for(what, || {
            (self.asked.load(Ordering::Relaxed) >= from + 50).then_some(())
        });
    }

    /// Ends it: the rounds that were made, and what failed in them.
    pub(crate) fn end(self) -> (u32, Vec<String>) {
        self.stop.store(true, Ordering::Relaxed);
        let failures = self
            .clients
            .into_iter()
            .flat_map(|client| client.join().unwrap())
            .collect();
        (self.asked.load(Ordering::Relaxed), failures)
    }
}

fn round(api: &str, token: &str, user: &str) -> Result<(), String> {
    let ask = |method: &str, path: &str, body: Option<&serde_json::Value>| {
        Http::connect(api, token)
            .and_then(|mut http| http.ask(method, path, body))
            .map_err(|error| format!("{method} {path}: {error}"))
    };
    let granted = ask("POST", "/v1/checkouts", Some(&checkout("tool", user)))?;
    let (201, Some(lease)) = (granted.status, granted.body["lease"]["id"].as_str()) else {
        return Err(format!("{granted:?}"));
    };
    let returned = ask("DELETE", &format!("/v1/leases/{lease}"), None)?;
    match returned.status {
        204 => Ok(()),
        _ => Err(format!("{returned:?}")),
    }
}
