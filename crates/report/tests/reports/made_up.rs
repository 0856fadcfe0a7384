//! A made-up site.

use jiff::tz::TimeZone;
use usher_api::{
    Amount, AsOf, CountedBy, Cut, Entitlement, EpisodeSeen, Evidence, GroupBy, Healing,
    HistorySeen, LastUse, Metric, Per, Price, ReportGrain, ReportParameters, SiteDenials,
    SiteUsage, SiteWaits, StatusMessage, Timestamp, WatchedServer,
};
use usher_report::*;

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap()
}

/// November 2026 in Berlin, asked at its end.
pub(crate) fn asked() -> Asked {
    Asked {
        parameters: ReportParameters {
            product: None,
            user: None,
            group_by: Some(GroupBy::Group),
            grain: Some(ReportGrain::Week),
        },
        from: at("2026-10-31T23:00:00Z"),
        to: at("2026-11-30T23:00:00Z"),
        now: at("2026-11-30T20:00:00Z"),
        zone: berlin(),
        as_of: vec![AsOf {
            server: "alpha".to_owned(),
            incarnation: 2,
            event: 4711,
            time: at("2026-11-30T19:59:00Z"),
        }],
        kept: Kept::default(),
        cut: vec![Cut {
            what: "history of beta".to_owned(),
            why: "it does not answer".to_owned(),
            before: None,
        }],
        notes: Vec::new(),
    }
}

/// A stretch in which 3 people used up to `peak` seats of 10.
pub(crate) fn item(product: &str, from: &str, to: &str, peak: u64) -> SiteUsage {
    SiteUsage {
        product: product.to_owned(),
        from: at(from),
        to: at(to),
        sessions: 4 * peak,
        users: peak.min(3),
        computers: peak.min(4),
        open_seconds: 5_000.5 * peak as f64,
        active_seconds: None,
        peak,
        peak_at: (peak > 0).then(|| at(from)),
        running_peak: peak,
        p95: peak.saturating_sub(1),
        mean: peak as f64 / 3.0,
        owned: Some(10),
        reserved: 1,
        unseated_sessions: 0,
        waits: SiteWaits {
            count: 0,
            p50_seconds: 0.0,
            p95_seconds: 0.0,
            longest_seconds: 0.0,
        },
        denials: SiteDenials {
            for_good: 0,
            satisfied_later: 0,
            retries: 0,
        },
        unobserved_seconds: 0.0,
        counted: CountedBy::Here,
        provisional: false,
    }
}

const MONTH: (&str, &str) = ("2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z");

/// Two products that are counted here, and one that another licence server counts.
pub(crate) fn figures() -> Figures {
    let mut cad = item("cad", MONTH.0, MONTH.1, 10);
    cad.peak_at = Some(at("2026-11-12T09:15:30Z"));
    cad.waits = SiteWaits {
        count: 7,
        p50_seconds: 40.0,
        p95_seconds: 900.25,
        longest_seconds: 5_400.0,
    };
    cad.denials = SiteDenials {
        for_good: 3,
        satisfied_later: 2,
        retries: 5,
    };
    cad.unobserved_seconds = 120.0;
    cad.provisional = true;
    let mut solver = item("acme:solver", MONTH.0, MONTH.1, 6);
    solver.counted = CountedBy::Elsewhere;
    solver.owned = None;
    let mut viewer = item("viewer", MONTH.0, MONTH.1, 0);
    viewer.active_seconds = Some(0.0);
    let weeks = [
        ("2026-10-31T23:00:00Z", "2026-11-01T23:00:00Z", 2),
        ("2026-11-01T23:00:00Z", "2026-11-08T23:00:00Z", 5),
        ("2026-11-08T23:00:00Z", "2026-11-15T23:00:00Z", 10),
        ("2026-11-15T23:00:00Z", "2026-11-22T23:00:00Z", 8),
        ("2026-11-22T23:00:00Z", "2026-11-29T23:00:00Z", 7),
        ("2026-11-29T23:00:00Z", "2026-11-30T23:00:00Z", 4),
    ];
    let mut by_time: Vec<SiteUsage> = weeks
        .iter()
        .map(|(from, to, peak)| item("cad", from, to, *peak))
        .collect();
    // Of one week nobody knows anything.
    by_time[3] = item("cad", weeks[3].0, weeks[3].1, 0);
    by_time[3].unobserved_seconds = 604_800.0;
    by_time[2].denials.for_good = 3;
    by_time[2].waits.count = 7;
    Figures {
        whole: vec![solver, cad, viewer],
        by_time,
    }
}

pub(crate) fn price(amount: u64, currency: &str, per: Per) -> Price {
    Price {
        amount: Amount {
            ten_thousandths: amount * 10_000,
        },
        currency: currency.to_owned(),
        per,
    }
}

pub(crate) fn owned(id: &str, product: &str, seats: u32) -> OwnedOn {
    OwnedOn {
        server: "alpha".to_owned(),
        entitlement: Entitlement {
            id: id.to_owned(),
            product: product.to_owned(),
            metric: Metric::Concurrent,
            seats,
            overdraft: 0,
            from: Some(at("2025-12-31T23:00:00Z")),
            to: None,
            from_day: None,
            to_day: None,
            time_zone: None,
            in_use: 0,
            allotment: "A1".to_owned(),
            name: None,
            price: None,
            contract: None,
            cost_centre: None,
            notice_days: None,
            note: None,
        },
    }
}

/// Seven seats of cad for ever and three until the end of the year, named users of viewer, and
/// something that ended.
pub(crate) fn entitlements() -> Vec<OwnedOn> {
    let mut forever = owned("E1", "cad", 7);
    forever.entitlement.price = Some(price(12_000, "EUR", Per::Year));
    let mut yearly = owned("E2", "cad", 3);
    yearly.entitlement.to = Some(at("2026-12-31T23:00:00Z"));
    yearly.entitlement.to_day = Some("2026-12-31".to_owned());
    yearly.entitlement.notice_days = Some(14);
    yearly.entitlement.name = Some("cad-extra".to_owned());
    yearly.entitlement.contract = Some("C-2026/7".to_owned());
    yearly.entitlement.cost_centre = Some("4711".to_owned());
    yearly.entitlement.price = Some(price(300, "EUR", Per::Month));
    let mut named = owned("E3", "viewer", 20);
    named.entitlement.metric = Metric::NamedUser;
    let mut ended = owned("E4", "old", 5);
    ended.entitlement.to = Some(at("2026-11-10T23:00:00Z"));
    ended.entitlement.price = Some(price(100, "EUR", Per::Once));
    vec![forever, yearly, named, ended]
}

pub(crate) fn use_of(of: &str, product: &str, hours: f64) -> UseOf {
    UseOf {
        of: of.to_owned(),
        realm: None,
        product: product.to_owned(),
        sessions: 3,
        users: 2,
        computers: 2,
        open_seconds: hours * 3_600.0,
        active_seconds: None,
        seat_seconds: hours * 3_600.0,
        last_use: LastUse::used(at("2026-11-27T15:30:00Z")),
    }
}

pub(crate) fn group_use(whose: OfGroup, product: &str, hours: f64) -> GroupUse {
    GroupUse {
        whose,
        product: product.to_owned(),
        sessions: 3,
        users: 2,
        computers: 2,
        open_seconds: hours * 3_600.0,
        active_seconds: None,
        seat_seconds: hours * 3_600.0,
        peak: Some(4),
        peak_at: Some(at("2026-11-12T09:15:30Z")),
        last_use: LastUse::used(at("2026-11-27T15:30:00Z")),
    }
}

/// Of 120 hours 30 are of people who are in two groups.
pub(crate) fn group_uses() -> GroupUses {
    let group = |name: &str| OfGroup::Group(name.to_owned());
    let mut not_known = group_use(OfGroup::NotKnown, "cad", 10.0);
    not_known.peak = None;
    not_known.peak_at = None;
    GroupUses {
        uses: vec![
            group_use(OfGroup::InNone, "cad", 20.0),
            not_known,
            group_use(group("physics"), "cad", 30.0),
            group_use(group("design"), "cad", 90.0),
        ],
        in_several: true,
        seat_seconds: [("cad".to_owned(), 120.0 * 3_600.0)].into(),
        why_not_known: "/etc/usher/groups was never read".to_owned(),
    }
}

pub(crate) fn turned_down(user: &str, came_back: CameBack) -> TurnedDown {
    TurnedDown {
        product: "cad".to_owned(),
        user: user.to_owned(),
        realm: "corp.example".to_owned(),
        computer: "ws1".to_owned(),
        refusals: 2,
        first_at: at("2026-11-12T09:20:00Z"),
        last_at: at("2026-11-12T09:31:00Z"),
        reason: "all_seats_in_use".to_owned(),
        came_back,
    }
}

pub(crate) fn product_use(product: &str, owned: Option<u64>, last_use: LastUse) -> ProductUse {
    ProductUse {
        product: product.to_owned(),
        name: product.to_uppercase(),
        counted: CountedBy::Here,
        owned,
        prices: vec![price(500, "EUR", Per::Year)],
        sessions: 0,
        unobserved_seconds: 0.0,
        last_use,
    }
}

pub(crate) fn held(user: &str, held_as: HeldAs, idle_seconds: Option<u64>) -> Held {
    Held {
        server: "alpha".to_owned(),
        product: "cad".to_owned(),
        user: user.to_owned(),
        computer: "ws1".to_owned(),
        seats: u64::from(held_as != HeldAs::Unseated),
        since: at("2026-11-30T08:00:00Z"),
        held_as,
        idle_seconds,
    }
}

pub(crate) fn watched(name: &str, verdict: &str) -> WatchedServer {
    let is_well = verdict == "running";
    let finding = match is_well {
        true => "its work moves",
        false => "its work stands still",
    };
    WatchedServer {
        name: name.to_owned(),
        url: "https://alpha.example:8470".to_owned(),
        verdict: verdict.to_owned(),
        since: at("2026-11-29T01:59:59Z"),
        polled_at: Some(at("2026-11-30T19:45:00Z")),
        evidence: vec![Evidence {
            source: "work".to_owned(),
            finding: finding.to_owned(),
            observed_at: at("2026-11-30T19:45:00Z"),
        }],
        service: None,
        episode: (!is_well).then(|| EpisodeSeen {
            id: "e1".to_owned(),
            message_id: 9406,
            count: 3,
            first_at: at("2026-11-29T02:15:00Z"),
            last_at: at("2026-11-30T19:45:00Z"),
        }),
        grants_nothing: None,
        server_id: None,
        same_as: None,
        healing: Some(Healing {
            by: None,
            how: "healing is off".to_owned(),
        }),
        history: Some(HistorySeen {
            incarnation: Some(2),
            through_event: 4700,
            head_event: 4711,
            added: 9,
            collected_at: Some(at("2026-11-30T19:45:00Z")),
            acknowledged: true,
            not_acknowledged: None,
            why: None,
            failing_since: None,
        }),
    }
}

pub(crate) fn message() -> StatusMessage {
    StatusMessage {
        record_id: 12,
        id: 9406,
        severity: "error".to_owned(),
        kind: "milestone".to_owned(),
        component: "manager".to_owned(),
        computer: "host".to_owned(),
        site: "site".to_owned(),
        server: Some("beta".to_owned()),
        time: at("2026-11-29T02:15:00Z"),
        values: Vec::new(),
        text: "The metering server beta is not running.".to_owned(),
        count: 3,
        first_at: at("2026-11-29T02:15:00Z"),
        last_at: at("2026-11-30T19:45:00Z"),
        recovered_at: None,
    }
}

/// Each hour of a Monday and a Tuesday; nobody looked on Tuesday after noon.
pub(crate) fn hours() -> Vec<SiteUsage> {
    let first = at("2026-11-01T23:00:00Z").as_second();
    let hours = (0..48_i64).map(|hour| {
        let begin = |hour: i64| Timestamp::from_second(first + hour * 3_600).unwrap();
        let peak = match hour % 24 {
            9..12 => 8,
            12..17 => 5,
            _ => 0,
        };
        let (from, to) = (begin(hour).to_string(), begin(hour + 1).to_string());
        let mut item = item("cad", &from, &to, peak);
        if hour >= 36 {
            item.unobserved_seconds = 3_600.0;
        }
        item
    });
    hours.collect()
}
