//! Which processes wait by which place in the queue, for which use.
//!
//! Commands of one use wait by one place: they share the seat that it is granted. In memory only:
//! after a start of the agent places are kept as the server keeps them.

use std::collections::HashMap;
use std::sync::Mutex;

use usher_core::sessions::{ProcessKey, Program};

use super::peer::Peer;
use crate::base::lock;
use crate::model::shares::uses::Key;
use crate::system::procfs;

/// Tickets whose waiters are remembered; of one beyond, the place is kept as the server keeps it.
const LIMIT: usize = 4_096;
/// Processes that wait by one; one beyond takes a place of its own.
const WAITERS_LIMIT: usize = 64;

/// Who waits by which ticket.
#[derive(Debug, Default)]
pub(crate) struct Tickets(Mutex<HashMap<String, Place>>);

/// By whom a ticket is waited with, and for which use, if any lease of that use will do.
#[derive(Debug)]
struct Place {
    waiters: Vec<ProcessKey>,
    /// What those of them start that start anything.
    starts: Vec<(ProcessKey, Program)>,
    of_use: Option<Key>,
    /// The decision that it was made by.
    decision: String,
    /// One of them was given its lease.
    is_granted: bool,
}

impl Tickets {
    /// A process has a place from now on.
    pub(super) fn made(&self, ticket: &str, decision: &str, peer: Peer, of_use: Option<Key>) {
        let Some(process) = peer.process() else {
            return;
        };
        let mut places = lock(&self.0);
        if places.len() >= LIMIT {
            places.retain(|_, place| place.is_waited_by());
        }
        if places.len() < LIMIT || places.contains_key(ticket) {
            let place = Place {
                waiters: vec![process],
                starts: Vec::new(),
                of_use,
                decision: decision.to_owned(),
                is_granted: false,
            };
            places.insert(ticket.to_owned(), place);
        }
    }

    /// The ticket that a process waits by for a use, and the decision that it was made by.
    pub(super) fn of(&self, key: &Key) -> Option<(String, String)> {
        let mut places = lock(&self.0);
        let is_it = |place: &mut Place| place.of_use.as_ref() == Some(key) && place.is_waited_by();
        places.iter_mut().find_map(|(ticket, place)| {
            is_it(place).then(|| (ticket.clone(), place.decision.clone()))
        })
    }

    /// A process waits by the ticket, too. False: as many do as may, or nobody does any more.
    pub(super) fn joins(&self, ticket: &str, peer: Peer) -> bool {
        let mut places = lock(&self.0);
        let (Some(process), Some(place)) = (peer.process(), places.get_mut(ticket)) else {
            return false;
        };
        place.waiters.retain(|waiter| *waiter != process);
        let has_room = place.is_waited_by() && place.waiters.len() < WAITERS_LIMIT;
        if has_room {
            place.waiters.push(process);
        }
        has_room
    }

    /// Who asks and waits by the ticket starts that once there is a seat.
    pub(super) fn will_start(&self, ticket: &str, peer: Peer, program: Program) {
        let Some(process) = self.waiter(ticket, peer) else {
            return;
        };
        if let Some(place) = lock(&self.0).get_mut(ticket) {
            let waiters = &place.waiters;
            let is_anothers = |of: &ProcessKey| *of != process && waiters.contains(of);
            place.starts.retain(|(of, _)| is_anothers(of));
            place.starts.push((process, program));
        }
    }

    /// What who asks and waits by the ticket starts, if anything.
    pub(super) fn starts(&self, ticket: &str, peer: Peer) -> Option<Program> {
        let process = self.waiter(ticket, peer)?;
        let places = lock(&self.0);
        let mut starts = places.get(ticket)?.starts.iter();
        let of_it = starts.find(|(of, _)| *of == process);
        of_it.map(|(_, program)| program.clone())
    }

    /// The process that asks, if it waits by the ticket.
    pub(super) fn waiter(&self, ticket: &str, peer: Peer) -> Option<ProcessKey> {
        let process = peer.process()?;
        let places = lock(&self.0);
        let waits = places.get(ticket)?.waiters.contains(&process);
        waits.then_some(process)
    }

    /// For which use the process that asks waits by the ticket, if any lease of that use will do.
    pub(super) fn of_use(&self, ticket: &str, peer: Peer) -> Option<Key> {
        self.waiter(ticket, peer)?;
        lock(&self.0).get(ticket)?.of_use.clone()
    }

    /// Who asks was given the ticket's lease, and waits by it no more.
    pub(super) fn granted(&self, ticket: &str, peer: Peer) {
        if let Some(place) = lock(&self.0).get_mut(ticket) {
            place.is_granted = true;
        }
        if let Some(process) = peer.process() {
            self.leaves(ticket, process);
        }
    }

    /// A process waits by the ticket no more. True: nobody else does, or was given its lease, so that
    /// the place may go.
    pub(super) fn leaves(&self, ticket: &str, process: ProcessKey) -> bool {
        let mut places = lock(&self.0);
        let Some(place) = places.get_mut(ticket) else {
            return false;
        };
        place.waiters.retain(|waiter| *waiter != process);
        if place.is_waited_by() {
            return false;
        }
        let may_go = !place.is_granted;
        places.remove(ticket);
        may_go
    }

    /// Whether others than the process that asks need the ticket: they wait by it, or one was given
    /// its lease. It waits by it no more then.
    pub(super) fn leaves_to_others(&self, ticket: &str, peer: Peer) -> bool {
        let waiter = self.waiter(ticket, peer);
        waiter.is_some_and(|process| !self.leaves(ticket, process))
    }

    pub(super) fn forget(&self, ticket: &str) {
        lock(&self.0).remove(ticket);
    }
}

impl Place {
    /// Whether a process that still runs waits by it; those that do not are forgotten.
    fn is_waited_by(&mut self) -> bool {
        self.waiters.retain(|waiter| procfs::still_runs(*waiter));
        !self.waiters.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};

    use usher_core::sessions::AccountKey;

    use super::*;

    fn peer(pid: u32) -> Peer {
        Peer::own(Some(pid)).unwrap()
    }

    fn this() -> Peer {
        peer(std::process::id())
    }

    /// Another process, which runs until it is ended.
    fn another() -> Child {
        Command::new("/bin/sleep").arg("600").spawn().unwrap()
    }

    fn end(mut child: Child) {
        child.kill().unwrap();
        child.wait().unwrap();
    }

    fn key() -> Key {
        (
            AccountKey::new(1000),
            AccountKey::new(1000),
            "cad".to_owned(),
        )
    }

    #[test]
    fn only_who_waits_by_a_ticket_is_its_waiter_and_no_number_of_tickets_is_too_many() {
        let tickets = Tickets::default();
        tickets.made("T1", "D1", this(), None);
        assert!(tickets.waiter("T1", this()).is_some());
        assert_eq!(tickets.waiter("T1", peer(1)), None);
        assert_eq!(tickets.waiter("T2", this()), None);
        for number in 0..LIMIT + 5 {
            tickets.made(&format!("M{number}"), "D1", this(), None);
        }
        assert_eq!(lock(&tickets.0).len(), LIMIT);
        tickets.forget("T1");
        assert_eq!(tickets.waiter("T1", this()), None);
    }

    #[test]
    fn a_place_that_several_wait_by_goes_with_the_last() {
        let tickets = Tickets::default();
        let second = another();
        tickets.made("T1", "D1", this(), Some(key()));
        assert_eq!(tickets.of(&key()), Some(("T1".to_owned(), "D1".to_owned())));
        let another_use = (key().0, key().1, "sim".to_owned());
        assert_eq!(tickets.of(&another_use), None);
        assert!(tickets.joins("T1", peer(second.id())));
        assert_eq!(tickets.of_use("T1", peer(second.id())), Some(key()));
        let first = this().process().unwrap();
        assert!(!tickets.leaves("T1", first), "the second waits on");
        assert_eq!(tickets.of_use("T1", this()), None);
        assert!(tickets.joins("T1", this()));
        end(second);
        assert!(tickets.leaves("T1", first), "the second has ended");
        assert_eq!(tickets.of(&key()), None);
        assert!(!tickets.joins("T1", this()), "it is over");
    }

    #[test]
    fn what_each_who_waits_will_start_is_known_while_it_waits() {
        let tickets = Tickets::default();
        let second = another();
        let program = |name: &str| Program {
            name: name.into(),
            version: None,
        };
        tickets.made("T1", "D1", this(), Some(key()));
        tickets.joins("T1", peer(second.id()));
        tickets.will_start("T1", this(), program("one"));
        tickets.will_start("T1", this(), program("two"));
        assert_eq!(tickets.starts("T1", this()), Some(program("two")));
        assert_eq!(tickets.starts("T1", peer(second.id())), None);
        let first = this().process().unwrap();
        tickets.leaves("T1", first);
        assert_eq!(tickets.starts("T1", this()), None);
        tickets.will_start("T1", this(), program("one"));
        assert_eq!(tickets.starts("T1", this()), None, "it does not wait");
        end(second);
    }

    #[test]
    fn a_place_whose_lease_was_given_to_one_of_them_is_not_left_by_the_others() {
        let tickets = Tickets::default();
        let second = another();
        tickets.made("T1", "D1", this(), Some(key()));
        tickets.joins("T1", peer(second.id()));
        tickets.granted("T1", this());
        assert!(tickets.leaves_to_others("T1", peer(second.id())));
        end(second);
    }

    #[test]
    fn so_many_wait_by_one_place_at_most() {
        let tickets = Tickets::default();
        tickets.made("T1", "D1", this(), Some(key()));
        let waiter = this().process().unwrap();
        let second = another();
        if let Some(place) = lock(&tickets.0).get_mut("T1") {
            place.waiters = vec![waiter; WAITERS_LIMIT];
        }
        assert!(!tickets.joins("T1", peer(second.id())));
        end(second);
    }
}
