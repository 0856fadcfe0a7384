//! `usher policy apply` against a server that is played: one that others change meanwhile, or that
//! refuses in the middle; and how it asks.

use std::process::Output;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};

use crate::support::{Ended, Folder, asked_on_a_terminal, stderr, stdout, usher};

/// What the played server has, and what becomes of it.
#[derive(Default)]
struct Played {
    products: Vec<Value>,
    /// How often its products were listed.
    looks: usize,
    /// Somebody else changes a product after so many looks at all.
    changes_after: Option<usize>,
    /// The same just before it is looked at alone.
    changes_before_one: bool,
    /// Writes that are taken before the next is refused.
    takes: usize,
    written: Vec<String>,
}

type Shared = State<Arc<Mutex<Played>>>;

fn answer(status: StatusCode, body: &Value) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (status, kind, body.to_string()).into_response()
}

fn shown(product: &Value) -> Value {
    let mut shown = product.clone();
    let fields = shown.as_object_mut().unwrap();
    let counts = json!({ "seats": 0, "in_use": 0, "created_at": "2026-01-01T00:00:00Z" });
    fields.extend(counts.as_object().unwrap().clone());
    shown
}

async fn products(State(played): Shared) -> Response {
    let mut played = played.lock().unwrap();
    played.looks += 1;
    let items: Vec<Value> = played.products.iter().map(shown).collect();
    if Some(played.looks) == played.changes_after {
        played.products[0]["name"] = "another".into();
    }
    answer(StatusCode::OK, &json!({ "items": items, "next": null }))
}

async fn entitlements() -> Response {
    answer(StatusCode::OK, &json!({ "items": [], "next": null }))
}

async fn product(State(played): Shared, Path(id): Path<String>) -> Response {
    let mut played = played.lock().unwrap();
    if played.changes_before_one {
        played.products[0]["name"] = "another".into();
    }
    let found = played.products.iter().find(|product| product["id"] == *id);
    answer(StatusCode::OK, &shown(found.unwrap()))
}

fn written(played: &Mutex<Played>, body: &str, status: StatusCode) -> Response {
    let mut played = played.lock().unwrap();
    let product: Value = serde_json::from_str(body).unwrap();
    if played.takes == 0 {
        let problem = json!({
            "type": "about:blank", "title": "The queue is full", "status": 503, "code": "busy",
            "detail": "too much is waiting",
        });
        return answer(StatusCode::SERVICE_UNAVAILABLE, &problem);
    }
    played.takes -= 1;
    played
        .written
        .push(product["id"].as_str().unwrap().to_owned());
    answer(status, &shown(&product))
}

async fn post(State(played): Shared, body: String) -> Response {
    written(&played, &body, StatusCode::CREATED)
}

async fn put(State(played): Shared, body: String) -> Response {
    written(&played, &body, StatusCode::OK)
}

/// A played server, on a port of its own.
struct Server {
    played: Arc<Mutex<Played>>,
    url: String,
    _runtime: tokio::runtime::Runtime,
}

impl Server {
    fn of(played: Played) -> Server {
        let played = Arc::new(Mutex::new(played));
        let routes = Router::new()
            .route("/v1/products", get(products).post(post))
            .route("/v1/products/{id}", get(product).put(put))
            .route("/v1/entitlements", get(entitlements))
            .with_state(played.clone());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0");
        let listener = runtime.block_on(listener).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async move { axum::serve(listener, routes).await });
        Server {
            played,
            url,
            _runtime: runtime,
        }
    }

    fn written(&self) -> Vec<String> {
        self.played.lock().unwrap().written.clone()
    }
}

/// Applies a text of products to such a server, and what was written there.
fn applied(played: Played, text: &str) -> (Output, Vec<String>) {
    let (folder, server) = (Folder::new(), Server::of(played));
    let file = folder.path("policy.toml");
    std::fs::write(&file, text).unwrap();
    let mut command = usher(&folder);
    command.args([
        "policy",
        "apply",
        "--yes",
        "--token",
        "t",
        "--server",
        &server.url,
    ]);
    let output = command.arg(&file).ended();
    let written = server.written();
    (output, written)
}

const TWO: &str = "policy = 1\n[[product]]\nid = \"cad\"\n[[product]]\nid = \"cae\"\n";

#[test]
fn the_first_refusal_ends_an_apply_and_says_what_was_made_and_what_was_not() {
    let played = Played {
        takes: 1,
        ..Played::default()
    };
    let text = format!("{TWO}[[product]]\nid = \"cam\"\n");
    let (output, written) = applied(played, &text);
    assert_eq!(written, ["cad"]);
    assert_eq!(output.status.code(), Some(75), "{output:?}");
    let said = stderr(&output);
    let told = "1 change is made:\n  add product cad, tracked, with 0 program rules\n\
                1 change is not tried:\n  add product cam, tracked, with 0 program rules\n\
                usher: this was not made: add product cae, tracked, with 0 program rules: too much \
                is waiting\n";
    assert!(said.contains(told), "{said}");
    assert!(said.contains("a second apply goes on from there"), "{said}");
}

#[test]
fn what_somebody_has_changed_since_the_difference_was_shown_is_left_alone() {
    let cad = || json!({ "id": "cad", "name": "CAD" });
    let after_the_look = Played {
        products: vec![cad()],
        changes_after: Some(1),
        takes: 9,
        ..Played::default()
    };
    let (output, written) = applied(after_the_look, TWO);
    assert_eq!((output.status.code(), written.len()), (Some(1), 0));
    let said = stderr(&output);
    assert!(said.contains("the server is no longer as it was"), "{said}");
    // In the moment before it is written.
    let before_the_change = Played {
        products: vec![cad()],
        changes_before_one: true,
        takes: 9,
        ..Played::default()
    };
    let (output, written) = applied(before_the_change, TWO);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(written.is_empty(), "{written:?}");
    let said = stderr(&output);
    assert!(
        said.contains("product cad is no longer as it was"),
        "{said}"
    );
}

/// What `usher policy apply` says on a terminal to this answer, and what was written.
fn asked(answer: &[u8]) -> (String, Option<i32>, Vec<String>) {
    let (folder, server) = (
        Folder::new(),
        Server::of(Played {
            takes: 9,
            ..Played::default()
        }),
    );
    let file = folder.path("policy.toml");
    std::fs::write(&file, TWO).unwrap();
    let mut command = usher(&folder);
    command.args(["policy", "apply", "--token", "t", "--server", &server.url]);
    command.arg(&file);
    let question = "Make these 2 changes? [y/N]";
    let (_, output) = asked_on_a_terminal(command, question, answer, || {
        assert!(server.written().is_empty(), "nothing before the answer");
    });
    (stdout(&output), output.status.code(), server.written())
}

#[test]
fn an_apply_asks_on_a_terminal_and_takes_only_a_yes_for_one() {
    let (said, code, written) = asked(b"y\n");
    assert_eq!((code, written.len()), (Some(0), 2), "{said}");
    assert!(said.contains("2 changes are made."), "{said}");
    let (said, code, written) = asked(b"\n");
    assert_eq!((code, written.len()), (Some(1), 0), "{said}");
}
