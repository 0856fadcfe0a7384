//! A panic in a thread that others wait for ends its role, which is restarted and tells it once; a
//! panic in one request ends that request alone; a role that keeps dying is given up, and said so.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http::{Http, checkout};
use crate::support::{Ended, Folder, Running, runs, usher, wait_for, wait_within};

/// How long a planted panic may take to be met: what happens rarely happens each half minute.
const MET: Duration = Duration::from_secs(60);
/// A role is given up at the fifth death in ten minutes.
const PANICS_AT_MOST: usize = 4;
const ROLE_ENDED: u64 = 9450;

/// Everything on one computer, where panics can be planted.
struct Site {
    plant: PathBuf,
    running: Running,
    console: String,
    folder: Folder,
    leases: Vec<String>,
}

impl Site {
    fn new(role: &str) -> Site {
        let folder = Folder::new();
        let plant = folder.path("plant");
        let socket = folder.path("agent.sock");
        let mut command = usher();
        command
            .args(["up", "--listen", "127.0.0.1:0", "--console", "127.0.0.1:0"])
            .env("USHER_PLANTED_PANIC", &plant);
        match role {
            "agent" => command.arg("--agent-socket").arg(&socket),
            _ => command.arg("--no-agent"),
        };
        let running = Running::start(&mut command, &folder.path("data"));
        let console = running
            .ready
            .split(' ')
            .find_map(|word| word.strip_prefix("console="))
            .unwrap()
            .to_owned();
        let tool = folder.path("tool");
        std::fs::copy("/bin/true", &tool).unwrap();
        let rule = format!("path={}", tool.display());
        let seats = ["product", "add", "tool", "--seats", "100000"];
        running.ok(&[&seats[..], &["--program", &rule]].concat());
        Site {
            plant,
            running,
            console,
            folder,
            leases: Vec::new(),
        }
    }

    /// Plants a panic in a thread of a role, and waits until the role is there again.
    fn ends_by(&mut self, role: &str, thread: &str) {
        let before = self.running.role(role).unwrap();
        let told = self.told().len();
        let part = self.folder.path("plant.part");
        std::fs::write(&part, thread).unwrap();
        std::fs::rename(&part, &self.plant).unwrap();
        let begun = Instant::now();
        while runs(before) {
            assert!(begun.elapsed() < MET, "{role}: {thread} did not panic");
            self.stir(thread);
        }
        wait_for("another process of that role", || {
            self.running.role(role).filter(|pid| *pid != before)
        });
        let messages = wait_within(MET, "the message", || {
            self.look();
            Some(self.told()).filter(|messages| messages.len() > told)
        });
        assert_eq!(messages.len(), told + 1, "{messages:#?}");
        let text = messages.iter().map(|it| it["text"].as_str().unwrap());
        let of_it = text.filter(|text| {
            text.starts_with(&format!("The {role} on"))
                && text.contains(&format!(" in {thread} at"))
        });
        assert_eq!(of_it.count(), 1, "{thread}: {messages:#?}");
    }

    fn http(&self) -> std::io::Result<Http> {
        let token = std::fs::read_to_string(self.running.data.join("admin.token"))?;
        Http::connect(&self.running.api, token.trim())
    }

    /// Does a little of everything, so that each thread has something to do. A pack would take in
    /// the log, which then waits for nobody.
    fn stir(&mut self, thread: &str) {
        drop(std::process::Command::new(self.folder.path("tool")).status());
        drop(
            self.running
                .usher(&["agent", "status", "--agent-socket"])
                .arg(self.folder.path("agent.sock"))
                .ended(),
        );
        self.look();
        let Ok(mut http) = self.http() else {
            return;
        };
        for _ in 0..20 {
            match http.ask("POST", "/v1/checkouts", Some(&checkout("tool", "ada"))) {
                Ok(answer) if answer.status == 201 => {
                    let id = answer.body["lease"]["id"].as_str().unwrap();
                    self.leases.push(id.to_owned());
                }
                Ok(_) => {}
                Err(_) => return,
            }
        }
        if thread == "pack" {
            drop(http.ask("POST", "/v1/pack", Some(&json!({}))));
        }
        for control in ["pause", "continue"] {
            let body = json!({ "control": control });
            drop(http.ask("POST", "/v1/service/controls", Some(&body)));
        }
    }

    fn manager(&self, args: &[&str]) -> Option<Value> {
        let args = [args, &["--manager", &self.console, "--json"]].concat();
        serde_json::from_slice(&self.running.usher(&args).ended().stdout).ok()
    }

    fn look(&self) {
        self.manager(&["servers", "poll", "local"]);
    }

    /// Messages of a role's end.
    fn told(&self) -> Vec<Value> {
        let messages = wait_for("the manager's messages", || {
            self.manager(&["messages", "--limit", "1000"])
        });
        let items = messages["items"].as_array().unwrap();
        let ended = items.iter().filter(|it| it["id"] == ROLE_ENDED);
        ended.cloned().collect()
    }

    /// What was answered is there.
    fn has_lost_nothing(&self) {
        let list = wait_for("the leases", || {
            let output = self
                .running
                .usher(&["leases", "--json", "--limit", "0"])
                .ended();
            serde_json::from_slice::<Value>(&output.stdout).ok()
        });
        let known: Vec<&str> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|lease| lease["id"].as_str().unwrap())
            .collect();
        for lease in &self.leases {
            assert!(known.contains(&lease.as_str()), "{lease} is lost");
        }
    }
}

fn each_ends_its_role(role: &str, threads: &[&str]) {
    for threads in threads.chunks(PANICS_AT_MOST) {
        let mut site = Site::new(role);
        for thread in threads {
            site.ends_by(role, thread);
        }
        site.has_lost_nothing();
        assert_eq!(site.running.stop(), Some(0));
    }
}

#[test]
fn a_panic_in_a_thread_of_the_server_restarts_it_and_is_told_once() {
    let threads = [
        "usher-writer",
        "usher-log",
        "life-keeper",
        "life-teller",
        "core-0",
        "hopper",
        "sweep",
        "accept",
    ];
    each_ends_its_role("server", &threads);
}

#[test]
fn a_panic_in_a_task_of_the_server_restarts_it_and_is_told_once() {
    each_ends_its_role(
        "server",
        &["herald", "watch-state", "pause", "upkeep", "pack"],
    );
}

#[test]
fn a_panic_in_a_task_of_the_manager_restarts_it_and_is_told_once() {
    each_ends_its_role("manager", &["keeper", "listener", "console"]);
}

#[test]
fn a_panic_in_a_thread_of_the_agent_restarts_it_and_is_told_once() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("not tried: only root's agent has all of its threads");
        return;
    }
    let threads = [
        "usher-watch",
        "usher-identify",
        "exchange",
        "main",
        "socket",
        "idle",
    ];
    each_ends_its_role("agent", &threads);
}

#[test]
fn a_panic_in_one_request_is_answered_500_and_everything_else_goes_on() {
    let mut site = Site::new("server");
    let before = site.running.role("server").unwrap();
    let mut other = site.http().unwrap();
    let asked = checkout("tool", "ada");
    let lease = other.ask("POST", "/v1/checkouts", Some(&asked)).unwrap();
    assert_eq!(lease.status, 201);
    std::fs::write(&site.plant, "request").unwrap();
    let mut http = site.http().unwrap();
    let failed = wait_for("the panic", || {
        let answer = http.ask("POST", "/v1/checkouts", Some(&asked)).unwrap();
        (answer.status != 201).then_some(answer)
    });
    assert_eq!(
        (failed.status, &failed.body["code"]),
        (500, &"internal".into())
    );
    for http in [&mut http, &mut other] {
        let answer = http.ask("POST", "/v1/checkouts", Some(&asked)).unwrap();
        assert_eq!(answer.status, 201, "the same connection, and another");
    }
    let status = other.ask("GET", "/v1/status", None).unwrap().body;
    let caught = &status["server"]["faults"]["caught"];
    assert_eq!(caught["count"], 1, "{status}");
    assert!(
        caught["last"]
            .as_str()
            .unwrap()
            .contains("POST /v1/checkouts"),
        "{caught}"
    );
    assert_eq!(site.running.role("server"), Some(before));
    site.look();
    let messages = site.manager(&["messages"]).unwrap();
    let of_it = messages["items"].as_array().unwrap().iter();
    assert_eq!(
        of_it.filter(|it| it["id"] == 9451).count(),
        1,
        "{messages:#}"
    );
    site.leases.clear();
    assert_eq!(site.running.stop(), Some(0));
}

#[test]
fn the_fifth_death_in_ten_minutes_is_the_last_and_is_said() {
    let folder = Folder::new();
    let log = folder.path("log");
    let to = std::fs::File::create(&log).unwrap();
    let mut command = usher();
    command.args([
        "up",
        "--no-agent",
        "--listen",
        "127.0.0.1:0",
        "--console",
        "127.0.0.1:0",
    ]);
    let running = Running::start_with_stderr(&mut command, &folder.path("data"), to.into());
    let mut last = 0;
    for _ in 0..5 {
        let pid = wait_for("a manager", || {
            running.role("manager").filter(|pid| *pid != last)
        });
        crate::support::signal(pid, nix::sys::signal::Signal::SIGKILL);
        last = pid;
    }
    let said = wait_for("the last word", || said_in(&log, "is not started again"));
    assert!(
        said.contains("the manager ended (signal 9), 5 times within 10 minutes"),
        "{said}"
    );
    assert_eq!(running.role("manager"), None);
    assert_eq!(running.json(&["status"])["server"]["state"], "running");
    assert_eq!(running.stop(), Some(0));
}

fn said_in(log: &Path, what: &str) -> Option<String> {
    let text = std::fs::read_to_string(log).unwrap();
    text.lines()
        .find(|line| line.contains(what))
        .map(str::to_owned)
}
