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
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_change, unmount,
};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tempfile::TempDir;
use usher_gate::{Answer, CommandNumber, Figures, Gate, Options, Question, Watch, Word};

/// How long a condition may take to come true before the test fails.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);
/// No gate of a test lives longer.
const KILLED_AFTER: Duration = Duration::from_secs(25);

/// A file system in memory that only this test's threads and children see.
pub(crate) struct Place {
    folder: TempDir,
}

impl Drop for Place {
    fn drop(&mut self) {
        // Else the folder could not be removed.
        let _ = unmount(self.folder.path(), UnmountFlags::DETACH);
    }
}

impl Place {
    /// To be called first of all in a test: threads made before do not see it. `None` where this
    /// may not be done; says so.
    pub(crate) fn new() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: the gate needs root");
            return None;
        }
        unshare(CloneFlags::CLONE_NEWNS).unwrap();
        let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
        mount_change("/", private).unwrap();
        let folder = TempDir::new().unwrap();
        mount("gate", folder.path(), "tmpfs", MountFlags::empty(), None).unwrap();
        Some(Self { folder })
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

/// What starts gates in these tests.
pub(crate) fn options() -> Options {
    Options {
        program: PathBuf::from(env!("CARGO_BIN_EXE_usher-gate-alone")),
        ..Options::default()
    }
}

/// Ends gate and guard by SIGKILL when the time is up, whatever else hangs.
pub(crate) fn arm(pids: &[u32]) {
    let processes: Vec<OwnedFd> = pids.iter().map(|&pid| process(pid)).collect();
    std::thread::spawn(move || {
        // tidy: sleep, the killer strikes when its time has come
        std::thread::sleep(KILLED_AFTER);
        for process in processes {
            let _ = pidfd_send_signal(&process, Signal::KILL);
        }
    });
}

pub(crate) fn process(pid: u32) -> OwnedFd {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    pidfd_open(pid, PidfdFlags::empty()).unwrap()
}

/// A gate whose partner is this process: a thread that answers each question by a rule.
pub(crate) struct Answered {
    pub(crate) gate: Arc<Gate>,
    pub(crate) asked: Arc<Mutex<Vec<PathBuf>>>,
    words: Arc<Mutex<Vec<Word>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Answered {
    /// Marks the place, and answers with what `rule` says.
    pub(crate) fn start(
        place: &Place,
        options: &Options,
        rule: impl FnMut(&Path, &Question) -> Option<Answer> + Send + 'static,
    ) -> Self {
        let gate = Arc::new(Gate::start(options).unwrap());
        arm(&[gate.pid(), gate.guard_pid()]);
        let (asked, words, stop) = Default::default();
        let mut answered = Self {
            gate,
            asked,
            words,
            stop,
            thread: None,
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
            let mut watch = Watch::over(&gate);
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
}

impl Partner {
    /// It answers everything with `rule`: run, refuse, or silent.
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
        arm(&[gate, guard, child.id()]);
        Self { child, gate, guard }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Partner {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        wait_for("the end of gate and guard", || {
            let both = [self.gate, self.guard];
            both.iter().all(|&pid| has_ended(pid)).then_some(())
        });
    }
}

/// Sends a signal to a process that this test started.
pub(crate) fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
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
