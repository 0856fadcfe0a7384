//! Watches by eBPF programs: see `exec.bpf.c`, [`Probe`] and [`Nobodys`].
//!
//! The thread sleeps while the programs that start are known to be no product's. Any other start
//! wakes it; it then reads from the ring what the process did since, in the order in which it
//! happened.
//!
//! [`Nobodys`]: super::nobodys::Nobodys

use rustix::event::{PollFd, PollFlags, poll};
use rustix::time::Timespec;

use super::probe::Probe;
use super::record::Record;
use super::scan::Scan;
use super::tracker::Tracker;
use super::{Shared, connector};
use crate::base::lock;

/// How many records are handled before the thread listens to the agent again.
const BATCH: usize = 256;

/// What this way of watching can miss.
pub(super) fn can_miss() -> Vec<String> {
    vec![
        "the first start of a program that ends within less than a millisecond and is removed; \
         such starts are counted"
            .to_owned(),
    ]
}

/// Watches until it is told to stop.
pub(super) fn run(mut tracker: Tracker, mut probe: Probe) {
    if let Err(error) = connector::run_ahead_of_others() {
        tracing::warn!(%error, "the watcher runs at ordinary priority: very short programs may be missed");
    }
    let shared = tracker.shared.clone();
    follow_covers(&shared, &mut tracker, &mut probe);
    // What runs already is found before what begins meanwhile is told of: so it is known which
    // sessions go on.
    let mut first = Scan::begin();
    while !shared.stopping() && !first.step(&mut tracker, None) {
        follow(&mut tracker, &mut probe);
    }
    follow(&mut tracker, &mut probe);
    let mut scan = None;
    let mut gone: Vec<u32> = Vec::new();
    while !shared.stopping() {
        usher_vital::plant::thread();
        if wait(&shared, &probe, scan.is_some()) {
            shared.wake.drain();
            follow_covers(&shared, &mut tracker, &mut probe);
            tracker.take_held();
            follow(&mut tracker, &mut probe);
            gone.append(&mut lock(&shared.gone));
            if shared.take_scan() {
                // The rules have changed, and with them what is nobody's.
                shared.forget_nobodys();
                scan = Some(Scan::begin());
            }
        }
        let mut handled = 0;
        while handled < BATCH
            && let Some(record) = probe.next()
        {
            handled += 1;
            on_record(&mut tracker, &mut probe, record);
        }
        if probe.has_lost() {
            tracker.lost();
            shared.take_scan();
            scan = Some(Scan::begin());
        }
        if handled > 0 {
            continue;
        }
        tracker.end_the_gone(std::mem::take(&mut gone));
        if let Some(running) = &mut scan
            && running.step(&mut tracker, None)
        {
            scan = None;
        }
        follow(&mut tracker, &mut probe);
    }
}

/// Sleeps until there is a record or another thread calls. `true`: another thread calls.
fn wait(shared: &Shared, probe: &Probe, busy: bool) -> bool {
    let at_once = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let mut fds = [
        PollFd::from_borrowed_fd(probe.fd(), PollFlags::IN),
        PollFd::new(&shared.wake, PollFlags::IN),
    ];
    let _ = poll(&mut fds, busy.then_some(&at_once));
    !fds[1].revents().is_empty()
}

fn on_record(tracker: &mut Tracker, probe: &mut Probe, record: Record) {
    let told = match record {
        Record::Exec { told, file, name } => {
            tracker.exec_told(told, &file, &name);
            told
        }
        Record::Fork { parent, told } => {
            tracker.fork_told(parent, told);
            told
        }
        Record::Exit { told } => {
            tracker.ended(told.key.pid, told.at());
            return;
        }
    };
    // The kernel follows what it tells of: there is nothing to catch up with.
    tracker.take_added();
    let pid = told.key.pid;
    if lock(&tracker.shared.interest).start(pid).is_none() {
        probe.forget(pid, told.at_ns);
    }
}

/// Has the kernel report the processes that became of interest by something other than its own
/// reports, and looks for what they started before that.
fn follow(tracker: &mut Tracker, probe: &mut Probe) {
    loop {
        let added = tracker.take_added();
        if added.is_empty() {
            return;
        }
        for pid in added {
            if probe.follow(pid) {
                tracker.catch_up(pid);
            }
        }
    }
}

/// Follows new covers before they count as followed: the command that asked for a cover starts its
/// programs after that.
fn follow_covers(shared: &Shared, tracker: &mut Tracker, probe: &mut Probe) {
    let covers = lock(&shared.new_covers).clone();
    if covers.is_empty() {
        return;
    }
    for root in &covers {
        tracker.take_cover(*root);
    }
    follow(tracker, probe);
    lock(&shared.new_covers).retain(|root| !covers.contains(root));
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::sync::Arc;
    use std::sync::atomic::Ordering;
    use std::sync::mpsc::{Receiver, channel};
    use std::time::Duration;

    use super::super::resolve::Raw;
    use super::*;
    use crate::identity::Rules;

    const DEADLINE: Duration = Duration::from_secs(20);

    fn until(sightings: &Receiver<Raw>, is_it: impl Fn(&Raw) -> bool) {
        while !is_it(&sightings.recv_timeout(DEADLINE).unwrap()) {}
    }

    #[test]
    fn what_found_no_room_in_the_ring_is_found_by_a_look_at_all_processes() {
        // The least that the kernel gives: room for eleven starts.
        let probe = match Probe::load(4096) {
            Ok((probe, _)) => probe,
            Err(error) => {
                eprintln!("skipped: no eBPF here: {error}");
                return;
            }
        };
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("usher-t-lost");
        std::fs::copy("/bin/sleep", &program).unwrap();
        let product = usher_api::Product {
            programs: vec!["name=usher-t-lost".to_owned()],
            ..serde_json::from_str(r#"{"id": "app"}"#).unwrap()
        };
        let shared = Arc::new(
            Shared::new(
                Rules::compile(&[product]),
                &[],
                Arc::new(crate::system::accounts::Accounts::new()),
            )
            .unwrap(),
        );
        let (out, sightings) = channel();
        let tracker = Tracker::new(shared.clone(), out);
        let watcher = std::thread::spawn(move || run(tracker, probe));
        until(&sightings, |raw| matches!(raw, Raw::Settled { .. }));
        let before = shared.figures.overflows.load(Ordering::Relaxed);
        // Whatever the watcher handles, it waits for this.
        let held = lock(&shared.interest);
        for _ in 0..50 {
            assert!(Command::new("/bin/true").status().unwrap().success());
        }
        let mut lasting = Command::new(&program).arg("60").spawn().unwrap();
        drop(held);
        let pid = lasting.id();
        until(
            &sightings,
            |raw| matches!(raw, Raw::Runs { key, since: Some(_), .. } if key.pid == pid),
        );
        assert!(shared.figures.overflows.load(Ordering::Relaxed) > before);
        // Found so, it is followed to its end.
        until(&sightings, |raw| matches!(raw, Raw::Settled { .. }));
        lasting.kill().unwrap();
        lasting.wait().unwrap();
        until(
            &sightings,
            |raw| matches!(raw, Raw::Exited { pid: ended, .. } if *ended == pid),
        );
        shared.stop.store(true, Ordering::Release);
        shared.wake.wake();
        watcher.join().unwrap();
    }
}
