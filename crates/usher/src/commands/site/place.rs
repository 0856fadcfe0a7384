//! Where the site is that is meant.

use std::path::{Path, PathBuf};

use clap::Args;
use usher_manager::Database;
use usher_site::SitePlace;

use super::super::manager::database::SiteDatabase;
use crate::context::{Context, default_data};
use crate::failure::Failure;

/// The file of a site in a data directory.
const SITE_FILE: &str = "site.db";

/// Which site is meant, if one is.
#[derive(Debug, Args)]
pub(crate) struct Given {
    /// The site database of a manager, rather than a server's data
    #[arg(long)]
    site: bool,
    #[command(flatten)]
    database: SiteDatabase,
}

impl Given {
    /// Whether one is.
    pub(crate) fn is_meant(&self) -> bool {
        self.site
    }
}

/// A site, and how messages call it.
pub(crate) struct Site {
    pub(crate) place: SitePlace,
    pub(crate) name: String,
    /// The folder with its file; none: it is on PostgreSQL.
    pub(crate) folder: Option<PathBuf>,
    path: Option<PathBuf>,
}

impl Site {
    /// In a file, if one is named; else in the folder.
    pub(crate) fn in_file(folder: PathBuf, file: Option<PathBuf>) -> Site {
        let path = file.clone().unwrap_or_else(|| folder.join(SITE_FILE));
        Site {
            name: path.display().to_string(),
            place: match file {
                Some(file) => SitePlace::File(file),
                None => SitePlace::Folder(folder.clone()),
            },
            folder: Some(folder),
            path: Some(path),
        }
    }

    /// Its file; none: it is on PostgreSQL.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The file that was named.
    pub(crate) fn file(&self) -> Option<&Path> {
        match &self.place {
            SitePlace::File(file) => Some(file),
            SitePlace::Folder(_) | SitePlace::Postgres(_) => None,
        }
    }
}

/// The site that is meant.
pub(crate) fn found(given: &Given, context: &Context) -> Result<Site, Failure> {
    match given.database.clone().options()? {
        Database::Postgres(address) => Ok(Site {
            name: address.to_string(),
            place: SitePlace::Postgres(address),
            folder: None,
            path: None,
        }),
        Database::Sqlite(file) => {
            let file = std::path::absolute(&file).unwrap_or(file);
            let folder = usher_platform::files::folder_of(&file).to_owned();
            Ok(Site::in_file(folder, Some(file)))
        }
        Database::InData => Ok(Site::in_file(folder(context)?, None)),
    }
}

/// The data directory of the manager: the one that was named, or a usual one with a site in it. `usher up`
/// keeps its manager's in a folder of its own, and earlier versions kept it beside the server's.
fn folder(context: &Context) -> Result<PathBuf, Failure> {
    let data = context.data().to_owned();
    let mut all = vec![data.clone(), data.join("manager")];
    if !context.data_given {
        let server = default_data();
        all.extend([server.join("manager"), server]);
    }
    all.retain(|folder| folder.join(SITE_FILE).is_file());
    all.dedup();
    match all.as_slice() {
        [] => Ok(data),
        [one] => Ok(one.clone()),
        [first, second, ..] => Err(Failure::usage(format!(
            "there are two sites, in {} and in {}",
            first.display(),
            second.display()
        ))
        .next("Say which by --data.")),
    }
}
