//! A server with many leases out: how long until it is ready again, and what a lease costs it.

use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::Args;
use rustix::process::Signal;
use usher_core::ledger::{
    Checkout, Command, ComputerRef, EntitlementTerms, Model, ProductSpec, Reply, SubjectRef,
};
use usher_store::{Answer, Engine, EngineOptions, Failure, Request, Sink, SystemClock, Work};

use crate::beside::computer;
use crate::beside::private::{Folder, Server, bound_to_us};
use crate::setting::Setting;

/// Requests that are outstanding while leases are made.
const OUTSTANDING: usize = 4_096;
/// People who hold them, and products that they hold.
const PEOPLE: u64 = 20_000;
const PRODUCTS: u64 = 100;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Leases that are out
    #[arg(long, default_value_t = 1_000_000)]
    leases: u64,
    #[command(flatten)]
    setting: Setting,
}

/// Makes the leases, starts the server on them, and writes down what it took.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let leases = arguments.leases.clamp(1, 10_000_000);
    let folder = Folder::make(&arguments.setting.place.folder)?;
    let empty = start(arguments, &folder, "empty")?;
    let clean = folder.path().join("clean");
    let engine = fill(&clean, leases)?;
    // What a kill leaves: the files as they are, the tables behind the journal.
    let killed = folder.path().join("killed");
    std::fs::create_dir(&killed).map_err(|error| error.to_string())?;
    for name in ["cache.db", "cache.db-wal"] {
        std::fs::copy(clean.join(name), killed.join(name)).map_err(|error| error.to_string())?;
    }
    engine.close();
    let rows = [
        ("a clean stop", start(arguments, &folder, "clean")?),
        ("a kill", start(arguments, &folder, "killed")?),
    ];
    let mut table = format!(
        "{} {leases} leases out, {PEOPLE} people, {PRODUCTS} products.\n\n\
         | after | ready after | resident memory | a lease |\n|---|---:|---:|---:|\n",
        computer::facts(folder.path())
    );
    for (name, measured) in rows {
        let a_lease = measured.resident_bytes.saturating_sub(empty.resident_bytes) / leases;
        table += &format!(
            "| {name} | {:.2} s | {} MiB | {a_lease} bytes |\n",
            measured.ready_after.as_secs_f64(),
            measured.resident_bytes >> 20,
        );
    }
    table += &format!(
        "| a first start, no leases | {:.2} s | {} MiB | |\n",
        empty.ready_after.as_secs_f64(),
        empty.resident_bytes >> 20
    );
    arguments.setting.tell("restart", &table)
}

struct Measured {
    ready_after: Duration,
    resident_bytes: u64,
}

/// Starts the server on a data directory and waits for its ready line.
fn start(arguments: &Arguments, folder: &Folder, name: &str) -> Result<Measured, String> {
    let log = folder.path().join(format!("{name}.log"));
    let mut command = bound_to_us(&arguments.setting.usher);
    command
        .args(["server", "--listen", "127.0.0.1:0", "--data"])
        .arg(folder.path().join(name))
        .stdout(Stdio::piped());
    let begin = Instant::now();
    let mut server = Server::start(&mut command, &log, Signal::TERM)?;
    server.wait_for_ready_line()?;
    let ready_after = begin.elapsed();
    Ok(Measured {
        ready_after,
        resident_bytes: server.resident_kib()? * 1_024,
    })
}

/// Makes a data directory with so many leases out.
fn fill(data: &Path, leases: u64) -> Result<Engine, String> {
    let (engine, _) = Engine::open(EngineOptions {
        data: data.into(),
        clock: Arc::new(SystemClock),
        on_durable: Box::new(|_| {}),
    })
    .map_err(|error| error.to_string())?;
    let said = |failure: Failure| format!("{failure:?}");
    for product in 0..PRODUCTS {
        let id: Arc<str> = format!("product-{product}").into();
        let spec = ProductSpec {
            id: id.clone(),
            enabled: true,
            max_ttl_seconds: 86_400,
            queue_limit: 1_000,
            shared_by_subject: false,
            impossible_seconds: 60,
            document: format!("{{\"id\": \"{id}\"}}").into(),
        };
        engine
            .execute(Command::PutProduct { spec, new: true })
            .map_err(said)?;
        let seats = u32::try_from(leases).unwrap_or(u32::MAX);
        let terms = EntitlementTerms {
            product: id,
            model: Model::Concurrent {
                seats,
                overdraft: 0,
            },
            from: None,
            to: None,
            details: None,
        };
        engine
            .execute(Command::AddEntitlement(terms))
            .map_err(said)?;
    }
    let room = Arc::new(Room::default());
    let mut made = 0;
    while made < leases {
        room.wait_until(OUTSTANDING / 2);
        let count = (leases - made).min(OUTSTANDING as u64 / 2);
        let mut requests: Vec<Request> = (made..made + count)
            .map(|token| Request {
                work: Work::Command(ask(token)),
                sink: room.clone(),
                token,
            })
            .collect();
        room.outstanding.fetch_add(requests.len(), Ordering::SeqCst);
        engine.submit(&mut requests);
        made += count;
    }
    room.wait_until(0);
    match room.refused.load(Ordering::SeqCst) {
        0 => Ok(engine),
        refused => Err(format!("{refused} checkouts were not granted")),
    }
}

fn ask(number: u64) -> Command {
    let user: Arc<str> = format!("user-{}", number % PEOPLE).into();
    Command::Checkout(Checkout {
        product: format!("product-{}", number % PRODUCTS).into(),
        also: Vec::new(),
        subject: SubjectRef {
            authority: "usher".into(),
            key: user.clone(),
            name: user,
            candidate: number.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        },
        computer: ComputerRef {
            key: format!("pc-{}", number % PEOPLE).into(),
            candidate: number.wrapping_mul(0xd134_2543_de82_ef95),
        },
        seats: 1,
        ttl_seconds: Some(86_400),
        wait: false,
        priority: 0,
        program: None,
    })
}

/// Counts what is outstanding, so that no more is asked than there is room for.
#[derive(Default)]
struct Room {
    outstanding: AtomicUsize,
    refused: AtomicUsize,
    lock: Mutex<()>,
    less: Condvar,
}

impl Room {
    fn wait_until(&self, at_most: usize) {
        let mut guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        while self.outstanding.load(Ordering::SeqCst) > at_most {
            let waited = self.less.wait_timeout(guard, Duration::from_millis(20));
            guard = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Sink for Room {
    fn deliver(&self, answers: &mut Vec<(u64, Result<Answer, Failure>)>) {
        for (_, answer) in answers.drain(..) {
            if !matches!(
                answer,
                Ok(Answer {
                    reply: Reply::Granted { .. },
                    ..
                })
            ) {
                self.refused.fetch_add(1, Ordering::SeqCst);
            }
            self.outstanding.fetch_sub(1, Ordering::SeqCst);
        }
        self.less.notify_all();
    }
}
