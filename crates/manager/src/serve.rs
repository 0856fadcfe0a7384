//! From start to stop: the site database, the watches, the listener.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::task::LocalSet;
use usher_http::core_loop::CoreLoop;
use usher_http::listen::{self, Room, WhenFull};
use usher_http::tls;
use usher_site::{PostgresSite, ServerRow, Site, SiteError, SqliteSite};
use usher_vital::task;

use crate::app::{App, SERVERS_LIMIT};
use crate::book::Book;
use crate::clock::wall_ms;
use crate::delivery::Means;
use crate::dispatch::{self, Dispatcher};
use crate::elsewhere::Elsewhere;
use crate::gathering::Gathering;
use crate::logged::or_log;
use crate::probe::Prober;
use crate::reach::innermost;
use crate::refused::Refused;
use crate::requests::Requests;
use crate::secrets::{self, Admin};
use crate::server_watch;
use crate::thresholds::Held;
use crate::tokens::TokenSource;
use crate::tools::Tools;
use crate::{
    Database, ManagerError, ManagerOptions, counting, ended, faults, groups, import_upkeep,
    retention, sources, vital,
};

/// Open connections at the most; the next waits.
const CONNECTIONS_LIMIT: usize = 512;
/// How long requests in flight may take at a stop.
const DRAIN: Duration = Duration::from_secs(5);
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
    run_with(options, Box::new(ready), Box::pin(stop)).await
}

/// Opens the site database. One in a file waits for the disk.
async fn open(options: &ManagerOptions) -> Result<Arc<dyn Site>, SiteError> {
    Ok(match &options.database {
        Database::InData => Arc::new(SqliteSite::open(&options.data)?),
        Database::Sqlite(file) => Arc::new(SqliteSite::open_file(file)?),
        Database::Postgres(address) => Arc::new(PostgresSite::open((**address).clone()).await?),
    })
}

/// What is called when it listens, and what ends it: in boxes, so that the manager is compiled once,
/// here, and not again by each caller.
type Ready<'a> = Box<dyn FnOnce(SocketAddr) + 'a>;
type Stopped<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

async fn run_with(
    options: ManagerOptions,
    ready: Ready<'_>,
    stop: Stopped<'_>,
) -> Result<(), ManagerError> {
    let tls = check(&options)?;
    let failed = |error: &dyn std::fmt::Display| ManagerError::Failed(error.to_string());
    let site = open(&options).await.map_err(|error| failed(&error))?;
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
    let prober = Prober::new(options.authority.as_deref())
        .map_err(|why| ManagerError::Usage(format!("cannot use the --ca-file: {why}")))?;
    let means = Means {
        http: prober.patient().clone(),
        mail: options.mail.clone(),
        authority: options.authority.clone(),
    };
    let (dispatcher, troubles, unnamed) = Dispatcher::open(
        site.clone(),
        options.site.clone(),
        means,
        options.targets.clone(),
        &known,
    );
    let thresholds = Held::open(site.clone(), known.thresholds.as_deref());
    let telling = dispatch::tell(troubles, Arc::downgrade(&dispatcher));
    let telling = tokio::spawn(task("delivery", telling));
    for it in unnamed {
        let values = vec![it.rule, it.does, it.setting];
        dispatcher.raise(9447, None, values).await;
    }
    let tools = Arc::new(Tools {
        site,
        site_name: options.site.clone(),
        dispatcher,
        prober,
        service_manager: options.service_manager.clone(),
        poll: options.poll,
        watching: options.watching.clone(),
        healing: options.healing.clone(),
        memory: options.memory.clone(),
        thresholds,
        groups: Arc::default(),
        looked: Notify::new(),
        import_removed: Notify::new(),
        counting: Notify::new(),
        identities: Arc::default(),
        elsewhere: Elsewhere::default(),
        refused: Refused::new(wall_ms()),
        gathering: Gathering::new(),
    });
    let app = Arc::new(App::new(tools.clone(), admin, book));
    begin(&app, &options, known.servers);
    ended::tell(&tools, &options.data).await;
    let upkeep = tokio::spawn(task("purge", upkeep(tools.clone())));
    let imports = tokio::spawn(task("imports", import_upkeep::run(tools.clone())));
    let retention = retention::run(tools.clone(), options.retention.clone());
    let retention = tokio::spawn(task("retention", retention));
    let faults = tokio::spawn(task("faults", faults::tell(tools.clone())));
    let counting = tokio::spawn(task("counting", counting::run(app.clone())));
    let groups = groups::attend(
        tools.site.clone(),
        tools.groups.clone(),
        options.groups.clone(),
        options.data.clone(),
    );
    let groups = tokio::spawn(task("groups", groups));
    let token = secrets::attend(app.admin.clone());
    let token = tokio::spawn(task("token", token));
    let vital = options
        .watchdog
        .clone()
        .map(|watchdog| tokio::spawn(task("vital", vital::attend(app.clone(), watchdog))));
    let beat = options
        .beat_url
        .map(|url| tokio::spawn(task("beat", beat(tools.clone(), url))));
    let sources = sources::begin(&tools, options.sources, &options.data);
    ready(address);
    let served = task("console", serve(&app, listener, tls, stop)).await;
    app.watches().clear();
    let always = [
        upkeep, imports, counting, token, telling, faults, groups, retention,
    ];
    let always = always.map(Some);
    let tasks = always.into_iter().chain([vital, beat]);
    for task in tasks.flatten() {
        task.abort();
    }
    if let Some(sources) = sources {
        sources.end().await;
    }
    served
}

/// What can be said before anything is touched.
fn check(options: &ManagerOptions) -> Result<Option<tls::Shown>, ManagerError> {
    if options.poll < Duration::from_secs(1) {
        return Err(ManagerError::Usage(
            "--poll is less than a second: give 1s or more".to_owned(),
        ));
    }
    options.groups.check().map_err(ManagerError::Usage)?;
    options.retention.check().map_err(ManagerError::Usage)?;
    let listen = options.listen;
    let where_else = " (in usher.toml under [role.manager]: those above it are the server's)";
    listen::must_be_private(
        listen,
        options.tls.is_some(),
        options.plain_http,
        where_else,
    )
    .map_err(ManagerError::Usage)?;
    let read = |files| tls::read(files, listen.ip()).map_err(ManagerError::Usage);
    options.tls.as_ref().map(read).transpose()
}

fn listen(address: SocketAddr, or_any_port: bool) -> Result<TcpListener, ManagerError> {
    let bound = match listen::bind(address) {
        Err(error) if or_any_port && error.kind() == io::ErrorKind::AddrInUse => {
            tracing::warn!(%address, "another program listens there: using a free port");
            listen::bind(SocketAddr::new(address.ip(), 0))
        }
        bound => bound,
    };
    bound.map_err(|error| ManagerError::Failed(listen::cannot(address, &error, "--console")))
}

/// Puts a watch to each server.
fn begin(app: &Arc<App>, options: &ManagerOptions, servers: Vec<ServerRow>) {
    let mut watches = app.watches();
    for row in servers.into_iter().take(SERVERS_LIMIT) {
        let token = TokenSource::Text(row.token.clone());
        let name = row.name.clone();
        watches.insert(
            name,
            server_watch::keep(row, token, app.tools.clone(), None),
        );
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
        watches.insert(
            own.name.clone(),
            server_watch::keep(row, token, app.tools.clone(), None),
        );
    }
}

/// Serves until `stop` is done, and answers what is in flight then.
async fn serve(
    app: &Arc<App>,
    listener: TcpListener,
    tls: Option<tls::Shown>,
    stop: Stopped<'_>,
) -> Result<(), ManagerError> {
    let listener = listener
        .set_nonblocking(true)
        .and_then(|()| tokio::net::TcpListener::from_std(listener))
        .map_err(|error| ManagerError::Failed(format!("cannot listen: {error}")))?;
    let room = Room::new(CONNECTIONS_LIMIT, WhenFull::Waits);
    let (tell, is_stopping) = watch::channel(false);
    let core = CoreLoop::new(Requests::new(app.clone(), is_stopping));
    // What routes spawn runs beside it, and goes on when this has ended.
    let here = LocalSet::new();
    let (door, incoming) = mpsc::unbounded_channel();
    let acceptor = tls.map(|tls| tls.acceptor);
    // What takes longer is cut off: a look for news may wait a minute.
    here.spawn_local(task("console-sweep", core.clone().sweep()));
    let serving = here.spawn_local(core.serve(incoming, acceptor, DRAIN));
    here.run_until(async {
        let doors = [door];
        tokio::select! {
            biased;
            () = stop => {}
            () = listen::accept(&listener, &room, &doors) => {}
        }
        tell.send_replace(true);
        drop(doors);
        // A panic of the loop's own is in the log.
        let _ = serving.await;
    })
    .await;
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
            .http(&url)
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
