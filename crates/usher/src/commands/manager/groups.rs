//! Options of `usher manager` about groups of people.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use usher_manager::GroupOptions;
use usher_platform::name_service::NameService;

use super::every;
use crate::failure::Failure;

/// Which groups of people the manager knows, for chargeback.
#[derive(Debug, Args)]
pub(super) struct Groups {
    /// Know the groups of this computer's name service
    #[arg(long)]
    groups_system: bool,
    /// A file of groups that the manager reads; may be repeated
    #[arg(long, value_name = "FILE")]
    groups_files: Vec<PathBuf>,
    /// The realm of names in groups that are written without one [default: none, and such a name
    /// is that account in every realm]
    #[arg(long, value_name = "REALM")]
    groups_realm: Option<String>,
    /// How often groups are read again; a second or more
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = every)]
    groups_every: Duration,
}

impl Groups {
    /// The options of the manager.
    pub(super) fn options(self) -> Result<GroupOptions, Failure> {
        let whole = |file: PathBuf| {
            std::path::absolute(&file)
                .map_err(|error| Failure::usage(format!("cannot use {}: {error}", file.display())))
        };
        let files: Result<Vec<PathBuf>, Failure> =
            self.groups_files.into_iter().map(whole).collect();
        Ok(GroupOptions {
            system: self.groups_system.then(NameService::of_this_computer),
            files: files?,
            realm: self.groups_realm,
            every: self.groups_every,
        })
    }
}
