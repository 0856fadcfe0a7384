//! The metering server as a service, installed by its own command on a systemd of the test's own.

use std::path::Path;

use serde_json::{Value, json};
use usher_testing::undo::{self, Undo};

use crate::http::{Http, checkout};
use crate::support::{Ended, said, stdout, usher};
use crate::systemd::{PROGRAM, SystemdBox};

pub(crate) const SERVICE: &str = "usher-server.service";
pub(crate) const SOCKET: &str = "usher-server.socket";
/// Where the server's data directory is, in the box.
pub(crate) const DATA: &str = "/var/lib/private/usher";

/// The server, installed by itself in a box of its own.
pub(crate) struct Installed {
    pub(crate) systemd: SystemdBox,
    pub(crate) api: String,
}

impl Installed {
    /// Installs it: `prepare` may do something before its first start.
    pub(crate) fn new(prepare: impl FnOnce(&SystemdBox)) -> Installed {
        Installed::from(PROGRAM, SystemdBox::start(), prepare)
    }

    /// Installs it from `/run/own/usher`, which can be exchanged; another program that does the
    /// same lies beside it as `usher-new`.
    pub(crate) fn with_a_program_of_its_own() -> Installed {
        let systemd = SystemdBox::start();
        let copy =
            format!("cp {PROGRAM} usher && cp usher usher-new && printf another >> usher-new");
        Installed::from_own(systemd, &copy)
    }

    /// Installs `old` as `/run/own/usher`; the program under test lies beside it as `usher-new`.
    pub(crate) fn with_two_programs(old: &Path) -> Installed {
        let systemd = SystemdBox::start();
        let copy = format!("cp {} usher && cp {PROGRAM} usher-new", old.display());
        Installed::from_own(systemd, &copy)
    }

    fn from_own(systemd: SystemdBox, copy: &str) -> Installed {
        let copied = systemd.exec(&[
            "sh",
            "-c",
            &format!("mkdir /run/own && cd /run/own && {copy}"),
        ]);
        assert!(copied.status.success(), "{}", said(&copied));
        Installed::from("/run/own/usher", systemd, |_| ())
    }

    fn from(program: &str, systemd: SystemdBox, prepare: impl FnOnce(&SystemdBox)) -> Installed {
        let probe = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = probe.local_addr().unwrap().to_string();
        drop(probe);
        let units = systemd.units();
        let install = systemd.exec(&[
            program,
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
    pub(crate) fn with_a_short_watchdog(systemd: &SystemdBox) {
        let drop_in = systemd.units().join(format!("{SERVICE}.d"));
        std::fs::create_dir(&drop_in).unwrap();
        std::fs::write(drop_in.join("test.conf"), "[Service]\nWatchdogSec=2\n").unwrap();
        systemd.reload();
    }

    /// `usher service VERB server`.
    pub(crate) fn steer(&self, verb: &str) {
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

    pub(crate) fn show(&self, property: &str) -> String {
        self.systemd.show(SERVICE, property)
    }

    pub(crate) fn token(&self) -> String {
        let path = self.systemd.inside(DATA).join("admin.token");
        std::fs::read_to_string(path).unwrap().trim().to_owned()
    }

    pub(crate) fn connect(&self) -> Http {
        Http::connect(&self.api, &self.token()).unwrap()
    }

    /// A client command, from outside the box.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let mut command = usher();
        command
            .args(args)
            .args(["--json", "--server", &self.api, "--token", &self.token()]);
        let output = command.ended();
        assert!(output.status.success(), "usher {args:?}: {}", said(&output));
        serde_json::from_str(&stdout(&output)).unwrap()
    }

    pub(crate) fn product(&self, seats: u32) {
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

    pub(crate) fn lease(&self) -> String {
        let answer = self
            .connect()
            .ask("POST", "/v1/checkouts", Some(&checkout("tool", "ada")))
            .unwrap();
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.body["lease"]["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn leases(&self) -> Vec<String> {
        let leases = self.connect().ask("GET", "/v1/leases", None).unwrap().body;
        let items = leases["items"].as_array().unwrap();
        let ids = items.iter().map(|lease| lease["id"].as_str().unwrap());
        ids.map(str::to_owned).collect()
    }

    pub(crate) fn main_pid(&self) -> String {
        self.show("MainPID")
    }
}

/// Gives the data directory a disk of its own.
pub(crate) fn on_a_disk(systemd: &SystemdBox) {
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
}

/// Lets the disk hang until this is dropped.
pub(crate) fn freeze(server: &Installed) -> Undo {
    undo::freeze(&server.systemd.inside(DATA)).unwrap()
}
