//! The steps of a random history, and how often each comes.

use proptest::prelude::*;

#[derive(Debug, Clone)]
pub(super) enum Step {
    Pass {
        ms: u64,
    },
    Jump {
        wall_ms: i64,
    },
    Reboot {
        ms: u64,
    },
    Checkout {
        product: u8,
        /// Products that are asked for with it, and seats of each.
        also: Vec<(u8, u8)>,
        user: u8,
        seats: u8,
        wait: bool,
        priority: i8,
        ttl: u16,
        key: Option<u8>,
    },
    Renew {
        lease: u16,
    },
    Checkin {
        lease: u16,
        user: Option<u8>,
    },
    Poll {
        ticket: u16,
    },
    Cancel {
        ticket: u16,
    },
    Own {
        product: u8,
        seats: u8,
        overdraft: u8,
        from_s: i16,
        for_s: Option<u16>,
    },
    Change {
        entitlement: u8,
        seats: u8,
    },
    Disown {
        entitlement: u8,
    },
    Put {
        product: u8,
        enabled: bool,
        shared: bool,
    },
    Remove {
        product: u8,
    },
    Report {
        computer: u8,
        sequence: u8,
        session: u8,
        product: u8,
        user: u8,
        kind: u8,
    },
    /// The state of an agent is rolled back: it numbers its items and sessions as before, until
    /// it notices and begins a new incarnation.
    RollBack {
        computer: u8,
        by: u8,
        notices: bool,
    },
    /// A session claims a lease that a ticket was granted, its own person's or not.
    Claim {
        lease: u16,
        session: u8,
        own: bool,
        gate: bool,
    },
    Pause {
        on: bool,
    },
    Undone {
        steps: Vec<Step>,
    },
}

impl Step {
    /// The priority that it asks with, if it asks.
    pub(super) fn priority(&self) -> i8 {
        match self {
            Step::Checkout { priority, .. } => *priority,
            _ => 0,
        }
    }
}

/// Two more products at the most, in one ask of three.
pub(super) fn also() -> impl Strategy<Value = Vec<(u8, u8)>> {
    prop_oneof![
        2 => Just(Vec::new()),
        1 => proptest::collection::vec((0_u8..3, 1_u8..4), 1..3),
    ]
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let plain = prop_oneof![
        6 => (0_u64..3_000).prop_map(|ms| Step::Pass { ms }),
        2 => (0_u64..90_000).prop_map(|ms| Step::Pass { ms }),
        1 => (-100_000_000_i64..100_000_000).prop_map(|wall_ms| Step::Jump { wall_ms }),
        1 => (0_u64..4_000_000).prop_map(|ms| Step::Reboot { ms }),
        24 => (0_u8..3, also(), 0_u8..8, 1_u8..5, any::<bool>(), -2_i8..3, 1_u16..400,
            proptest::option::weighted(0.1, 0_u8..20))
            .prop_map(|(product, also, user, seats, wait, priority, ttl, key)| {
                Step::Checkout { product, also, user, seats, wait, priority, ttl, key }
            }),
        8 => any::<u16>().prop_map(|lease| Step::Renew { lease }),
        14 => (any::<u16>(), proptest::option::weighted(0.2, 0_u8..8))
            .prop_map(|(lease, user)| Step::Checkin { lease, user }),
        10 => any::<u16>().prop_map(|ticket| Step::Poll { ticket }),
        3 => any::<u16>().prop_map(|ticket| Step::Cancel { ticket }),
        2 => (0_u8..3, 0_u8..6, 0_u8..3, -200_i16..200, proptest::option::of(1_u16..2_000))
            .prop_map(|(product, seats, overdraft, from_s, for_s)| {
                Step::Own { product, seats, overdraft, from_s, for_s }
            }),
        2 => (any::<u8>(), 0_u8..6)
            .prop_map(|(entitlement, seats)| Step::Change { entitlement, seats }),
        1 => any::<u8>().prop_map(|entitlement| Step::Disown { entitlement }),
        1 => (0_u8..3, proptest::bool::weighted(0.8), any::<bool>())
            .prop_map(|(product, enabled, shared)| Step::Put { product, enabled, shared }),
        1 => (0_u8..3).prop_map(|product| Step::Remove { product }),
        12 => (0_u8..2, 0_u8..4, 0_u8..12, 0_u8..3, 0_u8..8, 0_u8..8).prop_map(
            |(computer, sequence, session, product, user, kind)| {
                Step::Report { computer, sequence, session, product, user, kind }
            }
        ),
        2 => (0_u8..2, 0_u8..6, any::<bool>())
            .prop_map(|(computer, by, notices)| Step::RollBack { computer, by, notices }),
        5 => (any::<u16>(), 0_u8..12, proptest::bool::weighted(0.8), any::<bool>())
            .prop_map(|(lease, session, own, gate)| Step::Claim { lease, session, own, gate }),
        1 => proptest::bool::weighted(0.4).prop_map(|on| Step::Pause { on }),
    ];
    plain.prop_recursive(1, 8, 6, |inner| {
        proptest::collection::vec(inner, 1..6).prop_map(|steps| Step::Undone { steps })
    })
}
