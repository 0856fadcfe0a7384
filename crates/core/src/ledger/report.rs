//! Agents' reports: sessions that take, keep and give back seats, and what is only recorded.

use super::asked::Asked;
use super::claim::Wish;
use super::event::{EndCause, Event};
use super::*;

impl Ledger {
    pub(super) fn report(&mut self, report: Report) -> Reply {
        let Report {
            computer,
            name,
            document,
            incarnation,
            items,
        } = report;
        let known = self.computers.find(&computer.key).cloned();
        let sender = match known {
            None => self.enter_computer(computer, name, document),
            Some(known) => {
                if known.name != name || known.document != document {
                    let entry = Computer {
                        name,
                        document,
                        ..known.clone()
                    };
                    self.emit(Event::ComputerEntered(entry));
                }
                known.id
            }
        };
        self.note_computer(sender);
        let mark = self.mark(sender);
        if incarnation < mark.incarnation {
            return Reply::StaleSender;
        }
        let before = mark;
        let from = if incarnation == mark.incarnation {
            mark.sequence
        } else {
            0
        };
        let mut last = from;
        let mut replies = Vec::with_capacity(items.len());
        for (sequence, item) in items {
            replies.push(match sequence <= last {
                true => self.item_as_it_stands(sender, incarnation, &item),
                false => self.item(sender, incarnation, item),
            });
            last = last.max(sequence);
        }
        if last > from || incarnation > mark.incarnation {
            self.emit(Event::Reported {
                computer: sender,
                incarnation,
                sequence: last,
            });
        }
        Reply::Report {
            incarnation: self.incarnation,
            before,
            acknowledged: last,
            items: replies,
        }
    }

    fn item(&mut self, sender: ComputerId, incarnation: u64, item: ReportItem) -> ItemReply {
        match item {
            ReportItem::Checkout {
                session,
                product,
                subject,
                seats,
                ttl_seconds,
                shown,
                gate,
                claim,
                program,
            } => {
                let key = SessionKey {
                    computer: sender,
                    session,
                    incarnation,
                };
                let Some((product, pool)) = self.product(&product) else {
                    return ItemReply::UnknownProduct;
                };
                let ttl_seconds = ttl_seconds.min(pool.listing.spec.max_ttl_seconds);
                self.serve_waiting(product);
                let asked = Asked {
                    product,
                    subject: self.subject(subject),
                    computer: sender,
                    session: Some(key),
                    seats,
                    ttl_seconds,
                    waits: false,
                    priority: 0,
                    program,
                    also: Box::default(),
                };
                self.seat_session(key, &asked, Wish { shown, gate, claim })
            }
            ReportItem::Renew { session } => self.renew_session(SessionKey {
                computer: sender,
                session,
                incarnation,
            }),
            ReportItem::Checkin { session } | ReportItem::Released { session } => {
                let cause = match item {
                    ReportItem::Released { .. } => EndCause::Idle,
                    _ => EndCause::CheckedIn,
                };
                let key = SessionKey {
                    computer: sender,
                    session,
                    incarnation,
                };
                self.checkin_session(key, cause)
            }
            ReportItem::Finished {
                session,
                product,
                program,
                version,
                subject,
                real_subject,
                started_at,
                ended_at,
                duration_ms,
                unseated_ms,
                lease,
                first_reported,
            } => {
                // What was used is recorded, even of a product that has been removed since.
                let Some(product) = self.product_by_id.get(&product).copied() else {
                    return ItemReply::UnknownProduct;
                };
                let finished = FinishedSession {
                    session: SessionKey {
                        computer: sender,
                        session,
                        incarnation: first_reported
                            .map_or(incarnation, |first| first.min(incarnation)),
                    },
                    product,
                    program,
                    version,
                    subject: self.subject(subject),
                    real_subject: real_subject.map(|subject| self.subject(subject)),
                    started_at,
                    ended_at,
                    duration_ms,
                    unseated_ms,
                    lease,
                };
                self.emit(Event::SessionFinished(Box::new(finished)));
                ItemReply::Done
            }
            ReportItem::Programs { counts } => {
                if !counts.is_empty() {
                    self.emit(Event::ProgramsSeen {
                        computer: sender,
                        counts,
                    });
                }
                ItemReply::Done
            }
            ReportItem::Nothing => ItemReply::Done,
        }
    }

    /// A seat for a session where one is free; else it is unseated, or refused where it is held
    /// at the gate. Asked again, it keeps what it has. A lease that it shows or claims is taken
    /// over where that may be.
    fn seat_session(&mut self, key: SessionKey, asked: &Asked, wish: Wish) -> ItemReply {
        let claimed = wish.claim.and_then(|lease| self.claimable(lease, asked));
        if let Some(lease) = self.seat_of(key, asked) {
            // It has its seat: the other one goes to who waits. What it is held with is in use for
            // all that is known here, and ends where nobody fetches it.
            let is_alone = |number: &EventNumber| self.leases_with(*number).len() < 2;
            if let Some(claimed) = claimed.filter(is_alone) {
                self.end_lease(claimed, EndCause::CheckedIn);
            }
            return self.granted(lease);
        }
        if let Some(lease) = claimed {
            self.end_unseated(key);
            self.claim(lease, key, asked);
            return self.granted(lease);
        }
        let plan = self.plan(asked).or_else(|reason| {
            let shown = wish.shown.as_ref();
            let adoption = shown.and_then(|shown| self.plan_adoption(asked, shown));
            adoption.ok_or(reason)
        });
        match plan {
            Ok(plan) => {
                self.end_unseated(key);
                let lease = self.carry_out(asked, plan, None);
                self.granted(lease.id.number)
            }
            // Seats may be free that nobody gets now.
            Err(Reason::Undecided) if wish.gate => ItemReply::Undecided,
            Err(reason) if wish.gate => self.refuse_session(asked, reason),
            Err(reason) => {
                self.emit(Event::Unseated(Unseated {
                    product: asked.product,
                    subject: asked.subject,
                    session: key,
                    ttl_seconds: asked.ttl_seconds,
                    deadline: self.now.steady.plus_seconds(u64::from(asked.ttl_seconds)),
                    reason,
                }));
                ItemReply::Unseated(reason)
            }
        }
    }

    /// The lease that the session has, or that its person's sessions share: it lives on.
    fn seat_of(&mut self, key: SessionKey, asked: &Asked) -> Option<EventNumber> {
        self.recognise(key, asked);
        if self.renew_seat(key)
            && let Some(Seating::Lease(lease)) = self.sessions.get(&key)
        {
            return Some(*lease);
        }
        let shared = self.is_shared(asked.product);
        let other = self
            .shared
            .get(&(asked.product, asked.subject))
            .copied()
            .filter(|_| shared);
        let lease = other.filter(|lease| self.renew_lease(*lease))?;
        self.end_unseated(key);
        self.emit(Event::Joined {
            lease,
            session: key,
        });
        Some(lease)
    }

    /// Sees to it that what the session has is its own: of the product and person that it says.
    /// What an earlier incarnation of its agent knew under the same number is the same session
    /// only if these are the same; else its seat is left to end by itself, for its program may run
    /// on under another agent that has a copy of this one's state.
    fn recognise(&mut self, key: SessionKey, asked: &Asked) {
        match self.sessions.get(&key) {
            Some(_) if self.is_of(key, asked) => {}
            Some(_) => drop(self.checkin_session(key, EndCause::CheckedIn)),
            None => {
                let Some(from) = self.sessions.former(&key) else {
                    return;
                };
                match self.sessions.get(&from) {
                    Some(Seating::Lease(lease)) if self.is_of(from, asked) => {
                        let lease = *lease;
                        self.emit(Event::Rekeyed {
                            lease,
                            from,
                            to: key,
                        });
                    }
                    Some(Seating::Unseated(_)) => self.end_unseated(from),
                    _ => {}
                }
            }
        }
    }

    /// Whether what the session has is of that product and person.
    fn is_of(&self, key: SessionKey, asked: &Asked) -> bool {
        match self.sessions.get(&key) {
            Some(Seating::Lease(lease)) => self.leases.get(lease).is_some_and(|lease| {
                lease.product == asked.product && lease.subject == asked.subject
            }),
            Some(Seating::Unseated(entry)) => {
                entry.product == asked.product && entry.subject == asked.subject
            }
            None => false,
        }
    }

    /// Whether the sessions of one person share a lease of the product.
    pub(super) fn is_shared(&self, product: ProductNumber) -> bool {
        self.pools
            .get(&product)
            .is_some_and(|p| p.listing.spec.shared_by_subject)
    }

    /// Whether the session has a lease, which then lives on.
    fn renew_seat(&mut self, key: SessionKey) -> bool {
        match self.sessions.get(&key) {
            Some(Seating::Lease(lease)) => {
                let lease = *lease;
                self.renew_lease(lease)
            }
            _ => false,
        }
    }

    fn end_unseated(&mut self, session: SessionKey) {
        if let Some(Seating::Unseated(_)) = self.sessions.get(&session) {
            self.emit(Event::UnseatedEnded { session });
        }
    }

    fn granted(&self, number: EventNumber) -> ItemReply {
        match self.leases.get(&number) {
            Some(lease) => ItemReply::Granted {
                lease: lease.id,
                ttl_seconds: whole_seconds(lease.deadline.since_ms(self.now.steady)),
            },
            None => ItemReply::UnknownSession,
        }
    }

    fn renew_session(&mut self, key: SessionKey) -> ItemReply {
        match self.sessions.get(&key) {
            Some(Seating::Lease(lease)) => {
                let lease = *lease;
                match self.renew_lease(lease) {
                    true => match self.granted(lease) {
                        ItemReply::Granted { ttl_seconds, .. } => {
                            ItemReply::Renewed { ttl_seconds }
                        }
                        other => other,
                    },
                    false => ItemReply::UnknownSession,
                }
            }
            Some(Seating::Unseated(entry)) => {
                let ttl_seconds = entry.ttl_seconds;
                let deadline = self.now.steady.plus_seconds(u64::from(ttl_seconds));
                let entry = Unseated {
                    deadline,
                    ..entry.clone()
                };
                self.emit(Event::Unseated(entry));
                ItemReply::Renewed { ttl_seconds }
            }
            None => ItemReply::UnknownSession,
        }
    }

    fn checkin_session(&mut self, key: SessionKey, cause: EndCause) -> ItemReply {
        // An agent's new incarnation gives back what its last one had without asking for it again.
        let key = match self.sessions.get(&key) {
            Some(_) => key,
            None => self.sessions.former(&key).unwrap_or(key),
        };
        match self.sessions.get(&key) {
            Some(Seating::Lease(lease)) => {
                let lease = *lease;
                let others = self.leases.get(&lease).is_some_and(|l| l.holders.len() > 1);
                match others {
                    true => self.emit(Event::Left {
                        lease,
                        session: key,
                    }),
                    false => self.end_lease(lease, cause),
                }
                ItemReply::Done
            }
            Some(Seating::Unseated(_)) => {
                self.end_unseated(key);
                ItemReply::Done
            }
            None => ItemReply::UnknownSession,
        }
    }

    /// The answer to an item that was applied before: what its session has now. Never a new
    /// decision: where a refusal is no longer known of, a session without a seat is unknown, and
    /// only an item with a new number asks for it again.
    fn item_as_it_stands(
        &self,
        sender: ComputerId,
        incarnation: u64,
        item: &ReportItem,
    ) -> ItemReply {
        let (ReportItem::Checkout { session, .. } | ReportItem::Renew { session }) = item else {
            return ItemReply::Done;
        };
        let seating = self.sessions.get(&SessionKey {
            computer: sender,
            session: *session,
            incarnation,
        });
        // An agent that was rolled back uses its numbers again, for another program.
        let seating = seating.filter(|seating| self.may_be_for(seating, item));
        if let Some(Seating::Lease(lease)) = seating {
            return self.granted(*lease);
        }
        if let Some(refused) = self.refused_lately(sender, item) {
            return refused;
        }
        match seating {
            Some(Seating::Unseated(entry)) => ItemReply::Unseated(entry.reason),
            _ => ItemReply::UnknownSession,
        }
    }

    /// Whether what a session has is of the product and person that an item says, if it does.
    fn may_be_for(&self, seating: &Seating, item: &ReportItem) -> bool {
        let ReportItem::Checkout {
            product, subject, ..
        } = item
        else {
            return true;
        };
        let (of, who) = match seating {
            Seating::Lease(lease) => match self.leases.get(lease) {
                Some(lease) => (lease.product, lease.subject),
                None => return false,
            },
            Seating::Unseated(entry) => (entry.product, entry.subject),
        };
        let person = self.subjects.find(&subject.authority, &subject.key);
        self.product_id(of) == *product && person.is_some_and(|person| person.id == who)
    }
}

fn whole_seconds(ms: u64) -> u32 {
    u32::try_from(ms / 1_000).unwrap_or(u32::MAX)
}
