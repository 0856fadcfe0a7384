//! From start to stop: the site database, the terms, the listener.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::LocalSet;
use usher_http::core_loop::CoreLoop;
use usher_http::listen::{self, Room, WhenFull};
use usher_http::tls;
use usher_site::{Candidate, PostgresSite, Site, SiteError, SqliteSite};
use usher_vital::task;

use crate::app::App;
use crate::former::Former;
use crate::lease::{self, Managers};
use crate::probe::Prober;
use crate::requests::Requests;
use crate::secrets::{self, Admin};
use crate::term::Fixed;
use crate::terms::{Access, Terms};
use crate::{Database, ManagerError, ManagerOptions, groups, shared_token, vital};

/// Open connections at the most; the next waits.
const CONNECTIONS_LIMIT: usize = 512;
/// How long requests in flight may take at a stop.
const DRAIN: Duration = Duration::from_secs(5);
/// The shortest and the longest lease of the lead of a site.
const LEASE: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(600));

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

/// A site database that was opened.
enum Opened {
    Alone(Arc<dyn Site>),
    Shared(PostgresSite),
}

/// Opens the site database. One in a file waits for the disk.
async fn open(options: &ManagerOptions) -> Result<Opened, SiteError> {
    let archive = options.retention.archive.clone();
    let alone = |site: SqliteSite| Opened::Alone(Arc::new(site.with_archive(archive.clone())));
    Ok(match &options.database {
        Database::InData => alone(SqliteSite::open(&options.data)?),
        Database::Sqlite(file) => alone(SqliteSite::open_file(file)?),
        Database::Postgres(address) => {
            let shared = PostgresSite::open((**address).clone()).await?;
            Opened::Shared(shared.with_archive(archive))
        }
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
    let opened = open(&options).await.map_err(|error| failed(&error))?;
    let admin = match &options.admin_token_file {
        Some(file) => Admin::of(file.clone()),
        None => Admin::in_data(&options.data),
    };
    let admin = Arc::new(admin.map_err(|error| {
        ManagerError::Failed(format!(
            "cannot have the admin's token for {}: {error}",
            options.data.display()
        ))
    })?);
    let sharing = match (&opened, &options.admin_token_file) {
        (Opened::Shared(shared), None) => {
            let token = shared_token::settle(&admin, shared).await;
            let token = token.map_err(|error| failed(&error))?;
            Some((shared.clone(), token))
        }
        // Somebody else maintains the file.
        (Opened::Shared(_), Some(_)) | (Opened::Alone(_), _) => None,
    };
    let listener = listen(options.listen, options.or_any_port)?;
    let address = listener.local_addr().map_err(|error| failed(&error))?;
    let prober = Prober::new(options.authority.as_deref())
        .map_err(|why| ManagerError::Usage(format!("cannot use the --ca-file: {why}")))?;
    let access = match opened {
        Opened::Alone(site) => Access::Alone(site),
        Opened::Shared(shared) => {
            let former = Arc::new(Former::of(&options.data));
            let ended = former.holder.clone();
            Access::Shared(Managers {
                candidate: candidate(&options, address, ended),
                shared,
                former,
            })
        }
    };
    let site = access.site();
    let fixed = Arc::new(Fixed {
        admin: admin.clone(),
        prober,
        groups: Arc::default(),
        options,
    });
    let options = &fixed.options;
    let terms = Terms::begin(fixed.clone(), access);
    let terms = terms.await.map_err(|error| failed(&error))?;
    let (show, current) = watch::channel(terms.app().clone());
    let (ends, end) = oneshot::channel();
    let terms = tokio::spawn(task("lead", terms.run(show, end)));
    let groups = groups::attend(
        site,
        fixed.groups.clone(),
        options.groups.clone(),
        options.data.clone(),
    );
    let groups = tokio::spawn(task("groups", groups));
    let shared_token = sharing.map(|(shared, token)| {
        let every = lease::every(options.lease);
        let attends = shared_token::attend(admin.clone(), shared, every, token);
        tokio::spawn(task("token", attends))
    });
    let token = tokio::spawn(task("token", secrets::attend(admin)));
    let watchdog = options.watchdog.clone();
    let vital = watchdog.map(|watchdog| {
        let attends = vital::attend(current.clone(), watchdog);
        tokio::spawn(task("vital", attends))
    });
    ready(address);
    let served = task("console", serve(current, listener, tls, stop)).await;
    // It waits for what is being recorded, and gives the lead up.
    drop(ends);
    let _ = terms.await;
    let always = [Some(groups), Some(token), vital, shared_token];
    for task in always.into_iter().flatten() {
        task.abort();
    }
    served
}

/// This manager, as others that share its site see it.
fn candidate(options: &ManagerOptions, address: SocketAddr, ended: Option<String>) -> Candidate {
    let name = usher_platform::host::computer_name();
    let url = options.mail.link.clone().unwrap_or_else(|| {
        let scheme = if options.tls.is_some() {
            "https"
        } else {
            "http"
        };
        match address.ip().is_unspecified() {
            true => format!("{scheme}://{name}:{}", address.port()),
            false => format!("{scheme}://{address}"),
        }
    });
    Candidate {
        name,
        address: url.trim_end_matches('/').to_owned(),
        lease: options.lease,
        ended,
    }
}

/// What can be said before anything is touched.
fn check(options: &ManagerOptions) -> Result<Option<tls::Shown>, ManagerError> {
    if options.poll < Duration::from_secs(1) {
        return Err(ManagerError::Usage(
            "--poll is less than a second: give 1s or more".to_owned(),
        ));
    }
    if !(LEASE.0..=LEASE.1).contains(&options.lease) {
        return Err(ManagerError::Usage(format!(
            "--lease-time is not from {} s to {} min",
            LEASE.0.as_secs(),
            LEASE.1.as_secs() / 60
        )));
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

/// Serves until `stop` is done, and answers what is in flight then.
async fn serve(
    current: watch::Receiver<Arc<App>>,
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
    let core = CoreLoop::new(Requests::new(current, is_stopping));
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
