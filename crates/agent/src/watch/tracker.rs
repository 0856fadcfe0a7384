//! What the watcher's thread does with each event: it inspects the process, drops those of no
//! interest and passes on the rest.

mod look;
mod scan;
mod tell;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Sender;

use usher_core::sessions::{ProcessKey, Stamp};

use self::look::Found;
pub(super) use self::scan::Polled;
use super::Shared;
use super::interest::Kind;
use super::record::{KnownAs, Told};
use super::resolve::Raw;
use crate::base::{clock, lock};
use crate::identity::Known;
use crate::system::procfs::ProcessStat;
use crate::system::{FileKey, procfs};

/// The state of the watcher's thread.
pub(super) struct Tracker {
    pub(super) shared: Arc<Shared>,
    out: Sender<Raw>,
    scratch: Vec<u8>,
    /// Processes that have become of interest and that the kernel has not been asked to report yet.
    added: Vec<u32>,
    /// Processes of interest have ended that the kernel is still asked to report.
    removed: bool,
}

/// The source of the facts about a process.
#[derive(Clone, Copy)]
enum Facts {
    /// They are still to be read from `/proc`.
    Unread,
    /// They were read at a look at all processes.
    Found(ProcessStat),
    /// The kernel reported them.
    Told(Told),
}

impl Facts {
    fn at(&self) -> Stamp {
        match self {
            Facts::Unread | Facts::Found(_) => clock::now(),
            Facts::Told(told) => told.at(),
        }
    }
}

impl Tracker {
    pub(super) fn new(shared: Arc<Shared>, out: Sender<Raw>) -> Self {
        Tracker {
            shared,
            out,
            scratch: Vec::with_capacity(4096),
            added: Vec::new(),
            removed: false,
        }
    }

    /// A process runs another program from now on.
    pub(super) fn exec(&mut self, pid: u32) {
        match procfs::executable(pid, &mut self.scratch) {
            Ok((path, key)) => drop(self.started(pid, path, key, Facts::Unread)),
            Err(_) => self.missed(),
        }
    }

    /// A process has begun to run `file`, under the name `name`.
    pub(super) fn exec_told(&mut self, told: Told, file: &KnownAs, name: &[u8]) {
        let pid = told.key.pid;
        let image = procfs::executable(pid, &mut self.scratch).ok();
        let runs_it = image.as_ref().is_some_and(|(_, key)| file.is(key));
        // It is gone, or something else already.
        let by_name = || {
            let (path, key) = procfs::file_by_name(name).ok()?;
            file.is(&key).then_some((path, key))
        };
        let image = match image {
            Some(image) if runs_it => Some(image),
            image => match by_name() {
                Some((path, key)) => {
                    let known = self.shared.identifier.quick(&path, &key);
                    (!self.asks_arguments(&known)).then_some((path, key))
                }
                None => image,
            },
        };
        let Some((path, key)) = image else {
            self.missed();
            return;
        };
        match self.started(pid, path, key, Facts::Told(told)) {
            Some(known) if file.is(&key) && file.has_path() && !self.asks_arguments(&known) => {
                self.shared.leave_to_kernel(*file, known.name);
            }
            Some(_) => {}
            None => self.shared.take_from_kernel(file.inode()),
        }
    }

    /// Whether a process's arguments are needed to know what it runs.
    fn asks_arguments(&self, known: &Known) -> bool {
        known.host.is_some() && self.shared.identifier.has_rules()
    }

    fn missed(&self) {
        self.shared.figures.missed.fetch_add(1, Ordering::Relaxed);
    }

    /// A program was started. Answers what is known of it if it is no product's.
    fn started(&mut self, pid: u32, path: Vec<u8>, key: FileKey, facts: Facts) -> Option<Known> {
        self.shared.figures.starts.fetch_add(1, Ordering::Relaxed);
        match self.look(pid, path.clone(), key) {
            Found::Unmetered(known) => {
                lock(&self.shared.counts).add(&known.name, 1);
                let at_boot_ms = facts.at().boot_ms;
                self.shared.began(pid, &path, &known.name, at_boot_ms);
                self.unmetered(pid, facts);
                Some(known)
            }
            Found::Program(run) => {
                self.shared.is_of_product(pid);
                self.program(pid, run, facts);
                None
            }
        }
    }

    /// A process has made another.
    pub(super) fn fork(&mut self, parent: u32, child: u32) {
        if let Some(kind) = self.inherited(parent) {
            let start = procfs::process_stat(child).map_or(0, |stat| stat.start);
            let child = ProcessKey { pid: child, start };
            self.forked(parent, child, kind, clock::now());
        }
    }

    /// A process has made another, as the kernel reports.
    pub(super) fn fork_told(&mut self, parent: u32, child: Told) {
        if let Some(kind) = self.inherited(parent) {
            self.forked(parent, child.key, kind, child.at());
        }
    }

    /// Why a child of that process is of interest.
    fn inherited(&self, parent: u32) -> Option<Kind> {
        match lock(&self.shared.interest).get(parent)? {
            Kind::Covered => Some(Kind::Covered),
            Kind::Own | Kind::Forked => Some(Kind::Forked),
        }
    }

    fn forked(&mut self, parent: u32, child: ProcessKey, kind: Kind, at: Stamp) {
        if self.take_interest(child, kind) {
            self.send(Raw::Forked { at, parent, child });
        }
    }

    /// A process has ended; `false`: only its first thread has, and others go on.
    pub(super) fn exit(&mut self, pid: u32) -> bool {
        if !self.is_of_interest(pid) {
            return true;
        }
        let others_go_on = procfs::process_stat(pid).is_ok_and(|stat| stat.threads > 1);
        if others_go_on {
            return false;
        }
        self.ended(pid, clock::now());
        true
    }

    /// A process has ended with all its threads.
    pub(super) fn ended(&mut self, pid: u32, at: Stamp) {
        let was_of_interest = lock(&self.shared.interest).end(pid);
        if was_of_interest {
            self.removed = true;
            self.send(Raw::Exited { at, pid });
        }
    }

    fn take_interest(&mut self, key: ProcessKey, kind: Kind) -> bool {
        let mut interest = lock(&self.shared.interest);
        let is_new = interest.get(key.pid).is_none();
        let taken = interest.insert(key, kind);
        if taken && is_new {
            self.added.push(key.pid);
        }
        taken
    }

    fn lose_interest(&mut self, pid: u32) {
        self.removed |= lock(&self.shared.interest).remove(pid);
    }

    fn is_of_interest(&self, pid: u32) -> bool {
        lock(&self.shared.interest).start(pid).is_some()
    }

    /// The processes whose starts are held are followed from now on.
    pub(super) fn take_held(&mut self) {
        let held = std::mem::take(&mut *lock(&self.shared.new_held));
        self.added.extend(held.iter().map(|key| key.pid));
    }

    /// All events that had come were passed on, and these processes were gone before that: no event
    /// will report their ends.
    pub(super) fn end_the_gone(&mut self, gone: Vec<u32>) {
        for pid in gone {
            let start = lock(&self.shared.interest).start(pid);
            let is_gone = |start| procfs::is_gone(ProcessKey { pid, start });
            if start.is_some_and(is_gone) {
                self.ended(pid, clock::now());
            }
        }
    }

    /// From now on all that `root` starts is of interest.
    pub(super) fn take_cover(&mut self, root: ProcessKey) {
        self.take_interest(root, Kind::Covered);
    }

    /// Processes that have become of interest since this was last asked.
    pub(super) fn take_added(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.added)
    }

    /// Whether processes of interest have ended since this was last asked.
    pub(super) fn take_removed(&mut self) -> bool {
        std::mem::take(&mut self.removed)
    }

    /// All processes of interest.
    pub(super) fn of_interest(&self) -> Vec<u32> {
        lock(&self.shared.interest).all()
    }

    /// Events were lost: all processes are to be looked at.
    pub(super) fn lost(&mut self) {
        self.shared
            .figures
            .overflows
            .fetch_add(1, Ordering::Relaxed);
        tracing::warn!("programs started faster than they could be inspected; some may be missing");
        self.shared.scan.store(true, Ordering::Release);
    }
}
