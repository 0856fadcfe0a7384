//! The metering server as a service of a real systemd: what it says is what it does, what hangs is
//! ended, and a restart refuses nobody.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use crate::http::{Http, checkout};
use crate::installed::{DATA, Installed, SERVICE, SOCKET, freeze, on_a_disk};
use crate::load::Load;
use crate::support::{Ended, runs, said, stderr, stdout, usher, wait_for};
use crate::systemd::{PROGRAM, SystemdBox};

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
    assert_eq!(server.systemd.show(SOCKET, "ActiveState"), "active");
    assert_eq!(server.leases(), [lease]);
}

#[test]
fn a_server_whose_disk_hangs_is_not_taken_for_alive() {
    let server = Installed::new(|systemd| {
        Installed::with_a_short_watchdog(systemd);
        on_a_disk(systemd);
    });
    server.product(3);
    let lease = server.lease();
    let frozen = freeze(&server);
    // Nobody asks for anything, and all but the disk goes on.
    wait_for("the watchdog", || {
        (server.show("Result") == "watchdog").then_some(())
    });
    drop(frozen);
    wait_for("another start", || {
        (server.show("NRestarts") == "1" && server.show("ActiveState") == "active").then_some(())
    });
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
    // Fill what is left: writing stops when there is no more room.
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
    server.product(4);
    let pid = server.main_pid();
    let load = Load::begin(&server.api, &server.token());
    for _ in 0..3 {
        server.systemd.ok(&["restart", SERVICE]);
        load.goes_on("load after the restart");
    }
    let (rounds, failures) = load.end();
    assert_ne!(server.main_pid(), pid);
    assert!(
        failures.is_empty(),
        "{} of {rounds} failed: {:?}\n{}",
        failures.len(),
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
    let server = Installed::new(on_a_disk);
    server.product(3);
    let lease = server.lease();
    let frozen = freeze(&server);
    server.systemd.ok(&["stop", "--no-block", SERVICE]);
    wait_for("the hang to be told", || {
        let text = server.show("StatusText");
        let told = text.contains("stands still") && text.contains("ended by force");
        told.then_some(())
    });
    // The kernel keeps a process that waits for a disk: nobody says that it has stopped.
    assert_eq!(server.show("ActiveState"), "deactivating");
    drop(frozen);
    wait_for("the end", || {
        (server.show("ActiveState") == "failed").then_some(())
    });
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
fn an_agent_that_may_do_no_more_than_it_needs_watches_and_reports() {
    let server = Installed::new(|_| ());
    let systemd = &server.systemd;
    let units = systemd.units();
    let data = "/var/lib/usher-agent";
    let said_by = |words: &[&str]| {
        let output = systemd.exec(&[&[PROGRAM], words].concat());
        assert!(output.status.success(), "{words:?}: {}", said(&output));
        stdout(&output).trim().to_owned()
    };
    let units = units.to_str().unwrap();
    said_by(&[
        "service",
        "install",
        "agent",
        "--unit-dir",
        units,
        "--server",
        &server.api,
    ]);
    let entry = systemd.units().join("usher-notify.desktop");
    let says = std::fs::read_to_string(&entry).unwrap();
    assert!(
        says.contains(&format!("Exec=\"{PROGRAM}\" notify\n")),
        "{says}"
    );
    let id = said_by(&["agent", "--print-computer-id", "--data", data]);
    let token = server.token();
    let token = said_by(&[
        "token",
        "create",
        "--role",
        "agent",
        "--computer",
        &id,
        "--server",
        &server.api,
        "--token",
        &token,
    ]);
    std::fs::write(systemd.inside(data).join("agent/agent.token"), token).unwrap();
    said_by(&["service", "start", "agent"]);
    assert_eq!(systemd.show("usher-agent.service", "ActiveState"), "active");
    wait_for("the agent to have reported", || {
        let status = server.json(&["status"]);
        (status["computers"][0]["id"] == id.as_str()).then_some(())
    });
    said_by(&["agent", "status", "--agent-socket", "/run/usher/agent.sock"]);
    said_by(&["service", "stop", "agent"]);
    assert_eq!(systemd.show("usher-agent.service", "Result"), "success");
    said_by(&["service", "remove", "agent", "--unit-dir", units]);
    assert!(
        systemd.inside(data).join("agent").is_dir(),
        "its data stays"
    );
    assert!(!systemd.units().join("usher-agent.service").exists());
    assert!(!entry.exists());
}

#[test]
fn each_unit_stays_as_closed_as_the_guide_says() {
    let systemd = SystemdBox::start();
    let units = systemd.units();
    for (role, exposure_tenths) in [("server", "12"), ("manager", "12"), ("agent", "41")] {
        let install = systemd.exec(&[
            PROGRAM,
            "service",
            "install",
            role,
            "--unit-dir",
            units.to_str().unwrap(),
        ]);
        assert!(install.status.success(), "{}", said(&install));
        let unit = units.join(format!("usher-{role}.service"));
        let checked = systemd.exec(&[
            "systemd-analyze",
            "security",
            "--offline=true",
            "--no-pager",
            "--threshold",
            exposure_tenths,
            unit.to_str().unwrap(),
        ]);
        assert!(checked.status.success(), "{}", said(&checked));
        let verified = systemd.exec(&["systemd-analyze", "verify", unit.to_str().unwrap()]);
        assert!(verified.status.success(), "{}", said(&verified));
    }
}

#[test]
fn without_systemd_it_is_said_what_there_is_instead() {
    if runs(1) && std::path::Path::new("/run/systemd/system").exists() {
        return;
    }
    let output = usher().args(["service", "start", "server"]).ended();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let text = stderr(&output);
    assert!(
        text.contains("not run by systemd") && text.contains("usher up"),
        "{text}"
    );
}
