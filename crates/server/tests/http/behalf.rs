//! A manager asks on behalf of people whom it knows and the server does not.

use serde_json::{Value, json};

use crate::common::{Reply, Server, asking, send};

const HEADER: &str = usher_api::ON_BEHALF_OF;

/// A product is made with that token on behalf of each.
async fn makes(server: &Server, token: &str, id: &str, on_behalf_of: &[&str]) -> Reply {
    let mut request = server.request("POST", "/v1/products", token);
    for other in on_behalf_of {
        request = request.header(HEADER, *other);
    }
    send(request.json(&json!({ "id": id, "name": id }))).await
}

#[tokio::test]
async fn a_manager_changes_what_is_metered_for_who_may_and_for_nobody_else() {
    let server = Server::start();
    let manager = server.token(json!({ "role": "manager" })).await;
    for (number, (others, status)) in [
        (vec![], 403),
        (vec!["admin m-1"], 201),
        (vec!["operator m-1"], 403),
        (vec!["viewer m-1"], 403),
        (vec!["manager m-1"], 403),
        (vec!["king m-1"], 400),
        (vec!["admin"], 400),
        (vec!["admin "], 400),
        (vec!["admin m-1 m-2"], 400),
        (vec!["admin m-1", "admin m-1"], 400),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("p{number}");
        let made = makes(&server, &manager, &id, &others).await;
        assert_eq!(made.status, status, "{others:?}: {}", made.body);
        let there = server
            .call("GET", &format!("/v1/products/{id}"), None)
            .await;
        assert_eq!(there.status == 200, status == 201, "{others:?}");
    }
    let viewer = makes(&server, &manager, "p", &["viewer m-1"]).await;
    assert_eq!(
        viewer.body["detail"],
        "m-1, of role viewer, on whose behalf a token of role manager asks, may not change \
         products: that takes role admin"
    );
}

#[tokio::test]
async fn what_is_not_a_managers_to_do_is_done_for_nobody() {
    let server = Server::start();
    server.product("cad", 1).await;
    let admin = server.admin.clone();
    let asks = async |method: &str, path: &str, body: Value| {
        let request = server.request(method, path, &admin);
        send(request.header(HEADER, "admin m-1").json(&body)).await
    };
    let token = asks("POST", "/v1/tokens", json!({ "role": "admin" })).await;
    assert_eq!((token.status, token.code()), (403, "forbidden"));
    assert_eq!(
        token.body["detail"],
        "a manager does not make tokens for others: ask the server itself, with a token of role \
         admin"
    );
    let pack = asks("POST", "/v1/pack", json!({})).await;
    assert_eq!(pack.status, 403, "{}", pack.body);
    let seat = asks("POST", "/v1/checkouts", asking("cad", "ann")).await;
    assert_eq!((seat.status, seat.code()), (403, "forbidden"));
    let added = asks(
        "POST",
        "/v1/entitlements",
        json!({ "product": "cad", "seats": 2 }),
    )
    .await;
    assert_eq!(added.status, 201, "{}", added.body);
}

#[tokio::test]
async fn a_token_of_another_role_acts_on_nobody_elses_behalf() {
    let server = Server::start();
    for role in ["viewer", "operator"] {
        let token = server.token(json!({ "role": role })).await;
        let seen = server.request("GET", "/v1/products", &token);
        let seen = send(seen.header(HEADER, "admin m-1")).await;
        assert_eq!((seen.status, seen.code()), (403, "forbidden"), "{role}");
    }
}
