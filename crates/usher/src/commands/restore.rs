//! `usher restore`: restores a snapshot, of a server or of a site.

mod asked;
mod site;
mod told;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use clap::Args;
use serde::{Deserialize, Serialize};
use usher_store::{Outlook, RestoreOptions, StoreError, WaitsFor};

use super::site::Given;
use crate::agreed;
use crate::context::Context;
use crate::failure::{Failure, exit};
use crate::output::{line, print_json};
use crate::owner::{self, child};

/// Restore the data from a backup or a snapshot; the server, or each manager of the site, must be
/// stopped
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher restore /backup/usher.db --dry-run                  how long it will take, and why
  usher restore /backup/usher.db
  usher restore usher-2026-01-31T015959Z-before-pack.db     one of `usher backup --list`
  usher restore /backup/usher.db --data /srv/usher --accept-risk
  usher restore --accept-risk                               after a restore: ends the waiting
  usher restore --site /backup/usher-site.db --dry-run      what the copy is of, what it replaces
  usher restore --site /backup/usher-site.copy --database postgres://usher@db1.example/site

Stop the server, restore, and start it again. The command checks the snapshot first, and keeps the
present data beside it.

The snapshot does not know seats that were granted later, and they may still be in use. So the
server grants nothing until every such lease must have ended. If the server of this directory was
stopped and its data file is intact, that file shows how long: usually minutes, also after another
restore. If it was killed, or its file is gone, it takes as long as the longest --max-ttl of a
product (1 d unless a product has another); on a terminal the command then asks first. Agents show
which seats they hold meanwhile, and keep them.

If nobody can hold such a seat any more, or if waiting costs more than a seat too many, use
--accept-risk: the server then grants immediately, and may grant a seat twice. Without FILE,
--accept-risk ends the waiting after an earlier restore, and keeps everything written since.

With --site it restores what `usher backup --site` wrote. Stop each manager of the site first. The
whole copy is checked before anything is changed. A site in a file is kept beside the new one; what
was in a PostgreSQL is gone then, so back that up before. Managers collect from their servers again
what is newer than the copy.")]
pub(crate) struct Restore {
    /// The snapshot, as `usher backup` wrote it, or the name of one that the server has kept
    #[arg(value_name = "FILE", required_unless_present = "accept_risk")]
    file: Option<PathBuf>,
    /// Grant immediately: seats that are in use may be granted a second time. Without FILE: end the
    /// waiting after an earlier restore
    #[arg(long, conflicts_with = "site")]
    accept_risk: bool,
    /// Check the snapshot and say what the restore will do; change nothing
    #[arg(long, requires = "file")]
    dry_run: bool,
    #[command(flatten)]
    site: Given,
}

impl Restore {
    /// Whether it restores a site.
    pub(crate) fn is_of_site(&self) -> bool {
        self.site.is_meant()
    }
}

pub(crate) fn run(args: &Restore, context: &Context) -> Result<(), Failure> {
    if args.is_of_site() {
        return site::run(args, context);
    }
    let data = context.data();
    let opened = args
        .file
        .as_deref()
        .map(usher_platform::files::open_regular);
    let given = match opened.transpose() {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            let file = args.file.as_deref().unwrap_or(Path::new("")).display();
            return Err(Failure::failed(format!(
                "cannot read the snapshot {file}: {error}"
            )));
        }
    };
    if let (Some(file), true) = (&args.file, given.is_some()) {
        must_be_whole(file, SERVER)?;
    }
    let job = Job {
        file: args.file.clone(),
        is_given: given.is_some(),
        accept_risk: args.accept_risk,
        dry_run: args.dry_run,
        may_ask: !context.json() && agreed::can_be_asked(),
        json: context.json(),
    };
    if owner::of(data)?.is_none() {
        usher_platform::process::keep_what_is_made_private();
        return restore(&job, given, data);
    }
    by_owner(data, &job, given)
}

/// Has the job done with the rights of the owner of `data`; standard input is `given`.
fn by_owner(data: &Path, job: &impl child::Job, given: Option<File>) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        Failure::failed(format!(
            "cannot start a process with the rights of the owner of {}: {error}",
            data.display()
        ))
    };
    let status = child::command(data, job)
        .and_then(|mut command| {
            command
                .stdin(given.map_or(Stdio::null(), Stdio::from))
                .status()
        })
        .map_err(failed)?;
    match status.code() {
        Some(0) => Ok(()),
        // It has said why.
        Some(code) => Err(Failure::Quiet(u8::try_from(code).unwrap_or(exit::FAILED))),
        None => Err(Failure::failed(format!(
            "{} was not restored: {status}",
            data.display()
        ))),
    }
}

/// Refuses a data file that has a write-ahead log beside it: without the newest records in that
/// log, an older state would be restored. A backup has no such log.
/// `healed` is how one file is made of the two.
fn must_be_whole(file: &Path, healed: &str) -> Result<(), Failure> {
    let log = usher_platform::files::beside(file, "-wal");
    match std::fs::metadata(&log) {
        Ok(found) if found.len() > 0 => Err(Failure::failed(format!(
            "{} is not whole: its newest records are in {} beside it",
            file.display(),
            log.display()
        ))
        .next(healed)),
        _ => Ok(()),
    }
}

/// How a server's data file and its log become one file.
const SERVER: &str = "Copy the two into a folder of their own, as cache.db and cache.db-wal. Start \
                      `usher server --data FOLDER --listen 127.0.0.1:0`, stop it with Ctrl-C, and \
                      restore FOLDER/cache.db.";

/// A restore, as it is passed to a process with the rights of the data's owner.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Job {
    /// The snapshot, or the name of one that the server has kept; `None`: end the hold in the
    /// present data.
    file: Option<PathBuf>,
    /// Whether the snapshot is a file that is open already, as standard input.
    is_given: bool,
    accept_risk: bool,
    /// Whether nothing is to be changed.
    dry_run: bool,
    /// Whether a person at a terminal can be asked.
    may_ask: bool,
    json: bool,
}

impl child::Job for Job {
    const NAME: &'static str = "restore";

    fn carry_out(self, data: &Path) -> Result<(), Failure> {
        let input = child::input();
        let input = input.map_err(|error| Failure::failed(format!("cannot read: {error}")))?;
        restore(&self, self.is_given.then_some(input), data)
    }
}

fn restore(job: &Job, given: Option<File>, data: &Path) -> Result<(), Failure> {
    let options = RestoreOptions {
        accept_risk: job.accept_risk,
    };
    let mut outlook = None;
    let restored = match &job.file {
        Some(file) => {
            let (snapshot, name) = match given {
                Some(snapshot) => (snapshot, file.clone()),
                None => kept(file, data)?,
            };
            usher_store::restore_open(data, snapshot, &name, options, |coming| {
                outlook = Some(*coming);
                agree(job, coming)
            })
        }
        None => usher_store::end_hold(data),
    };
    let restored = match (restored, outlook) {
        (Err(StoreError::NotAgreed), Some(coming)) if job.dry_run => {
            return told_before(job, &coming, data);
        }
        (restored, _) => restored.map_err(|error| Failure::failed(error.to_string()))?,
    };
    if job.json {
        let mut json = json_of(&restored.outlook, data);
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        json["kept"] = path(&restored.kept).into();
        json["kept_log"] = path(&restored.kept_log).into();
        json["kept_in_all"] = restored.kept_in_all.0.into();
        return print_json(&json);
    }
    line(told::after(&restored, data, job))
}

/// Whether the restore is to be done. If the server would then grant nothing for as long as the
/// longest lease, a person is asked, if there is one.
fn agree(job: &Job, coming: &Outlook) -> Result<(), StoreError> {
    let is_to_ask = job.may_ask && !job.accept_risk && coming.waits_for == WaitsFor::LongestTtl;
    let answer = match is_to_ask && !job.dry_run && coming.hold_seconds > 0 {
        true => asked::asked_on_terminal(&told::question(coming)),
        false => None,
    };
    match job.dry_run || answer == Some(false) {
        true => Err(StoreError::NotAgreed),
        false => Ok(()),
    }
}

/// What `--dry-run` says.
fn told_before(job: &Job, coming: &Outlook, data: &Path) -> Result<(), Failure> {
    if job.json {
        let mut json = json_of(coming, data);
        json["dry_run"] = true.into();
        return print_json(&json);
    }
    line(told::before(coming, data, job.accept_risk))
}

fn json_of(outlook: &Outlook, data: &Path) -> serde_json::Value {
    serde_json::json!({
        "data": data.display().to_string(),
        "leases": outlook.leases,
        "hold_seconds": outlook.hold_seconds,
        "waits_for": match outlook.waits_for {
            WaitsFor::LastLease => "last_lease",
            WaitsFor::EarlierRestore => "earlier_restore",
            WaitsFor::LongestTtl => "longest_ttl",
        },
    })
}

/// The snapshot of that name that is kept beside the data.
fn kept(file: &Path, data: &Path) -> Result<(File, PathBuf), Failure> {
    let kept = usher_store::Snapshots::of(data)
        .list()
        .map_err(|error| Failure::failed(error.to_string()))?;
    let named = kept.into_iter().find(|kept| Path::new(&kept.name) == file);
    let path = named.map(|kept| kept.path).ok_or_else(|| {
        Failure::usage(format!(
            "there is no file {}, and no snapshot of that name beside {}",
            file.display(),
            data.display()
        ))
        .next("Name a file that `usher backup` wrote, or a snapshot of `usher backup --list`.")
    })?;
    let opened = usher_platform::files::open_regular(&path).map_err(|error| {
        Failure::failed(format!(
            "cannot read the snapshot {}: {error}",
            path.display()
        ))
    })?;
    Ok((opened, path))
}

pub(crate) use site::SiteJob;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_a_log_beside_it_is_not_restored_without_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cache.db.before-restore-1");
        let log = folder.path().join("cache.db.before-restore-1-wal");
        assert!(must_be_whole(&file, SERVER).is_ok());
        std::fs::write(&log, "").unwrap();
        assert!(
            must_be_whole(&file, SERVER).is_ok(),
            "an empty log holds nothing"
        );
        std::fs::write(&log, "records").unwrap();
        let failure = must_be_whole(&file, SERVER).unwrap_err();
        assert_eq!(failure.code(), exit::FAILED);
        let told = failure.to_string();
        assert!(told.contains("before-restore-1-wal beside it"), "{told}");
        assert!(told.contains("cache.db-wal"), "{told}");
    }
}
