//! `usher bench`: puts load on a server and measures its speed and latency.

use std::time::Duration;

use clap::{Args, ValueEnum};
use usher_bench::load::{self, Fixture, LoadError, LoadOptions, LoadReport, Target, Work};

use crate::context::Context;
use crate::failure::{Failure, exit};
use crate::output::{line, print_json};
use crate::time;

/// Put load on a metering server, and report its speed and latency
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher bench
  usher bench --connections 256 --products 100 --for 30s
  usher bench --work agents --items 100 --json

It makes products of its own, takes their seats, gives them back, and removes the products again: so
the token must be an administrator's. The generator shares the computer with the server that it
measures. If the server is on another computer, --i-own-this-server is needed.")]
pub(crate) struct Bench {
    /// Which requests to send
    #[arg(long, value_enum, value_name = "WORK", default_value_t = Kind::Pairs)]
    work: Kind,
    /// How many products to ask for in turn; 1 is one hot product
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    products: u16,
    /// Connections, each with one request outstanding
    #[arg(long, value_name = "N", default_value_t = 64)]
    connections: usize,
    /// How long to measure
    #[arg(long = "for", value_name = "DURATION", default_value = "5s", value_parser = time::duration)]
    length: Duration,
    /// Threads of the generator
    #[arg(long, value_name = "N", default_value_t = 1)]
    threads: usize,
    /// Items in each exchange, for agents
    #[arg(long, value_name = "N", default_value_t = 100)]
    items: usize,
    /// Give each checkout an Idempotency-Key
    #[arg(long)]
    keyed: bool,
    /// The server's process, for its processor time
    #[arg(long, value_name = "PID")]
    server_pid: Option<u32>,
    /// The server is not on this computer, and it is yours
    #[arg(long)]
    i_own_this_server: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// A checkout and its checkin, repeated
    Pairs,
    /// Checkouts; all are given back after the measured time
    Checkouts,
    /// Agents' exchanges of many items
    Agents,
}

pub(crate) fn run(args: &Bench, context: &Context) -> Result<(), Failure> {
    let token = context.token().ok_or_else(|| {
        Failure::new(exit::REFUSED, "there is no token").next(
            "Give an administrator's with --token or USHER_TOKEN, or name the server's --data.",
        )
    })?;
    // It speaks HTTP by itself: whether somebody is there is asked first, as all commands do.
    context.block_on(async { Ok(context.client()?.health().await?) })?;
    let report = measure(args, context.server(), token)?;
    if context.json() {
        return print_json(&report);
    }
    line(report.to_string())
}

fn measure(args: &Bench, server: &str, token: String) -> Result<LoadReport, Failure> {
    let failed = |error: LoadError| match error {
        LoadError::Usage(why) => Failure::usage(why),
        LoadError::Failed(why) => Failure::failed(why),
    };
    let target = Target::new(server, args.i_own_this_server).map_err(failed)?;
    let name = format!("bench-{}", std::process::id());
    let fixture = Fixture::make(target, &token, &name, args.products.into()).map_err(failed)?;
    let report = load::run(&LoadOptions {
        url: server.to_owned(),
        token,
        work: match args.work {
            Kind::Pairs => Work::Pairs,
            Kind::Checkouts => Work::Checkouts,
            Kind::Agents => Work::Agents { items: args.items },
        },
        products: fixture.products().to_vec(),
        connections: args.connections,
        threads: args.threads,
        duration: args.length,
        keyed: args.keyed,
        server_pid: args.server_pid,
        i_own_this_server: args.i_own_this_server,
        ..LoadOptions::default()
    });
    let removed = fixture.remove();
    let report = report.map_err(failed)?;
    removed.map_err(failed)?;
    Ok(report)
}
