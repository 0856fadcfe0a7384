//! Asks systemd by `systemctl`, which is on every computer that has it: one short-lived process a
//! question, ended if it takes too long.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Duration;

use usher_core::lifecycle::ServiceState;

use crate::unit::{AskError, Unit};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a start or a stop may take: systemd ends what takes longer, by the unit's own limits.
const STEERING: Duration = Duration::from_secs(150);
/// What is kept of an answer, in bytes.
const ANSWER_LIMIT_BYTES: u64 = 64 * 1024;

const PROPERTIES: &str = "LoadState,ActiveState,SubState,StateChangeTimestamp,\
                          StateChangeTimestampMonotonic,MainPID,Result,ExecMainStatus,\
                          ExecMainExitTimestampMonotonic,NRestarts,Restart,StatusText,\
                          TriggeredBy,ExecStart";

/// Whether systemd runs this computer.
pub fn has_manager() -> bool {
    sd_notify::booted().unwrap_or(false)
}

/// How a unit is.
///
/// # Errors
/// [`AskError`] if systemd gave no answer. A unit that does not exist is an answer.
pub fn query(unit: &str) -> Result<Unit, AskError> {
    let words = [
        "show",
        "--timestamp=unix",
        "--property",
        PROPERTIES,
        "--",
        unit,
    ];
    let answer = ask(unit, &words, PATIENCE)?;
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let now = Duration::new(
        now.tv_sec.cast_unsigned(),
        u32::try_from(now.tv_nsec).unwrap_or(0),
    );
    read(unit, &answer, now).ok_or_else(|| AskError::NotUnderstood {
        command: words.join(" "),
        field: "ActiveState",
    })
}

/// Starts units, and waits until they are ready.
///
/// # Errors
/// [`AskError`] if they did not come up, or systemd gave no answer.
pub fn start(units: &[&str]) -> Result<(), AskError> {
    steer("start", units)
}

/// Stops units, and waits until they have.
///
/// # Errors
/// [`AskError`] if they did not stop, or systemd gave no answer.
pub fn stop(units: &[&str]) -> Result<(), AskError> {
    steer("stop", units)
}

/// Restarts units, and waits until they are ready again.
///
/// # Errors
/// [`AskError`] if they did not come up, or systemd gave no answer.
pub fn restart(units: &[&str]) -> Result<(), AskError> {
    steer("restart", units)
}

/// Asks systemd to stop a unit, and does not wait for it.
///
/// # Errors
/// [`AskError`] if systemd gave no answer, or said no.
pub fn ask_to_stop(unit: &str) -> Result<(), AskError> {
    ask(unit, &["stop", "--no-block", "--", unit], PATIENCE).map(drop)
}

/// Asks systemd to start a unit, and does not wait until it is ready.
///
/// # Errors
/// [`AskError`] if systemd gave no answer, or said no.
pub fn ask_to_start(unit: &str) -> Result<(), AskError> {
    ask(unit, &["start", "--no-block", "--", unit], PATIENCE).map(drop)
}

/// Kills a unit's processes (SIGKILL), and does not wait: systemd starts it again if its file
/// says so.
///
/// # Errors
/// [`AskError`] if systemd gave no answer, or there was nothing to kill.
pub fn kill(unit: &str) -> Result<(), AskError> {
    let words = ["kill", "--signal=KILL", "--", unit];
    ask(unit, &words, PATIENCE).map(drop)
}

/// Has systemd read its files again.
///
/// # Errors
/// [`AskError`] if systemd gave no answer.
pub fn reload() -> Result<(), AskError> {
    ask("its units", &["daemon-reload"], PATIENCE).map(drop)
}

fn steer(verb: &str, units: &[&str]) -> Result<(), AskError> {
    if verb != "stop" {
        // Somebody asks for it: starts of before do not count against it. Who may not reset them
        // is told by the start itself.
        let _ = ask(
            &units.join(", "),
            &[&["reset-failed", "--"], units].concat(),
            PATIENCE,
        );
    }
    let words = [&[verb, "--"], units].concat();
    ask(&units.join(", "), &words, STEERING).map(drop)
}

fn ask(unit: &str, words: &[&str], patience: Duration) -> Result<String, AskError> {
    let command = format!("systemctl {}", words.join(" "));
    if !has_manager() {
        return Err(AskError::NoManager {
            unit: unit.to_owned(),
            why: "/run/systemd/system is not there".to_owned(),
        });
    }
    let mut systemctl = Command::new("systemctl");
    systemctl
        .args(["--no-pager", "--no-ask-password"])
        .args(words)
        // Its words are read, whatever the user's language.
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut asked = usher_child::start(&mut systemctl).map_err(|error| AskError::NoManager {
        unit: unit.to_owned(),
        why: format!("systemctl cannot be run: {error}"),
    })?;
    let out = asked.stdout().map(collect);
    let err = asked.stderr().map(collect);
    let Some(status) = asked.ended_within(patience) else {
        return Err(AskError::Late {
            command,
            seconds: patience.as_secs(),
        });
    };
    let text = |reader: Option<std::thread::JoinHandle<String>>| {
        reader
            .and_then(|reader| reader.join().ok())
            .unwrap_or_default()
    };
    let (out, err) = (text(out), text(err));
    match status.success() {
        true => Ok(out),
        false => Err(AskError::Refused {
            command,
            why: err.trim().replace('\n', "; "),
        }),
    }
}

/// Reads what a child says as it says it, so that it never waits for a reader.
fn collect(from: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read until an error is all that there is.
        let _ = from.take(ANSWER_LIMIT_BYTES).read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Reads `systemctl show`; `now` is the monotonic clock.
fn read(unit: &str, answer: &str, now: Duration) -> Option<Unit> {
    let field = |name: &str| {
        let line = answer
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.unwrap_or_default()
    };
    let micros = |name: &str| field(name).parse::<u64>().ok().filter(|micros| *micros > 0);
    let (active, sub) = (field("ActiveState"), field("SubState"));
    let has_ended = micros("ExecMainExitTimestampMonotonic").is_some();
    Some(Unit {
        name: unit.to_owned(),
        exists: field("LoadState") != "not-found",
        state: state(active)?,
        restarts_itself: !matches!(field("Restart"), "" | "no"),
        words: format!("{active} ({sub})"),
        since_wall_ms: field("StateChangeTimestamp")
            .strip_prefix('@')
            .and_then(|seconds| seconds.parse::<i64>().ok())
            .map(|seconds| seconds.saturating_mul(1_000)),
        age: micros("StateChangeTimestampMonotonic")
            .map(|at| now.saturating_sub(Duration::from_micros(at))),
        main_pid: field("MainPID").parse().ok().filter(|pid| *pid > 0),
        command: command(field("ExecStart")),
        result: field("Result").to_owned(),
        exit_status: field("ExecMainStatus").parse().ok().filter(|_| has_ended),
        restarts: field("NRestarts").parse().unwrap_or(0),
        has_socket: field("TriggeredBy")
            .split(' ')
            .any(|name| name.ends_with(".socket")),
        status_text: Some(field("StatusText").to_owned()).filter(|text| !text.is_empty()),
    })
}

/// The words of a command line in systemd's description of it.
fn command(described: &str) -> Vec<String> {
    let parts = described.trim_start_matches("{ ").split(" ; ");
    let value = |name: &str| parts.clone().find_map(|part| part.strip_prefix(name));
    let (Some(path), Some(words)) = (value("path="), value("argv[]=")) else {
        return Vec::new();
    };
    let arguments = words.split(' ').skip(1);
    std::iter::once(path)
        .chain(arguments)
        .map(str::to_owned)
        .collect()
}

/// systemd's states in the words of the lifecycle. One that failed does not run; `result` says why.
fn state(active: &str) -> Option<ServiceState> {
    Some(match active {
        "active" | "reloading" | "refreshing" | "maintenance" => ServiceState::Running,
        "activating" => ServiceState::StartPending,
        "deactivating" => ServiceState::StopPending,
        "inactive" | "failed" => ServiceState::Stopped,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STOPPING: &str = "\
LoadState=loaded
ActiveState=deactivating
SubState=stop-sigterm
StateChangeTimestamp=@1795557600
StateChangeTimestampMonotonic=5000000
MainPID=42
Result=success
ExecMainStatus=0
ExecMainExitTimestampMonotonic=0
NRestarts=3
StatusText=stopping: answering requests in flight, 2 left
";

    #[test]
    fn a_unit_that_stops_is_read_with_its_age_and_what_it_says() {
        let unit = read("a.service", STOPPING, Duration::from_secs(9)).unwrap();
        assert_eq!(unit.state, ServiceState::StopPending);
        assert_eq!(unit.words, "deactivating (stop-sigterm)");
        assert_eq!(unit.age, Some(Duration::from_secs(4)));
        assert_eq!(unit.since_wall_ms, Some(1_795_557_600_000));
        assert_eq!((unit.main_pid, unit.restarts), (Some(42), 3));
        assert_eq!(unit.exit_status, None, "it has not ended");
        let said = unit.status_text.unwrap();
        assert_eq!(said, "stopping: answering requests in flight, 2 left");
    }

    #[test]
    fn what_a_unit_is_started_by_is_read_from_its_file() {
        let described = "{ path=/usr/bin/usher ; argv[]=/usr/bin/usher server --data /var/lib/usher \
                         ; ignore_errors=no ; start_time=[n/a] ; pid=0 }";
        let words = ["/usr/bin/usher", "server", "--data", "/var/lib/usher"];
        assert_eq!(command(described), words);
        assert_eq!(command(""), Vec::<String>::new());
    }

    #[test]
    fn an_answer_without_a_state_is_not_taken_for_one() {
        assert_eq!(read("a.service", "", Duration::ZERO), None);
        let unknown = STOPPING.replace("deactivating", "dreaming");
        assert_eq!(read("a.service", &unknown, Duration::ZERO), None);
    }
}
