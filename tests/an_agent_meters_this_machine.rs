//! `usher up` with its agent: programs that nobody wrapped are recorded, and people get seats
//! through the agent under their own account, without a token.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::http::Http;
use crate::support::{
    Ended, Folder, Running, finish, program, runs, said, signal, stdout, usher, wait_for,
    wait_within,
};

/// A computer with one seat of `tool`, which is a program of its own.
struct Computer {
    folder: Folder,
    running: Running,
    tool: PathBuf,
    socket: PathBuf,
}

impl Computer {
    fn new() -> Computer {
        let folder = Folder::new();
        fs::set_permissions(folder.path(""), fs::Permissions::from_mode(0o755)).unwrap();
        let tool = folder.path("tool");
        fs::copy("/bin/sleep", &tool).unwrap();
        // Where other accounts can start it.
        fs::copy(program(), folder.path("usher")).unwrap();
        let socket = folder.path("agent.sock");
        let running = start(&folder, &socket);
        let rule = format!("path={}", tool.display());
        let add = ["product", "add", "tool", "--seats", "1", "--program", &rule];
        running.ok(&[&add[..], &["--agent-socket", socket.to_str().unwrap()]].concat());
        // The agent goes by a new product as soon as it is added.
        let mut run = running.usher(&["run", "--agent-socket"]);
        let output = run.arg(&socket).arg("--").arg(&tool).arg("0").ended();
        assert!(output.status.success(), "{}", said(&output));
        Computer {
            folder,
            running,
            tool,
            socket,
        }
    }

    /// `usher run` as another account, which has no token and may read nothing of the data.
    fn run_as(&self, uid: u32, args: &[&str]) -> Command {
        let mut command = Command::new(self.folder.path("usher"));
        command
            .args(args)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", "/nonexistent");
        command
            .env("USHER_AGENT_SOCKET", &self.socket)
            .env("USHER_SERVER", &self.running.api);
        if nix::unistd::geteuid().is_root() {
            command.uid(uid).gid(uid);
        }
        command
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        command
    }

    fn in_use(&self) -> u64 {
        self.running.json(&["product", "show", "tool"])["in_use"]
            .as_u64()
            .unwrap()
    }

    fn sessions(&self) -> Vec<Value> {
        let answer = self.running.json(&["usage", "--product", "tool"]);
        answer["items"].as_array().unwrap().clone()
    }
}

fn start(folder: &Folder, socket: &std::path::Path) -> Running {
    let mut command = usher();
    command
        .args(["up", "--listen", "127.0.0.1:0", "--agent-socket"])
        .arg(socket);
    Running::start(&mut command, &folder.path("data"))
}

#[test]
fn a_program_that_nobody_wrapped_is_recorded_from_start_to_end() {
    let computer = Computer::new();
    let before = computer.sessions().len();
    let mut child = Command::new(&computer.tool).arg("600").spawn().unwrap();
    wait_for("its seat", || (computer.in_use() == 1).then_some(()));
    child.kill().unwrap();
    child.wait().unwrap();
    wait_for("its session", || {
        let sessions = computer.sessions();
        let ended = sessions
            .iter()
            .all(|session| !session["ended_at"].is_null());
        (sessions.len() == before + 1 && ended).then_some(())
    });
    wait_for("its seat to be free", || {
        (computer.in_use() == 0).then_some(())
    });
}

#[test]
fn what_runs_on_a_seat_takes_no_second_one() {
    let computer = Computer::new();
    let before = computer.sessions().len();
    let go = computer.folder.path("go");
    let script = format!(
        "{} 600 & while [ ! -e {} ]; do sleep 0.01; done; kill $!",
        computer.tool.display(),
        go.display()
    );
    let child = computer
        .run_as(
            65534,
            &["run", "--product", "tool", "--", "sh", "-c", &script],
        )
        .spawn()
        .unwrap();
    wait_for("its seat", || (computer.in_use() == 1).then_some(()));
    // One that nobody wrapped, of the same user on the same computer, is the same use; of another,
    // it runs without a seat, and only that one.
    let mut other = Command::new(&computer.tool).arg("600").spawn().unwrap();
    let status = || computer.running.json(&["status"])["products"][0].clone();
    if nix::unistd::geteuid().is_root() {
        wait_for("the other to be seen", || {
            (status()["unseated"] == 1).then_some(())
        });
    }
    assert_eq!(status()["in_use"], 1);
    other.kill().unwrap();
    other.wait().unwrap();
    fs::write(&go, "").unwrap();
    let output = finish(child);
    assert!(output.status.success(), "{}", said(&output));
    wait_for("both sessions", || {
        (computer.sessions().len() > before).then_some(())
    });
    wait_for("the seat to be free", || {
        (computer.in_use() == 0).then_some(())
    });
}

#[test]
fn an_invented_lease_covers_nothing_and_one_of_another_computer_with_its_proof_only() {
    let computer = Computer::new();
    let tool = computer.tool.to_str().unwrap();
    let named = ["run", "--product", "tool", "--lease"];
    let invented = [&named[..], &["L00000001-99", "--", "echo", "never"]].concat();
    let refused = computer.run_as(65534, &invented).ended();
    assert_eq!(refused.status.code(), Some(77), "{}", said(&refused));
    assert_eq!(stdout(&refused), "");

    // Inside of a run that claims to be on a seat, the program runs, and takes its own.
    let mut pretending = computer.run_as(65534, &["run", "--product", "tool", "--", tool, "600"]);
    pretending
        .env("USHER_LEASE", "L00000001-99")
        .env("USHER_LEASE_PRODUCT", "tool");
    let mut run = pretending.spawn().unwrap();
    wait_for("its own seat", || (computer.in_use() == 1).then_some(()));
    let program = crate::support::child(run.id());
    signal(program, Signal::SIGKILL);
    run.wait().unwrap();
    wait_for("the seat to be free", || {
        (computer.in_use() == 0).then_some(())
    });

    let elsewhere =
        computer
            .running
            .json(&["checkout", "tool", "--user", "ann", "--computer", "node7"]);
    let (lease, proof) = (elsewhere["id"].as_str(), elsewhere["proof"].as_str());
    let guessed = [&named[..], &[lease.unwrap(), "--", "echo", "never"]].concat();
    for proof in [None, Some("0123456789abcdef0123456789abcdef")] {
        let mut guess = computer.run_as(65534, &guessed);
        guess.envs(proof.map(|proof| ("USHER_LEASE_PROOF", proof)));
        let refused = guess.ended();
        assert_eq!(refused.status.code(), Some(77), "{}", said(&refused));
        assert_eq!(stdout(&refused), "");
    }
    let before = computer.sessions().len();
    let status = || computer.running.json(&["agent", "status"]);
    let joining = [&named[..], &[lease.unwrap(), "--", tool, "600"]].concat();
    let mut joined = computer.run_as(65534, &joining);
    joined.env("USHER_LEASE_PROOF", proof.unwrap());
    let joined = joined.spawn().unwrap();
    wait_for("its session", || (status()["sessions"] == 1).then_some(()));
    signal(crate::support::child(joined.id()), Signal::SIGKILL);
    let joined = finish(joined);
    assert!(!said(&joined).contains("usher:"), "{}", said(&joined));
    wait_for("what the server is told", || {
        let status = status();
        (status["sessions"] == 0 && status["outbox"] == 0).then_some(())
    });
    // Without the cover it would have run without a seat, as a session of its own.
    assert_eq!(computer.sessions().len(), before);
    assert_eq!(computer.in_use(), 1, "the one that is held elsewhere");
    wait_for("the join to be told", || {
        let leases = computer.running.json(&["leases"]);
        (leases["items"][0]["joined"] == 1).then_some(())
    });
    let why = computer.running.ok(&["why", lease.unwrap()]);
    assert!(why.contains("The lease was joined once"), "{why}");
}

#[test]
fn of_two_accounts_the_second_is_refused_and_waits_without_any_token() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("not tried: only root can start programs as two accounts");
        return;
    }
    let computer = Computer::new();
    let go = computer.folder.path("go");
    let script = format!("while [ ! -e {} ]; do sleep 0.01; done", go.display());
    let first = computer
        .run_as(1, &["run", "--product", "tool", "--", "sh", "-c", &script])
        .spawn()
        .unwrap();
    wait_for("the first one's seat", || {
        (computer.in_use() == 1).then_some(())
    });
    let refused = computer
        .run_as(2, &["run", "--product", "tool", "--", "echo", "never"])
        .ended();
    assert_eq!(refused.status.code(), Some(77), "{}", said(&refused));
    assert_eq!(stdout(&refused), "");
    assert!(
        said(&refused).contains("`usher why D"),
        "{}",
        said(&refused)
    );
    let doctor = computer.run_as(2, &["doctor"]).ended();
    assert!(doctor.status.success(), "{}", said(&doctor));
    let waiting = computer
        .run_as(
            2,
            &[
                "run",
                "--product",
                "tool",
                "--wait=1m",
                "--",
                "echo",
                "mine",
            ],
        )
        .spawn()
        .unwrap();
    let queue = || {
        computer.running.json(&["queue"])["items"]
            .as_array()
            .unwrap()
            .len()
    };
    wait_for("a place in the queue", || (queue() == 1).then_some(()));
    fs::write(&go, "").unwrap();
    let first = finish(first);
    assert!(first.status.success(), "{}", said(&first));
    let second = finish(waiting);
    assert_eq!(stdout(&second), "mine\n", "{}", said(&second));
    let users: Vec<Value> = computer
        .sessions()
        .iter()
        .map(|s| s["user"].clone())
        .collect();
    let name = |uid: u32| {
        nix::unistd::User::from_uid(uid.into())
            .unwrap()
            .unwrap()
            .name
    };
    for uid in [1, 2] {
        assert!(users.iter().any(|user| *user == name(uid)), "{users:?}");
    }
}

#[test]
fn an_agent_that_was_killed_is_started_again() {
    let computer = Computer::new();
    let status = || {
        computer
            .running
            .usher(&["agent", "status", "--json"])
            .ended()
    };
    assert!(status().status.success(), "{}", said(&status()));
    let is_agent = |pid: &u32| {
        fs::read_to_string(format!("/proc/{pid}/cmdline"))
            .unwrap()
            .contains("usher\0agent\0")
    };
    let agent = computer
        .running
        .children()
        .into_iter()
        .find(is_agent)
        .unwrap();
    signal(agent, Signal::SIGKILL);
    wait_for("its end", || (!runs(agent)).then_some(()));
    wait_for("another", || {
        let answer: Value = serde_json::from_slice(&status().stdout).ok()?;
        (answer["connected"] == true).then_some(())
    });
}

#[test]
fn an_agent_whose_token_was_revoked_gets_another_at_the_next_start() {
    let computer = Computer::new();
    let tokens = computer.running.json(&["token", "list"]);
    let agents = tokens["items"].as_array().unwrap();
    let token = agents
        .iter()
        .find(|token| token["role"] == "agent")
        .unwrap();
    computer
        .running
        .ok(&["token", "revoke", token["id"].as_str().unwrap()]);
    let Computer {
        folder,
        running,
        socket,
        ..
    } = computer;
    assert_eq!(running.stop(), Some(0));
    let running = start(&folder, &socket);
    wait_for("the agent's exchange", || {
        let output = running.usher(&["agent", "status", "--json"]).ended();
        let answer: Value = serde_json::from_slice(&output.stdout).ok()?;
        (answer["connected"] == true).then_some(())
    });
}

#[test]
fn without_a_server_a_product_runs_as_its_policy_says() {
    let folder = Folder::new();
    let data = folder.path("data");
    let server = Running::start(usher().args(["server", "--listen", "127.0.0.1:0"]), &data);
    server.ok(&["product", "add", "lenient", "--seats", "1"]);
    server.ok(&[
        "product",
        "add",
        "strict",
        "--seats",
        "1",
        "--on-unreachable",
        "refuse",
    ]);
    let id = server.ok(&["agent", "--print-computer-id"]);
    let token = server.ok(&[
        "token",
        "create",
        "--role",
        "agent",
        "--computer",
        id.trim(),
    ]);
    let file = folder.path("agent.token");
    fs::write(&file, token).unwrap();
    let socket = folder.path("agent.sock");
    let mut agent = usher();
    agent
        .args(["agent", "--server", &server.api, "--token-file"])
        .arg(&file);
    let agent = Running::start(agent.arg("--agent-socket").arg(&socket), &data);
    assert!(
        agent
            .ready
            .starts_with(&format!("ready computer={} ", id.trim())),
        "{}",
        agent.ready
    );
    let run = |product: &str| {
        let mut command = usher();
        command
            .args(["run", "--product", product, "--agent-socket"])
            .arg(&socket);
        command.args(["--", "echo", "runs"]).ended()
    };
    for product in ["lenient", "strict"] {
        assert_eq!(stdout(&run(product)), "runs\n", "{}", said(&run(product)));
    }
    assert_eq!(server.stop(), Some(0));
    let lenient = run("lenient");
    assert_eq!(
        (lenient.status.code(), stdout(&lenient).as_str()),
        (Some(0), "runs\n")
    );
    let strict = run("strict");
    assert_eq!(
        (strict.status.code(), stdout(&strict).as_str()),
        (Some(69), ""),
        "{}",
        said(&strict)
    );
    assert_eq!(agent.stop(), Some(0));
}

#[test]
fn the_place_of_a_waiter_that_was_killed_goes_to_the_next_at_once() {
    let computer = Computer::new();
    let run = ["run", "--product", "tool"];
    let first = [&run[..], &["--own-seat", "--", "sleep", "600"]].concat();
    let first = computer.run_as(1, &first).spawn().unwrap();
    wait_for("the first one's seat", || {
        (computer.in_use() == 1).then_some(())
    });
    let wait = [&run[..], &["--own-seat", "--wait", "--", "true"]].concat();
    let mut waits = computer.run_as(2, &wait).spawn().unwrap();
    let waiting = || {
        let queue = computer.running.json(&["queue"]);
        queue["items"].as_array().unwrap().len()
    };
    wait_for("its place", || (waiting() == 1).then_some(()));
    let ticket = computer.running.json(&["queue"])["items"][0]["id"].clone();
    let path = format!("/v1/tickets/{}", ticket.as_str().unwrap());
    let token = fs::read_to_string(computer.running.data.join("admin.token")).unwrap();
    let mut http = Http::connect(&computer.running.api, token.trim()).unwrap();
    // A place that is asked about with patience is kept for longer than half a minute from now.
    wait_for("it to ask", || {
        let kept = http.ask("GET", &path, None).unwrap().body;
        let until: usher_api::Timestamp = kept["expires_at"].as_str()?.parse().unwrap();
        let left = until.duration_since(usher_api::Timestamp::now()).as_secs();
        (left > 31).then_some(())
    });
    waits.kill().unwrap();
    waits.wait().unwrap();
    // The server by itself keeps a place that nobody asks about for half a minute.
    wait_within(Duration::from_secs(15), "its place to go", || {
        (waiting() == 0).then_some(())
    });
    signal(first.id(), Signal::SIGTERM);
    finish(first);
}

#[test]
fn the_seat_of_a_run_that_was_killed_stays_with_its_command_until_that_has_ended() {
    let computer = Computer::new();
    let tool = computer.tool.to_str().unwrap();
    let words = ["run", "--product", "tool", "--ttl", "3s", "--", tool, "600"];
    let mut run = computer.run_as(1, &words).spawn().unwrap();
    let lease = || {
        let leases = computer.running.json(&["leases"]);
        Some(leases["items"][0]["id"].as_str()?.to_owned())
    };
    let first = wait_for("a seat", lease);
    let survivor = crate::support::child(run.id());
    // A moment after it is started.
    let state = rusqlite::Connection::open(computer.running.data.join("agent/agent.db")).unwrap();
    wait_for("its command to keep the seat, too", || {
        let count = "SELECT count(*) FROM covers WHERE keeps AND pid = ?1";
        let kept: u32 = state.query_row(count, [survivor], |row| row.get(0)).ok()?;
        (kept == 1).then_some(())
    });
    run.kill().unwrap();
    run.wait().unwrap();
    // Longer than the ttl: without renewals the lease would have ended.
    let until = Instant::now() + Duration::from_secs(7);
    wait_for("the time to pass", || {
        assert_eq!(lease(), Some(first.clone()));
        (Instant::now() > until).then_some(())
    });
    assert!(runs(survivor));
    signal(survivor, Signal::SIGKILL);
    wait_for("the seat to be free", || {
        (computer.in_use() == 0).then_some(())
    });
}
