//! A network of the test's own, and in it a server that a cable leads to.

use nix::sched::{CloneFlags, unshare};

use crate::support::said;
use crate::systemd::{PROGRAM, SystemdBox};

/// The unit of the server at the end of the cable.
pub(crate) const SERVICE: &str = "far.service";
pub(crate) const API: &str = "http://10.0.0.2:8470";
const DATA: &str = "/var/lib/far";

/// Gives this thread, and all that it starts from now on, a network of their own.
pub(crate) fn own_network() {
    unshare(CloneFlags::CLONE_NEWNET).unwrap();
}

/// Brings up the loopback device of the box's network.
pub(crate) fn loopback(systemd: &SystemdBox) {
    ok(systemd, &["ip", "link", "set", "lo", "up"]);
}

/// Starts a server in a network of its own, lays a cable to it, and answers its token.
pub(crate) fn start(systemd: &SystemdBox) -> String {
    systemd.write_unit(
        SERVICE,
        &format!(
            "[Service]\nType=notify\nPrivateNetwork=yes\nStateDirectory=far\n\
             ExecStart={PROGRAM} server --run-as root --plain-http --listen 0.0.0.0:8470 --data {DATA}\n"
        ),
    );
    systemd.ok(&["start", SERVICE]);
    let pid = systemd.show(SERVICE, "MainPID");
    let far_end = [
        "ip", "link", "add", "near", "type", "veth", "peer", "name", "far",
    ];
    ok(systemd, &[&far_end[..], &["netns", &pid]].concat());
    ok(
        systemd,
        &["ip", "address", "add", "10.0.0.1/30", "dev", "near"],
    );
    ok(systemd, &["ip", "link", "set", "near", "up"]);
    at_the_far_end(systemd, &["address", "add", "10.0.0.2/30", "dev", "far"]);
    cable(systemd, "up");
    let token = systemd.inside(DATA).join("admin.token");
    std::fs::read_to_string(token).unwrap().trim().to_owned()
}

/// Takes the far end's link `up` or `down`.
pub(crate) fn cable(systemd: &SystemdBox, way: &str) {
    at_the_far_end(systemd, &["link", "set", "far", way]);
}

fn at_the_far_end(systemd: &SystemdBox, words: &[&str]) {
    let pid = systemd.show(SERVICE, "MainPID");
    ok(
        systemd,
        &[&["nsenter", "--net", "--target", &pid, "ip"], words].concat(),
    );
}

fn ok(systemd: &SystemdBox, words: &[&str]) {
    let output = systemd.exec(words);
    assert!(output.status.success(), "{words:?}: {}", said(&output));
}
