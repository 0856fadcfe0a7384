//! The evidence of one look: what each witness says.

use std::time::Duration;

use crate::lifecycle::ServiceState;

/// One look at one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The service manager's word.
    pub service_manager: ServiceManagerWord,
    /// What the API answered.
    pub api: ApiAnswer,
    /// Whether work moves.
    pub work: WorkSeen,
}

/// The word of the service manager (systemd, the Windows SCM, a supervisor).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceManagerWord {
    /// There is none that could be asked.
    NotAsked,
    /// It was asked and did not say; why.
    NoAnswer(String),
    /// It knows the service.
    Says(ServiceWord),
}

/// What a service manager says of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceWord {
    /// The state.
    pub state: ServiceState,
    /// How long it says so already.
    pub age: Duration,
    /// Counts the moves of a pending state's work; 0 if it tells none.
    pub checkpoint: u32,
    /// How long that work may stand still; zero if it tells none.
    pub wait_hint: Duration,
    /// The Win32 error number that says how it ended or what it refused; none: nothing amiss.
    pub error: Option<u32>,
    /// It was stopped because somebody asked for it.
    pub on_purpose: bool,
    /// Its process is there.
    pub has_process: bool,
    /// It starts the service again by itself when that fails.
    pub restarts_itself: bool,
    /// The same in its own words, for people.
    pub text: String,
}

impl ServiceWord {
    /// It is pending for longer than it may be without its checkpoint moving.
    pub fn is_overdue(&self) -> bool {
        self.state.is_pending() && !self.wait_hint.is_zero() && self.age > self.wait_hint
    }
}

/// What came of asking the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiAnswer {
    /// It can serve, by its own word.
    Well {
        /// The state that it reports.
        state: ServiceState,
        /// Its upkeep, if that runs.
        pack: Option<PackWord>,
    },
    /// It answers that it grants nothing for a while though nobody asked for that, as after a
    /// restore; leases are renewed and given back.
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
    /// The computer answered that nobody listens there.
    Refused,
    /// A connection came about, and no answer within the time given, not even that of TLS.
    Silent(Duration),
    /// Its address is of the asking computer, and no connection came about within the time given: the
    /// queue of those that nobody takes is full.
    TakesNone(Duration),
    /// No connection came about: no route, no answer from the computer, no such name.
    NoConnection(String),
    /// Something answered that is no Usher server; what it said.
    Strange(String),
    /// What is there answers, and not to the manager as it asks: it speaks TLS where plain HTTP was
    /// spoken, or it does not take the token. How that is, and what to do.
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

/// Upkeep under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackWord {
    /// How far it is, in hundredths.
    pub percent: u8,
}

/// Whether work goes the whole way through queue, ledger and disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkSeen {
    /// A canary was seated and given back; how long that took.
    Moves(Duration),
    /// A canary was not seated though it has a seat of its own; what was said instead.
    Refused(String),
    /// A canary was not taken up for so long: no answer came, or it was given back as too old.
    StandsStill(Duration),
    /// It was not tried: the API does not answer.
    NotTried,
}

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// The service manager.
    ServiceManager,
    /// The API.
    Api,
    /// The canary.
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

    /// Its name for people.
    pub fn words(self) -> &'static str {
        match self {
            Source::ServiceManager => "service manager",
            Source::Api => "API",
            Source::Work => "work",
        }
    }
}

/// One piece of evidence, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Who says it.
    pub source: Source,
    /// What it says, in words for people.
    pub text: String,
}
