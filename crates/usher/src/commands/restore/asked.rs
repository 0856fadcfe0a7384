//! Asks on the terminal of this session, as standard input may be the snapshot.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};

use crate::agreed::is_yes;

/// The answer; `None` if there is no terminal.
pub(super) fn asked_on_terminal(question: &str) -> Option<bool> {
    let mut options = File::options();
    let mut terminal = options.read(true).write(true).open("/dev/tty").ok()?;
    write!(terminal, "{question} [y/N] ").ok()?;
    let mut answer = String::new();
    BufReader::new(terminal).read_line(&mut answer).ok()?;
    Some(is_yes(&answer))
}
