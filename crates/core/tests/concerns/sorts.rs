//! Each sort of concern: where it begins, where it does not, and what its message says.

use usher_core::concerns::{
    BackupFact, Concern, DiskFact, EntitlementFact, Facts, Kind, PackFact, ProductFact, QuietRule,
    Thresholds, TurnedAwayFact, TurnedAwayReason, Unreached, UpgradeFact, judge,
};
use usher_core::messages::entry;

use super::{DAY_MS, HOUR_MS, NOW_MS, agent, well};

fn found(facts: &Facts) -> Vec<Concern> {
    judge("alpha", facts, &Thresholds::default(), &|_, _| false)
}

/// What is told of all that is of concern.
fn texts(facts: &Facts) -> Vec<String> {
    let text = |concern: Concern| {
        let entry = entry(concern.kind.message_id());
        assert_eq!(entry.values(), concern.values.len(), "{concern:?}");
        entry.fill(&concern.values)
    };
    found(facts).into_iter().map(text).collect()
}

fn ends(days: i64, seats_after: u64) -> Facts {
    Facts {
        entitlements: vec![EntitlementFact {
            id: "E7".to_owned(),
            product: "CAD".to_owned(),
            seats: 40,
            ends_ms: NOW_MS + days * DAY_MS,
            last_day: None,
            seats_before: 50,
            seats_after,
        }],
        ..well()
    }
}

#[test]
fn an_entitlement_that_ends_within_a_month_and_takes_seats_away_is_told_of() {
    assert_eq!(
        texts(&ends(29, 10)),
        [
            "The entitlement E7 of CAD with 40 seats ends on 2026-12-24: from then on 10 seats are left"
        ]
    );
    let mut in_its_zone = ends(29, 10);
    in_its_zone.entitlements[0].last_day = Some("2026-12-23".to_owned());
    assert!(texts(&in_its_zone)[0].contains("ends on 2026-12-23:"));
    assert_eq!(found(&ends(31, 10)), [], "not yet");
    assert_eq!(found(&ends(29, 50)), [], "another takes over");
    assert_eq!(found(&ends(-1, 10)), [], "it has ended");
}

#[test]
fn a_pause_that_lasts_is_told_of() {
    let paused = |minutes: i64| Facts {
        paused_since_ms: Some(NOW_MS - minutes * 60_000),
        ..well()
    };
    assert_eq!(found(&paused(14)), [], "a pause as there are many");
    assert_eq!(
        texts(&paused(15)),
        [
            "The metering server alpha is paused since 2026-11-25 09:45 UTC and grants nothing; 0 products and 0 computers depend on it"
        ]
    );
}

fn reason(why: &str, times: u64, since_minutes: i64, last_minutes: i64) -> TurnedAwayReason {
    TurnedAwayReason {
        why: why.to_owned(),
        since_ms: NOW_MS - since_minutes * 60_000,
        last_ms: NOW_MS - last_minutes * 60_000,
        times,
        computers: Vec::new(),
    }
}

#[test]
fn agents_that_are_turned_away_are_named_by_their_computers_where_they_are_known() {
    let at = |address: &str, reasons: Vec<TurnedAwayReason>| TurnedAwayFact {
        address: address.to_owned(),
        reasons,
        since_ms: NOW_MS - 30 * 60_000,
        last_ms: NOW_MS,
        times: 90,
    };
    let of = |computers: &[&str]| TurnedAwayReason {
        computers: computers.iter().map(|&it| it.to_owned()).collect(),
        ..reason("the token was revoked", 30, 20, 0)
    };
    let one = Facts {
        turned_away: vec![at("10.0.0.7", vec![of(&["c-2"])])],
        ..well()
    };
    assert!(
        texts(&one)[0].ends_with(": the token was revoked (computer c-2)"),
        "{:?}",
        texts(&one)
    );
    let unknown = reason("the token is not known here", 30, 10, 0);
    let several = Facts {
        turned_away: vec![
            at("10.0.0.7", vec![of(&["c-2", "c-9"]), unknown]),
            at("10.0.0.8", vec![of(&["c-1", "c-2"])]),
        ],
        ..well()
    };
    assert!(
        texts(&several)[0].ends_with(
            ": the token was revoked (computers c-1, c-2, c-9, since 2026-11-25 09:40 UTC); the \
             token is not known here (since 2026-11-25 09:50 UTC)"
        ),
        "{:?}",
        texts(&several)
    );
}

#[test]
fn two_agents_behind_one_address_are_told_with_the_fault_of_each() {
    let facts = |reasons| Facts {
        turned_away: vec![TurnedAwayFact {
            address: "10.0.0.7".to_owned(),
            reasons,
            since_ms: NOW_MS - 30 * 60_000,
            last_ms: NOW_MS,
            times: 90,
        }],
        ..well()
    };
    let unknown = reason("the token is not known here", 30, 20, 0);
    let expired = reason("the token has expired", 60, 30, 1);
    let once = reason("the token was revoked", 1, 3, 3);
    let text = "alpha has been turning away agents or clients at 10.0.0.7 since 2026-11-25 09:30 \
                UTC: the token has expired (since 2026-11-25 09:30 UTC); the token is not known \
                here (since 2026-11-25 09:40 UTC)";
    let all = facts(vec![unknown.clone(), expired.clone(), once]);
    assert_eq!(texts(&all), [text]);
    // Who came last is no news.
    assert_eq!(texts(&facts(vec![expired, unknown])), [text]);
    // A reason of its own each time.
    let each = (1..=4).map(|it| reason(&format!("it is of computer {it}"), 1, it, it));
    assert!(
        texts(&facts(each.collect()))[0]
            .contains("computer 4 (since 2026-11-25 09:56 UTC); it is of computer 3")
    );
}

#[test]
fn agents_that_are_turned_away_again_and_again_are_told_of() {
    let turned_away = |times, since_minutes: i64, last_minutes: i64| Facts {
        turned_away: vec![TurnedAwayFact {
            address: "10.0.0.7".to_owned(),
            reasons: vec![reason(
                "the token has expired",
                times,
                since_minutes,
                last_minutes,
            )],
            since_ms: NOW_MS - since_minutes * 60_000,
            last_ms: NOW_MS - last_minutes * 60_000,
            times,
        }],
        ..well()
    };
    assert_eq!(
        texts(&turned_away(3, 2, 1)),
        [
            "alpha has been turning away agents or clients at 10.0.0.7 since 2026-11-25 09:58 UTC: the token has expired"
        ]
    );
    assert_eq!(found(&turned_away(2, 2, 1)), [], "somebody tried something");
    assert_eq!(found(&turned_away(9, 0, 0)), [], "within a moment");
    assert_eq!(found(&turned_away(9, 60, 15)), [], "that is over");
    let never = Thresholds {
        turned_away_times: 0,
        ..Thresholds::default()
    };
    let facts = turned_away(9, 2, 1);
    assert_eq!(judge("alpha", &facts, &never, &|_, _| false), []);
}

fn product(seats: u64, in_use: u64, queued: u64, refused: u64) -> Facts {
    Facts {
        products: vec![ProductFact {
            id: "cad".to_owned(),
            name: "CAD".to_owned(),
            seats,
            in_use,
            queued,
            refused_last_hour: refused,
        }],
        ..well()
    }
}

#[test]
fn seats_are_low_where_few_are_free_of_many_or_somebody_wants_one() {
    assert_eq!(
        texts(&product(50, 45, 0, 0)),
        ["Seats of CAD: 45 of 50 in use, 0 waiting, 0 refused within the last hour"]
    );
    assert_eq!(found(&product(50, 44, 0, 0)), []);
    assert_eq!(
        found(&product(1, 1, 0, 0)),
        [],
        "a single seat in use is no trouble"
    );
    assert_eq!(found(&product(1, 1, 1, 0)).len(), 1, "somebody waits");
    assert_eq!(found(&product(1, 0, 0, 1)).len(), 1, "somebody was refused");
    assert_eq!(found(&product(0, 0, 0, 0)), [], "nothing is owned");
}

#[test]
fn what_is_told_of_has_to_get_well_further_than_it_had_to_get_bad() {
    let still = |facts: &Facts| judge("alpha", facts, &Thresholds::default(), &|_, _| true).len();
    assert_eq!(still(&product(50, 44, 0, 0)), 1);
    assert_eq!(still(&product(50, 39, 0, 0)), 0);
    assert_eq!(still(&disk(11, 100)), 1);
    assert_eq!(still(&disk(13, 100)), 0);
}

#[test]
fn an_agent_is_silent_after_a_long_weekend_and_gone_after_a_quarter() {
    let silent = |hours| Facts {
        agents: vec![agent(1, hours * HOUR_MS)],
        ..well()
    };
    assert_eq!(
        texts(&silent(73)),
        ["The agent on pc1 has not reported to alpha for 3 days"]
    );
    assert_eq!(found(&silent(71)), []);
    assert_eq!(found(&silent(91 * 24)), []);
}

#[test]
fn starts_without_a_server_are_counted_over_all_computers_with_their_names() {
    let without = |number, starts, hours, product: &str| {
        let mut agent = agent(number, 0);
        agent.unreached = Some(Unreached {
            starts,
            last_ms: NOW_MS - hours * HOUR_MS,
            products: vec![product.to_owned()],
        });
        agent
    };
    let facts = Facts {
        agents: vec![
            without(1, 3, 1, "cad"),
            without(2, 4, 23, "sim"),
            without(3, 100, 25, "old"),
            agent(4, 0),
        ],
        ..well()
    };
    assert_eq!(
        texts(&facts),
        [
            "7 starts were allowed on 2 computers while no server could be reached: of cad, sim on \
          pc1, pc2"
        ]
    );
}

fn disk(free_gb: u64, total_gb: u64) -> Facts {
    Facts {
        disk: Some(DiskFact {
            free_bytes: free_gb * 1_000_000_000,
            total_bytes: total_gb * 1_000_000_000,
        }),
        ..well()
    }
}

#[test]
fn a_disk_is_low_by_its_share_and_by_what_is_left() {
    assert_eq!(
        texts(&disk(9, 100)),
        [
            "Disk space of alpha is low: 9.0 GB of 100.0 GB left; 0 products and 0 computers depend \
          on it"
        ]
    );
    assert_eq!(found(&disk(11, 100)), []);
    assert_eq!(
        found(&disk(90, 1_000)),
        [],
        "that is plenty, though a small share"
    );
}

#[test]
fn a_backup_is_old_after_a_week_and_one_that_never_was_after_a_week_of_data() {
    let backup = |last_days: Option<i64>, data_days: i64| Facts {
        backup: Some(BackupFact {
            last_ms: last_days.map(|days| NOW_MS - days * DAY_MS),
            data_since_ms: NOW_MS - data_days * DAY_MS,
        }),
        ..well()
    };
    assert_eq!(
        texts(&backup(Some(9), 100)),
        ["The last backup of alpha is 9 days old; 0 products and 0 computers depend on it"]
    );
    assert_eq!(
        texts(&backup(None, 9)),
        [
            "The last backup of alpha never was: its data is 9 days old; 0 products and 0 computers \
          depend on it"
        ]
    );
    assert_eq!(found(&backup(Some(7), 100)), []);
    assert_eq!(found(&backup(None, 7)), []);
}

#[test]
fn a_pack_is_overdue_a_day_after_it_was_to_run() {
    let pack = |late_hours, runs| Facts {
        pack: Some(PackFact {
            due_ms: NOW_MS - late_hours * HOUR_MS,
            runs,
        }),
        ..well()
    };
    assert_eq!(
        texts(&pack(25, false)),
        [
            "The pack of alpha is overdue: it was to run 2026-11-24 09:00 UTC and has not; 0 products \
          and 0 computers depend on it"
        ]
    );
    assert_eq!(found(&pack(25, true)), []);
    assert_eq!(found(&pack(23, false)), []);
    assert_eq!(found(&pack(-100, false)), []);
}

#[test]
fn a_new_version_is_watched_until_its_first_scheduled_pack_is_done() {
    let upgrade = |packed_ms, pack_failed: Option<&str>| Facts {
        upgrade: Some(UpgradeFact {
            from: "0.1.0".to_owned(),
            to: "0.2.0".to_owned(),
            since_ms: NOW_MS,
            packed_ms,
            pack_failed: pack_failed.map(str::to_owned),
        }),
        ..well()
    };
    assert_eq!(
        texts(&upgrade(None, None)),
        [
            "alpha runs version 0.2.0 in the place of 0.1.0 since 2026-11-25 10:00 UTC, and is watched \
          until its first scheduled pack is done; 0 products and 0 computers depend on it"
        ]
    );
    assert_eq!(
        texts(&upgrade(None, Some("everything: the disk is full")))[1],
        "The first pack of version 0.2.0 on alpha did not get done: everything: the disk is full; \
         version 0.1.0 can take the data over again; 0 products and 0 computers depend on it"
    );
    assert_eq!(found(&upgrade(Some(NOW_MS), Some("a later one"))), []);
}

#[test]
fn a_rule_whose_program_goes_on_under_another_name_is_told_of() {
    let quiet = |days| Facts {
        quiet_rules: vec![QuietRule {
            product: "CAD".to_owned(),
            rule: "name=cad12".to_owned(),
            last_matched_ms: NOW_MS - days * DAY_MS,
            seen_as: "cad13".to_owned(),
            computers: 3,
            seen_since_ms: NOW_MS - days * DAY_MS,
        }],
        ..well()
    };
    assert_eq!(
        texts(&quiet(3)),
        [
            "The rule name=cad12 of CAD has matched nothing since 2026-11-22: since 2026-11-22 cad13 \
          is started on 3 of the same computers, and is of no product"
        ]
    );
    assert_eq!(found(&quiet(1)), []);
}

#[test]
fn a_threshold_of_nothing_is_never_reached() {
    let off = Thresholds {
        entitlement_days: 0,
        seats_percent: 0,
        seats_wanted: 0,
        agent_hours: 0,
        unreached_starts: 0,
        disk_percent: 0,
        backup_days: 0,
        pack_hours: 0,
        rule_days: 0,
        ..Thresholds::default()
    };
    let everything = Facts {
        agents: vec![agent(1, 80 * DAY_MS)],
        entitlements: ends(1, 0).entitlements,
        products: product(10, 10, 5, 5).products,
        disk: disk(0, 100).disk,
        backup: Some(BackupFact {
            last_ms: None,
            data_since_ms: 0,
        }),
        pack: Some(PackFact {
            due_ms: 0,
            runs: false,
        }),
        ..well()
    };
    assert_eq!(found(&everything).len(), 6);
    assert_eq!(judge("alpha", &everything, &off, &|_, _| false), []);
}

#[test]
fn an_agent_is_not_taken_for_gone_before_it_is_silent() {
    let of = |agent_hours, agent_gone_days| Thresholds {
        agent_hours,
        agent_gone_days,
        ..Thresholds::default()
    };
    assert!(of(72, 3).check().is_err());
    assert_eq!(of(71, 3).check(), Ok(()));
    assert_eq!(of(72, 0).check(), Ok(()));
}

#[test]
fn each_sort_has_its_message() {
    for kind in Kind::ALL {
        assert_eq!(Kind::of_message(kind.message_id()), Some(kind));
        assert_eq!(entry(kind.message_id()).id, kind.message_id());
    }
}
