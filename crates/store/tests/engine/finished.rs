//! The history as it is collected: each item once, in the order of its events, over pages, packs and
//! restores.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use usher_core::ledger::*;
use usher_store::*;

use crate::support::*;
use crate::versions::BACK_TO_SCHEMA_4;

const DAY_SECONDS: u64 = 86_400;

fn now(engine: &Engine) -> Steady {
    engine.read(|_, now| now.steady).unwrap()
}

fn read(engine: &Engine, after: Option<HistoryPoint>, limit: u32) -> Result<FinishedPage, NotHere> {
    let now = now(engine);
    engine.settle().unwrap();
    engine.history().finished(after, limit, now).unwrap()
}

fn page(engine: &Engine, after: Option<HistoryPoint>, limit: u32) -> FinishedPage {
    read(engine, after, limit).unwrap()
}

/// As a server does: a restore goes by the clocks of this computer.
fn open_now(data: &Path) -> Engine {
    let options = EngineOptions {
        data: data.into(),
        clock: Arc::new(SystemClock),
        on_durable: Box::new(|_| {}),
    };
    Engine::open(options).unwrap().0
}

fn end(engine: &Engine, lease: LeaseId) {
    let access = Access::Anyone;
    engine.execute(Command::Checkin { lease, access }).unwrap();
}

/// What it is, in a word, and what tells it from others.
fn told(item: &FinishedItem) -> String {
    match &item.what {
        Finished::Session(it) => format!("session {}", it.session),
        Finished::Lease(it) => format!("lease {}", it.id),
        Finished::Refusal(it) => format!("refusal {} x{}", it.id, it.count),
        Finished::Wait(it) => format!("wait {} {}", it.id, it.outcome),
    }
}

fn all_told(page: &FinishedPage) -> Vec<String> {
    page.items.iter().map(told).collect()
}

#[test]
fn what_has_ended_is_told_once_in_the_order_of_its_events_whatever_the_size_of_a_page() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    busy(&engine);
    clock.pass(3_600);
    // What expires by that is told as well.
    engine.execute(Command::Tick).unwrap();
    clock.pass(60);
    let whole = page(&engine, None, 1_000);
    let kinds: BTreeSet<String> = all_told(&whole)
        .iter()
        .map(|told| told.split(' ').next().unwrap().to_owned())
        .collect();
    assert_eq!(
        kinds,
        ["lease", "refusal", "session", "wait"]
            .map(str::to_owned)
            .into()
    );
    assert_eq!(whole.through.event.0, whole.head_event);
    assert_eq!((whole.from, whole.began_after), (None, None));
    assert!(whole.items.is_sorted_by_key(|item| item.at.event));
    for item in &whole.items {
        assert_eq!(item.at.incarnation, whole.incarnation);
        assert!(whole.people.iter().any(|it| it.id == item.person));
        assert!(whole.computers.iter().any(|it| it.id == item.computer));
    }
    for limit in [1, 2, 3, 7] {
        let (mut after, mut seen) = (None, Vec::new());
        loop {
            let part = page(&engine, after, limit);
            assert_eq!(part.from, after);
            assert!(part.items.len() <= limit as usize);
            seen.extend(all_told(&part));
            after = Some(part.through);
            if part.through.event.0 == part.head_event {
                break;
            }
        }
        assert_eq!(seen, all_told(&whole), "by {limit}");
    }
    engine.close();
}

#[test]
fn what_is_told_while_tables_are_filled_is_what_is_told_afterwards() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    product(&engine, "cad", 1);
    let (mut after, mut seen) = (None, Vec::new());
    let mut behind = 0;
    for round in 0..60 {
        let held = granted(&engine, "cad", "ada");
        engine.execute(asks("cad", "bob", false)).unwrap();
        clock.pass(round % 40);
        engine.execute(asks("cad", "bob", false)).unwrap();
        end(&engine, held.id);
        if round % 7 == 0 {
            engine.settle().unwrap();
        }
        let next = engine.read(|ledger, _| ledger.next_number()).unwrap();
        let Some(part) = engine.history().finished_so_far(after, 3).unwrap() else {
            panic!("the tables are before what they have told");
        };
        behind += u32::from(part.head_event + 1 < next);
        assert_eq!(part.from, after);
        seen.extend(part.items);
        after = Some(part.through);
    }
    assert!(behind > 0, "the tables were never behind");
    clock.pass(3_600);
    engine.execute(Command::Tick).unwrap();
    seen.extend(page(&engine, after, 1_000).items);
    assert_eq!(seen, page(&engine, None, 1_000).items);
    // A point that the tables have not reached is not called unknown.
    let end = HistoryPoint {
        event: EventNumber(u64::MAX),
        ..after.unwrap()
    };
    assert_eq!(
        engine.history().finished_so_far(Some(end), 3).unwrap(),
        None
    );
    engine.close();
}

#[test]
fn a_refusal_and_what_is_behind_it_comes_when_no_repeat_is_counted_to_it_any_more() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    product(&engine, "cad", 1);
    let first = granted(&engine, "cad", "ada");
    engine.execute(asks("cad", "bob", false)).unwrap();
    end(&engine, first.id);
    let early = page(&engine, None, 100);
    assert_eq!(early.items, []);
    assert!(early.through.event.0 < early.head_event);
    let held = granted(&engine, "cad", "ada");
    clock.pass(59);
    engine.execute(asks("cad", "bob", false)).unwrap();
    assert_eq!(page(&engine, Some(early.through), 100).items, []);
    clock.pass(1);
    // Too late to be counted to it.
    engine.execute(asks("cad", "bob", false)).unwrap();
    let later = page(&engine, Some(early.through), 100);
    let [refusal, lease] = &all_told(&later)[..] else {
        panic!("{later:?}");
    };
    assert!(refusal.ends_with(" x2"), "{refusal}");
    assert_eq!(*lease, format!("lease {}", first.id));
    end(&engine, held.id);
    engine.close();
}

#[test]
fn a_wait_comes_when_its_seat_was_fetched() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    product(&engine, "cad", 1);
    let held = granted(&engine, "cad", "ada");
    let Reply::Queued(view) = engine.execute(asks("cad", "bob", true)).unwrap().reply else {
        panic!("not queued");
    };
    clock.pass(5);
    end(&engine, held.id);
    let before = page(&engine, None, 100);
    assert_eq!(all_told(&before), [format!("lease {}", held.id)]);
    let poll = Command::Poll {
        ticket: view.ticket.id,
        access: Access::Anyone,
        keep_seconds: 60,
    };
    engine.execute(poll).unwrap();
    let after = page(&engine, Some(before.through), 100);
    assert_eq!(
        all_told(&after),
        [format!("wait {} granted", view.ticket.id)]
    );
    let Finished::Wait(wait) = &after.items[0].what else {
        panic!("{after:?}");
    };
    assert_eq!(wait.waited_ms, Some(5_000));
    engine.close();
}

#[test]
fn after_a_restore_the_history_goes_on_from_the_copy_and_says_so() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    product(&engine, "cad", 5);
    end(&engine, granted(&engine, "cad", "ada").id);
    let kept = page(&engine, None, 100);
    engine.settle().unwrap();
    let copy = data.path().join("copy.db");
    engine.backup(&copy).unwrap();
    end(&engine, granted(&engine, "cad", "bob").id);
    let lost = page(&engine, Some(kept.through), 100);
    assert_eq!(lost.items.len(), 1);
    engine.close();
    restore(data.path(), &copy, RestoreOptions { accept_risk: true }).unwrap();

    let engine = open_now(data.path());
    let again = page(&engine, Some(lost.through), 100);
    assert_ne!(again.incarnation, kept.incarnation);
    assert_eq!(again.from, again.began_after, "what came behind is gone");
    let began_after = again.began_after.unwrap();
    assert_eq!(began_after.incarnation, kept.incarnation);
    assert!(began_after.event >= kept.through.event && began_after.event < lost.through.event);
    assert_eq!(again.items, [], "bob's lease is not on the server any more");
    let lease = granted(&engine, "cad", "cyd");
    end(&engine, lease.id);
    let new = page(&engine, Some(again.through), 100);
    assert_eq!(all_told(&new), [format!("lease {}", lease.id)]);
    assert_eq!(new.items[0].at.incarnation, again.incarnation);
    assert_eq!(new.items[0].at.incarnation, lease.id.incarnation);
    let whole = page(&engine, None, 100);
    let of: Vec<Incarnation> = whole.items.iter().map(|item| item.at.incarnation).collect();
    assert_eq!(of, [kept.incarnation, new.incarnation]);
    engine.close();

    // Put back to the first copy once more: the life between is not known.
    restore(data.path(), &copy, RestoreOptions { accept_risk: true }).unwrap();
    let engine = open_now(data.path());
    assert_eq!(read(&engine, Some(new.through), 100), Err(NotHere));
    let back = page(&engine, Some(lost.through), 100);
    assert_eq!(back.from, Some(began_after));
    engine.close();
}

#[test]
fn a_pack_leaves_what_a_consumer_has_not_acknowledged_for_fourteen_days() {
    let data = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let engine = open(data.path(), &clock);
    product(&engine, "cad", 5);
    let old = |count: usize| {
        for number in 0..count {
            end(
                &engine,
                granted(&engine, "cad", &format!("user{number}")).id,
            );
        }
    };
    old(10);
    let first = page(&engine, None, 5);
    let wall = || clock.wall_ms();
    let acknowledge = |point| {
        engine.settle().unwrap();
        let consumers = engine.consumers();
        consumers
            .acknowledge("site", point, wall())
            .unwrap()
            .unwrap()
    };
    acknowledge(first.through);
    let options = PackOptions {
        keep_days: 1,
        version: "1.2.3".to_owned(),
    };
    let pack = || engine.pack().run(&options).unwrap();
    clock.pass(13 * DAY_SECONDS);
    let report = pack();
    assert_eq!(
        (report.purged_rows, report.skipped.len()),
        (0, 1),
        "{report:?}"
    );
    assert!(report.skipped[0].why.contains("site"), "{report:?}");
    // What it acknowledged fourteen days ago goes, and nothing else.
    clock.pass(DAY_SECONDS);
    assert_eq!(pack().purged_rows, 5);
    assert_eq!(page(&engine, Some(first.through), 100).items.len(), 5);
    // For one that is gone nothing stays.
    clock.pass(16 * DAY_SECONDS);
    let report = pack();
    assert_eq!(report.purged_rows, 5);
    assert!(
        report.skipped[0].what.contains("history for site"),
        "{report:?}"
    );
    assert!(engine.consumers().forget("site").unwrap());
    assert_eq!(engine.consumers().list(wall()).unwrap(), []);
    engine.close();
}

#[test]
fn what_was_settled_before_it_was_kept_by_which_event_is_told_all_the_same() {
    for (before, without) in [
        ("a file of schema 4", BACK_TO_SCHEMA_4),
        (
            "a version of schema 4 served the file again",
            "UPDATE tickets SET settled = NULL, settled_as = NULL; DELETE FROM lives;",
        ),
    ] {
        let data = tempfile::tempdir().unwrap();
        let clock = TestClock::new();
        let engine = open(data.path(), &clock);
        busy(&engine);
        clock.pass(3_600);
        engine.execute(Command::Tick).unwrap();
        clock.pass(60);
        let whole = page(&engine, None, 1_000);
        engine.close();
        let connection = rusqlite::Connection::open(data.path().join("cache.db")).unwrap();
        connection.execute_batch(without).unwrap();
        drop(connection);
        let engine = open(data.path(), &clock);
        let again = page(&engine, None, 1_000);
        // What a ticket came to is told as far as its state still says it.
        let which = |told: String| {
            let words: Vec<&str> = told.split(' ').take(2).collect();
            words.join(" ")
        };
        let set = |page: &FinishedPage| -> BTreeSet<String> {
            all_told(page).into_iter().map(which).collect()
        };
        assert_eq!(set(&again), set(&whole), "{before}");
        assert_eq!(again.incarnation, whole.incarnation, "{before}");
        engine.close();
    }
}

/// Made-up numbers, the same for the same seed.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % limit
    }
}

#[test]
fn each_item_is_read_once_however_events_and_pages_come_between_each_other() {
    for seed in 0..6 {
        let mut numbers = Numbers(seed);
        let data = tempfile::tempdir().unwrap();
        let clock = TestClock::new();
        let engine = open(data.path(), &clock);
        product(&engine, "cad", 2);
        product(&engine, "sim", 1);
        let (mut held, mut waiting) = (Vec::new(), Vec::new());
        let (mut after, mut seen) = (None, Vec::new());
        for _ in 0..300 {
            match numbers.below(8) {
                0..=2 => {
                    let of = ["cad", "sim"][numbers.below(2) as usize];
                    let user = format!("user{}", numbers.below(5));
                    let asked = asks(of, &user, numbers.below(2) == 0);
                    match engine.execute(asked).unwrap().reply {
                        Reply::Granted { lease, .. } => held.push(lease.id),
                        Reply::Queued(view) => waiting.push(view.ticket.id),
                        _ => {}
                    }
                }
                3 if !held.is_empty() => {
                    let place = numbers.below(held.len() as u64) as usize;
                    end(&engine, held.swap_remove(place));
                }
                4 if !waiting.is_empty() => {
                    let place = numbers.below(waiting.len() as u64) as usize;
                    let poll = Command::Poll {
                        ticket: waiting[place],
                        access: Access::Anyone,
                        keep_seconds: 30,
                    };
                    engine.execute(poll).unwrap();
                }
                5 => clock.pass(numbers.below(40)),
                _ => {
                    let limit = 1 + numbers.below(4) as u32;
                    let part = page(&engine, after, limit);
                    seen.extend(all_told(&part));
                    after = Some(part.through);
                }
            }
        }
        clock.pass(3_600);
        engine.execute(Command::Tick).unwrap();
        clock.pass(60);
        loop {
            let part = page(&engine, after, 7);
            seen.extend(all_told(&part));
            after = Some(part.through);
            if part.through.event.0 == part.head_event {
                break;
            }
        }
        let once: BTreeSet<&String> = seen.iter().collect();
        assert_eq!(
            once.len(),
            seen.len(),
            "seed {seed}: something was read twice"
        );
        let whole = all_told(&page(&engine, None, 1_000));
        assert_eq!(seen, whole, "seed {seed}");
        engine.close();
    }
}
