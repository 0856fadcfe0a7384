//! The metering server as a service of a real systemd: what it says is what it does, what hangs is
//! ended, and a restart refuses nobody.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::http::{Http, checkout};
use crate::support::{Ended, runs, said, stdout, usher, wait_for};
use crate::systemd::{PROGRAM, SystemdBox};

const SERVICE: &str = "usher-server.service";
const SOCKET: &str = "usher-server.socket";
/// Where the server's data directory is, in the box.
const DATA: &str = "/var/lib/private/usher";

/// The server, installed by itself in a box of its own.
struct Installed {
    systemd: SystemdBox,
    api: String,
}

impl Installed {
    /// Installs it: `prepare` may do something before its first start.
    fn new(prepare: impl FnOnce(&SystemdBox)) -> Installed {
        let systemd = SystemdBox::start();
        let probe = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = probe.local_addr().unwrap().to_string();
        drop(probe);
        let units = systemd.units();
        let install = systemd.exec(&[
            PROGRAM,
            "service",
            "install",
            "server",
            "--listen",
            &address,
            "--unit-dir",
            units.to_str().unwrap(),
        ]);
        assert!(install.status.success(), "{}", said(&install));
        systemd.reload();
        prepare(&systemd);
        let installed = Installed {
            systemd,
            api: format!("http://{address}"),
        };
        installed.steer("start");
        installed
    }

    /// A watchdog that waits for 2 s.
    fn with_a_short_watchdog(systemd: &SystemdBox) {
        let drop_in = systemd.units().join(format!("{SERVICE}.d"));
        std::fs::create_dir(&drop_in).unwrap();
        std::fs::write(drop_in.join("test.conf"), "[Service]\nWatchdogSec=2\n").unwrap();
        systemd.reload();
    }

    /// `usher service VERB server`.
    fn steer(&self, verb: &str) {
        let output = self.systemd.exec(&[PROGRAM, "service", verb, "server"]);
        let journal = self.systemd.journal();
        let status = stdout(
            &self
                .systemd
                .systemctl(&["status", "--no-pager", "--full", SERVICE]),
        );
        assert!(
            output.status.success(),
            "{}\n{status}\n{journal}",
            said(&output)
        );
    }

    fn show(&self, property: &str) -> String {
        self.systemd.show(SERVICE, property)
    }

    fn token(&self) -> String {
        let path = self.systemd.inside(DATA).join("admin.token");
        std::fs::read_to_string(path).unwrap().trim().to_owned()
    }

    fn connect(&self) -> Http {
        Http::connect(&self.api, &self.token()).unwrap()
    }

    /// A client command, from outside the box.
    fn json(&self, args: &[&str]) -> Value {
        let mut command = usher();
        command
            .args(args)
            .args(["--json", "--server", &self.api, "--token", &self.token()]);
        let output = command.ended();
        assert!(output.status.success(), "usher {args:?}: {}", said(&output));
        serde_json::from_str(&stdout(&output)).unwrap()
    }

    fn product(&self, seats: u32) {
        let mut http = self.connect();
        for (path, body) in [
            ("/v1/products", json!({"id": "tool"})),
            (
                "/v1/entitlements",
                json!({"product": "tool", "seats": seats}),
            ),
        ] {
            assert_eq!(http.ask("POST", path, Some(&body)).unwrap().status, 201);
        }
    }

    fn lease(&self) -> String {
        let answer = self
            .connect()
            .ask("POST", "/v1/checkouts", Some(&checkout("tool", "ada")))
            .unwrap();
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.body["lease"]["id"].as_str().unwrap().to_owned()
    }

    fn leases(&self) -> Vec<String> {
        let leases = self.connect().ask("GET", "/v1/leases", None).unwrap().body;
        let items = leases["items"].as_array().unwrap();
        let ids = items.iter().map(|lease| lease["id"].as_str().unwrap());
        ids.map(str::to_owned).collect()
    }

    fn main_pid(&self) -> String {
        self.show("MainPID")
    }
}

#[test]
fn a_service_is_started_when_it_serves_and_says_so_and_stops_whole() {
    let server = Installed::new(|_| ());
    assert_eq!(server.show("ActiveState"), "active");
    server.product(3);
    let lease = server.lease();
    let status = stdout(&server.systemd.systemctl(&["status", "--no-pager", SERVICE]));
    assert!(status.contains("Status: \"running\""), "{status}");
    let told = server.json(&["service", "pause", "server"]);
    assert!(
        told["state"].as_str().unwrap().starts_with("pause"),
        "{told}"
    );
    wait_for("systemd to be told of the pause", || {
        server
            .show("StatusText")
            .starts_with("paused")
            .then_some(())
    });
    server.json(&["service", "continue", "server"]);
    let query = server.systemd.exec(&[
        PROGRAM,
        "service",
        "query",
        "server",
        "--json",
        "--server",
        &server.api,
        "--data",
        DATA,
    ]);
    let query: Value = serde_json::from_str(&stdout(&query)).unwrap();
    assert_eq!(query["service_manager"]["state"], "running", "{query}");
    assert_eq!(query["service"]["state"], "running", "{query}");
    let pid = query["service_manager"]["main_pid"].as_u64().unwrap();
    assert_eq!(pid.to_string(), server.main_pid());
    server.steer("stop");
    assert_eq!(server.show("ActiveState"), "inactive");
    assert_eq!(server.show("Result"), "success");
    assert_eq!(server.systemd.show(SOCKET, "ActiveState"), "inactive");
    server.steer("start");
    assert_eq!(server.leases(), [lease]);
}

#[test]
fn a_frozen_server_is_ended_by_the_watchdog_and_its_leases_are_there_again() {
    let server = Installed::new(Installed::with_a_short_watchdog);
    server.product(3);
    let lease = server.lease();
    let pid = server.main_pid();
    let frozen = server.systemd.exec(&["kill", "-STOP", &pid]);
    assert!(frozen.status.success(), "{}", said(&frozen));
    wait_for("another start", || {
        (server.show("NRestarts") == "1" && server.show("ActiveState") == "active").then_some(())
    });
    assert_ne!(server.main_pid(), pid);
    assert_eq!(server.leases(), [lease]);
}

#[test]
fn a_full_disk_is_told_and_is_no_reason_to_kill() {
    let server = Installed::new(|systemd| {
        Installed::with_a_short_watchdog(systemd);
        let mount = format!(
            "mkdir -m 700 /var/lib/private {DATA} && mount -t tmpfs -o size=4m,mode=700 tmpfs {DATA}"
        );
        let mounted = systemd.exec(&["sh", "-c", &mount]);
        assert!(mounted.status.success(), "{}", said(&mounted));
    });
    server.product(100_000);
    let ballast = server.systemd.inside(DATA).join("ballast");
    // Fill what is left: writing stops where there is no more room.
    drop(std::fs::write(&ballast, vec![1_u8; 8 << 20]));
    let mut http = server.connect();
    wait_for("a refusal", || {
        let ask = Some(checkout("tool", "ada"));
        let answer = http.ask("POST", "/v1/checkouts", ask.as_ref()).unwrap();
        (answer.body["code"] == "storage_failed").then_some(())
    });
    wait_for("systemd to be told", || {
        server.show("StatusText").contains("full").then_some(())
    });
    // tidy: sleep, three intervals of the watchdog, in which nothing is to happen
    std::thread::sleep(Duration::from_secs(6));
    assert_eq!(
        server.show("NRestarts"),
        "0",
        "{}",
        server.systemd.journal()
    );
    assert_eq!(server.show("ActiveState"), "active");
    std::fs::remove_file(&ballast).unwrap();
    wait_for("a grant where there is room again", || {
        let ask = Some(checkout("tool", "ada"));
        let answer = http.ask("POST", "/v1/checkouts", ask.as_ref()).unwrap();
        (answer.status == 201).then_some(())
    });
    wait_for("systemd to be told that all is well", || {
        (server.show("StatusText") == "running").then_some(())
    });
}

#[test]
fn a_stop_answers_what_is_in_flight_and_says_what_it_waits_for() {
    let server = Installed::new(|_| ());
    server.product(3);
    let body = checkout("tool", "ada").to_string();
    let (half, rest) = body.split_at(body.len() / 2);
    let mut stream = TcpStream::connect(server.api.trim_start_matches("http://")).unwrap();
    let head = format!(
        "POST /v1/checkouts HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{half}",
        server.token(),
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // When a later connection was answered, this one was read.
    server.connect().ask("GET", "/v1/status", None).unwrap();
    server.systemd.ok(&["stop", "--no-block", SERVICE]);
    wait_for("the drain to be told", || {
        let text = server.show("StatusText");
        (text == "stopping: answering requests in flight, 1 left").then_some(())
    });
    assert_eq!(server.show("ActiveState"), "deactivating");
    stream.write_all(rest.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    wait_for("the stop", || {
        (server.show("ActiveState") == "inactive").then_some(())
    });
    assert_eq!(server.show("Result"), "success");
    server.steer("start");
    assert_eq!(server.leases().len(), 1, "what was answered is there");
}

#[test]
fn a_restart_under_load_refuses_no_connection() {
    let server = Installed::new(|_| ());
    let pid = server.main_pid();
    let (stop, asked) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU32::new(0)),
    );
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let (api, token) = (server.api.clone(), server.token());
            let (stop, asked) = (stop.clone(), asked.clone());
            std::thread::spawn(move || {
                let mut failures = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let answer = Http::connect(&api, &token)
                        .and_then(|mut http| http.ask("GET", "/v1/products", None));
                    match answer {
                        Ok(answer) if answer.status == 200 => {}
                        other => failures.push(format!("{other:?}")),
                    }
                    asked.fetch_add(1, Ordering::Relaxed);
                }
                failures
            })
        })
        .collect();
    let more = |what: &str, count: u32| {
        let from = asked.load(Ordering::Relaxed);
        wait_for(what, || {
            (asked.load(Ordering::Relaxed) >= from + count).then_some(())
        });
    };
    for _ in 0..3 {
        more("load", 50);
        server.systemd.ok(&["restart", SERVICE]);
        more("load after the restart", 50);
    }
    stop.store(true, Ordering::Relaxed);
    let failures: Vec<String> = clients
        .into_iter()
        .flat_map(|client| client.join().unwrap())
        .collect();
    assert_ne!(server.main_pid(), pid);
    assert!(
        failures.is_empty(),
        "{} of {} failed: {:?}\n{}",
        failures.len(),
        asked.load(Ordering::Relaxed),
        failures.first(),
        server.systemd.journal()
    );
}

#[test]
fn a_server_that_was_stopped_by_its_api_stays_stopped() {
    let server = Installed::new(|_| ());
    let body = json!({"control": "stop"});
    let told = server
        .connect()
        .ask("POST", "/v1/service/controls", Some(&body))
        .unwrap();
    assert_eq!(told.body["state"], "stop_pending", "{told:?}");
    wait_for("the service and its address to be gone", || {
        let gone = |unit| server.systemd.show(unit, "ActiveState") == "inactive";
        (gone(SERVICE) && gone(SOCKET)).then_some(())
    });
    assert_eq!(server.show("Result"), "success");
    assert!(Http::connect(&server.api, "none").is_err());
    assert_eq!(server.show("NRestarts"), "0");
    server.steer("start");
    assert_eq!(server.show("ActiveState"), "active");
}

#[test]
fn a_disk_that_hangs_during_a_stop_is_told_and_the_stop_ends_with_it() {
    let server = Installed::new(|systemd| {
        let image = systemd.path("image");
        std::fs::File::create(&image)
            .unwrap()
            .set_len(64 << 20)
            .unwrap();
        let mount = format!(
            "mkdir -m 700 /var/lib/private {DATA} && mkfs.ext4 -qF {0} && mount -o loop {0} {DATA}",
            image.display()
        );
        let mounted = systemd.exec(&["sh", "-c", &mount]);
        assert!(mounted.status.success(), "{}", said(&mounted));
    });
    server.product(3);
    let lease = server.lease();
    // It thaws the disk whatever becomes of this test, and is running before the disk hangs.
    let mut thaw = server
        .systemd
        .command(&["sh", "-c", "read -r line; fsfreeze -u \"$0\" || true", DATA])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    server.systemd.ok(&["stop", "--no-block", SOCKET]);
    let frozen = server.systemd.exec(&["fsfreeze", "-f", DATA]);
    assert!(frozen.status.success(), "{}", said(&frozen));
    server.systemd.ok(&["stop", "--no-block", SERVICE]);
    wait_for("the hang to be told", || {
        let text = server.show("StatusText");
        let told = text.contains("stands still") && text.contains("ended by force");
        told.then_some(())
    });
    // The kernel keeps a process that waits for a disk: nobody says that it has stopped.
    assert_eq!(server.show("ActiveState"), "deactivating");
    drop(thaw.stdin.take());
    wait_for("the end", || {
        (server.show("ActiveState") == "failed").then_some(())
    });
    assert!(thaw.wait().unwrap().success());
    assert_eq!(
        server.show("ExecMainStatus"),
        "70",
        "{}",
        server.systemd.journal()
    );
    assert_eq!(server.show("NRestarts"), "0", "it was to stop");
    server.steer("start");
    assert_eq!(server.leases(), [lease]);
}

#[test]
fn without_systemd_it_is_said_what_there_is_instead() {
    if runs(1) && std::path::Path::new("/run/systemd/system").exists() {
        return;
    }
    let output = usher().args(["service", "start", "server"]).ended();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let text = crate::support::stderr(&output);
    assert!(
        text.contains("not run by systemd") && text.contains("usher up"),
        "{text}"
    );
}
