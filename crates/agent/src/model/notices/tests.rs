//! What people are told: to whom, how often, for how long.

use super::*;

fn of(number: u32) -> AccountKey {
    AccountKey::new(number)
}

fn who(number: u32) -> Who {
    Who {
        counted: of(number),
        real: of(number),
    }
}

fn write(notices: &mut Notices, outbox: &mut Outbox) {
    outbox.change(|change| notices.write(change)).unwrap();
    notices.were_written();
}

fn about(product: &str) -> News {
    refused(product, product, None)
}

#[test]
fn each_account_reads_its_own_after_what_it_has_read() {
    let mut notices = Notices::new();
    notices.say(who(1), about("cad"));
    notices.say(who(2), about("cad"));
    let su = Who {
        counted: of(1),
        real: of(3),
    };
    notices.say(su, about("sim"));
    let all = notices.of(of(1), None);
    assert_eq!(all.len(), 2);
    let after = notices.of(of(1), Some(&all[0].id));
    assert_eq!(after, all[1..]);
    assert_eq!(notices.of(of(3), None), all[1..]);
    assert_eq!(notices.of(of(4), None), []);
    assert_eq!(notices.of(of(1), Some("N1-7")), all, "of another run");
    assert!(notices.find(of(2), &all[0].id).is_none());
}

#[test]
fn one_account_pushes_out_only_its_own_and_the_same_is_told_once() {
    let mut notices = Notices::new();
    notices.say(who(1), about("cad"));
    notices.say(who(1), about("cad"));
    assert_eq!(notices.of(of(1), None).len(), 1);
    // A seat came free meanwhile, and was lost again: that is another refusal.
    notices.say(who(1), free("cad", "cad", 60));
    notices.say(who(1), about("cad"));
    assert_eq!(notices.of(of(1), None).len(), 3);
    for number in 0..2 * OF_ONE_LIMIT {
        notices.say(who(2), about(&format!("product{number}")));
    }
    assert_eq!(notices.of(of(2), None).len(), OF_ONE_LIMIT);
    assert_eq!(notices.of(of(1), None).len(), 3);
    assert_eq!(
        notices.of(of(2), None)[0].product,
        format!("product{OF_ONE_LIMIT}")
    );
}

fn decided(product: &str, decision: &str) -> News {
    News {
        decision: Some(decision.to_owned()),
        ..about(product)
    }
}

#[test]
fn a_script_that_is_refused_again_and_again_is_told_once_of_a_decision_and_pushes_out_nothing() {
    let mut notices = Notices::new();
    notices.say(who(1), about("sim"));
    for _ in 0..2 {
        notices.say_last(who(1), decided("cad", "D1"));
    }
    let first = notices.of(of(1), None);
    assert_eq!(first.len(), 2);
    for number in 2..2 * OF_ONE_LIMIT {
        notices.say_last(who(1), decided("cad", &format!("D{number}")));
    }
    let all = notices.of(of(1), None);
    assert_eq!((all.len(), &*all[0].product), (2, "sim"));
    assert_ne!(
        all[1].id, first[1].id,
        "it is news to who has read the first"
    );
    notices.say(who(1), free("cad", "cad", 60));
    notices.say_last(who(1), decided("cad", "D9"));
    assert_eq!(notices.of(of(1), None).len(), 4);
}

#[test]
fn who_waits_hears_how_it_ended_however_soon_after_the_last_time() {
    let mut notices = Notices::new();
    for _ in 0..2 {
        notices.say(who(1), free("cad", "cad", 60));
        notices.say(who(1), missed("cad", "cad"));
        notices.say(who(1), seated("cad", "cad"));
        notices.say(who(1), seated("cad", "cad"));
    }
    assert_eq!(notices.of(of(1), None).len(), 8);
}

#[test]
fn what_was_told_of_a_kept_seat_is_brought_up_to_date_on_disk_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut outbox = Outbox::open(folder.path()).unwrap();
    let mut notices = Notices::open(&outbox).unwrap();
    notices.say(who(1), free("cad", "CAD", 300));
    notices.say(who(1), free("sim", "sim", 300));
    write(&mut notices, &mut outbox);
    notices.is_over(who(2), "cad", Kept::Used);
    notices.is_over(who(1), "cad", Kept::Used);
    write(&mut notices, &mut outbox);
    let mut again = Notices::open(&outbox).unwrap();
    let told = again.of(of(1), None);
    assert_eq!(told[0].title, "A seat of CAD was free");
    assert!(
        told[0].text.ends_with("you have used it."),
        "{}",
        told[0].text
    );
    assert!(told[1].text.contains("Start sim now"), "{}", told[1].text);
    // One that was changed and is pushed out is gone from the disk, too.
    again.is_over(who(1), "cad", Kept::GoneBack);
    for number in 0..OF_ONE_LIMIT {
        again.say(who(1), about(&format!("product{number}")));
    }
    write(&mut again, &mut outbox);
    assert_eq!(outbox.notices().unwrap().len(), OF_ONE_LIMIT);
}

#[test]
fn what_was_told_is_known_after_a_restart_to_its_person_for_a_day() {
    let folder = tempfile::tempdir().unwrap();
    let mut outbox = Outbox::open(folder.path()).unwrap();
    let mut notices = Notices::open(&outbox).unwrap();
    notices.say(who(1), about("cad"));
    notices.say(who(2), about("sim"));
    write(&mut notices, &mut outbox);
    let before = (notices.of(of(1), None), notices.of(of(2), None));
    let mut again = Notices::open(&outbox).unwrap();
    assert_eq!((again.of(of(1), None), again.of(of(2), None)), before);
    assert_eq!(again.of(of(3), None), []);
    // Who has read it reads only what is new.
    again.say(who(1), about("sim"));
    let read = &before.0[0].id;
    assert_eq!(again.of(of(1), Some(read)).len(), 1);
    assert_eq!(again.of(of(1), Some(read))[0].product, "sim");

    // A day later it is gone, from the disk, too.
    let day_ms = i64::try_from(KEPT_MS).unwrap();
    let old = |notice: SavedNotice| SavedNotice {
        at_wall_ms: notice.at_wall_ms - day_ms - 1,
        ..notice
    };
    let all: Vec<SavedNotice> = outbox.notices().unwrap().into_iter().map(old).collect();
    for notice in &all {
        outbox.change(|change| change.save_notice(notice)).unwrap();
    }
    let mut later = Notices::open(&outbox).unwrap();
    assert_eq!(later.of(of(1), None), []);
    write(&mut later, &mut outbox);
    assert_eq!(outbox.notices().unwrap(), []);
}

#[test]
fn what_one_account_is_told_without_end_is_bounded_on_disk_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut outbox = Outbox::open(folder.path()).unwrap();
    let mut notices = Notices::open(&outbox).unwrap();
    for number in 0..2 * OF_ONE_LIMIT {
        notices.say(who(1), about(&format!("product{number}")));
        if number % 3 == 0 {
            write(&mut notices, &mut outbox);
        }
    }
    write(&mut notices, &mut outbox);
    assert_eq!(outbox.notices().unwrap().len(), OF_ONE_LIMIT);
    let again = Notices::open(&outbox).unwrap();
    assert_eq!(again.of(of(1), None), notices.of(of(1), None));
}
