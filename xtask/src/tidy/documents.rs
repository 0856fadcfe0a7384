//! Rules for documents: links lead somewhere, decisions are numbered and whole, and no text tells
//! of the machine that it was written on.

use std::collections::BTreeSet;

use super::Finding;
use super::rust::has_word;
use super::tree::File;

/// Documents that the repository has to have.
const REQUIRED: &[&str] = &[
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "deny.toml",
];
const DECISIONS: &str = "docs/decisions/";
const PARTS_OF_A_DECISION: &[&str] = &["## Context", "## Decision", "## Consequences"];

/// All findings; `root` is the repository's place on this machine, which no text may name.
pub(crate) fn check(files: &[File], root: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(required(files));
    findings.extend(decisions(files));
    findings.extend(one_test_command(files));
    for file in files.iter().filter(|file| file.path.ends_with(".md")) {
        findings.extend(dead_links(file, files));
        findings.extend(unfinished(file));
    }
    for file in files {
        findings.extend(machine_paths(file, root));
    }
    findings
}

fn required(files: &[File]) -> Vec<Finding> {
    REQUIRED
        .iter()
        .filter(|path| !files.iter().any(|file| file.path == **path))
        .map(|path| Finding::new(path, 0, "is missing"))
        .collect()
}

/// Decisions count from 0001 without a gap, each has its parts, and their folder's page lists it.
fn decisions(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let list = format!("{DECISIONS}README.md");
    let list = files.iter().find(|file| file.path == list);
    let records = files.iter().filter_map(|file| {
        let name = file.path.strip_prefix(DECISIONS)?.strip_suffix(".md")?;
        (name != "README").then_some((file, name))
    });
    for (index, (file, name)) in records.enumerate() {
        let number = format!("{:04}", index + 1);
        if name
            .strip_prefix(&number)
            .is_none_or(|rest| !rest.starts_with('-'))
        {
            let what = format!("the decision after the last one is {number}-TITLE.md");
            findings.push(Finding::new(&file.path, 0, what));
        }
        if list.is_some_and(|list| !list.text.contains(&format!("({name}.md)"))) {
            let what = format!("is not listed in {DECISIONS}README.md");
            findings.push(Finding::new(&file.path, 0, what));
        }
        if !file.text.starts_with("# ") {
            findings.push(Finding::new(
                &file.path,
                1,
                "does not begin with `# ` and a title",
            ));
        }
        for part in PARTS_OF_A_DECISION {
            if !file.text.lines().any(|line| line == *part) {
                findings.push(Finding::new(&file.path, 0, format!("has no `{part}`")));
            }
        }
    }
    findings
}

/// CI runs what the README tells a person to run.
fn one_test_command(files: &[File]) -> Vec<Finding> {
    const COMMAND: &str = "cargo xtask test";
    ["README.md", ".ci/run"]
        .iter()
        .filter_map(|path| files.iter().find(|file| file.path == *path))
        .filter(|file| !file.text.contains(COMMAND))
        .map(|file| Finding::new(&file.path, 0, format!("does not name `{COMMAND}`")))
        .collect()
}

fn unfinished(file: &File) -> Vec<Finding> {
    prose(&file.text)
        .filter(|(_, line)| {
            ["TODO", "FIXME", "TBD"]
                .iter()
                .any(|word| has_word(line, word))
        })
        .map(|(number, _)| Finding::new(&file.path, number, "something is left to be written"))
        .collect()
}

/// Relative links, and the headings that they point at, have to be there.
fn dead_links(file: &File, files: &[File]) -> Vec<Finding> {
    prose(&file.text)
        .flat_map(|(number, line)| links(line).into_iter().map(move |link| (number, link)))
        .filter(|(_, link)| !is_foreign(link))
        .filter(|(_, link)| !leads_somewhere(link, file, files))
        .map(|(number, link)| Finding::new(&file.path, number, format!("`{link}` leads nowhere")))
        .collect()
}

fn is_foreign(link: &str) -> bool {
    ["http://", "https://", "mailto:"]
        .iter()
        .any(|scheme| link.starts_with(scheme))
}

fn leads_somewhere(link: &str, from: &File, files: &[File]) -> bool {
    let (path, anchor) = match link.split_once('#') {
        Some((path, anchor)) => (path, Some(anchor)),
        None => (link, None),
    };
    let Some(path) = (if path.is_empty() {
        Some(from.path.clone())
    } else {
        resolve(&from.path, path)
    }) else {
        return false;
    };
    let folder = format!("{}/", path.trim_end_matches('/'));
    if anchor.is_none()
        && files
            .iter()
            .any(|file| path.is_empty() || file.path.starts_with(&folder))
    {
        return true;
    }
    let Some(target) = files.iter().find(|file| file.path == path) else {
        return false;
    };
    anchor.is_none_or(|anchor| headings(&target.text).contains(anchor))
}

/// A link's path from the root; none if it leaves the repository.
fn resolve(from: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// Anchors of headings as GitHub makes them: small letters, `-` for spaces, without punctuation.
fn headings(text: &str) -> BTreeSet<String> {
    prose(text)
        .filter(|(_, line)| line.starts_with('#'))
        .map(|(_, line)| {
            line.trim_start_matches('#')
                .trim()
                .chars()
                .filter_map(|c| match c {
                    ' ' => Some('-'),
                    '-' | '_' => Some(c),
                    c if c.is_alphanumeric() => Some(c.to_ascii_lowercase()),
                    _ => None,
                })
                .collect()
        })
        .collect()
}

/// Lines outside fenced code, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let fence = line.trim_start().starts_with("```");
        if fence {
            fenced = !fenced;
        }
        (!fenced && !fence).then_some((index + 1, line))
    })
}

/// Targets of `[text](target)`, code spans left out.
fn links(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    // Text outside backticks is every other piece.
    for piece in line.split('`').step_by(2) {
        let mut rest = piece;
        while let Some((_, after)) = rest.split_once("](") {
            let Some((target, next)) = after.split_once(')') else {
                break;
            };
            found.push(target.split_whitespace().next().unwrap_or_default());
            rest = next;
        }
    }
    found
}

/// Nobody else has this machine's folders.
fn machine_paths(file: &File, root: &str) -> Vec<Finding> {
    let homes = ["/root/", "/Users/"];
    let checkout = format!("{}/", root.trim_end_matches('/'));
    file.text
        .lines()
        .enumerate()
        .filter(|(_, line)| {
            let named = checkout.len() > 2 && line.contains(&checkout);
            // This file has to name them.
            named
                || (file.path != "xtask/src/tidy/documents.rs"
                    && homes.iter().any(|home| line.contains(home)))
        })
        .map(|(index, _)| Finding::new(&file.path, index + 1, "names a folder of one machine"))
        .collect()
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

    fn whats(findings: Vec<Finding>) -> Vec<String> {
        findings.iter().map(Finding::to_string).collect()
    }

    #[test]
    fn a_required_document_that_is_missing_is_found() {
        assert!(whats(required(&[])).contains(&"CHANGELOG.md: is missing".to_owned()));
        assert!(
            !whats(required(&[file("CHANGELOG.md", "")]))
                .contains(&"CHANGELOG.md: is missing".to_owned())
        );
    }

    #[test]
    fn a_link_that_leads_nowhere_is_found() {
        let guide = file(
            "docs/README.md",
            "# Guide\n[a](start.md) [b](gone.md) [c](../README.md) [d](#guide) [e](#no) [f](start.md#a-b) `[g](x.md)`\n```\n[h](y.md)\n```\n[i](https://example.org) [j](../../README.md) [k](decisions)\n",
        );
        let files = [
            guide.clone(),
            file("docs/start.md", "# A, B\n"),
            file("README.md", ""),
            file("docs/decisions/0001-a.md", ""),
        ];
        assert_eq!(
            whats(dead_links(&guide, &files)),
            [
                "docs/README.md:2: `gone.md` leads nowhere",
                "docs/README.md:2: `#no` leads nowhere",
                "docs/README.md:6: `../../README.md` leads nowhere",
            ]
        );
    }

    #[test]
    fn a_gap_between_decisions_and_a_missing_part_are_found() {
        let whole = "# 1. A\n\n## Context\n\n## Decision\n\n## Consequences\n";
        let files = [
            file("docs/decisions/0001-a.md", whole),
            file(
                "docs/decisions/0003-c.md",
                "# 3. C\n\n## Context\n\n## Decision\n",
            ),
        ];
        assert_eq!(
            whats(decisions(&files)),
            [
                "docs/decisions/0003-c.md: the decision after the last one is 0002-TITLE.md",
                "docs/decisions/0003-c.md: has no `## Consequences`",
            ]
        );
    }

    #[test]
    fn a_decision_that_the_list_lacks_is_found() {
        let whole = "# 1. A\n\n## Context\n\n## Decision\n\n## Consequences\n";
        let mut files = [
            file("docs/decisions/0001-a.md", whole),
            file("docs/decisions/README.md", "[A](0001-b.md)\n"),
        ];
        assert_eq!(
            whats(decisions(&files)),
            ["docs/decisions/0001-a.md: is not listed in docs/decisions/README.md"]
        );
        files[1] = file("docs/decisions/README.md", "[A](0001-a.md)\n");
        assert_eq!(whats(decisions(&files)), [""; 0]);
    }

    #[test]
    fn a_path_of_this_machine_is_found() {
        let text = "see /src/checkout/usher/README.md\nsee README.md\nrun it in /root/usher\n";
        let findings = machine_paths(&file("a.md", text), "/src/checkout/usher");
        let lines: Vec<usize> = findings.iter().map(|finding| finding.line).collect();
        assert_eq!(lines, [1, 3]);
    }

    #[test]
    fn a_ci_script_that_runs_something_else_is_found() {
        let files = [
            file(".ci/run", "cargo test\n"),
            file("README.md", "cargo xtask test\n"),
        ];
        assert_eq!(
            whats(one_test_command(&files)),
            [".ci/run: does not name `cargo xtask test`"]
        );
    }

    #[test]
    fn unwritten_text_is_found_outside_code() {
        let mark = "TB".to_owned() + "D";
        let text = format!("{mark}\n```\n{mark}\n```\n");
        assert_eq!(unfinished(&file("a.md", &text)).len(), 1);
    }
}
