//! Agents' reports: applies each item once.

use crate::ledger::agents::claim::Wish;
use crate::ledger::judge::ask::{AskPart, Way};
use crate::ledger::words::event::{EndCause, Event};
use crate::ledger::*;

impl Ledger {
    pub(in crate::ledger) fn report(&mut self, report: Report) -> Reply {
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
                let asked = AskPart {
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
                    way: Way::New,
                };
                self.seat_session(key, asked, Wish { shown, gate, claim })
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

    /// The answer to an item that was applied before: what its session has now. Never a new
    /// decision: if a refusal is no longer known of, a session without a seat is unknown, and
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

    /// Whether what a session has is of the product and person that the item names, if it names
    /// any.
    fn may_be_for(&self, seating: &Seating, item: &ReportItem) -> bool {
        let ReportItem::Checkout {
            product, subject, ..
        } = item
        else {
            return true;
        };
        let (of, who) = match seating {
            Seating::Lease(lease) => match self.leases.get(*lease) {
                Some(lease) => (lease.product, lease.subject),
                None => return false,
            },
            Seating::Unseated(entry) => (entry.product, entry.subject),
        };
        let person = self.subjects.find(&subject.authority, &subject.key);
        self.product_id(of) == *product && person.is_some_and(|person| person.id == who)
    }
}
