//! The invariants, over random histories: I1 (never over-grant), I4 (never starve), recovery by
//! events, undo, determinism.

mod checks;
mod commands;
mod steps;

use std::collections::BTreeMap;

use proptest::prelude::*;
use usher_core::ledger::*;

use self::checks::*;
use self::commands::name;
use self::steps::{Step, step};
use crate::world::*;

struct History {
    world: World,
    /// Since when each ticket has waited for more than there is or is to come.
    impossible: BTreeMap<TicketId, Steady>,
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
            impossible: BTreeMap::new(),
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
        let mut still = BTreeMap::new();
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
