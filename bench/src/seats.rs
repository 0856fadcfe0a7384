//! Two people and one seat, as they live it: `usher up` on this computer, `usher run` by two
//! accounts without a token. How long until the second is refused, and until one who waits is
//! seated after the first one's program has ended.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;

use crate::beside::computer;
use crate::figures::{median, quantile};
use crate::setting::Setting;
use crate::site::Site;

/// The exit code of a refusal.
const REFUSED: i32 = 77;
/// Accounts that need not exist.
const ANNA: u32 = 64_101;
const BEN: u32 = 64_102;
const PATIENCE: Duration = Duration::from_secs(30);
/// A program that says that it runs, and ends when nobody holds its input any more.
const PROGRAM: [&str; 3] = ["/bin/sh", "-c", "echo runs; read line"];

#[derive(Args)]
pub(crate) struct Arguments {
    /// How often each is measured
    #[arg(long, default_value_t = 20)]
    rounds: usize,
    #[command(flatten)]
    setting: Setting,
}

/// Measures, prints, writes down.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    if !rustix::process::geteuid().is_root() {
        return Err("two people take two accounts: run this as root".to_owned());
    }
    let site = Site::start(&arguments.setting, &["up"])?;
    site.administer(&["product", "add", "bench-seat", "--seats", "1"])?;
    let (mut refused, mut seated) = (Vec::new(), Vec::new());
    // The first round is not counted: everything is read for the first time.
    for round in 0..=arguments.rounds {
        let measured = one_round(&site)?;
        if round > 0 {
            refused.push(measured.0);
            seated.push(measured.1);
        }
    }
    let mut table = format!(
        "{} Medians of {} rounds.\n\n| from | until | median | 90 % within | longest |\n\
         |---|---|--:|--:|--:|\n",
        computer::facts(site.folder()),
        arguments.rounds,
    );
    let rows = [
        (
            "the second `usher run` is started",
            "it has ended, refused with the reason",
            refused,
        ),
        (
            "the first one's program is told to end",
            "the program of one who waits runs",
            seated,
        ),
    ];
    for (from, until, values) in rows {
        table += &format!(
            "| {from} | {until} | {:.1} ms | {:.1} ms | {:.1} ms |\n",
            median(&values),
            quantile(&values, 0.9),
            quantile(&values, 1.0),
        );
    }
    arguments.setting.tell("seats", &table)
}

/// Milliseconds until a refusal, and until a waiter's program runs.
fn one_round(site: &Site) -> Result<(f64, f64), String> {
    let anna = Runs::start(wrapped(site, ANNA, false), true)?;
    let begun = Instant::now();
    let status = wrapped(site, BEN, false)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|error| error.to_string())?;
    let refused = begun.elapsed();
    if status.code() != Some(REFUSED) {
        return Err(format!("the second one was not refused: {status}"));
    }
    let ben = Runs::start(wrapped(site, BEN, true), false)?;
    until("a place in the queue", || {
        let queue = site.administer(&["queue", "--json"])?;
        Ok(queue.contains("bench-seat"))
    })?;
    let begun = Instant::now();
    anna.end();
    let ben = ben.running()?;
    let seated = begun.elapsed();
    ben.end();
    until("the seat to be free", || {
        let leases = site.administer(&["leases", "--json"])?;
        Ok(!leases.contains("bench-seat"))
    })?;
    Ok((
        refused.as_secs_f64() * 1_000.0,
        seated.as_secs_f64() * 1_000.0,
    ))
}

fn wrapped(site: &Site, uid: u32, waits: bool) -> Command {
    let mut command = site.command(&["run", "--product", "bench-seat"]);
    if waits {
        command.arg("--wait");
    }
    command
        .arg("--")
        .args(PROGRAM)
        .env("HOME", "/nonexistent")
        .uid(uid)
        .gid(uid);
    command
}

/// `usher run` and the program under it.
struct Runs {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Runs {
    fn start(mut command: Command, waits_until_it_runs: bool) -> Result<Runs, String> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("cannot start usher run: {error}"))?;
        let output = child.stdout.take().ok_or("no output")?;
        let runs = Runs {
            input: child.stdin.take(),
            child,
            output: BufReader::new(output),
        };
        match waits_until_it_runs {
            true => runs.running(),
            false => Ok(runs),
        }
    }

    /// Waits until the program says that it runs.
    fn running(mut self) -> Result<Runs, String> {
        let mut line = String::new();
        match self.output.read_line(&mut line) {
            Ok(1..) => Ok(self),
            _ => Err(format!("the program did not run: {:?}", self.child.wait())),
        }
    }

    /// Has the program end; `usher run` is waited for beside what goes on.
    fn end(mut self) {
        drop(self.input.take());
        thread::spawn(move || self.child.wait());
    }
}

fn until(what: &str, mut so: impl FnMut() -> Result<bool, String>) -> Result<(), String> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if so()? {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(5));
    }
    Err(format!("waited in vain for {what}"))
}
