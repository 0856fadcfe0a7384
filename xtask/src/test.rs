//! `cargo xtask test`: everything that has to hold before a change lands.
//!
//! Every step is run, so that one run tells everything; a step that lacks something is skipped
//! and says so. The closing table lists each with its time.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::metadata::{self, BUILD, CLIPPY, cargo};
use crate::process::Runner;
use crate::setup::{self, Tool, Tools};
use crate::soak;
use crate::tidy;
use crate::times;
use crate::windows;

/// A test ends by itself or by nextest. One of which a thread hangs in the kernel does neither.
const TESTS_AT_MOST: Duration = Duration::from_secs(60 * 60);

/// Where nextest writes down how long each test took, as `.config/nextest.toml` has it: its store is
/// in the workspace, wherever the target folder is.
const TIMES: &str = "target/nextest/default/junit.xml";

/// How a step ended.
#[derive(Debug)]
enum Outcome {
    Passed,
    Failed(String),
    /// Not run, and why.
    Skipped(String),
}

#[derive(Debug)]
struct Step {
    name: &'static str,
    took: Duration,
    outcome: Outcome,
}

#[derive(Debug)]
struct Run<'a> {
    runner: &'a Runner,
    root: &'a Path,
    steps: Vec<Step>,
}

impl Run<'_> {
    fn step(&mut self, name: &'static str, act: impl FnOnce() -> Outcome) -> bool {
        println!("\n== {name}");
        let began = Instant::now();
        let outcome = if self.runner.is_interrupted() {
            Outcome::Skipped("interrupted".to_owned())
        } else {
            act()
        };
        let step = Step {
            name,
            took: began.elapsed(),
            outcome,
        };
        println!("{}", line(&step));
        let passed = matches!(step.outcome, Outcome::Passed);
        self.steps.push(step);
        passed
    }

    fn cargo(&mut self, name: &'static str, arguments: &[&str]) -> bool {
        let mut command = cargo();
        command.args(arguments).current_dir(self.root);
        let runner = self.runner;
        self.step(name, || outcome(runner.run(&mut command)))
    }

    fn skip(&mut self, name: &'static str, why: &str) {
        self.step(name, || Outcome::Skipped(why.to_owned()));
    }
}

/// Runs everything; an error names the steps that failed.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let began = Instant::now();
    let target = metadata::target_directory(&metadata::read(root)?)?;
    let runner = Runner::new()?.sweeps_also(target.join("tmp"));
    let tools = Tools::under(&target);
    let mut run = Run {
        runner: &runner,
        root,
        steps: Vec::new(),
    };

    run.step("set-up: programs", || {
        outcome(setup::debian(&runner, setup::TESTS))
    });
    run.cargo("formatting", &["fmt", "--all", "--check"]);
    run.step("tidy", || outcome(tidy::run(root)));
    run.cargo("clippy", CLIPPY);
    let built = run.cargo("build", BUILD);
    tests(&mut run, &tools, &target, built);
    run.step("windows", || match windows::set_up(&runner, &target) {
        Ok(toolchain) => outcome(windows::check(&runner, root, &toolchain)),
        // Where it cannot be had, nothing is wrong with what is tested.
        Err(why) => Outcome::Skipped(why),
    });
    dependencies(&mut run, &tools);

    let closing = close(&run.steps, began.elapsed());
    if runner.is_interrupted() {
        Err("interrupted".to_owned())
    } else {
        closing
    }
}

fn tests(run: &mut Run<'_>, tools: &Tools, target: &Path, built: bool) {
    if !built {
        run.skip("tests", "the build failed");
        return;
    }
    let runner = run.runner;
    let root = run.root;
    let binary = target.join("debug/usher");
    let nextest = tools.get(runner, Tool::Nextest);
    // It is idle for nearly all of its minutes: it takes no place from the others.
    let quiet = nextest.as_ref().ok().map(|nextest| {
        let mut command = soak::no_alarm(nextest, root, target, soak::ALARM_MINUTES);
        runner.begin(&mut command, &target.join("no-alarm.log"))
    });
    // What an earlier run left would be told as this one's.
    let times = root.join(TIMES);
    let _ = std::fs::remove_file(&times);
    run.step("tests", || {
        let nextest = match &nextest {
            Ok(path) => path,
            Err(why) if offline() => return without_nextest(runner, root, &binary, why),
            Err(why) => return missing(why.clone()),
        };
        outcome(
            runner.run_within(
                TESTS_AT_MOST,
                Command::new(nextest)
                    .args([
                        "nextest",
                        "run",
                        "--workspace",
                        "--locked",
                        "--no-fail-fast",
                        "--test-threads",
                        &test_threads().to_string(),
                    ])
                    .env("USHER_BIN", &binary)
                    .current_dir(root),
            ),
        )
    });
    if nextest.is_ok() {
        println!();
        match times::table(&times) {
            Ok(table) => print!("{table}"),
            Err(why) => println!("{why}"),
        }
    }
    match quiet {
        Some(quiet) => drop(run.step("no false alarm", || {
            outcome(quiet.and_then(|quiet| runner.finish(quiet)))
        })),
        None => run.skip("no false alarm", "it needs cargo-nextest"),
    }
    if has_doc_tests(root) {
        run.cargo(
            "documentation tests",
            &["test", "--workspace", "--doc", "--locked", "--quiet"],
        );
    }
}

/// Tests that run at a time. Most of them wait most of the time, for a timer, a process or a disk: one
/// for each core left the cores idle for more than half of it.
fn test_threads() -> usize {
    2 * std::thread::available_parallelism().map_or(1, usize::from)
}

/// Rust's own runner: slower, and a test that hangs is not ended.
fn without_nextest(runner: &Runner, root: &Path, binary: &Path, why: &str) -> Outcome {
    println!("{why}\nthe tests are run by cargo test instead (USHER_OFFLINE=1)");
    outcome(
        runner.run(
            cargo()
                .args([
                    "test",
                    "--workspace",
                    "--bins",
                    "--tests",
                    "--locked",
                    "--no-fail-fast",
                ])
                .env("USHER_BIN", binary)
                .current_dir(root),
        ),
    )
}

fn dependencies(run: &mut Run<'_>, tools: &Tools) {
    let runner = run.runner;
    let root = run.root;
    let mut deny: Option<PathBuf> = None;
    run.step("dependencies", || match tools.get(runner, Tool::Deny) {
        Ok(path) => {
            deny = Some(path.clone());
            let mut command = Command::new(path);
            command
                .args(["check", "licenses", "bans", "sources"])
                .current_dir(root);
            outcome(runner.run(&mut command))
        }
        Err(why) => missing(why),
    });
    run.step("advisories", || match deny {
        None => Outcome::Skipped("cargo-deny is missing".to_owned()),
        Some(path) => advisories(runner, root, &path),
    });
}

/// The advisory database comes from outside: it is used if it is there already or is asked for.
fn advisories(runner: &Runner, root: &Path, deny: &Path) -> Outcome {
    let fetch = std::env::var("USHER_ADVISORIES").is_ok_and(|value| value == "fetch");
    if !fetch && !advisory_database().is_some_and(|folder| folder.is_dir()) {
        return Outcome::Skipped(
            "no advisory database on this machine; USHER_ADVISORIES=fetch gets it".to_owned(),
        );
    }
    let mut command = Command::new(deny);
    command.args(["check", "advisories"]).current_dir(root);
    if !fetch {
        command.arg("--disable-fetch");
    }
    outcome(runner.run(&mut command))
}

/// Where cargo-deny keeps it.
fn advisory_database() -> Option<PathBuf> {
    let cargo_home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))?;
    Some(cargo_home.join("advisory-dbs"))
}

/// A tool that cannot be had fails the run, unless the user said that there is no network.
fn missing(why: String) -> Outcome {
    if offline() {
        Outcome::Skipped(format!("{why} (USHER_OFFLINE=1)"))
    } else {
        Outcome::Failed(format!("{why}\n  USHER_OFFLINE=1 goes on without it"))
    }
}

fn offline() -> bool {
    std::env::var("USHER_OFFLINE").is_ok_and(|value| value == "1")
}

/// Whether a library documents itself with code: building documentation tests costs a minute.
fn has_doc_tests(root: &Path) -> bool {
    let Ok(files) = tidy::tree::read(root) else {
        return true;
    };
    files
        .iter()
        .filter(|file| file.path.starts_with("crates/") && file.path.ends_with(".rs"))
        .any(|file| documents_with_code(&file.text))
}

/// A fence in a doc comment that names no language is Rust in rustdoc's eyes.
fn documents_with_code(text: &str) -> bool {
    let mut inside = false;
    for line in text.lines() {
        let line = line.trim_start();
        let doc = line
            .strip_prefix("///")
            .or_else(|| line.strip_prefix("//!"));
        let Some(language) = doc.and_then(|doc| doc.trim_start().strip_prefix("```")) else {
            continue;
        };
        inside = !inside;
        if inside && matches!(language, "" | "rust" | "no_run" | "should_panic") {
            return true;
        }
    }
    false
}

fn outcome(result: Result<(), String>) -> Outcome {
    match result {
        Ok(()) => Outcome::Passed,
        Err(why) => Outcome::Failed(why),
    }
}

fn line(step: &Step) -> String {
    let seconds = step.took.as_secs_f64();
    let (word, why) = match &step.outcome {
        Outcome::Passed => ("passed", ""),
        Outcome::Failed(why) => ("FAILED", why.as_str()),
        Outcome::Skipped(why) => ("not run", why.as_str()),
    };
    format!("{word:8} {seconds:7.1} s  {:20} {why}", step.name)
        .trim_end()
        .to_owned()
}

fn close(steps: &[Step], took: Duration) -> Result<(), String> {
    println!("\n== summary");
    for step in steps {
        println!("{}", line(step));
    }
    let failed: Vec<&str> = steps
        .iter()
        .filter(|step| matches!(step.outcome, Outcome::Failed(_)))
        .map(|step| step.name)
        .collect();
    let seconds = took.as_secs();
    println!("in {} min {:02} s", seconds / 60, seconds % 60);
    if failed.is_empty() {
        return Ok(());
    }
    Err(format!("failed: {}", failed.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &'static str, outcome: Outcome) -> Step {
        Step {
            name,
            took: Duration::from_millis(1_500),
            outcome,
        }
    }

    #[test]
    fn one_failed_step_fails_the_run_and_is_named() {
        let steps = [
            step("clippy", Outcome::Passed),
            step("tests", Outcome::Failed("exit code 100".to_owned())),
            step("advisories", Outcome::Skipped("no database".to_owned())),
        ];
        assert_eq!(
            close(&steps, Duration::ZERO),
            Err("failed: tests".to_owned())
        );
    }

    #[test]
    fn a_skipped_step_does_not_fail_the_run_but_says_why() {
        let step = step("advisories", Outcome::Skipped("no database".to_owned()));
        assert_eq!(
            line(&step),
            "not run      1.5 s  advisories           no database"
        );
        assert_eq!(close(&[step], Duration::ZERO), Ok(()));
    }

    #[test]
    fn a_fence_without_another_language_is_a_documentation_test() {
        assert!(documents_with_code(
            "/// Like so:\n/// ```\n/// f();\n/// ```\n"
        ));
        assert!(documents_with_code("    //! ```no_run\n    //! ```\n"));
        assert!(!documents_with_code(
            "/// ```text\n/// a picture\n/// ```\n"
        ));
        assert!(!documents_with_code("let fence = \"```rust\";\n"));
    }
}
