//! usher-bench: puts load on a server, or measures Usher beside its peers on this machine.

#![forbid(unsafe_code)]

mod answers;
mod beside;
mod catch_up;
mod collecting;
mod disk;
mod document;
mod figures;
mod gate;
mod growth;
mod leases;
mod newcomers;
mod pack;
mod rest;
mod restart;
mod seats;
mod setting;
mod site;
mod soak;
mod storm;
mod tracking;
mod versions;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use usher_bench::load::{self, Fixture, LoadOptions, Target, Work};

#[derive(Parser)]
#[command(name = "usher-bench", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Put load on a metering server of your own and report
    Load(LoadArguments),
    /// Measure a no-op server, Usher, Redis and PostgreSQL in turn; write docs/performance.md
    SideBySide(beside::Arguments),
    /// Two builds of usher in alternation: is one slower? Writes docs/performance.md
    Versions(versions::Arguments),
    /// Start a server with many leases out: time until it is ready, memory a lease
    Restart(restart::Arguments),
    /// A pack of a large store at half of full speed: what it does to the answers
    Pack(pack::Arguments),
    /// Two people and one seat: how long until one is refused, and until a waiter is seated
    Seats(seats::Arguments),
    /// An agent: what a storm of starts costs with it, what it costs idle, what it sees
    Tracking(tracking::Arguments),
    /// The gate: what a start costs with it, and how long one waits for its seat
    Gate(gate::Arguments),
    /// Checkouts at full speed for a long while: does the server's memory stay flat?
    Soak(soak::Arguments),
    /// Ten million refusals of made-up names, ten million requests with keys: what a server keeps
    Growth(growth::Arguments),
    /// A million leases of a million people at full speed: does the server slow down, what is a lease
    Leases(leases::Arguments),
    /// Ten million sessions into a site database, roll-ups included: how fast it takes them
    Ingest(answers::ingest::Arguments),
    /// A server that was cut off for 30 days is caught up with, while all are killed again and again
    CatchUp(catch_up::Arguments),
    /// A site of ten million sessions: how long its reports take, and peaks from rows beside DuckDB
    Reports(answers::reports::Arguments),
    /// A million recorded asks with 20 numbers of seats: how long a what-if takes
    Whatif(answers::whatif::Arguments),
    /// The peak of every product from the rows of a site, as JSON: a part of `reports`
    #[command(hide = true)]
    Peaks(answers::peaks::Arguments),
    /// The no-op server: parses a checkout and answers it, and does nothing
    Noop,
}

#[derive(Args)]
struct LoadArguments {
    /// The server
    #[arg(long, default_value = "http://127.0.0.1:8470")]
    server: String,
    /// A file that holds an admin's token
    #[arg(long)]
    token_file: PathBuf,
    /// What is asked
    #[arg(long, value_enum, default_value_t = WorkArgument::Pairs)]
    work: WorkArgument,
    /// Products that are made for the run and asked for in turn: 1 is a hot one
    #[arg(long, default_value_t = 1)]
    products: usize,
    /// Connections, each with one request outstanding
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Seconds that are measured
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Threads of the generator
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Items an exchange, for agents
    #[arg(long, default_value_t = 100)]
    items: usize,
    /// Give each checkout an Idempotency-Key
    #[arg(long)]
    keyed: bool,
    /// The server's process, for its processor time
    #[arg(long)]
    server_pid: Option<u32>,
    /// The server is not on this computer, and it is yours
    #[arg(long)]
    i_own_this_server: bool,
    /// One JSON document instead of text
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum WorkArgument {
    /// A checkout and its checkin, again and again
    Pairs,
    /// Checkouts; all are given back after the measured time
    Checkouts,
    /// Agents' exchanges of many items
    Agents,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Load(arguments) => put_load(&arguments),
        Command::SideBySide(arguments) => beside::run(&arguments),
        Command::Versions(arguments) => versions::run(&arguments),
        Command::Restart(arguments) => restart::run(&arguments),
        Command::Pack(arguments) => pack::run(&arguments),
        Command::Seats(arguments) => seats::run(&arguments),
        Command::Tracking(arguments) => tracking::run(&arguments),
        Command::Gate(arguments) => gate::run(&arguments),
        Command::Soak(arguments) => soak::run(&arguments),
        Command::Growth(arguments) => growth::run(&arguments),
        Command::Leases(arguments) => leases::run(&arguments),
        Command::Ingest(arguments) => answers::ingest::run(&arguments),
        Command::CatchUp(arguments) => catch_up::run(&arguments),
        Command::Reports(arguments) => answers::reports::run(&arguments),
        Command::Whatif(arguments) => answers::whatif::run(&arguments),
        Command::Peaks(arguments) => answers::peaks::run(&arguments),
        Command::Noop => beside::noop::serve(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("usher-bench: {why}");
            ExitCode::FAILURE
        }
    }
}

fn put_load(arguments: &LoadArguments) -> Result<(), String> {
    let path = arguments.token_file.display();
    let token = std::fs::read_to_string(&arguments.token_file)
        .map_err(|error| format!("cannot read the token in {path}: {error}"))?;
    let token = token.trim().to_owned();
    let duration = Duration::try_from_secs_f64(arguments.seconds)
        .map_err(|_| format!("`{}` is no number of seconds", arguments.seconds))?;
    if !(1..=1_000).contains(&arguments.products) {
        return Err("products go from 1 to 1,000".to_owned());
    }
    let text = |error: load::LoadError| error.to_string();
    let target = Target::new(&arguments.server, arguments.i_own_this_server).map_err(text)?;
    let name = format!("bench-{}", std::process::id());
    let fixture = Fixture::make(target, &token, &name, arguments.products).map_err(text)?;
    let report = load::run(&LoadOptions {
        url: arguments.server.clone(),
        token,
        work: match arguments.work {
            WorkArgument::Pairs => Work::Pairs,
            WorkArgument::Checkouts => Work::Checkouts,
            WorkArgument::Agents => Work::Agents {
                items: arguments.items,
            },
        },
        products: fixture.products().to_vec(),
        connections: arguments.connections,
        threads: arguments.threads,
        duration,
        keyed: arguments.keyed,
        server_pid: arguments.server_pid,
        i_own_this_server: arguments.i_own_this_server,
        ..LoadOptions::default()
    });
    let removed = fixture.remove();
    let report = report.map_err(text)?;
    removed.map_err(text)?;
    if arguments.json {
        let json = serde_json::to_string(&report).map_err(|error| error.to_string())?;
        println!("{json}");
    } else {
        println!("{report}");
    }
    Ok(())
}
