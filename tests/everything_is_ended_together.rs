//! `usher up`: roles are started, restarted and ended together, and it says when it cannot.

use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::http::Http;
use crate::support::{
    DEADLINE, Ended, Folder, Running, runs, said, signal, stderr, stdout, usher, wait_for,
    wait_within,
};

#[test]
fn the_ready_line_tells_where_the_api_the_console_and_the_data_are() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    let words: Vec<&str> = running.ready.split(' ').collect();
    let [_, api, console, data] = words[..] else {
        panic!("{}", running.ready)
    };
    assert_eq!(api, format!("api={}", running.api));
    assert_eq!(data, format!("data={}", folder.path("data").display()));
    let console = console.strip_prefix("console=").unwrap();
    assert!(console.starts_with("http://127.0.0.1:") && !console.ends_with(":0"));
    assert!(running.api.starts_with("http://127.0.0.1:") && !running.api.ends_with(":0"));
    assert_eq!(running.json(&["status"])["server"]["state"], "running");
}

#[test]
fn no_role_outlives_it_even_where_it_is_killed() {
    let folder = Folder::new();
    let mut running = Running::up(&folder.path("data"));
    let children = running.children();
    assert!(!children.is_empty() && children.iter().all(|pid| runs(*pid)));
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    wait_for("the end of its children", || {
        (!children.iter().any(|pid| runs(*pid))).then_some(())
    });
}

#[test]
fn sigterm_and_ctrl_c_stop_it_cleanly() {
    for how in [Signal::SIGTERM, Signal::SIGINT] {
        let folder = Folder::new();
        let mut running = Running::up(&folder.path("data"));
        let children = running.children();
        signal(running.child.id(), how);
        let status = wait_for("a clean stop", || running.child.try_wait().unwrap());
        assert_eq!(status.code(), Some(0), "{how}");
        assert!(!children.iter().any(|pid| runs(*pid)));
    }
}

#[test]
fn a_role_that_was_killed_is_started_again_where_it_was_and_forgets_no_lease() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    running.ok(&["product", "add", "tool", "--seats", "1"]);
    let lease = running.ok(&["checkout", "tool", "--ttl", "5m"]);
    let server = running.role("server").unwrap();
    signal(server, Signal::SIGKILL);
    wait_for("another server", || {
        running.role("server").filter(|pid| *pid != server)
    });
    let leases = wait_for("its answers", || {
        let output = running.usher(&["leases", "--json"]).ended();
        serde_json::from_slice::<serde_json::Value>(&output.stdout).ok()
    });
    assert_eq!(leases["items"][0]["id"], lease.trim());
    assert_eq!(running.fails(&["checkout", "tool"]).0, 77);
}

/// Kills a role until `usher up` starts it no more, and waits for what `says` so.
fn is_given_up(running: &Running, role: &str, says: impl Fn() -> bool) {
    let mut killed = None;
    wait_within(Duration::from_secs(60), "the end of the role", || {
        if let Some(pid) = running.role(role).filter(|pid| killed != Some(*pid)) {
            signal(pid, Signal::SIGKILL);
            killed = Some(pid);
        }
        says().then_some(())
    });
}

#[test]
fn status_tells_of_a_server_that_is_given_up_though_no_server_answers() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    let status = |options: &[&str]| {
        let output = running.usher(&[&["status"], options].concat()).ended();
        (output.status.code(), stderr(&output))
    };
    let says = "the server of `usher up` ended 5 times within 10 minutes and is not started again";
    is_given_up(&running, "server", || status(&[]).1.contains(says));
    for options in [&[][..], &["--json"]] {
        let (code, said) = status(options);
        assert_eq!(code, Some(69), "{said}");
        assert!(said.contains(says), "{said}");
        assert!(said.contains("restart `usher up`"), "{said}");
        assert!(!said.contains("starts all of it"), "{said}");
    }
}

#[test]
fn a_manager_that_is_given_up_is_told_by_status_and_is_not_ok_to_a_monitor() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    let check = |options: &[&str]| {
        let output = running.usher(&[&["check"], options].concat()).ended();
        (output.status.code(), stdout(&output))
    };
    let says = "the manager of `usher up` ended 5 times within 10 minutes and is not started again";
    assert_eq!(check(&[]).0, Some(0));
    is_given_up(&running, "manager", || {
        running.ok(&["status"]).contains(says)
    });
    for options in [&[][..], &["--server-only"]] {
        let (code, line) = check(options);
        assert_eq!(code, Some(1), "{line}");
        assert!(line.contains(says), "{line}");
    }
    let status = running.json(&["status"]);
    assert_eq!(status["given_up"], serde_json::json!([says]), "{status}");
    assert_eq!(status["server"]["state"], "running");
}

#[test]
fn a_second_one_on_the_same_data_says_so_and_leaves_the_first_alone() {
    let folder = Folder::new();
    let first = Running::up(&folder.path("data"));
    let second = usher()
        .args(["up", "--no-agent", "--listen", "127.0.0.1:0", "--data"])
        .arg(folder.path("data"))
        .ended();
    assert_eq!(second.status.code(), Some(1), "{}", said(&second));
    let name = folder.path("data").display().to_string();
    assert!(
        stderr(&second).contains(&name) && stderr(&second).contains("in use"),
        "{}",
        stderr(&second)
    );
    assert_eq!(first.json(&["status"])["server"]["state"], "running");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let folder = Folder::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = usher()
        .args(["up", "--no-agent", "--listen", &address, "--data"])
        .arg(folder.path("data"))
        .ended();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(stderr(&output).contains(&address), "{}", stderr(&output));
}

#[test]
fn it_does_not_listen_beyond_loopback_without_tls_unless_told_so() {
    let folder = Folder::new();
    let refused = usher()
        .args(["up", "--no-agent", "--listen", "0.0.0.0:0", "--data"])
        .arg(folder.path("data"))
        .ended();
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    assert!(
        stderr(&refused).contains("--plain-http"),
        "{}",
        stderr(&refused)
    );
    let told = Running::start(
        usher().args(["up", "--no-agent", "--listen", "0.0.0.0:0", "--plain-http"]),
        &folder.path("data"),
    );
    assert!(
        told.ready.starts_with("ready api=http://0.0.0.0:"),
        "{}",
        told.ready
    );
}

#[test]
fn systemd_is_told_once_when_everything_is_ready() {
    let folder = Folder::new();
    let path = folder.path("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut command = usher();
    command
        .args(["up", "--no-agent", "--listen", "127.0.0.1:0"])
        .env("NOTIFY_SOCKET", &path);
    let _running = Running::start(&mut command, &folder.path("data"));
    let mut buffer = [0; 256];
    let length = socket.recv(&mut buffer).unwrap();
    let mut told = vec![String::from_utf8_lossy(&buffer[..length]).into_owned()];
    // A second one would come with the first.
    let moment = Some(Duration::from_millis(500));
    socket.set_read_timeout(moment).unwrap();
    while let Ok(length) = socket.recv(&mut buffer) {
        told.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
    }
    assert_eq!(told, ["READY=1"]);
}

#[test]
fn a_server_that_was_stopped_on_purpose_is_not_started_again() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    let server = running.role("server").unwrap();
    let token = std::fs::read_to_string(running.data.join("admin.token")).unwrap();
    let told = Http::connect(&running.api, token.trim())
        .unwrap()
        .ask(
            "POST",
            "/v1/service/controls",
            Some(&serde_json::json!({"control": "stop"})),
        )
        .unwrap();
    assert_eq!(told.status, 200, "{told:?}");
    wait_for("its end", || (!runs(server)).then_some(()));
    // tidy: sleep, the supervisor's first pause is shorter, and nothing is to happen
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(running.role("server"), None);
    assert_eq!(running.stop(), Some(0));
}

#[test]
fn as_root_the_server_takes_an_account_of_its_own() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("not tried: only root can switch to another account");
        return;
    }
    let folder = Folder::new();
    let mut command = usher();
    command.args([
        "up",
        "--no-agent",
        "--listen",
        "127.0.0.1:0",
        "--run-as",
        "nobody",
    ]);
    let running = Running::start(&mut command, &folder.path("data"));
    let server = running.role("server").unwrap();
    let status = std::fs::read_to_string(format!("/proc/{server}/status")).unwrap();
    let line = |name: &str| {
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap();
        line.split_ascii_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert!(
        line("Uid:").iter().chain(&line("Gid:")).all(|id| id != "0"),
        "{status}"
    );
    assert!(!line("Groups:").contains(&"0".to_owned()), "{status}");
    use std::os::unix::fs::PermissionsExt;
    let token = std::fs::metadata(folder.path("data/admin.token")).unwrap();
    assert_eq!(token.permissions().mode() & 0o777, 0o600);
    // It is tied to the supervisor all the same.
    let pid = running.child.id();
    signal(pid, Signal::SIGKILL);
    wait_for("the end of the server", || (!runs(server)).then_some(()));
}

#[test]
fn a_stop_is_quick() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    let begun = Instant::now();
    assert_eq!(running.stop(), Some(0));
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
}
