//! Copies of a site on PostgreSQL: the rows of all tables in one file, as of one instant, and back into
//! tables that are made anew.

mod back_up;
mod contents;
mod restore;

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::address::PostgresAddress;
use super::connect::{Role, connect};
use super::db::Db;
use super::failure::Error;
use super::schema::Found;
use crate::copied::CopyError;
use crate::error::SiteError;

pub(crate) use back_up::back_up;
pub(crate) use restore::restore;

/// Why a copy is not made or restored: the database, the file, or what is in it.
enum Failed {
    Database(Error),
    Disk(io::Error),
    Copy(CopyError),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Failed {
        Failed::Database(error)
    }
}

impl From<CopyError> for Failed {
    fn from(error: CopyError) -> Failed {
        Failed::Copy(error)
    }
}

impl From<SiteError> for Failed {
    fn from(error: SiteError) -> Failed {
        Failed::Copy(error.into())
    }
}

impl Failed {
    /// What whoever asked is told: `doing` is of the database, `with` of the file.
    fn told(self, doing: &'static str, with: &'static str, file: &Path) -> CopyError {
        match self {
            Failed::Database(error) => error.into_site(doing).into(),
            Failed::Disk(error) => crate::copied::disk(with, file)(error),
            Failed::Copy(error) => error,
        }
    }
}

/// Connects to the host that takes writes.
fn open(address: &PostgresAddress) -> Result<Db, Error> {
    let built = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime =
        built.map_err(|error| Error::Own(format!("cannot start what waits for it: {error}")))?;
    connect(
        &Arc::new(runtime),
        address,
        (Role::Copies, ""),
        &Arc::default(),
    )
}

/// Refuses tables that are not this version's; `place` is where they are.
fn must_be_ours(found: &Found, place: &str) -> Result<(), SiteError> {
    match *found {
        Found::Ours => Ok(()),
        Found::Newer { found, known } => Err(SiteError::Newer {
            file: place.to_owned(),
            found,
            known,
        }),
        Found::Other { step } => Err(SiteError::OtherTables {
            database: place.to_owned(),
            step,
        }),
    }
}
