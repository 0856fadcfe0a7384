//! What this program does if it starts itself, before it reads a command line.

use std::process::ExitCode;

use crate::commands::restore;
use crate::owner::child::{self, Kind};
use crate::upgrade::work;

/// What is done with the rights of a data directory's owner.
const OWNERS_JOBS: [Kind; 3] = [
    Kind::of::<restore::Job>(),
    Kind::of::<restore::SiteJob>(),
    Kind::of::<work::Work>(),
];

/// Does the job that this process was started for; returns its exit code.
pub(crate) fn first() -> Option<ExitCode> {
    // The gate takes nothing of what this program sets up for its other roles.
    usher_gate::entered(std::env::args_os())
        // So does the process that tells somebody that the gate refused a start.
        .or_else(|| usher_agent::entered(std::env::args_os()))
        // So does the process that does root's work with the rights of a data directory's owner.
        .or_else(|| child::entered(std::env::args_os(), &OWNERS_JOBS))
}
