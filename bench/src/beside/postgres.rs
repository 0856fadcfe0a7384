//! PostgreSQL as a peer: a checkout is one prepared statement in one transaction and one round
//! trip, which takes a seat where `used < total` and inserts the lease; each commit is synced.
//!
//! One statement is the best that it can do: the row's lock is held for no round trip.

mod protocol;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use usher_bench::engine::{self, Heard, Plan, Protocol};
use usher_bench::load::LoadReport;

use super::private::{self, Account, Folder, Server, bound_to_us, free_port};
use super::{Contender, MANY};

/// How long one that was killed may take until it starts again.
const AGAIN_WITHIN: Duration = Duration::from_secs(60);
const BETWEEN_STARTS: Duration = Duration::from_millis(20);

const TABLES: &str = "\
DROP TABLE IF EXISTS pools, leases;
CREATE TABLE pools (id int PRIMARY KEY, used int NOT NULL, total int NOT NULL) WITH (fillfactor = 20);
INSERT INTO pools SELECT n, 0, 10000000 FROM generate_series(0, 99) n;
CREATE TABLE leases (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, pool int NOT NULL,
    holder text NOT NULL, computer text NOT NULL, ttl_seconds int NOT NULL,
    granted_at timestamptz NOT NULL DEFAULT now())";

const CHECKOUT: &str = "\
WITH taken AS (UPDATE pools SET used = used + 1 WHERE id = $1::int8 AND used < total RETURNING id)
INSERT INTO leases (pool, holder, computer, ttl_seconds)
SELECT id, 'bench-user', 'bench-computer', 60 FROM taken RETURNING id";

const CHECKIN: &str = "\
WITH ended AS (DELETE FROM leases WHERE id = $1::int8 RETURNING pool)
UPDATE pools SET used = used - 1 FROM ended WHERE pools.id = ended.pool RETURNING 1::int8";

/// Starts a PostgreSQL with one pool of seats and with a hundred.
pub(super) fn start(folder: &Folder) -> Result<Vec<Box<dyn Contender>>, String> {
    let (server, address) = serve(folder, &["max_connections=4200"])?;
    let server = Rc::new(server);
    let one = |name, pools| {
        Box::new(Postgres {
            name,
            server: Rc::clone(&server),
            protocol: Seats { address, pools },
        }) as Box<dyn Contender>
    };
    Ok(vec![
        one("PostgreSQL, one hot row", 1),
        one("PostgreSQL, 100 rows", MANY),
    ])
}

/// Starts a PostgreSQL with nothing in it, which syncs what it commits; user and database are `postgres`.
/// `settings` are besides its own.
pub(crate) fn serve(folder: &Folder, settings: &[&str]) -> Result<(Server, SocketAddr), String> {
    let cluster = Cluster::make(folder, settings)?;
    Ok((cluster.start()?, cluster.address))
}

/// A PostgreSQL that can be started again after it was killed, at the same address.
pub(crate) struct Cluster {
    pub(crate) address: SocketAddr,
    account: Option<Account>,
    home: PathBuf,
    data: PathBuf,
    log: PathBuf,
    settings: Vec<String>,
}

impl Cluster {
    /// One with nothing in it, as [`serve`] starts.
    pub(crate) fn make(folder: &Folder, settings: &[&str]) -> Result<Cluster, String> {
        let account = Account::named("postgres")?;
        let home = folder.inside("postgresql", account)?;
        let data = home.join("data");
        initialise(&data, account)?;
        Ok(Cluster {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?)),
            account,
            home,
            data,
            log: folder.path().join("postgresql.log"),
            settings: settings.iter().map(|it| (*it).to_owned()).collect(),
        })
    }

    /// Starts it, and waits until it takes connections.
    pub(crate) fn start(&self) -> Result<Server, String> {
        let mut command = bound_to_us(&private::find("postgres", "postgresql")?);
        command
            .arg("-D")
            .arg(&self.data)
            .args(["-p", &self.address.port().to_string()])
            .args(["-c", "listen_addresses=127.0.0.1"])
            .args(["-c", "unix_socket_directories="])
            .args(["-c", "fsync=on", "-c", "synchronous_commit=on"])
            .current_dir(&self.home)
            .stdout(Stdio::null());
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        Account::take(self.account, &mut command);
        let mut server = Server::start(&mut command, &self.log, Signal::INT)?;
        server.wait_until(|| protocol::connect(self.address, &[]).is_ok())?;
        Ok(server)
    }

    /// Starts it after it was killed: it cannot start while processes of it still end.
    pub(crate) fn start_again(&self) -> Result<Server, String> {
        let deadline = Instant::now() + AGAIN_WITHIN;
        loop {
            match self.start() {
                Err(_) if Instant::now() < deadline => sleep(BETWEEN_STARTS),
                started => return started,
            }
        }
    }
}

/// What a statement answers that selects one bigint.
pub(crate) fn number(address: SocketAddr, sql: &str) -> Result<i64, String> {
    let found = protocol::number(address, sql)?;
    found.ok_or_else(|| format!("PostgreSQL answers nothing to {sql}"))
}

fn initialise(data: &Path, account: Option<Account>) -> Result<(), String> {
    let mut command = Command::new(private::find("initdb", "postgresql")?);
    command
        .args([
            "--auth=trust",
            "--username=postgres",
            "--no-locale",
            "--encoding=UTF8",
        ])
        .arg("--no-sync")
        .arg("-D")
        .arg(data)
        .current_dir("/");
    Account::take(account, &mut command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot start initdb: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("initdb failed: {}", said.trim()))
}

struct Postgres {
    name: &'static str,
    server: Rc<Server>,
    protocol: Seats,
}

impl Contender for Postgres {
    fn name(&self) -> &str {
        self.name
    }

    /// Each time on new tables: dead rows of the time before are not this one's burden.
    fn measure(&mut self, plan: &Plan) -> Result<LoadReport, String> {
        protocol::execute(self.protocol.address, TABLES)?;
        protocol::execute(self.protocol.address, "CHECKPOINT")?;
        let plan = Plan {
            server_pid: Some(self.server.pid()),
            ..*plan
        };
        let tally = engine::run(&self.protocol, &plan)?;
        Ok(LoadReport::of(&tally, plan.connections, plan.threads))
    }
}

struct Seats {
    address: SocketAddr,
    pools: usize,
}

struct Talk {
    pool: usize,
    held: Option<i64>,
    checks_out: bool,
}

impl Protocol for Seats {
    type Talk = Talk;

    fn connect(&self, index: usize) -> io::Result<(TcpStream, Talk)> {
        let statements = [("checkout", CHECKOUT), ("checkin", CHECKIN)];
        let stream = protocol::connect(self.address, &statements).map_err(io::Error::other)?;
        let talk = Talk {
            pool: index,
            held: None,
            checks_out: false,
        };
        Ok((stream, talk))
    }

    fn ask(&self, talk: &mut Talk, output: &mut Vec<u8>) {
        if self.settle(talk, output) {
            return;
        }
        let pool = talk.pool % self.pools;
        talk.pool = talk.pool.wrapping_add(1);
        talk.checks_out = true;
        protocol::call(output, "checkout", i64::try_from(pool).unwrap_or_default());
    }

    fn hear(&self, talk: &mut Talk, input: &[u8]) -> Result<Option<Heard>, String> {
        let Some(answer) = protocol::parse(input)? else {
            return Ok(None);
        };
        let ok = answer.value.is_some();
        if talk.checks_out {
            talk.held = answer.value;
        }
        Ok(Some(Heard {
            length: answer.length,
            status: if ok { 200 } else { 500 },
            ok,
            checkouts: u32::from(ok && talk.checks_out),
            decisions: 1,
            closes: false,
        }))
    }

    fn settle(&self, talk: &mut Talk, output: &mut Vec<u8>) -> bool {
        let Some(lease) = talk.held.take() else {
            return false;
        };
        talk.checks_out = false;
        protocol::call(output, "checkin", lease);
        true
    }
}
