//! A manager keeps its site on a PostgreSQL: what it has collected is there once, whatever is killed, also
//! if another server takes the place of the one that was killed. Its password is seen nowhere.

use std::fs::File;
use std::net::TcpListener;

use serde_json::json;
use usher_testing::postgres::Postgres;

use crate::a_history_is_collected_once::{report_until_now, rows};
use crate::http::Http;
use crate::support::{Ended, Folder, Running, said, usher, wait_for};

const PASSWORD: &str = "wer-das-liest";

/// A server, and a manager that collects its history into a PostgreSQL.
struct Site {
    folder: Folder,
    address: String,
    server: Running,
    manager: Option<Running>,
    database: Vec<String>,
    leases: u64,
}

impl Site {
    fn on(database: &[&str]) -> Site {
        let folder = Folder::new();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let mut command = usher();
        command.args(["server", "--listen", &address]);
        let server = Running::start(&mut command, &folder.path("server"));
        server.ok(&["product", "add", "cad", "--seats", "5"]);
        let mut site = Site {
            folder,
            address,
            server,
            manager: None,
            database: database.iter().map(|it| (*it).to_owned()).collect(),
            leases: 0,
        };
        site.manage();
        let token = std::fs::read_to_string(site.server.data.join("admin.token")).unwrap();
        let url = format!("http://{}", site.address);
        let body = json!({ "name": "alpha", "url": url, "token": token.trim() });
        let mut console = site.console();
        let added = console.ask("POST", "/v1/servers", Some(&body)).unwrap();
        assert_eq!(added.status, 201, "{added:?}");
        site
    }

    fn manage(&mut self) {
        let mut command = usher();
        command
            .args(["manager", "--console", "127.0.0.1:0", "--heal", "off"])
            .args(["--poll", "1s"])
            .args(&self.database);
        let data = self.folder.path("manager");
        let mut log = File::options();
        let log = log.create(true).append(true).open(self.folder.path("log"));
        let running = Running::start_with_stderr(&mut command, &data, log.unwrap().into());
        self.manager = Some(running);
    }

    fn manager(&self) -> &Running {
        self.manager.as_ref().unwrap()
    }

    /// SIGKILL.
    fn kill_manager(&mut self) {
        let mut running = self.manager.take().unwrap();
        running.child.kill().unwrap();
        running.child.wait().unwrap();
    }

    fn console(&self) -> Http {
        let manager = self.manager();
        let mut words = manager.ready.split(' ');
        let console = words.find_map(|word| word.strip_prefix("console="));
        let token = std::fs::read_to_string(manager.data.join("admin.token")).unwrap();
        Http::connect(console.unwrap(), token.trim()).unwrap()
    }

    /// Leases that are granted and given back at once.
    fn use_seats(&mut self, count: u64) {
        let token = std::fs::read_to_string(self.server.data.join("admin.token")).unwrap();
        let mut http = Http::connect(&self.server.api, token.trim()).unwrap();
        for number in 0..count {
            let user = format!("user{}", number % 3);
            let body = json!({ "product": "cad", "user": user, "computer": "pc1" });
            let granted = http.ask("POST", "/v1/checkouts", Some(&body)).unwrap();
            assert_eq!(granted.status, 201, "{granted:?}");
            let id = granted.body["lease"]["id"].as_str().unwrap();
            let ended = http.ask("DELETE", &format!("/v1/leases/{id}"), None);
            assert_eq!(ended.unwrap().status, 204);
        }
        self.leases += count;
    }

    /// Waits until all leases that were ever ended are collected, and no more than these.
    fn has_all(&self, on: &Postgres) {
        let leases = || -> u64 {
            let count = on.sql("site", "SELECT count(*) FROM history_leases");
            count.unwrap().parse().unwrap()
        };
        wait_for("all leases to be collected", || {
            (leases() >= self.leases).then_some(())
        });
        assert_eq!(leases(), self.leases);
        // What is told of their use is of each of them once.
        let asked = "/v1/usage?product=cad&from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z";
        let usage = self.console().ask("GET", asked, None).unwrap();
        assert_eq!(usage.body["items"][0]["sessions"], self.leases, "{usage:?}");
    }
}

#[test]
fn a_site_on_postgresql_loses_nothing_if_manager_or_database_is_killed() {
    let mut cluster = Postgres::start().unwrap();
    let make = format!("CREATE ROLE usher LOGIN PASSWORD '{PASSWORD}'");
    for sql in [&*make, "CREATE DATABASE site OWNER usher"] {
        cluster.sql("postgres", sql).unwrap();
    }
    let access = cluster.data().join("pg_hba.conf");
    let usual = std::fs::read_to_string(&access).unwrap();
    let with_password = format!("local all usher scram-sha-256\n{usual}");
    std::fs::write(&access, with_password).unwrap();
    cluster.sql("postgres", "SELECT pg_reload_conf()").unwrap();
    let folder = Folder::new();
    let password = folder.path("password");
    std::fs::write(&password, format!("{PASSWORD}\n")).unwrap();
    let url = format!("postgres://usher@{}/site", cluster.host());

    let refused = usher()
        .args(["manager", "--console", "127.0.0.1:0", "--database", &url])
        .arg("--data")
        .arg(folder.path("data"))
        .ended();
    assert!(said(&refused).contains("password"), "{}", said(&refused));
    assert!(!refused.status.success());

    let file = password.to_str().unwrap();
    let database = ["--database", &url, "--database-password-file", file];
    let mut site = Site::on(&[&database[..], &["--lease-time", "10m"]].concat());
    site.use_seats(5);
    site.has_all(&cluster);
    site.kill_manager();
    site.use_seats(4);
    // It leads again at once: the lease of the one that was killed lasts for longer than a test.
    site.manage();
    site.has_all(&cluster);
    cluster.kill().unwrap();
    site.use_seats(3);
    cluster.serve(&[]).unwrap();
    site.has_all(&cluster);
    assert!(!site.folder.path("manager/site.db").exists());

    let pid = site.manager().child.id();
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap();
    let log = std::fs::read(site.folder.path("log")).unwrap();
    for read in [line, log] {
        assert!(!String::from_utf8_lossy(&read).contains(PASSWORD));
    }
}

#[test]
fn a_site_on_a_primary_goes_on_with_its_standby_and_loses_nothing() {
    let mut primary = Postgres::start().unwrap();
    primary.sql("postgres", "CREATE DATABASE site").unwrap();
    let standby = primary.standby().unwrap();
    // The standby is named first: it is passed over while it takes no writes.
    let hosts = format!("{},{}", standby.host(), primary.host());
    let url = format!("postgres://postgres@{hosts}/site");
    let mut site = Site::on(&["--database", &url]);
    site.use_seats(20);
    site.has_all(&primary);
    let before = site.manager().child.id();
    site.use_seats(20);
    // Some of these are being collected.
    primary.kill().unwrap();
    site.use_seats(20);
    standby.promote().unwrap();
    site.use_seats(20);
    site.has_all(&standby);
    assert_eq!(site.manager().child.id(), before, "it is the same manager");
}

#[test]
fn a_site_on_postgresql_that_was_restored_fetches_again_what_came_after_the_copy() {
    let cluster = Postgres::start().unwrap();
    cluster.sql("postgres", "CREATE DATABASE site").unwrap();
    let url = format!("postgres://postgres@{}/site", cluster.host());
    let mut site = Site::on(&["--database", &url]);
    // What the manager's settings say is taken.
    let settings = site.folder.path("usher.toml");
    let text = format!("[role.manager]\nsite = \"HQ\"\ndatabase = \"{url}\"\n");
    std::fs::write(&settings, text).unwrap();
    let copy = site.folder.path("site.copy");
    let on_site = |words: &[&str]| {
        let mut command = usher();
        command.args(words).arg("--site").arg(&copy);
        command.arg("--config").arg(&settings).ended()
    };
    site.use_seats(5);
    site.has_all(&cluster);
    let done = on_site(&["backup"]);
    assert!(done.status.success(), "{}", said(&done));
    assert!(
        said(&done).contains("with 1 server and "),
        "{}",
        said(&done)
    );
    let (asked, before) = report_until_now(&mut site.console());
    site.use_seats(4);
    site.has_all(&cluster);

    let refused = on_site(&["restore"]);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(
        said(&refused).contains("in use: usher manager "),
        "{}",
        said(&refused)
    );
    assert_eq!(site.manager.take().unwrap().stop(), Some(0));
    let leases = "SELECT count(*) FROM history_leases";
    let dry = on_site(&["restore", "--dry-run"]);
    assert!(
        said(&dry).contains("It replaces the same site"),
        "{}",
        said(&dry)
    );
    assert_eq!(cluster.sql("site", leases).unwrap(), "9");
    let done = on_site(&["restore"]);
    assert!(done.status.success(), "{}", said(&done));
    assert_eq!(cluster.sql("site", leases).unwrap(), "5");
    // What ended since was acknowledged, and is still there to be asked for.
    site.manage();
    site.has_all(&cluster);
    // Nobody led since the restore who could have given the lead up.
    let told = site.console().ask("GET", "/v1/messages?id=9465", None);
    assert_eq!(told.unwrap().body["items"], json!([]));
    // What is reported of the time before the copy is what was reported then.
    let after = site.console().ask("GET", &asked, None).unwrap().body;
    assert_eq!(rows(&after), rows(&before));
    site.use_seats(2);
    site.has_all(&cluster);
}
