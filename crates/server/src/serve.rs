//! Runs a server from start to stop: the listener, the cores, the engine.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::RecvTimeoutError;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::mpsc;
use usher_core::lifecycle::{Limits, Step, Work};
use usher_http::listen::{self, Room, WhenFull};
use usher_http::tls;
use usher_platform::signals::{Stop, Told};
use usher_store::{Engine, EngineOptions, Snapshots, SystemClock};
use usher_vital::task;

use crate::Managed;
use crate::ServerError;
use crate::ServerOptions;
use crate::access::auth::TokenBook;
use crate::engine::metrics::{CoreCounts, UNCOUNTED};
use crate::net::core_loop;
use crate::routes;
use crate::secrets::proof::{LeaseProofs, PROOF_KEY_FILE};
use crate::secrets::secret;
use crate::secrets::signing::PolicyKey;
use crate::state::app::{App, Parts};
use crate::state::granting::{self, Hold};
use crate::state::herald;
use crate::state::live::{Live, ServiceState};
use crate::state::pause;
use crate::upkeep::backups::Backups;
use crate::upkeep::lifecycle::{ServiceLife, ServiceNow};
use crate::upkeep::packs::Upkeep;
use crate::upkeep::vital;

/// The largest number of open connections, if the system allows as many open files; the next one is
/// answered with 503 and closed.
const CONNECTIONS_LIMIT: usize = 10_000;
/// How often the progress of a stop is checked.
const LOOK: Duration = Duration::from_millis(20);
/// The exit code of a server that cannot start, or go on.
const FAILED: u8 = 1;

/// Serves until `stop` completes. See [`crate::run`].
pub fn run_until(
    options: ServerOptions,
    ready: impl FnOnce(SocketAddr) + Send + 'static,
    stop: impl Future<Output = ()>,
) -> Result<(), ServerError> {
    run_under(options, Managed::default(), ready, stop)
}

/// Serves under a service manager, until `stop` completes or a control stops the server.
pub fn run_under(
    options: ServerOptions,
    managed: Managed,
    ready: impl FnOnce(SocketAddr) + Send + 'static,
    stop: impl Future<Output = ()>,
) -> Result<(), ServerError> {
    run_with(options, managed, Box::new(ready), Box::pin(stop))
}

/// What is called when requests are answered, and what ends the server: in boxes, so that the server
/// is compiled once, here, and not again by each caller.
type Ready = Box<dyn FnOnce(SocketAddr) + Send>;
type Stopped<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

fn run_with(
    options: ServerOptions,
    managed: Managed,
    ready: Ready,
    stop: Stopped<'_>,
) -> Result<(), ServerError> {
    let passed = managed.listener.as_ref().map(TcpListener::local_addr);
    let listen = match passed.transpose() {
        Ok(passed) => passed.unwrap_or(options.listen),
        Err(error) => return Err(failed("use the listener that was passed", &error)),
    };
    let tls = check(&options, listen)?;
    must_not_be_lost(&options)?;
    let live = Arc::new(Live::default());
    let listener = Box::new({
        let live = live.clone();
        move |seen: &ServiceNow| herald::state_changed(&live.feed, &ServiceState::of(seen))
    });
    let life = ServiceLife::begin(Limits::default(), managed.manager.clone(), listener)
        .map_err(|error| failed("start a thread", &error))?;
    let result = start(options, managed, &life, live, tls, ready, stop);
    match &result {
        Ok(()) => life.done(),
        Err(_) => life.failed(FAILED),
    }
    life.wait_until_told();
    result
}

/// Opens the files, serves, and closes the files, reporting progress to `life`.
fn start(
    options: ServerOptions,
    managed: Managed,
    life: &ServiceLife,
    live: Arc<Live>,
    tls: Option<tls::Shown>,
    ready: Ready,
    stop: Stopped<'_>,
) -> Result<(), ServerError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| failed("start a loop", &error))?;
    let limit = listen::raise_open_files(CONNECTIONS_LIMIT);
    let connections = Room::new(limit, WhenFull::Refused);
    let listener = match managed.listener {
        Some(listener) => listener,
        None => listen(options.listen)?,
    };
    let prepared = listener
        .set_nonblocking(true)
        .and_then(|()| listener.local_addr());
    let address =
        prepared.map_err(|error| failed("learn the address that it listens on", &error))?;
    if let Some(prepare) = managed.prepare {
        prepare(&|left| life.moved(Step::Rehearse, left)).map_err(ServerError::Failed)?;
    }
    let options_of_engine = EngineOptions {
        data: options.data.clone(),
        clock: Arc::new(SystemClock),
        on_durable: Box::new({
            let live = live.clone();
            move |batch| live.take_in(batch)
        }),
    };
    let (engine, opened) =
        Engine::open_counting(options_of_engine, &|left| life.moved(Step::Recover, left))
            .map_err(|error| ServerError::Failed(error.to_string()))?;
    tracing::info!(
        server = %opened.server_id,
        leases = opened.leases,
        replayed = opened.replayed,
        "opened the store"
    );
    if let Some(seconds) = opened.is_copy {
        tracing::warn!(
            hold_seconds = seconds,
            "cache.db is not the file that the server left when it was stopped: a copy was put in \
             its place. Seats that were granted after the copy may be in use, so it is taken for \
             restored, and nothing is granted until they must have ended. Stop the server, and \
             `usher restore --accept-risk` ends that"
        );
    }
    routes::backup::clean(&options.data);
    let tokens = match secret::ensure_admin(&options.data, &engine.tokens()) {
        Ok(tokens) => tokens,
        Err(error) => {
            engine.close();
            return Err(ServerError::Failed(error.to_string()));
        }
    };
    let hold = match Hold::of(&engine, opened.is_copy.is_some()) {
        Ok(hold) => Arc::new(hold),
        Err(failure) => {
            engine.close();
            return Err(ServerError::Failed(format!(
                "cannot read how long nothing is granted: {failure:?}"
            )));
        }
    };
    let keys = PolicyKey::open(&options.data)
        .and_then(|policy| Ok((policy, LeaseProofs::open(&options.data)?)));
    let (policy_key, proofs) = match keys {
        Ok(keys) => keys,
        Err(error) => {
            engine.close();
            return Err(ServerError::Failed(error.to_string()));
        }
    };
    let snapshots = Snapshots::of(&options.data);
    let backups = Arc::new(Backups::open(&engine, snapshots, options.keep_snapshots));
    let upkeep = match Upkeep::open(
        &engine,
        live.feed.clone(),
        backups.clone(),
        options.keep_days,
    ) {
        Ok(upkeep) => Arc::new(upkeep),
        Err(error) => {
            engine.close();
            return Err(error);
        }
    };
    life.moved(Step::Listen, Work::UNCOUNTED);
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    let counts = (0..cores).map(|_| Arc::new(CoreCounts::new(routes::TABLE.len())));
    let app = Arc::new(App::new(Parts {
        certificate_ends_s: tls.as_ref().map(|tls| tls.ends_s),
        engine: engine.clone(),
        hold,
        tokens: TokenBook::of(&tokens, options.local_accounts),
        server_id: opened.server_id,
        data: options.data,
        live,
        counts: counts.collect(),
        life: life.clone(),
        connections,
        upkeep,
        backups,
        policy_key,
        proofs,
        local_accounts: options.local_accounts,
    }));
    runtime.spawn(granting::tell(app.hold.clone()));
    if let Some(manager) = managed.manager {
        vital::watch(engine.clone(), life.clone(), manager)
            .map_err(|error| failed("start a thread", &error))?;
    }
    let ready = || {
        life.done();
        ready(address);
    };
    let served = serve(
        &runtime,
        &app,
        listener,
        tls.map(|tls| tls.acceptor),
        ready,
        stop,
    );
    // Without a control it is the operating system that ends it, or an error.
    life.terminate();
    let result = served.and_then(|threads| join(&runtime, &app, threads));
    // What blocks on a disk that hangs is not waited for.
    runtime.shutdown_background();
    close(&engine, life);
    result
}

/// Checks the options before anything is touched.
fn check(options: &ServerOptions, listen: SocketAddr) -> Result<Option<tls::Shown>, ServerError> {
    listen::must_be_private(listen, options.tls.is_some(), options.plain_http, "")
        .map_err(ServerError::Usage)?;
    let read = |files| tls::read(files, listen.ip()).map_err(ServerError::Usage);
    options.tls.as_ref().map(read).transpose()
}

/// If there was a server before, its data file must be there: an empty one in its place would
/// forget every product, lease and session without a word.
fn must_not_be_lost(options: &ServerOptions) -> Result<(), ServerError> {
    let (file, token) = (
        options.data.join("cache.db"),
        options.data.join(secret::ADMIN_TOKEN_FILE),
    );
    if options.begin_anew || !token.exists() {
        return Ok(());
    }
    let what = match std::fs::metadata(&file) {
        Ok(found) if found.len() > 0 => return Ok(()),
        Ok(_) => "is empty",
        Err(error) if error.kind() == io::ErrorKind::NotFound => "is not there",
        // What is wrong with it is told by who opens it.
        Err(_) => return Ok(()),
    };
    // A manager has a token of its own; what it keeps with it is not a server's.
    let was_server = options.data.join(PROOF_KEY_FILE).exists();
    let site = options.data.join("site.db");
    if site.exists() && !was_server {
        return Err(ServerError::Failed(format!(
            "{} is the data directory of a manager, as {} shows: give the server one of its own \
             with --data DIR",
            options.data.display(),
            site.display()
        )));
    }
    Err(ServerError::Failed(format!(
        "{} {what}, but {} shows that a server has kept its data here: put the file back, or bring \
         back a snapshot with `usher restore FILE`; --begin-anew begins with no products, seats and \
         records",
        file.display(),
        token.display()
    )))
}

/// One listener, not shared: a second server on the same port must fail.
pub(crate) fn listen(address: SocketAddr) -> Result<TcpListener, ServerError> {
    listen::bind(address)
        .map_err(|error| ServerError::Failed(listen::cannot(address, &error, "--listen")))
}

type Cores = Vec<JoinHandle<io::Result<()>>>;

/// Serves until it is told to stop; returns the cores' threads, which then finish.
fn serve(
    runtime: &tokio::runtime::Runtime,
    app: &Arc<App>,
    listener: TcpListener,
    tls: Option<tokio_rustls::TlsAcceptor>,
    ready: impl FnOnce(),
    stop: Stopped<'_>,
) -> Result<Cores, ServerError> {
    let mut threads = Vec::new();
    let mut doors = Vec::new();
    for (index, counts) in app.counts.iter().enumerate() {
        let (door, incoming) = mpsc::unbounded_channel();
        let (app, counts, tls) = (app.clone(), counts.clone(), tls.clone());
        let run = move || core_loop::run(app, counts, incoming, tls);
        let thread = usher_vital::spawn(&format!("core-{index}"), run)
            .map_err(|error| failed("start a thread", &error))?;
        threads.push(thread);
        doors.push(door);
    }
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)
            .map_err(|error| failed("listen without waiting", &error))?;
        tokio::spawn(task("herald", herald::run(app.clone())));
        tokio::spawn(task("watch-state", watch_state(app.clone())));
        let told = pause::tell(app, false).await;
        tokio::spawn(task("pause", pause::tend(app.clone(), told)));
        tokio::spawn(task("upkeep", app.upkeep.clone().keep()));
        let serving = async {
            ready();
            let accepting = listen::accept(&listener, &app.connections, &doors);
            task("accept", accepting).await;
        };
        tokio::select! {
            biased;
            // Asked first: from then on signals are caught, so that whoever hears that it serves
            // can stop it cleanly.
            () = stop => {}
            () = app.stopping() => {}
            () = serving => {}
        }
        Ok(())
    })?;
    Ok(threads)
}

/// Notices trouble, such as a full disk, and its end.
async fn watch_state(app: Arc<App>) {
    let mut was_degraded = false;
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let state = app.state();
        let is_degraded = state.word == "degraded";
        app.life
            .trouble(state.why.as_deref().filter(|_| is_degraded));
        if is_degraded != was_degraded {
            match &state.why {
                Some(why) => tracing::warn!(state = state.word, %why, "the state has changed"),
                None => tracing::info!(state = state.word, "the state has changed"),
            }
            herald::state_changed(&app.live.feed, &state);
        }
        was_degraded = is_degraded;
    }
}

/// Waits until the cores have answered what was in flight.
fn join(
    runtime: &tokio::runtime::Runtime,
    app: &Arc<App>,
    threads: Cores,
) -> Result<(), ServerError> {
    // What the loops still ask of this one's tasks goes on meanwhile.
    let joined = runtime.block_on(async {
        let mut joined = tokio::task::spawn_blocking(move || {
            threads
                .into_iter()
                .map(JoinHandle::join)
                .collect::<Vec<_>>()
        });
        loop {
            tokio::select! {
                joined = &mut joined => return joined,
                () = tokio::time::sleep(LOOK) => {}
            }
            if let Some(left) = in_flight(app) {
                app.life.moved(Step::Drain, left);
            }
        }
    });
    let left = app.connections.open();
    if left > 0 {
        tracing::warn!(left, "connections were cut off after the deadline");
    }
    for ended in joined.map_err(|_| panicked())? {
        ended
            .map_err(|_| panicked())?
            .map_err(|error| failed("run a core's loop", &error))?;
    }
    Ok(())
}

fn panicked() -> ServerError {
    ServerError::Failed("a core's loop has panicked: this is a bug, please report it".to_owned())
}

/// The number of requests that are being answered; none until each core has counted.
fn in_flight(app: &App) -> Option<u64> {
    app.counts
        .iter()
        .map(|counts| counts.in_flight.load(Ordering::Relaxed))
        .try_fold(0, |sum: u64, of_core| {
            (of_core != UNCOUNTED).then(|| sum.saturating_add(of_core))
        })
}

/// Closes the engine. `life` decides how long to wait for a disk that hangs.
fn close(engine: &Engine, life: &ServiceLife) {
    let (done, closed) = std::sync::mpsc::channel();
    life.moved(Step::Flush, Work::UNCOUNTED);
    let close = {
        let engine = engine.clone();
        move || {
            usher_vital::plant::thread();
            engine.close();
            // It is waited for until the process ends.
            let _ = done.send(());
        }
    };
    if let Err(error) = usher_vital::spawn("close", close) {
        tracing::error!(%error, "no thread could be started to close the store: its journal stays");
        return;
    }
    loop {
        match engine.behind() {
            0 => life.moved(Step::Close, Work::UNCOUNTED),
            left => life.moved(Step::Flush, left),
        }
        match closed.recv_timeout(LOOK) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn failed(doing: &str, error: &dyn std::fmt::Display) -> ServerError {
    ServerError::Failed(format!("cannot {doing}: {error}"))
}

/// Completes when a service manager, an administrator or the terminal stops the server.
pub(crate) async fn told_to_stop() {
    match Stop::take(Told::Usual) {
        Ok(mut stop) => {
            stop.next().await;
        }
        Err(error) => {
            tracing::error!(%error, "signals cannot be handled; they end the server at once");
            std::future::pending::<()>().await;
        }
    }
}
