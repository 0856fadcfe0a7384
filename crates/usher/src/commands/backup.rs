//! `usher backup`: a snapshot of a server's data, while it serves, or of a site.

mod kept;
#[cfg(target_os = "linux")]
mod part;
#[cfg(target_os = "linux")]
mod site;
#[cfg(windows)]
mod windows;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use usher_api::client::Client;
use usher_api::rights::Right;
use usher_api::{Page, Snapshot};
use usher_platform::files::{self, Readers};

use self::kept::Names;
use crate::context::Context;
use crate::failure::{Failure, Needed};
use crate::output::{Table, bytes, line, print_json, tame};
use crate::time;
#[cfg(windows)]
use windows as site;

/// Write a snapshot of the server's data to a file, while it serves; or of the site database
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  usher backup                          writes usher-2026-01-31T020000.db here
  usher backup /backup/usher.db
  usher backup /backup --keep 14        writes one there, and removes all but the last 14
  usher service install-backup /backup  does so each night
  usher backup --list                   the snapshots that the server keeps beside its data
  usher backup --site                   the site database, to usher-site-2026-01-31T020000.db here
  usher backup --site --database postgres://usher@db1.example/site /backup --keep 14

The file holds everything, names and tokens' hashes too: keep it as you keep the data itself. It
appears under its name only when it is whole and on disk. `usher restore FILE` brings it back. A
token of role backup is enough (`usher token create --role backup`), and may do nothing else.

The server keeps snapshots by itself, of before each scheduled pack (--keep-snapshots, 3 by
default). They lie on the disk that the data lies on: no replacement for a backup elsewhere.

With --site it copies what a manager keeps (servers, messages, the history, imports), from the file
in the manager's data directory or from its PostgreSQL, also if no manager runs. It asks no server,
and needs the rights to read the file, or a login to the database. --database is as the manager's;
what usher.toml says under [role.manager] is taken. The copy has the tokens of servers in it.")]
pub(crate) struct Backup {
    /// The file, or the folder for usher-TIME.db [default: this folder]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long, conflicts_with = "list")]
    overwrite: bool,
    /// Keep the last N files usher-TIME.db of the folder, this one counted, and remove older ones
    #[arg(long, value_name = "N", conflicts_with = "list",
        value_parser = clap::value_parser!(u32).range(1..=100_000))]
    keep: Option<u32>,
    /// A file with the token, such as one of role backup
    #[arg(long, value_name = "FILE", conflicts_with = "list")]
    token_from: Option<PathBuf>,
    /// Show the snapshots that the server keeps; `usher restore` takes one by its name
    #[arg(long, conflicts_with = "file")]
    list: bool,
    #[command(flatten)]
    site: site::Given,
}

impl Backup {
    /// Whether it copies a site, and asks no server.
    pub(crate) fn is_of_site(&self) -> bool {
        self.site.is_meant()
    }

    /// What it needs of a server.
    pub(crate) fn needs(&self) -> Needed {
        match self.list {
            true => Needed::of(&[Right::Administer], "see snapshots"),
            false => Needed::of(&[Right::BackUp], "take backups"),
        }
    }
}

pub(crate) fn run(args: &Backup, context: &Context) -> Result<(), Failure> {
    if args.is_of_site() {
        return site::run(args, context);
    }
    if args.list {
        return context.block_on(list(context));
    }
    let target = target(args, &Names::SERVER)?;
    let file = &target.file;
    context.block_on(async {
        let bytes = fetch(&client(args, context)?, file, args.overwrite).await?;
        let removed = target.prune(args, &Names::SERVER)?;
        if context.json() {
            let removed: Vec<String> = removed
                .iter()
                .map(|old| old.display().to_string())
                .collect();
            return print_json(&serde_json::json!({
                "file": file.display().to_string(), "bytes": bytes, "removed": removed,
            }));
        }
        line(format!("{} is written: {bytes} bytes.", file.display()))?;
        for old in removed {
            line(format!("{} is removed.", old.display()))?;
        }
        Ok(())
    })
}

/// Where a backup is written to.
struct Target {
    file: PathBuf,
    /// The folder of backups, if one was named.
    folder: Option<PathBuf>,
}

impl Target {
    /// Removes earlier backups, if they are to be; answers which.
    fn prune(&self, args: &Backup, names: &Names) -> Result<Vec<PathBuf>, Failure> {
        match (&self.folder, args.keep) {
            (Some(folder), Some(keep)) => kept::prune((folder, names), &self.file, keep),
            _ => Ok(Vec::new()),
        }
    }
}

/// Where a backup of that kind is to be written to; an error if something is there that is not to be
/// replaced.
fn target(args: &Backup, names: &Names) -> Result<Target, Failure> {
    let folder = match &args.file {
        None => Some(Path::new(".")),
        Some(path) => path.is_dir().then_some(&**path),
    };
    let file = match (folder, &args.file) {
        (None, Some(file)) if args.keep.is_some() => {
            return Err(Failure::usage(format!(
                "--keep is for a folder of backups, and {} is not a folder",
                file.display()
            ))
            .next(format!(
                "If it is to be one, make it first: `mkdir -p {}`.",
                file.display()
            )));
        }
        (None, Some(file)) => file.clone(),
        (_, None) => PathBuf::from(names.now()),
        (Some(folder), _) => folder.join(names.now()),
    };
    if !args.overwrite && file.exists() {
        return Err(is_there(&file));
    }
    Ok(Target {
        file,
        folder: folder.map(Path::to_owned),
    })
}

fn is_there(file: &Path) -> Failure {
    Failure::failed(format!("{} is there already", file.display()))
        .next("Name another file, or say --overwrite.")
}

/// A client with the token of the file that was named.
fn client(args: &Backup, context: &Context) -> Result<Client, Failure> {
    let Some(file) = &args.token_from else {
        return context.client();
    };
    let token = usher_api::secret_in(file).map_err(|error| {
        Failure::usage(format!(
            "cannot read the token file {}: {error}",
            file.display()
        ))
        .next("`usher token create --role backup` makes a token.")
    })?;
    context.client_of(context.server(), Some(token))
}

async fn list(context: &Context) -> Result<(), Failure> {
    let kept: Page<Snapshot> = context.client()?.get("/v1/snapshots").await?;
    if context.json() {
        return print_json(&kept);
    }
    if kept.items.is_empty() {
        return line("No snapshots are kept yet: one is taken before each scheduled pack.");
    }
    let mut table = Table::new(&["SNAPSHOT", "TAKEN", "REASON", ">SIZE"]);
    for snapshot in &kept.items {
        table.row([
            tame(&snapshot.name),
            time::local(snapshot.taken_at),
            tame(&snapshot.reason),
            bytes(snapshot.bytes),
        ]);
    }
    table.print()
}

/// Writes the snapshot beside `file`, and gives it its name when it is whole and on disk.
async fn fetch(client: &Client, file: &Path, overwrite: bool) -> Result<u64, Failure> {
    let part = with_part(file);
    // In a folder of others' a link of theirs may stand there; it is never followed.
    let _ = std::fs::remove_file(&part);
    let failed = |error: io::Error| {
        Failure::failed(format!(
            "cannot write the backup to {}: {error}",
            file.display()
        ))
    };
    let mut response = client.get_stream("/v1/backup").await?;
    let expected = response.content_length();
    let mut out = files::create_new(&part, Readers::Nobody).map_err(failed)?;
    let written = async {
        let mut bytes: u64 = 0;
        while let Some(chunk) = response.chunk().await.map_err(|error| {
            Failure::failed(format!(
                "the server broke off after {bytes} bytes of the backup: {error}"
            ))
        })? {
            out.write_all(&chunk).map_err(failed)?;
            bytes += chunk.len() as u64;
        }
        if bytes == 0 || expected.is_some_and(|expected| expected != bytes) {
            return Err(Failure::failed(format!(
                "the backup has {bytes} bytes and is not complete"
            )));
        }
        out.sync_all().map_err(failed)?;
        Ok(bytes)
    }
    .await;
    let bytes = written.inspect_err(|_| drop(std::fs::remove_file(&part)))?;
    match kept::finish(&part, file, overwrite) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(is_there(file)),
        finished => finished.map(|()| bytes).map_err(failed),
    }
}

fn with_part(file: &Path) -> PathBuf {
    files::beside(file, kept::PART)
}
