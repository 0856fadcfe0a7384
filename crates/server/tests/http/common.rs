//! A real server in this process, on a free port and a folder of its own, and a client.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;
use usher_server::{ServerError, ServerOptions, run_until};

/// How long any condition may take to come true.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) admin: String,
    pub(crate) http: reqwest::Client,
    folder: Option<TempDir>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), ServerError>>>,
}

#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Reply {
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

pub(crate) fn options(data: &Path) -> ServerOptions {
    ServerOptions {
        data: data.to_owned(),
        listen: "127.0.0.1:0".parse().unwrap(),
        tls: None,
        plain_http: false,
        begin_anew: false,
        keep_days: 400,
        keep_snapshots: 3,
        local_accounts: usher_server::LocalAccounts::ByComputer,
    }
}

impl Server {
    pub(crate) fn start() -> Server {
        Server::start_in(tempfile::tempdir().unwrap())
    }

    pub(crate) fn start_in(folder: TempDir) -> Server {
        let options = options(folder.path());
        Server::start_with(folder, options)
    }

    pub(crate) fn start_with(folder: TempDir, options: ServerOptions) -> Server {
        // Another test may have installed it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let data = options.data.clone();
        let (stop, stopped) = oneshot::channel();
        let (ready, came_up) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let ready = move |address| ready.send(address).unwrap();
            run_until(options, ready, async move { drop(stopped.await) })
        });
        let address = match came_up.recv_timeout(DEADLINE) {
            Ok(address) => address,
            Err(_) => panic!("the server did not start: {:?}", thread.join()),
        };
        let admin = std::fs::read_to_string(data.join("admin.token")).unwrap();
        Server {
            address,
            admin: admin.trim().to_owned(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            folder: Some(folder),
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    pub(crate) fn data(&self) -> &Path {
        self.folder.as_ref().unwrap().path()
    }

    /// Tells it to stop and waits until it has.
    pub(crate) fn stop(mut self) -> TempDir {
        let result = self.halt();
        result.unwrap().unwrap();
        self.folder.take().unwrap()
    }

    /// Tells it to stop, without waiting.
    pub(crate) fn tell_to_stop(&mut self) {
        drop(self.stop.take());
    }

    fn halt(&mut self) -> Option<Result<(), ServerError>> {
        drop(self.stop.take());
        Some(self.thread.take()?.join().unwrap())
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn request(&self, method: &str, path: &str, token: &str) -> reqwest::RequestBuilder {
        let method = method.parse().unwrap();
        self.http
            .request(method, self.url(path))
            .bearer_auth(token)
            .timeout(DEADLINE)
    }

    /// A call as the admin.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        self.call_as(&self.admin, method, path, body).await
    }

    pub(crate) async fn call_as(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Reply {
        let mut request = self.request(method, path, token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        send(request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let reply = self.call("GET", path, None).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        reply.body
    }

    /// Makes a product with so many seats.
    pub(crate) async fn product(&self, id: &str, seats: u32) {
        let made = self
            .call("POST", "/v1/products", Some(json!({ "id": id })))
            .await;
        assert_eq!(made.status, 201, "{}", made.body);
        if seats > 0 {
            let body = json!({ "product": id, "seats": seats });
            let made = self.call("POST", "/v1/entitlements", Some(body)).await;
            assert_eq!(made.status, 201, "{}", made.body);
        }
    }

    pub(crate) async fn token(&self, body: Value) -> String {
        let made = self.call("POST", "/v1/tokens", Some(body)).await;
        assert_eq!(made.status, 201, "{}", made.body);
        made.body["token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn checkout(&self, product: &str, user: &str) -> Reply {
        self.call("POST", "/v1/checkouts", Some(asking(product, user)))
            .await
    }

    /// A lease's id.
    pub(crate) async fn lease(&self, product: &str, user: &str) -> String {
        let reply = self.checkout(product, user).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        reply.body["lease"]["id"].as_str().unwrap().to_owned()
    }

    /// A ticket's id.
    pub(crate) async fn ticket(&self, product: &str, user: &str) -> String {
        let mut body = asking(product, user);
        body["wait"] = json!(true);
        let reply = self.call("POST", "/v1/checkouts", Some(body)).await;
        assert_eq!(reply.status, 202, "{}", reply.body);
        reply.body["ticket"]["id"].as_str().unwrap().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.halt() {
            assert!(std::thread::panicking(), "the server failed: {error}");
        }
    }
}

pub(crate) fn asking(product: &str, user: &str) -> Value {
    json!({ "product": product, "user": user, "computer": "pc1" })
}

pub(crate) async fn send(request: reqwest::RequestBuilder) -> Reply {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let bytes = response.bytes().await.unwrap();
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    let reply = Reply {
        status,
        headers,
        body,
    };
    if status >= 400 && reply.body.get("code").is_some() {
        assert_eq!(reply.header("content-type"), "application/problem+json");
        assert_eq!(reply.body["status"], json!(status));
        assert_eq!(reply.body["type"], json!("about:blank"));
        assert_eq!(reply.body["request_id"], reply.header("x-request-id"));
    }
    reply
}

/// Asks until the condition holds.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "in vain waited for: {what}");
        // tidy: sleep, the pause between two looks at a condition that has a deadline
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Gives the service a control. What it does then takes its time: see [`reach`].
pub(crate) async fn steer(server: &Server, control: &str) -> Reply {
    let body = json!({ "control": control });
    server
        .call("POST", "/v1/service/controls", Some(body))
        .await
}

/// Waits until the service is in that state.
pub(crate) async fn reach(server: &Server, state: &str) -> Value {
    until(state, async || {
        let service = server.get("/v1/service").await;
        (service["state"] == state).then_some(service)
    })
    .await
}
