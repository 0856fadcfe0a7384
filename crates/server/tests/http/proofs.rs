//! The proof of a lease: who is told it, what it opens, and that it is derived and not kept.

use serde_json::{Value, json};

use crate::common::{Reply, Server, asking, send};

/// A checkout of `cad` for `ann` on the computer `c1`, under a key.
async fn keyed(server: &Server, key: &str) -> Reply {
    let mut body = asking("cad", "ann");
    body["computer"] = json!("c1");
    let request = server
        .request("POST", "/v1/checkouts", &server.admin)
        .header("Idempotency-Key", key)
        .json(&body);
    send(request).await
}

fn proof(lease: &Value) -> String {
    lease["proof"].as_str().unwrap_or_default().to_owned()
}

fn is_a_proof(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b"0123456789abcdef".contains(&b))
}

async fn agent_of(server: &Server, computer: &str) -> String {
    let body = json!({ "role": "agent", "computer": computer });
    server.token(body).await
}

/// What an agent is answered of a lease, with a proof or without.
async fn held(server: &Server, token: &str, id: &str, proof: Option<&str>) -> Reply {
    let mut request = server.request("GET", &format!("/v1/agents/leases/{id}"), token);
    if let Some(proof) = proof {
        request = request.header("usher-lease-proof", proof);
    }
    send(request).await
}

#[tokio::test]
async fn a_proof_stands_in_the_grant_its_repeat_and_a_fetched_ticket_and_nowhere_else() {
    let server = Server::start();
    server.product("cad", 1).await;
    let first = keyed(&server, "k1").await;
    let lease = &first.body["lease"];
    assert!(is_a_proof(&proof(lease)), "{lease}");
    let again = keyed(&server, "k1").await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.body, first.body);
    let id = lease["id"].as_str().unwrap();

    let renewed = server
        .call("POST", &format!("/v1/leases/{id}/renew"), None)
        .await;
    assert_eq!(renewed.status, 200);
    let lists = [
        renewed.body.to_string(),
        server.get("/v1/leases").await.to_string(),
        server.get(&format!("/v1/decisions/{id}")).await.to_string(),
        server.get("/v1/status").await.to_string(),
        server.get("/v1/usage").await.to_string(),
    ];
    for list in lists {
        assert!(!list.contains("proof"), "{list}");
    }
    let ticket = server.ticket("cad", "bob").await;
    server
        .call("DELETE", &format!("/v1/leases/{id}"), None)
        .await;
    let path = format!("/v1/tickets/{ticket}?wait_seconds=10");
    let fetched = server.get(&path).await;
    let (waited, told) = (&fetched["lease"], proof(&fetched["lease"]));
    assert!(is_a_proof(&told), "{fetched}");
    assert_ne!(told, proof(lease), "each lease has its own");
    let fetched_again = server.get(&path).await;
    assert_eq!(proof(&fetched_again["lease"]), told);
    let agent = agent_of(&server, "c9").await;
    let id = waited["id"].as_str().unwrap();
    assert_eq!(held(&server, &agent, id, Some(&told)).await.status, 200);
}

#[tokio::test]
async fn an_agent_is_told_of_leases_of_its_own_computer_or_with_the_proof_and_of_no_others() {
    let server = Server::start();
    server.product("cad", 1).await;
    let granted = keyed(&server, "k1").await.body["lease"].clone();
    let (id, proof) = (granted["id"].as_str().unwrap(), proof(&granted));
    let own = agent_of(&server, "c1").await;
    let other = agent_of(&server, "c9").await;

    let answered = held(&server, &own, id, None).await;
    let holder = json!({ "authority": "usher", "name": "ann" });
    assert_eq!(
        (answered.status, answered.body),
        (
            200,
            json!({ "product": "cad", "seats": 1, "holder": holder })
        )
    );
    let answered = held(&server, &other, id, Some(&proof)).await;
    let proven = json!({ "product": "cad", "seats": 1, "proven": true });
    assert_eq!((answered.status, answered.body), (200, proven));

    let almost = format!(
        "{}{}",
        &proof[..31],
        if proof.ends_with('0') { "1" } else { "0" }
    );
    let upper = format!("{}G", &proof[..31]);
    for wrong in [
        None,
        Some(""),
        Some(&*almost),
        Some(&*upper),
        Some(&proof[..30]),
    ] {
        let refused = held(&server, &other, id, wrong).await;
        assert_eq!(
            (refused.status, refused.code()),
            (404, "unknown_lease"),
            "{wrong:?}"
        );
        let unknown = held(&server, &other, "L00000001-999", wrong).await;
        assert_eq!(unknown.status, 404, "a lease of others is as none");
    }
    // The agent of the lease's own computer is told that what was shown proves nothing.
    let answered = held(&server, &own, id, Some(&almost)).await;
    assert_eq!(answered.body["proven"], Value::Null);

    let client = server
        .token(json!({ "role": "client", "user": "bob" }))
        .await;
    let refused = held(&server, &client, id, None).await;
    assert_eq!((refused.status, refused.code()), (403, "forbidden"));
    assert_eq!(held(&server, &client, id, Some(&proof)).await.status, 200);

    let path = format!("/v1/leases/{id}");
    assert_eq!(server.call("DELETE", &path, None).await.status, 204);
    for token in [&own, &other] {
        let ended = held(&server, token, id, Some(&proof)).await;
        assert_eq!((ended.status, ended.code()), (404, "unknown_lease"));
    }
}

#[tokio::test]
async fn a_proof_outlives_a_restart_and_is_in_no_file_but_as_its_secret() {
    use std::os::unix::fs::PermissionsExt;
    let server = Server::start();
    server.product("cad", 1).await;
    let granted = keyed(&server, "k1").await.body["lease"].clone();
    let folder = server.stop();
    let secret = folder.path().join("lease-proof.key");
    let mode = std::fs::metadata(&secret).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let proof = proof(&granted);
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes
                .windows(proof.len())
                .any(|part| part == proof.as_bytes());
            assert!(!found, "{}", path.display());
        }
    }
    let server = Server::start_in(folder);
    let again = keyed(&server, "k1").await;
    assert_eq!(again.body["lease"]["proof"], proof);
    let other = agent_of(&server, "c9").await;
    let id = granted["id"].as_str().unwrap();
    assert_eq!(held(&server, &other, id, Some(&proof)).await.status, 200);
    // Without its secret a server makes another, and the proofs of before open nothing.
    let folder = server.stop();
    std::fs::remove_file(&secret).unwrap();
    let server = Server::start_in(folder);
    assert_eq!(held(&server, &other, id, Some(&proof)).await.status, 404);
}

#[tokio::test]
async fn the_proof_of_one_ask_for_several_products_opens_each_of_their_leases() {
    let server = Server::start();
    server.product("cad", 2).await;
    server.product("pack", 2).await;
    let ask = json!({ "product": "cad", "user": "ann", "computer": "pc1",
        "also": [{ "product": "pack", "seats": 2 }] });
    let granted = server.call("POST", "/v1/checkouts", Some(ask)).await;
    assert_eq!(granted.status, 201, "{}", granted.body);
    let lease = &granted.body["lease"];
    let (first, other) = (&lease["id"], &lease["also"][0]["lease"]);
    let alone = server.call("POST", "/v1/checkouts", Some(asking("cad", "bob")));
    let alone = alone.await.body["lease"]["id"].clone();
    let proof = proof(lease);
    let agent = agent_of(&server, "c9").await;
    for (asked, product, with, of_it) in
        [(first, "cad", other, "pack"), (other, "pack", first, "cad")]
    {
        let answer = held(&server, &agent, asked.as_str().unwrap(), Some(&proof)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.body["product"], product, "{}", answer.body);
        assert_eq!(answer.body["proven"], true, "{}", answer.body);
        let also = json!([{ "lease": with, "product": of_it }]);
        assert_eq!(answer.body["also"], also, "{}", answer.body);
    }
    // And nobody else's.
    let answer = held(&server, &agent, alone.as_str().unwrap(), Some(&proof)).await;
    assert_eq!(answer.status, 404, "{}", answer.body);
}

#[tokio::test]
async fn joins_are_counted_and_shown_with_the_lease() {
    let server = Server::start();
    server.product("cad", 1).await;
    let granted = keyed(&server, "k1").await.body["lease"].clone();
    let (id, proof) = (granted["id"].as_str().unwrap(), proof(&granted));
    let other = agent_of(&server, "c9").await;
    let joined = async || {
        let list = server.get("/v1/leases").await;
        let why = server.get(&format!("/v1/decisions/{id}")).await;
        [list["items"][0]["joined"].clone(), why["joined"].clone()]
    };
    assert_eq!(joined().await, [Value::Null, Value::Null]);
    let ask = async |query: &str, proof: &str| {
        let path = format!("/v1/agents/leases/{id}{query}");
        let request = server.request("GET", &path, &other);
        send(request.header("usher-lease-proof", proof))
            .await
            .status
    };
    assert_eq!(ask("?joins=1", &proof).await, 200);
    assert_eq!(ask("?joins=7", &proof).await, 200);
    assert_eq!(ask("", &proof).await, 200);
    assert_eq!(ask("?joins=1", "0").await, 404);
    assert_eq!(ask("?joins=100001", &proof).await, 400);
    assert_eq!(ask("?other=1", &proof).await, 400);
    assert_eq!(joined().await, [json!(8), json!(8)]);
    let path = format!("/v1/leases/{id}");
    assert_eq!(server.call("DELETE", &path, None).await.status, 204);
    let why = server.get(&format!("/v1/decisions/{id}")).await;
    assert_eq!(why["joined"], 8, "also when it has ended");
}
