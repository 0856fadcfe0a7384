//! `usher restore --site`: puts a copy of a site in its place, while no manager uses it.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use usher_site::{CopyError, CopyOutlook, SiteRestored};

use super::{asked, by_owner, told};
use crate::agreed;
use crate::commands::site::{self, Site};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{line, print_json};
use crate::owner::{self, child};
use crate::progress::ProgressLine;

/// A restore of a site, as it is passed to a process with the rights of the folder's owner.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SiteJob {
    /// The copy, which is open already, as standard input.
    copy: PathBuf,
    /// The file of the site, if that was named.
    file: Option<PathBuf>,
    dry_run: bool,
    /// Whether a person at a terminal can be asked.
    may_ask: bool,
    json: bool,
}

impl child::Job for SiteJob {
    const NAME: &'static str = "restore-site";

    fn carry_out(self, data: &Path) -> Result<(), Failure> {
        let input = child::input();
        let input = input.map_err(|error| Failure::failed(format!("cannot read: {error}")))?;
        let site = Site::in_file(data.to_owned(), self.file.clone());
        restore(&self, input, &site)
    }
}

pub(super) fn run(args: &super::Restore, context: &Context) -> Result<(), Failure> {
    let site = site::found(&args.site, context)?;
    let Some(file) = &args.file else {
        return Err(Failure::usage("--site needs the FILE to restore"));
    };
    let copy = usher_platform::files::open_regular(file).map_err(|error| {
        Failure::failed(format!("cannot read the copy {}: {error}", file.display()))
    })?;
    super::must_be_whole(
        file,
        "Copy the two into a folder of their own, as site.db and site.db-wal. `usher backup --site \
         --data FOLDER FILE` makes one file of them.",
    )?;
    let job = SiteJob {
        copy: file.clone(),
        file: site.file().map(Path::to_owned),
        dry_run: args.dry_run,
        may_ask: !context.json() && agreed::can_be_asked(),
        json: context.json(),
    };
    let Some(folder) = &site.folder else {
        return restore(&job, copy, &site);
    };
    if !folder.is_dir() {
        return Err(
            Failure::failed(format!("there is no folder {}", folder.display())).next(
                "Start the manager there once, so that it is made for its account, and stop it.",
            ),
        );
    }
    match owner::of(folder)? {
        None => {
            usher_platform::process::keep_what_is_made_private();
            restore(&job, copy, &site)
        }
        Some(_) => by_owner(folder, &job, Some(copy)),
    }
}

fn restore(job: &SiteJob, copy: File, site: &Site) -> Result<(), Failure> {
    let begun = site.path().map(usher_site::begun_by_a_restore);
    site::end_cleanly(
        begun.unwrap_or_default(),
        "the restore was stopped: the site is as it was, or as in the copy if the last step was reached",
    )?;
    let mut outlook = None;
    let mut agree = |coming: &CopyOutlook| {
        outlook = Some(coming.clone());
        !job.dry_run && agrees(job, coming, site)
    };
    let mut progress = ProgressLine::new();
    let mut told = |step| progress.show(|| site::words(step));
    let restored = usher_site::restore(&site.place, copy, &job.copy, &mut agree, &mut told);
    drop(progress);
    match (restored, outlook) {
        (Err(CopyError::NotAgreed), Some(coming)) if job.dry_run => {
            if job.json {
                return print_json(&json_of(&coming, site, true));
            }
            line(before(&coming, site))
        }
        (Err(error), _) => Err(site::failure(&error)),
        (Ok(restored), _) => {
            if job.json {
                let path =
                    |path: &Option<PathBuf>| path.as_ref().map(|it| it.display().to_string());
                let mut json = json_of(&restored.outlook, site, false);
                json["kept"] = path(&restored.kept).into();
                json["kept_log"] = path(&restored.kept_log).into();
                return print_json(&json);
            }
            line(after(&restored, site))
        }
    }
}

/// What is in a PostgreSQL is gone then: a person is asked, if there is one.
fn agrees(job: &SiteJob, coming: &CopyOutlook, site: &Site) -> bool {
    let Some(present) = coming.present.as_ref().filter(|_| site.folder.is_none()) else {
        return true;
    };
    let question = format!(
        "What is in {} now is gone then: a site {}. `usher backup --site` would keep it.\nRestore now?",
        site.name,
        site::told(present)
    );
    !job.may_ask || asked::asked_on_terminal(&question) != Some(false)
}

fn json_of(outlook: &CopyOutlook, site: &Site, dry_run: bool) -> serde_json::Value {
    let mut json = site::json(&outlook.copy);
    json["database"] = site.name.clone().into();
    json["replaces"] = outlook.present.as_ref().map(site::json).into();
    json["dry_run"] = dry_run.into();
    json
}

/// What a restore would do.
fn before(coming: &CopyOutlook, site: &Site) -> String {
    let mut text = format!(
        "The copy can be restored to {}: a site {}. Nothing was changed.",
        site.name,
        site::told(&coming.copy)
    );
    if coming.copy.schema < coming.copy.known_schema {
        text.push_str(&format!(
            "\nAn earlier version has made it (schema {}): it will be brought to schema {}.",
            coming.copy.schema, coming.copy.known_schema
        ));
    }
    text.push_str(&match &coming.present {
        None => "\nThere is no site now, or it cannot be read.".to_owned(),
        Some(present) => {
            let same = match present.site_id == coming.copy.site_id {
                true => "the same site",
                false => "another site",
            };
            format!("\nIt replaces {same}, {}.", site::told(present))
        }
    });
    text
}

/// What was done.
fn after(restored: &SiteRestored, site: &Site) -> String {
    let mut text = format!(
        "The site of {} is restored, {}.",
        site.name,
        site::told(&restored.outlook.copy)
    );
    text += &told::kept(
        restored.kept.as_deref(),
        restored.kept_log.as_deref(),
        "manager",
    );
    text.push_str(
        "\nOnce a manager runs, it collects from its servers again what has ended since the copy was \
         made. Imports since are to be made again. Tokens of the manager that were revoked since are \
         valid again: see `usher token list --at-manager`.",
    );
    text
}

#[cfg(test)]
mod tests {
    use usher_site::CopyFacts;

    use super::*;

    fn facts(servers: u64, schema: i64) -> CopyFacts {
        CopyFacts {
            site_id: Some("5f1d".to_owned()),
            schema,
            known_schema: 10,
            as_of_ms: None,
            servers,
            sessions: 1,
        }
    }

    #[test]
    fn it_is_told_what_a_restore_will_do_and_what_it_did() {
        let site = Site::in_file(PathBuf::from("/srv/usher-manager"), None);
        let mut coming = CopyOutlook {
            copy: facts(2, 10),
            present: None,
        };
        insta::assert_snapshot!(before(&coming, &site), @r"
        The copy can be restored to /srv/usher-manager/site.db: a site with 2 servers and 1 session. Nothing was changed.
        There is no site now, or it cannot be read.
        ");
        coming.copy.schema = 9;
        coming.present = Some(facts(3, 10));
        insta::assert_snapshot!(before(&coming, &site), @r"
        The copy can be restored to /srv/usher-manager/site.db: a site with 2 servers and 1 session. Nothing was changed.
        An earlier version has made it (schema 9): it will be brought to schema 10.
        It replaces the same site, with 3 servers and 1 session.
        ");
        let restored = SiteRestored {
            outlook: coming,
            kept: Some(PathBuf::from("/srv/usher-manager/site.db.before-restore-1")),
            kept_log: None,
        };
        insta::assert_snapshot!(after(&restored, &site), @r"
        The site of /srv/usher-manager/site.db is restored, with 2 servers and 1 session.
        What was there before is kept as /srv/usher-manager/site.db.before-restore-1. Delete it if the manager has what you expect.
        Once a manager runs, it collects from its servers again what has ended since the copy was made. Imports since are to be made again. Tokens of the manager that were revoked since are valid again: see `usher token list --at-manager`.
        ");
    }
}
