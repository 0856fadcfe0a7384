//! Why a call of the site database failed.

use thiserror::Error;

/// Why a call of the site database failed.
#[derive(Debug, Error)]
pub enum SiteError {
    /// A metering server of that name is already watched.
    #[error("a metering server named \"{0}\" is watched already")]
    NameTaken(String),
    /// Another process has the file open.
    #[error("{0} is in use by another manager: stop that one, or name another data directory")]
    InUse(String),
    /// A newer version wrote the file.
    #[error(
        "{file} was written by a newer version of usher (schema {found}, this one knows {known}): \
         it is left as it is; use that version"
    )]
    Newer {
        /// The path of the file.
        file: String,
        /// Its schema version.
        found: i64,
        /// The newest schema version that this version knows.
        known: i64,
    },
    /// A build that is not a release wrote the file, with other tables.
    #[error(
        "{file} was written by a development build of usher: it has this version's schema number, \
         but {differs}. It is left as it is: go on with the build that wrote it, put back a copy of \
         a released version, or begin with another data directory (--data DIR)"
    )]
    OtherBuild {
        /// The path of the file.
        file: String,
        /// How its tables differ.
        differs: String,
    },
    /// A build that is not a release made the database, with other tables.
    #[error(
        "{database} was made by a development build of usher: step {step} of its tables is another \
         than this version's. It is left as it is: go on with the build that made it, put back a \
         copy of a released version, or begin with another database"
    )]
    OtherTables {
        /// Where the database is.
        database: String,
        /// The number of the first step that differs.
        step: i64,
    },
    /// The lead of the site, under which a manager writes, is over or has not begun.
    #[error("cannot {0} in the site database: this manager does not lead the site")]
    NotLeading(&'static str),
    /// The engine failed.
    #[error("cannot {doing} in the site database: {why}")]
    Failed {
        /// What was tried.
        doing: &'static str,
        /// The reason, as the engine gives it.
        why: String,
    },
}

impl SiteError {
    /// An error of the engine.
    pub(crate) fn failed(doing: &'static str, why: &dyn std::fmt::Display) -> SiteError {
        SiteError::Failed {
            doing,
            why: why.to_string(),
        }
    }
}
