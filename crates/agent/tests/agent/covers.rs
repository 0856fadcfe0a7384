//! What a lease covers that a process of the account holds, and for how long.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::socket::{ask_as, can_ask};
use crate::support::*;

#[test]
fn a_covered_tree_never_takes_a_second_seat() {
    if !can_ask() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    open_to_all(folder.path());
    let server = Server::with(&[("app", 9, &[&*named("covered")])]);
    server
        .book()
        .elsewhere
        .insert("R7".to_owned(), "app".to_owned());
    let agent = Agent::start(&server, folder.path());
    let program = sleeper(&folder.path().join(own("covered")));
    // A shell that waits for a line, and then starts a shell that starts the program.
    let script = format!("read line; sh -c '{} 0.3; true'; true", program.display());
    let mut root = Command::new("/bin/sh")
        .args(["-c", &script])
        .stdin(Stdio::piped())
        .uid(1234)
        .gid(1234)
        .spawn()
        .unwrap();
    let cover = json!({"lease": "R7", "product": "app", "pid": root.id(), "proof": PROOF});
    assert_eq!(
        ask_as(1235, &agent, "POST", "/v1/covers", Some(&cover)).0,
        403
    );
    assert_eq!(
        ask_as(1234, &agent, "POST", "/v1/covers", Some(&cover)).0,
        204
    );
    drop(root.stdin.take());
    root.wait().unwrap();
    let session = &server.finished("app", 1)[0];
    assert_eq!(session["lease"], "R7");
    assert_eq!(session["subject"]["id"], "1234");
    let book = server.book();
    assert_eq!(
        book.applied
            .iter()
            .filter(|i| i["kind"] == "checkout")
            .count(),
        0
    );
}

/// A shell of an account that waits for its standard input to end, and then runs `script`.
pub(crate) fn waiting_shell(uid: u32, script: &str) -> std::process::Child {
    Command::new("/bin/sh")
        .args(["-c", &format!("read line; {script}; true")])
        .stdin(Stdio::piped())
        .uid(uid)
        .gid(uid)
        .spawn()
        .unwrap()
}

#[test]
fn a_lease_that_is_none_or_of_another_product_covers_nothing() {
    if !can_ask() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    open_to_all(folder.path());
    let server = Server::with(&[("app", 9, &[&*named("uncovered")])]);
    let other = ("R7".to_owned(), "other".to_owned());
    server.book().elsewhere.extend([other]);
    let agent = Agent::start(&server, folder.path());
    let program = sleeper(&folder.path().join(own("uncovered")));
    let mut root = waiting_shell(1234, &format!("{} 60", program.display()));
    let cover = |lease: &str| {
        let body = json!({"lease": lease, "product": "app", "pid": root.id(), "keeps": true,
                          "proof": PROOF});
        let (status, problem) = ask_as(1234, &agent, "POST", "/v1/covers", Some(&body));
        (
            status,
            problem["code"].as_str().unwrap_or_default().to_owned(),
        )
    };
    for invented in ["R1", "R7", "..", "R7/../R7", "R7?x"] {
        let refused = (404, "unknown_lease".to_owned());
        assert_eq!(cover(invented), refused, "{invented}");
    }
    server.book().away = true;
    assert_eq!(cover("R8"), (503, "server_unreachable".to_owned()));
    server.book().away = false;
    drop(root.stdin.take());
    // However long the agent has not heard of its server.
    server.seated(1);
    run(Command::new("pkill").args(["-P", &root.id().to_string()]));
    root.wait().unwrap();
    let session = &server.finished("app", 1)[0];
    assert_eq!(session["lease"], "L1", "it took its own seat");
}

#[test]
fn a_lease_of_several_products_covers_each_of_them_for_everybody_who_joins_it() {
    if !can_ask() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    open_to_all(folder.path());
    let rules = [named("solves"), named("packs")];
    let server = Server::with(&[("app", 9, &[&*rules[0]]), ("pack", 9, &[&*rules[1]])]);
    let of = |product: &str| ("R8".to_owned(), product.to_owned());
    server
        .book()
        .elsewhere
        .extend([("R7".to_owned(), "app".to_owned()), of("pack")]);
    server.book().with.insert("R7".to_owned(), of("pack"));
    let agent = Agent::start(&server, folder.path());
    let (solves, packs) = (
        sleeper(&folder.path().join(own("solves"))),
        sleeper(&folder.path().join(own("packs"))),
    );
    let script = format!("{} 0.1; {} 0.1", solves.display(), packs.display());
    // The second join is answered by what is remembered of the first.
    for count in 1..=2 {
        let mut root = waiting_shell(1234, &script);
        let cover = json!({"lease": "R7", "product": "app", "pid": root.id(), "proof": PROOF});
        let (status, problem) = ask_as(1234, &agent, "POST", "/v1/covers", Some(&cover));
        assert_eq!(status, 204, "{problem}");
        drop(root.stdin.take());
        root.wait().unwrap();
        for (product, lease) in [("app", "R7"), ("pack", "R8")] {
            let finished = server.finished(product, count);
            assert_eq!(finished[count - 1]["lease"], lease, "{product}");
        }
    }
    assert_eq!(server.book().count("checkout"), 0);
}

#[test]
fn a_cover_ends_with_its_lease_and_what_runs_on_takes_its_own_seat() {
    if !can_ask() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    open_to_all(folder.path());
    let server = Server::with(&[("app", 9, &[&*named("outlives")])]);
    let held = ("R7".to_owned(), "app".to_owned());
    server.book().elsewhere.extend([held]);
    let agent = Agent::start(&server, folder.path());
    let program = sleeper(&folder.path().join(own("outlives")));
    let mut root = waiting_shell(1234, &format!("{} 60", program.display()));
    let cover = json!({"lease": "R7", "product": "app", "pid": root.id(), "proof": PROOF});
    let (status, problem) = ask_as(1234, &agent, "POST", "/v1/covers", Some(&cover));
    assert_eq!(status, 204, "{problem}");
    drop(root.stdin.take());
    wait_for("the covered session", || {
        (agent.status().sessions == 1).then_some(())
    });
    assert_eq!(server.book().count("checkout"), 0);
    server.book().elsewhere.clear();
    server.seated(1);
    let seated = server.book().seated.clone();
    assert_eq!(seated.values().next().unwrap().0, "app");
    run(Command::new("pkill").args(["-P", &root.id().to_string()]));
    root.wait().unwrap();
}
