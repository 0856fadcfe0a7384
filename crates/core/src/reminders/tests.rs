//! What users are asked, and when something is done, one behaviour a test; and what always holds.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const SESSION: SessionId = SessionId(1);
const MINUTE: u64 = 60_000;

fn rule(then: Then) -> IdleRule {
    IdleRule {
        after_ms: 30 * MINUTE,
        grace_ms: 5 * MINUTE,
        then,
    }
}

#[derive(Default)]
struct Desk {
    reminders: Reminders,
    minute: u64,
}

impl Desk {
    fn does(&mut self, event: Event) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.reminders
            .apply(self.minute * MINUTE, event, &mut effects);
        effects
    }

    fn untouched(&mut self, minutes: u64, then: Then) -> Vec<Effect> {
        self.does(Event::Untouched {
            session: SESSION,
            for_ms: minutes * MINUTE,
            rule: Some(rule(then)),
        })
    }

    fn loses(&mut self) -> Vec<Effect> {
        self.does(Event::Lost {
            session: SESSION,
            grace_ms: 5 * MINUTE,
        })
    }

    fn at(&mut self, minute: u64) -> Vec<Effect> {
        self.minute = minute;
        self.does(Event::Tick)
    }
}

fn asks(cause: Cause, then: Then, minute: u64) -> Effect {
    Effect::Ask {
        session: SESSION,
        cause,
        then,
        until_boot_ms: minute * MINUTE,
    }
}

#[test]
fn a_program_whose_lease_is_lost_is_ended_after_its_user_was_asked_and_its_grace_is_over() {
    let mut desk = Desk::default();
    assert_eq!(desk.loses(), [asks(Cause::LostLease, Then::End, 5)]);
    assert_eq!(desk.at(4), []);
    assert_eq!(
        desk.loses(),
        [],
        "asked again it has no more time, and no less"
    );
    assert_eq!(desk.reminders.next_due_boot_ms(), Some(5 * MINUTE));
    let end = Effect::End {
        session: SESSION,
        cause: Cause::LostLease,
    };
    assert_eq!(desk.at(5), [end]);
    assert_eq!(desk.at(6), [], "once");
}

#[test]
fn a_seat_that_comes_in_time_saves_the_program() {
    let mut desk = Desk::default();
    desk.loses();
    desk.at(4);
    let cause = Cause::LostLease;
    let session = SESSION;
    assert_eq!(
        desk.does(Event::Seated { session }),
        [Effect::TakeBack { session, cause }]
    );
    assert_eq!(desk.at(60), []);
    // Another loss is another grace.
    assert_eq!(desk.loses(), [asks(cause, Then::End, 65)]);
}

#[test]
fn who_leaves_a_program_alone_is_asked_and_then_its_seat_goes_back() {
    let mut desk = Desk::default();
    assert_eq!(desk.untouched(29, Then::Release), []);
    assert_eq!(
        desk.untouched(30, Then::Release),
        [asks(Cause::Idle, Then::Release, 5)]
    );
    let session = SESSION;
    assert_eq!(desk.at(5), [Effect::Release { session }]);
    assert!(desk.reminders.is_released(session));
    assert_eq!(desk.untouched(36, Then::Release), []);
    assert_eq!(desk.loses(), [], "what was given back is not lost");
    assert_eq!(
        desk.untouched(0, Then::Release),
        [Effect::Reclaim { session }]
    );
    assert!(!desk.reminders.is_released(session));
    // None is free by now.
    assert_eq!(desk.loses(), [asks(Cause::LostLease, Then::End, 10)]);
}

#[test]
fn a_touch_in_time_is_all_that_is_asked_for() {
    for then in [Then::Nothing, Then::Release, Then::End] {
        let mut desk = Desk::default();
        assert_eq!(desk.untouched(30, then), [asks(Cause::Idle, then, 5)]);
        let taken_back = Effect::TakeBack {
            session: SESSION,
            cause: Cause::Idle,
        };
        assert_eq!(desk.untouched(0, then), [taken_back]);
        assert_eq!(desk.at(60), []);
    }
}

#[test]
fn another_rule_takes_back_what_was_asked_and_has_a_grace_of_its_own() {
    let mut desk = Desk::default();
    let taken_back = Effect::TakeBack {
        session: SESSION,
        cause: Cause::Idle,
    };
    desk.untouched(30, Then::End);
    desk.minute = 3;
    let again = [taken_back, asks(Cause::Idle, Then::Release, 8)];
    assert_eq!(desk.untouched(33, Then::Release), again);
    assert_eq!(desk.at(5), []);
    let session = SESSION;
    assert_eq!(desk.at(8), [Effect::Release { session }]);
    let again = [
        Effect::Reclaim { session },
        asks(Cause::Idle, Then::Nothing, 13),
    ];
    assert_eq!(desk.untouched(38, Then::Nothing), again);
    let again = [taken_back, asks(Cause::Idle, Then::End, 13)];
    assert_eq!(desk.untouched(38, Then::End), again, "it was only said");
}

#[test]
fn whoever_was_asked_before_the_computer_slept_is_asked_again_and_has_the_whole_grace() {
    let mut desk = Desk::default();
    desk.untouched(30, Then::Release);
    desk.minute = 600;
    assert_eq!(
        desk.does(Event::Woke),
        [asks(Cause::Idle, Then::Release, 605)]
    );
    assert_eq!(desk.at(604), []);
    let session = SESSION;
    assert_eq!(desk.at(605), [Effect::Release { session }]);
    assert_eq!(desk.does(Event::Woke), [], "what is done is not asked");
}

#[test]
fn a_released_program_that_came_by_a_seat_is_left_alone_anew() {
    let mut desk = Desk::default();
    desk.untouched(30, Then::Release);
    desk.at(5);
    let session = SESSION;
    assert_eq!(desk.does(Event::Seated { session }), []);
    assert!(!desk.reminders.is_released(session));
    let asked = asks(Cause::Idle, Then::Release, 10);
    assert_eq!(desk.untouched(35, Then::Release), [asked]);
}

#[test]
fn a_rule_that_only_warns_does_nothing_however_long_it_takes() {
    let mut desk = Desk::default();
    desk.untouched(30, Then::Nothing);
    assert_eq!(desk.at(10_000), []);
    assert_eq!(desk.reminders.next_due_boot_ms(), None);
}

#[test]
fn a_rule_that_is_no_more_is_held_against_nobody() {
    let mut desk = Desk::default();
    desk.untouched(30, Then::End);
    let cause = Cause::Idle;
    let session = SESSION;
    let without = Event::Untouched {
        session,
        for_ms: 40 * MINUTE,
        rule: None,
    };
    assert_eq!(desk.does(without), [Effect::TakeBack { session, cause }]);
    assert_eq!(desk.at(60), []);
}

#[test]
fn of_a_session_that_is_gone_nothing_is_left() {
    let mut desk = Desk::default();
    desk.loses();
    desk.untouched(30, Then::End);
    desk.does(Event::Gone { session: SESSION });
    assert_eq!(desk.at(60), []);
    assert_eq!(desk.reminders.next_due_boot_ms(), None);
}

fn events() -> impl Strategy<Value = Event> {
    let session = (0..3_u64).prop_map(SessionId);
    let then = prop_oneof![Just(Then::Nothing), Just(Then::Release), Just(Then::End)];
    let rule = (1..20_u64, 0..10_u64, then).prop_map(|(after_ms, grace_ms, then)| IdleRule {
        after_ms,
        grace_ms,
        then,
    });
    prop_oneof![
        2 => (session.clone(), 0..10_u64)
            .prop_map(|(session, grace_ms)| Event::Lost { session, grace_ms }),
        1 => session.clone().prop_map(|session| Event::Seated { session }),
        1 => session.clone().prop_map(|session| Event::Spared { session }),
        4 => (session.clone(), 0..40_u64, proptest::option::of(rule))
            .prop_map(|(session, for_ms, rule)| Event::Untouched { session, for_ms, rule }),
        1 => session.prop_map(|session| Event::Gone { session }),
        1 => Just(Event::Woke),
        4 => Just(Event::Tick),
    ]
}

proptest! {
    #[test]
    fn nothing_is_done_that_was_not_asked_a_grace_before(
        steps in proptest::collection::vec((0..4_u64, events()), 0..200)
    ) {
        let mut reminders = Reminders::default();
        let mut waits: BTreeMap<(SessionId, Cause), (Then, u64)> = BTreeMap::new();
        let mut released = std::collections::BTreeSet::new();
        let mut now = 0;
        for (passed, event) in steps {
            now += passed;
            let mut effects = Vec::new();
            reminders.apply(now, event, &mut effects);
            if let Event::Gone { session } = event {
                waits.retain(|(of, _), _| *of != session);
                released.remove(&session);
                prop_assert!(effects.is_empty());
            }
            if let Event::Seated { session } = event {
                released.remove(&session);
            }
            for effect in effects {
                match effect {
                    Effect::Ask { session, cause, then, until_boot_ms } => {
                        let before = waits.insert((session, cause), (then, until_boot_ms));
                        let is_again = matches!(event, Event::Woke);
                        prop_assert_eq!(before.is_some(), is_again, "asked twice");
                    }
                    Effect::TakeBack { session, cause } => {
                        prop_assert!(waits.remove(&(session, cause)).is_some());
                    }
                    Effect::Release { session } => {
                        let asked = waits.remove(&(session, Cause::Idle));
                        let is_due = matches!(asked, Some((Then::Release, until)) if until <= now);
                        prop_assert!(is_due, "{session:?} was not asked in time");
                        prop_assert!(released.insert(session));
                    }
                    Effect::Reclaim { session } => prop_assert!(released.remove(&session)),
                    Effect::End { session, cause } => {
                        let asked = waits.remove(&(session, cause));
                        let is_due = matches!(asked, Some((Then::End, until)) if until <= now);
                        prop_assert!(is_due, "{session:?} was not asked in time");
                    }
                }
            }
        }
    }
}
