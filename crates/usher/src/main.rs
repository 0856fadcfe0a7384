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
    let parsed = cli::parse(std::env::args_os().collect());
    let outcome = parsed.and_then(|(cli, context)| commands::dispatch(cli.command, &context));
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(failure) => ExitCode::from(failure.report()),
    }
}
