//! An agent in its own process.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use usher_api::Watching;
use usher_api::client::{Client, Endpoint};

use super::server::Server;
use super::{block_on, wait_for};

/// An agent in a process of its own; killed when the test is over.
pub(crate) struct Agent {
    child: Child,
    pub(crate) folder: PathBuf,
}

const FOLDER: &str = "USHER_AGENT_TEST_FOLDER";
const SERVER: &str = "USHER_AGENT_TEST_SERVER";
const WATCHING: &str = "USHER_TEST_WATCHING";

impl Agent {
    #[track_caller]
    pub(crate) fn start(server: &Server, folder: &Path) -> Self {
        Agent::start_with(server, folder, crate::WATCHING)
    }

    /// Starts an agent with its state in `folder`, and waits until it is ready and has exchanged
    /// with the server (unless that is away).
    #[track_caller]
    pub(crate) fn start_with(server: &Server, folder: &Path, watching: Option<Watching>) -> Self {
        let _ = std::fs::remove_file(folder.join("ready"));
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args([
                "support::agent::agent_process",
                "--exact",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(FOLDER, folder)
            .env(SERVER, &server.url)
            .env("XDG_DATA_DIRS", folder.join("share"))
            .stdin(Stdio::null());
        if let Some(watching) = watching {
            command.env(WATCHING, serde_json::to_string(&watching).unwrap());
        }
        let agent = Agent {
            child: command.spawn().unwrap(),
            folder: folder.to_owned(),
        };
        wait_for("the agent to be ready", || {
            folder.join("ready").exists().then_some(())
        });
        let away = server.book().away;
        if !away {
            agent.refresh();
        }
        agent
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    pub(crate) fn public_socket(&self) -> PathBuf {
        self.folder.join("public.sock")
    }

    /// A client of its own socket.
    pub(crate) fn client(&self) -> Client {
        Client::new(Endpoint::Socket(self.data().join("agent.sock")), None, None).unwrap()
    }

    /// Waits until what the server knows holds at the agent.
    #[track_caller]
    pub(crate) fn refresh(&self) {
        let client = self.client();
        let refreshed: Result<(), _> = block_on(async {
            // There is no body to be understood.
            match client.post_empty::<Value>("/v1/refresh").await {
                Err(usher_api::client::ClientError::NotUnderstood { .. }) | Ok(_) => Ok(()),
                Err(error) => Err(error),
            }
        });
        refreshed.unwrap();
    }

    pub(crate) fn status(&self) -> usher_api::AgentStatus {
        let client = self.client();
        block_on(async { client.get("/v1/agent").await }).unwrap()
    }

    /// SIGKILL, and gone.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and gone in order.
    #[track_caller]
    pub(crate) fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let status = wait_for("the agent to stop", || self.child.try_wait().unwrap());
        assert!(status.success(), "{status}");
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Not a test: an agent, when [`Agent::start`] starts this binary again.
#[test]
fn agent_process() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else {
        return;
    };
    let mut options =
        usher_agent::AgentOptions::new(folder.join("data"), std::env::var(SERVER).unwrap());
    options.token = Some("t".to_owned());
    options.public_socket = Some(folder.join("public.sock"));
    options.machine_id_file = folder.join("machine-id");
    options.look_after_covers = Duration::from_millis(100);
    options.watching = std::env::var(WATCHING)
        .ok()
        .map(|word| serde_json::from_str(&word).unwrap());
    let ready = folder.join("ready");
    // A test that is killed must not leave its agent behind.
    let parent = std::os::unix::process::parent_id();
    std::thread::spawn(move || {
        while std::os::unix::process::parent_id() == parent {
            // tidy: sleep, between two looks, until a deadline
            std::thread::sleep(Duration::from_millis(200));
        }
        std::process::exit(1);
    });
    usher_agent::run(options, move |_| std::fs::write(ready, "").unwrap()).unwrap();
}

/// Whether the agent says of so many starts why it has not counted them: they were over before it
/// could look at them, or their events came too fast for the kernel to keep.
pub(crate) fn accounts_for(agent: &Agent, missing: u64) -> bool {
    agent.status().can_miss.iter().any(|words| {
        let over = words
            .split_once(" start")
            .filter(|(_, rest)| rest.contains("over before"));
        let over = over.map_or(0, |(count, _)| count.parse().unwrap());
        over >= missing || words.starts_with("events were lost")
    })
}
