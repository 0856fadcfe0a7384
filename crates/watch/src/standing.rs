//! How a watch stands, as it is shown.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use usher_api::NotUnderstood;
use usher_imports::Kind;

/// Shapes of lines that were not understood that are kept.
const SHAPES_KEPT: usize = 20;
/// Servers and daemons that do not answer that are named.
const SILENT_KEPT: usize = 20;

/// What a watch does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The log is not there yet.
    Waiting,
    /// It reads the log while it grows, or the last command was understood.
    Following,
    /// What it reads, or whom it sends it to, fails.
    Failing,
}

/// How a watch stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// What it is called.
    pub name: String,
    /// What kind of log or report it is.
    pub kind: Kind,
    /// Whose rows these are.
    pub source: String,
    /// The log's path, or the command.
    pub from: String,
    /// What it does.
    pub state: State,
    /// When it came into that state, on the clock of the computer that watches.
    pub since: Timestamp,
    /// Why it fails.
    pub why: Option<String>,
    /// When the log grew last, or the last command was understood; by this computer's clock.
    pub last_at: Option<Timestamp>,
    /// The last instant of which it tells.
    pub told_until: Option<Timestamp>,
    /// Lines since it was started; of a log all that are there.
    pub lines: u64,
    /// Of these, those that were understood.
    pub understood: u64,
    /// The others, by their shape, the most frequent first: at most 20.
    pub not_understood: Vec<NotUnderstood>,
    /// Servers and daemons that did not answer by the last report: at most 20.
    pub silent: Vec<String>,
    /// Lines of the log wait for the first date.
    pub undated: bool,
    /// Bodies of rows that the manager refused.
    pub refused: u64,
    /// The last of these refusals.
    pub refusal: Option<String>,
}

impl Standing {
    pub(crate) fn new(name: &str, kind: Kind, source: &str, from: String) -> Standing {
        Standing {
            name: name.to_owned(),
            kind,
            source: source.to_owned(),
            from,
            state: State::Waiting,
            since: Timestamp::now(),
            why: None,
            last_at: None,
            told_until: None,
            lines: 0,
            understood: 0,
            not_understood: Vec::new(),
            silent: Vec::new(),
            undated: false,
            refused: 0,
            refusal: None,
        }
    }

    /// Returns whether that is news.
    pub(crate) fn is_now(&mut self, state: State, why: Option<String>) -> bool {
        let is_new = self.state != state;
        if is_new {
            self.since = Timestamp::now();
        }
        (self.state, self.why) = (state, why);
        is_new
    }

    /// What was understood so far.
    pub(crate) fn knows(&mut self, import: &usher_imports::Import) {
        let summary = import.summary_so_far();
        self.told_until = summary.to;
        (self.lines, self.understood) = (summary.lines, summary.understood);
        self.not_understood = summary.not_understood;
        self.not_understood.truncate(SHAPES_KEPT);
        self.silent = import.silent_now();
        self.silent.truncate(SILENT_KEPT);
        self.undated = import.is_undated();
    }
}
