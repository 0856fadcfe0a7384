//! Standard error on a full disk, without a reader, or closed: no thread ends with it, no request
//! fails for it, and what was lost is counted.

use std::time::Duration;

use serde_json::Value;
use usher_testing::surroundings;

use crate::support::{Folder, Running, program, usher, wait_for, wait_within};

/// A pack logs, and so does each change of the server's state.
fn packs_and_grants(running: &Running) {
    running.ok(&["product", "add", "tool", "--seats", "3"]);
    for _ in 0..2 {
        running.ok(&["pack", "now"]);
        let done = wait_for("the pack's record", || {
            let pack = running.json(&["pack", "status"]);
            (pack["state"] == "idle" && !pack["last"].is_null()).then_some(pack)
        });
        assert_eq!(done["last"]["result"], "done", "{done}");
        running.ok(&["checkout", "tool", "--ttl", "5m"]);
    }
    assert_eq!(status(running)["server"]["state"], "running");
}

fn status(running: &Running) -> Value {
    running.json(&["status"])
}

/// A role whose standard error is what `redirect` says, in a mount namespace of its own in which
/// `$DIR/full` is a full disk.
fn started(arguments: &str, redirect: &str, folder: &Folder) -> Running {
    let script = format!(
        "mount --make-rprivate / && mkdir -p \"$DIR/full\" && \
         mount -t tmpfs -o size=64k tmpfs \"$DIR/full\" && \
         {{ dd if=/dev/zero of=\"$DIR/full/ballast\" bs=4k 2>/dev/null; :; }} && \
         exec \"$USHER\" {arguments} \"$@\" {redirect}"
    );
    let mut command = surroundings::command("unshare");
    command
        .args(["--mount", "sh", "-c", &script, "sh"])
        .env("DIR", folder.path(""))
        .env("USHER", program())
        .env("USHER_LOG", "debug");
    Running::start(&mut command, &folder.path("data"))
}

const SERVER: &str = "server --listen 127.0.0.1:0";
const UP: &str = "up --no-agent --listen 127.0.0.1:0 --console 127.0.0.1:0";

#[test]
fn a_log_on_a_full_disk_ends_no_thread_and_its_lost_lines_are_counted() {
    for role in [SERVER, UP] {
        let folder = Folder::new();
        let running = started(role, "2>\"$DIR/full/log\"", &folder);
        packs_and_grants(&running);
        let lost = wait_for("lost lines", || {
            status(&running)["server"]["faults"]["lost_log_lines"]
                .as_u64()
                .filter(|lost| *lost > 0)
        });
        assert!(lost > 0);
        assert_eq!(running.stop(), Some(0), "{role}");
    }
}

#[test]
fn a_log_whose_reader_has_ended_ends_no_thread() {
    for role in [SERVER, UP] {
        let folder = Folder::new();
        let (reader, writer) = std::io::pipe().unwrap();
        let mut command = usher();
        command.args(role.split(' ')).env("USHER_LOG", "debug");
        let running = Running::start_with_stderr(&mut command, &folder.path("data"), writer.into());
        drop(command);
        drop(reader);
        packs_and_grants(&running);
        assert_eq!(running.stop(), Some(0), "{role}");
    }
}

#[test]
fn a_log_whose_reader_reads_nothing_holds_up_nobody() {
    let folder = Folder::new();
    let (reader, writer) = std::io::pipe().unwrap();
    fill(&writer);
    let mut command = usher();
    command.args(SERVER.split(' ')).env("USHER_LOG", "debug");
    let running = Running::start_with_stderr(&mut command, &folder.path("data"), writer.into());
    packs_and_grants(&running);
    assert_eq!(running.stop(), Some(0));
    drop(reader);
}

#[test]
fn everything_is_ready_where_standard_error_is_closed_from_the_beginning() {
    let folder = Folder::new();
    let running = started(UP, "2>&-", &folder);
    packs_and_grants(&running);
    assert_eq!(running.stop(), Some(0));
}

#[test]
fn what_a_role_logs_after_its_supervisors_reader_ended_ends_neither() {
    let folder = Folder::new();
    let (reader, writer) = std::io::pipe().unwrap();
    let mut command = usher();
    command.args(UP.split(' '));
    let running = Running::start_with_stderr(&mut command, &folder.path("data"), writer.into());
    drop(command);
    drop(reader);
    let server = running.role("server").unwrap();
    crate::support::signal(server, nix::sys::signal::Signal::SIGKILL);
    // The supervisor says so, restarts it, and is there still.
    wait_within(Duration::from_secs(30), "another server", || {
        running.role("server").filter(|pid| *pid != server)
    });
    wait_for("its answers", || {
        running
            .usher(&["status"])
            .output()
            .ok()
            .filter(|output| output.status.success())
    });
    packs_and_grants(&running);
    assert_eq!(running.stop(), Some(0));
}

/// Writes until the pipe takes no more.
fn fill(writer: &std::io::PipeWriter) {
    use std::io::Write;
    let flags = nix::fcntl::OFlag::O_NONBLOCK;
    let set = |flags| nix::fcntl::fcntl(writer, nix::fcntl::FcntlArg::F_SETFL(flags)).unwrap();
    set(flags);
    let mut filling = writer.try_clone().unwrap();
    while filling.write(&[b'.'; 4096]).is_ok() {}
    while filling.write(b".").is_ok() {}
    set(nix::fcntl::OFlag::empty());
}
