//! A rule that hits a shell, an interpreter or the operating system is not taken for `enforce`
//! unless that is said: by the command, by the API, for what every system has and for what is
//! installed on this one.

use std::os::unix::fs::symlink;

use crate::http::Http;
use crate::support::{Folder, Running};

fn add<'a>(id: &'a str, rule: &'a str) -> Vec<&'a str> {
    vec!["product", "add", id, "--mode", "enforce", "--program", rule]
}

#[test]
fn a_rule_for_what_a_computer_needs_is_refused_with_a_list_of_what_it_hits() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    let python = std::fs::canonicalize("/usr/bin/python3").ok();
    let link = folder.path("venv-python");
    let through_link = format!("path={}", link.display());
    let mut cases = vec![
        ("name=*sh", "/usr/bin/bash"),
        ("path=/usr/bin/*", "/usr/bin/dash"),
        ("/usr/bin/dpkg", "/usr/bin/dpkg"),
        ("package=bash", "/usr/bin/bash"),
        ("name=sshd", "/usr/sbin/sshd"),
        // Wherever it is installed here, or would be.
        ("name=usher", "bin/usher"),
    ];
    if let Some(python) = &python {
        symlink("/usr/bin/python3", &link).unwrap();
        cases.push((&through_link, python.to_str().unwrap()));
    }
    for (rule, hit) in cases {
        let (code, why) = running.fails(&add("cad", rule));
        assert_eq!(code, 2, "{rule}: {why}");
        assert!(
            why.contains(hit) && why.contains("--force"),
            "{rule}: {why}"
        );
    }
    assert_eq!(
        running.fails(&["product", "show", "cad"]).0,
        1,
        "none was added"
    );
    running.ok(&add("cad", "path=/opt/cad/bin/*"));
    assert_eq!(running.json(&["product", "show", "cad"])["mode"], "enforce");
}

#[test]
fn an_edit_is_asked_about_what_it_adds_and_force_takes_it() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    running.ok(&["product", "add", "cad", "--program", "name=dash"]);
    let enforce = ["product", "edit", "cad", "--mode", "enforce"];
    assert_eq!(running.fails(&enforce).0, 2);
    assert_eq!(running.json(&["product", "show", "cad"])["mode"], "track");
    running.ok(&[&enforce[..], &["--force"]].concat());
    running.ok(&["product", "edit", "cad", "--name", "CAD"]);
    let more = ["product", "edit", "cad", "--add-program", "name=env"];
    let (code, why) = running.fails(&more);
    assert_eq!(code, 2);
    assert!(
        why.contains("/usr/bin/env") && !why.contains("dash"),
        "{why}"
    );
}

#[test]
fn the_api_asks_the_same_of_scripts() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    let token = std::fs::read_to_string(running.data.join("admin.token")).unwrap();
    let mut http = Http::connect(&running.api, token.trim()).unwrap();
    let mut body = serde_json::json!({ "id": "cad", "mode": "enforce", "programs": ["name=bash"] });
    let refused = http.ask("POST", "/v1/products", Some(&body)).unwrap();
    assert_eq!(
        (refused.status, &refused.body["code"]),
        (422, &"dangerous_rule".into())
    );
    assert_eq!(refused.body["would_hit"][0]["what"], "a shell");
    body["force"] = true.into();
    assert_eq!(
        http.ask("POST", "/v1/products", Some(&body))
            .unwrap()
            .status,
        201
    );
}
