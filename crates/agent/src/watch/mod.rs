//! How the agent sees programs start and end.
//!
//! With privilege it uses eBPF programs of its own ([`traced`]), or, if the kernel does not accept
//! them, the kernel's process events ([`kernel`]); without privilege it looks at all processes
//! again and again ([`polling`]). Each way runs on a thread of its own, which reads what exists
//! only for a moment and leaves the rest to a second thread ([`resolve`]): so a program that lives
//! for a millisecond is seen completely even while a large file is hashed. The result is a bounded
//! stream of [`ObservedEvent`], in the order in which things happened.

mod connector;
mod counts;
mod described;
mod ends;
mod interest;
mod kernel;
mod nobodys;
mod polling;
mod probe;
mod record;
mod resolve;
mod running;
mod scan;
pub(crate) mod sense;
#[cfg(test)]
mod tests;
mod times;
mod traced;
mod tracker;

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use usher_api::Watching;
use usher_core::sessions::{Event, ProcessKey, Stamp};

use crate::base::clock;
use crate::base::lock;
use crate::base::wake::Wake;
use crate::identity::described::Described;
use crate::identity::{Identifier, Rules, display_name};
use crate::system::accounts::Accounts;
use crate::system::procfs;
use counts::Counts;
use described::Descriptions;
use ends::{Ends, Ran, Runs};
use interest::Interest;
use nobodys::{Nobodys, Told};
use record::KnownAs;
pub(crate) use running::LOOK;
use times::{Seconds, Times};
use tracker::Tracker;

/// Sightings that wait for the rest of the agent; when there are more, what does not fit is lost
/// and made good by looking at all processes again.
const WAITING_LIMIT: usize = 65_536;

/// Something that was seen, and when.
#[derive(Debug)]
pub(crate) struct ObservedEvent {
    pub(crate) at: Stamp,
    pub(crate) event: Event,
}

/// How many of what, since the agent began.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    /// Starts of programs that were seen whole.
    pub(crate) starts: AtomicU64,
    /// Exec events whose process ended before it was inspected.
    pub(crate) missed: AtomicU64,
    /// How often events were lost because they came too fast.
    pub(crate) overflows: AtomicU64,
}

/// What the watcher's threads and the rest of the agent share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) identifier: Identifier,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) counts: Mutex<Counts>,
    /// For how long programs of no product ran.
    times: Mutex<Times>,
    /// Programs of no product whose ends are waited for; none: the kernel does not let it.
    ends: Option<Ends>,
    descriptions: Descriptions,
    pub(crate) figures: Figures,
    /// Starts that the kernel counts, if programs of ours run in it.
    nobodys: Mutex<Option<Nobodys>>,
    interest: Mutex<Interest>,
    /// Roots of covers that the watcher's thread does not follow yet.
    new_covers: Mutex<Vec<ProcessKey>>,
    /// Held processes that the watcher's thread does not follow yet.
    new_held: Mutex<Vec<ProcessKey>>,
    /// Processes that are gone, to be ended unless a word of that came meanwhile.
    gone: Mutex<Vec<u32>>,
    /// Sightings on their way to the second thread. A channel with a bound of its own would take
    /// its memory at once.
    waiting: AtomicUsize,
    wake: Wake,
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
    /// Begins to watch, going by `rules`: in the best way that it may, unless `forced` says how. The first thing it does is to look at all programs that run; then it says
    /// [`Event::Settled`]. All below the processes `covered` is of interest.
    pub(crate) fn start(
        forced: Option<Watching>,
        rules: Rules,
        covered: &[ProcessKey],
        accounts: Arc<Accounts>,
        seen: tokio::sync::mpsc::Sender<ObservedEvent>,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared::new(rules, covered, accounts)?);
        let (out, resolver_in) = std::sync::mpsc::channel();
        resolve::spawn(shared.clone(), resolver_in, seen)?;
        described::spawn(shared.clone())?;
        ends::spawn(shared.clone())?;
        let way = Way::open(forced, &shared)?;
        let (watching, can_miss) = (way.watching(), way.can_miss());
        let tracker = Tracker::new(shared.clone(), out);
        let thread = usher_vital::spawn("usher-watch", move || way.run(tracker))?;
        Ok(Watcher {
            shared,
            watching,
            can_miss,
            thread: Some(thread),
        })
    }
}

/// A way of watching, ready.
enum Way {
    Traced(Box<probe::Probe>),
    Told(connector::Connector),
    Polling { why: io::Error },
}

impl Way {
    /// The one that is forced, or the best that there is.
    fn open(forced: Option<Watching>, shared: &Shared) -> io::Result<Self> {
        if matches!(forced, None | Some(Watching::Ebpf)) {
            match probe::Probe::load(probe::RING_BYTES) {
                Ok((probe, nobodys)) => {
                    *lock(&shared.nobodys) = Some(nobodys);
                    return Ok(Way::Traced(Box::new(probe)));
                }
                Err(why) if forced.is_some() => return Err(why),
                Err(why) => tracing::info!(
                    %why,
                    "the kernel does not accept the agent's eBPF programs: a start costs more without"
                ),
            }
        }
        if forced == Some(Watching::Polling) {
            let why = io::Error::other("it was told to poll");
            return Ok(Way::Polling { why });
        }
        match connector::Connector::subscribe() {
            Ok(connector) => Ok(Way::Told(connector)),
            Err(why) if forced.is_some() => Err(why),
            Err(why) => {
                tracing::warn!(%why, "no kernel events: programs are looked for once a second");
                Ok(Way::Polling { why })
            }
        }
    }

    fn watching(&self) -> Watching {
        match self {
            Way::Traced(_) => Watching::Ebpf,
            Way::Told(_) => Watching::KernelEvents,
            Way::Polling { .. } => Watching::Polling,
        }
    }

    fn can_miss(&self) -> Vec<String> {
        match self {
            Way::Traced(_) => traced::can_miss(),
            Way::Told(_) => kernel::can_miss(),
            Way::Polling { why } => polling::can_miss(why),
        }
    }

    fn run(self, tracker: Tracker) {
        match self {
            Way::Traced(probe) => traced::run(tracker, *probe),
            Way::Told(connector) => kernel::run(tracker, connector),
            Way::Polling { .. } => polling::run(tracker),
        }
    }
}

impl Shared {
    fn new(rules: Rules, covered: &[ProcessKey], accounts: Arc<Accounts>) -> io::Result<Self> {
        let shared = Shared {
            identifier: Identifier::new(),
            accounts,
            counts: Mutex::default(),
            times: Mutex::new(Times::new(clock::awake_ms())),
            ends: Ends::new().ok(),
            descriptions: Descriptions::default(),
            figures: Figures::default(),
            nobodys: Mutex::default(),
            interest: Mutex::default(),
            new_covers: Mutex::new(covered.to_vec()),
            new_held: Mutex::default(),
            gone: Mutex::default(),
            waiting: AtomicUsize::new(0),
            wake: Wake::new()?,
            stop: AtomicBool::new(false),
            scan: AtomicBool::new(false),
        };
        shared.identifier.set_rules(rules);
        Ok(shared)
    }

    /// Takes over what was counted until now, into `counts` and `figures`.
    pub(crate) fn take_counted(&self) {
        if let Some(nobodys) = &mut *lock(&self.nobodys) {
            self.count(nobodys);
        }
        let seconds = lock(&self.times).so_far(clock::awake_ms());
        self.ran(&seconds);
    }

    /// Looks which programs of no product run, and counts for how long.
    pub(crate) fn look_what_runs(&self) {
        self.descriptions.ask_again();
        let now_ms = clock::awake_ms();
        let of_products = lock(&self.interest).pids();
        let found = running::look(|pid| of_products.contains(&pid));
        let mut known: Vec<(Arc<str>, Described)> = Vec::new();
        let mut open = Vec::with_capacity(found.len());
        for running::Found { path, since_ms } in found {
            let name = display_name(&path);
            known.extend(
                self.descriptions
                    .of(&path, &name)
                    .map(|it| (name.clone(), it)),
            );
            open.push((name, since_ms));
        }
        let running = self.ends.as_ref().map_or_else(Vec::new, Ends::open);
        open.extend(running.into_iter().map(|it| (it.name, it.since_ms)));
        // What has ended since is of the window, too.
        if let Some(nobodys) = &mut *lock(&self.nobodys) {
            self.count(nobodys);
        }
        let seconds = lock(&self.times).look(now_ms, &open);
        self.ran(&seconds);
        let mut counts = lock(&self.counts);
        for (name, described) in known {
            counts.describe(&name, &described);
        }
    }

    fn ran(&self, seconds: &Seconds) {
        let mut counts = lock(&self.counts);
        for (name, seconds) in seconds {
            counts.ran(name, *seconds);
        }
    }

    fn count(&self, nobodys: &mut Nobodys) {
        let (mut counts, mut times) = (lock(&self.counts), lock(&self.times));
        nobodys.take(|told| match told {
            Told::Counts {
                name,
                starts,
                short_ns,
            } => {
                if starts > 0 {
                    counts.add(name, starts);
                }
                times.ended_shortly(name, short_ns);
                self.figures.starts.fetch_add(starts, Ordering::Relaxed);
            }
            Told::Run {
                name,
                from_ms,
                to_ms,
            } => times.ended(name, from_ms, to_ms),
        });
    }

    /// A process has begun to run a program of no product, of that name, in milliseconds since boot;
    /// its start is counted.
    fn began(&self, pid: u32, path: &[u8], name: &Arc<str>, at_boot_ms: u64) {
        if let Some(described) = self.descriptions.of(path, name) {
            lock(&self.counts).describe(name, &described);
        }
        let runs = Runs {
            name: name.clone(),
            since_ms: clock::awake_at(at_boot_ms),
        };
        let ended = self.ends.as_ref().and_then(|ends| ends.began(pid, runs));
        ended.iter().for_each(|ran| self.has_run(ran));
    }

    /// A process runs a program of a product from now on, whatever it was before.
    fn is_of_product(&self, pid: u32) {
        let ended = self.ends.as_ref().and_then(|ends| ends.is_of_product(pid));
        ended.iter().for_each(|ran| self.has_run(ran));
    }

    fn has_run(&self, ran: &Ran) {
        lock(&self.times).ended(&ran.name, ran.from_ms, ran.to_ms);
    }

    /// The kernel is to count the starts of that file by itself.
    fn leave_to_kernel(&self, file: KnownAs, name: Arc<str>) {
        if let Some(nobodys) = &mut *lock(&self.nobodys)
            && !nobodys.add(file, name.clone())
        {
            self.count(nobodys);
            nobodys.forget_all();
            nobodys.add(file, name);
        }
    }

    /// The kernel is to tell of each start of that file, whatever it is called.
    fn take_from_kernel(&self, inode: u64) {
        if let Some(nobodys) = &mut *lock(&self.nobodys)
            && nobodys.knows(inode)
        {
            self.count(nobodys);
            nobodys.forget(inode);
        }
    }

    /// The kernel is to tell of each start again.
    fn forget_nobodys(&self) {
        if let Some(nobodys) = &mut *lock(&self.nobodys) {
            self.count(nobodys);
            nobodys.forget_all();
        }
    }

    /// All that `root` starts is to be of interest: see [`Shared::follows_covers`].
    pub(crate) fn cover(&self, root: ProcessKey) {
        lock(&self.new_covers).push(root);
        self.wake.wake();
    }

    /// Whether all covers are followed by now.
    pub(crate) fn follows_covers(&self) -> bool {
        lock(&self.new_covers).is_empty()
    }

    /// A process is held before it runs a program: whatever it runs then, and its end, is passed
    /// on until [`Shared::keep_held`] does without. Of one that has ended nothing more comes.
    ///
    /// If there is no room, those go first that are held no more by `is_held`; what does not fit
    /// even so is not followed, and false is the answer.
    pub(crate) fn hold(&self, key: ProcessKey, is_held: impl Fn(u32) -> bool) -> bool {
        {
            let mut interest = lock(&self.interest);
            if !interest.hold(key) {
                interest.keep_held(is_held);
                if !interest.hold(key) {
                    return false;
                }
            }
        }
        lock(&self.new_held).push(key);
        self.wake.wake();
        true
    }

    /// Only these processes are held still.
    pub(crate) fn keep_held(&self, is_held: impl Fn(u32) -> bool) {
        lock(&self.interest).keep_held(is_held);
    }

    /// Has those of `processes` ended that are gone without a word of it.
    pub(crate) fn end_the_gone(&self, processes: impl Iterator<Item = ProcessKey>) {
        let gone: Vec<u32> = processes
            .filter(|key| procfs::is_gone(*key))
            .map(|key| key.pid)
            .collect();
        if !gone.is_empty() {
            *lock(&self.gone) = gone;
            self.wake.wake();
        }
    }

    /// Looks at all programs that run, as when the rules have changed.
    pub(crate) fn look_again(&self) {
        self.scan.store(true, Ordering::Release);
        self.wake.wake();
    }

    fn stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    fn take_scan(&self) -> bool {
        self.scan.swap(false, Ordering::AcqRel)
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        self.shared.wake.wake();
        self.shared.descriptions.stop();
        if let Some(ends) = &self.shared.ends {
            ends.stop();
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
