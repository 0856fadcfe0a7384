//! What lasts ends with its token: streams, long polls and slow requests of a token that was
//! revoked or has expired.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use reqwest::Response;
use serde_json::json;
use usher_api::Timestamp;

use crate::common::{DEADLINE, Server, asking, send, until};

/// A token and its id.
async fn token(server: &Server, body: serde_json::Value) -> (String, String) {
    let made = server.call("POST", "/v1/tokens", Some(body)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let text = |field: &str| made.body[field].as_str().unwrap().to_owned();
    (text("token"), text("id"))
}

async fn revoke(server: &Server, id: &str) {
    let path = format!("/v1/tokens/{id}");
    assert_eq!(server.call("DELETE", &path, None).await.status, 204);
}

async fn follow(server: &Server, token: &str) -> Response {
    let request = server.request("GET", "/v1/events", token);
    let mut stream = request.send().await.unwrap();
    assert_eq!(stream.status(), 200);
    let hello = stream.chunk().await.unwrap().unwrap();
    assert_eq!(&hello[..], b": listening\n\n");
    stream
}

/// What a stream still says until it ends.
async fn rest(mut stream: Response) -> String {
    let mut text = String::new();
    let read = async {
        while let Some(piece) = stream.chunk().await.unwrap() {
            text.push_str(std::str::from_utf8(&piece).unwrap());
        }
    };
    let ended = tokio::time::timeout(DEADLINE / 2, read).await;
    assert!(ended.is_ok(), "the stream goes on: {text}");
    text
}

/// Whether a poll keeps the ticket's place now: it lengthens it by more than a single look does.
async fn is_polled(server: &Server, ticket: &str) -> Option<()> {
    let ticket = server.get(&format!("/v1/tickets/{ticket}")).await;
    let until: Timestamp = ticket["expires_at"].as_str()?.parse().unwrap();
    (until.duration_since(Timestamp::now()).as_secs() > 31).then_some(())
}

#[tokio::test]
async fn a_stream_of_events_ends_when_its_token_is_revoked_and_names_nobody_after_it() {
    let server = Server::start();
    server.product("cad", 2).await;
    let (viewer, id) = token(&server, json!({ "role": "viewer" })).await;
    let (other, _) = token(&server, json!({ "role": "viewer" })).await;
    let stream = follow(&server, &viewer).await;
    let mut goes_on = follow(&server, &other).await;

    revoke(&server, &id).await;
    server.lease("cad", "ann").await;

    let said = rest(stream).await;
    assert!(!said.contains("ann"), "{said}");
    let grant = goes_on.chunk().await.unwrap().unwrap();
    let grant = std::str::from_utf8(&grant).unwrap();
    assert!(grant.contains("ann"), "another's stream goes on: {grant}");
}

#[tokio::test]
async fn a_stream_of_events_ends_when_its_token_expires() {
    let server = Server::start();
    let soon = Timestamp::now() + Duration::from_secs(2);
    let body = json!({ "role": "viewer", "expires_at": soon.to_string() });
    let (viewer, _) = token(&server, body).await;
    let stream = follow(&server, &viewer).await;

    rest(stream).await;

    assert!(Timestamp::now() >= soon, "it ended before its time");
}

#[tokio::test]
async fn a_long_poll_of_a_revoked_token_is_refused_at_once_and_takes_no_seat() {
    let server = Server::start();
    server.product("cad", 1).await;
    let held = server.lease("cad", "ann").await;
    let (client, id) = token(&server, json!({ "role": "client", "user": "bob" })).await;
    let mut wish = asking("cad", "bob");
    wish["wait"] = json!(true);
    let queued = server
        .call_as(&client, "POST", "/v1/checkouts", Some(wish))
        .await;
    let ticket = queued.body["ticket"]["id"].as_str().unwrap().to_owned();
    let next = server.ticket("cad", "eve").await;
    let path = format!("/v1/tickets/{ticket}?wait_seconds=60");
    let poll = tokio::spawn(send(server.request("GET", &path, &client)));
    until("the poll to arrive", async || {
        is_polled(&server, &ticket).await
    })
    .await;

    revoke(&server, &id).await;
    let refused = poll.await.unwrap();

    assert_eq!((refused.status, refused.code()), (401, "unauthorized"));
    let path = format!("/v1/leases/{held}");
    assert_eq!(server.call("DELETE", &path, None).await.status, 204);
    let next = server
        .request(
            "GET",
            &format!("/v1/tickets/{next}?wait_seconds=60"),
            &server.admin,
        )
        .timeout(DEADLINE * 4);
    let next = send(next).await;
    assert_eq!(
        next.body["state"], "granted",
        "a seat that was kept for the revoked token passes on: {}",
        next.body
    );
}

#[tokio::test]
async fn a_place_in_the_queue_is_given_up_with_the_token_that_polled_it_and_not_by_who_looks() {
    let server = Server::start();
    server.product("cad", 1).await;
    server.lease("cad", "ann").await;
    let (client, own) = token(&server, json!({ "role": "client", "user": "bob" })).await;
    let (operator, watching) = token(&server, json!({ "role": "operator" })).await;
    let mut wish = asking("cad", "bob");
    wish["wait"] = json!(true);
    let queued = server
        .call_as(&client, "POST", "/v1/checkouts", Some(wish))
        .await;
    let ticket = queued.body["ticket"]["id"].as_str().unwrap().to_owned();
    let path = |ticket: &str| format!("/v1/tickets/{ticket}?wait_seconds=60");
    let state = async |ticket: &str| {
        let ticket = server.get(&format!("/v1/tickets/{ticket}")).await;
        ticket["state"].as_str().unwrap().to_owned()
    };
    let looked_at = server.ticket("cad", "eve").await;
    let look = tokio::spawn(send(server.request("GET", &path(&looked_at), &operator)));
    let poll = tokio::spawn(send(server.request("GET", &path(&ticket), &client)));
    for ticket in [&looked_at, &ticket] {
        until("the polls to arrive", async || {
            is_polled(&server, ticket).await
        })
        .await;
    }

    revoke(&server, &watching).await;
    revoke(&server, &own).await;

    assert_eq!(look.await.unwrap().status, 401);
    assert_eq!(poll.await.unwrap().status, 401);
    until("the place to be given up", async || {
        (state(&ticket).await == "cancelled").then_some(())
    })
    .await;
    assert_eq!(
        state(&looked_at).await,
        "waiting",
        "a look gives up nothing"
    );
}

#[tokio::test]
async fn a_long_poll_of_an_agent_ends_when_its_token_expires() {
    let server = Server::start();
    server.product("cad", 1).await;
    server.lease("cad", "ann").await;
    let soon = Timestamp::now() + Duration::from_secs(3);
    let body = json!({ "role": "agent", "computer": "pc1", "expires_at": soon.to_string() });
    let (agent, _) = token(&server, body).await;
    let mut wish = asking("cad", "bob");
    wish["wait"] = json!(true);
    let queued = server
        .call_as(&agent, "POST", "/v1/checkouts", Some(wish))
        .await;
    let ticket = queued.body["ticket"]["id"].as_str().unwrap();
    let path = format!("/v1/tickets/{ticket}?wait_seconds=60");

    let ended = send(server.request("GET", &path, &agent)).await;

    assert_eq!((ended.status, ended.code()), (401, "unauthorized"));
    assert!(Timestamp::now() >= soon);
}

#[tokio::test]
async fn a_request_whose_token_is_revoked_before_its_body_has_come_is_refused() {
    let server = Server::start();
    server.product("cad", 1).await;
    let (operator, id) = token(&server, json!({ "role": "operator" })).await;
    let mut slow = Vec::new();
    for (path, body) in [
        ("/v1/checkouts", asking("cad", "ann")),
        ("/v1/products", json!({ "id": "late" })),
    ] {
        let body = body.to_string();
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {operator}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\nexpect: 100-continue\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        // The server asks for the body once it has looked at the token.
        let mut word = [0; 25];
        stream.read_exact(&mut word).unwrap();
        assert!(word.starts_with(b"HTTP/1.1 100"), "{word:?}");
        slow.push((stream, body));
    }

    revoke(&server, &id).await;

    for (mut stream, body) in slow {
        stream.write_all(body.as_bytes()).unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 401", "{body}");
    }
    let leases = server.get("/v1/leases").await;
    assert_eq!(leases["items"], json!([]));
}
