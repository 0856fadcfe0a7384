//! Leases that come at full speed and stay: a person and a lease with each checkout, until a
//! server holds a million. Does it slow down on the way, and what does each cost it in memory?

use std::process::Stdio;
use std::time::Duration;

use clap::Args;
use rustix::process::Signal;
use usher_bench::engine::{self, Plan, Tally};

use crate::beside::computer;
use crate::beside::private::{Folder, Server, bound_to_us};
use crate::disk::room_left;
use crate::figures::median;
use crate::newcomers::Newcomers;
use crate::setting::Setting;

/// The run ends if less than this is free for the data.
const ROOM_BYTES: u64 = 2 << 30;
/// At the beginning and at the end, the speed of so many leases is compared.
const COMPARED_LEASES: u64 = 100_000;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Leases that come, 100000 to 10000000
    #[arg(long, default_value_t = 1_000_000,
        value_parser = clap::value_parser!(u64).range(100_000..=10_000_000))]
    leases: u64,
    /// Connections, each with one request outstanding
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Seconds of each window that is measured, 1 to 60
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    #[command(flatten)]
    setting: Setting,
}

/// What was measured in a few seconds, and how large the server was after them.
struct Window {
    leases: u64,
    per_second: f64,
    p99_ms: f64,
    longest_ms: f64,
    resident_bytes: u64,
}

/// Fills a private server, a window after the other, and writes down what each was like.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let folder = Folder::make(&arguments.setting.place.folder)?;
    let data = folder.path().join("data");
    let mut command = bound_to_us(&arguments.setting.usher);
    command
        .args(["server", "--listen", "127.0.0.1:0", "--data"])
        .arg(&data)
        .stdout(Stdio::piped());
    let mut server = Server::start(&mut command, &folder.path().join("log"), Signal::TERM)?;
    let address = server.wait_for_ready_line()?;
    let token = std::fs::read_to_string(data.join("admin.token"))
        .map_err(|error| format!("cannot read the server's admin.token: {error}"))?;
    let newcomers = Newcomers::prepare(address, token.trim())?;
    let empty_bytes = server.resident_kib()? << 10;

    let mut windows: Vec<Window> = Vec::new();
    while newcomers.granted() < arguments.leases {
        room_left(&data, ROOM_BYTES)?;
        let plan = Plan {
            connections: arguments.connections,
            threads: 1,
            warm_up: Duration::ZERO,
            duration: Duration::from_secs(arguments.seconds),
            requests_limit: u64::MAX,
            rate: None,
            server_pid: None,
        };
        let tally = engine::run(&newcomers, &plan)?;
        if tally.failed() > 0 {
            return Err(format!("{} checkouts were not granted", tally.failed()));
        }
        let window = window(&tally, newcomers.granted(), server.resident_kib()? << 10);
        eprintln!("{}", line(&window));
        windows.push(window);
    }
    let table = table(&computer::facts(folder.path()), empty_bytes, &windows);
    arguments.setting.tell("leases", &table)
}

fn window(tally: &Tally, leases: u64, resident_bytes: u64) -> Window {
    let ms = |took: Duration| took.as_secs_f64() * 1e3;
    Window {
        leases,
        per_second: tally.requests as f64 / tally.measured.as_secs_f64(),
        p99_ms: ms(tally.latency.quantile(0.99)),
        longest_ms: ms(tally.latency.longest()),
        resident_bytes,
    }
}

fn line(window: &Window) -> String {
    format!(
        "| {} | {:.0} | {:.2} | {:.2} | {} MiB |",
        window.leases,
        window.per_second,
        window.p99_ms,
        window.longest_ms,
        window.resident_bytes >> 20
    )
}

/// The mean speed of the windows that hold the first so many leases; of the last, if they come
/// last window first.
fn speed<'a>(windows: impl Iterator<Item = (u64, &'a Window)>) -> f64 {
    let (mut leases, mut seconds) = (0, 0.0);
    for (came, window) in windows {
        leases += came;
        seconds += came as f64 / window.per_second;
        if leases >= COMPARED_LEASES {
            break;
        }
    }
    leases as f64 / seconds
}

fn table(facts: &str, empty_bytes: u64, windows: &[Window]) -> String {
    let mut table = format!(
        "{facts}\n\n| leases out | checkouts/s | p99 ms | longest ms | resident memory |\n\
         |--:|--:|--:|--:|--:|\n"
    );
    for window in windows {
        table += &line(window);
        table.push('\n');
    }
    let before = std::iter::once(0).chain(windows.iter().map(|window| window.leases));
    let came: Vec<(u64, &Window)> = windows
        .iter()
        .zip(before)
        .map(|(window, before)| (window.leases - before, window))
        .collect();
    let p99: Vec<f64> = windows.iter().map(|window| window.p99_ms).collect();
    let worst = p99.iter().copied().fold(0.0, f64::max);
    let (first, last) = (
        speed(came.iter().copied()),
        speed(came.iter().rev().copied()),
    );
    let grown = windows.last().map_or(0, |last| {
        last.resident_bytes.saturating_sub(empty_bytes) / last.leases.max(1)
    });
    let half = windows.last().map_or(0, |last| last.leases / 2);
    let later = came.iter().filter(|(_, window)| window.leases > half);
    let middle = speed(later.copied());
    table += &format!(
        "\nThe worst window's p99 is {:.1} times the median window's. The last {COMPARED_LEASES} \
         leases came at {:.2} times the speed of the first, and at {:.2} times that of the first of \
         the second half. A lease with its person takes {grown} bytes of memory.\n",
        worst / median(&p99),
        last / first,
        last / middle,
    );
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(leases: u64, per_second: f64, p99_ms: f64) -> Window {
        Window {
            leases,
            per_second,
            p99_ms,
            longest_ms: p99_ms,
            resident_bytes: (10 << 20) + leases * 300,
        }
    }

    #[test]
    fn the_worst_window_the_slowing_and_the_size_of_a_lease_are_told() {
        let windows = [
            of(120_000, 20_000.0, 2.0),
            of(240_000, 20_000.0, 2.0),
            of(300_000, 10_000.0, 9.0),
        ];
        let table = table("Facts.", 10 << 20, &windows);
        assert!(
            table.contains("p99 is 4.5 times the median window's"),
            "{table}"
        );
        // 60,000 in 6 s and 120,000 in 6 s: 15,000 a second.
        assert!(
            table.contains("at 0.75 times the speed of the first,"),
            "{table}"
        );
        // The second half begins with the window that ends at 240,000.
        assert!(
            table.contains("at 0.75 times that of the first of the second half"),
            "{table}"
        );
        assert!(table.contains("takes 300 bytes of memory"), "{table}");
    }
}
