//! `usher upgrade`: a new version in place of the one that runs, rehearsed first.

mod exchange;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};
use usher_api::Status;

use self::exchange::exchange;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{line, print_json};
use crate::owner;
use crate::upgrade::host::ServerHost;
use crate::upgrade::program::{self, Program};
use crate::upgrade::record::Record;
use crate::upgrade::rehearsal::Step;
use crate::upgrade::stage::Stage;
use crate::upgrade::work::{self, Outcome, Work};

/// Install a new version in place of the running one, after a rehearsal on a copy of the data
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher upgrade ./usher-0.3.0                    rehearses, exchanges, restarts
  usher upgrade ./usher-0.3.0 --rehearse-only    changes nothing
  usher upgrade --back                           returns to the old version, on the same data

The new version is first tried on a copy of the real data: it starts, grants and takes back, packs,
obeys every control, is killed and comes back, and hands the data back to the running version. If
any step fails, the command says which and changes nothing (exit code 1).

Then it keeps a snapshot and exchanges the program file. systemd or `usher up` restarts the server
and holds its address meanwhile, so no request fails. If the new version does not serve, the old one
is put back. Going back exchanges the program, never the data, and is possible until the new version
has done its first scheduled pack.

Call it on the server's computer, as the account that runs the server (root for a service).")]
pub(crate) struct Upgrade {
    /// The new version's program
    #[arg(value_name = "PATH", required_unless_present = "back")]
    path: Option<PathBuf>,
    /// Rehearse, and change nothing
    #[arg(long, conflicts_with = "back")]
    rehearse_only: bool,
    /// Return to the old version
    #[arg(long, conflicts_with = "path")]
    back: bool,
    /// How many snapshots of the data are kept; 0 takes none
    #[arg(long, value_name = "N", default_value_t = 3)]
    keep_snapshots: u32,
}

pub(crate) fn run(args: &Upgrade, context: &Context) -> Result<(), Failure> {
    // A copy of the data is nobody else's to read.
    usher_platform::process::keep_what_is_made_private();
    let data = context.data();
    if !data.join("cache.db").is_file() {
        return Err(
            Failure::usage(format!("{} holds no server's data", data.display()))
                .next("Name its directory with --data DIR."),
        );
    }
    context.block_on(async {
        let host = ServerHost::find(data).await;
        match (&args.path, args.back) {
            (Some(path), false) => forward(args, path, host, context).await,
            _ => back(host, context).await,
        }
    })
}

/// A folder of our own for programs, beside the one that is to be exchanged. A rehearsal alone may
/// use another place.
fn stage(host: &ServerHost, is_rehearsal: bool, context: &Context) -> Result<Stage, Failure> {
    let failed = |error: io::Error| {
        Failure::failed(format!(
            "cannot make a folder beside {}: {error}",
            host.program.display()
        ))
    };
    let program = std::fs::canonicalize(&host.program).map_err(failed)?;
    let mut places: Vec<PathBuf> = program.parent().map(Path::to_owned).into_iter().collect();
    if let Some(why) = owner::of(context.data())?.and_then(|owner| owner.can_change(&program)) {
        if !is_rehearsal {
            return Err(Failure::failed(format!(
                "root does not exchange {}: {why}",
                program.display()
            ))
            .next("Install it where only root writes, such as /usr/local/bin."));
        }
        places.clear();
    }
    if is_rehearsal {
        places.push(match usher_platform::account::is_administrator() {
            true => PathBuf::from("/run"),
            false => context.data().to_owned(),
        });
    }
    Stage::begin(&places).map_err(failed)
}

/// The program that the server is started from, if that is what runs.
fn running(host: &ServerHost) -> Result<&Path, Failure> {
    host.runs_its_program().map_err(|why| {
        Failure::failed(why)
            .next("Start it again first (`systemctl restart`, or `usher up` again), then upgrade.")
    })?;
    Ok(&host.program)
}

async fn forward(
    args: &Upgrade,
    path: &Path,
    host: Option<ServerHost>,
    context: &Context,
) -> Result<(), Failure> {
    let data = context.data();
    let Some(host) = host.or_else(|| args.rehearse_only.then(ServerHost::nobody)) else {
        return Err(nobody_keeps(data));
    };
    let owner = owner::of(data)?;
    let stage = stage(&host, args.rehearse_only, context)?;
    let new = Program::copied(path, &stage.file("usher-new"), owner)?;
    let old = Program::copied(running(&host)?, &stage.file("usher-old"), owner)?;
    if !args.rehearse_only {
        answers(&host, &old.version, context).await?;
    }
    let keep = match args.rehearse_only {
        true => 0,
        false => args.keep_snapshots,
    };
    let rehearsed = rehearse(&new, &old, keep, context).await?;
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
            context,
            &format!(
                "{} is the very program that runs; nothing was changed.",
                path.display()
            ),
        );
    }
    // The new version looks for it when it starts.
    note(record.clone(), data).await?;
    exchange(&host, &new, &old, context).await?;
    let record = Record {
        program: Some(host.program.clone()),
        exchanged_at: Some(Timestamp::now()),
        ..record
    };
    note(record.clone(), data).await?;
    told(
        &record,
        &rehearsed,
        context,
        &format!(
            "{} serves in the place of {}, which stays as {} until the first scheduled pack is done; \
         `usher upgrade --back` returns to it.",
            new.version,
            old.version,
            program::previous(&host.program).display()
        ),
    )
}

async fn note(record: Record, data: &Path) -> Result<(), Failure> {
    let kept = work::carry_out(Work::Keep(record), data, |_, _| ());
    kept.await.map(drop)
}

/// The server that is to be exchanged is the one that answers, and its token opens: without that
/// nobody could see whether the new one serves.
async fn answers(host: &ServerHost, version: &str, context: &Context) -> Result<(), Failure> {
    let api = host.api.as_deref().unwrap_or(context.server());
    let client = context.client_of(api, context.token_for(api))?;
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

async fn rehearse(
    new: &Program,
    old: &Program,
    keep: u32,
    context: &Context,
) -> Result<Outcome, Failure> {
    let is_quiet = context.json();
    if !is_quiet {
        line(format!(
            "Rehearsing {} on a copy of the data. It",
            new.version
        ))?;
    }
    let told = |step: Step, took: Duration| {
        if !is_quiet {
            // The upgrade continues if nobody reads the line.
            let _ = line(format!(
                "  {:<45} {:>6.1} s",
                step.words(),
                took.as_secs_f64()
            ));
        }
    };
    let work = Work::Rehearse {
        new: new.path.clone(),
        old: old.path.clone(),
        keep,
        version: new.version.clone(),
    };
    work::carry_out(work, context.data(), told).await
}

async fn back(host: Option<ServerHost>, context: &Context) -> Result<(), Failure> {
    let data = context.data();
    let host = host.ok_or_else(|| nobody_keeps(data))?;
    let packed = work::carry_out(Work::Packed, data, |_, _| ()).await?.packed;
    if let Some((version, at)) = packed
        && let Ok(at) = Timestamp::from_millisecond(at)
    {
        return Err(Failure::failed(format!(
            "{version} has done its first scheduled pack at {at}: the version before may not take \
             the data over any more"
        ))
        .next("`usher restore` brings back a snapshot of before, and what came after is lost."));
    }
    let previous = program::previous(&host.program);
    if !previous.is_file() {
        return Err(Failure::failed(format!(
            "there is no version before: {} is not there",
            previous.display()
        )));
    }
    let owner = owner::of(data)?;
    let stage = stage(&host, false, context)?;
    let now = Program::copied(running(&host)?, &stage.file("usher-now"), owner)?;
    let before = Program::copied(&previous, &stage.file("usher-before"), owner)?;
    answers(&host, &now.version, context).await?;
    let work = Work::GoBack {
        before: before.path.clone(),
        version: before.version.clone(),
    };
    work::carry_out(work, data, |_, _| ()).await?;
    exchange(&host, &before, &now, context).await?;
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
    rehearsed: &Outcome,
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
            "snapshot": rehearsed.snapshot.as_ref().map(|path| path.display().to_string()),
        }));
    }
    if let Some(snapshot) = &rehearsed.snapshot {
        line(format!(
            "The data as it was before is kept as {}.",
            snapshot.display()
        ))?;
    }
    line(text)
}
