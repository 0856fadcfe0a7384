//! The agent's end of the gate: starts it if there is something to hold, says which file systems
//! it holds starts on, and answers what it asks.
//!
//! Six threads, so that none waits for another's troubles. One answers the gate; what it cannot
//! answer from names and memory it hands on: a file that has to be looked into to a second thread, a
//! start that needs a seat to the agent, by a third if it is not known what its account is called.
//! A fourth follows the mounts, a fifth hears which files have changed: a disk that hangs may hold
//! these up, and nobody else. A sixth has it written to files and sockets why a start was refused. Only
//! the third and the sixth start programs while a gate is there: the first is asked about these starts
//! as about any other.

mod answers;
mod changes;
mod marks;
pub(crate) mod place;
mod refused;
mod start;
mod told;

use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use usher_api::MountMark;
use usher_gate::{Gate, GateWatch, StartError, Word};

use self::answers::{Answers, Served};
use self::changes::Changes;
use self::marks::Marks;
pub(crate) use self::start::{Start, Waiting};
pub(crate) use self::told::status;
use crate::base::lock;
use crate::base::wake::Wake;
use crate::watch;

/// The pause between the end of a gate and the start of the next; it doubles up to a limit.
const RESTART_FIRST: Duration = Duration::from_millis(100);
const RESTART_LAST: Duration = Duration::from_secs(60);
/// After serving so long, a gate's end starts again with the first pause.
const SERVED_WELL: Duration = Duration::from_secs(60);

/// Where the gate's program is, and what it may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateOptions {
    /// The program that becomes gate and guard: one that calls [`usher_gate::entered`].
    pub program: PathBuf,
    /// Starts are held on the file systems of these paths only; none: on all that can be.
    pub only: Vec<PathBuf>,
}

/// The gate's task, and its state as the agent knows it.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Whether any product is enforced.
    is_wanted: AtomicBool,
    /// Grows with each change of the rules.
    rules: AtomicU64,
    is_ending: AtomicBool,
    wake: Wake,
    /// None while no gate serves.
    marks: Mutex<Option<Vec<MountMark>>>,
    /// File systems that the gate that serves holds starts on.
    file_systems: AtomicU32,
    /// Whether its guard stands outside this process's control group.
    guard_stands_apart: AtomicBool,
    /// Why no gate serves although one is wanted.
    trouble: Mutex<Option<String>>,
}

impl Shared {
    /// Sets whether starts have to be held at all, and notes that the rules have changed.
    pub(crate) fn want(&self, is_wanted: bool) {
        self.is_wanted.store(is_wanted, Ordering::Release);
        self.rules.fetch_add(1, Ordering::AcqRel);
        self.wake.wake();
    }

    /// The file systems that it holds starts on, and those that it could not; none if no gate
    /// serves.
    pub(crate) fn marks(&self) -> Option<Vec<MountMark>> {
        lock(&self.marks).clone()
    }

    fn show(&self, marks: Vec<MountMark>, file_systems: u32) {
        *lock(&self.marks) = Some(marks);
        self.file_systems.store(file_systems, Ordering::Release);
    }

    /// Why no gate serves although one is wanted.
    pub(crate) fn trouble(&self) -> Option<String> {
        lock(&self.trouble).clone()
    }

    fn is_wanted(&self) -> bool {
        self.is_wanted.load(Ordering::Acquire) && !self.is_ending()
    }

    fn is_ending(&self) -> bool {
        self.is_ending.load(Ordering::Acquire)
    }

    /// Waits until it is woken, but no longer than this.
    fn wait(&self, at_most: Option<Duration>) {
        let timeout = at_most.map(|left| Timespec::try_from(left).unwrap_or_default());
        let mut ends = [PollFd::from_borrowed_fd(self.wake.as_fd(), PollFlags::IN)];
        let _ = poll(&mut ends, timeout.as_ref());
        self.wake.drain();
    }
}

/// Keeps a gate running while one is needed. Dropping it ends the gate.
#[derive(Debug)]
pub(crate) struct GateSupervisor {
    pub(crate) shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl GateSupervisor {
    /// Starts the threads; what needs a seat goes to `starts`.
    pub(crate) fn start(
        options: GateOptions,
        watching: Arc<watch::Shared>,
        starts: tokio::sync::mpsc::Sender<Start>,
    ) -> io::Result<GateSupervisor> {
        let shared = Arc::new(Shared {
            is_wanted: AtomicBool::new(false),
            rules: AtomicU64::new(0),
            is_ending: AtomicBool::new(false),
            wake: Wake::new()?,
            marks: Mutex::new(None),
            file_systems: AtomicU32::new(0),
            guard_stands_apart: AtomicBool::new(false),
            trouble: Mutex::new(None),
        });
        let answers = Answers::start(watching, starts, options.program.clone())?;
        let keeping = shared.clone();
        let keep = move || keep(&options, &keeping, answers);
        let thread = usher_vital::spawn("usher-gatekeeper", keep)?;
        Ok(GateSupervisor {
            shared,
            thread: Some(thread),
        })
    }
}

impl Drop for GateSupervisor {
    fn drop(&mut self) {
        self.shared.is_ending.store(true, Ordering::Release);
        self.shared.wake.wake();
        if let Some(thread) = self.thread.take() {
            // A panic in it has been printed; its gate has ended with it.
            let _ = thread.join();
        }
    }
}

/// Runs one gate after another until told to end, as long as one is needed.
fn keep(options: &GateOptions, shared: &Arc<Shared>, mut answers: Answers) {
    let mut pause = RESTART_FIRST;
    while !shared.is_ending() {
        usher_vital::plant::thread();
        if !shared.is_wanted() {
            shared.wait(None);
            continue;
        }
        let began = Instant::now();
        let is_final = match start(options) {
            Ok(gate) => {
                *lock(&shared.trouble) = None;
                serve(&gate, options, shared, &mut answers);
                // Who waits for a seat has a part in it, and is not to wait any more.
                gate.end();
                false
            }
            Err(error) => {
                let why = error.to_string();
                tracing::error!(%why, "no start is held on this computer");
                *lock(&shared.trouble) = Some(why);
                is_final(&error)
            }
        };
        *lock(&shared.marks) = None;
        if began.elapsed() > SERVED_WELL {
            pause = RESTART_FIRST;
        }
        let until = Instant::now() + pause;
        while shared.is_wanted() && (is_final || Instant::now() < until) {
            let left = until.saturating_duration_since(Instant::now());
            shared.wait((!is_final).then_some(left));
        }
        pause = (pause * 2).min(RESTART_LAST);
    }
}

fn start(options: &GateOptions) -> Result<Arc<Gate>, StartError> {
    let options = usher_gate::Options {
        program: options.program.clone(),
        ..usher_gate::Options::default()
    };
    Gate::start(&options).map(Arc::new)
}

/// Whether another try is useless, because this process lacks the rights.
fn is_final(error: &StartError) -> bool {
    matches!(
        error,
        StartError::Events(Errno::PERM | Errno::NOSYS | Errno::INVAL)
    )
}

/// Answers one gate until it ends or is no longer needed.
fn serve(gate: &Arc<Gate>, options: &GateOptions, shared: &Arc<Shared>, answers: &mut Answers) {
    let stands_apart = gate.guard_stands_apart();
    shared
        .guard_stands_apart
        .store(stands_apart, Ordering::Release);
    if !stands_apart {
        tracing::warn!(
            "the gate's guard cannot leave the agent's control group: freezing that group holds up \
             every start"
        );
    }
    let marks = match Marks::follow(gate.clone(), options.only.clone(), shared.clone()) {
        Ok(marks) => marks,
        Err(error) => {
            tracing::error!(%error, "the mounts cannot be followed: no start is held");
            return;
        }
    };
    let changes = Changes::follow(gate)
        .inspect_err(|error| {
            tracing::warn!(%error, "changes of files cannot be watched: every start is asked about");
        })
        .ok();
    let served = Arc::new(Served {
        gate: gate.clone(),
        changes,
    });
    let mut rules = shared.rules.load(Ordering::Acquire);
    answers.begin();
    tracing::info!(
        gate = gate.pid(),
        guard = gate.guard_pid(),
        "starts are held at the gate"
    );
    let mut watch = GateWatch::over(gate);
    loop {
        usher_vital::plant::thread();
        let interest = [gate.as_fd(), shared.wake.as_fd()];
        let mut ends = interest.map(|end| PollFd::from_borrowed_fd(end, PollFlags::IN));
        let left = watch.next_look().saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).unwrap_or_default();
        if poll(&mut ends, Some(&left)).is_err() {
            continue;
        }
        while let Some(word) = gate.receive() {
            watch.heard();
            match word {
                Word::Question(question) => answers.answer(&served, question),
                Word::Done { command, result } => marks.done(shared, command, result),
                Word::Figures(_) => {}
                Word::Ended => {
                    tracing::error!("the gate has ended: starts run without it until the next one");
                    return;
                }
            }
        }
        watch.look(gate);
        shared.wake.drain();
        if !shared.is_wanted() {
            tracing::info!("no start is held any more");
            return;
        }
        let now = shared.rules.load(Ordering::Acquire);
        if now != rules {
            rules = now;
            answers.begin();
            // A gate that takes no messages now is ended by its guard.
            let _ = gate.forget_all_known();
            let _ = gate.ask_about_all_again();
        }
    }
}
