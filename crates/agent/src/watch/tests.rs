//! What is passed on of processes whose starts are held, and of such as have gone in silence.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use usher_api::Watching;
use usher_core::sessions::ProcessKey;

use super::interest::Kind;
use super::resolve::Raw;
use super::tracker::Tracker;
use super::{Shared, Way};
use crate::base::lock;
use crate::identity::Rules;
use crate::system::accounts::Accounts;
use crate::system::procfs;

const DEADLINE: Duration = Duration::from_secs(20);

struct Watched {
    shared: Arc<Shared>,
    sightings: Receiver<Raw>,
    thread: Option<std::thread::JoinHandle<()>>,
    folder: tempfile::TempDir,
}

impl Watched {
    /// None if that way is not to be had here, which it says.
    fn by(way: Watching) -> Option<Watched> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy("/bin/sleep", folder.path().join("usher-t-held")).unwrap();
        let product = usher_api::Product {
            programs: vec!["name=usher-t-held".to_owned()],
            ..serde_json::from_str(r#"{"id": "app"}"#).unwrap()
        };
        let rules = Rules::compile(&[product]);
        let shared = Shared::new(rules, &[], Arc::new(Accounts::new())).unwrap();
        let shared = Arc::new(shared);
        let opened = match Way::open(Some(way), &shared) {
            Ok(opened) => opened,
            Err(error) => {
                eprintln!("skipped: no {way:?} here: {error}");
                return None;
            }
        };
        let (out, sightings) = channel();
        let tracker = Tracker::new(shared.clone(), out);
        let thread = Some(std::thread::spawn(move || opened.run(tracker)));
        let watched = Watched {
            shared,
            sightings,
            thread,
            folder,
        };
        watched.until(|raw| matches!(raw, Raw::Settled { .. }));
        Some(watched)
    }

    fn until(&self, is_it: impl Fn(&Raw) -> bool) {
        while !is_it(&self.sightings.recv_timeout(DEADLINE).unwrap()) {}
    }

    fn until_ended(&self, pid: u32) {
        self.until(|raw| matches!(raw, Raw::Exited { pid: ended, .. } if *ended == pid));
    }

    /// Whatever was started before is passed on by then.
    fn catch_up(&self) {
        let program = self.folder.path().join("usher-t-held");
        let mut marker = Command::new(program).arg("60").spawn().unwrap();
        let pid = marker.id();
        self.until(|raw| matches!(raw, Raw::Runs { key, .. } if key.pid == pid));
        marker.kill().unwrap();
        marker.wait().unwrap();
        self.until_ended(pid);
    }

    /// A shell that becomes `/bin/true` when it reads a line, and is nobody's business so far.
    fn shell(&self) -> (Child, ProcessKey) {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", "echo ready; read line; exec /bin/true"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut says = BufReader::new(shell.stdout.take().unwrap());
        says.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        self.catch_up();
        let pid = shell.id();
        let start = procfs::process_stat(pid).unwrap().start;
        (shell, ProcessKey { pid, start })
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        self.shared.wake.wake();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

const WAYS: [Watching; 2] = [Watching::Ebpf, Watching::KernelEvents];

#[test]
fn whatever_a_held_process_runs_in_the_end_is_told_and_its_end() {
    for watched in WAYS.into_iter().filter_map(Watched::by) {
        let (mut shell, held) = watched.shell();
        assert!(watched.shared.hold(held, |_| true));
        shell.stdin.take().unwrap().write_all(b"go\n").unwrap();
        watched.until(|raw| {
            matches!(raw, Raw::Runs { key, run, since: None, .. }
                if *key == held && matches!(run.verdict, Some(None)))
        });
        watched.until_ended(held.pid);
        shell.wait().unwrap();
    }
}

#[test]
fn the_end_of_a_process_that_is_held_is_told() {
    for watched in WAYS.into_iter().filter_map(Watched::by) {
        let (mut shell, held) = watched.shell();
        assert!(watched.shared.hold(held, |_| true));
        shell.kill().unwrap();
        watched.until_ended(held.pid);
        shell.wait().unwrap();
        // It was gone before it was asked about.
        let (mut shell, held) = watched.shell();
        shell.kill().unwrap();
        shell.wait().unwrap();
        assert!(watched.shared.hold(held, |_| true));
        watched.until_ended(held.pid);
    }
}

#[test]
fn a_process_that_has_gone_in_silence_is_ended_by_the_next_look() {
    for watched in WAYS.into_iter().filter_map(Watched::by) {
        let (mut shell, key) = watched.shell();
        lock(&watched.shared.interest).insert(key, Kind::Own);
        watched.shared.end_the_gone([key].into_iter());
        assert!(lock(&watched.shared.gone).is_empty(), "it lives");
        shell.kill().unwrap();
        shell.wait().unwrap();
        watched.shared.end_the_gone([key].into_iter());
        watched.until_ended(key.pid);
    }
}

#[test]
fn a_burst_of_held_starts_leaves_none_unfollowed_while_those_before_are_over() {
    let shared = Shared::new(Rules::compile(&[]), &[], Arc::new(Accounts::new())).unwrap();
    let key = |pid| ProcessKey { pid, start: 1 };
    let many = usher_gate::HELD_AT_MOST as u32;
    for pid in 1..=many {
        assert!(shared.hold(key(pid), |_| true));
    }
    assert!(shared.hold(key(1), |_| true), "it is there already");
    assert!(!shared.hold(key(many + 1), |_| true), "all are held");
    assert!(!lock(&shared.interest).is_held(many + 1));
    assert!(shared.hold(key(many + 1), |pid| pid > 3));
    for (pid, is_held) in [(3, false), (4, true), (many + 1, true)] {
        assert_eq!(lock(&shared.interest).is_held(pid), is_held, "{pid}");
    }
}
