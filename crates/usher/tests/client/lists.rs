//! Lists, errors and exit codes.

use std::process::Stdio;

use crate::fake::Fake;
use crate::support::{Ended, Folder, finish, stderr, stdout, usher};

#[test]
fn a_server_that_is_not_there_is_named_with_the_next_step() {
    let folder = Folder::new();
    // A port that nobody has, as it is held by a socket that does not listen.
    let held = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", held.local_addr().unwrap());
    let output = usher(&folder).args(["leases", "--server", &url]).ended();
    assert_eq!(output.status.code(), Some(69));
    insta::assert_snapshot!(stderr(&output).replace(&url, "URL"), @r"
    usher: no Usher server answers at URL: Connection refused (os error 111)
      Nothing listens on that port there: check the port in the URL (8470 unless the server was given another), and on the server's computer `systemctl status usher-server`. The server is named with --server URL or USHER_SERVER; whoever administers it knows the URL. To try Usher out on one computer, `usher up` starts all of it.
    ");
    // One elsewhere is started by nobody here.
    let elsewhere = usher(&folder)
        .args(["leases", "--server", "http://usher.invalid:1"])
        .ended();
    assert_eq!(elsewhere.status.code(), Some(69));
    assert!(
        !stderr(&elsewhere).contains("usher up"),
        "{}",
        stderr(&elsewhere)
    );
}

#[test]
fn a_list_is_a_table_for_people_and_a_page_for_programs() {
    let folder = Folder::new();
    let fake = Fake::server(10);
    fake.with(|world| world.leases = vec!["l-1".into(), "l-2".into()]);
    let table = usher(&folder)
        .args(["leases", "--server", &fake.url])
        .ended();
    insta::assert_snapshot!(stdout(&table), @r"
    LEASE  PRODUCT  USER  COMPUTER  SEATS  JOINED  SINCE                UNTIL
    l-1    tool     anna  pc            1       0  2026-01-02 03:04:05  2026-01-02 03:04:05
    l-2    tool     anna  pc            1       0  2026-01-02 03:04:05  2026-01-02 03:04:05
    ");
    let json = usher(&folder)
        .args(["leases", "--json", "--server", &fake.url])
        .ended();
    let page: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(page["items"][1]["id"], "l-2");
    assert_eq!(page["items"][1]["ttl_seconds"], 1);
    assert!(page["next"].is_null());
}

#[test]
fn a_long_list_is_fetched_page_by_page_up_to_the_limit() {
    let folder = Folder::new();
    let fake = Fake::server(10);
    fake.with(|world| world.leases = (0..2_345).map(|n| format!("l-{n}")).collect());
    let lines = |limit: &str| {
        let output = usher(&folder)
            .args(["leases", "--limit", limit, "--server", &fake.url])
            .ended();
        (stdout(&output).lines().count() - 1, stderr(&output))
    };
    assert_eq!(lines("0"), (2_345, String::new()));
    let (count, said) = lines("1500");
    assert_eq!(count, 1_500);
    assert_eq!(
        said,
        "There are more than the 1500 shown; --limit 0 shows all.\n"
    );
}

#[test]
fn a_reader_that_has_enough_is_no_failure() {
    let folder = Folder::new();
    let fake = Fake::server(10);
    fake.with(|world| world.leases = (0..5_000).map(|n| format!("l-{n}")).collect());
    let mut child = usher(&folder)
        .args(["leases", "--limit", "0", "--server", &fake.url])
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = finish(child);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(stderr(&output), "");
}

#[test]
fn the_environment_stands_between_the_flag_and_the_file() {
    let folder = Folder::new();
    let fake = Fake::server(10);
    let file = folder.path("usher.toml");
    std::fs::write(&file, "server = \"http://127.0.0.1:1\"\n").unwrap();
    let mut from_file = usher(&folder);
    from_file.args(["leases", "--config"]).arg(&file);
    assert_eq!(from_file.ended().status.code(), Some(69));
    from_file.env("USHER_SERVER", &fake.url);
    assert_eq!(from_file.ended().status.code(), Some(0));
    from_file.args(["--server", "http://127.0.0.1:1"]);
    assert_eq!(from_file.ended().status.code(), Some(69));
}

#[test]
fn manual_pages_and_completions_are_written() {
    let folder = Folder::new();
    let pages = folder.path("man");
    assert!(
        usher(&folder)
            .arg("man")
            .arg(&pages)
            .status()
            .unwrap()
            .success()
    );
    let page = std::fs::read_to_string(pages.join("usher-product-add.1")).unwrap();
    assert!(page.contains("\\-\\-program"), "{page}");
    assert!(pages.join("usher.1").exists());
    for shell in ["bash", "zsh", "fish"] {
        let output = usher(&folder)
            .args(["completions", shell])
            .stderr(Stdio::inherit())
            .ended();
        assert!(stdout(&output).contains("entitlement"), "{shell}");
    }
}

#[test]
fn a_check_that_is_asked_wrongly_is_unknown_wherever_the_options_stand() {
    let folder = Folder::new();
    for words in [
        &["check", "TYPO"][..],
        &["--json", "check", "TYPO"],
        &["--server", "http://127.0.0.1:1", "check", "--typo"],
        &["check", "--json", "--typo"],
        &["check", "--config", "/nosuch/nagios.toml"],
        &["check", "--warning-queued", "50", "--critical-queued", "5"],
    ] {
        let output = usher(&folder).args(words).ended();
        assert_eq!(output.status.code(), Some(3), "{words:?}");
        let said = stdout(&output);
        if words.contains(&"--json") {
            let answer: serde_json::Value = serde_json::from_str(&said).unwrap();
            assert_eq!(answer["state"], "unknown", "{words:?}");
        } else {
            assert!(said.starts_with("USHER UNKNOWN - "), "{said}");
            assert!(
                said.lines().count() == 1 && said.chars().count() <= 201,
                "{said}"
            );
        }
    }
    assert_eq!(
        usher(&folder)
            .arg("leases")
            .arg("--typo")
            .ended()
            .status
            .code(),
        Some(2)
    );
}

#[test]
fn an_id_that_is_empty_or_leads_elsewhere_is_refused_before_anybody_is_asked() {
    let folder = Folder::new();
    let fake = Fake::server(10);
    for id in ["", ".", ".."] {
        for words in [
            &["product", "remove", id][..],
            &["product", "show", id],
            &["product", "edit", id, "--name", "x"],
            &["entitlement", "edit", id, "--seats", "1"],
            &["entitlement", "remove", id],
            &["token", "revoke", id],
            &["servers", "remove", id, "--manager", &fake.url],
            &["servers", "show", id, "--manager", &fake.url],
            &["why", id],
            &["renew", id],
            &["checkin", id],
        ] {
            let mut command = usher(&folder);
            command.env("USHER_SERVER", &fake.url);
            let output = command.args(words).ended();
            assert_eq!(output.status.code(), Some(2), "{words:?}");
            assert!(stderr(&output).contains("id"), "{}", stderr(&output));
        }
    }
    assert_eq!(fake.with(|world| world.asked.clone()), Vec::<String>::new());
}

#[test]
fn an_edit_that_changes_nothing_is_wrong_usage() {
    let folder = Folder::new();
    for what in ["product", "entitlement"] {
        let output = usher(&folder).args([what, "edit", "E1"]).ended();
        assert_eq!(output.status.code(), Some(2), "{what}");
        assert!(stderr(&output).contains("not said what to change"));
    }
}

#[test]
fn an_empty_variable_of_the_environment_is_not_set() {
    let folder = Folder::new();
    let fake = Fake::server(10);
    let mut command = usher(&folder);
    for name in ["USHER_LIMIT", "USHER_JSON", "USHER_CONFIG", "USHER_TOKEN"] {
        command.env(name, "");
    }
    command.env("USHER_SERVER", "").args(["leases"]);
    assert_eq!(command.ended().status.code(), Some(69), "the default");
    command.env("USHER_SERVER", &fake.url);
    let output = command.ended();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn a_server_that_is_no_url_is_wrong_usage_and_its_password_is_not_repeated() {
    let folder = Folder::new();
    for url in [
        "alpha",
        "http://alpha:99999",
        "http://ann:secret@127.0.0.1:1",
        "http://127.0.0.1:1/v1",
        "http://127.0.0.1:1?x",
    ] {
        let output = usher(&folder).args(["leases", "--server", url]).ended();
        assert_eq!(output.status.code(), Some(2), "{url}: {}", stderr(&output));
        assert!(!stderr(&output).contains("secret"), "{}", stderr(&output));
    }
}

#[test]
fn without_a_token_an_agent_that_does_not_answer_is_what_is_said_to_be_missing() {
    let folder = Folder::new();
    let url = wants_a_token();
    let asks: [&[&str]; 4] = [
        &["leases"],
        &["status"],
        &["why", "D1f2e3d4c-42"],
        &["run", "--product", "cad", "--", "true"],
    ];
    for ask in asks {
        let output = usher(&folder).env("USHER_SERVER", &url).args(ask).ended();
        let said = stderr(&output);
        assert!(
            said.starts_with("usher: no Usher agent answers on this computer"),
            "{ask:?}: {said}"
        );
        assert_eq!(output.status.code(), Some(69), "{ask:?}");
    }
}

#[test]
fn a_missing_token_is_a_refusal_of_what_no_agent_answers_and_one_that_is_not_taken_always() {
    let folder = Folder::new();
    let url = wants_a_token();
    let asks: [&[&str]; 4] = [
        &["entitlement", "list"],
        &["token", "list"],
        &["pack"],
        &["backup", "copy.db"],
    ];
    for ask in asks {
        let mut command = usher(&folder);
        command.env("USHER_SERVER", &url).args(ask);
        let without = command.ended();
        assert_eq!(without.status.code(), Some(77), "{ask:?}");
        let said = stderr(&without);
        assert!(said.contains("Give a token with --token"), "{said}");
        let wrong = command.env("USHER_TOKEN", "usher_wrong").ended();
        assert_eq!(wrong.status.code(), Some(77), "{ask:?}");
        let said = stderr(&wrong);
        assert!(!said.contains("Give a token with --token"), "{said}");
    }
}

#[test]
fn a_check_without_a_token_says_so_in_words_of_the_command_line() {
    let folder = Folder::new();
    let url = answers(|_, path| match path {
        "/v1/health" => (200, r#"{"status": "ok"}"#.to_owned()),
        _ => (401, no_token()),
    });
    let output = usher(&folder)
        .args(["check", "--server-only", "--server", &url])
        .ended();
    assert_eq!(output.status.code(), Some(3));
    let said = stdout(&output);
    assert!(
        said.starts_with("USHER UNKNOWN - no token was shown. Give a token with --token"),
        "{said}"
    );
    assert!(!said.contains("Bearer"), "{said}");
}

#[test]
fn a_manager_that_does_not_answer_is_named_as_one_with_its_port_and_unit() {
    let folder = Folder::new();
    let held = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", held.local_addr().unwrap());
    for ask in [
        &["messages", "--manager", &url][..],
        &["servers", "list", "--manager", &url],
        &["token", "list", &format!("--at-manager={url}")],
    ] {
        let output = usher(&folder).env("USHER_TOKEN", "t").args(ask).ended();
        assert_eq!(output.status.code(), Some(69), "{ask:?}");
        let said = stderr(&output);
        assert!(
            said.starts_with(&format!("usher: no Usher manager answers at {url}")),
            "{said}"
        );
        assert!(
            said.contains("8480") && said.contains("systemctl status usher-manager"),
            "{said}"
        );
    }
}

#[test]
fn the_tokens_of_a_manager_are_asked_of_the_one_that_the_settings_file_names() {
    let folder = Folder::new();
    let held = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", held.local_addr().unwrap());
    let file = folder.path("usher.toml");
    std::fs::write(&file, format!("manager = \"{url}\"\n")).unwrap();
    let output = usher(&folder)
        .args(["token", "list", "--at-manager", "--config"])
        .arg(&file)
        .ended();
    let said = stderr(&output);
    assert!(
        said.starts_with(&format!("usher: no Usher manager answers at {url}")),
        "{said}"
    );
}

#[test]
fn every_message_is_listed_where_none_is_named() {
    let folder = Folder::new();
    let output = usher(&folder).args(["messages", "explain"]).ended();
    let said = stdout(&output);
    for id in ["9406 ", "9431 ", "9454 "] {
        assert!(said.lines().any(|line| line.starts_with(id)), "{said}");
    }
    let json = usher(&folder)
        .args(["messages", "explain", "--json"])
        .ended();
    let all: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(
        all["items"].as_array().unwrap().len(),
        said.lines().count() - 1
    );
}

#[test]
fn a_server_that_the_manager_does_not_watch_is_told_to_who_goes_by_its_name() {
    let folder = Folder::new();
    let url = answers(|method, path| {
        let rules = r#"{"items": [{"name": "r", "when": {"server": "nosuch"}, "actions": []}]}"#;
        match (method, path) {
            ("GET", "/v1/servers") => (200, r#"{"items": [], "next": null}"#.to_owned()),
            ("PUT", "/v1/message-rules") => (200, rules.to_owned()),
            _ => (200, r#"{"items": [], "next": null}"#.to_owned()),
        }
    });
    for ask in [
        &["messages", "--about", "nosuch"][..],
        &[
            "messages", "rules", "add", "r", "--about", "nosuch", "--stop",
        ],
    ] {
        let output = usher(&folder)
            .env("USHER_TOKEN", "t")
            .args(ask)
            .args(["--manager", &url])
            .ended();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let said = stderr(&output);
        assert!(
            said.contains("The manager watches no server nosuch: it watches none."),
            "{said}"
        );
    }
}

/// The address of a server that lets in nobody.
fn wants_a_token() -> String {
    answers(|_, _| (401, no_token()))
}

/// What a server says to who shows no token.
fn no_token() -> String {
    let detail = "no token was shown: send it as `Authorization: Bearer TOKEN`";
    let problem = usher_api::Problem::new(usher_api::Code::Unauthorized, detail);
    serde_json::to_string(&problem).unwrap()
}

/// The address of a server that answers so to a method and a path.
pub(crate) fn answers(answer: impl Fn(&str, &str) -> (u16, String) + Send + 'static) -> String {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = [0; 8_192];
            let length = stream.read(&mut head).unwrap_or(0);
            let head = String::from_utf8_lossy(&head[..length]).into_owned();
            let mut words = head.split([' ', '?']);
            let method = words.next().unwrap_or_default();
            let (status, body) = answer(method, words.next().unwrap_or_default());
            let kind = match status {
                200 => "application/json",
                _ => "application/problem+json",
            };
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {status} As-it-is\r\ncontent-type: {kind}\r\n\
                 content-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
        }
    });
    url
}
