//! How events change tickets, and their places in the queues.

use crate::ledger::kept::pool::place_of;
use crate::ledger::state::undo::Undo;
use crate::ledger::*;

impl Ledger {
    pub(in crate::ledger) fn add_ticket(&mut self, ticket: Ticket) {
        let number = ticket.id.number;
        if let TicketState::Waiting { aside, .. } = ticket.state
            && let Some(pool) = self.pools.get_mut(ticket.product)
        {
            let places = match aside {
                None => &mut pool.queue,
                Some(_) => &mut pool.aside,
            };
            places.insert(place_of(&ticket));
        }
        if let Some(due) = ticket.state.due() {
            self.ticket_due.insert((due, number));
        }
        self.tickets.insert(number, ticket);
    }

    pub(super) fn remove_ticket(&mut self, number: EventNumber) -> Option<Ticket> {
        let ticket = self.tickets.remove(&number)?;
        if let Some(pool) = self.pools.get_mut(ticket.product) {
            let place = place_of(&ticket);
            pool.queue.remove(&place);
            pool.aside.remove(&place);
        }
        if let Some(due) = ticket.state.due() {
            self.ticket_due.remove(&(due, number));
        }
        Some(ticket)
    }

    pub(super) fn set_ticket(&mut self, number: EventNumber, state: TicketState) -> Undo {
        let Some(mut ticket) = self.remove_ticket(number) else {
            return Undo::Nothing;
        };
        let before = std::mem::replace(&mut ticket.state, state);
        self.add_ticket(ticket);
        Undo::Ticket {
            ticket: number,
            before,
        }
    }
}
