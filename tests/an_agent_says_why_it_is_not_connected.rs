//! An agent that its server does not take says so at once, wherever one looks, with the cure; and a
//! computer has one id, wherever the data of its agents lie.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::http::Http;
use crate::support::{Ended, Folder, Running, said, stdout, usher, wait_for};

/// A server, and the socket and data of an agent that shows `token` to it.
struct Site {
    server: Running,
    folder: Folder,
}

impl Site {
    fn new() -> Site {
        let folder = Folder::new();
        let data = folder.path("server");
        let server = Running::start(usher().args(["server", "--listen", "127.0.0.1:0"]), &data);
        Site { server, folder }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path("agent.sock")
    }

    fn agent(&self, url: &str, token: &str) -> Running {
        let mut agent = usher();
        agent.args(["agent", "--server", url, "--token", token]);
        agent.arg("--agent-socket").arg(self.socket());
        Running::start(&mut agent, &self.folder.path("agent"))
    }

    /// What a command says that asks the agent.
    fn asked(&self, words: &[&str]) -> String {
        let mut command = usher();
        command.args(words).arg("--agent-socket").arg(self.socket());
        command.arg("--data").arg(self.folder.path("agent"));
        let output = command.ended();
        format!("{}{}", stdout(&output), said(&output))
    }

    /// Each place in which an administrator looks gives this reason.
    fn says_everywhere(&self, agent: &Running, why: &str) {
        assert!(agent.ready.contains("not connected: "), "{}", agent.ready);
        for said in [
            agent.ready.clone(),
            self.asked(&["agent", "status"]),
            self.asked(&["doctor"]),
        ] {
            assert!(said.contains(why), "{why}: {said}");
        }
    }
}

#[test]
fn an_agent_whose_token_is_not_taken_says_so_at_once_and_what_makes_another() {
    let site = Site::new();
    let wrong = "usher_0000000000000000000000000000000000000000000000000000000000000000";
    let agent = site.agent(&site.server.api, wrong);
    site.says_everywhere(&agent, "the server does not accept the agent's token");
    site.says_everywhere(&agent, "usher token create --role agent --computer c-");
}

#[test]
fn an_agent_that_shows_another_computers_token_says_so_at_once() {
    let site = Site::new();
    let make = [
        "token",
        "create",
        "--role",
        "agent",
        "--computer",
        "c-other",
    ];
    let token = site.server.ok(&make);
    let agent = site.agent(&site.server.api, token.trim());
    site.says_everywhere(&agent, "the server does not accept the agent's token");
    site.says_everywhere(&agent, "c-other");
}

#[test]
fn an_agent_that_was_given_another_computers_token_takes_its_own_from_the_file_once_it_is_there() {
    let site = Site::new();
    let data = site.folder.path("agent");
    let file = site.folder.path("agent.token");
    let token = |computer: &str| {
        let make = ["token", "create", "--role", "agent", "--computer", computer];
        site.server.ok(&make).trim().to_owned()
    };
    let mut agent = usher();
    agent.args(["agent", "--server", &site.server.api]);
    agent.arg("--token-file").arg(&file);
    agent.arg("--agent-socket").arg(site.socket());
    // Without any, what makes one is said, whole: the id is that of this agent.
    let output = agent.arg("--data").arg(&data).ended();
    let none = said(&output);
    assert_eq!(output.status.code(), Some(2), "{none}");
    let mut ask = usher();
    ask.args(["agent", "--print-computer-id", "--data"])
        .arg(&data);
    let id = stdout(&ask.ended()).trim().to_owned();
    let make = format!("`usher token create --role agent --computer {id}`");
    assert!(none.contains(&make), "{none}");
    assert!(none.contains(&file.display().to_string()), "{none}");

    fs::write(&file, token("c-other")).unwrap();
    let mut agent = usher();
    agent.args(["agent", "--server", &site.server.api]);
    agent.arg("--token-file").arg(&file);
    agent.arg("--agent-socket").arg(site.socket());
    let agent = Running::start(&mut agent, &data);
    site.says_everywhere(&agent, "c-other");
    for said in [&*make, "which is read again"] {
        assert!(agent.ready.contains(said), "{said}: {}", agent.ready);
    }
    fs::write(&file, token(&id)).unwrap();
    wait_for("its own token to be taken", || {
        site.asked(&["agent", "status"])
            .contains("(connected)")
            .then_some(())
    });
}

#[test]
fn an_agent_whose_server_is_away_says_so_at_once() {
    let site = Site::new();
    let agent = site.agent("http://127.0.0.1:9", "usher_0");
    site.says_everywhere(&agent, "cannot reach http://127.0.0.1:9");
    site.says_everywhere(&agent, "check the port in the URL");
}

#[test]
fn an_agent_whose_servers_name_does_not_resolve_says_what_to_check() {
    let site = Site::new();
    let agent = site.agent("http://nowhere.invalid:8470", "usher_0");
    site.says_everywhere(&agent, "cannot reach http://nowhere.invalid:8470");
    site.says_everywhere(&agent, "getent hosts");
}

#[test]
fn an_agent_that_is_taken_says_nothing_of_the_sort() {
    let site = Site::new();
    let data = site.folder.path("agent");
    let mut ask = usher();
    ask.args(["agent", "--print-computer-id", "--data"])
        .arg(&data);
    let id = stdout(&ask.ended());
    let make = [
        "token",
        "create",
        "--role",
        "agent",
        "--computer",
        id.trim(),
    ];
    let token = site.server.ok(&make);
    let agent = site.agent(&site.server.api, token.trim());
    assert!(!agent.ready.contains("not connected"), "{}", agent.ready);
    let status = site.asked(&["agent", "status"]);
    assert!(status.contains("(connected)"), "{status}");
}

/// Who was turned away, as the server tells its managers.
fn turned_away(server: &Running) -> Vec<Value> {
    let token = fs::read_to_string(server.data.join("admin.token")).unwrap();
    let mut http = Http::connect(&server.api, token.trim()).unwrap();
    let facts = http.ask("GET", "/v1/facts", None).unwrap().body;
    facts["turned_away"].as_array().unwrap().clone()
}

#[test]
fn the_server_knows_which_agents_it_turns_away_and_why() {
    let site = Site::new();
    assert_eq!(turned_away(&site.server), Vec::<Value>::new());
    let wrong = "usher_0000000000000000000000000000000000000000000000000000000000000000";
    let _agent = site.agent(&site.server.api, wrong);
    let told = wait_for("a second try", || {
        let told = turned_away(&site.server);
        told.iter()
            .any(|it| it["times"].as_u64() > Some(1))
            .then_some(told)
    });
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(told[0]["address"], "127.0.0.1");
    let why = told[0]["why"].as_str().unwrap();
    assert!(why.contains("the token is not known here"), "{why}");
}

/// The id that is printed for an agent with that data.
fn printed(shared: &Path, data: &Path) -> String {
    let mut command = usher();
    command.env("USHER_COMPUTER_ID_FILE", shared);
    command
        .args(["agent", "--print-computer-id", "--data"])
        .arg(data);
    let output = command.ended();
    assert!(output.status.success(), "{}", said(&output));
    stdout(&output).trim().to_owned()
}

#[test]
fn a_computer_has_one_id_wherever_the_data_of_its_agents_lie() {
    let folder = Folder::new();
    let shared = folder.path("shared/computer-id");
    let first = printed(&shared, &folder.path("one"));
    let second = printed(&shared, &folder.path("two"));
    assert!(first.starts_with("c-"), "{first}");
    assert_eq!(first, second);
    // One that knew itself by another id keeps it: its records bear it.
    let old = printed(Path::new("/proc/none/computer-id"), &folder.path("old"));
    assert_ne!(old, first);
    assert_eq!(printed(&shared, &folder.path("old")), old);
    assert!(fs::read_to_string(&shared).unwrap().starts_with(&first));
}

#[test]
fn two_agents_with_one_id_do_not_run_side_by_side() {
    let site = Site::new();
    let shared = site.folder.path("computer-id");
    let other = site.folder.path("other");
    let id = printed(&shared, &other);
    let mut first = usher();
    first.env("USHER_COMPUTER_ID_FILE", &shared);
    first.args(["agent", "--server", "http://127.0.0.1:9", "--token", "t"]);
    first.arg("--agent-socket").arg(site.socket());
    let first = Running::start(&mut first, &site.folder.path("agent"));
    assert!(first.ready.contains(&id), "{}", first.ready);
    let mut second = usher();
    second.env("USHER_COMPUTER_ID_FILE", &shared);
    second.args(["agent", "--server", "http://127.0.0.1:9", "--token", "t"]);
    second
        .arg("--agent-socket")
        .arg(site.folder.path("second.sock"));
    let output = second.arg("--data").arg(&other).ended();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("another agent of this computer runs"));
    // One that has no id yet is a computer of its own beside it.
    assert_ne!(printed(&shared, &site.folder.path("third")), id);
}
