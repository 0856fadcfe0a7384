//! What the watcher's thread does with each sighting: inspects it, drops what is of no interest,
//! passes on the rest.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Sender;

use usher_core::identify::ProgramRole;
use usher_core::sessions::{ProcessKey, Stamp, Who};

use super::interest::Kind;
use super::record::{KnownAs, Told};
use super::resolve::{Raw, Run};
use super::{Shared, WAITING_LIMIT};
use crate::clock;
use crate::identity::file::Target;
use crate::identity::hosted::{self, HostedFile};
use crate::identity::{Known, Verdict};
use crate::lock;
use crate::system::procfs::ProcessStat;
use crate::system::{FileKey, procfs};

/// The watcher's thread's own state.
pub(super) struct Tracker {
    pub(super) shared: Arc<Shared>,
    out: Sender<Raw>,
    scratch: Vec<u8>,
    /// Processes that have become of interest and that the kernel is not yet asked to tell of.
    added: Vec<u32>,
    /// Processes of interest have ended: the kernel still tells of them.
    removed: bool,
}

/// What a process turned out to run.
enum Found {
    /// No product's program.
    Unmetered(Known),
    /// A product's program, or what may be one.
    Program(Run),
}

/// Where it is known from whose a process is.
#[derive(Clone, Copy)]
enum Facts {
    /// It is to be read from `/proc` yet.
    Unread,
    /// It was read at a look at all processes.
    Found(ProcessStat),
    /// The kernel told.
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

    /// A process has begun to run `file`, which it was given by `name`.
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

    /// Whether it takes a process' arguments to know what it runs.
    fn asks_arguments(&self, known: &Known) -> bool {
        known.host.is_some() && self.shared.identifier.has_rules()
    }

    fn missed(&self) {
        self.shared.figures.missed.fetch_add(1, Ordering::Relaxed);
    }

    /// A program was started. Answers what is known of it where it is no product's.
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

    /// A process has made another, says the kernel.
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

    /// A process has ended. False: its first thread has, but others go on.
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

    /// All that had come was passed on, and these were gone before: nothing tells of their ends any
    /// more.
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

    /// The kernel tells of this process from now on; what it did just before is found out here.
    pub(super) fn catch_up(&mut self, pid: u32) {
        let ended = match procfs::process_stat(pid) {
            Ok(stat) => stat.ending && stat.threads <= 1,
            Err(_) => true,
        };
        if ended {
            self.exit(pid);
            return;
        }
        if lock(&self.shared.interest).get(pid).is_none() {
            // What it made before it was held is of no interest.
            return;
        }
        let children = procfs::children(pid);
        if children.is_empty() {
            return;
        }
        let covered = lock(&self.shared.interest).get(pid) == Some(Kind::Covered);
        let image = procfs::executable(pid, &mut self.scratch)
            .ok()
            .map(|(_, key)| key);
        for child in children {
            // A child that has become something else is only of interest under a cover.
            let same_image = || {
                let theirs = procfs::executable(child, &mut Vec::new())
                    .ok()
                    .map(|(_, key)| key);
                theirs.is_some() && theirs == image
            };
            let known = lock(&self.shared.interest).get(child).is_some();
            if !known && (covered || same_image()) {
                self.fork(pid, child);
            }
        }
    }

    /// Events were lost: all processes are to be looked at.
    pub(super) fn lost(&mut self) {
        self.shared
            .figures
            .overflows
            .fetch_add(1, Ordering::Relaxed);
        tracing::warn!("programs started faster than they could be looked at; some may be missing");
        self.shared.scan.store(true, Ordering::Release);
    }

    /// A process that was found running, at a look at all.
    pub(super) fn found(&mut self, pid: u32, stat: &ProcessStat, polled: Option<&mut Polled>) {
        let interest = lock(&self.shared.interest).start(pid);
        let ended = interest.is_some_and(|start| start != 0 && start != stat.start)
            || (interest.is_some() && stat.ending && stat.threads <= 1);
        if ended {
            self.ended(pid, clock::now());
        }
        if stat.ending {
            return;
        }
        let Ok((path, key)) = procfs::executable(pid, &mut self.scratch) else {
            return;
        };
        let is_new = polled.is_some_and(|polled| polled.changed(pid, stat.start, key));
        match self.look(pid, path.clone(), key) {
            Found::Unmetered(known) => {
                if is_new {
                    self.shared.figures.starts.fetch_add(1, Ordering::Relaxed);
                    lock(&self.shared.counts).add(&known.name, 1);
                    // Since when it runs that is known to the look before.
                    let at_boot_ms = clock::boot_ms();
                    self.shared.began(pid, &path, &known.name, at_boot_ms);
                    self.unmetered(pid, Facts::Unread);
                }
                let parent = lock(&self.shared.interest).get(stat.parent);
                let below_cover = parent == Some(Kind::Covered);
                if below_cover && lock(&self.shared.interest).get(pid).is_none() {
                    let start = stat.start;
                    self.take_interest(ProcessKey { pid, start }, Kind::Covered);
                    self.unmetered(pid, Facts::Unread);
                }
            }
            Found::Program(run) => {
                if is_new {
                    self.shared.figures.starts.fetch_add(1, Ordering::Relaxed);
                }
                self.program(pid, run, Facts::Found(*stat));
            }
        }
    }

    /// All processes were looked at: those of interest that are not there have ended.
    pub(super) fn end_of_scan(&mut self) {
        let known = lock(&self.shared.interest).all();
        for pid in known {
            if !procfs::exists(pid) {
                self.exit(pid);
            }
        }
        self.send(Raw::Settled { at: clock::now() });
    }

    fn look(&mut self, pid: u32, path: Vec<u8>, key: FileKey) -> Found {
        let known = self.shared.identifier.quick(&path, &key);
        let by_host = match known.host {
            Some(host) if self.shared.identifier.has_rules() => {
                hosted::hosted(host, pid, &path, &key)
            }
            _ => None,
        };
        if let Some(file) = by_host {
            let inner = self.shared.identifier.quick(&file.path, &file.key);
            match &inner.verdict {
                Some(Some(_)) => return Found::Program(Run::known(inner)),
                Some(None) => {}
                None => return Found::Program(self.unsure(pid, inner, Some(file), path, key)),
            }
        }
        match &known.verdict {
            Some(None) => match self.look_from_own_root(pid, &path, key) {
                Some(run) => Found::Program(run),
                None => Found::Unmetered(known),
            },
            Some(Some(_)) => Found::Program(Run::known(known)),
            None => Found::Program(self.unsure(pid, known, None, path, key)),
        }
    }

    /// What is nobody's by its path here may be a product's by the path that it has in a chroot, as
    /// it would be in a container.
    fn look_from_own_root(&self, pid: u32, path: &[u8], key: FileKey) -> Option<Run> {
        if !self.shared.identifier.has_rules() {
            return None;
        }
        let own = procfs::path_in_own_root(pid, path)?;
        let known = self.shared.identifier.quick(&own, &key);
        match &known.verdict {
            Some(None) => None,
            Some(Some(_)) => Some(Run::known(known)),
            None => {
                let file = procfs::open_executable(pid, path, &key).ok();
                Some(Run {
                    name: known.name,
                    verdict: None,
                    targets: vec![Target {
                        path: own,
                        key,
                        file,
                    }],
                })
            }
        }
    }

    /// Keeps the files open that are to be looked into: they may be gone in a moment.
    fn unsure(
        &self,
        pid: u32,
        known: Known,
        inner: Option<HostedFile>,
        path: Vec<u8>,
        key: FileKey,
    ) -> Run {
        let inner = inner.map(|file| Target {
            path: file.path,
            key: file.key,
            file: Some(file.file),
        });
        let file = procfs::open_executable(pid, &path, &key).ok();
        let outer = Target { path, key, file };
        Run {
            name: known.name,
            verdict: None,
            targets: inner.into_iter().chain([outer]).collect(),
        }
    }

    fn program(&mut self, pid: u32, run: Run, facts: Facts) {
        let at = facts.at();
        let Some((key, parent, who)) = self.whose(pid, facts) else {
            self.missed();
            return;
        };
        let since = match facts {
            Facts::Found(stat) => Some(clock::at_ticks(stat.start, at)),
            Facts::Unread | Facts::Told(_) => None,
        };
        let helper = matches!(&run.verdict, Some(Some(m)) if m.role == ProgramRole::Helper);
        let known = lock(&self.shared.interest).get(pid);
        if helper {
            if known == Some(Kind::Own) || known == Some(Kind::Forked) {
                self.lose_interest(pid);
            }
            if since.is_none() {
                lock(&self.shared.counts).add(&run.name, 1);
            }
            if known.is_none() && !lock(&self.shared.interest).is_held(pid) {
                return;
            }
        } else {
            let below_cover = lock(&self.shared.interest).get(parent) == Some(Kind::Covered);
            let kind = if below_cover {
                Kind::Covered
            } else {
                Kind::Own
            };
            if !self.take_interest(key, kind) {
                return;
            }
        }
        self.send(Raw::Runs {
            at,
            key,
            parent,
            who,
            run,
            since,
        });
    }

    /// A process runs a program of no product: only of interest if it did otherwise before, or
    /// was held.
    fn unmetered(&mut self, pid: u32, facts: Facts) {
        let known = lock(&self.shared.interest).get(pid);
        let is_held = lock(&self.shared.interest).is_held(pid);
        match known {
            None if is_held => {}
            None => return,
            Some(Kind::Forked) => self.lose_interest(pid),
            Some(Kind::Own | Kind::Covered) => {}
        }
        let at = facts.at();
        let Some((key, parent, who)) = self.whose(pid, facts) else {
            return;
        };
        let run = Run::known(Known {
            name: "".into(),
            host: None,
            verdict: Some(Verdict::None),
        });
        self.send(Raw::Runs {
            at,
            key,
            parent,
            who,
            run,
            since: None,
        });
    }

    /// Start time, parent and user of a process; its parent's user, which it had, where it is
    /// gone in the middle of the look.
    fn whose(&self, pid: u32, facts: Facts) -> Option<(ProcessKey, u32, Who)> {
        let stat = match facts {
            Facts::Unread => procfs::process_stat(pid).ok()?,
            Facts::Found(stat) => stat,
            Facts::Told(told) => return Some((told.key, told.parent, told.who)),
        };
        let (asked, real) = [pid, stat.parent]
            .into_iter()
            .find_map(|pid| Some((pid, procfs::real_uid(pid).ok()?)))?;
        let counted = procfs::login_uid(asked).unwrap_or(real);
        let start = stat.start;
        Some((
            ProcessKey { pid, start },
            stat.parent,
            Who { counted, real },
        ))
    }

    fn send(&mut self, raw: Raw) {
        if self.shared.waiting.load(Ordering::Relaxed) >= WAITING_LIMIT {
            self.lost();
            return;
        }
        self.shared.waiting.fetch_add(1, Ordering::Relaxed);
        // Nobody listens any more: the agent stops.
        let _ = self.out.send(raw);
    }
}

/// What a poller saw at its last look, to know what is new.
#[derive(Debug, Default)]
pub(super) struct Polled {
    processes: rustc_hash::FxHashMap<u32, (u64, FileKey)>,
    /// At the first look everything is known already.
    counting: bool,
}

impl Polled {
    fn changed(&mut self, pid: u32, start: u64, key: FileKey) -> bool {
        let before = self.processes.insert(pid, (start, key));
        self.counting && before != Some((start, key))
    }

    /// Forgets what is gone; from now on what is new has started.
    pub(super) fn keep(&mut self, alive: &rustc_hash::FxHashSet<u32>) {
        self.processes.retain(|pid, _| alive.contains(pid));
        self.counting = true;
    }
}
