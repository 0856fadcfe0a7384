//! The seats of agents' sessions: taken, kept, shared, taken over and given back.

use crate::ledger::agents::claim::Wish;
use crate::ledger::judge::ask::{AskPart, Plans, Way};
use crate::ledger::words::event::{EndCause, Event};
use crate::ledger::*;

impl Ledger {
    /// A seat for a session if one is free; else it is unseated, or refused if it is held
    /// at the gate. Asked again, it keeps what it has. A lease that it shows or claims is taken
    /// over if that may be.
    pub(in crate::ledger) fn seat_session(
        &mut self,
        key: SessionKey,
        mut asked: AskPart,
        wish: Wish,
    ) -> ItemReply {
        let claimed = wish.claim.and_then(|lease| self.claimable(lease, &asked));
        if let Some(lease) = self.seat_of(key, &asked) {
            // It has its seat: the other one goes to who waits. What it is held with is in use for
            // all that is known here, and ends if nobody fetches it.
            let is_alone = |number: &EventNumber| self.leases_with(*number).len() < 2;
            if let Some(claimed) = claimed.filter(is_alone) {
                self.end_lease(claimed, EndCause::CheckedIn);
            }
            return self.granted(lease);
        }
        if let Some(lease) = claimed {
            self.end_unseated(key);
            self.claim(lease, key, &asked);
            return self.granted(lease);
        }
        let verdict = match self.judge(std::slice::from_ref(&asked), self.now) {
            Err(lacking) => self.judge_shown(&mut asked, wish.shown).ok_or(lacking),
            granted => granted,
        };
        let reason = match verdict {
            Ok(plans) => {
                self.end_unseated(key);
                let leases = self.grant(std::slice::from_ref(&asked), plans);
                return match leases.first() {
                    Some(lease) => self.granted(lease.id.number),
                    None => ItemReply::UnknownProduct,
                };
            }
            Err(lacking) => lacking.reason,
        };
        match reason {
            // Seats may be free that nobody gets now.
            Reason::Undecided if wish.gate => ItemReply::Undecided,
            reason if wish.gate => self.refuse_session(&asked, reason),
            reason => {
                let is_new = !matches!(self.sessions.get(&key), Some(Seating::Unseated(_)));
                self.emit(Event::Unseated(Unseated {
                    product: asked.product,
                    subject: asked.subject,
                    session: key,
                    ttl_seconds: asked.ttl_seconds,
                    deadline: self.now.steady.plus_seconds(u64::from(asked.ttl_seconds)),
                    reason,
                }));
                if let Some(program) = asked.program.filter(|_| is_new) {
                    self.emit(Event::UnseatedProgram {
                        session: key,
                        program,
                    });
                }
                ItemReply::Unseated(reason)
            }
        }
    }

    /// How the seats of a lease that its holder shows are taken over; none if they are not.
    fn judge_shown(&self, asked: &mut AskPart, shown: Option<Shown>) -> Option<Plans> {
        let shown = shown.filter(|shown| self.may_adopt(asked.product, shown))?;
        asked.way = Way::Shown(shown);
        self.judge(std::slice::from_ref(asked), self.now).ok()
    }

    /// The lease that the session has, or that its person's sessions share: it lives on.
    fn seat_of(&mut self, key: SessionKey, asked: &AskPart) -> Option<EventNumber> {
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
    fn recognise(&mut self, key: SessionKey, asked: &AskPart) {
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
    fn is_of(&self, key: SessionKey, asked: &AskPart) -> bool {
        match self.sessions.get(&key) {
            Some(Seating::Lease(lease)) => self.leases.get(*lease).is_some_and(|lease| {
                lease.product == asked.product && lease.subject == asked.subject
            }),
            Some(Seating::Unseated(entry)) => {
                entry.product == asked.product && entry.subject == asked.subject
            }
            None => false,
        }
    }

    /// Whether the sessions of one person share a lease of the product.
    pub(in crate::ledger) fn is_shared(&self, product: ProductNumber) -> bool {
        self.pools
            .get(product)
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

    pub(in crate::ledger) fn granted(&self, number: EventNumber) -> ItemReply {
        match self.leases.get(number) {
            Some(lease) => ItemReply::Granted {
                lease: lease.id(),
                ttl_seconds: whole_seconds(lease.deadline.since_ms(self.now.steady)),
            },
            None => ItemReply::UnknownSession,
        }
    }

    pub(in crate::ledger) fn renew_session(&mut self, key: SessionKey) -> ItemReply {
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
                    ..(**entry).clone()
                };
                self.emit(Event::Unseated(entry));
                ItemReply::Renewed { ttl_seconds }
            }
            None => ItemReply::UnknownSession,
        }
    }

    pub(in crate::ledger) fn checkin_session(
        &mut self,
        key: SessionKey,
        cause: EndCause,
    ) -> ItemReply {
        // An agent's new incarnation gives back what its last one had without asking for it again.
        let key = match self.sessions.get(&key) {
            Some(_) => key,
            None => self.sessions.former(&key).unwrap_or(key),
        };
        match self.sessions.get(&key) {
            Some(Seating::Lease(lease)) => {
                let lease = *lease;
                let others = self
                    .leases
                    .get(lease)
                    .is_some_and(|l| l.holders().len() > 1);
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
}

fn whole_seconds(ms: u64) -> u32 {
    u32::try_from(ms / 1_000).unwrap_or(u32::MAX)
}
