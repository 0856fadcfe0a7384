//! Where `unsafe` may stand: only in the leaf modules that talk to the operating system.

use super::Finding;
use super::rust::{Source, has_word};

/// Leaf modules, as a file or the folder of the same name.
const LEAVES: &[&str] = &[
    "crates/agent/src/gate/changes/kernel",
    "crates/agent/src/watch",
    "crates/gate/alone/allocator",
    "crates/gate/alone/fault",
    "crates/gate/src/kernel",
    "crates/platform/src/linux/process",
    "crates/platform/src/windows",
    "crates/service/src/linux/sockets",
    "crates/sim/src/disk/vfs",
    "crates/usher/src/notify/idle/wayland/protocol",
    "crates/usher/src/spawn",
];

/// Crates with a leaf: they deny `unsafe` and allow it in the leaf; all others forbid it.
const CRATES_WITH_A_LEAF: &[&str] = &[
    "crates/agent/",
    "crates/gate/",
    "crates/platform/",
    "crates/service/",
    "crates/sim/",
    "crates/usher/",
];

/// All findings of one file.
pub(crate) fn check(source: &Source<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(outside_leaves(source));
    findings.extend(unexplained(source));
    findings.extend(root_without_ban(source));
    findings
}

fn is_leaf(path: &str) -> bool {
    LEAVES.iter().any(|leaf| {
        path.strip_prefix(leaf)
            .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
    })
}

fn outside_leaves(source: &Source<'_>) -> Vec<Finding> {
    if is_leaf(source.path) {
        return Vec::new();
    }
    source
        .code()
        .filter(|(_, code)| has_word(code, "unsafe"))
        .map(|(line, _)| {
            Finding::new(
                source.path,
                line,
                "`unsafe` outside the modules that may hold it",
            )
        })
        .collect()
}

/// A block says why it is sound, above it or beside it.
fn unexplained(source: &Source<'_>) -> Vec<Finding> {
    let explained: Vec<usize> = source
        .comments()
        .filter(|(_, comment)| comment.contains("SAFETY:"))
        .map(|(line, _)| line)
        .collect();
    source
        .code()
        .filter(|(_, code)| has_word(code, "unsafe") && code.contains('{'))
        .filter(|(line, _)| !explained.iter().any(|at| at <= line && line - at <= 6))
        .map(|(line, _)| Finding::new(source.path, line, "`unsafe` without its SAFETY line"))
        .collect()
}

/// A crate's root forbids `unsafe`, or denies it if the crate has a leaf.
fn root_without_ban(source: &Source<'_>) -> Option<Finding> {
    if !is_crate_root(source.path) {
        return None;
    }
    let leafy = CRATES_WITH_A_LEAF
        .iter()
        .any(|of| source.path.starts_with(of));
    let ban = if leafy {
        "#![deny(unsafe_code)]"
    } else {
        "#![forbid(unsafe_code)]"
    };
    let has_ban = source
        .code()
        .any(|(_, code)| code.contains(ban) || code.contains("#![forbid(unsafe_code)]"));
    (!has_ban).then(|| Finding::new(source.path, 0, format!("the crate's root lacks `{ban}`")))
}

fn is_crate_root(path: &str) -> bool {
    path.ends_with("src/lib.rs") || path.ends_with("src/main.rs") || path.contains("/src/bin/")
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

    const SOUND: &str = "//! A thing.\n// SAFETY: it is.\nunsafe { f() }\n";

    #[test]
    fn unsafe_outside_a_leaf_is_found_even_when_explained() {
        found_at("crates/store/src/writer.rs", SOUND, &[3]);
        found_at("crates/agent/src/watch/linux.rs", SOUND, &[]);
        found_at("crates/agent/src/watching.rs", SOUND, &[3]);
    }

    #[test]
    fn unsafe_without_a_reason_is_found() {
        let text = "//! A thing.\nlet x = unsafe { f() };\n";
        found_at("crates/usher/src/spawn.rs", text, &[2]);
    }

    #[test]
    fn unsafe_in_a_string_or_comment_is_none() {
        let text = "//! Nothing unsafe.\nlet x = \"unsafe {\"; // unsafe\n";
        found_at("crates/store/src/writer.rs", text, &[]);
    }

    #[test]
    fn a_crate_root_without_a_ban_is_found() {
        let none = "//! A crate.\n";
        let deny = "//! A crate.\n#![deny(unsafe_code)]\n";
        let forbid = "//! A crate.\n#![forbid(unsafe_code)]\n";
        found_at("crates/core/src/lib.rs", none, &[0]);
        found_at("crates/core/src/lib.rs", deny, &[0]);
        found_at("crates/core/src/lib.rs", forbid, &[]);
        found_at("crates/agent/src/lib.rs", deny, &[]);
        found_at("crates/agent/src/lib.rs", none, &[0]);
    }
}
