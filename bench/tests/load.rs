//! Load is put on as it says, counted as it was, and leaves nothing behind.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use usher_bench::load::{self, Fixture, LoadOptions, LoadReport, Target, Work};

/// A metering server of a few lines: it knows which leases are out.
#[derive(Default)]
struct Seats {
    next: u64,
    out: BTreeSet<String>,
    checkouts: u64,
    checkins_of_nothing: u64,
    users: BTreeSet<String>,
    /// Products, and the seats owned of each.
    products: BTreeMap<String, u32>,
}

/// What the server does besides answering.
#[derive(Clone, Copy)]
enum Manners {
    Good,
    /// Every connection is closed after so many answers.
    ClosesAfter(u32),
    /// Every checkout is refused.
    Refuses,
}

fn serve(manners: Manners) -> (SocketAddr, Arc<Mutex<Seats>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let seats = Arc::new(Mutex::new(Seats::default()));
    let shared = Arc::clone(&seats);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, seats) = (stream.unwrap(), Arc::clone(&shared));
            thread::spawn(move || talk(stream, &seats, manners));
        }
    });
    (address, seats)
}

fn talk(stream: TcpStream, seats: &Mutex<Seats>, manners: Manners) {
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream);
    let mut answered = 0;
    while let Some((line, body)) = request(&mut reader) {
        let answer = answer(&line, &body, &mut seats.lock().unwrap(), manners);
        if reader.get_mut().write_all(answer.as_bytes()).is_err() {
            return;
        }
        answered += 1;
        if matches!(manners, Manners::ClosesAfter(count) if answered == count) {
            return;
        }
    }
}

fn request(reader: &mut BufReader<TcpStream>) -> Option<(String, String)> {
    let mut first = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.strip_prefix("Content-Length: ") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
        if first.is_empty() {
            first = line;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((first, String::from_utf8(body).unwrap()))
}

fn answer(line: &str, body: &str, seats: &mut Seats, manners: Manners) -> String {
    if let Some(rest) = line.strip_prefix("DELETE /v1/leases/") {
        let (id, _) = rest.split_once(' ').unwrap();
        seats.checkins_of_nothing += u64::from(!seats.out.remove(id));
        return "HTTP/1.1 204 No Content\r\n\r\n".to_owned();
    }
    if !line.starts_with("POST /v1/checkouts ") {
        return answer_catalogue(line, body, seats);
    }
    let asked: usher_api::CheckoutRequest<'_> = serde_json::from_str(body).unwrap();
    seats.users.insert(asked.user.into_owned());
    if matches!(manners, Manners::Refuses) {
        return "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\n{}".to_owned();
    }
    seats.next += 1;
    seats.checkouts += 1;
    let id = format!("l-{}", seats.next);
    let body = format!(r#"{{"decision":"granted","lease":{{"id":"{id}"}}}}"#);
    seats.out.insert(id);
    let length = body.len();
    format!("HTTP/1.1 201 Created\r\nContent-Length: {length}\r\n\r\n{body}")
}

/// Products and entitlements; an entitlement's id is its product's.
fn answer_catalogue(line: &str, body: &str, seats: &mut Seats) -> String {
    if let Some(rest) = line.strip_prefix("DELETE /v1/products/") {
        let (id, _) = rest.split_once(' ').unwrap();
        seats.products.remove(id);
        return "HTTP/1.1 204 No Content\r\n\r\n".to_owned();
    }
    if line.starts_with("DELETE /v1/entitlements/") {
        return "HTTP/1.1 204 No Content\r\n\r\n".to_owned();
    }
    let id = if line.starts_with("POST /v1/products ") {
        let product: usher_api::Product = serde_json::from_str(body).unwrap();
        if seats.products.contains_key(&product.id) {
            return "HTTP/1.1 409 Conflict\r\nContent-Length: 6\r\n\r\nexists".to_owned();
        }
        seats.products.insert(product.id.clone(), 0);
        product.id
    } else {
        assert!(line.starts_with("POST /v1/entitlements "), "{line}");
        let owned: usher_api::EntitlementRequest = serde_json::from_str(body).unwrap();
        seats.products.insert(owned.product.clone(), owned.seats);
        owned.product
    };
    let body = format!(r#"{{"id":"{id}"}}"#);
    let length = body.len();
    format!("HTTP/1.1 201 Created\r\nContent-Length: {length}\r\n\r\n{body}")
}

fn options(address: SocketAddr, work: Work) -> LoadOptions {
    LoadOptions {
        url: format!("http://{address}"),
        token: "t".to_owned(),
        work,
        products: vec!["p".to_owned()],
        connections: 4,
        warm_up: Duration::ZERO,
        duration: Duration::from_millis(200),
        server_pid: Some(std::process::id()),
        ..LoadOptions::default()
    }
}

fn run(options: &LoadOptions) -> LoadReport {
    load::run(options).unwrap()
}

#[test]
fn pairs_are_counted_once_and_leave_no_lease_behind() {
    let (address, seats) = serve(Manners::Good);
    let report = run(&options(address, Work::Pairs));
    let seats = seats.lock().unwrap();
    assert!(
        report.checkouts > 0 && report.checkouts <= seats.checkouts,
        "{report}"
    );
    assert!(report.requests <= 2 * report.checkouts + 4, "{report}");
    assert!(report.errors.is_empty(), "{report}");
    assert!(
        report.p50_ms > 0.0 && report.p50_ms <= report.p99_ms,
        "{report}"
    );
    assert_eq!((seats.out.len(), seats.checkins_of_nothing), (0, 0));
    assert_eq!(seats.users.len(), 4, "each connection is a user of its own");
}

#[test]
fn checkouts_alone_are_all_given_back_at_the_end() {
    let (address, seats) = serve(Manners::Good);
    let report = run(&options(address, Work::Checkouts));
    let seats = seats.lock().unwrap();
    assert_eq!(report.requests, report.checkouts, "{report}");
    assert!(seats.checkouts >= report.checkouts);
    assert_eq!((seats.out.len(), seats.checkins_of_nothing), (0, 0));
}

#[test]
fn threads_share_the_connections() {
    let (address, seats) = serve(Manners::Good);
    let report = run(&LoadOptions {
        threads: 3,
        ..options(address, Work::Pairs)
    });
    assert!(report.checkouts > 0);
    let seats = seats.lock().unwrap();
    assert_eq!((seats.users.len(), seats.out.len()), (4, 0));
}

#[test]
fn no_more_is_asked_than_allowed() {
    let (address, seats) = serve(Manners::Good);
    let report = run(&LoadOptions {
        requests_limit: 10,
        duration: Duration::from_secs(60),
        ..options(address, Work::Checkouts)
    });
    assert_eq!(seats.lock().unwrap().checkouts, 10);
    assert!(
        report.requests <= 10 && report.measured_seconds < 30.0,
        "{report}"
    );
}

#[test]
fn a_rate_is_not_exceeded_and_leaves_no_lease_behind() {
    let (address, seats) = serve(Manners::Good);
    let report = run(&LoadOptions {
        rate: Some(100.0),
        duration: Duration::from_secs(1),
        ..options(address, Work::Pairs)
    });
    assert!((1..=101).contains(&report.requests), "{report}");
    assert_eq!(seats.lock().unwrap().out.len(), 0);
}

#[test]
fn refusals_are_errors_by_status_and_no_checkouts() {
    let (address, _) = serve(Manners::Refuses);
    let report = run(&options(address, Work::Pairs));
    assert_eq!(report.checkouts, 0);
    assert_eq!(report.errors.get(&403), Some(&report.requests));
}

#[test]
fn a_lost_connection_is_made_anew_and_told() {
    let (address, _) = serve(Manners::ClosesAfter(20));
    let report = run(&LoadOptions {
        requests_limit: 400,
        ..options(address, Work::Pairs)
    });
    assert!(report.reconnects > 0, "{report}");
    assert!(report.errors.is_empty(), "{report}");
}

#[test]
fn a_server_that_ends_every_connection_at_once_ends_the_run() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let closing = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().for_each(drop));
    let error = load::run(&LoadOptions {
        // On a busy machine the losses take their time; the run is to end by them.
        duration: Duration::from_secs(60),
        ..options(closing, Work::Pairs)
    })
    .unwrap_err();
    assert!(
        error.to_string().contains("connections were lost"),
        "{error}"
    );
}

#[test]
fn nobody_there_is_said() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = load::run(&options(address, Work::Pairs)).unwrap_err();
    assert!(error.to_string().contains("cannot connect"), "{error}");
}

#[test]
fn products_are_made_with_seats_for_the_run_and_taken_away_after_it() {
    let (address, seats) = serve(Manners::Good);
    let target = Target::new(&format!("http://{address}"), false).unwrap();
    let fixture = Fixture::make(target, "t", "hot", 2).unwrap();
    assert_eq!(fixture.products(), ["hot-000", "hot-001"]);
    let owned: Vec<u32> = seats.lock().unwrap().products.values().copied().collect();
    assert!(owned.len() == 2 && owned.iter().all(|seats| *seats > 1_000_000));
    let refused = Fixture::make(target, "t", "hot", 1).unwrap_err();
    assert!(refused.to_string().contains("409: exists"), "{refused}");
    fixture.remove().unwrap();
    assert!(seats.lock().unwrap().products.is_empty());
}
