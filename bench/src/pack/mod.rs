//! A pack of a large store while the server answers at half of its full speed: how long answers
//! take without and with it, whether any fails, and what becomes of the file.

mod alternations;
mod fill;

use std::net::SocketAddr;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use rustix::process::Signal;
use serde::Deserialize;
use usher_bench::engine::Tally;
use usher_bench::http;
use usher_bench::load::{self, Fixture, LoadError, LoadOptions, Target};

use crate::beside::computer;
use crate::beside::private::{Folder, Server, bound_to_us};
use crate::setting::Setting;
use fill::fill;

/// The longest that a pack is waited for.
const PATIENCE: Duration = Duration::from_secs(2_400);
/// The longest that a pack may take to stop.
const STOPPED_WITHIN: Duration = Duration::from_secs(60);
/// Between two looks at a pack that is stopping.
const LOOK: Duration = Duration::from_millis(50);

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
    /// Instead of one whole pack: so many times a window without, one within, one without a pack
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=200))]
    alternations: Option<u32>,
    #[command(flatten)]
    setting: Setting,
}

/// Measures and writes down.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let folder = Folder::make(&arguments.setting.place.folder)?;
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
    if let Some(count) = arguments.alternations {
        let rounds = alternations::measure(&bench, rate, count)?;
        let facts = computer::facts(folder.path());
        let table = alternations::table(&facts, rate, &rounds);
        return arguments.setting.tell("pack-alternations", &table);
    }
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

    fn begin_a_pack(&self) -> Result<(), String> {
        let (status, body) = self.call("POST")?;
        if status == 202 {
            return Ok(());
        }
        let body = String::from_utf8_lossy(&body);
        Err(format!("the pack was not started: {status} {body}"))
    }

    fn pack(&self) -> Result<Pack, String> {
        let (_, body) = self.call("GET")?;
        serde_json::from_slice(&body).map_err(|error| format!("/v1/pack cannot be read: {error}"))
    }

    /// Stops the pack that runs, and waits until it has.
    fn stop_the_pack(&self) -> Result<(), String> {
        let asked_at = Instant::now();
        self.call("DELETE")?;
        while self.pack()?.state == "running" {
            if asked_at.elapsed() > STOPPED_WITHIN {
                return Err(format!("the pack has not stopped in {STOPPED_WITHIN:?}"));
            }
            thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Measures until a pack is over; the window in which it ends is not counted, but what fails
    /// in it is.
    fn during_a_pack(&self, rate: f64) -> Result<(Tally, Report), String> {
        let began = Instant::now();
        self.begin_a_pack()?;
        let mut sum = Tally::default();
        loop {
            let window = self.measure(Some(rate))?;
            let pack = self.pack()?;
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

fn text(error: LoadError) -> String {
    error.to_string()
}
