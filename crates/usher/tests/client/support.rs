//! Starts the built program, and waits for conditions with a deadline.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

/// Longer than anything that these tests wait for takes on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// A folder that goes away with the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("usher-client-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
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

/// The program, with an environment of its own: no settings of this computer reach it.
pub(crate) fn usher(data: &Folder) -> Command {
    let mut command = usher_testing::surroundings::command(env!("CARGO_BIN_EXE_usher"));
    command
        .env("USHER_DATA", data.path("data"))
        .env("XDG_CONFIG_HOME", data.path("config"))
        .env("TZ", "UTC");
    command
}

/// Waits until `what` is there.
pub(crate) fn wait_for<T>(name: &str, mut what: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = what() {
            return found;
        }
        assert!(Instant::now() < end, "waited {DEADLINE:?} for {name}");
        // tidy: sleep, this is how a condition is waited for
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits for a child to end, and kills it if it does not in time.
pub(crate) fn finish(child: Child) -> Output {
    let pid = child.id();
    let (done, is_done) = std::sync::mpsc::channel::<()>();
    let watchdog = std::thread::spawn(move || {
        let late = is_done.recv_timeout(DEADLINE) == Err(RecvTimeoutError::Timeout);
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
        "it did not end within {DEADLINE:?}: {output:?}"
    );
    output
}

/// Runs a command on a terminal, on which it asks `question`, and answers it. `before` looks at what
/// has become of it until then. What it said before the answer, and its end.
pub(crate) fn asked_on_a_terminal(
    mut command: Command,
    question: &str,
    answer: &[u8],
    before: impl FnOnce(),
) -> (String, Output) {
    let flags = rustix::pty::OpenptFlags::RDWR | rustix::pty::OpenptFlags::NOCTTY;
    let mut terminal = File::from(rustix::pty::openpt(flags).unwrap());
    rustix::pty::unlockpt(&terminal).unwrap();
    let name = rustix::pty::ptsname(&terminal, Vec::new()).unwrap();
    let name = std::ffi::OsStr::from_bytes(name.to_bytes());
    let other_end = File::options().read(true).write(true).open(name).unwrap();
    let child = command
        .stdin(Stdio::from(other_end.try_clone().unwrap()))
        .stderr(Stdio::from(other_end))
        .spawn()
        .unwrap();
    // It keeps the other end open.
    drop(command);
    let mut said = String::new();
    wait_for("the question", || {
        let mut bytes = [0; 256];
        let count = terminal.read(&mut bytes).unwrap();
        said.push_str(&String::from_utf8_lossy(&bytes[..count]));
        said.contains(question).then_some(())
    });
    before();
    terminal.write_all(answer).unwrap();
    (said, finish(child))
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

/// Sends a signal to a process of these tests.
pub(crate) fn signal(pid: u32, signal: Signal) {
    let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap());
    nix::sys::signal::kill(pid, signal).unwrap();
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn exists(path: &Path) -> Option<()> {
    path.exists().then_some(())
}
