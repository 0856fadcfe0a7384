//! The `usher` program: every role and every command of it.
//!
//! This file only reads the command line and hands over; a subcommand is a file in `commands`.

#![deny(unsafe_code)]

mod bond;
mod cli;
mod commands;
mod config;
mod context;
mod dispatch;
mod failure;
mod hints;
mod host;
mod learn;
mod listing;
mod mine;
mod notify;
mod output;
mod owner;
mod package;
mod run;
mod spawn;
mod supervisor;
mod time;
mod upgrade;

use std::process::ExitCode;
use std::time::Duration;

use crate::failure::Asker;
use crate::owner::child::Kind;

/// How long an end waits until a role's log is written.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What is done with the rights of a data directory's owner.
const OWNERS_JOBS: [Kind; 2] = [
    Kind::of::<commands::restore::Job>(),
    Kind::of::<upgrade::work::Work>(),
];

fn main() -> ExitCode {
    // The gate takes nothing of what this program sets up for its other roles.
    if let Some(code) = usher_gate::entered(std::env::args_os()) {
        return code;
    }
    // So does the process that tells somebody that the gate refused a start.
    if let Some(code) = usher_agent::entered(std::env::args_os()) {
        return code;
    }
    // So does the process that does root's work with the rights of a data directory's owner.
    if let Some(code) = owner::child::entered(std::env::args_os(), &OWNERS_JOBS) {
        return code;
    }
    let args: Vec<_> = std::env::args_os().collect();
    let parsed = cli::parse(args.clone());
    let outcome = parsed.and_then(|(cli, context)| {
        let of_manager = cli.command.asks_manager();
        let done = dispatch::dispatch(cli.command, &context);
        done.map_err(|failure| {
            failure.for_asker(Asker {
                shows_token: context.shows_token(),
                misses_agent: context.misses_agent(),
                of_manager,
            })
        })
    });
    // What is said at the end comes after what a role has logged.
    usher_vital::log::flush(LAST_WORDS);
    match outcome {
        Ok(code) => ExitCode::from(code),
        // A monitor reads standard output alone, 2 is CRITICAL to it, and a typing error in a check
        // is no outage.
        Err(failure) if failure.code() != failure::exit::DONE && cli::is_check(&args) => {
            ExitCode::from(commands::check::asked_nobody(
                &failure,
                cli::wants_json(&args),
            ))
        }
        Err(failure) if cli::wants_json(&args) => ExitCode::from(failure.report_with_request()),
        Err(failure) => ExitCode::from(failure.report()),
    }
}
