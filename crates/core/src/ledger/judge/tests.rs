//! A ledger with one product, for tests of models.

use std::sync::Arc;

use crate::ledger::*;

/// Midnight in UTC.
pub(super) const NOW: Now = Now {
    steady: Steady(1_000_000),
    wall: Wall(20_000 * 86_400_000),
};

pub(super) struct Bench {
    ledger: Ledger,
}

impl Bench {
    pub(super) fn new() -> Bench {
        let mut ledger = Ledger::new(Incarnation(7));
        let spec = ProductSpec {
            id: "cad".into(),
            enabled: true,
            max_ttl_seconds: 86_400,
            queue_limit: 5,
            shared_by_subject: false,
            impossible_seconds: 60,
            document: "{}".into(),
        };
        ledger.apply(NOW, Command::PutProduct { spec, new: true });
        Bench { ledger }
    }

    pub(super) fn own(&mut self, model: Model) {
        let terms = EntitlementTerms {
            product: "cad".into(),
            model,
            from: None,
            to: None,
            details: None,
        };
        self.ledger.apply(NOW, Command::AddEntitlement(terms));
    }

    fn asks(&mut self, user: &str, wait: bool, now: Now) -> Reply {
        let checkout = Checkout {
            product: "cad".into(),
            also: Vec::new(),
            subject: SubjectRef {
                authority: "usher".into(),
                key: user.into(),
                name: user.into(),
                candidate: user.bytes().map(u64::from).sum(),
            },
            computer: ComputerRef {
                key: Arc::from("pc1"),
                candidate: 7,
            },
            seats: 1,
            ttl_seconds: Some(300),
            wait,
            priority: 0,
            program: None,
        };
        self.ledger.apply(now, Command::Checkout(checkout))
    }

    pub(super) fn granted(&mut self, user: &str, now: Now) -> LeaseId {
        match self.asks(user, false, now) {
            Reply::Granted { lease, .. } => lease.id,
            other => panic!("{user} was not granted a seat: {other:?}"),
        }
    }

    pub(super) fn refused(&mut self, user: &str, now: Now) -> Reason {
        match self.asks(user, false, now) {
            Reply::Denied { reason, .. } => reason,
            other => panic!("{user} was not refused: {other:?}"),
        }
    }

    pub(super) fn refused_to_wait(&mut self, user: &str, now: Now) -> Reason {
        match self.asks(user, true, now) {
            Reply::Denied { reason, .. } => reason,
            other => panic!("{user} was not refused: {other:?}"),
        }
    }

    pub(super) fn give_back(&mut self, lease: LeaseId, now: Now) {
        let access = Access::Anyone;
        let reply = self.ledger.apply(now, Command::Checkin { lease, access });
        assert_eq!(reply, Reply::Done);
    }

    /// How long a lease was to live when it was granted.
    pub(super) fn life_ms(&self, lease: LeaseId) -> u64 {
        let lease = self.ledger.lease(lease.number);
        lease.map_or(0, |lease| lease.deadline.since_ms(lease.granted))
    }
}
