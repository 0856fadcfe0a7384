//! Program files: copied to a place where nobody else can write, identified by their hash, replaced
//! in one step, and kept for the way back.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use sha2::{Digest, Sha256};
use usher_platform::files::beside;

use crate::failure::Failure;
use crate::owner::Owner;

/// How long a program may take to say its version.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many bytes of a program are read at once.
const PIECE_BYTES: usize = 1 << 20;
/// A limit: our programs are smaller.
const PROGRAM_LIMIT_BYTES: u64 = 4 << 30;

/// A program, copied to a folder that only this user writes, and held open.
#[derive(Debug)]
pub(crate) struct Program {
    /// The copy.
    pub(crate) path: PathBuf,
    file: File,
    /// Its SHA-256, in hexadecimal digits.
    pub(crate) sha256: String,
    /// Its version by its own answer, such as `0.2.0`.
    pub(crate) version: String,
}

impl Program {
    /// Copies the program at `from` to `to`, so that what is tried is what is installed, and asks
    /// it for its version, with the rights of `owner` if one is given.
    pub(crate) fn copied(from: &Path, to: &Path, owner: Option<Owner>) -> Result<Program, Failure> {
        let failed = |error: io::Error| {
            Failure::failed(format!("cannot copy {} to try it: {error}", from.display()))
        };
        let source = usher_platform::files::open_regular(from).map_err(|error| {
            Failure::usage(format!("cannot read {}: {error}", from.display()))
                .next("Name the new version's program.")
        })?;
        let facts = source.metadata().map_err(failed)?;
        if facts.len() > PROGRAM_LIMIT_BYTES {
            return Err(Failure::usage(format!("{} is no program", from.display()))
                .next("Name the new version's program."));
        }
        let sha256 = copy(source, to, 0o755).map_err(failed)?;
        let file = usher_platform::files::open_regular(to).map_err(failed)?;
        let version = version_of(to, owner).map_err(|why| {
            Failure::failed(format!(
                "{} does not say its version: {why}",
                from.display()
            ))
            .next("Is this an usher binary for this machine?")
        })?;
        Ok(Program {
            path: to.to_owned(),
            file,
            sha256,
            version,
        })
    }
}

/// The SHA-256 of a file, in hexadecimal digits.
pub(crate) fn hash_of(path: &Path) -> io::Result<String> {
    digest(File::open(path)?, &mut io::sink())
}

fn digest(mut from: impl Read, to: &mut impl Write) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = from.read(&mut piece)?;
        if read == 0 {
            break;
        }
        hash.update(&piece[..read]);
        to.write_all(&piece[..read])?;
    }
    Ok(data_encoding::HEXLOWER.encode(&hash.finalize()))
}

/// Copies to a new file, which is complete and on disk when this returns; returns its hash.
fn copy(from: impl Read, to: &Path, mode: u32) -> io::Result<String> {
    match std::fs::remove_file(to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut out = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(to)?;
    let hash = digest(from, &mut out)?;
    out.set_permissions(PermissionsExt::from_mode(mode))?;
    out.sync_all()?;
    Ok(hash)
}

/// The version in a program's answer to `--version`: `usher 0.2.0` gives `0.2.0`.
fn version_of(program: &Path, owner: Option<Owner>) -> Result<String, String> {
    let mut command = Command::new(program);
    if let Some(owner) = owner {
        // Root's other groups go with it.
        command.gid(owner.gid).uid(owner.uid);
    }
    command
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut asked = usher_child::start(&mut command).map_err(|error| error.to_string())?;
    let answer = asked.stdout();
    let late = || format!("it did not end within {} s", PATIENCE.as_secs());
    let status = asked.ended_within(PATIENCE).ok_or_else(late)?;
    let mut text = String::new();
    if let Some(answer) = answer {
        answer
            .take(256)
            .read_to_string(&mut text)
            .map_err(|error| error.to_string())?;
    }
    let version = text.trim().strip_prefix("usher ").map(str::to_owned);
    match version.filter(|version| status.success() && !version.is_empty()) {
        Some(version) if version.chars().all(|c| c.is_ascii_graphic()) => Ok(version),
        _ => Err(format!("it said {:?} ({status})", text.trim())),
    }
}

/// Where the former program is kept, beside the new one.
pub(crate) fn previous(installed: &Path) -> PathBuf {
    beside(installed, ".previous")
}

/// Replaces `installed` by the program in the file `new`: a start gets one or the other, never a
/// part of one. `old`, a copy of the former program, is kept beside it.
///
/// # Errors
/// The folder cannot be written, or a program has changed since it was tried.
pub(crate) fn exchange(installed: &Path, new: &Program, old: &Program) -> io::Result<()> {
    let wanted = new.part(installed, installed)?;
    old.part(installed, &previous(installed))?.keep()?;
    wanted.keep()
}

impl Program {
    /// Writes the program beside `target`, with owner and mode of `like`; what is written is what was
    /// tried.
    fn part(&self, like: &Path, target: &Path) -> io::Result<Part> {
        let part = Part {
            path: beside(target, ".part"),
            target: target.to_owned(),
        };
        let facts = std::fs::metadata(like)?;
        let mut source = &self.file;
        source.rewind()?;
        let sha256 = copy(source, &part.path, facts.mode() & 0o7777)?;
        if sha256 != self.sha256 {
            return Err(io::Error::other(format!(
                "{} has changed since it was tried",
                self.path.display()
            )));
        }
        if rustix::process::geteuid().is_root() {
            chown(&part.path, Some(facts.uid()), Some(facts.gid()))?;
            // A change of owner takes special bits away.
            std::fs::set_permissions(&part.path, PermissionsExt::from_mode(facts.mode() & 0o7777))?;
        }
        Ok(part)
    }
}

/// A complete program file that does not have its final name yet. Dropping it removes it.
struct Part {
    path: PathBuf,
    target: PathBuf,
}

impl Part {
    fn keep(self) -> io::Result<()> {
        std::fs::rename(&self.path, &self.target)?;
        match self.target.parent() {
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // One that has its name is here no more.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(path: &Path, text: &str) {
        std::fs::write(path, text).unwrap();
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    }

    #[test]
    fn an_exchange_keeps_the_old_program_and_the_place_and_mode_of_the_installed() {
        let folder = tempfile::tempdir().unwrap();
        let (installed, new) = (folder.path().join("usher"), folder.path().join("new"));
        let [one, two] = ["one", "two"].map(|which| format!("#!/bin/sh\necho usher {which}\n"));
        script(&installed, &one);
        script(&new, &two);
        let copied = |from: &Path, name: &str| {
            Program::copied(from, &folder.path().join(name), None).unwrap()
        };
        let (was, comes) = (copied(&installed, "was"), copied(&new, "comes"));
        exchange(&installed, &comes, &was).unwrap();
        assert_eq!(std::fs::read(&installed).unwrap(), two.as_bytes());
        assert_eq!(std::fs::read(previous(&installed)).unwrap(), one.as_bytes());
        for path in [&installed, &previous(&installed)] {
            let mode = std::fs::metadata(path).unwrap().mode();
            assert_eq!(mode & 0o7777, 0o755, "{}", path.display());
        }
        assert_eq!(hash_of(&installed).unwrap(), hash_of(&new).unwrap());
        std::fs::write(&was.path, "#!/bin/sh\necho usher three\n").unwrap();
        let refused = exchange(&installed, &was, &comes).unwrap_err().to_string();
        assert!(refused.contains("has changed"), "{refused}");
        assert_eq!(std::fs::read(&installed).unwrap(), two.as_bytes());
    }

    #[test]
    fn what_is_no_usher_is_not_taken_for_one() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        for text in [
            "#!/bin/sh\necho other 1.0\n",
            "#!/bin/sh\necho usher 1.0; exit 1\n",
        ] {
            script(&from, text);
            let refused = Program::copied(&from, &to, None).unwrap_err().to_string();
            assert!(refused.contains("version"), "{refused}");
        }
        script(&from, "#!/bin/sh\necho usher 9.8.7\n");
        assert_eq!(Program::copied(&from, &to, None).unwrap().version, "9.8.7");
        assert!(Program::copied(folder.path(), &to, None).is_err());
        assert!(Program::copied(&folder.path().join("none"), &to, None).is_err());
    }
}
