//! Rules for text that people read: a doc comment says something, and pages use plain words.

use super::Finding;
use super::rust::has_word;
use super::tree::File;

/// Whole doc comments that name no unit, clock or meaning.
const SAYS_NOTHING: [&str; 20] = [
    "All of them.",
    "Does it.",
    "How many.",
    "How often.",
    "How.",
    "It.",
    "See the module.",
    "Since when.",
    "What sort.",
    "What.",
    "When first.",
    "When last.",
    "When.",
    "Where to.",
    "Where.",
    "Which one.",
    "Which.",
    "Who.",
    "Whose.",
    "Why.",
];

/// Words that pages do without, and what says the same.
const NOT_PLAIN: [(&str, &str); 6] = [
    ("anew", "again"),
    ("as many as may", "the limit"),
    ("in vain", "without an answer, or what was missing"),
    ("reckon", "compute, or expect"),
    ("whereof", "of which"),
    ("which is to say", "that is"),
];

/// Findings of a Rust file.
pub(super) fn comments(file: &File) -> Vec<Finding> {
    let lines: Vec<Option<&str>> = file.text.lines().map(doc).collect();
    let is_alone = |at: usize| {
        let before = at.checked_sub(1).and_then(|before| lines[before]);
        before.is_none() && !matches!(lines.get(at + 1), Some(Some(_)))
    };
    let empty = |(at, line): (usize, &Option<&str>)| {
        let text = line.filter(|text| SAYS_NOTHING.contains(text) && is_alone(at))?;
        let what = format!("`/// {text}` says nothing: give unit, clock and meaning, or leave it");
        Some(Finding::new(&file.path, at + 1, what))
    };
    lines.iter().enumerate().filter_map(empty).collect()
}

/// The text of a line of a doc comment.
fn doc(line: &str) -> Option<&str> {
    line.trim_start().strip_prefix("///").map(str::trim)
}

/// Findings of a page.
pub(super) fn page(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        let line = without_code(line).to_lowercase();
        for (word, plain) in NOT_PLAIN {
            if has_word(&line, word) {
                let what = format!("\"{word}\" is not plain: say {plain}");
                findings.push(Finding::new(&file.path, at + 1, what));
            }
        }
    }
    findings
}

/// A line without its code spans and the targets of its links.
fn without_code(line: &str) -> String {
    let prose: String = line.split('`').step_by(2).collect();
    let mut parts = prose.split("](");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + part.split_once(')').map_or("", |(_, rest)| rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    fn lines(findings: &[Finding]) -> Vec<usize> {
        findings.iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_doc_comment_that_says_nothing_is_found() {
        let text = "/// When.\nat: u64,\n/// When.\n/// By the wall clock.\nwall: u64,\n\
                    /// When it ended.\nend: u64,\n    /// See the module.\nstruct A;\n";
        assert_eq!(lines(&comments(&file("a.rs", text))), [1, 8]);
    }

    #[test]
    fn a_word_that_is_not_plain_is_found_outside_code_and_links() {
        let text =
            "Begins Anew.\n`--begin-anew` is an option.\n[why](0013-asked-anew.md)\nrenewal\n";
        assert_eq!(lines(&page(&file("docs/a.md", text))), [1]);
    }
}
