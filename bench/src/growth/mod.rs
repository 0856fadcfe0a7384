//! What others can make a server keep: ten million refusals of names that are made up as they are
//! needed, and ten million requests that each carry a new key. Both have bounds, which are stated
//! here and in docs/performance.md; a size beyond them fails the run.

mod requests;
mod size;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use clap::Args;
use rustix::process::Signal;
use usher_bench::engine::{self, Plan};
use usher_bench::http;
use usher_core::ledger::{CROWD_LIMIT, KEYS_LIMIT};

use crate::beside::computer;
use crate::beside::private::{Folder, Server, bound_to_us};
use crate::disk::room_left;
use crate::setting::Setting;
use requests::{FREE, FULL, Kind, Requests};
use size::Size;

/// After so many of ten the sizes are looked at.
const LOOKS: [u64; 4] = [1, 2, 5, 10];
/// The longest that the way to the next look may take.
const LEG_AT_MOST: Duration = Duration::from_secs(3 * 60 * 60);
/// The run ends if less than this is free for the data.
const ROOM_BYTES: u64 = 4 << 30;

const MIB: u64 = 1 << 20;
/// Answers may come until the table is next looked through.
const ANSWERS: u64 = KEYS_LIMIT as u64 + 50_000;
/// More memory than the server has at its start.
const MEMORY_OF_NAMES: u64 = 128 * MIB;
const MEMORY_OF_ANSWERS: u64 = 320 * MIB;
/// Of the file: a person, a computer and a refusal together, an answer, an ended lease, and the
/// rest.
const FILE_OF_A_NAME: u64 = 600;
const FILE_OF_AN_ANSWER: u64 = 300;
const FILE_OF_A_LEASE: u64 = 300;
const FILE_OF_ALL_ELSE: u64 = 16 * MIB;
/// The log becomes four times as long as it is to be at the most, and a batch longer.
const LOG: u64 = 320 * MIB;
/// Refusals of the others are a row a minute for each product and reason.
const MINUTES: u64 = 24 * 60;
/// Until the server answers after a clean stop.
const READY_WITHIN: Duration = Duration::from_secs(10);

#[derive(Args)]
pub(crate) struct Arguments {
    /// Refusals, and then so many requests with keys, in millions
    #[arg(long, default_value_t = 10.0)]
    millions: f64,
    /// Connections, each with one request outstanding
    #[arg(long, default_value_t = 64)]
    connections: usize,
    #[command(flatten)]
    setting: Setting,
}

/// One of the two, from the first look to the start afterwards.
struct Growth {
    kind: Kind,
    sizes: Vec<Size>,
    per_second: f64,
    ready_after: Duration,
    resident_after: u64,
}

/// Puts both on a private server each, prints a table, and says what passed its bound.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    if !(0.01..=1_000.0).contains(&arguments.millions) {
        return Err("millions go from 0.01 to 1,000".to_owned());
    }
    let folder = Folder::make(&arguments.setting.place.folder)?;
    let refused = grow(arguments, &folder, Kind::Refused)?;
    let keyed = grow(arguments, &folder, Kind::Keyed)?;
    let facts = computer::facts(folder.path());
    let growths = [refused, keyed];
    arguments.setting.tell("growth", &table(&facts, &growths))?;
    let wrong: Vec<String> = growths.iter().flat_map(beyond).collect();
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(wrong.join("\n  ")),
    }
}

fn grow(arguments: &Arguments, folder: &Folder, kind: Kind) -> Result<Growth, String> {
    let data = folder.path().join(name(kind));
    let log = data.with_extension("log");
    let (server, address, _) = start(arguments, &data, &log)?;
    let token = std::fs::read_to_string(data.join("admin.token"))
        .map_err(|error| format!("cannot read the server's admin.token: {error}"))?;
    let token = token.trim();
    prepare(address, token)?;
    let requests = Requests::new(address, token, kind);
    let mut sizes = vec![size::look(&server, &data, 0, 0)?];
    show(kind, &sizes[0]);
    let mut took = Duration::ZERO;
    for tenths in LOOKS {
        room_left(&data, ROOM_BYTES)?;
        let until = (arguments.millions * 1e5) as u64 * tenths;
        let began = Instant::now();
        let (done, log_bytes) = size::watching_log(&data, || {
            while requests.answered() < until {
                leg(arguments, &requests, until - requests.answered())?;
            }
            Ok::<(), String>(())
        });
        done?;
        took += began.elapsed();
        let size = size::look(&server, &data, requests.answered(), log_bytes)?;
        show(kind, &size);
        sizes.push(size);
    }
    drop(server);
    let (server, _, ready_after) = start(arguments, &data, &log)?;
    Ok(Growth {
        kind,
        sizes,
        per_second: requests.answered() as f64 / took.as_secs_f64(),
        ready_after,
        resident_after: server.resident_kib()? << 10,
    })
}

fn leg(arguments: &Arguments, requests: &Requests, count: u64) -> Result<(), String> {
    let plan = Plan {
        connections: arguments.connections,
        threads: 1,
        warm_up: Duration::ZERO,
        duration: LEG_AT_MOST,
        requests_limit: count.max(arguments.connections as u64),
        rate: None,
        server_pid: None,
    };
    let tally = engine::run(requests, &plan)?;
    match tally.failed() {
        0 => Ok(()),
        failed => Err(format!("{failed} requests were not answered as hoped")),
    }
}

/// Starts the server on a data directory; answers how long that took.
fn start(
    arguments: &Arguments,
    data: &Path,
    log: &Path,
) -> Result<(Server, SocketAddr, Duration), String> {
    let mut command = bound_to_us(&arguments.setting.usher);
    command
        .args(["server", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .stdout(Stdio::piped());
    let began = Instant::now();
    let mut server = Server::start(&mut command, log, Signal::TERM)?;
    let address = server.wait_for_ready_line()?;
    Ok((server, address, began.elapsed()))
}

/// A product whose one seat is taken, and one with seats for all.
fn prepare(address: SocketAddr, token: &str) -> Result<(), String> {
    let post = |path: &str, body: serde_json::Value| {
        let (status, answer) = http::call(address, "POST", path, token, &body.to_string())?;
        match (200..300).contains(&status) {
            true => Ok(()),
            false => {
                let answer = String::from_utf8_lossy(&answer);
                Err(format!("POST {path} was answered with {status}: {answer}"))
            }
        }
    };
    for (product, seats) in [(FULL, 1), (FREE, 1_000)] {
        let spec = serde_json::json!({ "id": product, "max_ttl_seconds": 86_400 });
        post("/v1/products", spec)?;
        let entitlement = serde_json::json!({ "product": product, "seats": seats });
        post("/v1/entitlements", entitlement)?;
    }
    let holder = serde_json::json!({
        "product": FULL, "user": "holder", "computer": "pc", "ttl_seconds": 86_400,
    });
    post("/v1/checkouts", holder)
}

/// What lies beyond its bound.
fn beyond(growth: &Growth) -> Vec<String> {
    let first = &growth.sizes[0];
    let mut wrong = Vec::new();
    let mut hold = |what: &str, requests: u64, found: u64, bound: u64| {
        if found > bound {
            let kind = name(growth.kind);
            wrong.push(format!(
                "{what} after {requests} of {kind}: {found}, and the bound is {bound}"
            ));
        }
    };
    let (names, answers, memory) = match growth.kind {
        Kind::Refused => (CROWD_LIMIT as u64 + 10, 0, MEMORY_OF_NAMES),
        Kind::Keyed => (10_000, ANSWERS, MEMORY_OF_ANSWERS),
    };
    for size in &growth.sizes {
        let n = size.requests;
        hold("people", n, size.subjects, names);
        hold("computers", n, size.computers, names);
        hold("refusals kept", n, size.denials, names + MINUTES);
        hold("answers kept", n, size.answers, answers);
        hold("log in bytes", n, size.log_bytes, LOG);
        let memory = first.resident_bytes + memory;
        hold("memory in bytes", n, size.resident_bytes, memory);
        let file = FILE_OF_ALL_ELSE
            + size.denials * FILE_OF_A_NAME
            + answers * FILE_OF_AN_ANSWER
            + size.leases * FILE_OF_A_LEASE;
        hold("file in bytes", n, size.file_bytes, file);
    }
    let requests = growth.sizes.last().map_or(0, |size| size.requests);
    let ready = growth.ready_after.as_millis() as u64;
    let bound = READY_WITHIN.as_millis() as u64;
    hold("milliseconds until it is ready", requests, ready, bound);
    let memory = first.resident_bytes + memory;
    let after = growth.resident_after;
    hold("memory in bytes after a start", requests, after, memory);
    wrong
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Refused => "refusals",
        Kind::Keyed => "keyed requests",
    }
}

fn show(kind: Kind, size: &Size) {
    println!("{}: {size:?}", name(kind));
}

fn table(facts: &str, growths: &[Growth]) -> String {
    let mut table = format!(
        "{facts}\n\n| | memory | file | longest log | people | computers | refusals kept | \
         ended leases | answers kept |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|\n"
    );
    for growth in growths {
        let kind = name(growth.kind);
        for size in &growth.sizes {
            table += &format!(
                "| {} {kind} | {} MiB | {} MiB | {} MiB | {} | {} | {} | {} | {} |\n",
                size.requests,
                size.resident_bytes / MIB,
                size.file_bytes / MIB,
                size.log_bytes / MIB,
                size.subjects,
                size.computers,
                size.denials,
                size.leases,
                size.answers,
            );
        }
    }
    for growth in growths {
        table += &format!(
            "\nAfter the {}, which came at {:.0} a second, and a clean stop the server is ready in \
             {:.2} s with {} MiB.\n",
            name(growth.kind),
            growth.per_second,
            growth.ready_after.as_secs_f64(),
            growth.resident_after / MIB,
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn growth(kind: Kind, last: Size) -> Growth {
        Growth {
            kind,
            sizes: vec![Size::default(), last],
            per_second: 1.0,
            ready_after: Duration::from_secs(1),
            resident_after: 0,
        }
    }

    #[test]
    fn a_size_beyond_its_bound_fails_the_run_and_is_named() {
        let bounded = Size {
            requests: 10_000_000,
            resident_bytes: MEMORY_OF_NAMES,
            subjects: CROWD_LIMIT as u64 + 1,
            ..Size::default()
        };
        assert!(beyond(&growth(Kind::Refused, bounded.clone())).is_empty());
        let people = Size {
            subjects: 10_000_001,
            ..bounded.clone()
        };
        let wrong = beyond(&growth(Kind::Refused, people));
        assert!(wrong[0].starts_with("people after 10000000 of refusals: 10000001"));
        let answers = Size {
            answers: ANSWERS + 1,
            ..bounded
        };
        let wrong = beyond(&growth(Kind::Keyed, answers));
        assert!(wrong.iter().any(|what| what.starts_with("answers kept")));
    }

    #[test]
    fn a_slow_start_fails_the_run() {
        let mut slow = growth(Kind::Keyed, Size::default());
        slow.ready_after = READY_WITHIN + Duration::from_millis(1);
        let wrong = beyond(&slow);
        assert!(wrong[0].starts_with("milliseconds until it is ready"));
    }
}
