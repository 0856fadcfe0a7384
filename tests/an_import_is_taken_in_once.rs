//! What another licence server counts is in the site database once, whatever is killed when, and an
//! import that nobody finished, or that was taken out, leaves nothing there.

use std::io::Write;
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::http::Http;
use crate::support::{Folder, Running, usher, wait_for};

const BODIES: u64 = 12;
const ROWS: u64 = 50;

/// A manager that is killed and started again on its data.
struct Site {
    folder: Folder,
    manager: Option<Running>,
}

impl Site {
    fn new() -> Site {
        let mut site = Site {
            folder: Folder::new(),
            manager: None,
        };
        site.manage();
        site
    }

    fn manage(&mut self) {
        let mut command = usher();
        command.args(["manager", "--console", "127.0.0.1:0", "--heal", "off"]);
        let data = self.folder.path("manager");
        self.manager = Some(Running::start(&mut command, &data));
    }

    /// SIGKILL, and another one in its place.
    fn kill(&mut self) {
        let mut running = self.manager.take().unwrap();
        running.child.kill().unwrap();
        running.child.wait().unwrap();
        self.manage();
    }

    fn console(&self) -> (String, String) {
        let manager = self.manager.as_ref().unwrap();
        let mut words = manager.ready.split(' ');
        let console = words
            .find_map(|word| word.strip_prefix("console="))
            .unwrap();
        let token = std::fs::read_to_string(manager.data.join("admin.token")).unwrap();
        let address = console.trim_start_matches("http://").to_owned();
        (address, token.trim().to_owned())
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>, status: u16) -> Value {
        let (address, token) = self.console();
        let mut http = Http::connect(&address, &token).unwrap();
        let answer = http.ask(method, path, body).unwrap();
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        answer.body
    }

    /// Asks, and kills the manager before anybody hears what it says.
    fn ask_and_kill(&mut self, method: &str, path: &str, body: Option<&Value>) {
        let (address, token) = self.console();
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        self.kill();
    }

    fn begin(&self) -> String {
        let body = json!({ "kind": "flexnet-log", "source": "lic1" });
        let begun = self.ask("POST", "/v1/imports", Some(&body), 201);
        begun["id"].as_str().unwrap().to_owned()
    }

    /// What the site database answers.
    fn count(&self, query: &str) -> u64 {
        let site = self.folder.path("manager/site.db");
        let connection = rusqlite::Connection::open(site).unwrap();
        connection
            .query_row(query, [], |row| row.get::<_, i64>(0))
            .unwrap()
            .try_into()
            .unwrap()
    }
}

fn body(number: u64) -> Value {
    let row = |place: u64| {
        json!({
            "key": format!("{number}:{place}"), "row": "use", "product": "MLM:Simulink",
            "user": format!("user{place}"), "computer": "pc1", "seats": 1,
            "started_at": "2026-01-02T08:00:00Z", "ended_at": "2026-01-02T09:00:00Z",
            "seen_until": null,
        })
    };
    let rows: Vec<Value> = (0..ROWS).map(row).collect();
    json!({ "number": number, "rows": rows })
}

fn end() -> Value {
    json!({
        "bodies": BODIES,
        "summary": {
            "kind": "flexnet-log", "lines": 2, "understood": 2, "not_understood": [],
            "features": [], "from": null, "to": null, "time_zone": "UTC", "dates_from": null,
            "clock_changes": 0, "unobserved_seconds": 0, "daemon_peak": null,
        },
    })
}

#[test]
fn each_row_is_there_once_whenever_the_manager_is_killed() {
    let mut site = Site::new();
    // Nobody finishes this one.
    let left = site.begin();
    let path = format!("/v1/imports/{left}/rows");
    site.ask_and_kill("POST", &path, Some(&body(1)));
    site.ask("POST", &path, Some(&body(1)), 200);

    let id = site.begin();
    let rows = format!("/v1/imports/{id}/rows");
    for number in 1..=BODIES {
        site.ask_and_kill("POST", &rows, Some(&body(number)));
        let taken = site.ask("POST", &rows, Some(&body(number)), 200);
        assert_eq!(taken["next_number"], number + 1);
    }
    let counted = "SELECT count(*) FROM elsewhere_uses";
    assert_eq!(site.count(counted), 0);
    let finish = format!("/v1/imports/{id}/finish");
    site.ask_and_kill("POST", &finish, Some(&end()));
    for _ in 0..2 {
        let answer = site.ask("POST", &finish, Some(&end()), 200);
        assert_eq!(answer["added"], BODIES * ROWS, "{answer}");
        assert_eq!(answer["already_there"], 0, "{answer}");
    }
    assert_eq!(site.count(counted), BODIES * ROWS);
    assert_eq!(
        site.count("SELECT count(DISTINCT key) FROM import_uses WHERE import = 2"),
        BODIES * ROWS
    );

    let one = format!("/v1/imports/{id}");
    site.ask_and_kill("DELETE", &one, None);
    let (address, token) = site.console();
    let mut http = Http::connect(&address, &token).unwrap();
    let removed = http.ask("DELETE", &one, None).unwrap();
    assert!([204, 404].contains(&removed.status), "{removed:?}");
    assert_eq!(site.count(counted), 0);
    wait_for("its rows to be removed", || {
        let rows = site.count("SELECT count(*) FROM import_uses");
        (rows == ROWS).then_some(())
    });
    // What nobody finished is there until a day has passed, and counts for nothing.
    let open = site.ask("GET", &format!("/v1/imports/{left}"), None, 200);
    assert!(open["finished_at"].is_null(), "{open}");
    assert_eq!(open["rows"], ROWS);
}
