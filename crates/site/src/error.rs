//! Why the site database did not do what was asked.

use thiserror::Error;

/// Why the site database did not do what was asked.
#[derive(Debug, Error)]
pub enum SiteError {
    /// A metering server of that name is there already.
    #[error("a metering server named \"{0}\" is watched already")]
    NameTaken(String),
    /// Another process has it open.
    #[error("{0} is in use by another manager: stop that one, or name another data directory")]
    InUse(String),
    /// A newer version has written it.
    #[error(
        "{file} was written by a newer version of usher (schema {found}, this one knows {known}): \
         it is left as it is; use that version"
    )]
    Newer {
        /// Which file.
        file: String,
        /// Its schema.
        found: i64,
        /// The newest that is known here.
        known: i64,
    },
    /// A build that was no release wrote it, with other tables.
    #[error(
        "{file} was written by a development build of usher: it has this version's schema number, \
         but {differs}. It is left as it is: go on with the build that wrote it, put back a copy of \
         a released version, or begin with another data directory (--data DIR)"
    )]
    OtherBuild {
        /// Which file.
        file: String,
        /// In what its tables are others.
        differs: String,
    },
    /// The engine failed.
    #[error("cannot {doing} in the site database: {why}")]
    Failed {
        /// What was tried.
        doing: &'static str,
        /// What it said.
        why: String,
    },
}

impl SiteError {
    /// It failed.
    pub(crate) fn failed(doing: &'static str, why: &dyn std::fmt::Display) -> SiteError {
        SiteError::Failed {
            doing,
            why: why.to_string(),
        }
    }
}
