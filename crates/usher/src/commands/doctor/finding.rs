//! What was looked at and found, as it is printed.

use serde::Serialize;

use crate::output::{Tone, tame, toned};

/// How what was looked at is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    Ok,
    /// To be known; there is nothing to mend.
    Note,
    Warn,
    Fail,
}

/// What was looked at and found.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) verdict: Verdict,
    what: &'static str,
    pub(super) found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl Finding {
    /// As it should be.
    pub(super) fn ok(what: &'static str, found: impl Into<String>) -> Self {
        Finding {
            verdict: Verdict::Ok,
            what,
            found: found.into(),
            next: None,
        }
    }

    /// To be known.
    pub(super) fn note(what: &'static str, found: impl Into<String>) -> Self {
        Finding {
            verdict: Verdict::Note,
            what,
            found: found.into(),
            next: None,
        }
    }

    /// Worth a look, and what to do.
    pub(super) fn warn(
        what: &'static str,
        found: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Finding {
            verdict: Verdict::Warn,
            what,
            found: found.into(),
            next: Some(next.into()),
        }
    }

    /// It does not work, and what to do.
    pub(super) fn fail(
        what: &'static str,
        found: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Finding {
            verdict: Verdict::Fail,
            what,
            found: found.into(),
            next: Some(next.into()),
        }
    }

    /// A line, and another with the next step.
    pub(super) fn describe(&self) -> String {
        let word = match self.verdict {
            Verdict::Ok => toned(Tone::Good, "ok  "),
            Verdict::Note => "note".to_owned(),
            Verdict::Warn => toned(Tone::Warn, "warn"),
            Verdict::Fail => toned(Tone::Bad, "FAIL"),
        };
        let mut text = format!("{word}  {:<11} {}", self.what, tame(&self.found));
        if let Some(next) = &self.next {
            text.push_str(&format!("\n                  {next}"));
        }
        text
    }
}
