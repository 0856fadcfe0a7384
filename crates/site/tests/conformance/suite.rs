//! What each engine has to do.

use usher_core::messages::{Severity, entry};
use usher_site::{
    Change, EpisodeRow, Kept, MessageFilter, MessageRow, NewMessage, Once, Said, ServerRow,
    ServerTrouble, Site, SiteError, Spell, Tally, Unwatched,
};

use crate::support::{
    again, concern, episode, keep, message, one, open_of, records, rows, said, server,
};

pub(crate) async fn keeps_servers(site: &dyn Site) {
    site.watch(server("beta")).await.unwrap();
    site.watch(server("alpha")).await.unwrap();
    let taken = site.watch(server("beta")).await.unwrap_err();
    assert!(matches!(taken, SiteError::NameTaken(name) if name == "beta"));
    let servers = async || site.resume().await.unwrap().servers;
    assert_eq!(servers().await, [server("alpha"), server("beta")]);
    let moved = ServerRow {
        url: "https://new:8470".to_owned(),
        token: "other".to_owned(),
        unit: None,
        data: Some("/srv".to_owned()),
        ..server("alpha")
    };
    assert!(site.change_watched(moved.clone()).await.unwrap());
    assert!(!site.change_watched(server("gone")).await.unwrap());
    assert_eq!(site.watched("alpha".to_owned()).await.unwrap(), Some(moved));
    assert_eq!(site.watched("gone".to_owned()).await.unwrap(), None);
    let unwatch = async || site.unwatch("beta".to_owned(), 9).await.unwrap();
    assert!(unwatch().await.was_watched);
    assert_eq!(unwatch().await, Unwatched::default());
    assert!(site.change_watched(server("alpha")).await.unwrap());
    assert_eq!(servers().await, [server("alpha")]);
    assert!(!format!("{:?}", server("alpha")).contains("secret"));
}

pub(crate) async fn keeps_messages_and_finds_them(site: &dyn Site) {
    let down = keep(site, message(9406, 100, Some("alpha"))).await;
    let cut = keep(site, message(9412, 200, Some("beta"))).await;
    let audit = keep(site, message(9440, 300, None)).await;
    let by = async |filter| records(site, filter).await;
    let any = MessageFilter::default;
    assert_eq!(by(any()).await, [audit, cut, down], "the newest first");
    let expected = MessageRow {
        record_id: down,
        ..message(9406, 100, Some("alpha"))
    };
    let stored = rows(
        site,
        MessageFilter {
            id: Some(9406),
            limit: 1,
            ..any()
        },
    );
    assert_eq!(stored.await, std::slice::from_ref(&expected));
    assert_eq!(site.message(down).await.unwrap(), Some(expected));
    assert_eq!(site.message(audit + 1).await.unwrap(), None);
    let filter = MessageFilter {
        since_ms: Some(200),
        ..any()
    };
    assert_eq!(by(filter).await, [audit, cut]);
    let filter = MessageFilter {
        until_ms: Some(200),
        ..any()
    };
    assert_eq!(by(filter).await, [down]);
    let filter = MessageFilter {
        severity_at_least: Some(Severity::Warning),
        ..any()
    };
    assert_eq!(by(filter).await, [cut, down]);
    let filter = MessageFilter {
        server: Some("beta".into()),
        ..any()
    };
    assert_eq!(by(filter).await, [cut]);
    let of = async |component: &str| {
        let component = Some(component.into());
        by(MessageFilter { component, ..any() }).await
    };
    assert_eq!(of("nobody").await, [0_i64; 0]);
    assert_eq!(of("metering_server").await, [cut, down]);
    // What the manager says of a server was the manager's.
    assert_eq!(of("server_manager").await, [audit, cut, down]);
    let filter = MessageFilter {
        below_record: Some(audit),
        limit: 1,
        ..any()
    };
    assert_eq!(by(filter).await, [cut]);
    let filter = MessageFilter {
        above_record: Some(down),
        ..any()
    };
    assert_eq!(by(filter).await, [audit, cut]);
}

pub(crate) async fn counts_a_message_that_is_told_again_and_keeps_none_that_the_rules_do_not(
    site: &dyn Site,
) {
    let row = message(9442, 400, None);
    let before = records(site, MessageFilter::default()).await;
    let dropped = Said::New(Box::new(NewMessage {
        row: row.clone(),
        is_kept: false,
        deliveries: Vec::new(),
    }));
    let changes = vec![
        Change::Message(dropped),
        Change::Message(Said::Nothing),
        Change::Message(said(row)),
    ];
    let kept = site.record(changes).await.unwrap();
    assert_eq!(kept[..2], [Kept::default(), Kept::default()]);
    let record = kept[2].record_id.unwrap();
    assert_eq!(one(site, again(record, 96, 900)).await, Some(record));
    let row = site.message(record).await.unwrap().unwrap();
    assert_eq!((row.count, row.last_ms), (96, 900));
    // It is kept for as long as after it was first told.
    assert_eq!(row.keep_until_ms, 1_900);
    let all = records(site, MessageFilter::default()).await;
    assert_eq!(all.len(), before.len() + 1);
}

pub(crate) async fn counts_what_repeats_each_time_and_trouble_that_lasts_once(site: &dyn Site) {
    let began = |id: u16, number: u64, at: i64| {
        let episode = EpisodeRow {
            message_id: id,
            ..episode("zeta", number, None)
        };
        Change::EpisodeBegan(episode, said(message(id, at, Some("zeta"))))
    };
    let over = one(site, began(9406, 1, 100_000)).await;
    let goes_on = EpisodeRow {
        count: 96,
        last_ms: 100_400,
        ..episode("zeta", 1, over)
    };
    one(site, Change::EpisodeGoesOn(goes_on.clone())).await;
    let ended = EpisodeRow {
        ended_ms: Some(100_400),
        ..goes_on
    };
    one(site, Change::EpisodeEnded(ended, Said::Nothing)).await;
    let down = one(site, began(9412, 2, 100_100)).await;
    let goes_on = EpisodeRow {
        message_id: 9412,
        count: 50,
        last_ms: 100_800,
        ..episode("zeta", 2, down)
    };
    one(site, Change::EpisodeGoesOn(goes_on)).await;
    let low = said(message(9431, 100_200, Some("zeta")));
    let low = one(
        site,
        Change::ConcernBegan(concern("zeta", 9431, None, 1), low),
    );
    let low = low.await;
    let goes_on = Change::ConcernGoesOn {
        concern: concern("zeta", 9431, low, 400),
        values: Vec::new(),
        last_ms: 100_950,
    };
    one(site, goes_on).await;
    let asked = keep(site, message(9440, 100_300, Some("zeta"))).await;
    one(site, again(asked, 7, 100_300)).await;

    let of = |id| entry(id).component.to_owned();
    let mut expected = [
        (of(9406), Severity::Error, 1),
        (of(9412), entry(9412).severity, 1),
        (of(9431), entry(9431).severity, 1),
        (of(9440), entry(9440).severity, 7),
    ];
    expected.sort();
    let standing = site.standing(100_000).await.unwrap();
    let tally = |it: &(String, Severity, u64)| Tally {
        component: it.0.clone(),
        severity: it.1,
        count: it.2,
    };
    let expected: Vec<Tally> = expected.iter().map(tally).collect();
    assert_eq!(standing.tallies, expected);
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
    assert_eq!(standing.spells, all);
    // What is open lasts, whenever it was seen last.
    assert_eq!(site.standing(100_900).await.unwrap().spells, all[1..]);
}

pub(crate) async fn keeps_an_open_episodes_message_beyond_its_time(site: &dyn Site) {
    let old = keep(site, message(9413, 1_000, Some("gamma"))).await;
    let began = said(message(9413, 1_001, Some("gamma")));
    let open = one(site, Change::EpisodeBegan(episode("gamma", 1, None), began));
    let open = open.await.unwrap();
    assert_eq!(open_of(site, "gamma").await, [open]);
    let trouble = async |name: &str| site.resume_server(name.to_owned()).await.unwrap();
    let kept = trouble("gamma").await.episode;
    assert_eq!(kept, Some(episode("gamma", 1, Some(open))));
    while site.purge(1_000_000, 1).await.unwrap() > 0 {}
    let left = records(site, MessageFilter::default()).await;
    assert!(left.contains(&open) && !left.contains(&old), "{left:?}");
    let ended = EpisodeRow {
        ended_ms: Some(1_040),
        ..episode("gamma", 1, Some(open))
    };
    let told = said(message(9414, 1_050, Some("gamma")));
    let end = one(site, Change::EpisodeEnded(ended.clone(), told)).await;
    assert!(end > Some(open), "another message tells of the end");
    assert_eq!(open_of(site, "gamma").await, [0_i64; 0]);
    let row = site.message(open).await.unwrap().unwrap();
    assert_eq!(row.recovered_ms, Some(1_040));
    assert_eq!(site.purge(1_000_000, 100).await.unwrap(), 2);
    assert_eq!(trouble("gamma").await.episode, Some(ended));
    let next = Change::EpisodeBegan(episode("gamma", 2, None), Said::Nothing);
    assert_eq!(one(site, next).await, None);
    assert_eq!(trouble("gamma").await.episode.unwrap().number, 2);
    assert_eq!(trouble("nobody").await, ServerTrouble::default());
}

pub(crate) async fn keeps_concerns_until_they_are_over(site: &dyn Site) {
    let low = said(message(9434, 5_000, Some("eta")));
    let began = Change::ConcernBegan(concern("eta", 9434, None, 1), low);
    let record = one(site, began).await.unwrap();
    let concerns = async |name: &str| {
        let trouble = site.resume_server(name.to_owned()).await.unwrap();
        trouble.concerns
    };
    assert_eq!(
        concerns("eta").await,
        [concern("eta", 9434, Some(record), 1)]
    );
    let words = ["gamma".to_owned(), "1 GB".to_owned()];
    let goes_on = Change::ConcernGoesOn {
        concern: concern("eta", 9434, Some(record), 7),
        values: words.to_vec(),
        last_ms: 5_500,
    };
    one(site, goes_on).await;
    assert_eq!(
        concerns("eta").await,
        [concern("eta", 9434, Some(record), 7)]
    );
    assert_eq!(concerns("alpha").await, []);
    let row = site.message(record).await.unwrap().unwrap();
    assert_eq!((&row.message.values[..], row.count), (&words[..], 7));
    assert_eq!((row.last_ms, row.keep_until_ms), (5_500, 6_500));
    site.purge(i64::MAX, 100).await.unwrap();
    assert_eq!(open_of(site, "eta").await, [record], "it goes on");
    let ended = Change::ConcernEnded {
        concern: concern("eta", 9434, Some(record), 7),
        ended_ms: 5_600,
    };
    one(site, ended).await;
    assert_eq!(concerns("eta").await, []);
    assert_eq!(open_of(site, "eta").await, [0_i64; 0]);
    let row = site.message(record).await.unwrap().unwrap();
    assert_eq!(row.recovered_ms, Some(5_600));
}

pub(crate) async fn leaves_nothing_open_of_a_server_that_is_removed(site: &dyn Site) {
    site.watch(server("delta")).await.unwrap();
    let about = |id| said(message(id, 9_000, Some("delta")));
    let changes = vec![
        Change::ConcernBegan(concern("delta", 9435, None, 1), about(9435)),
        Change::EpisodeBegan(episode("delta", 1, None), about(9406)),
    ];
    let kept = site.record(changes).await.unwrap();
    let kept: Vec<i64> = kept.iter().map(|it| it.record_id.unwrap()).collect();
    assert_eq!(open_of(site, "delta").await, [kept[1], kept[0]]);
    let open = async || {
        let spells = site.standing(9_000).await.unwrap().spells;
        let of = |it: &&Spell| it.from_ms == 9_000 && it.to_ms.is_none();
        spells.iter().filter(of).count()
    };
    assert_eq!(open().await, 2);
    let removed = site.unwatch("delta".to_owned(), 9_500).await.unwrap();
    let expected = Unwatched {
        was_watched: true,
        closed: vec![9406, 9435],
    };
    assert_eq!(removed, expected);
    assert_eq!(open_of(site, "delta").await, [0_i64; 0]);
    assert_eq!(open().await, 0, "what is counted as open is what is listed");
    for record in kept {
        let row = site.message(record).await.unwrap().unwrap();
        assert_eq!(row.recovered_ms, Some(9_500));
    }
}

pub(crate) async fn keeps_what_a_manager_sets_and_answers_new_rules_with_what_is_open(
    site: &dyn Site,
) {
    let set = async || {
        let it = site.resume().await.unwrap();
        [it.rules, it.thresholds, it.tokens]
    };
    assert_eq!(set().await, [None, None, None]);
    let down = Change::EpisodeBegan(
        episode("theta", 1, None),
        said(message(9406, 10, Some("theta"))),
    );
    let down = one(site, down).await.unwrap();
    site.set_rules("[]".to_owned(), Vec::new()).await.unwrap();
    let open = site.set_rules("[1]".to_owned(), Vec::new());
    let open = open.await.unwrap();
    assert!(open.iter().any(|row| row.record_id == down), "{open:?}");
    assert!(open.iter().all(|row| row.recovered_ms.is_none()));
    site.set_thresholds("{}".to_owned()).await.unwrap();
    site.set_tokens("[2]".to_owned()).await.unwrap();
    site.note_alive(7).await.unwrap();
    let all = ["[1]", "{}", "[2]"].map(|text| Some(text.to_owned()));
    assert_eq!(set().await, all);
}

pub(crate) async fn tells_once_what_is_told_once(site: &dyn Site) {
    let tell = async |which: &str| {
        let once = Once {
            what: "told_end",
            which: which.to_owned(),
        };
        let said = said(message(9450, 50, None));
        site.record_once(once, said).await.unwrap()
    };
    let first = tell("a").await.unwrap().record_id;
    assert!(first.is_some());
    assert_eq!(tell("a").await, None);
    assert!(tell("b").await.unwrap().record_id > first);
}
