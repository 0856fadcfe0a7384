//! `usher run` counts as its product does: what is one use takes one seat, however many commands it
//! is, until the last has ended; and a lease that is none is not joined in silence.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, Command, Stdio};

use nix::sys::signal::Signal;

use crate::accounts::{Accounts, end};
use crate::gated::{ANNA, BEN};
use crate::support::{Ended, child, finish, program, said, signal, wait_for};

/// A computer with an agent for everyone on it.
pub(crate) struct Computer {
    pub(crate) accounts: Accounts,
}

impl Computer {
    fn new(counting: &str) -> Option<Computer> {
        Computer::with(counting, "2")
    }

    pub(crate) fn with(counting: &str, seats: &str) -> Option<Computer> {
        let accounts = Accounts::new()?;
        std::fs::copy("/bin/sleep", accounts.folder.path("tool")).unwrap();
        let computer = Computer { accounts };
        computer.adds_the_product(counting, seats);
        Some(computer)
    }

    /// The product is there, and the agent goes by it.
    pub(crate) fn adds_the_product(&self, counting: &str, seats: &str) {
        let accounts = &self.accounts;
        let rule = format!("path={}", accounts.folder.path("tool").display());
        let add = ["product", "add", "cad", "--seats", seats, "--counting"];
        let told = ["--agent-socket", accounts.socket.to_str().unwrap()];
        let rule = ["--program", &rule];
        accounts
            .running
            .ok(&[&add[..], &[counting], &rule, &told].concat());
    }

    /// Starts the product's program without `usher run`.
    pub(crate) fn plain(&self, uid: u32) -> Child {
        let mut tool = Command::new(self.accounts.folder.path("tool"));
        tool.arg("600").uid(uid).gid(uid);
        tool.stdin(Stdio::null()).spawn().unwrap()
    }

    /// Programs of the product that run, and those of them that have a seat.
    pub(crate) fn programs(&self) -> (u64, usize) {
        let socket = self.accounts.socket.to_str().unwrap();
        let status = ["agent", "status", "--agent-socket", socket];
        let status = self.accounts.running.json(&status);
        let leases = status["leases"].as_array().unwrap().len();
        (status["sessions"].as_u64().unwrap(), leases)
    }

    pub(crate) fn status(&self, of: &str) -> u64 {
        let status = self.accounts.running.json(&["status"]);
        status["products"][0][of].as_u64().unwrap()
    }

    pub(crate) fn run(&self, uid: u32, more: &[&str]) -> Child {
        let run = ["run", "--product", "cad"];
        let args = [&run[..], more, &["--", "sleep", "600"]].concat();
        self.accounts.command(uid, &args).spawn().unwrap()
    }

    pub(crate) fn in_use(&self) -> u64 {
        let status = self.accounts.running.json(&["status"]);
        status["products"][0]["in_use"].as_u64().unwrap()
    }

    pub(crate) fn uses(&self, seats: u64) {
        wait_for("the seats in use", || {
            (self.in_use() == seats).then_some(())
        });
    }

    /// Commands that are started by now.
    pub(crate) fn started(&self, runs: &[&Child]) {
        for run in runs {
            child(run.id());
        }
    }
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
    let command = child(killed.id());
    signal(killed.id(), Signal::SIGKILL);
    signal(command, Signal::SIGKILL);
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

/// What a command says on its standard error, whose first line has come.
struct Said {
    first: String,
    /// It goes on saying things.
    _open: BufReader<ChildStderr>,
}

impl Said {
    fn by(run: &mut Child) -> Said {
        let mut open = BufReader::new(run.stderr.take().unwrap());
        let mut first = String::new();
        open.read_line(&mut first).unwrap();
        Said { first, _open: open }
    }
}

/// Ends a process that takes no notice.
pub(crate) fn kill(mut process: Child) {
    process.kill().unwrap();
    process.wait().unwrap();
}

#[test]
fn a_program_that_is_started_plainly_and_a_run_are_one_seat_whichever_is_first_and_last() {
    let Some(computer) = Computer::with("user-on-computer", "1") else {
        return;
    };
    let is_one = || computer.status("unseated") == 0 && computer.in_use() == 1;
    for is_plain_first in [true, false] {
        for is_plain_last in [true, false] {
            let what = format!("{is_plain_first} {is_plain_last}");
            let first = is_plain_first.then(|| computer.plain(ANNA));
            wait_for("the first one's seat", || {
                (!is_plain_first || computer.programs() == (1, 1)).then_some(())
            });
            let run = computer.run(ANNA, &[]);
            computer.started(&[&run]);
            let plain = first.unwrap_or_else(|| computer.plain(ANNA));
            wait_for("both to run on one seat", || {
                (computer.programs() == (1, 1) && is_one()).then_some(())
            });
            // Another person has none.
            let other = ["run", "--product", "cad", "--", "true"];
            let other = computer.accounts.command(BEN, &other).ended();
            assert_eq!(other.status.code(), Some(77), "{what}: {}", said(&other));
            match is_plain_last {
                true => {
                    end(run);
                    assert!(is_one(), "{what}: the program runs on");
                    kill(plain);
                }
                false => {
                    kill(plain);
                    wait_for("the program's end to be seen", || {
                        (computer.programs() == (0, 0)).then_some(())
                    });
                    assert!(is_one(), "{what}: the run goes on");
                    end(run);
                }
            }
            computer.uses(0);
        }
    }
}

#[test]
fn a_seat_that_is_kept_for_the_next_start_is_used_by_a_run() {
    let Some(computer) = Computer::with("user-on-computer", "1") else {
        return;
    };
    let notify = ["notify", "--when-free", "cad"];
    let kept = computer.accounts.command(ANNA, &notify).ended();
    assert!(kept.status.success(), "{}", said(&kept));
    assert_eq!(computer.in_use(), 1, "it is kept");
    let run = computer.run(ANNA, &[]);
    computer.started(&[&run]);
    let plain = computer.plain(ANNA);
    wait_for("the program to have a seat", || {
        // What runs on a seat that was kept is a use itself, whatever it is.
        (computer.programs() == (2, 2)).then_some(())
    });
    assert_eq!((computer.in_use(), computer.status("unseated")), (1, 0));
    end(run);
    kill(plain);
    computer.uses(0);
}

#[test]
fn of_two_runs_of_one_person_that_wait_the_second_shares_the_seat_of_the_first() {
    let Some(computer) = Computer::with("user-on-computer", "1") else {
        return;
    };
    let holder = computer.run(BEN, &[]);
    computer.started(&[&holder]);
    // They wait by one place.
    let mut runs: Vec<Child> = (0..2).map(|_| computer.run(ANNA, &["--wait"])).collect();
    let said_first: Vec<Said> = runs.iter_mut().map(Said::by).collect();
    for said in &said_first {
        let place = "waiting for a seat of cad, place 1 in the queue";
        assert!(said.first.contains(place), "{}", said.first);
    }
    assert_eq!(computer.status("queued"), 1);
    // Their own requests are none of others'.
    let refused = ["run", "--product", "cad", "--", "true"];
    let refused = computer.accounts.command(ANNA, &refused).ended();
    let told = said(&refused);
    assert_eq!(refused.status.code(), Some(77), "{told}");
    assert!(!told.contains("already"), "{told}");
    end(holder);
    computer.started(&runs.iter().collect::<Vec<_>>());
    assert_eq!((computer.in_use(), computer.status("queued")), (1, 0));
    let mut runs = runs.into_iter();
    end(runs.next().unwrap());
    assert_eq!(computer.in_use(), 1, "the second goes on");
    end(runs.next().unwrap());
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
    let leases = computer.accounts.running.json(&["leases"]);
    let lease = leases["items"][0]["id"].as_str().unwrap();
    // What no lease can be called is wrong usage.
    for (none, code) in [("bogus", 77), ("L00000001-1", 77), ("..", 2), (lease, 77)] {
        let run = ["run", "--lease", none, "--", "true"];
        let ended = computer.accounts.command(BEN, &run).ended();
        assert_eq!(ended.status.code(), Some(code), "{none}: {}", said(&ended));
        assert!(said(&ended).contains("usher: "), "{none}: {}", said(&ended));
    }
    let run = ["run", "--lease", lease, "--", "true"];
    let ended = computer.accounts.command(ANNA, &run).ended();
    assert!(ended.status.success(), "{}", said(&ended));
    end(theirs);
}

/// A batch system passes on the environment of whoever submits, whose lease may be over by then.
#[test]
fn a_lease_that_is_over_is_no_way_around_the_queue() {
    let Some(computer) = Computer::new("process") else {
        return;
    };
    let holders: Vec<Child> = (0..2).map(|_| computer.run(ANNA, &[])).collect();
    computer.uses(2);
    for product in ["cad", ""] {
        let run = ["run", "--product", "cad", "--wait=1s", "--", "sleep", "600"];
        let mut left = computer.accounts.command(BEN, &run);
        left.env("USHER_LEASE", "L00000001-99");
        if !product.is_empty() {
            left.env("USHER_LEASE_PRODUCT", product);
        }
        let waited = left.ended();
        assert_eq!(waited.status.code(), Some(75), "{}", said(&waited));
    }
    holders.into_iter().for_each(end);
    computer.uses(0);
    // Who wants a seat of their own has one, also inside of a run.
    let inside = format!(
        "exec {} run --own-seat --product cad -- sleep 600",
        program().display()
    );
    let run = ["run", "--product", "cad", "--", "sh", "-c", &inside];
    let outer = computer.accounts.command(ANNA, &run).spawn().unwrap();
    computer.uses(2);
    end(outer);
}
