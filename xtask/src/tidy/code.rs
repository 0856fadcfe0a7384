//! Rules for any Rust file: it says what it is for, is finished, and is not too long.

use super::Finding;
use super::rust::{Source, has_word};

/// A longer file is told of.
pub(crate) const LINES_ONE_IDEA: usize = 400;
/// A longer file is a mistake.
const LINES_LIMIT: usize = 2_000;
/// Before a sleep that a test needs, such as between two looks at a condition.
const SLEEP_MARK: &str = "tidy: sleep,";

/// What only a shell may name: core is given the time and its input, and returns effects.
const NOT_IN_CORE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "std::env",
    "std::io",
    "SystemTime",
    "Instant",
    "println!",
    "eprintln!",
    "async fn",
];

/// All findings of one file.
pub(crate) fn check(source: &Source<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(purpose(source));
    findings.extend(length(source));
    findings.extend(unfinished(source));
    findings.extend(sleeping_tests(source));
    findings.extend(impure_core(source));
    findings.extend(panicking_prints(source));
    findings
}

/// The first line says what the module is for.
fn purpose(source: &Source<'_>) -> Option<Finding> {
    let first = source.text.lines().next().unwrap_or_default();
    let words = first
        .strip_prefix("//!")
        .map_or(0, |doc| doc.split_whitespace().count());
    (words < 2).then(|| {
        Finding::new(
            source.path,
            1,
            "the first line is not `//!` and what the module is for",
        )
    })
}

fn length(source: &Source<'_>) -> Option<Finding> {
    let lines = source.text.lines().count();
    (lines > LINES_LIMIT)
        .then(|| Finding::new(source.path, 0, format!("{lines} lines: over {LINES_LIMIT}")))
}

/// No marks of work to be done, in code or comments.
fn unfinished(source: &Source<'_>) -> Vec<Finding> {
    let macros = ["todo!", "unimplemented!"];
    let words = ["TODO", "FIXME", "XXX"];
    let in_code = source
        .code()
        .filter(|(_, code)| macros.iter().any(|name| code.contains(name)));
    let in_comments = source
        .comments()
        .filter(|(_, comment)| words.iter().any(|word| has_word(comment, word)));
    in_code
        .chain(in_comments)
        .map(|(line, _)| Finding::new(source.path, line, "something is left to be done here"))
        .collect()
}

/// Tests wait on conditions with a deadline, or own the clock.
fn sleeping_tests(source: &Source<'_>) -> Vec<Finding> {
    source
        .code()
        .filter(|(line, code)| {
            source.is_test(*line)
                && has_word(code, "sleep")
                && code.contains("sleep(")
                && !source.is_marked(*line, SLEEP_MARK)
        })
        .map(|(line, _)| {
            let what = format!(
                "a test sleeps; wait on the condition, or say why above: `// {SLEEP_MARK} REASON`"
            );
            Finding::new(source.path, line, what)
        })
        .collect()
}

/// Core reads no clock and does no I/O; its tests may.
fn impure_core(source: &Source<'_>) -> Vec<Finding> {
    if !source.path.starts_with("crates/core/src/") {
        return Vec::new();
    }
    source
        .code()
        .filter(|(line, _)| !source.is_test(*line))
        .flat_map(|(line, code)| {
            NOT_IN_CORE
                .iter()
                .filter(|name| has_word(code, name))
                .map(move |name| (line, *name))
                .collect::<Vec<_>>()
        })
        .map(|(line, name)| Finding::new(source.path, line, format!("core names `{name}`")))
        .collect()
}

/// `eprintln!` and its like panic if standard error or output cannot be written, and end the
/// thread that speaks.
fn panicking_prints(source: &Source<'_>) -> Vec<Finding> {
    const PRINTS: [&str; 4] = ["print!", "println!", "eprint!", "eprintln!"];
    let is_shipped = source.path.starts_with("crates/")
        && source.path.contains("/src/")
        // What only tests use.
        && !source.path.starts_with("crates/testing/");
    let lines = source
        .code()
        .filter(|(line, _)| is_shipped && !source.is_test(*line));
    lines
        .filter(|(_, code)| PRINTS.iter().any(|name| has_word(code, name)))
        .map(|(line, _)| {
            let what = "prints by a macro that panics where nobody can read: take \
                        `usher_vital::log::line`, or `writeln!`";
            Finding::new(source.path, line, what)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of a file at which something is found.
    #[track_caller]
    fn found_at(path: &str, text: &str, expected: &[usize]) {
        let findings = check(&Source::new(path, text));
        let lines: Vec<usize> = findings.iter().map(|finding| finding.line).collect();
        assert_eq!(lines, expected, "{path}: {findings:?}");
    }

    #[test]
    fn a_module_that_does_not_say_what_it_is_for_is_found() {
        found_at("a.rs", "use std::fmt;\n", &[1]);
        found_at("a.rs", "//! Placeholder.\n", &[1]);
        found_at("a.rs", "//! Pages of lists.\n", &[]);
    }

    #[test]
    fn a_file_over_the_limit_is_found() {
        let text = format!("//! Long by mistake.\n{}", "f();\n".repeat(2_000));
        found_at("a.rs", &text, &[0]);
    }

    #[test]
    fn unfinished_work_is_found_in_code_and_comments_but_not_in_strings() {
        let mark = "TO".to_owned() + "DO";
        found_at("a.rs", &format!("//! A thing.\n// {mark}: more\n"), &[2]);
        found_at("a.rs", "//! A thing.\nfn f() { unimplemented!() }\n", &[2]);
        found_at("a.rs", &format!("//! A thing.\nlet a = \"{mark}\";\n"), &[]);
    }

    #[test]
    fn a_test_that_sleeps_is_found_unless_it_says_why() {
        let head = "//! A thing.\nfn f() { sleep(1) }\n#[cfg(test)]\nmod tests {\n";
        found_at("a.rs", &format!("{head}thread::sleep(x);\n}}\n"), &[5]);
        let marked = format!("{head}// tidy: sleep, between two looks\nthread::sleep(x);\n}}\n");
        found_at("a.rs", &marked, &[]);
        let bare = format!("{head}// tidy: sleep,\nthread::sleep(x);\n}}\n");
        found_at("a.rs", &bare, &[6]);
    }

    #[test]
    fn a_print_that_panics_is_found_in_what_is_shipped() {
        let text = "//! A thing.\neprintln!(\"x\");\n#[cfg(test)]\nmod tests { println!() }\n";
        found_at("crates/server/src/serve.rs", text, &[2]);
        found_at("xtask/src/main.rs", text, &[]);
    }

    #[test]
    fn core_that_reads_a_clock_is_found() {
        let text = "//! A thing.\nuse std::time::Instant;\nlet f = std::fs::read(p);\n";
        found_at("crates/core/src/ledger.rs", text, &[2, 3]);
        found_at("crates/store/src/writer.rs", text, &[]);
    }
}
