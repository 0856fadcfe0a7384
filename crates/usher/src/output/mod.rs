//! What is printed: tables for people, JSON for programs, colour only on a terminal.

mod table;

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use crate::failure::Failure;
pub(crate) use table::{Table, written};

/// Prints one JSON document.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let mut text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::failed(format!("cannot write JSON: {error}")))?;
    text.push('\n');
    print(&text)
}

/// Prints text as it is.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    print_bytes(text.as_bytes())
}

/// Prints bytes as they are.
pub(crate) fn print_bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()?;
    Ok(())
}

/// Prints a line.
pub(crate) fn line(text: impl AsRef<str>) -> Result<(), Failure> {
    print(&format!("{}\n", text.as_ref()))
}

/// How a text is highlighted on a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// A heading.
    Strong,
    /// A good state.
    Good,
    /// A state that is worth a look.
    Warn,
    /// A bad state.
    Bad,
}

/// `text` in `tone` if stdout is a terminal and `NO_COLOR` is not set.
pub(crate) fn toned(tone: Tone, text: &str) -> String {
    if !colour() {
        return text.to_owned();
    }
    let code = match tone {
        Tone::Strong => "1",
        Tone::Good => "32",
        Tone::Warn => "33",
        Tone::Bad => "31",
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}

fn colour() -> bool {
    let off = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    !off && !dumb && io::stdout().is_terminal()
}

/// A size, in the largest unit of which it has at least one.
pub(crate) fn bytes(bytes: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{:.1} {name}", bytes as f64 / unit as f64),
        None => format!("{bytes} bytes"),
    }
}

/// `1 seat`, `2 seats`, `2 people`.
pub(crate) fn counted(count: u64, what: &str) -> String {
    match (count, what) {
        (many, "person") if many != 1 => format!("{many} people"),
        _ => usher_core::concerns::counted(count, what),
    }
}

/// `once`, `2 times`.
pub(crate) fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        many => format!("{many} times"),
    }
}

/// A path in JSON, which has no bytes that are not UTF-8: those are replaced.
pub(crate) fn path_as_text<S: serde::Serializer>(
    path: &std::path::Path,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

/// A path on one line, whatever characters it has.
pub(crate) fn shown_path(path: &std::path::Path) -> String {
    tame(&path.display().to_string())
}

/// A word quoted for a shell.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// `text` with what cannot be seen made visible: a name must not steer the terminal.
pub(crate) fn tame(text: &str) -> String {
    if !text.chars().any(usher_api::is_unseen) {
        return text.to_owned();
    }
    text.chars()
        .flat_map(|c| match usher_api::is_unseen(c) {
            true => c.escape_default().collect::<Vec<char>>(),
            false => vec![c],
        })
        .collect()
}
