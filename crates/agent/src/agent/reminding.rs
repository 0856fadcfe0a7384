//! Carries out decisions about programs that lost their seat or that nobody touches: tells their
//! users, gives seats back, ends programs.

use usher_api::{Reason, ReleasedSession, SyncAction};
use usher_core::idle::Display;
use usher_core::reminders::{Cause, Effect, Event};
use usher_core::sessions::{AccountKey, ProcessKey, SessionId, Who};
use usher_platform::process::Word;

use super::{Agent, ending, release};
use crate::base::clock;
use crate::model::idle::{Said, looked_at};
use crate::model::lost::{self, Lost};
use crate::model::view::View;
use crate::store::outbox::OutboxError;
use crate::system::{procfs, terminal};
use crate::watch::sense::{IdleQuestion, Places};

impl Agent {
    /// What its parts may look at.
    pub(crate) fn view(&self) -> View<'_> {
        View::of(&self.sessions, &self.rulebook)
    }

    /// A server has refused a session a seat: if it had one, that is lost for good.
    pub(crate) fn was_refused(&mut self, id: SessionId, reason: Reason) {
        let Some(session) = self.sessions.get(id) else {
            return;
        };
        let view = View::of(&self.sessions, &self.rulebook);
        let grace_ms = Lost::grace_of_refused(session, view);
        let said = self.idle.is_unseated(id, reason, grace_ms, view);
        self.tell_idle(id, said);
        if let Some(grace_ms) = grace_ms {
            let session = id;
            self.remind(clock::boot_ms(), Event::Lost { session, grace_ms });
        }
    }

    /// A session has a seat.
    pub(crate) fn has_seat(&mut self, session: SessionId) {
        self.remind(clock::boot_ms(), Event::Seated { session });
        let view = View::of(&self.sessions, &self.rulebook);
        let said = self.idle.is_seated(session, view);
        self.tell_idle(session, said);
    }

    /// Other rules hold: what they would not do is not done.
    pub(crate) fn spare_by_rules(&mut self) {
        let view = View::of(&self.sessions, &self.rulebook);
        for session in self.lost.spare(view) {
            self.remind(clock::boot_ms(), Event::Spared { session });
        }
        let asked = |session| self.lost.asked_of_idle(session);
        for session in self.idle.spared(self.view(), asked) {
            self.is_not_idle(session);
        }
    }

    /// What was asked of a session's user is no more; what is asked from now on is asked again.
    fn is_not_idle(&mut self, session: SessionId) {
        let event = Event::Untouched {
            session,
            for_ms: 0,
            rule: None,
        };
        self.remind(clock::boot_ms(), event);
    }

    /// Sends reminders and ends programs that are due at `boot_ms`, milliseconds since boot.
    pub(crate) fn remind_due(&mut self, boot_ms: u64) {
        self.remind(boot_ms, Event::Tick);
        for (session, mut processes) in self.lost.take_due(boot_ms) {
            processes.extend(self.processes_of(session));
            ending::signal_all(&processes, Word::Kill);
        }
    }

    /// The processes of a session, and its helpers, as they are now.
    fn processes_of(&self, session: SessionId) -> Vec<ProcessKey> {
        let identifier = self.shared.as_ref().map(|shared| &shared.identifier);
        ending::processes_of(session, &self.sessions, identifier)
    }

    /// A session's grace is over: its programs are told to end.
    fn end_programs(&mut self, session: SessionId, cause: Cause, boot_ms: u64) {
        let Some(product) = self.sessions.get(session).map(|of| of.product.clone()) else {
            return;
        };
        let processes = self.processes_of(session);
        tracing::warn!(
            session = session.0,
            product = &*product,
            processes = processes.len(),
            ?cause,
            "its grace is over: it is ended"
        );
        ending::signal_all(&processes, Word::End);
        self.lost
            .is_ending(session, product, cause, processes, boot_ms);
    }

    pub(crate) fn remind(&mut self, boot_ms: u64, event: Event) {
        let slept_ms = clock::boot_ms().saturating_sub(clock::awake_ms());
        for effect in self.lost.apply(boot_ms, slept_ms, event) {
            self.carry_out(effect, boot_ms);
        }
    }

    fn carry_out(&mut self, effect: Effect, boot_ms: u64) {
        match effect {
            Effect::Ask {
                session,
                cause: Cause::LostLease,
                until_boot_ms,
                ..
            } => {
                let left_ms = until_boot_ms.saturating_sub(boot_ms);
                self.tell_of(session, |product| lost::asked(product, left_ms));
            }
            Effect::TakeBack {
                session,
                cause: Cause::LostLease,
            } => self.tell_of(session, lost::spared),
            Effect::End { session, cause } => {
                if cause == Cause::Idle {
                    let said = self.idle.says(effect, boot_ms, self.view());
                    self.tell_idle(session, said);
                }
                self.end_programs(session, cause, boot_ms);
            }
            Effect::Release { session } => self.release_idle(session, boot_ms),
            Effect::Reclaim { session } => self.reclaim(session),
            Effect::Ask { session, .. } | Effect::TakeBack { session, .. } => {
                let said = self.idle.says(effect, boot_ms, self.view());
                self.tell_idle(session, said);
            }
        }
    }

    /// The helper of a graphical session of an account reports of a display. False: there is no
    /// room for it.
    pub(crate) fn is_reported(
        &mut self,
        account: AccountKey,
        name: &str,
        awake_ms: u64,
        display: Display,
    ) -> bool {
        self.idle.displays.report(account, name, awake_ms, display)
    }

    /// The sessions of which it is looked whether anybody touches them.
    pub(crate) fn may_be_idle(&self) -> Vec<IdleQuestion> {
        looked_at(self.view())
    }

    /// Takes in which places sessions belong to, and how long nobody has touched these.
    pub(crate) fn left_alone(&mut self, places: &[Places]) {
        let (awake_ms, boot_ms) = (clock::awake_ms(), clock::boot_ms());
        let view = View::of(&self.sessions, &self.rulebook);
        self.idle.note(places, view, awake_ms, boot_ms);
        let untouched = self.idle.untouched(places, self.view(), awake_ms, boot_ms);
        for event in untouched {
            self.remind(boot_ms, event);
        }
    }

    /// A session's grace is over: its seat goes back, and it is asked for no other.
    fn release_idle(&mut self, id: SessionId, boot_ms: u64) {
        let released = match self.leaves_shared(id) {
            // Somebody uses it, by `usher run`.
            Ok(None) => return self.is_not_idle(id),
            Ok(Some(true)) => Ok(()),
            Ok(Some(false)) => self.outbox.change(|change| {
                release(change, SyncAction::Released { session: id.0 }, id.0)?;
                change.forget_seat(id.0)
            }),
            Err(error) => Err(error),
        };
        if let Err(error) = released {
            tracing::error!(%error, session = id.0, "the seat of an idle program is not given back");
            self.is_not_idle(id);
            return;
        }
        self.seats.forget(id);
        if let Err(error) = self.unseat(id) {
            tracing::error!(%error, session = id.0, "the agent's state");
        }
        tracing::info!(session = id.0, "its seat is given back: nobody uses it");
        self.idle.is_released(id, clock::now());
        self.urgent.notify_one();
        let effect = Effect::Release { session: id };
        let said = self.idle.says(effect, boot_ms, self.view());
        self.tell_idle(id, said);
    }

    fn unseat(&mut self, session: SessionId) -> Result<(), OutboxError> {
        self.tell(usher_core::sessions::Event::Unseated { session })?;
        self.save(session)
    }

    /// Somebody is back: a seat is asked for again.
    fn reclaim(&mut self, id: SessionId) {
        let view = View::of(&self.sessions, &self.rulebook);
        if self.idle.reclaims(id, view) {
            self.seats.wanted_again(id, clock::boot_ms());
            self.urgent.notify_one();
        }
    }

    /// Sessions of those people whose seat was given back, oldest first.
    pub(crate) fn shown_released(&self, of: impl Fn(Who) -> bool) -> Vec<ReleasedSession> {
        self.idle
            .shown_released(self.view(), &self.here.accounts, of)
    }

    /// Tells the user of an idle session, on the terminals of its programs and on the desktop.
    fn tell_idle(&mut self, id: SessionId, said: Option<Said>) {
        let (Some(session), Some(said)) = (self.sessions.get(id), said) else {
            return;
        };
        let (who, product) = (session.who, session.product.clone());
        tracing::info!(session = id.0, product = &*product, kind = ?said.kind, "its user is told");
        self.tell_user(id, &said.line);
        let name = self.rulebook.product_name(&product);
        self.notices.say(who, said.news(&product, name));
    }

    fn tell_of(&self, id: SessionId, text: impl Fn(&str) -> String) {
        let Some(session) = self.sessions.get(id) else {
            return;
        };
        tracing::info!(
            session = id.0,
            product = &*session.product,
            "its user is told"
        );
        self.tell_user(id, &text(&session.product));
    }

    /// Tells the user of a session something: on the terminals of its programs.
    fn tell_user(&self, session: SessionId, text: &str) {
        let members = self.sessions.members();
        let pids = members
            .filter(|(of, _)| *of == session)
            .filter(|(_, key)| procfs::still_runs(*key))
            .map(|(_, key)| key.pid);
        terminal::tell_all(pids, text);
    }
}
