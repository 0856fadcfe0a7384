//! The `usher` program: every role and every command of it.
//!
//! This file only reads the command line and hands over; a subcommand is a file in `commands`.

#![deny(unsafe_code)]

#[cfg(test)]
mod advised;
mod agreed;
#[cfg(target_os = "linux")]
mod bond;
mod cli;
mod commands;
mod config;
mod context;
mod dispatch;
#[cfg(target_os = "linux")]
#[path = "entered/linux.rs"]
mod entered;
#[cfg(windows)]
#[path = "entered/windows.rs"]
mod entered;
mod failure;
mod hints;
mod host;
#[cfg(target_os = "linux")]
mod learn;
#[cfg(target_os = "linux")]
mod listening;
mod listing;
mod manager_there;
mod meant;
mod mine;
mod near;
#[cfg(target_os = "linux")]
mod notify;
mod output;
mod owned;
#[cfg(target_os = "linux")]
mod owner;
#[cfg(target_os = "linux")]
mod package;
mod progress;
mod run;
mod sending;
#[cfg(target_os = "linux")]
mod spawn;
#[cfg(target_os = "linux")]
mod supervisor;
#[cfg(windows)]
#[path = "supervisor/windows.rs"]
mod supervisor;
mod time;
#[cfg(target_os = "linux")]
mod upgrade;
mod waiting;

use std::process::ExitCode;
use std::time::Duration;

use crate::failure::Asker;

/// How long an end waits until a role's log is written.
const LAST_WORDS: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    if let Some(code) = entered::first() {
        return code;
    }
    let args: Vec<_> = std::env::args_os().collect();
    let parsed = cli::parse(args.clone()).map_err(|failure| {
        failure.for_asker(Asker {
            starts: cli::to_start(&args).as_deref(),
            ..Asker::default()
        })
    });
    let outcome = parsed.and_then(|(cli, context)| {
        let of_manager = cli.command.asks_manager();
        let needs = cli.command.needs();
        let of_a_server = cli.command.asks_a_server_alone();
        let done = dispatch::dispatch(cli.command, &context);
        done.map_err(|failure| {
            let token_file = context.token_file();
            let failure = manager_there::told(failure, of_a_server, &context);
            let failure = meant::added(failure, &context).for_asker(Asker {
                shows_token: context.shows_token(),
                token_file: token_file.as_deref(),
                misses_agent: context.misses_agent(),
                of_manager,
                starts: context.starts(),
                needs,
            });
            context.with_origins(failure)
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
