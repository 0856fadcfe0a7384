//! Watches by looking at all processes once a second, if the kernel's events cannot be had. It
//! misses programs that run for less than that, and says so.

use std::io;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::time::Timespec;

use super::scan::Scan;
use super::tracker::{Polled, Tracker};
use crate::base::lock;

const INTERVAL: Timespec = Timespec {
    tv_sec: 1,
    tv_nsec: 0,
};

/// What this way of watching can miss.
pub(super) fn can_miss(why: &io::Error) -> Vec<String> {
    let mut missing = vec![
        format!("there are no kernel events ({why}); give the agent root or CAP_NET_ADMIN"),
        "programs that start and end between two looks, a second apart".to_owned(),
        "starts and ends are known to the second".to_owned(),
    ];
    if !rustix::process::geteuid().is_root() {
        missing.push("programs of other users, which only root may look at".to_owned());
    }
    missing
}

/// Watches until it is told to stop.
pub(super) fn run(mut tracker: Tracker) {
    let shared = tracker.shared.clone();
    let mut polled = Polled::default();
    while !shared.stopping() {
        usher_vital::plant::thread();
        shared.take_scan();
        let covers = std::mem::take(&mut *lock(&shared.new_covers));
        for root in covers {
            tracker.take_cover(root);
        }
        // Each look sees what is gone, and what they run.
        tracker.take_held();
        lock(&shared.gone).clear();
        tracker.take_added();
        let mut scan = Scan::begin();
        while !scan.step(&mut tracker, Some(&mut polled)) {}
        let mut fds = [PollFd::new(&shared.wake, PollFlags::IN)];
        let _ = poll(&mut fds, Some(&INTERVAL));
        shared.wake.drain();
    }
}
