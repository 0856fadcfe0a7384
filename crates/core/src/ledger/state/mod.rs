//! How each event changes the ledger, and how each change is undone: the one place where state
//! changes. Leases, tickets, the catalogue and sessions have a file each.

mod catalogue;
mod leases;
mod sessions;
mod tickets;
pub(super) mod undo;

use super::*;
use crate::ledger::kept::denials::{Asker, Folded};
use crate::ledger::kept::memory::Remembered;
use crate::ledger::state::undo::{LifeBefore, Undo};
use crate::ledger::words::event::Event;

impl Ledger {
    /// The one place where state changes. Events come from decisions or from records; of records
    /// that contradict the state, what cannot be carried out is passed over.
    pub(super) fn change(&mut self, number: EventNumber, event: &Event) -> Undo {
        match event {
            Event::SubjectEntered(subject) => Undo::Subject {
                id: subject.id,
                before: self.subjects.put(subject.clone()).map(Box::new),
            },
            Event::ComputerEntered(computer) => Undo::Computer {
                id: computer.id,
                before: self.computers.put(computer.clone()).map(Box::new),
            },
            Event::SubjectForgotten { subject } => match self.subjects.remove(*subject) {
                Some(gone) => Undo::SubjectForgotten(Box::new(gone)),
                None => Undo::Nothing,
            },
            Event::ComputerForgotten { computer } => match self.computers.remove(*computer) {
                Some(gone) => Undo::ComputerForgotten(Box::new(gone)),
                None => Undo::Nothing,
            },
            Event::ProductPut { product, spec } => self.change_product(number, *product, spec),
            Event::ProductRemoved { product } => self.drop_product(number, *product),
            Event::EntitlementPut(entitlement) => {
                let number = entitlement.number;
                let before = self.set_entitlement(number, Some(entitlement.clone()));
                let before = before.map(Box::new);
                Undo::Entitlement { number, before }
            }
            Event::EntitlementRemoved { entitlement } => Undo::Entitlement {
                number: *entitlement,
                before: self.set_entitlement(*entitlement, None).map(Box::new),
            },
            Event::EntitlementDescribed {
                entitlement,
                details,
            } => Undo::Details {
                number: *entitlement,
                before: Box::new(self.described.put(*entitlement, details.clone())),
            },
            Event::AllotmentPut(allotment) => self.put_allotment(allotment.clone()),
            Event::Granted { lease, .. } => self.add_lease(lease),
            Event::Renewed { lease, deadline } => self.set_deadline(*lease, *deadline, false),
            Event::Graced { lease, deadline } => self.set_deadline(*lease, *deadline, true),
            Event::Redrawn { lease, draws } => self.redraw(*lease, draws),
            Event::Ended { lease, cause } => self.remove_lease(*lease, *cause),
            Event::Joined { lease, session } => match self.join(*lease, *session) {
                true => Undo::Joined {
                    lease: *lease,
                    session: *session,
                },
                false => Undo::Nothing,
            },
            Event::Left { lease, session } => match self.leave(*lease, *session) {
                true => Undo::Left {
                    lease: *lease,
                    session: *session,
                },
                false => Undo::Nothing,
            },
            Event::Queued { ticket, .. } => {
                self.add_ticket(ticket.clone());
                Undo::Queued { ticket: number }
            }
            Event::TicketChanged { ticket, state } => self.set_ticket(*ticket, *state),
            Event::TicketForgotten { ticket } => match self.remove_ticket(*ticket) {
                Some(ticket) => Undo::Forgotten {
                    ticket: Box::new(ticket),
                },
                None => Undo::Nothing,
            },
            Event::Denied { denial, .. } => {
                let asker = Asker {
                    product: denial.product,
                    subject: denial.subject,
                    computer: denial.computer,
                };
                let folded = Folded::first(denial.id, self.now.steady, denial.seats);
                let now = self.now.steady;
                let before = self.denials.put(asker, denial.reason, folded, now);
                Undo::Denied {
                    before: Box::new(before),
                }
            }
            Event::DeniedAgain {
                product,
                subject,
                computer,
                reason,
                count,
                ..
            } => {
                let asker = Asker {
                    product: *product,
                    subject: *subject,
                    computer: *computer,
                };
                let Some(folded) = self.denials.get(&asker.refused_for(*reason)) else {
                    return Undo::Nothing;
                };
                let again = Folded {
                    count: *count,
                    ..folded
                };
                let before = self.denials.put(asker, *reason, again, self.now.steady);
                Undo::Denied {
                    before: Box::new(before),
                }
            }
            Event::Unseated(unseated) => {
                let before = self.set_unseated(unseated.session, Some(unseated.clone()));
                Undo::Unseated {
                    session: unseated.session,
                    before: before.map(Box::new),
                }
            }
            Event::UnseatedEnded { session } => Undo::Unseated {
                session: *session,
                before: self.set_unseated(*session, None).map(Box::new),
            },
            Event::SessionFinished(_)
            | Event::ProgramsSeen { .. }
            | Event::UnseatedProgram { .. } => Undo::Nothing,
            Event::Reported {
                computer,
                incarnation,
                sequence,
            } => {
                let mark = Mark {
                    incarnation: *incarnation,
                    sequence: *sequence,
                };
                Undo::Mark {
                    computer: *computer,
                    before: self.marks.insert(*computer, mark),
                }
            }
            Event::Remembered { key, body, reply } => {
                let at = self.now.steady;
                self.memory.put(
                    *key,
                    Remembered {
                        body: *body,
                        reply: reply.clone(),
                        at,
                    },
                );
                Undo::Key { key: *key }
            }
            Event::Reincarnated {
                incarnation,
                hold_until,
            } => {
                let undo = Undo::Incarnation(Box::new(LifeBefore {
                    incarnation: self.incarnation,
                    hold_until: self.hold_until,
                    life_began: std::mem::replace(&mut self.life_began, number.0),
                    adopted: std::mem::take(&mut self.adopted),
                }));
                self.incarnation = *incarnation;
                self.hold_until = *hold_until;
                undo
            }
            Event::CanarySeated | Event::Changed { .. } => Undo::Nothing,
            Event::Paused => Undo::Paused {
                before: std::mem::replace(&mut self.paused, true),
            },
            Event::Continued => Undo::Paused {
                before: std::mem::replace(&mut self.paused, false),
            },
            Event::Adopted { former, .. } => match self.adopted.insert(*former) {
                true => Undo::Adopted { former: *former },
                false => Undo::Nothing,
            },
            Event::Rekeyed { lease, from, to } => match self.rekey(*lease, *from, *to) {
                true => Undo::Rekeyed {
                    lease: *lease,
                    from: *from,
                    to: *to,
                },
                false => Undo::Nothing,
            },
            Event::Claimed {
                lease,
                session,
                ttl_seconds,
                shared,
            } => self.hand_over(*lease, *session, *ttl_seconds, *shared),
        }
    }

    pub(super) fn take_back(&mut self, undo: Undo) {
        match undo {
            Undo::Nothing => {}
            Undo::Paused { before } => self.paused = before,
            Undo::SubjectForgotten(subject) => drop(self.subjects.put(*subject)),
            Undo::ComputerForgotten(computer) => drop(self.computers.put(*computer)),
            Undo::Subject { id, before } => self.subjects.undo(id, before.map(|it| *it)),
            Undo::Computer { id, before } => self.computers.undo(id, before.map(|it| *it)),
            Undo::Product {
                product,
                before,
                version_before,
            } => {
                self.catalogue_version = version_before;
                self.undo_product(product, before.map(|it| *it));
            }
            Undo::Entitlement { number, before } => {
                self.set_entitlement(number, before.map(|it| *it));
            }
            Undo::Details { number, before } => drop(self.described.put(number, *before)),
            Undo::Allotment {
                product,
                number,
                before,
            } => self.undo_allotment(product, number, before.map(|it| *it)),
            Undo::Granted {
                lease,
                shared_before,
            } => self.undo_lease(lease, shared_before),
            Undo::Lease {
                lease,
                deadline,
                graced,
            } => drop(self.set_deadline(lease, deadline, graced)),
            Undo::Draws { lease, draws } => drop(self.redraw(lease, &draws)),
            Undo::Ended { slot, shared } => self.undo_end(slot, shared),
            Undo::Rekeyed { lease, from, to } => drop(self.rekey(lease, to, from)),
            Undo::Joined { lease, session } => drop(self.leave(lease, session)),
            Undo::Left { lease, session } => drop(self.join(lease, session)),
            Undo::Queued { ticket } => drop(self.remove_ticket(ticket)),
            Undo::Ticket { ticket, before } => drop(self.set_ticket(ticket, before)),
            Undo::Forgotten { ticket } => self.add_ticket(*ticket),
            Undo::Denied { before } => self.denials.undo(*before),
            Undo::Unseated { session, before } => {
                self.set_unseated(session, before.map(|it| *it));
            }
            Undo::Mark { computer, before } => {
                match before {
                    Some(before) => self.marks.insert(computer, before),
                    None => self.marks.remove(&computer),
                };
            }
            Undo::Key { key } => self.memory.undo(key),
            Undo::Incarnation(before) => {
                self.incarnation = before.incarnation;
                self.hold_until = before.hold_until;
                self.life_began = before.life_began;
                self.adopted = before.adopted;
            }
            Undo::Adopted { former } => drop(self.adopted.remove(&former)),
            Undo::Claimed {
                lease,
                session,
                ttl_seconds,
                shared_before,
            } => self.take_from(lease, session, ttl_seconds, shared_before),
        }
    }
}
