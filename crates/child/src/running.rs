//! Commands with process groups of their own.

use std::collections::HashMap;
use std::io;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use usher_platform::process::{Group, Word, has_ended, in_own_group};

use crate::wait::{KILLED_WITHIN, looked_at_until};

/// How long those that are told to end have before they are killed.
const GRACE: Duration = Duration::from_secs(2);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// Starts a command in a process group of its own. Whoever starts it waits for it on the same thread.
///
/// # Errors
/// It cannot be started.
pub fn start(command: &mut Command) -> io::Result<Running> {
    Commands::default().start(command)
}

/// Commands that end together: a process ends those that it has started before it ends itself.
#[derive(Debug, Clone, Default)]
pub struct Commands(Arc<Mutex<All>>);

#[derive(Debug, Default)]
struct All {
    is_over: bool,
    /// By the numbers of their first processes, which were not waited for yet: a group that is gone may
    /// have left its number to another.
    running: HashMap<u32, Arc<Group>>,
    /// How many others are being ended by who has started them.
    ending: usize,
}

impl Commands {
    fn all(&self) -> MutexGuard<'_, All> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As [`start`].
    ///
    /// # Errors
    /// It cannot be started, or [`Commands::end`] was called.
    pub fn start(&self, command: &mut Command) -> io::Result<Running> {
        in_own_group(command);
        // Nobody ends all of them between the start and the note of it.
        let mut all = self.all();
        if all.is_over {
            let why = "the process that starts it is ending";
            return Err(io::Error::other(why));
        }
        let mut child = command.spawn()?;
        let group = match Group::of(child.id()) {
            Ok(group) => Arc::new(group),
            Err(error) => {
                let _ = child.kill();
                looked_at_until(&mut child, Instant::now() + KILLED_WITHIN);
                return Err(error);
            }
        };
        all.running.insert(child.id(), group.clone());
        drop(all);
        Ok(Running {
            child,
            group,
            commands: self.clone(),
            is_over: false,
        })
    }

    /// Whether [`Commands::end`] was called.
    pub fn is_over(&self) -> bool {
        self.all().is_over
    }

    /// Tells all that run to end, kills after 2 s what has not, and lets none start any more. Returns when
    /// they are gone, after 6 s at the latest.
    pub fn end(&self) {
        self.tell(Word::End);
        if !self.are_gone_by(Instant::now() + GRACE) {
            self.tell(Word::Kill);
            // Whoever ends one itself gives it its own time.
            self.are_gone_by(Instant::now() + GRACE + KILLED_WITHIN);
        }
    }

    fn tell(&self, word: Word) {
        let mut all = self.all();
        all.is_over = true;
        for group in all.running.values() {
            // What the system has no such word for is killed later.
            let _ = group.tell(word);
        }
    }

    fn are_gone_by(&self, deadline: Instant) -> bool {
        loop {
            let all = self.all();
            if all.running.is_empty() && all.ending == 0 {
                return true;
            }
            drop(all);
            if Instant::now() >= deadline {
                return false;
            }
            sleep(PAUSE);
        }
    }
}

/// A command that runs. Dropping it ends it, as [`Running::end`] does.
#[derive(Debug)]
pub struct Running {
    child: Child,
    group: Arc<Group>,
    commands: Commands,
    is_over: bool,
}

impl Running {
    /// What it prints, if that was to be a pipe and was not taken before.
    pub fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// The same of its error output.
    pub fn stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// Whether its first process has ended.
    ///
    /// # Errors
    /// The system does not say.
    pub fn has_ended(&mut self) -> io::Result<bool> {
        has_ended(&mut self.child)
    }

    /// Waits for the end of its first process until `deadline`. None: it was ended then, or nothing can be
    /// learned of it. In each case all that it has started in its group is ended, too.
    ///
    /// What it writes must have room meanwhile: a pipe of which nobody reads holds 64 KiB on Linux.
    pub fn ended_by(mut self, deadline: Instant) -> Option<ExitStatus> {
        let is_alone = self.is_over_by(deadline);
        let status = self.end_all();
        status.filter(|_| is_alone)
    }

    /// As [`Running::ended_by`], for so long from now.
    pub fn ended_within(self, limit: Duration) -> Option<ExitStatus> {
        self.ended_by(Instant::now() + limit)
    }

    /// Tells all of its group to end, and kills after 2 s what has not. How its first process ended; none:
    /// it hangs in the kernel, or nothing can be learned of it.
    pub fn end(mut self) -> Option<ExitStatus> {
        self.end_all()
    }

    /// Whether the first process ends before that.
    fn is_over_by(&mut self, deadline: Instant) -> bool {
        let mut pause = Duration::from_millis(1);
        loop {
            match self.has_ended() {
                Ok(true) => return true,
                Ok(false) => {}
                Err(_) => return false,
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            sleep(pause.min(left));
            pause = (pause * 2).min(PAUSE);
        }
    }

    fn end_all(&mut self) -> Option<ExitStatus> {
        if std::mem::replace(&mut self.is_over, true) {
            return None;
        }
        let deadline = Instant::now() + GRACE;
        // Until its first process was waited for, the number of the group is its own.
        let can_end = self.group.tell(Word::End).is_ok();
        if !self.is_over_by(if can_end { deadline } else { Instant::now() }) {
            let _ = self.group.tell(Word::Kill);
        }
        {
            let mut all = self.commands.all();
            all.running.remove(&self.child.id());
            all.ending += 1;
        }
        let status = looked_at_until(&mut self.child, Instant::now() + KILLED_WITHIN);
        if !self.is_gone_by(deadline) {
            let _ = self.group.tell(Word::Kill);
            self.is_gone_by(Instant::now() + KILLED_WITHIN);
        }
        self.commands.all().ending -= 1;
        status
    }

    /// Whether none of the group is there before that.
    fn is_gone_by(&self, deadline: Instant) -> bool {
        while self.group.is_there() {
            if Instant::now() >= deadline {
                return false;
            }
            sleep(PAUSE);
        }
        true
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end_all();
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    /// A shell with a child, and the number of that.
    fn with_child(commands: &Commands, script: &str) -> (Running, u32) {
        let mut shell = Command::new("sh");
        shell.args(["-c", script]).stdout(Stdio::piped());
        let mut running = commands.start(&mut shell).unwrap();
        let mut line = String::new();
        let out = running.stdout().unwrap();
        BufReader::new(out).read_line(&mut line).unwrap();
        (running, line.trim().parse().unwrap())
    }

    fn has_gone(pid: u32) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let state = stat.rsplit(')').next().unwrap_or_default().trim_start();
        state.is_empty() || state.starts_with('Z')
    }

    #[test]
    fn a_command_that_ends_in_time_is_told_with_its_status() {
        let mut fails = Command::new("sh");
        let running = start(fails.args(["-c", "exit 3"])).unwrap();
        assert_eq!(running.ended_within(LONG).unwrap().code(), Some(3));
        let error = start(&mut Command::new("/none/such")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_command_that_is_late_is_ended_with_all_that_it_has_started() {
        let commands = Commands::default();
        let (late, child) = with_child(&commands, "sleep 600 & echo $!; wait");
        assert_eq!(late.ended_within(Duration::from_millis(20)), None);
        assert!(has_gone(child));
        // One that does not want to end is killed.
        let stubborn = "trap '' TERM; sleep 600 & echo $!; while :; do wait; done";
        let (late, child) = with_child(&commands, stubborn);
        assert_eq!(late.ended_within(Duration::from_millis(20)), None);
        assert!(has_gone(child));
    }

    #[test]
    fn what_a_command_leaves_behind_ends_with_it() {
        let (ends, child) = with_child(&Commands::default(), "sleep 600 >&2 & echo $!; exit 4");
        assert_eq!(ends.ended_within(LONG).unwrap().code(), Some(4));
        assert!(has_gone(child));
    }

    #[test]
    fn all_commands_end_together_and_none_starts_afterwards() {
        let commands = Commands::default();
        let (ours, children): (Vec<_>, Vec<_>) = (0..3)
            .map(|_| with_child(&commands, "sleep 600 & echo $!; wait"))
            .unzip();
        assert!(!commands.is_over());
        std::thread::scope(|scope| {
            // Who has started them waits for them.
            let waits = ours
                .into_iter()
                .map(|it| scope.spawn(|| it.ended_within(LONG)));
            let waits: Vec<_> = waits.collect();
            commands.end();
            assert!(children.into_iter().all(has_gone));
            for wait in waits {
                assert!(!wait.join().unwrap().unwrap().success());
            }
        });
        assert!(commands.is_over());
        let none = commands.start(&mut Command::new("true")).unwrap_err();
        assert!(none.to_string().contains("is ending"), "{none}");
    }
}
