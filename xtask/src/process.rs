//! Running programs: their output stays visible, and nothing that they started outlives them.
//!
//! Each program gets a process group of its own, and this process adopts orphans (it is a child
//! subreaper), so a server that a test left behind is found and ended even if it left the group.
//! Nothing is waited for without a bound: a process of which a thread hangs in the kernel does not end.
//! Programs do not outlive this process either, also if it is killed: another one sees to that.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions};
use usher_testing::undo::{self, Undo};

use crate::bounded::{POLL, State, state_of, within};
use crate::held::Held;
use crate::leftovers;

/// How long a program may take to end after SIGTERM before it is killed.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long it may take to end after SIGKILL before it is given up.
const GIVEN_UP: Duration = Duration::from_secs(20);
/// The name of a process that gives back what a test has changed: it ends by itself.
const UNDO: &[u8] = b"usher-undo";

/// Runs programs until the user says stop (SIGINT, SIGTERM).
#[derive(Debug)]
pub(crate) struct Runner {
    interrupted: Arc<AtomicBool>,
    /// What runs beside others, which does not end with them.
    beside: RefCell<Vec<Pid>>,
    /// Where tests make files and folders.
    folders: Vec<PathBuf>,
}

/// A program that runs beside others until [`Runner::finish`].
#[derive(Debug)]
pub(crate) struct Beside {
    name: String,
    child: Child,
    output: PathBuf,
    ends: Undo,
}

impl Runner {
    /// Takes over SIGINT and SIGTERM, and the children of children.
    pub(crate) fn new() -> Result<Self, String> {
        let interrupted = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&interrupted))
                .map_err(|error| format!("cannot take over signal {signal}: {error}"))?;
        }
        rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
            .map_err(|error| format!("cannot adopt the children of children: {error}"))?;
        Ok(Runner {
            interrupted,
            beside: RefCell::default(),
            folders: vec![std::env::temp_dir()],
        })
    }

    /// Tests make files there, too.
    pub(crate) fn sweeps_also(mut self, folder: PathBuf) -> Self {
        self.folders.push(folder);
        self
    }

    /// Runs a program to its end; an error says how it failed. What it left running is ended.
    pub(crate) fn run(&self, command: &mut Command) -> Result<(), String> {
        self.run_within(Duration::MAX, command)
    }

    /// The same of one that is ended when it lasts longer.
    pub(crate) fn run_within(&self, limit: Duration, command: &mut Command) -> Result<(), String> {
        let name = command.get_program().to_string_lossy().into_owned();
        if self.is_interrupted() {
            return Err("interrupted".to_owned());
        }
        let failed = |error| format!("cannot start {name}: {error}");
        let held = Held::start(command, |_| {}).map_err(failed)?;
        let ends = undo::end_with_test(&[held.id()]).map_err(failed)?;
        let ended = self.wait(held.let_go().map_err(failed)?, limit);
        drop(ends);
        for what in self.sweep() {
            eprintln!("xtask: {name} left something: {what}");
        }
        if self.is_interrupted() {
            return Err("interrupted".to_owned());
        }
        describe(&name, ended.map_err(|error| format!("{name}: {error}"))?)
    }

    /// Begins a program that runs beside others; what it says goes to a file.
    pub(crate) fn begin(&self, command: &mut Command, output: &Path) -> Result<Beside, String> {
        let name = command.get_program().to_string_lossy().into_owned();
        let failed = |error| format!("cannot start {name}: {error}");
        let file = fs::File::create(output).map_err(failed)?;
        let same = file.try_clone().map_err(failed)?;
        let held = Held::start(command, |held| {
            held.stdout(same).stderr(file);
        })
        .map_err(failed)?;
        let ends = undo::end_with_test(&[held.id()]).map_err(failed)?;
        let child = held.let_go().map_err(failed)?;
        let beside = Beside {
            name,
            child,
            ends,
            output: output.to_owned(),
        };
        self.beside.borrow_mut().extend(beside.pids());
        Ok(beside)
    }

    /// Waits for the end of what was begun, shows what it said, and says how it failed.
    pub(crate) fn finish(&self, beside: Beside) -> Result<(), String> {
        let pids: Vec<Pid> = beside.pids().collect();
        let ended = self.wait(beside.child, Duration::MAX);
        drop(beside.ends);
        self.forget(&pids);
        print!("{}", fs::read_to_string(&beside.output).unwrap_or_default());
        let status = ended.map_err(|error| format!("{}: {error}", beside.name))?;
        describe(&beside.name, status)
    }

    /// Ends what was begun; an error says that it had ended by itself, and what it said.
    pub(crate) fn end(&self, mut beside: Beside) -> Result<(), String> {
        let pids: Vec<Pid> = beside.pids().collect();
        let ended = beside.child.try_wait();
        let is_gone = kill(&mut beside.child);
        drop(beside.ends);
        self.forget(&pids);
        let name = &beside.name;
        match ended {
            Ok(None) if is_gone => Ok(()),
            Ok(None) => Err(format!("{name} was killed and hangs in the kernel")),
            Ok(Some(status)) => {
                let said = fs::read_to_string(&beside.output).unwrap_or_default();
                Err(format!("{name} had ended ({status}): {}", said.trim()))
            }
            Err(error) => Err(format!("{name}: {error}")),
        }
    }

    /// These run beside others no more.
    fn forget(&self, pids: &[Pid]) {
        self.beside.borrow_mut().retain(|pid| !pids.contains(pid));
    }

    /// Whether the user has said stop.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    fn wait(&self, mut child: Child, limit: Duration) -> io::Result<ExitStatus> {
        let group = Pid::from_child(&child);
        let began = Instant::now();
        let mut asked_at: Option<Instant> = None;
        loop {
            if let Some(status) = child.try_wait()? {
                // The group may hold others still; that it is empty is no error.
                let _ = rustix::process::kill_process_group(group, Signal::KILL);
                return Ok(status);
            }
            match asked_at {
                None if self.is_interrupted() || began.elapsed() > limit => {
                    let _ = rustix::process::kill_process_group(group, Signal::TERM);
                    asked_at = Some(Instant::now());
                }
                Some(at) if at.elapsed() > PATIENCE + GIVEN_UP => {
                    let what = "it was killed and does not end: a thread of it hangs in the kernel";
                    return Err(io::Error::other(what));
                }
                Some(at) if at.elapsed() > PATIENCE => {
                    let _ = rustix::process::kill_process_group(group, Signal::KILL);
                }
                _ => {}
            }
            thread::sleep(POLL);
        }
    }

    /// Thaws, ends, unmounts and removes what was left, and says what that was.
    pub(crate) fn sweep(&self) -> Vec<String> {
        let mut done = leftovers::thaw();
        done.extend(end_adopted(&self.beside.borrow(), GIVEN_UP));
        // What has been killed only now owns nothing any more.
        done.extend(leftovers::thaw());
        done.extend(leftovers::remove(&self.folders));
        done
    }
}

impl Beside {
    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// The program and what ends it with this process.
    fn pids(&self) -> impl Iterator<Item = Pid> + use<> {
        let ends = i32::try_from(self.ends.id()).ok().and_then(Pid::from_raw);
        [Some(Pid::from_child(&self.child)), ends]
            .into_iter()
            .flatten()
    }
}

/// Kills a program and all of its group; whether it is gone.
fn kill(child: &mut Child) -> bool {
    let _ = rustix::process::kill_process_group(Pid::from_child(child), Signal::KILL);
    within(GIVEN_UP, || !matches!(child.try_wait(), Ok(None)))
}

fn describe(name: &str, status: ExitStatus) -> Result<(), String> {
    if status.success() {
        return Ok(());
    }
    Err(match (status.code(), status.signal()) {
        (Some(code), _) => format!("{name} ended with exit code {code}"),
        (None, Some(signal)) => format!("{name} was ended by signal {signal}"),
        (None, None) => format!("{name} failed"),
    })
}

/// Kills what became a child of this process because its own parent is gone, and says what it was.
/// One that is a zombie has ended by itself; one that undoes what a test did is left to it.
pub(crate) fn end_adopted(beside: &[Pid], patience: Duration) -> Vec<String> {
    let mut told = BTreeMap::new();
    let are_gone = within(patience, || {
        let mut children = children_of(rustix::process::getpid());
        children.retain(|(pid, _)| !beside.contains(pid));
        for (pid, name) in &children {
            let _ = rustix::process::kill_process(*pid, Signal::CONT);
            let number = pid.as_raw_nonzero().get();
            if state_of(number) == State::Lives && !undoes(number) {
                let _ = rustix::process::kill_process(*pid, Signal::KILL);
                told.insert(number, format!("{name} ({number}) ran, ended now"));
            }
            let _ = rustix::process::waitpid(Some(*pid), WaitOptions::NOHANG);
        }
        children.is_empty()
    });
    if !are_gone {
        for (pid, name) in children_of(rustix::process::getpid()) {
            if !beside.contains(&pid) {
                let number = pid.as_raw_nonzero().get();
                let what = match undoes(number) {
                    true => "undoes something still",
                    false => "was killed and hangs in the kernel",
                };
                let what = format!("{name} ({number}) {what}");
                told.insert(number, what);
            }
        }
    }
    told.into_values().collect()
}

/// Whether a process gives back what a test has changed.
fn undoes(pid: i32) -> bool {
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|words| words.starts_with(UNDO))
}

/// The children of a process, zombies too, with their names.
pub(crate) fn children_of(parent: Pid) -> Vec<(Pid, String)> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .filter_map(|pid| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            let (name, of) = parse_stat(&stat)?;
            (of == parent.as_raw_nonzero().get()).then_some((Pid::from_raw(pid)?, name.to_owned()))
        })
        .collect()
}

/// Name and parent out of a line of `/proc/PID/stat`; the name may hold spaces and parentheses.
fn parse_stat(stat: &str) -> Option<(&str, i32)> {
    let (_, rest) = stat.split_once('(')?;
    let (name, rest) = rest.rsplit_once(')')?;
    let parent = rest.split_whitespace().nth(1)?.parse().ok()?;
    Some((name, parent))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep_tests::alone;

    #[test]
    fn a_process_name_may_hold_parentheses_and_spaces() {
        assert_eq!(parse_stat("42 (a ) (b) S 7 42 42 0"), Some(("a ) (b", 7)));
        assert_eq!(parse_stat("42 torn"), None);
    }

    #[test]
    fn a_failure_names_the_program_and_its_exit_code() {
        let status = ExitStatus::from_raw(3 << 8);
        assert_eq!(
            describe("deny", status),
            Err("deny ended with exit code 3".to_owned())
        );
        assert_eq!(
            describe("deny", ExitStatus::from_raw(9)),
            Err("deny was ended by signal 9".to_owned())
        );
    }

    #[test]
    fn what_runs_beside_others_does_not_end_with_them_and_its_failure_is_told() {
        let _alone = alone();
        let runner = Runner::new().unwrap();
        let path = |name| std::env::temp_dir().join(format!("xtask-{name}-{}", std::process::id()));
        let (output, pipe) = (path("beside"), path("pipe"));
        runner.run(Command::new("mkfifo").arg(&pipe)).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "read -r line <\"$0\"; echo \"$line\"; exit 3"]);
        let beside = runner.begin(command.arg(&pipe), &output).unwrap();
        runner.run(&mut Command::new("true")).unwrap();
        let mut go_on = Command::new("sh");
        go_on.args(["-c", "echo still there >\"$0\""]);
        runner.run(go_on.arg(&pipe)).unwrap();
        let failed = runner.finish(beside).unwrap_err();
        assert!(failed.contains("exit code 3"), "{failed}");
        assert_eq!(fs::read_to_string(&output).unwrap(), "still there\n");
        for file in [output, pipe] {
            fs::remove_file(file).unwrap();
        }
    }

    #[test]
    fn of_what_ran_beside_others_nothing_is_remembered_once_it_was_ended() {
        let _alone = alone();
        let runner = Runner::new().unwrap();
        let name = format!("xtask-ended-{}", std::process::id());
        let output = std::env::temp_dir().join(name);
        let mut command = Command::new("tail");
        let beside = runner
            .begin(command.args(["-f", "/dev/null"]), &output)
            .unwrap();
        assert_eq!(runner.beside.borrow().len(), 2, "it and what ends it");
        runner.end(beside).unwrap();
        fs::remove_file(output).unwrap();
        assert_eq!(*runner.beside.borrow(), []);
    }

    #[test]
    fn what_a_program_leaves_running_is_ended_with_it() {
        let _alone = alone();
        let runner = Runner::new().unwrap();
        let mark = std::env::temp_dir().join(format!("xtask-left-{}", std::process::id()));
        // A daemon of its own session, as a careless test would leave it.
        let script = format!(
            "setsid sh -c 'echo $$ >{0}.new; mv {0}.new {0}; exec tail -f /dev/null' & while ! test -e {0}; do :; done",
            mark.display()
        );
        runner
            .run(Command::new("sh").args(["-c", &script]))
            .unwrap();
        let pid = fs::read_to_string(&mark).unwrap();
        fs::remove_file(&mark).unwrap();
        assert!(!std::path::Path::new(&format!("/proc/{}", pid.trim())).exists());
    }
}
