//! Who is refused a start reads why on the standard error of the process, even if that is no
//! terminal: a job's output file, a pipe, a service's socket. Nothing is overwritten, and nobody who
//! does not read holds anything up.

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use usher_testing::control::Control;

use crate::gated::{ANNA, BEN, Computer, end};
use crate::support::{Ended, stdout};

/// A shell of an account that starts the solver, with a word after it, and ends as it did.
fn job(computer: &Computer, errors: impl Into<Stdio>) -> Output {
    let solver = computer.program("solver");
    let script = format!(
        "{} 0; code=$?; echo after >&2; exit $code",
        solver.display()
    );
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).uid(BEN).gid(BEN);
    shell.stdin(Stdio::null()).stdout(Stdio::null());
    shell
        .stderr(errors)
        .spawn()
        .unwrap()
        .wait_with_output()
        .unwrap()
}

/// The reason, then what the shell says, then the word after it.
#[track_caller]
fn is_told(text: &str) {
    let reason = text.find("usher: solver was not started: ");
    let shell = text.find("Operation not permitted");
    let after = text.find("after");
    assert!(
        reason.is_some() && reason < shell && shell < after,
        "{text:?}"
    );
    assert!(text.contains("usher why D"), "{text:?}");
}

#[test]
fn a_job_that_is_refused_says_why_in_its_output() {
    let Some(computer) = Computer::with_seats("1", &[]) else {
        return;
    };
    let holder = computer.start(ANNA, "60").unwrap();
    let path = computer.place.join("job.out");
    fs::write(
        &path,
        "what stood there before, and is written over\n".repeat(99),
    )
    .unwrap();
    let ended = job(&computer, File::create(&path).unwrap());
    assert_eq!(ended.status.code(), Some(126));
    is_told(&fs::read_to_string(&path).unwrap());

    let appending = File::options().append(true).open(&path).unwrap();
    job(&computer, appending);
    let twice = fs::read_to_string(&path).unwrap();
    assert_eq!(twice.matches("usher: solver was not started").count(), 2);
    end(holder);
}

#[test]
fn a_pipe_and_a_service_of_this_computer_read_why_a_start_was_refused() {
    let Some(computer) = Computer::with_seats("1", &[]) else {
        return;
    };
    let holder = computer.start(ANNA, "60").unwrap();
    let ended = job(&computer, Stdio::piped());
    is_told(&String::from_utf8(ended.stderr).unwrap());

    let (mut journal, service) = UnixStream::pair().unwrap();
    job(&computer, OwnedFd::from(service));
    let mut text = String::new();
    journal.read_to_string(&mut text).unwrap();
    is_told(&text);
    // It is there for a day, too.
    let mut list = computer.running.usher(&["notify", "--list"]);
    list.arg("--agent-socket").arg(&computer.socket);
    let list = list.uid(BEN).gid(BEN).env("HOME", "/nonexistent").ended();
    let list = stdout(&list);
    assert!(list.contains("solver was not started"), "{list}");
    assert!(list.contains("usher why D"), "{list}");
    end(holder);
}

#[test]
fn a_pipe_that_nobody_reads_holds_no_refusal_up() {
    let Some(computer) = Computer::with_seats("1", &[]) else {
        return;
    };
    let holder = computer.start(ANNA, "60").unwrap();
    let (unread, errors) = nix::unistd::pipe().unwrap();
    let full = errors.try_clone().unwrap();
    let flags = nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::O_NONBLOCK);
    nix::fcntl::fcntl(&full, flags).unwrap();
    while nix::unistd::write(&full, &[b'.'; 4_096]).is_ok() {}
    let control = Control::begin().unwrap();
    let began = Instant::now();
    let mut start = Command::new(computer.program("solver"));
    start.arg("0").uid(BEN).gid(BEN).stderr(errors);
    start.spawn().unwrap_err();
    let (took, bound) = (began.elapsed(), control.bound(Duration::ZERO));
    assert!(took < bound, "{took:?} of {bound:?}");
    drop(unread);
    end(holder);
}
