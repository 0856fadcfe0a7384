//! Commands for a metering server at the address of a manager.

use serde_json::{Value, json};
use usher_api::{Code, Problem};

use crate::lists::answers;
use crate::support::{Ended, Folder, stderr, stdout, usher};

fn refused(code: Code, detail: &str) -> (u16, String) {
    let problem = Problem::new(code, detail);
    (problem.status, serde_json::to_string(&problem).unwrap())
}

/// The address of a manager that watches one server; without `takes` it takes no token.
fn manager(takes: bool) -> String {
    answers(move |_, path| match path {
        "/v1/health" => (200, json!({"status": "ok", "role": "manager"}).to_string()),
        _ if !takes => refused(
            Code::Unauthorized,
            "no token was shown: the manager takes tokens of its own. Its administrator's is in /x",
        ),
        "/v1/servers" => {
            let server = json!({"name": "alpha", "url": "http://10.0.0.5:8470",
                "verdict": "running", "since": "2026-01-02T03:04:05Z", "polled_at": null,
                "evidence": [], "service": null, "episode": null});
            (200, json!({"items": [server], "next": null}).to_string())
        }
        path => refused(
            Code::NotFound,
            &format!("nothing is at {path}: GET /openapi.json lists what there is"),
        ),
    })
}

#[test]
fn each_command_that_is_for_a_server_says_that_a_manager_answers_and_what_to_ask() {
    let folder = Folder::new();
    let url = manager(true);
    let file = folder.path("copy.db");
    let file = file.to_str().unwrap();
    let asks: [&[&str]; 9] = [
        &["status"],
        &["leases"],
        &["queue"],
        &["usage"],
        &["usage", "by-day"],
        &["denials"],
        &["why", "D1-2"],
        &["backup", file],
        &["checkout", "cad"],
    ];
    for ask in asks {
        let output = usher(&folder)
            .args(ask)
            .args(["--server", &url, "--token", "t"])
            .ended();
        assert_eq!(
            output.status.code(),
            Some(2),
            "{ask:?}: {}",
            stderr(&output)
        );
        let said = stderr(&output).replace(&url, "URL");
        insta::allow_duplicates! {
            insta::assert_snapshot!(said, @r"
            usher: what answers at URL is a manager, not a metering server
              It watches alpha at http://10.0.0.5:8470.
              `usher servers list --manager URL` shows the servers that it watches, and how they are. Ask one of them with --server URL.
            ");
        }
    }
    let output = usher(&folder)
        .args(["run", "--server", &url, "--token", "t", "--product", "cad"])
        .args(["--", "true"])
        .ended();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).starts_with(&format!(
            "usher: what answers at {url} is a manager, not a metering server; true was not started\n"
        )),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_manager_that_takes_no_token_is_called_one_too() {
    let folder = Folder::new();
    let url = manager(false);
    let output = usher(&folder)
        .args(["status", "--server", &url, "--token", "t"])
        .ended();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("is a manager, not a metering server"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_check_and_a_doctor_that_are_sent_to_a_manager_say_what_it_is() {
    let folder = Folder::new();
    let url = manager(true);
    let output = usher(&folder)
        .args(["check", "--server", &url, "--token", "t"])
        .ended();
    assert_eq!(output.status.code(), Some(3), "{}", stdout(&output));
    let said = stdout(&output);
    assert!(
        said.contains("is a manager, not a metering server") && said.contains("--manager"),
        "{said}"
    );
    let output = usher(&folder)
        .args(["doctor", "--json", "--server", &url, "--token", "t"])
        .ended();
    let findings: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let findings = findings.as_array().unwrap();
    let of_server = findings.iter().find(|it| it["what"] == "server").unwrap();
    let found = of_server["found"].as_str().unwrap();
    assert!(
        found.contains("is a manager, not a metering server"),
        "{found}"
    );
}
