//! Moves the guard out of the agent's control group: freezing that group freezes agent and gate,
//! but must not freeze the guard, which lets starts go on.

use std::fs;
use std::path::{Path, PathBuf};

/// Where the control groups of version 2 may be mounted.
const ROOTS: [&str; 2] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
const OWN_GROUP: &str = "usher-guard";

/// Moves this process to a group of its own, if that may be done.
pub(crate) fn leave() -> std::io::Result<()> {
    let group = root().ok_or(std::io::ErrorKind::NotFound)?.join(OWN_GROUP);
    if !group.is_dir() {
        fs::create_dir(&group)?;
    }
    fs::write(group.join("cgroup.procs"), "0")
}

fn root() -> Option<PathBuf> {
    let mut roots = ROOTS.iter().map(Path::new);
    let found = roots.find(|root| root.join("cgroup.controllers").exists());
    found.map(Path::to_owned)
}

/// Whether a process is in another group than this one.
pub(crate) fn stands_apart(pid: u32) -> bool {
    let of = |process: &str| {
        let groups = fs::read_to_string(format!("/proc/{process}/cgroup")).ok()?;
        let group = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
        Some(group.to_owned())
    };
    of(&pid.to_string()).is_some_and(|theirs| of("self").is_some_and(|ours| ours != theirs))
}
