//! Calls the module of the command that was typed.

use crate::cli::{self, Command};
use crate::commands::at::{self, At};
use crate::commands::{
    agent, backup, bench, check, checkin, checkout, completions, denials, doctor, entitlement,
    group, import, leases, man, manager, messages, notify, pack, policy, product, queue, renew,
    report, restore, run, server, servers, service, sim, status, tls, token, up, upgrade, usage,
    watch, whatif, why,
};
use crate::context::Context;
use crate::failure::{Failure, exit};

/// Runs the command; returns the exit code if it succeeded.
pub(crate) fn dispatch(command: Command, context: &Context) -> Result<u8, Failure> {
    if let Some(server) = command.at() {
        context.asks_of(server);
        context.block_on(at::must_be_a_managers(server, context))?;
    }
    let done = match command {
        Command::Up(args) => return up::run(args, context),
        Command::Run(args) => return run::run(args, context),
        Command::Check(args) => return check::run(&args, context),
        Command::Doctor(args) => return doctor::run(&args, context),
        Command::Policy(args) => return policy::run(args.command, context),
        Command::Product(At {
            command: product::Product::Learn(args),
            ..
        }) => return product::learn::run(args, context),
        Command::Server(args) => server::run(args, context),
        Command::Service(args) => service::run(args, context),
        Command::Manager(args) => manager::run(*args, context),
        Command::Agent(args) => agent::run(args, context),
        Command::Product(args) => product::run(args.command, context),
        Command::Entitlement(args) => entitlement::run(args.command, context),
        Command::Checkout(args) => checkout::run(args, context),
        Command::Notify(args) => notify::run(args, context),
        Command::Renew(args) => renew::run(&args, context),
        Command::Checkin(args) => checkin::run(&args, context),
        Command::Status(args) => status::run(&args, context),
        Command::Leases(args) => leases::run(&args, context),
        Command::Queue(args) => queue::run(&args, context),
        Command::Usage(args) => usage::run(&args, context),
        Command::Denials(args) => denials::run(&args, context),
        Command::Servers(args) => servers::run(args, context),
        Command::Messages(args) => messages::run(args, context),
        Command::Whatif(args) => whatif::run(&args, context),
        Command::Report(args) => report::run(&args, context),
        Command::Import(args) => import::run(args, context),
        Command::Watch(args) => watch::run(args, context),
        Command::Group(args) => group::run(&args, context),
        Command::Why(args) => why::run(&args, context),
        Command::Pack(args) => pack::run(args, context),
        Command::Tls(args) => tls::run(args, context),
        Command::Token(args) => token::run(args, context),
        Command::Backup(args) => backup::run(&args, context),
        Command::Restore(args) => restore::run(&args, context),
        Command::Upgrade(args) => upgrade::run(&args, context),
        Command::Bench(args) => bench::run(&args, context),
        Command::Sim(args) => sim::run(&args, context),
        Command::Completions(args) => completions::run(&args, &mut cli::command()),
        Command::Man(args) => man::run(&args, cli::command()),
    };
    done.map(|()| exit::DONE)
}
