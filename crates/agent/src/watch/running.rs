//! Which programs of no product run: a look once a minute finds those that run on. Programs that
//! start and end between two looks are known by their starts and ends: see [`super::times`].

use std::os::unix::ffi::OsStringExt;
use std::time::Duration;

use crate::base::clock;
use crate::system::procfs;

/// How often the agent looks.
pub(crate) const LOOK: Duration = Duration::from_secs(60);
/// How many processes are looked at.
const PROCESSES_LIMIT: usize = 65_536;

/// A running process.
#[derive(Debug)]
pub(super) struct Found {
    /// The file, as the kernel names it.
    pub(super) path: Vec<u8>,
    /// When the process started, in milliseconds that the computer was awake since its boot.
    pub(super) since_ms: u64,
}

/// All processes except those of products and the kernel's threads, which have no executable.
pub(super) fn look(is_of_product: impl Fn(u32) -> bool) -> Vec<Found> {
    let pids = procfs::all_pids().unwrap_or_default();
    let looked_at = pids.into_iter().take(PROCESSES_LIMIT);
    let others = looked_at.filter(|pid| !is_of_product(*pid));
    let now = clock::now();
    let found = others.filter_map(|pid| {
        let path = executable(pid)?;
        let stat = procfs::process_stat(pid).ok().filter(|it| !it.ending)?;
        let since = clock::at_ticks(stat.start, now);
        let since_ms = clock::awake_at(since.boot_ms);
        Some(Found { path, since_ms })
    });
    found.collect()
}

/// The file that a process runs, as the kernel names it. This does not wait for the file's file
/// system.
fn executable(pid: u32) -> Option<Vec<u8>> {
    let path = std::fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    let mut path = path.into_os_string().into_vec();
    if path.ends_with(procfs::DELETED) {
        path.truncate(path.len() - procfs::DELETED.len());
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_seen_by_the_file_that_it_runs_unless_it_is_a_products() {
        let folder = tempfile::tempdir().unwrap();
        let name = format!("sleeps-{}", std::process::id());
        let file = folder.path().join(&name);
        std::fs::copy("/bin/sleep", &file).unwrap();
        let began_ms = clock::awake_ms();
        let mut sleeps = std::process::Command::new(&file);
        let mut sleeps = sleeps.arg("600").spawn().unwrap();
        let pid = sleeps.id();
        let seen = |found: Vec<Found>| {
            let mut found = found.into_iter();
            found.find(|it| it.path.ends_with(name.as_bytes()))
        };
        let found = seen(look(|_| false));
        std::fs::remove_file(&file).unwrap();
        let found_without_its_file = seen(look(|_| false));
        let found_as_a_products = seen(look(|it| it == pid));
        sleeps.kill().unwrap();
        sleeps.wait().unwrap();
        let since_ms = found.unwrap().since_ms;
        // The kernel counts ticks of ten milliseconds.
        assert!((began_ms.saturating_sub(20)..=clock::awake_ms()).contains(&since_ms));
        assert!(found_without_its_file.is_some());
        assert!(found_as_a_products.is_none());
    }
}
