//! `usher restore`: brings a snapshot back.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use clap::Args;
use serde::{Deserialize, Serialize};
use usher_store::{RestoreOptions, Restored, WaitsFor};

use crate::context::Context;
use crate::failure::{Failure, exit};
use crate::output::{counted, line, print_json};
use crate::owner::{self, child};
use crate::time;

/// Restore the data from a backup or a snapshot; the server must be stopped
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher restore /backup/usher.db
  usher restore usher-2026-01-31T015959Z-before-pack.db     one of `usher backup --list`
  usher restore /backup/usher.db --data /srv/usher --accept-risk
  usher restore --accept-risk                               after a restore: ends the waiting

Stop the server, restore, and start it again. The command checks the snapshot first, and keeps the
present data beside it.

The snapshot does not know seats that were granted later, and they may still be in use. So the
server grants nothing until every such lease must have ended. If the server of this directory was
stopped and its data file is intact, that file shows how long: usually minutes. If it was killed, or
its file is gone, it takes as long as the longest --max-ttl of a product (1 d unless a product has
another). Agents show which seats they hold meanwhile, and keep them.

If nobody can hold such a seat any more, or if waiting costs more than a seat too many, use
--accept-risk: the server then grants immediately, and may grant a seat twice. Without FILE,
--accept-risk ends the waiting after an earlier restore, and keeps everything written since.")]
pub(crate) struct Restore {
    /// The snapshot, as `usher backup` wrote it, or the name of one that the server has kept
    #[arg(value_name = "FILE", required_unless_present = "accept_risk")]
    file: Option<PathBuf>,
    /// Grant immediately: seats that are in use may be granted a second time. Without FILE: end the
    /// waiting after an earlier restore
    #[arg(long)]
    accept_risk: bool,
}

pub(crate) fn run(args: &Restore, context: &Context) -> Result<(), Failure> {
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
    let job = Job {
        file: args.file.clone(),
        is_given: given.is_some(),
        accept_risk: args.accept_risk,
        json: context.json(),
    };
    if owner::of(data)?.is_none() {
        usher_platform::process::keep_what_is_made_private();
        return restore(&job, given, data);
    }
    let failed = |error: io::Error| {
        Failure::failed(format!(
            "cannot start a process with the rights of the owner of {}: {error}",
            data.display()
        ))
    };
    let status = child::command(data, &job)
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

/// A restore, as it is handed to a process with the rights of the data's owner.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Job {
    /// The snapshot, or the name of one that the server has kept; none: the data that are there,
    /// for which nothing is waited for any longer.
    file: Option<PathBuf>,
    /// Whether it is a file, which is open already: its standard input.
    is_given: bool,
    accept_risk: bool,
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
    let restored = match &job.file {
        Some(file) => {
            let (snapshot, name) = match given {
                Some(snapshot) => (snapshot, file.clone()),
                None => kept(file, data)?,
            };
            usher_store::restore_open(data, snapshot, &name, options)
        }
        None => usher_store::end_hold(data),
    };
    let restored = restored.map_err(|error| Failure::failed(error.to_string()))?;
    if job.json {
        return print_json(&serde_json::json!({
            "data": data.display().to_string(),
            "kept": restored.kept.as_ref().map(|path| path.display().to_string()),
            "kept_in_all": restored.kept_in_all.0,
            "leases": restored.leases,
            "hold_seconds": restored.hold_seconds,
            "waits_for": match restored.waits_for {
                WaitsFor::LastLease => "last_lease",
                WaitsFor::LongestTtl => "longest_ttl",
            },
        }));
    }
    line(describe(&restored, data, job))
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

/// Files of before a restore that may lie there without a word.
const KEPT_UNTOLD: usize = 2;

fn describe(restored: &Restored, data: &Path, job: &Job) -> String {
    let is_restored = job.file.is_some();
    let mut text = match is_restored {
        true => format!(
            "{} is restored, with {}.",
            data.display(),
            counted(restored.leases, "lease")
        ),
        false => format!(
            "The server of {} grants from its next start on; a seat may be in use twice.",
            data.display()
        ),
    };
    if let Some(kept) = &restored.kept {
        text.push_str(&format!(
            "\nWhat was there before is kept as {}. Delete it if the server has what you expect.",
            kept.display()
        ));
    }
    let (count, bytes) = restored.kept_in_all;
    if count > KEPT_UNTOLD {
        text.push_str(&format!(
            "\n{count} such files lie there by now, with {} MB in all: delete those that you need \
             no more.",
            bytes.div_ceil(1_000_000)
        ));
    }
    if is_restored {
        text.push_str(
            "\nTokens that were revoked since the snapshot was made are valid again, and those that \
             were made since are not: once the server runs, see `usher token list`, and revoke \
             them again.",
        );
        text.push('\n');
        text.push_str(&granting(restored, data, job.accept_risk));
    }
    text
}

/// From when on the restored server grants seats.
fn granting(restored: &Restored, data: &Path, accept_risk: bool) -> String {
    match (restored.hold_seconds, accept_risk) {
        (_, true) => "The server grants from its next start on; seats that were granted after the \
                      snapshot was made may be in use, and be granted a second time."
            .to_owned(),
        (0, false) => "The server grants from its next start on: what was there before shows that \
                       nobody holds a seat any more that the snapshot does not know."
            .to_owned(),
        (seconds, false) => format!(
            "After its start the server grants nothing for {}, until leases that the snapshot does \
             not know must have ended: {}. While it is stopped, `usher restore --data {} \
             --accept-risk` lets it grant at once, and a seat may be in use twice.",
            time::span(seconds),
            match restored.waits_for {
                WaitsFor::LastLease => "as long as the last one that was held here",
                WaitsFor::LongestTtl => "the longest --max-ttl of a product",
            },
            data.display()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(file: Option<&str>, accept_risk: bool) -> Job {
        Job {
            file: file.map(PathBuf::from),
            is_given: false,
            accept_risk,
            json: false,
        }
    }

    fn described(restored: &Restored, job: &Job) -> String {
        describe(restored, Path::new("/srv/usher"), job)
    }

    #[test]
    fn what_was_done_and_what_follows_is_said() {
        let restored = Restored {
            kept: Some("/srv/usher/cache.db.before".into()),
            kept_in_all: (1, 5_000_000),
            hold_seconds: 86_400,
            waits_for: WaitsFor::LongestTtl,
            leases: 12,
        };
        let of_file = job(Some("a.db"), false);
        insta::assert_snapshot!(described(&restored, &of_file), @r"
        /srv/usher is restored, with 12 leases.
        What was there before is kept as /srv/usher/cache.db.before. Delete it if the server has what you expect.
        Tokens that were revoked since the snapshot was made are valid again, and those that were made since are not: once the server runs, see `usher token list`, and revoke them again.
        After its start the server grants nothing for 1 d, until leases that the snapshot does not know must have ended: the longest --max-ttl of a product. While it is stopped, `usher restore --data /srv/usher --accept-risk` lets it grant at once, and a seat may be in use twice.
        ");
        let short = Restored {
            hold_seconds: 300,
            waits_for: WaitsFor::LastLease,
            ..restored.clone()
        };
        let text = described(&short, &of_file);
        let told = "grants nothing for 5 min, until leases that the snapshot does not know must \
                    have ended: as long as the last one that was held here.";
        assert!(text.contains(told), "{text}");
        let ended = Restored {
            hold_seconds: 0,
            ..restored
        };
        insta::assert_snapshot!(described(&ended, &job(None, true)), @r"
        The server of /srv/usher grants from its next start on; a seat may be in use twice.
        What was there before is kept as /srv/usher/cache.db.before. Delete it if the server has what you expect.
        ");
    }

    #[test]
    fn a_restore_that_waits_for_nothing_says_that_it_grants_at_once_and_why() {
        let restored = Restored {
            kept: None,
            kept_in_all: (0, 0),
            hold_seconds: 0,
            waits_for: WaitsFor::LastLease,
            leases: 0,
        };
        let text = described(&restored, &job(Some("a.db"), false));
        let last = text.lines().last().unwrap();
        assert!(last.contains("nobody holds a seat any more"), "{text}");
        let text = described(&restored, &job(Some("a.db"), true));
        let last = text.lines().last().unwrap();
        assert!(last.contains("be granted a second time"), "{text}");
    }

    #[test]
    fn files_of_before_that_pile_up_are_counted() {
        let restored = Restored {
            kept: Some("/srv/usher/cache.db.before-restore-5".into()),
            kept_in_all: (5, 12_300_000),
            hold_seconds: 0,
            waits_for: WaitsFor::LastLease,
            leases: 0,
        };
        let text = described(&restored, &job(None, true));
        let told = "5 such files lie there by now, with 13 MB in all";
        assert!(text.contains(told), "{text}");
    }
}
