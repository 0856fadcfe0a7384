//! `usher backup --site`: a copy of the site database, while managers go on.

use usher_platform::files::beside;
use usher_site::SitePlace;

use super::kept::{self, Names};
use super::part;
use super::{Backup, is_there, target, with_part};
use crate::commands::site;
pub(super) use crate::commands::site::Given;
use crate::context::Context;
use crate::failure::{Failure, exit};
use crate::output::{bytes, line, print_json};
use crate::progress::ProgressLine;

/// How copies of a site in a file are named.
const IN_FILE: Names = Names::of("usher-site-", ".db");
/// Of a site on PostgreSQL.
const ON_POSTGRES: Names = Names::of("usher-site-", ".copy");

pub(super) fn run(args: &Backup, context: &Context) -> Result<(), Failure> {
    let site = site::found(&args.site, context)?;
    let names = match &site.place {
        SitePlace::Postgres(_) => &ON_POSTGRES,
        SitePlace::Folder(_) | SitePlace::File(_) => &IN_FILE,
    };
    let target = target(args, names)?;
    let same = |path: &std::path::Path| usher_platform::files::identity(path).ok();
    let own = site.path();
    if own.is_some_and(|own| same(own).is_some() && same(own) == same(&target.file)) {
        return Err(Failure::usage(format!(
            "{} is the site itself: name another file for its backup",
            target.file.display()
        )));
    }
    let (file, part) = (&target.file, with_part(&target.file));
    let cannot = |error: std::io::Error| {
        Failure::failed(format!(
            "cannot write the backup to {}: {error}",
            file.display()
        ))
    };
    let Some(written) = part::begin(&part).map_err(cannot)? else {
        return Err(Failure::new(
            exit::NOT_NOW,
            format!("another backup is being written to {}", part.display()),
        )
        .next("Wait for its end, or name another file."));
    };
    // SQLite has no log beside what VACUUM INTO writes, and a journal only until that is whole.
    let journal = beside(&part, "-journal");
    site::end_cleanly(
        vec![part.clone(), journal],
        "the backup was stopped: nothing of it is left",
    )?;
    let mut progress = ProgressLine::new();
    let copied = usher_site::back_up(&site.place, (&written, &part), &mut |step| {
        progress.show(|| site::words(step));
    });
    drop(progress);
    let (facts, length) = copied.map_err(|error| site::failure(&error))?;
    kept::finish(&part, file, args.overwrite).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => is_there(file),
        _ => cannot(error),
    })?;
    let removed = target.prune(args, names)?;
    if context.json() {
        let removed: Vec<String> = removed
            .iter()
            .map(|old| old.display().to_string())
            .collect();
        let mut json = site::json(&facts);
        json["file"] = file.display().to_string().into();
        json["bytes"] = length.into();
        json["removed"] = removed.into();
        return print_json(&json);
    }
    line(format!(
        "{} is written, {}: the site of {}, {}.",
        file.display(),
        bytes(length),
        site.name,
        site::told(&facts)
    ))?;
    for old in removed {
        line(format!("{} is removed.", old.display()))?;
    }
    Ok(())
}
