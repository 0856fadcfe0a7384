//! The manager's view of its site, for `usher check`.

use jiff::tz::TimeZone;
use usher_api::client::{Client, ClientError};
use usher_api::{Page, StatusMessage, WatchedServer};
use usher_core::health::Verdict;
use usher_core::messages::Standing;

use super::finding::{Finding, Level, one_line};
use crate::time;

/// What is spelled out of each sort; the rest are counted.
const NAMED: usize = 3;

/// What a manager sees.
pub(super) struct View {
    servers: Vec<WatchedServer>,
    open: Vec<StatusMessage>,
}

/// Asks a manager for its view.
pub(super) async fn ask(client: &Client) -> Result<View, ClientError> {
    let servers: Page<WatchedServer> = client.get("/v1/servers").await?;
    let open: Page<StatusMessage> = client.get("/v1/messages?open=true&limit=1000").await?;
    Ok(View {
        servers: servers.items,
        open: open.items,
    })
}

/// Judges what it sees: CRITICAL is worse than WARNING, and that than UNKNOWN. Times are those of a
/// zone, and say it.
pub(super) fn judge(view: &View, zone: &TimeZone) -> Finding {
    let mut levels = vec![Level::Ok];
    let mut said = Vec::new();
    let well = view
        .servers
        .iter()
        .filter(|server| of_verdict(server) == Level::Ok)
        .count();
    if view.servers.is_empty() {
        levels.push(Level::Unknown);
        said.push("the manager watches no server: `usher servers add` adds one".to_owned());
    } else {
        said.push(match (well, view.servers.len()) {
            (1, 1) => "the one server is well".to_owned(),
            (0, 1) => "the one server is not well".to_owned(),
            (1, all) => format!("1 of {all} servers is well"),
            (well, all) => format!("{well} of {all} servers are well"),
        });
    }
    let trouble = view
        .servers
        .iter()
        .filter(|server| of_verdict(server) != Level::Ok);
    let trouble: Vec<String> = trouble
        .inspect(|server| levels.push(of_verdict(server)))
        .map(|server| {
            let (name, verdict) = (&server.name, &server.verdict);
            let since = time::zoned(server.since, zone);
            match &server.grants_nothing {
                Some(says) => format!("{name} is {verdict} since {since}: {}", says.why),
                None => format!("{name} is {verdict} since {since}"),
            }
        })
        .collect();
    said.extend(shortened(trouble));
    let of = |severity: &str| {
        view.open
            .iter()
            .filter(|it| it.severity == severity)
            .count()
    };
    let (errors, warnings) = (of("error"), of("warning"));
    levels.extend((errors > 0).then_some(Level::Critical));
    levels.extend((warnings > 0).then_some(Level::Warning));
    let mut open: Vec<&StatusMessage> = view
        .open
        .iter()
        // The verdict says it already.
        .filter(|message| !view.servers.iter().any(|server| tells_of(message, server)))
        .collect();
    open.sort_by_key(|message| message.severity != "error");
    said.extend(shortened(
        open.iter().map(|message| message.text.clone()).collect(),
    ));
    Finding {
        level: worst(&levels),
        text: one_line(&said.join("; ")),
        figures: Some(format!(
            "servers={} well={well} errors={errors};;1 warnings={warnings};1",
            view.servers.len()
        )),
    }
}

fn of_verdict(server: &WatchedServer) -> Level {
    match Verdict::of_name(&server.verdict) {
        None | Some(Verdict::Unknown) => Level::Unknown,
        Some(verdict) => match verdict.standing() {
            // A pause is somebody's wish; that nobody gets a seat is worth knowing all the same.
            Standing::Ok if server.grants_nothing.is_some() => Level::Warning,
            Standing::Ok => Level::Ok,
            Standing::Warning => Level::Warning,
            Standing::Critical => Level::Critical,
        },
    }
}

fn tells_of(message: &StatusMessage, server: &WatchedServer) -> bool {
    let of_episode = server.episode.as_ref().map(|episode| episode.message_id);
    of_episode == Some(message.id) && message.server.as_deref() == Some(&*server.name)
}

fn worst(levels: &[Level]) -> Level {
    let order = [Level::Critical, Level::Warning, Level::Unknown];
    let found = order.into_iter().find(|level| levels.contains(level));
    found.unwrap_or(Level::Ok)
}

fn shortened(mut texts: Vec<String>) -> Vec<String> {
    let more = texts.len().saturating_sub(NAMED);
    texts.truncate(NAMED);
    texts.extend((more > 0).then(|| format!("and {more} more")));
    texts
}

#[cfg(test)]
mod tests;
