//! The floors of a crate, as ARCHITECTURE.md has them: each module uses only those on floors below
//! its own, and none beside it.

use std::collections::{BTreeMap, BTreeSet};

use super::Crate;
use crate::tidy::Finding;
use crate::tidy::tree::File;

const PAGE: &str = "ARCHITECTURE.md";
/// Under which the table is.
const HEADING: &str = "### Floors inside the crates";

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    line: usize,
    /// The folder of a crate, such as `crates/store`.
    folder: String,
    /// The module whose parts are meant, from the crate's root; empty for the root itself.
    within: Vec<String>,
    /// Names of modules, the lowest floor first.
    floors: Vec<Vec<String>>,
}

/// A finding for each module that uses one on no floor below its own, and for each that the table
/// has not, or has in vain.
pub(in crate::tidy) fn check(crates: &[Crate], files: &[File]) -> Vec<Finding> {
    let page = files.iter().find(|file| file.path == PAGE);
    let rows = page.map_or_else(Vec::new, |page| rows(&page.text));
    if rows.is_empty() {
        let what = format!("has no table of floors under `{HEADING}`");
        return vec![Finding::new(PAGE, 0, what)];
    }
    rows.iter().flat_map(|row| held(row, crates)).collect()
}

/// The rows below the heading: which crate in the first cell, and in the second its floors, with `·`
/// between them. What stands in parentheses says what a floor is for.
fn rows(page: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut is_below = false;
    for (index, line) in page.lines().enumerate() {
        if line.starts_with('#') {
            is_below = line == HEADING;
        }
        let mut cells = line.split('|').skip(1);
        let (true, Some(of), Some(floors)) = (is_below, cells.next(), cells.next()) else {
            continue;
        };
        let mut of = names(of).into_iter();
        let Some(folder) = of.next() else {
            continue;
        };
        rows.push(Row {
            line: index + 1,
            folder,
            within: of.collect(),
            floors: without_parentheses(floors).split('·').map(names).collect(),
        });
    }
    rows
}

/// What stands between backticks.
fn names(text: &str) -> Vec<String> {
    let parts = text.split('`').skip(1).step_by(2);
    parts.map(str::to_owned).collect()
}

fn without_parentheses(text: &str) -> String {
    let mut depth = 0_usize;
    let outside = text.chars().filter(|letter| match letter {
        '(' => {
            depth += 1;
            false
        }
        ')' => {
            depth = depth.saturating_sub(1);
            false
        }
        _ => depth == 0,
    });
    outside.collect()
}

fn held(row: &Row, crates: &[Crate]) -> Vec<Finding> {
    let wrong = |what: String| Finding::new(PAGE, row.line, what);
    let source = format!("{}/src/", row.folder);
    let mut of_row = crates
        .iter()
        .filter(|krate| krate.file.starts_with(&source))
        .peekable();
    if of_row.peek().is_none() {
        return vec![wrong(format!("there is no crate `{}`", row.folder))];
    }
    let mut findings = Vec::new();
    for krate in of_row {
        match level(krate, &row.within) {
            Some(level) => findings.extend(held_at(row, krate, level)),
            None => findings.push(wrong(format!(
                "`{}` has no module `{}`",
                row.folder,
                row.within.join("::")
            ))),
        }
    }
    findings
}

/// The module of that path from the crate's root.
fn level(krate: &Crate, within: &[String]) -> Option<usize> {
    let modules = &krate.modules.0;
    within.iter().try_fold(0, |at, name| {
        let mut children = modules[at].children.iter().copied();
        children.find(|child| modules[*child].name == *name)
    })
}

fn held_at(row: &Row, krate: &Crate, level: usize) -> Vec<Finding> {
    let modules = &krate.modules.0;
    let mut findings = Vec::new();
    let mut wrong = |what: String| findings.push(Finding::new(PAGE, row.line, what));
    let mut floor_of: BTreeMap<&str, usize> = BTreeMap::new();
    for (floor, names) in row.floors.iter().enumerate() {
        for name in names {
            if floor_of.insert(name, floor).is_some() {
                wrong(format!("`{name}` is on two floors"));
            }
        }
    }
    let there = modules[level].children.iter();
    let there: BTreeSet<&str> = there.map(|child| &*modules[*child].name).collect();
    for name in floor_of.keys().filter(|name| !there.contains(*name)) {
        wrong(format!(
            "there is no module `{name}`: take it from its floor"
        ));
    }
    for name in there.iter().filter(|name| !floor_of.contains_key(*name)) {
        wrong(format!(
            "the module `{name}` is on no floor: name it on the lowest from which it uses only those \
             below"
        ));
    }
    for ((from, to), ties) in krate.levels.get(&level).into_iter().flatten() {
        let (from, to) = (&*modules[*from].name, &*modules[*to].name);
        let (Some(of_from), Some(of_to)) = (floor_of.get(from), floor_of.get(to)) else {
            continue;
        };
        // Of modules that each system has its own of, `use` means the one that is compiled.
        if of_to < of_from || from == to {
            continue;
        }
        findings.extend(ties.iter().map(|tie| {
            let what = format!(
                "`{from}` uses {}, and `{to}` is on no floor below it in {PAGE}: move what both \
                 need to a lower floor, or what uses it to a higher one",
                tie.item
            );
            Finding::new(&tie.file, tie.line, what)
        }));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::{Root, read};
    use super::*;

    const LIB: (&str, &str) = ("lib.rs", "mod base;\nmod high;\nmod low;\n");
    const BASE: (&str, &str) = ("base.rs", "pub struct Base;\n");
    const LOW: (&str, &str) = ("low.rs", "use crate::base::Base;\npub struct Low(Base);\n");
    const HIGH: (&str, &str) = ("high/mod.rs", "mod part;\n");
    const PART: (&str, &str) = (
        "high/part.rs",
        "use crate::low::Low;\npub struct High(Low);\n",
    );

    /// What is found in a crate of some files, whose row in the table has those floors.
    #[track_caller]
    fn finds(row: &str, sources: &[(&str, &str)], expected: &[&str]) {
        let page = format!(
            "# Map\n| `crates/other` | `not`, `meant` |\n\n{HEADING}\n\n| crate | floors |\n|---|---|\n\
             {row}\n\n### Where to look\n\n| `crates/other` | `not`, `meant` |\n"
        );
        let sources = sources.iter().map(|(path, text)| File {
            path: format!("crates/a/src/{path}"),
            text: (*text).to_owned(),
        });
        let page = File {
            path: PAGE.to_owned(),
            text: page,
        };
        let mut files: Vec<File> = sources.chain([page]).collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let root = Root {
            package: "usher-a".to_owned(),
            file: "crates/a/src/lib.rs".to_owned(),
        };
        let (crates, unread) = read(&[root], &files);
        assert_eq!(unread, []);
        let found = check(&crates, &files);
        let found: Vec<String> = found.iter().map(Finding::to_string).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn modules_that_use_only_floors_below_them_are_right() {
        let row = "| `crates/a` | `base` (what `high` and `low` need) · `low` · `high` |";
        finds(row, &[LIB, BASE, LOW, HIGH, PART], &[]);
    }

    #[test]
    fn a_module_that_uses_one_above_it_is_found() {
        let row = "| `crates/a` | `base` · `high` · `low` |";
        finds(
            row,
            &[LIB, BASE, LOW, HIGH, PART],
            &[
                "crates/a/src/high/part.rs:1: `high` uses crate::low::Low, and `low` is on no floor \
                 below it in ARCHITECTURE.md: move what both need to a lower floor, or what uses it \
                 to a higher one",
            ],
        );
    }

    #[test]
    fn a_module_that_uses_one_beside_it_is_found() {
        let row = "| `crates/a` | `base` · `low`, `high` |";
        finds(
            row,
            &[LIB, BASE, LOW, HIGH, PART],
            &[
                "crates/a/src/high/part.rs:1: `high` uses crate::low::Low, and `low` is on no floor \
                 below it in ARCHITECTURE.md: move what both need to a lower floor, or what uses it \
                 to a higher one",
            ],
        );
    }

    #[test]
    fn a_name_that_a_module_above_hands_on_is_found() {
        let handed_on = ("high/mod.rs", "mod part;\npub use crate::base::Base;\n");
        let low = ("low.rs", "use crate::high::Base;\npub struct Low(Base);\n");
        let part = ("high/part.rs", "\n");
        let row = "| `crates/a` | `base` · `low` · `high` |";
        finds(
            row,
            &[LIB, BASE, low, handed_on, part],
            &[
                "crates/a/src/low.rs:1: `low` uses crate::base::Base, and `high` is on no floor \
                 below it in ARCHITECTURE.md: move what both need to a lower floor, or what uses it \
                 to a higher one",
            ],
        );
    }

    #[test]
    fn floors_of_the_parts_of_a_module_are_held_too() {
        let lib = ("lib.rs", "mod whole;\n");
        let whole = ("whole/mod.rs", "mod one;\nmod two;\n");
        let one = ("whole/one.rs", "pub struct One;\n");
        let two = ("whole/two.rs", "use super::one::One;\nstruct Two(One);\n");
        let files = [lib, whole, one, two];
        finds("| `crates/a`, `whole` | `one` · `two` |", &files, &[]);
        finds(
            "| `crates/a`, `whole` | `two` · `one` |",
            &files,
            &[
                "crates/a/src/whole/two.rs:1: `two` uses crate::whole::one::One, and `one` is on no \
                 floor below it in ARCHITECTURE.md: move what both need to a lower floor, or what \
                 uses it to a higher one",
            ],
        );
    }

    #[test]
    fn every_module_has_one_floor_and_every_name_is_one_of_a_module() {
        let row = "| `crates/a` | `base`, `gone` · `low` · `base` |";
        finds(
            row,
            &[LIB, BASE, LOW, HIGH, ("high/part.rs", "\n")],
            &[
                "ARCHITECTURE.md:8: `base` is on two floors",
                "ARCHITECTURE.md:8: there is no module `gone`: take it from its floor",
                "ARCHITECTURE.md:8: the module `high` is on no floor: name it on the lowest from \
                 which it uses only those below",
                "crates/a/src/low.rs:1: `low` uses crate::base::Base, and `base` is on no floor \
                 below it in ARCHITECTURE.md: move what both need to a lower floor, or what uses it \
                 to a higher one",
            ],
        );
    }

    #[test]
    fn a_row_of_no_crate_or_module_and_a_page_without_rows_are_found() {
        let files = [LIB, BASE, LOW, HIGH, PART];
        finds(
            "| `crates/b` | `base` |",
            &files,
            &["ARCHITECTURE.md:8: there is no crate `crates/b`"],
        );
        finds(
            "| `crates/a`, `low`, `part` | `base` |",
            &files,
            &["ARCHITECTURE.md:8: `crates/a` has no module `low::part`"],
        );
        finds(
            "",
            &files,
            &["ARCHITECTURE.md: has no table of floors under `### Floors inside the crates`"],
        );
    }

    #[test]
    fn a_module_that_each_system_has_its_own_of_is_one() {
        let lib = (
            "lib.rs",
            "#[cfg(unix)]\n#[path = \"one/mod.rs\"]\nmod system;\n\
             #[cfg(windows)]\n#[path = \"two/mod.rs\"]\nmod system;\n",
        );
        let one = ("one/mod.rs", "mod part;\npub fn asked() {}\n");
        let part = ("one/part.rs", "use crate::system::asked;\n");
        let two = ("two/mod.rs", "mod part;\npub fn asked() {}\n");
        let other = ("two/part.rs", "use crate::system::asked;\n");
        finds(
            "| `crates/a` | `system` |",
            &[lib, one, part, two, other],
            &[],
        );
    }

    #[test]
    fn what_tests_use_counts_for_nothing() {
        let low = (
            "low.rs",
            "pub struct Low;\n#[cfg(test)]\nmod tests { use crate::high; }\n",
        );
        let row = "| `crates/a` | `base` · `low` · `high` |";
        finds(row, &[LIB, BASE, low, HIGH, PART], &[]);
    }
}
