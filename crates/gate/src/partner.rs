//! The partner's side: starts gate and guard, asks nothing of its caller but to answer.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal};

use crate::gate::Limits;
use crate::passing::{self, Received};
use crate::protocol::{
    Answer, Figures, FileId, FileState, Order, Otherwise, QuestionNumber, Step, ToGate, ToPartner,
};
use crate::table::HELD_AT_MOST;

/// A gate that does not serve within this is none.
const READY_WITHIN: Duration = Duration::from_secs(5);
/// Gate and guard end by themselves within this; else they are ended.
const END_WITHIN: Duration = Duration::from_secs(1);
/// What a message takes of a socket's room, so that all questions that are held may lie in it.
const MESSAGE_TAKES: usize = 1_280;

/// How a gate is started, and how long it lets a start wait.
#[derive(Debug, Clone)]
pub struct Options {
    /// The program that becomes gate and guard: one that calls [`entered`](crate::entered).
    pub program: PathBuf,
    /// A start runs if the partner has not said a first word within this.
    pub first_word: Duration,
    /// The same, while the partner has not spoken since it was late.
    pub when_silent: Duration,
    /// No start is held longer than this in all.
    pub hold_limit: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            program: PathBuf::from("/proc/self/exe"),
            first_word: Duration::from_millis(50),
            when_silent: Duration::from_millis(1),
            hold_limit: Duration::from_secs(30),
        }
    }
}

/// Why there is no gate.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The sockets between the processes.
    #[error("the sockets between gate and partner cannot be made: {0}")]
    Sockets(#[source] Errno),
    /// The program could not be started.
    #[error("`{program} gate` cannot be started: {error}")]
    Program {
        /// What was to be started.
        program: PathBuf,
        /// Why it was not.
        error: std::io::Error,
    },
    /// The kernel gives no permission events to this process.
    #[error(
        "the kernel gives the gate no permission events (fanotify): {0}; it needs \
         CAP_SYS_ADMIN, and a kernel with CONFIG_FANOTIFY_ACCESS_PERMISSIONS"
    )]
    Events(Errno),
    /// The gate's memory cannot be locked.
    #[error(
        "the gate's memory cannot be locked: {0}; it needs CAP_IPC_LOCK or LimitMEMLOCK=infinity"
    )]
    Memory(Errno),
    /// The gate may not hold as many descriptors as starts.
    #[error(
        "the gate cannot have a descriptor for each start that it holds: {0}; it needs LimitNOFILE=2048"
    )]
    Descriptors(Errno),
    /// It ended, or said nothing.
    #[error("the gate did not serve within {} s; it has been ended", READY_WITHIN.as_secs())]
    NotReady,
}

/// A start that the kernel holds, until it is answered or too late.
#[derive(Debug)]
pub struct Question {
    /// To be given with the answer.
    pub number: QuestionNumber,
    /// The process that wants to run it; 0 if it is in a pid namespace that we cannot see.
    pub pid: u32,
    /// The file, as the kernel knows it.
    pub id: FileId,
    /// The file itself, open for reading; reading from it is seen by no watcher.
    pub file: OwnedFd,
}

/// The number of a command to the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CommandNumber(pub u64);

/// What the gate says.
#[derive(Debug)]
pub enum Word {
    /// A start is held.
    Question(Question),
    /// A command is done, or why it could not be done.
    Done {
        /// The command that is done.
        command: CommandNumber,
        /// Nothing, or the kernel's error.
        result: Result<(), Errno>,
    },
    /// What [`Gate::ask_figures`] asked for.
    Figures(Figures),
    /// The gate has ended: nothing is held any more. A new one is to be started.
    Ended,
}

/// A running gate with its guard. Both end when this is dropped, or its process ends.
///
/// [`AsFd`] gives the socket: readable when [`receive`](Self::receive) has something. It never
/// blocks. **The thread that answers must not start programs**: it would wait for itself (until the
/// deadline lets that start run).
#[derive(Debug)]
pub struct Gate {
    socket: OwnedFd,
    /// Dropped after the socket: its closing is what ends them.
    processes: Processes,
    commands: AtomicU64,
}

#[derive(Debug)]
struct Processes {
    gate: Child,
    guard: Option<Child>,
}

impl Gate {
    /// Starts gate and guard, and returns when they serve; nothing is marked yet.
    ///
    /// # Errors
    /// The program cannot be started, or the kernel gives it not what it needs.
    pub fn start(options: &Options) -> Result<Self, StartError> {
        let (socket, gates) = passing::pair().map_err(StartError::Sockets)?;
        let (gate_end, guard_end) = passing::pair().map_err(StartError::Sockets)?;
        for end in [&socket, &gates, &gate_end] {
            let room = HELD_AT_MOST * MESSAGE_TAKES;
            // Without the right to do so the kernel's own bound stays: fewer can be asked at once.
            let _ = rustix::net::sockopt::set_socket_send_buffer_size_force(end, room);
        }
        let limits = Limits {
            first_word: options.first_word,
            when_silent: options.when_silent,
            hold: options.hold_limit,
        };
        let gate = spawn(options, &limits.to_args(), gates, gate_end)?;
        let mut started = Self {
            socket,
            processes: Processes { gate, guard: None },
            commands: AtomicU64::new(0),
        };
        let process = pidfd(&started.processes.gate).map_err(|_| StartError::NotReady)?;
        let args = ["--guard".to_owned()];
        started.processes.guard = Some(spawn(options, &args, guard_end, process)?);
        started.until_ready()?;
        Ok(started)
    }

    fn until_ready(&self) -> Result<(), StartError> {
        let until = Instant::now() + READY_WITHIN;
        while readable(self.as_fd(), until) {
            let Received::Message(bytes, _) = passing::receive(self.as_fd()) else {
                break;
            };
            match ToPartner::decode(&bytes) {
                Some(ToPartner::Ready) => return Ok(()),
                Some(ToPartner::Failed { step, errno }) => {
                    let errno = Errno::from_raw_os_error(errno);
                    return Err(match step {
                        Step::Descriptors => StartError::Descriptors(errno),
                        Step::Memory => StartError::Memory(errno),
                        Step::Group => StartError::Events(errno),
                    });
                }
                _ => {}
            }
        }
        Err(StartError::NotReady)
    }

    /// The gate's process.
    pub fn pid(&self) -> u32 {
        self.processes.gate.id()
    }

    /// The guard's process.
    pub fn guard_pid(&self) -> u32 {
        self.processes.guard.as_ref().map_or(0, Child::id)
    }

    /// Whether the guard has left this process's control group (version 2): else who freezes the
    /// group (`systemctl freeze`) freezes all three, and every start on the computer.
    pub fn guard_stands_apart(&self) -> bool {
        crate::apart::stands_apart(self.guard_pid())
    }

    /// What the gate has said, if there is something; never waits.
    pub fn receive(&self) -> Option<Word> {
        loop {
            let (bytes, beside) = match passing::receive(self.as_fd()) {
                Received::Message(bytes, beside) => (bytes, beside),
                Received::Nothing => return None,
                Received::End => return Some(Word::Ended),
            };
            if let Some(word) = word(&bytes, beside) {
                return Some(word);
            }
        }
    }

    /// What the gate says next, waiting for it at most until `until`.
    pub fn receive_until(&self, until: Instant) -> Option<Word> {
        loop {
            if let Some(word) = self.receive() {
                return Some(word);
            }
            if !readable(self.as_fd(), until) {
                return None;
            }
        }
    }

    /// Answers a question. An answer that comes too late changes nothing.
    ///
    /// # Errors
    /// EAGAIN: the gate takes no messages now, and the guard will see to it; EPIPE: it has ended.
    pub fn answer(&self, number: QuestionNumber, answer: Answer) -> Result<(), Errno> {
        self.send(ToGate::Answer { number, answer }, None)
    }

    /// Has starts of programs on a file system asked about, by a descriptor on it (no `O_PATH`):
    /// on all its mounts, in every namespace. [`Word::Done`] tells what became of it. Not for file
    /// systems that ask a network or a program for each file: the gate would wait for them.
    ///
    /// # Errors
    /// As [`answer`](Self::answer).
    pub fn mark(&self, on: BorrowedFd<'_>) -> Result<CommandNumber, Errno> {
        self.order(Order::Mark, Some(on))
    }

    /// Takes back what [`mark`](Self::mark) did.
    ///
    /// # Errors
    /// As [`answer`](Self::answer).
    pub fn unmark(&self, on: BorrowedFd<'_>) -> Result<CommandNumber, Errno> {
        self.order(Order::Unmark, Some(on))
    }

    /// Has this file asked about again, after [`Answer::RunAndForget`].
    ///
    /// # Errors
    /// As [`answer`](Self::answer).
    pub fn ask_again(&self, file: BorrowedFd<'_>) -> Result<CommandNumber, Errno> {
        self.order(Order::AskAgain, Some(file))
    }

    /// Has every file asked about again, as after a change of rules.
    ///
    /// # Errors
    /// As [`answer`](Self::answer).
    pub fn ask_about_all_again(&self) -> Result<CommandNumber, Errno> {
        self.order(Order::AskAboutAllAgain, None)
    }

    /// Says what happens to this file's starts when no answer comes in time, until the file changes.
    /// What was said of its inode before is forgotten. There is room for
    /// [`KNOWN_AT_MOST`](crate::KNOWN_AT_MOST); beyond, [`Word::Done`] tells ENOSPC.
    ///
    /// # Errors
    /// As [`answer`](Self::answer).
    pub fn know(&self, file: FileState, otherwise: Otherwise) -> Result<CommandNumber, Errno> {
        self.order(Order::Known { file, otherwise }, None)
    }

    /// Takes back what [`know`](Self::know) said of this file.
    ///
    /// # Errors
    /// As [`answer`](Self::answer).
    pub fn forget_known(&self, file: FileId) -> Result<CommandNumber, Errno> {
        self.order(Order::ForgetKnown { file }, None)
    }

    /// Takes back all that [`know`](Self::know) said.
    ///
    /// # Errors
    /// As [`answer`](Self::answer).
    pub fn forget_all_known(&self) -> Result<CommandNumber, Errno> {
        self.order(Order::ForgetAllKnown, None)
    }

    /// Off: everything that is held runs, every mark is taken away, nothing is asked. On: starts are
    /// asked about again, once file systems are marked again.
    ///
    /// # Errors
    /// As [`answer`](Self::answer).
    pub fn enforce(&self, on: bool) -> Result<CommandNumber, Errno> {
        self.order(Order::Enforce { on }, None)
    }

    /// Asks for what the gate has counted; it comes as [`Word::Figures`].
    ///
    /// # Errors
    /// As [`answer`](Self::answer).
    pub fn ask_figures(&self) -> Result<(), Errno> {
        self.send(ToGate::Figures, None)
    }

    /// From now on nobody is held: gate and guard end, whoever has still a part in this. It is
    /// dropped as usual afterwards.
    pub fn end(&self) {
        let _ = rustix::net::shutdown(&self.socket, rustix::net::Shutdown::Both);
    }

    fn order(&self, order: Order, on: Option<BorrowedFd<'_>>) -> Result<CommandNumber, Errno> {
        let command = self.commands.fetch_add(1, Ordering::Relaxed);
        self.send(ToGate::Order { command, order }, on)?;
        Ok(CommandNumber(command))
    }

    fn send(&self, message: ToGate, beside: Option<BorrowedFd<'_>>) -> Result<(), Errno> {
        passing::send(self.as_fd(), &message.encode(), beside)
    }
}

impl AsFd for Gate {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        let until = Instant::now() + END_WITHIN;
        for child in self.guard.iter_mut().chain([&mut self.gate]) {
            end(child, until);
        }
    }
}

/// Waits for its end, and brings it about if it does not come.
fn end(child: &mut Child, until: Instant) {
    let Ok(process) = pidfd(child) else {
        return;
    };
    if !readable(process.as_fd(), until) {
        let _ = rustix::process::pidfd_send_signal(&process, Signal::KILL);
        readable(process.as_fd(), Instant::now() + END_WITHIN);
    }
    // One that cannot even be killed is not waited for.
    drop(child.try_wait());
}

fn pidfd(child: &Child) -> Result<OwnedFd, Errno> {
    let pid = as_pid(child.id());
    rustix::process::pidfd_open(pid.ok_or(Errno::SRCH)?, PidfdFlags::empty())
}

pub(crate) fn as_pid(number: u32) -> Option<Pid> {
    i32::try_from(number).ok().and_then(Pid::from_raw)
}

/// Starts one of the two: it gets these two descriptors, and nothing else of ours.
fn spawn(
    options: &Options,
    args: &[String],
    zero: OwnedFd,
    one: OwnedFd,
) -> Result<Child, StartError> {
    Command::new(&options.program)
        .arg0("usher")
        .arg("gate")
        .args(args)
        .env_clear()
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::from(zero))
        .stdout(Stdio::from(one))
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| StartError::Program {
            program: options.program.clone(),
            error,
        })
}

fn word(bytes: &[u8], beside: Option<OwnedFd>) -> Option<Word> {
    match (ToPartner::decode(bytes)?, beside) {
        (ToPartner::Question { number, pid, file }, Some(opened)) => {
            Some(Word::Question(Question {
                number,
                pid,
                id: file,
                file: opened,
            }))
        }
        (ToPartner::Done { command, errno }, _) => Some(Word::Done {
            command: CommandNumber(command),
            result: match errno {
                0 => Ok(()),
                errno => Err(Errno::from_raw_os_error(errno)),
            },
        }),
        (ToPartner::Figures { figures }, _) => Some(Word::Figures(figures)),
        _ => None,
    }
}

fn readable(descriptor: BorrowedFd<'_>, until: Instant) -> bool {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).unwrap_or_default();
        let mut ends = [PollFd::from_borrowed_fd(descriptor, PollFlags::IN)];
        match poll(&mut ends, Some(&timeout)) {
            Ok(ready) => return ready > 0,
            Err(Errno::INTR) if !left.is_zero() => {}
            Err(_) => return false,
        }
    }
}
