//! I2: a server that is killed at any moment forgets no answered grant and counts no seat twice.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::http::{Http, checkout};
use crate::support::{Folder, Running, usher};

const KILLS: u32 = 300;
const CLIENTS: usize = 8;
const SEATS: u64 = 40;

/// What clients know for certain, and what they asked without an answer.
#[derive(Default)]
struct Known {
    /// Answered grants that nobody has tried to give back.
    held: BTreeSet<String>,
    /// Leases whose checkin had no answer: they may be held, or not.
    unsure: BTreeSet<String>,
    /// Leases whose checkin was answered: they may never be held again.
    ended: BTreeSet<String>,
    /// Every lease id that was ever answered.
    granted: BTreeMap<String, u32>,
    /// Checkouts without an answer: so many leases may be held that nobody knows of.
    unanswered: usize,
    refused: usize,
}

fn server(data: &Path) -> Running {
    Running::start(usher().args(["server", "--listen", "127.0.0.1:0"]), data)
}

#[test]
fn three_hundred_kills_in_the_middle_of_load_lose_no_grant_and_double_no_seat() {
    let folder = Folder::new();
    let data = folder.path("data");
    let mut random = Random::new();
    println!("seed {}", random.0);
    let known = Mutex::new(Known::default());
    let mut running = server(&data);
    running.ok(&["product", "add", "tool", "--seats", &SEATS.to_string()]);
    let token = std::fs::read_to_string(data.join("admin.token"))
        .unwrap()
        .trim()
        .to_owned();
    for round in 0..KILLS {
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for client in 0..CLIENTS {
                let (known, stop, api, token) = (&known, &stop, &running.api, &token);
                let mut random = random.child(client as u64);
                scope.spawn(move || load(api, token, client, &mut random, known, stop));
            }
            // tidy: sleep, the kill comes at any moment of the load
            std::thread::sleep(Duration::from_micros(random.below(40_000)));
            running.child.kill().unwrap();
            running.child.wait().unwrap();
            stop.store(true, Ordering::Relaxed);
        });
        running = server(&data);
        check(&running.api, &token, &mut known.lock().unwrap(), round);
    }
    let known = known.into_inner().unwrap();
    println!(
        "{} grants were answered, {} refusals",
        known.granted.len(),
        known.refused
    );
    assert!(
        known.granted.len() > KILLS as usize * 5,
        "too little load to mean anything"
    );
    assert!(known.refused > 0, "the seats were never all taken");
}

/// Checks out and in until the server is gone.
fn load(
    api: &str,
    token: &str,
    client: usize,
    random: &mut Random,
    known: &Mutex<Known>,
    stop: &AtomicBool,
) {
    let Ok(mut http) = Http::connect(api, token) else {
        return;
    };
    while !stop.load(Ordering::Relaxed) {
        let give_back = {
            let mut known = known.lock().unwrap();
            let often = random.below(3) == 0;
            let index = random.below(known.held.len().max(1) as u64) as usize;
            let chosen = known.held.iter().nth(index).cloned().filter(|_| often);
            // Nobody else gives the same one back.
            chosen.inspect(|lease| {
                known.held.remove(lease);
                known.unsure.insert(lease.clone());
            })
        };
        let going = match give_back {
            Some(lease) => checkin(&mut http, &lease, known),
            None => ask(&mut http, client, known),
        };
        if !going {
            return;
        }
    }
}

fn checkin(http: &mut Http, lease: &str, known: &Mutex<Known>) -> bool {
    let Ok(answer) = http.ask("DELETE", &format!("/v1/leases/{lease}"), None) else {
        return false;
    };
    assert_eq!(answer.status, 204, "{answer:?}");
    let mut known = known.lock().unwrap();
    known.unsure.remove(lease);
    known.ended.insert(lease.to_owned());
    true
}

fn ask(http: &mut Http, client: usize, known: &Mutex<Known>) -> bool {
    let body = checkout("tool", &format!("user{client}"));
    let Ok(answer) = http.ask("POST", "/v1/checkouts", Some(&body)) else {
        known.lock().unwrap().unanswered += 1;
        return false;
    };
    let mut known = known.lock().unwrap();
    match answer.status {
        201 => {
            let lease = answer.body["lease"]["id"].as_str().unwrap().to_owned();
            *known.granted.entry(lease.clone()).or_default() += 1;
            assert_eq!(known.granted[&lease], 1, "{lease} was given twice");
            known.held.insert(lease);
        }
        403 => known.refused += 1,
        _ => panic!("{answer:?}"),
    }
    true
}

/// What the server has after it came back, against what was answered before.
fn check(api: &str, token: &str, known: &mut Known, round: u32) {
    let mut http = Http::connect(api, token).unwrap();
    let leases = http.ask("GET", "/v1/leases?limit=1000", None).unwrap().body;
    let leases: Vec<String> = leases["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|lease| lease["id"].as_str().unwrap().to_owned())
        .collect();
    let there: BTreeSet<String> = leases.iter().cloned().collect();
    assert_eq!(
        there.len(),
        leases.len(),
        "round {round}: a lease is there twice"
    );
    let lost: Vec<&String> = known.held.difference(&there).collect();
    assert!(
        lost.is_empty(),
        "round {round}: answered grants are lost: {lost:?}"
    );
    let risen: Vec<&String> = known.ended.intersection(&there).collect();
    assert!(
        risen.is_empty(),
        "round {round}: answered checkins are lost: {risen:?}"
    );
    let strange: Vec<&String> = there
        .iter()
        .filter(|id| !known.held.contains(*id) && !known.unsure.contains(*id))
        .collect();
    assert!(
        strange.len() <= known.unanswered,
        "round {round}: {strange:?} were granted to nobody: {} had no answer",
        known.unanswered
    );
    let status = http.ask("GET", "/v1/status", None).unwrap().body;
    let in_use = status["products"][0]["in_use"].as_u64().unwrap();
    assert_eq!(
        in_use,
        there.len() as u64,
        "round {round}: seats in use are those of the leases"
    );
    assert!(in_use <= SEATS, "round {round}: {in_use} of {SEATS} seats");
    // What nobody is sure of is given back, so that every round begins with what is known.
    for lease in there.iter().filter(|id| !known.held.contains(*id)) {
        let answer = http
            .ask("DELETE", &format!("/v1/leases/{lease}"), None)
            .unwrap();
        assert_eq!(answer.status, 204, "{answer:?}");
        known.ended.insert(lease.clone());
    }
    known.unsure.clear();
    known.unanswered = 0;
}

/// A small generator: another seed each time, printed, so that a failure can be had again.
struct Random(u64);

impl Random {
    fn new() -> Random {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        Random(now.as_nanos() as u64 | 1)
    }

    fn child(&mut self, salt: u64) -> Random {
        Random((self.next() ^ (salt << 32)) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}
