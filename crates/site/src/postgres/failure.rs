//! Why a statement failed, and whether the connection is at fault.

use std::time::Duration;

use thiserror::Error;
use tokio_postgres::error::SqlState;

use crate::error::SiteError;
use crate::usage::Unreadable;

/// Why a statement failed.
#[derive(Debug, Error)]
pub(super) enum Error {
    /// PostgreSQL, or the way to it.
    #[error("{}", words(.0))]
    Database(#[from] tokio_postgres::Error),
    /// A column has a value that no version of usher has written.
    #[error("column {0} of a row has a value that cannot be")]
    Range(usize),
    /// A row is not there that has to be.
    #[error("a row is missing that this has just written")]
    Missing,
    /// A roll-up cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// The server did not answer in time.
    #[error("the server has not answered for {} s", .0.as_secs())]
    TimedOut(Duration),
    /// No host could be used: what was tried on which.
    #[error("no server of it can be used: {0}")]
    Unreachable(String),
    /// Another session has the lock alone.
    #[error(
        "a restore of the site is under way, or a manager of an earlier version uses it: the lock of \
         the site on {0} is taken"
    )]
    Locked(String),
    /// The lead under which something was to be written is over.
    #[error("this manager leads the site no longer")]
    Fenced,
    /// The thread's own means failed.
    #[error("{0}")]
    Own(String),
}

pub(super) type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Whether another connection may do better: nothing is wrong with what was asked.
    pub(super) fn is_lost(&self) -> bool {
        match self {
            Error::Database(error) => match error.code() {
                Some(code) => is_transient(code),
                // It is closed, or the system has no way to the other end. Anything else is a fault of
                // what was asked.
                None => error.is_closed() || is_of_system(error),
            },
            Error::TimedOut(_) | Error::Unreachable(_) | Error::Locked(_) => true,
            Error::Range(_)
            | Error::Missing
            | Error::Unreadable(_)
            | Error::Fenced
            | Error::Own(_) => false,
        }
    }

    /// As whoever asked gets it.
    pub(super) fn into_site(self, doing: &'static str) -> SiteError {
        match self {
            Error::Fenced => SiteError::NotLeading(doing),
            other => SiteError::failed(doing, &other),
        }
    }

    /// Whether a lock was waited for longer than `lock_timeout`, or a statement took longer than
    /// `statement_timeout`.
    pub(super) fn is_of_time(&self) -> bool {
        const OF_TIME: [SqlState; 2] = [SqlState::LOCK_NOT_AVAILABLE, SqlState::QUERY_CANCELED];
        match self {
            Error::Database(error) => error.code().is_some_and(|code| OF_TIME.contains(code)),
            _ => false,
        }
    }
}

fn is_of_system(error: &tokio_postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(|under| under.is::<std::io::Error>())
}

/// Whether the server is going, is a standby now, or gave this transaction up for another.
fn is_transient(code: &SqlState) -> bool {
    // Class 08: connection exceptions.
    code.code().starts_with("08")
        || [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
            SqlState::READ_ONLY_SQL_TRANSACTION,
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
        ]
        .contains(code)
}

/// What the server says, with its code; else what lies under the failure.
pub(super) fn words(error: &tokio_postgres::Error) -> String {
    if let Some(said) = error.as_db_error() {
        let detail = said.detail().map(|it| format!(" ({it})"));
        let code = said.code().code();
        return format!("{}{} [{code}]", said.message(), detail.unwrap_or_default());
    }
    let mut text = error.to_string();
    let mut under = std::error::Error::source(error);
    while let Some(cause) = under {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        under = cause.source();
    }
    text
}
