//! Private servers: each in a folder of its own, on a free port of loopback, ended by its owner.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

/// How long a server may take to be ready, or to end when it is asked to.
const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(10);

/// A folder that goes when its owner goes.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// A new folder in `parent`.
    pub(crate) fn make(parent: &Path) -> Result<Self, String> {
        let path = parent.join(format!("usher-bench-{}", std::process::id()));
        let failed = |error| format!("cannot make {}: {error}", path.display());
        fs::create_dir(&path).map_err(failed)?;
        // A database's own account has to get to its folder inside.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).map_err(failed)?;
        Ok(Folder { path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A folder inside, owned by `account` if one is given.
    pub(crate) fn inside(&self, name: &str, account: Option<Account>) -> Result<PathBuf, String> {
        let path = self.path.join(name);
        let failed = |error| format!("cannot make {}: {error}", path.display());
        fs::create_dir(&path).map_err(failed)?;
        if let Some(account) = account {
            chown(&path, Some(account.uid), Some(account.gid)).map_err(failed)?;
        }
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is left to the system's own clearing of temporary files.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// An account of this machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account {
    uid: u32,
    gid: u32,
}

impl Account {
    /// The account of that name, for one who may become it: none if this is not root.
    pub(crate) fn named(name: &str) -> Result<Option<Account>, String> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let accounts = fs::read_to_string("/etc/passwd")
            .map_err(|error| format!("cannot read /etc/passwd: {error}"))?;
        accounts
            .lines()
            .find_map(|line| {
                let mut fields = line.split(':');
                (fields.next() == Some(name)).then_some(())?;
                let uid = fields.nth(1)?.parse().ok()?;
                let gid = fields.next()?.parse().ok()?;
                Some(Some(Account { uid, gid }))
            })
            .ok_or_else(|| format!("there is no account `{name}`, and root may not run this"))
    }

    pub(crate) fn take(account: Option<Account>, command: &mut Command) {
        if let Some(account) = account {
            command.uid(account.uid).gid(account.gid);
        }
    }
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// What it says of itself.
    log: PathBuf,
    ends_by: Signal,
    /// How long it may take to end before it is killed.
    patience: Duration,
    /// It was killed and waited for: its number may be another process's now.
    is_gone: bool,
}

impl Server {
    /// Starts a server that ends cleanly by a signal; its diagnostics go to `log`.
    pub(crate) fn start(
        command: &mut Command,
        log: &Path,
        ends_by: Signal,
    ) -> Result<Self, String> {
        let program = command.get_program().to_string_lossy().into_owned();
        let failed = |error| format!("cannot start {program}: {error}");
        let said = File::create(log).map_err(failed)?;
        let child = command
            .stdin(Stdio::null())
            .stderr(said)
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        Ok(Server {
            child,
            log: log.to_owned(),
            ends_by,
            patience: PATIENCE,
            is_gone: false,
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills it without a word, and all that it has started.
    pub(crate) fn kill(mut self) {
        let group = Pid::from_child(&self.child);
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
        self.is_gone = self.child.wait().is_ok();
    }

    /// Its resident memory.
    pub(crate) fn resident_kib(&self) -> Result<u64, String> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()))
            .map_err(|error| error.to_string())?;
        status
            .lines()
            .find_map(|line| {
                let kib = line.strip_prefix("VmRSS:")?.strip_suffix(" kB")?;
                kib.trim().parse().ok()
            })
            .ok_or_else(|| "the system does not say how much memory the server has".to_owned())
    }

    /// Waits for the line `ready api=http://HOST:PORT ...` and gives the address.
    pub(crate) fn wait_for_ready_line(&mut self) -> Result<SocketAddr, String> {
        self.wait_for_line("ready api=...", ready_address)
    }

    /// Waits for a line of its output that `read` makes something of.
    pub(crate) fn wait_for_line<T>(
        &mut self,
        what: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, String> {
        let output = self
            .child
            .stdout
            .take()
            .ok_or("the server's output is not ours")?;
        let (send, lines) = mpsc::channel();
        // Reads on after the line, so that the server never waits for a reader.
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _ = send.send(line);
            }
        });
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = lines.recv_timeout(left).map_err(|_| {
                let said = fs::read_to_string(&self.log).unwrap_or_default();
                format!("the server printed no line `{what}`\n{said}")
            })?;
            if let Some(found) = read(&line) {
                return Ok(found);
            }
        }
    }

    /// Waits until `ready` says so.
    pub(crate) fn wait_until(&mut self, mut ready: impl FnMut() -> bool) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("the server ended at once: {status}"));
            }
            if ready() {
                return Ok(());
            }
            thread::sleep(POLL);
        }
        Err("the server was not ready in time".to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.is_gone {
            return;
        }
        let group = Pid::from_child(&self.child);
        let _ = rustix::process::kill_process(group, self.ends_by);
        usher_child::ended_within(&mut self.child, self.patience);
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
    }
}

fn ready_address(line: &str) -> Option<SocketAddr> {
    let rest = line.strip_prefix("ready ")?;
    let url = rest
        .split_whitespace()
        .find_map(|word| word.strip_prefix("api="))?;
    url.strip_prefix("http://")?.parse().ok()
}

/// A port that is free now.
pub(crate) fn free_port() -> Result<u16, String> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| format!("there is no free port: {error}"))
}

/// A command that ends when this process ends, however it ends, if `setpriv` is there.
pub(crate) fn bound_to_us(program: &Path) -> Command {
    let setpriv = Path::new("/usr/bin/setpriv");
    if setpriv.is_file() {
        let mut command = Command::new(setpriv);
        command.args(["--pdeathsig", "TERM", "--"]).arg(program);
        return command;
    }
    Command::new(program)
}

/// A program in PATH, in the administrators' folders, or among Debian's versioned PostgreSQLs.
pub(crate) fn find(program: &str, package: &str) -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.extend(["/usr/sbin", "/sbin"].map(PathBuf::from));
    if let Ok(versions) = fs::read_dir("/usr/lib/postgresql") {
        folders.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    folders
        .iter()
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
        .ok_or_else(|| {
            format!("there is no {program}; on Debian: apt-get install {package}, or --without it")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_off_the_ready_line() {
        assert_eq!(
            ready_address("ready api=http://127.0.0.1:8470 data=/x"),
            Some(SocketAddr::from(([127, 0, 0, 1], 8470)))
        );
        assert_eq!(ready_address("listening api=http://127.0.0.1:1"), None);
    }

    #[test]
    fn a_server_ends_with_its_owner_even_when_it_ignores_the_signal() {
        let folder = Folder::make(&std::env::temp_dir()).unwrap();
        let log = folder.path().join("log");
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' TERM; exec tail -f /dev/null"]);
        let mut server = Server::start(&mut command, &log, Signal::TERM).unwrap();
        let pid = server.pid();
        let name = format!("/proc/{pid}/comm");
        let ignores = || fs::read_to_string(&name).is_ok_and(|name| name.trim() == "tail");
        server.wait_until(ignores).unwrap();
        server.patience = Duration::from_millis(50);
        drop(server);
        assert!(!Path::new(&format!("/proc/{pid}")).exists());
        let path = folder.path().to_owned();
        drop(folder);
        assert!(!path.exists());
    }
}
