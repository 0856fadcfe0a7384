//! `cargo xtask tidy`: the rules of the house, held against the tree.
//!
//! Each rule is a function from what it looks at to findings, with a test that shows it a broken
//! sample. A finding names the place, what is wrong, and what would be right.

mod circles;
mod code;
mod documents;
mod graph;
mod platform;
mod repeats;
mod rust;
mod safety;
mod system;
pub(crate) mod tree;
mod words;

use std::fmt;
use std::path::Path;

use crate::{bpf, metadata};
use rust::Source;
use tree::File;

/// A place at which a rule is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// File, with `/` between folders; or a package.
    place: String,
    /// The line, from 1; 0 if the whole file is meant.
    line: usize,
    what: String,
}

impl Finding {
    fn new(place: &str, line: usize, what: impl Into<String>) -> Self {
        Finding {
            place: place.to_owned(),
            line,
            what: what.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.place, self.what),
            line => write!(f, "{}:{line}: {}", self.place, self.what),
        }
    }
}

/// Holds every rule; an error says how many are broken. What is merely long is told, not failed.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let files = tree::read(root)?;
    let metadata = metadata::read(root)?;

    let mut findings = graph::check(&metadata);
    for file in files.iter().filter(|file| file.path.ends_with(".rs")) {
        let source = Source::new(&file.path, &file.text);
        findings.extend(code::check(&source));
        findings.extend(safety::check(&source));
        findings.extend(platform::check(&source));
        findings.extend(system::check(&source));
        findings.extend(words::comments(file));
        findings.extend(repeats::comments(file));
    }
    for file in files.iter().filter(|file| file.path.ends_with(".md")) {
        findings.extend(words::page(file));
        findings.extend(repeats::page(file));
    }
    let (crates, unread) = circles::read(&circles::roots(root, &metadata), &files);
    findings.extend(unread);
    findings.extend(circles::check(&circles::find(&crates)));
    findings.extend(circles::floors::check(&crates, &files));
    findings.extend(system::stale(&files));
    findings.extend(documents::check(&files, &root.to_string_lossy()));
    findings.extend(bpf::stale(root).map(|what| Finding::new(&bpf::place(), 0, what)));
    findings.sort_by(|a, b| (&a.place, a.line).cmp(&(&b.place, b.line)));

    for note in files.iter().filter_map(long) {
        println!("note: {note}");
    }
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => {
            println!("{} files hold to the rules of the house", files.len());
            Ok(())
        }
        count => Err(format!("{count} places break a rule of the house")),
    }
}

/// A file much over 400 lines is asking to be two.
fn long(file: &File) -> Option<Finding> {
    let lines = file.text.lines().count();
    (file.path.ends_with(".rs") && lines > code::LINES_ONE_IDEA)
        .then(|| Finding::new(&file.path, 0, format!("{lines} lines: is this one idea?")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_says_where_and_what() {
        assert_eq!(
            Finding::new("a.rs", 3, "is wrong").to_string(),
            "a.rs:3: is wrong"
        );
        assert_eq!(
            Finding::new("a.rs", 0, "is wrong").to_string(),
            "a.rs: is wrong"
        );
    }

    #[test]
    fn a_long_file_is_told() {
        let file = |lines: usize| File {
            path: "a.rs".to_owned(),
            text: "x\n".repeat(lines),
        };
        assert!(long(&file(400)).is_none());
        assert!(long(&file(401)).is_some());
    }
}
