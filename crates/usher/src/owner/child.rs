//! The process that does a job in a data directory with the rights of its owner. It is this very
//! program, started as `usher as-owner ORDER` by the command that root called.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Owner, owner_of, reach};
use crate::bond;
use crate::failure::Failure;

const ROLE: &str = "as-owner";

/// The job, and the folder to do it in.
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    /// The data directory, by a path without links.
    data: PathBuf,
    /// Identifies that folder: another one in its place is not entered.
    device: u64,
    inode: u64,
    /// The process that started this one.
    starter: i32,
    /// The job's name.
    kind: String,
    job: serde_json::Value,
}

/// A job that can be done with the owner's rights. The process that does it gets it as JSON.
pub(crate) trait Job: Serialize + DeserializeOwned + 'static {
    /// The job's name on that process's command line.
    const NAME: &'static str;

    /// Does it in `data`, in the process that has the owner's rights.
    ///
    /// # Errors
    /// Why it is not done.
    fn carry_out(self, data: &Path) -> Result<(), Failure>;
}

/// A job as it is carried out.
type Deed = Box<dyn FnOnce(&Path) -> Result<(), Failure>>;

/// A kind of job that the process can do.
pub(crate) struct Kind {
    name: &'static str,
    read: fn(serde_json::Value) -> serde_json::Result<Deed>,
}

impl Kind {
    /// The kind of the jobs `J`.
    pub(crate) const fn of<J: Job>() -> Kind {
        Kind {
            name: J::NAME,
            read: read::<J>,
        }
    }
}

fn read<J: Job>(job: serde_json::Value) -> serde_json::Result<Deed> {
    let job: J = serde_json::from_value(job)?;
    Ok(Box::new(move |data| job.carry_out(data)))
}

/// The command that starts the process; its input and output are not set yet.
///
/// # Errors
/// The directory does not exist.
pub(crate) fn command<J: Job>(data: &Path, job: &J) -> io::Result<std::process::Command> {
    let data = std::fs::canonicalize(data)?;
    let facts = std::fs::metadata(&data)?;
    let order = Order {
        device: facts.dev(),
        inode: facts.ino(),
        data,
        starter: i32::try_from(std::process::id()).map_err(io::Error::other)?,
        kind: J::NAME.to_owned(),
        job: serde_json::to_value(job)?,
    };
    let mut command = std::process::Command::new("/proc/self/exe");
    command.arg(ROLE).arg(serde_json::to_string(&order)?);
    Ok(command)
}

/// Does the job if the command line says that this process was started for one, and it is one of
/// `kinds`. To be called before anything else is set up.
pub(crate) fn entered(
    mut args: impl Iterator<Item = OsString>,
    kinds: &[Kind],
) -> Option<ExitCode> {
    let (_program, role) = (args.next()?, args.next()?);
    if role != ROLE {
        return None;
    }
    let order = args.next().and_then(|order| order.into_string().ok());
    let order = order.and_then(|order| serde_json::from_str::<Order>(&order).ok());
    let order = order.and_then(|mut order| {
        let kind = kinds.iter().find(|kind| kind.name == order.kind)?;
        let deed = (kind.read)(order.job.take()).ok()?;
        Some((order, deed))
    });
    let done = match order {
        Some((order, deed)) => enter(&order).and_then(|data| deed(&data)),
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
    let folder =
        usher_platform::files::open_folder(data).map_err(|error| failed(error.to_string()))?;
    if let Some(owner) = owner_of(&folder, data)?.filter(|_| is_root()) {
        take(owner, order).map_err(failed)?;
    }
    // After the change of account, which takes it away.
    bond::tie_to(Some(order.starter))?;
    usher_platform::process::keep_what_is_made_private();
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
    usher_platform::account::is_administrator()
}

/// The file that root has opened for this process: its standard input.
pub(crate) fn input() -> io::Result<File> {
    Ok(io::stdin().as_fd().try_clone_to_owned()?.into())
}
