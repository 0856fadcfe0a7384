//! The part of an upgrade that touches the data: done in this process, or, if root was called for
//! the data of another account, by a process with that account's rights.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use usher_store::{SnapshotReason, Snapshots, Taken};

use super::folder::Rehearsing;
use super::record::Record;
use super::rehearsal::{self, Moved, Rehearsal, Step};
use crate::failure::Failure;
use crate::output::print;
use crate::owner::{self, child};

/// A part of an upgrade.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Work {
    /// Rehearses a new version on a copy of the data.
    Rehearse {
        /// The new version's program.
        new: PathBuf,
        /// The program that has to be able to take over again.
        old: PathBuf,
        /// How many snapshots are kept; with 0 none is taken.
        keep: u32,
        /// The new version, as it says itself.
        version: String,
    },
    /// Which version has done its first scheduled pack: then there is no way back.
    Packed,
    /// Rehearses that the version before takes over again.
    GoBack {
        /// The program of the version before.
        before: PathBuf,
        /// The version before, as it says itself.
        version: String,
    },
    /// Stores the record of the upgrade.
    Keep(Record),
}

/// The result of a part of an upgrade.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// The snapshot that was kept.
    pub(crate) snapshot: Option<PathBuf>,
    /// Leases that were out on the copy.
    pub(crate) leases: usize,
    /// What was rehearsed, and how long it took.
    pub(crate) steps: Vec<(Step, Duration)>,
    /// The version that has done its first scheduled pack, and when, in Unix milliseconds.
    pub(crate) packed: Option<(String, i64)>,
}

/// What the process with the owner's rights says, a line each.
#[derive(Debug, Serialize, Deserialize)]
enum Word {
    Step(Step, Duration),
    Done(Outcome),
    Failed(String, Option<String>),
}

/// Does a part of an upgrade of `data` with the rights of its owner. `told` hears each step.
pub(crate) async fn carry_out(
    work: Work,
    data: &Path,
    told: impl Fn(Step, Duration),
) -> Result<Outcome, Failure> {
    match owner::of(data)? {
        None => here(work, data, &told).await,
        // It waits for nobody else: this process does nothing meanwhile.
        Some(_) => by_child(&work, data, told),
    }
}

fn by_child(work: &Work, data: &Path, told: impl Fn(Step, Duration)) -> Result<Outcome, Failure> {
    let failed = |error: std::io::Error| {
        Failure::failed(format!(
            "cannot start a process with the rights of the owner of {}: {error}",
            data.display()
        ))
    };
    let mut child = child::command(data, work)
        .and_then(|mut command| command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn())
        .map_err(failed)?;
    let mut outcome = None;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            match serde_json::from_str(&line) {
                Ok(Word::Step(step, took)) => told(step, took),
                Ok(Word::Done(done)) => outcome = Some(Ok(done)),
                Ok(Word::Failed(message, next)) => {
                    let failure = Failure::failed(message);
                    outcome = Some(Err(match next {
                        Some(next) => failure.next(next),
                        None => failure,
                    }));
                }
                Err(error) => outcome = Some(Err(failed(error.into()))),
            }
        }
    }
    let status = child.wait().map_err(failed)?;
    // It has told by itself why it could not begin.
    outcome.unwrap_or_else(|| {
        Err(Failure::failed(format!(
            "what was to be done in {} was not done: {status}",
            data.display()
        )))
    })
}

impl child::Job for Work {
    const NAME: &'static str = "upgrade";

    fn carry_out(self, data: &Path) -> Result<(), Failure> {
        let say = |word: &Word| {
            let text = serde_json::to_string(word)
                .map_err(|error| Failure::failed(format!("cannot tell what was done: {error}")))?;
            print(&format!("{text}\n"))
        };
        // The work continues if nobody reads the line.
        let told = |step, took| drop(say(&Word::Step(step, took)));
        let done = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::failed(format!("cannot start: {error}")))?
            .block_on(Box::pin(here(self, data, &told)));
        match done {
            Ok(outcome) => say(&Word::Done(outcome)),
            Err(Failure::Said { message, next, .. }) => say(&Word::Failed(message, next)),
            Err(other) => Err(other),
        }
    }
}

async fn here(work: Work, data: &Path, told: &dyn Fn(Step, Duration)) -> Result<Outcome, Failure> {
    match work {
        Work::Rehearse {
            new,
            old,
            keep,
            version,
        } => rehearse((new, old), keep, &version, data, told).await,
        Work::Packed => packed(data),
        Work::GoBack { before, version } => go_back(&before, &version, data).await,
        Work::Keep(record) => record
            .keep(data)
            .map(|()| Outcome::default())
            .map_err(|error| {
                Failure::failed(format!(
                    "cannot write upgrade.json in {}: {error}",
                    data.display()
                ))
            }),
    }
}

fn room_in(data: &Path) -> Result<Rehearsing, Failure> {
    Rehearsing::begin(data)
        .map_err(|error| Failure::failed(format!("cannot rehearse in {}: {error}", data.display())))
}

async fn rehearse(
    (new, old): (PathBuf, PathBuf),
    keep: u32,
    version: &str,
    data: &Path,
    told: &dyn Fn(Step, Duration),
) -> Result<Outcome, Failure> {
    let room = room_in(data)?;
    let snapshot = snapshot(data, keep, room.path())?;
    let rehearsal = Rehearsal {
        new,
        old: Some(old),
        data: room.path().to_owned(),
    };
    let done = |moved: Moved| {
        if let Moved::Done(step, took) = moved {
            told(step, took);
        }
    };
    let rehearsed = rehearsal::rehearse(&rehearsal, done)
        .await
        .map_err(|fault| {
            Failure::failed(format!(
                "{version} is not to be trusted with this data: it fails when it {}: {}",
                fault.step.words(),
                fault.why
            ))
            .next("Nothing was changed; the version that ran serves on.")
        })?;
    Ok(Outcome {
        snapshot,
        leases: rehearsed.leases,
        steps: rehearsed.steps,
        packed: None,
    })
}

fn packed(data: &Path) -> Result<Outcome, Failure> {
    let found = usher_store::found(data).map_err(|error| Failure::failed(error.to_string()))?;
    let served = found.and_then(|found| found.served_by);
    Ok(Outcome {
        packed: served.and_then(|served| Some((served.version, served.packed_at?))),
        ..Outcome::default()
    })
}

async fn go_back(before: &Path, version: &str, data: &Path) -> Result<Outcome, Failure> {
    let room = room_in(data)?;
    snapshot(data, 0, room.path())?;
    rehearsal::takes_over(before, room.path())
        .await
        .map(|()| Outcome::default())
        .map_err(|fault| {
            Failure::failed(format!("{version} cannot take over again: {}", fault.why))
                .next("Nothing was changed.")
        })
}

/// Keeps a snapshot, and puts a copy of it into `room` for the trial.
fn snapshot(data: &Path, keep: u32, room: &Path) -> Result<Option<PathBuf>, Failure> {
    let failed = |why: String| {
        Failure::failed(format!("cannot copy the data in {}: {why}", data.display()))
            .next("It takes twice as much room as the data.")
    };
    let copy = room.join("cache.db");
    if keep == 0 {
        // None is kept, and those that are stay.
        return match usher_store::copy(&data.join("cache.db"), &copy) {
            Ok(()) => Ok(None),
            Err(error) => Err(failed(error.to_string())),
        };
    }
    let taken = Snapshots::of(data)
        .take(SnapshotReason::Upgrade, keep)
        .map_err(|error| failed(error.to_string()))?;
    let snapshot = match taken {
        Taken::Kept(snapshot) => snapshot,
        Taken::Skipped(why) => return Err(failed(why)),
    };
    std::fs::copy(&snapshot.path, &copy).map_err(|error| failed(error.to_string()))?;
    Ok(Some(snapshot.path))
}
