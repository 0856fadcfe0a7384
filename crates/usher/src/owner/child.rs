//! The process that does a job in a data directory with the rights of its owner. It is this very
//! program, started as `usher as-owner ORDER` by the command that root called.

use std::ffi::OsString;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use super::{Owner, owner_of, reach};
use crate::commands::restore;
use crate::failure::Failure;
use crate::supervisor::bond;
use crate::upgrade::work;

const ROLE: &str = "as-owner";

/// What is to be done, and where.
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    /// The data directory, by a path without links.
    data: PathBuf,
    /// Which folder that is: another one in its place is not entered.
    device: u64,
    inode: u64,
    /// The process that started this one.
    starter: i32,
    job: Job,
}

/// What can be done with the owner's rights.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Job {
    /// Brings a snapshot back.
    Restore(restore::Job),
    /// A part of an upgrade.
    Upgrade(work::Work),
}

/// The command that starts the process, with nothing said yet of its input and output.
///
/// # Errors
/// The directory is not there.
pub(crate) fn command(data: &Path, job: Job) -> io::Result<std::process::Command> {
    let data = std::fs::canonicalize(data)?;
    let facts = std::fs::metadata(&data)?;
    let order = Order {
        device: facts.dev(),
        inode: facts.ino(),
        data,
        starter: i32::try_from(std::process::id()).map_err(io::Error::other)?,
        job,
    };
    let mut command = std::process::Command::new("/proc/self/exe");
    command.arg(ROLE).arg(serde_json::to_string(&order)?);
    Ok(command)
}

/// Does the job where the command line says that this process is one for it. To be called before
/// anything else is set up.
pub(crate) fn entered(mut args: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    let (_program, role) = (args.next()?, args.next()?);
    if role != ROLE {
        return None;
    }
    let order = args.next().and_then(|order| order.into_string().ok());
    let order = order.and_then(|order| serde_json::from_str::<Order>(&order).ok());
    let done = match order {
        Some(order) => enter(&order).and_then(|data| carry_out(order.job, &data)),
        None => Err(Failure::usage(
            "other commands start it; by hand there is nothing to do with it",
        )),
    };
    Some(match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => ExitCode::from(failure.report()),
    })
}

/// Takes the owner's rights; the data directory as the owner reaches it.
fn enter(order: &Order) -> Result<PathBuf, Failure> {
    let data = &order.data;
    let failed = |why: String| {
        Failure::failed(format!(
            "cannot work in {} with the rights of its owner: {why}",
            data.display()
        ))
    };
    let folder = usher_files::open_folder(data).map_err(|error| failed(error.to_string()))?;
    if let Some(owner) = owner_of(&folder, data)?.filter(|_| is_root()) {
        take(owner, order).map_err(failed)?;
    }
    // After the change of account, which takes it away.
    bond::tie_to(Some(order.starter))?;
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    Ok(data.clone())
}

fn take(owner: Owner, order: &Order) -> Result<(), String> {
    let folder = reach::open_for(&order.data, owner)?;
    let facts = folder.metadata().map_err(|error| error.to_string())?;
    if (facts.dev(), facts.ino()) != (order.device, order.inode) {
        return Err("another folder was put in its place".to_owned());
    }
    owner.adopt(&folder);
    owner.take().map_err(|error| error.to_string())
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn carry_out(job: Job, data: &Path) -> Result<(), Failure> {
    match job {
        Job::Restore(job) => restore::from_standard_input(&job, data),
        Job::Upgrade(work) => work::as_owner(work, data),
    }
}
