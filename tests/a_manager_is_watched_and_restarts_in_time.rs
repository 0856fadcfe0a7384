//! A manager on a real systemd: it is ended when it does no work, and it restarts a server that
//! grows without losing a request.

use serde_json::{Value, json};
use usher_testing::undo;

use crate::installed::{Installed, SERVICE};
use crate::load::Load;
use crate::managed::manager_with;
use crate::support::{said, wait_for};
use crate::systemd::{PROGRAM, SystemdBox};

const MANAGER: &str = "usher-manager.service";
const MANAGER_DATA: &str = "/var/lib/private/usher-manager";

#[test]
fn a_server_that_is_over_its_memory_limit_is_restarted_without_losing_a_request() {
    // Dropped after the box, which ends what entered it.
    let mut _entered = None;
    let server = Installed::new(|_| ());
    server.product(100);
    let lease = server.lease();
    // What uses more than a megabyte is restarted. Under load no moment is good: it is in the midst
    // of it.
    let options = ["--memory-limit", "1", "--memory-wait", "0s"];
    let (manager, mut console) = manager_with(&server, &options);
    _entered = Some(manager);
    let load = Load::begin(&server.api, &server.token());
    let pid = server.main_pid();
    let body = json!({
        "name": "alpha", "url": server.api, "token": server.token(), "unit": SERVICE,
    });
    let added = console.ask("POST", "/v1/servers", Some(&body)).unwrap();
    assert_eq!(added.status, 201, "{added:?}");
    // It is over the limit again after each restart: that many are done within an hour, no more.
    let mut poll = || {
        let polled = console.ask("POST", "/v1/servers/alpha/poll", Some(&json!({})));
        let polled = polled.unwrap();
        let answer = console
            .ask("GET", "/v1/messages?server=alpha&limit=1000", None)
            .unwrap();
        let items = answer.body["items"].as_array().unwrap().clone();
        (polled.body, items)
    };
    let ids = |items: &[Value]| -> Vec<u64> {
        let ids = items.iter().rev().map(|item| item["id"].as_u64().unwrap());
        ids.filter(|id| *id != 9440).collect()
    };
    let (seen, items) = wait_for("restarts to be given up", || {
        let (seen, items) = poll();
        ids(&items).contains(&9428).then_some((seen, items))
    });
    load.goes_on("load after the restarts");
    let (asked, failures) = load.end();
    let journal = server.systemd.journal();
    assert!(
        failures.is_empty(),
        "{} of {asked} failed: {:?}\n{journal}",
        failures.len(),
        failures.first()
    );
    assert_ne!(server.main_pid(), pid);
    assert_eq!(server.leases(), [lease], "what was granted is held");
    assert_eq!(seen["verdict"], "running", "{seen:#}");
    // Nothing else was told: no restart was taken for trouble.
    let told = ids(&items);
    let count_of = |id: u64| -> u64 {
        let of = items.iter().filter(|item| item["id"] == id);
        of.map(|item| item["count"].as_u64().unwrap()).sum()
    };
    // The same within a minute is one message with a count.
    for (id, times) in [(9425, 3), (9426, 3), (9427, 3), (9428, 1)] {
        assert_eq!(count_of(id), times, "{id}: {items:#?}");
    }
    assert!(told.iter().all(|id| (9425..=9428).contains(id)), "{told:?}");
}

/// The manager as a service on a disk of its own, with a watchdog that waits for 3 s.
fn installed_manager() -> SystemdBox {
    let systemd = SystemdBox::start();
    let units = systemd.units();
    let install = systemd.exec(&[
        PROGRAM,
        "service",
        "install",
        "manager",
        "--unit-dir",
        units.to_str().unwrap(),
    ]);
    assert!(install.status.success(), "{}", said(&install));
    let rights = units.join("50-usher-manager.rules");
    let rights = std::fs::read_to_string(rights).unwrap();
    assert!(rights.contains("[\"usher-server.service\"]"), "{rights}");
    let unit = units.join(MANAGER);
    let text = std::fs::read_to_string(&unit).unwrap();
    let text = text
        .replace("WatchdogSec=60", "WatchdogSec=3")
        .replace(" manager --data", " manager --console 127.0.0.1:0 --data");
    std::fs::write(unit, text).unwrap();
    systemd.reload();
    let image = systemd.path("manager-image");
    let file = std::fs::File::create(&image).unwrap();
    file.set_len(64 << 20).unwrap();
    let mount = format!(
        "mkdir -m 700 /var/lib/private {MANAGER_DATA} && mkfs.ext4 -qF {0} && \
         mount -o loop {0} {MANAGER_DATA}",
        image.display()
    );
    let mounted = systemd.exec(&["sh", "-c", &mount]);
    assert!(mounted.status.success(), "{}", said(&mounted));
    systemd.ok(&["start", MANAGER]);
    systemd
}

#[test]
fn a_manager_that_stores_nothing_is_ended_by_its_watchdog_and_one_that_does_is_not() {
    let systemd = installed_manager();
    let pid = || systemd.show(MANAGER, "MainPID");
    let first = pid();
    let stamp = || systemd.show(MANAGER, "WatchdogTimestampMonotonic");
    // Signs of life go on though nobody asks it anything.
    for _ in 0..3 {
        let last = stamp();
        wait_for("a sign of life", || (stamp() != last).then_some(()));
    }
    assert_eq!(pid(), first);

    // What hangs is the disk, not the process: a timer would go on.
    let frozen = undo::freeze(&systemd.inside(MANAGER_DATA)).unwrap();
    wait_for("the watchdog", || {
        (systemd.show(MANAGER, "Result") == "watchdog").then_some(())
    });
    drop(frozen);
    wait_for("another manager", || {
        let is_up = systemd.show(MANAGER, "ActiveState") == "active";
        (is_up && pid() != first).then_some(())
    });
}
