//! The id of each request, in its answer.

use serde_json::json;

use crate::common::{Server, asking, send};

fn is_made(id: &str) -> bool {
    let is_digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    id.len() == 16 && id.chars().all(is_digit)
}

#[tokio::test]
async fn each_answer_names_its_request() {
    let server = Server::start();
    server.product("cad", 1).await;
    let lease = server.checkout("cad", "ann").await;
    let id = lease.body["lease"]["id"].as_str().unwrap();
    let checkin = format!("/v1/leases/{id}");
    let body = Some(asking("cad", "bob"));
    let mut ids = vec![lease.header("x-request-id").to_owned()];
    for (method, path, token, body, status) in [
        ("GET", "/v1/health", "", None, 200),
        ("GET", "/v1/products", &*server.admin, None, 200),
        ("GET", "/v1/products", "nobody's", None, 401),
        ("GET", "/v1/nothing", &*server.admin, None, 404),
        ("PUT", "/v1/checkouts", &*server.admin, None, 405),
        ("POST", "/v1/checkouts", &*server.admin, body, 403),
        ("POST", "/v1/checkouts", &*server.admin, Some(json!(7)), 400),
        ("DELETE", &*checkin, &*server.admin, None, 204),
    ] {
        let reply = server.call_as(token, method, path, body).await;
        assert_eq!(reply.status, status, "{method} {path}: {}", reply.body);
        let id = reply.header("x-request-id");
        assert!(is_made(id), "{method} {path}: {id}");
        if status >= 400 {
            assert_eq!(reply.body["request_id"], id, "{method} {path}");
        }
        ids.push(id.to_owned());
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "each has its own");
}

#[tokio::test]
async fn a_client_names_its_own_request_in_a_word_that_a_log_can_bear() {
    let server = Server::start();
    server.product("cad", 1).await;
    let longest = "x".repeat(64);
    for given in ["job-7_a.B", &*longest] {
        let request = server.request("GET", "/v1/leases/none", &server.admin);
        let reply = send(request.header("x-request-id", given)).await;
        assert_eq!(reply.header("x-request-id"), given);
        assert_eq!(reply.body["request_id"], given);
        let request = server.request("POST", "/v1/checkouts", &server.admin);
        let request = request.json(&asking("cad", "ann"));
        let reply = send(request.header("x-request-id", given)).await;
        assert_eq!(reply.header("x-request-id"), given);
    }
    for wrong in ["a b", "a=b", "", &"x".repeat(65)] {
        let request = server.request("GET", "/v1/health", &server.admin);
        let reply = send(request.header("x-request-id", wrong)).await;
        assert!(is_made(reply.header("x-request-id")), "{wrong:?}");
    }
}

#[tokio::test]
async fn what_others_held_is_ended_under_the_id_of_the_request_that_ended_it() {
    let server = Server::start();
    server.product("cad", 1).await;
    let lease = server.lease("cad", "ann").await;
    let path = format!("/v1/leases/{lease}");
    let ended = server.call("DELETE", &path, None).await;
    let request = ended.header("x-request-id").to_owned();
    let data = server.stop();
    let file = rusqlite::Connection::open(data.path().join("cache.db")).unwrap();
    let count: i64 = file
        .query_row(
            "SELECT count(*) FROM changes WHERE request = ?1",
            [&request],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(count, 1);
}
