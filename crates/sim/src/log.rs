//! Where Usher's ledger is kept while a scenario is played.

use std::fmt;

use serde::Serialize;

use crate::planted::Planted;

/// Where the ledger's log is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Log {
    /// In the shipped store, on a made-up disk that loses and tears what is not synced when a
    /// process is killed.
    #[default]
    Store,
    /// In memory: what was committed is there after a kill, and nothing else. For large sites.
    Memory,
}

impl Log {
    /// Both places.
    pub const ALL: [Log; 2] = [Log::Store, Log::Memory];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Log::Store => "store",
            Log::Memory => "memory",
        }
    }

    /// The one that was asked for, else `usual`; but a planted fault is one of the one or of the
    /// other.
    pub(crate) fn of(asked: Option<Log>, planted: Option<Planted>, usual: Log) -> Log {
        match planted {
            Some(Planted::EarlyAnswers) => Log::Memory,
            Some(Planted::FalseSync) => Log::Store,
            _ => asked.unwrap_or(usual),
        }
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Log::Store => "the store, on a made-up disk that loses what is not synced",
            Log::Memory => "in memory, without a disk",
        })
    }
}
