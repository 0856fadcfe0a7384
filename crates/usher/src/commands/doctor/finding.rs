//! A finding of `usher doctor`, as it is printed.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::output::{Tone, tame, toned};

/// The state of what was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    Ok,
    /// Worth knowing; there is nothing to repair.
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
    /// Set for one of many things that are as they should be, which people are told in one line:
    /// its state.
    #[serde(skip)]
    pub(super) alike: Option<&'static str>,
}

impl Finding {
    /// A finding that is as it should be.
    pub(super) fn ok(what: &'static str, found: impl Into<String>) -> Self {
        Finding {
            verdict: Verdict::Ok,
            what,
            found: found.into(),
            next: None,
            alike: None,
        }
    }

    /// The same for one of many.
    pub(super) fn alike(what: &'static str, how: &'static str, found: impl Into<String>) -> Self {
        Finding {
            alike: Some(how),
            ..Finding::ok(what, found)
        }
    }

    /// A finding that is worth knowing.
    pub(super) fn note(what: &'static str, found: impl Into<String>) -> Self {
        Finding {
            verdict: Verdict::Note,
            what,
            found: found.into(),
            next: None,
            alike: None,
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
            alike: None,
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
            alike: None,
        }
    }

    /// Joins alike findings in one line, in the place of the first of them.
    pub(super) fn folded(findings: Vec<Finding>) -> Vec<Finding> {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for how in findings.iter().filter_map(|finding| finding.alike) {
            *counts.entry(how).or_default() += 1;
        }
        let all: u64 = counts.values().sum();
        if all < 2 {
            return findings;
        }
        let hows = counts.iter().map(|(how, count)| format!("{count} {how}"));
        let hows: Vec<String> = hows.collect();
        let mut folded: Vec<Finding> = Vec::new();
        let mut is_told = false;
        for finding in findings {
            match finding.alike {
                None => folded.push(finding),
                Some(_) if is_told => {}
                Some(_) => {
                    is_told = true;
                    let found = format!(
                        "{all} are as they should be: {}; --all shows each",
                        hows.join(", ")
                    );
                    folded.push(Finding::ok(finding.what, found));
                }
            }
        }
        folded
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_that_are_as_they_should_be_are_one_line_among_which_a_failure_is_seen() {
        let tracked = |path: &str| Finding::alike("mount", "tracked", format!("{path} is tracked"));
        let findings = || {
            vec![
                Finding::ok("agent", "reports"),
                tracked("/"),
                Finding::fail("mount", "/far hangs", "Look."),
                tracked("/home"),
                Finding::alike("mount", "enforced", "/opt is enforced"),
            ]
        };
        let told = Finding::folded(findings());
        let lines: Vec<String> = told.iter().map(Finding::describe).collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        ok    agent       reports
        ok    mount       3 are as they should be: 1 enforced, 2 tracked; --all shows each
        FAIL  mount       /far hangs
                          Look.
        ");
        let one = Finding::folded(findings().into_iter().take(2).collect());
        assert_eq!(one[1].found, "/ is tracked");
    }
}
