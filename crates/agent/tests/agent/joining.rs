//! Who may join a lease: its own person, and whoever shows its proof.

use std::process::Child;

use serde_json::json;

use crate::covers::waiting_shell;
use crate::socket::{ask_as, can_ask, request};
use crate::support::{Agent, PROOF, Server, open_to_all, wait_for};

/// A server that knows a lease of another computer, R7, and an agent that every account may ask.
struct Site {
    folder: tempfile::TempDir,
    server: Server,
    agent: Agent,
}

impl Site {
    /// None, with a line that says so, if other accounts cannot ask.
    fn new() -> Option<Site> {
        if !can_ask() {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        open_to_all(folder.path());
        let server = Server::with(&[]);
        let held = ("R7".to_owned(), "app".to_owned());
        server.book().elsewhere.extend([held]);
        let agent = Agent::start(&server, folder.path());
        Some(Site {
            folder,
            server,
            agent,
        })
    }

    /// The realm of this computer's own accounts.
    fn realm(&self) -> String {
        format!("computer:{}", self.agent.status().computer)
    }
}

/// Ends processes that wait.
fn end(shells: impl IntoIterator<Item = Child>) {
    for mut shell in shells {
        drop(shell.stdin.take());
        shell.wait().unwrap();
    }
}

/// Asks for a cover of a process by a lease as an account; the answer's status and code.
fn join(
    agent: &Agent,
    uid: u32,
    process: &Child,
    lease: &str,
    proof: Option<&str>,
) -> (u16, String) {
    let mut body = json!({"lease": lease, "product": "app", "pid": process.id()});
    if let Some(proof) = proof {
        body["proof"] = json!(proof);
    }
    let (status, problem) = ask_as(uid, agent, "POST", "/v1/covers", Some(&body));
    let code = problem["code"].as_str().unwrap_or_default().to_owned();
    (status, code)
}

fn joined() -> (u16, String) {
    (204, String::new())
}

fn refused() -> (u16, String) {
    (404, "unknown_lease".to_owned())
}

/// What the server was asked of leases, in order.
fn asked(server: &Server) -> Vec<String> {
    let book = server.book();
    let paths = book.requests.iter().map(|(_, path, _)| path.clone());
    paths
        .filter(|path| path.contains("agents/leases"))
        .collect()
}

#[test]
fn who_joins_a_lease_of_another_product_is_told_of_which_it_is_if_they_may_know() {
    let Some(site) = Site::new() else {
        return;
    };
    let held = ("R8".to_owned(), "solver".to_owned());
    site.server.book().elsewhere.extend([held]);
    let theirs = waiting_shell(1234, "true");
    let detail = |proof: Option<&str>| {
        let mut body = json!({"lease": "R8", "product": "app", "pid": theirs.id()});
        if let Some(proof) = proof {
            body["proof"] = json!(proof);
        }
        let (status, problem) = ask_as(1234, &site.agent, "POST", "/v1/covers", Some(&body));
        assert_eq!(status, 404, "{problem}");
        assert_eq!(problem["code"], "unknown_lease");
        problem["detail"].as_str().unwrap().to_owned()
    };
    let told = detail(Some(PROOF));
    assert!(
        told.contains(r#"lease "R8" is of "solver", and not of "app""#),
        "{told}"
    );
    let told = detail(None);
    assert!(!told.contains("solver"), "{told}");
    end([theirs]);
}

#[test]
fn a_lease_of_another_computer_is_joined_with_its_proof_only_also_while_others_have_joined_it() {
    let Some(site) = Site::new() else {
        return;
    };
    let Site { agent, .. } = &site;
    let theirs = waiting_shell(1234, "true");
    let others = waiting_shell(1235, "true");
    let wrong = PROOF.replacen('c', "d", 1);
    let guesses = [None, Some(&*wrong), Some(""), Some("\u{7f}"), Some("0c")];
    for guess in guesses {
        let answer = join(agent, 1234, &theirs, "R7", guess);
        assert_eq!(answer, refused(), "{guess:?}");
    }
    assert_eq!(join(agent, 1234, &theirs, "R7", Some(PROOF)), joined());
    for guess in guesses {
        let answer = join(agent, 1235, &others, "R7", guess);
        assert_eq!(
            answer,
            refused(),
            "{guess:?} while the cover of another account stands"
        );
    }
    assert_eq!(join(agent, 1235, &others, "R7", Some(PROOF)), joined());
    end([theirs, others]);
}

#[test]
fn a_lease_of_this_computer_is_joined_by_its_own_person_without_a_proof() {
    let Some(site) = Site::new() else {
        return;
    };
    let Site { server, agent, .. } = &site;
    let realm = site.realm();
    let lease = |realm: &str| ("app".to_owned(), realm.to_owned(), "1234".to_owned());
    server.book().here.extend([
        ("R3".to_owned(), lease(&realm)),
        // As a server says that counts computers' own accounts by name.
        ("R4".to_owned(), lease("local")),
        ("R5".to_owned(), lease("corp.example")),
        ("R6".to_owned(), lease("usher")),
    ]);
    let theirs = waiting_shell(1234, "true");
    let others = waiting_shell(1235, "true");
    for (id, own) in [
        ("R3", joined()),
        ("R4", joined()),
        ("R5", refused()),
        ("R6", refused()),
    ] {
        assert_eq!(join(agent, 1234, &theirs, id, None), own, "{id}");
        assert_eq!(join(agent, 1235, &others, id, None), refused(), "{id}");
        assert_eq!(
            join(agent, 1235, &others, id, Some(PROOF)),
            joined(),
            "{id}"
        );
    }
    end([theirs, others]);
}

#[test]
fn a_lease_that_was_made_here_is_joined_by_another_account_with_the_proof_that_its_maker_was_told()
{
    let Some(site) = Site::new() else {
        return;
    };
    let Site { server, agent, .. } = &site;
    let (status, granted) = ask_as(1234, agent, "POST", "/v1/checkouts", Some(&request("x")));
    assert_eq!((status, &granted["lease"]["id"]), (201, &json!("R1")));
    assert_eq!(
        granted["lease"]["proof"], PROOF,
        "it is passed on to who asked"
    );
    let realm = site.realm();
    let held = ("app".to_owned(), realm, "1234".to_owned());
    server.book().here.insert("R1".to_owned(), held);
    let theirs = waiting_shell(1234, "true");
    let others = waiting_shell(1235, "true");
    assert_eq!(join(agent, 1235, &others, "R1", None), refused());
    assert_eq!(join(agent, 1234, &theirs, "R1", None), joined());
    assert_eq!(join(agent, 1235, &others, "R1", None), refused());
    assert_eq!(join(agent, 1235, &others, "R1", Some(PROOF)), joined());
    end([theirs, others]);
}

#[test]
fn who_has_joined_by_the_proof_shows_it_each_time() {
    let Some(site) = Site::new() else {
        return;
    };
    let Site { agent, .. } = &site;
    let first = waiting_shell(1235, "true");
    let next = waiting_shell(1235, "true");
    assert_eq!(join(agent, 1235, &first, "R7", Some(PROOF)), joined());
    let wrong = PROOF.replacen('c', "d", 1);
    for guess in [None, Some(&*wrong), Some("")] {
        let answer = join(agent, 1235, &next, "R7", guess);
        assert_eq!(answer, refused(), "{guess:?} by an account that has joined");
    }
    assert_eq!(join(agent, 1235, &next, "R7", Some(PROOF)), joined());
    end([first, next]);
}

#[test]
fn a_server_is_told_of_each_join_and_who_joined_by_proof_stays_joined_over_a_restart() {
    let Some(site) = Site::new() else {
        return;
    };
    let Site {
        folder,
        server,
        agent,
    } = site;
    let shells: Vec<Child> = (0..4).map(|_| waiting_shell(1234, "true")).collect();
    for shell in &shells {
        assert_eq!(join(&agent, 1234, shell, "R7", Some(PROOF)), joined());
    }
    let told = || -> u64 {
        let asked = asked(&server);
        let joins = asked.iter().filter_map(|path| path.split_once("?joins="));
        joins.map(|(_, joins)| joins.parse::<u64>().unwrap()).sum()
    };
    wait_for("all joins to be told", || (told() == 4).then_some(()));
    agent.stop();
    let before = asked(&server).len();
    let agent = Agent::start(&server, folder.path());
    wait_for("the covers to be looked after", || {
        (asked(&server).len() >= before + 3).then_some(())
    });
    let covers = count_covers(&agent);
    assert_eq!(
        covers, 4,
        "a server that is shown the proof says that the lease is held"
    );
    end(shells);
    assert_eq!(told(), 4, "each once");
}

/// Covers that the agent has written down.
fn count_covers(agent: &Agent) -> i64 {
    let file = agent.data().join("agent.db");
    let connection = rusqlite::Connection::open(file).unwrap();
    connection
        .query_row("SELECT count(*) FROM covers", [], |row| row.get(0))
        .unwrap()
}

#[test]
fn a_server_that_says_nothing_of_who_holds_a_lease_lets_nobody_join() {
    let Some(site) = Site::new() else {
        return;
    };
    let Site { server, agent, .. } = &site;
    let nobody = ("app".to_owned(), String::new(), String::new());
    server.book().here.insert("R9".to_owned(), nobody);
    let shell = waiting_shell(1234, "true");
    assert_eq!(join(agent, 1234, &shell, "R9", None), refused());
    end([shell]);
}

#[test]
fn who_guesses_leases_has_the_server_asked_only_so_often_and_who_joins_as_often_as_they_do() {
    let Some(site) = Site::new() else {
        return;
    };
    let Site { server, agent, .. } = &site;
    let realm = site.realm();
    let held = ("app".to_owned(), realm, "1234".to_owned());
    server.book().here.insert("R3".to_owned(), held);
    let theirs = waiting_shell(1235, "true");
    let guess = json!({"lease": "N", "product": "app", "pid": theirs.id()});
    // Each of these is so many requests, of which the last answer is looked at.
    let often = "?number=[1-200]";
    let own = format!("/v1/agents/leases/R3{often}");
    assert_eq!(ask_as(1234, agent, "GET", &own, None).0, 200);
    assert_eq!(asked(server).len(), 200);
    let others = format!("/v1/agents/leases/R3{often}");
    assert_eq!(ask_as(1235, agent, "GET", &others, None).0, 503);
    let covers = format!("/v1/covers{often}");
    assert_eq!(ask_as(1235, agent, "POST", &covers, Some(&guess)).0, 503);
    let in_vain = asked(server).len() - 200;
    assert!((20..200).contains(&in_vain), "{in_vain}");
    // Whoever else asks is not held up.
    assert_eq!(ask_as(1234, agent, "GET", &own, None).0, 200);
    end([theirs]);
}
