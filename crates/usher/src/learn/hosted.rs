//! What a process runs in the executable that the kernel names: a script in its interpreter, or a
//! Windows program in Wine.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use nix::libc;
use serde::Serialize;

use crate::output::path_as_text;

/// The type of the entry in a process's auxiliary vector that holds the address of the name by
/// which it was started: for a script that of the script (getauxval(3)).
const AT_EXECFN: u64 = 31;
/// How much is read of a process's arguments, and of its environment.
const TEXT_LIMIT: u64 = 256 * 1024;
/// How many arguments of Wine are looked at.
const ARGUMENTS_LIMIT: usize = 8;

/// What an executable was started for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Hosted {
    /// The script that it interprets.
    Script(#[serde(serialize_with = "path_as_text")] PathBuf),
    /// The program of Windows that Wine runs.
    Windows(#[serde(serialize_with = "path_as_text")] PathBuf),
}

impl Hosted {
    pub(crate) fn file(&self) -> &Path {
        match self {
            Hosted::Script(file) | Hosted::Windows(file) => file,
        }
    }
}

/// What the process behind `proc`, which now executes `exe`, was started for.
pub(super) fn of(proc: &Path, exe: &Path) -> Option<Hosted> {
    if is_of_wine(exe) {
        return windows(proc).map(Hosted::Windows);
    }
    let name = started_as(proc)?;
    let file = std::fs::canonicalize(seen_by(proc, &name)?).ok()?;
    // What the kernel itself executes is no script, by whatever name it was found here.
    (file != exe && !begins_with(&file, b"\x7fELF")).then_some(Hosted::Script(file))
}

/// Whether an executable is one of Wine's own, by its name.
pub(super) fn is_of_wine(exe: &Path) -> bool {
    exe.file_name()
        .is_some_and(|name| name.as_bytes().starts_with(b"wine"))
}

/// The path that a name means to the process: relative to its folder, and `/proc/self` is the
/// process.
fn seen_by(proc: &Path, name: &Path) -> Option<PathBuf> {
    for own in ["/proc/self", "/proc/thread-self"] {
        if let Ok(rest) = name.strip_prefix(own) {
            return Some(proc.join(rest));
        }
    }
    Some(std::fs::read_link(proc.join("cwd")).ok()?.join(name))
}

/// The name by which a process was started.
fn started_as(proc: &Path) -> Option<PathBuf> {
    let vector = std::fs::read(proc.join("auxv")).ok()?;
    let word = |bytes: &[u8]| bytes.try_into().map(usize::from_ne_bytes).ok();
    let size = size_of::<usize>();
    let address = vector
        .chunks_exact(2 * size)
        .find(|entry| word(&entry[..size]) == usize::try_from(AT_EXECFN).ok())
        .and_then(|entry| word(&entry[size..]))?;
    let memory = File::open(proc.join("mem")).ok()?;
    let mut bytes = vec![0; libc::PATH_MAX as usize];
    let length = memory.read_at(&mut bytes, address as u64).ok()?;
    let end = bytes[..length].iter().position(|byte| *byte == 0)?;
    Some(PathBuf::from(OsStr::from_bytes(&bytes[..end])))
}

/// The program of Windows among the arguments of a process of Wine.
fn windows(proc: &Path) -> Option<PathBuf> {
    let prefix = text(&proc.join("environ")).and_then(|environ| usher_pe::wine::prefix(&environ));
    let arguments = text(&proc.join("cmdline"))?;
    arguments
        .split(|byte| *byte == 0)
        .skip(1)
        .take(ARGUMENTS_LIMIT)
        .filter(|argument| !argument.is_empty())
        .find_map(|argument| {
            let name = usher_pe::wine::unix_name(argument, prefix.as_deref());
            let name = PathBuf::from(OsString::from_vec(name));
            let file = std::fs::canonicalize(seen_by(proc, &name)?).ok()?;
            begins_with(&file, b"MZ").then_some(file)
        })
}

/// The original name that a program of Windows has.
pub(super) fn original_name(file: &Path) -> Option<String> {
    let file = regular(file)?;
    let read = |buffer: &mut [u8], offset| {
        let mut done = 0;
        while let Ok(count @ 1..) = file.read_at(&mut buffer[done..], offset + done as u64) {
            done += count;
        }
        done
    };
    usher_pe::facts(read)?.original_name
}

fn begins_with(file: &Path, magic: &[u8]) -> bool {
    let mut start = vec![0; magic.len()];
    regular(file).is_some_and(|file| file.read_exact_at(&mut start, 0).is_ok() && start == magic)
}

/// A regular file: reading it does not wait.
fn regular(file: &Path) -> Option<File> {
    std::fs::metadata(file)
        .is_ok_and(|about| about.is_file())
        .then(|| File::open(file).ok())?
}

fn text(file: &Path) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let file = File::open(file).ok()?;
    file.take(TEXT_LIMIT).read_to_end(&mut text).ok()?;
    Some(text)
}
