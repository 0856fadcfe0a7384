//! A server at the end of a cable, and a computer whose agent holds starts: in networks, a mount
//! namespace and on a file system of their own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::mount::{MntFlags, umount2};
use nix::sched::{CloneFlags, setns};
use serde_json::{Value, json};
use usher_testing::surroundings;
use usher_testing::undo::{self, Undo};

use super::products::PRODUCTS;
use crate::far::own_network;
use crate::gated::{child_named, in_memory};
use crate::http::{Answer, Http};
use crate::support::{Ended, Folder, Running, said, usher, wait_for};

const API: &str = "http://10.77.0.2:8470";
/// The same, seen from the server's computer.
const API_THERE: &str = "http://127.0.0.1:8470";

pub(crate) struct Site {
    /// Keeps the server's network while no server runs; ends with this.
    far: Child,
    pub(crate) server: Option<Running>,
    pub(crate) agent: Option<Running>,
    /// Ends an agent that does not answer, whatever hangs.
    agent_ended: Option<Undo>,
    at_most: Duration,
    /// The file system on which starts are held.
    pub(crate) place: PathBuf,
    pub(crate) token: String,
    /// By product.
    pub(crate) entitlements: Vec<String>,
    pub(crate) folder: Folder,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.agent = None;
        self.server = None;
        drop(self.far.kill());
        drop(self.far.wait());
        let _ = umount2(&self.place, MntFlags::MNT_DETACH);
    }
}

impl Site {
    /// With all products, and everything connected; none, with a line that says so, if forbidden.
    /// An agent is ended `at_most` after its start, whatever hangs.
    pub(crate) fn up(at_most: Duration) -> Option<Site> {
        if !nix::unistd::geteuid().is_root() {
            eprintln!("skipped: the gate needs root");
            return None;
        }
        own_network();
        let folder = Folder::new();
        fs::set_permissions(folder.path(""), fs::Permissions::from_mode(0o755)).unwrap();
        let place = folder.path("place");
        fs::create_dir(&place).unwrap();
        in_memory(&place);
        let mut site = Site {
            far: far_network(),
            server: None,
            agent: None,
            agent_ended: None,
            at_most,
            place,
            token: String::new(),
            entitlements: Vec::new(),
            folder,
        };
        site.lay_cable();
        site.start_server();
        let token = site.folder.path("server/admin.token");
        site.token = fs::read_to_string(token).unwrap().trim().to_owned();
        for product in &PRODUCTS {
            for second in [false, true] {
                fs::copy("/bin/sleep", product.file(&site.place, second)).unwrap();
            }
            let body = product.body(&site.place, product.is_enforced, true);
            site.made("/v1/products", &body);
            let body = json!({ "product": product.id(), "seats": product.seats });
            let id = site.made("/v1/entitlements", &body)["id"].clone();
            site.entitlements.push(id.as_str().unwrap().to_owned());
        }
        site.make_agents_token();
        site.start_agent();
        site.is_gated();
        Some(site)
    }

    fn lay_cable(&self) {
        let far = self.far.id().to_string();
        here(&["ip", "link", "set", "lo", "up"]);
        here(&[
            "ip", "link", "add", "near", "type", "veth", "peer", "name", "far", "netns", &far,
        ]);
        here(&["ip", "address", "add", "10.77.0.1/30", "dev", "near"]);
        here(&["ip", "link", "set", "near", "up"]);
        self.there(&["ip", "link", "set", "lo", "up"]);
        self.there(&["ip", "address", "add", "10.77.0.2/30", "dev", "far"]);
        self.cable("up");
    }

    /// Takes the cable's far end `up` or `down`.
    pub(crate) fn cable(&self, way: &str) {
        self.there(&["ip", "link", "set", "far", way]);
    }

    fn there(&self, words: &[&str]) {
        let network = format!("--net=/proc/{}/ns/net", self.far.id());
        here(&[&["nsenter", &network], words].concat());
    }

    pub(crate) fn start_server(&mut self) {
        let mut command = surroundings::command("nsenter");
        command
            .arg(format!("--net=/proc/{}/ns/net", self.far.id()))
            .arg(crate::support::program())
            .args(["server", "--run-as", "root", "--plain-http"])
            .args(["--listen", "0.0.0.0:8470"]);
        let data = self.folder.path("server");
        self.server = Some(Running::start(&mut command, &data));
    }

    fn make_agents_token(&self) {
        let mut ask = usher();
        ask.args(["agent", "--print-computer-id", "--data"]);
        let id = ask.arg(self.folder.path("agent")).ended();
        let body = json!({ "role": "agent", "computer": crate::support::stdout(&id).trim() });
        let token = self.made("/v1/tokens", &body)["token"].clone();
        fs::write(self.folder.path("agent.token"), token.as_str().unwrap()).unwrap();
    }

    pub(crate) fn start_agent(&mut self) {
        self.start_agent_of(&crate::support::program());
    }

    /// Starts the agent of another binary.
    pub(crate) fn start_agent_of(&mut self, program: &Path) {
        let mut command = surroundings::command(program);
        command
            .args(["agent", "--server", API, "--token-file"])
            .arg(self.folder.path("agent.token"))
            .arg("--agent-socket")
            .arg(self.folder.path("agent.sock"))
            .env("USHER_GATE_ONLY", &self.place);
        let running = Running::start(&mut command, &self.folder.path("agent"));
        self.agent_ended = Some(undo::end_after(self.at_most, &[running.child.id()]).unwrap());
        self.agent = Some(running);
    }

    /// Ends the agent: by SIGKILL, or cleanly.
    pub(crate) fn end_agent(&mut self, by_force: bool) {
        let running = self.agent.take().unwrap();
        if !by_force {
            assert_eq!(running.stop(), Some(0));
        }
    }

    /// The pid of its gate, if one serves.
    pub(crate) fn gate(&self) -> Option<u32> {
        child_named("usher-gate", self.agent.as_ref()?.child.id())
    }

    /// What the agent says of itself, if it answers.
    pub(crate) fn agent_status(&self) -> Option<Value> {
        let mut ask = usher();
        ask.args(["agent", "status", "--json", "--agent-socket"]);
        let answer = ask.arg(self.folder.path("agent.sock")).ended();
        serde_json::from_slice(&answer.stdout).ok()
    }

    pub(crate) fn is_gated(&self) {
        let place = self.place.to_str().unwrap();
        wait_for("the gate to hold starts", || {
            let status = self.agent_status()?;
            let marks = status["marks"].as_array()?;
            let of_place = marks.iter().find(|mark| mark["path"] == place)?;
            of_place["why_not"].is_null().then_some(())
        });
    }

    /// Waits until the server knows all that the agent does.
    pub(crate) fn settle(&self) -> Result<(), String> {
        let until = Instant::now() + Duration::from_secs(90);
        loop {
            let status = self.agent_status().unwrap_or_default();
            if status["connected"] == true && status["outbox"] == 0 && status["sessions"] == 0 {
                return Ok(());
            }
            if Instant::now() > until {
                return Err(format!("the agent does not come to rest: {status}"));
            }
            // tidy: sleep, between two looks at the agent
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Asks the server as its administrator, who sits beside it.
    pub(crate) fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let network = format!("/proc/{}/ns/net", self.far.id());
        std::thread::scope(|scope| {
            let ask = || {
                let network = fs::File::open(&network).unwrap();
                setns(network, CloneFlags::CLONE_NEWNET).unwrap();
                let mut http = Http::connect(API_THERE, &self.token)?;
                http.ask(method, path, body)
            };
            let answer: std::io::Result<Answer> = scope.spawn(ask).join().unwrap();
            answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
        })
    }

    fn made(&self, path: &str, body: &Value) -> Value {
        let answer = self.ask("POST", path, Some(body));
        assert_eq!(answer.status, 201, "{path}: {}", answer.body);
        answer.body
    }
}

/// A network that lasts as long as this process.
fn far_network() -> Child {
    let child = Command::new("unshare")
        .args(["--net", "cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let of = |process: &str| fs::read_link(format!("/proc/{process}/ns/net")).ok();
    wait_for("the far network", || {
        let far = of(&child.id().to_string())?;
        (Some(far) != of("thread-self")).then_some(())
    });
    child
}

fn here(words: &[&str]) {
    let mut command = Command::new(words[0]);
    command
        .args(&words[1..])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let output = command.ended();
    assert!(output.status.success(), "{words:?}: {}", said(&output));
}
