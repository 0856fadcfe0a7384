//! Which processes end with a session, and how they are told: only those that are still the same.

use rustc_hash::FxHashSet;
use usher_core::identify::{ProgramRole, Started};
use usher_core::sessions::{ProcessKey, Session, SessionId, Sessions};
use usher_platform::process::{Handle, Word};

use crate::identity::Identifier;
use crate::identity::needed::needed_here;
use crate::system::procfs;

/// Tells processes; one whose pid is another's by now is left alone, and so is what the computer
/// needs, whatever a rule says of it.
pub(super) fn signal_all(processes: &[ProcessKey], with: Word) {
    let needed = needed_here();
    let is_needed = |process: &ProcessKey| {
        let Ok((path, key)) = procfs::executable(process.pid, &mut Vec::new()) else {
            // What runs is not known: it may be anything.
            return true;
        };
        let started = Started {
            path: &path,
            file: key.id(),
            is_administrators: procfs::is_roots_executable(process.pid),
        };
        needed.never_refused(&started).is_some()
    };
    for process in processes {
        if !is_needed(process) {
            signal(*process, with);
        }
    }
}

/// Whether the process was there to be told.
fn signal(process: ProcessKey, with: Word) -> bool {
    let is_known = process.pid > 1 && process.start != 0 && process.pid != std::process::id();
    if !is_known {
        return false;
    }
    // It stays the process that has the pid now: whether that is the one that is meant is looked at
    // afterwards.
    let Ok(handle) = Handle::of(process.pid) else {
        return false;
    };
    procfs::still_runs(process) && handle.tell(with).is_ok()
}

/// The processes of a session, and its helpers.
pub(super) fn processes_of(
    id: SessionId,
    sessions: &Sessions,
    identifier: Option<&Identifier>,
) -> Vec<ProcessKey> {
    let Some(session) = sessions.get(id) else {
        return Vec::new();
    };
    let members = sessions.members();
    let mut processes: Vec<ProcessKey> = members
        .filter(|(of, _)| *of == id)
        .map(|(_, key)| key)
        .collect();
    let known: FxHashSet<u32> = processes.iter().map(|key| key.pid).collect();
    let is_only_use = !sessions.open().any(|other| {
        other.id != id
            && other.product == session.product
            && other.who.counted == session.who.counted
    });
    let pids = procfs::all_pids().unwrap_or_default();
    let others = pids.into_iter().filter(|pid| !known.contains(pid));
    for pid in others {
        let is_of_it = || is_only_use || procfs::line_of(pid).any(|pid| known.contains(&pid));
        if let Some(helper) = helper(pid, session, identifier)
            && is_of_it()
        {
            processes.push(helper);
        }
    }
    processes
}

/// The process, if it is a helper of the session's product and runs as its user.
fn helper(pid: u32, session: &Session, identifier: Option<&Identifier>) -> Option<ProcessKey> {
    let start = procfs::process_stat(pid).ok()?.start;
    let (path, key) = procfs::executable(pid, &mut Vec::new()).ok()?;
    let known = identifier?.quick(&path, &key);
    let matched = known.verdict.flatten()?;
    let user = procfs::login_account(pid).or_else(|| procfs::real_account(pid).ok())?;
    let is_one = matched.role == ProgramRole::Helper
        && matched.product == session.product
        && user == session.who.counted;
    is_one.then_some(ProcessKey { pid, start })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn only_the_very_process_is_told_and_nobody_who_has_its_pid_by_now() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let pid = child.id();
        let start = procfs::process_stat(pid).unwrap().start;
        for other in [start + 1, 0] {
            let key = ProcessKey { pid, start: other };
            assert!(!signal(key, Word::Kill));
        }
        assert!(child.try_wait().unwrap().is_none());
        assert!(signal(ProcessKey { pid, start }, Word::Kill));
        child.wait().unwrap();
        assert!(!signal(ProcessKey { pid, start }, Word::Kill));
    }

    #[test]
    fn what_the_computer_needs_is_never_told() {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", "read line"])
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let pid = shell.id();
        let start = procfs::process_stat(pid).unwrap().start;
        signal_all(&[ProcessKey { pid, start }], Word::Kill);
        drop(shell.stdin.take());
        use std::os::unix::process::ExitStatusExt;
        assert_eq!(shell.wait().unwrap().signal(), None);
    }
}
