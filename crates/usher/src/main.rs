//! The `usher` program: every role and every command of it.
//!
//! This file only reads the command line and hands over; a subcommand is a file in `commands`.

#![deny(unsafe_code)]

mod cli;
mod commands;
mod config;
mod context;
mod failure;
mod host;
mod learn;
mod listing;
mod output;
mod package;
mod run;
mod spawn;
mod supervisor;

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().collect();
    let is_check = args.get(1).is_some_and(|word| word == "check");
    let parsed = cli::parse(args);
    let outcome = parsed.and_then(|(cli, context)| commands::dispatch(cli.command, &context));
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(failure) => match failure.report() {
            // To a monitor 2 is CRITICAL, and a typing error in a check is no outage.
            failure::exit::USAGE if is_check => ExitCode::from(commands::check::UNKNOWN),
            code => ExitCode::from(code),
        },
    }
}
