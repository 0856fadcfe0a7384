//! Two builds of Usher, one after the other in each round: is one slower?

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use clap::Args;
use rustix::process::Signal;
use usher_bench::engine::{self, Plan};
use usher_bench::load::{self, Fixture, LoadOptions, LoadReport, Target, Work};

use crate::beside::computer;
use crate::beside::private::{Folder, Server, bound_to_us};
use crate::collecting::Collecting;
use crate::figures::{median, quantile};
use crate::newcomers::Newcomers;
use crate::rest;
use crate::setting::Setting;

/// Not measured at first.
const WARM_UP: Duration = Duration::from_millis(300);

#[derive(Args)]
pub(crate) struct Arguments {
    /// The usher of the version before, built in release mode
    #[arg(long)]
    other: PathBuf,
    /// Rounds: in each, both are measured once at each work, in turn the one or the other first
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
    rounds: u32,
    /// Seconds of each measure
    #[arg(long, default_value_t = 1.5)]
    seconds: f64,
    /// Connections, each with one request outstanding; each work is measured with each number of them
    #[arg(long, value_delimiter = ',', default_values_t = [64, 256])]
    connections: Vec<usize>,
    /// Works whose name does not hold this are left out
    #[arg(long, default_value = "")]
    only: String,
    /// A manager of this build collects from this build's server meanwhile, on the same cores. The control
    /// is the version before against itself
    #[arg(long)]
    collected: bool,
    #[command(flatten)]
    setting: Setting,
}

/// One of the two.
struct Version {
    server: Server,
    url: String,
    token: String,
    token_file: PathBuf,
    hot: Vec<String>,
    many: Vec<String>,
    newcomers: Newcomers,
}

/// One measure of one of the two.
struct Measured {
    report: LoadReport,
    /// The server's processor time for a request, with what it does after its answers, in microseconds.
    whole_cpu_us: f64,
}

/// What both are asked for.
struct Job {
    name: &'static str,
    asked: Asked,
}

enum Asked {
    /// By the same people and computers again and again; of one product or of a hundred.
    Again {
        work: Work,
        keyed: bool,
        is_hot: bool,
    },
    /// Each by a person whom the server has never heard of. What is granted stays out.
    ByNewcomers,
}

const JOBS: [Job; 6] = [
    Job {
        name: "checkout and checkin, one hot product",
        asked: Asked::Again {
            work: Work::Pairs,
            keyed: false,
            is_hot: true,
        },
    },
    Job {
        name: "checkout and checkin, 100 products",
        asked: Asked::Again {
            work: Work::Pairs,
            keyed: false,
            is_hot: false,
        },
    },
    Job {
        name: "the same, checkouts with a key",
        asked: Asked::Again {
            work: Work::Pairs,
            keyed: true,
            is_hot: false,
        },
    },
    Job {
        name: "checkout alone, one hot product",
        asked: Asked::Again {
            work: Work::Checkouts,
            keyed: false,
            is_hot: true,
        },
    },
    Job {
        name: "checkout alone, of people never seen before",
        asked: Asked::ByNewcomers,
    },
    Job {
        name: "agents' exchanges of 100 items",
        asked: Asked::Again {
            work: Work::Agents { items: 100 },
            keyed: false,
            is_hot: false,
        },
    },
];

/// Measures both in alternation, and prints medians and the ratios of rounds.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let folder = Folder::make(&arguments.setting.place.folder)?;
    let seconds = arguments.seconds.clamp(0.1, 60.0);
    let named = JOBS.iter().filter(|job| job.name.contains(&arguments.only));
    let jobs: Vec<(&Job, usize)> = named
        .flat_map(|job| {
            arguments
                .connections
                .iter()
                .map(move |&number| (job, number))
        })
        .collect();
    let mut reports: Vec<[Vec<Measured>; 2]> = jobs.iter().map(|_| Default::default()).collect();
    let mut controls: Vec<Vec<Measured>> = jobs.iter().map(|_| Vec::new()).collect();
    let mut collected = Vec::new();
    let measured = reports.iter_mut().zip(&mut controls);
    for (number, (&(job, connections), (reports, control))) in jobs.iter().zip(measured).enumerate()
    {
        // Servers of its own: one that was left another work's events to put into its tables
        // would be measured while it does that.
        let start = |name: &str, usher| Version::start(&folder, &format!("{name}-{number}"), usher);
        let versions = [
            start("before", &arguments.other)?,
            start("now", &arguments.setting.usher)?,
        ];
        let collecting = match arguments.collected {
            true => Some(Collecting::start(
                &folder,
                &format!("manager-{number}"),
                &arguments.setting.usher,
                (&versions[1].url, &versions[1].token_file),
            )?),
            false => None,
        };
        for round in 0..arguments.rounds as usize {
            for step in 0..2 {
                let which = (round + step) % 2;
                let report = versions[which].measure(job, connections, seconds)?;
                reports[which].push(report);
            }
            if collecting.is_some() {
                control.push(versions[0].measure(job, connections, seconds)?);
            }
            let [before, now] = &*reports;
            let last = |measured: &[Measured]| {
                measured
                    .last()
                    .map_or(f64::NAN, |it| it.report.requests_per_second)
            };
            eprintln!(
                "round {:2}: {:43} {connections:>4} connections {:>8.0} {:>8.0} requests/s",
                round + 1,
                job.name,
                last(before),
                last(now)
            );
        }
        if let Some(collecting) = collecting {
            collected.push(collecting.end()?);
        }
    }
    let facts = computer::facts(folder.path());
    let mut table = format!(
        "{facts} Medians of {} rounds, {seconds} s each.\n\n\
         | | connections | requests/s before | now | now to before | lower quartile | upper quartile \
         | p50 | p99 | server CPU a request | until it rests |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
        arguments.rounds
    );
    for ((job, connections), [before, now]) in jobs.iter().zip(&reports) {
        table += &line(job.name, *connections, before, now);
    }
    if !arguments.collected {
        return arguments.setting.tell("versions", &table);
    }
    for (((job, connections), [before, _]), control) in jobs.iter().zip(&reports).zip(&controls) {
        let name = format!("control: {}", job.name);
        table += &line(&name, *connections, before, control);
    }
    let collected: Vec<String> = collected.iter().map(u64::to_string).collect();
    table += &format!(
        "\nA manager collected from this build's servers meanwhile, up to their events {}.\n",
        collected.join(", ")
    );
    arguments.setting.tell("collected", &table)
}

fn line(name: &str, connections: usize, before: &[Measured], now: &[Measured]) -> String {
    let ratios = |figure: fn(&Measured) -> f64| -> Vec<f64> {
        let rounds = before.iter().zip(now);
        rounds
            .map(|(before, now)| figure(now) / figure(before))
            .collect()
    };
    let speed = |it: &Measured| it.report.requests_per_second;
    let of = |measured: &[Measured]| median(&measured.iter().map(speed).collect::<Vec<_>>());
    let speeds = ratios(speed);
    let cpu = ratios(|it| it.report.server_cpu_us_per_request.unwrap_or(f64::NAN));
    format!(
        "| {name} | {connections} | {:.0} | {:.0} | {:.3} | {:.3} | {:.3} | {:.3} | {:.3} | {:.3} \
         | {:.3} |\n",
        of(before),
        of(now),
        median(&speeds),
        quantile(&speeds, 0.25),
        quantile(&speeds, 0.75),
        median(&ratios(|it| it.report.p50_ms)),
        median(&ratios(|it| it.report.p99_ms)),
        median(&cpu),
        median(&ratios(|it| it.whole_cpu_us)),
    )
}

impl Version {
    fn start(folder: &Folder, name: &str, usher: &Path) -> Result<Version, String> {
        let data = folder.path().join(name);
        let mut command = bound_to_us(usher);
        command
            .args(["server", "--listen", "127.0.0.1:0", "--data"])
            .arg(&data)
            .stdout(Stdio::piped());
        let log = folder.path().join(format!("{name}.log"));
        let mut server = Server::start(&mut command, &log, Signal::TERM)?;
        let address = server.wait_for_ready_line()?;
        let token_file = data.join("admin.token");
        let token = std::fs::read_to_string(&token_file)
            .map_err(|error| format!("cannot read the server's admin.token: {error}"))?;
        let token = token.trim().to_owned();
        let make = |name, count| {
            let fixture = Fixture::make(Target { address }, &token, name, count);
            let fixture = fixture.map_err(|error| error.to_string())?;
            Ok::<_, String>(fixture.products().to_vec())
        };
        let (hot, many) = (make("bench-hot", 1)?, make("bench-many", 100)?);
        let newcomers = Newcomers::prepare(address, &token)?;
        Ok(Version {
            server,
            url: format!("http://{address}"),
            token,
            token_file,
            hot,
            many,
            newcomers,
        })
    }

    fn measure(&self, job: &Job, connections: usize, seconds: f64) -> Result<Measured, String> {
        let before = rest::wait(self.server.pid())?;
        let report = self.put_load(job, connections, seconds)?;
        if !report.errors.is_empty() || report.unsettled > 0 {
            return Err(format!("{} was not answered as hoped:\n{report}", job.name));
        }
        let whole = rest::wait(self.server.pid())?.saturating_sub(before);
        // Nobody counts the requests of the warm-up, which came as fast as the others.
        let requests = report.requests_per_second * (WARM_UP.as_secs_f64() + seconds);
        Ok(Measured {
            report,
            whole_cpu_us: whole.as_secs_f64() * 1e6 / requests,
        })
    }

    fn put_load(&self, job: &Job, connections: usize, seconds: f64) -> Result<LoadReport, String> {
        let (warm_up, duration) = (WARM_UP, Duration::from_secs_f64(seconds));
        let server_pid = Some(self.server.pid());
        match job.asked {
            Asked::ByNewcomers => {
                let plan = Plan {
                    connections,
                    threads: 1,
                    warm_up,
                    duration,
                    requests_limit: u64::MAX,
                    rate: None,
                    server_pid,
                };
                let tally = engine::run(&self.newcomers, &plan)?;
                Ok(LoadReport::of(&tally, connections, 1))
            }
            Asked::Again {
                work,
                keyed,
                is_hot,
            } => {
                let products = if is_hot { &self.hot } else { &self.many };
                let options = LoadOptions {
                    url: self.url.clone(),
                    token: self.token.clone(),
                    work,
                    keyed,
                    products: products.clone(),
                    connections,
                    warm_up,
                    duration,
                    server_pid,
                    ..LoadOptions::default()
                };
                load::run(&options).map_err(|error| error.to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_of_the_same_round_and_not_of_medians() {
        let report = |speed: f64| Measured {
            report: LoadReport {
                requests_per_second: speed,
                p50_ms: 1.0,
                p99_ms: 2.0,
                ..LoadReport::default()
            },
            whole_cpu_us: 10.0,
        };
        // A machine that becomes slower in the middle: each round says the same.
        let before = [100.0, 100.0, 10.0].map(report);
        let now = [90.0, 90.0, 9.0].map(report);
        let line = line("pairs", 64, &before, &now);
        assert!(
            line.starts_with("| pairs | 64 | 100 | 90 | 0.900 | 0.900 | 0.900 | 1.000 | 1.000 |"),
            "{line}"
        );
    }
}
