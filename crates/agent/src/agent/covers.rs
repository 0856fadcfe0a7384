//! Leases that `usher run` holds for all that a process starts: they begin, and end, for sessions and
//! on disk.

use std::collections::BTreeSet;

use usher_core::identify::ProgramRole;
use usher_core::sessions::{Counting, Event, Process, ProcessKey, Program, Use, Who};

use super::Agent;
use crate::base::clock;
use crate::store::outbox::{Cover, OutboxError};
use crate::watch::ObservedEvent;

impl Agent {
    /// A local user's `usher run` holds a lease for all that `root` starts.
    pub(crate) fn cover(&mut self, cover: Cover) -> Result<(), OutboxError> {
        let (boot_id, seen) = (&self.boot_id, self.watched_until.unwrap_or_else(clock::now));
        self.outbox.change(|change| {
            change.save_cover(&cover)?;
            // A cover ends with its boot. This notes the boot even if nothing else is stored in it.
            change.seen_running(boot_id, seen)
        })?;
        if let Some(shared) = &self.shared {
            shared.cover(cover.root);
        }
        let mut effects = Vec::new();
        self.sessions
            .apply(clock::now(), covered(&cover), &mut effects);
        self.write(effects)?;
        self.offer(&cover)
    }

    /// A `usher run` runs on a seat that was kept for its start: that is a use of the product for as long
    /// as it runs, whatever its command is. Programs of the product below it are of the same use.
    /// `process` is the root of its cover.
    pub(crate) fn uses_kept(&mut self, process: Process) -> Result<(), OutboxError> {
        let root = process.key;
        self.tell(Event::Runs(process))?;
        let session = self.sessions.members().find(|(_, key)| *key == root);
        // An agent that is started anew knows by it that the use goes on.
        session.map_or(Ok(()), |(session, _)| self.save(session))
    }

    /// The root of a cover has ended, which no watcher may have seen.
    pub(crate) fn root_has_ended(&mut self, pid: u32) -> Result<(), OutboxError> {
        let (at, event) = (clock::now(), Event::Exited { pid });
        self.take_in(&mut vec![ObservedEvent { at, event }])
    }

    /// Ends the covers of processes that are covered by none but these leases.
    pub(crate) fn leases_are_gone(&mut self, gone: &BTreeSet<String>) -> Result<(), OutboxError> {
        self.covers_are_over(gone)?;
        self.are_gone(gone)
    }

    fn covers_are_over(&mut self, gone: &BTreeSet<String>) -> Result<(), OutboxError> {
        let covers = self.outbox.covers()?;
        let held: BTreeSet<u32> = covers
            .iter()
            .filter(|cover| !gone.contains(&cover.lease))
            .map(|cover| cover.root.pid)
            .collect();
        let ended: BTreeSet<u32> = covers
            .iter()
            .map(|cover| cover.root.pid)
            .filter(|pid| !held.contains(pid))
            .collect();
        if ended.is_empty() {
            return Ok(());
        }
        let mut effects = Vec::new();
        for pid in &ended {
            tracing::info!(pid, "a lease has ended, and its cover with it");
            // For the sessions this is the end of `usher run`, whose lease ends with it.
            let event = Event::Exited { pid: *pid };
            self.sessions.apply(clock::now(), event, &mut effects);
        }
        self.outbox
            .change(|change| ended.iter().try_for_each(|pid| change.end_covers_of(*pid)))?;
        self.write(effects)?;
        // The processes themselves run on, as what they are.
        if let Some(shared) = &self.shared {
            shared.look_again();
        }
        Ok(())
    }
}

/// The root of a cover as a process that runs a program of the product.
pub(crate) fn as_use(root: ProcessKey, product: &str, program: Program, who: Who) -> Process {
    Process {
        key: root,
        parent: 0,
        who,
        program,
        uses: Some(Use {
            product: product.into(),
            counting: Counting::UserOnComputer,
            role: ProgramRole::Main,
        }),
        since: None,
    }
}

pub(super) fn covered(cover: &Cover) -> Event {
    Event::Covered {
        root: cover.root,
        lease: cover.lease.as_str().into(),
        product: cover.product.as_str().into(),
    }
}
