//! Dassault Systèmes' DSLS: what `DSLicSrv -admin` prints for `getLicenseUsage` (`glu -all`), as text and
//! as CSV (`-csv`), and the lines of the server's log.

mod log;
mod table;
mod usage;

use crate::asked::{Asked, Pools};
use crate::reading::{Out, Reader};

/// Reads all three; each line tells of which it is. Times are those of the zone that was given: the log's
/// are the server's, those of `getLicenseUsage` of the computer that asks.
#[derive(Debug)]
pub struct Dsls {
    pools: Pools,
    /// Who makes the features that follow.
    editor: Option<String>,
    /// The columns of the table, if it has begun.
    columns: Option<table::Columns>,
    /// When the log says that the computer was suspended.
    suspended_at: Option<jiff::Timestamp>,
    /// A line of a log was read.
    is_log: bool,
}

impl Dsls {
    /// A reader of what was asked then.
    pub fn new(asked: Asked) -> Dsls {
        Dsls {
            pools: Pools::new(asked),
            editor: None,
            columns: None,
            suspended_at: None,
            is_log: false,
        }
    }

    /// Whether lines of a log were read, which say their own time.
    pub fn is_log(&self) -> bool {
        self.is_log
    }
}

impl Reader for Dsls {
    fn line(&mut self, line: &str, out: &mut Out<'_>) {
        let text = line.trim();
        let understood = match self.log_line(text, out) {
            Some(understood) => {
                self.is_log = true;
                understood
            }
            None => self.table_line(text, out) || self.usage_line(text, out),
        };
        match understood {
            true => out.understood(),
            false => out.not_understood(line),
        }
    }

    fn end(&mut self, out: &mut Out<'_>) {
        self.pools.close(out);
    }
}

#[cfg(test)]
mod tests;
