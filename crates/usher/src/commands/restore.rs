//! `usher restore`: brings a snapshot back.

use std::path::{Path, PathBuf};

use clap::Args;
use usher_cache::{RestoreOptions, Restored};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::{line, print_json, time};

/// Bring a snapshot back: the server must be stopped
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher restore /backup/usher.db
  usher restore usher-2026-01-31T015959Z-before-pack.db     one of `usher backup --list`
  usher restore /backup/usher.db --data /srv/usher --accept-risk

Stop the server, restore, start it again. The snapshot is checked first, and what is there now is
kept beside it. Seats that were granted after the snapshot was made are not known to it and may still
be in use: so the server grants nothing until every such lease must have ended, which takes as long
as the longest ttl of a product. Agents show what they hold meanwhile, and keep it. Where nobody can hold such a seat any more, or waiting costs more
than a seat too many, give --accept-risk: then it grants at once, and may grant a seat twice.")]
pub(crate) struct Restore {
    /// The snapshot, as `usher backup` wrote it, or the name of one that the server has kept
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Grant at once: seats that are in use may be granted a second time
    #[arg(long)]
    accept_risk: bool,
}

/// Does it.
pub(crate) fn run(args: &Restore, context: &Context) -> Result<(), Failure> {
    let file = found(&args.file, context.data())?;
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let options = RestoreOptions {
        accept_risk: args.accept_risk,
    };
    let restored = usher_cache::restore(context.data(), &file, options)
        .map_err(|error| Failure::failed(error.to_string()))?;
    if context.json() {
        return print_json(&serde_json::json!({
            "data": context.data(),
            "kept": restored.kept,
            "leases": restored.leases,
            "hold_seconds": restored.hold_seconds,
        }));
    }
    line(describe(&restored, context.data()))
}

/// The file itself, or the snapshot of that name that is kept beside the data.
fn found(file: &Path, data: &Path) -> Result<PathBuf, Failure> {
    if file.is_file() {
        return Ok(file.to_owned());
    }
    let kept = usher_cache::Snapshots::of(data)
        .list()
        .map_err(|error| Failure::failed(error.to_string()))?;
    let named = kept.into_iter().find(|kept| Path::new(&kept.name) == file);
    named.map(|kept| kept.path).ok_or_else(|| {
        Failure::usage(format!(
            "there is no file {}, and no snapshot of that name beside {}",
            file.display(),
            data.display()
        ))
        .next("Name a file that `usher backup` wrote, or a snapshot of `usher backup --list`.")
    })
}

fn describe(restored: &Restored, data: &Path) -> String {
    let mut text = format!(
        "{} is restored, with {} leases.",
        data.display(),
        restored.leases
    );
    if let Some(kept) = &restored.kept {
        text.push_str(&format!(
            "\nWhat was there before is kept as {}.",
            kept.display()
        ));
    }
    if restored.hold_seconds > 0 {
        text.push_str(&format!(
            "\nAfter its start the server grants nothing for {}, until leases that the snapshot does \
             not know must have ended.",
            time::span(restored.hold_seconds)
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
            leases: 12,
        };
        insta::assert_snapshot!(describe(&restored, Path::new("/srv/usher")), @r"
        /srv/usher is restored, with 12 leases.
        What was there before is kept as /srv/usher/cache.db.before.
        After its start the server grants nothing for 1 d, until leases that the snapshot does not know must have ended.
        ");
    }
}
