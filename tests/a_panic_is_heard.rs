//! A panic in what gives signs of life ends its role, whose service manager, here a test, starts it
//! again; and no thread or task of a role is without a panic that a test has planted.

use std::collections::BTreeSet;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::http::Http;
use crate::plants::{self, MET, ROLE_ENDED, Test, VITAL};
use crate::support::{Folder, Running, usher, wait_within};

/// The exit code of a role that a panic ended.
const PANICKED: i32 = 72;

/// A role under a service manager that wants to hear of it every 3 s.
struct Heard {
    role: &'static str,
    words: Vec<String>,
    folder: Folder,
    running: Option<Running>,
}

impl Heard {
    fn new(role: &'static str, words: &[&str]) -> Heard {
        let folder = Folder::new();
        let socket = UnixDatagram::bind(folder.path("notify")).unwrap();
        // What nobody reads fills the socket, and whoever tells then waits.
        std::thread::spawn(move || while socket.recv(&mut [0; 4_096]).is_ok() {});
        let mut heard = Heard {
            role,
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            folder,
            running: None,
        };
        heard.start();
        heard
    }

    fn start(&mut self) {
        let mut command: Command = usher();
        command
            .arg(self.role)
            .args(&self.words)
            .env("USHER_PLANTED_PANIC", self.folder.path("plant"))
            .env("NOTIFY_SOCKET", self.folder.path("notify"))
            .env("WATCHDOG_USEC", "3000000");
        let running = Running::start(&mut command, &self.folder.path("data"));
        self.running = Some(running);
    }

    fn said(&self, what: &str) -> String {
        let ready = &self.running.as_ref().unwrap().ready;
        let words = ready.split(' ').find_map(|word| word.strip_prefix(what));
        words.unwrap().to_owned()
    }

    fn token(&self) -> String {
        let token = std::fs::read_to_string(self.folder.path("data/admin.token"));
        token.unwrap().trim().to_owned()
    }

    /// Plants a panic, sees the role ended by it, and starts it again at the same address.
    fn ends_by(&mut self, thread: &str, mut meanwhile: impl FnMut(&Heard)) {
        std::fs::write(self.folder.path("plant"), thread).unwrap();
        let mut running = self.running.take().unwrap();
        let status = wait_within(MET, thread, || {
            meanwhile(self);
            running.child.try_wait().unwrap()
        });
        assert_eq!(status.code(), Some(PANICKED), "{thread}");
        self.start();
    }
}

fn asks(console: &str, token: &str, method: &str, path: &str, body: &Value) -> Option<Value> {
    let mut http = Http::connect(console, token).ok()?;
    let answer = http.ask(method, path, Some(body)).ok()?;
    assert!(answer.status < 300, "{path}: {answer:?}");
    Some(answer.body)
}

#[test]
fn a_panic_in_what_gives_signs_of_life_ends_the_role_and_is_told_once() {
    let mut server = Heard::new("server", &["--listen", "127.0.0.1:0"]);
    let api = server.said("api=");
    // Where it was: whoever watches it knows the address.
    server.words[1] = api.trim_start_matches("http://").to_owned();
    // Nobody answers there: a beat that does not go through is no trouble.
    let beat = ["--beat-url", "http://127.0.0.1:9/"];
    let mut manager = Heard::new(
        "manager",
        &[&["--console", "127.0.0.1:0"], &beat[..]].concat(),
    );
    let console = manager.said("console=");
    manager.words[1] = console.trim_start_matches("http://").to_owned();
    let token = manager.token();
    let added = json!({ "name": "alpha", "url": api, "token": server.token() });
    let asks = |method: &str, path: &str, body: &Value| asks(&console, &token, method, path, body);
    asks("POST", "/v1/servers", &added).unwrap();
    let look = || drop(asks("POST", "/v1/servers/alpha/poll", &json!({})));
    let told = |role: &str, thread: &str| {
        let begins = format!("The {role} on ");
        let of_it = |it: &&Value| {
            let text = it["text"].as_str().unwrap();
            text.starts_with(&begins) && text.contains(&format!(" in {thread} at"))
        };
        wait_within(MET, "the message", || {
            look();
            let path = format!("/v1/messages?id={ROLE_ENDED}");
            let all = asks("GET", &path, &Value::Null)?["items"].take();
            let count = all.as_array().unwrap().iter().filter(of_it).count();
            (count > 0).then_some(count)
        })
    };
    for thread in plants::of("server", Test::Heard) {
        server.ends_by(thread, |_| ());
        assert_eq!(told("server", thread), 1, "{thread}");
    }
    for thread in plants::of("manager", Test::Heard) {
        manager.ends_by(thread, |_| look());
        assert_eq!(told("manager", thread), 1, "{thread}");
    }
    let running = server.running.take().unwrap();
    assert_eq!(running.stop(), Some(0));
}

/// The code of what runs in a role, without its tests.
fn code() -> Vec<(PathBuf, String)> {
    let mut folders: Vec<PathBuf> = [
        "agent", "store", "server", "manager", "http", "site", "gate", "vital",
    ]
    .iter()
    .map(|name| Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../crates/{name}/src")))
    .collect();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            let is_code = path.extension().is_some_and(|ext| ext == "rs");
            match path.is_dir() {
                true => folders.push(path),
                false if is_code && !path.ends_with("tests.rs") => {
                    let text = std::fs::read_to_string(&path).unwrap();
                    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
                    files.push((path, code.to_owned()));
                }
                false => {}
            }
        }
    }
    files
}

/// The names in `spawn("NAME", ..)`, `spawn(&format!("NAME"), ..)`, `task("NAME", ..)` and `does("NAME", ..)`.
fn names(code: &str) -> Vec<&str> {
    let calls = ["spawn(", "task(", "does("];
    let after = calls.iter().flat_map(|call| code.split(call).skip(1));
    let named = after.filter_map(|rest| {
        let rest = rest.trim_start().trim_start_matches('&');
        let rest = rest.strip_prefix("format!(").unwrap_or(rest);
        rest.strip_prefix('"')?.split('"').next()
    });
    named.collect()
}

#[test]
fn each_thread_and_task_of_a_role_has_a_panic_planted_in_it() {
    let mut found = BTreeSet::from([("agent".to_owned(), "main".to_owned())]);
    for (path, text) in code() {
        let crate_of = path.ancestors().find(|it| it.ends_with("src")).unwrap();
        let role = crate_of.parent().unwrap().file_name().unwrap();
        // The store is the server's, and the site database the manager's.
        let role = role.to_str().unwrap().replace("store", "server");
        let role = role.replace("site", "manager");
        for name in names(&text) {
            found.insert((role.clone(), name.replace("{index}", "0")));
        }
        // Its own threads write the log and the record of an end; nobody waits for them.
        let own = role == "vital";
        assert!(
            own || !(text.contains("thread::spawn(") || text.contains("thread::Builder")),
            "{}: a panic in a thread that `usher_vital::spawn` did not start is silence",
            path.display()
        );
    }
    let planted = VITAL.map(|(role, name, _)| (role.to_owned(), name.to_owned()));
    assert_eq!(found, BTreeSet::from(planted), "code against table");
}
