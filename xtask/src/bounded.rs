//! Looks and waits that end: whether a process lives, whether something comes true in time.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long a program may take to answer a question.
const ANSWER: Duration = Duration::from_secs(60);
/// Between two looks.
pub(crate) const POLL: Duration = Duration::from_millis(20);

/// What can still be had of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Lives,
    /// It is gone, is a zombie, or was killed: if it is there still, it waits in the kernel.
    Over,
}

/// Whether a process lives.
pub(crate) fn state_of(pid: i32) -> State {
    /// SIGKILL in a set of signals as `/proc/PID/status` has it.
    const KILLED: u64 = 1 << (9 - 1);
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name));
    let is_pending = |set: &str| {
        let set = field(set).and_then(|set| u64::from_str_radix(set.trim(), 16).ok());
        set.unwrap_or(0) & KILLED != 0
    };
    let has_ended = field("State:").is_none_or(|state| state.trim().starts_with(['Z', 'X']));
    match has_ended || is_pending("SigPnd:") || is_pending("ShdPnd:") {
        true => State::Over,
        false => State::Lives,
    }
}

/// Whether a program can be found and answers `arguments` with success. Its output is dropped.
pub(crate) fn answers(program: &str, arguments: &[&str]) -> bool {
    succeeds(ANSWER, Command::new(program).args(arguments))
}

/// Runs a command to its end, and not for longer than that; whether it succeeded.
pub(crate) fn succeeds(limit: Duration, command: &mut Command) -> bool {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null());
    let Ok(running) = usher_child::start(command.stderr(Stdio::null())) else {
        return false;
    };
    let status = running.ended_within(limit);
    status.is_some_and(|status| status.success())
}

/// Whether this comes true in time.
pub(crate) fn within(time: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + time;
    while !is_so() {
        if Instant::now() > end {
            return false;
        }
        thread::sleep(POLL);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep_tests::alone;

    #[test]
    fn a_program_that_is_not_there_does_not_answer() {
        let _alone = alone();
        assert!(answers("true", &[]));
        assert!(!answers("false", &[]));
        assert!(!answers("usher-no-such-program", &[]));
    }
}
