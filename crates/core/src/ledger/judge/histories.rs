//! Over random histories: the one judgement grants every request that the former rules granted.

use proptest::prelude::*;

use super::as_before::{Before, Drawn};
use super::ask::{AskPart, Way};
use crate::ledger::*;

/// One step of a history. Numbers are taken modulo what there is.
#[derive(Debug, Clone)]
enum Step {
    Pass {
        ms: u64,
    },
    Ask {
        parts: Vec<(u8, u8)>,
        user: u8,
        wait: bool,
        priority: i8,
    },
    GiveBack {
        lease: u8,
    },
    Own {
        product: u8,
        seats: u8,
        overdraft: u8,
        from_s: i16,
        for_s: Option<u16>,
    },
    Disown {
        entitlement: u8,
    },
    Switch {
        product: u8,
        on: bool,
    },
    Remove {
        product: u8,
    },
    Pause {
        on: bool,
    },
    Restore {
        hold_s: u8,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let part = (0_u8..3, 1_u8..4);
    prop_oneof![
        5 => (0_u64..60_000).prop_map(|ms| Step::Pass { ms }),
        16 => (proptest::collection::vec(part, 1..4), 0_u8..6, any::<bool>(), -1_i8..2)
            .prop_map(|(parts, user, wait, priority)| Step::Ask { parts, user, wait, priority }),
        6 => any::<u8>().prop_map(|lease| Step::GiveBack { lease }),
        3 => (0_u8..3, 0_u8..5, 0_u8..3, -100_i16..100, proptest::option::of(1_u16..400))
            .prop_map(|(product, seats, overdraft, from_s, for_s)| {
                Step::Own { product, seats, overdraft, from_s, for_s }
            }),
        2 => any::<u8>().prop_map(|entitlement| Step::Disown { entitlement }),
        2 => (0_u8..3, any::<bool>()).prop_map(|(product, on)| Step::Switch { product, on }),
        1 => (0_u8..3).prop_map(|product| Step::Remove { product }),
        2 => any::<bool>().prop_map(|on| Step::Pause { on }),
        1 => (0_u8..120).prop_map(|hold_s| Step::Restore { hold_s }),
    ]
}

struct History {
    ledger: Ledger,
    now: Now,
    lives: u32,
}

impl History {
    fn new() -> History {
        let mut history = History {
            ledger: Ledger::new(Incarnation(1)),
            now: Now {
                steady: Steady(1_000_000),
                wall: Wall(1_700_000_000_000),
            },
            lives: 1,
        };
        for product in 0..3 {
            history.go(&Step::Switch { product, on: true });
        }
        history
    }

    fn go(&mut self, step: &Step) {
        if let Some(command) = self.command(step) {
            self.ledger.apply(self.now, command);
            self.ledger.seal();
        }
    }

    fn command(&mut self, step: &Step) -> Option<Command> {
        let ledger = &self.ledger;
        Some(match step {
            Step::Pass { ms } => {
                self.now.steady.0 += ms;
                self.now.wall.0 += *ms as i64;
                Command::Tick
            }
            Step::Ask {
                parts,
                user,
                wait,
                priority,
            } => {
                let mut with: Vec<With> = Vec::new();
                for (product, seats) in parts {
                    let product = name(*product).into();
                    if with.iter().all(|other| other.product != product) {
                        let seats = u32::from(*seats);
                        with.push(With { product, seats });
                    }
                }
                let first = with.remove(0);
                Command::Checkout(Checkout {
                    product: first.product,
                    also: with,
                    subject: SubjectRef {
                        authority: "usher".into(),
                        key: user.to_string().into(),
                        name: user.to_string().into(),
                        candidate: u64::from(*user) + 1,
                    },
                    computer: ComputerRef {
                        key: "pc1".into(),
                        candidate: 1,
                    },
                    seats: first.seats,
                    ttl_seconds: Some(90),
                    wait: *wait,
                    priority: *priority,
                    program: None,
                })
            }
            Step::GiveBack { lease } => {
                let mut held: Vec<LeaseId> = ledger.leases().map(|lease| lease.id).collect();
                held.sort_unstable();
                Command::Checkin {
                    lease: pick(&held, *lease)?,
                    access: Access::Anyone,
                }
            }
            Step::Own {
                product,
                seats,
                overdraft,
                from_s,
                for_s,
            } => {
                let from = self.now.wall.0 + i64::from(*from_s) * 1_000;
                Command::AddEntitlement(EntitlementTerms {
                    product: name(*product).into(),
                    model: Model::Concurrent {
                        seats: u32::from(*seats),
                        overdraft: u32::from(*overdraft),
                    },
                    from: Some(Bound::At(Wall(from))),
                    to: for_s.map(|s| Bound::At(Wall(from + i64::from(s) * 1_000))),
                    details: None,
                })
            }
            Step::Disown { entitlement } => {
                let owned: Vec<_> = ledger.entitlements().map(|it| it.number).collect();
                Command::RemoveEntitlement {
                    entitlement: pick(&owned, *entitlement)?,
                }
            }
            Step::Switch { product, on } => Command::PutProduct {
                new: ledger.product(&name(*product)).is_none(),
                spec: ProductSpec {
                    id: name(*product).into(),
                    enabled: *on,
                    max_ttl_seconds: 86_400,
                    queue_limit: 5,
                    shared_by_subject: false,
                    impossible_seconds: 60,
                    document: "".into(),
                },
            },
            Step::Remove { product } => Command::RemoveProduct {
                product: name(*product).into(),
            },
            Step::Pause { on: true } => Command::Pause,
            Step::Pause { on: false } => Command::Continue,
            Step::Restore { hold_s } => {
                self.lives += 1;
                Command::Reincarnate {
                    incarnation: Incarnation(self.lives),
                    hold_until: Some(self.now.steady.plus_seconds(u64::from(*hold_s))),
                }
            }
        })
    }

    /// All that could be asked now is judged as it was before.
    fn check(&self) {
        let before = Before {
            ledger: &self.ledger,
            now: self.now,
        };
        let listed = |id: &u64| {
            self.ledger
                .pool(ProductNumber(*id))
                .is_none_or(|pool| !pool.listing.removed)
        };
        // The last is the number of no product.
        let products: Vec<u64> = (1..=4).filter(listed).collect();
        for first in &products {
            for seats in 1..=4 {
                let one = part(*first, seats, 0);
                for priority in -1..=1 {
                    let asked = AskPart {
                        priority,
                        ..one.clone()
                    };
                    self.same_checkout(&before, &[asked]);
                }
                for second in products.iter().filter(|second| *second != first) {
                    self.same_checkout(&before, &[one.clone(), part(*second, 1, 0)]);
                }
                self.same_adoption(&before, &one);
            }
        }
        for (product, _) in self.ledger.pools() {
            for ticket in self.ledger.waiting(product) {
                self.same_promotion(&before, ticket.id.number);
            }
        }
        let canary = self.ledger.clone().apply(self.now, Command::Canary);
        assert_eq!(canary, Reply::Canary(Ok(())));
    }

    fn judged(&self, parts: &[AskPart]) -> Result<Vec<Drawn>, (usize, Reason)> {
        match self.ledger.judge(parts, self.now) {
            Ok(plans) => Ok(plans
                .into_iter()
                .map(|plan| (plan.draws.to_vec(), plan.life_ms))
                .collect()),
            Err(lacking) => Err((lacking.part, lacking.reason)),
        }
    }

    fn same_checkout(&self, before: &Before<'_>, parts: &[AskPart]) {
        assert_eq!(self.judged(parts), before.checkout(parts), "{parts:?}");
    }

    fn same_promotion(&self, before: &Before<'_>, number: EventNumber) {
        let together = self.ledger.tickets_with(number);
        let parts: Vec<AskPart> = together
            .iter()
            .filter_map(|number| self.ledger.ticket(*number))
            .map(|ticket| self.ledger.asked_by(ticket, &together))
            .collect();
        let judged = self.judged(&parts).ok();
        assert_eq!(judged, before.promotion(&together), "{parts:?}");
    }

    fn same_adoption(&self, before: &Before<'_>, asked: &AskPart) {
        for (incarnation, number) in [(0, 1), (self.lives, 1), (0, u64::MAX)] {
            let shown = Shown {
                lease: LeaseId {
                    incarnation: Incarnation(incarnation),
                    number: EventNumber(number),
                },
                granted_at: self.now.wall,
                remaining_seconds: 60,
            };
            let asked = AskPart {
                way: Way::Shown(shown),
                ..asked.clone()
            };
            let may_be = self.ledger.may_adopt(asked.product, &shown);
            let judged = self.judged(std::slice::from_ref(&asked)).ok();
            let judged = judged.filter(|_| may_be).and_then(|mut plans| plans.pop());
            assert_eq!(judged, before.adoption(&asked, &shown), "{asked:?}");
        }
    }
}

fn part(product: u64, seats: u32, priority: i8) -> AskPart {
    AskPart {
        product: ProductNumber(product),
        subject: SubjectId(1),
        computer: ComputerId(1),
        session: None,
        seats,
        ttl_seconds: 90,
        waits: false,
        priority,
        program: None,
        also: Box::default(),
        way: Way::New,
    }
}

fn name(product: u8) -> String {
    format!("product{product}")
}

fn pick<T: Copy>(from: &[T], index: u8) -> Option<T> {
    (!from.is_empty()).then(|| from[usize::from(index) % from.len()])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_asked_is_granted_if_it_was_granted_before_there_was_one_judgement(
        steps in proptest::collection::vec(step(), 1..150)
    ) {
        let mut history = History::new();
        for step in &steps {
            history.go(step);
            history.check();
        }
    }
}
