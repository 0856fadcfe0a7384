//! Watching by the kernel's events.
//!
//! The thread sleeps until there is an event, and then reads what the process is before it looks
//! at anything else. It runs ahead of ordinary work, since a program may live for a millisecond.

use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::time::Timespec;

use super::connector::{Connector, ProcessEvent, Received};
use super::scan::Scan;
use super::tracker::Tracker;

/// Processes whose first thread has ended before the others that are looked at again and again;
/// the end of one beyond is noticed at the next look at all processes.
const LINGERING_LIMIT: usize = 1_024;
const LINGERING_FIRST: Duration = Duration::from_millis(5);
const LINGERING_LAST: Duration = Duration::from_secs(1);
/// How far ahead of others the thread runs (nice).
const PRIORITY: i32 = -20;

struct Lingering {
    pid: u32,
    look_at: Instant,
    pause: Duration,
}

/// What this way of watching can miss.
pub(super) fn can_miss() -> Vec<String> {
    vec![
        "a program that ends within less than a millisecond may be gone before it can be looked \
         at; such starts are counted"
            .to_owned(),
    ]
}

/// Watches until it is told to stop.
pub(super) fn run(mut tracker: Tracker, mut connector: Connector) {
    let me = rustix::thread::gettid();
    if let Err(error) = rustix::process::setpriority_process(Some(me), PRIORITY) {
        tracing::warn!(%error, "the watcher runs at ordinary priority: very short programs may be missed");
    }
    let shared = tracker.shared.clone();
    let mut events = Vec::with_capacity(64);
    let mut lingering: Vec<Lingering> = Vec::new();
    let mut scan = Some(Scan::begin());
    while !shared.stopping() {
        if shared.take_scan() {
            scan = Some(Scan::begin());
        }
        match connector.receive(&mut events) {
            Ok(Received::Events) => {
                for event in events.drain(..) {
                    on_event(&mut tracker, &mut lingering, event);
                }
                continue;
            }
            Ok(Received::Lost) => {
                tracker.lost();
                continue;
            }
            Ok(Received::Nothing) => {}
            Err(error) => {
                tracing::error!(%error, "the kernel's events cannot be read");
                std::thread::sleep(Duration::from_secs(1));
            }
        }
        if let Some(running) = &mut scan {
            if running.step(&mut tracker, None) {
                scan = None;
            }
            continue;
        }
        look_at_lingering(&mut tracker, &mut lingering);
        let wait = lingering.iter().map(|l| l.look_at).min();
        let timeout = wait.map(|at| at.saturating_duration_since(Instant::now()));
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        let mut fds = [
            PollFd::from_borrowed_fd(connector.fd(), PollFlags::IN),
            PollFd::new(&shared.wake, PollFlags::IN),
        ];
        let _ = poll(&mut fds, timeout.as_ref());
        if !fds[1].revents().is_empty() {
            shared.drain_wake();
        }
    }
}

fn on_event(tracker: &mut Tracker, lingering: &mut Vec<Lingering>, event: ProcessEvent) {
    match event {
        ProcessEvent::Exec { pid } => tracker.exec(pid),
        ProcessEvent::Fork { parent, child } => tracker.fork(parent, child),
        ProcessEvent::Exit { pid } => {
            let ended = tracker.exit(pid);
            if !ended && lingering.len() < LINGERING_LIMIT {
                lingering.push(Lingering {
                    pid,
                    look_at: Instant::now() + LINGERING_FIRST,
                    pause: LINGERING_FIRST,
                });
            }
        }
    }
}

fn look_at_lingering(tracker: &mut Tracker, lingering: &mut Vec<Lingering>) {
    let now = Instant::now();
    lingering.retain_mut(|process| {
        if process.look_at > now {
            return true;
        }
        process.pause = (process.pause * 2).min(LINGERING_LAST);
        process.look_at = now + process.pause;
        !tracker.exit(process.pid)
    });
}
