//! What every engine of the site database has to do, run on each.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use usher_core::messages::{Message, Severity, entry};
use usher_site::{
    ConcernRow, EpisodeRow, MessageFilter, MessageRow, ServerRow, Site, SiteError, Spell,
    SqliteSite, Tally,
};

fn embedded() -> (tempfile::TempDir, SqliteSite) {
    let folder = tempfile::tempdir().unwrap();
    let site = SqliteSite::open(folder.path()).unwrap();
    (folder, site)
}

fn server(name: &str) -> ServerRow {
    ServerRow {
        name: name.to_owned(),
        url: format!("http://{name}:8470"),
        token: "secret".to_owned(),
        unit: Some("usher-server.service".to_owned()),
        data: None,
        added_ms: 5,
    }
}

fn message(id: u16, at: i64, server: Option<&str>) -> MessageRow {
    MessageRow {
        record_id: 0,
        message: Message {
            id,
            computer: "m-1".to_owned(),
            site: "HQ".to_owned(),
            server: server.map(str::to_owned),
            process_id: 42,
            time_ms: at,
            values: vec!["alpha".to_owned(), "it \"fell\"\n".to_owned()],
        },
        count: 1,
        last_ms: at,
        recovered_ms: None,
        keep_until_ms: at + 1_000,
        summarised: true,
    }
}

fn episode(server: &str, number: u64, record_id: Option<i64>) -> EpisodeRow {
    EpisodeRow {
        server: server.to_owned(),
        number,
        verdict: "stopped".to_owned(),
        record_id,
        message_id: 9406,
        count: 3,
        first_ms: 10,
        last_ms: 30,
        ended_ms: None,
    }
}

fn records(site: &dyn Site, filter: MessageFilter) -> Vec<i64> {
    let limit = if filter.limit == 0 { 100 } else { filter.limit };
    let rows = site.messages(&MessageFilter { limit, ..filter }).unwrap();
    rows.iter().map(|row| row.record_id).collect()
}

fn keeps_servers(site: &dyn Site) {
    site.add_server(&server("beta")).unwrap();
    site.add_server(&server("alpha")).unwrap();
    let taken = site.add_server(&server("beta")).unwrap_err();
    assert!(matches!(taken, SiteError::NameTaken(name) if name == "beta"));
    assert_eq!(site.servers().unwrap(), [server("alpha"), server("beta")]);
    let moved = ServerRow {
        url: "https://new:8470".to_owned(),
        token: "other".to_owned(),
        unit: None,
        data: Some("/srv".to_owned()),
        ..server("alpha")
    };
    assert!(site.change_server(&moved).unwrap());
    assert!(!site.change_server(&server("gone")).unwrap());
    assert_eq!(site.servers().unwrap(), [moved, server("beta")]);
    assert!(site.change_server(&server("alpha")).unwrap());
    assert!(site.remove_server("beta").unwrap());
    assert!(!site.remove_server("beta").unwrap());
    assert!(!format!("{:?}", server("alpha")).contains("secret"));
}

fn keeps_messages_and_finds_them(site: &dyn Site) {
    let down = site
        .add_message(&message(9406, 100, Some("alpha")))
        .unwrap();
    let cut = site.add_message(&message(9412, 200, Some("beta"))).unwrap();
    let audit = site.add_message(&message(9440, 300, None)).unwrap();
    let all = records(site, MessageFilter::default());
    assert_eq!(all, [audit, cut, down], "the newest first");
    let stored = site
        .messages(&MessageFilter {
            id: Some(9406),
            limit: 1,
            ..MessageFilter::default()
        })
        .unwrap();
    let expected = MessageRow {
        record_id: down,
        ..message(9406, 100, Some("alpha"))
    };
    assert_eq!(stored, [expected]);
    let by = |filter| records(site, filter);
    let any = MessageFilter::default;
    assert_eq!(
        by(MessageFilter {
            since_ms: Some(200),
            ..any()
        }),
        [audit, cut]
    );
    assert_eq!(
        by(MessageFilter {
            until_ms: Some(200),
            ..any()
        }),
        [down]
    );
    let severe = MessageFilter {
        severity_at_least: Some(Severity::Warning),
        ..any()
    };
    assert_eq!(by(severe), [cut, down]);
    assert_eq!(
        by(MessageFilter {
            server: Some("beta".into()),
            ..any()
        }),
        [cut]
    );
    let of = |component: &str| {
        by(MessageFilter {
            component: Some(component.into()),
            ..any()
        })
    };
    assert_eq!(of("nobody"), [0_i64; 0]);
    assert_eq!(of("metering_server"), [cut, down]);
    // What the manager says of a server was the manager's.
    assert_eq!(of("server_manager"), [audit, cut, down]);
    assert_eq!(
        by(MessageFilter {
            below_record: Some(audit),
            limit: 1,
            ..any()
        }),
        [cut]
    );
    assert_eq!(
        by(MessageFilter {
            above_record: Some(down),
            ..any()
        }),
        [audit, cut]
    );

    site.count_message(down, 96, 900).unwrap();
    site.close_message(down, 950).unwrap();
    let row = site
        .messages(&MessageFilter {
            id: Some(9406),
            limit: 1,
            ..any()
        })
        .unwrap()
        .remove(0);
    assert_eq!(
        (row.count, row.last_ms, row.recovered_ms),
        (96, 900, Some(950))
    );
    let tally = |component: &str, severity, count| Tally {
        component: component.to_owned(),
        severity,
        count,
    };
    assert_eq!(
        site.tally(150).unwrap(),
        [
            tally("metering_server", Severity::Warning, 1),
            tally("metering_server", Severity::Error, 1),
            tally("server_manager", Severity::Informational, 1),
        ]
    );
}

fn counts_what_repeats_each_time_and_trouble_that_lasts_once(site: &dyn Site) {
    let add = |id, at| site.add_message(&message(id, at, Some("zeta"))).unwrap();
    let (over, down, low, asked) = (
        add(9406, 100_000),
        add(9412, 100_100),
        add(9431, 100_200),
        add(9440, 100_300),
    );
    site.count_message(over, 96, 100_400).unwrap();
    site.close_message(over, 100_400).unwrap();
    site.count_message(down, 50, 100_800).unwrap();
    site.put_episode(&episode("zeta", 1, Some(down))).unwrap();
    site.count_message(low, 400, 100_950).unwrap();
    let concern = ConcernRow {
        server: "zeta".to_owned(),
        message_id: 9431,
        about: "cad".to_owned(),
        record_id: Some(low),
        count: 400,
    };
    site.put_concern(&concern).unwrap();
    site.count_message(asked, 7, 100_300).unwrap();
    let counts: Vec<(String, Severity, u64)> = site
        .tally(100_000)
        .unwrap()
        .into_iter()
        .map(|it| (it.component, it.severity, it.count))
        .collect();
    let of = |id| entry(id).component.to_owned();
    let mut expected = vec![
        (of(9406), Severity::Error, 1),
        (of(9412), entry(9412).severity, 1),
        (of(9431), entry(9431).severity, 1),
        (of(9440), entry(9440).severity, 7),
    ];
    expected.sort();
    let mut counts = counts;
    counts.sort();
    assert_eq!(counts, expected);
    let spell = |id, from_ms, to_ms| Spell {
        component: of(id),
        severity: entry(id).severity,
        from_ms,
        to_ms,
    };
    let all = [
        spell(9406, 100_000, Some(100_400)),
        spell(9412, 100_100, None),
        spell(9431, 100_200, None),
    ];
    assert_eq!(site.spells(100_000).unwrap(), all);
    // What is open lasts, whenever it was seen last.
    assert_eq!(site.spells(100_900).unwrap(), all[1..]);
}

fn keeps_an_open_episodes_message_beyond_its_time(site: &dyn Site) {
    let old = site
        .add_message(&message(9413, 1_000, Some("gamma")))
        .unwrap();
    let open = site
        .add_message(&message(9413, 1_001, Some("gamma")))
        .unwrap();
    site.put_episode(&episode("gamma", 1, Some(open))).unwrap();
    let only_open = MessageFilter {
        open: true,
        ..MessageFilter::default()
    };
    assert_eq!(records(site, only_open.clone()), [open]);
    while site.purge_messages(1_000_000, 1).unwrap() > 0 {}
    let left = records(site, MessageFilter::default());
    assert!(left.contains(&open) && !left.contains(&old), "{left:?}");
    let ended = EpisodeRow {
        ended_ms: Some(40),
        ..episode("gamma", 1, Some(open))
    };
    site.put_episode(&ended).unwrap();
    assert_eq!(records(site, only_open), [0_i64; 0]);
    assert_eq!(site.purge_messages(1_000_000, 100).unwrap(), 1);
    assert_eq!(site.last_episode("gamma").unwrap(), Some(ended));
    site.put_episode(&episode("gamma", 2, None)).unwrap();
    assert_eq!(site.last_episode("gamma").unwrap().unwrap().number, 2);
    assert_eq!(site.last_episode("nobody").unwrap(), None);
}

fn keeps_concerns_until_they_are_over(site: &dyn Site) {
    let record = site
        .add_message(&message(9434, 5_000, Some("gamma")))
        .unwrap();
    let concern = ConcernRow {
        server: "gamma".to_owned(),
        message_id: 9434,
        about: String::new(),
        record_id: Some(record),
        count: 1,
    };
    site.put_concern(&concern).unwrap();
    let again = ConcernRow {
        count: 7,
        ..concern.clone()
    };
    site.put_concern(&again).unwrap();
    assert_eq!(
        site.concerns("gamma").unwrap(),
        std::slice::from_ref(&again)
    );
    assert_eq!(site.concerns("alpha").unwrap(), []);
    let words = ["gamma".to_owned(), "1 GB".to_owned()];
    site.reword_message(record, &words, 7, 5_500).unwrap();
    let of_gamma = |open| MessageFilter {
        server: Some("gamma".to_owned()),
        open,
        limit: 10,
        ..MessageFilter::default()
    };
    let row = site.messages(&of_gamma(true)).unwrap().remove(0);
    assert_eq!((&row.message.values[..], row.count), (&words[..], 7));
    assert_eq!((row.last_ms, row.keep_until_ms), (5_500, 6_500));
    site.purge_messages(i64::MAX, 100).unwrap();
    assert_eq!(records(site, of_gamma(true)), [record], "it goes on");
    site.end_concern(&again, 5_600).unwrap();
    assert_eq!(site.concerns("gamma").unwrap(), []);
    assert_eq!(records(site, of_gamma(true)), [0_i64; 0]);
    let row = site.messages(&of_gamma(false)).unwrap().remove(0);
    assert_eq!(row.recovered_ms, Some(5_600));
}

fn leaves_nothing_open_of_a_server_that_is_removed(site: &dyn Site) {
    site.add_server(&server("delta")).unwrap();
    let concern = |record_id| ConcernRow {
        server: "delta".to_owned(),
        message_id: 9435,
        about: String::new(),
        record_id,
        count: 1,
    };
    let about = |id| {
        site.add_message(&message(id, 9_000, Some("delta")))
            .unwrap()
    };
    let (old, down) = (about(9435), about(9406));
    site.put_concern(&concern(Some(old))).unwrap();
    site.put_episode(&episode("delta", 1, Some(down))).unwrap();
    let open = || {
        let filter = MessageFilter {
            server: Some("delta".to_owned()),
            open: true,
            ..MessageFilter::default()
        };
        records(site, filter)
    };
    assert_eq!(open(), [down, old]);
    assert!(site.remove_server("delta").unwrap());
    assert_eq!(open(), [0_i64; 0]);
}

fn keeps_settings(site: &dyn Site) {
    assert_eq!(site.setting("rules").unwrap(), None);
    site.put_setting("rules", "[]").unwrap();
    site.put_setting("rules", "[1]").unwrap();
    assert_eq!(site.setting("rules").unwrap().unwrap(), "[1]");
}

#[test]
fn the_embedded_engine_does_what_every_engine_has_to() {
    let (_folder, site) = embedded();
    keeps_servers(&site);
    keeps_messages_and_finds_them(&site);
    keeps_an_open_episodes_message_beyond_its_time(&site);
    counts_what_repeats_each_time_and_trouble_that_lasts_once(&site);
    keeps_concerns_until_they_are_over(&site);
    leaves_nothing_open_of_a_server_that_is_removed(&site);
    keeps_settings(&site);
}

#[test]
fn it_is_there_again_after_a_restart_and_not_for_two_at_once() {
    let (folder, site) = embedded();
    site.add_server(&server("alpha")).unwrap();
    let second = SqliteSite::open(folder.path()).err().unwrap();
    assert!(matches!(second, SiteError::InUse(_)), "{second}");
    drop(site);
    let again = SqliteSite::open(folder.path()).unwrap();
    assert_eq!(again.servers().unwrap(), [server("alpha")]);
}

#[test]
fn its_file_is_its_owners_only() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, _site) = embedded();
    let mode = std::fs::metadata(folder.path().join("site.db"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o077, 0, "{mode:o}");
}

#[test]
fn a_newer_versions_file_is_named_and_left_as_it_is() {
    let (folder, site) = embedded();
    drop(site);
    let path = folder.path().join("site.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch("PRAGMA user_version = 99;")
        .unwrap();
    drop(connection);
    let before = std::fs::read(&path).unwrap();
    let refused = SqliteSite::open(folder.path()).err().unwrap();
    assert!(
        matches!(refused, SiteError::Newer { found: 99, .. }),
        "{refused}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), before);
}
