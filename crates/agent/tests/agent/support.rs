//! A metering server of the test's own, an agent in its own process, and programs to run.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{any, post};
use serde_json::{Value, json};
use usher_api::client::{Client, Endpoint};
use usher_api::{Policy, Product, Watching};
use usher_testing::undo::{self, Undo};

/// How long a condition may take to come true before the test fails.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// Waits until `look` finds something.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < DEADLINE, "in vain: {what}");
        // tidy: sleep, between two looks, until a deadline
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether the kernel's events may be had; says so where not.
pub(crate) fn privileged() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        eprintln!("skipped: kernel events need root");
    }
    root
}

/// Whether a program of the system is there; says so where not.
pub(crate) fn there(program: &str) -> bool {
    let there = Path::new(program).exists();
    if !there {
        eprintln!("skipped: no {program} here");
    }
    there
}

/// A process that ends with the test, and with it what is mounted in its namespace.
pub(crate) struct EndsWithTest {
    child: Child,
    _killed: Undo,
}

impl EndsWithTest {
    pub(crate) fn start(command: &mut Command) -> Self {
        let child = command.spawn().unwrap();
        let _killed = undo::end_with_test(&[child.id()]).unwrap();
        Self { child, _killed }
    }
}

impl Drop for EndsWithTest {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The proof of every lease here.
pub(crate) const PROOF: &str = "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c";

/// What the server has been told, and how it answers.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) id: String,
    pub(crate) policy: Policy,
    /// The key and the signature that it tells; none: it signs nothing, as servers once did.
    pub(crate) signed: Option<(String, String)>,
    /// Seats of each product; none: it has none.
    pub(crate) seats: BTreeMap<String, usize>,
    pub(crate) ttl_seconds: u32,
    /// Answers 503 to everything.
    pub(crate) away: bool,
    /// Fields that it does not know: it refuses a request that has one.
    pub(crate) knows_not: Vec<&'static str>,
    /// Requests that it refused for that.
    pub(crate) not_known: usize,
    /// What is given back is answered only once this is over.
    pub(crate) holds_deletes: bool,
    /// Grants no ticket its seat, but for these.
    pub(crate) holds_tickets: bool,
    pub(crate) granted_tickets: BTreeSet<String>,
    tickets: u64,
    /// Does what it is asked, and then drops the connection instead of answering, so many times.
    pub(crate) lose_answers: usize,
    marks: BTreeMap<(String, u64), u64>,
    /// Items that were applied, in order.
    pub(crate) applied: Vec<Value>,
    /// Sessions with a seat, and their lease.
    pub(crate) seated: BTreeMap<u64, (String, String)>,
    pub(crate) unseated: BTreeMap<u64, String>,
    pub(crate) computers: Vec<Value>,
    leases: u64,
    /// Leases that were granted elsewhere, and their products: told of to who shows [`PROOF`].
    pub(crate) elsewhere: BTreeMap<String, String>,
    /// What was granted in one ask with such a lease: lease and product.
    pub(crate) with: BTreeMap<String, (String, String)>,
    /// Leases of this computer that the agent did not make: their product, and their holder's
    /// realm and account; no realm: the server says nothing of the holder.
    pub(crate) here: BTreeMap<String, (String, String, String)>,
    /// Other requests: method, path, body.
    pub(crate) requests: Vec<(String, String, Value)>,
}

impl Book {
    fn sync(&mut self, request: &Value) -> Value {
        let text = request.to_string();
        let parsed: usher_api::SyncRequest<'_> = serde_json::from_str(&text).unwrap();
        self.computers.push(request["computer"].clone());
        let sender = (parsed.computer.id.to_string(), parsed.incarnation);
        let mut mark = self.marks.get(&sender).copied().unwrap_or(0);
        let mut results = Vec::new();
        for item in request["items"].as_array().unwrap() {
            let sequence = item["sequence"].as_u64().unwrap();
            if sequence > mark {
                assert_eq!(sequence, mark + 1, "a gap in the numbers");
                mark = sequence;
                self.apply(item);
                self.applied.push(item.clone());
            }
            let mut result = self.outcome(item);
            result["sequence"] = json!(sequence);
            results.push(result);
        }
        self.marks.insert(sender, mark);
        let mut answer = json!({"server": self.id, "acknowledged": mark, "results": results});
        if parsed.policy_version < self.policy.version {
            answer["policy"] = serde_json::to_value(&self.policy).unwrap();
            if let Some((_, signature)) = &self.signed {
                answer["policy_signature"] = json!(signature);
            }
        }
        if let Some((key, _)) = &self.signed {
            answer["policy_key"] = json!(key);
        }
        answer
    }

    fn apply(&mut self, item: &Value) {
        let session = item["session"].as_u64().unwrap_or(0);
        match item["kind"].as_str().unwrap() {
            "checkout" => {
                let product = item["product"].as_str().unwrap().to_owned();
                let taken = self
                    .seated
                    .values()
                    .filter(|(of, _)| *of == product)
                    .count();
                if self.seated.contains_key(&session) {
                } else if taken < self.seats.get(&product).copied().unwrap_or(0) {
                    self.leases += 1;
                    self.unseated.remove(&session);
                    self.seated
                        .insert(session, (product, format!("L{}", self.leases)));
                } else {
                    self.unseated.insert(session, product);
                }
            }
            "checkin" => {
                self.seated.remove(&session);
                self.unseated.remove(&session);
            }
            _ => {}
        }
    }

    fn outcome(&self, item: &Value) -> Value {
        let session = item["session"].as_u64().unwrap_or(0);
        match item["kind"].as_str().unwrap() {
            "checkout" => match self.seated.get(&session) {
                Some((_, lease)) => {
                    json!({"outcome": "granted", "lease": lease, "ttl_seconds": self.ttl_seconds})
                }
                None => json!({"outcome": "unseated", "reason": "no_seat"}),
            },
            "renew" if self.seated.contains_key(&session) => {
                json!({"outcome": "renewed", "ttl_seconds": self.ttl_seconds})
            }
            "renew" => json!({"outcome": "unknown_session"}),
            _ => json!({"outcome": "done"}),
        }
    }

    /// Finished sessions of a product, in order.
    pub(crate) fn finished(&self, product: &str) -> Vec<Value> {
        let of_product = |item: &&Value| item["kind"] == "finished" && item["product"] == product;
        self.applied.iter().filter(of_product).cloned().collect()
    }

    /// How often an item of a kind about a product's sessions was applied.
    pub(crate) fn count(&self, kind: &str) -> usize {
        self.applied
            .iter()
            .filter(|item| item["kind"] == kind)
            .count()
    }

    /// Starts of a program of no product.
    pub(crate) fn starts(&self, program: &str) -> u64 {
        let told = self.told(program);
        told.map(|count| count["starts"].as_u64().unwrap()).sum()
    }

    /// For how many seconds a program of no product ran.
    pub(crate) fn run_seconds(&self, program: &str) -> u64 {
        let told = self.told(program);
        told.filter_map(|count| count["run_seconds"].as_u64()).sum()
    }

    /// What was told of a program of no product, in order.
    pub(crate) fn told<'b>(&'b self, program: &'b str) -> impl Iterator<Item = &'b Value> {
        self.applied
            .iter()
            .filter(|item| item["kind"] == "programs")
            .flat_map(|item| item["counts"].as_array().unwrap())
            .filter(move |count| count["program"] == program)
    }
}

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

pub(crate) fn product(id: &str, rules: &[&str]) -> Product {
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
            (StatusCode::OK, axum::Json(lease(id)))
        }
        ("DELETE", _) => (StatusCode::NO_CONTENT, axum::Json(Value::Null)),
        _ => (StatusCode::NOT_FOUND, axum::Json(Value::Null)),
    }
}

/// An agent in a process of its own; killed when the test is over.
pub(crate) struct Agent {
    child: Child,
    pub(crate) folder: PathBuf,
}

const FOLDER: &str = "USHER_AGENT_TEST_FOLDER";
const SERVER: &str = "USHER_AGENT_TEST_SERVER";
const WATCHING: &str = "USHER_TEST_WATCHING";

impl Agent {
    #[track_caller]
    pub(crate) fn start(server: &Server, folder: &Path) -> Self {
        Agent::start_with(server, folder, crate::WATCHING)
    }

    /// Starts an agent with its state in `folder`, and waits until it is ready and has exchanged
    /// with the server (unless that is away).
    #[track_caller]
    pub(crate) fn start_with(server: &Server, folder: &Path, watching: Option<Watching>) -> Self {
        let _ = std::fs::remove_file(folder.join("ready"));
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args([
                "support::agent_process",
                "--exact",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(FOLDER, folder)
            .env(SERVER, &server.url)
            .env("XDG_DATA_DIRS", folder.join("share"))
            .stdin(Stdio::null());
        if let Some(watching) = watching {
            command.env(WATCHING, serde_json::to_string(&watching).unwrap());
        }
        let agent = Agent {
            child: command.spawn().unwrap(),
            folder: folder.to_owned(),
        };
        wait_for("the agent to be ready", || {
            folder.join("ready").exists().then_some(())
        });
        let away = server.book().away;
        if !away {
            agent.refresh();
        }
        agent
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    pub(crate) fn public_socket(&self) -> PathBuf {
        self.folder.join("public.sock")
    }

    /// A client of its own socket.
    pub(crate) fn client(&self) -> Client {
        Client::new(Endpoint::Socket(self.data().join("agent.sock")), None, None).unwrap()
    }

    /// Waits until what the server knows holds at the agent.
    #[track_caller]
    pub(crate) fn refresh(&self) {
        let client = self.client();
        let refreshed: Result<(), _> = block_on(async {
            // There is no body to be understood.
            match client.post_empty::<Value>("/v1/refresh").await {
                Err(usher_api::client::ClientError::NotUnderstood { .. }) | Ok(_) => Ok(()),
                Err(error) => Err(error),
            }
        });
        refreshed.unwrap();
    }

    pub(crate) fn status(&self) -> usher_api::AgentStatus {
        let client = self.client();
        block_on(async { client.get("/v1/agent").await }).unwrap()
    }

    /// SIGKILL, and gone.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and gone in order.
    #[track_caller]
    pub(crate) fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let status = wait_for("the agent to stop", || self.child.try_wait().unwrap());
        assert!(status.success(), "{status}");
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

/// Not a test: an agent, when [`Agent::start`] starts this binary again.
#[test]
fn agent_process() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else {
        return;
    };
    let mut options =
        usher_agent::AgentOptions::new(folder.join("data"), std::env::var(SERVER).unwrap());
    options.token = Some("t".to_owned());
    options.public_socket = Some(folder.join("public.sock"));
    options.machine_id_file = folder.join("machine-id");
    options.look_after_covers = Duration::from_millis(100);
    options.watching = std::env::var(WATCHING)
        .ok()
        .map(|word| serde_json::from_str(&word).unwrap());
    let ready = folder.join("ready");
    // A test that is killed must not leave its agent behind.
    let parent = std::os::unix::process::parent_id();
    std::thread::spawn(move || {
        while std::os::unix::process::parent_id() == parent {
            // tidy: sleep, between two looks, until a deadline
            std::thread::sleep(Duration::from_millis(200));
        }
        std::process::exit(1);
    });
    usher_agent::run(options, move |_| std::fs::write(ready, "").unwrap()).unwrap();
}

/// The name of a program of this test's alone: an agent sees all programs of its computer, those of
/// other tests too.
pub(crate) fn own(name: &str) -> String {
    format!("usher-t-{}-{name}", std::process::id())
}

/// The rule that names it.
pub(crate) fn named(name: &str) -> String {
    format!("name={}", own(name))
}

/// A copy of the system's `sleep` under another name.
pub(crate) fn sleeper(path: &Path) -> PathBuf {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::copy("/bin/sleep", path).unwrap();
    path.to_owned()
}

/// A program that runs until it is dropped.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        Running(
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .spawn()
                .unwrap(),
        )
    }

    pub(crate) fn lasting(program: &Path) -> Self {
        Running::start(Command::new(program).arg("60"))
    }

    pub(crate) fn lasting_as(program: &Path, uid: u32) -> Self {
        Running::start(Command::new(program).arg("60").uid(uid).gid(uid))
    }

    pub(crate) fn end(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a program to its end.
#[track_caller]
pub(crate) fn run(command: &mut Command) {
    let status = command.stdin(Stdio::null()).status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
}

pub(crate) fn make_executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

pub(crate) fn open_to_all(folder: &Path) {
    make_executable(folder);
}

/// An instant in a JSON field, in milliseconds.
pub(crate) fn milliseconds(value: &Value, field: &str) -> i64 {
    let text = value[field].as_str().unwrap();
    text.parse::<usher_api::Timestamp>()
        .unwrap()
        .as_millisecond()
}

/// Whether the agent says of so many starts why it has not counted them: they were over before it
/// could look at them, or their events came too fast for the kernel to keep.
pub(crate) fn accounts_for(agent: &Agent, missing: u64) -> bool {
    agent.status().can_miss.iter().any(|words| {
        let over = words
            .split_once(" start")
            .filter(|(_, rest)| rest.contains("over before"));
        let over = over.map_or(0, |(count, _)| count.parse().unwrap());
        over >= missing || words.starts_with("events were lost")
    })
}
