//! What the scenarios promise, and that each of their checks can fail.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::thread;

use usher_sim::{Log, Options, Planted, Report, Scenario, Series, Tally};

fn play(scenario: &str, seed: u64, planted: Option<Planted>) -> Report {
    let log = None;
    Scenario::named(scenario)
        .unwrap()
        .play(&Options { seed, planted, log })
}

/// The same, with Usher's ledger kept there.
fn play_over(scenario: &str, seed: u64, log: Log) -> Report {
    Scenario::named(scenario).unwrap().play(&Options {
        seed,
        planted: None,
        log: Some(log),
    })
}

/// Weeks with a fault that is planted.
fn plant(seed: u64, planted: Planted, log: Log) -> Report {
    let planted = Some(planted);
    let log = Some(log);
    let scenario = Scenario::named("q299261").unwrap();
    scenario.play(&Options { seed, planted, log })
}

fn series(scenario: &str, first: u64, seeds: u64) -> Series {
    let mut series = Series::default();
    for seed in first..first + seeds {
        series.add(play_over(scenario, seed, Log::Memory));
    }
    series
}

fn column(report: &Report, name: &str) -> Tally {
    report
        .columns
        .iter()
        .find(|column| column.name == name)
        .unwrap()
        .tally
}

/// Seeds in whose weeks processes are killed.
const KILLS: std::ops::RangeInclusive<u64> = 11..=16;

#[test]
fn the_same_seed_is_the_same_history_and_another_is_another() {
    let (first, again) = (play("q299261", 3, None), play("q299261", 3, None));
    assert_eq!(first, again);
    assert_eq!(first.to_string(), again.to_string());
    let other = play_over("q299261", 5, Log::Memory);
    assert_ne!(first.timeline, other.timeline);
}

#[test]
fn the_history_of_one_seed_is_as_it_was_read_last() {
    insta::assert_snapshot!("q299261", play("q299261", 37, None).to_string());
}

#[test]
fn in_a_hundred_histories_the_old_manager_lies_at_each_poll_and_usher_never() {
    // Both processors are used: it is a debug build.
    let halves = thread::scope(|scope| {
        let halves = [1, 51].map(|first| scope.spawn(move || series("q299261", first, 50)));
        halves.map(|half| half.join().unwrap())
    });
    for half in halves {
        assert_eq!(half.seeds_with_faults, 0, "{:?}", half.faults);
        let [old, new] = &half.columns[..] else {
            panic!("two installations");
        };
        let (old, new) = (old.tally, new.tally);
        assert_eq!(old.told_in_false_stop, old.polls_in_false_stop);
        assert_eq!(old.most_false_9406_a_day, 96);
        assert!(old.false_9406 > 50 * 500, "{}", old.false_9406);
        assert!(old.controls_wrongly_refused > old.false_9406);
        assert_eq!(new.false_messages, 0);
        assert_eq!(new.controls_wrongly_refused, 0);
        assert_eq!((new.packs_due, new.packs_done), (200, 200));
        assert_eq!((new.requests_failed, new.requests_wrong), (0, 0));
        // What would make these zeros worth nothing.
        assert!(new.requests_during_packs > 500 && new.kills > 30 && new.memory_restarts > 30);
    }
}

#[test]
fn over_the_store_everything_is_said_that_is_said_over_a_log_in_memory() {
    let mut kills = 0;
    for seed in KILLS {
        let [store, memory] = [Log::Store, Log::Memory].map(|log| play_over("q299261", seed, log));
        assert_eq!((store.log, memory.log), (Log::Store, Log::Memory));
        assert_eq!(store.faults, Vec::<String>::new());
        assert_eq!(store.timeline, memory.timeline, "seed {seed}");
        assert_eq!(store.columns, memory.columns, "seed {seed}");
        kills += column(&store, "Usher").kills;
    }
    assert!(kills >= 10, "{kills}");
}

#[test]
fn from_the_first_sunday_on_9406_comes_every_quarter_of_an_hour_until_its_process_ends() {
    let report = play("q299261", 4, None);
    let old = column(&report, "SP3");
    let begins: Vec<&str> = report
        .timeline
        .iter()
        .filter(|entry| entry.who == "SP3" && entry.what.contains("says stop_pending"))
        .map(|entry| &entry.time[..24])
        .collect();
    assert_eq!(begins.first(), Some(&"Sun 07 Jun 2026 02:00:00"));
    assert_eq!(old.most_false_9406_a_day, 24 * 60 / 15);
    assert_eq!(old.polls_in_false_stop, old.told_in_false_stop);
}

#[test]
fn across_a_switch_of_daylight_saving_usher_packs_by_the_calendar_and_sp3_by_seconds() {
    let report = play("q299261", 37, None);
    let begins = |who: &str, what: &str| -> Vec<String> {
        report
            .timeline
            .iter()
            .filter(|entry| entry.who == who && entry.what.starts_with(what))
            .map(|entry| entry.time.clone())
            .collect()
    };
    let old = begins("SP3", "pack: Nonlic.dbf");
    let new = begins("Usher", "pack: begins");
    let before = "Sun 08 Mar 2026 01:59:59 EST".to_owned();
    assert!(
        old.contains(&before) && new.contains(&before),
        "{old:?} {new:?}"
    );
    let hour_late = "Sun 15 Mar 2026 02:59:59 EDT".to_owned();
    assert!(old.contains(&hour_late), "{old:?}");
    assert!(
        new.contains(&"Sun 15 Mar 2026 01:59:59 EDT".to_owned()),
        "{new:?}"
    );
    assert_eq!(new.len(), 4);
}

#[test]
fn every_planted_fault_is_found_by_what_it_breaks() {
    for (planted, seeds, found) in [
        (Planted::FalseStop, 12..=12, "reported states were not so"),
        (Planted::FalseStop, 12..=12, "refused that had to be taken"),
        (Planted::DeafToWork, 12..=12, "messages were false"),
        (Planted::SkippedPack, 12..=12, "packs were skipped"),
        // Only a kill right after a grant shows it.
        (Planted::EarlyAnswers, 11..=14, "answered wrongly"),
        (
            Planted::FalseSync,
            11..=14,
            "recoveries gave something else",
        ),
        (Planted::StaleLooks, 12..=12, "false or unknown verdict"),
    ] {
        // A disk has to be there to lie; all else is the same without one, and takes a tenth.
        let log = match planted {
            Planted::FalseSync => Log::Store,
            _ => Log::Memory,
        };
        let mut faults = Vec::new();
        let is_found = seeds.into_iter().any(|seed| {
            faults = plant(seed, planted, log).faults;
            faults.iter().any(|fault| fault.contains(found))
        });
        assert!(is_found, "{planted:?}: {faults:?}");
    }
}

#[test]
fn a_day_of_polls_each_second_gives_no_false_alarm_and_every_true_one() {
    let report = play("false-alarms", 1, None);
    assert_eq!(report.faults, Vec::<String>::new());
    let tally = column(&report, "Usher");
    assert_eq!((tally.polls, tally.false_messages), (86_400, 0));
    assert!(tally.troubles > 10, "{}", tally.troubles);
    assert_eq!(tally.troubles, tally.troubles_told);
}

#[test]
fn a_manager_that_does_not_look_again_is_found_by_what_it_does_not_tell() {
    let faults = play("false-alarms", 1, Some(Planted::StaleLooks)).faults;
    assert!(
        faults.iter().any(|fault| fault.starts_with("0 of ")),
        "{faults:?}"
    );
}
