//! The measure: an axum server with its defaults that parses a checkout, answers as Usher does, and
//! does nothing else. What it reaches is what HTTP and JSON cost on this machine.

use std::borrow::Cow;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, post};
use rustix::process::Signal;
use usher_api::{CheckoutAnswer, CheckoutRequest, Lease, Timestamp};
use usher_bench::engine::Plan;
use usher_bench::load::{LoadReport, Work};
use usher_core::ledger::DEFAULT_TTL_SECONDS;

use super::Contender;
use super::private::{Folder, Server, bound_to_us};
use super::usher::Ours;

/// Serves on a free port of loopback until it is ended.
pub(crate) fn serve() -> Result<(), String> {
    let failed = |error: std::io::Error| format!("the no-op server failed: {error}");
    let runtime = tokio::runtime::Runtime::new().map_err(failed)?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        println!("ready api=http://{address}");
        axum::serve(listener, router()).await.map_err(failed)
    })
}

fn router() -> Router {
    Router::new()
        .route("/v1/checkouts", post(check_out))
        .route("/v1/leases/{id}", delete(check_in))
}

async fn check_out(body: Bytes) -> Response {
    match answer(&body) {
        Ok(json) => {
            let kind = [(header::CONTENT_TYPE, "application/json")];
            (StatusCode::CREATED, kind, json).into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

async fn check_in(Path(_): Path<String>) -> StatusCode {
    StatusCode::NO_CONTENT
}

/// The answer of a grant, made as a server makes it.
fn answer(body: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let request: CheckoutRequest<'_> = serde_json::from_slice(body)?;
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    let now = Timestamp::now();
    let ttl_seconds = request.ttl_seconds.unwrap_or(DEFAULT_TTL_SECONDS);
    let owned = |text: Cow<'_, str>| text.into_owned();
    serde_json::to_vec(&CheckoutAnswer::Granted {
        decision_id: format!("d-1-{id}"),
        lease: Lease {
            id: format!("l-1-{id}"),
            product: owned(request.product),
            user: owned(request.user),
            computer: owned(request.computer),
            seats: request.seats,
            granted_at: now,
            expires_at: now + Duration::from_secs(ttl_seconds.into()),
            ttl_seconds,
            allotments: Vec::new(),
            proof: None,
            also: Vec::new(),
            with: None,
            kept_seconds: None,
            idle_seconds: None,
            joined: 0,
        },
    })
}

/// Starts it, for pairs and for checkouts alone.
pub(super) fn start(folder: &Folder) -> Result<Vec<Box<dyn Contender>>, String> {
    let program: PathBuf =
        std::env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    let mut command = bound_to_us(&program);
    command.arg("noop").stdout(Stdio::piped());
    let mut server = Server::start(&mut command, &folder.path().join("noop.log"), Signal::TERM)?;
    let address = server.wait_for_ready_line()?;
    let server = std::rc::Rc::new(server);
    let one = |name, work| Noop {
        inner: Ours {
            name,
            server: std::rc::Rc::clone(&server),
            address,
            token: "none".to_owned(),
            products: vec!["bench-hot-000".to_owned()],
            work,
        },
    };
    Ok(vec![
        Box::new(one("no-op server, checkout and checkin", Work::Pairs)),
        Box::new(one("no-op server, checkout alone", Work::Checkouts)),
    ])
}

struct Noop {
    inner: Ours,
}

impl Contender for Noop {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn measure(&mut self, plan: &Plan) -> Result<LoadReport, String> {
        self.inner.measure(plan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_answers_a_checkout_as_the_api_says_and_refuses_what_it_does_not_know() {
        let body = br#"{"product":"p","user":"u","computer":"c","ttl_seconds":60}"#;
        let answer: CheckoutAnswer = serde_json::from_slice(&answer(body).unwrap()).unwrap();
        let CheckoutAnswer::Granted { lease, .. } = answer else {
            panic!("{answer:?}");
        };
        assert_eq!((lease.product.as_str(), lease.ttl_seconds), ("p", 60));
        assert!(super::answer(br#"{"product":"p","user":"u","computer":"c","x":1}"#).is_err());
    }
}
