//! An agent that is restarted with a new binary leaves nobody waiting: who waits for a seat at that
//! moment runs at once, and who comes next is seated by the next agent.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::storm::products::{PRODUCTS, Product};
use crate::storm::site::Site;
use crate::support::{program, signal, wait_for};

const STARTS: u32 = 50;
/// What starts take on a busy computer, and an agent to hear that it is to end.
const BOUND: Duration = Duration::from_millis(300);

/// Of this product there is a seat for each of them.
const ENOUGH: &Product = &PRODUCTS[8];

#[test]
fn starts_that_wait_when_an_agent_is_upgraded_run_at_once() {
    let Some(mut site) = Site::up(Duration::from_secs(100)) else {
        return;
    };
    let new = site.folder.path("usher-new");
    fs::copy(program(), &new).unwrap();
    let server = site.server.as_ref().unwrap().child.id();
    signal(server, Signal::SIGSTOP);
    let pending = begin(&site, STARTS);
    wait_for("all starts to be held", || {
        (held() >= STARTS as usize).then_some(())
    });
    let upgraded = Instant::now();
    site.end_agent(false);
    site.start_agent_of(&new);
    signal(server, Signal::SIGCONT);
    let ran = pending.into_iter().map(|start| start.join().unwrap());
    let mut ran: Vec<Duration> = ran
        .map(|ran| ran.saturating_duration_since(upgraded))
        .collect();
    ran.sort();
    let longest = ran[ran.len() - 1];
    let median = ran[ran.len() / 2];
    println!(
        "\n| the agent is upgraded, {STARTS} starts pending | {median:.0?} | {longest:.0?} | {BOUND:?} |"
    );
    assert!(longest <= BOUND, "{longest:?}");
    site.settle().unwrap();
    let sessions = format!("/v1/sessions?limit=1000&product={}", ENOUGH.id());
    let sessions = site.ask("GET", &sessions, None).body;
    let sessions = sessions["items"].as_array().unwrap();
    assert_eq!(sessions.len(), STARTS as usize, "{sessions:#?}");
}

/// Processes of this one that are no program yet.
fn held() -> usize {
    let own = fs::read_link("/proc/self/exe").unwrap();
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    let children = tasks.flat_map(|task| {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        let pids = children.split_ascii_whitespace().map(str::to_owned);
        pids.collect::<Vec<_>>()
    });
    let exe = |pid: String| fs::read_link(format!("/proc/{pid}/exe")).ok();
    children
        .filter(|pid| exe(pid.clone()).as_ref() == Some(&own))
        .count()
}

/// Starts so many at once, each on a thread that tells when it ran.
fn begin(site: &Site, count: u32) -> Vec<JoinHandle<Instant>> {
    let file: PathBuf = ENOUGH.file(&site.place, false);
    let begin = |number| {
        let file = file.clone();
        std::thread::spawn(move || {
            let uid = 12_201 + number;
            let mut start = Command::new(file);
            let mut child = start.arg("4").uid(uid).gid(uid).spawn().unwrap();
            let ran = Instant::now();
            child.wait().unwrap();
            ran
        })
    };
    (0..count).map(begin).collect()
}
