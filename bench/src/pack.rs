//! A pack of a large store while the server answers at half of its full speed: how long answers
//! take without and with it, whether any fails, and what becomes of the file.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::Args;
use rusqlite::Connection;
use rustix::process::Signal;
use serde::Deserialize;
use usher_bench::engine::Tally;
use usher_bench::http;
use usher_bench::load::{self, Fixture, LoadError, LoadOptions, Target};
use usher_store::{Engine, EngineOptions, SystemClock};

use crate::beside::computer;
use crate::beside::private::{Folder, Server, bound_to_us};
use crate::setting::Setting;

/// Rows that are made in one statement.
const ROWS: u64 = 200_000;
/// The longest that a pack is waited for.
const PATIENCE: Duration = Duration::from_secs(2_400);

#[derive(Args)]
pub(crate) struct Arguments {
    /// Size of the store before, in MiB
    #[arg(long, default_value_t = 2_100)]
    mib: u64,
    /// Of the store's rows, so many are past the retention, in percent: a weekly pack of rows that
    /// are kept for 400 days finds less than two
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=90))]
    old_percent: u64,
    /// Connections
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Seconds of each window that is measured
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Windows without a pack, before it and after it
    #[arg(long, default_value_t = 4)]
    windows: u32,
    #[command(flatten)]
    setting: Setting,
}

/// Measures and writes down.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let folder = Folder::make(&arguments.setting.folder)?;
    let data = folder.path().join("data");
    let old_rows = fill(
        &data,
        arguments.mib.clamp(1, 100_000) << 20,
        arguments.old_percent,
    )?;
    let mut command = bound_to_us(&arguments.setting.usher);
    command
        .args(["server", "--listen", "127.0.0.1:0", "--data"])
        .arg(&data)
        .stdout(Stdio::piped());
    let mut server = Server::start(&mut command, &folder.path().join("log"), Signal::TERM)?;
    let address = server.wait_for_ready_line()?;
    let token = std::fs::read_to_string(data.join("admin.token"))
        .map_err(|error| format!("cannot read the server's token: {error}"))?;
    let bench = Bench::new(arguments, address, token.trim(), server.pid())?;

    // The load goes on without a break, and long enough before it is measured for the tables to be
    // filled from the journal beside it, which a short burst puts off.
    let _ = bench.windows(None, 2 * arguments.windows)?;
    let full = bench.windows(None, arguments.windows)?;
    let rate = full.requests as f64 / full.measured.as_secs_f64() / 2.0;
    let _ = bench.windows(Some(rate), arguments.windows)?;
    let before = bench.windows(Some(rate), arguments.windows)?;
    let (with, report) = bench.during_a_pack(rate)?;
    let after = bench.windows(Some(rate), arguments.windows)?;

    if report.purged_rows != old_rows {
        return Err(format!(
            "{old_rows} rows were past their retention, and {} went",
            report.purged_rows
        ));
    }
    let facts = computer::facts(folder.path());
    let table = table(&facts, rate, &[before, with, after], &report);
    arguments.setting.tell("pack", &table)
}

/// What `GET /v1/pack` says.
#[derive(Deserialize)]
struct Pack {
    state: String,
    progress: f64,
    last: Option<Report>,
}

#[derive(Deserialize)]
struct Report {
    result: String,
    purged_rows: u64,
    bytes_before: u64,
    bytes_after: u64,
    #[serde(skip)]
    took: Duration,
}

struct Bench {
    address: SocketAddr,
    token: String,
    options: LoadOptions,
}

impl Bench {
    fn new(
        arguments: &Arguments,
        address: SocketAddr,
        token: &str,
        server: u32,
    ) -> Result<Bench, String> {
        let url = format!("http://{address}");
        let target = Target::new(&url, false).map_err(text)?;
        // It goes with its server.
        let fixture = Fixture::make(target, token, "bench", 1).map_err(text)?;
        let duration = Duration::try_from_secs_f64(arguments.seconds)
            .map_err(|_| format!("`{}` is no number of seconds", arguments.seconds))?;
        Ok(Bench {
            address,
            token: token.to_owned(),
            options: LoadOptions {
                url,
                token: token.to_owned(),
                products: fixture.products().to_vec(),
                connections: arguments.connections,
                duration,
                server_pid: Some(server),
                ..LoadOptions::default()
            },
        })
    }

    fn measure(&self, rate: Option<f64>) -> Result<Tally, String> {
        load::measure(&LoadOptions {
            rate,
            ..self.options.clone()
        })
        .map_err(text)
    }

    fn windows(&self, rate: Option<f64>, count: u32) -> Result<Tally, String> {
        let mut sum = Tally::default();
        for _ in 0..count.max(1) {
            sum.append(self.measure(rate)?);
        }
        Ok(sum)
    }

    /// Measures until a pack is over; the window in which it ends is not counted, but what fails
    /// in it is.
    fn during_a_pack(&self, rate: f64) -> Result<(Tally, Report), String> {
        let began = Instant::now();
        let (status, body) = self.call("POST")?;
        if status != 202 {
            let body = String::from_utf8_lossy(&body);
            return Err(format!("the pack was not begun: {status} {body}"));
        }
        let mut sum = Tally::default();
        loop {
            let window = self.measure(Some(rate))?;
            let (_, body) = self.call("GET")?;
            let pack: Pack = serde_json::from_slice(&body)
                .map_err(|error| format!("/v1/pack cannot be read: {error}"))?;
            if pack.state == "running" {
                if began.elapsed() > PATIENCE {
                    return Err(format!("the pack was not over after {PATIENCE:?}"));
                }
                let ms = window.latency.quantile(0.99).as_secs_f64() * 1e3;
                eprintln!("{:3.0} %, p99 {ms:.2} ms", pack.progress * 100.0);
                sum.append(window);
                continue;
            }
            if sum.requests == 0 {
                return Err("the pack was over within one window: make a larger store".to_owned());
            }
            for (status, count) in window.errors {
                *sum.errors.entry(status).or_default() += count;
            }
            let mut last = pack.last.ok_or("the pack has left no report")?;
            last.took = began.elapsed();
            return match last.result.as_str() {
                "done" => Ok((sum, last)),
                other => Err(format!("the pack ended as {other}")),
            };
        }
    }

    fn call(&self, method: &str) -> Result<(u16, Vec<u8>), String> {
        http::call(self.address, method, "/v1/pack", &self.token, "")
    }
}

fn table(facts: &str, rate: f64, phases: &[Tally; 3], report: &Report) -> String {
    let mut table = format!(
        "{facts} {rate:.0} requests/s at even intervals, half of full speed; a request whose time \
         has come counts from then on.\n\n\
         | | requests | failed | p50 ms | p99 ms | p99.9 ms | longest ms | p99 to before |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|\n"
    );
    let ms = |took: Duration| took.as_secs_f64() * 1e3;
    let p99 = |tally: &Tally| ms(tally.latency.quantile(0.99));
    for (name, tally) in ["before the pack", "in the pack", "after it"]
        .iter()
        .zip(phases)
    {
        table += &format!(
            "| {name} | {} | {} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} |\n",
            tally.requests,
            tally.failed(),
            ms(tally.latency.quantile(0.5)),
            p99(tally),
            ms(tally.latency.quantile(0.999)),
            ms(tally.latency.longest()),
            p99(tally) / p99(&phases[0]),
        );
    }
    table += &format!(
        "\nThe pack took {} s: {} rows went, and {} MiB became {} MiB.\n",
        report.took.as_secs(),
        report.purged_rows,
        report.bytes_before >> 20,
        report.bytes_after >> 20,
    );
    table
}

/// Makes a data directory of that size; gives how many of its rows are past their retention.
fn fill(data: &Path, bytes: u64, old_percent: u64) -> Result<u64, String> {
    let (engine, _) = Engine::open(EngineOptions {
        data: data.into(),
        clock: Arc::new(SystemClock),
        on_durable: Box::new(|_| {}),
    })
    .map_err(|error| error.to_string())?;
    engine.close();
    let failed = |error: rusqlite::Error| format!("cannot fill the store: {error}");
    let file = Connection::open(data.join("cache.db")).map_err(failed)?;
    file.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -262144")
        .map_err(failed)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now_ms = now.map_err(|error| error.to_string())?.as_millis();
    let now_ms = i64::try_from(now_ms).map_err(|error| error.to_string())?;
    let size = || -> rusqlite::Result<u64> {
        let of =
            |name: &str| file.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
        Ok((of("page_count")? * of("page_size")?).unsigned_abs())
    };
    let (mut old_rows, mut rows) = (0, 0);
    while size().map_err(failed)? < bytes {
        // Old ones come first, as they do where time has passed.
        let is_old = size().map_err(failed)? < bytes / 100 * old_percent;
        let age_days = if is_old { 500 } else { 100 };
        let statements = rows_of(rows + 1, now_ms - age_days * 86_400_000);
        file.execute_batch(&statements).map_err(failed)?;
        rows += ROWS;
        old_rows += if is_old { ROWS } else { 0 };
    }
    let renumber = "UPDATE meta SET value = ?1 WHERE key = 'filled_to'";
    file.execute(renumber, [(rows + 1).cast_signed()])
        .map_err(failed)?;
    Ok(old_rows)
}

/// Ended leases, sessions and denials, six, three and one of ten, from a number and an instant on.
fn rows_of(first: u64, at_ms: i64) -> String {
    let last = first + ROWS - 1;
    format!(
        "BEGIN;
         CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS
            (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last}) SELECT i FROM n;
         INSERT INTO leases (number, incarnation, product, subject, computer, seats, ttl_seconds,
            deadline, granted_at, granted, draws, holders, graced, scene_seats, scene_in_use,
            scene_queued, ended, ended_at, held_ms, cause, program)
         SELECT i, 1, 1 + i % 20, random(), random(), 1, 300, {at_ms} + i, {at_ms} + i, i, '2:1', '', 0,
            100, i % 100, 0, i + 500, {at_ms} + i + 500, 500, 'checked_in', 'solver-' || (i % 40)
         FROM n WHERE i % 10 < 6;
         INSERT INTO sessions (number, computer, session, sender_incarnation, product, program,
            version, subject, started_at, ended_at, duration_ms)
         SELECT i, random(), i, 1, 1 + i % 20, '/opt/vendor/solver-' || (i % 40), '12.1', random(),
            {at_ms} + i, {at_ms} + i + 500, 500
         FROM n WHERE i % 10 BETWEEN 6 AND 8;
         INSERT INTO denials (number, incarnation, product, subject, computer, seats, reason,
            scene_seats, scene_in_use, scene_queued, first, first_at, last_at, count)
         SELECT i, 1, 1 + i % 20, random(), random(), 1, 'no_seat', 100, 100, 0, i, {at_ms} + i,
            {at_ms} + i, 1
         FROM n WHERE i % 10 = 9;
         DROP TABLE n;
         COMMIT;"
    )
}

fn text(error: LoadError) -> String {
    error.to_string()
}
