//! Episodes and concerns: open until they are over.

use usher_core::messages::{Severity, entry};
use usher_site::{
    Change, EpisodeRow, MessageFilter, Said, ServerTrouble, Site, Spell, Tally, Unwatched,
};

use crate::common::*;

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
    // A step of healing is over with the trouble that it was against: of zeta there is some still.
    for server in ["zeta", "eta"] {
        keep(site, message(9423, 100_350, Some(server))).await;
    }

    let of = |id| entry(id).component.to_owned();
    let mut expected = [
        (of(9406), Severity::Error, 1, 1),
        (of(9412), entry(9412).severity, 1, 0),
        (of(9423), entry(9423).severity, 2, 1),
        (of(9431), entry(9431).severity, 1, 0),
        (of(9440), entry(9440).severity, 7, 0),
    ];
    expected.sort();
    let standing = site.standing(100_000).await.unwrap();
    let tally = |it: &(String, Severity, u64, u64)| Tally {
        component: it.0.clone(),
        severity: it.1,
        count: it.2,
        over: it.3,
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
