//! A server whose process is frozen takes connections, for the kernel does, and answers nothing. That
//! is the same evidence with TLS as without: it is stuck, and never called out of reach.

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::{Ended, Folder, Running, said, signal, stderr, stdout, usher};

/// A plain server, one that speaks TLS, and a manager that watches both and knows their data
/// directories.
struct Site {
    plain: Running,
    secure: Running,
    manager: Running,
    /// The authority of the one that speaks TLS.
    ca: String,
    _folder: Folder,
}

impl Site {
    fn new() -> Site {
        let folder = Folder::new();
        let tls = folder.path("tls");
        let made = usher().args(["tls", "make", "--dir"]).arg(&tls).ended();
        assert!(made.status.success(), "{}", said(&made));
        let ca = tls.join("ca.pem").to_str().unwrap().to_owned();
        let server = |name: &str, options: &[&str]| {
            let mut command = usher();
            command.args(["server", "--listen", "127.0.0.1:0"]);
            Running::start(command.args(options), &folder.path(name))
        };
        let (cert, key) = (tls.join("server.pem"), tls.join("server.key"));
        let (cert, key) = (cert.to_str().unwrap(), key.to_str().unwrap());
        let site = Site {
            plain: server("plain", &[]),
            secure: server("secure", &["--tls-cert", cert, "--tls-key", key]),
            manager: Running::start(
                usher().args(["manager", "--console", "127.0.0.1:0", "--ca-file", &ca]),
                &folder.path("manager"),
            ),
            ca,
            _folder: folder,
        };
        for (name, server) in site.servers() {
            let token = server.data.join("admin.token");
            let options = [
                "--token-file",
                token.to_str().unwrap(),
                "--server-data",
                server.data.to_str().unwrap(),
            ];
            let url = url(server);
            let words = [&["add", name, "--url", &url][..], &options[..]].concat();
            assert_eq!(site.asked(&words)["verdict"], "running");
        }
        site
    }

    fn servers(&self) -> [(&'static str, &Running); 2] {
        [("plain", &self.plain), ("secure", &self.secure)]
    }

    /// What the manager says of a server.
    fn asked(&self, words: &[&str]) -> Value {
        let mut ready = self.manager.ready.split(' ');
        let console = ready.find_map(|word| word.strip_prefix("console="));
        let at = ["--manager", console.unwrap()];
        let words = [&["servers"][..], words, &at[..]].concat();
        self.manager.json(&words)
    }
}

/// By a name that its certificate has.
fn url(server: &Running) -> String {
    server.api.replace("127.0.0.1", "localhost")
}

#[test]
fn a_frozen_server_is_told_as_stuck_with_tls_as_without() {
    let site = Site::new();
    for (_, server) in site.servers() {
        signal(server.child.id(), Signal::SIGSTOP);
    }
    let mut found = Vec::new();
    for (name, _) in site.servers() {
        let seen = site.asked(&["poll", name]);
        assert_eq!(seen["verdict"], "stuck", "{seen:#}");
        assert_eq!(seen["episode"]["message_id"], 9410, "{seen:#}");
        let evidence = seen["evidence"].as_array().unwrap().clone();
        let of = |source: &str| {
            let it = evidence.iter().find(|it| it["source"] == source).unwrap();
            it["finding"].as_str().unwrap().to_owned()
        };
        let lock = of("service_manager");
        assert!(lock.contains("holds the lock"), "{seen:#}");
        found.push(of("api"));
    }
    assert_eq!(found[0], found[1]);
    assert!(found[0].contains("took the connection and did not answer"));
    for (name, server) in site.servers() {
        signal(server.child.id(), Signal::SIGCONT);
        assert_eq!(site.asked(&["poll", name])["verdict"], "running", "{name}");
    }
}

/// Not only a manager is asked how a server is.
#[test]
fn whoever_asks_a_frozen_server_is_told_that_it_takes_connections_and_answers_none() {
    let site = Site::new();
    for (_, server) in site.servers() {
        signal(server.child.id(), Signal::SIGSTOP);
    }
    for (_, server) in site.servers() {
        let url = url(server);
        let asks = |words: &[&str]| {
            let mut command = usher();
            let command = command.args(words).args(["--server", &url]);
            command
                .args(["--token", "none", "--ca-file", &site.ca])
                .ended()
        };
        let check = asks(&["check", "--server-only"]);
        let line = stdout(&check);
        assert_eq!(check.status.code(), Some(2), "{}", said(&check));
        assert!(line.starts_with("USHER CRITICAL - "), "{line}");
        assert!(line.contains("took the connection"), "{line}");
    }
    let url = url(&site.secure);
    let mut doctor = usher();
    doctor.args(["doctor", "--server", &url, "--ca-file", &site.ca]);
    let doctor = doctor.arg("--data").arg(&site.secure.data).ended();
    let told = stdout(&doctor);
    assert!(
        told.contains("took the connection"),
        "{told}{}",
        stderr(&doctor)
    );
    assert!(!told.contains("firewall"), "{told}");
}
