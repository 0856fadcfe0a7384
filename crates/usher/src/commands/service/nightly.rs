//! `usher service install-backup`: a backup each night, by a timer of systemd.

use std::path::{Path, PathBuf};

use clap::Args;
use usher_service::backup::{self, Backup};

use super::failed::cannot;
use super::place::{self, UNIT_DIR, absolute};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{line, print};

/// Write the unit files of a nightly backup, and of its timer
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher token create --role backup --name nightly --to /etc/usher/backup.token
  usher service install-backup /srv/backup --keep 14
  systemctl enable --now usher-backup.timer
  systemctl start usher-backup.service      one now")]
pub(crate) struct InstallBackup {
    /// The directory that backups are written to; another disk than the server's
    #[arg(value_name = "DIR")]
    to: PathBuf,
    /// How many are kept
    #[arg(long, value_name = "N", default_value_t = 14,
        value_parser = clap::value_parser!(u32).range(1..=100_000))]
    keep: u32,
    /// The file with a token of role backup
    #[arg(long, value_name = "FILE", default_value = "/etc/usher/backup.token")]
    token_from: PathBuf,
    /// Where the unit files are written
    #[arg(long, value_name = "DIR", default_value = UNIT_DIR)]
    unit_dir: PathBuf,
    /// Print the unit files, and write nothing
    #[arg(long)]
    print: bool,
}

/// Writes or prints them.
pub(super) fn install(args: &InstallBackup, context: &Context) -> Result<(), Failure> {
    let program = std::env::current_exe()
        .map_err(|error| Failure::failed(format!("cannot tell which program this is: {error}")))?;
    let server = context.server_given.then(|| context.server());
    let to = absolute(&args.to);
    let token = absolute(&args.token_from);
    let authority = context.ca_file().map(absolute);
    let units = backup::of(&Backup {
        program: &program,
        to: &to,
        keep: args.keep,
        token: &token,
        server,
        authority: authority.as_deref(),
    })
    .map_err(Failure::usage)?;
    if args.print {
        for (name, text) in units {
            print(&format!("# {name}\n{text}\n"))?;
        }
        return Ok(());
    }
    place::must_be_there(&args.unit_dir, "--unit-dir")?;
    for (name, text) in units {
        let path = args.unit_dir.join(name);
        std::fs::write(&path, text).map_err(|error| cannot("write", &path, &error))?;
        line(format!("wrote {}", path.display()))?;
    }
    if !to.is_dir() {
        line(format!(
            "{} is not there yet: make it before the first night",
            to.display()
        ))?;
    }
    if usher_service::has_manager() && args.unit_dir == Path::new(UNIT_DIR) {
        usher_service::reload().map_err(|error| Failure::failed(error.to_string()))?;
    }
    let enable = "systemctl enable --now usher-backup.timer";
    line(place::to_start(
        &args.unit_dir,
        enable,
        usher_service::has_manager(),
    ))
}
