//! A server and a manager have tokens of their own: who asks the one for the other's is told so, and
//! so is who asks for one that is of no use to anybody.

use crate::support::{Ended, Folder, Running, said, stderr, usher};

fn console(running: &Running) -> String {
    let mut ready = running.ready.split(' ');
    let console = ready.find_map(|word| word.strip_prefix("console="));
    console.unwrap().to_owned()
}

#[test]
fn a_servers_tokens_are_not_made_at_a_manager_nor_a_managers_at_a_server() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    let console = console(&running);
    let count = |words: &[&str]| {
        let list = running.json(&[&["token", "list"][..], words].concat());
        list["items"].as_array().unwrap().len()
    };
    let at_manager = format!("--at-manager={console}");
    let before = (count(&[]), count(&[&at_manager]));
    let create = ["token", "create", "--role", "viewer", "--name", "v"];

    let at_server = format!("--at-manager={}", running.api);
    let (code, told) = running.fails(&[&create[..], &[&at_server]].concat());
    assert_eq!(code, 2, "{told}");
    assert!(
        told.contains("is a metering server, not a manager"),
        "{told}"
    );
    assert!(told.contains("8480"), "{told}");

    let (code, told) = running.fails(&[&create[..], &["--server", &console]].concat());
    assert_eq!(code, 2, "{told}");
    assert!(
        told.contains("is a manager, not a metering server"),
        "{told}"
    );
    assert!(told.contains(&at_manager), "{told}");

    assert_eq!((count(&[]), count(&[&at_manager])), before);
    let words = ["servers", "add", "again", "--url", &console];
    let token = running.data.join("admin.token");
    let rest = [
        "--token-file",
        token.to_str().unwrap(),
        "--manager",
        &console,
    ];
    let (code, told) = running.fails(&[&words[..], &rest[..]].concat());
    assert_eq!(code, 2, "{told}");
    assert!(
        told.contains("is a manager, not a metering server"),
        "{told}"
    );
}

#[test]
fn a_url_where_no_server_answers_is_watched_and_said_to_be_silent() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    let console = console(&running);
    let token = running.data.join("admin.token");
    let add = [
        "servers",
        "add",
        "beta",
        "--url",
        "http://127.0.0.1:1",
        "--token-file",
        token.to_str().unwrap(),
        "--manager",
        &console,
    ];
    let added = running.usher(&add).ended();
    assert!(added.status.success(), "{}", said(&added));
    let told = stderr(&added);
    assert!(
        told.contains("no server answers at http://127.0.0.1:1"),
        "{told}"
    );
    assert!(
        told.contains("`usher servers edit beta --url URL`"),
        "{told}"
    );
}

#[test]
fn a_token_that_is_of_no_use_is_said_to_be() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    let create = |more: &[&str]| {
        let words = ["token", "create", "--role", "agent"];
        running.usher(&[&words[..], more].concat()).ended()
    };
    let of_a_name = create(&["--computer", "box-tadm4"]);
    assert!(of_a_name.status.success(), "{}", said(&of_a_name));
    let told = stderr(&of_a_name);
    assert!(told.contains("box-tadm4 is the id of no agent"), "{told}");
    assert!(told.contains("--print-computer-id"), "{told}");
    let of_an_id = create(&["--computer", "c-1f2e"]);
    assert!(!stderr(&of_an_id).contains("Note"), "{}", said(&of_an_id));

    let over = create(&["--computer", "c-1f2e", "--expires", "2020-01-01"]);
    assert_eq!(over.status.code(), Some(2), "{}", said(&over));
    let told = stderr(&over);
    assert!(
        told.contains("2020-01-01") && told.contains("over already"),
        "{told}"
    );
    assert!(
        !told.contains("expires_at") && !told.contains("2020-01-02"),
        "{told}"
    );
}

#[test]
fn who_revokes_the_token_of_the_admins_file_is_told_that_it_holds_another() {
    let folder = Folder::new();
    let running = Running::up(&folder.path("data"));
    let list = running.json(&["token", "list"]);
    let admin = list["items"].as_array().unwrap().iter();
    let admin = admin.filter(|it| it["role"] == "admin" && it["revoked_at"].is_null());
    let admin: Vec<_> = admin.map(|it| it["id"].as_str().unwrap()).collect();
    let [id] = &admin[..] else {
        panic!("{list:#}");
    };
    let revoked = running.usher(&["token", "revoke", id]).ended();
    assert!(revoked.status.success(), "{}", said(&revoked));
    let told = stderr(&revoked);
    assert!(told.contains("the server has made another"), "{told}");
    assert!(told.contains("admin.token"), "{told}");
    running.ok(&["status"]);
}

#[test]
fn who_shows_a_token_of_elsewhere_is_told_where_it_was_read() {
    let folder = Folder::new();
    let one = Running::up(&folder.path("one"));
    let other = Running::up(&folder.path("other"));
    let mut status = usher();
    status.args(["status", "--server", &one.api, "--data"]);
    let refused = status.arg(&other.data).ended();
    assert_eq!(refused.status.code(), Some(77), "{}", said(&refused));
    let told = stderr(&refused);
    let file = other.data.join("admin.token");
    assert!(told.contains(file.to_str().unwrap()), "{told}");
    assert!(told.contains("another server"), "{told}");
}
