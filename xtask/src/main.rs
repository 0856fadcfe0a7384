//! xtask: what a developer does with this repository, as commands: `cargo xtask help`.
//!
//! It sets up what it needs by itself, ends what it started, and says what it did not check.
#![forbid(unsafe_code)]

mod bench;
mod bounded;
mod bpf;
mod build_cost;
mod earlier;
mod endure;
mod fuzz;
mod held;
mod learn_table;
mod leftovers;
mod load;
mod metadata;
mod picture;
mod process;
mod setup;
mod soak;
#[cfg(test)]
mod sweep_tests;
mod test;
mod ticks;
mod tidy;
mod times;
mod upgrade;
mod windows;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "\
cargo xtask COMMAND

  test   every check that a change must pass: formatting, tidy, clippy, all tests (unit, property,
         black-box), documentation tests, licences and sources of dependencies. Installs what it
         needs if it may, else says what is missing; tells which tests took how long
  tidy   the rules of the house: who may depend on whom, where `unsafe` may stand, no modules that
         need each other in a circle, module documentation, plain words, links. Takes some seconds.
  bench  Usher beside a no-op server, Redis and PostgreSQL; writes docs/performance.md.
         Options go to `usher-bench side-by-side`, such as --quick or --rounds 3;
         bench restart|leases|pack|seats|tracking|gate|versions measures something else.
         bench ingest: ten million sessions of a made-up site into a site database; --sessions N
         bench reports: how long its reports take, and the peaks of all products from rows beside
         DuckDB, which a Python with venv and pip installs for the run
         bench whatif: a million recorded asks with 20 numbers of seats; --asks N.
         These three end with 1 if a goal is not reached only with --hold
         bench catch-up [--days N] [--kills N]: a server that was cut off from its site for a month is
         caught up with while it serves; server, manager and PostgreSQL are killed again and again
         bench against COMMIT: builds usher of that commit, and measures it and this tree in
         alternation; options such as --rounds 20 go to `usher-bench versions`
         bench build [--against COMMIT] [--rounds N] [--profile release|dist]: how long the default
         build takes from nothing, its processor time and the size of the program, and of COMMIT in
         alternation; --write - only prints
         bench upgrade [--leases N]: upgrades the previous version, built from its commit, to this
         one under load with a million leases out; prints a table
  soak   a server at full speed for 30 minutes, or --minutes N: does its memory stay flat? Writes
         docs/performance.md; --write - only prints.
         soak alarms [--minutes N]: a manager that polls each second, and a healthy server, for
         10 minutes in real time: does the manager report anything?
         soak storm [--starts N] [--seed N]: 10,000 starts by twenty people while server, network,
         agent and products come and go: is each start recorded correctly?
         soak growth [--millions N]: ten million refusals of made-up names, then as many requests
         that each carry a new key: does a server keep no more of them than stated?
  endure `test` three times in a row, or --runs N, the last time beside two busy processes and one
         that writes and syncs without pause: does each pass, and the last in at most three times
         the time of the others? Takes an hour; --only FILTER runs only the tests that nextest's
         filter selects
  fuzz   [TARGET...] [--minutes N]: made-up bytes into each reader of foreign files, 10 minutes each,
         with libFuzzer (a C++ compiler builds it); prints a table, and fails at a finding. What
         it tried stays in target/fuzz/corpus, and the next run goes on from there
  learn-table
         thirteen real programs of Debian (a download of 1 GB, 4 GB on disk): does `usher product
         learn` propose what docs/learn.md says, and does the agent record them by it?
  picture
         the README's picture: runs its lines with the built program and writes
         docs/pictures/first-minute.svg
  bpf    builds the agent's program for the kernel, crates/agent/src/watch/exec.bpf.c, whose
         object file is committed beside it
  windows
         compiles for Windows the crates that are meant to run there, and the commands of usher
         that ask a server; a step of `test`. Installs what it needs: rustup's standard library for
         x86_64-pc-windows-gnu, or Debian's Rust if rustup has none, and mingw-w64 for C code
  help   this

Environment
  USHER_OFFLINE=1            a step whose tool is missing is skipped, and is no failure
  USHER_ADVISORIES=fetch     `test` fetches the advisory database and checks against it
  CARGO_TARGET_DIR           the folder for everything that is built or installed for this
";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_else(|| "help".to_owned());
    let rest: Vec<String> = arguments.collect();
    let root = workspace_root();
    let outcome = match command.as_str() {
        "test" => no_more(&rest).and_then(|()| test::run(&root)),
        "tidy" => no_more(&rest).and_then(|()| tidy::run(&root)),
        "bench" if rest.first().is_some_and(|what| what == "upgrade") => {
            upgrade::run(&root, &rest[1..])
        }
        "bench" => bench::run(&root, &rest),
        "soak" => soak::run(&root, &rest),
        "endure" => endure::run(&root, &rest),
        "fuzz" => fuzz::run(&root, &rest),
        "learn-table" => no_more(&rest).and_then(|()| learn_table::run(&root)),
        "load" => load::run(&rest),
        "picture" => no_more(&rest).and_then(|()| picture::run(&root)),
        "bpf" => no_more(&rest).and_then(|()| bpf::run(&root)),
        "windows" => no_more(&rest).and_then(|()| windows::run(&root)),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        other => Err(format!("there is no command `{other}`\n\n{HELP}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask {command}: {why}");
            ExitCode::FAILURE
        }
    }
}

fn no_more(rest: &[String]) -> Result<(), String> {
    match rest.first() {
        None => Ok(()),
        Some(extra) => Err(format!(
            "`{extra}` is not understood; it takes no arguments"
        )),
    }
}

/// The folder above this package's.
fn workspace_root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}
