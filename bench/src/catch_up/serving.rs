//! A server that serves meanwhile: a seat is taken and given back again and again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use usher_bench::http;

use super::backlog::name_of;

/// Between two: 46 requests a second, as of a site where 23 sessions begin.
const PAUSE: Duration = Duration::from_millis(43);

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Served {
    /// Pairs that were answered, with the time of the checkout.
    pub(super) took: Vec<Duration>,
    /// Pairs that were not, as while the server is being started again.
    pub(super) failed: u64,
}

/// A thread that asks until it is stopped.
pub(super) struct Serving {
    ends: Arc<AtomicBool>,
    thread: JoinHandle<Served>,
}

impl Serving {
    pub(super) fn start(address: SocketAddr, token: &str) -> Serving {
        let ends = Arc::new(AtomicBool::new(false));
        let (end, token) = (ends.clone(), token.to_owned());
        let thread = thread::spawn(move || {
            let mut served = Served::default();
            while !end.load(Ordering::Relaxed) {
                let began = Instant::now();
                match pair(address, &token) {
                    Ok(took) => served.took.push(took),
                    Err(_) => served.failed += 1,
                }
                thread::sleep(PAUSE.saturating_sub(began.elapsed()));
            }
            served
        });
        Serving { ends, thread }
    }

    /// Ends it.
    pub(super) fn end(self) -> Result<Served, String> {
        self.ends.store(true, Ordering::Relaxed);
        let served = self.thread.join();
        served.map_err(|_| "the thread that asks the server panicked".to_owned())
    }
}

/// A checkout and its checkin; how long the checkout took.
fn pair(address: SocketAddr, token: &str) -> Result<Duration, String> {
    let body = serde_json::json!({
        "product": name_of(0), "user": "somebody", "computer": "pc-0", "ttl_seconds": 60,
    });
    let asked = Instant::now();
    let call = http::call(address, "POST", "/v1/checkouts", token, &body.to_string());
    let (status, answer) = call?;
    let took = asked.elapsed();
    let answer: serde_json::Value =
        serde_json::from_slice(&answer).map_err(|error| error.to_string())?;
    let id = answer["lease"]["id"].as_str();
    let id = id.ok_or_else(|| format!("a checkout was answered with {status}"))?;
    let (status, _) = http::call(address, "DELETE", &format!("/v1/leases/{id}"), token, "")?;
    match status {
        204 => Ok(took),
        other => Err(format!("a checkin was answered with {other}")),
    }
}
