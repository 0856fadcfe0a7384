//! For how long programs of no product run: once a minute it is looked at which run at all. That is
//! time of the computer and not of anybody, however many processes a program has.

use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::counts::{Described, Ran};
use crate::identity::display_name;
use crate::system::procfs;

/// So often it is looked.
pub(crate) const LOOK: Duration = Duration::from_secs(60);
/// What lies between two looks counts as so long at the most: the computer may have slept.
const MOST: Duration = Duration::from_secs(90);
/// Processes that are looked at.
const PROCESSES_LIMIT: usize = 65_536;
/// Files of which it is remembered what is known; when there are more all are forgotten, and looked
/// up again.
const FILES_LIMIT: usize = 4_096;
/// Files that are asked about in one look, as rpm takes a while; the others come with the next.
const QUESTIONS_LIMIT: usize = 256;

/// What one look remembers for the next.
#[derive(Debug, Default)]
pub(crate) struct Running {
    looked: Option<Instant>,
    described: FxHashMap<Vec<u8>, Described>,
}

impl Running {
    /// Looks at all processes but those of products; `describe` says what is known of a file.
    pub(crate) fn look(
        &mut self,
        is_of_product: impl Fn(u32) -> bool,
        describe: impl FnMut(&[u8]) -> Described,
    ) -> Vec<Ran> {
        let pids = procfs::all_pids().unwrap_or_default();
        let looked_at = pids.into_iter().take(PROCESSES_LIMIT);
        let others = looked_at.filter(|pid| !is_of_product(*pid));
        // Threads of the kernel have no executable.
        let files: FxHashSet<Vec<u8>> = others.filter_map(executable).collect();
        self.told(Instant::now(), files, describe)
    }

    /// The same of the executables that run at that instant.
    fn told(
        &mut self,
        now: Instant,
        files: FxHashSet<Vec<u8>>,
        mut describe: impl FnMut(&[u8]) -> Described,
    ) -> Vec<Ran> {
        // For how long they ran before the first look is not known.
        let Some(before) = self.looked.replace(now) else {
            return Vec::new();
        };
        let seconds = now.duration_since(before).min(MOST).as_secs();
        if self.described.len() + files.len() > FILES_LIMIT {
            self.described.clear();
        }
        let mut ran: FxHashMap<Arc<str>, Described> = FxHashMap::default();
        let mut questions = QUESTIONS_LIMIT;
        for file in files.into_iter().take(FILES_LIMIT) {
            let program = display_name(&file);
            let described = match self.described.get(&file) {
                Some(known) => known.clone(),
                None if questions == 0 => Described::default(),
                None => {
                    questions -= 1;
                    let found = describe(&file);
                    self.described.insert(file, found.clone());
                    found
                }
            };
            let named = ran.entry(program).or_default();
            named.package = named.package.take().or(described.package);
            named.desktop_name = named.desktop_name.take().or(described.desktop_name);
        }
        let ran = ran.into_iter().map(|(program, described)| Ran {
            program,
            seconds,
            described,
        });
        ran.collect()
    }
}

/// The file that a process runs, as the kernel names it. Nobody waits for its file system.
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

    fn files(paths: &[&str]) -> FxHashSet<Vec<u8>> {
        paths.iter().map(|path| path.as_bytes().to_vec()).collect()
    }

    #[test]
    fn what_runs_at_two_looks_has_run_between_them_once_however_many_there_are() {
        let mut running = Running::default();
        let began = Instant::now();
        let both = ["/opt/a/blender", "/opt/b/blender"];
        assert_eq!(
            running.told(began, files(&both), |_| Described::default()),
            []
        );
        let asked = std::cell::Cell::new(0);
        let of_b = Described {
            package: Some("blender".into()),
            desktop_name: Some("Blender".into()),
        };
        let describe = |path: &[u8]| {
            asked.set(asked.get() + 1);
            match path.starts_with(b"/opt/b") {
                true => of_b.clone(),
                false => Described::default(),
            }
        };
        let ran = |seconds| Ran {
            program: "blender".into(),
            seconds,
            described: of_b.clone(),
        };
        let at = |seconds| began + Duration::from_secs(seconds);
        assert_eq!(running.told(at(60), files(&both), describe), [ran(60)]);
        assert_eq!(running.told(at(120), files(&both), describe), [ran(60)]);
        assert_eq!(asked.get(), 2, "a package is asked for once");
        let slept = running.told(at(9_000), files(&both), describe);
        assert_eq!(slept, [ran(MOST.as_secs())]);
        assert_eq!(running.told(at(9_060), files(&[]), describe), []);
    }

    #[test]
    fn a_process_is_seen_by_the_file_that_it_runs_unless_it_is_a_products() {
        let folder = tempfile::tempdir().unwrap();
        let name = format!("sleeps-{}", std::process::id());
        let file = folder.path().join(&name);
        std::fs::copy("/bin/sleep", &file).unwrap();
        let mut sleeps = std::process::Command::new(&file);
        let mut sleeps = sleeps.arg("600").spawn().unwrap();
        let pid = sleeps.id();
        let is_seen = |ran: &[Ran]| ran.iter().any(|it| *it.program == *name);
        let mut running = Running::default();
        running.look(|_| false, |_| Described::default());
        let seen = is_seen(&running.look(|_| false, |_| Described::default()));
        std::fs::remove_file(&file).unwrap();
        let seen_without_its_file = is_seen(&running.look(|_| false, |_| Described::default()));
        let seen_as_a_products = is_seen(&running.look(|it| it == pid, |_| Described::default()));
        sleeps.kill().unwrap();
        sleeps.wait().unwrap();
        assert!(seen && seen_without_its_file && !seen_as_a_products);
    }
}
