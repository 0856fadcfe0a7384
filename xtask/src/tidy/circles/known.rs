//! Circles that are still there. The list may only shrink.

use std::collections::BTreeSet;

use super::super::Finding;
use super::Found;

/// One circle a line, `PACKAGE LEVEL: MODULE, MODULE`; `#` begins a comment.
pub(super) const LIST: &str = include_str!("known.txt");
const PLACE: &str = "xtask/src/tidy/circles/known.txt";

/// A line of the list.
struct Known<'a> {
    line: usize,
    text: &'a str,
    /// Package and level.
    place: &'a str,
    members: BTreeSet<&'a str>,
}

/// Where the circles that are found differ from the list.
pub(super) fn compare(found: &[Found], list: &str) -> Vec<Finding> {
    let known: Vec<Known<'_>> = list.lines().enumerate().filter_map(read).collect();
    let mut findings: Vec<Finding> = found
        .iter()
        .filter_map(|circle| against(circle, &known))
        .collect();
    for entry in &known {
        let is_there = found.iter().any(|circle| circle.line() == entry.text);
        if !is_there {
            let what = format!(
                "this circle is gone or has changed, take the line out: {}",
                entry.text
            );
            findings.push(Finding::new(PLACE, entry.line, what));
        }
    }
    findings
}

fn read((index, text): (usize, &str)) -> Option<Known<'_>> {
    let (place, members) = text.split_once(": ")?;
    (!text.starts_with('#')).then(|| Known {
        line: index + 1,
        text,
        place,
        members: members.split(", ").collect(),
    })
}

/// What is wrong with one circle: it is new, larger than a listed one, or smaller.
fn against(found: &Found, known: &[Known<'_>]) -> Option<Finding> {
    let line = found.line();
    let (place, _) = line.split_once(": ")?;
    let members: BTreeSet<&str> = found.circle.members.iter().map(String::as_str).collect();
    let nearest = known
        .iter()
        .filter(|entry| entry.place == place)
        .max_by_key(|entry| entry.members.intersection(&members).count())
        .filter(|entry| !entry.members.is_disjoint(&members));
    let what = match nearest {
        None => format!(
            "its modules need each other in a circle: {line}\n  move what closes it to a module \
             that both may use{}",
            found.ties(|_| true)
        ),
        Some(entry) if entry.members == members => return None,
        Some(entry) if members.is_subset(&entry.members) => {
            format!("a known circle has become smaller, write in {PLACE}: {line}")
        }
        Some(entry) => {
            let added: Vec<&str> = members.difference(&entry.members).copied().collect();
            format!(
                "a known circle has grown by {}, which it may not: {line}{}",
                added.join(", "),
                found.ties(|module| added.contains(&module))
            )
        }
    };
    Some(Finding::new(&found.package, 0, what))
}
