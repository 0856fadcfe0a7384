//! Uses and waits out of snapshots: somebody whom one report shows and the next does not has ended in
//! between, and is known to have used it up to the last report that shows them.
//!
//! Of several that a report shows in the same words, the one that is there longest is the one that stays,
//! and each keeps its key while it is shown.
//!
//! A report may have several pools of one feature, and of several servers. The pools of a server are
//! added up; of several servers the one with most is the feature's peak, because a request must fit on
//! one.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;

use super::keys::Claim;
use super::levels::Levels;
use super::rows::{Rows, Sink, Used, Waited};
use crate::fact::{Feature, Held, Holder, Product, Snapshot};
use crate::pairing::{Peak, USERS_LIMIT};

/// Seats and waits that are followed from report to report; further ones are told as they are seen, and
/// a later report makes other uses of them.
pub const FOLLOWED_LIMIT: usize = 1_000_000;

/// What snapshots say of a feature.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) lines: Peak,
    pub(super) users_hosts: Peak,
    pub(super) seats: Peak,
    /// The most seats that were waited for at once.
    pub(super) queued: u64,
    pub(super) users: BTreeSet<String>,
    /// Not all names were kept.
    pub(super) users_at_least: bool,
    pub(super) open_at_end: u64,
    /// Seats that there are, by the last report.
    pub(super) issued: Option<u64>,
}

/// What tells one who has a seat, or waits, from others from report to report.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Who {
    holder: Holder,
    version: Option<String>,
    seats: u32,
    since: Option<Timestamp>,
    waits: bool,
}

#[derive(Debug)]
struct Followed {
    from: Timestamp,
    seen: Timestamp,
    /// Its key; none: it is told as it is seen, and not followed.
    claim: Option<Claim>,
}

type All = BTreeMap<Who, VecDeque<Followed>>;

/// The pools of a feature on a server.
#[derive(Debug)]
struct Pool {
    /// The report that is read.
    at: Timestamp,
    /// Whom the report before showed, and this one not yet.
    before: All,
    /// Whom this report shows.
    now: All,
    lines: u64,
    people: BTreeSet<(String, String)>,
    seats: u64,
    queued: u64,
    issued: Option<u64>,
}

/// Follows what snapshots show.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pools: BTreeMap<(Feature, Option<String>), Pool>,
    counts: BTreeMap<Feature, Counts>,
    followed: usize,
    users_kept: usize,
    pub(super) levels: Levels,
}

impl Seen {
    /// Takes in a snapshot.
    pub(super) fn take(&mut self, it: &Snapshot, rows: &mut Rows, sink: &mut Sink<'_>) {
        self.levels.take(it, rows, sink);
        let key = (it.feature.clone(), it.server.clone());
        // It says that it cannot say: whoever had a seat may have it still.
        if it.trouble.is_some() && it.in_use.is_none() && it.held.is_empty() {
            return;
        }
        let mut pool = self.pools.remove(&key).unwrap_or_else(|| Pool::new(it.at));
        if pool.at != it.at {
            self.report_is_over(&key.0, &mut pool, rows, sink);
            pool.begin(it.at);
        }
        for held in &it.held {
            self.user(&key.0, &held.holder.user);
            pool.people
                .insert((held.holder.user.clone(), held.holder.host.clone()));
            self.follow(&key.0, &mut pool, Who::has(held), rows, sink);
        }
        for (holder, seats) in &it.queued {
            pool.queued = pool.queued.saturating_add(u64::from(*seats));
            // Some servers say how many wait, and not who.
            if !(holder.user.is_empty() && holder.host.is_empty()) {
                self.follow(&key.0, &mut pool, Who::waits(holder, *seats), rows, sink);
            }
        }
        let lines = u64::try_from(it.held.len()).unwrap_or(u64::MAX);
        pool.lines = pool.lines.saturating_add(lines);
        let held = it
            .held
            .iter()
            .fold(0_u64, |sum, held| sum.saturating_add(u64::from(held.seats)));
        pool.seats = pool.seats.saturating_add(it.in_use.unwrap_or(held));
        pool.issued = match (pool.issued, it.issued) {
            (Some(one), Some(other)) => Some(one.saturating_add(other)),
            _ => None,
        };
        self.pools.insert(key, pool);
    }

    /// Nothing more follows. What the last report shows still runs.
    pub(super) fn finish(
        mut self,
        rows: &mut Rows,
        sink: &mut Sink<'_>,
    ) -> BTreeMap<Feature, Counts> {
        for ((feature, _), mut pool) in std::mem::take(&mut self.pools) {
            self.report_is_over(&feature, &mut pool, rows, sink);
            let open = std::mem::take(&mut pool.now);
            for (who, all) in open {
                for followed in all {
                    if !who.waits {
                        let counts = self.counts.entry(feature.clone()).or_default();
                        counts.open_at_end = counts.open_at_end.saturating_add(1);
                    }
                    say(&feature, &who, &followed, false, rows, sink);
                }
            }
        }
        self.counts
    }

    fn user(&mut self, feature: &Feature, user: &str) {
        let counts = self.counts.entry(feature.clone()).or_default();
        if counts.users.contains(user) {
            return;
        }
        if self.users_kept >= USERS_LIMIT {
            counts.users_at_least = true;
            return;
        }
        self.users_kept = self.users_kept.saturating_add(1);
        counts.users.insert(user.to_owned());
    }

    /// Somebody is shown: the one of the report before, or somebody new.
    fn follow(
        &mut self,
        feature: &Feature,
        pool: &mut Pool,
        who: Who,
        rows: &mut Rows,
        sink: &mut Sink<'_>,
    ) {
        let known = pool.before.get_mut(&who).and_then(VecDeque::pop_front);
        let followed = match known {
            Some(known) => Followed {
                seen: pool.at,
                ..known
            },
            None => {
                let mut new = Followed {
                    from: who.since.unwrap_or(pool.at),
                    seen: pool.at,
                    claim: None,
                };
                if self.followed >= FOLLOWED_LIMIT {
                    return say(feature, &who, &new, false, rows, sink);
                }
                self.followed = self.followed.saturating_add(1);
                let product = Product::Foreign(feature.clone());
                let hash = match who.waits {
                    true => waited(feature, &who, &new, false).hash(),
                    false => used(&product, &who, &new, false).hash(),
                };
                new.claim = Some(rows.keys.claim(hash));
                new
            }
        };
        pool.now.entry(who).or_default().push_back(followed);
    }

    /// Gives what the last report of each pool shows, and whom it shows no more.
    pub(super) fn so_far(&self, rows: &mut Rows, sink: &mut Sink<'_>) {
        for ((feature, _), pool) in &self.pools {
            for (all, is_gone) in [(&pool.before, true), (&pool.now, false)] {
                for (who, each) in all {
                    for followed in each {
                        say(feature, who, followed, is_gone, rows, sink);
                    }
                }
            }
        }
    }

    /// All pools of the report are read: whom it does not show has ended.
    fn report_is_over(
        &mut self,
        feature: &Feature,
        pool: &mut Pool,
        rows: &mut Rows,
        sink: &mut Sink<'_>,
    ) {
        for (who, gone) in std::mem::take(&mut pool.before) {
            self.followed = self.followed.saturating_sub(gone.len());
            for followed in gone {
                say(feature, &who, &followed, true, rows, sink);
                if let Some(claim) = followed.claim {
                    rows.keys.release(claim);
                }
            }
        }
        let counts = self.counts.entry(feature.clone()).or_default();
        let people = u64::try_from(pool.people.len()).unwrap_or(u64::MAX);
        counts.lines.reach(pool.lines, pool.at);
        counts.users_hosts.reach(people, pool.at);
        counts.seats.reach(pool.seats, pool.at);
        counts.queued = counts.queued.max(pool.queued);
        counts.issued = pool.issued;
    }
}

impl Pool {
    fn new(at: Timestamp) -> Pool {
        Pool {
            at,
            before: BTreeMap::new(),
            now: BTreeMap::new(),
            lines: 0,
            people: BTreeSet::new(),
            seats: 0,
            queued: 0,
            issued: Some(0),
        }
    }

    /// Another report begins.
    fn begin(&mut self, at: Timestamp) {
        let before = std::mem::take(&mut self.now);
        *self = Pool {
            before,
            ..Pool::new(at)
        };
    }
}

impl Who {
    fn has(held: &Held) -> Who {
        Who {
            holder: held.holder.clone(),
            version: held.version.clone(),
            seats: held.seats,
            since: held.since,
            waits: false,
        }
    }

    fn waits(holder: &Holder, seats: u32) -> Who {
        Who {
            holder: holder.clone(),
            version: None,
            seats,
            since: None,
            waits: true,
        }
    }
}

fn say(
    feature: &Feature,
    who: &Who,
    followed: &Followed,
    is_gone: bool,
    rows: &mut Rows,
    sink: &mut Sink<'_>,
) {
    if who.waits {
        let it = waited(feature, who, followed, is_gone);
        return match followed.claim {
            Some(claim) => rows.waited_by(claim, &it, sink),
            None => rows.waited(&it, sink),
        };
    }
    let product = Product::Foreign(feature.clone());
    let it = used(&product, who, followed, is_gone);
    match followed.claim {
        Some(claim) => rows.used_by(claim, &it, sink),
        None => rows.used(&it, sink),
    }
}

fn waited<'w>(
    feature: &'w Feature,
    who: &'w Who,
    followed: &Followed,
    is_gone: bool,
) -> Waited<'w> {
    let seen = followed.seen.max(followed.from);
    Waited {
        feature,
        holder: &who.holder,
        from: followed.from,
        until: is_gone.then_some(seen),
        seen_until: Some(seen),
        seats: who.seats,
        granted: None,
    }
}

fn used<'u>(product: &'u Product, who: &'u Who, followed: &Followed, is_gone: bool) -> Used<'u> {
    let seen = followed.seen.max(followed.from);
    Used {
        product,
        holder: &who.holder,
        from: followed.from,
        until: is_gone.then_some(seen),
        seen_until: Some(seen),
        seats: who.seats,
        version: who.version.as_deref(),
        program: None,
        ending: is_gone.then_some("not_seen"),
    }
}
