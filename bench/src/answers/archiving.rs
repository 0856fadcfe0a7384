//! How fast sessions whose time is over are moved to Parquet files, and how large they are there.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use usher_site::{Archive, Retained, Site as _, SqliteSite};

use super::fill::runtime;
use super::goals::{Figure, Goal, Unit};
use super::progress::Progress;

/// Rows that are moved at once, as a manager moves them.
const AT_ONCE: u32 = 20_000;

/// Moves all of the site of a folder to an archive, by the calls with which a manager does that.
pub(super) fn figures(data: &Path, archive: &Path, total: u64) -> Result<Vec<Figure>, String> {
    let site = SqliteSite::open(data).map_err(|error| error.to_string())?;
    let runtime = runtime()?;
    let folder = Arc::new(Archive::in_folder(archive.to_owned()));
    let mut progress = Progress::new("uses moved to the archive", total);
    let began = Instant::now();
    let mut rows = 0_u64;
    let left = runtime
        .block_on(async {
            let id = site.site_id().await?;
            loop {
                let overdue = site.overdue(i64::MAX, AT_ONCE).await?;
                if overdue.is_empty() {
                    break;
                }
                let written = folder.write(&id, &overdue)?;
                rows += written.rows() as u64;
                site.put_away(written).await?;
                progress.at(rows);
            }
            site.extent(Retained::Sessions).await
        })
        .map_err(|error| error.to_string())?;
    if left.is_some() {
        return Err("rows are left in the tables".to_owned());
    }
    let per_second = rows as f64 / began.elapsed().as_secs_f64();
    let bytes = size(archive).map_err(|error| format!("cannot look at the archive: {error}"))?;
    Ok(vec![
        Figure::new(
            "from SQLite into the archive",
            Goal::None,
            per_second,
            Unit::SessionsPerSecond,
        ),
        Figure::new(
            "a session in Parquet",
            Goal::None,
            bytes as f64 / rows as f64,
            Unit::Bytes,
        ),
    ])
}

/// The bytes of all files below a folder.
fn size(folder: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        bytes += match entry.file_type()?.is_dir() {
            true => size(&entry.path())?,
            false => entry.metadata()?.len(),
        };
    }
    Ok(bytes)
}
