//! Each sort of concern: the values that raise it, those that do not, and what its message says.

use usher_core::concerns::{
    BackupFact, DiskFact, Facts, HistoryFact, Kind, PackFact, ProductFact, QuietRule, Thresholds,
    Unreached, UpgradeFact, judge,
};
use usher_core::messages::entry;

use super::ends::ends;
use super::{DAY_MS, HOUR_MS, NOW_MS, agent, found, texts, well};

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
            "The last backup of alpha was never made: its data is 9 days old; 0 products and 0 computers \
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
        "The first pack of version 0.2.0 on alpha failed: everything: the disk is full; \
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
fn a_history_that_cannot_be_collected_for_a_day_is_of_concern() {
    let failing = |hours: i64| Facts {
        history: Some(HistoryFact {
            since_ms: NOW_MS - hours * HOUR_MS,
            failing_ms: hours * HOUR_MS,
            why: "it answers 403: forbidden".to_owned(),
        }),
        ..well()
    };
    assert_eq!(found(&failing(23)), []);
    assert_eq!(
        texts(&failing(24)),
        [
            "The history of the metering server alpha has not been collected since 2026-11-24 \
             10:00 UTC: it answers 403: forbidden"
        ]
    );
    let never = Thresholds {
        history_hours: 0,
        ..Thresholds::default()
    };
    assert_eq!(judge("alpha", &failing(99), &never, &|_, _| false), []);
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
