//! `xtask load`: what `endure` starts to keep a computer busy. Each ends with the process that
//! started it, however that ends, and what it writes has a bound.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};

use crate::process::{Beside, Runner};

/// Its path may have another file by then: what is tested is built again.
const THIS_PROGRAM: &str = "/proc/self/exe";
/// How many processes take a core each.
pub(crate) const BUSY: usize = 2;
/// The file that is written over and over never becomes larger.
const FILE_BYTES: u64 = 64 << 20;
/// One write, which is synced before the next.
const WRITE_BYTES: usize = 64 << 10;

/// Processes that take cores and the disk from others until this is dropped or ended.
#[derive(Debug)]
pub(crate) struct Load<'a> {
    runner: &'a Runner,
    running: Vec<Beside>,
    folder: PathBuf,
}

impl<'a> Load<'a> {
    /// Starts [`BUSY`] busy processes, and one that writes and syncs in a folder of its own in `at`.
    pub(crate) fn start(runner: &'a Runner, at: &Path) -> Result<Self, String> {
        let own = std::process::id();
        // By this name the last sweep finds it after a kill.
        let folder = at.join(format!("usher-test-{own}-load"));
        std::fs::create_dir_all(&folder)
            .map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
        let mut load = Load {
            runner,
            running: Vec::new(),
            folder,
        };
        for number in 0..=BUSY {
            let mut command = Command::new(THIS_PROGRAM);
            command.arg0("xtask").args(["load", &own.to_string()]);
            if number == BUSY {
                command.arg(&load.folder);
            }
            let output = load.folder.join(format!("output-{number}"));
            load.running.push(runner.begin(&mut command, &output)?);
        }
        Ok(load)
    }

    /// Ends them; an error says which had ended before, so that there was no load.
    pub(crate) fn end(mut self) -> Result<(), String> {
        let ended: Vec<_> = self.running.drain(..).collect();
        let ended = ended.into_iter().map(|beside| self.runner.end(beside));
        ended.collect::<Vec<_>>().into_iter().collect()
    }
}

impl Drop for Load<'_> {
    fn drop(&mut self) {
        for beside in self.running.drain(..) {
            let _ = self.runner.end(beside);
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// `xtask load PARENT [FOLDER]`: takes a core, or the disk under that folder, until the parent ends.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    const USAGE: &str = "load is started by `endure`: load PARENT [FOLDER]";
    let (parent, folder) = match arguments {
        [parent] => (parent, None),
        [parent, folder] => (parent, Some(Path::new(folder))),
        _ => return Err(USAGE.to_owned()),
    };
    let parent: i32 = parent.parse().map_err(|_| USAGE.to_owned())?;
    set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|error| format!("cannot bind itself to its parent: {error}"))?;
    // It may have ended before the signal was asked for.
    if getppid() != Pid::from_raw(parent) {
        return Err(format!("process {parent} is not its parent"));
    }
    match folder {
        Some(folder) => write_and_sync(&folder.join("written"), u64::MAX)
            .map_err(|error| format!("cannot write in {}: {error}", folder.display())),
        None => loop {
            std::hint::spin_loop();
        },
    }
}

/// Writes so many pieces over and over into one file, and syncs each.
fn write_and_sync(file: &Path, times: u64) -> std::io::Result<()> {
    let mut file = File::create(file)?;
    let piece = vec![0x55; WRITE_BYTES];
    for _ in 0..times {
        if file.stream_position()? >= FILE_BYTES {
            file.seek(SeekFrom::Start(0))?;
        }
        file.write_all(&piece)?;
        file.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_without_pause_has_a_bound() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("written");
        let pieces = FILE_BYTES / WRITE_BYTES as u64;
        write_and_sync(&file, pieces + 9).unwrap();
        assert_eq!(file.metadata().unwrap().len(), FILE_BYTES);
    }
}
