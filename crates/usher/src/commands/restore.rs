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
            "leases": restored.leases,
            "hold_seconds": restored.hold_seconds,
            "waits_for": match restored.waits_for {
                WaitsFor::LastLease => "last_lease",
                WaitsFor::LongestTtl => "longest_ttl",
            },
        }));
    }
    line(describe(&restored, data, job.file.is_some()))
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

fn describe(restored: &Restored, data: &Path, is_restored: bool) -> String {
    let leases = counted(restored.leases, "lease");
    let mut text = match is_restored {
        true => format!("{} is restored, with {leases}.", data.display()),
        false => format!(
            "The server of {} grants from its next start on; a seat may be in use twice.",
            data.display()
        ),
    };
    if let Some(kept) = &restored.kept {
        text.push_str(&format!(
            "\nWhat was there before is kept as {}.",
            kept.display()
        ));
    }
    if is_restored {
        text.push_str(
            "\nTokens that were revoked since the snapshot was made are valid again, and those that \
             were made since are not: once the server runs, see `usher token list`, and revoke \
             them again.",
        );
    }
    if restored.hold_seconds > 0 {
        text.push_str(&format!(
            "\nAfter its start the server grants nothing for {}, until leases that the snapshot does \
             not know must have ended: {}. While it is stopped, `usher restore --data {} \
             --accept-risk` lets it grant at once, and a seat may be in use twice.",
            time::span(restored.hold_seconds),
            match restored.waits_for {
                WaitsFor::LastLease => "as long as the last one that was held here",
                WaitsFor::LongestTtl => "the longest --max-ttl of a product",
            },
            data.display()
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_and_what_follows_is_said() {
        let restored = Restored {
            kept: Some("/srv/usher/cache.db.before".into()),
            hold_seconds: 86_400,
            waits_for: WaitsFor::LongestTtl,
            leases: 12,
        };
        insta::assert_snapshot!(describe(&restored, Path::new("/srv/usher"), true), @r"
        /srv/usher is restored, with 12 leases.
        What was there before is kept as /srv/usher/cache.db.before.
        Tokens that were revoked since the snapshot was made are valid again, and those that were made since are not: once the server runs, see `usher token list`, and revoke them again.
        After its start the server grants nothing for 1 d, until leases that the snapshot does not know must have ended: the longest --max-ttl of a product. While it is stopped, `usher restore --data /srv/usher --accept-risk` lets it grant at once, and a seat may be in use twice.
        ");
        let short = Restored {
            hold_seconds: 300,
            waits_for: WaitsFor::LastLease,
            ..restored.clone()
        };
        let text = describe(&short, Path::new("/srv/usher"), true);
        let told = "grants nothing for 5 min, until leases that the snapshot does not know must \
                    have ended: as long as the last one that was held here.";
        assert!(text.contains(told), "{text}");
        let ended = Restored {
            hold_seconds: 0,
            ..restored
        };
        insta::assert_snapshot!(describe(&ended, Path::new("/srv/usher"), false), @r"
        The server of /srv/usher grants from its next start on; a seat may be in use twice.
        What was there before is kept as /srv/usher/cache.db.before.
        ");
    }
}
