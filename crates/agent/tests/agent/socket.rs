//! The local socket: who asks is who the kernel says, and reaches only what is theirs.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::*;

/// One request by another account, with curl; its status and body.
pub(crate) fn ask_as(
    uid: u32,
    agent: &Agent,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> (u16, Value) {
    let mut command = Command::new("curl");
    command
        .args(["-s", "-w", "\n%{http_code}", "-X", method, "--unix-socket"])
        .arg(agent.public_socket())
        .stdin(Stdio::null());
    if let Some(body) = body {
        command.args([
            "-H",
            "content-type: application/json",
            "-d",
            &body.to_string(),
        ]);
    }
    let output = command
        .arg(format!("http://localhost{path}"))
        .uid(uid)
        .gid(uid)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (body, status) = text.rsplit_once('\n').unwrap();
    (
        status.parse().unwrap(),
        serde_json::from_str(body).unwrap_or(Value::Null),
    )
}

pub(crate) fn can_ask() -> bool {
    let curl = Command::new("curl")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if !curl.is_ok_and(|status| status.success()) {
        eprintln!("skipped: no curl here");
        return false;
    }
    privileged()
}

pub(crate) fn request(user: &str) -> Value {
    json!({"product": "app", "user": user, "computer": "elsewhere", "priority": 100})
}

#[test]
fn nobody_says_for_whom_the_agent_asks_but_the_kernel() {
    if !can_ask() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    open_to_all(folder.path());
    let server = Server::with(&[]);
    let agent = Agent::start(&server, folder.path());
    for list in ["leases", "queue", "denials", "sessions", "usage"] {
        for other in [
            "account=1",
            "realm=corp.example&account=ann",
            "limit=5&realm=x",
        ] {
            let path = format!("/v1/{list}?{other}");
            let (status, answer) = ask_as(12_345, &agent, "GET", &path, None);
            assert_eq!(status, 400, "{path}: {answer}");
            assert_eq!(answer["code"], "invalid_request", "{path}: {answer}");
        }
    }
}

#[test]
fn a_checkout_is_for_the_account_that_asks_whatever_it_says() {
    if !can_ask() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    open_to_all(folder.path());
    let server = Server::with(&[]);
    let agent = Agent::start(&server, folder.path());
    let (status, answer) = ask_as(
        1234,
        &agent,
        "POST",
        "/v1/checkouts",
        Some(&request("boss")),
    );
    assert_eq!((status, &answer["lease"]["id"]), (201, &json!("R1")));
    let computer = agent.status().computer;
    let (_, _, body) = server.book().requests[0].clone();
    assert_eq!(body["user"], "1234");
    assert_eq!(body["computer"], computer);
    assert_eq!(
        body["subject"],
        json!({"authority": format!("computer:{computer}"), "id": "1234"})
    );
    assert!(body.get("priority").is_none());
}

#[test]
fn leases_and_tickets_of_others_do_not_exist() {
    if !can_ask() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    open_to_all(folder.path());
    let server = Server::with(&[]);
    let agent = Agent::start(&server, folder.path());
    ask_as(1234, &agent, "POST", "/v1/checkouts", Some(&request("x")));
    let mut waiting = request("x");
    waiting["wait"] = json!(true);
    assert_eq!(
        ask_as(1234, &agent, "POST", "/v1/checkouts", Some(&waiting)).0,
        202
    );
    let requests = server.book().requests.len();
    for (method, path, code) in [
        ("POST", "/v1/leases/R1/renew", "unknown_lease"),
        ("DELETE", "/v1/leases/R1", "unknown_lease"),
        ("GET", "/v1/tickets/T1", "unknown_ticket"),
        ("DELETE", "/v1/tickets/T1", "unknown_ticket"),
    ] {
        let (status, problem) = ask_as(1235, &agent, method, path, None);
        assert_eq!(
            (status, &problem["code"]),
            (404, &json!(code)),
            "{method} {path}"
        );
    }
    assert_eq!(
        server.book().requests.len(),
        requests,
        "it was asked for a stranger"
    );
    assert_eq!(
        ask_as(1234, &agent, "POST", "/v1/leases/R1/renew", None).0,
        200
    );
    let (status, ticket) = ask_as(1234, &agent, "GET", "/v1/tickets/T1?wait_seconds=1", None);
    assert_eq!((status, &ticket["state"]), (200, &json!("granted")));
    // The lease that the ticket became is theirs too.
    assert_eq!(ask_as(1234, &agent, "DELETE", "/v1/leases/R2", None).0, 204);
    assert_eq!(ask_as(1234, &agent, "DELETE", "/v1/leases/R2", None).0, 204);
    assert_eq!(
        ask_as(1234, &agent, "DELETE", "/v1/leases/..%2Fproducts", None).0,
        404
    );
}

#[test]
fn what_cannot_be_understood_is_a_problem_and_not_an_end() {
    if !can_ask() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    open_to_all(folder.path());
    let server = Server::with(&[]);
    let agent = Agent::start(&server, folder.path());
    let ask =
        |method: &str, path: &str, body: Value| ask_as(1234, &agent, method, path, Some(&body));
    assert_eq!(
        ask("POST", "/v1/checkouts", json!({"product": 1})).1["code"],
        "invalid_request"
    );
    let problem = |method: &str, path: &str, body: Value, status: u64, code: &str| {
        let (answered, problem) = ask(method, path, body);
        assert_eq!(u64::from(answered), status, "{method} {path}: {problem}");
        assert_eq!(
            (&problem["status"], &problem["code"]),
            (&json!(status), &json!(code)),
            "{method} {path}"
        );
    };
    for path in [
        "/v1/checkouts",
        "/v1/covers",
        "/v1/displays",
        "/v1/identify",
    ] {
        problem(
            "POST",
            path,
            json!("x".repeat(100_000)),
            413,
            "body_too_large",
        );
        problem(
            "POST",
            path,
            json!(["app", "u", "c"]),
            400,
            "invalid_request",
        );
    }
    let asked = json!({"product": "app", "user": "u", "computer": "c", "program": []});
    problem("POST", "/v1/checkouts", asked, 400, "invalid_request");
    for path in [
        "/v1/checkouts",
        "/v1/tickets/T",
        "/v1/leases/L",
        "/v1/leases/L/renew",
        "/v1/products/p",
        "/v1/covers",
        "/v1/displays",
        "/v1/identify",
        "/v1/agent",
        "/v1/refresh",
    ] {
        problem("PATCH", path, Value::Null, 405, "method_not_allowed");
    }
    for (method, path) in [
        ("GET", "/v1/tickets/%ff"),
        ("DELETE", "/v1/tickets/%ff"),
        ("DELETE", "/v1/leases/%ff"),
        ("POST", "/v1/leases/%ff/renew"),
        ("GET", "/v1/products/%ff"),
    ] {
        problem(method, path, Value::Null, 400, "invalid_request");
    }
    assert_eq!(
        ask(
            "POST",
            "/v1/covers",
            json!({"lease": "", "product": "a", "pid": 1})
        )
        .0,
        400
    );
    assert_eq!(
        ask(
            "POST",
            "/v1/covers",
            json!({"lease": "L", "product": "a", "pid": 1})
        )
        .0,
        403
    );
    for displays in [
        json!([]),
        json!([""]),
        json!([":0", ":1", ":2", ":3", ":4"]),
    ] {
        let report = json!({"displays": displays, "idle_ms": 1});
        problem("POST", "/v1/displays", report, 400, "invalid_request");
    }
    assert_eq!(ask("POST", "/v1/identify", json!({"path": "sleep"})).0, 400);
    assert_eq!(
        ask("GET", "/v1/products", Value::Null).1["code"],
        "not_found"
    );
    assert_eq!(
        ask("GET", "/v1/tickets/T?wait_seconds=x", Value::Null).0,
        400
    );
    assert_eq!(agent.status().sessions, 0);
}

#[test]
fn a_user_reports_of_few_displays_and_others_of_theirs_all_the_same() {
    if !can_ask() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    open_to_all(folder.path());
    let server = Server::with(&[]);
    let agent = Agent::start(&server, folder.path());
    let report = |uid: u32, number: u32| {
        let body = json!({"displays": [format!(":{number}")], "idle_ms": 5_000});
        ask_as(uid, &agent, "POST", "/v1/displays", Some(&body))
    };
    for number in 0..16 {
        let (status, answer) = report(1234, number);
        // No product says anything of idle programs.
        assert_eq!((status, answer), (200, json!({"again_seconds": 10})));
    }
    let (status, problem) = report(1234, 16);
    assert_eq!((status, &problem["code"]), (503, &json!("busy")));
    assert_eq!(report(1235, 0).0, 200);
}

#[test]
fn the_agent_tells_a_user_of_no_one_elses_leases() {
    if !can_ask() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    open_to_all(folder.path());
    let server = Server::with(&[("app", 9, &[&*named("private")])]);
    let agent = Agent::start(&server, folder.path());
    let program = sleeper(&folder.path().join(own("private")));
    let _running = Running::lasting_as(&program, 1234);
    wait_for("its lease", || {
        (agent.status().leases.len() == 1).then_some(())
    });
    let leases = |uid| ask_as(uid, &agent, "GET", "/v1/agent", None).1["leases"].clone();
    assert_eq!(leases(1234).as_array().unwrap().len(), 1);
    assert_eq!(leases(1235), json!([]));
}

#[test]
fn a_server_that_is_away_is_said_to_be() {
    if !can_ask() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    open_to_all(folder.path());
    let server = Server::with(&[]);
    let agent = Agent::start(&server, folder.path());
    drop(server);
    let (status, problem) = ask_as(1234, &agent, "POST", "/v1/checkouts", Some(&request("x")));
    assert_eq!(
        (status, &problem["code"]),
        (503, &json!("server_unreachable"))
    );
}
