//! What all cores share: the engine and the state beside it.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use tokio::sync::{Semaphore, oneshot};
use usher_api::{Code, GrantsNothing};
use usher_core::ledger::{Command, Ledger, Now};
use usher_core::lifecycle::ServiceState::Running;
use usher_core::people::LocalAccounts;
use usher_http::listen::Room;
use usher_store::{Answer, Engine, Failure, Health, Request, Sink, Work};

use crate::access::auth::TokenBook;
use crate::access::keys::SecretAnswers;
use crate::base::clock::wall_ms;
use crate::engine::hopper::{ANSWER_SECONDS, no_answer};
use crate::engine::joins::Joins;
use crate::engine::metrics::CoreCounts;
use crate::engine::readers::{NotRead, Readers};
use crate::engine::touched::Touched;
use crate::engine::used::Used;
use crate::secrets::proof::LeaseProofs;
use crate::secrets::signing::PolicyKey;
use crate::state::granting::{self, Hold};
use crate::state::live::{Live, ServiceState};
use crate::state::pace::Pace;
use crate::state::policy::{Policies, PolicyText};
use crate::state::quiet::QuietRules;
use crate::state::turned_away::DoorBook;
use crate::upkeep::backups::Backups;
use crate::upkeep::lifecycle::ServiceLife;
use crate::upkeep::packs::Upkeep;
use crate::wire::problem::Refusal;

/// How many readers of the tables run at the same time.
const READERS_LIMIT: usize = 8;
/// How long to wait for a read of the ledger.
const LOOK_PATIENCE: Duration = Duration::from_secs(5);
/// How long a reader waits for its turn before it is refused as busy.
const READER_PATIENCE: Duration = Duration::from_secs(5);
/// How many computers are remembered with their last report.
const SEEN_LIMIT: usize = 100_000;

/// The state that all cores share.
pub(crate) struct App {
    pub(crate) life: ServiceLife,
    pub(crate) engine: Engine,
    pub(crate) server_id: String,
    pub(crate) data: PathBuf,
    /// The hold after a restore, during which nothing is granted.
    pub(crate) hold: Arc<Hold>,
    pub(crate) tokens: TokenBook,
    /// Held while tokens are changed, so that memory and file stay the same.
    pub(crate) tokens_change: tokio::sync::Mutex<()>,
    pub(crate) secret_answers: SecretAnswers,
    pub(crate) live: Arc<Live>,
    pub(crate) counts: Vec<Arc<CoreCounts>>,
    pub(crate) connections: Room,
    pub(crate) started: Instant,
    pub(crate) seen: Mutex<FxHashMap<Arc<str>, i64>>,
    pub(crate) policies: Policies,
    pub(crate) proofs: LeaseProofs,
    pub(crate) joins: Joins,
    /// Kept seats that somebody uses.
    pub(crate) used: Used,
    /// For how long nobody had touched sessions.
    pub(crate) touched: Touched,
    /// When its certificate expires, in Unix seconds; none: it speaks plain HTTP.
    pub(crate) certificate_ends_s: Option<i64>,
    /// How accounts of computers' own files are counted.
    pub(crate) local_accounts: LocalAccounts,
    /// One backup at a time.
    pub(crate) backup_turn: Arc<Semaphore>,
    pub(crate) upkeep: Arc<Upkeep>,
    /// The result of the last search for rules that no longer match.
    pub(crate) quiet_rules: QuietRules,
    pub(crate) backups: Arc<Backups>,
    /// Agents and clients that were recently turned away.
    pub(crate) door: DoorBook,
    /// How much is decided, as those who collect its history see it.
    pub(crate) pace: Pace,
    /// The end of the previous process, if a panic ended it.
    pub(crate) ended: Option<usher_vital::ended::Ended>,
    state: Mutex<ServiceState>,
    readers: Readers,
}

/// The parts of an [`App`].
pub(crate) struct Parts {
    pub(crate) certificate_ends_s: Option<i64>,
    pub(crate) engine: Engine,
    pub(crate) hold: Arc<Hold>,
    pub(crate) tokens: TokenBook,
    pub(crate) server_id: String,
    pub(crate) data: PathBuf,
    pub(crate) live: Arc<Live>,
    pub(crate) counts: Vec<Arc<CoreCounts>>,
    pub(crate) life: ServiceLife,
    pub(crate) connections: Room,
    pub(crate) upkeep: Arc<Upkeep>,
    pub(crate) backups: Arc<Backups>,
    pub(crate) policy_key: PolicyKey,
    pub(crate) proofs: LeaseProofs,
    pub(crate) local_accounts: LocalAccounts,
}

impl App {
    /// Makes the state from its parts.
    pub(crate) fn new(parts: Parts) -> App {
        let ended = usher_vital::ended::last(&parts.data, "server");
        App {
            ended,
            certificate_ends_s: parts.certificate_ends_s,
            life: parts.life,
            engine: parts.engine,
            server_id: parts.server_id,
            data: parts.data,
            hold: parts.hold,
            tokens: parts.tokens,
            tokens_change: tokio::sync::Mutex::new(()),
            secret_answers: SecretAnswers::default(),
            live: parts.live,
            counts: parts.counts,
            connections: parts.connections,
            started: Instant::now(),
            seen: Mutex::default(),
            policies: Policies::new(parts.policy_key),
            proofs: parts.proofs,
            joins: Joins::default(),
            used: Used::default(),
            touched: Touched::default(),
            local_accounts: parts.local_accounts,
            backup_turn: Arc::new(Semaphore::new(1)),
            upkeep: parts.upkeep,
            quiet_rules: QuietRules::default(),
            backups: parts.backups,
            door: DoorBook::default(),
            pace: Pace::new(Instant::now()),
            state: Mutex::new(ServiceState {
                word: "running",
                since_ms: wall_ms(),
                why: None,
            }),
            readers: Readers::new(READERS_LIMIT, READER_PATIENCE),
        }
    }

    /// Applies a rare command.
    pub(crate) async fn command(&self, command: Command) -> Result<Answer, Refusal> {
        let (sender, receiver) = oneshot::channel();
        let mut requests = vec![Request {
            work: Work::Command(command),
            sink: Arc::new(OneAnswer(Mutex::new(Some(sender)))),
            token: 0,
        }];
        self.engine.submit(&mut requests);
        let wait = Duration::from_secs(u64::from(ANSWER_SECONDS));
        match tokio::time::timeout(wait, receiver).await {
            Ok(Ok(outcome)) => Ok(outcome?),
            // It panicked, or the engine has ended.
            Ok(Err(_)) => Err(Failure::Fault.into()),
            Err(_) => Err(no_answer().into()),
        }
    }

    /// Reads from the ledger, in order with the commands; everything else waits meanwhile. Refuses
    /// at once if the disk is known to hang, because the answer would wait for it.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Ledger, Now) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        if let Some(hangs) = self.hang() {
            return Err(hangs);
        }
        let (sender, receiver) = oneshot::channel();
        let look = move |seen: Result<(&Ledger, Now), Failure>| {
            // Who asked may be gone.
            let _ = sender.send(seen.map(|(ledger, now)| look(ledger, now)));
        };
        let mut requests = vec![Request {
            work: Work::Read(Box::new(look)),
            sink: Arc::new(OneAnswer(Mutex::new(None))),
            token: 0,
        }];
        self.engine.submit(&mut requests);
        match tokio::time::timeout(LOOK_PATIENCE, receiver).await {
            Ok(Ok(seen)) => Ok(seen?),
            // It panicked, or the engine has ended.
            Ok(Err(_)) => Err(Failure::Fault.into()),
            // Nothing comes of a look: who asked may ask again.
            Err(_) => Err(Failure::Busy.into()),
        }
    }

    /// Reads the tables, after everything that is durable now was applied to them.
    pub(crate) async fn history<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&usher_store::History) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.blocking(move |app| {
            app.engine.settle()?;
            read(&app.engine.history())
        })
        .await
    }

    /// Reads the tables, after everything that is durable now was applied to them, or as they are
    /// if the disk refuses that.
    pub(crate) async fn history_as_it_is<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&usher_store::History) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.blocking(move |app| {
            match app.engine.settle() {
                Ok(()) | Err(Failure::Storage(_)) => {}
                Err(failure) => return Err(failure),
            }
            read(&app.engine.history())
        })
        .await
    }

    /// Runs blocking work beside the loop. Only so many run at a time; others wait a little.
    pub(crate) async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&App) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Refusal> {
        if let Some(hangs) = self.hang() {
            return Err(hangs);
        }
        let app = self.clone();
        let wait = Duration::from_secs(u64::from(ANSWER_SECONDS));
        let done = self.readers.run(wait, || self.hang(), move || work(&app));
        done.await.map_err(|not_read| match not_read {
            NotRead::NoTurn => Refusal::new(
                Code::Busy,
                format!(
                    "the limit of {READERS_LIMIT} requests that read the history is reached: try \
                     again in a moment"
                ),
            ),
            NotRead::Panicked => Refusal::panicked(),
            NotRead::TooLong => no_answer().into(),
            NotRead::InTheWay(hangs) => hangs,
            NotRead::Failed(failure) => failure.into(),
        })
    }

    /// The refusal of work that would wait for a disk that hangs.
    fn hang(&self) -> Option<Refusal> {
        match self.engine.health() {
            Health::Stuck { why, for_seconds } => Some(hangs(&why, for_seconds)),
            Health::Ok | Health::Degraded { .. } => None,
        }
    }

    /// Whether the server has been told to stop.
    pub(crate) fn is_stopping(&self) -> bool {
        self.life.is_stopping()
    }

    /// Waits until the server is told to stop.
    pub(crate) async fn stopping(&self) {
        self.life.stopping().await;
    }

    /// Why the server grants nothing now; none: it grants. Never waits for the disk.
    pub(crate) fn grants_nothing(&self) -> Option<GrantsNothing> {
        granting::grants_nothing(&self.engine, &self.life, &self.hold)
    }

    /// The state now. Never waits for the disk.
    pub(crate) fn state(&self) -> ServiceState {
        let seen = self.life.seen();
        let grants_nothing = self.grants_nothing().map(|says| says.why);
        if seen.report.status.state != Running {
            let state = ServiceState::of(&seen);
            return ServiceState {
                why: state.why.or(grants_nothing),
                ..state
            };
        }
        let (word, since_ms, why) = match self.engine.health() {
            Health::Ok if grants_nothing.is_some() => ("degraded", seen.since_ms, grants_nothing),
            Health::Ok => ("running", seen.since_ms, None),
            Health::Degraded { why, since_wall_ms } => ("degraded", since_wall_ms, Some(why)),
            Health::Stuck { why, for_seconds } => {
                let for_ms = i64::try_from(for_seconds.saturating_mul(1_000)).unwrap_or(0);
                ("degraded", wall_ms().saturating_sub(for_ms), Some(why))
            }
        };
        let mut last = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if last.word != word {
            // It was degraded in between.
            let again = last.word == "degraded";
            last.since_ms = if again { wall_ms() } else { since_ms };
            last.word = word;
        }
        last.since_ms = last.since_ms.max(seen.since_ms);
        last.why = why;
        last.clone()
    }

    /// Notes that a computer's agent has reported.
    pub(crate) fn seen(&self, computer: &str, at_ms: i64) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = seen.get_mut(computer) {
            *at = at_ms;
        } else if seen.len() < SEEN_LIMIT {
            seen.insert(computer.into(), at_ms);
        }
    }

    /// The policy that agents follow now.
    pub(crate) async fn policy(&self) -> Result<PolicyText, Refusal> {
        let changes = self.live.catalogue_changes.load(Ordering::Acquire);
        if let Some(known) = self.policies.known(changes) {
            return Ok(known);
        }
        let (version, specs) = self
            .look(|ledger, _| {
                let listed = ledger.pools().filter(|(_, pool)| !pool.listing.removed);
                let specs: Vec<_> = listed.map(|(_, pool)| pool.listing.spec.clone()).collect();
                (ledger.catalogue_version(), specs)
            })
            .await?;
        Ok(self.policies.write(version, &specs, changes))
    }

    /// The policy that agents follow, if the stored one is known to be current.
    pub(crate) fn current_policy(&self) -> Option<PolicyText> {
        let changes = self.live.catalogue_changes.load(Ordering::Acquire);
        self.policies.known(changes)
    }
}

/// Whether the disk does not answer.
fn hangs(why: &str, for_seconds: u64) -> Refusal {
    Refusal::new(
        Code::StorageFailed,
        format!(
            "the disk has not answered for {for_seconds} seconds ({why}): look at the disk that \
             the data directory is on, then try again"
        ),
    )
}

/// A sink for the one answer of one request.
struct OneAnswer(Mutex<Option<oneshot::Sender<Result<Answer, Failure>>>>);

impl Sink for OneAnswer {
    fn deliver(&self, answers: &mut Vec<(u64, Result<Answer, Failure>)>) {
        let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        for (_, outcome) in answers.drain(..) {
            if let Some(sender) = sender {
                // Who asked may be gone.
                let _ = sender.send(outcome);
                return;
            }
        }
    }
}
