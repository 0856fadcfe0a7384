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

/// Asks it.
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
mod tests {
    use super::*;
    use crate::commands::check::finding::sentence;
    use usher_api::{EpisodeSeen, GrantsNothing, Timestamp, Withheld};

    fn server(name: &str, verdict: &str, message_id: Option<u16>) -> WatchedServer {
        let at = Timestamp::UNIX_EPOCH;
        WatchedServer {
            name: name.to_owned(),
            url: String::new(),
            verdict: verdict.to_owned(),
            since: at,
            polled_at: Some(at),
            evidence: Vec::new(),
            service: None,
            episode: message_id.map(|message_id| EpisodeSeen {
                id: format!("{name}-1"),
                message_id,
                count: 1,
                first_at: at,
                last_at: at,
            }),
            grants_nothing: None,
            server_id: None,
            same_as: None,
            healing: None,
            history: None,
        }
    }

    fn message(id: u16, severity: &str, server: &str, text: &str) -> StatusMessage {
        let at = Timestamp::UNIX_EPOCH;
        StatusMessage {
            record_id: 1,
            id,
            severity: severity.to_owned(),
            kind: "milestone".to_owned(),
            component: String::new(),
            computer: String::new(),
            site: String::new(),
            server: Some(server.to_owned()),
            time: at,
            values: Vec::new(),
            text: text.to_owned(),
            count: 1,
            first_at: at,
            last_at: at,
            recovered_at: None,
        }
    }

    fn judged(servers: Vec<WatchedServer>, open: Vec<StatusMessage>) -> Finding {
        judge(&View { servers, open }, &TimeZone::UTC)
    }

    #[test]
    fn a_site_in_order_is_ok_with_figures() {
        let found = judged(vec![server("alpha", "maintenance", None)], Vec::new());
        insta::assert_snapshot!(sentence(&found), @"USHER OK - the one server is well|servers=1 well=1 errors=0;;1 warnings=0;1");
    }

    #[test]
    fn a_server_that_is_paused_is_a_warning_though_somebody_asked_for_it() {
        let mut paused = server("alpha", "maintenance", None);
        paused.grants_nothing = Some(GrantsNothing {
            reason: Withheld::Paused,
            why: "it is paused".to_owned(),
            until: None,
        });
        let found = judged(vec![paused], Vec::new());
        insta::assert_snapshot!(sentence(&found), @"USHER WARNING - the one server is not well; alpha is maintenance since 1970-01-01 00:00:00 UTC: it is paused|servers=1 well=0 errors=0;;1 warnings=0;1");
    }

    #[test]
    fn the_worst_decides_and_each_trouble_is_named_once() {
        let stuck = server("beta", "stuck", Some(9410));
        let open = vec![
            message(9431, "warning", "alpha", "Seats of CAD: 9 of 9 in use"),
            message(9410, "error", "beta", "The metering server beta is stuck"),
        ];
        let found = judged(vec![server("alpha", "running", None), stuck], open);
        insta::assert_snapshot!(sentence(&found), @"USHER CRITICAL - 1 of 2 servers is well; beta is stuck since 1970-01-01 00:00:00 UTC; Seats of CAD: 9 of 9 in use|servers=2 well=1 errors=1;;1 warnings=1;1");
    }

    #[test]
    fn a_warning_outweighs_what_is_not_known() {
        let unknown = || server("gamma", "unknown", None);
        assert_eq!(judged(vec![unknown()], Vec::new()).level, Level::Unknown);
        let both = vec![unknown(), server("delta", "unreachable", None)];
        assert_eq!(judged(both, Vec::new()).level, Level::Warning);
        assert_eq!(judged(Vec::new(), Vec::new()).level, Level::Unknown);
        let low = message(9434, "warning", "alpha", "Disk space is low");
        let well = vec![server("alpha", "running", None)];
        assert_eq!(judged(well, vec![low]).level, Level::Warning);
    }
}
