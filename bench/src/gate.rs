//! What the gate costs: a program of no product that is started again and again, with and without
//! an agent that holds starts; and how long a start of an enforced product waits for its seat.
//!
//! All of it in a mount namespace of its own: starts are held on one file system in memory, which
//! nobody else sees.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use rustix::process::Signal;

use crate::beside::machine;
use crate::beside::private::{Server, bound_to_us};
use crate::figures::{median, quantile};
use crate::setting::Setting;
use crate::site::Site;
use crate::storm::{Pairs, STARTS_IN_ROUND, round};

/// Accounts that need not exist: each start is another person's, and asks for a seat of its own.
const FIRST_PERSON: u32 = 70_000;
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Args)]
pub(crate) struct Arguments {
    /// Pairs of rounds with and without
    #[arg(long, default_value_t = 40)]
    pairs: usize,
    /// Starts that ask for a seat
    #[arg(long, default_value_t = 500)]
    starts: u32,
    /// The namespace is made already
    #[arg(long, hide = true)]
    inside: bool,
    #[command(flatten)]
    setting: Setting,
}

/// Measures, prints, writes down.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    if !rustix::process::geteuid().is_root() {
        return Err("the gate needs root: run this as root".to_owned());
    }
    if !arguments.inside {
        return inside();
    }
    let bench = Bench::new(arguments)?;
    let mut table = format!("{}\n\n", machine::facts(bench.site.folder()));
    table += &bench.nobodys(arguments.pairs)?;
    table += "\n| a start of an enforced product | until | median | 99 % within | longest |\n\
              |---|---|--:|--:|--:|\n";
    table += &bench.decisions(arguments.starts)?;
    arguments.setting.tell("gate", &table)
}

/// The same once more in a mount namespace of its own.
fn inside() -> Result<(), String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let error = Command::new("unshare")
        .args(["--mount", "--propagation", "private"])
        .arg(program)
        .args(std::env::args_os().skip(1))
        .arg("--inside")
        .exec();
    Err(format!("cannot make a mount namespace by unshare: {error}"))
}

struct Bench {
    site: Site,
    token: PathBuf,
    /// The file system whose starts are held.
    place: PathBuf,
}

impl Bench {
    fn new(arguments: &Arguments) -> Result<Bench, String> {
        let site = Site::start(&arguments.setting, &["server"])?;
        let place = site.folder().join("place");
        fs::create_dir(&place).map_err(|error| error.to_string())?;
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "place"])
            .arg(&place)
            .status();
        if !status.map_err(|error| error.to_string())?.success() {
            return Err("cannot mount a file system in memory".to_owned());
        }
        fs::set_permissions(&place, fs::Permissions::from_mode(0o755))
            .map_err(|error| error.to_string())?;
        let token = site.agent_token()?;
        let bench = Bench { site, token, place };
        for (product, seats) in [("many", "100000"), ("one", "1")] {
            let rule = format!("path={}", bench.program(product, "/bin/sleep")?.display());
            let add = ["product", "add", product, "--mode", "enforce"];
            let with = ["--seats", seats, "--program", &rule];
            bench.site.administer(&[&add[..], &with[..]].concat())?;
        }
        Ok(bench)
    }

    fn program(&self, name: &str, original: &str) -> Result<PathBuf, String> {
        let path = self.place.join(name);
        fs::copy(original, &path).map_err(|error| format!("cannot copy {original}: {error}"))?;
        Ok(path)
    }

    /// An agent whose gate holds the starts of the place, until it is dropped.
    fn agent(&self) -> Result<Server, String> {
        let mut command = bound_to_us(self.site.program());
        let socket = self.site.folder().join("agent.sock");
        command
            .args(["agent", "--server", self.site.url(), "--token-file"])
            .arg(&self.token)
            .arg("--agent-socket")
            .arg(socket)
            .arg("--data")
            .arg(self.site.folder().join("agent"))
            .env("USHER_GATE_ONLY", &self.place)
            .stdout(Stdio::piped());
        let log = self.site.folder().join("agent.log");
        let mut agent = Server::start(&mut command, &log, Signal::TERM)?;
        let ready = |line: &str| line.starts_with("ready ").then_some(());
        agent.wait_for_line("ready computer=...", ready)?;
        let until = Instant::now() + PATIENCE;
        while !self.is_gated() {
            if Instant::now() > until {
                return Err("no start is held: see the agent's log".to_owned());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(agent)
    }

    fn is_gated(&self) -> bool {
        let status = self.site.administer(&["agent", "status", "--json"]);
        let status: serde_json::Value = status
            .ok()
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        let place = self.place.to_string_lossy();
        let marks = status["marks"].as_array().into_iter().flatten();
        marks
            .clone()
            .any(|mark| mark["path"] == *place && mark["why_not"].is_null())
    }

    /// Starts of a program of no product.
    fn nobodys(&self, pairs: usize) -> Result<String, String> {
        let program = self.program("nobodys", "/bin/true")?;
        let without = |_: &mut Vec<f64>| round(&program);
        let with = |_: &mut Vec<f64>| {
            let _agent = self.agent()?;
            round(&program)
        };
        let held = Pairs::measure(pairs, without, with)?;
        let control = Pairs::measure(pairs, without, without)?;
        let mut text = format!(
            "A start of a program of no product takes {:.0} µs without Usher, {:.0} µs with \
             enforcement on, of {pairs} pairs of rounds of {STARTS_IN_ROUND} starts.\n\n\
             | wall time, pair by pair | lower quartile | median | upper quartile |\n\
             |---|--:|--:|--:|\n",
            median(&held.first),
            median(&held.second),
        );
        text += &held.row("with enforcement to without Usher");
        text += &control.row("without to without");
        Ok(text)
    }

    /// How long starts wait for a seat, and until a refusal.
    fn decisions(&self, starts: u32) -> Result<String, String> {
        let _agent = self.agent()?;
        let nobodys = self.place.join("nobodys");
        let many = self.place.join("many");
        let one = self.place.join("one");
        // Files are looked into once.
        for program in [&nobodys, &many, &one] {
            end(start(program, FIRST_PERSON, "0").map_err(text)?);
        }
        let (mut plain, mut seated, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        let holder = until_seated(&one, FIRST_PERSON + 1)?;
        for person in 0..starts {
            let person = FIRST_PERSON + 2 + person;
            let began = Instant::now();
            let child = start(&nobodys, person, "0").map_err(text)?;
            plain.push(ms(began));
            end(child);
            let began = Instant::now();
            let child = start(&many, person, "0").map_err(text)?;
            seated.push(ms(began));
            end(child);
            let began = Instant::now();
            match start(&one, person, "0") {
                Err(error) if error.raw_os_error() == Some(EPERM) => refused.push(ms(began)),
                Err(error) => return Err(text(error)),
                Ok(child) => {
                    end(child);
                    return Err("one seat was given to two".to_owned());
                }
            }
        }
        end(holder);
        let rows = [
            ("of no product, beside them", "it runs", plain),
            ("a seat is free", "it runs on it", seated),
            ("no seat is free", "it is refused", refused),
        ];
        let rows = rows.map(|(what, until, values)| {
            format!(
                "| {what} | {until} | {:.2} ms | {:.2} ms | {:.2} ms |\n",
                median(&values),
                quantile(&values, 0.99),
                quantile(&values, 1.0),
            )
        });
        Ok(rows.concat())
    }
}

/// EPERM, as Linux numbers it.
const EPERM: i32 = 1;

/// Done when its program runs, or is refused.
fn start(program: &Path, person: u32, seconds: &str) -> std::io::Result<Child> {
    Command::new(program)
        .arg(seconds)
        .uid(person)
        .gid(person)
        .stdin(Stdio::null())
        .spawn()
}

/// The seat of who was just here may not be back yet.
fn until_seated(program: &Path, person: u32) -> Result<Child, String> {
    let until = Instant::now() + PATIENCE;
    loop {
        match start(program, person, "600") {
            Ok(child) => return Ok(child),
            Err(error) if Instant::now() > until => return Err(text(error)),
            Err(_) => thread::sleep(Duration::from_millis(20)),
        }
    }
}

fn end(mut child: Child) {
    let _ = child.kill();
    let _ = child.wait();
}

fn ms(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1e3
}

fn text(error: std::io::Error) -> String {
    format!("a program cannot be started: {error}")
}
