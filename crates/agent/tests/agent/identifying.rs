//! Which product a file is, for who may run it.

use std::process::Command;

use serde_json::{Value, json};

use crate::socket::{ask_as, can_ask};
use crate::support::*;

#[test]
fn a_file_is_identified_for_who_may_run_it() {
    if !can_ask() {
        return;
    }
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    open_to_all(folder.path());
    let server = Server::with(&[("app", 9, &[&*named("which")])]);
    let agent = Agent::start(&server, folder.path());
    let program = sleeper(&folder.path().join(own("which")));
    let body = json!({"path": program.to_str().unwrap()});
    let (status, answer) = ask_as(1234, &agent, "POST", "/v1/identify", Some(&body));
    assert_eq!(status, 200);
    assert_eq!(answer, json!({"product": "app", "rule": named("which")}));
    let none = json!({"path": "/bin/cat"});
    let (_, answer) = ask_as(1234, &agent, "POST", "/v1/identify", Some(&none));
    assert_eq!(answer["product"], Value::Null);
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(
        ask_as(1234, &agent, "POST", "/v1/identify", Some(&body)).0,
        400
    );
}

#[test]
fn a_file_that_takes_turns_with_a_fifo_holds_no_look() {
    if !can_ask() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    open_to_all(folder.path());
    let server = Server::with(&[("app", 9, &["name=usher-t-turns"])]);
    let agent = Agent::start(&server, folder.path());
    let program = sleeper(&folder.path().join("program"));
    let fifo = folder.path().join("fifo");
    run(Command::new("mkfifo").args(["-m", "777"]).arg(&fifo));
    let name = folder.path().join("usher-t-turns");
    let is_over = std::sync::atomic::AtomicBool::new(false);
    let late = std::thread::scope(|scope| {
        scope.spawn(|| {
            let next = folder.path().join("next");
            while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                for from in [&program, &fifo] {
                    std::fs::hard_link(from, &next).unwrap();
                    std::fs::rename(&next, &name).unwrap();
                    drop(std::fs::remove_file(&next));
                }
            }
        });
        let body = json!({"path": name.to_str().unwrap()}).to_string();
        let late = (0..300).find(|_| {
            let asked = Command::new("curl")
                .args(["-s", "-m", "10", "-o", "/dev/null", "--unix-socket"])
                .arg(agent.public_socket())
                .args(["-H", "content-type: application/json", "-d", &body])
                .arg("http://localhost/v1/identify")
                .status();
            asked.unwrap().code() == Some(28)
        });
        is_over.store(true, std::sync::atomic::Ordering::Relaxed);
        late
    });
    // Lets go of who waits for a writer.
    drop(std::fs::File::options().read(true).write(true).open(&fifo));
    assert_eq!(late, None, "the agent waited for a FIFO");
}
