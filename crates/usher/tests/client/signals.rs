//! What `usher run` does with signals.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;
use usher_testing::undo;

use crate::fake::Fake;
use crate::support::{Folder, exists, finish, signal, stdout, usher, wait_for};

#[test]
fn ctrl_c_leaves_the_queue() {
    let folder = Folder::new();
    let fake = Fake::server(0);
    let child = usher(&folder)
        .args([
            "run",
            "--server",
            &fake.url,
            "--product",
            "tool",
            "--wait=5m",
            "--",
            "true",
        ])
        .spawn()
        .unwrap();
    wait_for("a place in the queue", || {
        fake.with(|world| world.queue.front().cloned())
    });
    signal(child.id(), Signal::SIGINT);
    let output = finish(child);
    assert_eq!(output.status.code(), Some(128 + 2));
    assert_eq!(
        fake.with(|world| (world.queue.len(), world.count("DELETE /v1/tickets/"))),
        (0, 1)
    );
}

#[test]
fn a_signal_reaches_the_command_once() {
    let folder = Folder::new();
    let fake = Fake::server(1);
    let ready = folder.path("ready");
    let script = format!(
        "n=0; trap 'n=$((n+1))' USR1; trap 'echo $n; exit 3' TERM; touch {}; while :; do sleep 0.01; done",
        ready.display()
    );
    let child = usher(&folder)
        .args([
            "run",
            "--server",
            &fake.url,
            "--product",
            "tool",
            "--",
            "sh",
            "-c",
            &script,
        ])
        .spawn()
        .unwrap();
    wait_for("the command", || exists(&ready));
    signal(child.id(), Signal::SIGUSR1);
    // tidy: sleep, nothing shows when a shell has taken a signal whose trap only counts
    std::thread::sleep(std::time::Duration::from_millis(200));
    signal(child.id(), Signal::SIGTERM);
    let output = finish(child);
    assert_eq!(
        (output.status.code(), stdout(&output)),
        (Some(3), "1\n".into())
    );
    assert_eq!(fake.with(|world| world.leases.len()), 0);
}

#[test]
fn ctrl_c_of_a_terminal_reaches_the_command_once() {
    let folder = Folder::new();
    let fake = Fake::server(1);
    let flags = rustix::pty::OpenptFlags::RDWR | rustix::pty::OpenptFlags::NOCTTY;
    let mut terminal = File::from(rustix::pty::openpt(flags).unwrap());
    rustix::pty::unlockpt(&terminal).unwrap();
    let name = rustix::pty::ptsname(&terminal, Vec::new()).unwrap();
    let other_end = File::options()
        .read(true)
        .write(true)
        .open(std::ffi::OsStr::from_bytes(name.to_bytes()))
        .unwrap();
    let (ready, count) = (folder.path("ready"), folder.path("count"));
    let script = format!(
        "n=0; trap 'n=$((n+1)); echo $n > {}' INT; trap 'exit 3' TERM; touch {}; while :; do sleep 0.01; done",
        count.display(),
        ready.display()
    );
    let mut inner = usher(&folder);
    inner.args([
        "run",
        "--server",
        &fake.url,
        "--product",
        "tool",
        "--",
        "sh",
        "-c",
        &script,
    ]);
    // setsid gives it the terminal as its own.
    let mut command = Command::new("setsid");
    command
        .arg("--ctty")
        .arg(inner.get_program())
        .args(inner.get_args());
    command.env("USHER_DATA", folder.path("data"));
    let child = command
        .stdin(Stdio::from(other_end.try_clone().unwrap()))
        .stdout(Stdio::from(other_end.try_clone().unwrap()))
        .stderr(Stdio::from(other_end))
        .spawn()
        .unwrap();
    wait_for("the command", || exists(&ready));
    terminal.write_all(b"\x03").unwrap();
    let counted = || {
        std::fs::read_to_string(&count)
            .ok()
            .filter(|text| !text.is_empty())
    };
    wait_for("the first Ctrl-C", counted);
    terminal.write_all(b"\x03").unwrap();
    wait_for("the second", || counted().filter(|text| text != "1\n"));
    signal(child.id(), Signal::SIGTERM);
    let output = finish(child);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(counted().unwrap(), "2\n");
}

#[test]
fn a_stopped_command_stops_the_run_and_both_go_on_together() {
    let folder = Folder::new();
    let fake = Fake::server(1);
    let pid_file = folder.path("pid");
    let script = format!("echo $$ > {}; exec sleep 60", pid_file.display());
    let child = usher(&folder)
        .args([
            "run",
            "--server",
            &fake.url,
            "--product",
            "tool",
            "--",
            "sh",
            "-c",
            &script,
        ])
        .spawn()
        .unwrap();
    let command: u32 = wait_for("the command", || {
        std::fs::read_to_string(&pid_file).ok()?.trim().parse().ok()
    });
    // Nobody would go on with them if this test ended here.
    let _ended = undo::end_with_test(&[command, child.id()]).unwrap();
    signal(command, Signal::SIGTSTP);
    wait_for("the run to stop", || {
        (state(child.id()) == 'T').then_some(())
    });
    signal(child.id(), Signal::SIGCONT);
    wait_for("the command to go on", || {
        (state(command) != 'T').then_some(())
    });
    signal(child.id(), Signal::SIGTERM);
    assert_eq!(finish(child).status.code(), Some(128 + 15));
    assert_eq!(fake.with(|world| world.leases.len()), 0);
}

fn state(pid: u32) -> char {
    let mut stat = String::new();
    File::open(format!("/proc/{pid}/stat"))
        .unwrap()
        .read_to_string(&mut stat)
        .unwrap();
    stat.rsplit(") ").next().unwrap().chars().next().unwrap()
}
