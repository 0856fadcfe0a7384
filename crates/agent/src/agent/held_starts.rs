//! Carries out decisions about starts that wait for a seat: tells the sessions, records the
//! results, and tells people why.

use usher_core::sessions::{Effect, Event, ProcessKey, Sessions, Who};

use super::Agent;
use crate::base::clock;
use crate::gate::Start;
use crate::model::held_starts::{Answered, Refused};
use crate::model::notices::{self, Denial, News};
use crate::store::outbox::OutboxError;
use crate::system::procfs;

impl Agent {
    /// Decides about programs that are held. Those that arrive together are written to disk
    /// together, so that the last does not wait for one write each.
    pub(crate) fn asked(&mut self, starts: &mut Vec<Start>) -> Result<(), OutboxError> {
        let mut effects = Vec::new();
        for mut start in starts.drain(..) {
            let key = start.process.key;
            start.process.parent = known_ancestor(start.process.parent, &self.sessions);
            if let Some(event) = self.held.admit(start, clock::boot_ms()) {
                self.sessions.apply(clock::now(), event, &mut effects);
            }
            self.follow_held(key, &mut effects);
        }
        self.write_with_request(effects)
    }

    /// Follows a held process from before it is answered. If it is gone by now, what was asked for
    /// it is given back at once.
    fn follow_held(&mut self, key: ProcessKey, effects: &mut Vec<Effect>) {
        let Some(shared) = self.shared.as_ref() else {
            return;
        };
        if !self.sessions.is_held(key.pid) {
            return;
        }
        if !shared.hold(key, |pid| self.sessions.is_held(pid)) {
            tracing::debug!(pid = key.pid, "too many held starts to follow this one");
        }
        if procfs::is_gone(key) {
            let event = Event::Exited { pid: key.pid };
            self.sessions.apply(clock::now(), event, effects);
        }
    }

    /// Checks whether followed processes have ended unnoticed; a part of them at a time.
    pub(crate) fn look_for_the_gone(&mut self) {
        let Some(shared) = &self.shared else {
            return;
        };
        shared.keep_held(|pid| self.sessions.is_held(pid));
        let part = self.held.next_to_look_at(&self.sessions);
        shared.end_the_gone(part.into_iter());
    }

    /// Answers held starts at the gate; refusals are also shown on desktops.
    pub(super) fn answer_starts(&mut self, answered: Vec<Answered>) {
        for answer in answered {
            match answer {
                Answered::Run(waiting) => waiting.run(),
                Answered::Refused(refused) => {
                    let Refused {
                        waiting,
                        lines,
                        who,
                        product,
                        denial,
                    } = refused;
                    waiting.refuse(&lines);
                    let news = self.refusal(who, &product, denial.as_ref());
                    self.notices.say(who, news);
                }
            }
        }
    }

    /// Makes a notice for a `usher run` that was refused a seat, for users who see no terminal.
    pub(crate) fn run_was_refused(&mut self, who: Who, product: &str, denial: &Denial) {
        let news = self.refusal(who, product, Some(denial));
        self.notices.say_last(who, news);
    }

    fn refusal(&self, who: Who, product: &str, denial: Option<&Denial>) -> News {
        let name = self.rulebook.product_name(product);
        let news = notices::refused(product, &name, denial);
        match self.waits.ticket(product, who.counted) {
            Some(ticket) => news.of_who_waits(ticket),
            None => news,
        }
    }

    /// Lets go the held starts of products that are no longer enforced.
    pub(super) fn let_go_ungated(&mut self) -> Result<(), OutboxError> {
        let view = crate::model::view::View::of(&self.sessions, &self.rulebook);
        let events = self.held.let_go_ungated(view);
        self.tell_all(events)
    }

    /// When [`let_go`](Self::let_go) is next due, in milliseconds since boot.
    pub(crate) fn next_let_go(&self) -> Option<u64> {
        let due = [
            self.held.next_due_boot_ms(),
            self.sessions.next_due_boot_ms(),
        ];
        due.into_iter().flatten().min()
    }

    /// Answers starts by the policy that have waited long enough for a seat; with `all`, because no
    /// server can be reached, all of them.
    pub(crate) fn let_go(&mut self, all: bool) -> Result<(), OutboxError> {
        let boot_ms = clock::boot_ms();
        let mut events = self.held.let_go(all, boot_ms);
        events.push(Event::Tick);
        self.held.forget_old(boot_ms);
        self.tell_all(events)
    }

    fn tell_all(&mut self, events: Vec<Event>) -> Result<(), OutboxError> {
        let mut effects = Vec::new();
        for event in events {
            self.sessions.apply(clock::now(), event, &mut effects);
        }
        self.write(effects)
    }
}

/// The nearest known ancestor of a process; its parent if there is none. The gate may ask about a
/// process before its fork was seen.
fn known_ancestor(parent: u32, sessions: &Sessions) -> u32 {
    let mut line = procfs::line_of(parent);
    line.find(|pid| sessions.knows(*pid)).unwrap_or(parent)
}
