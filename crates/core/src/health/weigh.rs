//! Weighs evidence: the verdict on a server.

use std::fmt;
use std::time::Duration;

use super::evidence::*;
use crate::lifecycle::{Refusal, ServiceState};
use crate::messages::Standing;

/// The verdict on a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// It serves.
    Running,
    /// It serves, but with trouble, or it is just starting or stopping.
    Degraded,
    /// A pack runs, or somebody paused it; it serves as far as that allows.
    Maintenance,
    /// It has a process, but its work does not progress.
    Stuck,
    /// It does not run.
    Stopped,
    /// No connection to it is established, so its state cannot be told.
    Unreachable,
    /// The evidence is not enough for a verdict.
    Unknown,
}

impl Verdict {
    /// All verdicts.
    pub const ALL: [Verdict; 7] = [
        Verdict::Running,
        Verdict::Degraded,
        Verdict::Maintenance,
        Verdict::Stuck,
        Verdict::Stopped,
        Verdict::Unreachable,
        Verdict::Unknown,
    ];

    /// The name that the API uses.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Running => "running",
            Verdict::Degraded => "degraded",
            Verdict::Maintenance => "maintenance",
            Verdict::Stuck => "stuck",
            Verdict::Stopped => "stopped",
            Verdict::Unreachable => "unreachable",
            Verdict::Unknown => "unknown",
        }
    }

    /// The verdict of that name.
    pub fn of_name(name: &str) -> Option<Verdict> {
        Verdict::ALL
            .into_iter()
            .find(|verdict| verdict.name() == name)
    }

    /// The least status of a site that has a server with this verdict.
    pub fn standing(self) -> Standing {
        match self {
            Verdict::Running | Verdict::Maintenance => Standing::Ok,
            Verdict::Degraded | Verdict::Unreachable | Verdict::Unknown => Standing::Warning,
            Verdict::Stuck | Verdict::Stopped => Standing::Critical,
        }
    }

    /// The number of the status message that reports it; none for a good verdict.
    pub fn message_id(self) -> Option<u16> {
        match self {
            Verdict::Stopped => Some(9406),
            Verdict::Stuck => Some(9410),
            Verdict::Degraded => Some(9411),
            Verdict::Unreachable => Some(9412),
            Verdict::Unknown => Some(9413),
            Verdict::Running | Verdict::Maintenance => None,
        }
    }

    /// Whether nothing is to be done. Such a verdict ends an episode.
    pub fn is_good(self) -> bool {
        matches!(self, Verdict::Running | Verdict::Maintenance)
    }

    /// Whether the server is there to be asked.
    pub fn answers(self) -> bool {
        self.is_good() || self == Verdict::Degraded
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A verdict and the evidence for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// What each witness said.
    pub findings: Vec<Finding>,
    /// What the service manager said; none if it gave no answer.
    pub service: Option<ServiceWord>,
    /// Whether it was stopped because somebody asked for it.
    pub on_purpose: bool,
    /// Whether what the server does contradicts the service manager.
    pub contradicted: bool,
}

/// Weighs the evidence of one poll.
pub fn weigh(seen: &Observation) -> Judgement {
    let word = match &seen.service_manager {
        ServiceManagerWord::Says(word) => Some(word),
        _ => None,
    };
    let serves = matches!(seen.work, WorkSeen::Moves(_));
    let contradicted = serves && word.is_some_and(|word| contradicts_service(word, &seen.api));
    Judgement {
        verdict: verdict(seen, word, contradicted),
        findings: findings(seen, contradicted),
        service: word.cloned(),
        on_purpose: word.is_some_and(|word| word.on_purpose),
        contradicted,
    }
}

/// Whether the service manager says something that a server which grants seats disproves.
fn contradicts_service(word: &ServiceWord, api: &ApiAnswer) -> bool {
    let late = word.is_overdue() || word.wait_hint.is_zero();
    match word.state {
        ServiceState::Stopped => true,
        // Who stops says so at its API first: one that says that it runs will not end (KB Q299261).
        ServiceState::StopPending => late || api.state() == Some(ServiceState::Running),
        ServiceState::StartPending => late,
        _ => false,
    }
}

fn verdict(seen: &Observation, word: Option<&ServiceWord>, contradicted: bool) -> Verdict {
    match (&seen.api, &seen.work) {
        (ApiAnswer::Well { state, pack }, WorkSeen::Moves(_)) => match state {
            // It serves, but can be neither steered nor restarted: somebody has to know.
            _ if contradicted => Verdict::Degraded,
            ServiceState::Paused | ServiceState::PausePending => Verdict::Maintenance,
            ServiceState::StopPending | ServiceState::StartPending => Verdict::Degraded,
            _ if pack.is_some() => Verdict::Maintenance,
            _ => Verdict::Running,
        },
        (ApiAnswer::Withholds { .. } | ApiAnswer::Unwell { .. }, WorkSeen::Moves(_)) => {
            Verdict::Degraded
        }
        (
            ApiAnswer::Well { .. } | ApiAnswer::Withholds { .. },
            WorkSeen::Refused(_) | WorkSeen::StandsStill(_),
        ) => Verdict::Stuck,
        (ApiAnswer::Unwell { state, .. }, WorkSeen::Refused(_)) => match state {
            // A definite failure that it names, such as a full disk, is not a standstill.
            ServiceState::Running | ServiceState::StopPending | ServiceState::StartPending => {
                Verdict::Degraded
            }
            _ => Verdict::Stuck,
        },
        (ApiAnswer::Unwell { .. }, WorkSeen::StandsStill(_)) => Verdict::Stuck,
        (
            ApiAnswer::Well { .. } | ApiAnswer::Withholds { .. } | ApiAnswer::Unwell { .. },
            WorkSeen::NotTried,
        ) => Verdict::Unknown,
        (ApiAnswer::Strange(_) | ApiAnswer::Declines(_), _) => Verdict::Unknown,
        (ApiAnswer::NoConnection(_), _) => match word {
            Some(word) if is_down(word) => Verdict::Stopped,
            _ => Verdict::Unreachable,
        },
        (ApiAnswer::Silent(_) | ApiAnswer::TakesNone(_) | ApiAnswer::Refused, _) => {
            silent(&seen.api, word)
        }
    }
}

/// The verdict if the computer can be reached, but the API does not answer.
fn silent(api: &ApiAnswer, word: Option<&ServiceWord>) -> Verdict {
    match word {
        Some(word) if is_down(word) => Verdict::Stopped,
        // On its way, and its work moves.
        Some(word) if word.state.is_pending() && !word.is_overdue() => Verdict::Degraded,
        Some(word) if word.has_process => Verdict::Stuck,
        // Somebody took the connection: a process is there that does not answer.
        _ if matches!(api, ApiAnswer::Silent(_)) => Verdict::Stuck,
        Some(_) => Verdict::Unknown,
        None => Verdict::Unreachable,
    }
}

fn is_down(word: &ServiceWord) -> bool {
    word.state == ServiceState::Stopped && !word.has_process
}

fn findings(seen: &Observation, contradicted: bool) -> Vec<Finding> {
    let mut findings = Vec::with_capacity(3);
    let mut add = |source, text| findings.push(Finding { source, text });
    match &seen.service_manager {
        ServiceManagerWord::NotAsked => {}
        ServiceManagerWord::NoAnswer(why) => add(
            Source::ServiceManager,
            format!("the service manager could not be asked: {why}"),
        ),
        ServiceManagerWord::Says(word) => add(Source::ServiceManager, says(word, contradicted)),
    }
    add(Source::Api, answered(&seen.api));
    match &seen.work {
        WorkSeen::Moves(took) => add(
            Source::Work,
            format!("a canary was seated and given back in {}", span(*took)),
        ),
        WorkSeen::Refused(why) => add(
            Source::Work,
            format!("a canary was not seated on its own seat: {why}"),
        ),
        WorkSeen::StandsStill(waited) => add(
            Source::Work,
            format!("a canary was not seated within {}", span(*waited)),
        ),
        WorkSeen::NotTried => {}
    }
    findings
}

fn says(word: &ServiceWord, contradicted: bool) -> String {
    let mut text = format!("says {}", word.state);
    // One that does not keep the time tells none.
    if !word.age.is_zero() {
        text += &format!(" for {}", span(word.age));
    }
    if word.state.is_pending() {
        if word.is_overdue() {
            text += &format!(
                ", checkpoint {} not moved within its wait hint of {}",
                word.checkpoint,
                span(word.wait_hint)
            );
        } else {
            text += &format!(", checkpoint {}", word.checkpoint);
        }
    }
    if let Some(number) = word.error {
        match Refusal::of_number(number) {
            Some(refusal) => text += &format!(", error {number}: {}", refusal.meaning()),
            None => text += &format!(", ended with {number}"),
        }
    }
    if word.on_purpose {
        text += ", as it was asked to";
    }
    if !word.text.is_empty() {
        text += &format!(" ({})", word.text);
    }
    if contradicted {
        text += "; not believed, for the server seats people";
    }
    text
}

fn answered(api: &ApiAnswer) -> String {
    match api {
        ApiAnswer::Well { state, pack: None } => format!("answers that it is {state}"),
        ApiAnswer::Well {
            state,
            pack: Some(pack),
        } => format!(
            "answers that it is {state}; a pack runs, {} % done",
            pack.percent
        ),
        ApiAnswer::Withholds { state, why } => {
            format!("answers that it is {state} and seats nobody for now: {why}")
        }
        ApiAnswer::Unwell { state, why } => format!("answers that it is {state} and unable: {why}"),
        ApiAnswer::Refused => "its computer says that nobody listens there".to_owned(),
        ApiAnswer::Silent(waited) => {
            format!(
                "took the connection and did not answer in {}",
                span(*waited)
            )
        }
        ApiAnswer::TakesNone(waited) => format!(
            "no connection in {}, though its address is of this computer: its queue is full",
            span(*waited)
        ),
        ApiAnswer::NoConnection(why) => format!("no connection: {why}"),
        ApiAnswer::Strange(what) => format!("something else answers there: {what}"),
        ApiAnswer::Declines(what) => what.clone(),
    }
}

/// A span of time as people say it: the largest unit that says enough.
pub fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0 if span.as_millis() == 0 => "under 1 ms".to_owned(),
        0 => format!("{} ms", span.as_millis()),
        1..120 => format!("{seconds} s"),
        120..600 if !seconds.is_multiple_of(60) => {
            format!("{} min {} s", seconds / 60, seconds % 60)
        }
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{} days", seconds / 86_400),
    }
}
