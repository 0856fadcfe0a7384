//! `usher watch`: what other licence servers know, as they come to know it. The log is read, and the
//! command run, here, with the rights of who watches; the manager is sent rows.

#[cfg(target_os = "linux")]
pub(super) mod configured;
mod listed;
mod taken;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use jiff::civil::Date;
use tokio::sync::oneshot;
use usher_imports::{Kind, ProductMap};
use usher_platform::signals::{Stop, Told};
use usher_watch::{Commands, Folder, Options, Origin, Standing, State, WatchError, Watched};

use self::taken::ToManager;
use super::import::files;
use super::managed::ManagerAt;
use crate::context::Context;
use crate::failure::Failure;
use crate::listing::eprintln_quiet;
use crate::output::tame;
use crate::time;

/// How often a command is run unless somebody says.
const EVERY: &str = "30s";
/// How often a command may be run at the most, and at the least.
const EVERY_SECONDS: (u64, u64) = (1, 86_400);
/// How long a command may take unless somebody says.
const WITHIN: &str = "60s";
const WITHIN_SECONDS: (u64, u64) = (1, 3_600);

/// Follow the log of another licence server, or ask it again and again
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    override_usage = "usher watch [OPTIONS] KIND NAME --log FILE\n       \
                      usher watch [OPTIONS] KIND NAME --licence PORT@HOST\n       \
                      usher watch [OPTIONS] KIND NAME --command COMMAND\n       \
                      usher watch [OPTIONS] KIND NAME -- PROGRAM ARGUMENT...\n       \
                      usher watch list",
    after_help = "\
Examples:
  usher watch flexnet-log lic1-log --log debug.log
  usher watch lmstat lic1 --licence 27000@lic1
  usher watch lmstat lic1 --command 'lmutil lmstat -a -c 27000@lic1' --every 1m
  usher watch slurm cluster -- scontrol show licenses
  usher watch flexnet-log lic1-log --log debug.log --once     up to its present end
  usher watch list

It goes on until it is ended, and when it is started again it goes on where it was: nothing is
counted twice. A log is followed if it is renamed and begun anew, or cut. While the manager does not
answer, nothing is read.

Whoever one report shows and the next does not has had the seat up to the first. If a command fails,
nothing is known of that time, which is not the same as nothing in use. No shell reads the command.

Give each licence server one NAME, and do not watch its log and its status under the same one: both
tell of the same uses. What is watched counts as counted elsewhere, and takes no seat here."
)]
pub(crate) struct Watch {
    #[command(subcommand)]
    subcommand: Option<Known>,
    /// What kind of log or report it is
    #[arg(value_name = "KIND", required = true, value_parser = kinds())]
    kind: Option<Kind>,
    /// What to call it: whose log or report it is
    #[arg(value_name = "NAME", required = true, value_parser = name)]
    name: Option<String>,
    /// The log to follow
    #[arg(long, value_name = "FILE", conflicts_with_all = ["licence", "command", "program"])]
    log: Option<PathBuf>,
    /// The licence server to ask, by the usual command of its kind (lmstat, rlmstat, lmx, lstc,
    /// olicense; lsmon: HOST)
    #[arg(long, value_name = "PORT@HOST", conflicts_with_all = ["command", "program"])]
    licence: Option<String>,
    /// The command to run, its words separated as a shell does it
    #[arg(long, value_name = "COMMAND", conflicts_with = "program")]
    command: Option<String>,
    /// The command to run, word by word
    #[arg(value_name = "PROGRAM", last = true)]
    program: Vec<String>,
    /// How often the command is run; how often what is open in a log is sent
    #[arg(long, value_name = "DURATION", default_value = EVERY, value_parser = every)]
    every: Duration,
    /// How long the command may take before it is ended
    #[arg(long, value_name = "DURATION", default_value = WITHIN, value_parser = within)]
    within: Duration,
    /// Whose rows these are, if it is not NAME: the --source of imports
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Which products features are
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// The time zone of the log or report, such as Europe/Berlin [default: what it says, else this
    /// computer's]
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// The day of the first line of a log that says no date (flexnet-log)
    #[arg(long, value_name = "DATE")]
    first_day: Option<Date>,
    /// Take in what is there now, and end
    #[arg(long)]
    once: bool,
    /// Forget how far the log was read, and send all of it again
    #[arg(long)]
    again: bool,
    #[command(flatten)]
    manager: ManagerAt,
}

/// What is watched.
#[derive(Debug, Subcommand)]
enum Known {
    List(listed::List),
}

fn kinds() -> impl TypedValueParser<Value = Kind> {
    let watched = [
        Kind::FlexnetLog,
        Kind::Lmstat,
        Kind::RlmLog,
        Kind::Rlmstat,
        Kind::Lmx,
        Kind::Dsls,
        Kind::Lsmon,
        Kind::Olicense,
        Kind::Lstc,
        Kind::Slurm,
    ];
    PossibleValuesParser::new(watched.map(Kind::word))
        .try_map(|word| Kind::of_word(&word).ok_or("there is no such kind"))
}

fn name(text: &str) -> Result<String, String> {
    usher_watch::check_name(text).map(|()| text.to_owned())
}

fn every(text: &str) -> Result<Duration, String> {
    let (least, most) = EVERY_SECONDS;
    time::within(text, least, Some(most)).map(Duration::from_secs)
}

fn within(text: &str) -> Result<Duration, String> {
    let (least, most) = WITHIN_SECONDS;
    time::within(text, least, Some(most)).map(Duration::from_secs)
}

pub(crate) fn run(args: Watch, context: &Context) -> Result<(), Failure> {
    match &args.subcommand {
        Some(Known::List(list)) => listed::list(list, context),
        None => watch(&args, context),
    }
}

fn watch(args: &Watch, context: &Context) -> Result<(), Failure> {
    // The parser asks for both where no subcommand is.
    let (Some(kind), Some(name)) = (args.kind, &args.name) else {
        return Err(Failure::usage("the kind and the name are missing"));
    };
    if args.first_day.is_some() && kind != Kind::FlexnetLog {
        return Err(
            Failure::usage(format!("--first-day has no effect with {kind}")).next("Leave it out."),
        );
    }
    let source = args.source.clone().unwrap_or_else(|| name.clone());
    super::import::check_source(&source)?;
    let watched = Watched {
        name: name.clone(),
        kind,
        source,
        origin: origin(args, kind)?,
        every: args.every,
        zone: args.time_zone.as_deref().map(files::zone).transpose()?,
        first_day: args.first_day,
        map: match &args.map {
            Some(path) => files::map(path)?,
            None => ProductMap::default(),
        },
    };
    let options = Options {
        once: args.once,
        again: args.again,
    };
    let takes = ToManager::new(&args.manager, context)?;
    let work = Work {
        watched,
        folder: Folder::of(context.data()),
        takes,
        options,
    };
    context.block_on(until_told(work))
}

/// What is to be done.
struct Work {
    watched: Watched,
    folder: Folder,
    takes: ToManager,
    options: Options,
}

impl Work {
    fn run(mut self, commands: &Commands) -> Result<(), WatchError> {
        usher_watch::run(
            &self.watched,
            &self.folder,
            &mut self.takes,
            (self.options, commands),
            Box::new(|standing, is_news| {
                if is_news {
                    told(standing);
                }
            }),
        )
    }
}

/// Watches, on a thread that may wait, until a signal says that it is enough: that is for the command
/// that runs, too, which the terminal does not tell, for it has a process group of its own.
async fn until_told(work: Work) -> Result<(), Failure> {
    let cannot = |what: &str, error: std::io::Error| Failure::failed(format!("{what}: {error}"));
    let mut stop =
        Stop::take(Told::AlsoByTerminal).map_err(|error| cannot("cannot watch signals", error))?;
    let commands = Commands::default();
    let (done, is_done) = oneshot::channel();
    let own = commands.clone();
    let watches = move || {
        // Nobody waits for it any more if a signal came.
        let _ = done.send(work.run(&own));
    };
    std::thread::Builder::new()
        .name("watch".to_owned())
        .spawn(watches)
        .map_err(|error| cannot("cannot start", error))?;
    tokio::select! {
        ended = is_done => match ended {
            Ok(ended) => ended.map_err(|error| failure(&error)),
            Err(_) => Err(Failure::failed("the watch has ended by a fault of its own")),
        },
        signal = stop.next() => {
            // A panic of it has been written.
            let _ = tokio::task::spawn_blocking(move || commands.end()).await;
            Err(Failure::Quiet(signal.exit_code()))
        }
    }
}

/// Where it comes from, by whichever option says so.
fn origin(args: &Watch, kind: Kind) -> Result<Origin, Failure> {
    if let Some(path) = &args.log {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        return Ok(Origin::Log(path));
    }
    let words = match (&args.licence, &args.command) {
        (Some(server), _) => usual_command(kind, server)?,
        (None, Some(command)) => shlex::split(command).ok_or_else(|| {
            Failure::usage(format!(
                "--command {:?} has a quote that does not end",
                tame(command)
            ))
        })?,
        (None, None) => args.program.clone(),
    };
    match words.is_empty() {
        false => Ok(Origin::Command {
            words,
            within: args.within,
        }),
        true => Err(Failure::usage("there is nothing to watch")
            .next("Give a log by --log FILE, or a command by --command or behind --.")),
    }
}

/// The command that asks a server of that kind.
fn usual_command(kind: Kind, server: &str) -> Result<Vec<String>, Failure> {
    if server.is_empty() || server.starts_with('-') || server.chars().any(char::is_whitespace) {
        return Err(Failure::usage(format!(
            "--licence {:?} names no licence server: give PORT@HOST",
            tame(server)
        )));
    }
    let (port, host) = server.rsplit_once('@').unwrap_or(("", server));
    let has_both = !port.is_empty() && !host.is_empty();
    let at = format!("{host}:{port}");
    let words: &[&str] = match kind {
        Kind::Lmstat => &["lmutil", "lmstat", "-a", "-c", server],
        Kind::Rlmstat => &["rlmutil", "rlmstat", "-a", "-c", server],
        Kind::Lmx if has_both => &["lmxendutil", "-licstat", "-host", host, "-port", port],
        Kind::Lstc => &["lstc_qrun", "-s", server, "-r"],
        Kind::Olicense if has_both => &["olixtool", "-sv", &at],
        Kind::Lsmon => &["lsmon", host],
        Kind::Lmx | Kind::Olicense => {
            return Err(Failure::usage(format!(
                "--licence {:?} is not PORT@HOST",
                tame(server)
            )));
        }
        _ => {
            return Err(
                Failure::usage(format!("--licence has no effect with {kind}"))
                    .next("Give a log by --log FILE, or a command by --command or behind --."),
            );
        }
    };
    Ok(words.iter().map(|word| (*word).to_owned()).collect())
}

/// Says what a watch does from now on.
fn told(standing: &Standing) {
    let from = tame(&standing.from);
    let line = match (standing.state, &standing.why) {
        (State::Waiting, _) => format!("usher: {from} is not there yet"),
        (State::Following, _) => format!("usher: watching {from}"),
        (State::Failing, why) => {
            let why = why.as_deref().unwrap_or("it fails");
            format!("usher: {}; it is tried again and again", tame(why))
        }
    };
    eprintln_quiet(&line);
}

fn failure(error: &WatchError) -> Failure {
    match error {
        WatchError::Unfit(why) => Failure::usage(tame(why))
            .next("Logs (--log): flexnet-log, rlm-log, dsls. Others are asked by a command."),
        other => Failure::failed(tame(&other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_asked_by_the_usual_command_of_its_kind() {
        let line = |kind, server| usual_command(kind, server).map(|words| words.join(" "));
        for (kind, server, expected) in [
            (Kind::Lmstat, "27000@lic1", "lmutil lmstat -a -c 27000@lic1"),
            (
                Kind::Rlmstat,
                "5053@lic1",
                "rlmutil rlmstat -a -c 5053@lic1",
            ),
            (
                Kind::Lmx,
                "6200@lic1",
                "lmxendutil -licstat -host lic1 -port 6200",
            ),
            (Kind::Olicense, "8080@lic1", "olixtool -sv lic1:8080"),
            (Kind::Lsmon, "lic1", "lsmon lic1"),
        ] {
            assert_eq!(line(kind, server).unwrap(), expected);
        }
        for (kind, server) in [
            (Kind::Lmstat, "-c /etc/shadow"),
            (Kind::Lmstat, ""),
            (Kind::Lmx, "lic1"),
            (Kind::Slurm, "1@lic1"),
        ] {
            assert_eq!(line(kind, server).unwrap_err().code(), 2, "{server}");
        }
    }
}
