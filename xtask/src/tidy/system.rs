//! The operating system is asked in usher-platform, and in leaf modules that are one system's by
//! their nature.

use super::Finding;
use super::rust::{Source, has_word};
use super::tree::File;

/// Where else, as a file or a folder without what follows its name, and why.
const LEAVES: &[(&str, &str)] = &[
    ("crates/platform", "the interface and its ends"),
    ("crates/service/src/linux", "systemd"),
    ("crates/gate", "fanotify, and what answers it"),
    ("crates/testing", "undoes what a test did to its computer"),
    (
        "crates/agent/src/watch",
        "eBPF, the process connector, terminals and displays of a process",
    ),
    (
        "crates/agent/src/gate",
        "the partner of the gate: fanotify, mounts",
    ),
    (
        "crates/agent/src/base/wake",
        "wakes a thread that polls those",
    ),
    (
        "crates/agent/src/system",
        "/proc, terminals, mounts, the name service by its pipe",
    ),
    (
        "crates/agent/src/identity",
        "what a process of Linux runs, its package and all of those",
    ),
    ("crates/usher/src/supervisor", "process calls of `usher up`"),
    (
        "crates/usher/src/commands/backup/part",
        "whether an open file is still the one of its name",
    ),
    ("crates/usher/src/bond", "a child that dies with its parent"),
    ("crates/usher/src/spawn", "between fork and exec"),
    (
        "crates/usher/src/owner",
        "process calls: another account's rights",
    ),
    (
        "crates/usher/src/upgrade",
        "process calls: a program that is exchanged and tried",
    ),
    (
        "crates/usher/src/run",
        "signals and job control of `usher run`",
    ),
    ("crates/usher/src/learn", "ptrace"),
    ("crates/usher/src/notify", "X11, Wayland and D-Bus"),
];

/// In code, what asks.
const PATHS: &[&str] = &[
    "std::os::unix",
    "std::os::linux",
    "std::os::fd",
    "std::os::windows",
    "tokio::signal::unix",
    "tokio::signal::windows",
    "windows::named_pipe",
];
const WORDS: &[&str] = &[
    "rustix",
    "nix",
    "libc",
    "windows_sys",
    "UnixListener",
    "UnixStream",
    "UnixDatagram",
];

/// All findings of one file: what is shipped asks by the interface. Tests may ask as they like.
pub(crate) fn check(source: &Source<'_>) -> Vec<Finding> {
    let is_shipped = source.path.starts_with("crates/") && source.path.contains("/src/");
    if !is_shipped || LEAVES.iter().any(|(leaf, _)| is_of(source.path, leaf)) {
        return Vec::new();
    }
    source
        .code()
        .filter(|(line, _)| !source.is_test(*line))
        .filter_map(|(line, code)| Some((line, asks(code)?)))
        .map(|(line, by)| {
            let what = format!(
                "`{by}` outside usher-platform: ask by its interface; a leaf module that is one \
                 system's by nature is named with its reason in xtask/src/tidy/system.rs"
            );
            Finding::new(source.path, line, what)
        })
        .collect()
}

/// By what a line asks the operating system.
fn asks(code: &str) -> Option<&'static str> {
    let path = PATHS.iter().find(|path| code.contains(**path));
    let word = || WORDS.iter().find(|word| has_word(code, word));
    path.or_else(word).copied()
}

fn is_of(path: &str, leaf: &str) -> bool {
    path.strip_prefix(leaf)
        .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

/// Leaves that are no more: a list that allows what is not there hides what comes there later.
pub(crate) fn stale(files: &[File]) -> Vec<Finding> {
    let is_there = |leaf: &str| files.iter().any(|file| is_of(&file.path, leaf));
    LEAVES
        .iter()
        .filter(|(leaf, _)| !is_there(leaf))
        .map(|(leaf, _)| {
            let what = "no such module: take it out of the list in xtask/src/tidy/system.rs";
            Finding::new(leaf, 0, what)
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
    fn whoever_asks_the_system_past_the_interface_is_found() {
        for asks in [
            "use std::os::unix::fs::OpenOptionsExt;",
            "use rustix::fs::flock;",
            "let uid = nix::unistd::getuid();",
            "unsafe { libc::getuid() };",
            "use tokio::signal::unix::signal;",
            "use tokio::net::UnixListener;",
            "use windows_sys::Win32::Foundation::HANDLE;",
        ] {
            let text = format!("//! A thing.\n{asks}\n");
            found_at("crates/server/src/serve.rs", &text, &[2]);
            found_at("crates/platform/src/linux/lock/mod.rs", &text, &[]);
            found_at("crates/agent/src/watch/mod.rs", &text, &[]);
            found_at("crates/agent/src/watching.rs", &text, &[2]);
            found_at("bench/src/seats.rs", &text, &[]);
        }
    }

    #[test]
    fn words_in_comments_strings_other_words_and_tests_are_not_meant() {
        let text = "//! Not rustix.\nlet unix_ms = \"libc::\"; // nix\n#[cfg(test)]\nmod tests {\n\
                    use std::os::unix::fs::symlink;\n}\n";
        found_at("crates/server/src/serve.rs", text, &[]);
    }

    #[test]
    fn a_leaf_that_is_no_more_is_found() {
        let file = |path: &str| File {
            path: path.to_owned(),
            text: String::new(),
        };
        let all: Vec<File> = LEAVES
            .iter()
            .map(|(leaf, _)| file(&format!("{leaf}.rs")))
            .collect();
        assert_eq!(stale(&all), []);
        let found = stale(&all[1..]);
        assert_eq!((found.len(), &*found[0].place), (1, LEAVES[0].0));
    }
}
