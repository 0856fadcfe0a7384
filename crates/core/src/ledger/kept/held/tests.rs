//! What a lease takes in memory, and that it comes back as it was put.

use super::*;

fn lease() -> Lease {
    Lease {
        id: LeaseId {
            incarnation: Incarnation(1),
            number: EventNumber(2),
        },
        product: ProductNumber(3),
        subject: SubjectId(4),
        computer: ComputerId(5),
        seats: 2,
        ttl_seconds: 300,
        deadline: Steady(301_000),
        granted_at: Wall(6),
        granted: Steady(1_000),
        draws: SmallVec::from_elem(
            Draw {
                allotment: AllotmentNumber(7),
                seats: 2,
            },
            1,
        ),
        session: None,
        ticket: None,
        holders: Box::default(),
        graced: false,
        program: None,
        bundle: None,
    }
}

#[test]
fn a_lease_takes_128_bytes_and_one_of_a_session_no_more() {
    assert_eq!(size_of::<Option<Held>>(), 128);
    let session = SessionKey {
        computer: ComputerId(5),
        session: 8,
        incarnation: 9,
    };
    let plain = Held::new(&Lease {
        session: Some(session),
        program: Some("cad".into()),
        ..lease()
    });
    assert!(plain.more.is_none());
}

#[test]
fn a_lease_comes_back_as_it_was_put_whatever_it_has() {
    let session = |computer| SessionKey {
        computer: ComputerId(computer),
        session: 8,
        incarnation: 9,
    };
    let draw = |allotment| Draw {
        allotment: AllotmentNumber(allotment),
        seats: 1,
    };
    let leases = [
        lease(),
        Lease {
            graced: true,
            program: Some("cad".into()),
            ..lease()
        },
        Lease {
            session: Some(session(5)),
            ..lease()
        },
        Lease {
            session: Some(session(6)),
            ..lease()
        },
        Lease {
            draws: [draw(1), draw(2)].into_iter().collect(),
            ..lease()
        },
        Lease {
            draws: SmallVec::new(),
            ..lease()
        },
        Lease {
            ticket: Some(TicketId {
                incarnation: Incarnation(1),
                number: EventNumber(1),
            }),
            holders: Box::from([session(5), session(6)]),
            bundle: Some(Bundle {
                first: EventNumber(1),
                count: 2,
            }),
            ..lease()
        },
    ];
    for lease in leases {
        assert_eq!(Held::new(&lease).lease(), lease);
    }
}

#[test]
fn what_changes_is_changed_alone() {
    let mut held = Held::new(&lease());
    let several = [1, 2].map(|allotment| Draw {
        allotment: AllotmentNumber(allotment),
        seats: 1,
    });
    let own = SessionKey {
        computer: ComputerId(5),
        session: 8,
        incarnation: 9,
    };
    held.set_draws(&several);
    held.set_session(Some(own));
    held.set_holders(Box::from([own]));
    assert_eq!(held.draws(), several);
    assert_eq!(held.sessions().collect::<Vec<_>>(), [own]);
    held.set_draws(&lease().draws);
    held.set_session(None);
    held.set_holders(Box::default());
    assert_eq!(held.lease(), lease());
}
