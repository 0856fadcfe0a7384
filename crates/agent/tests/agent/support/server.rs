//! A metering server of the test's own.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{any, post};
use serde_json::{Value, json};
use usher_api::Product;

use super::book::Book;
use super::{PROOF, wait_for};

/// A metering server for one test.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) book: Arc<Mutex<Book>>,
    _runtime: tokio::runtime::Runtime,
}

impl Server {
    /// A server that knows `products`: id, seats, rules.
    pub(crate) fn with(products: &[(&str, usize, &[&str])]) -> Self {
        let book = Arc::new(Mutex::new(Book {
            id: "s1".to_owned(),
            ttl_seconds: 300,
            ..Book::default()
        }));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = axum::Router::new()
            .route("/v1/agents/sync", post(sync))
            .fallback(any(other))
            .with_state(book.clone());
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
        let server = Server {
            url,
            book,
            _runtime: runtime,
        };
        server.set_products(products);
        server
    }

    pub(crate) fn set_products(&self, products: &[(&str, usize, &[&str])]) {
        let mut book = self.book();
        book.policy.version += 1;
        book.policy.products = products
            .iter()
            .map(|(id, _, rules)| product(id, rules))
            .collect();
        for (id, seats, _) in products {
            book.seats.insert((*id).to_owned(), *seats);
        }
    }

    pub(crate) fn book(&self) -> std::sync::MutexGuard<'_, Book> {
        self.book
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Waits for the `count`th finished session of a product, and answers all of them.
    #[track_caller]
    pub(crate) fn finished(&self, product: &str, count: usize) -> Vec<Value> {
        wait_for(&format!("{count} finished sessions of {product}"), || {
            Some(self.book().finished(product)).filter(|found| found.len() >= count)
        })
    }

    /// Waits until so many sessions have a seat.
    #[track_caller]
    pub(crate) fn seated(&self, count: usize) {
        wait_for(&format!("{count} seats in use"), || {
            (self.book().seated.len() == count).then_some(())
        });
    }
}

fn product(id: &str, rules: &[&str]) -> Product {
    let rules: Vec<&str> = rules.to_vec();
    serde_json::from_value(json!({"id": id, "programs": rules})).unwrap()
}

async fn sync(
    State(book): State<Arc<Mutex<Book>>>,
    body: axum::body::Bytes,
) -> (StatusCode, axum::Json<Value>) {
    let mut book = book.lock().unwrap();
    if book.away {
        return (StatusCode::SERVICE_UNAVAILABLE, axum::Json(Value::Null));
    }
    let request: Value = serde_json::from_slice(&body).unwrap();
    if let Some(field) = book.knows_not.iter().find(|field| has(&request, field)) {
        let why = format!("the body cannot be read: unknown field `{field}`, expected one of `x`");
        let problem = usher_api::Problem::new(usher_api::Code::InvalidRequest, why);
        book.not_known += 1;
        return (
            StatusCode::BAD_REQUEST,
            axum::Json(serde_json::to_value(problem).unwrap()),
        );
    }
    let answer = book.sync(&request);
    if book.lose_answers > 0 {
        book.lose_answers -= 1;
        return (StatusCode::BAD_GATEWAY, axum::Json(Value::Null));
    }
    (StatusCode::OK, axum::Json(answer))
}

/// Whether a field of that name is anywhere in it.
fn has(value: &Value, field: &str) -> bool {
    match value {
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| name == field || has(value, field)),
        Value::Array(values) => values.iter().any(|value| has(value, field)),
        _ => false,
    }
}

/// Everything else is noted, and checkouts and tickets are granted.
async fn other(
    State(book): State<Arc<Mutex<Book>>>,
    request: axum::extract::Request,
) -> (StatusCode, axum::Json<Value>) {
    let method = request.method().to_string();
    let path = request.uri().to_string();
    let header = request.headers().get("usher-lease-proof");
    let proven = header.is_some_and(|shown| shown == PROOF);
    let body = axum::body::to_bytes(request.into_body(), 1 << 20)
        .await
        .unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let noted = (method.clone(), path.clone(), body.clone());
    book.lock().unwrap().requests.push(noted);
    while method == "DELETE" && book.lock().unwrap().holds_deletes {
        // tidy: sleep, until the test goes on
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let is_held = |path: &str| {
        let ticket = path
            .strip_prefix("/v1/tickets/")
            .map(|ticket| ticket.split('?').next().unwrap_or_default().to_owned());
        let book = book.lock().unwrap();
        ticket.is_some_and(|it| book.holds_tickets && !book.granted_tickets.contains(&it))
    };
    let polls = path.contains("wait_seconds=");
    while method == "GET" && polls && is_held(&path) {
        // tidy: sleep, until the test goes on
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let waits = is_held(&path);
    let mut book = book.lock().unwrap();
    let lease = |id: &str| {
        json!({"id": id, "product": "app", "user": "u", "computer": "c", "seats": 1,
               "granted_at": "2026-01-01T00:00:00Z", "expires_at": "2026-01-01T00:05:00Z",
               "ttl_seconds": 300, "proof": PROOF})
    };
    let now = "2026-01-01T00:00:00Z";
    match (method.as_str(), path.split('?').next().unwrap()) {
        ("POST", "/v1/checkouts") if body["wait"] == true => {
            book.tickets += 1;
            let id = format!("T{}", book.tickets);
            let ticket = json!({"id": id, "product": body["product"], "position": 1,
                                "expected_wait_seconds": null, "expires_at": now});
            let answer = json!({"decision": "queued", "decision_id": "d", "ticket": ticket});
            (StatusCode::ACCEPTED, axum::Json(answer))
        }
        ("POST", "/v1/checkouts") => {
            let answer = json!({"decision": "granted", "decision_id": "d", "lease": lease("R1")});
            (StatusCode::CREATED, axum::Json(answer))
        }
        ("GET", path) if path.starts_with("/v1/tickets/T") => {
            let id = path.rsplit('/').next().unwrap();
            if waits {
                let answer = json!({"id": id, "product": "app", "state": "waiting",
                                    "position": 1, "expires_at": now});
                return (StatusCode::OK, axum::Json(answer));
            }
            let number: u64 = id[1..].parse().unwrap();
            let granted = lease(&format!("R{}", number + 1));
            let answer = json!({"id": id, "product": "app", "state": "granted",
                                "lease": granted});
            (StatusCode::OK, axum::Json(answer))
        }
        ("GET", path) if path.starts_with("/v1/agents/leases/") => {
            let id = path.rsplit('/').next().unwrap();
            let elsewhere = book.elsewhere.get(id).filter(|_| proven);
            match (book.here.get(id), elsewhere) {
                _ if book.away => (StatusCode::SERVICE_UNAVAILABLE, axum::Json(Value::Null)),
                (Some((product, authority, name)), _) => {
                    let mut held = json!({"product": product, "seats": 1, "proven": proven});
                    if !authority.is_empty() {
                        held["holder"] = json!({"authority": authority, "name": name});
                    }
                    (StatusCode::OK, axum::Json(held))
                }
                (None, Some(product)) => {
                    let mut held = json!({"product": product, "seats": 1, "proven": true});
                    if let Some((lease, product)) = book.with.get(id) {
                        held["also"] = json!([{"lease": lease, "product": product}]);
                    }
                    (StatusCode::OK, axum::Json(held))
                }
                (None, None) => {
                    let problem = usher_api::Problem::new(usher_api::Code::UnknownLease, "none");
                    let problem = serde_json::to_value(problem).unwrap();
                    (StatusCode::NOT_FOUND, axum::Json(problem))
                }
            }
        }
        ("POST", path) if path.ends_with("/renew") => {
            let id = path.split('/').nth(3).unwrap();
            if book.ended.contains(id) {
                let problem = usher_api::Problem::new(usher_api::Code::UnknownLease, "none");
                let problem = serde_json::to_value(problem).unwrap();
                return (StatusCode::NOT_FOUND, axum::Json(problem));
            }
            (StatusCode::OK, axum::Json(lease(id)))
        }
        ("DELETE", _) if book.away => (StatusCode::SERVICE_UNAVAILABLE, axum::Json(Value::Null)),
        ("DELETE", path) => {
            book.given_back.insert(path.to_owned());
            (StatusCode::NO_CONTENT, axum::Json(Value::Null))
        }
        _ => (StatusCode::NOT_FOUND, axum::Json(Value::Null)),
    }
}
