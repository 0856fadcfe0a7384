//! What other licence servers count, as it comes in.

use serde_json::{Value, json};

use crate::support::{Manager, send};

/// A use that has ended.
pub(crate) fn used(key: &str) -> Value {
    json!({
        "key": key, "row": "use", "product": "MLM:Simulink", "user": "ann", "computer": "pc1",
        "started_at": "2026-01-02T08:00:00Z", "ended_at": "2026-01-02T09:00:00Z",
        "seen_until": null, "seats": 1,
    })
}

pub(crate) fn summary() -> Value {
    json!({
        "kind": "flexnet-log", "lines": 9, "understood": 8,
        "not_understood": [{ "shape": "# a", "count": 1, "example": "# a" }], "features": [],
        "from": "2026-01-02T08:00:00Z", "to": "2026-01-02T09:00:00Z", "time_zone": "UTC",
        "dates_from": "timestamp", "clock_changes": 0, "unobserved_seconds": 0, "daemon_peak": null,
    })
}

pub(crate) async fn ask(
    manager: &Manager,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> (u16, Value) {
    let request = manager.request(method, path, &manager.token());
    match body {
        Some(body) => send(request.json(body)).await,
        None => send(request).await,
    }
}

pub(crate) async fn begin(manager: &Manager, source: &str) -> String {
    let body = json!({ "kind": "flexnet-log", "source": source, "time_zone": "Europe/Berlin" });
    let (status, begun) = ask(manager, "POST", "/v1/imports", Some(&body)).await;
    assert_eq!(status, 201, "{begun}");
    begun["id"].as_str().unwrap().to_owned()
}

pub(crate) async fn rows(manager: &Manager, id: &str, number: u64, rows: &[Value]) -> (u16, Value) {
    let body = json!({ "number": number, "rows": rows });
    let path = format!("/v1/imports/{id}/rows");
    ask(manager, "POST", &path, Some(&body)).await
}

async fn finish(manager: &Manager, id: &str, bodies: u64) -> (u16, Value) {
    let body = json!({ "bodies": bodies, "summary": summary() });
    let path = format!("/v1/imports/{id}/finish");
    ask(manager, "POST", &path, Some(&body)).await
}

async fn remove(manager: &Manager, id: &str) -> (u16, Value) {
    ask(manager, "DELETE", &format!("/v1/imports/{id}"), None).await
}

/// A whole import; what it added, and what was there.
pub(crate) async fn import(manager: &Manager, source: &str, with: &[Value]) -> (String, u64, u64) {
    let id = begin(manager, source).await;
    let (status, taken) = rows(manager, &id, 1, with).await;
    assert_eq!((status, &taken["next_number"]), (200, &2.into()), "{taken}");
    let (status, answer) = finish(manager, &id, 1).await;
    assert_eq!(status, 200, "{answer}");
    let (added, there) = counts(&answer);
    (id, added, there)
}

fn counts(answer: &Value) -> (u64, u64) {
    let count = |field: &str| answer[field].as_u64().unwrap();
    (count("added"), count("already_there"))
}

#[track_caller]
fn is(answered: &(u16, Value), status: u16, code: &str) {
    let (found, body) = answered;
    assert_eq!((*found, &body["code"]), (status, &code.into()), "{body}");
}

#[tokio::test]
async fn a_file_that_has_grown_adds_only_what_is_new() {
    let manager = Manager::start();
    let file = [used("a:0"), used("a:1"), used("b:0")];
    let (id, added, there) = import(&manager, "lic1", &file[..2]).await;
    assert_eq!((added, there), (2, 0));
    let (_, added, there) = import(&manager, "lic1", &file[..2]).await;
    assert_eq!((added, there), (0, 2));
    let (_, added, there) = import(&manager, "lic1", &file).await;
    assert_eq!((added, there), (1, 2));
    let (status, shown) = ask(&manager, "GET", &format!("/v1/imports/{id}"), None).await;
    assert_eq!(status, 200);
    assert_eq!(shown["source"], "lic1");
    assert_eq!(shown["time_zone"], "Europe/Berlin");
    assert_eq!(
        (&shown["rows"], &shown["next_number"]),
        (&2.into(), &2.into())
    );
    assert_eq!(shown["answer"]["id"], *id);
    assert_eq!(shown["answer"]["not_understood"][0]["shape"], "# a");
    assert!(shown["finished_at"].is_string(), "{shown}");
}

#[tokio::test]
async fn bodies_of_rows_are_taken_in_their_order_and_once() {
    let manager = Manager::start();
    let id = begin(&manager, "lic1").await;
    let missing = rows(&manager, &id, 2, &[used("b")]).await;
    is(&missing, 409, "rows_missing");
    let why = missing.1["detail"].as_str().unwrap();
    assert!(why.contains("body 1 is next"), "{why}");
    is(
        &rows(&manager, &id, 0, &[used("a")]).await,
        400,
        "invalid_request",
    );
    for _ in 0..2 {
        let (status, taken) = rows(&manager, &id, 1, &[used("a")]).await;
        assert_eq!((status, &taken["next_number"]), (200, &2.into()), "{taken}");
    }
    for bodies in [0, 2] {
        is(&finish(&manager, &id, bodies).await, 409, "rows_missing");
    }
    // Repeated, it answers the same again.
    for _ in 0..2 {
        let (status, answer) = finish(&manager, &id, 1).await;
        assert_eq!((status, counts(&answer)), (200, (1, 0)), "{answer}");
        assert_eq!(answer["lines"], 9);
    }
    assert_eq!(rows(&manager, &id, 1, &[used("a")]).await.0, 200);
    is(
        &rows(&manager, &id, 2, &[used("b")]).await,
        409,
        "import_finished",
    );
    let messages = ask(&manager, "GET", "/v1/messages?id=9457", None).await.1;
    let text = messages["items"][0]["text"].as_str().unwrap();
    assert_eq!(text, "an administrator imported flexnet-log of lic1");
    assert_eq!(messages["items"][0]["count"], 1, "{messages}");
}

#[tokio::test]
async fn a_body_is_taken_in_whole_or_not_at_all() {
    let manager = Manager::start();
    let id = begin(&manager, "lic1").await;
    let mut wrong = used("b");
    wrong["seats"] = 0.into();
    let refused = rows(&manager, &id, 1, &[used("a"), wrong]).await;
    is(&refused, 400, "invalid_request");
    let why = refused.1["detail"].as_str().unwrap();
    assert!(why.contains("row 2 of the body"), "{why}");
    let large = json!({ "number": 1, "rows": [], "note": " ".repeat(1024 * 1024) });
    let path = format!("/v1/imports/{id}/rows");
    let too_large = ask(&manager, "POST", &path, Some(&large)).await;
    is(&too_large, 413, "body_too_large");
    let unknown_field = json!({ "number": 1, "rows": [], "note": "" });
    let refused = ask(&manager, "POST", &path, Some(&unknown_field)).await;
    is(&refused, 400, "invalid_request");
    let small = json!({ "key": "a", "row": "later" });
    let many = vec![small; 10_001];
    let refused = rows(&manager, &id, 1, &many).await;
    is(&refused, 400, "invalid_request");
    // What a later version tells of is nothing to this one.
    let (status, taken) = rows(&manager, &id, 1, &many[1..]).await;
    assert_eq!((status, &taken["next_number"]), (200, &2.into()), "{taken}");
    let (_, answer) = finish(&manager, &id, 1).await;
    assert_eq!(counts(&answer), (0, 0), "{answer}");
}

#[tokio::test]
async fn what_no_import_can_be_begun_with_is_refused() {
    let manager = Manager::start();
    for wrong in [
        json!({ "kind": "flexnet-log", "source": "" }),
        json!({ "kind": "flexnet-log", "source": "a\nb" }),
        json!({ "kind": "flexnet-log", "source": "x".repeat(256) }),
        json!({ "kind": "flexlm", "source": "lic1" }),
        json!({ "kind": "flexnet-log", "source": "lic1", "time_zone": "" }),
        json!({ "kind": "flexnet-log", "source": "lic1", "path": "/etc/passwd" }),
    ] {
        let refused = ask(&manager, "POST", "/v1/imports", Some(&wrong)).await;
        is(&refused, 400, "invalid_request");
    }
    let id = begin(&manager, "lic1").await;
    let mut other = summary();
    other["kind"] = "lmstat".into();
    let body = json!({ "bodies": 0, "summary": other });
    let path = format!("/v1/imports/{id}/finish");
    let refused = ask(&manager, "POST", &path, Some(&body)).await;
    is(&refused, 400, "invalid_request");
    for (method, path) in [
        ("GET", "/v1/imports/i-none"),
        ("DELETE", "/v1/imports/i-none"),
    ] {
        let unknown = ask(&manager, method, path, None).await;
        is(&unknown, 404, "unknown_import");
    }
    is(
        &rows(&manager, "i-none", 1, &[]).await,
        404,
        "unknown_import",
    );
    is(&finish(&manager, "i-none", 0).await, 404, "unknown_import");
}

#[tokio::test]
async fn a_beginning_that_is_sent_again_with_its_key_is_the_same_import() {
    let manager = Manager::start();
    let begin = async |key: &str, source: &str| {
        let body = json!({ "kind": "lmstat", "source": source });
        let request = manager.request("POST", "/v1/imports", &manager.token());
        send(request.header("Idempotency-Key", key).json(&body)).await
    };
    let (status, first) = begin("k-1", "lic1").await;
    assert_eq!(status, 201, "{first}");
    assert_eq!(begin("k-1", "lic1").await, (201, first.clone()));
    is(&begin("k-1", "lic2").await, 409, "idempotency_conflict");
    let (status, other) = begin("k-2", "lic1").await;
    assert_eq!(status, 201, "{other}");
    assert_ne!(first["id"], other["id"]);
    is(&begin("", "lic1").await, 400, "invalid_request");
    let (_, page) = ask(&manager, "GET", "/v1/imports", None).await;
    assert_eq!(page["items"].as_array().unwrap().len(), 2, "{page}");
}

#[tokio::test]
async fn two_imports_of_one_source_may_run_at_once() {
    let manager = Manager::start();
    let both = [used("a"), used("b")];
    let first = begin(&manager, "lic1").await;
    let second = begin(&manager, "lic1").await;
    for id in [&first, &second] {
        assert_eq!(rows(&manager, id, 1, &both).await.0, 200);
    }
    for id in [&second, &first] {
        let (_, answer) = finish(&manager, id, 1).await;
        assert_eq!(counts(&answer), (2, 0), "{answer}");
    }
    let (_, added, there) = import(&manager, "lic1", &both).await;
    assert_eq!((added, there), (0, 2));
    // Without one of the two all is there still; without both nothing is.
    for (id, expected) in [(first, (0, 2)), (second, (2, 0))] {
        assert_eq!(remove(&manager, &id).await.0, 204);
        let (_, added, there) = import(&manager, "lic1", &both).await;
        assert_eq!((added, there), expected, "without {id}");
    }
}

#[tokio::test]
async fn an_import_goes_on_with_the_next_manager() {
    let manager = Manager::start();
    let id = begin(&manager, "lic1").await;
    assert_eq!(rows(&manager, &id, 1, &[used("a")]).await.0, 200);
    let manager = manager.restart_as(|_, _| {});
    let (_, open) = ask(&manager, "GET", &format!("/v1/imports/{id}"), None).await;
    assert_eq!(
        (&open["next_number"], &open["rows"]),
        (&2.into(), &1.into())
    );
    assert!(
        open["finished_at"].is_null() && open["answer"].is_null(),
        "{open}"
    );
    // Another one of the file finds nothing there: it is not finished.
    let (_, added, there) = import(&manager, "lic1", &[used("a")]).await;
    assert_eq!((added, there), (1, 0));
    for number in [1, 2] {
        let with = [used(&format!("a{number}"))];
        assert_eq!(rows(&manager, &id, number, &with).await.0, 200);
    }
    let (status, answer) = finish(&manager, &id, 2).await;
    assert_eq!((status, counts(&answer)), (200, (2, 0)), "{answer}");
}

#[tokio::test]
async fn an_import_that_was_taken_out_can_be_imported_again() {
    let manager = Manager::start();
    let file = [used("a"), used("b")];
    let (id, added, _) = import(&manager, "lic1", &file).await;
    assert_eq!(added, 2);
    assert_eq!(remove(&manager, &id).await.0, 204);
    is(&remove(&manager, &id).await, 404, "unknown_import");
    let path = format!("/v1/imports/{id}");
    is(
        &ask(&manager, "GET", &path, None).await,
        404,
        "unknown_import",
    );
    is(&rows(&manager, &id, 1, &[]).await, 404, "unknown_import");
    is(&finish(&manager, &id, 1).await, 404, "unknown_import");
    let (_, added, there) = import(&manager, "lic1", &file).await;
    assert_eq!((added, there), (2, 0));
    let messages = ask(&manager, "GET", "/v1/messages?id=9458", None).await.1;
    let text = messages["items"][0]["text"].as_str().unwrap();
    assert_eq!(
        text,
        "an administrator took an import of flexnet-log of lic1 out again"
    );
}

#[tokio::test]
async fn imports_are_listed_the_newest_first_and_page_by_page() {
    let manager = Manager::start();
    let mut ids = Vec::new();
    for number in 0..3 {
        ids.push(begin(&manager, &format!("lic{number}")).await);
    }
    finish(&manager, &ids[1], 0).await;
    ids.reverse();
    let mut found = Vec::new();
    let mut path = "/v1/imports?limit=2".to_owned();
    loop {
        let (status, page) = ask(&manager, "GET", &path, None).await;
        assert_eq!(status, 200, "{page}");
        let items = page["items"].as_array().unwrap();
        assert!(items.iter().all(|it| it.get("answer").is_none()), "{page}");
        found.extend(items.iter().map(|it| it["id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => path = format!("/v1/imports?limit=2&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(found, ids);
    for wrong in ["limit=0", "limit=1001", "cursor=i-1", "page=1"] {
        let refused = ask(&manager, "GET", &format!("/v1/imports?{wrong}"), None).await;
        is(&refused, 400, "invalid_request");
    }
}

#[tokio::test]
async fn an_operator_imports_and_takes_nothing_out_and_who_may_only_look_does_neither() {
    let manager = Manager::start();
    let (id, _, _) = import(&manager, "lic1", &[used("a")]).await;
    for role in ["viewer", "operator"] {
        let body = json!({ "role": role, "name": role });
        let (_, made) = ask(&manager, "POST", "/v1/tokens", Some(&body)).await;
        let token = made["token"].as_str().unwrap().to_owned();
        let as_them = |method: &str, path: &str| send(manager.request(method, path, &token));
        assert_eq!(as_them("GET", "/v1/imports").await.0, 200);
        let one = format!("/v1/imports/{id}");
        assert_eq!(as_them("GET", &one).await.0, 200);
        let refused = as_them("DELETE", &one).await;
        is(&refused, 403, "forbidden");
        let why = refused.1["detail"].as_str().unwrap();
        let said = "may not take an import out: use one of role admin";
        assert!(why.ends_with(said), "{why}");
        for path in [
            "/v1/imports".to_owned(),
            format!("{one}/rows"),
            format!("{one}/finish"),
        ] {
            let answered = as_them("POST", &path).await;
            if role == "operator" {
                // There is no body.
                is(&answered, 400, "invalid_request");
                continue;
            }
            is(&answered, 403, "forbidden");
            let why = answered.1["detail"].as_str().unwrap();
            let said = "import what other licence servers know: use one of role operator";
            assert!(why.ends_with(said), "{why}");
        }
    }
    let none = send(manager.request("GET", "/v1/imports", "nobody's")).await;
    is(&none, 401, "unauthorized");
}

#[tokio::test]
async fn the_description_names_each_route_of_imports() {
    let manager = Manager::start();
    let (_, described) = ask(&manager, "GET", "/openapi.json", None).await;
    for (path, methods) in [
        ("/v1/imports", ["get", "post"]),
        ("/v1/imports/{id}", ["get", "delete"]),
    ] {
        for method in methods {
            assert!(
                described["paths"][path][method].is_object(),
                "{method} {path}"
            );
        }
    }
    for path in ["/v1/imports/{id}/rows", "/v1/imports/{id}/finish"] {
        assert!(described["paths"][path]["post"].is_object(), "{path}");
    }
}
