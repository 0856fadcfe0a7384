//! A metering server of the test's own, an agent in its own process, and programs to run.

mod agent;
mod book;
mod server;

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use usher_testing::undo::{self, Undo};

pub(crate) use agent::{Agent, accounts_for};
pub(crate) use book::PROOF;
pub(crate) use server::Server;

/// How long a condition may take to come true before the test fails.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// Waits until `look` finds something.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < DEADLINE, "in vain: {what}");
        // tidy: sleep, between two looks, until a deadline
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether the kernel's events can be had; prints a line if not.
pub(crate) fn privileged() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        eprintln!("skipped: kernel events need root");
    }
    root
}

/// Whether a program of the system is there; prints a line if not.
pub(crate) fn there(program: &str) -> bool {
    let there = Path::new(program).exists();
    if !there {
        eprintln!("skipped: no {program} here");
    }
    there
}

/// A process that ends with the test, and with it what is mounted in its namespace.
pub(crate) struct EndsWithTest {
    child: Child,
    _killed: Undo,
}

impl EndsWithTest {
    pub(crate) fn start(command: &mut Command) -> Self {
        let child = command.spawn().unwrap();
        let _killed = undo::end_with_test(&[child.id()]).unwrap();
        Self { child, _killed }
    }
}

impl Drop for EndsWithTest {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

/// The name of a program of this test's alone: an agent sees all programs of its computer, those of
/// other tests too.
pub(crate) fn own(name: &str) -> String {
    format!("usher-t-{}-{name}", std::process::id())
}

/// The rule that names it.
pub(crate) fn named(name: &str) -> String {
    format!("name={}", own(name))
}

/// A copy of the system's `sleep` under another name.
pub(crate) fn sleeper(path: &Path) -> PathBuf {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::copy("/bin/sleep", path).unwrap();
    path.to_owned()
}

/// A program that runs until it is dropped.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        Running(
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .spawn()
                .unwrap(),
        )
    }

    pub(crate) fn lasting(program: &Path) -> Self {
        Running::start(Command::new(program).arg("60"))
    }

    pub(crate) fn lasting_as(program: &Path, uid: u32) -> Self {
        Running::start(Command::new(program).arg("60").uid(uid).gid(uid))
    }

    pub(crate) fn end(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a program to its end.
#[track_caller]
pub(crate) fn run(command: &mut Command) {
    let status = command.stdin(Stdio::null()).status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
}

pub(crate) fn make_executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

pub(crate) fn open_to_all(folder: &Path) {
    make_executable(folder);
}

/// An instant in a JSON field, in milliseconds.
pub(crate) fn milliseconds(value: &Value, field: &str) -> i64 {
    let text = value[field].as_str().unwrap();
    text.parse::<usher_api::Timestamp>()
        .unwrap()
        .as_millisecond()
}
