//! From start to stop: the site database, the keepers, the listener.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::sync::{Notify, Semaphore};
use tokio_rustls::TlsAcceptor;
use usher_site::{ServerRow, Site, SqliteSite};
use usher_vital::{caught, task};

use crate::app::{App, SERVERS_LIMIT};
use crate::book::Book;
use crate::clock::wall_ms;
use crate::delivery::Means;
use crate::desk::{self, Desk};
use crate::idle::{IDLE, Idle};
use crate::keeper;
use crate::logged::or_log;
use crate::probe::{Prober, innermost};
use crate::secrets::{self, Admin};
use crate::thresholds::Held;
use crate::tokens::TokenSource;
use crate::tools::Tools;
use crate::{ManagerError, ManagerOptions, ended, faults, routes, vital};

/// Open connections at the most; the next waits.
const CONNECTIONS_LIMIT: usize = 512;
/// How long requests in flight may take at a stop.
const DRAIN: Duration = Duration::from_secs(5);
const HANDSHAKE: Duration = Duration::from_secs(10);
const UPKEEP: Duration = Duration::from_secs(3_600);
const PURGE_AT_ONCE: u32 = 10_000;
const BEAT_TIMEOUT: Duration = Duration::from_secs(10);

/// Watches and serves until `stop` is done. Calls `ready` with the address that it listens on.
///
/// # Errors
/// [`ManagerError`]: what it cannot be told, or why it could not start.
pub async fn run(
    options: ManagerOptions,
    ready: impl FnOnce(SocketAddr),
    stop: impl Future<Output = ()>,
) -> Result<(), ManagerError> {
    let acceptor = check(&options)?;
    let failed = |error: &dyn std::fmt::Display| ManagerError::Failed(error.to_string());
    let site: Arc<dyn Site> =
        Arc::new(SqliteSite::open(&options.data).map_err(|error| failed(&error))?);
    let admin = match &options.admin_token_file {
        Some(file) => Admin::of(file.clone()),
        None => Admin::in_data(&options.data),
    };
    let admin = admin.map_err(|error| {
        ManagerError::Failed(format!(
            "cannot have the admin's token for {}: {error}",
            options.data.display()
        ))
    })?;
    let known = site.resume().await.map_err(|error| failed(&error))?;
    let book = Book::open(known.tokens.as_deref()).map_err(|error| failed(&error))?;
    let listener = listen(options.listen, options.or_any_port)?;
    let address = listener.local_addr().map_err(|error| failed(&error))?;
    let prober = Prober::new(options.authority.as_deref()).map_err(ManagerError::Usage)?;
    let means = Means {
        http: prober.http().clone(),
        mail: options.mail.clone(),
        authority: options.authority.clone(),
    };
    let (desk, troubles, unnamed) = Desk::open(
        site.clone(),
        options.site.clone(),
        means,
        options.targets.clone(),
        &known,
    );
    let thresholds = Held::open(site.clone(), known.thresholds.as_deref());
    let telling = desk::tell(troubles, Arc::downgrade(&desk));
    let telling = tokio::spawn(task("delivery", telling));
    for it in unnamed {
        let values = vec![it.rule, it.does, it.setting];
        desk.raise(9447, None, values).await;
    }
    let tools = Arc::new(Tools {
        site,
        desk,
        prober,
        service_manager: options.service_manager.clone(),
        poll: options.poll,
        watching: options.watching.clone(),
        healing: options.healing.clone(),
        memory: options.memory.clone(),
        thresholds,
        looked: Notify::new(),
    });
    let app = Arc::new(App::new(tools.clone(), admin, book));
    begin(&app, &options, known.servers);
    ended::tell(&tools, &options.data).await;
    let upkeep = tokio::spawn(task("purge", upkeep(tools.clone())));
    let faults = tokio::spawn(task("faults", faults::tell(tools.clone())));
    let token = secrets::attend(app.admin.clone());
    let token = tokio::spawn(task("token", token));
    let vital = options
        .watchdog
        .clone()
        .map(|watchdog| tokio::spawn(task("vital", vital::attend(app.clone(), watchdog))));
    let beat = options
        .beat_url
        .map(|url| tokio::spawn(task("beat", beat(tools.clone(), url))));
    ready(address);
    let served = task("console", serve(&app, listener, acceptor, stop)).await;
    app.keepers().clear();
    let always = [upkeep, token, telling, faults].map(Some);
    let tasks = always.into_iter().chain([vital, beat]);
    for task in tasks.flatten() {
        task.abort();
    }
    served
}

/// What can be said before anything is touched.
fn check(options: &ManagerOptions) -> Result<Option<TlsAcceptor>, ManagerError> {
    if options.poll < Duration::from_secs(1) {
        return Err(ManagerError::Usage(
            "servers are polled once a second at the most: give --poll 1s or more".to_owned(),
        ));
    }
    let is_local = options.listen.ip().is_loopback();
    if !is_local && options.tls.is_none() && !options.plain_http {
        return Err(ManagerError::Usage(format!(
            "{} is beyond this computer, and tokens would travel in the clear: give --tls-cert \
             FILE and --tls-key FILE (in usher.toml under [role.manager]: those above it are the \
             server's), or say --plain-http",
            options.listen
        )));
    }
    let acceptor = |files| tls(files, options.listen.ip());
    options.tls.as_ref().map(acceptor).transpose()
}

fn tls(files: &crate::TlsFiles, listen: IpAddr) -> Result<TlsAcceptor, ManagerError> {
    let files = usher_tls::ServerFiles {
        cert: files.cert.clone(),
        key: files.key.clone(),
    };
    let (config, identity) = files
        .read()
        .map_err(|refused| ManagerError::Usage(refused.to_string()))?;
    for notice in identity.notices(wall_ms() / 1_000, listen) {
        tracing::warn!("{notice}");
    }
    Ok(TlsAcceptor::from(config))
}

fn listen(address: SocketAddr, or_any_port: bool) -> Result<tokio::net::TcpListener, ManagerError> {
    let bind = |address| {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        tokio::net::TcpListener::from_std(listener)
    };
    let bound = match bind(address) {
        Err(error) if or_any_port && error.kind() == io::ErrorKind::AddrInUse => {
            tracing::warn!(%address, "another program listens there: a free port is taken");
            bind(SocketAddr::new(address.ip(), 0))
        }
        bound => bound,
    };
    bound.map_err(|error| {
        ManagerError::Failed(format!(
            "cannot listen on {address}: {error}: choose another address with --console"
        ))
    })
}

/// Puts a keeper to each server.
fn begin(app: &Arc<App>, options: &ManagerOptions, servers: Vec<ServerRow>) {
    let mut keepers = app.keepers();
    for row in servers.into_iter().take(SERVERS_LIMIT) {
        let token = TokenSource::Text(row.token.clone());
        let name = row.name.clone();
        keepers.insert(name, keeper::keep(row, token, app.tools.clone()));
    }
    if let Some(own) = &options.own {
        let row = ServerRow {
            name: own.name.clone(),
            url: own.url.clone(),
            token: String::new(),
            unit: None,
            data: Some(own.data.display().to_string()),
            added_ms: wall_ms(),
        };
        let token = TokenSource::File(own.token_file.clone());
        keepers.insert(
            own.name.clone(),
            keeper::keep(row, token, app.tools.clone()),
        );
    }
}

async fn serve(
    app: &Arc<App>,
    listener: tokio::net::TcpListener,
    acceptor: Option<TlsAcceptor>,
    stop: impl Future<Output = ()>,
) -> Result<(), ManagerError> {
    let router = routes::router(app.clone());
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(CONNECTIONS_LIMIT));
    tokio::pin!(stop);
    loop {
        let place = tokio::select! {
            () = &mut stop => break,
            place = room.clone().acquire_owned() => place,
        };
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => Idle::watch(stream),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let service = TowerToHyperService::new(router.clone());
        let watcher = graceful.watcher();
        let acceptor = acceptor.clone();
        let served = async move {
            let mut builder = Builder::new(TokioExecutor::new());
            // A head that comes a byte at a time is none, either.
            let mut http1 = builder.http1();
            http1.timer(TokioTimer::new()).header_read_timeout(IDLE);
            // A client that goes away in the middle is no trouble of ours.
            let _ = match acceptor {
                None => {
                    let connection = builder.serve_connection(TokioIo::new(stream), service);
                    watcher.watch(connection.into_owned()).await
                }
                Some(acceptor) => {
                    let shaken = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await;
                    let Ok(Ok(stream)) = shaken else {
                        return;
                    };
                    let connection = builder.serve_connection(TokioIo::new(stream), service);
                    watcher.watch(connection.into_owned()).await
                }
            };
            drop(place);
        };
        // A panic is in the log, and ends that connection alone.
        tokio::spawn(async { caught("a connection", pin!(served)).await });
    }
    // What takes longer is cut off: a look for news may wait a minute.
    let _ = tokio::time::timeout(DRAIN, graceful.shutdown()).await;
    Ok(())
}

/// Removes messages whose time is over.
async fn upkeep(tools: Arc<Tools>) {
    loop {
        let removed = tools.site.purge(wall_ms(), PURGE_AT_ONCE).await;
        let removed = or_log(removed).unwrap_or(0);
        if removed < u64::from(PURGE_AT_ONCE) {
            tokio::time::sleep(UPKEEP).await;
        }
    }
}

/// Tells a URL outside after each look, so that the manager's own death is noticed there; no more
/// often than once a second.
async fn beat(tools: Arc<Tools>, url: String) {
    loop {
        tools.looked.notified().await;
        let sent = tools
            .prober
            .http()
            .get(&url)
            .timeout(BEAT_TIMEOUT)
            .send()
            .await;
        if let Err(error) = sent {
            let error = innermost(&error);
            tracing::warn!(error, "the beat did not go through");
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
