//! A soak: checkouts and checkins at full speed for a long while. What the server keeps on disk
//! grows with what was decided; what it keeps in memory must not.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use clap::Args;
use rustix::process::Signal;
use usher_bench::load::{self, Fixture, LoadOptions, LoadReport, Target};

use crate::beside::computer;
use crate::beside::private::{Folder, Server, bound_to_us};
use crate::disk::room_left;
use crate::figures::median;
use crate::setting::Setting;

/// What fills up to its bounds does so in the first minutes: they are shown and not judged.
const SETTLING_MINUTES: usize = 5;
/// How far apart the minutes after those may lie, the most above the least.
const FLAT_WITHIN: f64 = 0.05;
/// The run ends if less than this is free for the data.
const ROOM_BYTES: u64 = 2 << 30;
/// Between two looks at the memory.
const LOOK: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

#[derive(Args)]
pub(crate) struct Arguments {
    /// How long, 7 to 600; the first five minutes are not judged
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(7..=600))]
    minutes: u32,
    /// Connections, each with one request outstanding
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Products that are asked for in turn
    #[arg(long, default_value_t = 100)]
    products: usize,
    #[command(flatten)]
    setting: Setting,
}

/// One minute of it.
struct Minute {
    checkouts_per_second: f64,
    /// The median of its looks.
    resident_kib: f64,
    data_bytes: u64,
}

/// Soaks a private server, prints a line a minute, and says whether its memory stayed flat.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop))
            .map_err(|error| format!("cannot take over signal {signal}: {error}"))?;
    }
    let folder = Folder::make(&arguments.setting.place.folder)?;
    let data = folder.path().join("data");
    let mut command = bound_to_us(&arguments.setting.usher);
    command
        .args(["server", "--listen", "127.0.0.1:0", "--data"])
        .arg(&data)
        .stdout(Stdio::piped());
    let mut server = Server::start(&mut command, &folder.path().join("log"), Signal::TERM)?;
    let address = server.wait_for_ready_line()?;
    let options = options(arguments, &data, Target { address }, server.pid())?;

    let mut minutes = Vec::new();
    println!("minute  checkouts/s  resident memory      data");
    for number in 1..=arguments.minutes {
        let minute = soak(&options, &server, &data)?;
        println!("{number:6}  {}", line(&minute));
        minutes.push(minute);
        if stop.load(Ordering::Relaxed) {
            return Err("interrupted".to_owned());
        }
        room_left(&data, ROOM_BYTES)?;
    }
    let facts = computer::facts(folder.path());
    arguments.setting.tell("soak", &table(&facts, &minutes))?;
    judge(&minutes)
}

fn options(
    arguments: &Arguments,
    data: &Path,
    target: Target,
    server_pid: u32,
) -> Result<LoadOptions, String> {
    let token = std::fs::read_to_string(data.join("admin.token"))
        .map_err(|error| format!("cannot read the server's admin.token: {error}"))?;
    let token = token.trim().to_owned();
    let fixture = Fixture::make(target, &token, "soak", arguments.products.clamp(1, 1_000))
        .map_err(|error| error.to_string())?;
    Ok(LoadOptions {
        url: format!("http://{}", target.address),
        token,
        products: fixture.products().to_vec(),
        connections: arguments.connections,
        warm_up: Duration::ZERO,
        duration: MINUTE,
        server_pid: Some(server_pid),
        ..LoadOptions::default()
    })
}

/// One minute of load, its memory looked at all the while.
fn soak(options: &LoadOptions, server: &Server, data: &Path) -> Result<Minute, String> {
    let (report, looks) = thread::scope(|scope| {
        let load = scope.spawn(|| load::run(options).map_err(|error| error.to_string()));
        let mut looks = Vec::new();
        while !load.is_finished() {
            thread::sleep(LOOK);
            looks.push(server.resident_kib());
        }
        let report = load.join().map_err(|_| "the generator failed".to_owned());
        (report.flatten(), looks)
    });
    let report = well(report?)?;
    let looks: Vec<f64> = looks
        .into_iter()
        .map(|look| look.map(|kib| kib as f64))
        .collect::<Result<_, _>>()?;
    Ok(Minute {
        checkouts_per_second: report.checkouts_per_second,
        resident_kib: median(&looks),
        data_bytes: bytes_in(data),
    })
}

fn well(report: LoadReport) -> Result<LoadReport, String> {
    match report.errors.is_empty() && report.unsettled == 0 && report.reconnects == 0 {
        true => Ok(report),
        false => Err(format!("the server did not answer as hoped:\n{report}")),
    }
}

/// The minutes after the first five: the most resident memory is hardly more than the least.
fn judge(minutes: &[Minute]) -> Result<(), String> {
    let resident = |minute: &Minute| minute.resident_kib;
    let judged = minutes.iter().skip(SETTLING_MINUTES).map(resident);
    let (least, most) = judged.fold((f64::INFINITY, 0.0_f64), |(least, most), kib| {
        (least.min(kib), most.max(kib))
    });
    let apart = most / least - 1.0;
    let said = format!(
        "resident memory after minute {SETTLING_MINUTES}: {:.1} to {:.1} MiB, {:.1} % apart",
        least / 1_024.0,
        most / 1_024.0,
        apart * 100.0
    );
    match apart <= FLAT_WITHIN {
        true => {
            println!("{said}");
            Ok(())
        }
        false => Err(format!("{said}: more than {:.0} %", FLAT_WITHIN * 100.0)),
    }
}

fn line(minute: &Minute) -> String {
    format!(
        "{:11.0}  {:11.1} MiB  {:6} MiB",
        minute.checkouts_per_second,
        minute.resident_kib / 1_024.0,
        minute.data_bytes >> 20
    )
}

fn table(facts: &str, minutes: &[Minute]) -> String {
    let mut table = format!(
        "{facts}\n\n| minute | checkouts/s | resident memory | data |\n|---:|---:|---:|---:|\n"
    );
    for (index, minute) in minutes.iter().enumerate() {
        table += &format!(
            "| {} | {:.0} | {:.1} MiB | {} MiB |\n",
            index + 1,
            minute.checkouts_per_second,
            minute.resident_kib / 1_024.0,
            minute.data_bytes >> 20
        );
    }
    table
}

fn bytes_in(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files
        .filter_map(|file| file.metadata().ok())
        .map(|file| file.len())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(resident_kib: &[f64]) -> Vec<Minute> {
        let minute = |kib: &f64| Minute {
            checkouts_per_second: 1.0,
            resident_kib: *kib,
            data_bytes: 0,
        };
        resident_kib.iter().map(minute).collect()
    }

    #[test]
    fn memory_that_grows_after_the_first_minutes_fails_the_soak_and_before_them_not() {
        let settling = [10.0, 20.0, 50.0, 90.0, 99.0];
        let flat = minutes(&[&settling[..], &[100.0, 104.0, 101.0]].concat());
        assert_eq!(judge(&flat), Ok(()));
        let grows = minutes(&[&settling[..], &[100.0, 103.0, 106.0]].concat());
        assert!(judge(&grows).unwrap_err().contains("6.0 % apart"));
    }
}
