//! The invariants, over random histories: I1 (never over-grant), I4 (never starve), recovery by
//! events, undo, determinism.

use proptest::prelude::*;
use usher_core::ledger::*;

use crate::world::*;

/// One step of a history. Indexes are taken modulo what there is.
#[derive(Debug, Clone)]
enum Step {
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
    /// The priority that it asks with, where it asks.
    fn priority(&self) -> i8 {
        match self {
            Step::Checkout { priority, .. } => *priority,
            _ => 0,
        }
    }
}

/// Two more products at the most, in one ask of three.
fn also() -> impl Strategy<Value = Vec<(u8, u8)>> {
    prop_oneof![
        2 => Just(Vec::new()),
        1 => proptest::collection::vec((0_u8..3, 1_u8..4), 1..3),
    ]
}

fn step() -> impl Strategy<Value = Step> {
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

struct History {
    world: World,
    /// Since when each ticket has waited for more than there is or is to come.
    impossible: std::collections::BTreeMap<TicketId, Steady>,
    leases: Vec<LeaseId>,
    tickets: Vec<TicketId>,
    sequences: [u64; 2],
    incarnations: [u64; 2],
}

impl History {
    fn new() -> History {
        let mut world = World::new();
        for product in 0..3 {
            world.product(&name(product), 3);
        }
        History {
            world,
            impossible: std::collections::BTreeMap::new(),
            leases: Vec::new(),
            tickets: Vec::new(),
            sequences: [0; 2],
            incarnations: [1; 2],
        }
    }

    fn go(&mut self, step: &Step) {
        if let Step::Undone { steps } = step {
            return self.go_and_undo(steps);
        }
        let Some(command) = self.command(step) else {
            return;
        };
        let before = Queues::of(&self.world);
        let was_paused = self.world.ledger.is_paused();
        let gated = is_gated(&command);
        let asked = asked_for(&command);
        let from = self.world.events.len();
        let reply = self.world.tell(command);
        self.remember(&reply);
        before.check_order(&self.world, from, step.priority());
        check_invariants(&self.world, from);
        check_gate(&self.world, from, gated);
        check_own(&self.world, asked.as_ref(), &reply);
        if let Step::Reboot { .. } = step {
            // Half a minute is left to put things right.
            let latest = Steady(self.world.now.steady.0.saturating_sub(30_000));
            for since in self.impossible.values_mut() {
                *since = latest.max(*since);
            }
        }
        self.check_impossible(&reply, from);
        let goes_on = matches!(step, Step::Pause { on: false });
        let grants = |(_, _, event): &(_, _, Event)| matches!(event, Event::Granted { .. });
        assert!(
            !was_paused || goes_on || !self.world.events[from..].iter().any(grants),
            "a seat was granted in a pause"
        );
    }

    /// Nobody waits for longer than their product says for what cannot be, and nobody is refused
    /// for it sooner.
    fn check_impossible(&mut self, reply: &Reply, from: usize) {
        let (ledger, now) = (&self.world.ledger, self.world.now);
        for (_, _, event) in &self.world.events[from..] {
            let Event::TicketChanged {
                ticket,
                state: TicketState::Denied { reason, .. },
            } = event
            else {
                continue;
            };
            let ticket = ledger.ticket(*ticket).map(|ticket| ticket.id);
            let since = ticket.and_then(|id| self.impossible.get(&id).copied());
            assert_eq!(*reason, Reason::Impossible);
            assert!(
                since.is_some_and(|since| now.steady.since_ms(since) >= 60_000),
                "{ticket:?} was refused after {since:?}, at {now:?}: {reply:?}"
            );
        }
        let mut still = std::collections::BTreeMap::new();
        let most = |pool: &Pool| {
            let to_come = |lent: &&Lent| lent.to.is_none_or(|to| to > now.wall);
            let seats = |lent: &Lent| u64::from(lent.allotment.seats);
            pool.lent.iter().filter(to_come).map(seats).sum()
        };
        for (number, _) in ledger.pools() {
            for ticket in ledger.waiting(number) {
                if all_parts(ledger, ticket, |part, pool| {
                    u64::from(part.seats) <= most(pool)
                }) {
                    continue;
                }
                let since = self.impossible.get(&ticket.id).copied();
                let since = since.unwrap_or(now.steady);
                assert!(
                    now.steady.since_ms(since) < 60_000,
                    "{ticket:?} has waited since {since:?} for more than there will be"
                );
                still.insert(ticket.id, since);
            }
        }
        self.impossible = still;
    }

    /// Applies steps as one batch and takes it back: nothing may have changed.
    fn go_and_undo(&mut self, steps: &[Step]) {
        let before = self.world.ledger.clone();
        let now = self.world.now;
        for step in steps {
            if let Some(command) = self.command(step) {
                self.world.ledger.apply(self.world.now, command);
            }
        }
        self.world.ledger.undo();
        self.world.now = now;
        assert!(
            self.world.ledger == before,
            "an undone batch has left something behind"
        );
    }

    fn command(&mut self, step: &Step) -> Option<Command> {
        let world = &mut self.world;
        Some(match step {
            Step::Pass { ms } => {
                world.pass_ms(*ms);
                Command::Tick
            }
            Step::Jump { wall_ms } => {
                world.now.wall.0 += wall_ms;
                Command::Tick
            }
            Step::Reboot { ms } => {
                world.pass_ms(*ms);
                Command::Rebooted
            }
            Step::Checkout {
                product,
                also,
                user,
                seats,
                wait,
                priority,
                ttl,
                key,
            } => {
                let mut named = vec![*product];
                let mut with = Vec::new();
                for (product, seats) in also {
                    if !named.contains(product) {
                        named.push(*product);
                        with.push(With {
                            product: name(*product).into(),
                            seats: u32::from(*seats),
                        });
                    }
                }
                let checkout = Checkout {
                    also: with,
                    ttl_seconds: Some(u32::from(*ttl)),
                    ..asks(
                        &name(*product),
                        &who(*user),
                        u32::from(*seats),
                        *wait,
                        *priority,
                    )
                };
                let command = Command::Checkout(checkout);
                match key {
                    Some(key) => Command::Once {
                        key: u128::from(*key),
                        body: u64::from(*user),
                        command: Box::new(command),
                    },
                    None => command,
                }
            }
            Step::Renew { lease } => Command::Renew {
                lease: pick(&self.leases, *lease)?,
                access: Access::Anyone,
            },
            Step::Checkin { lease, user } => {
                let access = user.map_or(Access::Anyone, |user| of(&who(user)));
                Command::Checkin {
                    lease: pick(&self.leases, *lease)?,
                    access,
                }
            }
            Step::Poll { ticket } => Command::Poll {
                ticket: pick(&self.tickets, *ticket)?,
                access: Access::Anyone,
                keep_seconds: 30,
            },
            Step::Cancel { ticket } => Command::Cancel {
                ticket: pick(&self.tickets, *ticket)?,
                access: Access::Anyone,
            },
            Step::Own {
                product,
                seats,
                overdraft,
                from_s,
                for_s,
            } => {
                let from = world.now.wall.0 + i64::from(*from_s) * 1_000;
                Command::AddEntitlement(EntitlementTerms {
                    model: Model::Concurrent {
                        seats: u32::from(*seats),
                        overdraft: u32::from(*overdraft),
                    },
                    from: Some(Bound::At(Wall(from))),
                    to: for_s.map(|s| Bound::At(Wall(from + i64::from(s) * 1_000))),
                    ..terms(&name(*product), 0)
                })
            }
            Step::Change { entitlement, seats } => {
                let owned: Vec<_> = world.ledger.entitlements().cloned().collect();
                let chosen = pick(&owned, u16::from(*entitlement))?;
                let product = world.ledger.product_of(chosen.number)?;
                let terms = terms(&product, u32::from(*seats));
                Command::ChangeEntitlement {
                    entitlement: chosen.number,
                    terms,
                }
            }
            Step::Disown { entitlement } => {
                let owned: Vec<_> = world.ledger.entitlements().map(|e| e.number).collect();
                Command::RemoveEntitlement {
                    entitlement: pick(&owned, u16::from(*entitlement))?,
                }
            }
            Step::Put {
                product,
                enabled,
                shared,
            } => {
                let id = name(*product);
                let new = world.ledger.product(&id).is_none();
                let spec = ProductSpec {
                    enabled: *enabled,
                    shared_by_subject: *shared,
                    ..spec(&id)
                };
                Command::PutProduct { spec, new }
            }
            Step::Remove { product } => Command::RemoveProduct {
                product: name(*product).into(),
            },
            Step::Report {
                computer: at,
                sequence,
                session,
                product,
                user,
                kind,
            } => {
                let last = &mut self.sequences[usize::from(*at)];
                // Now and then an item that was applied before comes again.
                let number = (*last + 1).saturating_sub(u64::from(*sequence) / 3).max(1);
                *last = (*last).max(number);
                let session = u64::from(*session);
                let item = match kind {
                    0 | 1 | 5 | 6 | 7 => ReportItem::Checkout {
                        session,
                        product: name(*product).into(),
                        subject: subject(&who(*user)),
                        seats: 1,
                        ttl_seconds: 120,
                        shown: None,
                        gate: *kind >= 5,
                        claim: None,
                        program: None,
                    },
                    2 => ReportItem::Renew { session },
                    3 => ReportItem::Checkin { session },
                    _ => ReportItem::Nothing,
                };
                report(*at, self.incarnations[usize::from(*at)], number, item)
            }
            Step::RollBack {
                computer: at,
                by,
                notices,
            } => {
                let at = usize::from(*at);
                match notices {
                    true => {
                        self.incarnations[at] += 1;
                        self.sequences[at] = 0;
                    }
                    false => {
                        self.sequences[at] = self.sequences[at].saturating_sub(u64::from(*by));
                    }
                }
                return None;
            }
            Step::Claim {
                lease,
                session,
                own,
                gate,
            } => {
                let mut free: Vec<Lease> = world
                    .ledger
                    .leases()
                    .filter(|lease| lease.ticket.is_some() && lease.session.is_none())
                    .collect();
                free.sort_by_key(|lease| lease.id.number);
                let lease = pick(&free, *lease)?;
                let person = world.ledger.subjects().get(lease.subject)?;
                let product = world.ledger.pool(lease.product)?.listing.spec.id.clone();
                self.sequences[1] += 1;
                let item = ReportItem::Checkout {
                    session: u64::from(*session),
                    product,
                    subject: subject(if *own { &person.name } else { "user0" }),
                    seats: lease.seats,
                    ttl_seconds: 120,
                    shown: None,
                    gate: *gate,
                    claim: Some(lease.id),
                    program: None,
                };
                report(1, self.incarnations[1], self.sequences[1], item)
            }
            Step::Pause { on: true } => Command::Pause,
            Step::Pause { on: false } => Command::Continue,
            Step::Undone { .. } => return None,
        })
    }

    fn remember(&mut self, reply: &Reply) {
        match reply {
            Reply::Granted { lease, also } => {
                self.leases.push(lease.id);
                self.leases
                    .extend(also.iter().filter_map(|other| other.lease));
            }
            // Whichever ticket of a bundle is named, it is the whole of it.
            Reply::Queued(view) => {
                let Ticket { id, bundle, .. } = view.ticket;
                let all = Bundle::all_of(bundle, id.number);
                self.tickets
                    .extend(all.map(|number| TicketId { number, ..id }));
            }
            Reply::Ticket { view, .. } => self.leases.extend(view.lease.as_ref().map(|l| l.id)),
            _ => {}
        }
        if self.leases.len() > 60 {
            self.leases.drain(..30);
        }
        if self.tickets.len() > 40 {
            self.tickets.drain(..20);
        }
    }
}

fn report(at: u8, incarnation: u64, sequence: u64, item: ReportItem) -> Command {
    Command::Report(Box::new(Report {
        computer: computer(&format!("pc{at}")),
        name: "lab".into(),
        document: "".into(),
        incarnation,
        items: vec![(sequence, item)],
    }))
}

/// Whether a command asks for a seat for a program that is held.
fn is_gated(command: &Command) -> bool {
    let Command::Report(report) = command else {
        return false;
    };
    let gated = |item: &ReportItem| matches!(item, ReportItem::Checkout { gate: true, .. });
    report.items.iter().any(|(_, item)| gated(item))
}

/// The product and person for which a report asks for a seat.
fn asked_for(command: &Command) -> Option<(String, String)> {
    let Command::Report(report) = command else {
        return None;
    };
    match &report.items.first()?.1 {
        ReportItem::Checkout {
            product, subject, ..
        } => Some((product.to_string(), subject.name.to_string())),
        _ => None,
    }
}

/// A session is never told of a seat of another product or person, whatever its agent's state
/// was rolled back to.
fn check_own(world: &World, asked: Option<&(String, String)>, reply: &Reply) {
    let (Some((product, user)), Reply::Report { items, .. }) = (asked, reply) else {
        return;
    };
    for item in items {
        let ItemReply::Granted { lease, .. } = item else {
            continue;
        };
        let lease = world.ledger.lease(lease.number).unwrap();
        let of = world.ledger.pool(lease.product).unwrap();
        let whose = world.ledger.subjects().get(lease.subject).unwrap();
        assert_eq!(
            (&*of.listing.spec.id, &*whose.name),
            (&**product, &**user),
            "a session got the lease of another"
        );
    }
}

fn name(product: u8) -> String {
    format!("product{product}")
}

fn who(user: u8) -> String {
    format!("user{user}")
}

fn pick<T: Clone>(from: &[T], index: u16) -> Option<T> {
    (!from.is_empty()).then(|| from[usize::from(index) % from.len()].clone())
}

/// Who waited before a command, product by product, in the order in which they must be served.
struct Queues(Vec<(ProductNumber, Vec<Ticket>)>);

impl Queues {
    fn of(world: &World) -> Queues {
        let ledger = &world.ledger;
        let mut queues: Vec<(ProductNumber, Vec<Ticket>)> = ledger
            .pools()
            .map(|(number, _)| (number, ledger.waiting(number).cloned().collect()))
            .collect();
        for (_, queue) in &mut queues {
            queue.sort_by_key(|t| (std::cmp::Reverse(t.priority), t.id.number));
        }
        Queues(queues)
    }

    /// I4: whoever was served came before everyone who still waits, but for those who ask for more
    /// than there is.
    fn check_order(&self, world: &World, from: usize, asked: i8) {
        for (_, _, event) in &world.events[from..] {
            let Event::Granted { lease, .. } = event else {
                continue;
            };
            let Some((_, queue)) = self.0.iter().find(|(p, _)| *p == lease.product) else {
                continue;
            };
            let served = lease
                .ticket
                .and_then(|id| queue.iter().find(|t| t.id == id));
            let may_be_served = |t: &&Ticket| there_is_enough(&world.ledger, t, world.now);
            for waiting in queue
                .iter()
                .filter(|t| still_waits(world, t.id))
                .filter(may_be_served)
            {
                match served {
                    Some(served) => assert!(
                        (std::cmp::Reverse(served.priority), served.id.number)
                            < (std::cmp::Reverse(waiting.priority), waiting.id.number),
                        "{served:?} was served before {waiting:?}"
                    ),
                    // A new request overtakes only by a higher priority.
                    None => assert!(
                        lease.ticket.is_some() || asked > waiting.priority,
                        "{lease:?} overtook {waiting:?}"
                    ),
                }
            }
        }
    }
}

fn still_waits(world: &World, id: TicketId) -> bool {
    world
        .ledger
        .ticket(id.number)
        .is_some_and(|t| matches!(t.state, TicketState::Waiting { .. }))
}

fn check_invariants(world: &World, from: usize) {
    let ledger = &world.ledger;
    let granted: Vec<&Lease> = world.events[from..]
        .iter()
        .filter_map(|(_, _, event)| match event {
            Event::Granted { lease, .. } => Some(lease),
            _ => None,
        })
        .collect();
    for (number, pool) in ledger.pools() {
        let held: Vec<Lease> = ledger.leases().filter(|l| l.product == number).collect();
        let seats: u64 = held.iter().map(|l| u64::from(l.seats)).sum();
        assert_eq!(pool.in_use, seats, "seats in use are those of the leases");
        for lent in &pool.lent {
            let drawn: u64 = held
                .iter()
                .flat_map(|l| l.draws.iter())
                .filter(|d| d.allotment == lent.allotment.number)
                .map(|d| u64::from(d.seats))
                .sum();
            assert_eq!(
                lent.in_use, drawn,
                "an allotment's seats in use are those drawn from it"
            );
            // I1: a grant leaves every allotment that it drew on within its seats.
            let drew = granted.iter().any(|l| {
                ledger.lease(l.id.number).is_some()
                    && l.draws.iter().any(|d| d.allotment == lent.allotment.number)
            });
            assert!(
                !drew || drawn <= u64::from(lent.allotment.seats),
                "I1: {drawn} of {} seats are in use after a grant",
                lent.allotment.seats
            );
        }
        // And the product within what there is at that instant, whatever became of the allotments
        // of those who were seated before.
        let more = granted
            .iter()
            .any(|l| l.product == number && ledger.lease(l.id.number).is_some());
        let owned = pool.seats(world.now);
        assert!(
            !more || pool.in_use <= owned,
            "I1: {} of {owned} seats are in use after a grant",
            pool.in_use
        );
        check_nobody_starves(ledger, pool, number, world.now);
    }
    check_bundles(ledger);
    for lease in ledger.leases() {
        assert!(
            lease.deadline > world.now.steady,
            "a lease whose time is over is held"
        );
        let drawn: u32 = lease.draws.iter().map(|d| d.seats).sum();
        assert_eq!(
            drawn, lease.seats,
            "a lease draws as many seats as it holds"
        );
    }
}

/// A session has one seat at the most, one that is held at the gate is never entered as unseated,
/// and one that claims a lease gets no other.
fn check_gate(world: &World, from: usize, gated: bool) {
    let mut seated = std::collections::BTreeSet::new();
    for lease in world.ledger.leases() {
        let own = lease.session.filter(|_| lease.holders.is_empty());
        for session in lease.holders.iter().copied().chain(own) {
            assert!(seated.insert(session), "{session:?} has two seats");
        }
    }
    let mut claims = 0;
    let mut grants = 0;
    for (_, _, event) in &world.events[from..] {
        match event {
            Event::Unseated(entry) => assert!(!gated, "{entry:?} was held at the gate"),
            Event::Claimed { .. } => claims += 1,
            Event::Granted { lease, .. } if lease.session.is_some() => grants += 1,
            _ => {}
        }
    }
    assert!(claims + grants <= 1, "one session got two seats");
}

/// The tickets of one ask, and whether something holds for each and its pool.
fn all_parts(ledger: &Ledger, ticket: &Ticket, holds: impl Fn(&Ticket, &Pool) -> bool) -> bool {
    Bundle::all_of(ticket.bundle, ticket.id.number).all(|number| {
        let part = ledger.ticket(number).unwrap();
        let pool = ledger.pool(part.product).unwrap();
        holds(part, pool)
    })
}

/// Whether there are as many seats as a ticket waits for, of each of its products, in use or not.
fn there_is_enough(ledger: &Ledger, ticket: &Ticket, now: Now) -> bool {
    all_parts(ledger, ticket, |part, pool| {
        let is_on = ticket.bundle.is_none() || pool.listing.spec.enabled;
        is_on && u64::from(part.seats) <= pool.seats(now)
    })
}

/// I4: of those who wait, the first whose seats there are at all is served as soon as they are
/// free; whoever asks for more than that is in nobody's way. Who waits for several products is
/// served when it is first for each.
fn check_nobody_starves(ledger: &Ledger, pool: &Pool, number: ProductNumber, now: Now) {
    let first_of = |number| {
        let mut waiting = ledger.waiting(number);
        waiting.find(|ticket| there_is_enough(ledger, ticket, now))
    };
    let may_be_granted = |pool: &Pool| !pool.listing.removed && pool.listing.spec.enabled;
    let first = first_of(number).filter(|_| !ledger.is_paused() && may_be_granted(pool));
    let Some(ticket) = first else { return };
    let valid = |lent: &&Lent| {
        lent.from.is_none_or(|from| from <= now.wall) && lent.to.is_none_or(|to| to > now.wall)
    };
    let could_go = all_parts(ledger, ticket, |part, pool| {
        let free: u64 = pool
            .lent
            .iter()
            .filter(valid)
            .map(|l| u64::from(l.allotment.seats).saturating_sub(l.in_use))
            .sum();
        let free = free.min(pool.seats(now).saturating_sub(pool.in_use));
        let is_first = first_of(part.product).is_some_and(|first| first.id == part.id);
        free >= u64::from(part.seats) && is_first && may_be_granted(pool)
    });
    assert!(!could_go, "I4: its seats are free and {ticket:?} waits");
}

/// What was asked for at once is held and waits at once, and changes at once.
fn check_bundles(ledger: &Ledger) {
    for lease in ledger.leases() {
        let Some(bundle) = lease.bundle else { continue };
        let mut products = std::collections::BTreeSet::new();
        for number in bundle.numbers() {
            let other = ledger.lease(number).unwrap();
            assert_eq!(other.bundle, Some(bundle));
            assert!(products.insert(other.product), "one lease for each product");
            assert_eq!(
                (other.deadline, other.ttl_seconds, other.graced),
                (lease.deadline, lease.ttl_seconds, lease.graced)
            );
            assert_eq!(
                (other.subject, other.computer),
                (lease.subject, lease.computer)
            );
        }
    }
    let products = ledger.pools().map(|(number, _)| number);
    for ticket in products.flat_map(|number| ledger.waiting(number)) {
        let as_one = all_parts(ledger, ticket, |part, _| {
            part.bundle == ticket.bundle
                && part.state == ticket.state
                && part.priority == ticket.priority
        });
        assert!(as_one, "{ticket:?} waits otherwise than what it waits with");
    }
}

fn run(steps: &[Step]) -> History {
    let mut history = History::new();
    for step in steps {
        history.go(step);
    }
    history
}

fn recovers(history: &History) {
    assert!(history.world.recovers(), "recovery gives another ledger");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn short_histories_keep_the_invariants_and_recover(
        steps in proptest::collection::vec(step(), 1..400)
    ) {
        recovers(&run(&steps));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, max_shrink_iters: 60, ..ProptestConfig::default() })]

    #[test]
    fn histories_of_ten_thousand_commands_keep_the_invariants_and_recover(
        steps in proptest::collection::vec(step(), 10_000..11_000)
    ) {
        recovers(&run(&steps));
    }

    #[test]
    fn the_same_commands_give_the_same_ledger(
        steps in proptest::collection::vec(step(), 1..2_000)
    ) {
        let (one, other) = (run(&steps), run(&steps));
        prop_assert_eq!(&one.world.events, &other.world.events);
        prop_assert!(one.world.ledger == other.world.ledger);
    }
}
