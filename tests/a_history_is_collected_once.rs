//! A manager collects what has ended on a server into its site database: each item once, whatever is
//! killed when, and after a restore of either side.

use std::net::TcpListener;
use std::path::Path;

use serde_json::{Value, json};

use crate::between::{Between, Step};
use crate::http::Http;
use crate::support::{Ended, Folder, Running, said, usher, wait_for};

/// A server, and a manager that collects its history.
struct Site {
    folder: Folder,
    address: String,
    server: Option<Running>,
    manager: Option<Running>,
    leases: i64,
}

fn free_address() -> String {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    free.local_addr().unwrap().to_string()
}

impl Site {
    fn new() -> Site {
        let mut site = Site {
            folder: Folder::new(),
            address: free_address(),
            server: None,
            manager: None,
            leases: 0,
        };
        site.serve();
        site.server().ok(&["product", "add", "cad", "--seats", "5"]);
        site
    }

    fn serve(&mut self) {
        let mut command = usher();
        command.args(["server", "--listen", &self.address]);
        self.server = Some(Running::start(&mut command, &self.folder.path("server")));
    }

    fn server(&self) -> &Running {
        self.server.as_ref().unwrap()
    }

    fn manage(&mut self) {
        let mut command = usher();
        command.args([
            "manager",
            "--console",
            "127.0.0.1:0",
            "--poll",
            "1s",
            "--heal",
            "off",
        ]);
        let data = self.folder.path("manager");
        self.manager = Some(Running::start(&mut command, &data));
    }

    /// Has the manager watch the server, at that URL.
    fn watch(&mut self, url: &str) {
        self.manage();
        let token = std::fs::read_to_string(self.folder.path("server/admin.token")).unwrap();
        let body = json!({ "name": "alpha", "url": url, "token": token.trim() });
        let added = self
            .console()
            .ask("POST", "/v1/servers", Some(&body))
            .unwrap();
        assert_eq!(added.status, 201, "{added:?}");
    }

    fn console(&self) -> Http {
        let manager = self.manager.as_ref().unwrap();
        let mut words = manager.ready.split(' ');
        let console = words
            .find_map(|word| word.strip_prefix("console="))
            .unwrap();
        let token = std::fs::read_to_string(manager.data.join("admin.token")).unwrap();
        Http::connect(console, token.trim()).unwrap()
    }

    /// SIGKILL.
    fn kill(role: &mut Option<Running>) {
        let mut running = role.take().unwrap();
        running.child.kill().unwrap();
        running.child.wait().unwrap();
    }

    /// Leases that are granted and given back at once.
    fn use_seats(&mut self, count: i64) {
        let server = self.server();
        let token = std::fs::read_to_string(server.data.join("admin.token")).unwrap();
        let mut http = Http::connect(&server.api, token.trim()).unwrap();
        for number in 0..count {
            let user = format!("user{}", number % 3);
            let body = json!({ "product": "cad", "user": user, "computer": "pc1" });
            let granted = http.ask("POST", "/v1/checkouts", Some(&body)).unwrap();
            assert_eq!(granted.status, 201, "{granted:?}");
            let id = granted.body["lease"]["id"].as_str().unwrap();
            let ended = http
                .ask("DELETE", &format!("/v1/leases/{id}"), None)
                .unwrap();
            assert_eq!(ended.status, 204, "{ended:?}");
        }
        self.leases += count;
    }

    /// What the site database answers.
    fn count(&self, query: &str) -> i64 {
        let site = self.folder.path("manager/site.db");
        let connection = rusqlite::Connection::open(site).unwrap();
        connection.query_row(query, [], |row| row.get(0)).unwrap()
    }

    /// Waits until all leases that were ever ended are collected, and no more than these.
    fn has_all(&self) -> Value {
        let leases = "SELECT count(*) FROM history_leases";
        wait_for("all leases to be collected", || {
            (self.count(leases) >= self.leases).then_some(())
        });
        assert_eq!(self.count(leases), self.leases);
        wait_for("the manager to say so", || {
            let seen = self
                .console()
                .ask("GET", "/v1/servers/alpha", None)
                .unwrap();
            let history = seen.body["history"].clone();
            let is_whole = history["through_event"] == history["head_event"]
                && history["acknowledged"] == true
                && history["why"].is_null();
            is_whole.then_some(history)
        })
    }
}

#[test]
fn each_item_is_collected_once_whichever_step_a_kill_falls_into() {
    let mut site = Site::new();
    let between = Between::before(&format!("http://{}", site.address));
    site.use_seats(5);
    site.watch(&between.url);
    site.has_all();
    let steps = [
        Step::Asked("GET /v1/history"),
        Step::Answered("GET /v1/history"),
        // By now the page is in the site database.
        Step::Asked("PUT /v1/history"),
        Step::Answered("PUT /v1/history"),
    ];
    for step in steps {
        between.stop_at(step);
        site.use_seats(4);
        between.has_stopped();
        Site::kill(&mut site.manager);
        site.use_seats(1);
        site.manage();
        site.has_all();
    }
    // The server is killed while it is asked, and is back at the same place.
    between.stop_at(Step::Answered("GET /v1/history"));
    site.use_seats(4);
    between.has_stopped();
    Site::kill(&mut site.server);
    site.serve();
    Site::kill(&mut site.manager);
    site.manage();
    site.has_all();
    let server = site.server();
    let token = std::fs::read_to_string(server.data.join("admin.token")).unwrap();
    let mut http = Http::connect(&server.api, token.trim()).unwrap();
    let consumers = http.ask("GET", "/v1/history/consumers", None).unwrap().body;
    let consumers = consumers["items"].as_array().unwrap();
    assert_eq!(
        consumers.len(),
        1,
        "one site is one consumer: {consumers:?}"
    );
    let last = site.count("SELECT max(event) FROM history_leases");
    assert!(
        consumers[0]["through_event"].as_i64() >= Some(last),
        "{consumers:?}"
    );
}

/// The rows of its tables.
pub(crate) fn rows(report: &Value) -> Vec<&Value> {
    let sections = report["sections"].as_array().unwrap();
    sections.iter().map(|section| &section["rows"]).collect()
}

/// How use is asked for up to now, and the report.
pub(crate) fn report_until_now(console: &mut Http) -> (String, Value) {
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    let at = |sql: &str| -> String { connection.query_row(sql, [], |row| row.get(0)).unwrap() };
    let now = "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";
    let asked = format!("/v1/reports/usage?from=2026-01-01T00:00:00Z&to={}", at(now));
    let report = console.ask("GET", &asked, None).unwrap();
    assert_eq!(report.status, 200, "{report:?}");
    (asked, report.body)
}

#[test]
fn a_site_that_was_put_back_to_a_backup_fetches_again_what_it_had() {
    let mut site = Site::new();
    site.use_seats(3);
    let api = site.server().api.clone();
    site.watch(&api);
    site.has_all();
    let data = site.folder.path("manager");
    let copies = site.folder.path("copies");
    std::fs::create_dir(&copies).unwrap();
    let on_site = |words: &[&str], file: &Path| {
        let mut command = usher();
        command.args(words).args(["--site", "--json"]).arg(file);
        command.arg("--data").arg(&data).ended()
    };
    // The manager goes on meanwhile.
    let done = on_site(&["backup", "--keep", "2"], &copies);
    assert!(done.status.success(), "{}", said(&done));
    let told: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(
        (&told["servers"], &told["removed"]),
        (&1.into(), &json!([]))
    );
    let reported = report_until_now(&mut site.console());
    let copy = Path::new(told["file"].as_str().unwrap()).to_owned();
    let name = copy.file_name().unwrap().to_str().unwrap();
    assert!(
        name.starts_with("usher-site-20") && name.ends_with(".db"),
        "{name}"
    );
    site.use_seats(4);
    site.has_all();

    let refused = on_site(&["restore"], &copy);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(
        said(&refused).contains("in use by another manager"),
        "{}",
        said(&refused)
    );
    assert_eq!(site.manager.take().unwrap().stop(), Some(0));
    let coming = on_site(&["restore", "--dry-run"], &copy);
    let coming: Value = serde_json::from_slice(&coming.stdout).unwrap();
    assert_eq!(
        coming["replaces"]["site_id"], coming["site_id"],
        "{coming:#}"
    );
    let leases = "SELECT count(*) FROM history_leases";
    assert_eq!(site.count(leases), 7, "a dry run changes nothing");
    let done = on_site(&["restore"], &copy);
    assert!(done.status.success(), "{}", said(&done));
    assert_eq!(site.count(leases), 3);
    assert!(data.join("site.db.before-restore-1").exists());
    // What ended since was acknowledged, and is still there to be asked for.
    site.manage();
    site.has_all();
    // What is reported of the time before the copy is what was reported then.
    let (asked, before) = reported;
    let after = site.console().ask("GET", &asked, None).unwrap().body;
    assert_eq!(rows(&after), rows(&before));
    site.use_seats(2);
    site.has_all();
}

#[test]
fn what_a_restore_of_the_server_left_behind_stays_and_is_marked() {
    let mut site = Site::new();
    site.use_seats(3);
    let api = site.server().api.clone();
    site.watch(&api);
    site.has_all();
    let file = site.folder.path("backup.db");
    site.server().ok(&["backup", file.to_str().unwrap()]);
    site.use_seats(4);
    let before = site.has_all();

    assert_eq!(site.server.take().unwrap().stop(), Some(0));
    let done = usher()
        .arg("restore")
        .arg(&file)
        .args(["--accept-risk", "--data"])
        .arg(site.folder.path("server"))
        .ended();
    assert!(done.status.success(), "{}", said(&done));
    site.serve();
    site.use_seats(2);
    let after = site.has_all();

    assert_ne!(after["incarnation"], before["incarnation"]);
    let gone = "SELECT count(*) FROM history_leases WHERE gone_ms IS NOT NULL";
    assert_eq!(site.count(gone), 4);
    assert_eq!(site.count("SELECT count(*) FROM history_people"), 3);
}

#[test]
fn use_of_the_site_is_of_what_was_used_and_of_what_still_runs() {
    let mut site = Site::new();
    site.use_seats(3);
    let server = site.server();
    let token = std::fs::read_to_string(server.data.join("admin.token")).unwrap();
    let mut http = Http::connect(&server.api, token.trim()).unwrap();
    let body = json!({ "product": "cad", "user": "dora", "computer": "pc2", "seats": 2 });
    let held = http.ask("POST", "/v1/checkouts", Some(&body)).unwrap();
    assert_eq!(held.status, 201, "{held:?}");
    let api = server.api.clone();
    site.watch(&api);
    site.has_all();
    let asked = "/v1/usage?product=cad";
    let page = site.console().ask("GET", asked, None).unwrap().body;
    let last = &page["items"][0];
    // The three others came one after another, before it.
    assert_eq!(
        (&last["peak"], &last["owned"]),
        (&2.into(), &5.into()),
        "{page:#}"
    );
    assert_eq!(
        (&last["users"], &last["computers"], &last["sessions"]),
        (&4.into(), &2.into(), &4.into()),
        "{page:#}"
    );
    // The question is about 30 days, and the site is a day old at most.
    let cut = page["cut"].as_array().unwrap();
    assert!(cut.len() == 1 && cut[0]["what"] == "history", "{page:#}");
    assert_eq!(page["as_of"][0]["server"], "alpha");
}
