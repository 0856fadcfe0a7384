//! `usher upgrade`: a new version in place of the one that runs, rehearsed first.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use usher_api::Status;
use usher_cache::{Snapshot, SnapshotReason, Snapshots, Taken};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::{line, print_json};
use crate::upgrade::folder::Rehearsing;
use crate::upgrade::keeper::Keeper;
use crate::upgrade::program::{self, Program};
use crate::upgrade::record::Record;
use crate::upgrade::rehearsal::{self, Moved, Rehearsal, Rehearsed};

/// How long a server that was started anew may take to answer as it should.
const ANSWERS: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(100);

/// Put a new version in the place of the one that runs, after a rehearsal on a copy of the data
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher upgrade ./usher-0.3.0                    rehearses, exchanges, starts anew
  usher upgrade ./usher-0.3.0 --rehearse-only    changes nothing
  usher upgrade --back                           the version before, on the same data

The new version is first tried on a copy of the real data: it starts, grants and takes back, packs,
obeys every control, is killed and comes back, and hands the data back to the version that runs.
Where any of it fails, nothing is changed, and what failed is told (exit 1). Then a snapshot is kept,
the program file is exchanged, and the server is started anew by systemd or `usher up`, which hold
its address meanwhile: no request fails. Where the new version does not serve then, the old one is
put back. Going back exchanges the program, never the data, and is open until the new version has
done its first scheduled pack.

It is to be called where the server runs, by who runs it (root for a service).")]
pub(crate) struct Upgrade {
    /// The new version's program
    #[arg(value_name = "PATH", required_unless_present = "back")]
    path: Option<PathBuf>,
    /// Rehearse, and change nothing
    #[arg(long, conflicts_with = "back")]
    rehearse_only: bool,
    /// Put the version before in its place again
    #[arg(long, conflicts_with = "path")]
    back: bool,
    /// How many snapshots of the data are kept; 0 takes none
    #[arg(long, value_name = "N", default_value_t = 3)]
    keep_snapshots: u32,
}

/// Does it.
pub(crate) fn run(args: &Upgrade, context: &Context) -> Result<(), Failure> {
    // A copy of the data is nobody else's to read.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let data = context.data();
    if !data.join("cache.db").is_file() {
        return Err(
            Failure::usage(format!("{} holds no server's data", data.display()))
                .next("Name its directory with --data DIR."),
        );
    }
    context.block_on(async {
        let keeper = Keeper::find(data).await;
        match (&args.path, args.back) {
            (Some(path), false) => forward(args, path, keeper, context).await,
            _ => back(keeper, context).await,
        }
    })
}

async fn forward(
    args: &Upgrade,
    path: &Path,
    keeper: Option<Keeper>,
    context: &Context,
) -> Result<(), Failure> {
    let data = context.data();
    let Some(keeper) = keeper.or_else(|| args.rehearse_only.then(Keeper::nobody)) else {
        return Err(nobody_keeps(data));
    };
    let room = Rehearsing::begin(data).map_err(|error| {
        Failure::failed(format!("cannot rehearse in {}: {error}", data.display()))
    })?;
    let new = Program::copied(path, &room.path().join("usher-new"))?;
    let old = Program::copied(&keeper.running, &room.path().join("usher-old"))?;
    if !args.rehearse_only {
        answers(&keeper, &old.version, context).await?;
    }
    let kept = if args.rehearse_only {
        0
    } else {
        args.keep_snapshots
    };
    let snapshot = snapshot(data, kept, room.path())?;
    let rehearsed = rehearse(&new, Some(&old), &room, context).await?;
    let record = Record {
        from: old.version.clone(),
        to: new.version.clone(),
        sha256: new.sha256.clone(),
        rehearsed_at: Timestamp::now(),
        program: None,
        exchanged_at: None,
    };
    if args.rehearse_only {
        return told(
            &record,
            &rehearsed,
            snapshot.as_ref(),
            context,
            &format!(
                "{} can take over from {}; nothing was changed.",
                new.version, old.version
            ),
        );
    }
    if new.sha256 == old.sha256 {
        return told(
            &record,
            &rehearsed,
            snapshot.as_ref(),
            context,
            &format!(
                "{} is the very program that runs; nothing was changed.",
                path.display()
            ),
        );
    }
    // The new version looks for it when it starts.
    keep(&record, data)?;
    exchange(&keeper, &new, &old, context).await?;
    let record = Record {
        program: Some(keeper.program.clone()),
        exchanged_at: Some(Timestamp::now()),
        ..record
    };
    keep(&record, data)?;
    told(
        &record,
        &rehearsed,
        snapshot.as_ref(),
        context,
        &format!(
            "{} serves in the place of {}, which stays as {} until the first scheduled pack is done; \
         `usher upgrade --back` returns to it.",
            new.version,
            old.version,
            program::previous(&keeper.program).display()
        ),
    )
}

fn keep(record: &Record, data: &Path) -> Result<(), Failure> {
    record.keep(data).map_err(|error| {
        Failure::failed(format!(
            "cannot write upgrade.json in {}: {error}",
            data.display()
        ))
    })
}

/// The server that is to be exchanged is the one that answers, and its token opens: without that
/// nobody could see whether the new one serves.
async fn answers(keeper: &Keeper, version: &str, context: &Context) -> Result<(), Failure> {
    let api = keeper.api.as_deref().unwrap_or(context.server());
    let client = context.client_of(api, context.token())?;
    let status: Status = client.get("/v1/status").await.map_err(|error| {
        Failure::from(error).next("Where it listens elsewhere, say so with --server URL.")
    })?;
    match status.server.version == version {
        true => Ok(()),
        false => Err(Failure::failed(format!(
            "{api} is another server: it says that it is {}, and the one of {} is {version}",
            status.server.version,
            context.data().display()
        ))
        .next("Name the right one with --server URL.")),
    }
}

fn nobody_keeps(data: &Path) -> Failure {
    Failure::failed(format!(
        "neither systemd nor `usher up` runs the server of {}, so nobody would start the new \
         version",
        data.display()
    ))
    .next(
        "Where it was started by hand, rehearse with --rehearse-only, stop it, and start the new \
         version: it rehearses by itself. As a service, call this as root.",
    )
}

/// Keeps a snapshot, and puts a copy where it can be tried on.
fn snapshot(data: &Path, keep: u32, room: &Path) -> Result<Option<Snapshot>, Failure> {
    let failed = |why: String| {
        Failure::failed(format!("cannot copy the data in {}: {why}", data.display()))
            .next("It takes twice as much room as the data.")
    };
    let copy = room.join("cache.db");
    if keep == 0 {
        // None is kept, and those that are stay.
        return match usher_cache::copy(&data.join("cache.db"), &copy) {
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
    Ok(Some(snapshot))
}

async fn rehearse(
    new: &Program,
    old: Option<&Program>,
    room: &Rehearsing,
    context: &Context,
) -> Result<Rehearsed, Failure> {
    let rehearsal = Rehearsal {
        new: new.path.clone(),
        old: old.map(|old| old.path.clone()),
        data: room.path().to_owned(),
    };
    let is_quiet = context.json();
    if !is_quiet {
        line(format!(
            "Rehearsing {} on a copy of the data. It",
            new.version
        ))?;
    }
    let told = |moved: Moved| {
        if let (false, Moved::Done(step, took)) = (is_quiet, moved) {
            // It goes on where nobody reads it.
            let _ = line(format!(
                "  {:<45} {:>6.1} s",
                step.words(),
                took.as_secs_f64()
            ));
        }
    };
    rehearsal::rehearse(&rehearsal, told)
        .await
        .map_err(|fault| {
            Failure::failed(format!(
                "{} is not to be trusted with this data: it fails where it {}: {}",
                new.version,
                fault.step.words(),
                fault.why
            ))
            .next("Nothing was changed; the version that ran serves on.")
        })
}

/// Exchanges the program and starts the server anew; puts the old one back where it does not serve.
async fn exchange(
    keeper: &Keeper,
    new: &Program,
    old: &Program,
    context: &Context,
) -> Result<(), Failure> {
    let installed = &keeper.program;
    program::exchange(installed, &new.path, &old.path).map_err(|error| {
        Failure::failed(format!(
            "cannot exchange {}: {error}; the version that ran serves on",
            installed.display()
        ))
    })?;
    let Err(why) = serves_anew(keeper, &new.version, context).await else {
        for (role, done) in keeper.restart_others().await {
            if let Err(why) = done {
                line(format!("The {role} could not be started anew: {why}"))?;
            }
        }
        return Ok(());
    };
    let put_back = program::exchange(installed, &old.path, &new.path).map_err(|e| e.to_string());
    let back = match put_back {
        Ok(()) => serves_anew(keeper, &old.version, context).await,
        Err(error) => Err(error),
    };
    let failure = Failure::failed(format!(
        "{} does not serve in the place of {}: {why}",
        new.version, old.version
    ));
    Err(match back {
        Ok(()) => failure.next(format!(
            "{} is back in its place and serves, on the same data; the other program is kept as {}.",
            old.version,
            program::previous(installed).display()
        )),
        Err(error) => failure.next(format!(
            "Nor does {} serve again: {error}. Its program is at {}.",
            old.version,
            installed.display()
        )),
    })
}

/// Starts the server anew, and sees to it that it is that version and does its work.
async fn serves_anew(keeper: &Keeper, version: &str, context: &Context) -> Result<(), String> {
    keeper.restart_server().await?;
    let api = keeper.api.as_deref().unwrap_or(context.server());
    let client = context
        .client_of(api, context.token())
        .map_err(|failure| failure.to_string())?;
    let until = Instant::now() + ANSWERS;
    loop {
        let looked = async {
            let status: Status = client.get("/v1/status").await.map_err(|e| e.to_string())?;
            if status.server.version != version {
                let other = status.server.version;
                return Err(format!("it says that it is {other}, not {version}"));
            }
            let canary = client.post_empty::<Value>("/v1/canary").await;
            canary.map(drop).map_err(|e| e.to_string())
        };
        match looked.await {
            Ok(()) => return Ok(()),
            Err(why) if Instant::now() > until => return Err(why),
            Err(_) => sleep(LOOK).await,
        }
    }
}

async fn back(keeper: Option<Keeper>, context: &Context) -> Result<(), Failure> {
    let data = context.data();
    let keeper = keeper.ok_or_else(|| nobody_keeps(data))?;
    let found = usher_cache::found(data)
        .map_err(|error| Failure::failed(error.to_string()))?
        .and_then(|found| found.served_by);
    if let Some(served) = found
        && let Some(at) = served.packed_at
        && let Ok(at) = Timestamp::from_millisecond(at)
    {
        return Err(Failure::failed(format!(
            "{} has done its first scheduled pack at {at}: the version before may not take the \
             data over any more",
            served.version
        ))
        .next("`usher restore` brings back a snapshot of before, and what came after is lost."));
    }
    let previous = program::previous(&keeper.program);
    if !previous.is_file() {
        return Err(Failure::failed(format!(
            "there is no version before: {} is not there",
            previous.display()
        )));
    }
    let room = Rehearsing::begin(data).map_err(|error| {
        Failure::failed(format!("cannot rehearse in {}: {error}", data.display()))
    })?;
    let now = Program::copied(&keeper.running, &room.path().join("usher-now"))?;
    let before = Program::copied(&previous, &room.path().join("usher-before"))?;
    answers(&keeper, &now.version, context).await?;
    snapshot(data, 0, room.path())?;
    rehearsal::takes_over(&before.path, room.path())
        .await
        .map_err(|fault| {
            Failure::failed(format!(
                "{} cannot take over again: {}",
                before.version, fault.why
            ))
            .next("Nothing was changed.")
        })?;
    exchange(&keeper, &before, &now, context).await?;
    if context.json() {
        return print_json(&json!({ "from": now.version, "to": before.version }));
    }
    line(format!(
        "{} serves again, on the same data; {} stays as {}.",
        before.version,
        now.version,
        previous.display()
    ))
}

fn told(
    record: &Record,
    rehearsed: &Rehearsed,
    snapshot: Option<&Snapshot>,
    context: &Context,
    text: &str,
) -> Result<(), Failure> {
    if context.json() {
        let steps: Vec<Value> = rehearsed
            .steps
            .iter()
            .map(|(step, took)| json!({ "step": step.name(), "seconds": took.as_secs_f64() }))
            .collect();
        return print_json(&json!({
            "from": record.from,
            "to": record.to,
            "leases": rehearsed.leases,
            "steps": steps,
            "exchanged_at": record.exchanged_at,
            "snapshot": snapshot.map(|snapshot| &snapshot.path),
        }));
    }
    if let Some(snapshot) = snapshot {
        line(format!(
            "The data as it was before is kept as {}.",
            snapshot.path.display()
        ))?;
    }
    line(text)
}
