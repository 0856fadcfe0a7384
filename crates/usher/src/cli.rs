//! The command line: the options that every command takes, and the list of commands.

use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::commands;
use crate::commands::at::At;
use crate::config;
use crate::context::{Context, Given, Globals, default_data, manager_data};
use crate::failure::{Failure, Needed};
use crate::output::tame;

const ABOUT: &str = "Software metering and floating licences for your own network";

const AFTER_HELP: &str = "\
Begin here:
  usher up                                          start everything on this machine
  usher product learn gimp -- gimp                  see which programs it consists of
  usher product add gimp --program gimp --seats 2   add it, with the number of seats you own
  usher run --product gimp -- gimp                  start it on one of the seats
  usher status                                      see what is going on

Every option is also an environment variable (--listen is USHER_LISTEN) and a key in usher.toml
(listen = \"127.0.0.1:8470\"; under [role.manager] it holds for that role alone). The command line
counts before the environment, the environment before the file, the file before the default. The
file is --config FILE, else ~/.config/usher/usher.toml, else /etc/usher/usher.toml.

Exit codes: 0 done, 1 failed, 2 wrong usage, 69 no server answers, 75 not now (waited as long as
asked; or the server is busy, paused or waiting after a restore), 77 refused.";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "usher", version, about = ABOUT, after_help = AFTER_HELP, propagate_version = true)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Up(commands::up::Up),
    Server(commands::server::Server),
    Manager(Box<commands::manager::Manager>),
    Agent(commands::agent::Agent),
    #[command(subcommand)]
    Service(commands::service::Service),
    Product(At<commands::product::Product>),
    Entitlement(At<commands::entitlement::Entitlement>),
    Run(commands::run::Run),
    Checkout(commands::checkout::Checkout),
    Renew(commands::renew::Renew),
    Checkin(commands::checkin::Checkin),
    Status(commands::status::Status),
    Leases(commands::leases::Leases),
    Queue(commands::queue::Queue),
    Usage(commands::usage::Usage),
    Denials(commands::denials::Denials),
    Notify(commands::notify::Notify),
    Why(commands::why::Why),
    #[command(subcommand)]
    Servers(commands::servers::Servers),
    Messages(commands::messages::Messages),
    Report(commands::report::Report),
    Whatif(commands::whatif::Whatif),
    Import(commands::import::Import),
    Watch(commands::watch::Watch),
    #[command(subcommand)]
    Group(commands::group::Group),
    Pack(commands::pack::Pack),
    Policy(At<commands::policy::Policy>),
    #[command(subcommand)]
    Tls(commands::tls::Tls),
    #[command(subcommand)]
    Token(commands::token::Token),
    Backup(commands::backup::Backup),
    Restore(commands::restore::Restore),
    Upgrade(commands::upgrade::Upgrade),
    Doctor(commands::doctor::Doctor),
    Check(commands::check::Check),
    Bench(commands::bench::Bench),
    Sim(commands::sim::Sim),
    Completions(commands::completions::Completions),
    Man(commands::man::Man),
}

impl Command {
    /// Of which server a manager is asked, if that is said.
    pub(crate) fn at(&self) -> Option<&str> {
        let at = match self {
            Command::Product(At { at, .. }) => at,
            Command::Entitlement(At { at, .. }) => at,
            Command::Policy(At { at, .. }) => at,
            _ => return None,
        };
        at.as_deref()
    }

    /// Whether it asks a manager, and no metering server.
    pub(crate) fn asks_manager(&self) -> bool {
        match self {
            Command::Messages(_)
            | Command::Servers(_)
            | Command::Report(_)
            | Command::Whatif(_)
            | Command::Import(_)
            | Command::Group(_)
            | Command::Watch(_) => true,
            Command::Token(token) => token.is_at_manager(),
            _ => false,
        }
    }

    /// What it needs of a metering server, if its requests need different rights; none if its
    /// only request says it, or if it asks a manager.
    pub(crate) fn needs(&self) -> Option<Needed> {
        match self {
            Command::Entitlement(it) => Some(it.command.needs()),
            Command::Product(it) => it.command.needs(),
            Command::Policy(it) => it.command.needs(),
            Command::Pack(it) => Some(it.needs()),
            Command::Service(it) => it.needs(),
            Command::Token(it) => it.needs(),
            Command::Backup(it) if !it.is_of_site() => Some(it.needs()),
            _ => None,
        }
    }
}

impl Command {
    /// Whether it is about a site database, and asks nobody.
    fn is_of_site(&self) -> bool {
        match self {
            Command::Backup(it) => it.is_of_site(),
            Command::Restore(it) => it.is_of_site(),
            _ => false,
        }
    }

    /// Whether what it asks a metering server for no manager has.
    pub(crate) fn asks_a_server_alone(&self) -> bool {
        !self.is_of_site()
            && matches!(
                self,
                Command::Run(_)
                    | Command::Checkout(_)
                    | Command::Renew(_)
                    | Command::Checkin(_)
                    | Command::Status(_)
                    | Command::Leases(_)
                    | Command::Queue(_)
                    | Command::Usage(_)
                    | Command::Denials(_)
                    | Command::Why(_)
                    | Command::Pack(_)
                    | Command::Backup(_)
            )
    }
}

/// Reads a command line, with the environment and the settings file behind it.
pub(crate) fn parse(args: Vec<OsString>) -> Result<(Cli, Context), Failure> {
    let file = config::File::find(&args)?;
    let plain = command();
    file.check_keys(&plain)?;
    // The line is read twice only if that matters, so that a command starts fast.
    let called = file
        .differs_by_command()
        .then(|| subcommand(&args))
        .flatten();
    let file = match called {
        Some(name) => file.narrowed(settings_of(&name, &args)),
        None => file,
    };
    let (mut plain, mut withheld) = (Some(plain), Vec::new());
    let matches = loop {
        let defined = plain.take().unwrap_or_else(command);
        let layered = config::layered(defined, &file, &withheld);
        match layered.try_get_matches_from(&args) {
            Ok(matches) => break matches,
            Err(error) => match config::excluded(&error, &args) {
                Some(option) if !withheld.contains(&option) => withheld.push(option),
                _ => {
                    let origins = config::Origins::new(&args, &withheld, file);
                    return Err(config::explain(error, &args, &command(), &origins));
                }
            },
        }
    };
    let cli = Cli::from_arg_matches(&matches)?;
    refuse_without_effect(&cli.command, &matches)?;
    let given = |id: &str| {
        matches
            .value_source(id)
            .is_some_and(|source| source != ValueSource::DefaultValue)
            || file.has(id)
    };
    let usual_data = match &cli.command {
        Command::Manager(_) => manager_data(),
        of_site if of_site.is_of_site() => manager_data(),
        _ => default_data(),
    };
    let given = Given {
        server: given("server"),
        token: given("token"),
        data: given("data"),
    };
    let origins = config::Origins::new(&args, &withheld, file);
    let context = Context::new(cli.globals.clone(), usual_data, given, origins);
    Ok((cli, context))
}

/// Whose settings of the file hold for a command: what is about a site takes its manager's.
fn settings_of<'n>(name: &'n str, args: &[OsString]) -> &'n str {
    let is_of_site = ["backup", "restore"].contains(&name) && args.iter().any(|it| it == "--site");
    if is_of_site { "manager" } else { name }
}

/// Refuses what was typed and has no effect in what is asked: who typed it means something by it.
/// What the environment or the file says is for other commands, too.
fn refuse_without_effect(command: &Command, matches: &ArgMatches) -> Result<(), Failure> {
    let mut deepest = matches;
    while let Some((_, sub)) = deepest.subcommand() {
        deepest = sub;
    }
    let is_typed = |id: &str| {
        let is_there = matches!(deepest.try_contains_id(id), Ok(true));
        is_there && deepest.value_source(id) == Some(ValueSource::CommandLine)
    };
    if let Command::Usage(usage) = command {
        usage.refuse_without_effect(&is_typed)?;
    }
    if let Command::Token(token) = command
        && !token.is_at_manager()
        && is_typed("manager")
    {
        return Err(
            Failure::usage("--manager has no effect here: no manager is asked")
                .next("--at-manager says that the tokens are a manager's."),
        );
    }
    let takes_database = ["database", "database_password_file"]
        .into_iter()
        .find(|id| is_typed(id));
    if let (Command::Backup(_) | Command::Restore(_), Some(id)) = (command, takes_database)
        && !command.is_of_site()
    {
        let option = id.replace('_', "-");
        return Err(Failure::usage(format!(
            "--{option} has no effect here: it is a server's data that is meant"
        ))
        .next("--site says that the site database is meant."));
    }
    if command.is_of_site()
        && let Some(id) = ["list", "token_from"].into_iter().find(|id| is_typed(id))
    {
        let option = id.replace('_', "-");
        return Err(Failure::usage(format!(
            "--{option} has no effect with --site: no server is asked"
        )));
    }
    let instead = match command {
        of_site if of_site.is_of_site() => {
            "The site database is meant: name it by --database, or --data."
        }
        Command::Messages(_) => {
            "A manager tells messages: name it by --manager URL, and the server that they are \
             about by --about NAME."
        }
        Command::Servers(_) => "A manager watches servers: name it by --manager URL.",
        Command::Report(_) => "A manager makes reports: name it by --manager URL.",
        Command::Whatif(_) => "A manager collects what is replayed: name it by --manager URL.",
        Command::Import(_) => "A manager takes imports: name it by --manager URL.",
        Command::Watch(_) => "A manager takes what is watched: name it by --manager URL.",
        Command::Group(_) => "A manager knows groups: name it by --manager URL.",
        Command::Server(_) => "It is a server itself: --listen says where.",
        Command::Manager(_) => "`usher servers add` says which servers a manager watches.",
        Command::Token(token) if token.is_at_manager() => {
            "It is a manager's token: name the manager by --at-manager=URL."
        }
        Command::Sim(_) | Command::Completions(_) | Command::Man(_) => "Leave it out.",
        _ => return Ok(()),
    };
    match is_typed("server") {
        true => Err(
            Failure::usage("--server has no effect here: no metering server is asked")
                .next(instead),
        ),
        false => Ok(()),
    }
}

/// Whether the command is `check`, also if the rest of the line cannot be read.
pub(crate) fn is_check(args: &[OsString]) -> bool {
    subcommand(args).is_some_and(|name| name == "check")
}

/// What `usher run` was to start, also if the rest of the line cannot be read.
pub(crate) fn to_start(args: &[OsString]) -> Option<String> {
    let mut behind = args.iter().skip_while(|word| *word != "--").skip(1);
    let name = behind.next()?.to_string_lossy();
    let is_run = subcommand(args).is_some_and(|called| called == "run");
    is_run.then(|| tame(&name))
}

/// The command that is called, also if the rest of the line cannot be read.
fn subcommand(args: &[OsString]) -> Option<String> {
    let read = command().ignore_errors(true).try_get_matches_from(args);
    read.ok()?.subcommand_name().map(str::to_owned)
}

/// Whether JSON is wanted, also if the line cannot be read.
pub(crate) fn wants_json(args: &[OsString]) -> bool {
    args.iter().any(|word| word == "--json")
}

/// The command line as it is defined, without environment and file.
pub(crate) fn command() -> clap::Command {
    Cli::command()
}

#[cfg(test)]
mod tests;
