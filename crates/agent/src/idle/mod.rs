//! Programs that nobody touches, of products that say something of that (`on_idle`): their user is
//! told first; then their seat is given back, or they are ended.
//!
//! Whom a program belongs to is looked at every few seconds, while there is such a product: its
//! terminals by this agent ([`sense`]), its displays as the helper of its user's session reports
//! ([`displays`]). Where nothing is known, it is in use. A program whose seat was given back runs
//! on, and asks for one as soon as somebody is back.

pub(crate) mod displays;
mod sense;
mod words;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustc_hash::FxHashMap;
use tokio::sync::watch;
use usher_api::{Mode, OnIdle, Product, Reason, ReleasedSession, SyncAction};
use usher_core::idle::untouched_ms;
use usher_core::reminders::{Effect, Event, IdleRule, Then};
use usher_core::sessions::{ProcessKey, Session, SessionId, Stamp, Who};

use self::displays::Displays;
use self::sense::{Asked, Places, Sensor};
use crate::agent::{Agent, due_at, release, timestamp};
use crate::outbox::OutboxError;
use crate::{clock, lock};

/// How often programs are looked at.
const LOOK: Duration = Duration::from_secs(2);
/// How soon it is seen that a product says something of idle programs.
const LOOK_FOR_RULES: Duration = Duration::from_secs(5);

/// What is known of programs that nobody touches.
#[derive(Debug, Default)]
pub(crate) struct Idle {
    pub(crate) displays: Displays,
    /// Sessions whose seat was given back, and since when.
    released: FxHashMap<SessionId, Stamp>,
    /// Sessions that have asked for a seat again, and have no answer yet.
    back: BTreeSet<SessionId>,
}

impl Idle {
    /// How many sessions have given their seat back and run on.
    pub(crate) fn count_released(&self) -> u32 {
        u32::try_from(self.released.len()).unwrap_or(u32::MAX)
    }

    /// A session has ended.
    pub(crate) fn gone(&mut self, session: SessionId) {
        self.released.remove(&session);
        self.back.remove(&session);
    }
}

/// Looks after idle programs until told to stop. Files of processes are read beside: whatever one
/// of them is kept waiting by, nothing else is.
pub(crate) async fn run(agent: Arc<Mutex<Agent>>, mut stop: watch::Receiver<bool>) {
    let sensor = Arc::new(Mutex::new(Sensor::default()));
    loop {
        let pause = match lock(&agent).has_idle_rules() {
            true => LOOK,
            false => LOOK_FOR_RULES,
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stop.changed() => return,
        }
        let asked = lock(&agent).may_be_idle();
        if asked.is_empty() {
            continue;
        }
        let sensor = sensor.clone();
        let looked = tokio::task::spawn_blocking(move || lock(&sensor).look(asked));
        tokio::select! {
            places = looked => match places {
                Ok(places) => lock(&agent).left_alone(places),
                Err(error) => tracing::error!(%error, "idle programs cannot be looked at"),
            },
            _ = stop.changed() => return,
        }
    }
}

impl Agent {
    /// Whether a product says something of idle programs.
    pub(crate) fn has_idle_rules(&self) -> bool {
        self.policy.products.iter().any(says_of_idle)
    }

    /// The sessions that are looked at, with their processes.
    fn may_be_idle(&self) -> Vec<Asked> {
        if !self.has_idle_rules() {
            return Vec::new();
        }
        let says = |session: &&Session| self.product(&session.product).is_some_and(says_of_idle);
        let sessions = self.sessions.open().filter(says);
        let mut processes: FxHashMap<SessionId, Vec<ProcessKey>> =
            sessions.map(|session| (session.id, Vec::new())).collect();
        for (session, process) in self.sessions.members() {
            if let Some(of) = processes.get_mut(&session) {
                of.push(process);
            }
        }
        let asked = processes.into_iter();
        let mut asked: Vec<Asked> = asked
            .map(|(session, processes)| Asked { session, processes })
            .collect();
        asked.sort_unstable_by_key(|asked| asked.session);
        asked
    }

    /// Takes in which places sessions belong to, and how long nobody has touched these.
    fn left_alone(&mut self, places: Vec<Places>) {
        let (awake_ms, boot_ms) = (clock::awake_ms(), clock::boot_ms());
        for of in places {
            let Some(session) = self.sessions.get(of.session) else {
                continue;
            };
            let displays = of.displays.iter();
            let displays = displays.map(|name| self.idle.displays.of(awake_ms, session.who, name));
            let untouched = untouched_ms(of.terminals.iter().copied().chain(displays));
            // It cannot have been left alone before it was there.
            let age = boot_ms.saturating_sub(session.started.boot_ms);
            let event = Event::Untouched {
                session: session.id,
                for_ms: untouched.min(age),
                rule: self.idle_rule(session),
            };
            self.remind(boot_ms, event);
        }
    }

    /// Other rules hold: what they would not do is not done.
    pub(crate) fn spare_idle_by_rules(&mut self) {
        let sessions = self.sessions.open();
        let spared = sessions.filter(|session| {
            let then = self.idle_rule(session).map(|rule| rule.then);
            then != self.lost.asked_of_idle(session.id)
        });
        let spared: Vec<SessionId> = spared.map(|session| session.id).collect();
        for session in spared {
            self.is_not_idle(session);
        }
    }

    /// What was asked of a session's user is no more; what is asked from now on is asked anew.
    fn is_not_idle(&mut self, session: SessionId) {
        let event = Event::Untouched {
            session,
            for_ms: 0,
            rule: None,
        };
        self.remind(clock::boot_ms(), event);
    }

    /// What is done with a session that nobody touches; none: nothing.
    pub(crate) fn idle_rule(&self, session: &Session) -> Option<IdleRule> {
        let product = self.product(&session.product)?;
        let has_seat = session.seated || self.idle.released.contains_key(&session.id);
        let then = match product.on_idle {
            OnIdle::Nothing => return None,
            OnIdle::Warn => Then::Nothing,
            // Its seat is held by `usher run`, and not the agent's to give.
            OnIdle::Release if session.cover.is_some() => Then::Nothing,
            // There is none to give back.
            OnIdle::Release if !has_seat => return None,
            OnIdle::Release => Then::Release,
            OnIdle::End if self.may_end(product) => Then::End,
            OnIdle::End => Then::Nothing,
        };
        says_of_idle(product).then(|| IdleRule {
            after_ms: u64::from(product.idle_seconds) * 1_000,
            grace_ms: u64::from(product.grace_seconds) * 1_000,
            then,
        })
    }

    /// Whether programs of a product may be ended: what is only tracked, and a computer whose
    /// enforcement is off, end nobody's.
    pub(crate) fn may_end(&self, product: &Product) -> bool {
        let is_off = self.enforcement.state().why_off().is_some();
        product.mode == Mode::Enforce && !is_off
    }

    /// A session's grace is over: its seat goes back, and it is asked for no other.
    fn release_idle(&mut self, id: SessionId) {
        let released = self.outbox.change(|change| {
            release(change, SyncAction::Released { session: id.0 }, id.0)?;
            change.forget_seat(id.0)
        });
        if let Err(error) = released {
            tracing::error!(%error, session = id.0, "the seat of an idle program is not given back");
            self.is_not_idle(id);
            return;
        }
        self.seats.remove(&id);
        if let Err(error) = self.unseat(id) {
            tracing::error!(%error, session = id.0, "the agent's state");
        }
        tracing::info!(session = id.0, "its seat is given back: nobody uses it");
        self.idle.back.remove(&id);
        self.idle.released.insert(id, clock::now());
        self.urgent.notify_one();
        self.tell_idle(id, words::released);
    }

    /// Somebody is back: a seat is asked for again.
    fn reclaim(&mut self, id: SessionId) {
        self.idle.released.remove(&id);
        let is_seated = self.sessions.get(id).is_none_or(|session| session.seated);
        if is_seated {
            return;
        }
        self.seats.entry(id).or_insert(due_at(clock::boot_ms()));
        self.idle.back.insert(id);
        self.urgent.notify_one();
    }

    /// A session has a seat, which somebody who was away may wait for.
    pub(crate) fn is_seated_again(&mut self, id: SessionId) {
        self.idle.released.remove(&id);
        if self.idle.back.remove(&id) {
            self.tell_idle(id, words::seated_again);
        }
    }

    /// A session was refused a seat, which somebody who was away may wait for.
    pub(crate) fn is_unseated(&mut self, id: SessionId, reason: Reason, ends_in_ms: Option<u64>) {
        if self.idle.back.remove(&id) {
            self.tell_idle(id, |of| words::unseated(of, reason, ends_in_ms));
        }
    }

    /// Tells what is to become of an idle session, what no longer is, and what has.
    pub(crate) fn remind_idle(&mut self, effect: Effect, boot_ms: u64) {
        match effect {
            Effect::Ask {
                session,
                then,
                until_boot_ms,
                ..
            } => {
                let product = self.sessions.get(session).map(|of| of.product.clone());
                let product = product.and_then(|product| self.product(&product));
                let idle_seconds = product.map_or(0, |product| product.idle_seconds.into());
                let grace_ms = until_boot_ms.saturating_sub(boot_ms);
                self.tell_idle(session, |of| words::asked(of, idle_seconds, then, grace_ms));
            }
            Effect::TakeBack { session, .. } => {
                let rule = self.sessions.get(session);
                let rule = rule.and_then(|session| self.idle_rule(session));
                // Of what was only said nothing is to be taken back.
                if let Some(rule) = rule.filter(|rule| rule.then != Then::Nothing) {
                    self.tell_idle(session, |of| words::used_again(of, rule.then));
                }
            }
            Effect::Release { session } => self.release_idle(session),
            Effect::Reclaim { session } => self.reclaim(session),
            Effect::End { session, .. } => self.tell_idle(session, words::ended),
        }
    }

    /// Sessions of those people whose seat was given back, the first such first.
    pub(crate) fn shown_released(&self, of: impl Fn(Who) -> bool) -> Vec<ReleasedSession> {
        let released = self.idle.released.iter();
        let mut released: Vec<(SessionId, Stamp)> = released.map(|(id, at)| (*id, *at)).collect();
        released.sort_unstable_by_key(|(id, since)| (since.boot_ms, *id));
        let mut shown = Vec::new();
        for (id, since) in released {
            let Some(session) = self.sessions.get(id).filter(|session| of(session.who)) else {
                continue;
            };
            shown.push(ReleasedSession {
                product: session.product.to_string(),
                user: self.accounts.name(session.who.counted),
                since: timestamp(since.wall_ms),
            });
        }
        shown
    }

    fn unseat(&mut self, session: SessionId) -> Result<(), OutboxError> {
        self.tell(usher_core::sessions::Event::Unseated { session })?;
        self.save(session)
    }
}

fn says_of_idle(product: &Product) -> bool {
    product.on_idle != OnIdle::Nothing && product.idle_seconds > 0
}
