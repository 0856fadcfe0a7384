//! What each step of a history tells the ledger.

use usher_core::ledger::*;

use super::History;
use super::steps::Step;
use crate::world::*;

impl History {
    pub(super) fn command(&mut self, step: &Step) -> Option<Command> {
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
}

pub(super) fn report(at: u8, incarnation: u64, sequence: u64, item: ReportItem) -> Command {
    Command::Report(Box::new(Report {
        computer: computer(&format!("pc{at}")),
        name: "lab".into(),
        document: "".into(),
        incarnation,
        items: vec![(sequence, item)],
    }))
}

pub(super) fn name(product: u8) -> String {
    format!("product{product}")
}

pub(super) fn who(user: u8) -> String {
    format!("user{user}")
}

pub(super) fn pick<T: Clone>(from: &[T], index: u16) -> Option<T> {
    (!from.is_empty()).then(|| from[usize::from(index) % from.len()].clone())
}
