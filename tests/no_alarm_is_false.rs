//! In real time: a manager that polls each second, and a server that lives as servers do. It is
//! asked and left alone, paused, packed, started again, and its disk is slow now and then. None of
//! that is trouble, so nothing is told.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::http::{Http, checkout};
use crate::installed::{Installed, SERVICE, freeze, on_a_disk};
use crate::managed::Managed;
use crate::support::wait_for;

/// How many minutes, if not ten.
const MINUTES: &str = "USHER_ALARM_MINUTES";

type Happens = fn(&Installed, &mut Dice);

/// What happens to the server, each in its turn, in no fixed order.
const SPELLS: [(&str, Happens); 6] = [
    ("asked", is_asked),
    ("left alone", is_left_alone),
    ("paused", is_paused),
    ("packed", is_packed),
    ("restarted", is_restarted),
    ("on a slow disk", has_a_slow_disk),
];

#[test]
#[ignore = "lasts ten minutes: `cargo xtask soak alarms` runs it, and `cargo xtask test` beside the others"]
fn of_a_server_that_is_well_nothing_is_told() {
    let minutes = std::env::var(MINUTES).map_or(10, |minutes| minutes.parse().unwrap());
    let end = Instant::now() + Duration::from_secs(minutes * 60);
    let mut managed = Managed::new(on_a_disk);
    // More than are ever asked for: that seats are low would be true.
    managed.server.product(20);
    managed.recovers();
    let mut dice = Dice::new();
    let mut counts = [0_u32; SPELLS.len()];
    let mut polls = Polls::default();
    while Instant::now() < end {
        let spell = dice.up_to(SPELLS.len() as u64) as usize;
        let (name, happens) = SPELLS[spell];
        happens(&managed.server, &mut dice);
        counts[spell] += 1;
        let alarms = alarms(&mut managed);
        assert!(alarms.is_empty(), "after it was {name}: {alarms:#?}");
        polls.look(&mut managed.console);
        is_left_alone(&managed.server, &mut dice);
    }
    for ((name, _), count) in SPELLS.iter().zip(counts) {
        println!("{name:16} {count:5} times");
    }
    println!("no alarm in {minutes} minutes");
    // It looked after each of them, and it would have told.
    assert!(polls.seen > 0);
    managed.server.steer("stop");
    managed.expect("stopped", "as it was asked to");
    let told = alarms(&mut managed);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(told[0]["id"], 9406);
}

/// Messages of severity warning or error.
fn alarms(managed: &mut Managed) -> Vec<Value> {
    let path = "/v1/messages?severity=warning&limit=1000";
    let answer = managed.console.ask("GET", path, None).unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body["items"].as_array().unwrap().clone()
}

/// That the manager has looked by itself since the last time.
#[derive(Default)]
struct Polls {
    last: Value,
    seen: u32,
}

impl Polls {
    fn look(&mut self, console: &mut Http) {
        let last = self.last.take();
        self.last = wait_for("the manager to look", || {
            let seen = console.ask("GET", "/v1/servers/alpha", None).unwrap();
            let polled_at = seen.body["polled_at"].clone();
            (polled_at != last).then_some(polled_at)
        });
        self.seen += 1;
    }
}

/// People take seats, more than there are, and give them back.
fn is_asked(server: &Installed, dice: &mut Dice) {
    let mut http = server.connect();
    let mut leases = Vec::new();
    for _ in 0..=dice.up_to(10) {
        let asked = checkout("tool", "ada");
        let answer = http.ask("POST", "/v1/checkouts", Some(&asked)).unwrap();
        assert_eq!(answer.status, 201, "{answer:?}");
        leases.push(answer.body["lease"]["id"].as_str().unwrap().to_owned());
    }
    for lease in leases {
        let path = format!("/v1/leases/{lease}");
        assert_eq!(http.ask("DELETE", &path, None).unwrap().status, 204);
    }
}

fn is_left_alone(_: &Installed, dice: &mut Dice) {
    pass(dice, 1_000..3_000);
}

fn is_paused(server: &Installed, dice: &mut Dice) {
    server.json(&["service", "pause", "server"]);
    wait_for_state(server, "paused");
    pass(dice, 500..3_000);
    server.json(&["service", "continue", "server"]);
    wait_for_state(server, "running");
}

fn is_packed(server: &Installed, _: &mut Dice) {
    let begun = server.connect().ask("POST", "/v1/pack", None).unwrap();
    assert!([202, 409].contains(&begun.status), "{begun:?}");
}

fn is_restarted(server: &Installed, _: &mut Dice) {
    // systemd takes many starts in a short while for a loop, and these are meant.
    server.systemd.ok(&["reset-failed", SERVICE]);
    server.systemd.ok(&["restart", SERVICE]);
}

/// For less than a manager waits for a canary.
fn has_a_slow_disk(server: &Installed, dice: &mut Dice) {
    let frozen = freeze(server);
    pass(dice, 500..2_000);
    drop(frozen);
}

fn wait_for_state(server: &Installed, state: &str) {
    let mut http = server.connect();
    wait_for(state, || {
        let service = http.ask("GET", "/v1/service", None).unwrap();
        (service.body["state"] == state).then_some(())
    });
}

/// Lets some milliseconds go by.
fn pass(dice: &mut Dice, ms: std::ops::Range<u64>) {
    let ms = ms.start + dice.up_to(ms.end - ms.start);
    // tidy: sleep, this is the time in which nothing is to be told
    std::thread::sleep(Duration::from_millis(ms));
}

/// Numbers without a pattern (xorshift64).
struct Dice(u64);

impl Dice {
    fn new() -> Dice {
        let seed = u64::from(std::process::id()) << 20 | 1;
        println!("seed {seed}");
        Dice(seed)
    }

    /// A number below `bound`.
    fn up_to(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}
