//! Polling a process tree, if tracing is forbidden.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{WaitOptions, getpid, set_child_subreaper, wait};

use super::{Start, Watched, hosted, work};
use crate::failure::Failure;
use crate::run::child::{Child, News};
use crate::run::signals::Signals;

/// How long a program must run to be seen for certain.
const PERIOD: Duration = Duration::from_millis(2);

/// Starts the command and looks at it and its descendants until all have ended.
pub(super) async fn watch(
    file: &Path,
    words: &[OsString],
    signals: &mut Signals,
) -> Result<Watched, Failure> {
    // What loses its parent becomes a child of this process, and so stays in the tree.
    set_child_subreaper(Some(getpid())).map_err(|error| {
        Failure::failed(format!("cannot keep the process tree together: {error}"))
    })?;
    let child = Child::start(file, words, &[], signals.mask_before())?;
    let begun = Instant::now();
    let mut watched = Watched {
        can_miss: Some(
            "tracing is not allowed here, so programs that ran for less than some milliseconds can be missing",
        ),
        ..Watched::default()
    };
    let mut known: HashMap<i32, Known> = HashMap::new();
    let mut root_ended = false;
    let mut told_to_stop = false;
    loop {
        look(&mut known, &mut watched, begun.elapsed());
        if !root_ended && let News::Ended(code) = child.news() {
            watched.code = code;
            root_ended = true;
        }
        // Only when the command itself was waited for may others be.
        if root_ended && !orphans_left() {
            break;
        }
        if let Ok(caught) = tokio::time::timeout(PERIOD, signals.next()).await {
            if caught.ends() {
                if told_to_stop {
                    break;
                }
                told_to_stop = true;
            }
            if !root_ended && !caught.from_terminal && caught.signal != nix::sys::signal::SIGCHLD {
                child.signal(caught.signal);
            }
        }
    }
    watched.length = begun.elapsed();
    Ok(watched)
}

/// Reaps the processes that have ended; returns whether any is left.
fn orphans_left() -> bool {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

/// A process of the tree.
struct Known {
    path: PathBuf,
    start: Option<usize>,
    /// How much of its processor time is counted already.
    worked: Duration,
}

fn look(known: &mut HashMap<i32, Known>, watched: &mut Watched, now: Duration) {
    let tree = descendants(i32::try_from(std::process::id()).unwrap_or(0));
    known.retain(|pid, process| {
        let lives = tree.contains(pid);
        if !lives {
            watched.end(process.start, now);
        }
        lives
    });
    for pid in tree {
        let Ok(path) = std::fs::read_link(format!("/proc/{pid}/exe")) else {
            continue;
        };
        let worked = work::of_process(pid).unwrap_or_default();
        match known.get_mut(&pid) {
            Some(before) if before.path == path => {
                watched.work(before.start, worked.saturating_sub(before.worked));
                before.worked = worked;
                continue;
            }
            Some(before) => watched.end(before.start, now),
            // Between fork and exec it still shows this very program.
            None if std::env::current_exe().is_ok_and(|own| own == path) => continue,
            None => {}
        }
        let hosted = hosted::is_of_wine(&path)
            .then(|| hosted::of(&PathBuf::from(format!("/proc/{pid}")), &path))
            .flatten();
        let start = watched.push(Start {
            path: path.clone(),
            hosted,
            begun: now,
            ended: None,
            worked: Duration::ZERO,
        });
        known.insert(
            pid,
            Known {
                path,
                start,
                worked,
            },
        );
    }
}

fn descendants(of: i32) -> Vec<i32> {
    let mut found = Vec::new();
    let mut open = vec![of];
    while let Some(pid) = open.pop() {
        let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else {
            continue;
        };
        for thread in threads.flatten() {
            let Ok(children) = std::fs::read_to_string(thread.path().join("children")) else {
                continue;
            };
            let children = children
                .split_ascii_whitespace()
                .filter_map(|pid| pid.parse::<i32>().ok());
            open.extend(children.clone());
            found.extend(children);
        }
    }
    found
}
