//! The second thread: reads the files that have to be read, in the order in which they were
//! started, and passes everything on.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;

use usher_core::identify::ProgramRole;
use usher_core::sessions::{Event, Process, ProcessKey, Program, Stamp, Who};

use super::{ObservedEvent, Shared};
use crate::base::lock;
use crate::identity::file::Target;
use crate::identity::{Known, Verdict, display_name};

/// What the watcher's thread saw, as it passes it on.
#[derive(Debug)]
pub(super) enum Raw {
    Runs {
        at: Stamp,
        key: ProcessKey,
        parent: u32,
        who: Who,
        run: Run,
        since: Option<Stamp>,
    },
    Forked {
        at: Stamp,
        parent: u32,
        child: ProcessKey,
    },
    Exited {
        at: Stamp,
        pid: u32,
    },
    Settled {
        at: Stamp,
    },
}

/// The program that a process runs.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) name: Arc<str>,
    /// What it is; `None`: `targets` are to be read, and the first that is a product's counts.
    pub(super) verdict: Option<Verdict>,
    pub(super) targets: Vec<Target>,
}

impl Run {
    pub(super) fn known(known: Known) -> Self {
        Run {
            name: known.name,
            verdict: known.verdict,
            targets: Vec::new(),
        }
    }
}

/// Starts the thread. It ends when the watcher's or the agent's end of its channels is gone.
pub(super) fn spawn(
    shared: Arc<Shared>,
    raw: Receiver<Raw>,
    seen: tokio::sync::mpsc::Sender<ObservedEvent>,
) -> io::Result<()> {
    usher_vital::spawn("usher-identify", move || {
        shared.identifier.prepare();
        for raw in raw {
            usher_vital::plant::thread();
            shared.waiting.fetch_sub(1, Ordering::Relaxed);
            if matches!(raw, Raw::Settled { .. }) {
                shared.identifier.prepare();
            }
            let is_scan = matches!(&raw, Raw::Runs { since: Some(_), .. });
            // A file that cannot be read without a panic is one start that is not seen.
            let Ok(sighting) = usher_vital::catch("a start", || resolve(&shared, raw, is_scan))
            else {
                continue;
            };
            if seen.blocking_send(sighting).is_err() {
                return;
            }
        }
    })
    .map(drop)
}

fn resolve(shared: &Shared, raw: Raw, is_scan: bool) -> ObservedEvent {
    match raw {
        Raw::Runs {
            at,
            key,
            parent,
            who,
            run,
            since,
        } => {
            let (name, verdict, nobodys) = identify(shared, run, is_scan);
            if let Some(path) = nobodys {
                let since = since.unwrap_or(at);
                shared.began(key.pid, &path, &name, since.boot_ms);
            }
            let program = Program {
                name,
                version: verdict.as_ref().and_then(|matched| matched.version.clone()),
            };
            let uses = verdict.map(|matched| matched.as_use());
            if uses.is_some() {
                shared.accounts.learn(who.counted);
                shared.accounts.learn(who.real);
            }
            let event = Event::Runs(Process {
                key,
                parent,
                who,
                program,
                uses,
                since,
            });
            ObservedEvent { at, event }
        }
        Raw::Forked { at, parent, child } => {
            let event = Event::Forked { parent, child };
            ObservedEvent { at, event }
        }
        Raw::Exited { at, pid } => {
            let event = Event::Exited { pid };
            ObservedEvent { at, event }
        }
        Raw::Settled { at } => {
            let event = Event::Settled;
            ObservedEvent { at, event }
        }
    }
}

/// What the program is, and by which of the targets; the path if it turned out to be no product's.
fn identify(shared: &Shared, mut run: Run, is_scan: bool) -> (Arc<str>, Verdict, Option<Vec<u8>>) {
    if let Some(verdict) = run.verdict {
        return (run.name, verdict, None);
    }
    for target in &run.targets {
        if let Some(matched) = shared.identifier.thorough(target) {
            let name = display_name(&target.path);
            if matched.role == ProgramRole::Helper && !is_scan {
                lock(&shared.counts).add(&name, 1);
            }
            return (name, Some(matched), None);
        }
    }
    // The executable itself is counted, not the script that it runs.
    let path = run.targets.pop().map(|target| target.path);
    let name = path.as_ref().map_or(run.name, |path| display_name(path));
    if !is_scan {
        lock(&shared.counts).add(&name, 1);
    }
    (name, None, path)
}
