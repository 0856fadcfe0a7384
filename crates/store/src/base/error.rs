//! Why a data file cannot be opened, read, saved or restored.

use std::path::{Path, PathBuf};

/// Why a data file cannot be used. Each error says what was tried, on what, why it failed and what
/// to do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process uses the data directory.
    #[error(
        "the data directory {} is in use by another usher: stop that one, or choose another \
         directory with --data", .0.display()
    )]
    InUse(PathBuf),
    /// A later version wrote the file.
    #[error(
        "{} was written by a later version of usher (schema {found}, this version knows {known}): \
         use that version; nothing was changed", path.display()
    )]
    TooNew {
        /// The path of the data file.
        path: PathBuf,
        /// Its schema version.
        found: u32,
        /// The highest schema version that this version can write.
        known: u32,
    },
    /// A build that is not a release wrote the file, with other tables.
    #[error(
        "{} was written by a development build of usher: it says that it has the tables of schema \
         {schema}, but {differs}. Nothing was changed. Restore a backup of a released version (usher \
         restore FILE), begin with another data directory (--data DIR), or go on with the build that \
         wrote it",
        path.display()
    )]
    OtherBuild {
        /// The path of the data file.
        path: PathBuf,
        /// Its schema version.
        schema: u32,
        /// How its tables differ.
        differs: String,
    },
    /// The file is damaged, or is not a data file of usher.
    #[error("{} cannot be used: {why}", path.display())]
    Damaged {
        /// The path of the data file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The write-ahead log beside it belongs to another file.
    #[error(
        "{} is {}, and the write-ahead log {}-wal beside it belongs to another file: a backup was \
         copied over the data file, and the log of the former file stayed. Nothing was changed. Put \
         the backup somewhere else and restore it with `usher restore FILE`, which keeps what is \
         there and makes sure that no seat is granted twice",
        path.display(),
        if *is_whole { "whole by itself" } else { "damaged by itself, too" },
        path.display()
    )]
    ForeignLog {
        /// The path of the data file.
        path: PathBuf,
        /// Whether the file is complete without the log.
        is_whole: bool,
    },
    /// The user did not agree to a restore.
    #[error("nothing was restored, and nothing was changed")]
    NotAgreed,
    /// A call of the operating system failed.
    #[error("cannot {doing} {}: {why}", path.display())]
    System {
        /// What was tried.
        doing: &'static str,
        /// The path that it was tried on.
        path: PathBuf,
        /// The reason, as the system gives it.
        why: String,
    },
    /// A call of SQLite failed.
    #[error("cannot {doing} {}: {source}", path.display())]
    Database {
        /// What was tried.
        doing: &'static str,
        /// The path that it was tried on.
        path: PathBuf,
        /// The reason, as SQLite gives it.
        source: rusqlite::Error,
    },
}

impl StoreError {
    /// The same error about `file`, of which the examined file is a copy: the user knows the path
    /// of `file`.
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
