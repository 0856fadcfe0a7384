//! A connection to the host that takes writes, ready to be used.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, NoTls};

use super::address::{Host, PostgresAddress, Tls};
use super::db::Db;
use super::failure::{Error, Result};
use super::password;
use super::refused;
use super::secured::Secured;

/// How long a host may take to be connected to, login included.
const CONNECT: Duration = Duration::from_secs(5);
/// When the system asks whether an idle connection's other end is there still.
const KEEPALIVE: Duration = Duration::from_secs(15);
const KEEPALIVES: u32 = 3;

/// What each connection is told first. The server ends what takes too long, and what a manager has
/// left that is gone, also if it has an answer under way, which keepalives do not look after; it keeps
/// what it says that it has kept. What is of TCP does nothing on a Unix socket.
const BEGIN: &str = "\
    SET statement_timeout = '60s'; SET lock_timeout = '20s'; \
    SET idle_in_transaction_session_timeout = '120s'; SET client_min_messages = 'warning'; \
    SET jit = off; SET tcp_keepalives_idle = 15; SET tcp_keepalives_interval = 5; \
    SET tcp_keepalives_count = 3; SET tcp_user_timeout = '30s'; \
    SELECT set_config('synchronous_commit', 'on', false) \
    WHERE current_setting('synchronous_commit') = 'off'";

/// What a connection is told besides on which the lease is renewed: an answer that comes later than the
/// lease lasts is of no use.
const IN_TIME: &str = "SET statement_timeout = '4s'; SET lock_timeout = '3s'";

/// What a connection is told besides that copies all there is.
const IN_ANY_TIME: &str = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0";

/// The name by which the server knows such a session.
const COPIES: &str = "usher copy";

/// The number of the lock that every manager of a database shares, in the connection that writes. Whoever
/// must have the site alone takes it: a restore, and a manager of an earlier version.
pub(super) const LOCK: i64 = 0x7573_6865_725f_7031;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Carries out calls in their order; shares the lock of the site.
    Manages,
    /// Answers what takes long, beside the others.
    Reports,
    /// Takes and renews the lead, whatever the others wait for.
    Leads,
    /// Copies the site, or puts a copy in its place; of no manager.
    Copies,
}

impl Role {
    /// How long an answer is waited for: longer than the server itself lets a statement take.
    pub(super) fn patience(self) -> Duration {
        match self {
            Role::Manages | Role::Reports => Duration::from_secs(90),
            Role::Leads => Duration::from_secs(6),
            // An index of all sessions takes long. A server that is gone is noticed by the system.
            Role::Copies => Duration::from_secs(3_600),
        }
    }
}

/// The name by which sessions are known at the server; with the process whose writes they carry out, if
/// they do.
pub(super) fn application(holder: Option<&str>) -> String {
    match holder {
        None => "usher manager".to_owned(),
        Some(holder) => format!("usher manager {holder}"),
    }
}

/// Connects to the first host that takes writes. `holder` is this process; `is_down` is set when its calls
/// wait for long.
pub(super) fn connect(
    runtime: &Arc<Runtime>,
    address: &PostgresAddress,
    (role, holder): (Role, &str),
    is_down: &Arc<AtomicBool>,
) -> Result<Db> {
    let mut tried = Vec::new();
    let called = match role {
        Role::Copies => COPIES.to_owned(),
        Role::Reports => application(None),
        Role::Manages | Role::Leads => application(Some(holder)),
    };
    for host in &address.hosts {
        match to(runtime, address, host, &called) {
            Ok((client, task)) => {
                let patience = role.patience();
                let db = Db::new(runtime.clone(), client, task, patience, is_down.clone());
                match check(&db, role) {
                    Ok(None) => return Ok(db),
                    Ok(Some(why)) => tried.push(format!("{host} {why}")),
                    Err(Error::Locked(_)) => return Err(Error::Locked(host.to_string())),
                    Err(error) => tried.push(format!("{host}: {error}")),
                }
            }
            Err(why) => tried.push(format!("{host}: {why}")),
        }
    }
    Err(Error::Unreachable(tried.join("; ")))
}

fn to(
    runtime: &Arc<Runtime>,
    address: &PostgresAddress,
    host: &Host,
    called: &str,
) -> std::result::Result<(Client, JoinHandle<()>), String> {
    let mut config = Config::new();
    config
        .user(&address.user)
        .dbname(&address.database)
        .application_name(called)
        // What begins with / is the folder of a socket here, too.
        .host(&host.name)
        .port(host.port)
        .connect_timeout(CONNECT)
        .tcp_user_timeout(CONNECT * 6)
        .keepalives_idle(KEEPALIVE)
        .keepalives_interval(CONNECT)
        .keepalives_retries(KEEPALIVES);
    if let Some(password) = password::of(address, host)? {
        config.password(password);
    }
    let authority = match &address.tls {
        Tls::Off => None,
        Tls::Usual if host.is_here() => None,
        // PostgreSQL has no TLS on Unix sockets.
        Tls::Full(_) if host.is_folder() => None,
        Tls::Usual => Some(None),
        Tls::Full(authority) => Some(authority.as_deref()),
    };
    let secured = authority
        .map(|authority| Secured::new(authority, address.client.as_ref()))
        .transpose()?;
    let connected = runtime.block_on(async {
        let work = async {
            match secured {
                None => {
                    let (client, connection) =
                        config.ssl_mode(SslMode::Disable).connect(NoTls).await?;
                    Ok::<_, tokio_postgres::Error>((client, driven(connection)))
                }
                Some(secured) => {
                    let (client, connection) =
                        config.ssl_mode(SslMode::Require).connect(secured).await?;
                    Ok::<_, tokio_postgres::Error>((client, driven(connection)))
                }
            }
        };
        tokio::time::timeout(CONNECT * 2, work).await
    });
    match connected {
        Ok(done) => done.map_err(|error| refused::words(&error)),
        Err(_) => Err(format!("no answer within {} s", (CONNECT * 2).as_secs())),
    }
}

/// What carries bytes to and from the server while a statement is waited for. Its end, by a panic too,
/// is the end of the connection, which the statement hears of.
fn driven<T>(connection: impl Future<Output = T> + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(async move {
        let _ = connection.await;
    })
}

/// Prepares a connection; why its host is not the one, if it is not.
fn check(db: &Db, role: Role) -> Result<Option<&'static str>> {
    db.batch(BEGIN)?;
    let sql = "SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on', \
               current_setting('server_encoding') = 'UTF8'";
    let found = db.one(sql, &[], |row| {
        Ok((
            row.get::<bool>(0)?,
            row.get::<bool>(1)?,
            row.get::<bool>(2)?,
        ))
    })?;
    match found {
        (true, _, _) => return Ok(Some("is a standby and takes no writes")),
        (_, true, _) => return Ok(Some("takes no writes: default_transaction_read_only is on")),
        (_, _, false) => return Ok(Some("has the database in another encoding than UTF8")),
        (false, false, true) => {}
    }
    match role {
        Role::Manages => {
            let sql = "SELECT pg_try_advisory_lock_shared($1::bigint)";
            let is_shared: bool = db.one(sql, &super::values::params![LOCK], |row| row.get(0))?;
            if !is_shared {
                return Err(Error::Locked(String::new()));
            }
        }
        Role::Leads => db.batch(IN_TIME)?,
        Role::Copies => db.batch(IN_ANY_TIME)?,
        Role::Reports => {}
    }
    Ok(None)
}
