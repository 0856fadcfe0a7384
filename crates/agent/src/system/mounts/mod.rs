//! How a start from each mount of a computer is treated: held at the gate, only seen, or neither.
//!
//! The decision is a pure function of the text of a mount table, of what the gate could mark and of
//! which mounts do not answer. Pseudo file systems, which hold no programs, are left out.

mod kinds;
mod namespaces;
mod table;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use usher_api::{MountMark, Watching};

pub use kinds::markable;
pub use namespaces::other_namespaces;
pub use table::{Mount, parse};

/// How far a start from a mount is under control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Starts are held until it is known whether they may run.
    Enforced,
    /// Starts are seen, but run at once.
    Tracked,
    /// Starts may go unseen, or are not known for what they are.
    Blind,
}

/// A mount, and what becomes of a start from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// Where it is mounted, as people read it.
    pub path: String,
    /// Its type, as `ext4`.
    pub fs_type: String,
    /// What becomes of a start from it.
    pub reach: Reach,
    /// Why, in words.
    pub why: String,
    /// Whether that is the mount's own, and not of how the whole computer is watched.
    pub is_its_own: bool,
}

/// What is known of the computer besides its mount table.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// How its agent sees starts; none: no agent answers.
    pub watching: Option<Watching>,
    /// What its gate could mark; none: no gate runs.
    pub marks: Option<&'a [MountMark]>,
    /// Why its enforcement is off; none: it is on.
    pub enforcement_off: Option<&'a str>,
}

/// What becomes of a start from each of `mounts`, in their order. `hung` are the paths that do not
/// answer. Of mounts one over the other only the upper can be reached, and is told.
pub fn judge(mounts: &[Mount], hung: &HashSet<Vec<u8>>, known: &Known<'_>) -> Vec<Outlook> {
    let is_covered = |at: usize| {
        let above = mounts[at + 1..].iter();
        above.clone().any(|other| other.path == mounts[at].path)
    };
    let reachable = (0..mounts.len()).filter(|at| !is_covered(*at));
    reachable
        .map(|at| &mounts[at])
        .filter(|mount| !mount.holds_no_programs())
        .map(|mount| {
            let (reach, why) = outlook(mount, hung.contains(&mount.path), known);
            Outlook {
                path: mount.shown_path(),
                fs_type: mount.fs_type.clone(),
                reach,
                why,
                is_its_own: reach != Reach::Blind || hung.contains(&mount.path),
            }
        })
        .collect()
}

/// The same for a mount that only other mount namespaces have.
pub fn judge_elsewhere(mount: &Mount, whose: &str, known: &Known<'_>) -> Outlook {
    let (reach, why) = match known.watching {
        None => no_agent(),
        Some(watching) => {
            let why = format!("it is mounted in a namespace of its own ({whose}) only");
            seen(watching, why)
        }
    };
    Outlook {
        path: mount.shown_path(),
        fs_type: mount.fs_type.clone(),
        reach,
        why,
        is_its_own: reach != Reach::Blind,
    }
}

fn outlook(mount: &Mount, is_hung: bool, known: &Known<'_>) -> (Reach, String) {
    if is_hung {
        let why = "it does not answer: what is started from it is known by its path alone";
        return (Reach::Blind, why.to_owned());
    }
    if mount.is_noexec {
        let why = "it is mounted noexec: nothing can be started from it";
        return (Reach::Enforced, why.to_owned());
    }
    let Some(watching) = known.watching else {
        return no_agent();
    };
    match why_not_held(mount, known) {
        None => (
            Reach::Enforced,
            "its starts are held at the gate".to_owned(),
        ),
        Some(why) => seen(watching, why),
    }
}

/// Why starts from it are not held; none: they are.
fn why_not_held(mount: &Mount, known: &Known<'_>) -> Option<String> {
    if let Some(why) = known.enforcement_off {
        return Some(format!("enforcement is off: {why}"));
    }
    if let Err(why) = markable(&mount.fs_type) {
        return Some(why.to_owned());
    }
    let Some(marks) = known.marks else {
        return Some("no gate runs on this computer".to_owned());
    };
    let path = mount.shown_path();
    match marks.iter().rev().find(|mark| mark.path == path) {
        Some(MountMark { why_not: None, .. }) => None,
        Some(MountMark { why_not, .. }) => why_not.clone(),
        None => Some("the gate has not marked it".to_owned()),
    }
}

fn seen(watching: Watching, why: String) -> (Reach, String) {
    match watching {
        Watching::Ebpf | Watching::KernelEvents => (Reach::Tracked, why),
        Watching::Polling => (
            Reach::Blind,
            format!("{why}; the agent only looks now and then, and misses short runs"),
        ),
    }
}

fn no_agent() -> (Reach, String) {
    (Reach::Blind, "no agent answers on this computer".to_owned())
}
