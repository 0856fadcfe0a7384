//! The leases of `usher run`: which processes they cover, and what happens to processes that
//! outlive them.

use std::sync::Arc;

use super::state::{Cover, CoverId, Sessions};
use super::{AccountKey, Effect, ProcessKey, Stamp, Who};

/// Covers within covers that are looked through for a lease of a product. One ask for several
/// products makes as many.
const COVER_DEPTH_LIMIT: usize = 64;

impl Sessions {
    pub(super) fn covered(
        &mut self,
        now: Stamp,
        root: ProcessKey,
        lease: Arc<str>,
        product: Arc<str>,
        effects: &mut Vec<Effect>,
    ) {
        self.forget_if_another(now, root, effects);
        let outer = self.processes.get(&root.pid).and_then(|root| root.cover);
        if self.covers.len() >= self.limits.covers {
            self.left_out += 1;
            return;
        }
        let nobody = Who {
            counted: AccountKey::NOBODY,
            real: AccountKey::NOBODY,
        };
        if !self.processes.contains_key(&root.pid) && !self.enter(root, nobody, None) {
            return;
        }
        self.last_cover += 1;
        self.covers.insert(
            self.last_cover,
            Cover {
                root: root.pid,
                lease,
                product,
                outer,
            },
        );
        let cover = Some(self.last_cover);
        if let Some(member) = self.processes.get_mut(&root.pid) {
            member.cover = cover;
        }
        self.move_to_own_cover(now, root.pid, effects);
    }

    /// The root of a cover has ended and its lease is given back: what still runs below it is a
    /// use of its own from now on.
    pub(super) fn uncover(&mut self, now: Stamp, id: CoverId, effects: &mut Vec<Effect>) {
        let Some(ended) = self.covers.remove(&id) else {
            return;
        };
        for cover in self.covers.values_mut() {
            if cover.outer == Some(id) {
                cover.outer = ended.outer;
            }
        }
        let mut members: Vec<u32> = Vec::new();
        for (pid, member) in &mut self.processes {
            let below = member.cover.is_some();
            if member.cover == Some(id) {
                member.cover = ended.outer;
            }
            if below {
                members.push(*pid);
            }
        }
        members.sort_unstable();
        for pid in members {
            self.move_to_own_cover(now, pid, effects);
            self.drop_if_idle(pid);
        }
    }

    /// Moves a process whose cover has changed into the session that it belongs to now.
    fn move_to_own_cover(&mut self, now: Stamp, pid: u32, effects: &mut Vec<Effect>) {
        let Some(member) = self.processes.get(&pid) else {
            return;
        };
        let Some(session) = member.session.and_then(|id| self.get(id)).cloned() else {
            return;
        };
        let covered_by = self.lease_over(member.cover, &session.product);
        if covered_by == session.cover {
            return;
        }
        let own = member.own;
        let (who, counting) = (member.who, session.counting);
        self.leave(now, pid, effects);
        let target = self.session_for(
            now,
            session.product,
            counting,
            who,
            covered_by,
            session.program,
            None,
            effects,
        );
        self.add(pid, target, own);
    }

    /// The lease that covers uses of `product` under `cover`, looking outwards.
    pub(super) fn lease_over(&self, cover: Option<CoverId>, product: &str) -> Option<Arc<str>> {
        let mut next = cover;
        for _ in 0..COVER_DEPTH_LIMIT {
            let cover = self.covers.get(&next?)?;
            if &*cover.product == product {
                return Some(cover.lease.clone());
            }
            next = cover.outer;
        }
        None
    }
}
