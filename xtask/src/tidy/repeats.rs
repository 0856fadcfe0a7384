//! Text that stands twice on a page or in a doc comment: a merge that kept both versions of it.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use super::tree::File;

/// Fewer words than these may be the same by chance.
const WORDS_LEAST: usize = 6;
/// Of two texts so many words in a row are compared.
const RUN: usize = 4;
/// Fewer runs than these may be the same by chance.
const RUNS_LEAST: usize = 6;
/// Two texts are versions of one if the shorter shares that many of its runs with the other, in
/// hundredths.
const SHARED_PERCENT: usize = 80;

/// Findings of a page.
pub(super) fn page(file: &File) -> Vec<Finding> {
    let parts = Parts::of(&file.text);
    let mut findings = Vec::new();
    let mut known = BTreeMap::new();
    for (line, path) in &parts.headings {
        if let Some(first) = known.insert(path, *line) {
            findings.push(again(file, *line, "the heading", first));
        }
    }
    findings.extend(texts(file, &parts.paragraphs, "the text"));
    for table in &parts.tables {
        findings.extend(rows(file, table));
    }
    findings
}

/// Findings of a Rust file: what a doc comment says twice.
pub(super) fn comments(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut sentences: Vec<(usize, String)> = Vec::new();
    let mut open = String::new();
    let lines = file.text.lines().chain([""]);
    for (at, line) in lines.enumerate() {
        let text = line.trim_start();
        let doc = text.strip_prefix("///").or(text.strip_prefix("//!"));
        let Some(doc) = doc else {
            sentences.extend((!open.is_empty()).then(|| (at, std::mem::take(&mut open))));
            findings.extend(texts(file, &std::mem::take(&mut sentences), "the sentence"));
            continue;
        };
        for word in doc.split_whitespace() {
            open.push_str(word);
            open.push(' ');
            if word.ends_with(['.', '!', '?']) {
                sentences.push((at + 1, std::mem::take(&mut open)));
            }
        }
    }
    findings
}

fn again(file: &File, line: usize, what: &str, first: usize) -> Finding {
    let text = format!("{what} stands in line {first} already: is it what a merge left twice?");
    Finding::new(&file.path, line, text)
}

/// Texts that another one says already, each with its line.
fn texts(file: &File, all: &[(usize, String)], what: &str) -> Vec<Finding> {
    let words: Vec<Vec<String>> = all.iter().map(|(_, text)| words(text)).collect();
    let runs: Vec<BTreeSet<&[String]>> = words.iter().map(|it| it.windows(RUN).collect()).collect();
    let mut findings = Vec::new();
    for (later, (line, _)) in all.iter().enumerate() {
        // Where and when something was measured is said beside each figure.
        if words[later].first().is_some_and(|word| is_year(word)) {
            continue;
        }
        let is_same = |earlier: &usize| {
            let same = words[*earlier] == words[later] && words[later].len() >= WORDS_LEAST;
            same || are_versions(&runs[*earlier], &runs[later])
        };
        if let Some(earlier) = (0..later).find(is_same) {
            findings.push(again(file, *line, what, all[earlier].0));
        }
    }
    findings
}

fn are_versions(a: &BTreeSet<&[String]>, b: &BTreeSet<&[String]>) -> bool {
    let shorter = a.len().min(b.len());
    shorter >= RUNS_LEAST && a.intersection(b).count() * 100 >= shorter * SHARED_PERCENT
}

fn is_year(word: &str) -> bool {
    word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit())
}

fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// Rows of a table that are there already. Of a table of two columns the first is what is explained.
fn rows(file: &File, table: &[(usize, &str)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut known = BTreeMap::new();
    for (line, row) in table {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let key = match cells.len() {
            2 => &cells[..1],
            _ => &cells[..],
        };
        let is_rule = cells
            .iter()
            .all(|cell| cell.bytes().all(|b| b == b'-' || b == b':'));
        if is_rule || key.iter().all(|cell| cell.is_empty()) {
            continue;
        }
        if let Some(first) = known.insert(key.join("|"), *line) {
            findings.push(again(file, *line, "the row", first));
        }
    }
    findings
}

/// A page outside of its code.
#[derive(Default)]
struct Parts<'a> {
    /// Headings with those above them.
    headings: Vec<(usize, Vec<&'a str>)>,
    /// Paragraphs and items of lists.
    paragraphs: Vec<(usize, String)>,
    tables: Vec<Vec<(usize, &'a str)>>,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Parts<'a> {
        let mut parts = Parts::default();
        let mut path: Vec<(usize, &str)> = Vec::new();
        let mut is_code = false;
        let (mut goes_on, mut in_table) = (false, false);
        for (at, line) in text.lines().enumerate() {
            let number = at + 1;
            let trimmed = line.trim();
            if trimmed.starts_with("```") {
                is_code = !is_code;
            }
            if is_code || trimmed.is_empty() || trimmed.starts_with("```") {
                (goes_on, in_table) = (false, false);
                continue;
            }
            if trimmed.starts_with('|') {
                match parts.tables.last_mut().filter(|_| in_table) {
                    Some(table) => table.push((number, trimmed)),
                    None => parts.tables.push(vec![(number, trimmed)]),
                }
                (goes_on, in_table) = (false, true);
                continue;
            }
            in_table = false;
            if line.starts_with('#') {
                let level = line.bytes().take_while(|byte| *byte == b'#').count();
                path.retain(|(above, _)| *above < level);
                path.push((level, trimmed));
                let headings = path.iter().map(|(_, heading)| *heading).collect();
                parts.headings.push((number, headings));
                goes_on = false;
                continue;
            }
            match parts.paragraphs.last_mut() {
                Some((_, text)) if goes_on && !is_item(trimmed) => {
                    text.push(' ');
                    text.push_str(trimmed);
                }
                _ => parts.paragraphs.push((number, trimmed.to_owned())),
            }
            goes_on = true;
        }
        parts
    }
}

fn is_item(line: &str) -> bool {
    let number = line.trim_start_matches(|c: char| c.is_ascii_digit());
    line.starts_with("- ") || line.starts_with("* ") || (number != line && number.starts_with(". "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(findings: &[Finding]) -> Vec<usize> {
        findings.iter().map(|finding| finding.line).collect()
    }

    fn of_page(text: &str) -> Vec<usize> {
        lines(&page(&File {
            path: "docs/a.md".to_owned(),
            text: text.to_owned(),
        }))
    }

    #[test]
    fn a_heading_that_stands_twice_under_the_same_one_is_found() {
        let text = "# A\n## How to\n### Fixed\n## Pages\n### Fixed\n## How to\n";
        assert_eq!(of_page(text), [6]);
    }

    #[test]
    fn a_paragraph_or_an_item_that_stands_twice_is_found_also_in_other_words() {
        let text = "One of the seats comes free at noon.\n\n\
                    - One of the seats comes free at noon.\n\
                    - too short to count\n- too short to count\n\n\
                    The server keeps each of its snapshots for a day and removes older ones.\n\n\
                    The server keeps each of its snapshots for a day and removes older ones later.\n\n\
                    ```\nThe server keeps each of its snapshots for a day and removes older ones.\n```\n\n\
                    2026-11-24: two cores of the same computer, one disk, nothing else runs.\n\n\
                    2026-11-24: two cores of the same computer, one disk, nothing else runs.\n";
        assert_eq!(of_page(text), [3, 9]);
    }

    #[test]
    fn a_row_of_a_table_that_stands_twice_is_found_and_a_word_that_is_explained_twice() {
        let text = "| word | meaning |\n|---|---|\n| agent | sees programs |\n| | more |\n| | more |\n\
                    | agent | runs on computers |\n\n\
                    | how | by | what |\n|---|---|---|\n| copied | name | caught |\n\
                    | copied | hash | caught |\n| copied | name | caught |\n\n\
                    | word | meaning |\n|---|---|\n| agent | in another table |\n";
        assert_eq!(of_page(text), [6, 12]);
    }

    #[test]
    fn a_sentence_that_a_doc_comment_says_twice_is_found() {
        let text = "/// Takes one of the seats for a person. It is given\n\
                    /// back at the end of the program at once. Takes one of the\n\
                    /// seats for a person.\n\
                    fn a() {}\n\
                    /// Takes one of the seats for a person.\n\
                    fn b() {}\n";
        let file = File {
            path: "a.rs".to_owned(),
            text: text.to_owned(),
        };
        assert_eq!(lines(&comments(&file)), [3]);
    }
}
