//! A manager is not steered by pages of others, and runs only what the administrator of its computer
//! has named.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::http::Http;
use crate::support::{Folder, Running, usher, wait_for};

/// A manager that watches nothing, with a settings file of its own.
struct Console {
    folder: Folder,
    running: Running,
    address: String,
    http: Http,
}

impl Console {
    fn new(folder: Folder, settings: &str) -> Console {
        let file = folder.path("usher.toml");
        std::fs::write(&file, settings).unwrap();
        let mut command = usher();
        command.args(["manager", "--console", "127.0.0.1:0", "--config"]);
        let running = Running::start(command.arg(file), &folder.path("data"));
        let mut words = running.ready.split(' ');
        let console = words.find_map(|word| word.strip_prefix("console="));
        let console = console.unwrap().to_owned();
        let token = std::fs::read_to_string(folder.path("data").join("admin.token")).unwrap();
        Console {
            http: Http::connect(&console, token.trim()).unwrap(),
            address: console.trim_start_matches("http://").to_owned(),
            running,
            folder,
        }
    }

    /// What a browser sends that was given the password once; the status of the answer.
    fn by_browser(&self, method: &str, path: &str, headers: &str, body: &str) -> u16 {
        let file = self.folder.path("data").join("admin.token");
        let token = std::fs::read_to_string(file).unwrap();
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n{headers}\
             Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            token.trim(),
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }

    fn rules(&mut self) -> Value {
        let answer = self.http.ask("GET", "/v1/message-rules", None).unwrap();
        answer.body["items"].clone()
    }

    fn messages(&mut self, id: u16) -> Vec<Value> {
        let path = format!("/v1/messages?id={id}");
        let answer = self.http.ask("GET", &path, None).unwrap();
        answer.body["items"].as_array().unwrap().clone()
    }

    /// A program that leaves a file behind, and that file.
    fn program(folder: &Folder) -> (PathBuf, PathBuf) {
        use std::os::unix::fs::PermissionsExt;
        let (program, trace) = (folder.path("note"), folder.path("trace"));
        let text = format!(
            "#!/bin/sh\nprintf %s \"$1\" > {0}.part\nmv {0}.part {0}\n",
            trace.display()
        );
        std::fs::write(&program, text).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        (program, trace)
    }
}

const KEEP_ALL: &str = r#"{"items": [{"name": "all", "actions": [{"do": "store", "days": 7}]}]}"#;

#[test]
fn a_page_of_another_site_changes_nothing_by_a_browser_that_knows_the_password() {
    let mut console = Console::new(Folder::new(), "");
    let before = console.rules();
    let own = format!("http://{}", console.address);
    let json = "Content-Type: application/json\r\n";
    let foreign = [
        ("Content-Type: text/plain\r\n".to_owned(), 415),
        (
            "Content-Type: application/x-www-form-urlencoded\r\n".to_owned(),
            415,
        ),
        (String::new(), 415),
        (format!("{json}Origin: https://evil.example\r\n"), 403),
        (format!("{json}Origin: null\r\n"), 403),
        (format!("{json}Sec-Fetch-Site: cross-site\r\n"), 403),
        (format!("{json}Sec-Fetch-Site: same-site\r\n"), 403),
    ];
    for (headers, status) in foreign {
        let put = console.by_browser("PUT", "/v1/message-rules", &headers, KEEP_ALL);
        assert_eq!(put, status, "{headers}");
        let added = console.by_browser("POST", "/v1/servers", &headers, "{}");
        assert_eq!(added, status, "{headers}");
    }
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let polled = console.by_browser("POST", "/v1/servers/none/poll", form, "");
    assert_eq!(polled, 415);
    assert_eq!(console.rules(), before);
    let headers = format!("{json}Origin: {own}\r\nSec-Fetch-Site: same-origin\r\n");
    let put = console.by_browser("PUT", "/v1/message-rules", &headers, KEEP_ALL);
    assert_eq!(put, 200);
}

#[test]
fn rules_run_only_programs_that_the_settings_name() {
    let folder = Folder::new();
    let (program, trace) = Console::program(&folder);
    let settings = format!("message-program = [\"note={} hello\"]\n", program.display());
    let mut console = Console::new(folder, &settings);
    let mut put = |action: Value| {
        let rules = json!({"items": [{"name": "r", "actions": [action]}]});
        console
            .http
            .ask("PUT", "/v1/message-rules", Some(&rules))
            .unwrap()
    };
    let refused = [
        json!({"do": "run", "command": [program, "itself"], "timeout_seconds": 9}),
        json!({"do": "run", "program": program, "timeout_seconds": 9}),
        json!({"do": "run", "program": "other", "timeout_seconds": 9}),
        json!({"do": "webhook", "url": "http://127.0.0.1:9/", "secret_file": "/etc/shadow"}),
        json!({"do": "webhook", "target": "chat"}),
    ];
    for action in refused {
        let answer = put(action.clone());
        assert_eq!(answer.status, 400, "{action}: {answer:?}");
    }
    assert!(!trace.exists());
    let taken = put(json!({"do": "run", "program": "note", "timeout_seconds": 9}));
    assert_eq!(taken.status, 200, "{taken:?}");
    let said = wait_for("the program", || std::fs::read_to_string(&trace).ok());
    assert_eq!(said, "hello");
}

#[test]
fn a_rule_of_before_that_names_a_program_itself_is_told_of_and_refers_once_it_is_named() {
    let folder = Folder::new();
    let (program, trace) = Console::program(&folder);
    let console = Console::new(folder, "");
    let Console {
        folder, running, ..
    } = console;
    assert_eq!(running.stop(), Some(0));
    let old = json!([
        {"name": "note", "actions": [
            {"do": "store", "days": 7},
            {"do": "run", "command": [program, "again"], "timeout_seconds": 9},
        ]},
    ]);
    let site = rusqlite::Connection::open(folder.path("data").join("site.db")).unwrap();
    let put = "INSERT OR REPLACE INTO settings (name, value) VALUES ('message_rules', ?1)";
    site.execute(put, [old.to_string()]).unwrap();
    drop(site);
    let mut console = Console::new(folder, "");
    let told = wait_for("the message", || console.messages(9447).pop());
    let text = told["text"].as_str().unwrap();
    assert!(text.contains("note") && text.contains("again"), "{text}");
    let setting = told["values"][2].as_str().unwrap().to_owned();
    assert!(!trace.exists());
    assert_eq!(console.rules()[0]["actions"].as_array().unwrap().len(), 1);
    let Console {
        folder, running, ..
    } = console;
    assert_eq!(running.stop(), Some(0));
    // As the message says, with a name of one's own.
    let mut console = Console::new(folder, &setting.replace("NAME", "mine"));
    assert_eq!(console.rules()[0]["actions"][1]["program"], "mine");
    let put = console
        .http
        .ask("PUT", "/v1/thresholds", Some(&json!({})))
        .unwrap();
    assert_eq!(put.status, 200, "{put:?}");
    let said = wait_for("the program", || std::fs::read_to_string(&trace).ok());
    assert_eq!(said, "again");
}
