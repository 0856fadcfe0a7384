//! `xtask load`: what `endure` starts to keep a computer busy. Each ends with the process that
//! started it, however that ends, and what it writes has a bound.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};

use crate::bounded::within;
use crate::process::{Beside, Runner};

/// What a load says when it takes its core or disk.
const BUSY_NOW: &str = "busy";
/// It says so within this.
const BUSY_WITHIN: Duration = Duration::from_secs(20);
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
        let mut commands: Vec<Command> = (0..=BUSY).map(|_| this_program()).collect();
        for command in &mut commands {
            command.args(["load", &own.to_string()]);
        }
        if let Some(last) = commands.last_mut() {
            last.arg(&folder);
        }
        Load::of(runner, folder, commands)
    }

    /// Starts these, and waits until each says that it is busy: one that ends at once would be
    /// noticed when all tests have been run without a load.
    fn of(runner: &'a Runner, folder: PathBuf, commands: Vec<Command>) -> Result<Self, String> {
        std::fs::create_dir_all(&folder)
            .map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
        let mut load = Load {
            runner,
            running: Vec::new(),
            folder,
        };
        let mut outputs = Vec::new();
        for (number, mut command) in commands.into_iter().enumerate() {
            let output = load.folder.join(format!("output-{number}"));
            load.running.push(runner.begin(&mut command, &output)?);
            outputs.push(output);
        }
        let is_busy = |output: &PathBuf| {
            let said = std::fs::read_to_string(output).unwrap_or_default();
            said.trim() == BUSY_NOW
        };
        within(BUSY_WITHIN, || {
            let mut running = load.running.iter_mut();
            outputs.iter().all(is_busy) || running.any(Beside::has_ended)
        });
        if !outputs.iter().all(is_busy) {
            return Err(match load.end() {
                Err(why) => format!("no load: {why}"),
                Ok(()) => format!("no load: it is not busy within {BUSY_WITHIN:?}"),
            });
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

/// This very program: at its path may be another one by then, for what is tested is built again. By
/// number, for `self` is a shell at the moment of the start.
fn this_program() -> Command {
    Command::new(format!("/proc/{}/exe", std::process::id()))
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
    println!("{BUSY_NOW}");
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

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn this_program_is_named_so_that_a_shell_starts_it_and_not_itself() {
        let named = std::fs::read_link(this_program().get_program()).unwrap();
        assert_eq!(named, std::env::current_exe().unwrap());
        let named = this_program().get_program().to_owned();
        let seen_by_shell = sh("readlink \"$0\"").arg(named).output().unwrap();
        let seen_by_shell = String::from_utf8(seen_by_shell.stdout).unwrap();
        let own = std::env::current_exe().unwrap();
        assert_eq!(seen_by_shell.trim(), own.to_str().unwrap());
    }

    #[test]
    fn a_load_that_ends_at_once_is_told_before_anything_is_measured_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let runner = Runner::new().unwrap();
        let at = folder.path().join("load");
        let ends = vec![sh("echo busy; exec sleep 60"), sh("echo no; exit 3")];
        // One that says it and ends would be told at the end, as one that is killed meanwhile.
        let why = Load::of(&runner, at.clone(), ends).unwrap_err();
        assert!(
            why.contains("exit status: 3") && why.contains("no"),
            "{why}"
        );
        let busy = vec![
            sh("echo busy; exec sleep 60"),
            sh("echo busy; exec sleep 60"),
        ];
        assert_eq!(Load::of(&runner, at, busy).unwrap().end(), Ok(()));
    }

    #[test]
    fn what_is_written_without_pause_has_a_bound() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("written");
        let pieces = FILE_BYTES / WRITE_BYTES as u64;
        write_and_sync(&file, pieces + 9).unwrap();
        assert_eq!(file.metadata().unwrap().len(), FILE_BYTES);
    }
}
