//! Two managers on one database: one leads and polls, the other shows what that one sees, and takes over
//! within two lease times if it is killed, frozen or cut off; a frozen one that wakes up does nothing
//! of the leader's any more.

use std::fs::File;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use usher_testing::postgres::Postgres;
use usher_testing::undo;

use crate::http::{Answer, Http};
use crate::plants::{self, MET, Test};
use crate::support::{DEADLINE, Ended, Folder, Running, said, usher, wait_for, wait_within};

/// The lease of the managers here.
const LEASE: Duration = Duration::from_secs(4);

/// The exit code of a role that a panic ended.
const PANICKED: i32 = 72;

/// A server, a database, and managers that share it.
struct Shared {
    folder: Folder,
    cluster: Postgres,
    server: Running,
}

impl Shared {
    fn new() -> Shared {
        let folder = Folder::new();
        let cluster = Postgres::start().unwrap();
        cluster.sql("postgres", "CREATE DATABASE site").unwrap();
        let mut command = usher();
        command.args(["server", "--listen", "127.0.0.1:0"]);
        let server = Running::start(&mut command, &folder.path("server"));
        server.ok(&["product", "add", "cad", "--seats", "5"]);
        Shared {
            folder,
            cluster,
            server,
        }
    }

    /// A manager with data of its own, on that database.
    fn manager(&self, name: &str, url: &str) -> Manager {
        let lease = format!("{}s", LEASE.as_secs());
        let mut command = usher();
        command
            .args(["manager", "--console", "127.0.0.1:0", "--heal", "off"])
            .args(["--poll", "1s", "--lease-time", &lease, "--database", url])
            .env("USHER_PLANTED_PANIC", self.plant(name));
        let log = File::create(self.folder.path(&format!("{name}.log"))).unwrap();
        let data = self.folder.path(name);
        Manager(Running::start_with_stderr(&mut command, &data, log.into()))
    }

    /// Where a test plants a panic in a manager.
    fn plant(&self, name: &str) -> PathBuf {
        self.folder.path(&format!("{name}.plant"))
    }

    fn url(&self) -> String {
        self.cluster.url("site")
    }

    /// Has the leader watch the server, as `alpha`.
    fn watched_by(&self, manager: &Manager) {
        let token = std::fs::read_to_string(self.server.data.join("admin.token")).unwrap();
        let body = json!({ "name": "alpha", "url": self.server.api, "token": token.trim() });
        let added = manager.ask("POST", "/v1/servers", Some(&body));
        assert_eq!(added.status, 201, "{added:?}");
    }

    fn leases(&self, count: u64) {
        let token = std::fs::read_to_string(self.server.data.join("admin.token")).unwrap();
        let mut http = Http::connect(&self.server.api, token.trim()).unwrap();
        for _ in 0..count {
            let body = json!({ "product": "cad", "user": "ann", "computer": "pc1" });
            let granted = http.ask("POST", "/v1/checkouts", Some(&body)).unwrap();
            assert_eq!(granted.status, 201, "{granted:?}");
            let id = granted.body["lease"]["id"].as_str().unwrap();
            let ended = http.ask("DELETE", &format!("/v1/leases/{id}"), None);
            assert_eq!(ended.unwrap().status, 204);
        }
    }

    /// How many leases are in the site.
    fn collected(&self) -> u64 {
        let count = "SELECT count(*) FROM history_leases";
        self.cluster.sql("site", count).unwrap().parse().unwrap()
    }
}

struct Manager(Running);

impl Manager {
    fn console(&self) -> &str {
        let mut words = self.0.ready.split(' ');
        words
            .find_map(|word| word.strip_prefix("console="))
            .unwrap()
    }

    fn http(&self) -> Http {
        let token = std::fs::read_to_string(self.0.data.join("admin.token")).unwrap();
        Http::connect(self.console(), token.trim()).unwrap()
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.http().ask(method, path, body).unwrap()
    }

    fn health(&self) -> Value {
        self.ask("GET", "/v1/health", None).body
    }

    fn leads(&self) -> bool {
        self.health()["leads"] == true
    }

    /// The messages of a number, oldest first.
    fn messages(&self, id: u16) -> Vec<Value> {
        let page = self.ask("GET", &format!("/v1/messages?id={id}"), None).body;
        let mut items = page["items"].as_array().unwrap().clone();
        items.reverse();
        items
    }

    fn pid(&self) -> u32 {
        self.0.child.id()
    }
}

/// Waits until it leads, and holds that this took no longer than two lease times from `since` on, and what a
/// busy computer adds to them.
fn takes_over(manager: &Manager, since: Instant) {
    wait_within(LEASE * 2 + DEADLINE, "the other manager to lead", || {
        manager.leads().then_some(())
    });
    let took = since.elapsed();
    assert!(took < LEASE * 2 + DEADLINE / 2, "{took:?}");
}

#[test]
fn a_manager_that_follows_shows_what_the_leader_sees_and_takes_over_when_that_is_killed() {
    let site = Shared::new();
    let mut first = site.manager("first", &site.url());
    assert!(first.leads());
    site.watched_by(&first);
    let second = site.manager("second", &site.url());
    let health = second.health();
    assert_eq!(
        (&health["leads"], &health["status"]),
        (&json!(false), &json!("ok"))
    );
    assert_eq!(health["leader"]["url"], first.console());
    // What it is asked to do is refused, with where to ask.
    let body = json!({ "name": "beta", "url": site.server.api, "token": "t" });
    let refused = second.ask("POST", "/v1/servers", Some(&body));
    assert_eq!(
        (refused.status, &refused.body["code"]),
        (503, &json!("not_leading"))
    );
    assert_eq!(refused.body["leader"], first.console());
    let removes = ["servers", "remove", "alpha", "--manager", second.console()];
    let removes = usher()
        .args(removes)
        .env("USHER_DATA", &second.0.data)
        .ended();
    assert_eq!(removes.status.code(), Some(75), "{}", said(&removes));
    assert!(
        said(&removes).contains(first.console()),
        "{}",
        said(&removes)
    );
    assert_eq!(second.ask("GET", "/v1/deliveries", None).status, 503);
    // What it is asked to show it shows.
    wait_for("the leader's view to be shown", || {
        let seen = second.ask("GET", "/v1/servers/alpha", None);
        (seen.body["verdict"] == "running").then_some(())
    });
    site.leases(3);
    wait_for("the leases to be collected", || {
        (site.collected() == 3).then_some(())
    });
    let asked = "/v1/usage?product=cad&from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z";
    let usage = second.ask("GET", asked, None);
    assert_eq!(usage.body["items"][0]["sessions"], 3, "{usage:?}");
    // What somebody did at the leader is valid here.
    let made = first.ask(
        "POST",
        "/v1/tokens",
        Some(&json!({ "role": "viewer", "name": "n" })),
    );
    let token = made.body["token"].as_str().unwrap().to_owned();
    wait_for("the token to be taken", || {
        let mut http = Http::connect(second.console(), &token).unwrap();
        let answer = http.ask("GET", "/v1/servers", None).unwrap();
        (answer.status == 200).then_some(())
    });

    let killed = Instant::now();
    first.0.child.kill().unwrap();
    first.0.child.wait().unwrap();
    site.leases(2);
    takes_over(&second, killed);
    wait_for("the rest to be collected", || {
        (site.collected() >= 5).then_some(())
    });
    assert_eq!(site.collected(), 5);
    let told = wait_for("the message", || second.messages(9464).pop());
    assert!(
        told["text"].as_str().unwrap().contains(first.console()),
        "{told}"
    );
    assert_eq!(second.ask("GET", "/v1/deliveries", None).status, 200);
    // It comes back, and follows.
    drop(first);
    let first = site.manager("first", &site.url());
    assert!(!first.leads() && second.leads());
    // One that is stopped gives the lead up.
    let before = second.console().to_owned();
    assert_eq!(second.0.stop(), Some(0));
    takes_over(&first, Instant::now());
    let told = wait_for("the message", || first.messages(9465).pop());
    assert!(told["text"].as_str().unwrap().contains(&before), "{told}");
}

#[test]
fn a_panic_in_what_only_a_shared_site_needs_ends_the_leader_and_the_other_takes_over() {
    let site = Shared::new();
    let mut first = site.manager("first", &site.url());
    assert!(first.leads());
    site.watched_by(&first);
    let second = site.manager("second", &site.url());
    for thread in plants::of("manager", Test::Shared) {
        std::fs::write(site.plant("first"), thread).unwrap();
        let ended = wait_within(MET, thread, || first.0.child.try_wait().unwrap());
        assert_eq!(ended.code(), Some(PANICKED), "{thread}");
        takes_over(&second, Instant::now());
    }
}

#[test]
fn a_leader_that_is_frozen_loses_the_lead_and_writes_nothing_when_it_wakes_up() {
    let site = Shared::new();
    let first = site.manager("first", &site.url());
    site.watched_by(&first);
    let second = site.manager("second", &site.url());
    site.leases(3);
    wait_for("the leases to be collected", || {
        (site.collected() == 3).then_some(())
    });
    let frozen_at = Instant::now();
    let frozen = undo::stop(first.pid()).unwrap();
    takes_over(&second, frozen_at);
    let epoch = "SELECT epoch FROM site_leader";
    let lead = site.cluster.sql("site", epoch).unwrap();
    site.leases(2);
    wait_for("the rest to be collected", || {
        (site.collected() >= 5).then_some(())
    });
    drop(frozen);
    // It goes on where it was, and finds that it leads no longer.
    wait_for("the other to follow", || {
        let health = first.health();
        (health["leads"] == false && health["leader"]["url"] == second.console()).then_some(())
    });
    site.leases(2);
    wait_for("the last to be collected", || {
        (site.collected() >= 7).then_some(())
    });
    assert_eq!(site.collected(), 7);
    assert!(second.leads());
    assert_eq!(
        site.cluster.sql("site", epoch).unwrap(),
        lead,
        "nobody led meanwhile"
    );
    let body = json!({ "name": "beta", "url": site.server.api, "token": "t" });
    assert_eq!(first.ask("POST", "/v1/servers", Some(&body)).status, 503);
    let verdict = || first.ask("GET", "/v1/servers/alpha", None).body["verdict"].clone();
    wait_for("the leader's view", || {
        (verdict() == "running").then_some(())
    });
}

#[test]
fn managers_that_share_a_site_have_one_administrators_token_and_exchange_it_together() {
    let site = Shared::new();
    let first = site.manager("first", &site.url());
    // The next one had been at another site.
    let own = site.folder.path("second");
    std::fs::create_dir(&own).unwrap();
    std::fs::write(own.join("admin.token"), "usher_of-another-site\n").unwrap();
    let second = site.manager("second", &site.url());
    let token = |manager: &Manager| {
        let text = std::fs::read_to_string(manager.0.data.join("admin.token")).unwrap();
        text.trim().to_owned()
    };
    assert_eq!(token(&second), token(&first));
    wait_for("the log to say so", || {
        let log = std::fs::read_to_string(site.folder.path("second.log")).unwrap();
        log.contains("another administrator's token than the site")
            .then_some(())
    });
    let takes = |manager: &Manager, token: &str| {
        let mut http = Http::connect(manager.console(), token).unwrap();
        http.ask("GET", "/v1/servers", None).unwrap().status == 200
    };
    assert!(!takes(&second, "usher_of-another-site"));
    let before = token(&first);
    assert!(takes(&second, &before));
    // At the one that does not lead, too.
    std::fs::write(own.join("admin.token"), "usher_exchanged\n").unwrap();
    wait_for("the token to be exchanged", || {
        takes(&first, "usher_exchanged").then_some(())
    });
    assert!(!takes(&first, &before));
    assert_eq!(
        (&*token(&first), &*token(&second)),
        ("usher_exchanged", "usher_exchanged")
    );
}

/// What stands between a manager and its database, until it is cut.
struct Cable {
    port: u16,
    is_cut: Arc<Mutex<bool>>,
    ends: Arc<Mutex<Vec<TcpStream>>>,
}

impl Cable {
    fn to(socket: &Path) -> Cable {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let cable = Cable {
            port,
            is_cut: Arc::default(),
            ends: Arc::default(),
        };
        let (socket, is_cut, ends) = (socket.to_owned(), cable.is_cut.clone(), cable.ends.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                ends.lock().unwrap().push(client.try_clone().unwrap());
                let (socket, is_cut) = (socket.clone(), is_cut.clone());
                std::thread::spawn(move || drop(carry(client, &socket, &is_cut)));
            }
        });
        cable
    }

    /// What is said from now on comes to nobody; connections stay open, as over a cable that was pulled.
    fn cut(&self) {
        *self.is_cut.lock().unwrap() = true;
    }

    /// Connections that were open are over, and others are carried.
    fn mend(&self) {
        *self.is_cut.lock().unwrap() = false;
        for end in self.ends.lock().unwrap().drain(..) {
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}

fn carry(client: TcpStream, socket: &Path, is_cut: &Arc<Mutex<bool>>) -> std::io::Result<()> {
    let server = std::os::unix::net::UnixStream::connect(socket)?;
    let (from, to, cut) = (client.try_clone()?, server.try_clone()?, is_cut.clone());
    let asks = std::thread::spawn(move || pass(from, to, &cut));
    let _ = pass(server.try_clone()?, client.try_clone()?, is_cut);
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
    let _ = asks.join();
    Ok(())
}

/// Passes on what comes, or loses it.
fn pass(
    mut from: impl std::io::Read,
    mut to: impl std::io::Write,
    is_cut: &Mutex<bool>,
) -> std::io::Result<()> {
    let mut bytes = [0_u8; 16 * 1024];
    loop {
        let length = from.read(&mut bytes)?;
        if length == 0 {
            return Ok(());
        }
        if !*is_cut.lock().unwrap() {
            to.write_all(&bytes[..length])?;
        }
    }
}

#[test]
fn a_leader_that_is_cut_off_from_the_database_stops_and_follows_when_it_is_back() {
    let site = Shared::new();
    let cable = Cable::to(&site.cluster.folder().join(".s.PGSQL.5432"));
    let by_cable = format!("postgres://postgres@127.0.0.1:{}/site", cable.port);
    let first = site.manager("first", &by_cable);
    site.watched_by(&first);
    let second = site.manager("second", &site.url());
    assert!(first.leads() && !second.leads());
    let cut = Instant::now();
    cable.cut();
    // No two lead at any instant: it stops before the other begins.
    takes_over_alone(&first, &second, cut);
    let health = first.health();
    assert_eq!(health["leads"], false);
    let refused = first.ask("DELETE", "/v1/servers/alpha", None);
    assert_eq!(
        (refused.status, &refused.body["code"]),
        (503, &json!("not_leading"))
    );
    site.leases(2);
    wait_for("the leases to be collected", || {
        (site.collected() == 2).then_some(())
    });
    cable.mend();
    wait_within(DEADLINE * 3, "it to follow", || {
        let health = first.health();
        (health["leader"]["url"] == second.console()).then_some(())
    });
    assert!(second.leads());
    assert_eq!(second.messages(9464).len(), 1);
}

/// As [`takes_over`]; at no look both lead.
fn takes_over_alone(first: &Manager, second: &Manager, since: Instant) {
    wait_within(LEASE * 2 + DEADLINE, "the other manager to lead", || {
        // The one that may still lead is asked last: if it does then, it did when the other was asked.
        let second_leads = second.leads();
        let first_leads = first.leads();
        assert!(!(first_leads && second_leads), "both lead");
        second_leads.then_some(())
    });
    let took = since.elapsed();
    assert!(took < LEASE * 2 + DEADLINE / 2, "{took:?}");
}
