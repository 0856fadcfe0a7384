//! A manager does not run on Windows yet, so there is no site here to copy.

use clap::Args;

use super::Backup;
use crate::context::Context;
use crate::failure::Failure;

/// What says that a site is meant: nothing does.
#[derive(Debug, Args)]
pub(super) struct Given {}

impl Given {
    pub(super) fn is_meant(&self) -> bool {
        false
    }
}

pub(super) fn run(_: &Backup, _: &Context) -> Result<(), Failure> {
    Err(Failure::failed(
        "`usher backup --site` is not supported on Windows yet",
    ))
}
