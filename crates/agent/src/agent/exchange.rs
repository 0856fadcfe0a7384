//! The exchange with the metering server: what is due, and what an answer means for sessions, their
//! seats, and those who wait.

use usher_api::{ComputerFacts, SYNC_ITEMS_LIMIT, SyncAction, SyncOutcome, Watching};
use usher_core::sessions::{Event, SessionId};

use super::Agent;
use crate::agent::sync::{Answered, Request, Sent};
use crate::base::clock::{self, timestamp};
use crate::model::notices::Denial;
use crate::model::policy::trust::Trust;
use crate::store::outbox::{ItemKind, OutboxError};

#[cfg(test)]
mod tests;

/// Text of items in one request: a body is at most 1 MiB.
const BATCH_BYTES: usize = 900 * 1024;

impl Agent {
    /// The next request: what is due is queued, and the oldest items are numbered.
    pub(crate) fn prepare(
        &mut self,
        watching: Watching,
        limit: usize,
    ) -> Result<(Request, Sent), OutboxError> {
        let now = clock::boot_ms();
        let batch = self.together(|agent| {
            agent.write_down_or_decide();
            agent.queue_due(now)?;
            let limit = limit.min(SYNC_ITEMS_LIMIT);
            agent.outbox.next_batch(limit, BATCH_BYTES)
        })?;
        let sent = Sent {
            items: batch
                .iter()
                .map(|item| (item.sequence, item.kind, item.session))
                .collect(),
            asked_boot_ms: now,
        };
        self.link.unknown.expire(now);
        let unknown = &self.link.unknown;
        let items = batch.into_iter().map(|item| unknown.without(item.json));
        let request = Request {
            computer: unknown.computer_without(ComputerFacts {
                id: self.here.computer.id.clone().into(),
                name: self.here.computer.name.clone().into(),
                machine: self.here.computer.machine.clone().map(Into::into),
                agent_version: env!("CARGO_PKG_VERSION").into(),
                watching,
                enforcement_off: self.enforcement_off().map(Into::into),
                released: self.idle.count_released(),
                ended: self.ended.clone(),
                caught: crate::store::ended::caught(),
                unreached: self.link.unreached.told(timestamp(clock::wall_ms())),
            }),
            incarnation: self.outbox.number("incarnation")?,
            policy_version: match self.rulebook.trust {
                Trust::Signed | Trust::Live => self.rulebook.policy.version,
                // It is to come again, whole.
                Trust::Refused(_) => 0,
            },
            items: items.collect(),
        };
        Ok((request, sent))
    }

    /// Queues renewals that are due or will be soon, and asks again for seats that were refused.
    fn queue_due(&mut self, now: u64) -> Result<(), OutboxError> {
        let due = self.seats.due(now);
        if due.is_empty() {
            return Ok(());
        }
        let awake_ms = clock::awake_ms();
        let mut actions = Vec::new();
        for id in due {
            let seated = self.sessions.get(id).is_some_and(|session| session.seated)
                || self.shares.held.is_left(id);
            if !seated && let Some(lease) = self.run_for(id)? {
                self.join_instead(id, &lease)?;
                continue;
            }
            let action = if seated {
                Some(SyncAction::Renew {
                    session: id.0,
                    untouched_seconds: self.idle.untouched_seconds(id, awake_ms),
                })
            } else {
                self.checkout_action(id)
            };
            actions.push((id, seated, action));
        }
        self.outbox.change(|change| {
            for (id, seated, action) in &actions {
                let kind = if *seated {
                    ItemKind::Renew
                } else {
                    ItemKind::Checkout
                };
                if let Some(action) = action
                    && !change.waits(kind, id.0)?
                {
                    change.enqueue(action)?;
                }
            }
            Ok(())
        })?;
        for (id, _, _) in actions {
            self.seats.on_its_way(id, now);
        }
        Ok(())
    }

    /// Writes what is not on disk yet. While the disk takes nothing, starts that wait for what
    /// cannot be asked go by the policy.
    fn write_down_or_decide(&mut self) {
        let Err(error) = self.write_down() else {
            return;
        };
        tracing::error!(%error, "what was seen is kept in memory until it can be written");
        if let Err(error) = self.let_go(false) {
            tracing::error!(%error, "the agent's state");
        }
    }

    /// Takes in an answer. False: the server did not take all that was sent.
    pub(crate) fn digest(&mut self, sent: &Sent, answered: Answered) -> Result<bool, OutboxError> {
        let life = self.link.life;
        let taken = self.together(|agent| {
            // What was asked again meanwhile has to be known.
            agent.write_down_or_decide();
            agent.take_answer(sent, answered)
        });
        if taken.is_err() {
            // What a new life takes may not be on disk: it is noticed again with the next answer.
            self.link.life = life;
        }
        taken
    }

    fn take_answer(&mut self, sent: &Sent, answered: Answered) -> Result<bool, OutboxError> {
        let Answered {
            answer,
            policy_text,
        } = answered;
        self.link.answered();
        let ahead = self.outbox.number("last_sequence")?;
        if answer.acknowledged > ahead {
            // The state of this agent is older than what the server has seen: a restored backup.
            tracing::warn!(
                "the server has newer records of this agent than the agent itself; numbers start again"
            );
            self.begin_incarnation()?;
            return Ok(true);
        }
        if self.link.life != answer.incarnation {
            self.link.unknown.forget();
        }
        let is_new_life = self.notice_life(&answer)?;
        let took_all = sent
            .items
            .last()
            .is_none_or(|(last, ..)| *last <= answer.acknowledged);
        for result in &answer.results {
            let item = sent
                .items
                .iter()
                .find(|(sequence, ..)| *sequence == result.sequence);
            let Some((sequence, kind, session)) = item else {
                continue;
            };
            if let SyncOutcome::Rejected { detail } = &result.outcome {
                let is_for_a_field = self.link.unknown.learn(detail, sent.asked_boot_ms);
                match is_for_a_field {
                    true => self.outbox.change(|change| change.send_anew(*sequence))?,
                    false => {
                        tracing::error!(sequence, ?kind, detail, "the server refuses a record");
                        self.outbox.change(|change| change.drop_item(*sequence))?;
                    }
                }
            }
            if let (Some(session), ItemKind::Checkout | ItemKind::Renew) = (session, kind) {
                self.on_outcome(SessionId(*session), &result.outcome, sent.asked_boot_ms)?;
            }
        }
        self.acknowledge(sent, answer.acknowledged)?;
        if is_new_life {
            self.show_leases()?;
        }
        self.notice_server(&answer.server)?;
        self.rulebook.server_signs = answer.policy_key.is_some();
        if let Some(policy) = policy_text {
            self.take_policy(&policy, answer.policy_key, answer.policy_signature)?;
        }
        Ok(took_all)
    }

    /// Forgets what the server has, and writes down the seats that it has just confirmed.
    fn acknowledge(&mut self, sent: &Sent, up_to: u64) -> Result<(), OutboxError> {
        let mut confirmed = Vec::new();
        for (_, kind, session) in &sent.items {
            if let (Some(session), ItemKind::Checkout | ItemKind::Renew) = (session, kind) {
                let id = SessionId(*session);
                confirmed.push((id, self.seats.to_save(id)));
            }
        }
        self.outbox.change(|change| {
            for (id, seat) in &confirmed {
                match seat {
                    Some(seat) => change.save_seat(seat)?,
                    None => change.forget_seat(id.0)?,
                }
            }
            change.acknowledge(up_to)
        })
    }

    fn on_outcome(
        &mut self,
        id: SessionId,
        outcome: &SyncOutcome,
        asked: u64,
    ) -> Result<(), OutboxError> {
        if self.shares.held.is_left(id) {
            return self.on_outcome_of_left(id, outcome, asked);
        }
        if self.sessions.get(id).is_none() || self.seats.get(id).is_none() {
            return Ok(());
        }
        let is_granted = matches!(outcome, SyncOutcome::Granted { .. });
        if !is_granted && self.outbox.change(|change| change.is_to_ask(id.0))? {
            // It is asked again since, as by a start that waits: that answer counts.
            return Ok(());
        }
        if let Some(lease) = self.joins_after(id, outcome)? {
            return self.join_instead(id, &lease);
        }
        let now = clock::now();
        // Of what it does not know it is asked again, by those who wait, too.
        if !matches!(outcome, SyncOutcome::UnknownSession) {
            self.held.answered(id);
        }
        if matches!(
            outcome,
            SyncOutcome::Unseated { .. }
                | SyncOutcome::UnknownProduct
                | SyncOutcome::Denied { .. }
                | SyncOutcome::Undecided
        ) {
            self.takes_no_kept(id)?;
        }
        match outcome {
            SyncOutcome::Granted {
                lease: granted,
                ttl_seconds,
            } => {
                self.seats.granted(id, *ttl_seconds, asked, now);
                let lease = granted.as_str().into();
                self.tell(Event::Seated { session: id, lease })?;
                self.has_seat(id);
                self.save(id)?;
                self.seated(id, granted)?;
                self.shares.uses.has_changed();
            }
            SyncOutcome::Renewed { ttl_seconds } => {
                self.seats.renewed(id, *ttl_seconds, asked);
            }
            SyncOutcome::Unseated {
                undecided: true, ..
            } => {
                self.seats.undecided(id, now.boot_ms);
                self.runs_unseated(id)?;
            }
            SyncOutcome::Unseated { reason, .. } => {
                self.seats.refused(id, now.boot_ms);
                self.runs_unseated(id)?;
                self.was_refused(id, *reason);
            }
            SyncOutcome::UnknownProduct => {
                self.seats.refused(id, now.boot_ms);
                self.runs_unseated(id)?;
            }
            SyncOutcome::Denied {
                reason,
                detail,
                decision_id,
            } => {
                self.seats.refused(id, now.boot_ms);
                let denial = Denial {
                    reason: *reason,
                    detail: detail.clone(),
                    decision: decision_id.clone(),
                };
                self.held.denied(id, denial);
                self.tell(Event::Denied { session: id })?;
                self.was_refused(id, *reason);
                self.save(id)?;
            }
            SyncOutcome::Undecided => {
                self.seats.refused(id, now.boot_ms);
                self.tell(Event::Unreachable { session: id })?;
                self.save(id)?;
            }
            SyncOutcome::UnknownSession => {
                self.tell(Event::Unseated { session: id })?;
                self.save(id)?;
                self.ask_anew(id)?;
            }
            SyncOutcome::Done | SyncOutcome::Rejected { .. } => {}
        }
        Ok(())
    }

    /// The lease of a `usher run` of the same use, which has it since the session has asked.
    fn joins_after(
        &self,
        id: SessionId,
        outcome: &SyncOutcome,
    ) -> Result<Option<String>, OutboxError> {
        let is_decided = match outcome {
            SyncOutcome::Granted { .. }
            | SyncOutcome::Unseated { .. }
            | SyncOutcome::Denied { .. }
            | SyncOutcome::Undecided
            | SyncOutcome::UnknownSession => true,
            SyncOutcome::Renewed { .. }
            | SyncOutcome::UnknownProduct
            | SyncOutcome::Done
            | SyncOutcome::Rejected { .. } => false,
        };
        match is_decided {
            true => self.run_for(id),
            false => Ok(None),
        }
    }

    /// Of a seat that stays for who runs on it while its session has ended.
    fn on_outcome_of_left(
        &mut self,
        id: SessionId,
        outcome: &SyncOutcome,
        asked: u64,
    ) -> Result<(), OutboxError> {
        match outcome {
            SyncOutcome::Renewed { ttl_seconds } => self.seats.renewed(id, *ttl_seconds, asked),
            SyncOutcome::UnknownSession => self.left_is_lost(id)?,
            // An answer to what the session itself had asked.
            _ => {}
        }
        Ok(())
    }

    fn runs_unseated(&mut self, id: SessionId) -> Result<(), OutboxError> {
        self.tell(match self.sessions.is_asking(id) {
            // It is no (longer) held, or the server does not know of gates.
            true => Event::Ungated { session: id },
            false => Event::Unseated { session: id },
        })?;
        self.save(id)
    }

    pub(crate) fn tell(&mut self, event: Event) -> Result<(), OutboxError> {
        let mut effects = Vec::new();
        self.sessions.apply(clock::now(), event, &mut effects);
        self.write(effects)
    }

    pub(crate) fn save(&mut self, id: SessionId) -> Result<(), OutboxError> {
        let Some(session) = self.sessions.get(id) else {
            return Ok(());
        };
        let members: Vec<_> = self
            .sessions
            .known_by()
            .filter(|(of, _)| *of == id)
            .map(|(_, key)| key)
            .collect();
        self.outbox
            .change(|change| change.save_session(session, &members))
    }

    fn ask_anew(&mut self, id: SessionId) -> Result<(), OutboxError> {
        let lives = self.lease_shown(id).is_some();
        let Some(action) = self.checkout_action(id) else {
            return Ok(());
        };
        self.seats.asked_anew(id, lives);
        self.outbox.change(|change| {
            change.take_back(ItemKind::Renew, id.0)?;
            change.enqueue(&action)
        })
    }

    /// Another server knows none of the sessions: all seats are asked for again.
    fn notice_server(&mut self, server: &str) -> Result<(), OutboxError> {
        let known = self.outbox.meta("server")?;
        if known.as_deref() == Some(server) {
            return Ok(());
        }
        self.outbox
            .change(|change| change.set_meta("server", server))?;
        if known.is_some() {
            tracing::warn!(server, "another server answers: asking for all seats again");
            for (_, left) in self.shares.held.left() {
                self.left_is_lost(left)?;
            }
            for id in self.seats.sessions() {
                self.tell(Event::Unseated { session: id })?;
                // A lease of one server is none to another.
                self.seats.lost(id);
                self.ask_anew(id)?;
            }
        }
        Ok(())
    }

    /// Numbers begin again at 1, in an incarnation that no server has seen.
    pub(crate) fn begin_incarnation(&mut self) -> Result<(), OutboxError> {
        let last = self.outbox.number("incarnation")?;
        let now = u64::try_from(clock::wall_ms()).unwrap_or(0);
        self.outbox
            .change(|change| change.begin_incarnation(now.max(last + 1)))
    }

    /// An item that makes a whole request unacceptable is left out for good.
    pub(crate) fn drop_poison(&mut self, sent: &Sent, why: &str) -> Result<(), OutboxError> {
        let Some((sequence, kind, _)) = sent.items.first() else {
            return Ok(());
        };
        tracing::error!(
            sequence,
            ?kind,
            why,
            "the server refuses a record; it is dropped"
        );
        self.outbox.change(|change| change.drop_item(*sequence))
    }
}
