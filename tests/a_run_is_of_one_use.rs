//! `usher run` counts as its product does: what is one use takes one seat, however many commands it
//! is, until the last has ended; and a lease that is none is not joined in silence.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command};

use nix::sys::signal::Signal;

use crate::gated::{ANNA, BEN};
use crate::support::{Ended, Folder, Running, children, finish, said, signal, usher, wait_for};

/// A computer with an agent for everyone on it.
struct Computer {
    running: Running,
    socket: PathBuf,
    _folder: Folder,
}

impl Computer {
    fn new(counting: &str) -> Option<Computer> {
        if !nix::unistd::geteuid().is_root() {
            eprintln!("skipped: commands of other accounts need root");
            return None;
        }
        let folder = Folder::new();
        fs::set_permissions(folder.path(""), fs::Permissions::from_mode(0o755)).unwrap();
        let socket = folder.path("agent.sock");
        let mut up = usher();
        up.args(["up", "--listen", "127.0.0.1:0", "--console", "127.0.0.1:0"])
            .arg("--agent-socket")
            .arg(&socket);
        let running = Running::start(&mut up, &folder.path("data"));
        let add = ["product", "add", "cad", "--seats", "2", "--counting"];
        let told = ["--agent-socket", socket.to_str().unwrap()];
        running.ok(&[&add[..], &[counting], &told].concat());
        Some(Computer {
            running,
            socket,
            _folder: folder,
        })
    }

    fn command(&self, uid: u32, args: &[&str]) -> Command {
        let mut command = usher();
        command
            .args(args)
            .env("USHER_AGENT_SOCKET", &self.socket)
            .env("XDG_DATA_HOME", "/nonexistent")
            .uid(uid)
            .gid(uid);
        command
    }

    fn run(&self, uid: u32, more: &[&str]) -> Child {
        let run = ["run", "--product", "cad"];
        let args = [&run[..], more, &["--", "sleep", "600"]].concat();
        self.command(uid, &args).spawn().unwrap()
    }

    fn in_use(&self) -> u64 {
        let status = self.running.json(&["status"]);
        status["products"][0]["in_use"].as_u64().unwrap()
    }

    fn uses(&self, seats: u64) {
        wait_for("the seats in use", || {
            (self.in_use() == seats).then_some(())
        });
    }

    /// Commands that are started by now.
    fn started(&self, runs: &[&Child]) {
        for run in runs {
            wait_for("the command", || {
                (!children(run.id()).is_empty()).then_some(())
            });
        }
    }
}

fn end(child: Child) {
    signal(child.id(), Signal::SIGTERM);
    finish(child);
}

#[test]
fn one_user_on_a_computer_takes_one_seat_until_the_last_run_has_ended() {
    let Some(computer) = Computer::new("user-on-computer") else {
        return;
    };
    let runs: Vec<Child> = (0..3).map(|_| computer.run(ANNA, &[])).collect();
    computer.started(&runs.iter().collect::<Vec<_>>());
    assert_eq!(computer.in_use(), 1);
    let other = computer.run(BEN, &[]);
    computer.started(&[&other]);
    assert_eq!(computer.in_use(), 2, "another person's use is another");
    end(other);
    let mut runs = runs.into_iter();
    end(runs.next().unwrap());
    computer.uses(1);
    // One that is killed gives back no more than its own part either.
    let killed = runs.next().unwrap();
    let commands = children(killed.id());
    signal(killed.id(), Signal::SIGKILL);
    for command in commands {
        signal(command, Signal::SIGKILL);
    }
    finish(killed);
    let last = runs.next().unwrap();
    let fourth = computer.run(ANNA, &[]);
    computer.started(&[&fourth]);
    assert_eq!(computer.in_use(), 1);
    end(last);
    assert_eq!(computer.in_use(), 1, "the fourth still runs");
    end(fourth);
    computer.uses(0);
}

#[test]
fn a_seat_of_its_own_is_taken_where_that_is_said_or_processes_are_counted() {
    let Some(computer) = Computer::new("user-on-computer") else {
        return;
    };
    let first = computer.run(ANNA, &[]);
    computer.started(&[&first]);
    let second = computer.run(ANNA, &["--own-seat"]);
    computer.started(&[&second]);
    assert_eq!(computer.in_use(), 2);
    end(first);
    end(second);
    computer.uses(0);
    let Some(computer) = Computer::new("process") else {
        return;
    };
    let runs = [computer.run(ANNA, &[]), computer.run(ANNA, &[])];
    computer.started(&runs.each_ref());
    assert_eq!(computer.in_use(), 2);
    runs.into_iter().for_each(end);
}

#[test]
fn a_lease_that_is_none_is_not_joined_in_silence() {
    let Some(computer) = Computer::new("user-on-computer") else {
        return;
    };
    let theirs = computer.run(ANNA, &[]);
    computer.started(&[&theirs]);
    let leases = computer.running.json(&["leases"]);
    let lease = leases["items"][0]["id"].as_str().unwrap();
    // What no lease can be called is wrong usage.
    for (none, code) in [("bogus", 77), ("L00000001-1", 77), ("..", 2), (lease, 77)] {
        let run = ["run", "--lease", none, "--", "true"];
        let ended = computer.command(BEN, &run).ended();
        assert_eq!(ended.status.code(), Some(code), "{none}: {}", said(&ended));
        assert!(said(&ended).contains("usher: "), "{none}: {}", said(&ended));
    }
    let run = ["run", "--lease", lease, "--", "true"];
    let ended = computer.command(ANNA, &run).ended();
    assert!(ended.status.success(), "{}", said(&ended));
    end(theirs);
}
