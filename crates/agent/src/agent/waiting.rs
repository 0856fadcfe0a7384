//! Carries out decisions about seats that people wait for: gives back what they held, records it,
//! and tells them.

use usher_core::sessions::{AccountKey, Effect, ProcessKey, Session, SessionId, Who};

use super::Agent;
use crate::model::notices::{self, News};
use crate::model::waits::{Stage, TooMany, Wait, Waits};
use crate::store::outbox::OutboxError;

impl Agent {
    /// Takes up the waits of the agent's former run. Those of another boot are over: what they
    /// held goes back.
    pub(crate) fn take_up_waits(&mut self) -> Result<(), OutboxError> {
        let (outbox, sessions) = (&self.outbox, &self.sessions);
        match self.waits.take_up(outbox, &self.boot_id, sessions)? {
            Some(leases) => self
                .outbox
                .change(|change| Waits::are_over(&leases, change)),
            None => Ok(()),
        }
    }

    /// Somebody waits for a product from now on, by `process` if there is one; `ends`: until the last
    /// such process ends. The number of a new wait, or the wait that there is already.
    pub(crate) fn begin_wait(
        &mut self,
        who: Who,
        product: &str,
        process: Option<ProcessKey>,
        ends: bool,
    ) -> Result<Result<u64, Wait>, TooMany> {
        let begun = self.waits.begin(who, product)?;
        if let Some(process) = process {
            self.waits.tells(product, who.counted, process);
        }
        match (&begun, ends) {
            (Ok(number), true) => self.waits.bind(*number),
            // It goes on for whoever began it.
            (Err(_), true) => {}
            (_, false) => self.waits.unbind(product, who.counted),
        }
        Ok(begun)
    }

    /// A process does not wait any more. The wait to end: none if another of the same person goes on.
    pub(crate) fn leaves_wait(
        &mut self,
        product: &str,
        counted: AccountKey,
        process: Option<ProcessKey>,
    ) -> Option<u64> {
        self.waits.leaves(product, counted, process)
    }

    /// A session has a seat: its person waits no more. A lease that was kept and is not that seat
    /// goes back.
    pub(crate) fn seated(&mut self, session: SessionId, lease: &str) -> Result<(), OutboxError> {
        let session = self.sessions.get(session);
        let wait = session.and_then(|of| self.waits.of(&of.product, of.who.counted));
        match wait.map(|wait| wait.number) {
            Some(number) => self.end_seated(number, lease),
            None => Ok(()),
        }
    }

    /// Ends a wait, as its person has a seat by that lease: another that is kept goes back. Who waits
    /// yet, or does not know that the seat came, is told that they need not wait.
    pub(crate) fn end_seated(&mut self, number: u64, lease: &str) -> Result<(), OutboxError> {
        let is_told = |wait: &Wait| matches!(&wait.stage, Stage::Kept(kept) if kept.is_told);
        let waits_yet = self.waits.get(number).is_some_and(|wait| !is_told(wait));
        let news: Option<fn(&str, &str) -> News> = waits_yet.then_some(notices::seated);
        self.end_wait(number, Some(lease), news)
    }

    /// Ends a wait: a lease that it kept goes back, unless it is `but`. Its person is told `news`.
    pub(crate) fn end_wait(
        &mut self,
        number: u64,
        but: Option<&str>,
        news: Option<fn(&str, &str) -> News>,
    ) -> Result<(), OutboxError> {
        let Some(wait) = self.waits.remove(number) else {
            return Ok(());
        };
        if let Some(news) = news {
            let name = self.rulebook.product_name(&wait.product);
            self.notices.say(wait.who, news(&wait.product, &name));
        }
        if let Some(lease) = wait.stage.lease() {
            let kept = match but == Some(lease) {
                true => notices::Kept::Used,
                false => notices::Kept::GoneBack,
            };
            self.notices.is_over(wait.who, &wait.product, kept);
        }
        let lease = wait.stage.lease().filter(|lease| but != Some(lease));
        let (waits, boot_id) = (&self.waits, &self.boot_id);
        self.outbox.change(|change| {
            if let Some(lease) = lease {
                change.leave_behind(lease)?;
            }
            waits.write(boot_id, change)
        })
    }

    /// A wait goes on. False: it has ended meanwhile. A seat that is kept is for what its person runs
    /// without one; else they are told of it.
    pub(crate) fn set_stage(&mut self, number: u64, stage: Stage) -> Result<bool, OutboxError> {
        let Some(wait) = self.waits.set_stage(number, stage).cloned() else {
            return Ok(false);
        };
        let (waits, boot_id) = (&self.waits, &self.boot_id);
        self.outbox.change(|change| waits.write(boot_id, change))?;
        if let Stage::Kept(_) = wait.stage
            && !self.gives_to_running(&wait)?
        {
            self.tells_of_kept(number)?;
        }
        Ok(true)
    }

    /// Has a program of the wait's person that runs without a seat take the one that is kept. False:
    /// there is none.
    fn gives_to_running(&mut self, wait: &Wait) -> Result<bool, OutboxError> {
        // A server of before takes no claims.
        if !self.link.knows_gates() {
            return Ok(false);
        }
        let is_it = |session: &&Session| {
            !session.seated
                && *session.product == *wait.product
                && session.who.counted == wait.who.counted
                && session.cover.is_none()
                && !self.sessions.is_asking(session.id)
                && self.seats.get(session.id).is_some()
        };
        let Some(session) = self.sessions.open().find(is_it).map(|it| it.id) else {
            return Ok(false);
        };
        let wants = Effect::WantLease {
            session,
            gate: false,
        };
        self.write(vec![wants])?;
        self.urgent.notify_one();
        Ok(self.waits.is_taken_by(session))
    }

    /// A person is told that a seat is kept for them.
    pub(crate) fn tells_of_kept(&mut self, number: u64) -> Result<(), OutboxError> {
        let Some(wait) = self.waits.is_told(number) else {
            return Ok(());
        };
        let name = self.rulebook.product_name(&wait.product);
        let seconds = self.rulebook.claim_seconds(&wait.product);
        self.notices
            .say(wait.who, notices::free(&wait.product, &name, seconds));
        let (waits, boot_id) = (&self.waits, &self.boot_id);
        self.outbox.change(|change| waits.write(boot_id, change))
    }

    /// A session was not given a seat, nor the one that it has taken, which is kept on for a start.
    pub(super) fn takes_no_kept(&mut self, session: SessionId) -> Result<(), OutboxError> {
        if !self.waits.is_taken_by(session) {
            return Ok(());
        }
        self.waits.leave(session);
        let (waits, boot_id) = (&self.waits, &self.boot_id);
        self.outbox.change(|change| waits.write(boot_id, change))
    }
}

#[cfg(test)]
mod tests {
    use usher_core::sessions::Who;

    use super::*;
    use crate::model::waits::Kept;
    use crate::store::outbox::Change;

    const ANNA: Who = Who {
        counted: AccountKey::new(1),
        real: AccountKey::new(1),
    };

    fn kept(waits: &mut Waits) {
        let number = waits.begin(ANNA, "cad").unwrap().unwrap();
        let stage = Stage::Kept(Kept {
            lease: "L1".to_owned(),
            ttl_seconds: 300,
            until_boot_ms: 1,
            taken_by: None,
            is_told: true,
        });
        waits.set_stage(number, stage).unwrap();
    }

    /// An agent with a seat that is kept, as a former run wrote it down in some boot.
    fn agent_of_boot(folder: &std::path::Path, boot_id: &str) -> Agent {
        let mut agent = Agent::open(folder, &folder.join("no-machine-id"), None, None).unwrap();
        let mut waits = Waits::new();
        kept(&mut waits);
        let write = |change: &Change<'_>| waits.write(boot_id, change);
        agent.outbox.change(write).unwrap();
        agent.take_up_waits().unwrap();
        agent
    }

    #[test]
    fn a_kept_seat_outlives_the_agent_and_goes_back_after_a_boot() {
        let folder = tempfile::tempdir().unwrap();
        let mut agent = agent_of_boot(folder.path(), &crate::base::clock::boot_id());
        assert_eq!(agent.outbox.left_behind().unwrap(), [] as [String; 0]);
        let taken = agent.waits.take("cad", ANNA, SessionId(1));
        assert_eq!(taken.as_deref(), Some("L1"));

        let folder = tempfile::tempdir().unwrap();
        let mut agent = agent_of_boot(folder.path(), "another");
        assert_eq!(agent.outbox.left_behind().unwrap(), ["L1"]);
        assert_eq!(agent.waits.take("cad", ANNA, SessionId(1)), None);
    }

    #[test]
    fn who_has_a_seat_in_another_way_is_told_that_they_wait_no_more() {
        let ticket = Stage::Queued {
            ticket: "T1".into(),
        };
        for (stage, told) in [
            (
                Some(Stage::Asking),
                vec!["You no longer wait for a seat of cad"],
            ),
            (Some(ticket), vec!["You no longer wait for a seat of cad"]),
            // Who uses what is kept for them knows that they do.
            (None, vec!["A seat of cad was free"]),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let machine = folder.path().join("no-machine-id");
            let mut agent = Agent::open(folder.path(), &machine, None, None).unwrap();
            let number = agent.waits.begin(ANNA, "cad").unwrap().unwrap();
            let stage = stage.unwrap_or_else(|| {
                Stage::Kept(Kept {
                    lease: "L1".to_owned(),
                    ttl_seconds: 300,
                    until_boot_ms: 1,
                    taken_by: None,
                    is_told: false,
                })
            });
            agent.set_stage(number, stage).unwrap();
            agent.end_seated(number, "L1").unwrap();
            let notices = agent.notices.of(AccountKey::new(1), None);
            let titles: Vec<&str> = notices.iter().map(|notice| &*notice.title).collect();
            assert_eq!(titles, told);
            assert!(agent.waits.get(number).is_none());
        }
    }

    #[test]
    fn a_wait_that_ends_gives_back_what_it_kept_and_nothing_else() {
        for (but, left) in [
            (Some("L1"), &[][..]),
            (Some("L2"), &["L1"]),
            (None, &["L1"]),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let mut agent = agent_of_boot(folder.path(), &crate::base::clock::boot_id());
            let number = agent.waits.numbers()[0];
            agent.end_wait(number, but, None).unwrap();
            assert_eq!(agent.outbox.left_behind().unwrap(), left);
            agent.take_up_waits().unwrap();
            assert!(
                agent.waits.numbers().is_empty(),
                "it is written down as over"
            );
        }
    }
}
