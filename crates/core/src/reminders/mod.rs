//! Sessions that should not go on as they are: their user is told, then a grace passes, and only
//! then something is done.
//!
//! [`Reminders`] is a pure machine. It is told of leases that are lost for good and of how long
//! nobody has touched a program; it says when to ask, when to take back what was asked, and when
//! a seat is given back or a program ended. It promises that
//! - nothing is done that was not asked a whole grace before;
//! - while the computer sleeps nobody can do what was asked: the whole grace begins again;
//! - a reason that is over before the grace is, undoes the asking, and nothing is done;
//! - each thing is done once, and nothing is done of a session that is gone.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::sessions::SessionId;

/// Why a session ought not to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// Its lease is lost for good, and its product may not be used without one.
    LostLease,
    /// Nobody has touched it for as long as its product allows.
    Idle,
}

/// What is done when the grace is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Nothing: it is only said.
    Nothing,
    /// Its seat is given back; the program runs on.
    Release,
    /// Its programs are ended.
    End,
}

/// What a product says of programs that nobody touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdleRule {
    /// How long nobody has touched it before its user is asked, in milliseconds, 1 or more.
    pub after_ms: u64,
    /// How long it then has, in milliseconds.
    pub grace_ms: u64,
    /// What is done then.
    pub then: Then,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A session had a seat and has none any more, and was refused another: a server that cannot
    /// be reached has refused nothing. Its product ends such programs.
    Lost {
        /// The session.
        session: SessionId,
        /// How long it has, in milliseconds.
        grace_ms: u64,
    },
    /// It has a seat.
    Seated {
        /// The session.
        session: SessionId,
    },
    /// Its product no longer ends programs for want of a seat.
    Spared {
        /// The session.
        session: SessionId,
    },
    /// How long nobody has touched a session, 0 if somebody does.
    Untouched {
        /// The session.
        session: SessionId,
        /// For how many milliseconds nobody has touched it.
        for_ms: u64,
        /// What its product says of that; none: nothing.
        rule: Option<IdleRule>,
    },
    /// A session has ended.
    Gone {
        /// The session.
        session: SessionId,
    },
    /// The computer has slept: what was asked before is asked again.
    Woke,
    /// Time has passed.
    Tick,
}

/// An effect of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Its user is to be told, and asked to end it.
    Ask {
        /// Which session.
        session: SessionId,
        /// Why it is done.
        cause: Cause,
        /// What is done when the time is over.
        then: Then,
        /// When that is, in milliseconds since boot.
        until_boot_ms: u64,
    },
    /// What was asked is no more: nothing will be done.
    TakeBack {
        /// Which session.
        session: SessionId,
        /// Why it had been asked.
        cause: Cause,
    },
    /// Its seat is to be given back, and not asked for again until [`Effect::Reclaim`].
    Release {
        /// Which session.
        session: SessionId,
    },
    /// Somebody is back: a seat is to be asked for again.
    Reclaim {
        /// Which session.
        session: SessionId,
    },
    /// Its programs are to be ended.
    End {
        /// Which session.
        session: SessionId,
        /// Why it is done.
        cause: Cause,
    },
}

/// What was asked of the users of sessions.
#[derive(Debug, Default)]
pub struct Reminders {
    asked: BTreeMap<(SessionId, Cause), Reminded>,
}

#[derive(Debug)]
struct Reminded {
    then: Then,
    grace_ms: u64,
    until_boot_ms: u64,
    done: bool,
}

impl Reminded {
    fn effect(&self, (session, cause): (SessionId, Cause)) -> Effect {
        Effect::Ask {
            session,
            cause,
            then: self.then,
            until_boot_ms: self.until_boot_ms,
        }
    }
}

impl Reminders {
    /// What follows from `event` at `boot_ms`, milliseconds since boot, added to `effects`.
    pub fn apply(&mut self, boot_ms: u64, event: Event, effects: &mut Vec<Effect>) {
        match event {
            Event::Lost { session, grace_ms } => {
                // What is idle has given its seat back by rule: that one is not lost.
                if !self.is_released(session) {
                    let key = (session, Cause::LostLease);
                    self.ask(boot_ms, key, Then::End, grace_ms, effects);
                }
            }
            Event::Seated { session } => {
                self.take_back(session, Cause::LostLease, effects);
                // Another start of the same has a seat for it: from here on it is left alone again.
                if self.is_released(session) {
                    self.asked.remove(&(session, Cause::Idle));
                }
            }
            Event::Spared { session } => self.take_back(session, Cause::LostLease, effects),
            Event::Untouched {
                session,
                for_ms,
                rule,
            } => {
                let rule = rule.filter(|rule| for_ms >= rule.after_ms);
                // What another rule does has to be asked for a whole grace before, too.
                if rule.map(|rule| rule.then) != self.asked_of_idle(session) {
                    self.take_back(session, Cause::Idle, effects);
                }
                if let Some(rule) = rule {
                    let key = (session, Cause::Idle);
                    self.ask(boot_ms, key, rule.then, rule.grace_ms, effects);
                }
            }
            Event::Gone { session } => {
                for cause in [Cause::LostLease, Cause::Idle] {
                    self.asked.remove(&(session, cause));
                }
            }
            Event::Woke => self.ask_again(boot_ms, effects),
            Event::Tick => self.tick(boot_ms, effects),
        }
    }

    /// Whether a session's seat was given back because nobody touches it.
    pub fn is_released(&self, session: SessionId) -> bool {
        self.asked
            .get(&(session, Cause::Idle))
            .is_some_and(|asked| asked.done && asked.then == Then::Release)
    }

    /// What is done, or was, with a session that nobody touches; none: its user was not asked.
    pub fn asked_of_idle(&self, session: SessionId) -> Option<Then> {
        let asked = self.asked.get(&(session, Cause::Idle));
        asked.map(|asked| asked.then)
    }

    /// When an [`Event::Tick`] would change something, in milliseconds since boot.
    pub fn next_due_boot_ms(&self) -> Option<u64> {
        let waits = self.asked.values().filter(|asked| !asked.done);
        waits.map(|asked| asked.until_boot_ms).min()
    }

    /// Asks once: to be asked again gives no more time, and no less.
    fn ask(
        &mut self,
        boot_ms: u64,
        key: (SessionId, Cause),
        then: Then,
        grace_ms: u64,
        effects: &mut Vec<Effect>,
    ) {
        if self.asked.contains_key(&key) {
            return;
        }
        let asked = Reminded {
            then,
            grace_ms,
            until_boot_ms: boot_ms.saturating_add(grace_ms),
            done: then == Then::Nothing,
        };
        effects.push(asked.effect(key));
        self.asked.insert(key, asked);
    }

    fn ask_again(&mut self, boot_ms: u64, effects: &mut Vec<Effect>) {
        for (key, asked) in &mut self.asked {
            if !asked.done {
                asked.until_boot_ms = boot_ms.saturating_add(asked.grace_ms);
                effects.push(asked.effect(*key));
            }
        }
    }

    fn take_back(&mut self, session: SessionId, cause: Cause, effects: &mut Vec<Effect>) {
        let Some(asked) = self.asked.remove(&(session, cause)) else {
            return;
        };
        match (asked.done, asked.then) {
            (true, Then::Release) => effects.push(Effect::Reclaim { session }),
            // Its programs are on their way out.
            (true, Then::End) => {}
            _ => effects.push(Effect::TakeBack { session, cause }),
        }
    }

    fn tick(&mut self, boot_ms: u64, effects: &mut Vec<Effect>) {
        for ((session, cause), asked) in &mut self.asked {
            if asked.done || asked.until_boot_ms > boot_ms {
                continue;
            }
            asked.done = true;
            let (session, cause) = (*session, *cause);
            match asked.then {
                Then::Nothing => {}
                Then::Release => effects.push(Effect::Release { session }),
                Then::End => effects.push(Effect::End { session, cause }),
            }
        }
    }
}
