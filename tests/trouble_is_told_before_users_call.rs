//! What will soon be trouble is reported before users call: once each, for as long as it lasts,
//! from the thresholds on that the administrator sets.

use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::http::{Http, checkout};
use crate::support::{Ended, Folder, Running, said, stdout, usher};

const DAY: Duration = Duration::from_secs(86_400);

/// A metering server, and a manager that watches it as `alpha` and looks when it is told to.
struct Site {
    manager: Option<Running>,
    console: String,
    server: Running,
    folder: Folder,
}

impl Site {
    /// `prepare` may do something to the server before anybody looks at it.
    fn new(prepare: impl FnOnce(&Running)) -> Site {
        Site::with_a_backup(prepare, None)
    }

    /// The same, if the last backup was so long ago.
    fn with_a_backup(prepare: impl FnOnce(&Running), ago: Option<Duration>) -> Site {
        let folder = Folder::new();
        let start = || {
            let mut server = usher();
            server.args(["server", "--listen", "127.0.0.1:0"]);
            Running::start(&mut server, &folder.path("server"))
        };
        let mut server = start();
        prepare(&server);
        if let Some(ago) = ago {
            assert_eq!(server.stop(), Some(0));
            backed_up(&folder.path("server"), ago);
            server = start();
        }
        let (manager, console) = manager_in(&folder);
        let site = Site {
            manager: Some(manager),
            console,
            server,
            folder,
        };
        let token = site.folder.path("server").join("admin.token");
        site.ask(&[
            "servers",
            "add",
            "alpha",
            "--url",
            &site.server.api,
            "--token-file",
            token.to_str().unwrap(),
        ]);
        site
    }

    /// Asks the manager.
    fn ask(&self, args: &[&str]) -> Value {
        let args = [args, &["--manager", &self.console]].concat();
        self.manager.as_ref().unwrap().json(&args)
    }

    fn look(&self) -> Value {
        self.ask(&["servers", "poll", "alpha"])
    }

    /// Messages of concerns, oldest first; open ones alone, or all.
    fn concerns(&self, args: &[&str]) -> Vec<Value> {
        let messages = self.ask(&[&["messages"], args].concat());
        let mut items = messages["items"].as_array().unwrap().clone();
        items.retain(|message| (9429..=9437).contains(&message["id"].as_u64().unwrap()));
        items.sort_by_key(|message| message["id"].as_u64());
        items
    }

    /// `usher check` of the manager: its exit code, and the line.
    fn check(&self) -> (i32, String) {
        let output = self
            .manager
            .as_ref()
            .unwrap()
            .usher(&["check", "--manager", &self.console])
            .ended();
        (output.status.code().unwrap(), stdout(&output))
    }
}

fn manager_in(folder: &Folder) -> (Running, String) {
    let manager = Running::start(
        usher().args(["manager", "--console", "127.0.0.1:0", "--heal", "off"]),
        &folder.path("manager"),
    );
    let console = manager
        .ready
        .split(' ')
        .find_map(|word| word.strip_prefix("console="));
    let console = console.unwrap().to_owned();
    (manager, console)
}

fn ids(messages: &[Value]) -> Vec<u64> {
    let ids = messages.iter().map(|message| message["id"].as_u64());
    ids.map(Option::unwrap).collect()
}

fn text_of(messages: &[Value], id: u64) -> &str {
    let found = messages.iter().find(|message| message["id"] == id);
    found.unwrap()["text"].as_str().unwrap()
}

fn seconds(ago: Duration) -> i64 {
    let at = SystemTime::now() - ago;
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

fn instant(ago: Duration) -> String {
    usher_api::Timestamp::from_second(seconds(ago))
        .unwrap()
        .to_string()
}

fn made(http: &mut Http, path: &str, body: &Value) {
    let answer = http.ask("POST", path, Some(body)).unwrap();
    assert!(answer.status < 300, "{path}: {answer:?}");
}

/// Everything that can be of concern at once.
fn in_trouble(server: &Running) {
    let token = std::fs::read_to_string(server.data.join("admin.token")).unwrap();
    let mut http = Http::connect(&server.api, token.trim()).unwrap();
    let cad = json!({ "id": "cad", "name": "CAD", "programs": ["name=cad12"] });
    made(&mut http, "/v1/products", &cad);
    let in_ten_days = usher_api::Timestamp::from_second(seconds(Duration::ZERO) + 864_000).unwrap();
    let ending = json!({ "product": "cad", "seats": 5, "to": in_ten_days.to_string() });
    made(&mut http, "/v1/entitlements", &ending);
    made(
        &mut http,
        "/v1/products",
        &json!({ "id": "sim", "name": "Sim" }),
    );
    let one = json!({ "product": "sim", "seats": 1 });
    made(&mut http, "/v1/entitlements", &one);
    made(&mut http, "/v1/checkouts", &checkout("sim", "ada"));
    let refused = http.ask("POST", "/v1/checkouts", Some(&checkout("sim", "bob")));
    assert_eq!(refused.unwrap().status, 403);
    let subject = json!({ "authority": "computer:c1", "id": "1000", "name": "ada" });
    let report = json!({
        "computer": {
            "id": "c1", "name": "lab-pc1",
            "unreached": {
                "starts": 7, "products": ["cad"],
                "first_at": instant(Duration::from_secs(600)),
                "last_at": instant(Duration::from_secs(60)),
            },
        },
        "incarnation": 1,
        "items": [
            {
                "sequence": 1, "kind": "finished", "session": 1, "product": "cad",
                "program": "cad12", "subject": subject, "duration_seconds": 3600,
                "started_at": instant(3 * DAY + Duration::from_secs(3600)),
                "ended_at": instant(3 * DAY),
            },
            {
                "sequence": 2, "kind": "programs",
                "counts": [{ "program": "cad13", "starts": 4 }],
            },
        ],
    });
    made(&mut http, "/v1/agents/sync", &report);
}

/// The last backup of a server that does not run was then.
fn backed_up(data: &Path, ago: Duration) {
    let file = rusqlite::Connection::open(data.join("cache.db")).unwrap();
    let note = "INSERT OR REPLACE INTO meta (key, value) VALUES ('last_backup_at', ?1)";
    file.execute(note, [seconds(ago) * 1_000]).unwrap();
}

#[test]
fn each_concern_is_one_message_that_names_who_is_affected_and_ends_when_it_is_over() {
    let mut site = Site::with_a_backup(in_trouble, Some(9 * DAY));
    // Any disk is low by that.
    let low = ["concerns.disk_percent=100", "concerns.disk_mb=4000000000"];
    site.ask(
        &[
            &["messages", "thresholds", "concerns.calm_minutes=0"],
            &low[..],
        ]
        .concat(),
    );
    site.look();
    let all = [9430, 9431, 9433, 9434, 9435, 9437];
    let told = site.concerns(&["--open"]);
    assert_eq!(ids(&told), all, "{told:#?}");
    for (id, words) in [
        (9430, "CAD (cad) with 5 seats ends on"),
        (
            9431,
            "Seats of Sim (sim): 1 of 1 in use, 0 waiting, 1 refused",
        ),
        (
            9433,
            "7 starts were allowed on 1 computer while no server could be reached: of cad on lab-pc1",
        ),
        (9434, "Disk space of alpha is low"),
        (
            9435,
            "alpha is 9 days old; 2 products and 1 computer depend on it",
        ),
        (9437, "The rule name=cad12 of cad has matched nothing"),
    ] {
        assert!(text_of(&told, id).contains(words), "{told:#?}");
    }
    let (code, line) = site.check();
    assert_eq!(code, 1, "{line}");
    assert!(
        line.starts_with("USHER WARNING - the one server is well; "),
        "{line}"
    );
    assert!(
        line.contains("|servers=1 well=1 errors=0;;1 warnings=6;1"),
        "{line}"
    );

    // Another manager goes on with them.
    assert_eq!(site.manager.take().unwrap().stop(), Some(0));
    let (manager, console) = manager_in(&site.folder);
    (site.manager, site.console) = (Some(manager), console);
    site.look();
    site.look();
    assert_eq!(ids(&site.concerns(&[])), all, "one message each");

    let file = site.folder.path("backup.db");
    site.server.ok(&["backup", file.to_str().unwrap()]);
    site.ask(&["messages", "thresholds", "concerns.disk_percent=0"]);
    site.look();
    let left = site.concerns(&["--open"]);
    assert_eq!(ids(&left), [9430, 9431, 9433, 9437], "{left:#?}");
    let over = site.concerns(&[]);
    let backup = over.iter().find(|message| message["id"] == 9435).unwrap();
    assert!(backup["recovered_at"].is_string(), "{backup:#}");
    assert_eq!(over.len(), all.len());
}

#[test]
fn a_contract_is_told_with_its_notice_until_what_follows_is_entered() {
    let site = Site::new(|server| {
        server.ok(&["product", "add", "cad"]);
        let add = [
            "entitlement",
            "add",
            "cad",
            "--seats",
            "5",
            "--to",
            "in 20 days",
        ];
        let said = [
            "--name",
            "cad-2026",
            "--contract",
            "A-4711",
            "--notice-days",
            "30",
        ];
        let price = ["--price", "15000 EUR/year"];
        server.ok(&[&add[..], &said, &price].concat());
    });
    site.look();
    let told = site.concerns(&["--open"]);
    assert_eq!(ids(&told), [9429, 9430], "{told:#?}");
    let notice = text_of(&told, 9429);
    assert!(
        notice.starts_with("Notice on the entitlement cad-2026 (E"),
        "{notice}"
    );
    assert!(notice.contains(", contract A-4711, 15000 EUR/year) of cad is to be given by"));
    assert!(notice.contains("which is past: it ends on"), "{notice}");
    let ends = text_of(&told, 9430);
    assert!(
        ends.contains(", contract A-4711) of cad with 5 seats ends on"),
        "{ends}"
    );
    site.server.ok(&[
        "entitlement",
        "add",
        "cad",
        "--seats",
        "5",
        "--from",
        "in 21 days",
    ]);
    // Nothing that was entered has to prove that it lasts.
    site.look();
    let left = site.concerns(&["--open"]);
    assert_eq!(ids(&left), Vec::<u64>::new(), "{left:#?}");
}

#[test]
fn components_stand_by_thresholds_that_can_be_set() {
    let site = Site::new(in_trouble);
    let stands = || {
        let summary = site.ask(&["messages", "summary"]);
        let lines = summary["items"].as_array().unwrap().clone();
        let of = |name: &str| {
            let line = lines.iter().find(|line| line["component"] == name);
            line.unwrap()["status"].as_str().unwrap().to_owned()
        };
        (of("site"), of("licensing"), of("agents"))
    };
    let are = |site: &str, licensing: &str, agents: &str| {
        (site.to_owned(), licensing.to_owned(), agents.to_owned())
    };
    // Warnings are open, and `usher check` says so, too.
    assert_eq!(stands(), are("warning", "warning", "warning"));
    assert_eq!(site.check().0, 1);
    site.ask(&[
        "messages",
        "thresholds",
        "summaries.site.warning=0,0",
        "summaries.components.licensing.warning=2,50",
        "summaries.components.agents.warning=1,2",
    ]);
    assert_eq!(stands(), are("critical", "warning", "critical"));
    site.ask(&[
        "messages",
        "thresholds",
        "summaries.components.licensing.warning=0,0",
        "summaries.components.agents.warning=0,0",
    ]);
    assert_eq!(stands(), are("ok", "ok", "ok"));
    let nonsense = site.manager.as_ref().unwrap().fails(&[
        "messages",
        "thresholds",
        "summaries.time_zone=Middle/Earth",
        "--manager",
        &site.console,
    ]);
    assert!(nonsense.1.contains("Europe/Berlin"), "{nonsense:?}");
}

#[test]
fn a_check_falls_back_to_the_server_where_no_manager_is() {
    let site = Site::new(|_| ());
    let (code, line) = site.check();
    assert_eq!(
        (code, line.contains("the one server is well")),
        (0, true),
        "{line}"
    );
    let server = &site.server;
    let alone = server.ok(&["check", "--server-only"]);
    assert!(alone.starts_with("USHER OK - 0 products"), "{alone}");
    let nobody = server
        .usher(&["check", "--manager", "http://127.0.0.1:9"])
        .ended();
    assert_eq!(nobody.status.code(), Some(2), "{}", said(&nobody));
    let stranger = server.usher(&["check", "--manager", &site.console]).ended();
    assert_eq!(stranger.status.code(), Some(3), "{}", said(&stranger));
}
