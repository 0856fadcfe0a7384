//! A panic in a thread that others wait for ends its role, which is restarted and tells it once; a
//! panic in one request ends that request alone; a role that keeps dying is given up, and said so.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use usher_testing::control::Control;

use crate::enforcement_holds_while_policies_change::{EndOf, FIRST_WORD, SEAT, Starts};
use crate::http::checkout;
use crate::plants::{AT_A_START, CAUGHT, MET, Site, Test, WATCH_FAILS, WATCH_IS_BACK, of};
use crate::support::{Ended, Folder, Running, said, stdout, usher, wait_for, wait_within};

/// A role is given up at the fifth death in ten minutes.
const PANICS_AT_MOST: usize = 4;
/// What an agent held that was killed, the gate releases so long after.
const RELEASE: Duration = Duration::from_secs(1);

fn each_ends_its_role(role: &str, test: Test) {
    let all = of(role, test);
    let mut rest = all.as_slice();
    while !rest.is_empty() {
        let (threads, later) = rest.split_at(in_one_site(rest));
        rest = later;
        let mut site = Site::new(role);
        for thread in threads {
            site.ends_by(role, thread);
        }
        site.has_lost_nothing();
        site.stop();
    }
}

/// How many of the first threads can end their role before it is given up. Some are planted after a
/// kill, which counts as an end like any other.
fn in_one_site(threads: &[&str]) -> usize {
    let ends = |thread: &&str| 1 + usize::from(AT_A_START.contains(thread));
    let ends = threads.iter().scan(0, |sum, thread| {
        *sum += ends(thread);
        Some(*sum)
    });
    let bearable = ends.take_while(|sum| *sum <= PANICS_AT_MOST).count();
    bearable.min(PANICS_AT_MOST - 1)
}

#[test]
fn a_panic_in_a_thread_of_the_server_restarts_it_and_is_told_once() {
    each_ends_its_role("server", Test::One);
}

#[test]
fn a_panic_in_a_task_of_the_server_restarts_it_and_is_told_once() {
    each_ends_its_role("server", Test::Two);
}

#[test]
fn a_panic_in_a_task_of_the_manager_restarts_it_and_is_told_once() {
    each_ends_its_role("manager", Test::One);
}

#[test]
fn a_panic_in_a_task_of_the_manager_that_rarely_acts_restarts_it_and_is_told_once() {
    each_ends_its_role("manager", Test::Two);
}

/// Only root's agent has all of its threads.
fn has_a_whole_agent() -> bool {
    let is_root = nix::unistd::geteuid().is_root();
    if !is_root {
        eprintln!("skipped: only root's agent has all of its threads");
    }
    is_root
}

#[test]
fn a_panic_in_a_thread_of_the_agent_restarts_it_and_is_told_once() {
    if has_a_whole_agent() {
        each_ends_its_role("agent", Test::One);
    }
}

#[test]
fn a_panic_in_a_task_of_the_agent_restarts_it_and_is_told_once() {
    if has_a_whole_agent() {
        each_ends_its_role("agent", Test::Two);
    }
}

#[test]
fn a_panic_in_a_thread_of_the_gates_restarts_the_agent_and_holds_up_no_start() {
    for threads in of("agent", Test::Gate).chunks(PANICS_AT_MOST - 1) {
        let Some(mut site) = Site::gated() else {
            return;
        };
        let nobodys = Starts::of(site.computer().program("nobodys"), None);
        let seated = Starts::of(site.computer().program("solver"), None);
        let control = Control::begin().unwrap();
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            // Ends the starts also when something here is wrong.
            let _end = EndOf(&is_over);
            scope.spawn(|| nobodys.go_on(&is_over));
            scope.spawn(|| seated.go_on(&is_over));
            for thread in threads {
                site.ends_by("agent", thread);
                site.computer().is_gated();
            }
        });
        nobodys.judge("what is nobody's", FIRST_WORD, &control);
        seated.judge("what has a seat", FIRST_WORD + SEAT + RELEASE, &control);
        site.has_lost_nothing();
        site.stop();
    }
}

#[test]
fn a_panic_in_one_request_is_answered_500_and_everything_else_goes_on() {
    let site = Site::new("server");
    let before = site.running().role("server").unwrap();
    let mut other = site.http().unwrap();
    let asked = checkout("tool", "ada");
    let lease = other.ask("POST", "/v1/checkouts", Some(&asked)).unwrap();
    assert_eq!(lease.status, 201);
    site.plants("request");
    let mut http = site.http().unwrap();
    let failed = wait_for("the panic", || {
        let answer = http.ask("POST", "/v1/checkouts", Some(&asked)).unwrap();
        (answer.status != 201).then_some(answer)
    });
    assert_eq!(
        (failed.status, &failed.body["code"]),
        (500, &"internal".into())
    );
    for http in [&mut http, &mut other] {
        let answer = http.ask("POST", "/v1/checkouts", Some(&asked)).unwrap();
        assert_eq!(answer.status, 201, "the same connection, and another");
    }
    let status = other.ask("GET", "/v1/status", None).unwrap().body;
    let caught = &status["server"]["faults"]["caught"];
    assert_eq!(caught["count"], 1, "{status}");
    assert!(
        caught["last"]
            .as_str()
            .unwrap()
            .contains("POST /v1/checkouts"),
        "{caught}"
    );
    assert_eq!(site.running().role("server"), Some(before));
    site.look();
    assert_eq!(site.told(CAUGHT).len(), 1);
    site.stop();
}

/// Plants a panic in what is caught, and has it met.
fn is_met(site: &mut Site, name: &str, thread: &str) {
    site.plants(name);
    wait_within(MET, name, || {
        site.stir(thread);
        (!site.plant.exists()).then_some(())
    });
}

/// The one message that tells of panics that were caught.
fn told_once(site: &Site, who: &str) {
    let told = wait_within(MET, "the message", || {
        site.look();
        Some(site.told(CAUGHT)).filter(|told| !told.is_empty())
    });
    let text = told[0]["text"].as_str().unwrap();
    assert!(told.len() == 1 && text.contains(who), "{told:#?}");
}

#[test]
fn a_panic_in_one_item_of_the_agent_ends_that_alone_and_is_told_once() {
    let mut site = Site::new("agent");
    let before = site.running().role("agent");
    for name in ["a start", "GET /v1/agent"] {
        is_met(&mut site, name, name);
    }
    told_once(&site, " of the agent on ");
    assert_eq!(site.running().role("agent"), before);
    site.stop();
}

#[test]
fn a_panic_in_a_look_into_one_file_holds_up_no_start_and_is_told_once() {
    let Some(mut site) = Site::gated() else {
        return;
    };
    let before = site.running().role("agent");
    is_met(&mut site, "a file", "usher-look");
    told_once(&site, " of the agent on ");
    assert_eq!(site.running().role("agent"), before);
    site.stop();
}

#[test]
fn a_panic_in_a_reader_of_another_licence_server_puts_that_watch_aside_and_the_manager_goes_on() {
    let mut site = Site::new("manager");
    let before = site.running().role("manager");
    // As if its log had a line that no reader survives.
    is_met(&mut site, "the watch cad", "the watch cad");
    let told = wait_within(MET, "the message about the watch", || {
        site.told(WATCH_FAILS).pop()
    });
    let values = &told["values"];
    assert_eq!(values[0], "cad");
    let why = values[2].as_str().unwrap();
    assert!(why.contains("a test has planted this"), "{why}");
    told_once(&site, " of the manager on ");
    // It is tried again, and now there is nothing wrong.
    let back = wait_within(MET, "the watch to go on", || site.told(WATCH_IS_BACK).pop());
    assert_eq!(back["values"][0], "cad");
    assert_eq!(site.running().role("manager"), before);
    site.stop();
}

#[test]
fn a_panic_in_one_request_to_the_manager_is_answered_500_and_told_once() {
    let site = Site::new("manager");
    let before = site.running().role("manager");
    let mut http = site.console();
    site.plants("GET /v1/messages");
    let failed = http.ask("GET", "/v1/messages", None).unwrap();
    assert_eq!(
        (failed.status, &failed.body["code"]),
        (500, &"internal".into())
    );
    let answer = http.ask("GET", "/v1/messages", None).unwrap();
    assert_eq!(answer.status, 200, "the same connection");
    told_once(&site, " of the manager on ");
    assert_eq!(site.running().role("manager"), before);
    site.stop();
}

#[test]
fn the_fifth_death_in_ten_minutes_is_the_last_and_is_said() {
    let folder = Folder::new();
    let log = folder.path("log");
    let to = std::fs::File::create(&log).unwrap();
    let mut command = usher();
    command.args([
        "up",
        "--no-agent",
        "--listen",
        "127.0.0.1:0",
        "--console",
        "127.0.0.1:0",
    ]);
    let running = Running::start_with_stderr(&mut command, &folder.path("data"), to.into());
    let mut last = 0;
    for _ in 0..5 {
        let pid = wait_for("a manager", || {
            running.role("manager").filter(|pid| *pid != last)
        });
        crate::support::signal(pid, nix::sys::signal::Signal::SIGKILL);
        last = pid;
    }
    let last = wait_for("the last word", || said_in(&log, "is not started again"));
    assert!(
        last.contains("the manager ended (signal 9), 5 times within 10 minutes"),
        "{last}"
    );
    assert_eq!(running.role("manager"), None);
    assert_eq!(running.json(&["status"])["server"]["state"], "running");
    let status = running.ok(&["status"]);
    assert!(
        status.contains("the manager of `usher up` ended 5 times"),
        "{status}"
    );
    let doctor = running.usher(&["doctor"]).ended();
    assert_eq!(doctor.status.code(), Some(1), "{}", said(&doctor));
    assert!(
        stdout(&doctor).contains("the manager of `usher up` ended 5 times"),
        "{}",
        stdout(&doctor)
    );
    assert_eq!(running.stop(), Some(1), "it is no good end");
    assert!(said_in(&log, "usher: the manager of `usher up` ended 5 times").is_some());
}

fn said_in(log: &Path, what: &str) -> Option<String> {
    let text = std::fs::read_to_string(log).unwrap();
    text.lines()
        .find(|line| line.contains(what))
        .map(str::to_owned)
}
