//! Starts the built program in temporary folders on free ports, and ends what it started, by pid.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;
use usher_testing::surroundings;
use usher_testing::undo::{self, Undo};

/// Longer than anything that these tests wait for takes on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// The program under test.
pub(crate) fn program() -> PathBuf {
    if let Some(path) = std::env::var_os("USHER_BIN") {
        return PathBuf::from(path);
    }
    let own = std::env::current_exe().unwrap();
    let path = own.ancestors().nth(2).unwrap().join("usher");
    assert!(
        path.exists(),
        "{} is not there: `cargo build -p usher` makes it",
        path.display()
    );
    path
}

/// A folder that goes away with the test.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let name = format!("usher-test-{}-{number}", std::process::id());
            let path = std::env::temp_dir().join(name);
            match std::fs::create_dir(&path) {
                Ok(()) => return Folder(std::fs::canonicalize(path).unwrap()),
                // What a test that was killed has left, of a process with the same number.
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => panic!("cannot make {}: {error}", path.display()),
            }
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// The program with an environment of its own: no settings of this computer reach it.
pub(crate) fn usher() -> Command {
    surroundings::command(program())
}

/// A running `usher up`, or another role that prints a ready line.
#[derive(Debug)]
pub(crate) struct Running {
    /// Kills it if this test does not: also when it was stopped, or fills a file system.
    _ended: Undo,
    pub(crate) child: Child,
    pub(crate) ready: String,
    pub(crate) api: String,
    pub(crate) data: PathBuf,
}

impl Running {
    /// `usher up` without an agent, on a free port.
    pub(crate) fn up(data: &Path) -> Running {
        Running::start(
            usher().args([
                "up",
                "--no-agent",
                "--listen",
                "127.0.0.1:0",
                "--console",
                "127.0.0.1:0",
            ]),
            data,
        )
    }

    /// Starts a role and waits for its ready line.
    pub(crate) fn start(command: &mut Command, data: &Path) -> Running {
        Running::start_with_stderr(command, data, Stdio::inherit())
    }

    /// The same, with a standard error of its own.
    pub(crate) fn start_with_stderr(command: &mut Command, data: &Path, to: Stdio) -> Running {
        let mut child = command.arg("--data").arg(data).stderr(to).spawn().unwrap();
        let ended = undo::end_with_test(&[child.id()]).unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            if out.read_line(&mut line).is_ok() {
                drop(tell.send(line));
            }
            // Nobody else reads what comes later, and it must not fill the pipe.
            drop(std::io::copy(&mut out, &mut std::io::sink()));
        });
        let Ok(line) = told.recv_timeout(DEADLINE) else {
            drop(child.kill());
            panic!("no ready line: {:?}", child.wait());
        };
        let ready = line.trim_end().to_owned();
        assert!(
            ready.starts_with("ready "),
            "{ready:?}, {:?}",
            child.try_wait()
        );
        let api = ready
            .split(' ')
            .find_map(|word| word.strip_prefix("api="))
            .unwrap_or_default();
        Running {
            _ended: ended,
            api: api.to_owned(),
            ready,
            child,
            data: data.to_owned(),
        }
    }

    /// A client command of this installation, as its administrator.
    pub(crate) fn usher(&self, args: &[&str]) -> Command {
        let mut command = usher();
        command
            .args(args)
            .env("USHER_SERVER", &self.api)
            .env("USHER_DATA", &self.data);
        command
    }

    /// Runs a client command that is to succeed; its standard output.
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let output = self.usher(args).ended();
        assert!(output.status.success(), "usher {args:?}: {}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a client command with `--json` that is to succeed; its answer.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let args = [args, &["--json"]].concat();
        serde_json::from_str(&self.ok(&args)).unwrap()
    }

    /// Runs a client command that is to fail; its exit code and what it said.
    pub(crate) fn fails(&self, args: &[&str]) -> (i32, String) {
        let output = self.usher(args).ended();
        assert!(
            !output.status.success(),
            "usher {args:?}: {}",
            said(&output)
        );
        (
            output.status.code().unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    }

    /// A client token for a user.
    pub(crate) fn token_of(&self, user: &str) -> String {
        self.ok(&["token", "create", "--role", "client", "--user", user])
            .trim()
            .to_owned()
    }

    /// The pid of the process that plays a role, if it runs.
    pub(crate) fn role(&self, name: &str) -> Option<u32> {
        self.children().into_iter().find(|pid| {
            let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            words.split(|byte| *byte == 0).nth(1) == Some(name.as_bytes())
        })
    }

    /// The pids of its child processes.
    pub(crate) fn children(&self) -> Vec<u32> {
        children(self.child.id())
    }

    /// Stops it cleanly; its exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        signal(self.child.id(), Signal::SIGTERM);
        wait_for("a clean stop", || self.child.try_wait().unwrap()).code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            // Its children end with it.
            drop(self.child.kill());
            reap(&mut self.child);
        }
    }
}

/// Waits for the end of a process that was killed; not for ever, for one that hangs on a disk stays.
pub(crate) fn reap(child: &mut Child) {
    let end = Instant::now() + DEADLINE;
    while matches!(child.try_wait(), Ok(None)) {
        if Instant::now() > end {
            eprintln!("process {} was killed and does not end", child.id());
            return;
        }
        // tidy: sleep, between two looks, until a deadline
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The pid of the process that `pid` starts: a run has its seat before it has started its command.
pub(crate) fn child(pid: u32) -> u32 {
    wait_for("its child", || children(pid).first().copied())
}

/// The pids of a process's children.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.split_ascii_whitespace()
        .map(|pid| pid.parse().unwrap())
        .collect()
}

/// Whether a process runs: one that is a zombie does not.
pub(crate) fn runs(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        !stat
            .rsplit(") ")
            .next()
            .unwrap_or("Z")
            .starts_with(['Z', 'X'])
    })
}

/// Whether these programs are installed; one that is not, it names.
pub(crate) fn are_installed(programs: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap();
    let is_there = |part: &&&str| std::env::split_paths(&path).any(|p| p.join(part).exists());
    let missing = programs.iter().find(|part| !is_there(part));
    if let Some(missing) = missing {
        eprintln!("skipped: no {missing} here");
    }
    missing.is_none()
}

/// Waits until `what` is there.
pub(crate) fn wait_for<T>(name: &str, what: impl FnMut() -> Option<T>) -> T {
    wait_within(DEADLINE, name, what)
}

/// The same, for what takes longer.
pub(crate) fn wait_within<T>(
    deadline: Duration,
    name: &str,
    mut what: impl FnMut() -> Option<T>,
) -> T {
    let end = Instant::now() + deadline;
    loop {
        if let Some(found) = what() {
            return found;
        }
        assert!(Instant::now() < end, "waited {deadline:?} for {name}");
        // tidy: sleep, this is how a condition is waited for
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits for a child to end, and kills it if it does not in time.
pub(crate) fn finish(child: Child) -> Output {
    finish_within(child, DEADLINE)
}

/// The same, for what takes longer.
pub(crate) fn finish_within(child: Child, deadline: Duration) -> Output {
    let pid = child.id();
    let (done, is_done) = std::sync::mpsc::channel::<()>();
    let watchdog = std::thread::spawn(move || {
        let late = is_done.recv_timeout(deadline) == Err(RecvTimeoutError::Timeout);
        if late {
            // It was not waited for yet: the pid is its own.
            signal(pid, Signal::SIGKILL);
        }
        late
    });
    let output = child.wait_with_output().unwrap();
    drop(done);
    assert!(
        !watchdog.join().unwrap(),
        "it did not end within {deadline:?}: {output:?}"
    );
    output
}

/// Runs commands to their end, with a deadline.
pub(crate) trait Ended {
    /// Starts it and waits for its end.
    fn ended(&mut self) -> Output;
}

impl Ended for Command {
    fn ended(&mut self) -> Output {
        finish(self.spawn().unwrap())
    }
}

pub(crate) fn signal(pid: u32, signal: Signal) {
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap()),
        signal,
    )
    .unwrap();
}

/// All that a command said.
pub(crate) fn said(output: &Output) -> String {
    format!(
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
