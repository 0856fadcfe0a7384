//! `usher run`: starts a command on a seat.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use crate::context::Context;
use crate::failure::Failure;
use crate::run::ask::Wait;
use crate::run::{self, Order};

/// Start a command on a seat of a product, and give the seat back when it ends
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher run --product gimp -- gimp picture.xcf
  usher run -- gimp                              the product is recognised by its program rules
  usher run --product solver --wait=2h -- ./solve.sh
  usher run --product solver --also hpc-pack=2 --wait -- ./solve.sh       both, or neither
  usher run --product solver --wait -- mpirun -n 8 sh -c 'usher run -- ./rank'

The command gets its standard input and output as they are, and signals too. What it starts is
covered by the same seat, and a `usher run` inside joins it: by USHER_LEASE and USHER_LEASE_PROOF in
its environment, which mpirun and Slurm pass on to other computers. A lease of another computer or
person is joined only with its proof.

Exit codes: the command's own (128+N if signal N ended it). If it was not started:
  77   refused
  75   waited as long as asked, or not now (busy, paused, holding after a restore)
  69   no server answers, or no agent
  126  the command cannot be started; 127 there is no such command
  2    the line is wrong, or no product's rules match the command
  1    there is no such product, or something else failed
A command may end with these, too: a line `usher: ... was not started` tells that it did not run.

A product that may run without a server (--on-unreachable run, the default) does: at once if none
can be reached, and at the latest when none has answered for 20 seconds or the time of --wait is
over. While a server answers and grants nothing, as in a pause, it runs at once without --wait;
--wait waits for a seat first. Whoever is in the queue keeps the place over a restart of the server.

A token (--token, USHER_TOKEN) says who asks: its user. Without one you ask by the agent.

Through an agent, a second `usher run` of the same user shares the seat of the first if the product
counts users (--counting user-on-computer, the default, or user); the seat goes back when the last
of them has ended. --own-seat takes one more, and so do --seats above 1, --also and a product that
counts processes. --priority needs a token of an operator or an admin.")]
pub(crate) struct Run {
    /// The product; without it, the one whose program rules match
    #[arg(long, value_name = "ID")]
    product: Option<String>,
    /// Wait for a seat if none is free, at most so long [without a value: for ever]
    #[arg(long, value_name = "DURATION", num_args = 0..=1, require_equals = true,
        default_missing_value = "forever", value_parser = Wait::read)]
    wait: Option<Wait>,
    /// Join a lease that is held already: takes no seat, and gives none back
    #[arg(long, value_name = "LEASE")]
    lease: Option<String>,
    /// The proof of that lease, if it is not your own on this computer. Better in the environment,
    /// where `usher run` has put it for what it starts: others can see a command line
    #[arg(long, value_name = "PROOF")]
    lease_proof: Option<String>,
    /// Take a seat even if you already hold one for the same use
    #[arg(long)]
    own_seat: bool,
    /// How many seats to take
    #[arg(long, value_name = "N", default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(usher_api::SEATS_LIMIT)))]
    seats: u32,
    /// A further product that is needed too, and how many seats of it: all are granted, or none
    #[arg(long, value_name = "PRODUCT[=N]", value_parser = super::checkout::also,
        conflicts_with = "lease")]
    also: Vec<(String, u32)>,
    /// Place in the queue before arrival counts, -100 to 100 (operators and admins)
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        allow_hyphen_values = true,
        value_parser = clap::value_parser!(i8).range(-100..=100)
    )]
    priority: i8,
    /// How long the seat is held after the last renewal [default: 5m, or the product's maximum]
    #[arg(long, value_name = "DURATION", value_parser = super::checkout::ttl)]
    ttl: Option<u32>,
    /// Who is counted, if that is not you: needs a token that may say so
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// The computer, if that is not this one
    #[arg(long, value_name = "COMPUTER")]
    computer: Option<String>,
    /// The agent's socket [default: /run/usher/agent.sock, then <data>/agent/agent.sock]
    #[arg(long, value_name = "PATH")]
    agent_socket: Option<PathBuf>,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    words: Vec<OsString>,
}

/// Runs the command line; returns the command's exit code.
pub(crate) fn run(args: Run, context: &Context) -> Result<u8, Failure> {
    let held = |variable| std::env::var(variable).ok().filter(|it| !it.is_empty());
    // The environment names the lease of a `usher run` around this one; somebody who means a lease
    // writes it on the command line.
    let around = held(run::LEASE_VARIABLE);
    let lease_named = args.lease.is_some() && is_typed("--lease");
    // What else the environment says is of the lease there.
    let is_of_another = lease_named && around.is_some() && around != args.lease;
    let theirs = held(run::PROOF_VARIABLE).filter(|_| is_of_another);
    let given = |proof: &String| !proof.is_empty() && theirs.as_ref() != Some(proof);
    let order = Order {
        lease_named,
        around: held(run::PRODUCT_VARIABLE).filter(|_| !is_of_another),
        without_seat: held(run::WITHOUT_SEAT_VARIABLE),
        proof: args.lease_proof.filter(given),
        product: args.product,
        lease: args.lease,
        wait: args.wait,
        own_seat: args.own_seat,
        seats: args.seats,
        also: args.also,
        priority: args.priority,
        ttl_seconds: args.ttl,
        user: args.user,
        computer: args.computer,
        agent_socket: args.agent_socket,
        words: args.words,
    };
    context.block_on(run::run(order, context))
}

/// Whether the option is on the command line: its value may also come from the environment.
fn is_typed(option: &str) -> bool {
    let own = std::env::args_os().take_while(|word| word != "--");
    own.filter_map(|word| word.into_string().ok())
        .any(|word| word.split('=').next() == Some(option))
}
