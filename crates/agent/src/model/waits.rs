//! "Tell me when it is free": seats that people wait for after a refused start, and seats that are
//! kept for their next start.
//!
//! One wait for a person and a product: asked for, queued at the server, kept. It ends when its
//! person has a seat, leaves, or does not come in time; then what it held goes back. Waits stand in
//! the state file, so that an agent's restart costs nobody their place; after a boot they are over.

use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use usher_core::sessions::{AccountKey, ProcessKey, SessionId, Sessions, Who};

use crate::store::outbox::{Change, Outbox, OutboxError};
use crate::system::{account_key, procfs};

/// Waits at a time, and of one person.
const LIMIT: usize = 256;
const OF_ONE_LIMIT: usize = 16;
/// Processes that are known to wait for one.
const TELLERS_LIMIT: usize = 64;
/// The key under which the outbox keeps waits.
const KEPT: &str = "waits";

/// One wait.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Wait {
    pub(crate) number: u64,
    pub(crate) who: Who,
    pub(crate) product: String,
    pub(crate) stage: Stage,
}

/// The state of a wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// It has no place in the queue yet, or lost it while no server answered.
    Asking,
    /// It has a place in the queue.
    Queued { ticket: String },
    /// A seat is kept for it.
    Kept(Kept),
}

/// A seat that is kept for somebody's next start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) lease: String,
    pub(crate) ttl_seconds: u32,
    pub(crate) until_boot_ms: u64,
    /// The session that was asked a seat for with this lease: what becomes of it is not yet known.
    pub(crate) taken_by: Option<SessionId>,
    /// Whether its person was told that it is kept; not if it is at once for what they run already.
    #[serde(default = "yes")]
    pub(crate) is_told: bool,
}

fn yes() -> bool {
    true
}

/// All waits.
#[derive(Debug)]
pub(crate) struct Waits {
    last: u64,
    waits: Vec<Wait>,
    /// The processes that wait for each, by its number. None are known of what a former run of the
    /// agent took in, or a desktop asked for.
    tellers: FxHashMap<u64, Vec<ProcessKey>>,
    /// Those that end with the processes that wait for them, unless a seat is kept by then.
    bound: FxHashSet<u64>,
    changed: watch::Sender<()>,
}

/// As they are written down.
#[derive(Debug, Serialize, Deserialize)]
struct Written {
    boot_id: String,
    waits: Vec<Wait>,
}

/// Too many wait.
#[derive(Debug, thiserror::Error)]
#[error("{0} seats are waited for on this computer, which is the limit: leave one of those first")]
pub(crate) struct TooMany(usize);

impl Waits {
    pub(crate) fn new() -> Self {
        Waits {
            last: 0,
            waits: Vec::new(),
            tellers: FxHashMap::default(),
            bound: FxHashSet::default(),
            changed: watch::Sender::new(()),
        }
    }

    /// Somebody waits for a product from now on; the number of a new wait, or the wait that there
    /// is already.
    pub(crate) fn begin(&mut self, who: Who, product: &str) -> Result<Result<u64, Wait>, TooMany> {
        if let Some(wait) = self.of(product, who.counted) {
            return Ok(Err(wait.clone()));
        }
        let theirs = self.waits.iter().filter(|w| w.who.counted == who.counted);
        let theirs = theirs.count();
        if theirs >= OF_ONE_LIMIT || self.waits.len() >= LIMIT {
            return Err(TooMany(theirs.max(self.waits.len())));
        }
        self.last += 1;
        self.waits.push(Wait {
            number: self.last,
            who,
            product: product.to_owned(),
            stage: Stage::Asking,
        });
        Ok(Ok(self.last))
    }

    pub(crate) fn of(&self, product: &str, counted: AccountKey) -> Option<&Wait> {
        let mut waits = self.waits.iter();
        waits.find(|wait| wait.who.counted == counted && wait.product == product)
    }

    pub(crate) fn get(&self, number: u64) -> Option<&Wait> {
        self.waits.iter().find(|wait| wait.number == number)
    }

    pub(crate) fn remove(&mut self, number: u64) -> Option<Wait> {
        let at = self.waits.iter().position(|wait| wait.number == number)?;
        self.changed.send_replace(());
        self.tellers.remove(&number);
        self.bound.remove(&number);
        Some(self.waits.remove(at))
    }

    /// A process waits for what a person waits for; beyond a bound it is not known that it does.
    pub(crate) fn tells(&mut self, product: &str, counted: AccountKey, process: ProcessKey) {
        let Some(number) = self.of(product, counted).map(|wait| wait.number) else {
            return;
        };
        let tellers = self.tellers.entry(number).or_default();
        tellers.retain(|other| *other != process && procfs::still_runs(*other));
        if tellers.len() < TELLERS_LIMIT {
            tellers.push(process);
        }
    }

    /// A wait ends with the processes that wait for it.
    pub(crate) fn bind(&mut self, number: u64) {
        self.bound.insert(number);
    }

    /// A wait stays, whatever process ends: a desktop or a script asks for it.
    pub(crate) fn unbind(&mut self, product: &str, counted: AccountKey) {
        if let Some(number) = self.of(product, counted).map(|wait| wait.number) {
            self.bound.remove(&number);
        }
    }

    /// Whether all have ended that such a wait was for.
    pub(crate) fn is_abandoned(&self, number: u64) -> bool {
        let tellers = self.tellers.get(&number).map_or(&[][..], Vec::as_slice);
        self.bound.contains(&number) && tellers.iter().all(|teller| procfs::is_gone(*teller))
    }

    /// The wait whose seat is kept with that lease for whom an account is, or works as, and which
    /// no session has taken.
    pub(crate) fn kept_as(&self, lease: &str, account: AccountKey) -> Option<&Wait> {
        self.waits.iter().find(|wait| {
            let is_theirs = account_key::is_system(account)
                || [wait.who.counted, wait.who.real].contains(&account);
            let of = |kept: &Kept| kept.lease == lease && kept.taken_by.is_none();
            is_theirs && matches!(&wait.stage, Stage::Kept(kept) if of(kept))
        })
    }

    /// The leases that are kept and that no session has taken, and for how many more seconds.
    pub(crate) fn kept_seconds(&self, now_boot_ms: u64) -> FxHashMap<&str, u32> {
        let kept = self.waits.iter().filter_map(|wait| match &wait.stage {
            Stage::Kept(kept) if kept.taken_by.is_none() => Some(kept),
            _ => None,
        });
        kept.map(|kept| (&*kept.lease, kept.left_seconds(now_boot_ms)))
            .collect()
    }

    /// The wait of a person whose seat is kept and that no session has taken, and its lease.
    pub(crate) fn kept_for(&self, product: &str, counted: AccountKey) -> Option<(u64, String)> {
        let wait = self.of(product, counted)?;
        match &wait.stage {
            Stage::Kept(kept) if kept.taken_by.is_none() => Some((wait.number, kept.lease.clone())),
            _ => None,
        }
    }

    /// A process does not wait any more. The wait to end: none if another of the same person
    /// goes on.
    pub(crate) fn leaves(
        &mut self,
        product: &str,
        counted: AccountKey,
        process: Option<ProcessKey>,
    ) -> Option<u64> {
        let number = self.of(product, counted)?.number;
        let tellers = self.tellers.entry(number).or_default();
        tellers.retain(|other| Some(*other) != process && procfs::still_runs(*other));
        tellers.is_empty().then_some(number)
    }

    /// The ticket by which a person waits for a product.
    pub(crate) fn ticket(&self, product: &str, counted: AccountKey) -> Option<&str> {
        match &self.of(product, counted)?.stage {
            Stage::Queued { ticket } => Some(ticket),
            Stage::Asking | Stage::Kept(_) => None,
        }
    }

    /// The lease that is kept for a session's person and not taken by another session: this one
    /// takes it.
    pub(crate) fn take(&mut self, product: &str, who: Who, by: SessionId) -> Option<String> {
        let theirs = |wait: &&mut Wait| wait.who.counted == who.counted && wait.product == product;
        let Stage::Kept(kept) = &mut self.waits.iter_mut().find(theirs)?.stage else {
            return None;
        };
        if kept.taken_by.is_some_and(|session| session != by) {
            return None;
        }
        kept.taken_by = Some(by);
        Some(kept.lease.clone())
    }

    /// A person is told that a seat is kept for them; none: there is no such wait.
    pub(crate) fn is_told(&mut self, number: u64) -> Option<&Wait> {
        let wait = self.waits.iter_mut().find(|wait| wait.number == number)?;
        if let Stage::Kept(kept) = &mut wait.stage {
            kept.is_told = true;
        }
        Some(wait)
    }

    /// Whether a session has taken a lease that was kept.
    pub(crate) fn is_taken_by(&self, session: SessionId) -> bool {
        let of = |kept: &Kept| kept.taken_by == Some(session);
        let mut waits = self.waits.iter();
        waits.any(|wait| matches!(&wait.stage, Stage::Kept(kept) if of(kept)))
    }

    /// A session needs no seat any more, or was not given the one that it took. Answers whether it had taken a lease, which is kept on.
    pub(crate) fn leave(&mut self, session: SessionId) -> bool {
        for wait in &mut self.waits {
            if let Stage::Kept(kept) = &mut wait.stage
                && kept.taken_by == Some(session)
            {
                kept.taken_by = None;
                self.changed.send_replace(());
                return true;
            }
        }
        false
    }

    /// Takes up the waits of the agent's former run, as they were written down. Those of another boot
    /// are over: the leases that they held, which go back.
    pub(crate) fn take_up(
        &mut self,
        outbox: &Outbox,
        boot_id: &str,
        sessions: &Sessions,
    ) -> Result<Option<Vec<String>>, OutboxError> {
        let text = outbox.meta(KEPT)?;
        let written = text.and_then(|text| serde_json::from_str::<Written>(&text).ok());
        let Some(mut written) = written else {
            return Ok(None);
        };
        if written.boot_id != boot_id {
            let leases = written.waits.iter().filter_map(|wait| wait.stage.lease());
            return Ok(Some(leases.map(str::to_owned).collect()));
        }
        written.waits.truncate(LIMIT);
        for wait in &mut written.waits {
            if let Stage::Kept(kept) = &mut wait.stage {
                let still = |id: &SessionId| sessions.get(*id).is_some();
                kept.taken_by = kept.taken_by.filter(still);
            }
        }
        self.last = written.waits.iter().map(|w| w.number).max().unwrap_or(0);
        self.waits = written.waits;
        Ok(None)
    }

    /// They are over, also on disk; what they held is left behind for the server.
    pub(crate) fn are_over(leases: &[String], change: &Change<'_>) -> Result<(), OutboxError> {
        change.set_meta(KEPT, "")?;
        leases.iter().try_for_each(|l| change.leave_behind(l))
    }

    /// The numbers of all.
    pub(crate) fn numbers(&self) -> Vec<u64> {
        self.waits.iter().map(|wait| wait.number).collect()
    }

    /// Tells when one has changed that somebody attends to.
    pub(crate) fn follow(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// A wait goes on; none: it has ended meanwhile.
    pub(crate) fn set_stage(&mut self, number: u64, stage: Stage) -> Option<&Wait> {
        let wait = self.waits.iter_mut().find(|wait| wait.number == number)?;
        wait.stage = stage;
        Some(wait)
    }

    /// Puts them on disk.
    pub(crate) fn write(&self, boot_id: &str, change: &Change<'_>) -> Result<(), OutboxError> {
        let written = Written {
            boot_id: boot_id.to_owned(),
            waits: self.waits.clone(),
        };
        change.set_meta(KEPT, &serde_json::to_string(&written)?)
    }
}

impl Kept {
    /// For how many more seconds it is kept.
    pub(crate) fn left_seconds(&self, now_boot_ms: u64) -> u32 {
        let left_ms = self.until_boot_ms.saturating_sub(now_boot_ms);
        u32::try_from(left_ms.div_ceil(1_000)).unwrap_or(u32::MAX)
    }
}

impl Stage {
    pub(crate) fn lease(&self) -> Option<&str> {
        match self {
            Stage::Kept(kept) => Some(&kept.lease),
            Stage::Asking | Stage::Queued { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: Who = Who {
        counted: AccountKey::new(1),
        real: AccountKey::new(1),
    };

    fn kept(waits: &mut Waits) {
        let number = waits.begin(ANNA, "cad").unwrap().unwrap();
        let wait = waits.waits.iter_mut().find(|w| w.number == number).unwrap();
        wait.stage = Stage::Kept(Kept {
            lease: "L1".to_owned(),
            ttl_seconds: 300,
            until_boot_ms: 1,
            taken_by: None,
            is_told: true,
        });
    }

    #[test]
    fn a_kept_seat_is_taken_by_one_session_of_its_person_at_a_time() {
        let mut waits = Waits::new();
        kept(&mut waits);
        let ben = Who {
            counted: AccountKey::new(2),
            real: AccountKey::new(1),
        };
        assert_eq!(waits.take("cad", ben, SessionId(1)), None);
        assert_eq!(waits.take("sim", ANNA, SessionId(1)), None);
        for _ in 0..2 {
            let taken = waits.take("cad", ANNA, SessionId(1));
            assert_eq!(taken.as_deref(), Some("L1"));
        }
        assert_eq!(waits.take("cad", ANNA, SessionId(2)), None);
        assert!(!waits.leave(SessionId(2)));
        assert!(waits.leave(SessionId(1)));
        assert!(waits.take("cad", ANNA, SessionId(2)).is_some());
    }

    #[test]
    fn a_person_waits_once_for_a_product_and_for_so_many_at_most() {
        let mut waits = Waits::new();
        for number in 0..OF_ONE_LIMIT {
            let product = format!("product{number}");
            assert!(waits.begin(ANNA, &product).unwrap().is_ok());
            assert!(waits.begin(ANNA, &product).unwrap().is_err());
        }
        assert!(waits.begin(ANNA, "one more").is_err());
    }
}
