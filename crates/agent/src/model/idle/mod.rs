//! Programs that nobody touches, of products that say something of that (`on_idle`): their user is
//! told first; then their seat is given back, or they are ended.
//!
//! Whom a program belongs to is looked at every few seconds, while there is such a product: its
//! terminals by this agent ([`crate::watch::sense`]), its displays as the helper of its user's
//! session reports ([`displays`]). If nothing is known, it is in use. A program whose seat was
//! given back runs on, and asks for one as soon as somebody is back.

pub(crate) mod displays;
mod notice_text;

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;
use usher_api::{OnIdle, Reason, ReleasedSession};
use usher_core::idle::{known_untouched_ms, untouched_ms};
use usher_core::reminders::{Effect, Event, IdleRule, Then};
use usher_core::sessions::{ProcessKey, Session, SessionId, Stamp, Who};

use self::displays::Displays;
use self::notice_text::Of;
pub(crate) use self::notice_text::Said;
use crate::base::clock::timestamp;
use crate::model::policy::{Rulebook, says_of_idle};
use crate::model::view::View;
use crate::system::accounts::Accounts;
use crate::watch::sense::{IdleQuestion, Places};

/// For how long what was last seen of a session counts, in milliseconds: several looks.
const FRESH_MS: u64 = 10_000;

/// The state of programs that nobody touches.
#[derive(Debug, Default)]
pub(crate) struct Idle {
    pub(crate) displays: Displays,
    /// What was last seen of each session that is looked at.
    looked: FxHashMap<SessionId, Looked>,
    /// Sessions whose seat was given back, and since when.
    released: FxHashMap<SessionId, Stamp>,
    /// Sessions that have asked for a seat again, and have no answer yet.
    back: BTreeSet<SessionId>,
}

/// For how long nobody has touched a session.
#[derive(Debug, Clone, Copy)]
struct Looked {
    /// None: of one of its places nothing is known, or it has none.
    for_ms: Option<u64>,
    /// When it was looked at, on the clock that stands still while the computer sleeps.
    awake_ms: u64,
}

impl Idle {
    /// How many sessions have given their seat back and run on.
    pub(crate) fn count_released(&self) -> u32 {
        u32::try_from(self.released.len()).unwrap_or(u32::MAX)
    }

    /// Notes that the seat of a session was given back.
    pub(crate) fn is_released(&mut self, session: SessionId, now: Stamp) {
        self.back.remove(&session);
        self.released.insert(session, now);
    }

    /// Notes that somebody uses a session again whose seat was given back. True: ask for a seat.
    pub(crate) fn reclaims(&mut self, session: SessionId, view: View<'_>) -> bool {
        self.released.remove(&session);
        let is_seated = view.sessions.get(session).is_none_or(|of| of.seated);
        if !is_seated {
            self.back.insert(session);
        }
        !is_seated
    }

    /// Notes that a session has a seat; answers the text for a user who waits for it.
    pub(crate) fn is_seated(&mut self, session: SessionId, view: View<'_>) -> Option<Said> {
        self.released.remove(&session);
        let was_away = self.back.remove(&session);
        was_away.then(|| say(session, view, notice_text::seated_again))?
    }

    /// Notes that a session was refused a seat; answers the text for a user who waits for it.
    pub(crate) fn is_unseated(
        &mut self,
        session: SessionId,
        reason: Reason,
        ends_in_ms: Option<u64>,
        view: View<'_>,
    ) -> Option<Said> {
        let was_away = self.back.remove(&session);
        let words = |of: Of<'_>| notice_text::unseated(of, reason, ends_in_ms);
        was_away.then(|| say(session, view, words))?
    }

    /// How long nobody has touched sessions, of which it was looked which places they belong to.
    pub(crate) fn untouched(
        &self,
        places: &[Places],
        view: View<'_>,
        awake_ms: u64,
        boot_ms: u64,
    ) -> Vec<Event> {
        let untouched = |of: &Places| {
            let session = view.sessions.get(of.session)?;
            let untouched = untouched_ms(self.each_place(of, session.who, awake_ms));
            Some(Event::Untouched {
                session: session.id,
                for_ms: untouched.min(age_ms(session, boot_ms)),
                rule: self.rule(session, view.rulebook),
            })
        };
        places.iter().filter_map(untouched).collect()
    }

    /// For how long each of these places was not touched; none if nothing is known of it.
    fn each_place<'a>(
        &'a self,
        of: &'a Places,
        who: Who,
        awake_ms: u64,
    ) -> impl Iterator<Item = Option<u64>> + 'a {
        let displays = of.displays.iter();
        let displays = displays.map(move |name| self.displays.of(awake_ms, who, name));
        of.terminals.iter().copied().chain(displays)
    }

    /// Notes for the record how long nobody has touched sessions, of which it was looked which places
    /// they belong to.
    pub(crate) fn note(&mut self, places: &[Places], view: View<'_>, awake_ms: u64, boot_ms: u64) {
        for of in places {
            let Some(session) = view.sessions.get(of.session) else {
                continue;
            };
            let known = known_untouched_ms(self.each_place(of, session.who, awake_ms));
            let looked = Looked {
                for_ms: known.map(|for_ms| for_ms.min(age_ms(session, boot_ms))),
                awake_ms,
            };
            self.looked.insert(session.id, looked);
        }
    }

    /// For how many seconds nobody has touched a session, as it is known now; none: it is not known.
    pub(crate) fn untouched_seconds(&self, session: SessionId, awake_ms: u64) -> Option<u64> {
        let looked = self.looked.get(&session)?;
        let is_fresh = awake_ms.saturating_sub(looked.awake_ms) <= FRESH_MS;
        Some(looked.for_ms.filter(|_| is_fresh)? / 1_000)
    }

    /// What to do with a session that nobody touches; none: nothing.
    pub(crate) fn rule(&self, session: &Session, rulebook: &Rulebook) -> Option<IdleRule> {
        let product = rulebook.product(&session.product)?;
        let has_seat = session.seated || self.released.contains_key(&session.id);
        let then = match product.on_idle {
            OnIdle::Nothing => return None,
            OnIdle::Warn => Then::Nothing,
            // Its seat is held by `usher run`, and not the agent's to give.
            OnIdle::Release if session.cover.is_some() => Then::Nothing,
            // There is none to give back.
            OnIdle::Release if !has_seat => return None,
            OnIdle::Release => Then::Release,
            OnIdle::End if rulebook.may_end(product) => Then::End,
            OnIdle::End => Then::Nothing,
        };
        says_of_idle(product).then(|| IdleRule {
            after_ms: u64::from(product.idle_seconds) * 1_000,
            grace_ms: u64::from(product.grace_seconds) * 1_000,
            then,
        })
    }

    /// Other rules hold: the sessions of which something is asked that these would not do, by
    /// `asked`, which says what is.
    pub(crate) fn spared(
        &self,
        view: View<'_>,
        asked: impl Fn(SessionId) -> Option<Then>,
    ) -> Vec<SessionId> {
        let sessions = view.sessions.open().filter(|session| {
            let then = self.rule(session, view.rulebook).map(|rule| rule.then);
            then != asked(session.id)
        });
        sessions.map(|session| session.id).collect()
    }

    /// The text about an idle session: what will happen, what no longer will, or what has happened.
    pub(crate) fn says(&self, effect: Effect, boot_ms: u64, view: View<'_>) -> Option<Said> {
        match effect {
            Effect::Ask {
                session,
                then,
                until_boot_ms,
                ..
            } => {
                let product = view.sessions.get(session);
                let product = product.and_then(|of| view.rulebook.product(&of.product));
                let idle_seconds = product.map_or(0, |product| product.idle_seconds.into());
                let grace_ms = until_boot_ms.saturating_sub(boot_ms);
                say(session, view, |of| {
                    notice_text::asked(of, idle_seconds, then, grace_ms)
                })
            }
            Effect::TakeBack { session, .. } => {
                let rule = view.sessions.get(session);
                let rule = rule.and_then(|session| self.rule(session, view.rulebook));
                // Of what was only said nothing is to be taken back.
                let rule = rule.filter(|rule| rule.then != Then::Nothing)?;
                say(session, view, |of| notice_text::used_again(of, rule.then))
            }
            Effect::Release { session } => say(session, view, notice_text::released),
            Effect::End { session, .. } => say(session, view, notice_text::ended),
            Effect::Reclaim { .. } => None,
        }
    }

    /// The sessions whose seat was given back, the first one first.
    pub(crate) fn shown_released(
        &self,
        view: View<'_>,
        accounts: &Accounts,
        of: impl Fn(Who) -> bool,
    ) -> Vec<ReleasedSession> {
        let released = self.released.iter();
        let mut released: Vec<(SessionId, Stamp)> = released.map(|(id, at)| (*id, *at)).collect();
        released.sort_unstable_by_key(|(id, since)| (since.boot_ms, *id));
        let mut shown = Vec::new();
        for (id, since) in released {
            let Some(session) = view.sessions.get(id).filter(|session| of(session.who)) else {
                continue;
            };
            shown.push(ReleasedSession {
                product: session.product.to_string(),
                user: accounts.name(session.who.counted),
                since: timestamp(since.wall_ms),
            });
        }
        shown
    }

    /// Notes that a session has ended.
    pub(crate) fn gone(&mut self, session: SessionId) {
        self.looked.remove(&session);
        self.released.remove(&session);
        self.back.remove(&session);
    }
}

/// How old a session is, in milliseconds: it cannot have been left alone for longer.
fn age_ms(session: &Session, boot_ms: u64) -> u64 {
    boot_ms.saturating_sub(session.started.boot_ms)
}

/// The sessions to check, with their processes.
pub(crate) fn looked_at(view: View<'_>) -> Vec<IdleQuestion> {
    let View { sessions, rulebook } = view;
    if !rulebook.has_idle_rules() {
        return Vec::new();
    }
    let says = |session: &&Session| rulebook.product(&session.product).is_some_and(says_of_idle);
    let mut processes: FxHashMap<SessionId, Vec<ProcessKey>> = sessions
        .open()
        .filter(says)
        .map(|session| (session.id, Vec::new()))
        .collect();
    for (session, process) in sessions.members() {
        if let Some(of) = processes.get_mut(&session) {
            of.push(process);
        }
    }
    let asked = processes.into_iter();
    let mut asked: Vec<IdleQuestion> = asked
        .map(|(session, processes)| IdleQuestion { session, processes })
        .collect();
    asked.sort_unstable_by_key(|asked| asked.session);
    asked
}

/// Makes the text for the user of a session; none: there is no such session.
fn say(id: SessionId, view: View<'_>, words: impl FnOnce(Of<'_>) -> Said) -> Option<Said> {
    let session = view.sessions.get(id)?;
    Some(words(Of {
        id: &session.product,
        name: &view.rulebook.product_name(&session.product),
        lease: session.lease.as_deref(),
    }))
}
