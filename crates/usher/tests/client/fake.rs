//! A made-up metering server, or agent: one product, `tool`, with so many seats. It can be told to
//! misbehave, and remembers what it was asked.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Path as Segment, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::sync::Notify;

const NOW: &str = "2026-01-02T03:04:05Z";

/// What the server has, and how it is to behave.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) seats: usize,
    pub(crate) leases: Vec<String>,
    pub(crate) queue: VecDeque<String>,
    granted: Vec<(String, String)>,
    /// `METHOD path key body`, in order.
    pub(crate) asked: Vec<String>,
    /// So many checkouts are answered with 503 and this code first.
    pub(crate) trouble: (u32, &'static str),
    /// No lease is taken back: an agent says so of a server that is away.
    pub(crate) keeps: bool,
    /// Renewals are answered with 404.
    pub(crate) forget: bool,
    /// Each checkout and each look at a ticket is answered with 503.
    pub(crate) away: bool,
    /// No request is answered at all.
    pub(crate) hangs: bool,
    /// Who waits for a ticket is told that the server is paused.
    pub(crate) grants_nothing: bool,
    /// How often that was asked about.
    pub(crate) polls: usize,
    pub(crate) on_unreachable: &'static str,
    /// A product that may not run without a server, whatever the others may.
    pub(crate) refuses: &'static str,
    pub(crate) on_lost_lease: &'static str,
    /// A file that must not be there when a cover is told of.
    pub(crate) not_yet: Option<std::path::PathBuf>,
    /// The agent knows the product's rules only after it was told to ask for them.
    refreshed: bool,
    next: u32,
}

impl World {
    fn id(&mut self, kind: &str) -> String {
        self.next += 1;
        format!("{kind}-{}", self.next)
    }

    fn promote(&mut self) {
        while self.leases.len() < self.seats {
            let Some(ticket) = self.queue.pop_front() else {
                return;
            };
            let lease = self.id("l");
            self.leases.push(lease.clone());
            self.granted.push((ticket, lease));
        }
    }

    /// How often something was asked that begins so.
    pub(crate) fn count(&self, begins: &str) -> usize {
        self.asked
            .iter()
            .filter(|asked| asked.starts_with(begins))
            .count()
    }
}

struct Shared {
    world: Mutex<World>,
    changed: Notify,
}

/// A server in a thread of its own.
pub(crate) struct Fake {
    shared: Arc<Shared>,
    pub(crate) url: String,
    _runtime: tokio::runtime::Runtime,
}

impl Fake {
    pub(crate) fn server(seats: usize) -> Fake {
        Fake::start(seats, |runtime, router| {
            let listener = runtime
                .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
                .unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            runtime.spawn(async move { axum::serve(listener, router).await });
            url
        })
    }

    pub(crate) fn agent(seats: usize, socket: &Path) -> Fake {
        Fake::start(seats, |runtime, router| {
            let _guard = runtime.enter();
            let listener = tokio::net::UnixListener::bind(socket).unwrap();
            runtime.spawn(async move { axum::serve(listener, router).await });
            String::new()
        })
    }

    fn start(seats: usize, serve: impl FnOnce(&tokio::runtime::Runtime, Router) -> String) -> Fake {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let world = World {
            seats,
            on_unreachable: "run",
            on_lost_lease: "run",
            ..World::default()
        };
        let shared = Arc::new(Shared {
            world: Mutex::new(world),
            changed: Notify::new(),
        });
        let router = Router::new()
            .route("/v1/checkouts", post(checkout))
            .route("/v1/tickets/{id}", get(ticket).delete(leave))
            .route("/v1/leases/{id}/renew", post(renew))
            .route("/v1/leases/{id}", delete(checkin))
            .route("/v1/leases", get(leases))
            .route("/v1/products/{id}", get(product))
            .route("/v1/status", get(status))
            .route("/v1/usage/users", get(unused))
            .route("/v1/usage/days", get(unused))
            .route("/v1/agent", get(agent))
            .route("/v1/identify", post(identify))
            .route("/v1/agents/leases/{id}", get(held))
            .route("/v1/covers", post(cover))
            .route("/v1/refresh", post(refresh))
            .with_state(shared.clone());
        let url = serve(&runtime, router);
        Fake {
            shared,
            url,
            _runtime: runtime,
        }
    }

    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        let found = look(&mut self.shared.world.lock().unwrap());
        self.shared.changed.notify_waiters();
        found
    }

    /// Frees one seat.
    pub(crate) fn free(&self) {
        self.with(|world| {
            world.leases.remove(0);
            world.promote();
        });
    }
}

fn problem(status: u16, code: &str) -> Response {
    let body = json!({"title": "no", "status": status, "detail": format!("the reason is {code}"), "code": code});
    (StatusCode::from_u16(status).unwrap(), Json(body)).into_response()
}

/// The proof of every lease here.
pub(crate) const PROOF: &str = "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c";

fn lease(id: &str) -> Value {
    json!({"id": id, "product": "tool", "user": "anna", "computer": "pc", "seats": 1,
        "granted_at": NOW, "expires_at": NOW, "ttl_seconds": 1, "proof": PROOF})
}

/// Gives no answer while the world hangs.
async fn hang(shared: &Shared) {
    loop {
        let changed = shared.changed.notified();
        if !shared.world.lock().unwrap().hangs {
            return;
        }
        changed.await;
    }
}

async fn checkout(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: String) -> Response {
    hang(&shared).await;
    let mut world = shared.world.lock().unwrap();
    let key = headers
        .get("idempotency-key")
        .and_then(|key| key.to_str().ok())
        .unwrap_or("none");
    world.asked.push(format!("POST /v1/checkouts {key} {body}"));
    if world.away {
        return problem(503, "stopping");
    }
    if world.trouble.0 > 0 {
        world.trouble.0 -= 1;
        let code = world.trouble.1;
        return problem(503, code);
    }
    let body: Value = serde_json::from_str(&body).unwrap();
    if body["product"] != "tool" {
        let product = body["product"].as_str().unwrap_or_default();
        let detail =
            format!("there is no product {product}: GET /v1/products lists those there are");
        let body =
            json!({"title": "no", "status": 404, "detail": detail, "code": "unknown_product"});
        return (StatusCode::NOT_FOUND, Json(body)).into_response();
    }
    if world.leases.len() < world.seats {
        let id = world.id("l");
        world.leases.push(id.clone());
        let body = json!({"decision": "granted", "decision_id": "d-1", "lease": lease(&id)});
        return (StatusCode::CREATED, Json(body)).into_response();
    }
    if body["wait"] == true {
        let id = world.id("t");
        world.queue.push_back(id.clone());
        let ticket = json!({"id": id, "product": "tool", "position": world.queue.len(),
            "expected_wait_seconds": 90, "expires_at": NOW});
        let body = json!({"decision": "queued", "decision_id": "d-2", "ticket": ticket});
        return (StatusCode::ACCEPTED, Json(body)).into_response();
    }
    let body = json!({"title": "refused", "status": 403, "code": "denied", "decision": "denied",
        "decision_id": "d-3", "reason": "no_seat", "detail": "the only seat of tool is in use: wait for one with --wait (\"wait\": true)"});
    (StatusCode::FORBIDDEN, Json(body)).into_response()
}

#[derive(serde::Deserialize)]
struct Poll {
    #[serde(default)]
    wait_seconds: u64,
}

async fn ticket(
    State(shared): State<Arc<Shared>>,
    Segment(id): Segment<String>,
    Query(poll): Query<Poll>,
) -> Response {
    let end = tokio::time::Instant::now() + Duration::from_secs(poll.wait_seconds);
    let granted_nothing = {
        let mut world = shared.world.lock().unwrap();
        world.polls += 1;
        world.grants_nothing
    };
    loop {
        hang(&shared).await;
        let changed = shared.changed.notified();
        {
            let mut world = shared.world.lock().unwrap();
            if world.away {
                world.asked.push(format!("GET /v1/tickets/{id}"));
                return problem(503, "stopping");
            }
            if let Some((_, granted)) = world.granted.iter().find(|(ticket, _)| *ticket == id) {
                let body = json!({"id": id, "product": "tool", "state": "granted", "lease": lease(granted)});
                return Json(body).into_response();
            }
            let Some(position) = world.queue.iter().position(|ticket| *ticket == id) else {
                return Json(json!({"id": id, "product": "tool", "state": "cancelled"}))
                    .into_response();
            };
            let is_news = world.grants_nothing != granted_nothing;
            if is_news || tokio::time::Instant::now() >= end {
                let mut body = json!({"id": id, "product": "tool", "state": "waiting", "position": position + 1});
                if world.grants_nothing {
                    body["grants_nothing"] = json!({"reason": "paused", "until": null,
                        "why": "it is paused and grants nothing until `usher service continue server`"});
                }
                return Json(body).into_response();
            }
        }
        drop(tokio::time::timeout_at(end, changed).await);
    }
}

async fn leave(State(shared): State<Arc<Shared>>, Segment(id): Segment<String>) -> StatusCode {
    let mut world = shared.world.lock().unwrap();
    world.asked.push(format!("DELETE /v1/tickets/{id}"));
    world.queue.retain(|ticket| *ticket != id);
    StatusCode::NO_CONTENT
}

async fn renew(State(shared): State<Arc<Shared>>, Segment(id): Segment<String>) -> Response {
    let mut world = shared.world.lock().unwrap();
    world.asked.push(format!("POST /v1/leases/{id}/renew"));
    if world.forget || !world.leases.contains(&id) {
        world.leases.retain(|lease| *lease != id);
        world.forget = false;
        return problem(404, "unknown_lease");
    }
    Json(lease(&id)).into_response()
}

async fn held(
    State(shared): State<Arc<Shared>>,
    Segment(id): Segment<String>,
    headers: HeaderMap,
) -> Response {
    let mut world = shared.world.lock().unwrap();
    world.asked.push(format!("GET /v1/agents/leases/{id}"));
    match headers.get("usher-lease-proof") {
        Some(shown) if shown == PROOF => {
            Json(json!({"product": "tool", "seats": 1, "proven": true})).into_response()
        }
        Some(_) => problem(403, "forbidden"),
        None if world.leases.contains(&id) => {
            Json(json!({"product": "tool", "seats": 1, "proven": false})).into_response()
        }
        None => problem(404, "unknown_lease"),
    }
}

async fn checkin(State(shared): State<Arc<Shared>>, Segment(id): Segment<String>) -> Response {
    let mut world = shared.world.lock().unwrap();
    world.asked.push(format!("DELETE /v1/leases/{id}"));
    if world.keeps {
        return problem(503, "server_unreachable");
    }
    world.leases.retain(|lease| *lease != id);
    world.promote();
    shared.changed.notify_waiters();
    StatusCode::NO_CONTENT.into_response()
}

#[derive(serde::Deserialize)]
struct Paging {
    limit: usize,
    cursor: Option<usize>,
}

async fn leases(State(shared): State<Arc<Shared>>, Query(page): Query<Paging>) -> Json<Value> {
    let world = shared.world.lock().unwrap();
    let from = page.cursor.unwrap_or(0);
    let items: Vec<Value> = world
        .leases
        .iter()
        .skip(from)
        .take(page.limit)
        .map(|id| lease(id))
        .collect();
    let next = (from + items.len() < world.leases.len()).then(|| (from + items.len()).to_string());
    Json(json!({"items": items, "next": next}))
}

async fn product(State(shared): State<Arc<Shared>>, Segment(id): Segment<String>) -> Json<Value> {
    let world = shared.world.lock().unwrap();
    let on_unreachable = match id == world.refuses {
        true => "refuse",
        false => world.on_unreachable,
    };
    Json(json!({"id": id, "on_unreachable": on_unreachable,
        "on_lost_lease": world.on_lost_lease}))
}

async fn status() -> Json<Value> {
    let product = json!({"id": "tool", "name": "Tool", "seats": 1, "in_use": 0, "unseated": 0,
        "queued": 0, "denied_last_24h": 0});
    Json(
        json!({"server": {"id": "s-1", "version": "0.0.0", "state": "running", "since": NOW,
        "pack": null}, "products": [product]}),
    )
}

async fn unused() -> Json<Value> {
    Json(json!({"items": [], "next": null,
        "only": {"realm": "computer:c-1", "account": "anna", "computer": "c-1"}}))
}

async fn agent() -> Json<Value> {
    Json(
        json!({"computer": "c-1", "watching": "polling", "can_miss": ["short runs"],
        "server": "http://127.0.0.1:8470", "connected": true, "outbox": 0, "sessions": 0, "leases": []}),
    )
}

async fn identify(State(shared): State<Arc<Shared>>, Json(body): Json<Value>) -> Json<Value> {
    let known = body["path"]
        .as_str()
        .is_some_and(|path| path.ends_with("/tool"));
    let known = known && shared.world.lock().unwrap().refreshed;
    Json(json!({"product": known.then_some("tool"), "rule": known.then_some("name=tool")}))
}

async fn refresh(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.world.lock().unwrap().refreshed = true;
    StatusCode::NO_CONTENT
}

async fn cover(State(shared): State<Arc<Shared>>, body: String) -> StatusCode {
    // tidy: sleep, long enough for a command that did not wait for this answer to be seen
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut world = shared.world.lock().unwrap();
    let early = world.not_yet.as_ref().is_some_and(|file| file.exists());
    world.asked.push(format!(
        "{}POST /v1/covers {body}",
        if early { "late " } else { "" }
    ));
    StatusCode::NO_CONTENT
}
