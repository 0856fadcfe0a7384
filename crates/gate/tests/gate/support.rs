//! A file system, a gate and programs of the test's own; and a killer that needs no start to kill.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, unshare};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::process::{Pid, Signal};
use tempfile::TempDir;
use usher_gate::{Answer, CommandNumber, Figures, Gate, GateWatch, Options, Question, Word};
use usher_testing::control::Control;
use usher_testing::undo::{self, Undo};

/// How long a condition may take to come true before the test fails.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);
/// Longer than anything that a test waits for: who is held so long is never let go in time.
pub(crate) const FOR_EVER: Duration = Duration::from_secs(300);

/// A file system in memory that only this test's threads and children see.
pub(crate) struct Place {
    // Dropped in this order: a folder on which something is mounted cannot be removed.
    _unmounted: Undo,
    folder: TempDir,
    pub(crate) control: Control,
}

impl Place {
    /// To be called first of all in a test: threads made before do not see it. `None`, with a line
    /// that says so, if this may not be done.
    pub(crate) fn new() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: the gate needs root");
            return None;
        }
        unshare(CloneFlags::CLONE_NEWNS).unwrap();
        let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
        mount_change("/", private).unwrap();
        let folder = TempDir::with_prefix(prefix()).unwrap();
        let _unmounted = undo::unmount_later(folder.path()).unwrap();
        mount("gate", folder.path(), "tmpfs", MountFlags::empty(), None).unwrap();
        let control = Control::begin().unwrap();
        Some(Self {
            _unmounted,
            folder,
            control,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A program of the system's, as a file of our own.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        let to = self.path().join(name);
        let from = Path::new("/bin").join(name.split('.').next().unwrap());
        fs::copy(from, &to).unwrap();
        to
    }

    pub(crate) fn opened(&self) -> OwnedFd {
        fs::File::open(self.path()).unwrap().into()
    }
}

/// What starts gates in these tests. They are patient: a partner that is late because the computer is
/// busy is not taken for a silent one.
pub(crate) fn options() -> Options {
    Options {
        first_word: DEADLINE,
        when_silent: DEADLINE,
        ..usual()
    }
}

/// With the limits that computers have.
pub(crate) fn usual() -> Options {
    Options {
        program: PathBuf::from(env!("CARGO_BIN_EXE_usher-gate-alone")),
        ..Options::default()
    }
}

/// Begins the name of what a test makes, so that what it left is known by its process.
pub(crate) fn prefix() -> String {
    format!("usher-test-{}-", std::process::id())
}

/// A gate whose partner is this process: a thread that answers each question by a rule.
pub(crate) struct Answered {
    pub(crate) gate: Arc<Gate>,
    pub(crate) asked: Arc<Mutex<Vec<PathBuf>>>,
    words: Arc<Mutex<Vec<Word>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    _killed: Undo,
}

impl Answered {
    /// Marks the place, and answers with what `rule` says.
    pub(crate) fn start(
        place: &Place,
        options: &Options,
        rule: impl FnMut(&Path, &Question) -> Option<Answer> + Send + 'static,
    ) -> Self {
        let gate = Arc::new(Gate::start(options).unwrap());
        let _killed = undo::end_later(&[gate.pid(), gate.guard_pid()]).unwrap();
        let (asked, words, stop) = Default::default();
        let mut answered = Self {
            gate,
            asked,
            words,
            stop,
            thread: None,
            _killed,
        };
        answered.thread = Some(answered.answering(rule));
        let marked = answered.gate.mark(place.opened().as_fd()).unwrap();
        answered.done(marked).unwrap();
        answered
    }

    fn answering(
        &self,
        mut rule: impl FnMut(&Path, &Question) -> Option<Answer> + Send + 'static,
    ) -> JoinHandle<()> {
        let (gate, asked) = (self.gate.clone(), self.asked.clone());
        let (words, stop) = (self.words.clone(), self.stop.clone());
        std::thread::spawn(move || {
            let mut watch = GateWatch::over(&gate);
            while !stop.load(Ordering::Relaxed) {
                let word = gate.receive_until(Instant::now() + Duration::from_millis(20));
                match &word {
                    Some(_) => watch.heard(),
                    None => watch.look(&gate),
                }
                match word {
                    Some(Word::Question(question)) => {
                        let path = path_of(&question);
                        asked.lock().unwrap().push(path.clone());
                        if let Some(answer) = rule(&path, &question) {
                            let _ = gate.answer(question.number, answer);
                        }
                    }
                    Some(Word::Ended) => {
                        words.lock().unwrap().push(Word::Ended);
                        return;
                    }
                    Some(word) => words.lock().unwrap().push(word),
                    None => {}
                }
            }
        })
    }

    fn next_word<T>(&self, what: &str, mut is_it: impl FnMut(&Word) -> Option<T>) -> T {
        wait_for(what, || {
            self.words.lock().unwrap().iter().find_map(&mut is_it)
        })
    }

    /// What became of a command.
    pub(crate) fn done(&self, number: CommandNumber) -> Result<(), rustix::io::Errno> {
        self.next_word("a command's result", |word| match word {
            Word::Done { command, result } if *command == number => Some(*result),
            _ => None,
        })
    }

    pub(crate) fn figures(&self) -> Figures {
        self.words
            .lock()
            .unwrap()
            .retain(|word| !matches!(word, Word::Figures(_)));
        self.gate.ask_figures().unwrap();
        self.next_word("figures", |word| match word {
            Word::Figures(figures) => Some(*figures),
            _ => None,
        })
    }

    /// Waits until so many starts were asked about.
    pub(crate) fn wait_for_questions(&self, count: usize) {
        wait_for("so many questions", || {
            (self.asked.lock().unwrap().len() >= count).then_some(())
        });
    }

    /// How often was asked about the file of this name.
    pub(crate) fn times_asked(&self, path: &Path) -> usize {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|asked| *asked == path).count()
    }
}

impl Drop for Answered {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn path_of(question: &Question) -> PathBuf {
    use std::os::fd::AsRawFd;
    let link = format!("/proc/self/fd/{}", question.file.as_raw_fd());
    fs::read_link(link).unwrap_or_default()
}

/// A partner in a process of its own, with its gate.
pub(crate) struct Partner {
    child: Child,
    pub(crate) gate: u32,
    pub(crate) guard: u32,
    killed: Option<Undo>,
}

impl Partner {
    /// It answers everything with `rule`: run, refuse, hold, or silent.
    pub(crate) fn start(place: &Place, rule: &str) -> Self {
        Self::begin(&[place.path().to_str().unwrap(), rule])
    }

    /// Beside that it writes to a file for ever.
    pub(crate) fn begin(args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_usher-gate-alone"))
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut line).unwrap();
        let pids: Vec<u32> = line
            .split_whitespace()
            .map(|pid| pid.parse().unwrap())
            .collect();
        let [gate, guard] = pids[..] else {
            panic!("not the ids of gate and guard: {line:?}");
        };
        let killed = undo::end_later(&[gate, guard, child.id()]).unwrap();
        Self {
            child,
            gate,
            guard,
            killed: Some(killed),
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Partner {
    fn drop(&mut self) {
        drop(self.child.kill());
        // One that hangs on a disk does not end as long as that is frozen.
        if !within(DEADLINE, || matches!(self.child.try_wait(), Ok(Some(_)))) {
            eprintln!("the partner did not end, process {}", self.child.id());
        }
        // By itself: the gate ends with its partner, also if that was stopped.
        if !within(DEADLINE, || has_ended(self.gate) && has_ended(self.guard)) {
            let (gate, guard) = (self.gate, self.guard);
            drop(self.killed.take());
            assert!(std::thread::panicking(), "{gate} or {guard} did not end");
        }
    }
}

/// Whether this comes true in time.
fn within(time: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + time;
    while !is_so() {
        if Instant::now() > end {
            return false;
        }
        // tidy: sleep, between two looks, until a deadline
        std::thread::sleep(Duration::from_millis(1));
    }
    true
}

/// Sends a signal to a process that this test started.
pub(crate) fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

/// Waits until so many starts of this process are no program yet.
pub(crate) fn wait_for_held(count: usize) {
    let own = fs::read_link("/proc/self/exe").unwrap();
    wait_for("so many held starts", || {
        let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
        let children = tasks.flat_map(|task| {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            let pids = children.split_ascii_whitespace().map(str::to_owned);
            pids.collect::<Vec<_>>()
        });
        let exe = |pid: String| fs::read_link(format!("/proc/{pid}/exe")).ok();
        let held = children.filter(|pid| exe(pid.clone()).as_ref() == Some(&own));
        (held.count() >= count).then_some(())
    });
}

/// Gone, or waiting only for its parent to look.
pub(crate) fn has_ended(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat
        .rsplit(") ")
        .next()
        .and_then(|rest| rest.chars().next());
    matches!(state, None | Some('Z' | 'X'))
}

/// Waits until `look` finds something.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < DEADLINE, "in vain: {what}");
        // tidy: sleep, between two looks, until a deadline
        std::thread::sleep(Duration::from_millis(1));
    }
}
