//! A unit as its service manager sees it: evidence, to be weighed by whoever asked.

use std::time::Duration;

use usher_core::lifecycle::ServiceState;

/// What a service manager says of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Its name, such as `usher-server.service`.
    pub name: String,
    /// Whether there is such a unit.
    pub exists: bool,
    /// Its state, in the words of the lifecycle.
    pub state: ServiceState,
    /// Its state in the manager's own words, such as `deactivating (stop-sigterm)`.
    pub words: String,
    /// Since when it is in that state, in Unix milliseconds; none if it never was started.
    pub since_wall_ms: Option<i64>,
    /// For how long, on a clock that nobody sets.
    pub age: Option<Duration>,
    /// Its main process.
    pub main_pid: Option<u32>,
    /// What it is started by, as its file says: the program and what it is given.
    pub command: Vec<String>,
    /// How it ended last, in the manager's words: `success`, `exit-code`, `watchdog`, `timeout` …
    pub result: String,
    /// The exit status or signal of its main process, if it has ended.
    pub exit_status: Option<i32>,
    /// How often the manager has started it again by itself.
    pub restarts: u32,
    /// Whether the manager starts it again by itself when it fails.
    pub restarts_itself: bool,
    /// Whether the manager holds its addresses: then connections wait while it is restarted.
    pub has_socket: bool,
    /// What it says of itself.
    pub status_text: Option<String>,
}

/// Why a service manager gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// There is no service manager that could be asked.
    #[error("cannot ask for {unit}: this computer is not run by systemd ({why})")]
    NoManager {
        /// What was asked for.
        unit: String,
        /// How that is known.
        why: String,
    },
    /// It did not answer in time.
    #[error("systemd did not answer `{command}` within {seconds} s: look at the system's log")]
    Late {
        /// What was asked.
        command: String,
        /// How long was waited.
        seconds: u64,
    },
    /// The command failed.
    #[error("`{command}` failed: {why}")]
    Refused {
        /// What was asked.
        command: String,
        /// What it said.
        why: String,
    },
    /// Its answer makes no sense here.
    #[error("the answer to `{command}` has no {field} that can be understood")]
    NotUnderstood {
        /// What was asked.
        command: String,
        /// What is missing.
        field: &'static str,
    },
}
