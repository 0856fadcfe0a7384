//! `cargo xtask endure`: the whole test command several times in a row, the last time on a busy
//! computer.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::load::{BUSY, Load};
use crate::metadata::{CLIPPY, cargo};
use crate::process::Runner;
use crate::soak;

/// A run on a busy computer may take so many times what one on an idle computer takes.
const TIMES: f64 = 3.0;
/// A run that has not ended by then is ended: an idle one, and the least for a busy one.
const IDLE_AT_MOST: Duration = Duration::from_secs(2 * 60 * 60);
const BUSY_AT_LEAST: Duration = Duration::from_secs(10 * 60);

#[derive(Debug, PartialEq)]
struct Options {
    runs: u32,
    /// A filter of nextest's, if not everything is run.
    only: Option<String>,
}

/// One run of the tests.
#[derive(Debug)]
struct Run {
    is_busy: bool,
    took: Duration,
    result: Result<(), String>,
}

/// Runs the tests so often; an error says what failed, or that a busy computer takes too long.
pub(crate) fn run(root: &Path, options: &[String]) -> Result<(), String> {
    let options = parse(options)?;
    let runner = Runner::new()?;
    println!("== build, so that no run waits for it");
    let (nextest, target) = soak::built(&runner, root)?;
    if options.only.is_none() {
        let mut clippy = cargo();
        runner.run(clippy.args(CLIPPY).current_dir(root))?;
    }
    let mut runs = Vec::new();
    for number in 1..=options.runs {
        let is_busy = number == options.runs;
        println!("\n== run {number} of {}, {}", options.runs, load(is_busy));
        let mut command = match &options.only {
            None => {
                let mut command = cargo();
                command.args(["xtask", "test"]);
                command
            }
            Some(filter) => {
                let mut command = Command::new(&nextest);
                command
                    .args(["nextest", "run", "--workspace", "--locked"])
                    .args(["--no-fail-fast", "--filterset", filter])
                    .env("USHER_BIN", target.join("debug/usher"));
                command
            }
        };
        command.current_dir(root);
        let one = match is_busy {
            false => timed(&runner, &mut command, IDLE_AT_MOST),
            true => busy(&runner, &target, &mut command, &runs)?,
        };
        runs.push(one);
        if runner.is_interrupted() {
            break;
        }
    }
    print!("\n== summary\n{}", table(&runs));
    if runner.is_interrupted() {
        return Err("interrupted".to_owned());
    }
    judged(&runs)
}

fn parse(options: &[String]) -> Result<Options, String> {
    let mut parsed = Options {
        runs: 3,
        only: None,
    };
    let (pairs, rest) = options.as_chunks::<2>();
    if !rest.is_empty() {
        return Err("endure takes --runs N, --only FILTER and nothing else".to_owned());
    }
    for [option, given] in pairs {
        match (option.as_str(), given.parse()) {
            ("--runs", Ok(runs @ 2..=20)) => parsed.runs = runs,
            ("--runs", _) => return Err(format!("`{given}` is no number of runs from 2 to 20")),
            ("--only", _) => parsed.only = Some(given.clone()),
            _ => return Err(format!("endure does not know `{option}`")),
        }
    }
    Ok(parsed)
}

fn timed(runner: &Runner, command: &mut Command, limit: Duration) -> Run {
    let began = Instant::now();
    let result = runner.run_within(limit, command);
    let took = began.elapsed();
    let result = result.map_err(|why| match took > limit {
        true => format!("{why}: it was ended after {}", minutes(limit)),
        false => why,
    });
    Run {
        is_busy: false,
        took,
        result,
    }
}

/// One beside processes that take cores and disk.
fn busy(
    runner: &Runner,
    target: &Path,
    command: &mut Command,
    before: &[Run],
) -> Result<Run, String> {
    let limit = idle(before).map_or(IDLE_AT_MOST, |idle| idle.mul_f64(TIMES + 1.0));
    let load = Load::start(runner, &target.join("tmp"))?;
    let mut run = timed(runner, command, limit.max(BUSY_AT_LEAST));
    run.is_busy = true;
    load.end()
        .map_err(|why| format!("the computer was not busy all the while: {why}"))?;
    Ok(run)
}

fn load(is_busy: bool) -> String {
    match is_busy {
        false => "no load of ours".to_owned(),
        true => format!("beside {BUSY} busy processes and one that writes and syncs"),
    }
}

/// The median of the runs without load; of two in the middle, their mean.
fn idle(runs: &[Run]) -> Option<Duration> {
    let mut took: Vec<Duration> = runs
        .iter()
        .filter(|run| !run.is_busy)
        .map(|run| run.took)
        .collect();
    took.sort_unstable();
    let middle = took.get(took.len().checked_sub(1)? / 2..=took.len() / 2)?;
    let sum: Duration = middle.iter().sum();
    Some(sum.div_f64(middle.len() as f64))
}

fn ratio(run: &Run, runs: &[Run]) -> Option<f64> {
    Some(run.took.as_secs_f64() / idle(runs)?.as_secs_f64())
}

fn table(runs: &[Run]) -> String {
    let mut table = String::from("| run | load | passed | took | to the idle median |\n");
    table.push_str("|--:|---|---|--:|--:|\n");
    for (run, number) in runs.iter().zip(1..) {
        let passed = match run.result {
            Ok(()) => "yes",
            Err(_) => "NO",
        };
        let load = load(run.is_busy);
        let took = minutes(run.took);
        let ratio = ratio(run, runs).map_or("·".to_owned(), |ratio| format!("{ratio:.2}"));
        table.push_str(&format!(
            "| {number} | {load} | {passed} | {took} | {ratio} |\n"
        ));
    }
    table
}

fn minutes(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{} min {:02} s", seconds / 60, seconds % 60)
}

fn judged(runs: &[Run]) -> Result<(), String> {
    let mut wrong = Vec::new();
    for (run, number) in runs.iter().zip(1..) {
        if let Err(why) = &run.result {
            wrong.push(format!("run {number} failed: {why}"));
        }
        let times = ratio(run, runs).unwrap_or_default();
        if run.is_busy && times > TIMES {
            wrong.push(format!(
                "run {number} took {times:.2} times what a run without load takes; \
                 the limit is {TIMES}"
            ));
        }
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(wrong.join("\n  ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(is_busy: bool, seconds: u64) -> Run {
        Run {
            is_busy,
            took: Duration::from_secs(seconds),
            result: Ok(()),
        }
    }

    #[test]
    fn a_busy_run_may_take_three_times_the_median_of_the_idle_ones() {
        let runs = [of(false, 100), of(false, 140), of(true, 360)];
        assert_eq!(idle(&runs), Some(Duration::from_secs(120)));
        assert_eq!(judged(&runs), Ok(()));
        let runs = [of(false, 100), of(false, 140), of(true, 372)];
        let why = judged(&runs).unwrap_err();
        assert!(why.contains("run 3 took 3.10 times"), "{why}");
        let runs = [of(false, 90), of(false, 9_000), of(false, 100), of(true, 1)];
        assert_eq!(idle(&runs), Some(Duration::from_secs(100)));
    }

    #[test]
    fn a_run_that_failed_fails_all_and_is_shown() {
        let mut runs = [of(false, 60), of(false, 61), of(true, 150)];
        runs[1].result = Err("tests".to_owned());
        assert_eq!(judged(&runs), Err("run 2 failed: tests".to_owned()));
        let table = table(&runs);
        assert!(table.contains("| 2 | no load of ours | NO | 1 min 01 s | 1.01 |"));
        assert!(table.contains("writes and syncs | yes | 2 min 30 s | 2.48 |"));
    }

    #[test]
    fn it_takes_a_number_of_runs_and_a_filter() {
        let of = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            parse(&words)
        };
        let options = |runs, only: Option<&str>| {
            let only = only.map(str::to_owned);
            Ok(Options { runs, only })
        };
        assert_eq!(of(&[]), options(3, None));
        let both = ["--only", "test(a) & test(b)", "--runs", "2"];
        assert_eq!(of(&both), options(2, Some("test(a) & test(b)")));
        // The last is the busy one, which is held against one before it.
        assert!(of(&["--runs", "1"]).is_err());
        assert!(of(&["--only"]).is_err());
        assert!(of(&["--times", "3"]).unwrap_err().contains("--times"));
    }
}
