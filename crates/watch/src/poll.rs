//! Runs a command once, and gives what it prints.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use usher_child::{Commands, Running};
use usher_platform::files::{self, Readers};

/// The longest report that is read, in bytes.
pub(crate) const REPORT_LIMIT_BYTES: u64 = 16 * 1024 * 1024;
/// What is shown of what a command says of its failure.
const WORDS_LIMIT_BYTES: u64 = 300;
/// How often a command is looked at while it runs.
const PAUSE: Duration = Duration::from_millis(20);

/// Where a command prints to. A pipe would have to be read by a thread, which waits for as long as any
/// process that the command has started keeps it open.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Printed<'p> {
    pub(crate) out: &'p Path,
    pub(crate) err: &'p Path,
}

/// What a command prints; in words why there is nothing to read: it cannot be started, is not over in
/// time, was ended by a signal, or prints too much. Its exit code says nothing by itself: `lmstat` fails if
/// a daemon is down, and tells of the others. What it leaves behind is ended with it.
pub(crate) fn report(
    commands: &Commands,
    words: &[String],
    within: Duration,
    printed: Printed<'_>,
) -> Result<Vec<u8>, String> {
    let Some((program, arguments)) = words.split_first() else {
        return Err("the command is empty".to_owned());
    };
    let out = anew(printed.out)?;
    let err = anew(printed.err)?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    let mut running = commands
        .start(command.stdout(out).stderr(err))
        .map_err(|error| format!("cannot start {program}: {error}"))?;
    let deadline = Instant::now() + within;
    let ended = ended(&mut running, deadline, printed);
    let status = running.end();
    let said = || said(printed.err);
    match ended {
        Ended::Alone => of_ended(program, status, printed),
        Ended::Late => Err(format!(
            "{program} was not done within {} s, and was ended{}",
            within.as_secs(),
            said()
        )),
        Ended::TooLong => Err(format!(
            "{program} printed more than {} MiB, and was ended",
            REPORT_LIMIT_BYTES / (1024 * 1024)
        )),
        Ended::Unknown(error) => Err(format!("cannot wait for {program}: {error}")),
    }
}

/// What a command has printed that has ended by itself.
fn of_ended(
    program: &str,
    status: Option<ExitStatus>,
    printed: Printed<'_>,
) -> Result<Vec<u8>, String> {
    let said = || said(printed.err);
    let status = status.ok_or_else(|| format!("it is not known how {program} has ended"))?;
    if status.code().is_none() {
        let said = said();
        return Err(format!("{program} was ended by a signal ({status}){said}"));
    }
    let report = text(printed.out, REPORT_LIMIT_BYTES).map_err(unread(printed.out))?;
    match report.is_empty() {
        true => Err(format!("{program} printed nothing ({status}){}", said())),
        false => Ok(report),
    }
}

enum Ended {
    Alone,
    Late,
    TooLong,
    Unknown(io::Error),
}

fn ended(running: &mut Running, deadline: Instant, printed: Printed<'_>) -> Ended {
    loop {
        let has_ended = running.has_ended();
        let length = |path: &Path| std::fs::metadata(path).map_or(0, |about| about.len());
        match has_ended {
            _ if length(printed.out).max(length(printed.err)) > REPORT_LIMIT_BYTES => {
                return Ended::TooLong;
            }
            Ok(true) => return Ended::Alone,
            Ok(false) if Instant::now() >= deadline => return Ended::Late,
            Ok(false) => std::thread::sleep(PAUSE),
            Err(error) => return Ended::Unknown(error),
        }
    }
}

/// A new file in place of the one of the time before: what that command has started may write there still.
fn anew(path: &Path) -> Result<File, String> {
    files::remove_if_there(path).map_err(unread(path))?;
    files::create_new(path, Readers::Nobody).map_err(unread(path))
}

fn text(path: &Path, limit_bytes: u64) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path)?.take(limit_bytes).read_to_end(&mut text)?;
    Ok(text)
}

/// What a command says of its failure, behind a colon.
fn said(err: &Path) -> String {
    let text = text(err, WORDS_LIMIT_BYTES).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let seen: String = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect::<Vec<&str>>()
        .join(" ")
        .chars()
        .filter(|letter| !usher_api::is_unseen(*letter))
        .collect();
    match seen.is_empty() {
        true => seen,
        false => format!(": {seen}"),
    }
}

fn unread(path: &Path) -> impl Fn(io::Error) -> String + '_ {
    move |error| format!("cannot use {}: {error}", path.display())
}

#[cfg(test)]
mod tests;
