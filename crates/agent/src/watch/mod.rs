//! Seeing programs start and end.
//!
//! With privilege by the kernel's own events ([`kernel`]), without by looking again and again
//! ([`polling`]). Either runs on a thread of its own, which reads what is only there for a moment
//! and leaves the rest to a second thread ([`resolve`]): so a program that lives for a millisecond
//! is seen whole even while a large file is hashed. What comes out is a bounded stream of
//! [`Seen`], in the order in which it happened.

pub(crate) mod connector;
mod interest;
mod kernel;
mod polling;
pub(crate) mod procfs;
mod resolve;
mod scan;
mod tracker;

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustix::event::{EventfdFlags, eventfd};
use usher_api::Watching;
use usher_core::sessions::{Event, ProcessKey, Stamp};

use crate::counts::Counts;
use crate::identity::{Identifier, Rules};
use crate::lock;
use interest::Interest;

/// Sightings that wait for the rest of the agent; when there are more, what does not fit is lost
/// and made good by looking at all processes again.
const WAITING_LIMIT: usize = 65_536;

/// Something that was seen, and when.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) at: Stamp,
    pub(crate) event: Event,
}

/// How many of what, since the agent began.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    /// Starts of programs that were seen whole.
    pub(crate) starts: AtomicU64,
    /// Starts that were told of, but gone before they could be looked at.
    pub(crate) missed: AtomicU64,
    /// How often events were lost because they came too fast.
    pub(crate) overflows: AtomicU64,
}

/// What the watcher's threads and the rest of the agent share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) identifier: Identifier,
    pub(crate) counts: Mutex<Counts>,
    pub(crate) figures: Figures,
    interest: Mutex<Interest>,
    /// Roots of covers that the watcher's thread does not follow yet.
    new_covers: Mutex<Vec<ProcessKey>>,
    /// Sightings on their way to the second thread. A channel with a bound of its own would take
    /// its memory at once.
    waiting: AtomicUsize,
    wake: OwnedFd,
    stop: AtomicBool,
    scan: AtomicBool,
}

/// A running watcher.
pub(crate) struct Watcher {
    pub(crate) shared: Arc<Shared>,
    /// How it sees programs.
    pub(crate) watching: Watching,
    /// What it can miss, in words.
    pub(crate) can_miss: Vec<String>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Watcher {
    /// Begins to watch, going by `rules`: by the kernel's events where it may, unless `forced` says
    /// how. The first thing it does is to look at all programs that run; then it says
    /// [`Event::Settled`]. All below the processes `covered` is of interest.
    pub(crate) fn start(
        forced: Option<Watching>,
        rules: Rules,
        covered: &[ProcessKey],
        seen: tokio::sync::mpsc::Sender<Seen>,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            identifier: Identifier::new(),
            counts: Mutex::default(),
            figures: Figures::default(),
            interest: Mutex::default(),
            new_covers: Mutex::new(covered.to_vec()),
            waiting: AtomicUsize::new(0),
            wake: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
            stop: AtomicBool::new(false),
            scan: AtomicBool::new(false),
        });
        shared.identifier.set_rules(rules);
        let (out, resolver_in) = std::sync::mpsc::channel();
        resolve::spawn(shared.clone(), resolver_in, seen)?;
        let tracker = tracker::Tracker::new(shared.clone(), out);
        let subscribed = match forced {
            Some(Watching::Polling) => Err(io::Error::other("it was told to look again and again")),
            _ => connector::Connector::subscribe(),
        };
        let (watching, can_miss, thread) = match subscribed {
            Ok(connector) => {
                let thread = std::thread::Builder::new()
                    .name("usher-watch".to_owned())
                    .spawn(move || kernel::run(tracker, connector))?;
                (Watching::KernelEvents, kernel::can_miss(), thread)
            }
            Err(why) if forced == Some(Watching::KernelEvents) => return Err(why),
            Err(why) => {
                tracing::warn!(%why, "no kernel events: programs are looked for once a second");
                let thread = std::thread::Builder::new()
                    .name("usher-watch".to_owned())
                    .spawn(move || polling::run(tracker))?;
                (Watching::Polling, polling::can_miss(&why), thread)
            }
        };
        Ok(Watcher {
            shared,
            watching,
            can_miss,
            thread: Some(thread),
        })
    }
}

impl Shared {
    /// All that `root` starts is to be of interest: see [`Shared::follows_covers`].
    pub(crate) fn cover(&self, root: ProcessKey) {
        lock(&self.new_covers).push(root);
        self.wake();
    }

    /// Whether all covers are followed by now.
    pub(crate) fn follows_covers(&self) -> bool {
        lock(&self.new_covers).is_empty()
    }

    /// Looks at all programs that run, as when the rules have changed.
    pub(crate) fn look_again(&self) {
        self.scan.store(true, Ordering::Release);
        self.wake();
    }

    fn wake(&self) {
        // A full counter is as good a signal as one more.
        let _ = rustix::io::write(&self.wake, &1_u64.to_ne_bytes());
    }

    fn stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    fn take_scan(&self) -> bool {
        self.scan.swap(false, Ordering::AcqRel)
    }

    fn drain_wake(&self) {
        let mut count = [0; 8];
        let _ = rustix::io::read(&self.wake, &mut count);
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        self.shared.wake();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
