//! What the machine holds: processes, sessions, covers, and starts at the gate.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{AccountKey, AskId, Counting, ProcessKey, Session, SessionId, Stamp, Unanswered, Who};

/// How much the machine holds.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Processes of sessions and under covers. A process beyond is left out and counted: it
    /// neither begins nor keeps a session.
    pub processes: usize,
    /// Covers. A cover beyond is not taken.
    pub covers: usize,
    /// Starts between the gate and their first instruction. One beyond is answered as if no
    /// server could be reached.
    pub starts: usize,
    /// How long such a start is waited for, in milliseconds: for the answer to it, and then for
    /// the program to run.
    pub start_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            processes: 65_536,
            covers: 16_384,
            starts: 4_096,
            start_ms: 30_000,
        }
    }
}

/// All processes of products, and their sessions.
#[derive(Debug, Default)]
pub struct Sessions {
    pub(super) limits: Limits,
    pub(super) last_id: u64,
    pub(super) processes: FxHashMap<u32, Member>,
    pub(super) sessions: FxHashMap<SessionId, Open>,
    /// The session of each use that is counted once for a user.
    pub(super) by_use: FxHashMap<UseKey, SessionId>,
    pub(super) covers: FxHashMap<CoverId, Cover>,
    pub(super) last_cover: CoverId,
    /// Starts between the gate and their first instruction, by pid.
    pub(super) starts: FxHashMap<u32, Vec<Start>>,
    /// Processes that a restored session had, until it is settled which of them still run.
    pub(super) restored: FxHashMap<ProcessKey, SessionId>,
    pub(super) left_out: u64,
}

#[derive(Debug)]
pub(super) struct Member {
    pub(super) key: ProcessKey,
    pub(super) who: Who,
    pub(super) session: Option<SessionId>,
    /// It exec'd the product itself; others were only forked by one that did.
    pub(super) own: bool,
    pub(super) cover: Option<CoverId>,
}

#[derive(Debug)]
pub(super) struct Open {
    pub(super) session: Session,
    pub(super) processes: u32,
    /// Starts that are to go on with it.
    pub(super) starts: u32,
    /// Of a restored session: when it was last seen running.
    pub(super) last_seen: Option<Stamp>,
    /// When its last process ended, if it may go on all the same.
    pub(super) emptied: Option<Stamp>,
    /// A seat was asked for, for a start that waits for the answer.
    pub(super) asking: bool,
    /// The server was told of it as one that runs: it has a seat or an entry as unseated there.
    pub(super) entered: bool,
    /// The server has refused it: there is nothing to give back.
    pub(super) refused: bool,
}

impl Open {
    pub(super) fn of(session: Session) -> Open {
        // What a lease covers is never asked for.
        let entered = session.cover.is_some();
        Open {
            session,
            processes: 0,
            starts: 0,
            last_seen: None,
            emptied: None,
            asking: false,
            entered,
            refused: false,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct UseKey {
    pub(super) product: Arc<str>,
    pub(super) user: AccountKey,
    pub(super) cover: Option<Arc<str>>,
}

pub(super) type CoverId = u64;

#[derive(Debug)]
pub(super) struct Cover {
    pub(super) root: u32,
    pub(super) lease: Arc<str>,
    pub(super) product: Arc<str>,
    pub(super) outer: Option<CoverId>,
}

/// A process between the gate and its first instruction.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) ask: AskId,
    pub(super) key: ProcessKey,
    pub(super) parent: u32,
    pub(super) session: SessionId,
    pub(super) state: StartState,
    /// Since when it is in that state.
    pub(super) since: Stamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StartState {
    /// It waits for a seat; if nobody answers, this is done.
    Asking(Unanswered),
    /// It may run, and has not yet.
    Allowed,
}

impl Start {
    pub(super) fn is_asking(&self) -> bool {
        matches!(self.state, StartState::Asking(_))
    }
}

pub(super) fn use_key(session: &Session) -> Option<UseKey> {
    (session.counting == Counting::UserOnComputer).then(|| UseKey {
        product: session.product.clone(),
        user: session.who.counted,
        cover: session.cover.clone(),
    })
}
