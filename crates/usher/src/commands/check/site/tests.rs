//! What a check says of a site, case by case.

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
