//! Connections as they come: HTTP/1.1 and HTTP/2, TLS, pipelined, broken, slow, gone.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};
use usher_server::TlsFiles;

use crate::common::{DEADLINE, Server, asking, options, send, until};

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

fn post(server: &Server, body: &str, close: bool) -> String {
    format!(
        "POST /v1/checkouts HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n{}\r\n{body}",
        server.admin,
        body.len(),
        if close { "connection: close\r\n" } else { "" },
    )
}

/// Everything that comes until the other side closes.
fn all(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    stream.read_to_end(&mut text).unwrap();
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = Server::start();
    server.product("cad", 2).await;
    let mut stream = connect(&server);
    let mut requests = String::new();
    for (index, user) in ["ann", "bob", "eve"].into_iter().enumerate() {
        let body = asking("cad", user).to_string();
        requests.push_str(&post(&server, &body, index == 2));
    }
    stream.write_all(requests.as_bytes()).unwrap();
    let answers = all(stream);
    assert_eq!(statuses(&answers), ["201", "201", "403"]);
    let (ann, bob) = (
        answers.find("\"ann\"").unwrap(),
        answers.find("\"bob\"").unwrap(),
    );
    assert!(ann < bob);
}

/// The statuses of answers that came one behind the other.
fn statuses(answers: &str) -> Vec<&str> {
    let starts = answers.match_indices("HTTP/1.1 ");
    starts.map(|(at, _)| &answers[at + 9..at + 12]).collect()
}

#[tokio::test]
async fn a_connection_serves_whatever_is_asked_on_it_in_turn() {
    let server = Server::start();
    server.product("cad", 9).await;
    let mut stream = connect(&server);
    let look = format!(
        "GET /v1/products/cad HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n",
        server.admin
    );
    let ask = |user, close| post(&server, &asking("cad", user).to_string(), close);
    let unknown = ask("eve", false).replace(&server.admin, "usher_unknown");
    let requests = [
        ask("ann", false),
        ask("bob", false),
        look,
        ask("cid", false),
        unknown,
        ask("dan", true),
    ];
    stream.write_all(requests.concat().as_bytes()).unwrap();
    let answers = all(stream);
    let expected = ["201", "201", "200", "201", "401", "201"];
    assert_eq!(statuses(&answers), expected, "{answers}");
    assert!(answers.contains("\"in_use\":2"), "{answers}");
    assert_eq!(answers.matches("\r\nconnection: close\r\n").count(), 1);
    assert_eq!(answers.matches("\r\ndate: ").count(), expected.len());
}

/// An answer without what belongs to one request: its status, its headers in order, its body.
fn told(answer: &str) -> (Vec<&str>, Value) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines = head.split("\r\n").collect::<Vec<_>>();
    lines.retain(|line| {
        let own = ["x-request-id: ", "date: ", "connection: "];
        !own.iter().any(|name| line.starts_with(name))
    });
    lines.sort_unstable();
    let mut body: Value = serde_json::from_str(body).unwrap();
    body.as_object_mut().unwrap().remove("request_id");
    (lines, body)
}

/// The last request of a connection is answered by the general server, those before it without.
#[tokio::test]
async fn a_request_is_answered_alike_with_and_without_the_general_server() {
    let server = Server::start();
    server.product("cad", 0).await;
    let asked = asking("cad", "ann");
    let mut unknown = asked.clone();
    unknown["product"] = json!("none");
    let mut strange = asked.clone();
    strange["colour"] = json!("red");
    let long = asking("cad", &"x".repeat(2_000));
    for body in [
        asked.to_string(),
        unknown.to_string(),
        strange.to_string(),
        long.to_string(),
        "{".to_owned(),
        "[]".to_owned(),
        String::new(),
        format!("{asked}{}", " ".repeat(30_000)),
    ] {
        for change in [
            "application/json",
            "text/plain",
            "application/JSON; charset=utf-8",
        ] {
            let request = |close| post(&server, &body, close).replace("application/json", change);
            let mut stream = connect(&server);
            let both = request(false) + &request(true);
            stream.write_all(both.as_bytes()).unwrap();
            let answers = all(stream);
            let second = answers.rfind("HTTP/1.1 ").unwrap();
            assert!(second > 0, "{answers}");
            let (without, with) = answers.split_at(second);
            assert_eq!(told(without), told(with), "{change}: {body:.80}");
        }
    }
}

#[tokio::test]
async fn a_request_may_come_byte_by_byte() {
    let server = Server::start();
    server.product("cad", 2).await;
    let mut stream = connect(&server);
    stream.set_nodelay(true).unwrap();
    for (user, close) in [("ann", false), ("bob", true)] {
        for byte in post(&server, &asking("cad", user).to_string(), close).bytes() {
            stream.write_all(&[byte]).unwrap();
        }
    }
    let answers = all(stream);
    assert_eq!(statuses(&answers), ["201", "201"], "{answers}");
}

#[tokio::test]
async fn a_body_may_come_in_chunks_and_a_broken_one_harms_nobody() {
    let server = Server::start();
    server.product("cad", 5).await;
    let head = format!(
        "POST /v1/checkouts HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n",
        server.admin
    );
    let body = asking("cad", "ann").to_string();
    let (first, second) = body.split_at(10);
    let chunked = format!(
        "{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n",
        first.len(),
        second.len()
    );
    let mut stream = connect(&server);
    stream
        .write_all((head.clone() + &chunked).as_bytes())
        .unwrap();
    assert!(all(stream).starts_with("HTTP/1.1 201"));

    let mut stream = connect(&server);
    stream
        .write_all((head.clone() + "zz\r\nnonsense").as_bytes())
        .unwrap();
    let answer = all(stream);
    assert!(
        answer.starts_with("HTTP/1.1 400") && answer.contains("invalid_request"),
        "{answer}"
    );

    let mut stream = connect(&server);
    stream
        .write_all((head + "ff\r\nnot all of it").as_bytes())
        .unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    drop(all(stream));
    let mut stream = connect(&server);
    stream
        .write_all(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
        .unwrap();
    let answer = all(stream);
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 400"),
        "{answer}"
    );
    assert_eq!(server.get("/v1/products/cad").await["in_use"], 1);
}

#[tokio::test]
async fn a_body_without_an_end_is_cut_off_at_a_mebibyte() {
    let server = Server::start();
    let mut stream = connect(&server);
    let head = format!(
        "POST /v1/checkouts HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n",
        server.admin
    );
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    for _ in 0..17 {
        // It may have been cut off already.
        if stream.write_all(chunk.as_bytes()).is_err() {
            break;
        }
    }
    let mut answer = [0u8; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}

#[tokio::test]
async fn a_head_that_dawdles_is_not_waited_for() {
    let server = Server::start();
    let mut stream = connect(&server);
    stream
        .write_all(b"GET /v1/health HTTP/1.1\r\nhost:")
        .unwrap();
    // The deadline of the read is beyond the server's patience.
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert!(rest.is_empty());
}

#[tokio::test]
async fn who_goes_before_the_answer_leaves_the_server_in_order() {
    let server = Server::start();
    server.product("cad", 100).await;
    for number in 0..50 {
        let mut stream = connect(&server);
        let body = asking("cad", &format!("u{number}")).to_string();
        stream
            .write_all(post(&server, &body, false).as_bytes())
            .unwrap();
        drop(stream);
    }
    until("the connections to be gone", async || {
        let text = send_text(&server, "/metrics").await;
        let open = text
            .lines()
            .find_map(|line| line.strip_prefix("usher_connections "))?;
        (open.parse::<u32>().unwrap() <= 2).then_some(())
    })
    .await;
    let leases = server.get("/v1/leases").await["items"]
        .as_array()
        .unwrap()
        .len();
    let in_use = server.get("/v1/products/cad").await["in_use"]
        .as_u64()
        .unwrap();
    assert_eq!(in_use, leases as u64);
    assert_eq!(server.checkout("cad", "ann").await.status, 201);
}

async fn send_text(server: &Server, path: &str) -> String {
    let request = server.request("GET", path, &server.admin);
    request.send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn a_waiter_that_is_gone_is_not_served() {
    let server = Server::start();
    server.product("cad", 1).await;
    let lease = server.lease("cad", "ann").await;
    let dead = server.ticket("cad", "bob").await;
    let alive = server.ticket("cad", "eve").await;
    let mut stream = connect(&server);
    let poll = format!(
        "GET /v1/tickets/{dead}?wait_seconds=300 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n",
        server.admin
    );
    stream.write_all(poll.as_bytes()).unwrap();
    drop(stream);
    server
        .call("DELETE", &format!("/v1/leases/{lease}"), None)
        .await;
    // Whether or not the dead waiter was given the seat, it fetches it not, and it passes on.
    let request = server.request(
        "GET",
        &format!("/v1/tickets/{alive}?wait_seconds=60"),
        &server.admin,
    );
    let granted = send(request.timeout(Duration::from_secs(70))).await;
    assert_eq!(granted.body["state"], "granted", "{}", granted.body);
}

#[tokio::test]
async fn http2_is_spoken_on_the_same_port() {
    let server = Server::start();
    server.product("cad", 50).await;
    let http2 = reqwest::Client::builder()
        .no_proxy()
        .http2_prior_knowledge()
        .build()
        .unwrap();
    let mut calls = Vec::new();
    for number in 0..50 {
        let request = http2
            .post(server.url("/v1/checkouts"))
            .bearer_auth(&server.admin)
            .json(&asking("cad", &format!("u{number}")));
        calls.push(tokio::spawn(request.send()));
    }
    for call in calls {
        let response = call.await.unwrap().unwrap();
        assert_eq!(response.version(), reqwest::Version::HTTP_2);
        assert_eq!(response.status(), 201);
    }
    assert_eq!(server.get("/v1/products/cad").await["in_use"], 50);
}

/// A server that speaks TLS, its address for clients, and the certificate that it shows.
fn speaks_tls() -> (Server, String, reqwest::Certificate) {
    let folder = tempfile::tempdir().unwrap();
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (
        folder.path().join("cert.pem"),
        folder.path().join("key.pem"),
    );
    std::fs::write(&cert, certified.cert.pem()).unwrap();
    std::fs::write(&key, certified.signing_key.serialize_pem()).unwrap();
    let mut options = options(folder.path());
    options.tls = Some(TlsFiles { cert, key });
    let server = Server::start_with(folder, options);
    let shown = reqwest::Certificate::from_pem(certified.cert.pem().as_bytes()).unwrap();
    let url = format!("https://localhost:{}/v1/products", server.address.port());
    (server, url, shown)
}

#[tokio::test]
async fn who_does_not_trust_the_certificate_is_known_to_the_server_with_why() {
    let (server, url, shown) = speaks_tls();
    let trusting = reqwest::Client::builder().no_proxy();
    let trusting = trusting.tls_certs_only([shown]).build().unwrap();
    let facts = url.replace("/v1/products", "/v1/facts");
    let turned_away = async || -> Value {
        let asked = trusting.get(&facts).bearer_auth(&server.admin);
        let mut facts: Value = asked.send().await.unwrap().json().await.unwrap();
        facts["turned_away"].take()
    };
    assert_eq!(turned_away().await, json!([]));
    // One that trusts nobody, and one that trusts an authority of the same name.
    let same_name = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let same_name = reqwest::Certificate::from_pem(same_name.cert.pem().as_bytes()).unwrap();
    for (times, trusted) in [(1, Vec::new()), (2, vec![same_name])] {
        let distrusting = reqwest::Client::builder().no_proxy();
        let distrusting = distrusting.tls_certs_only(trusted).build().unwrap();
        assert!(distrusting.get(&url).send().await.is_err());
        let told = until("the word of it", async || {
            let told = turned_away().await;
            (told[0]["times"] == times).then_some(told)
        })
        .await;
        let why = told[0]["why"].as_str().unwrap();
        assert!(why.contains("--ca-file"), "{told}");
    }
}

#[tokio::test]
async fn tls_is_spoken_where_files_are_given() {
    let (server, url, trusted) = speaks_tls();
    for (version, client) in [
        (reqwest::Version::HTTP_2, reqwest::Client::builder()),
        (
            reqwest::Version::HTTP_11,
            reqwest::Client::builder().http1_only(),
        ),
    ] {
        let client = client
            .no_proxy()
            .tls_certs_only([trusted.clone()])
            .build()
            .unwrap();
        let request = client
            .post(&url)
            .bearer_auth(&server.admin)
            .json(&json!({ "id": format!("{version:?}").replace('/', "-") }));
        let response = request.send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), response.version()),
            (201, version)
        );
    }
    let metrics = reqwest::Client::builder().no_proxy();
    let metrics = metrics.tls_certs_only([trusted]).build().unwrap();
    let metrics = metrics
        .get(url.replace("/v1/products", "/metrics"))
        .bearer_auth(&server.admin);
    let metrics = metrics.send().await.unwrap().text().await.unwrap();
    let name = "\nusher_certificate_expires_timestamp_seconds ";
    let (_, ends_s) = metrics.split_once(name).unwrap();
    let ends_s: u64 = ends_s.lines().next().unwrap().parse().unwrap();
    // What rcgen makes unless it is told: to the year 4096.
    assert_eq!(ends_s, 67_090_118_400);
    let plain = server.http.get(server.url("/v1/health")).send().await;
    assert!(plain.is_err(), "plain HTTP is not answered");
}
