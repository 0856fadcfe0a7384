//! Takes up what the agent's former run wrote down: sessions, seats and covers.

use std::collections::BTreeSet;

use usher_core::sessions::{AccountKey, Counting, Event, ProcessKey, Stamp};

use super::{Agent, covers};
use crate::base::clock;
use crate::store::outbox::OutboxError;
use crate::system::procfs;

impl Agent {
    /// Takes up the sessions and covers of the agent's former run. Answers the covers that still
    /// stand.
    pub(crate) fn take_up(&mut self) -> Result<Vec<ProcessKey>, OutboxError> {
        let last_seen = Stamp {
            boot_ms: self.outbox.number("seen_boot_ms")?,
            wall_ms: self
                .outbox
                .meta("seen_wall_ms")?
                .and_then(|t| t.parse().ok())
                .unwrap_or(0),
        };
        let same_boot = self.outbox.meta("boot_id")?.as_deref() == Some(&*self.boot_id);
        let now = clock::now();
        self.shares.take_up(&self.outbox, &self.boot_id)?;
        for (_, left) in self.shares.held.left() {
            self.seats.wanted(left, now.boot_ms);
        }
        // Those of commands that run on a seat which was kept: nothing else says that they are uses.
        let mut covered_uses = Vec::new();
        for saved in self.outbox.sessions()? {
            let (session, mut members) = (saved.session, saved.members);
            let last_seen = if last_seen.boot_ms < session.started.boot_ms {
                session.started
            } else {
                last_seen
            };
            members.retain(|member| same_boot && procfs::still_runs(*member));
            let has_joined = self.shares.held.joined(session.id).is_some();
            if session.cover.is_none() && !has_joined {
                self.seats.wanted(session.id, now.boot_ms);
            }
            if session.cover.is_some() {
                covered_uses.push((session.clone(), members.clone()));
            }
            self.sessions.restore(session, &members, last_seen);
        }
        for saved in self.outbox.seats()?.into_iter().filter(|_| same_boot) {
            self.seats.restore(&saved);
        }
        let mut effects = Vec::new();
        if !same_boot {
            // Nothing of another boot runs any more; a process with the same pid is another.
            self.sessions.apply(now, Event::Settled, &mut effects);
        }
        let mut roots = Vec::new();
        for cover in self.outbox.covers()? {
            let stands = same_boot && procfs::still_runs(cover.root);
            if stands {
                roots.push(cover.root);
                let event = covers::covered(&cover);
                self.sessions.apply(now, event, &mut effects);
                let of_root = covered_uses.iter().find(|(session, members)| {
                    session.counting == Counting::UserOnComputer
                        && session.cover.as_deref() == Some(&*cover.lease)
                        && *session.product == *cover.product
                        && members.contains(&cover.root)
                });
                if let Some((session, _)) = of_root {
                    let (program, who) = (session.program.clone(), session.who);
                    let process = covers::as_use(cover.root, &cover.product, program, who);
                    let event = Event::Runs(process);
                    self.sessions.apply(now, event, &mut effects);
                }
            } else {
                self.outbox
                    .change(|change| change.end_covers_of(cover.root.pid))?;
            }
        }
        self.write(effects)?;
        Ok(roots)
    }

    /// The accounts of the sessions of the agent's former run: who they are is known before one of
    /// these is told of.
    pub(crate) fn people_of_sessions(&self) -> Result<BTreeSet<AccountKey>, OutboxError> {
        let saved = self.outbox.sessions()?;
        let people = saved.iter().map(|saved| saved.session.who);
        Ok(people.flat_map(|who| [who.counted, who.real]).collect())
    }
}
