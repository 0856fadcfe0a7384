//! `usher pack`: upkeep of a server's store.

mod import;
mod remodbc;

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use usher_api::client::Client;
use usher_api::rights::Right;
use usher_api::{Code, PackReport, PackResult, PackSchedule, PackState};

use crate::context::Context;
use crate::failure::{Failure, Needed};
use crate::host;
use crate::output::{bytes, counted, line, print, print_json, tame};
use crate::time;

/// The time between two looks at a pack's progress.
const LOOK: Duration = Duration::from_millis(200);

/// Upkeep of the server's store: show, start, stop or schedule it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher pack                                   the same as `usher pack status`
  usher pack now                               pack, and wait for the end
  usher pack schedule \"Sun 01:59:59\" --time-zone Europe/Berlin
  usher pack schedule \"every 14 days 03:00\"
  usher pack import-ini Remodbc.ini            take over the schedule of SMS 2.0

A pack removes records older than the server's --keep-days, gives their room back to the disk,
updates the statistics and checks the file, in small steps while the server serves.")]
pub(crate) struct Pack {
    #[command(subcommand)]
    command: Option<PackCommand>,
}

impl Pack {
    /// What it needs of a server.
    pub(crate) fn needs(&self) -> Needed {
        match self.command {
            None | Some(PackCommand::Status) => {
                Needed::of(&[Right::SeeCounts], "see the upkeep of the store")
            }
            Some(_) => Needed::of(&[Right::Operate], "start, stop or schedule packs"),
        }
    }
}

#[derive(Debug, Subcommand)]
enum PackCommand {
    /// Show whether a pack runs, when the next one is due, and what the last one did
    Status,
    Now(Now),
    /// Stop a running pack; the work that it has done stays
    Stop,
    Schedule(Schedule),
    ImportIni(import::ImportIni),
}

/// Start a pack now, besides the schedule, and wait for its end
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 the pack is complete; 1 it failed or was stopped, or another pack runs.")]
pub(crate) struct Now {
    /// Do not wait for its end
    #[arg(long)]
    no_wait: bool,
}

/// Set when packs run
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher pack schedule \"Sun 01:59:59\" --time-zone Europe/Berlin
  usher pack schedule \"Mon,Thu 03:00\"
  usher pack schedule \"daily 03:00\"
  usher pack schedule \"every 14 days 03:00\"
  usher pack schedule \"every 36 hours\"

A change of the clock neither skips nor repeats a run. If daylight saving time skips the time, the
pack runs at the first moment after it; if the time comes twice, it runs the first time. Runs that
were missed while the server was off are made up by one run, immediately after its start.")]
pub(crate) struct Schedule {
    /// Days and a time, or how often
    #[arg(value_name = "SCHEDULE")]
    schedule: String,
    /// The time zone of that time [default: the schedule's present one]
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
}

pub(crate) fn run(args: Pack, context: &Context) -> Result<(), Failure> {
    context.block_on(async {
        let client = context.client()?;
        match args.command.unwrap_or(PackCommand::Status) {
            PackCommand::Status => show(&client.get("/v1/pack").await?, context),
            PackCommand::Now(args) => now(&args, &client, context).await,
            PackCommand::Stop => stop(&client, context).await,
            PackCommand::Schedule(args) => schedule(args, &client, context).await,
            PackCommand::ImportIni(args) => import::run(&args, &client, context).await,
        }
    })
}

async fn now(args: &Now, client: &Client, context: &Context) -> Result<(), Failure> {
    let (key, body) = (host::request_key(), serde_json::json!({}));
    let begun = client.post_keyed("/v1/pack", &key, &body).await;
    let mut pack: usher_api::Pack = begun.map_err(|error| {
        let is_running = error
            .problem()
            .is_some_and(|problem| problem.is(Code::PackRunning));
        let failure = Failure::from(error);
        match is_running {
            true => {
                failure.next("`usher pack status` tells how far it is, `usher pack stop` stops it.")
            }
            false => failure,
        }
    })?;
    if args.no_wait {
        return match context.json() {
            true => print_json(&pack),
            false => line("A pack has begun: `usher pack status` tells how far it is."),
        };
    }
    let progress = Progress::new();
    while pack.state == PackState::Running {
        progress.show(pack.progress);
        tokio::time::sleep(LOOK).await;
        pack = client
            .get("/v1/pack")
            .await
            .inspect_err(|_| progress.clear())?;
    }
    progress.clear();
    show(&pack, context)?;
    match pack.last.map(|last| last.result) {
        Some(PackResult::Done) => Ok(()),
        Some(PackResult::Stopped) => Err(Failure::failed("the pack was stopped before its end")),
        Some(PackResult::Failed) => {
            Err(Failure::failed("the pack failed")
                .next("What it left out says why, and what to do."))
        }
        None => Err(Failure::failed(
            "the server does not know what the pack did",
        )),
    }
}

async fn stop(client: &Client, context: &Context) -> Result<(), Failure> {
    let before: usher_api::Pack = client.get("/v1/pack").await?;
    client.delete("/v1/pack").await?;
    match (context.json(), before.state) {
        (true, _) => print_json(&client.get::<usher_api::Pack>("/v1/pack").await?),
        (false, PackState::Running) => line("The pack stops after the step that it is at."),
        (false, PackState::Idle) => line("No pack runs."),
    }
}

async fn schedule(args: Schedule, client: &Client, context: &Context) -> Result<(), Failure> {
    let body = PackSchedule {
        schedule: args.schedule,
        time_zone: args.time_zone,
        pack_time: None,
    };
    show(&client.put("/v1/pack/schedule", &body).await?, context)
}

fn show(pack: &usher_api::Pack, context: &Context) -> Result<(), Failure> {
    match context.json() {
        true => print_json(pack),
        false => print(&text(pack)),
    }
}

/// The state of the pack, in lines.
fn text(pack: &usher_api::Pack) -> String {
    let mut text = match pack.state {
        PackState::Idle => "No pack runs.\n".to_owned(),
        PackState::Running => format!("A pack runs, {} % done.\n", percent(pack.progress)),
    };
    text += &format!("Next: {}\n", next(pack));
    if let Some(last) = &pack.last {
        text += &format!("Last: {}\n", report(last));
        for skipped in &last.skipped {
            text += &format!(
                "  left out: {}: {}\n",
                tame(&skipped.what),
                tame(&skipped.why)
            );
        }
    }
    text
}

/// The date of the next run on the clock of its schedule's zone.
fn next(pack: &usher_api::Pack) -> String {
    let due = pack
        .pack_time
        .and_then(|at| Timestamp::from_second(at).ok());
    let (schedule, zone) = (tame(&pack.schedule), tame(&pack.time_zone));
    let by = format!("by the schedule {schedule}, {zone}");
    match (due, TimeZone::get(&pack.time_zone)) {
        (Some(due), Ok(place)) => {
            let shown = due
                .to_zoned_datetime(place)
                .strftime("%a %Y-%m-%d %H:%M:%S");
            format!("{shown}, {by}")
        }
        // The server's computer knows more zones than this one.
        (Some(due), Err(_)) => format!("{due}, {by}"),
        (None, _) => format!("none {by}"),
    }
}

fn report(last: &PackReport) -> String {
    let result = match last.result {
        PackResult::Done => "done",
        PackResult::Stopped => "stopped",
        PackResult::Failed => "failed",
    };
    let took = last.ended_at.duration_since(last.started_at).as_secs();
    format!(
        "{result} {}, after {}; {} went, {} became {}",
        time::local(last.ended_at),
        time::span(took.unsigned_abs()),
        counted(last.purged_rows, "row"),
        bytes(last.bytes_before),
        bytes(last.bytes_after),
    )
}

fn percent(progress: f64) -> u8 {
    (progress.clamp(0.0, 1.0) * 100.0) as u8
}

/// Shows a pack's progress on stderr, if that is a terminal.
struct Progress {
    terminal: bool,
}

impl Progress {
    fn new() -> Progress {
        Progress {
            terminal: io::stderr().is_terminal(),
        }
    }

    fn show(&self, progress: f64) {
        if self.terminal {
            let percent = percent(progress);
            drop(write!(
                io::stderr(),
                "\r\x1b[Kusher: packing, {percent} % done"
            ));
        }
    }

    fn clear(&self) {
        if self.terminal {
            drop(write!(io::stderr(), "\r\x1b[K"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use usher_api::PackSkipped;

    #[test]
    fn it_is_told_what_runs_what_comes_and_what_the_last_one_did() {
        let pack = usher_api::Pack {
            state: PackState::Running,
            progress: 0.429,
            schedule: "Sun 01:59:59".to_owned(),
            time_zone: "Europe/Berlin".to_owned(),
            pack_time: Some(1_774_745_999),
            last: Some(PackReport {
                started_at: Timestamp::from_second(1_774_141_199).unwrap(),
                ended_at: Timestamp::from_second(1_774_141_259).unwrap(),
                result: PackResult::Failed,
                purged_rows: 1_200,
                bytes_before: 2_147_483_648,
                bytes_after: 1_610_612_736,
                skipped: vec![PackSkipped {
                    what: "check of leases".to_owned(),
                    why: "it could not be read\u{1b}".to_owned(),
                }],
            }),
        };
        let shown = text(&pack);
        // The last one is told on this computer's clock.
        let ended = time::local(Timestamp::from_second(1_774_141_259).unwrap());
        insta::assert_snapshot!(shown.replace(&ended, "ENDED"), @r"
        A pack runs, 42 % done.
        Next: Sun 2026-03-29 01:59:59, by the schedule Sun 01:59:59, Europe/Berlin
        Last: failed ENDED, after 1 min; 1200 rows went, 2.0 GiB became 1.5 GiB
          left out: check of leases: it could not be read\u{1b}
        ");
    }
}
