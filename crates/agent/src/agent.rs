//! The agent's state, and how what was seen becomes sessions on disk and items for the server.
//!
//! One transaction for each batch of sightings: a session and the items that tell of it are on
//! disk together. What cannot be written (a full disk) is kept in memory, bounded, and written
//! with the next change.

mod commands;
mod connection;
pub(crate) mod covers;
mod ending;
mod exchange;
mod held_starts;
pub(crate) mod here;
mod left;
mod lending;
mod parts;
mod reminding;
mod restored;
mod rules;
mod sharing;
mod shown;
pub(crate) mod sync;
mod taken_up;
pub(crate) mod teller;
mod waiting;
mod writing;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::Notify;
use usher_api::{EndedByPanic, ProgramStarts, SyncAction};
use usher_core::sessions::{Event, Limits, SessionId, Sessions, Stamp};

pub(crate) use self::left::Left;
use self::writing::Written;
use crate::AgentError;
use crate::agent::here::Here;
use crate::base::clock;
use crate::base::lock;
use crate::gate;
use crate::model::held_starts::HeldStarts;
use crate::model::idle::Idle;
use crate::model::link::Link;
use crate::model::lost::Lost;
use crate::model::notices::Notices;
use crate::model::policy::Rulebook;
use crate::model::seats::Seats;
use crate::model::shares::Shares;
use crate::model::shares::uses::Uses;
use crate::model::waits::Waits;
use crate::store::computer_id::SharedId;
use crate::store::ended;
use crate::store::outbox::{Change, ItemKind, Outbox, OutboxError};
use crate::system::accounts::Accounts;
use crate::system::computer::{self, Computer};
use crate::watch::{ObservedEvent, Shared};

/// Names of programs in one item.
const COUNTS_IN_ITEM: usize = 1_000;

/// The agent's state.
pub(crate) struct Agent {
    /// Of which computer it is, and its accounts.
    here: Here,
    boot_id: String,
    sessions: Sessions,
    outbox: Outbox,
    /// What the server wants of programs, and what of it holds here.
    rulebook: Rulebook,
    seats: Seats,
    /// Which sessions run on a seat of another.
    shares: Shares,
    /// The end of the agent before, if a panic ended it.
    ended: Option<EndedByPanic>,
    /// The connection to the server.
    link: Link,
    /// What watches programs.
    shared: Option<Arc<Shared>>,
    /// Since when nobody looks at programs any more: what ends later was last seen then.
    watched_until: Option<Stamp>,
    /// What holds starts, if anything does.
    gate: Option<Arc<gate::Shared>>,
    /// Starts that wait for a seat.
    held: HeldStarts,
    /// What people are to know.
    notices: Notices,
    /// Seats that people wait for, or that are kept for their next start.
    waits: Waits,
    /// Programs that are to end for want of a lease.
    lost: Lost,
    /// Programs that nobody touches.
    idle: Idle,
    /// The server is to be asked at once: somebody waits for its answer.
    urgent: Arc<Notify>,
    /// What is on disk of all this, and what is not yet.
    written: Written,
}

impl Agent {
    /// Takes up the state in the folder `data`.
    pub(crate) fn open(
        data: &Path,
        machine_id: &Path,
        name: Option<String>,
        shared_id: Option<SharedId>,
    ) -> Result<Self, AgentError> {
        let mut outbox = Outbox::open(data).map_err(AgentError::state)?;
        let computer = computer_of(&mut outbox, machine_id, name, shared_id.as_ref())?;
        let shared_id =
            shared_id.and_then(|shared| shared.publish(&computer.id, computer.machine.as_deref()));
        let rulebook = Rulebook::open(&outbox, data).map_err(AgentError::state)?;
        let last_session = outbox.number("last_session").map_err(AgentError::state)?;
        let link = Link::open(&outbox).map_err(AgentError::state)?;
        let notices = Notices::open(&outbox).map_err(AgentError::state)?;
        Ok(Agent {
            ended: ended::before(data),
            link,
            here: Here::new(computer, shared_id),
            boot_id: clock::boot_id(),
            sessions: Sessions::new(Limits::default(), last_session),
            outbox,
            rulebook,
            seats: Seats::default(),
            shares: Shares::default(),
            shared: None,
            watched_until: None,
            gate: None,
            held: HeldStarts::default(),
            notices,
            waits: Waits::new(),
            lost: Lost::default(),
            idle: Idle::default(),
            urgent: Arc::default(),
            written: Written::up_to(last_session),
        })
    }

    /// Its accounts are known from now on.
    pub(crate) fn knows_accounts(&mut self, accounts: Accounts) {
        self.here.accounts = Arc::new(accounts);
    }

    /// Programs are watched from now on.
    pub(crate) fn is_watched_by(&mut self, shared: Arc<Shared>) {
        self.shared = Some(shared);
    }

    /// What watches programs, if anything does.
    pub(crate) fn watcher(&self) -> Option<Arc<Shared>> {
        self.shared.clone()
    }

    /// Starts can be held from now on, by `gate` if it is there.
    pub(crate) fn is_gated_by(&mut self, gate: Option<Arc<gate::Shared>>) {
        self.gate = gate;
    }

    /// What holds starts, if anything does.
    pub(crate) fn gate(&self) -> Option<&gate::Shared> {
        self.gate.as_deref()
    }

    /// Tells when somebody waits for the server's answer.
    pub(crate) fn urgent(&self) -> Arc<Notify> {
        self.urgent.clone()
    }

    /// Leases that commands of one use share.
    pub(crate) fn uses(&self) -> Arc<Uses> {
        self.shares.uses.clone()
    }

    /// The leases that sessions run on and that are none of their own.
    pub(crate) fn joined_leases(&self) -> BTreeSet<&str> {
        self.shares.held.leases()
    }

    /// Nobody looks at programs any more.
    pub(crate) fn is_watched_no_more(&mut self) {
        self.watched_until = Some(clock::now());
    }

    /// Takes in what was seen.
    pub(crate) fn take_in(&mut self, seen: &mut Vec<ObservedEvent>) -> Result<(), OutboxError> {
        let mut effects = Vec::new();
        let mut ended_roots = Vec::new();
        for ObservedEvent { at, event } in seen.drain(..) {
            if let Event::Exited { pid } = &event {
                ended_roots.push(*pid);
            }
            self.sessions.apply(at, event, &mut effects);
        }
        if !ended_roots.is_empty() && !self.outbox.covers()?.is_empty() {
            self.outbox.change(|change| {
                ended_roots
                    .iter()
                    .try_for_each(|pid| change.end_covers_of(*pid))
            })?;
        }
        self.write(effects)
    }

    /// Queues what was seen of programs of no product since the last time.
    pub(crate) fn report_programs(&mut self) -> Result<(), OutboxError> {
        let Some(shared) = self.shared.clone() else {
            return Ok(());
        };
        shared.take_counted();
        let counts = {
            let mut counts = lock(&shared.counts);
            if counts.is_empty() {
                return Ok(());
            }
            counts.take()
        };
        self.outbox.change(|change| {
            for part in counts.chunks(COUNTS_IN_ITEM) {
                let told = |text: &Option<Arc<str>>| text.as_deref().map(|it| it.to_owned().into());
                let counts = part
                    .iter()
                    .map(|(program, seen)| ProgramStarts {
                        program: program.to_string().into(),
                        starts: seen.starts,
                        run_seconds: seen.run_seconds,
                        package: told(&seen.described.package),
                        desktop_name: told(&seen.described.desktop_name),
                    })
                    .collect();
                change.enqueue(&SyncAction::Programs { counts })?;
            }
            Ok(())
        })
    }

    /// Asks for a session's seat, for the first time or again.
    pub(crate) fn checkout_action(&mut self, id: SessionId) -> Option<SyncAction<'static>> {
        let held = self.lease_shown(id);
        let gate = self.link.knows_gates() && self.sessions.is_asking(id);
        let session = self.sessions.get(id)?;
        let teller = self.here.teller();
        let mut checkout = teller.checkout(session, &self.rulebook.policy, held);
        checkout.gate = gate;
        // A server that knows of no gates takes no field that it does not know, either.
        match self.link.knows_gates() {
            // What was kept for its person since is for it.
            true if !session.seated => {
                let kept = self.waits.take(&session.product, session.who, id);
                checkout.claim = kept.map(Into::into);
            }
            true => {}
            false => checkout.program = None,
        }
        if checkout.claim.is_some() {
            let (waits, boot_id) = (&self.waits, &self.boot_id);
            let written = self.outbox.change(|change| waits.write(boot_id, change));
            if let Err(error) = written {
                tracing::error!(%error, "what is waited for cannot be written down");
            }
        }
        Some(SyncAction::Checkout(checkout))
    }

    /// Writes down what people were told, so that they can read it after a restart.
    pub(crate) fn write_down_notices(&mut self) -> Result<(), OutboxError> {
        self.notices.forget_old(clock::boot_ms());
        if self.notices.are_written() {
            return Ok(());
        }
        let notices = &self.notices;
        self.outbox.change(|change| notices.write(change))?;
        self.notices.were_written();
        Ok(())
    }
}

/// A session's seat goes back: what was never asked for need not be given back.
pub(crate) fn release(
    change: &Change<'_>,
    by: SyncAction<'_>,
    session: u64,
) -> Result<(), OutboxError> {
    change.take_back(ItemKind::Renew, session)?;
    change.take_back(ItemKind::Checkout, session)?;
    if change.was_asked_for(session)? {
        change.enqueue(&by)?;
    }
    Ok(())
}

/// The computer's id as it was made, or a new one if this is another machine.
fn computer_of(
    outbox: &mut Outbox,
    machine_id: &Path,
    name: Option<String>,
    shared: Option<&SharedId>,
) -> Result<Computer, AgentError> {
    let machine = computer::machine_hash(machine_id);
    let known = outbox.meta("computer").map_err(AgentError::state)?;
    let tied_to = outbox.meta("machine").map_err(AgentError::state)?;
    let is_this = machine.is_none() || tied_to.is_none() || tied_to == machine;
    let id = match known {
        Some(id) if is_this => id,
        known => {
            let adopted = shared.and_then(|shared| shared.to_adopt(machine.as_deref()));
            let id = adopted.map_or_else(computer::new_id, Ok).map_err(|error| {
                AgentError::Failed(format!("cannot make an id for this computer: {error}"))
            })?;
            if let Some(before) = known {
                tracing::warn!(
                    before,
                    now = id,
                    "the machine id has changed (a cloned disk?): this is a computer of its own \
                     from now on"
                );
            }
            id
        }
    };
    if let Some(shared) = shared {
        shared.must_be_free(&id)?;
    }
    let incarnation = outbox.number("incarnation").map_err(AgentError::state)?;
    outbox
        .change(|change| {
            change.set_meta("computer", &id)?;
            if let Some(machine) = &machine {
                change.set_meta("machine", machine)?;
            }
            if !is_this {
                change.forget_everything()?;
            }
            if incarnation == 0 || !is_this {
                change.begin_incarnation(u64::try_from(clock::wall_ms()).unwrap_or(1).max(1))?;
            }
            Ok(())
        })
        .map_err(AgentError::state)?;
    Ok(Computer {
        id,
        machine,
        name: name.unwrap_or_else(computer::host_name),
    })
}
