//! What reports ask besides the figures of use: who used a product, who was refused, what was last
//! used.

use std::collections::HashMap;
use std::sync::Arc;

use usher_core::usage::{Counted, UsageItem};
use usher_site::{
    Ended, EndedDenial, EndedWait, GroupSum, GroupsAsked, HistoryItem, InGroups, LastUsed, Made,
    ReasonSum, Running, RunningUse, Site, SumsAsked, UseSum, UsedBy, WaitSum, WhichGroup,
};

use crate::usage::{Server, lease};

const HOUR_MS: i64 = 3_600_000;

pub(crate) fn asked(product: &str, by: UsedBy, (from_ms, to_ms): (i64, i64)) -> SumsAsked {
    SumsAsked {
        product: product.to_owned(),
        counted: Counted::Here,
        from_ms,
        to_ms,
        by,
        people: None,
        running: Vec::new(),
        limit: 100,
    }
}

/// Whoever it was, together it is what `whole` counts in that time.
pub(crate) async fn adds_up_to(
    whole: &UsageItem,
    site: &dyn Site,
    product: &str,
    time: (i64, i64),
    context: &str,
) {
    if time.0 >= time.1 {
        return;
    }
    for by in [UsedBy::Person, UsedBy::Computer] {
        let sums = site.use_sums(asked(product, by, time)).await.unwrap();
        assert_eq!(sums.left_out, 0, "{context}");
        let sessions: u64 = sums.rows.iter().map(|row| row.sessions).sum();
        assert_eq!(sessions, whole.sessions, "{by:?} {context}");
        let open_ms: u64 = sums.rows.iter().map(|row| row.open_ms).sum();
        let seconds = open_ms as f64 / 1_000.0;
        assert_eq!(seconds, whole.open_seconds, "{by:?} {context}");
        let mut ends = sums.rows.iter().map(|row| row.last_ms);
        assert!(ends.all(|ms| (time.0..=time.1).contains(&ms)), "{context}");
    }
    let everybody = people(site, |_| vec![7]).await;
    let of = |numbers: Vec<u64>| SumsAsked {
        people: Some(numbers.into()),
        ..asked(product, UsedBy::Person, time)
    };
    let mut alone = Vec::new();
    for number in everybody.keys() {
        alone.extend(site.use_sums(of(vec![*number])).await.unwrap().rows);
    }
    let together = site.use_sums(of(everybody.keys().copied().collect())).await;
    let (mut all, mut together) = (
        site.use_sums(asked(product, UsedBy::Person, time))
            .await
            .unwrap()
            .rows,
        together.unwrap().rows,
    );
    // Nobody knows any more whose the others were.
    all.retain(|row| row.name.is_some());
    for rows in [&mut all, &mut together, &mut alone] {
        rows.sort_by_key(|row| format!("{row:?}"));
    }
    assert_eq!(alone, all, "{context}");
    assert_eq!(together, all, "{context}");
    let groups = GroupsAsked {
        sums: asked(product, UsedBy::Person, time),
        people: Arc::new(everybody),
        running: Vec::new(),
    };
    let sums = site.group_sums(groups).await.unwrap();
    assert_eq!((sums.left_out, sums.in_several), (0, 0), "{context}");
    let found = sums.rows.first().map_or((0, 0, 0, 0, None), |row| {
        assert_eq!(row.whose, WhichGroup::Group(7), "{context}");
        assert_eq!(
            (row.seat_ms, sums.rows.len()),
            (sums.seat_ms, 1),
            "{context}"
        );
        let peak = row.peak.unwrap();
        (row.sessions, row.users, row.computers, peak, row.peak_at_ms)
    });
    let peak_at_ms = whole.peak_at.map(|at| at.as_millisecond());
    let figures = (whole.sessions, whole.users, whole.computers, whole.peak);
    let expected = (figures.0, figures.1, figures.2, figures.3, peak_at_ms);
    assert_eq!(found, expected, "{context}");
}

/// The groups of all people, by the number of their account.
pub(crate) async fn people(
    site: &dyn Site,
    groups: impl Fn(u32) -> Vec<u32>,
) -> HashMap<u64, InGroups> {
    let (mut people, mut last) = (HashMap::new(), None);
    loop {
        let page = site.numbered_people(last, 4).await.unwrap();
        let Some(next) = page.last() else {
            return people;
        };
        last = Some(next.number);
        for it in page {
            let number = it.person.account.strip_prefix("person");
            if let Some(number) = number.and_then(|number| number.parse().ok()) {
                people.insert(it.number, InGroups::Of(groups(number)));
            }
        }
    }
}

/// Numbers that no other case uses: a lease is known by them alone, and all cases share one site.
fn made(event: u64) -> Made {
    Made {
        incarnation: 1,
        event: 500 + event,
    }
}

/// A lease of that product, of one of the server's people on one of its computers.
fn held(
    product: &str,
    event: u64,
    (person, computer): (u64, u64),
    hours: (i64, i64),
) -> HistoryItem {
    HistoryItem {
        person: format!("P{person}"),
        computer: format!("C{computer}"),
        ..lease(product, made(event), hours.0 * HOUR_MS, hours.1 * HOUR_MS)
    }
}

/// Name, sessions, hours, and how many computers or people.
fn names(rows: &[UseSum]) -> Vec<(&str, u64, u64, u64)> {
    let each = rows.iter().map(|row| {
        let name = row.name.as_deref().unwrap_or("nobody");
        let hours = row.open_ms / HOUR_MS.unsigned_abs();
        (name, row.sessions, hours, row.others)
    });
    each.collect()
}

pub(crate) async fn tells_who_used_a_product_by_name(site: &dyn Site) {
    let product = "reported-sums";
    let mut server = Server::new("reported-1");
    let items = vec![
        held(product, 1, (1, 1), (0, 4)),
        held(product, 2, (1, 2), (5, 6)),
        held(product, 3, (2, 1), (1, 3)),
        // The server has forgotten who it was.
        held(product, 4, (77, 1), (2, 3)),
        held(product, 5, (3, 1), (20, 30)),
    ];
    server.tells(site, items).await;
    let time = (2 * HOUR_MS, 10 * HOUR_MS);
    let sums = site.use_sums(asked(product, UsedBy::Person, time)).await;
    let sums = sums.unwrap();
    let expected = [
        ("Person1", 2, 3, 2),
        ("Person2", 1, 1, 1),
        ("nobody", 1, 1, 1),
    ];
    let mut found = names(&sums.rows);
    // Of two with as much the one without a name is the first.
    found[1..].sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(sums.rows[0].realm.as_deref(), Some("usage.example"));
    assert_eq!(sums.rows[0].last_ms, 6 * HOUR_MS);
    let computers = site.use_sums(asked(product, UsedBy::Computer, time)).await;
    let rows = computers.unwrap().rows;
    assert_eq!(names(&rows), [("lab-1", 3, 4, 2), ("lab-2", 1, 1, 1)]);
    let few = SumsAsked {
        limit: 1,
        ..asked(product, UsedBy::Person, time)
    };
    let sums = site.use_sums(few).await.unwrap();
    assert_eq!((sums.rows.len(), sums.left_out), (1, 2));
    // Who used less is found all the same by who asks for them.
    let everybody = site.numbered_people(None, 1_000).await.unwrap();
    let second = everybody
        .iter()
        .filter(|it| it.person.account.eq_ignore_ascii_case("Person2"));
    let numbers: Vec<u64> = second.map(|it| it.number).collect();
    let alone = SumsAsked {
        limit: 1,
        people: Some(numbers.into()),
        ..asked(product, UsedBy::Person, time)
    };
    let sums = site.use_sums(alone).await.unwrap();
    assert_eq!(
        (names(&sums.rows), sums.left_out),
        (vec![("Person2", 1, 1, 1)], 0)
    );
    // One whom the site does not know yet is named as the server does.
    let runs = RunningUse {
        what: Running::Session { lease: None },
        from_ms: 9 * HOUR_MS,
        realm: Some("corp.example".to_owned()),
        user: "zoe".to_owned(),
        computer: "desk".to_owned(),
    };
    let running = SumsAsked {
        running: vec![runs],
        ..asked(product, UsedBy::Person, time)
    };
    let rows = site.use_sums(running).await.unwrap().rows;
    let zoe = rows.iter().find(|row| row.name.as_deref() == Some("zoe"));
    let zoe = zoe.unwrap();
    assert_eq!(zoe.realm.as_deref(), Some("corp.example"));
    assert_eq!((zoe.running, zoe.last_ms), (1, time.1));
    let nothing = asked("reported-nothing", UsedBy::Person, time);
    assert_eq!(site.use_sums(nothing).await.unwrap().rows, []);
}

/// Group, sessions, hours, people, computers, seats at the peak and its hour.
type GroupRow = (WhichGroup, u64, u64, u64, u64, Option<u64>, Option<i64>);

fn groups(rows: &[GroupSum]) -> Vec<GroupRow> {
    let each = rows.iter().map(|row| {
        let hours = row.open_ms / HOUR_MS.unsigned_abs();
        let peak_at = row.peak_at_ms.map(|ms| ms / HOUR_MS);
        (
            row.whose,
            row.sessions,
            hours,
            row.users,
            row.computers,
            row.peak,
            peak_at,
        )
    });
    each.collect()
}

pub(crate) async fn tells_which_groups_used_a_product(site: &dyn Site) {
    let product = "reported-groups";
    let mut server = Server::new("reported-5");
    // Each is of two seats.
    let items = vec![
        held(product, 21, (1, 1), (0, 4)),
        held(product, 22, (2, 1), (3, 6)),
        held(product, 23, (3, 2), (6, 8)),
        // The server has forgotten who it was.
        held(product, 24, (77, 1), (5, 7)),
        held(product, 25, (4, 1), (20, 30)),
    ];
    server.tells(site, items).await;
    let of = |number| match number {
        1 => vec![0, 1],
        2 => vec![1],
        _ => Vec::new(),
    };
    let time = (2 * HOUR_MS, 10 * HOUR_MS);
    let asked = GroupsAsked {
        sums: asked(product, UsedBy::Person, time),
        people: Arc::new(people(site, of).await),
        running: Vec::new(),
    };
    let found = site.group_sums(asked.clone()).await.unwrap();
    let expected = [
        (WhichGroup::Group(0), 1, 2, 1, 1, Some(2), Some(2)),
        (WhichGroup::Group(1), 2, 5, 2, 1, Some(4), Some(3)),
        (WhichGroup::InNone, 1, 2, 1, 1, Some(2), Some(6)),
        (WhichGroup::NotKnown, 1, 2, 0, 1, Some(2), Some(5)),
    ];
    assert_eq!(groups(&found.rows), expected);
    assert_eq!((found.in_several, found.left_out), (1, 0));
    let seat_hours = found.seat_ms / HOUR_MS.unsigned_abs();
    assert_eq!(seat_hours, 2 * (2 + 3 + 2 + 2), "each use once");
    // One whom the site does not know yet is in the groups that the asker says.
    let runs = RunningUse {
        what: Running::Session { lease: None },
        from_ms: 9 * HOUR_MS,
        realm: Some("corp.example".to_owned()),
        user: "yara".to_owned(),
        computer: "desk".to_owned(),
    };
    let running = GroupsAsked {
        sums: SumsAsked {
            running: vec![runs],
            limit: 1,
            ..asked.sums.clone()
        },
        running: vec![InGroups::Of(vec![1])],
        ..asked.clone()
    };
    let found = site.group_sums(running).await.unwrap();
    let expected = [(WhichGroup::Group(1), 3, 6, 3, 2, Some(4), Some(3))];
    assert_eq!(groups(&found.rows), expected);
    assert_eq!(found.left_out, 3);
    let nothing = GroupsAsked {
        sums: self::asked("reported-nothing", UsedBy::Person, time),
        ..asked
    };
    assert_eq!(site.group_sums(nothing).await.unwrap().rows, []);
}

fn refused(product: &str, event: u64, person: u64, hour: i64, count: u64) -> HistoryItem {
    let at_ms = hour * HOUR_MS;
    let reason = if person == 3 { "expired" } else { "no_seat" };
    HistoryItem {
        person: format!("P{person}"),
        what: Ended::Denial(EndedDenial {
            key: made(event),
            seats: 1,
            reason: reason.to_owned(),
            count,
            retries: count - 1,
            waits: None,
            first_ms: at_ms,
            last_ms: at_ms + 10,
        }),
        ..lease(product, made(event), 0, 1)
    }
}

pub(crate) async fn tells_who_was_refused_and_who_never_came_back(site: &dyn Site) {
    let (product, runs_on) = ("reported-refused", "reported-runs-on");
    let mut server = Server::new("reported-2");
    let items = vec![
        held(product, 1, (1, 1), (0, 1)),
        refused(product, 2, 1, 1, 3),
        refused(product, 3, 2, 2, 1),
        refused(product, 4, 1, 3, 1),
        refused(product, 5, 3, 4, 1),
        // Long after the time that is asked about.
        held(product, 6, (2, 1), (50, 51)),
        held(product, 7, (2, 1), (40, 41)),
        refused(product, 8, 2, 30, 1),
        // One use runs on after the refusal, one ends with it.
        held(runs_on, 9, (1, 1), (0, 5)),
        refused(runs_on, 10, 1, 2, 1),
        refused(runs_on, 11, 2, 2, 1),
        HistoryItem {
            person: "P3".to_owned(),
            ..lease(runs_on, made(12), 0, 4 * HOUR_MS + 10)
        },
        refused(runs_on, 13, 3, 4, 1),
    ];
    server.tells(site, items).await;
    let time = (HOUR_MS, 10 * HOUR_MS);
    let found = site.refused(asked(product, UsedBy::Person, time)).await;
    let found = found.unwrap();
    let rows = found.people.iter().map(|it| {
        let hour = it.came_back_ms.map(|ms| ms / HOUR_MS);
        (
            it.name.as_deref().unwrap(),
            it.refusals,
            it.first_ms / HOUR_MS,
            hour,
        )
    });
    let expected = [
        ("Person3", 1, 4, None),
        ("Person1", 4, 1, None),
        ("Person2", 1, 2, Some(40)),
    ];
    assert_eq!(rows.collect::<Vec<_>>(), expected);
    assert_eq!(found.people[0].reason, "expired");
    assert_eq!(found.people[0].computer.as_deref(), Some("lab-1"));
    let reason = |reason: &str, refusals, people| ReasonSum {
        reason: reason.to_owned(),
        refusals,
        people,
    };
    let reasons = [reason("no_seat", 5, 2), reason("expired", 1, 1)];
    assert_eq!(found.reasons, reasons);
    // Who holds a seat that was granted since has come back.
    let runs = RunningUse {
        what: Running::Lease {
            server: "reported-2".to_owned(),
            key: made(99),
            seats: 1,
        },
        from_ms: 60 * HOUR_MS,
        realm: None,
        user: "Person1".to_owned(),
        computer: "lab-1".to_owned(),
    };
    let running = SumsAsked {
        running: vec![runs],
        limit: 2,
        ..asked(product, UsedBy::Person, time)
    };
    let found = site.refused(running).await.unwrap();
    assert_eq!(found.people[1].came_back_ms, Some(60 * HOUR_MS));
    assert_eq!((found.people.len(), found.left_out), (2, 1));
    // Who used it before and goes on has not given up.
    let runs = RunningUse {
        what: Running::Session { lease: None },
        from_ms: HOUR_MS,
        realm: None,
        user: "Person2".to_owned(),
        computer: "lab-2".to_owned(),
    };
    let running = SumsAsked {
        running: vec![runs],
        ..asked(runs_on, UsedBy::Person, time)
    };
    let found = site.refused(running).await.unwrap().people;
    let came_back: Vec<(&str, Option<i64>)> = found
        .iter()
        .map(|it| (it.name.as_deref().unwrap(), it.came_back_ms))
        .collect();
    let refused_ms = 2 * HOUR_MS + 10;
    let expected = [
        ("Person3", None),
        ("Person1", Some(refused_ms)),
        ("Person2", Some(refused_ms)),
    ];
    assert_eq!(came_back, expected);
}

pub(crate) async fn tells_when_products_were_last_used(site: &dyn Site) {
    let mut server = Server::new("reported-3");
    let items = vec![
        held("reported-x", 1, (1, 1), (-3, 9)),
        held("reported-x", 2, (1, 1), (4, 5)),
        refused("reported-y", 3, 1, 7, 1),
    ];
    server.tells(site, items).await;
    let found = site.last_used("reported-x".to_owned(), 2).await.unwrap();
    let of = |product: &str, first_ms, at_ms| LastUsed {
        product: product.to_owned(),
        counted: Counted::Here,
        at_ms,
        first_ms,
    };
    let x = of("reported-x", Some(-3 * HOUR_MS), Some(9 * HOUR_MS));
    // It was wanted only.
    assert_eq!(found, [x, of("reported-y", None, None)]);
}

pub(crate) async fn tells_how_waits_ended(site: &dyn Site) {
    let product = "reported-waits";
    let mut server = Server::new("reported-4");
    let waited = |event, outcome: &str, queued_ms, waited_ms| HistoryItem {
        what: Ended::Wait(EndedWait {
            key: made(event),
            seats: 1,
            priority: 0,
            outcome: outcome.to_owned(),
            reason: None,
            lease: None,
            with: None,
            queued_ms,
            decided_ms: None,
            waited_ms,
            retry: false,
        }),
        ..lease(product, made(event), 0, 1)
    };
    let items = vec![
        waited(1, "granted", 10, Some(500)),
        waited(2, "granted", 20, None),
        waited(3, "abandoned", 30, Some(70)),
        waited(4, "granted", HOUR_MS, Some(9)),
    ];
    server.tells(site, items).await;
    let asked = asked(product, UsedBy::Person, (0, HOUR_MS));
    let sum = |outcome: &str, waits, waited_ms| WaitSum {
        outcome: outcome.to_owned(),
        waits,
        waited_ms,
    };
    let found = site.wait_sums(asked).await.unwrap();
    assert_eq!(found, [sum("abandoned", 1, 70), sum("granted", 2, 500)]);
}
