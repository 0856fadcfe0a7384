//! What `usher product remove` and `usher entitlement remove` ask on a terminal, of a server that is
//! played.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};

use crate::support::{Folder, asked_on_a_terminal, usher};

/// The paths that were removed.
type Removed = State<Arc<Mutex<Vec<&'static str>>>>;

fn answer(body: &Value) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (StatusCode::OK, kind, body.to_string()).into_response()
}

async fn product() -> Response {
    answer(&json!({ "id": "cad", "seats": 6, "in_use": 2, "created_at": "2026-01-01T00:00:00Z" }))
}

async fn entitlements() -> Response {
    let owned = json!({
        "id": "E38", "product": "cad", "metric": "concurrent", "seats": 6, "overdraft": 0,
        "in_use": 2, "allotment": "A38", "name": "cad-2026", "contract": "Rahmen 7",
    });
    answer(&json!({ "items": [owned], "next": null }))
}

async fn remove_product(State(removed): Removed) -> StatusCode {
    removed.lock().unwrap().push("product");
    StatusCode::NO_CONTENT
}

async fn remove_entitlement(State(removed): Removed) -> StatusCode {
    removed.lock().unwrap().push("entitlement");
    StatusCode::NO_CONTENT
}

/// What is said on a terminal before `question` is answered, the exit code, and what was removed.
fn asked(words: &[&str], question: &str, yes: &[u8]) -> (String, Option<i32>, Vec<&'static str>) {
    let removed: Arc<Mutex<Vec<&'static str>>> = Arc::default();
    let routes = Router::new()
        .route("/v1/products/cad", get(product).delete(remove_product))
        .route("/v1/entitlements", get(entitlements))
        .route(
            "/v1/entitlements/E38",
            axum::routing::delete(remove_entitlement),
        )
        .with_state(removed.clone());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0");
    let listener = runtime.block_on(listener).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    runtime.spawn(async move { axum::serve(listener, routes).await });
    let folder = Folder::new();
    let mut command = usher(&folder);
    command.args(words).args(["--token", "t", "--server", &url]);
    let (said, output) = asked_on_a_terminal(command, question, yes, || {
        assert!(
            removed.lock().unwrap().is_empty(),
            "nothing before the answer"
        );
    });
    let removed = removed.lock().unwrap().clone();
    (said, output.status.code(), removed)
}

#[test]
fn a_removal_says_what_goes_with_it_and_takes_only_a_yes_for_one() {
    let product = ["product", "remove", "cad"];
    let question = "Remove product cad? [y/N]";
    let (said, code, removed) = asked(&product, question, b"n\n");
    assert_eq!((code, removed.len()), (Some(1), 0), "{said}");
    let goes = "With it goes cad-2026 (E38): 6 seats of cad, contract Rahmen 7.";
    assert!(said.contains(goes), "{said}");
    assert!(said.contains("2 seats of it are in use"), "{said}");
    let (said, code, removed) = asked(&product, question, b"yes\n");
    assert_eq!((code, removed), (Some(0), vec!["product"]), "{said}");

    let entitlement = ["entitlement", "remove", "cad-2026"];
    let (said, code, removed) = asked(&entitlement, "Remove it? [y/N]", b"\n");
    assert_eq!((code, removed.len()), (Some(1), 0), "{said}");
    assert!(
        said.contains("cad-2026 (E38): 6 seats of cad, contract Rahmen 7"),
        "{said}"
    );
    let (said, code, removed) = asked(&entitlement, "Remove it? [y/N]", b"y\n");
    assert_eq!((code, removed), (Some(0), vec!["entitlement"]), "{said}");
}
