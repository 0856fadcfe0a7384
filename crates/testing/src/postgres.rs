//! A PostgreSQL of a test's own: the real one of this computer, in a folder of its own, reached by a Unix
//! socket there. It is ended with the test, however that ends.
//!
//! It does not sync: what a killed process has written is there all the same, and no test takes the power
//! away. Its texts are ordered by a language, not by bytes: what relies on bytes has to say so.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use crate::undo::{self, Undo};

/// The superuser of every cluster.
const USER: &str = "postgres";
/// How long a program of PostgreSQL may take.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(10);
/// Its port, unless a test asks for another: only the name of the socket has it.
const PORT: u16 = 5432;

/// What PostgreSQL says while processes of an earlier start have not ended.
const STILL_USED: &str = "pre-existing shared memory block";

/// Counts the clusters of this process.
static CLUSTERS: AtomicU32 = AtomicU32::new(0);

/// A cluster that runs.
#[derive(Debug)]
pub struct Postgres {
    bin: PathBuf,
    folder: PathBuf,
    account: Option<(u32, u32)>,
    port: u16,
    /// Its process, and what kills it at the end of the test; none: it was killed.
    running: Option<(Child, Undo)>,
    databases: AtomicU32,
}

impl Postgres {
    /// Starts a new cluster.
    ///
    /// # Errors
    /// PostgreSQL is not installed, or does not start.
    pub fn start() -> io::Result<Postgres> {
        let mut cluster = Postgres::prepare()?;
        let data = cluster.data();
        // Its own words for an order, whatever languages this computer knows.
        let order = ["--locale=C", "--locale-provider=icu", "--icu-locale=en-US"];
        let mut initdb = cluster.command("initdb");
        run(initdb
            .args([
                "--auth=trust",
                "--encoding=UTF8",
                "--no-sync",
                "--username",
                USER,
            ])
            .args(order)
            .arg("-D")
            .arg(data))?;
        cluster.serve(&[])?;
        Ok(cluster)
    }

    /// Starts a standby of this cluster, which from then on says of nothing that it is committed before
    /// the standby has it.
    ///
    /// # Errors
    /// The copy cannot be made, or the standby does not start.
    pub fn standby(&self) -> io::Result<Postgres> {
        let mut standby = Postgres::prepare()?;
        let mut copy = standby.command("pg_basebackup");
        run(copy
            .args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync"])
            .args(["--username", USER, "-h"])
            .arg(&self.folder)
            .arg("-D")
            .arg(standby.data()))?;
        standby.serve(&[])?;
        self.sql(
            "postgres",
            "ALTER SYSTEM SET synchronous_standby_names = '*'",
        )?;
        self.sql("postgres", "SELECT pg_reload_conf()")?;
        let until = Instant::now() + PATIENCE;
        let is_sync = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        while self.sql("postgres", is_sync)? != "1" {
            if Instant::now() > until {
                return Err(io::Error::other("the standby is not asked"));
            }
            // tidy: sleep, between two looks at the server
            thread::sleep(POLL);
        }
        Ok(standby)
    }

    /// Makes a standby take writes, and waits until it does.
    ///
    /// # Errors
    /// It is no standby.
    pub fn promote(&self) -> io::Result<()> {
        let mut promote = self.command("pg_ctl");
        run(promote.args(["promote", "--wait", "-D"]).arg(self.data())).map(drop)
    }

    /// A folder for a cluster, owned by the account that it runs as.
    fn prepare() -> io::Result<Postgres> {
        let number = CLUSTERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("usher-test-{}-postgres-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let bin = programs()?;
        let account = account()?;
        fs::create_dir(&folder)?;
        // It refuses to run as root, so another account has to get there.
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))?;
        if let Some((user, group)) = account {
            chown(&folder, Some(user), Some(group))?;
        }
        Ok(Postgres {
            bin,
            folder,
            account,
            port: PORT,
            running: None,
            databases: AtomicU32::new(0),
        })
    }

    /// Starts it on its data, with further settings, and waits until it takes connections.
    ///
    /// # Errors
    /// It does not start; with what it says.
    pub fn serve(&mut self, settings: &[&str]) -> io::Result<()> {
        self.serve_on(PORT, settings)
    }

    /// The same of one that has another port: of TCP, if the settings say that it listens, and in the
    /// name of its socket.
    ///
    /// # Errors
    /// It does not start; with what it says.
    pub fn serve_on(&mut self, port: u16, settings: &[&str]) -> io::Result<()> {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.begin_on(port, settings) {
                // Of one that was killed, processes still end.
                Err(error) if error.to_string().contains(STILL_USED) && Instant::now() < until => {
                    // tidy: sleep, between two tries
                    thread::sleep(POLL);
                }
                begun => return begun,
            }
        }
    }

    fn begin_on(&mut self, port: u16, settings: &[&str]) -> io::Result<()> {
        self.port = port;
        let log = File::create(self.folder.join("log"))?;
        let usual = [
            "fsync=off",
            "full_page_writes=off",
            "listen_addresses=",
            "max_connections=50",
            "shared_buffers=32MB",
        ];
        let socket = format!("unix_socket_directories={}", self.folder.display());
        let port = format!("port={port}");
        let all = usual.iter().chain(settings).copied();
        let mut command = self.command("postgres");
        for setting in all.chain([&*socket, &*port]) {
            command.args(["-c", setting]);
        }
        let child = command
            .arg("-D")
            .arg(self.data())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .process_group(0)
            .spawn()?;
        let undo = undo::end_with_test(&[child.id()])?;
        self.running = Some((child, undo));
        self.wait_until_ready()
    }

    fn wait_until_ready(&mut self) -> io::Result<()> {
        let until = Instant::now() + PATIENCE;
        loop {
            let mut asks = Command::new(self.bin.join("pg_isready"));
            let asks = asks.arg("-q").arg("-h").arg(&self.folder);
            let asks = asks.args(["-p", &self.port.to_string()]);
            if asks.status()?.success() {
                return Ok(());
            }
            let ended = match &mut self.running {
                Some((child, _)) => child.try_wait()?.is_some(),
                None => true,
            };
            if ended || Instant::now() > until {
                let said = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                return Err(io::Error::other(format!(
                    "PostgreSQL does not start: {said}"
                )));
            }
            // tidy: sleep, between two looks at the server
            thread::sleep(POLL);
        }
    }

    /// A database of its own for a test.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn database(&self) -> io::Result<String> {
        let name = format!("site{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"))?;
        Ok(name)
    }

    /// Carries out statements in a database; the rows of the answer, a line each, `|` between values.
    ///
    /// # Errors
    /// What PostgreSQL says.
    pub fn sql(&self, database: &str, sql: &str) -> io::Result<String> {
        let mut psql = Command::new(self.bin.join("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", USER])
            .arg("-h")
            .arg(&self.folder)
            .args(["-p", &self.port.to_string()])
            .args(["-d", database, "-c", sql]);
        run(&mut psql)
    }

    /// The URL of a database.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}@{}/{database}", self.host())
    }

    /// Its host as a URL has it.
    #[must_use]
    pub fn host(&self) -> String {
        self.folder.display().to_string().replace('/', "%2F")
    }

    /// The folder of its socket; its data and its log are there, too.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its data.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Kills all of it at once, as a power cut does for those that ask it.
    ///
    /// # Errors
    /// It cannot be waited for.
    pub fn kill(&mut self) -> io::Result<()> {
        if let Some((mut child, undo)) = self.running.take() {
            child.kill()?;
            child.wait()?;
            drop(undo);
        }
        Ok(())
    }

    /// A program of PostgreSQL, as the account that the cluster runs as.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command.current_dir(&self.folder);
        if let Some((user, group)) = self.account {
            command.uid(user).gid(group);
        }
        command
    }

    fn end(&mut self) {
        let Some((mut child, undo)) = self.running.take() else {
            return;
        };
        let process = Pid::from_child(&child);
        // At once: it closes nothing, and takes its shared memory away.
        let _ = rustix::process::kill_process(process, Signal::QUIT);
        let until = Instant::now() + PATIENCE;
        while matches!(child.try_wait(), Ok(None)) && Instant::now() < until {
            // tidy: sleep, between two looks at the server
            thread::sleep(POLL);
        }
        let _ = child.kill();
        let _ = child.wait();
        drop(undo);
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.end();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Runs a program to its end; what it prints.
fn run(command: &mut Command) -> io::Result<String> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let program = command.get_program().to_string_lossy();
    Err(io::Error::other(format!("{program}: {}", said.trim())))
}

/// Where the newest PostgreSQL of this computer has its programs.
fn programs() -> io::Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut found: Vec<PathBuf> = versions
        .flatten()
        .map(|version| version.path().join("bin"))
        .filter(|bin| bin.join("initdb").is_file())
        .collect();
    found.sort();
    found.pop().ok_or_else(|| {
        io::Error::other("there is no PostgreSQL here; on Debian: apt-get install postgresql")
    })
}

/// The account that root starts it as, by user and group; none: this is not root.
fn account() -> io::Result<Option<(u32, u32)>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let accounts = fs::read_to_string("/etc/passwd")?;
    let of = |name: &str| {
        accounts.lines().find_map(|line| {
            let mut fields = line.split(':');
            (fields.next() == Some(name)).then_some(())?;
            let user = fields.nth(1)?.parse().ok()?;
            let group = fields.next()?.parse().ok()?;
            Some((user, group))
        })
    };
    let found = of("postgres").or_else(|| of("nobody"));
    found
        .map(Some)
        .ok_or_else(|| io::Error::other("there is no account postgres or nobody"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_of_its_own_answers_and_leaves_nothing() {
        let cluster = Postgres::start().unwrap();
        let database = cluster.database().unwrap();
        let one = cluster.sql(&database, "SELECT 1, 'a' < 'B'").unwrap();
        assert_eq!(one, "1|t", "it orders by a language");
        let folder = cluster.folder().to_owned();
        drop(cluster);
        assert!(!folder.exists());
    }
}
