//! Why a data file cannot be opened, read, saved or restored.

use std::path::{Path, PathBuf};

/// Each says what was tried, on what, why it failed and what to do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has it.
    #[error(
        "the data directory {} is in use by another usher: stop that one, or choose another \
         directory with --data", .0.display()
    )]
    InUse(PathBuf),
    /// It is of a later version.
    #[error(
        "{} was written by a later version of usher (schema {found}, this version knows {known}): \
         use that version; nothing was changed", path.display()
    )]
    TooNew {
        /// The data file.
        path: PathBuf,
        /// Its schema version.
        found: u32,
        /// The highest that this version can write.
        known: u32,
    },
    /// A build that was no release wrote it, with other tables.
    #[error(
        "{} was written by a development build of usher: it says that it has the tables of schema \
         {schema}, but {differs}. Nothing was changed. Restore a backup of a released version (usher \
         restore FILE), begin with another data directory (--data DIR), or go on with the build that \
         wrote it",
        path.display()
    )]
    OtherBuild {
        /// The data file.
        path: PathBuf,
        /// Its schema version.
        schema: u32,
        /// In what its tables are others.
        differs: String,
    },
    /// It is damaged, or is no data file of usher.
    #[error("{} cannot be used: {why}", path.display())]
    Damaged {
        /// The data file.
        path: PathBuf,
        /// What was found.
        why: String,
    },
    /// The write-ahead log beside it is another file's.
    #[error(
        "{} is {}, and the write-ahead log {}-wal beside it is of another file: a backup was copied \
         over the data file, and the log of the file before stayed. Nothing was changed. Put the \
         backup somewhere else and bring it back by `usher restore FILE`, which keeps what is there \
         and takes care that no seat is granted twice",
        path.display(),
        if *is_whole { "whole by itself" } else { "damaged by itself, too" },
        path.display()
    )]
    ForeignLog {
        /// The data file.
        path: PathBuf,
        /// Whether the file is whole without the log.
        is_whole: bool,
    },
    /// Who was told what a restore will do did not agree.
    #[error("nothing was restored, and nothing was changed")]
    NotAgreed,
    /// The system refused.
    #[error("cannot {doing} {}: {why}", path.display())]
    System {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// The database refused.
    #[error("cannot {doing} {}: {source}", path.display())]
    Database {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

impl StoreError {
    /// The same of `file`, of which the one that was looked at is a copy: whoever is told knows that
    /// one.
    pub(crate) fn of_file(mut self, file: &Path) -> StoreError {
        match &mut self {
            StoreError::TooNew { path, .. }
            | StoreError::OtherBuild { path, .. }
            | StoreError::Damaged { path, .. } => *path = file.into(),
            StoreError::InUse(_)
            | StoreError::NotAgreed
            | StoreError::ForeignLog { .. }
            | StoreError::System { .. }
            | StoreError::Database { .. } => {}
        }
        self
    }
}
