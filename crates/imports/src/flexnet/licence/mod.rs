//! Licence files: what they say is owned.
//!
//! A statement begins with its keyword. It goes on while a line ends in a backslash, while a quoted
//! string is open, and on lines that are only attributes (the backslash is optional since FlexLM 7).
//! All files of one daemon are read by one reader, because a newer file supersedes an older one.

mod entry;
mod package;
mod rules;
mod server;
#[cfg(test)]
mod tests;
mod version;

use self::entry::Entry;
use self::package::Packages;
pub use self::server::{Server, Vendor};
use super::text::{Statement, words};
use crate::fact::{Fact, Place};
use crate::reading::{Out, Reader};

/// `FEATURE`, `INCREMENT` and `UPGRADE` lines that are kept. Further ones are not understood.
pub const ENTRIES_LIMIT: usize = 50_000;
/// Bytes of all statements that are kept. Further ones are not understood.
pub const TEXT_LIMIT_BYTES: usize = 16 * 1024 * 1024;
/// Lines that one statement may have. A longer one is not understood, and ends there.
pub const STATEMENT_LINES_LIMIT: u64 = 2_000;
/// `SERVER` lines that are kept, and as many `VENDOR` lines. Further ones are not understood.
pub const SERVERS_LIMIT: usize = 64;

/// Reads the licence files of a server, one after the other. What is owned is said at the end, because a
/// later line may supersede an earlier one.
#[derive(Debug, Default)]
pub struct Licence {
    at: Place,
    pending: Option<Statement>,
    kept_bytes: usize,
    entries: Vec<Entry>,
    packages: Packages,
    servers: Vec<Server>,
    vendors: Vec<Vendor>,
}

impl Licence {
    /// A reader that has read nothing.
    pub fn new() -> Licence {
        Licence::default()
    }

    /// The file is over, and another of the same server follows. Its places have the next file's number.
    pub fn next_file(&mut self, out: &mut Out<'_>) {
        self.take_in(out);
        self.at.file = self.at.file.saturating_add(1);
        self.at.line = 0;
    }

    /// The servers: one, or three that stand in for each other.
    pub fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// The vendor daemons, with the options files that they read.
    pub fn vendors(&self) -> &[Vendor] {
        &self.vendors
    }

    /// Takes in the statement whose last line has been read.
    fn take_in(&mut self, out: &mut Out<'_>) {
        let Some(statement) = self.pending.take() else {
            return;
        };
        let is_cut = statement.continued && statement.lines >= STATEMENT_LINES_LIMIT;
        let whole = !statement.too_long && !statement.quoted && !is_cut;
        let kept = whole && self.keep(&statement);
        for _ in 0..statement.lines {
            match kept {
                true => out.understood(),
                false => out.not_understood(&statement.shown()),
            }
        }
    }

    /// Keeps what a statement says; false: it is not understood, or a limit is reached.
    fn keep(&mut self, statement: &Statement) -> bool {
        let bytes = self.kept_bytes.saturating_add(statement.text.len());
        if bytes > TEXT_LIMIT_BYTES {
            return false;
        }
        let words = words(&statement.text);
        let place = Place {
            line: statement.line,
            ..self.at
        };
        let keyword = words.first().map(|word| word.to_ascii_uppercase());
        let kept = match keyword.as_deref() {
            Some("FEATURE" | "INCREMENT" | "UPGRADE") => match Entry::read(&words, place) {
                Some(entry) if self.entries.len() < ENTRIES_LIMIT => {
                    self.entries.push(entry);
                    true
                }
                _ => false,
            },
            Some("PACKAGE") => self.packages.take_in(&words),
            Some("SERVER") => add(&mut self.servers, Server::read(&words)),
            Some("VENDOR" | "DAEMON") => add(&mut self.vendors, Vendor::read(&words)),
            Some(_) => true,
            None => false,
        };
        if kept {
            self.kept_bytes = bytes;
        }
        kept
    }
}

impl Reader for Licence {
    fn line(&mut self, line: &str, out: &mut Out<'_>) {
        self.at.line = self.at.line.saturating_add(1);
        let line = line.trim();
        if let Some(pending) = &mut self.pending {
            let is_open = pending.continued || pending.quoted;
            let is_full = pending.lines >= STATEMENT_LINES_LIMIT;
            let is_comment = !pending.quoted && line.starts_with('#');
            if is_open && !is_full && !begins_a_right(line) {
                match is_comment {
                    true => out.understood(),
                    false => pending.add(line),
                }
                return;
            }
            if !is_open && !is_full && is_attributes(line) {
                pending.add(line);
                return;
            }
        }
        if line.is_empty() || line.starts_with('#') {
            out.understood();
            return;
        }
        self.take_in(out);
        match is_keyword(first_word(line)) {
            true => self.pending = Some(Statement::new(self.at.line, line)),
            false => out.not_understood(line),
        }
    }

    fn end(&mut self, out: &mut Out<'_>) {
        self.take_in(out);
        let mut entries = std::mem::take(&mut self.entries);
        rules::settle(&mut entries);
        for entry in entries {
            let mut owned = entry.owned;
            self.packages.describe(&mut owned);
            out.say(Fact::Owned(Box::new(owned)));
        }
    }
}

fn add<T>(to: &mut Vec<T>, what: Option<T>) -> bool {
    match what {
        Some(what) if to.len() < SERVERS_LIMIT => {
            to.push(what);
            true
        }
        _ => false,
    }
}

fn first_word(line: &str) -> &str {
    line.split_whitespace().next().unwrap_or_default()
}

/// Keywords of statements. Those of rights are read in any case; others in lower case are words of a
/// letter around the licence. `FEATURESET` and the two of a file that is mailed say nothing of what is
/// owned.
fn is_keyword(word: &str) -> bool {
    let is_right = matches!(
        word.to_ascii_uppercase().as_str(),
        "FEATURE" | "INCREMENT" | "UPGRADE" | "PACKAGE"
    );
    let is_other = matches!(
        word,
        "SERVER"
            | "VENDOR"
            | "DAEMON"
            | "USE_SERVER"
            | "FEATURESET"
            | "START_LICENSE"
            | "END_LICENSE"
    );
    is_right || is_other
}

/// A line that begins a right also if the statement before has no end: then a quote or what follows a
/// backslash is missing there, and only that statement is lost. In lower case it may be a notice's text.
fn begins_a_right(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let keyword = words.next();
    matches!(
        keyword,
        Some("FEATURE" | "INCREMENT" | "UPGRADE" | "PACKAGE")
    ) && words.count() >= 3
}

/// A line that goes on with a statement although no backslash says so.
fn is_attributes(line: &str) -> bool {
    let word = first_word(line);
    let key = word.split('=').next().unwrap_or_default();
    let is_pair = key.len() < word.len()
        && !key.is_empty()
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_pair
        || matches!(
            word,
            "SUPERSEDE" | "TS_OK" | "BORROW" | "FLOAT_OK" | "USER_BASED" | "HOST_BASED"
        )
}
