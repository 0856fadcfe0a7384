//! What a check has found, as the one line that a monitor reads.

use crate::output::tame;

/// The longest text, in characters: with its figures it is shorter than what NRPE passes on (1,024
/// bytes, as a rule); a monitor would cut off the figures.
const TEXT_CHARS: usize = 700;

/// What stands for what is left out.
const MORE: &str = " ...";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Ok = 0,
    Warning = 1,
    Critical = 2,
    Unknown = 3,
}

impl Level {
    pub(super) fn word(self) -> &'static str {
        match self {
            Level::Ok => "OK",
            Level::Warning => "WARNING",
            Level::Critical => "CRITICAL",
            Level::Unknown => "UNKNOWN",
        }
    }
}

pub(super) struct Finding {
    pub(super) level: Level,
    pub(super) text: String,
    /// In the form of Nagios' performance data.
    pub(super) figures: Option<String>,
}

/// Everything that was found, on one line: a monitor reads only the first line.
pub(super) fn sentence(finding: &Finding) -> String {
    let text = format!("USHER {} - {}", finding.level.word(), tame(&finding.text));
    let text = short(&one_line(&text));
    match &finding.figures {
        Some(figures) => format!("{text}|{figures}"),
        None => text,
    }
}

/// The text, cut between words to what a monitor passes on.
fn short(text: &str) -> String {
    if text.chars().count() <= TEXT_CHARS {
        return text.to_owned();
    }
    let fits: String = text.chars().take(TEXT_CHARS - MORE.len()).collect();
    let whole = fits.rsplit_once(' ').map_or(&*fits, |(whole, _)| whole);
    // A word that is very long is cut itself.
    let is_whole = whole.len() * 2 > fits.len();
    format!("{}{MORE}", if is_whole { whole } else { &fits })
}

pub(super) fn unknown(why: &str) -> Finding {
    Finding {
        level: Level::Unknown,
        text: one_line(why),
        figures: None,
    }
}

impl Finding {
    /// Adds the roles that `usher up` does not start again: they are at least a warning, even if
    /// all else is well.
    pub(super) fn adds_given_up(&mut self, said: &[String]) {
        if said.is_empty() {
            return;
        }
        let said = said.join("; ");
        self.text = format!("{}; {}", one_line(&said), self.text);
        if matches!(self.level, Level::Ok | Level::Unknown) {
            self.level = Level::Warning;
        }
    }
}

/// The text without line ends, and without the bar that would begin the figures.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        sentence(&Finding {
            level: Level::Warning,
            text: text.to_owned(),
            figures: Some("servers=1".to_owned()),
        })
    }

    /// Nagios and its kin read the first line alone.
    #[test]
    fn a_check_is_one_line_however_long_it_is_and_keeps_its_figures() {
        let long = "the disk is full,\n see | `usher doctor`\r\n".repeat(60);
        for text in [
            "short",
            &long,
            &"x".repeat(5_000),
            "two\nlines\u{2028}three",
        ] {
            let said = said(text);
            assert!(!said.contains(['\n', '\r', '\u{2028}']), "{said}");
            let (text, figures) = said.split_once('|').unwrap();
            assert_eq!(figures, "servers=1");
            assert!(text.chars().count() <= TEXT_CHARS, "{text}");
        }
        let said = said(&"word ".repeat(300));
        assert!(said.ends_with(" word ...|servers=1"), "{said}");
    }
}
