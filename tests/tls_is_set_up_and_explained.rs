//! A certificate is made by one command, is taken by clients, and what is wrong with one is told in
//! words with what cures it, by the server before it serves and by clients.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::{Ended, Folder, Running, said, stdout, usher, wait_for};
use crate::systemd::{PROGRAM, SystemdBox};

/// `usher tls make`, into a folder of its own.
fn make(dir: &Path, args: &[&str]) -> Output {
    let mut command = usher();
    command.args(["tls", "make", "--dir"]).arg(dir).args(args);
    command.ended()
}

fn made(folder: &Folder, name: &str, names: &[&str]) -> PathBuf {
    let dir = folder.path(name);
    let names: Vec<&str> = names.iter().flat_map(|name| ["--name", name]).collect();
    let output = make(&dir, &names);
    assert!(output.status.success(), "{}", said(&output));
    dir
}

/// A server that shows that certificate.
fn server(folder: &Folder, cert: &Path, key: &Path) -> Running {
    let mut command = usher();
    command
        .args(["server", "--listen", "127.0.0.1:0", "--tls-cert"])
        .arg(cert)
        .arg("--tls-key")
        .arg(key);
    Running::start(&mut command, &folder.path("data"))
}

/// `usher status` of the server at `url`, by who trusts `ca`.
fn status(url: &str, data: &Path, ca: Option<&Path>) -> Output {
    let mut command = usher();
    command
        .args(["status", "--server", url, "--data"])
        .arg(data);
    if let Some(ca) = ca {
        command.arg("--ca-file").arg(ca);
    }
    command.ended()
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_certificate_that_was_made_is_taken_by_who_trusts_its_authority_and_nobody_else() {
    let folder = Folder::new();
    let dir = made(&folder, "tls", &["licences.example.org"]);
    let server = server(&folder, &dir.join("server.pem"), &dir.join("server.key"));
    let port = server.api.rsplit_once(':').unwrap().1.to_owned();
    let url = format!("https://localhost:{port}");
    let trusted = status(&url, &server.data, Some(&dir.join("ca.pem")));
    assert!(trusted.status.success(), "{}", said(&trusted));

    let other = made(&folder, "other", &[]);
    for ca in [None, Some(other.join("ca.pem"))] {
        let untrusted = status(&url, &server.data, ca.as_deref());
        let words = words(&untrusted);
        assert_eq!(untrusted.status.code(), Some(69), "{words}");
        assert!(
            words.contains("an authority that is not trusted here"),
            "{words}"
        );
        assert!(words.contains("--ca-file FILE"), "{words}");
        let names_another = words.contains("the file of --ca-file");
        assert_eq!(names_another, ca.is_some(), "{words}");
        assert!(!words.contains("no Usher server answers"), "{words}");
    }
    let mut doctor = usher();
    doctor.args(["doctor", "--server", &url, "--data"]);
    let doctor = stdout(&doctor.arg(&server.data).ended());
    assert!(doctor.contains("cannot talk to the server"), "{doctor}");
    assert!(!doctor.contains("Start one with"), "{doctor}");
    let nothing = status(&url, &server.data, Some(&dir.join("server.key")));
    assert!(
        words(&nothing).contains("it holds a key and no certificate"),
        "{}",
        words(&nothing)
    );
    // The renewed one has the names of before, and its clients need nothing new.
    let again = make(&dir, &[]);
    assert!(
        words(&again).contains("is there already"),
        "{}",
        words(&again)
    );
    let renewed = make(&dir, &["--renew"]);
    assert!(renewed.status.success(), "{}", said(&renewed));
    assert!(
        stdout(&renewed).contains("for licences.example.org, localhost"),
        "{}",
        stdout(&renewed)
    );
    let plain = status(&format!("http://localhost:{port}"), &server.data, None);
    assert!(
        words(&plain).contains("write https://"),
        "{}",
        words(&plain)
    );
}

#[test]
fn a_certificate_for_other_names_is_told_with_those_that_it_is_for() {
    let folder = Folder::new();
    openssl_authority(&folder);
    let (cert, key) = openssl(
        &folder,
        "server",
        "subjectAltName=DNS:a.example,IP:10.0.0.7\nbasicConstraints=CA:FALSE\n",
    );
    let server = server(&folder, &cert, &key);
    let asked = status(&server.api, &server.data, Some(&folder.path("ca.pem")));
    let words = words(&asked);
    assert!(
        words.contains("its certificate is for a.example and 10.0.0.7, and not for 127.0.0.1"),
        "{words}"
    );
}

#[test]
fn tls_where_plain_http_is_spoken_is_told_as_that() {
    let folder = Folder::new();
    let mut command = usher();
    command.args(["server", "--listen", "127.0.0.1:0"]);
    let server = Running::start(&mut command, &folder.path("data"));
    let asked = status(&server.api.replace("http:", "https:"), &server.data, None);
    assert!(
        words(&asked).contains("does not speak TLS: write http://"),
        "{}",
        words(&asked)
    );
}

#[test]
fn a_server_refuses_at_its_start_what_no_client_will_take() {
    let folder = Folder::new();
    // What everybody makes: an authority that says that it is a server.
    openssl_run(
        &folder,
        &[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-keyout",
            "x509.key",
            "-out",
            "x509.pem",
            "-days",
            "30",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
        ],
    );
    openssl_authority(&folder);
    let nameless = openssl(&folder, "nameless", "basicConstraints=CA:FALSE\n");
    let client = openssl(
        &folder,
        "client",
        "subjectAltName=DNS:localhost\nextendedKeyUsage=clientAuth\n",
    );
    let of_everybody = (folder.path("x509.pem"), folder.path("x509.key"));
    for ((cert, key), why) in [
        (of_everybody, "it is an authority's certificate (CA:TRUE"),
        (nameless, "it names no computer (it has no subjectAltName"),
        (client, "it is not for servers"),
    ] {
        for role in ["server", "manager", "up"] {
            let mut command = usher();
            command
                .args([role, "--tls-cert"])
                .arg(&cert)
                .arg("--tls-key")
                .arg(&key)
                .arg("--data")
                .arg(folder.path(role));
            command.args(match role {
                "manager" => ["--console", "127.0.0.1:0"],
                _ => ["--listen", "127.0.0.1:0"],
            });
            let refused = command.ended();
            assert_eq!(refused.status.code(), Some(2), "{role}: {}", said(&refused));
            let words = words(&refused);
            assert!(words.contains(why), "{role}: {words}");
            assert!(words.contains("usher tls make"), "{role}: {words}");
        }
        let mut show = usher();
        let shown = show.args(["tls", "show"]).arg(&cert).ended();
        assert_eq!(shown.status.code(), Some(1), "{}", said(&shown));
    }
}

#[test]
fn everything_on_one_computer_works_with_a_certificate_that_was_made() {
    let folder = Folder::new();
    let dir = made(&folder, "tls", &["licences.example.org"]);
    let mut command = usher();
    command
        .args([
            "up",
            "--no-agent",
            "--listen",
            "127.0.0.1:0",
            "--console",
            "127.0.0.1:0",
        ])
        .arg("--tls-cert")
        .arg(dir.join("server.pem"))
        .arg("--tls-key")
        .arg(dir.join("server.key"));
    let up = Running::start(&mut command, &folder.path("data"));
    let servers = |()| {
        let console = up
            .ready
            .split(' ')
            .find_map(|word| word.strip_prefix("console="));
        let mut command = usher();
        command.args(["servers", "list", "--json", "--manager", console.unwrap()]);
        let listed = command.arg("--data").arg(&up.data).ended();
        assert!(listed.status.success(), "{}", said(&listed));
        serde_json::from_str::<serde_json::Value>(&stdout(&listed)).unwrap()
    };
    wait_for("the manager to find its server well", || {
        (servers(())["items"][0]["verdict"] == "running").then_some(())
    });
}

#[test]
fn a_manager_says_of_a_server_whose_certificate_it_does_not_trust_what_is_missing() {
    let folder = Folder::new();
    let dir = made(&folder, "tls", &[]);
    let server = server(&folder, &dir.join("server.pem"), &dir.join("server.key"));
    let mut command = usher();
    command.args(["manager", "--console", "127.0.0.1:0"]);
    let manager = Running::start(&mut command, &folder.path("manager"));
    let token = std::fs::read_to_string(manager.data.join("admin.token")).unwrap();
    let console = manager.ready.split(' ');
    let console = console
        .filter_map(|word| word.strip_prefix("console="))
        .next();
    let asked = |words: &[&str]| {
        let mut command = usher();
        command.env("USHER_TOKEN", token.trim()).args(["servers"]);
        let command = command.args(words).args(["--manager", console.unwrap()]);
        let output = command.ended();
        assert!(output.status.success(), "{}", said(&output));
        stdout(&output)
    };
    let url = server.api.replace("127.0.0.1", "localhost");
    let of_server = server.data.join("admin.token");
    let of_server = of_server.to_str().unwrap();
    asked(&["add", "alpha", "--url", &url, "--token-file", of_server]);
    let told = asked(&["poll", "alpha", "--json"]);
    assert!(
        told.contains("an authority that is not trusted here"),
        "{told}"
    );
    assert!(told.contains("--ca-file"), "{told}");
}

#[test]
fn one_settings_file_gives_the_manager_no_certificate_of_the_server() {
    let folder = Folder::new();
    let dir = made(&folder, "tls", &[]);
    let settings = format!(
        "tls-cert = \"{0}/server.pem\"\ntls-key = \"{0}/server.key\"\n",
        dir.display()
    );
    let config = folder.path("usher.toml");
    let manager = |text: &str| {
        std::fs::write(&config, text).unwrap();
        let mut command = usher();
        command.args(["manager", "--console", "127.0.0.1:0", "--config"]);
        Running::start(command.arg(&config), &folder.path("manager"))
    };
    let plain = manager(&settings);
    assert!(plain.ready.contains("console=http://"), "{}", plain.ready);
    drop(plain);
    let own = settings.replace("server.", "manager.");
    let made = make(&dir, &["manager"]);
    assert!(made.status.success(), "{}", said(&made));
    let over_tls = manager(&format!("{settings}[role.manager]\n{own}"));
    assert!(
        over_tls.ready.contains("console=https://"),
        "{}",
        over_tls.ready
    );
}

#[test]
fn a_service_without_an_account_of_its_own_is_handed_a_key_that_only_root_may_read() {
    let systemd = SystemdBox::start();
    let dir = systemd.path("tls");
    let units = systemd.units();
    let (dir, units) = (dir.to_str().unwrap(), units.to_str().unwrap());
    let probe = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = probe.local_addr().unwrap();
    drop(probe);
    let ok = |words: &[&str]| {
        let output = systemd.exec(words);
        assert!(
            output.status.success(),
            "{words:?}: {}\n{}",
            said(&output),
            systemd.journal()
        );
        stdout(&output)
    };
    ok(&[PROGRAM, "tls", "make", "--dir", dir]);
    ok(&["chmod", "700", dir]);
    let (cert, key) = (format!("{dir}/server.pem"), format!("{dir}/server.key"));
    let listen = address.to_string();
    ok(&[
        PROGRAM,
        "service",
        "install",
        "server",
        "--listen",
        &listen,
        "--tls-cert",
        &cert,
        "--tls-key",
        &key,
        "--unit-dir",
        units,
    ]);
    systemd.reload();
    ok(&[PROGRAM, "service", "start", "server"]);
    let token = systemd.inside("/var/lib/private/usher/admin.token");
    let token = std::fs::read_to_string(token).unwrap();
    let url = format!("https://localhost:{}", address.port());
    let ca = format!("{dir}/ca.pem");
    let shown = ok(&[
        PROGRAM,
        "status",
        "--server",
        &url,
        "--ca-file",
        &ca,
        "--token",
        token.trim(),
    ]);
    assert!(shown.contains("running"), "{shown}");
    let unit = format!("{units}/usher-server.service");
    let unit = std::fs::read_to_string(unit).unwrap();
    assert!(unit.contains("DynamicUser=yes"), "{unit}");
}

/// An authority by hand, `ca.pem` and `ca.key`.
fn openssl_authority(folder: &Folder) {
    openssl_run(
        folder,
        &[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-keyout",
            "ca.key",
            "-out",
            "ca.pem",
            "-days",
            "30",
            "-subj",
            "/CN=By hand",
        ],
    );
}

/// A certificate of that authority with those extensions, and its key.
fn openssl(folder: &Folder, name: &str, extensions: &str) -> (PathBuf, PathBuf) {
    let file = |ending: &str| format!("{name}.{ending}");
    std::fs::write(folder.path(&file("ext")), extensions).unwrap();
    openssl_run(
        folder,
        &[
            "req",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-keyout",
            &file("key"),
            "-out",
            &file("csr"),
            "-subj",
            "/CN=localhost",
        ],
    );
    openssl_run(
        folder,
        &[
            "x509",
            "-req",
            "-in",
            &file("csr"),
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-days",
            "30",
            "-out",
            &file("pem"),
            "-extfile",
            &file("ext"),
        ],
    );
    (folder.path(&file("pem")), folder.path(&file("key")))
}

fn openssl_run(folder: &Folder, words: &[&str]) {
    let mut command = Command::new("openssl");
    command.args(words).current_dir(folder.path(""));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
}
