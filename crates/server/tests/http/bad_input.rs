//! What is not a request, or not a sensible one.

use serde_json::{Value, json};

use crate::common::{Server, asking, send};

#[tokio::test]
async fn fields_out_of_range_are_refused_by_name() {
    let server = Server::start();
    server.product("cad", 1).await;
    let long = "x".repeat(10_000);
    let cases: &[(&str, Value)] = &[
        ("seats", json!(0)),
        ("seats", json!(-1)),
        ("seats", json!(100_001)),
        ("seats", json!(1.5)),
        ("seats", json!("2")),
        ("seats", json!(1e300)),
        ("seats", json!(null)),
        ("ttl_seconds", json!(0)),
        ("ttl_seconds", json!(-5)),
        ("ttl_seconds", json!(86_401)),
        ("user", json!("")),
        ("user", json!(long)),
        ("user", json!("a\nb")),
        ("user", json!(" ")),
        ("user", json!("ann ")),
        ("user", json!(7)),
        ("user", json!(["ann"])),
        ("product", json!("")),
        ("product", json!(long)),
        ("computer", json!("\u{7f}")),
        ("computer", json!(long)),
        ("wait", json!("yes")),
        ("priority", json!(1_000)),
        ("program", json!({ "name": long })),
        ("program", json!({ "colour": "red" })),
        ("program", json!([])),
        ("program", json!(["tool", "1"])),
        ("subject", json!(["usher", "1"])),
        ("user", json!("a\u{202e}b")),
        ("computer", json!("\u{feff}pc")),
        ("subject", json!({ "authority": "", "id": "1" })),
        ("subject", json!({ "authority": "a" })),
        ("colour", json!("red")),
    ];
    for (field, value) in cases {
        let mut asked = asking("cad", "ann");
        asked[*field] = value.clone();
        let reply = server.call("POST", "/v1/checkouts", Some(asked)).await;
        assert_eq!(
            (reply.status, reply.code()),
            (400, "invalid_request"),
            "{field} {value:.60}"
        );
        let detail = reply.body["detail"].as_str().unwrap();
        assert!(detail.len() < 400, "{detail}");
    }
    for missing in ["product", "user", "computer"] {
        let mut asked = asking("cad", "ann");
        asked.as_object_mut().unwrap().remove(missing);
        let reply = server.call("POST", "/v1/checkouts", Some(asked)).await;
        assert_eq!(reply.status, 400, "{missing}");
        assert!(reply.body["detail"].as_str().unwrap().contains(missing));
    }
    let mut most = asking("cad", &"é".repeat(127));
    most["seats"] = json!(100_000);
    let reply = server.call("POST", "/v1/checkouts", Some(most)).await;
    assert_eq!(
        reply.body["reason"], "no_seat",
        "the bounds themselves are taken"
    );
    assert_eq!(server.get("/v1/products/cad").await["in_use"], 0);
}

#[tokio::test]
async fn bodies_that_are_not_json_are_refused() {
    let server = Server::start();
    let post = |body: Vec<u8>, kind: Option<&'static str>| {
        let mut request = server
            .request("POST", "/v1/checkouts", &server.admin)
            .body(body);
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        send(request)
    };
    let json_kind = Some("application/json");
    for body in [
        b"".to_vec(),
        b"{".to_vec(),
        b"[]".to_vec(),
        b"null".to_vec(),
        b"{\"product\":\"cad\"} {}".to_vec(),
        b"\xff\xfe".to_vec(),
        b"{\"product\":\"c\xffad\",\"user\":\"ann\",\"computer\":\"pc1\"}".to_vec(),
        b"{\"product\":\"cad\",\"product\":\"cad\",\"user\":\"a\",\"computer\":\"c\"}".to_vec(),
        vec![b'['; 100_000],
    ] {
        let reply = post(body.clone(), json_kind).await;
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        assert_eq!(
            (reply.status, reply.code()),
            (400, "invalid_request"),
            "{shown}"
        );
    }
    for kind in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
    ] {
        let reply = post(b"{}".to_vec(), kind).await;
        assert_eq!(
            (reply.status, reply.code()),
            (415, "unsupported_media_type"),
            "{kind:?}"
        );
    }
    let with_charset = post(b"{}".to_vec(), Some("application/json; charset=utf-8")).await;
    assert_eq!(with_charset.status, 400, "read, and found wanting");
}

#[tokio::test]
async fn bodies_over_a_mebibyte_are_refused_whether_announced_or_not() {
    let server = Server::start();
    server.product("cad", 1).await;
    let big = vec![b' '; 1024 * 1024 + 1];
    for path in ["/v1/checkouts", "/v1/products", "/v1/agents/sync"] {
        let request = server
            .request("POST", path, &server.admin)
            .header("content-type", "application/json")
            .body(big.clone());
        let reply = send(request).await;
        assert_eq!(
            (reply.status, reply.code()),
            (413, "body_too_large"),
            "{path}"
        );
    }
    // As large as may be, with the request at its end.
    let asked = asking("cad", "ann").to_string();
    let mut largest = vec![b' '; 1024 * 1024 - asked.len()];
    largest.extend_from_slice(asked.as_bytes());
    let request = server
        .request("POST", "/v1/checkouts", &server.admin)
        .header("content-type", "application/json")
        .body(largest);
    assert_eq!(send(request).await.status, 201);
}

#[tokio::test]
async fn queries_and_paths_that_make_no_sense_are_refused() {
    let server = Server::start();
    for path in [
        "/v1/leases?limit=0",
        "/v1/leases?limit=1001",
        "/v1/leases?limit=many",
        "/v1/leases?cursor=abc",
        "/v1/leases?cursor=18446744073709551615",
        "/v1/leases?colour=red",
        "/v1/products?cursor=-1",
        "/v1/denials?since=yesterday",
        "/v1/sessions?running=maybe",
        "/v1/sessions?cursor=7",
        "/v1/sessions?cursor=7.-1",
        "/v1/usage?since=2026-02-01&until=2026-01-01",
        "/v1/tickets/T00000001-1?wait_seconds=301",
        "/v1/tickets/T00000001-1?wait_seconds=-1",
    ] {
        let reply = server.call("GET", path, None).await;
        assert_eq!(
            (reply.status, reply.code()),
            (400, "invalid_request"),
            "{path}"
        );
    }
    let reply = server
        .call("POST", "/v1/checkouts?dry=1", Some(asking("cad", "ann")))
        .await;
    assert_eq!(reply.status, 400);
    for path in ["/", "/v1", "/v1/nothing", "/v1/leases/", "/v1/products/a/b"] {
        let reply = server.call("GET", path, None).await;
        assert_eq!((reply.status, reply.code()), (404, "not_found"), "{path}");
    }
    for (method, path, allow) in [
        ("GET", "/v1/checkouts", "POST"),
        ("PUT", "/v1/leases/L00000001-1", "DELETE"),
        ("GET", "/v1/leases/L00000001-1/renew", "POST"),
        ("DELETE", "/v1/products", "GET, POST"),
        ("PATCH", "/v1/products/cad", "GET, PUT, DELETE"),
        ("POST", "/v1/status", "GET"),
    ] {
        let reply = server.call(method, path, None).await;
        assert_eq!(
            (reply.status, reply.code()),
            (405, "method_not_allowed"),
            "{method} {path}"
        );
        assert_eq!(reply.header("allow"), allow);
    }
    let reply = server
        .call(
            "POST",
            "/v1/leases/L00000001-1/renew",
            Some(json!({ "ttl": 1 })),
        )
        .await;
    assert_eq!((reply.status, reply.code()), (400, "invalid_request"));
}

#[tokio::test]
async fn a_path_that_is_no_text_is_a_problem_at_every_route() {
    let server = Server::start();
    let described = server.get("/openapi.json").await;
    let mut tried = 0;
    for (path, methods) in described["paths"].as_object().unwrap() {
        if !path.contains("{id}") {
            continue;
        }
        for method in ["get", "put", "post", "delete"] {
            if methods.get(method).is_none() {
                continue;
            }
            let path = path.replace("{id}", "%ff");
            let body = (method == "put").then(|| json!({}));
            let method = method.to_uppercase();
            let reply = server.call(&method, &path, body).await;
            assert!([400, 404].contains(&reply.status), "{method} {path}");
            assert_eq!(
                reply.header("content-type"),
                "application/problem+json",
                "{method} {path}"
            );
            assert_ne!(reply.code(), "", "{method} {path}");
            tried += 1;
        }
    }
    assert!(tried > 10, "{tried}");
    let reply = server.call("GET", "/v1/products/%ff", None).await;
    assert_eq!((reply.status, reply.code()), (400, "invalid_request"));
}

#[tokio::test]
async fn an_array_is_not_taken_for_an_object_at_any_route() {
    let server = Server::start();
    server.product("cad", 1).await;
    for (method, path, body) in [
        ("POST", "/v1/checkouts", json!(["cad", "ann", "pc1"])),
        ("POST", "/v1/products", json!(["cam"])),
        ("PUT", "/v1/products/cad", json!(["cad"])),
        ("POST", "/v1/entitlements", json!(["cad", "concurrent", 5])),
        (
            "PUT",
            "/v1/entitlements/E1",
            json!(["cad", "concurrent", 5]),
        ),
        (
            "POST",
            "/v1/tokens",
            json!(["admin", "x", null, null, null]),
        ),
        ("POST", "/v1/agents/sync", json!([["c1", "pc1"], 1, 0, []])),
        (
            "POST",
            "/v1/agents/sync",
            json!({ "computer": ["c1", "pc1"], "incarnation": 1 }),
        ),
        (
            "POST",
            "/v1/agents/sync",
            json!({ "computer": { "id": "c1", "name": "pc1" }, "incarnation": 1, "items": [[1, "renew", 1]] }),
        ),
    ] {
        let reply = server.call(method, path, Some(body)).await;
        assert_eq!(
            (reply.status, reply.code()),
            (400, "invalid_request"),
            "{method} {path}: {}",
            reply.body
        );
    }
    assert_eq!(server.get("/v1/entitlements").await["items"][0]["seats"], 1);
}

#[tokio::test]
async fn a_product_that_no_path_could_name_is_refused() {
    let server = Server::start();
    for id in [".", "..", "a b", "a/b", "a\u{200b}b"] {
        let reply = server
            .call("POST", "/v1/products", Some(json!({ "id": id })))
            .await;
        assert_eq!(
            (reply.status, reply.code()),
            (400, "invalid_request"),
            "{id:?}"
        );
    }
    let named = json!({ "id": "ok", "name": "a\u{2067}b" });
    let reply = server.call("POST", "/v1/products", Some(named)).await;
    assert_eq!(reply.status, 400);
}
