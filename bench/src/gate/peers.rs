//! What else sees or holds every start on a Linux computer, from Debian: auditd with a rule for
//! `execve`, and fapolicyd with one rule that allows all.
//!
//! Each is killed after a time limit by a thread that starts no program: a gate that does not
//! answer holds up every start on its file system.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal};

use crate::beside::private::{Server, bound_to_us, find};

/// How long a peer may run: many times what a turn takes.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// A kernel that was audited once prepares to audit every process until the next start of the
/// computer, unless this rule says that it need not.
const LEAVES_ALONE: &str = "-a never,task";

/// auditd's own settings as Debian has them, but for the files.
const AUDITD: &str = "\
local_events = yes
write_logs = yes
log_format = ENRICHED
flush = INCREMENTAL_ASYNC
freq = 50
max_log_file = 8
num_logs = 5
max_log_file_action = ROTATE
space_left = 75
space_left_action = IGNORE
admin_space_left = 50
admin_space_left_action = IGNORE
disk_full_action = SUSPEND
disk_error_action = SUSPEND
q_depth = 2000
overflow_action = SYSLOG
max_restarts = 10
";

/// fapolicyd's, as Debian has them, but for what it watches and trusts.
const FAPOLICYD: &str = "\
permissive = 0
nice_val = 14
q_size = 640
uid = root
gid = root
do_stat_report = 0
detailed_report = 0
db_max_size = 50
subj_cache_size = 1549
obj_cache_size = 8191
watch_fs = tmpfs
trust = file
integrity = none
syslog_format = rule,dec,perm,auid,pid,exe,:,path,ftype,trust
rpm_sha256_only = 0
allow_filesystem_mark = 0
";

/// A peer that runs. It ends when this is dropped.
pub(super) struct Peer {
    /// Undone before the server ends.
    undo: Vec<String>,
    _limit: Sender<()>,
    _server: Server,
}

impl Drop for Peer {
    fn drop(&mut self) {
        for command in &self.undo {
            // What is left of it ends with the next run or start of the computer.
            let _ = ask(command);
        }
    }
}

/// auditd, with every `execve` of the computer in its log.
pub(super) fn auditd(folder: &Path) -> Result<Peer, String> {
    let program = find("auditd", "auditd")?;
    let rules = ask("auditctl -l")?;
    if is_audited()? || !["No rules", LEAVES_ALONE].contains(&rules.trim()) {
        return Err("this computer is audited already: use --without auditd".to_owned());
    }
    let settings = folder.join("auditd");
    let plugins = settings.join("plugins");
    fs::create_dir_all(&plugins).map_err(|error| error.to_string())?;
    let files = format!(
        "{AUDITD}log_file = {}\nplugin_dir = {}\n",
        settings.join("audit.log").display(),
        plugins.display()
    );
    fs::write(settings.join("auditd.conf"), files).map_err(|error| error.to_string())?;
    let mut command = bound_to_us(&program);
    command
        .args(["-n", "-c"])
        .arg(&settings)
        .stdout(Stdio::null());
    let mut server = Server::start(&mut command, &settings.join("said"), Signal::TERM)?;
    let limit = limit(server.pid())?;
    server.wait_until(|| is_audited().unwrap_or(false))?;
    let peer = Peer {
        undo: vec![
            "auditctl -D".to_owned(),
            "auditctl -e 0".to_owned(),
            format!("auditctl {LEAVES_ALONE}"),
        ],
        _limit: limit,
        _server: server,
    };
    ask("auditctl -D")?;
    ask("auditctl -a always,exit -F arch=b64 -S execve")?;
    Ok(peer)
}

/// fapolicyd, asked about what is opened and started on file systems in memory of this mount
/// namespace.
pub(super) fn fapolicyd(folder: &Path) -> Result<Peer, String> {
    let program = find("fapolicyd", "fapolicyd")?;
    let settings = folder.join("fapolicyd");
    fs::create_dir_all(&settings).map_err(|error| error.to_string())?;
    let files = [
        ("fapolicyd.conf", FAPOLICYD),
        ("compiled.rules", "allow perm=any all : all\n"),
        ("fapolicyd.trust", ""),
    ];
    for (name, text) in files {
        fs::write(settings.join(name), text).map_err(|error| error.to_string())?;
    }
    let log = folder.join("fapolicyd.log");
    let mut command = bound_to_us(&program);
    command.arg("--debug-deny").stdout(Stdio::null());
    let mut server = Server::start(&mut command, &log, Signal::TERM)?;
    let limit = limit(server.pid())?;
    let says = || fs::read_to_string(&log).unwrap_or_default();
    server
        .wait_until(|| says().contains("Starting to listen for events"))
        .map_err(|error| format!("fapolicyd: {error}\n{}", says()))?;
    Ok(Peer {
        undo: Vec::new(),
        _limit: limit,
        _server: server,
    })
}

/// Puts folders of ours where fapolicyd looks for its own, in this mount namespace.
pub(super) fn prepare_fapolicyd(folder: &Path) -> Result<(), String> {
    let settings = folder.join("fapolicyd");
    let state = folder.join("fapolicyd-state");
    for made in [&settings, &state] {
        fs::create_dir_all(made).map_err(|error| error.to_string())?;
    }
    super::mount(&["--bind"], &settings, Path::new("/etc/fapolicyd"))?;
    super::mount(&["--bind"], &state, Path::new("/var/lib/fapolicyd"))?;
    super::mount(&["-t", "tmpfs"], Path::new("run"), Path::new("/run"))?;
    fs::create_dir("/run/fapolicyd").map_err(|error| error.to_string())
}

/// What Debian calls the version of a package.
pub(super) fn version(package: &str) -> String {
    ask(&format!("dpkg-query -W -f ${{Version}} {package}")).unwrap_or_default()
}

/// Whether the kernel sends its audit records to a daemon.
fn is_audited() -> Result<bool, String> {
    let status = ask("auditctl -s")?;
    let daemon = status.lines().find_map(|line| line.strip_prefix("pid "));
    Ok(daemon.is_some_and(|pid| pid.trim() != "0"))
}

/// Kills a process that runs for too long, unless what this answers is dropped before.
fn limit(pid: u32) -> Result<Sender<()>, String> {
    let (ended, wait) = channel();
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    thread::Builder::new()
        .name("limit".to_owned())
        .spawn(move || {
            let over = wait.recv_timeout(TIME_LIMIT) == Err(RecvTimeoutError::Timeout);
            if let Some(pid) = pid.filter(|_| over) {
                let _ = rustix::process::kill_process(pid, Signal::KILL);
            }
        })
        .map_err(|error| error.to_string())?;
    Ok(ended)
}

fn ask(line: &str) -> Result<String, String> {
    let mut words = line.split(' ');
    let output = Command::new(words.next().unwrap_or_default())
        .args(words)
        .output()
        .map_err(|error| format!("cannot start `{line}`: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!(
            "`{line}` failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )),
    }
}
