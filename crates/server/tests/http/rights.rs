//! What each role may do: all routes by all roles, as one table.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::common::{Server, asking};

/// The roles, in the order of the columns.
const ROLES: [&str; 7] = [
    "client", "agent", "backup", "manager", "viewer", "operator", "admin",
];

/// Each route, and whether it answers a token of each role (`+`) or refuses it (`-`).
const TABLE: &str = "
    POST   /v1/checkouts             ++---++
    DELETE /v1/leases/{id}           ++---++
    POST   /v1/leases/{id}/renew     ++---++
    POST   /v1/agents/sync           -+---++
    GET    /v1/leases                ++-++++
    GET    /v1/agents/leases/{id}    -+---++
    GET    /v1/tickets/{id}          ++---++
    DELETE /v1/tickets/{id}          ++---++
    GET    /v1/queue                 ++-++++
    GET    /v1/denials               ++-++++
    GET    /v1/waits                 ++-++++
    GET    /v1/decisions/{id}        ++-++++
    GET    /v1/products              ++-++++
    POST   /v1/products              ------+
    GET    /v1/products/{id}         ++-++++
    PUT    /v1/products/{id}         ------+
    DELETE /v1/products/{id}         ------+
    GET    /v1/products/{id}/demand  ---++++
    GET    /v1/entitlements          ---++++
    POST   /v1/entitlements          ------+
    GET    /v1/entitlements/{id}     ---++++
    PUT    /v1/entitlements/{id}     ------+
    DELETE /v1/entitlements/{id}     ------+
    GET    /v1/sessions              ++-++++
    GET    /v1/usage                 ++-++++
    GET    /v1/usage/users           ++-++++
    GET    /v1/usage/days            ++-++++
    GET    /v1/programs              ---++++
    GET    /v1/history               ---++++
    GET    /v1/history/consumers     ---++++
    PUT    /v1/history/consumers/{name} ---+-++
    DELETE /v1/history/consumers/{name} ---+-++
    GET    /v1/tokens                ------+
    POST   /v1/tokens                ------+
    DELETE /v1/tokens/{id}           ------+
    GET    /v1/status                ++-++++
    GET    /v1/facts                 ---++++
    GET    /v1/service               ---++++
    POST   /v1/service/controls      -----++
    GET    /v1/pack                  ---++++
    POST   /v1/pack                  -----++
    DELETE /v1/pack                  -----++
    PUT    /v1/pack/schedule         -----++
    GET    /v1/events                ---++++
    GET    /v1/backup                --+---+
    GET    /v1/snapshots             ------+
    POST   /v1/canary                ---++++
    GET    /metrics                  ---++++
    GET    /v1/health                +++++++
    GET    /openapi.json             +++++++
";

/// What some routes do besides for some roles: seats with a priority, for another person or
/// computer than the token's own, of a person who is named as agents name them, and one that is kept
/// for a start to come; the end of a lease of somebody else's.
const WITHIN: &str = "
    priority     -----++
    other user   -+---++
    other place  +----++
    subject      -+---++
    kept         -+---++
    end others'  -----++
";

struct Row {
    words: Vec<String>,
    marks: String,
}

fn rows(table: &str) -> Vec<Row> {
    let lines = table.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let mut words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            let marks = words.pop().unwrap();
            assert_eq!(marks.len(), ROLES.len(), "{line}");
            Row { words, marks }
        })
        .collect()
}

/// A token of each role: the client's is ann's, the agent's is of the computer `pc1`.
async fn tokens(server: &Server) -> Vec<String> {
    let mut tokens = Vec::new();
    for role in ROLES {
        let body = match role {
            "client" => json!({ "role": role, "user": "ann" }),
            "agent" => json!({ "role": role, "computer": "pc1" }),
            _ => json!({ "role": role }),
        };
        tokens.push(server.token(body).await);
    }
    tokens
}

/// A body that is taken, or refused for what it says and not for who sends it.
fn body(method: &str, path: &str) -> Option<Value> {
    match (method, path) {
        ("POST", "/v1/checkouts") => Some(asking("nothing", "ann")),
        ("POST", "/v1/agents/sync") => {
            Some(json!({ "computer": { "id": "pc1", "name": "pc1" }, "incarnation": 1 }))
        }
        ("POST", "/v1/service/controls") => Some(json!({ "control": "interrogate" })),
        ("POST", "/v1/leases/{id}/renew" | "/v1/pack" | "/v1/canary") => None,
        ("POST" | "PUT", _) => Some(json!({})),
        _ => None,
    }
}

/// An id of a kind that the path names, of nothing that is there.
fn path(path: &str) -> String {
    let id = match path {
        path if path.contains("tickets") => "T00000001-1",
        path if path.contains("decisions") => "D00000001-1",
        path if path.contains("entitlements") => "E999",
        path if path.contains("products") => "nothing",
        path if path.contains("tokens") => "K000000000000",
        _ => "L00000001-1",
    };
    path.replace("{id}", id).replace("{name}", "site")
}

/// Whether it was answered, and not refused for the token. A stream is not read to its end.
async fn is_answered(request: reqwest::RequestBuilder, what: &str) -> bool {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    assert_ne!(status, 405, "{what}");
    if status != 403 {
        return true;
    }
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["code"], "forbidden", "{what}: {body}");
    false
}

#[tokio::test]
async fn each_route_answers_the_roles_that_may_and_refuses_the_others() {
    let server = Server::start();
    let tokens = tokens(&server).await;
    let table = rows(TABLE);
    let described = server.get("/openapi.json").await;
    let mut served = BTreeSet::new();
    for (path, methods) in described["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            served.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let listed: BTreeSet<String> = table.iter().map(|row| row.words.join(" ")).collect();
    assert_eq!(listed, served, "each route stands in the table");
    let mut found = String::new();
    let mut expected = String::new();
    for row in &table {
        let [method, path_of] = [&*row.words[0], &*row.words[1]];
        let is_open = ["/v1/health", "/openapi.json"].contains(&path_of);
        let mut marks = String::new();
        for (role, token) in ROLES.into_iter().zip(&tokens) {
            let mut request = server.request(method, &path(path_of), token);
            if let Some(body) = body(method, path_of) {
                request = request.json(&body);
            }
            let what = format!("{method} {path_of} by {role}");
            marks.push(if is_answered(request, &what).await {
                '+'
            } else {
                '-'
            });
        }
        found.push_str(&format!("{method} {path_of} {marks}\n"));
        expected.push_str(&format!("{method} {path_of} {}\n", row.marks));
        let request = server
            .http
            .request(method.parse().unwrap(), server.url(&path(path_of)));
        let status = request.send().await.unwrap().status().as_u16();
        assert_eq!(
            status != 401,
            is_open,
            "{method} {path_of} without a token: {status}"
        );
    }
    assert_eq!(found, expected);
}

#[tokio::test]
async fn within_a_route_each_role_may_ask_for_what_it_may() {
    let server = Server::start();
    let tokens = tokens(&server).await;
    server.product("cad", 100).await;
    let mut found = String::new();
    let mut expected = String::new();
    for row in rows(WITHIN) {
        let what = row.words.join(" ");
        let mut marks = String::new();
        for token in &tokens {
            let mut body = asking("cad", "ann");
            body["computer"] = json!("pc1");
            match &*what {
                "priority" => body["priority"] = json!(1),
                "other user" => body["user"] = json!("bob"),
                "other place" => body["computer"] = json!("pc2"),
                "subject" => body["subject"] = json!({ "authority": "usher", "id": "ann" }),
                "kept" => body["program"] = json!({ "name": "(kept)" }),
                _ => {
                    let mut theirs = asking("cad", "bob");
                    theirs["computer"] = json!("pc9");
                    let granted = server.call("POST", "/v1/checkouts", Some(theirs)).await;
                    let id = granted.body["lease"]["id"].as_str().unwrap().to_owned();
                    let path = format!("/v1/leases/{id}");
                    let ended = server.call_as(token, "DELETE", &path, None).await.status;
                    marks.push(if ended == 204 { '+' } else { '-' });
                    continue;
                }
            }
            let reply = server
                .call_as(token, "POST", "/v1/checkouts", Some(body))
                .await;
            assert!([201, 403].contains(&reply.status), "{what}: {}", reply.body);
            marks.push(if reply.status == 201 { '+' } else { '-' });
        }
        found.push_str(&format!("{what} {marks}\n"));
        expected.push_str(&format!("{what} {}\n", row.marks));
    }
    assert_eq!(found, expected);
}

#[tokio::test]
async fn who_sees_people_sees_everybodys_and_the_others_what_is_their_own() {
    let server = Server::start();
    let tokens = tokens(&server).await;
    let sync = json!({ "computer": { "id": "pc1", "name": "pc1" }, "incarnation": 1 });
    assert_eq!(
        server
            .call("POST", "/v1/agents/sync", Some(sync))
            .await
            .status,
        200
    );
    for (role, token) in ROLES.into_iter().zip(&tokens) {
        if role == "backup" {
            continue;
        }
        let sees_all = ["manager", "viewer", "operator", "admin"].contains(&role);
        for list in ["leases", "queue", "denials", "sessions", "usage"] {
            let path = format!("/v1/{list}");
            let reply = server.call_as(token, "GET", &path, None).await;
            assert_eq!(
                reply.body["only"].is_null(),
                sees_all,
                "{role} {list}: {}",
                reply.body
            );
        }
        let status = server.call_as(token, "GET", "/v1/status", None).await.body;
        let computers = status["computers"].as_array().map_or(0, Vec::len);
        assert_eq!(computers, usize::from(sees_all), "{role}: {status}");
        assert_eq!(
            status["server"]["pack"].is_object(),
            sees_all,
            "{role}: {status}"
        );
    }
}

#[tokio::test]
async fn a_token_that_is_for_one_thing_alone_is_told_so_everywhere_else() {
    let server = Server::start();
    let token = server.token(json!({ "role": "backup" })).await;
    for (method, path) in [
        ("GET", "/v1/nothing"),
        ("PATCH", "/v1/backup2"),
        ("GET", "/"),
    ] {
        let reply = server.call_as(&token, method, path, None).await;
        assert_eq!((reply.status, reply.code()), (403, "forbidden"), "{path}");
    }
    // Each route says which roles suffice: a role that may only look is refused a change.
    for (method, path, roles) in [
        ("GET", "/v1/service", "manager, viewer, operator or admin"),
        ("POST", "/v1/service/controls", "operator or admin"),
        ("PUT", "/v1/products/cad", "admin"),
        ("POST", "/v1/checkouts", "client, agent, operator or admin"),
    ] {
        let reply = server.call_as(&token, method, path, None).await;
        let detail = reply.body["detail"].as_str().unwrap();
        assert!(
            detail.ends_with(&format!(": use one of role {roles}")),
            "{method} {path}: {detail}"
        );
    }
    let reply = server.call_as(&token, "POST", "/v1/backup", None).await;
    assert_eq!(reply.status, 405, "{}", reply.body);
}
