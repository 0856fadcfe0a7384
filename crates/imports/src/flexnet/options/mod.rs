//! Options files: what a site reserves, limits and refuses of a daemon's licences.
//!
//! An options file says nothing of use, so it becomes [`Options`] and no fact.

mod each;
mod line;
mod rule;
mod summary;
#[cfg(test)]
mod tests;
mod whole;

pub use self::each::Rule;
pub use self::rule::{
    Access, Doubt, FeatureSpec, Group, Limit, Nature, Quantity, Right, Seats, Unread, Whom,
};
pub use self::summary::SUMMARY_LIMIT_LINES;
pub use self::whole::{DOUBTS_LIMIT, Options};
use super::text::{Statement, words};
use crate::reading::{Out, Reader};

/// Statements that are kept. Further ones are not understood.
pub const STATEMENTS_LIMIT: usize = 50_000;
/// Bytes of all statements that are kept. Further ones are not understood.
pub const TEXT_LIMIT_BYTES: usize = 16 * 1024 * 1024;
/// Lines that one statement may have. A longer one is not understood, and ends there.
pub const STATEMENT_LINES_LIMIT: u64 = 2_000;
/// Characters that a daemon reads of a line (Revenera, "Managing the Options File", 2022 R3).
pub const DAEMON_LINE_CHARS: usize = 4_000;

/// Reads an options file.
#[derive(Debug, Default)]
pub struct OptionsFile {
    at: u64,
    pending: Option<Statement>,
    kept: usize,
    kept_bytes: usize,
    options: Options,
}

impl OptionsFile {
    /// A reader that has read nothing.
    pub fn new() -> OptionsFile {
        OptionsFile::default()
    }

    /// What the file says; whole after [`Reader::end`].
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// What the file says; whole after [`Reader::end`].
    pub fn into_options(self) -> Options {
        self.options
    }

    /// Takes in the statement whose last line has been read.
    fn take_in(&mut self, out: &mut Out<'_>) {
        let Some(statement) = self.pending.take() else {
            return;
        };
        let kept = self.keep(&statement);
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
        let is_cut = statement.continued && statement.lines >= STATEMENT_LINES_LIMIT;
        let is_over = self.kept >= STATEMENTS_LIMIT || bytes > TEXT_LIMIT_BYTES;
        if statement.too_long || is_cut || is_over {
            return false;
        }
        let mut words = words(&statement.text);
        let number = statement.line;
        let remark = words.iter().position(|word| word.starts_with('#'));
        if let Some(at) = remark {
            words.truncate(at);
        }
        if !line::take_in(&mut self.options, number, &words) {
            return false;
        }
        if remark.is_some() {
            let what =
                "a daemon may read what follows # as names: comments have lines of their own";
            self.options.doubt(number, what.to_owned());
        }
        if statement.text.chars().count() > DAEMON_LINE_CHARS {
            let what =
                format!("a daemon reads {DAEMON_LINE_CHARS} characters of a line, and it has more");
            self.options.doubt(number, what);
        }
        self.kept = self.kept.saturating_add(1);
        self.kept_bytes = bytes;
        true
    }
}

impl Reader for OptionsFile {
    fn line(&mut self, line: &str, out: &mut Out<'_>) {
        self.at = self.at.saturating_add(1);
        let line = line.trim();
        if let Some(pending) = &mut self.pending
            && pending.continued
            && pending.lines < STATEMENT_LINES_LIMIT
        {
            pending.add(line);
            return;
        }
        self.take_in(out);
        if line.is_empty() || line.starts_with('#') {
            out.understood();
            return;
        }
        self.pending = Some(Statement::new(self.at, line));
    }

    fn end(&mut self, out: &mut Out<'_>) {
        self.take_in(out);
        self.options.doubt_groups();
    }
}
