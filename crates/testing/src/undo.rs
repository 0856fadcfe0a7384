//! What a test does to its computer is undone by another process, whatever becomes of the test.
//!
//! That process runs before the deed, in a process group of its own. It undoes the deed when its
//! [`Undo`] is dropped, when the test has ended in whatever way (it reads the end of a pipe), and
//! after [`LIMIT`] at the latest, unless it holds up nobody: a thread that waits for a frozen disk
//! keeps its process, and with it the pipe. A guard is dropped before all that was declared earlier,
//! so a disk is thawed before somebody waits for a process that hangs on it.
//!
//! A test that nextest runs does not outlive it: if nextest is killed, the process that undoes kills
//! the test, too.

use std::io::{self, BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

/// No deed lasts longer.
pub const LIMIT: Duration = Duration::from_secs(120);
/// How long a drop waits for the deed to be undone.
const PATIENCE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(2);
/// By this name `cargo xtask test` knows a process that is still undoing.
const NAME: &str = "usher-undo";

/// What the other process runs. It holds what it has to undo by a descriptor: a file system that was
/// detached meanwhile is still reached, and a process id that was given to another is not.
const SCRIPT: &str = r#"
trap '' HUP INT QUIT TERM
test=$PPID limit=$1 runner=$2 deed=$3
shift 3
declare -A held
if [ "$runner" ]; then
  exec {runs}<"/proc/$runner" || exit 1
fi
for what; do
  case $deed in
    frozen) exec {fd}<"$what" ;;
    stopped | started) exec {fd}<"/proc/$what" ;;
    changed) contents=$(<"$what") ;;
  esac || exit 1
  held[$what]=/proc/$$/fd/$fd
done
echo
if [ "$runner" ]; then
  # It gives more than 128 when the second is over.
  while read -r -t 1; [ $? -gt 128 ]; do
    [ "$limit" ] && ((SECONDS >= limit)) && break
    [ -e "/proc/$$/fd/$runs/stat" ] || { kill -KILL "$test"; break; }
  done
else
  read -r ${limit:+-t "$limit"}
fi
for what; do
  case $deed in
    frozen) fsfreeze -u "${held[$what]}" ;;
    stopped) [ -e "${held[$what]}/stat" ] && kill -CONT "$what" ;;
    started) [ -e "${held[$what]}/stat" ] && kill -KILL "$what" ;;
    changed) echo "$contents" >"$what" ;;
    mounted) umount -q -l "$what" ;;
    grouped)
      echo 0 >"$what/cgroup.freeze"
      echo 1 >"$what/cgroup.kill"
      for try in {1..50}; do
        find "$what" -depth -type d -exec rmdir {} +
        [ -e "$what" ] || break
        sleep 0.1
      done
      ;;
  esac
done
"#;

/// A deed that is undone once this is dropped.
#[derive(Debug)]
#[must_use = "what was done is undone at once"]
pub struct Undo {
    other: Child,
}

impl Undo {
    /// The process that undoes.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.other.id()
    }

    fn of(deed: &str, what: &[&str]) -> io::Result<Undo> {
        Self::within(Some(LIMIT), deed, what)
    }

    fn within(limit: Option<Duration>, deed: &str, what: &[&str]) -> io::Result<Undo> {
        let limit = limit.map(|limit| limit.as_secs().max(1).to_string());
        let mut other = Command::new("bash")
            .arg0(NAME)
            .args(["--norc", "-c", SCRIPT, NAME])
            .arg(limit.unwrap_or_default())
            .arg(runner().map(|pid| pid.to_string()).unwrap_or_default())
            .arg(deed)
            .args(what)
            .current_dir("/")
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let mut ready = String::new();
        if let Some(said) = other.stdout.take() {
            BufReader::new(said).read_line(&mut ready)?;
        }
        let undo = Undo { other };
        if ready.is_empty() {
            return Err(io::Error::other(format!("cannot get hold of {what:?}")));
        }
        Ok(undo)
    }
}

/// The process that runs this test, if it is nextest: with other runners a test goes on when they
/// are killed, and its deeds are undone at its own end.
fn runner() -> Option<u32> {
    std::env::var_os("NEXTEST").map(|_| std::os::unix::process::parent_id())
}

impl Drop for Undo {
    fn drop(&mut self) {
        drop(self.other.stdin.take());
        let until = Instant::now() + PATIENCE;
        while matches!(self.other.try_wait(), Ok(None)) && Instant::now() < until {
            thread::sleep(POLL);
        }
    }
}

/// Freezes the file system of a folder (`fsfreeze -f`).
///
/// # Errors
/// It cannot be opened, or is of a kind that does not freeze.
pub fn freeze(folder: &Path) -> io::Result<Undo> {
    let undo = Undo::of("frozen", &[text(folder)?])?;
    let frozen = Command::new("fsfreeze").arg("-f").arg(folder).status()?;
    if !frozen.success() {
        let folder = folder.display();
        return Err(io::Error::other(format!(
            "cannot freeze {folder}: {frozen}"
        )));
    }
    Ok(undo)
}

/// Stops a process (SIGSTOP); it goes on once this is undone, if it is there still.
///
/// # Errors
/// It is not there.
pub fn stop(pid: u32) -> io::Result<Undo> {
    let undo = Undo::of("stopped", &[&pid.to_string()])?;
    let process = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let process = process.ok_or(io::ErrorKind::InvalidInput)?;
    rustix::process::kill_process(process, Signal::STOP)?;
    Ok(undo)
}

/// Kills these processes, which hold up others if they do not answer: after [`LIMIT`] at the latest.
///
/// # Errors
/// One of them is not there.
pub fn end_later(pids: &[u32]) -> io::Result<Undo> {
    end_within(Some(LIMIT), pids)
}

/// The same with another limit.
///
/// # Errors
/// As [`end_later`].
pub fn end_after(limit: Duration, pids: &[u32]) -> io::Result<Undo> {
    end_within(Some(limit), pids)
}

/// The same of processes that hold up nobody: they may live as long as the test.
///
/// # Errors
/// As [`end_later`].
pub fn end_with_test(pids: &[u32]) -> io::Result<Undo> {
    end_within(None, pids)
}

fn end_within(limit: Option<Duration>, pids: &[u32]) -> io::Result<Undo> {
    let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
    let pids: Vec<&str> = pids.iter().map(String::as_str).collect();
    Undo::within(limit, "started", &pids)
}

/// Detaches what is mounted at this path, in the mount namespace of the thread that calls this.
///
/// # Errors
/// There is no process to be had.
pub fn unmount_later(path: &Path) -> io::Result<Undo> {
    Undo::of("mounted", &[text(path)?])
}

/// Writes back the line that a file has now, one of `/proc/sys`.
///
/// # Errors
/// It cannot be read.
pub fn restore_later(file: &Path) -> io::Result<Undo> {
    Undo::of("changed", &[text(file)?])
}

/// Thaws a control group of version 2, ends what runs in it, and removes it.
///
/// # Errors
/// There is no process to be had.
pub fn remove_group_later(group: &Path) -> io::Result<Undo> {
    Undo::of("grouped", &[text(group)?])
}

/// The same of a group that holds up nobody: what runs in it may live as long as the test.
///
/// # Errors
/// As [`remove_group_later`].
pub fn remove_group_with_test(group: &Path) -> io::Result<Undo> {
    Undo::within(None, "grouped", &[text(group)?])
}

fn text(path: &Path) -> io::Result<&str> {
    let text = path.to_str();
    text.ok_or_else(|| io::Error::other(format!("{} is not UTF-8", path.display())))
}
