//! What of a sighting is passed on, and the account of its process.

use std::sync::atomic::Ordering;

use usher_core::identify::ProgramRole;
use usher_core::sessions::{ProcessKey, Who};

use super::{Facts, Tracker};
use crate::base::{clock, lock};
use crate::identity::{Known, Verdict};
use crate::system::procfs;
use crate::watch::WAITING_LIMIT;
use crate::watch::interest::Kind;
use crate::watch::resolve::{Raw, Run};

impl Tracker {
    pub(super) fn program(&mut self, pid: u32, run: Run, facts: Facts) {
        let at = facts.at();
        let Some((key, parent, who)) = self.whose(pid, facts) else {
            self.missed();
            return;
        };
        let since = match facts {
            Facts::Found(stat) => Some(clock::at_ticks(stat.start, at)),
            Facts::Unread | Facts::Told(_) => None,
        };
        let helper = matches!(&run.verdict, Some(Some(m)) if m.role == ProgramRole::Helper);
        let known = lock(&self.shared.interest).get(pid);
        if helper {
            if known == Some(Kind::Own) || known == Some(Kind::Forked) {
                self.lose_interest(pid);
            }
            if since.is_none() {
                lock(&self.shared.counts).add(&run.name, 1);
            }
            if known.is_none() && !lock(&self.shared.interest).is_held(pid) {
                return;
            }
        } else {
            let below_cover = lock(&self.shared.interest).get(parent) == Some(Kind::Covered);
            let kind = if below_cover {
                Kind::Covered
            } else {
                Kind::Own
            };
            if !self.take_interest(key, kind) {
                return;
            }
        }
        self.send(Raw::Runs {
            at,
            key,
            parent,
            who,
            run,
            since,
        });
    }

    /// A process runs a program of no product: only of interest if it did otherwise before, or
    /// was held.
    pub(super) fn unmetered(&mut self, pid: u32, facts: Facts) {
        let known = lock(&self.shared.interest).get(pid);
        let is_held = lock(&self.shared.interest).is_held(pid);
        match known {
            None if is_held => {}
            None => return,
            Some(Kind::Forked) => self.lose_interest(pid),
            Some(Kind::Own | Kind::Covered) => {}
        }
        let at = facts.at();
        let Some((key, parent, who)) = self.whose(pid, facts) else {
            return;
        };
        let run = Run::known(Known {
            name: "".into(),
            host: None,
            verdict: Some(Verdict::None),
        });
        self.send(Raw::Runs {
            at,
            key,
            parent,
            who,
            run,
            since: None,
        });
    }

    /// Start time, parent and user of a process; its parent's user, which it had, if it is
    /// gone in the middle of the look.
    fn whose(&self, pid: u32, facts: Facts) -> Option<(ProcessKey, u32, Who)> {
        let stat = match facts {
            Facts::Unread => procfs::process_stat(pid).ok()?,
            Facts::Found(stat) => stat,
            Facts::Told(told) => return Some((told.key, told.parent, told.who)),
        };
        let (asked, real) = [pid, stat.parent]
            .into_iter()
            .find_map(|pid| Some((pid, procfs::real_account(pid).ok()?)))?;
        let counted = procfs::login_account(asked).unwrap_or(real);
        let start = stat.start;
        Some((
            ProcessKey { pid, start },
            stat.parent,
            Who { counted, real },
        ))
    }

    pub(super) fn send(&mut self, raw: Raw) {
        if self.shared.waiting.load(Ordering::Relaxed) >= WAITING_LIMIT {
            self.lost();
            return;
        }
        self.shared.waiting.fetch_add(1, Ordering::Relaxed);
        // Nobody listens any more: the agent stops.
        let _ = self.out.send(raw);
    }
}
