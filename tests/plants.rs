//! Where panics are planted: the threads and tasks of each role, and a site in which they are.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::gated::Computer;
use crate::http::{Http, checkout};
use crate::support::{Ended, Folder, Running, runs, usher, wait_for, wait_within};

/// How long a planted panic may take to be met: what happens rarely happens each half minute.
pub(crate) const MET: Duration = Duration::from_secs(60);
/// A role ended by a panic.
pub(crate) const ROLE_ENDED: u64 = 9450;
/// Panics ended one request or item each.
pub(crate) const CAUGHT: u64 = 9451;
/// A watch of another licence server fails, and goes on.
pub(crate) const WATCH_FAILS: u64 = 9459;
pub(crate) const WATCH_IS_BACK: u64 = 9463;

/// Which test plants a panic in a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Test {
    /// With others of its role, under `usher up`.
    One,
    /// The same, in a second test.
    Two,
    /// Where starts are held.
    Gate,
    /// In a manager that shares its site with another.
    Shared,
    /// Under a service manager that wants to hear signs of life.
    Heard,
}

/// Each thread and task that others wait for: the role, the name, and the test that plants a panic
/// in it. A test holds this against the code.
pub(crate) const VITAL: [(&str, &str, Test); 53] = [
    ("server", "usher-writer", Test::One),
    ("server", "usher-log", Test::One),
    ("server", "life-keeper", Test::One),
    ("server", "life-teller", Test::One),
    ("server", "core-0", Test::One),
    ("server", "hopper", Test::One),
    ("server", "sweep", Test::One),
    ("server", "accept", Test::One),
    ("server", "herald", Test::Two),
    ("server", "watch-state", Test::Two),
    ("server", "pause", Test::Two),
    ("server", "upkeep", Test::Two),
    ("server", "pack", Test::Two),
    ("server", "close", Test::Two),
    ("server", "vital", Test::Heard),
    ("manager", "watch", Test::One),
    ("manager", "listener", Test::One),
    ("manager", "console", Test::One),
    ("manager", "console-sweep", Test::One),
    ("manager", "token", Test::One),
    ("manager", "delivery", Test::Two),
    ("manager", "collector", Test::Two),
    ("manager", "purge", Test::Two),
    ("manager", "imports", Test::Two),
    ("manager", "counting", Test::Two),
    ("manager", "faults", Test::Two),
    ("manager", "source", Test::Two),
    ("manager", "sources", Test::Two),
    ("manager", "groups", Test::Two),
    ("manager", "lead", Test::Two),
    ("manager", "share", Test::Shared),
    ("manager", "retention", Test::Two),
    ("manager", "archive", Test::Two),
    ("manager", "days", Test::Two),
    ("manager", "site", Test::One),
    ("manager", "vital", Test::Heard),
    ("manager", "beat", Test::Heard),
    ("agent", "usher-watch", Test::One),
    ("agent", "usher-identify", Test::One),
    ("agent", "usher-describe", Test::One),
    ("agent", "usher-ends", Test::One),
    ("agent", "exchange", Test::One),
    ("agent", "socket", Test::One),
    ("agent", "idle", Test::Two),
    ("agent", "covers", Test::Two),
    ("agent", "enforcement", Test::Two),
    ("agent", "usher-gatekeeper", Test::Gate),
    ("agent", "usher-names", Test::Gate),
    ("agent", "usher-look", Test::Gate),
    ("agent", "usher-changes", Test::Gate),
    ("agent", "usher-mounts", Test::Gate),
    ("agent", "usher-aside", Test::Gate),
    ("agent", "main", Test::Two),
];

/// Those that have something to do at a start of their role, and then each hour: it is killed.
pub(crate) const AT_A_START: [&str; 7] = [
    "purge",
    "imports",
    "groups",
    "lead",
    "retention",
    "archive",
    "days",
];

/// Those of a role of which a test is to try.
pub(crate) fn of(role: &str, test: Test) -> Vec<&'static str> {
    let meant = VITAL.into_iter().filter(|it| it.0 == role && it.2 == test);
    meant.map(|(_, name, _)| name).collect()
}

/// Where a site runs.
enum Home {
    Free(Running),
    Gated(Box<Computer>),
}

/// Everything on one computer, with panics that can be planted.
pub(crate) struct Site {
    pub(crate) plant: PathBuf,
    home: Home,
    console: String,
    socket: PathBuf,
    pub(crate) folder: Folder,
    pub(crate) leases: Vec<String>,
    /// The process in which a panic is planted; the one that comes after it is ended by nobody.
    meant: Option<u32>,
}

impl Site {
    /// With an agent only if that is the role to be tried.
    pub(crate) fn new(role: &str) -> Site {
        let folder = Folder::new();
        let plant = folder.path("plant");
        let socket = folder.path("agent.sock");
        let settings = folder.path("usher.toml");
        let watched =
            "[watch.cad]\nkind = \"slurm\"\nevery = \"1s\"\ncommand = \"echo LicenseName=cad\"\n";
        let archive = folder.path("archive");
        let kept = format!("[retention]\narchive = {archive:?}\n");
        let text = format!("message-program = [\"fails=/bin/false\"]\n{watched}{kept}");
        std::fs::write(&settings, text).unwrap();
        let mut command = usher();
        command
            .args(["up", "--listen", "127.0.0.1:0", "--console", "127.0.0.1:0"])
            .arg("--config")
            .arg(settings)
            .env("USHER_PLANTED_PANIC", &plant);
        match role {
            "agent" => command.arg("--agent-socket").arg(&socket),
            _ => command.arg("--no-agent"),
        };
        let running = Running::start(&mut command, &folder.path("data"));
        Site::of(Home::Free(running), socket, folder)
    }

    /// One whose agent holds starts; none, with a line that says so, if that may not be done.
    pub(crate) fn gated() -> Option<Site> {
        let folder = Folder::new();
        let plant = folder.path("plant");
        let prepare = |_: &_, up: &mut std::process::Command| {
            up.env("USHER_PLANTED_PANIC", &plant);
        };
        let computer = Computer::prepared(prepare)?;
        let socket = computer.socket.clone();
        let site = Site::of(Home::Gated(Box::new(computer)), socket, folder);
        let rule = format!("path={}", site.computer().program("solver").display());
        let add = ["product", "add", "solver", "--mode", "enforce"];
        let more = ["--seats", "100000", "--program", &rule, "--agent-socket"];
        let to = [site.socket.to_str().unwrap()];
        site.running().ok(&[&add[..], &more[..], &to[..]].concat());
        // One that there are no seats of.
        let rule = format!("path={}", site.computer().program("refused").display());
        let add = ["product", "add", "refused", "--mode", "enforce"];
        let more = ["--program", &rule, "--agent-socket"];
        site.running().ok(&[&add[..], &more[..], &to[..]].concat());
        site.computer().is_gated();
        Some(site)
    }

    fn of(home: Home, socket: PathBuf, folder: Folder) -> Site {
        let mut site = Site {
            plant: folder.path("plant"),
            home,
            console: String::new(),
            socket,
            folder,
            leases: Vec::new(),
            meant: None,
        };
        let mut words = site.running().ready.split(' ');
        let console = words.find_map(|word| word.strip_prefix("console="));
        site.console = console.unwrap().to_owned();
        let tool = site.folder.path("tool");
        std::fs::copy("/bin/true", &tool).unwrap();
        let rule = format!("path={}", tool.display());
        let seats = ["product", "add", "tool", "--seats", "100000"];
        site.running()
            .ok(&[&seats[..], &["--program", &rule]].concat());
        site
    }

    pub(crate) fn running(&self) -> &Running {
        match &self.home {
            Home::Free(running) => running,
            Home::Gated(computer) => &computer.running,
        }
    }

    /// The computer whose starts are held.
    pub(crate) fn computer(&self) -> &Computer {
        match &self.home {
            Home::Free(_) => panic!("no starts are held here"),
            Home::Gated(computer) => computer,
        }
    }

    /// Plants a panic in a thread, a task, or what is caught.
    pub(crate) fn plants(&self, name: &str) {
        let part = self.folder.path("plant.part");
        std::fs::write(&part, name).unwrap();
        std::fs::rename(&part, &self.plant).unwrap();
    }

    /// Plants a panic in a thread of a role, and waits until the role is there again, and that it
    /// was told once.
    pub(crate) fn ends_by(&mut self, role: &str, thread: &str) {
        let before = self.running().role(role).unwrap();
        let told = self.told(ROLE_ENDED).len();
        self.plants(thread);
        self.meant = Some(before);
        let begun = Instant::now();
        while runs(before) {
            assert!(begun.elapsed() < MET, "{role}: {thread} did not panic");
            self.stir(thread);
        }
        wait_for("another process of that role", || {
            self.running().role(role).filter(|pid| *pid != before)
        });
        let messages = wait_within(MET, "the message", || {
            self.look();
            Some(self.told(ROLE_ENDED)).filter(|messages| messages.len() > told)
        });
        assert_eq!(messages.len(), told + 1, "{messages:#?}");
        let text = messages.iter().map(|it| it["text"].as_str().unwrap());
        let of_it = text.filter(|text| {
            text.starts_with(&format!("The {role} on"))
                && text.contains(&format!(" in {thread} at"))
        });
        assert_eq!(of_it.count(), 1, "{thread}: {messages:#?}");
    }

    pub(crate) fn http(&self) -> std::io::Result<Http> {
        let running = self.running();
        let token = std::fs::read_to_string(running.data.join("admin.token"))?;
        Http::connect(&running.api, token.trim())
    }

    pub(crate) fn console(&self) -> Http {
        let file = self.running().data.join("admin.token");
        let token = std::fs::read_to_string(file).unwrap();
        wait_for("the console", || {
            Http::connect(&self.console, token.trim()).ok()
        })
    }

    /// Does a little of everything, so that each thread has something to do. A pack would take in
    /// the log, which then waits for nobody.
    pub(crate) fn stir(&mut self, thread: &str) {
        drop(std::process::Command::new(self.folder.path("tool")).status());
        self.stir_agent(&["agent", "status"]);
        self.look();
        self.stir_only(thread);
        // It writes events while somebody follows them, and has nothing to do else.
        let _follows =
            (thread == "herald").then(|| self.http().and_then(|http| http.follow("/v1/events")));
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
        for control in ["pause", "continue"] {
            let body = json!({ "control": control });
            drop(http.ask("POST", "/v1/service/controls", Some(&body)));
        }
    }

    fn stir_agent(&self, words: &[&str]) {
        let mut command = self.running().usher(words);
        drop(command.arg("--agent-socket").arg(&self.socket).ended());
    }

    /// What one thread only has to do.
    fn stir_only(&self, thread: &str) {
        match thread {
            "pack" => {
                let pack = |mut http: Http| http.ask("POST", "/v1/pack", Some(&json!({})));
                drop(self.http().and_then(pack));
            }
            // It is there at an end only: here at one that is not on purpose for `usher up`.
            "close" => self.ends(Signal::SIGTERM),
            // They have something to do at a start, and then each hour, or never again.
            thread if AT_A_START.contains(&thread) => self.ends(Signal::SIGKILL),
            "delivery" => {
                let run = json!({"do": "run", "program": "fails", "timeout_seconds": 9});
                let actions = json!([{"do": "store", "days": 7}, run]);
                let rules = json!({"items": [{"name": "fails", "actions": actions}]});
                let mut console = self.console();
                drop(console.ask("PUT", "/v1/message-rules", Some(&rules)));
            }
            // Who looks at a server that is well asks it for nothing.
            "site" => drop(self.manager(&["messages", "--limit", "1"])),
            "enforcement" => {
                self.stir_agent(&["agent", "enforcement", "off"]);
                self.stir_agent(&["agent", "enforcement", "on"]);
            }
            "usher-describe" => self.starts_what_is_new(),
            "usher-names" => self.starts_solver(),
            "usher-look" => {
                self.replaces_solver();
                self.starts_solver();
            }
            "usher-changes" => self.changes_a_program(),
            "usher-aside" => self.is_refused(),
            _ => {}
        }
    }

    /// Ends the process that is meant, if it is there still.
    fn ends(&self, by: Signal) {
        let pid = self.meant.and_then(|pid| i32::try_from(pid).ok());
        if let Some(pid) = pid {
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), by);
        }
    }

    /// By an account whose name nobody knows yet.
    fn starts_solver(&self) {
        static NEXT: AtomicU32 = AtomicU32::new(40_000);
        let uid = NEXT.fetch_add(1, Ordering::Relaxed);
        let started = self.computer().start(uid, "0");
        started.unwrap().wait().unwrap();
    }

    /// Another file by its name: it has to be looked into.
    fn replaces_solver(&self) {
        let (to, part) = ("solver", "solver.part");
        let place = &self.computer().place;
        std::fs::copy("/bin/sleep", place.join(part)).unwrap();
        std::fs::rename(place.join(part), place.join(to)).unwrap();
    }

    /// Where the reason goes to a file. What becomes of the start is judged elsewhere.
    fn is_refused(&self) {
        let errors = std::fs::File::create(self.folder.path("refused.out")).unwrap();
        let program = self.computer().program("refused");
        let mut start = std::process::Command::new(program);
        drop(start.arg("0").stderr(errors).status());
    }

    /// One that is nobody's, and was started before.
    /// What a program is called is asked once a file.
    fn starts_what_is_new(&self) {
        let program = self.folder.path("new");
        let _ = std::fs::remove_file(&program);
        std::fs::copy("/bin/true", &program).unwrap();
        assert!(
            std::process::Command::new(&program)
                .status()
                .unwrap()
                .success()
        );
    }

    fn changes_a_program(&self) {
        use std::io::Write;
        let program = self.computer().program("changes");
        let ended = std::process::Command::new(&program).arg("0").status();
        assert!(ended.unwrap().success());
        let mut file = std::fs::File::options().append(true).open(program).unwrap();
        file.write_all(b"\0").unwrap();
    }

    pub(crate) fn manager(&self, args: &[&str]) -> Option<Value> {
        let args = [args, &["--manager", &self.console, "--json"]].concat();
        serde_json::from_slice(&self.running().usher(&args).ended().stdout).ok()
    }

    pub(crate) fn look(&self) {
        self.manager(&["servers", "poll", "local"]);
    }

    /// Messages of one number.
    pub(crate) fn told(&self, id: u64) -> Vec<Value> {
        let messages = wait_for("the manager's messages", || {
            self.manager(&["messages", "--limit", "1000"])
        });
        let items = messages["items"].as_array().unwrap();
        items.iter().filter(|it| it["id"] == id).cloned().collect()
    }

    /// What was answered is there.
    pub(crate) fn has_lost_nothing(&self) {
        let list = wait_for("the leases", || {
            let mut leases = self.running().usher(&["leases", "--json", "--limit", "0"]);
            serde_json::from_slice::<Value>(&leases.ended().stdout).ok()
        });
        let items = list["items"].as_array().unwrap().iter();
        let known: Vec<&str> = items.map(|it| it["id"].as_str().unwrap()).collect();
        for lease in &self.leases {
            assert!(known.contains(&lease.as_str()), "{lease} is lost");
        }
    }

    /// Ends cleanly.
    pub(crate) fn stop(self) {
        if let Home::Free(running) = self.home {
            assert_eq!(running.stop(), Some(0));
        }
    }
}
