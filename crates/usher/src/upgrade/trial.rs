//! A server of some version on a copy of the data, on a free port of its own, for a trial.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;
use usher_api::client::{Client, Endpoint};

/// The log of a trial's server, in its folder.
const LOG: &str = "server.log";
/// How many lines of that log are shown.
const TOLD_LINES: usize = 4;
const TOLD_BYTES: u64 = 4_096;

/// Set for a server that is being tried out: it is the rehearsal.
pub(super) const REHEARSED: &str = "USHER_REHEARSED";

/// A server that is tried out. Dropping it kills it.
pub(super) struct Trial {
    child: Child,
    data: PathBuf,
    /// Its API, with an administrator's token of the copy.
    pub(super) client: Client,
}

impl Trial {
    /// Starts `program` on the copy in `data`; the error says what came of it instead.
    pub(super) async fn start(
        program: &Path,
        data: &Path,
        patience: Duration,
    ) -> Result<Trial, String> {
        let cannot = |error: io::Error| format!("it cannot be started: {error}");
        let log = File::options()
            .create(true)
            .append(true)
            .open(data.join(LOG))
            .map_err(cannot)?;
        let settings = data.join("usher.toml");
        std::fs::write(&settings, "").map_err(cannot)?;
        let mut command = Command::new(program);
        command
            .arg("server")
            .arg("--data")
            .arg(data)
            .args(["--listen", "127.0.0.1:0", "--config"])
            .arg(&settings);
        if rustix::process::geteuid().is_root() {
            // Only root can enter the folder of the copy, whichever account the server has.
            command.args(["--run-as", "root"]);
        }
        for (name, _) in std::env::vars_os() {
            // What is meant for the real server: options, and systemd's socket and listeners.
            let name = name.to_string_lossy().into_owned();
            let is_meant = |prefix: &str| name.starts_with(prefix);
            if ["USHER_", "LISTEN_", "NOTIFY_", "WATCHDOG_"]
                .iter()
                .any(|p| is_meant(p))
            {
                command.env_remove(&name);
            }
        }
        let mut child = command
            .env(REHEARSED, "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(cannot)?;
        let Some(stdout) = child.stdout.take() else {
            return Err("it has no standard output".to_owned());
        };
        let mut lines = BufReader::new(stdout).lines();
        let line = match timeout(patience, lines.next_line()).await {
            Err(_) => {
                let late = format!("it was not ready after {} s", patience.as_secs());
                return Err(with_log(late, data));
            }
            Ok(Ok(Some(line))) => line,
            Ok(_) => {
                let how = match timeout(Duration::from_secs(5), child.wait()).await {
                    Ok(Ok(status)) => format!("it ended with {} at its start", code(status)),
                    _ => "it closed its output before it was ready".to_owned(),
                };
                return Err(with_log(how, data));
            }
        };
        // Its further lines are nobody's, but it must not wait for a reader.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let url = line
            .strip_prefix("ready ")
            .and_then(|rest| rest.split(' ').find_map(|word| word.strip_prefix("api=")))
            .ok_or_else(|| format!("its ready line is not understood: {line}"))?;
        let token = usher_api::secret_in(&data.join("admin.token"))
            .map_err(|error| format!("it made no admin.token: {error}"))?;
        let client = Client::new(Endpoint::Url(url.to_owned()), Some(token), None)
            .map_err(|error| error.to_string())?;
        Ok(Trial {
            child,
            data: data.to_owned(),
            client,
        })
    }

    /// Waits for its end, which was asked for.
    pub(super) async fn ends(mut self, patience: Duration) -> Result<(), String> {
        let status = match timeout(patience, self.child.wait()).await {
            Ok(status) => status.map_err(|error| error.to_string())?,
            Err(_) => {
                let why = format!(
                    "it still runs {} s after it was to stop",
                    patience.as_secs()
                );
                return Err(with_log(why, &self.data));
            }
        };
        match status.success() {
            true => Ok(()),
            false => {
                let why = format!("it ended with {} when it was to stop", code(status));
                Err(with_log(why, &self.data))
            }
        }
    }

    /// Asks for its end as the system does, and waits for it.
    pub(super) async fn stop(self, patience: Duration) -> Result<(), String> {
        self.signal(Signal::SIGTERM);
        self.ends(patience).await
    }

    /// Kills it in the middle of its work.
    pub(super) async fn kill(mut self) {
        self.signal(Signal::SIGKILL);
        // It cannot refuse; what it leaves in the kernel is waited for by who starts next.
        let _ = timeout(Duration::from_secs(30), self.child.wait()).await;
    }

    fn signal(&self, signal: Signal) {
        let pid = self.child.id().and_then(|pid| i32::try_from(pid).ok());
        if let Some(pid) = pid {
            // Its own group, with what it may have started.
            let _ = kill(Pid::from_raw(-pid), signal);
        }
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
    }
}

fn code(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("exit code {code}"),
        None => status.to_string(),
    }
}

/// What happened, and the last that it said.
fn with_log(what: String, data: &Path) -> String {
    use std::io::{Read, Seek, SeekFrom};
    let read = || {
        let mut file = File::open(data.join(LOG))?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TOLD_BYTES)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        io::Result::Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let text = read().unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let last = &lines[lines.len().saturating_sub(TOLD_LINES)..];
    match last.is_empty() {
        true => what,
        false => {
            let said = crate::output::tame(&last.join("; ")).to_string();
            format!("{what}; it said: {said}")
        }
    }
}
