//! What an agent costs and what it sees, with a server beside it.
//!
//! - A storm: a program of no product started again and again, each after the end of the one
//!   before, as fast as that goes. Rounds with and without the agent, in changing order; each is
//!   held against its neighbour, since the machine's other load moves from minute to minute. How
//!   far such pairs differ when both are without is measured in the same run.
//! - Idle: processor time and resident memory.
//! - 10,000 starts by four starters at once: how many were seen whole.

use std::any::Any;
use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use rustix::process::Signal;

use crate::beside::computer;
use crate::beside::private::{Server, bound_to_us};
use crate::figures::median;
use crate::setting::Setting;
use crate::site::Site;
use crate::storm::{STARTS_TO_WARM_UP, Turns, nothing, round, start_many};

const STARTS_IN_ROUND: u32 = 400;
const SHORT_STARTS: u32 = 10_000;
const STARTERS: u32 = 4;
/// The first look at all processes is over by then.
const SETTLES: Duration = Duration::from_millis(300);
const IDLE: Duration = Duration::from_secs(20);

#[derive(Args)]
pub(crate) struct Arguments {
    /// Rounds of the storm
    #[arg(long, default_value_t = 60)]
    rounds: usize,
    #[command(flatten)]
    setting: Setting,
}

/// Measures, prints, writes down.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let bench = Bench::new(arguments)?;
    let mut table = format!("{}\n\n", computer::facts(bench.site.folder()));
    table += &bench.storm(arguments.rounds)?;
    table += "\n";
    table += &bench.idle()?;
    table += "\n| 10,000 starts of a program that lives | seen whole | starts/s |\n|---|--:|--:|\n";
    table += &bench.short("1 ms", "/bin/sleep", &["0.001"])?;
    table += &bench.short("as long as /bin/true", "/bin/true", &[])?;
    arguments.setting.tell("tracking", &table)
}

/// The processor time that an agent uses for a storm, noted when it ends.
struct Used {
    agent: Server,
    before: f64,
    notes: Rc<RefCell<Vec<f64>>>,
}

impl Used {
    fn by(agent: Server, notes: &Rc<RefCell<Vec<f64>>>) -> Used {
        let before = processor_seconds(agent.pid());
        Used {
            agent,
            before,
            notes: Rc::clone(notes),
        }
    }
}

impl Drop for Used {
    fn drop(&mut self) {
        let seconds = processor_seconds(self.agent.pid()) - self.before;
        let starts = f64::from(STARTS_IN_ROUND + STARTS_TO_WARM_UP);
        self.notes.borrow_mut().push(seconds * 1e6 / starts);
    }
}

struct Bench {
    site: Site,
    token: PathBuf,
}

impl Bench {
    fn new(arguments: &Arguments) -> Result<Bench, String> {
        let site = Site::start(&arguments.setting, &["server"])?;
        // One product, so that each start is asked of a rule.
        site.administer(&["product", "add", "p", "--program", "no-such-program"])?;
        let token = site.agent_token()?;
        Ok(Bench { site, token })
    }

    /// An agent that watches, until it is dropped.
    fn agent(&self) -> Result<Server, String> {
        let mut command = bound_to_us(self.site.program());
        command
            .args(["agent", "--server", self.site.url(), "--token-file"])
            .arg(&self.token)
            .arg("--agent-socket")
            .arg(self.site.folder().join("agent.sock"))
            .arg("--data")
            .arg(self.site.folder().join("agent"))
            .env("USHER_COMPUTER_ID_FILE", "/proc/none/computer-id")
            .stdout(Stdio::piped());
        let log = self.site.folder().join("agent.log");
        let mut agent = Server::start(&mut command, &log, Signal::TERM)?;
        let ready = |line: &str| line.starts_with("ready ").then_some(());
        agent.wait_for_line("ready computer=...", ready)?;
        thread::sleep(SETTLES);
        Ok(agent)
    }

    fn program(&self, name: &str, original: &str) -> Result<PathBuf, String> {
        let path = self.site.folder().join(name);
        fs::copy(original, &path).map_err(|error| format!("cannot copy {original}: {error}"))?;
        Ok(path)
    }

    fn storm(&self, rounds: usize) -> Result<String, String> {
        let program = self.program("usher-bench-storm", "/bin/true")?;
        let used = Rc::default();
        let with = || {
            let agent = self.agent()?;
            Ok(Box::new(Used::by(agent, &used)) as Box<dyn Any>)
        };
        let turns = Turns::measure(rounds, &[&with, &nothing], &|| {
            round(&program, STARTS_IN_ROUND)
        })?;
        Ok(format!(
            "A start of a program of no product takes {:.0} µs without an agent ({:.0} a second), \
             of {rounds} rounds of {STARTS_IN_ROUND} starts; the agent uses {:.0} µs of processor \
             time for it.\n\n{}",
            turns.alone(),
            1e6 / turns.alone(),
            median(&used.borrow()),
            turns.table(&["an agent", "nothing, for comparison"]),
        ))
    }

    fn idle(&self) -> Result<String, String> {
        let agent = self.agent()?;
        let pid = agent.pid();
        thread::sleep(Duration::from_secs(5));
        let before = processor_seconds(pid);
        thread::sleep(IDLE);
        let used = processor_seconds(pid) - before;
        Ok(format!(
            "Idle: {:.2} % of a core over {} s, {:.1} MiB resident.\n",
            used / IDLE.as_secs_f64() * 100.0,
            IDLE.as_secs(),
            agent.resident_kib()? as f64 / 1_024.0
        ))
    }

    fn short(&self, what: &str, original: &str, arguments: &[&str]) -> Result<String, String> {
        let name = format!("usher-bench-{}", original.trim_start_matches("/bin/"));
        let program = self.program(&name, original)?;
        let agent = self.agent()?;
        let begun = Instant::now();
        let each = SHORT_STARTS / STARTERS;
        thread::scope(|scope| {
            let starters: Vec<_> = (0..STARTERS)
                .map(|_| scope.spawn(|| start_many(&program, arguments, each)))
                .collect();
            starters.into_iter().try_for_each(|starter| {
                let done = starter.join();
                done.unwrap_or_else(|_| Err("a starter panicked".to_owned()))
            })
        })?;
        let rate = f64::from(SHORT_STARTS) / begun.elapsed().as_secs_f64();
        // A clean end tells the server all that was counted.
        drop(agent);
        let answer = self
            .site
            .administer(&["usage", "programs", "--limit", "1000", "--json"])?;
        let answer: serde_json::Value =
            serde_json::from_str(&answer).map_err(|error| error.to_string())?;
        let seen: u64 = answer["items"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|item| item["program"] == name.as_str())
            .filter_map(|item| item["starts"].as_u64())
            .sum();
        Ok(format!("| {what} | {seen} | {rate:.0} |\n"))
    }
}

/// Processor time of all threads of a process, as the scheduler counts it.
fn processor_seconds(pid: u32) -> f64 {
    let threads = fs::read_dir(format!("/proc/{pid}/task"));
    let nanoseconds = threads.into_iter().flatten().flatten().map(|thread| {
        let text = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
        let ran = text.split_ascii_whitespace().next();
        ran.and_then(|word| word.parse().ok()).unwrap_or(0.0_f64)
    });
    nanoseconds.sum::<f64>() / 1e9
}
