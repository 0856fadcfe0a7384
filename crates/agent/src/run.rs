//! An agent's life: start, the loops, a clean stop.

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use usher_platform::account::is_administrator;
use usher_platform::files::{self, Readers};
use usher_platform::lock as locks;
use usher_platform::signals::{Stop, Told};
use usher_vital::task;

use crate::agent::Agent;
use crate::base::{clock, lock};
use crate::identity::databases::Databases;
use crate::local::{socket, untouched};
use crate::model::{joins, policy::trust};
use crate::server::sync_loop::{self, Exchanges};
use crate::server::{attend, covers, hearing, keeping, leaving, token};
use crate::store::computer_id::SharedId;
use crate::store::enforcement;
use crate::system::accounts::Accounts;
use crate::watch::{LOOK, ObservedEvent, Watcher};
use crate::{AgentError, AgentOptions, AgentReady, gate};

/// Sightings that wait between the threads and the agent.
const SEEN_LIMIT: usize = 16_384;
/// Starts that wait between the gate's threads and the agent.
const STARTS_LIMIT: usize = usher_gate::HELD_AT_MOST;
/// Sightings that become one transaction.
const BATCH: usize = 1_024;
/// How often it is written down what runs.
const WRITE_DOWN: Duration = Duration::from_secs(10);
/// How often starts of programs of no product are reported.
const REPORT_PROGRAMS: Duration = Duration::from_secs(15);
/// How long the first exchange with the server may take before it is said that there is none yet.
const FIRST_EXCHANGE: Duration = Duration::from_secs(3);
/// How soon they are reported for the first time.
const FIRST_REPORT: Duration = Duration::from_secs(3);

/// Watches this computer until SIGTERM or SIGINT. Calls `ready` once programs are seen, the sockets
/// answer and the first exchange with the server has ended, well or not (or takes too long); writes
/// everything down before it returns.
pub fn run(
    options: AgentOptions,
    ready: impl FnOnce(AgentReady) + Send + 'static,
) -> Result<(), AgentError> {
    run_with(options, Box::new(ready))
}

/// What is called when the agent is ready: in a box, so that the agent is compiled once, here,
/// and not again by each caller.
type Ready = Box<dyn FnOnce(AgentReady) + Send>;

fn run_with(options: AgentOptions, ready: Ready) -> Result<(), AgentError> {
    make_folder(&options.data)?;
    let _lock = lock_folder(&options.data)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(4)
        .build()
        .map_err(|error| AgentError::Failed(format!("cannot start the agent: {error}")))?;
    let result = runtime.block_on(Box::pin(live(options, ready)));
    // A name service or a dead disk must not keep an agent from stopping.
    runtime.shutdown_timeout(Duration::from_secs(1));
    result
}

/// The id of this computer, made if there is none yet: a token is bound to it before the agent
/// starts. `shared` is where the id of all agents of this computer is kept, if it is. Fails if
/// an agent runs with that data directory; its socket tells the id.
pub fn computer_id(data: &Path, shared: Option<&Path>) -> Result<String, AgentError> {
    make_folder(data)?;
    let _lock = lock_folder(data)?;
    let options = AgentOptions::new(data.to_owned(), String::new());
    let shared = shared.and_then(SharedId::open);
    let agent = Agent::open(data, &options.machine_id_file, None, shared)?;
    Ok(agent.here().computer.id.clone())
}

async fn live(options: AgentOptions, ready: Ready) -> Result<(), AgentError> {
    let failed = |what: &str, why: String| AgentError::Failed(format!("{what}: {why}"));
    let mut asked_to_end = Stop::take(Told::Usual)
        .map_err(|error| failed("cannot wait for signals", error.to_string()))?;
    // Before anything is found out by them.
    let mut databases = Databases::look();

    let mut agent = Agent::open(
        &options.data,
        &options.machine_id_file,
        options.computer_name.clone(),
        options.computer_id_file.as_deref().and_then(SharedId::open),
    )?;
    let client = token::client(&options, &agent.here().computer.id)?;
    agent.vouches(trust::is_vouched(&options.server));
    agent.knows_accounts(Accounts::open(&options.data, options.realms.clone()));
    for account in agent.people_of_sessions().map_err(AgentError::state)? {
        agent.here().accounts.clone().learn_aside(account).await;
    }
    let roots = agent.take_up().map_err(AgentError::state)?;
    let (seen_in, mut seen_out) = mpsc::channel(SEEN_LIMIT);
    let watcher = Watcher::start(
        options.watching,
        agent.rulebook().rules(),
        &roots,
        agent.here().accounts.clone(),
        seen_in,
    )
    .map_err(|error| failed("cannot watch programs", error.to_string()))?;
    agent.is_watched_by(watcher.shared.clone());

    let (starts_in, mut starts) = mpsc::channel(STARTS_LIMIT);
    let supervisor = match &options.gate {
        Some(gate) => {
            let supervisor =
                gate::GateSupervisor::start(gate.clone(), watcher.shared.clone(), starts_in);
            Some(supervisor.map_err(|error| failed("cannot keep a gate", error.to_string()))?)
        }
        None => None,
    };
    agent.is_gated_by(
        supervisor
            .as_ref()
            .map(|supervisor| supervisor.shared.clone()),
    );
    agent.want_gate();
    agent.take_up_waits().map_err(AgentError::state)?;

    let agent = Arc::new(Mutex::new(agent));
    let changed = Arc::new(Notify::new());
    let (stop_in, stop) = watch::channel(false);
    let (exchanges_in, exchanges) = watch::channel(Exchanges::default());
    let mut first = exchanges.clone();
    let leaving = leaving::Leaving::take_up(agent.clone()).map_err(AgentError::state)?;
    let leaving = Arc::new(leaving);
    let leave = leaving::run(
        leaving.clone(),
        client.clone(),
        exchanges.clone(),
        stop.clone(),
    );
    let hearing = Arc::new(hearing::Hearing::new(client.clone()));
    let attendant = attend::Attendant {
        agent: agent.clone(),
        client: client.clone(),
        changed: changed.clone(),
        leaving: leaving.clone(),
        hearing: hearing.clone(),
    };
    attendant.take_up();
    let joins = Arc::<joins::Joins>::default();
    let uses = lock(&agent).uses();
    let keeping = Arc::<keeping::Keeping>::default();
    let state = Arc::new(socket::State {
        attendant,
        joins: joins.clone(),
        agent: agent.clone(),
        client: client.clone(),
        shared: watcher.shared.clone(),
        watching: watcher.watching,
        can_miss: watcher.can_miss.clone(),
        server: options.server.clone(),
        changed: changed.clone(),
        exchanges,
        refreshes: socket::Refreshes::default(),
        looks: socket::Refreshes::default(),
        uses: uses.clone(),
        keeping: keeping.clone(),
        tickets: socket::Tickets::default(),
        leaving,
        hearing,
        identifying: tokio::sync::Semaphore::new(1),
    });
    let covers = covers::run(
        agent.clone(),
        client.clone(),
        joins,
        options.look_after_covers,
        changed.clone(),
        stop.clone(),
    );
    let keep = keeping::run(agent.clone(), client.clone(), keeping, stop.clone());
    let covers = async move {
        tokio::join!(covers, keep, leave);
    };
    tokio::spawn(task("covers", covers));
    let tell = enforcement::tell(
        lock(&agent).rulebook().enforcement.follow(),
        changed.clone(),
    );
    tokio::spawn(task("enforcement", tell));
    tokio::spawn(task("idle", untouched::run(agent.clone(), stop.clone())));
    let sockets = socket::listen(&options, state, &stop);
    let exchange = sync_loop::run(
        agent.clone(),
        client.clone(),
        uses.clone(),
        watcher.watching,
        changed.clone(),
        exchanges_in,
        stop,
    );
    let exchange = tokio::spawn(task("exchange", exchange));
    let mut ready = Some(ready);
    let first = first.wait_for(|exchanges| exchanges.ended > 0);
    let mut first = std::pin::pin!(tokio::time::timeout(FIRST_EXCHANGE, first));

    let mut seen: Vec<ObservedEvent> = Vec::new();
    let mut asked: Vec<gate::Start> = Vec::new();
    let mut enforcement = lock(&agent).rulebook().enforcement.follow();
    let mut told = lock(&agent).notices().follow();
    let mut write_down = tokio::time::interval(WRITE_DOWN);
    let first_report = tokio::time::Instant::now() + FIRST_REPORT;
    let mut report = tokio::time::interval_at(first_report, REPORT_PROGRAMS);
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut looking: Option<tokio::task::JoinHandle<()>> = None;
    let mut is_watched = true;
    while is_watched {
        usher_vital::plant::here("main");
        let due = lock(&agent).next_let_go();
        // What is asked meanwhile has a grace that is not shorter than the pauses of this loop.
        let reminder = lock(&agent).next_reminder_boot_ms();
        tokio::select! {
            biased;
            _ = asked_to_end.next() => break,
            _ = &mut first, if ready.is_some() => {
                let (computer, not_connected) = {
                    let agent = lock(&agent);
                    (agent.here().computer.id.clone(), agent.link().why_not(&options.server))
                };
                let said = AgentReady {
                    computer,
                    watching: watcher.watching,
                    can_miss: watcher.can_miss.clone(),
                    sockets: sockets.clone(),
                    not_connected,
                };
                if let Some(ready) = ready.take() {
                    ready(said);
                }
            }
            1.. = starts.recv_many(&mut asked, BATCH) => say(lock(&agent).asked(&mut asked)),
            () = until(due) => say(lock(&agent).let_go(false)),
            () = until(reminder) => lock(&agent).remind_due(clock::boot_ms()),
            Ok(()) = enforcement.changed() => {
                let mut agent = lock(&agent);
                agent.want_gate();
                agent.spare_by_rules();
            }
            Ok(()) = told.changed() => say(lock(&agent).write_down_notices()),
            count = seen_out.recv_many(&mut seen, BATCH) => {
                // Whoever watches has ended, which is no order to stop.
                is_watched = count > 0;
                say(lock(&agent).take_in(&mut seen));
                changed.notify_one();
            }
            _ = write_down.tick() => {
                let mut agent = lock(&agent);
                agent.look_at_enforcement();
                say(agent.write_down_members());
                say(agent.write_down_notices());
                say(agent.look_after_left());
                agent.look_for_the_gone();
                agent.here().accounts.keep();
                if databases.have_changed() {
                    agent.identify_anew();
                }
            }
            _ = look.tick() => look_what_runs(&agent, &mut looking).await,
            _ = report.tick() => {
                let before = lock(&agent).outbox().waiting().unwrap_or(0);
                say(lock(&agent).report_programs());
                if lock(&agent).outbox().waiting().unwrap_or(0) > before {
                    changed.notify_one();
                }
            }
        }
    }

    tracing::info!("stopping");
    // Nobody is held for an agent that no longer answers.
    drop(supervisor);
    let watching = watcher.watching;
    let _ = stop_in.send(true);
    let _ = exchange.await;
    lock(&agent).is_watched_no_more();
    drop(watcher);
    // What was seen until now is still taken in; the threads' end closes the channel.
    while let Ok(Some(last)) = tokio::time::timeout(Duration::from_secs(1), seen_out.recv()).await {
        seen.push(last);
    }
    {
        let mut agent = lock(&agent);
        say(agent.take_in(&mut seen));
        say(agent.report_programs());
        say(agent.write_down_members());
        say(agent.write_down_notices());
        agent.here().accounts.keep();
    }
    sync_loop::last(&agent, &client, &uses, watching).await;
    for path in sockets {
        let _ = std::fs::remove_file(path);
    }
    match is_watched {
        true => Ok(()),
        false => Err(AgentError::Failed(
            "the thread that watches programs has ended, so that no start is seen any more: \
             restart the agent"
                .to_owned(),
        )),
    }
}

/// Has it looked at which programs of no product run, unless the last look still goes on.
async fn look_what_runs(agent: &Mutex<Agent>, looking: &mut Option<tokio::task::JoinHandle<()>>) {
    if looking
        .as_ref()
        .is_some_and(|looking| !looking.is_finished())
    {
        return;
    }
    if let Some(done) = looking.take()
        && let Err(error) = done.await
    {
        tracing::error!(%error, "it cannot be looked at for how long programs run");
    }
    if let Some(shared) = lock(agent).watcher() {
        *looking = Some(tokio::task::spawn_blocking(move || {
            // Its log line says what happened; the next look is another.
            let _ = usher_vital::catch("a look at what runs", || shared.look_what_runs());
        }));
    }
}

/// Waits until the boot clock is there; without one, for ever.
async fn until(due_boot_ms: Option<u64>) {
    match due_boot_ms {
        Some(due) => {
            let left = due.saturating_sub(clock::boot_ms());
            tokio::time::sleep(Duration::from_millis(left)).await;
        }
        None => std::future::pending().await,
    }
}

fn say(result: Result<(), crate::store::outbox::OutboxError>) {
    if let Err(error) = result {
        tracing::error!(%error, "what was seen is kept in memory until it can be written");
    }
}

fn make_folder(data: &Path) -> Result<(), AgentError> {
    let parent = data.parent().filter(|parent| parent.is_dir());
    parent.map_or(Ok(()), is_roots)?;
    files::make_folders(data, Readers::Nobody).map_err(|error| {
        AgentError::Failed(format!(
            "cannot make the data directory {}: {error}",
            data.display()
        ))
    })?;
    is_roots(data)
}

/// An agent that runs as root keeps no file in a folder in which another account could exchange it,
/// as it reads and writes it as root.
fn is_roots(folder: &Path) -> Result<(), AgentError> {
    match std::fs::metadata(folder).and_then(|found| files::owner(&found)) {
        Ok(owner) if !owner.is_system() && is_administrator() => Err(AgentError::Usage(format!(
            "{} belongs to another account ({owner}): an agent that runs as root keeps its data in \
             a directory of root's; name another with --data",
            folder.display()
        ))),
        _ => Ok(()),
    }
}

/// One agent for one data directory.
fn lock_folder(data: &Path) -> Result<File, AgentError> {
    let path = data.join("agent.lock");
    let file = files::open_private(&path)
        .map_err(|error| AgentError::Failed(format!("cannot open {}: {error}", path.display())))?;
    match locks::take(&file) {
        Ok(true) => Ok(file),
        Ok(false) => Err(AgentError::Failed(format!(
            "another agent runs with the data directory {}; stop it first, or give this one \
             another --data",
            data.display()
        ))),
        Err(error) => Err(AgentError::Failed(format!(
            "cannot lock {}: {error}",
            path.display()
        ))),
    }
}
