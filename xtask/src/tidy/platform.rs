//! Platform differences sit in files named after the platform, behind one interface.

use super::Finding;
use super::rust::{Source, has_word};

const PLATFORMS: &[&str] = &["linux", "windows", "unix", "macos"];
/// In a `cfg`, what asks for the platform.
const QUESTIONS: &[&str] = &["target_os", "target_family", "windows", "unix"];

/// `cfg` lines may stand in platform-named files, in tests, and on the switch between modules.
pub(crate) fn check(source: &Source<'_>) -> Vec<Finding> {
    if is_platform_named(source.path) {
        return Vec::new();
    }
    let lines: Vec<(usize, &str)> = source.code().collect();
    lines
        .iter()
        .enumerate()
        .filter(|(_, (line, code))| asks_for_platform(code) && !source.is_test(*line))
        .filter(|(index, _)| !switches_modules(&lines[*index + 1..]))
        .map(|(_, (line, _))| {
            let what = "a platform's difference outside a file named after the platform";
            Finding::new(source.path, *line, what)
        })
        .collect()
}

fn is_platform_named(path: &str) -> bool {
    path.split('/')
        .any(|part| PLATFORMS.contains(&part.strip_suffix(".rs").unwrap_or(part)))
}

fn asks_for_platform(code: &str) -> bool {
    let asks = code.contains("cfg(") || code.contains("cfg!(") || code.contains("cfg_attr(");
    asks && QUESTIONS.iter().any(|question| has_word(code, question))
}

/// Whether the attribute is for `mod x;` or a `use` of it.
fn switches_modules(after: &[(usize, &str)]) -> bool {
    let item = after
        .iter()
        .map(|(_, code)| code.trim())
        .find(|code| !code.is_empty() && !code.starts_with("#["))
        .unwrap_or_default();
    let item = match item.strip_prefix("pub") {
        Some(rest) => rest.trim_start_matches(|c| c != ' '),
        None => item,
    };
    let item = item.trim_start();
    item.starts_with("mod ") || item.starts_with("use ")
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
    fn a_platform_question_in_logic_is_found() {
        let text = "//! A thing.\n#[cfg(target_os = \"linux\")]\nfn f() {}\n";
        found_at("crates/agent/src/outbox.rs", text, &[2]);
        found_at("crates/agent/src/watch/linux.rs", text, &[]);
        let text = "//! A thing.\nif cfg!(windows) { g() }\n";
        found_at("crates/agent/src/outbox.rs", text, &[2]);
    }

    #[test]
    fn the_switch_between_modules_may_ask() {
        let text = "//! A thing.\n#[cfg(unix)]\nmod unix;\n#[cfg(unix)]\npub(crate) use unix::f;\n";
        found_at("crates/agent/src/watch/mod.rs", text, &[]);
    }

    #[test]
    fn other_conditions_are_not_meant() {
        let text = "//! A thing.\n#[cfg(feature = \"otlp\")]\nfn f() {}\n";
        found_at("crates/agent/src/outbox.rs", text, &[]);
    }
}
