//! Waits for a process, and kills it after its time.

use std::process::{Child, ExitStatus};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The first pause between two looks; each is twice as long as the one before it.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_millis(20);
/// How long a program that was killed is waited for: one that hangs in the kernel ends when it can.
pub(crate) const KILLED_WITHIN: Duration = Duration::from_secs(2);

/// Waits for the end of a program until `deadline`, then kills it. None if it was killed, or nothing
/// can be learned of it.
///
/// What it writes must have room meanwhile: a pipe of which nobody reads holds 64 KiB on Linux.
pub fn ended_by(child: &mut Child, deadline: Instant) -> Option<ExitStatus> {
    let ended = looked_at_until(child, deadline);
    if ended.is_none() {
        // It may have ended this instant.
        let _ = child.kill();
        looked_at_until(child, Instant::now() + KILLED_WITHIN);
    }
    ended
}

/// As [`ended_by`], for so long from now.
pub fn ended_within(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    ended_by(child, Instant::now() + limit)
}

pub(crate) fn looked_at_until(child: &mut Child, deadline: Instant) -> Option<ExitStatus> {
    let mut pause = SHORTEST_PAUSE;
    loop {
        match child.try_wait() {
            Ok(None) => {}
            Ok(status) => return status,
            Err(_) => return None,
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        sleep(pause.min(left));
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_program_that_ends_in_time_is_told_with_its_status() {
        let mut fails = Command::new("sh").args(["-c", "exit 3"]).spawn().unwrap();
        let status = ended_within(&mut fails, LONG).unwrap();
        assert_eq!(status.code(), Some(3));
    }

    #[test]
    fn a_program_that_does_not_end_is_killed() {
        let mut hangs = Command::new("sleep").arg("600").spawn().unwrap();
        let began = Instant::now();
        assert_eq!(ended_within(&mut hangs, Duration::from_millis(20)), None);
        assert!(hangs.try_wait().unwrap().is_some(), "it is gone");
        assert!(began.elapsed() < LONG);
    }
}
