//! Whom commands ask: by a token the server, without one the agent of the computer.

use serde_json::Value;

use crate::fake::Fake;
use crate::support::{Ended, Folder, stderr, stdout, usher};

#[test]
fn a_check_and_a_doctor_without_a_token_ask_the_agents_server_through_the_agent_as_status_does() {
    let folder = Folder::new();
    let socket = folder.path("agent.sock");
    let _agent = Fake::agent(1, &socket);
    // Nobody listens at the address that the agent names: only the agent reaches it.
    let output = usher(&folder)
        .args(["check", "--server-only", "--agent-socket"])
        .arg(&socket)
        .ended();
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    assert!(
        stdout(&output).starts_with("USHER OK - 1 product, 0 of 1 seat in use"),
        "{}",
        stdout(&output)
    );
    let server = |more: &[&str]| {
        let output = usher(&folder)
            .args(["doctor", "--json", "--agent-socket"])
            .arg(&socket)
            .args(more)
            .ended();
        let findings: Value = serde_json::from_str(&stdout(&output)).unwrap();
        let of = |what: &str| {
            let mut findings = findings.as_array().unwrap().iter();
            let found = findings.find(|it| it["what"] == what).unwrap();
            (
                found["verdict"].as_str().unwrap().to_owned(),
                found["found"].as_str().unwrap().to_owned(),
            )
        };
        [of("server"), of("agent")]
    };
    let [of_server, of_agent] = server(&[]);
    let (verdict, found) = of_server;
    assert_eq!(verdict, "ok", "{found}");
    assert!(found.contains("is running"), "{found}");
    assert_eq!(of_agent.0, "ok", "{}", of_agent.1);
    // Another server than the agent's was named.
    let held = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", held.local_addr().unwrap());
    let [of_server, of_agent] = server(&["--server", &url]);
    assert_eq!(of_server.0, "fail", "{}", of_server.1);
    assert_eq!(of_agent.0, "warn", "{}", of_agent.1);
    assert!(
        of_agent.1.ends_with(&format!("and not to {url}")),
        "{}",
        of_agent.1
    );
}

#[test]
fn a_seat_is_kept_for_the_account_and_so_for_nobody_who_asks_by_a_token() {
    let folder = Folder::new();
    let socket = folder.path("agent.sock");
    let agent = Fake::agent(1, &socket);
    let output = usher(&folder)
        .args(["notify", "--when-free", "tool", "--agent-socket"])
        .arg(&socket)
        .env("USHER_TOKEN", "usher_of_somebody")
        .ended();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.contains("usher run --product tool --wait"), "{said}");
    assert!(said.contains("env -u USHER_TOKEN"), "{said}");
    assert_eq!(agent.with(|world| world.asked.len()), 0);
}

#[test]
fn a_lease_that_is_given_back_is_said_to_be() {
    let folder = Folder::new();
    let fake = Fake::server(1);
    fake.with(|world| world.leases.push("l-1".into()));
    let output = usher(&folder)
        .args(["checkin", "l-1", "--server", &fake.url])
        .ended();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(
        (stdout(&output), stderr(&output)),
        (String::new(), "l-1 is given back.\n".to_owned())
    );
}
