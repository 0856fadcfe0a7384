//! An agent that is restarted with a new binary leaves nobody waiting: who waits for a seat at that
//! moment runs at once, and who comes next is seated by the next agent.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;
use usher_testing::control::Control;
use usher_testing::undo::{self, Undo};

use crate::gated::{end, held};
use crate::storm::products::{PRODUCTS, Product};
use crate::storm::site::Site;
use crate::support::{program, wait_for};

const STARTS: u32 = 50;
/// So often it is tried to have all of them held at once.
const TRIES: u32 = 5;
/// An agent ends within this once it is told to; they run then at the latest.
const ENDS_WITHIN: Duration = Duration::from_millis(1_000);

/// Of this product there is a seat for each of them.
const ENOUGH: &Product = &PRODUCTS[8];

#[test]
fn starts_that_wait_when_an_agent_is_upgraded_run_at_once() {
    let Some(mut site) = Site::up(Duration::from_secs(100)) else {
        return;
    };
    let new = site.folder.path("usher-new");
    fs::copy(program(), &new).unwrap();
    let control = Control::begin().unwrap();
    let (before, stopped, pending) = all_held(&site);
    let upgraded = Instant::now();
    site.end_agent(false);
    site.start_agent_of(&new);
    drop(stopped);
    let started = pending.into_iter().map(|start| start.join().unwrap());
    let (children, mut ran): (Vec<Child>, Vec<Duration>) = started
        .map(|(child, ran)| (child, ran.saturating_duration_since(upgraded)))
        .unzip();
    ran.sort();
    let longest = ran[ran.len() - 1];
    let median = ran[ran.len() / 2];
    println!(
        "\n| the agent is upgraded, {STARTS} starts pending | {median:.0?} | {longest:.0?} | {ENDS_WITHIN:?} |"
    );
    let bound = control.bound(ENDS_WITHIN);
    assert!(longest <= bound, "{longest:?} of {bound:?}");
    // They end when the next agent has seen them.
    wait_for("all of them to be known", || {
        (site.agent_status()?["sessions"] == STARTS).then_some(())
    });
    children.into_iter().for_each(end);
    site.settle().unwrap();
    let sessions = sessions(&site);
    assert_eq!(sessions.len() - before, STARTS as usize, "{sessions:#?}");
}

fn sessions(site: &Site) -> Vec<Value> {
    let sessions = format!("/v1/sessions?limit=1000&product={}", ENOUGH.id());
    let mut answer = site.ask("GET", &sessions, None).body;
    serde_json::from_value(answer["items"].take()).unwrap()
}

type Pending = Vec<JoinHandle<(Child, Instant)>>;

/// Stops the server and starts programs until all of them are held at once: on a busy computer the
/// first may have waited as long as it may when the last comes, and all is done again.
/// What was recorded before them is counted first.
fn all_held(site: &Site) -> (usize, Undo, Pending) {
    let server = site.server.as_ref().unwrap().child.id();
    for _ in 0..TRIES {
        let before = sessions(site).len();
        let stopped = undo::stop(server).unwrap();
        let pending = begin(site, STARTS);
        let are_held = wait_for("starts to be held, or to run", || {
            let are_held = held() >= STARTS as usize;
            (are_held || pending.iter().any(JoinHandle::is_finished)).then_some(are_held)
        });
        if are_held {
            return (before, stopped, pending);
        }
        eprintln!("a start ran before the last was held: the computer is busy, so once more");
        for start in pending {
            end(start.join().unwrap().0);
        }
        drop(stopped);
        site.settle().unwrap();
    }
    panic!("in {TRIES} tries {STARTS} starts were never held at once");
}

/// Starts so many at once, each on a thread that tells when it ran.
fn begin(site: &Site, count: u32) -> Pending {
    let file: PathBuf = ENOUGH.file(&site.place, false);
    let begin = |number| {
        let file = file.clone();
        std::thread::spawn(move || {
            let uid = 12_201 + number;
            let mut start = Command::new(file);
            let child = start.arg("600").uid(uid).gid(uid).spawn().unwrap();
            (child, Instant::now())
        })
    };
    (0..count).map(begin).collect()
}
