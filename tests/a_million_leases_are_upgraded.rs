//! The version before this one, as it was released, with a million leases out and under load at half
//! of its full speed, is upgraded to this one on a real systemd: no request fails, no lease is lost.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http::Http;
use crate::installed::{DATA, Installed};
use crate::support::{finish_within, said, stdout};

/// The version before, built in release mode.
const OLD: &str = "USHER_OLD";
/// How many leases, if not a million.
const LEASES: &str = "USHER_LEASES";
const CONNECTIONS: u32 = 16;
/// How long the speed is measured, and how long the load goes on before and after the upgrade.
const SPELL: Duration = Duration::from_secs(10);
/// A request that gets no answer because its connection ends is sent again, as clients do, for so
/// long.
const RETRY: Duration = Duration::from_secs(60);
const UPGRADE: Duration = Duration::from_secs(900);

#[test]
#[ignore = "builds the version before and takes minutes: `cargo xtask bench upgrade` runs it"]
fn the_version_before_is_upgraded_under_load_with_a_million_leases() {
    let old = std::env::var_os(OLD).unwrap();
    let leases: u64 = std::env::var(LEASES).map_or(1_000_000, |leases| leases.parse().unwrap());
    let server = Installed::with_two_programs(Path::new(&old));
    server.product(u32::try_from(leases).unwrap() + CONNECTIONS);
    let before = server.json(&["status"])["server"]["version"].clone();
    fill(&server, leases);
    assert_eq!(in_use(&server), leases);

    let full = Clients::begin(&server, None);
    std::thread::park_timeout(SPELL);
    let full = full.end();
    let rate = full.answers as f64 / SPELL.as_secs_f64();

    let load = Clients::begin(&server, Some(rate / 2.0));
    std::thread::park_timeout(SPELL);
    let upgrade = server
        .systemd
        .command(&[
            "/run/own/usher-new",
            "upgrade",
            "/run/own/usher-new",
            "--data",
            DATA,
            "--server",
            &server.api,
            "--json",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let began = Instant::now();
    let upgraded = finish_within(upgrade, UPGRADE);
    let took = began.elapsed();
    assert!(
        upgraded.status.success(),
        "{}\n{}",
        said(&upgraded),
        server.systemd.journal()
    );
    std::thread::park_timeout(SPELL);
    let load = load.end();
    let told: Value = serde_json::from_str(&stdout(&upgraded)).unwrap();
    let after = server.json(&["status"])["server"]["version"].clone();
    assert_ne!(before, after);
    println!("| {before} to {after}, {leases} leases, full speed {rate:.0} requests/s | |");
    println!("|---|---:|");
    println!("| requests at half of that | {} |", load.answers);
    println!("| failed | {} |", load.failures.values().sum::<u64>());
    println!(
        "| sent again after their connection ended | {} |",
        load.repeated
    );
    println!("| longest answer | {:.2} s |", load.longest.as_secs_f64());
    println!(
        "| leases lost | {} |",
        leases.saturating_sub(in_use(&server))
    );
    println!("| the upgrade took | {:.1} s |", took.as_secs_f64());
    for step in told["steps"].as_array().unwrap() {
        let seconds = step["seconds"].as_f64().unwrap();
        println!(
            "| of that: {} | {seconds:.1} s |",
            step["step"].as_str().unwrap()
        );
    }
    assert_eq!(full.failures, BTreeMap::new());
    assert_eq!(load.failures, BTreeMap::new());
    assert_eq!(in_use(&server), leases);
}

fn in_use(server: &Installed) -> u64 {
    let status = server.json(&["status"]);
    status["products"][0]["in_use"].as_u64().unwrap()
}

fn fill(server: &Installed, leases: u64) {
    let next = Arc::new(AtomicU64::new(0));
    let fillers: Vec<JoinHandle<()>> = (0..CONNECTIONS)
        .map(|_| {
            let (next, mut http) = (next.clone(), server.connect());
            std::thread::spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= leases {
                        return;
                    }
                    let body = checkout(&format!("user{}", number % 20_000));
                    let answer = http.ask("POST", "/v1/checkouts", Some(&body)).unwrap();
                    assert_eq!(answer.status, 201, "{answer:?}");
                }
            })
        })
        .collect();
    for filler in fillers {
        filler.join().unwrap();
    }
}

fn checkout(user: &str) -> Value {
    json!({"product": "tool", "user": user, "computer": "pc1", "ttl_seconds": 86_400})
}

/// What clients have seen.
#[derive(Default)]
struct ClientTally {
    answers: u64,
    /// By what happened.
    failures: BTreeMap<String, u64>,
    repeated: u64,
    longest: Duration,
}

/// Clients that take a seat and give it back, each on a connection that it keeps.
struct Clients {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<ClientTally>>,
}

impl Clients {
    /// With `rate` requests a second in all, or as fast as answers come.
    fn begin(server: &Installed, rate: Option<f64>) -> Clients {
        let stop = Arc::new(AtomicBool::new(false));
        let clients = (0..CONNECTIONS)
            .map(|number| {
                let mut client = Client {
                    api: server.api.clone(),
                    token: server.token(),
                    user: format!("load{number}"),
                    http: None,
                    seen: ClientTally::default(),
                };
                let stop = stop.clone();
                // Two requests a round.
                let pause =
                    rate.map(|rate| Duration::from_secs_f64(2.0 * f64::from(CONNECTIONS) / rate));
                std::thread::spawn(move || {
                    let mut due = Instant::now();
                    while !stop.load(Ordering::Relaxed) {
                        if let Some(pause) = pause {
                            std::thread::park_timeout(
                                due.saturating_duration_since(Instant::now()),
                            );
                            due += pause;
                        }
                        client.round();
                    }
                    client.seen
                })
            })
            .collect();
        Clients { stop, clients }
    }

    fn end(self) -> ClientTally {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = ClientTally::default();
        for client in self.clients {
            let seen = client.join().unwrap();
            all.answers += seen.answers;
            all.repeated += seen.repeated;
            all.longest = all.longest.max(seen.longest);
            for (what, count) in seen.failures {
                *all.failures.entry(what).or_default() += count;
            }
        }
        all
    }
}

struct Client {
    api: String,
    token: String,
    user: String,
    http: Option<Http>,
    seen: ClientTally,
}

impl Client {
    fn round(&mut self) {
        let key = key();
        let body = checkout(&self.user);
        let Some(granted) = self.ask("POST", "/v1/checkouts", Some((&key, &body)), 201) else {
            return;
        };
        let lease = granted["lease"]["id"].as_str().unwrap().to_owned();
        self.ask("DELETE", &format!("/v1/leases/{lease}"), None, 204);
    }

    /// Asks until there is an answer: with its key, a request that is sent twice is done once.
    fn ask(
        &mut self,
        method: &str,
        path: &str,
        body: Option<(&str, &Value)>,
        wanted: u16,
    ) -> Option<Value> {
        let began = Instant::now();
        let answer = loop {
            let http = match self.http.take() {
                Some(http) => Ok(http),
                None => Http::connect(&self.api, &self.token),
            };
            let answered = http.and_then(|mut http| {
                let answer = match body {
                    Some((key, body)) => http.ask_keyed(method, path, key, body),
                    None => http.ask(method, path, None),
                };
                answer.map(|answer| (answer, http))
            });
            match answered {
                Ok((answer, http)) => {
                    self.http = Some(http);
                    break Ok(answer);
                }
                Err(_) if began.elapsed() < RETRY => self.seen.repeated += 1,
                Err(error) => break Err(error.to_string()),
            }
        };
        self.seen.longest = self.seen.longest.max(began.elapsed());
        let failure = match answer {
            Ok(answer) if answer.status == wanted => {
                self.seen.answers += 1;
                return Some(answer.body);
            }
            Ok(answer) => format!("{method}: {} {}", answer.status, answer.body["code"]),
            Err(error) => format!("{method}: {error}"),
        };
        *self.seen.failures.entry(failure).or_default() += 1;
        None
    }
}

/// A key that no other request has.
fn key() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("upgrade-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
