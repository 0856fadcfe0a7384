//! What the gate costs: a program of no product that is started again and again, with and without
//! an agent that holds starts, and beside peers; and how long a start of an enforced product waits
//! for its seat.
//!
//! All of it in a mount namespace of its own: starts are held on one file system in memory, which
//! nobody else sees. The program and the libraries that it opens lie there.

mod peers;

use std::any::Any;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use rustix::process::Signal;

use crate::beside::computer;
use crate::beside::private::{Server, bound_to_us};
use crate::figures::{median, quantile};
use crate::setting::Setting;
use crate::site::Site;
use crate::storm::{Beside, Turns, nothing, round};

/// Accounts that need not exist.
const FIRST_PERSON: u32 = 70_000;
/// People who start programs in turn: each has ended the last one long before the next.
const PEOPLE: u32 = 20;
const STARTS_IN_ROUND: u32 = 400;
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Args)]
pub(crate) struct Arguments {
    /// Rounds, in each of which all are measured in turn
    #[arg(long, default_value_t = 40)]
    rounds: usize,
    /// Leave peers out: auditd, fapolicyd
    #[arg(long, value_delimiter = ',')]
    without: Vec<String>,
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
    let mut table = format!("{}\n\n", computer::facts(bench.site.folder()));
    table += &bench.nobodys(arguments)?;
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
        mount(&["-t", "tmpfs"], Path::new("place"), &place)?;
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
            .env("USHER_COMPUTER_ID_FILE", "/proc/none/computer-id")
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
    fn nobodys(&self, arguments: &Arguments) -> Result<String, String> {
        let program = self.program("nobodys", "/bin/true")?;
        self.bring_libraries()?;
        // As on any computer, the libraries are in use all the time: the first and the last use
        // of a page cost more.
        let _user = bound_to_us(Path::new("/bin/sleep"))
            .arg("infinity")
            .spawn()
            .map(Ended)
            .map_err(text)?;
        let is_in = |peer: &str| !arguments.without.iter().any(|without| without == peer);
        let agent = || Ok(Box::new(self.agent()?) as Box<dyn Any>);
        let auditd = || Ok(Box::new(peers::auditd(self.site.folder())?) as Box<dyn Any>);
        let fapolicyd = || Ok(Box::new(peers::fapolicyd(self.site.folder())?) as Box<dyn Any>);
        let mut contenders: Vec<Beside<'_>> = vec![&agent, &nothing];
        let mut names = vec!["Usher, enforcement on".to_owned()];
        names.push("nothing, for comparison".to_owned());
        if is_in("auditd") {
            contenders.push(&auditd);
            names.push(format!(
                "auditd {}, one rule for `execve`",
                peers::version("auditd")
            ));
        }
        if is_in("fapolicyd") {
            peers::prepare_fapolicyd(self.site.folder())?;
            contenders.push(&fapolicyd);
            names.push(format!(
                "fapolicyd {}, one rule: allow all",
                peers::version("fapolicyd")
            ));
        }
        let turns = Turns::measure(arguments.rounds, &contenders, &|| {
            round(&program, STARTS_IN_ROUND)
        })?;
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        Ok(format!(
            "A start of a program of no product takes {:.0} µs without anything, of {} rounds of \
             {STARTS_IN_ROUND} starts.\n\n{}",
            turns.alone(),
            arguments.rounds,
            turns.table(&names)
        ))
    }

    /// Has everybody in this mount namespace use the place's copies of the libraries.
    fn bring_libraries(&self) -> Result<(), String> {
        for library in libraries()? {
            let name = library.file_name().unwrap_or_default().to_string_lossy();
            let copy = self.program(&name, &library.to_string_lossy())?;
            mount(&["--bind"], &copy, &library)?;
        }
        Ok(())
    }

    /// How long starts wait for a seat, and until a refusal.
    fn decisions(&self, starts: u32) -> Result<String, String> {
        let _agent = self.agent()?;
        let programs = ["nobodys", "many", "one"].map(|name| self.place.join(name));
        let [nobodys, many, one] = &programs;
        // Files are looked into once.
        for program in &programs {
            end(start(program, FIRST_PERSON, "0").map_err(text)?);
        }
        let holder = until_seated(one, FIRST_PERSON + 1)?;
        let mut first = Vec::new();
        let mut rows = [Vec::new(), Vec::new(), Vec::new()];
        for number in 0..starts + PEOPLE {
            let person = FIRST_PERSON + 2 + number % PEOPLE;
            let turn = [
                until_it_runs(nobodys, person)?,
                until_it_runs(many, person)?,
                until_it_is_refused(one, person)?,
            ];
            if number < PEOPLE {
                first.push(turn[1]);
                continue;
            }
            for (row, figure) in rows.iter_mut().zip(turn) {
                row.push(figure);
            }
        }
        end(holder);
        let [plain, seated, refused] = rows;
        let rows = [
            ("of no product, beside them", "it runs", plain),
            ("a seat is free", "it runs on it", seated),
            ("the same, the person's very first", "it runs on it", first),
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

/// The libraries that this program uses, and with it nearly every other: by their real paths.
fn libraries() -> Result<Vec<PathBuf>, String> {
    let maps = fs::read_to_string("/proc/self/maps").map_err(|error| error.to_string())?;
    let paths = maps
        .lines()
        .filter_map(|line| line.split_whitespace().nth(5));
    let is_library = |path: &&str| path.starts_with('/') && path.contains(".so");
    let mut found: Vec<PathBuf> = paths.filter(is_library).map(PathBuf::from).collect();
    found.dedup();
    Ok(found)
}

/// Mounts something in this mount namespace.
fn mount(how: &[&str], what: &Path, at: &Path) -> Result<(), String> {
    let status = Command::new("mount").args(how).arg(what).arg(at).status();
    match status.map_err(|error| error.to_string())?.success() {
        true => Ok(()),
        false => Err(format!(
            "cannot mount {} at {}",
            what.display(),
            at.display()
        )),
    }
}

fn until_it_runs(program: &Path, person: u32) -> Result<f64, String> {
    let began = Instant::now();
    let child = start(program, person, "0").map_err(text)?;
    let figure = ms(began);
    end(child);
    Ok(figure)
}

fn until_it_is_refused(program: &Path, person: u32) -> Result<f64, String> {
    let began = Instant::now();
    match start(program, person, "0") {
        Err(error) if error.raw_os_error() == Some(EPERM) => Ok(ms(began)),
        Err(error) => Err(text(error)),
        Ok(child) => {
            end(child);
            Err("one seat was given to two".to_owned())
        }
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

/// Ended when this is dropped.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
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
