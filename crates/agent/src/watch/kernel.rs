//! Watching by the kernel's events.
//!
//! The thread sleeps until there is an event, and then reads what the process is before it looks
//! at anything else. It runs ahead of ordinary work, since a program may live for a millisecond.

use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::time::Timespec;

use super::Shared;
use super::connector::{self, Connector, ProcessEvent, Received};
use super::scan::Scan;
use super::tracker::Tracker;
use crate::base::lock;

/// How many processes whose first thread has ended before the others are checked again and again;
/// beyond, an end is noticed at the next look at all processes.
const LINGERING_LIMIT: usize = 1_024;
const LINGERING_FIRST: Duration = Duration::from_millis(5);
const LINGERING_LAST: Duration = Duration::from_secs(1);
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
    if let Err(error) = connector::run_ahead_of_others() {
        tracing::warn!(%error, "the watcher runs at ordinary priority: very short programs may be missed");
    }
    let shared = tracker.shared.clone();
    let mut events = Vec::with_capacity(64);
    let mut lingering: Vec<Lingering> = Vec::new();
    let mut scan = Some(Scan::begin());
    let mut gone: Vec<u32> = Vec::new();
    follow_covers(&shared, &mut tracker, &connector);
    while !shared.stopping() {
        usher_vital::plant::thread();
        follow(&mut tracker, &connector);
        let woken = wait(&shared, &connector, &lingering, scan.is_some());
        if woken {
            shared.wake.drain();
            follow_covers(&shared, &mut tracker, &connector);
            tracker.take_held();
            follow(&mut tracker, &connector);
            gone.append(&mut lock(&shared.gone));
            if shared.take_scan() {
                scan = Some(Scan::begin());
            }
        }
        match connector.receive(&mut events) {
            Ok(Received::Events) => {
                for event in events.drain(..) {
                    on_event(&mut tracker, &mut lingering, event);
                    follow(&mut tracker, &connector);
                }
                continue;
            }
            Ok(Received::Lost) => {
                tracker.lost();
                shared.take_scan();
                scan = Some(Scan::begin());
            }
            Ok(Received::Nothing) => tracker.end_the_gone(std::mem::take(&mut gone)),
            Err(error) => {
                tracing::error!(%error, "the kernel's events cannot be read");
                std::thread::sleep(Duration::from_secs(1));
            }
        }
        if let Some(running) = &mut scan
            && running.step(&mut tracker, None)
        {
            scan = None;
        }
        look_at_lingering(&mut tracker, &mut lingering);
    }
}

/// Sleeps until there is an event, another thread calls, or a process is to be checked again.
/// `true`: another thread calls.
fn wait(shared: &Shared, connector: &Connector, lingering: &[Lingering], busy: bool) -> bool {
    let next = lingering.iter().map(|process| process.look_at).min();
    let pause = match next {
        _ if busy => Some(Duration::ZERO),
        Some(at) => Some(at.saturating_duration_since(Instant::now())),
        None => None,
    };
    let timeout = pause.and_then(|pause| Timespec::try_from(pause).ok());
    let mut fds = [
        PollFd::from_borrowed_fd(connector.fd(), PollFlags::IN),
        PollFd::new(&shared.wake, PollFlags::IN),
    ];
    let _ = poll(&mut fds, timeout.as_ref());
    !fds[1].revents().is_empty()
}

/// Has the kernel report the events of the processes that have become of interest, and of their
/// children.
fn follow(tracker: &mut Tracker, connector: &Connector) {
    let mut added = tracker.take_added();
    if added.is_empty() && !tracker.take_removed() {
        return;
    }
    // A process's children may be of interest, too: until there are no more.
    loop {
        if let Err(error) = connector.follow(&tracker.of_interest()) {
            tracing::error!(%error, "cannot ask the kernel to report a process");
        }
        for pid in added {
            tracker.catch_up(pid);
        }
        added = tracker.take_added();
        if added.is_empty() {
            return;
        }
    }
}

/// Follows new covers before they count as followed: the command that asked for a cover starts its
/// programs after that.
fn follow_covers(shared: &Shared, tracker: &mut Tracker, connector: &Connector) {
    let covers = lock(&shared.new_covers).clone();
    if covers.is_empty() {
        return;
    }
    for root in &covers {
        tracker.take_cover(*root);
    }
    follow(tracker, connector);
    lock(&shared.new_covers).retain(|root| !covers.contains(root));
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
