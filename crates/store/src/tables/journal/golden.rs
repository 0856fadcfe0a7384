//! The bytes of form 1 of the journal, as they lie in a file of the repository.
//!
//! If this test fails because an event, an answer or anything inside them has changed: keep the
//! types of the form before as `unframed` does, give [`super::frame::FORM`] the next number, read
//! both, and add a golden file of the new form beside the old. Never write an old file again.

use usher_core::ledger::*;

use super::{FORM_OF_ANSWERS, decode, encode, frame};

const JOURNAL: &[u8] = include_bytes!("../../../tests/fixtures/journal-form-1.bin");
const ANSWERS: &[u8] = include_bytes!("../../../tests/fixtures/answers-form-1.bin");

fn lease_id(number: u64) -> LeaseId {
    LeaseId {
        incarnation: Incarnation(0xab),
        number: EventNumber(number),
    }
}

fn ticket_id(number: u64) -> TicketId {
    TicketId {
        incarnation: Incarnation(0xab),
        number: EventNumber(number),
    }
}

fn decision_id(number: u64) -> DecisionId {
    DecisionId {
        incarnation: Incarnation(0xab),
        number: EventNumber(number),
    }
}

fn session(number: u64) -> SessionKey {
    SessionKey {
        computer: ComputerId(21),
        session: number,
        incarnation: 1_700_000_000_000,
    }
}

const SCENE: Scene = Scene {
    seats: 3,
    in_use: 2,
    queued: 1,
};

fn spec() -> ProductSpec {
    ProductSpec {
        id: "cad".into(),
        enabled: true,
        max_ttl_seconds: 86_400,
        queue_limit: 9,
        shared_by_subject: true,
        impossible_seconds: 60,
        document: "{}".into(),
    }
}

fn entitlement() -> Entitlement {
    Entitlement {
        number: EntitlementNumber(1 << 40),
        product: ProductNumber(1),
        model: Model::Concurrent {
            seats: 3,
            overdraft: 1,
        },
        from: Some(Bound::At(Wall(1_700_000_000_000))),
        to: Some(Bound::Day {
            year: 2027,
            month: 3,
            day: 28,
            zone: "Europe/Berlin".into(),
        }),
        allotment: AllotmentNumber(1 << 40),
    }
}

fn lease(number: u64) -> Lease {
    Lease {
        id: lease_id(number),
        product: ProductNumber(1),
        subject: SubjectId(11),
        computer: ComputerId(21),
        seats: 2,
        ttl_seconds: 300,
        deadline: Steady(301_000),
        granted_at: Wall(1_700_000_000_000),
        granted: Steady(1_000),
        draws: [Draw {
            allotment: AllotmentNumber(1 << 40),
            seats: 2,
        }]
        .into_iter()
        .collect(),
        session: Some(session(4)),
        ticket: Some(ticket_id(8)),
        holders: Box::from([session(4)]),
        graced: false,
        program: Some("cad.bin".into()),
        bundle: Some(Bundle {
            first: EventNumber(6),
            count: 2,
        }),
    }
}

fn ticket(number: u64, state: TicketState) -> Ticket {
    Ticket {
        id: ticket_id(number),
        product: ProductNumber(1),
        subject: SubjectId(11),
        computer: ComputerId(21),
        seats: 1,
        ttl_seconds: 300,
        priority: -2,
        queued_at: Wall(1_700_000_000_000),
        state,
        program: None,
        bundle: Some(Bundle {
            first: EventNumber(8),
            count: 3,
        }),
    }
}

const WAITING: TicketState = TicketState::Waiting {
    alive_until: Steady(31_000),
    aside: Some(Aside {
        since: Steady(1_000),
        deny_at: Some(Steady(61_000)),
    }),
};

fn denial(number: u64, reason: Reason) -> Denial {
    Denial {
        id: decision_id(number),
        product: ProductNumber(1),
        subject: SubjectId(11),
        computer: ComputerId(21),
        seats: 1,
        reason,
        scene: SCENE,
    }
}

fn ask() -> Ask {
    Ask {
        waits: true,
        repeats: Some(EventNumber(6)),
        also: Box::from([Other {
            product: ProductNumber(2),
            seats: 4,
        }]),
    }
}

/// One of each, and every word that stands inside one.
fn every_event() -> Vec<Event> {
    let states = [
        WAITING,
        TicketState::Granted {
            lease: lease_id(9),
            claim_until: Some(Steady(16_000)),
        },
        TicketState::Expired {
            forget_at: Steady(2),
        },
        TicketState::Cancelled {
            forget_at: Steady(3),
        },
        TicketState::Denied {
            decision: decision_id(5),
            reason: Reason::Impossible,
            forget_at: Steady(4),
        },
    ];
    let reasons = [
        Reason::NoSeat,
        Reason::NoEntitlement,
        Reason::EntitlementExpired,
        Reason::ProductDisabled,
        Reason::QueueFull,
        Reason::Undecided,
        Reason::Impossible,
        Reason::NotYetValid,
    ];
    let causes = [
        EndCause::CheckedIn,
        EndCause::Expired,
        EndCause::Unclaimed,
        EndCause::Idle,
    ];
    let kinds = [
        ActorKind::Person,
        ActorKind::Token,
        ActorKind::Agent,
        ActorKind::System,
    ];
    let number = EventNumber(7);
    let mut events = vec![
        Event::SubjectEntered(Subject {
            id: SubjectId(11),
            authority: "usher".into(),
            key: "ann".into(),
            name: "Ann".into(),
        }),
        Event::ComputerEntered(Computer {
            id: ComputerId(21),
            key: "pc1".into(),
            name: "PC 1".into(),
            document: "{}".into(),
        }),
        Event::ProductPut {
            product: ProductNumber(1),
            spec: spec(),
        },
        Event::EntitlementPut(entitlement()),
        Event::AllotmentPut(Allotment {
            number: AllotmentNumber(1 << 40),
            product: ProductNumber(1),
            entitlement: EntitlementNumber(1 << 40),
            seats: 4,
            from: None,
            to: Some(Bound::At(Wall(1_800_000_000_000))),
            deadline: Some(Steady(9_000_000)),
        }),
        Event::Granted {
            lease: lease(6),
            scene: SCENE,
            ask: Some(ask()),
        },
        Event::Renewed {
            lease: number,
            deadline: Steady(400_000),
        },
        Event::Redrawn {
            lease: number,
            draws: lease(6).draws,
        },
        Event::Graced {
            lease: number,
            deadline: Steady(500_000),
        },
        Event::Joined {
            lease: number,
            session: session(5),
        },
        Event::Left {
            lease: number,
            session: session(5),
        },
        Event::Rekeyed {
            lease: number,
            from: session(4),
            to: session(6),
        },
        Event::Claimed {
            lease: number,
            session: session(6),
            ttl_seconds: 60,
            shared: true,
        },
        Event::Queued {
            ticket: ticket(14, WAITING),
            scene: SCENE,
            ask: ask(),
        },
        Event::TicketForgotten { ticket: number },
        Event::DeniedAgain {
            denial: number,
            product: ProductNumber(1),
            subject: SubjectId(11),
            computer: ComputerId(21),
            reason: Reason::NoSeat,
            count: 2,
            ask: ask(),
        },
        Event::Unseated(Unseated {
            product: ProductNumber(1),
            subject: SubjectId(11),
            session: session(7),
            ttl_seconds: 60,
            deadline: Steady(60_000),
            reason: Reason::NoSeat,
        }),
        Event::UnseatedEnded {
            session: session(7),
        },
        Event::SessionFinished(Box::new(FinishedSession {
            session: session(8),
            product: ProductNumber(1),
            program: "cad.bin".into(),
            version: Some("1.2".into()),
            subject: SubjectId(11),
            real_subject: Some(SubjectId(12)),
            started_at: Wall(1),
            ended_at: Wall(2),
            duration_ms: 1,
            unseated_ms: 1,
            lease: Some(lease_id(6)),
        })),
        Event::ProgramsSeen {
            computer: ComputerId(21),
            counts: vec![
                ProgramUse {
                    program: "ls".into(),
                    starts: 3,
                    run_seconds: 0,
                    package: None,
                    desktop_name: None,
                },
                ProgramUse {
                    program: "blender".into(),
                    starts: 0,
                    run_seconds: 60,
                    package: Some("blender".into()),
                    desktop_name: Some("Blender".into()),
                },
            ],
        },
        Event::Reported {
            computer: ComputerId(21),
            incarnation: 1_700_000_000_000,
            sequence: 9,
        },
        Event::Remembered {
            key: u128::MAX - 7,
            body: u64::MAX - 7,
            reply: Box::new(Reply::Done),
        },
        Event::Adopted {
            lease: number,
            former: lease_id(3),
        },
        Event::CanarySeated,
        Event::Paused,
        Event::Continued,
        Event::EntitlementRemoved {
            entitlement: EntitlementNumber(1 << 40),
        },
        Event::ProductRemoved {
            product: ProductNumber(1),
        },
        Event::SubjectForgotten {
            subject: SubjectId(12),
        },
        Event::ComputerForgotten {
            computer: ComputerId(22),
        },
        Event::Reincarnated {
            incarnation: Incarnation(0xac),
            hold_until: Some(Steady(8)),
        },
    ];
    events.extend(states.map(|state| Event::TicketChanged {
        ticket: number,
        state,
    }));
    events.extend(reasons.map(|reason| Event::Denied {
        denial: denial(40, reason),
        ask: ask(),
    }));
    events.extend(causes.map(|cause| Event::Ended {
        lease: number,
        cause,
    }));
    events.extend(kinds.map(|kind| Event::Changed {
        by: By {
            kind,
            id: "K1".into(),
            request: 7,
        },
        from: number,
    }));
    events
}

/// One of each that may be kept.
fn every_answer() -> Vec<Reply> {
    let also = || {
        Box::from([Also {
            product: "pack".into(),
            seats: 4,
            lease: Some(lease_id(7)),
        }])
    };
    let view = || TicketView {
        ticket: ticket(8, WAITING),
        position: 1,
        expected_wait_seconds: Some(30),
        lease: Some(lease(9)),
        also: also(),
    };
    vec![
        Reply::Granted {
            lease: lease(6),
            also: also(),
        },
        Reply::Queued(view()),
        Reply::Denied {
            product: "pack".into(),
            seats: 4,
            decision: decision_id(5),
            reason: Reason::QueueFull,
            scene: SCENE,
        },
        Reply::Held { for_seconds: 9 },
        Reply::TtlTooLong {
            max_ttl_seconds: 60,
        },
        Reply::Renewed {
            lease: lease(6),
            product: "cad".into(),
            user: "".into(),
            computer: "".into(),
            also: also(),
        },
        Reply::Ticket {
            view: Box::new(view()),
            product: "cad".into(),
            user: "".into(),
            computer: "".into(),
        },
        Reply::Done,
        Reply::Entered {
            subject: Some(SubjectId(11)),
            computer: None,
        },
        Reply::Product(spec()),
        Reply::Entitlement(EntitlementView {
            entitlement: entitlement(),
            product: "cad".into(),
            in_use: 2,
            details: Details::default(),
        }),
        Reply::UnknownProduct,
        Reply::UnknownOther("pack".into()),
        Reply::UnknownEntitlement,
        Reply::UnknownLease,
        Reply::UnknownTicket,
        Reply::ProductExists,
        Reply::ProductFixed,
        Reply::StaleSender,
        Reply::KeyConflict,
    ]
}

#[test]
fn every_event_of_this_form_is_read_from_the_golden_file_and_written_as_it_stands_there() {
    let events = every_event();
    let mut kinds: Vec<_> = events.iter().map(std::mem::discriminant).collect();
    kinds.sort_by_key(|kind| format!("{kind:?}"));
    kinds.dedup();
    assert_eq!(kinds.len(), 35, "a kind of event is missing here");
    let read = decode(JOURNAL, events.len()).expect("the golden file is read");
    assert_eq!(read, events);
    let mut written = Vec::new();
    encode(&events, &mut written).expect("events are written");
    assert!(written == JOURNAL, "the form has changed: see above");
}

#[test]
fn every_answer_of_this_form_is_read_from_the_golden_file_and_written_as_it_stands_there() {
    let answers = every_answer();
    let mut rest = ANSWERS;
    let mut written = Vec::new();
    for answer in &answers {
        let (read, behind) = frame::take::<Reply>(rest).expect("the golden file is read");
        assert_eq!(&read, answer);
        rest = behind;
        frame::put(answer, FORM_OF_ANSWERS, &mut written).expect("answers are written");
    }
    assert!(
        rest.is_empty() && written == ANSWERS,
        "the form has changed: see above"
    );
}

#[test]
fn a_ledger_takes_in_the_events_of_the_golden_file() {
    let events = decode(JOURNAL, every_event().len()).expect("the golden file is read");
    let mut ledger = Ledger::new(Incarnation(0xab));
    let now = Now {
        steady: Steady(1_000),
        wall: Wall(1_700_000_000_000),
    };
    for (number, event) in (1..).zip(&events) {
        ledger.absorb(now, EventNumber(number), event);
    }
    assert_eq!(ledger.next_number(), events.len() as u64 + 1);
    assert_eq!(ledger.incarnation(), Incarnation(0xac));
    assert!(ledger.product("cad").is_none(), "it was removed at the end");
    let (_, pool) = ledger.pools().next().expect("its pool is kept");
    assert_eq!(pool.in_use, 2, "the lease was never ended");
    assert_eq!(pool.queued(), 1);
}
