//! Copies of a site: what is known of one, and why one cannot be made or restored.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::error::SiteError;

/// How far a backup or a restore is, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyStep {
    /// What is being done with them, as in `12 MiB written`.
    pub done: &'static str,
    /// So many are.
    pub bytes: u64,
    /// About as many as it will be; none: that is not known.
    pub all_bytes: Option<u64>,
}

/// Is told how far it is, again and again.
pub type CopyTold<'t> = &'t mut dyn FnMut(CopyStep);

/// What is known of a copy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CopyFacts {
    /// The site's id; none: it has not been asked for one yet.
    pub site_id: Option<String>,
    /// The schema version of its tables.
    pub schema: i64,
    /// The newest schema version that this version knows, to which a restore brings it.
    pub known_schema: i64,
    /// When it was made, or when a manager last wrote to what it was made of; Unix milliseconds.
    pub as_of_ms: Option<i64>,
    /// Servers that are watched.
    pub servers: u64,
    /// Sessions in its history.
    pub sessions: u64,
}

/// What a restore will do, known before it changes anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CopyOutlook {
    /// What will be there.
    pub copy: CopyFacts,
    /// What is there now; none: nothing, or it cannot be read.
    pub present: Option<CopyFacts>,
}

/// The result of a restore.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SiteRestored {
    /// What was known before.
    pub outlook: CopyOutlook,
    /// Where the file of before was put; none: there was none, or the site is on PostgreSQL.
    pub kept: Option<PathBuf>,
    /// Where its write-ahead log was put, if that has something in it: the two belong together.
    pub kept_log: Option<PathBuf>,
}

/// Why a copy of a site cannot be made or restored. If a restore fails, the site is as it was.
#[derive(Debug, Error)]
pub enum CopyError {
    /// The site database.
    #[error(transparent)]
    Site(#[from] SiteError),
    /// There is no database to make a copy of.
    #[error("there is no site database {0}")]
    Absent(PathBuf),
    /// A file cannot be read or written.
    #[error("cannot {doing} {path}: {source}")]
    Disk {
        /// What was tried.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is something else.
    #[error("{file} is no copy of a site: {why}")]
    NotACopy {
        /// Which file.
        file: PathBuf,
        /// What it is, or lacks.
        why: String,
    },
    /// The file was a copy once.
    #[error("{file} is damaged: {why}. Nothing was changed; use another copy")]
    Damaged {
        /// Which file.
        file: PathBuf,
        /// How that shows.
        why: String,
    },
    /// Managers have the database open.
    #[error(
        "the site database {database} is in use: {by}. Stop each manager of the site first, and wait \
         for the end of copies"
    )]
    Running {
        /// Where the database is.
        database: String,
        /// Which sessions.
        by: String,
    },
    /// What will be done was not agreed to; nothing was changed.
    #[error("nothing was changed")]
    NotAgreed,
    /// The answer to the last step was lost.
    #[error(
        "it is not known whether the restore was completed: the connection broke at its last step \
         ({0}). Nothing is half done: restore the same copy again"
    )]
    Unknown(String),
}

/// An error of the system with that file.
pub(crate) fn disk(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> CopyError {
    let path = path.to_owned();
    move |source| CopyError::Disk {
        doing,
        path,
        source,
    }
}

/// Tells that a file is damaged.
pub(crate) fn damaged(file: &Path, why: impl Into<String>) -> CopyError {
    CopyError::Damaged {
        file: file.to_owned(),
        why: why.into(),
    }
}

/// Tells that a file is something else.
pub(crate) fn not_a_copy(file: &Path, why: impl Into<String>) -> CopyError {
    CopyError::NotACopy {
        file: file.to_owned(),
        why: why.into(),
    }
}
