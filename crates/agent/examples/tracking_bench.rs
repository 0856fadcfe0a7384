//! What tracking costs, and what it sees: `cargo run --release -p usher-agent --example
//! tracking_bench [ROUNDS]`, as root for kernel events.
//!
//! - a storm: programs of no product started one after another as fast as they can be (more than
//!   1,000 a second), rounds with and without an agent alternating, the median
//!   of each pair's ratio;
//! - idle: CPU time over twenty seconds and resident memory;
//! - 10,000 starts of a program that lives a millisecond, by four starters at once, and of one
//!   that ends at once: how many of them were seen whole.
//!
//! The server is a stand-in that takes everything.

#![allow(clippy::unwrap_used)] // a measurement that cannot be set up is to stop

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::State;
use serde_json::{Value, json};

const STARTS_IN_ROUND: u32 = 2_000;
const SHORT_STARTS: u32 = 10_000;
const STARTERS: u32 = 4;
const IDLE: Duration = Duration::from_secs(20);

type Told = Arc<Mutex<Vec<Value>>>;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, role, data, server] = arguments.as_slice()
        && role == "agent"
    {
        run_agent(data, server);
        return;
    }
    let rounds: usize = arguments.get(1).map_or(15, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let told = Told::default();
    let (runtime, url) = server(told.clone());
    let bench = Bench {
        folder: folder.path().to_owned(),
        url,
        told,
    };
    bench.storm(rounds);
    bench.idle();
    bench.short("1 ms", "/bin/sleep", &["0.001"]);
    bench.short("no time", "/bin/true", &[]);
    runtime.shutdown_background();
}

fn run_agent(data: &str, server: &str) {
    let mut options = usher_agent::AgentOptions::new(data.into(), server.to_owned());
    options.token = Some("t".to_owned());
    let ready = Path::new(data).with_extension("ready");
    usher_agent::run(options, move |_| std::fs::write(ready, "").unwrap()).unwrap();
}

fn server(told: Told) -> (tokio::runtime::Runtime, String) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = axum::Router::new()
        .route("/v1/agents/sync", axum::routing::post(sync))
        .with_state(told);
    runtime.spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        axum::serve(listener, router).await.unwrap();
    });
    (runtime, url)
}

/// A policy with one product, so that each start is asked of a rule.
async fn sync(State(told): State<Told>, body: axum::body::Bytes) -> axum::Json<Value> {
    let request: Value = serde_json::from_slice(&body).unwrap();
    let items = request["items"].as_array().unwrap().clone();
    let last = items
        .last()
        .map_or(json!(0), |item| item["sequence"].clone());
    told.lock().unwrap().extend(items);
    let product = json!({"id": "p", "name": "", "publisher": "", "programs": ["name=no-such"],
        "mode": "track", "enabled": true, "max_ttl_seconds": 300, "queue_limit": 1,
        "counting": "user_on_computer", "on_unreachable": "run", "on_lost_lease": "run"});
    axum::Json(
        json!({"server": "bench", "acknowledged": last, "results": [],
        "policy": {"version": 1, "products": [product]}}),
    )
}

struct Bench {
    folder: PathBuf,
    url: String,
    told: Told,
}

struct Agent(Child);

impl Drop for Agent {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.0);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.0.wait();
    }
}

impl Bench {
    fn agent(&self) -> Agent {
        let data = self.folder.join("data");
        let ready = data.with_extension("ready");
        let _ = std::fs::remove_file(&ready);
        let child = Command::new(std::env::current_exe().unwrap())
            .arg("agent")
            .args([data.as_os_str(), self.url.as_ref()])
            .spawn()
            .unwrap();
        while !ready.exists() {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(500));
        Agent(child)
    }

    fn program(&self, name: &str, original: &str) -> PathBuf {
        let path = self.folder.join(name);
        std::fs::copy(original, &path).unwrap();
        path
    }

    fn storm(&self, rounds: usize) {
        let program = self.program("usher-bench-storm", "/bin/true");
        let round = || {
            let begun = Instant::now();
            start_many(&program, &[], STARTS_IN_ROUND);
            begun.elapsed().as_secs_f64() * 1e6 / f64::from(STARTS_IN_ROUND)
        };
        round();
        let (mut without, mut with, mut cpu) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds {
            without.push(round());
            let agent = self.agent();
            let before = cpu_seconds(agent.0.id());
            with.push(round());
            let used = cpu_seconds(agent.0.id()) - before;
            cpu.push(used * 1e6 / f64::from(STARTS_IN_ROUND));
        }
        // Rounds that follow one another see the same other load on the machine.
        let mut ratios: Vec<f64> = with.iter().zip(&without).map(|(b, a)| b / a).collect();
        let ratio = median(&mut ratios);
        let (a, b) = (median(&mut without), median(&mut with));
        println!(
            "storm: {a:.1} us a start without, {b:.1} us with an agent; median of the pairs' \
             ratios {:+.1} % ({:.0} starts/s, {rounds} rounds of {STARTS_IN_ROUND}); agent CPU \
             {:.1} us a start",
            (ratio - 1.0) * 100.0,
            1e6 / b,
            median(&mut cpu)
        );
    }

    fn idle(&self) {
        let agent = self.agent();
        std::thread::sleep(Duration::from_secs(5));
        let before = cpu_seconds(agent.0.id());
        std::thread::sleep(IDLE);
        let used = cpu_seconds(agent.0.id()) - before;
        let status = std::fs::read_to_string(format!("/proc/{}/status", agent.0.id())).unwrap();
        let resident = status
            .lines()
            .find(|line| line.starts_with("VmRSS"))
            .unwrap();
        println!(
            "idle: {:.2} % CPU over {} s, {resident}",
            used / IDLE.as_secs_f64() * 100.0,
            IDLE.as_secs()
        );
    }

    fn short(&self, what: &str, original: &str, arguments: &[&str]) {
        let name = format!("usher-bench-{}", original.trim_start_matches("/bin/"));
        let program = self.program(&name, original);
        self.told.lock().unwrap().clear();
        let agent = self.agent();
        let begun = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..STARTERS {
                scope.spawn(|| start_many(&program, arguments, SHORT_STARTS / STARTERS));
            }
        });
        let rate = f64::from(SHORT_STARTS) / begun.elapsed().as_secs_f64();
        // A clean stop tells all that was counted.
        drop(agent);
        let seen: u64 = self
            .told
            .lock()
            .unwrap()
            .iter()
            .filter_map(|item| item["counts"].as_array().cloned())
            .flatten()
            .filter(|count| count["program"] == name.as_str())
            .filter_map(|count| count["starts"].as_u64())
            .sum();
        println!(
            "programs that live {what}: {seen} of {SHORT_STARTS} seen whole ({rate:.0} starts/s)"
        );
    }
}

fn start_many(program: &Path, arguments: &[&str], count: u32) {
    for _ in 0..count {
        let status = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .status();
        assert!(status.unwrap().success());
    }
}

/// CPU time of all threads, as the scheduler counts it.
fn cpu_seconds(pid: u32) -> f64 {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let nanoseconds = threads.flatten().map(|thread| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
        let ran = text
            .split_ascii_whitespace()
            .next()
            .and_then(|word| word.parse().ok());
        ran.unwrap_or(0.0_f64)
    });
    nanoseconds.sum::<f64>() / 1e9
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
