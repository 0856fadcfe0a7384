//! The evidence of one poll: what each witness says.

use std::time::Duration;

use crate::lifecycle::ServiceState;

/// What one poll of one server found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The service manager's word.
    pub service_manager: ServiceManagerWord,
    /// What the API answered.
    pub api: ApiAnswer,
    /// Whether work progresses.
    pub work: WorkSeen,
}

/// What the service manager (systemd, the Windows SCM, a supervisor) says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceManagerWord {
    /// There is no service manager to ask.
    NotAsked,
    /// It was asked and gave no answer, for this reason.
    NoAnswer(String),
    /// It knows the service.
    Says(ServiceWord),
}

/// What a service manager says of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceWord {
    /// The state of the service.
    pub state: ServiceState,
    /// How long it has been in that state.
    pub age: Duration,
    /// The checkpoint of a pending state, which grows while its work progresses; 0 if none is
    /// reported.
    pub checkpoint: u32,
    /// How long that work may stand still; zero if none is reported.
    pub wait_hint: Duration,
    /// The Win32 error number that says how it ended or what it refused; none: nothing amiss.
    pub error: Option<u32>,
    /// Whether it was stopped because somebody asked for it.
    pub on_purpose: bool,
    /// Whether its process exists.
    pub has_process: bool,
    /// Whether the service manager restarts the service by itself if it fails.
    pub restarts_itself: bool,
    /// The state in the service manager's own words.
    pub text: String,
}

impl ServiceWord {
    /// Whether a pending state's checkpoint has stood still for longer than its wait hint.
    pub fn is_overdue(&self) -> bool {
        self.state.is_pending() && !self.wait_hint.is_zero() && self.age > self.wait_hint
    }
}

/// What came of asking the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiAnswer {
    /// It says that it can serve.
    Well {
        /// The state that it reports.
        state: ServiceState,
        /// The progress of its pack; none: no pack runs.
        pack: Option<PackWord>,
    },
    /// It answers that it grants nothing for a while, though nobody asked for that, as after a
    /// restore. Leases are still renewed and given back.
    Withholds {
        /// The state that it reports.
        state: ServiceState,
        /// Why, and until when.
        why: String,
    },
    /// It answers that it cannot serve, and why.
    Unwell {
        /// The state that it reports.
        state: ServiceState,
        /// What the server says is wrong.
        why: String,
    },
    /// The computer answered that nothing listens at that port.
    Refused,
    /// The connection was established, but no answer came in time, not even that of TLS.
    Silent(Duration),
    /// No connection to the manager's own computer was established in time: the queue of
    /// connections that nobody accepts is full.
    TakesNone(Duration),
    /// No connection was established: no route, no answer from the computer, or no such name.
    NoConnection(String),
    /// Something answered that is no Usher server; this is what it said.
    Strange(String),
    /// Something answers but declines the manager's request: it speaks TLS and was asked in plain
    /// HTTP, or it does not accept the token. This says which, and what to do.
    Declines(String),
}

impl ApiAnswer {
    /// The state that the server reports of itself, if it answers.
    pub fn state(&self) -> Option<ServiceState> {
        match self {
            ApiAnswer::Well { state, .. }
            | ApiAnswer::Withholds { state, .. }
            | ApiAnswer::Unwell { state, .. } => Some(*state),
            _ => None,
        }
    }
}

/// The progress of a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackWord {
    /// How much is done, in percent.
    pub percent: u8,
}

/// Whether a canary passes through queue, ledger and disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkSeen {
    /// A canary got a seat and gave it back; it took so long.
    Moves(Duration),
    /// A canary got no seat, though it has one of its own, for this reason.
    Refused(String),
    /// A canary has not been handled for so long: no answer came, or the server gave it back as too
    /// old.
    StandsStill(Duration),
    /// It was not tried: the API does not answer.
    NotTried,
}

/// A witness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// The service manager.
    ServiceManager,
    /// The API.
    Api,
    /// The work: a canary.
    Work,
}

impl Source {
    /// The name that the API uses.
    pub fn name(self) -> &'static str {
        match self {
            Source::ServiceManager => "service_manager",
            Source::Api => "api",
            Source::Work => "work",
        }
    }

    /// Its name in texts for people.
    pub fn words(self) -> &'static str {
        match self {
            Source::ServiceManager => "service manager",
            Source::Api => "API",
            Source::Work => "work",
        }
    }
}

/// What one witness says, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The witness.
    pub source: Source,
    /// What it says, as people read it.
    pub text: String,
}
