//! `usher servers`: the metering servers that a manager watches.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use usher_api::client::{Client, ClientError};
use usher_api::{HistorySeen, Page, WatchChange, WatchRequest, WatchedServer};
use usher_core::health::Verdict;

use super::managed::ManagerAt;
use crate::context::Context;
use crate::failure::Failure;
use crate::host;
use crate::listing::{eprintln_quiet, segment, show};
use crate::output::{Table, counted, line, print, print_json, tame};
use crate::time;

/// Say which metering servers the manager watches, and see how they are
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  usher servers add alpha --url http://10.0.0.5:8470 --token-file alpha.token
  usher servers add here --url http://127.0.0.1:8470 --token-file token --unit usher-server.service
  usher servers list
  usher servers poll alpha        look now
  usher servers show alpha        the verdict, and the evidence for it
  usher servers edit alpha --token-file alpha.token")]
pub(crate) enum Servers {
    Add(Add),
    /// List the servers with their verdicts
    List(ManagerAt),
    /// Show one server: its verdict, and the evidence for it
    Show(Named),
    /// Look at a server now, and show it
    Poll(Named),
    Edit(Edit),
    /// Watch a server no longer; its messages stay
    Remove(Named),
}

/// Watch one more metering server
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher servers add alpha --url http://10.0.0.5:8470 --token-file alpha.token
  usher servers add here --url http://127.0.0.1:8470 --token-file token \\
    --server-data /var/lib/usher --data /var/lib/usher-manager

--data DIR is where the manager's admin.token lies, as for all commands; --server-data DIR is of
the server that is added. It tells whether the server runs; only a server with a --unit is started
again by the manager. The manager keeps a copy of the token: after `usher token create --rotate`
there, `usher servers edit NAME --token-file FILE` gives it the new one.")]
pub(crate) struct Add {
    /// Its name, for people
    name: String,
    /// Where its API is
    #[arg(long, value_name = "URL")]
    url: String,
    /// The file with a token of it, of role manager (a viewer's is enough to watch)
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
    /// Its systemd unit, if it is on the manager's computer
    #[arg(long, value_name = "UNIT")]
    unit: Option<String>,
    /// Its data directory, if it is on the manager's computer: who holds the lock there is evidence,
    /// too
    #[arg(long, value_name = "DIR")]
    server_data: Option<PathBuf>,
    #[command(flatten)]
    manager: ManagerAt,
}

/// Change how a server is watched; what is not given stays, and its trouble and messages go on
#[derive(Debug, Args)]
#[command(
    group = clap::ArgGroup::new("change").required(true).multiple(true)
        .args(["url", "token_file", "unit", "server_data"]),
    after_help = "\
Examples:
  usher servers edit alpha --token-file alpha.token
  usher servers edit alpha --url https://alpha.example.org:8470
  usher servers edit here --unit usher-server.service

The manager keeps a copy of the token: give it the new one after `usher token create --rotate`. It
tries the new one first: one that the server does not take changes nothing, unless --force is given
or nobody answers."
)]
pub(crate) struct Edit {
    /// Its name
    name: String,
    /// Where its API is
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The file with a token of it, of role manager (a viewer's is enough to watch)
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Change it although the server answers and does not take the token
    #[arg(long)]
    force: bool,
    /// Its systemd unit, if it is on the manager's computer
    #[arg(long, value_name = "UNIT")]
    unit: Option<String>,
    /// Its data directory, if it is on the manager's computer
    #[arg(long, value_name = "DIR")]
    server_data: Option<PathBuf>,
    #[command(flatten)]
    manager: ManagerAt,
}

/// One server.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// Its name
    name: String,
    #[command(flatten)]
    manager: ManagerAt,
}

pub(crate) fn run(command: Servers, context: &Context) -> Result<(), Failure> {
    context.block_on(async {
        match command {
            Servers::Add(args) => add(args, context).await,
            Servers::List(at) => {
                let page: Page<WatchedServer> =
                    at.client(context).await?.get("/v1/servers").await?;
                show(context, &page, "No server is watched yet.", table)
            }
            Servers::Show(args) => {
                let client = args.manager.client(context).await?;
                one(&client.get(&path(&args.name, "")?).await?, context)
            }
            Servers::Poll(args) => {
                let client = args.manager.client(context).await?;
                let path = path(&args.name, "/poll")?;
                let seen = client
                    .post_keyed(&path, &host::request_key(), &serde_json::json!({}))
                    .await?;
                one(&seen, context)
            }
            Servers::Edit(args) => edit(args, context).await,
            Servers::Remove(args) => {
                args.manager
                    .client(context)
                    .await?
                    .delete(&path(&args.name, "")?)
                    .await?;
                line(format!("{} is no longer watched", tame(&args.name)))
            }
        }
    })
}

/// Says that the manager watches no server of that name, after a request that names one. Users who
/// may not see the servers are told nothing.
pub(super) async fn note_unknown(client: &Client, name: Option<&str>) {
    let Some(name) = name else { return };
    let Ok(page) = client.get::<Page<WatchedServer>>("/v1/servers").await else {
        return;
    };
    if page.items.iter().any(|server| server.name == name) {
        return;
    }
    let names: Vec<String> = page.items.iter().map(|server| tame(&server.name)).collect();
    let watched = match names.is_empty() {
        true => "it watches none".to_owned(),
        false => format!("it watches {}", names.join(", ")),
    };
    eprintln_quiet(&format!(
        "The manager watches no server {}: {watched}.",
        tame(name)
    ));
}

fn path(name: &str, rest: &str) -> Result<String, Failure> {
    Ok(format!("/v1/servers/{}{rest}", segment(name)?))
}

async fn add(args: Add, context: &Context) -> Result<(), Failure> {
    let request = WatchRequest {
        name: args.name,
        url: args.url,
        token: token_in(&args.token_file)?,
        unit: args.unit,
        data: args.server_data.as_deref().map(whole_path).transpose()?,
    };
    let client = args.manager.client(context).await?;
    let added: WatchedServer = client
        .post_keyed("/v1/servers", &host::request_key(), &request)
        .await?;
    one(&added, context)?;
    if let Some(note) = note(&added) {
        eprintln_quiet(&note);
    }
    Ok(())
}

/// The note on a server that got a new URL or token and does not answer as it should: one of the
/// two may be mistyped.
fn note(seen: &WatchedServer) -> Option<String> {
    let (name, url) = (tame(&seen.name), tame(&seen.url));
    match Verdict::of_name(&seen.verdict)? {
        Verdict::Unreachable | Verdict::Stopped => Some(format!(
            "Note: no server answers at {url} now. {name} is watched all the same; if the URL is \
             mistyped, `usher servers edit {name} --url URL` changes it."
        )),
        Verdict::Unknown => Some(format!(
            "Note: what answers at {url} does not tell the manager how it is, for the reason above. \
             {name} is watched all the same; `usher servers edit {name} --url URL` changes its URL, \
             and `usher servers edit {name} --token-file FILE` its token."
        )),
        _ => None,
    }
}

async fn edit(args: Edit, context: &Context) -> Result<(), Failure> {
    let change = WatchChange {
        url: args.url,
        token: args.token_file.as_deref().map(token_in).transpose()?,
        unit: args.unit,
        data: args.server_data.as_deref().map(whole_path).transpose()?,
        force: args.force,
    };
    let client = args.manager.client(context).await?;
    let path = path(&args.name, "")?;
    let changed: WatchedServer = match client.patch(&path, &change).await {
        Err(ClientError::Problem(problem)) if problem.detail.contains(MAY_BE_FORCED) => {
            let failure = Failure::from(ClientError::Problem(problem));
            return Err(failure.next("--force makes the change all the same."));
        }
        changed => changed?,
    };
    one(&changed, context)?;
    let may_be_mistyped = change.url.is_some() || change.token.is_some();
    if let Some(note) = note(&changed).filter(|_| may_be_mistyped) {
        eprintln_quiet(&note);
    }
    Ok(())
}

/// The part of a manager's refusal that says that the change can be forced.
const MAY_BE_FORCED: &str = "\"force\": true";

fn token_in(file: &Path) -> Result<String, Failure> {
    const MAKE: &str = "On that server, `usher token create --role manager` makes one.";
    usher_api::secret_in(file).map_err(|error| {
        let file = file.display();
        let why = match error.kind() {
            std::io::ErrorKind::UnexpectedEof => format!("the token file {file} is empty"),
            _ => format!("cannot read the token file {file}: {error}"),
        };
        Failure::usage(why).next(MAKE)
    })
}

/// The path without reference to the current folder: the manager runs in another one.
fn whole_path(path: &Path) -> Result<String, Failure> {
    let whole = std::path::absolute(path)
        .map_err(|error| Failure::usage(format!("cannot use {}: {error}", path.display())))?;
    Ok(whole.display().to_string())
}

fn table(servers: &[WatchedServer]) -> Table {
    let mut table = Table::new(&["SERVER", "VERDICT", "SINCE", "POLLED", "MESSAGE", "URL"]);
    for server in servers {
        table.row([
            server.name.clone(),
            server.verdict.clone(),
            time::local(server.since),
            server.polled_at.map_or("-".to_owned(), time::local),
            server.episode.as_ref().map_or("-".to_owned(), |episode| {
                format!(
                    "{} (seen {})",
                    episode.message_id,
                    counted(episode.count, "time")
                )
            }),
            server.url.clone(),
        ]);
    }
    table
}

fn one(server: &WatchedServer, context: &Context) -> Result<(), Failure> {
    if context.json() {
        return print_json(server);
    }
    let mut text = format!(
        "{} is {}, unchanged since {}\n",
        server.name,
        server.verdict,
        time::local(server.since)
    );
    for evidence in &server.evidence {
        text += &format!(
            "  {}: {}\n",
            evidence.source.replace('_', " "),
            tame(&evidence.finding)
        );
    }
    if let Some(episode) = &server.episode {
        text += &format!(
            "  reported as message {} since {}, seen {}\n",
            episode.message_id,
            time::local(episode.first_at),
            counted(episode.count, "time")
        );
    }
    if let Some(healing) = &server.healing {
        let heals = match healing.by {
            Some(_) => "healing",
            None => "not healed",
        };
        text += &format!("  {heals}: {}\n", tame(&healing.how));
    }
    if let Some(history) = &server.history {
        text += &format!("  history: {}\n", collected(history));
    }
    if let Some(other) = &server.same_as {
        text += &format!(
            "  it is the same server as {}: remove one of the two\n",
            tame(other)
        );
    }
    print(&text)
}

/// How far the manager has collected the history of a server.
fn collected(history: &HistorySeen) -> String {
    if let Some(why) = &history.why {
        return format!("the last try to collect it failed: {}", tame(why));
    }
    let behind = history.head_event.saturating_sub(history.through_event);
    let far = match behind {
        0 => "all of it is collected".to_owned(),
        behind => format!("{} not collected yet", counted(behind, "event")),
    };
    match &history.not_acknowledged {
        None => far,
        Some(why) => format!("{far}, and the server does not record that: {}", tame(why)),
    }
}
