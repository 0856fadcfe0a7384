//! What an interpreter, a loader or Wine runs: the script, program or PE file behind the
//! executable that the kernel names.
//!
//! Arguments are what a program says of itself, so they only say where to look. What is found
//! there must prove it: a script must begin with `#!` and name this very interpreter with these
//! very options; what a loader runs must be an ELF file; what Wine runs must be a PE file.

use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;

use rustix::fs::fstat;
use usher_core::identify::file_name;
use usher_platform::files::Links;

use crate::system::{FileKey, procfs};

/// How many options before the hosted file are skipped.
const OPTIONS_LIMIT: usize = 8;
/// How many bytes of a script's first line are read: as many as the kernel reads.
const LINE_LIMIT: usize = 256;

/// The longest path that the kernel accepts.
const PATH_LIMIT: usize = 4096;

/// The ways in which executables run others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Host {
    Interpreter,
    Loader,
    Wine,
}

/// A file that a host runs.
#[derive(Debug)]
pub(crate) struct HostedFile {
    pub(crate) path: Vec<u8>,
    pub(crate) key: FileKey,
    pub(crate) file: File,
}

/// Whether an executable runs others, by its file name.
pub(crate) fn host(path: &[u8]) -> Option<Host> {
    const INTERPRETERS: &[&[u8]] = &[
        b"sh", b"bash", b"dash", b"ash", b"zsh", b"ksh", b"ksh93", b"mksh", b"csh", b"tcsh",
        b"fish", b"busybox", b"perl", b"python", b"pypy", b"ruby", b"node", b"nodejs", b"php",
        b"lua", b"luajit", b"tclsh", b"wish", b"expect", b"rscript", b"awk", b"gawk", b"mawk",
        b"guile", b"julia", b"octave", b"make",
    ];
    let name = file_name(path);
    if name.starts_with(b"ld-linux") || name.starts_with(b"ld-musl") || name == b"ld.so" {
        return Some(Host::Loader);
    }
    if name.starts_with(b"wine") {
        return Some(Host::Wine);
    }
    let end = name
        .iter()
        .rposition(|byte| !(byte.is_ascii_digit() || *byte == b'.' || *byte == b'-'))
        .map_or(0, |last| last + 1);
    let stem = name[..end].to_ascii_lowercase();
    INTERPRETERS
        .iter()
        .any(|known| *known == stem || *known == name)
        .then_some(Host::Interpreter)
}

/// The file that process `pid`, which runs the host at `exe`, runs by it.
pub(crate) fn hosted(host: Host, pid: u32, exe: &[u8], exe_key: &FileKey) -> Option<HostedFile> {
    let arguments = procfs::arguments(pid).ok()?;
    let mut arguments = arguments.split(|byte| *byte == 0).skip(1);
    match host {
        Host::Interpreter => {
            let mut options = Vec::new();
            let candidate = loop {
                let argument = arguments.next()?;
                if !argument.starts_with(b"-") {
                    break argument;
                }
                options.push(argument);
                if options.len() > OPTIONS_LIMIT {
                    return None;
                }
            };
            let found = open(pid, candidate)?;
            names_interpreter(&found.file, exe, exe_key, &options).then_some(found)
        }
        Host::Loader => {
            // Some of the loader's options take a value: a file that is no ELF file is passed by,
            // and one that is mapped is preferred.
            let programs: Vec<HostedFile> = arguments
                .take(2 * OPTIONS_LIMIT)
                .filter(|argument| !argument.starts_with(b"-"))
                .filter_map(|argument| open(pid, argument))
                .filter(|found| begins_with(&found.file, b"\x7fELF"))
                .collect();
            let mapped = programs
                .iter()
                .position(|found| procfs::has_mapped(pid, found.key.device, found.key.inode));
            programs.into_iter().nth(mapped.unwrap_or(0))
        }
        Host::Wine => {
            let prefix = procfs::variables(pid).ok();
            let prefix = prefix.and_then(|environ| usher_pe::wine::prefix(&environ));
            arguments
                .take(OPTIONS_LIMIT)
                .filter_map(|name| open(pid, &usher_pe::wine::unix_name(name, prefix.as_deref())))
                .find(|found| begins_with(&found.file, b"MZ"))
        }
    }
}

/// Opens a name as the process would: in its root, from its working folder.
fn open(pid: u32, argument: &[u8]) -> Option<HostedFile> {
    if argument.is_empty() || argument.len() > PATH_LIMIT {
        return None;
    }
    let (folder, relative) = match argument.strip_prefix(b"/") {
        Some(rest) => (procfs::folder(pid, "root").ok()?, rest),
        None => (procfs::folder(pid, "cwd").ok()?, argument),
    };
    let file = usher_platform::files::open_regular_at(&folder, relative, Links::Followed).ok()?;
    let stat = fstat(&file).ok()?;
    Some(HostedFile {
        path: procfs::path_of_open(&file).ok()?,
        key: FileKey::of(&stat),
        file,
    })
}

fn begins_with(file: &File, magic: &[u8]) -> bool {
    let mut start = [0; 4];
    file.read_exact_at(&mut start[..magic.len()], 0).is_ok() && start.starts_with(magic)
}

/// Whether a script's first line names the interpreter `exe`, with exactly these options.
fn names_interpreter(file: &File, exe: &[u8], exe_key: &FileKey, options: &[&[u8]]) -> bool {
    let mut buffer = [0; LINE_LIMIT];
    let Ok(length) = file.read_at(&mut buffer, 0) else {
        return false;
    };
    let line = buffer[..length]
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let Some(line) = line.strip_prefix(b"#!") else {
        return false;
    };
    let words: Vec<&[u8]> = line
        .split(|byte| byte.is_ascii_whitespace())
        .filter(|word| !word.is_empty())
        .collect();
    let Some((interpreter, rest)) = words.split_first() else {
        return false;
    };
    // The kernel hands on all that stands behind the interpreter as one argument.
    let options: Vec<&[u8]> = options
        .iter()
        .flat_map(|option| option.split(|byte| byte.is_ascii_whitespace()))
        .collect();
    if file_name(interpreter) != b"env" {
        return is_file(interpreter, exe_key) && rest == options;
    }
    let mut rest = rest;
    while let Some((first, others)) = rest.split_first() {
        if !first.starts_with(b"-") && !first.contains(&b'=') {
            break;
        }
        rest = others;
    }
    let Some((name, rest)) = rest.split_first() else {
        return false;
    };
    is_named(name, exe, exe_key) && rest == options
}

fn is_file(path: &[u8], key: &FileKey) -> bool {
    let path = std::path::Path::new(std::ffi::OsStr::from_bytes(path));
    rustix::fs::stat(path).is_ok_and(|stat| stat.st_dev == key.device && stat.st_ino == key.inode)
}

/// `env NAME` looks through a PATH that is not known here: the usual folders are tried, and what
/// `python3` is called as a file: `python3.11`.
fn is_named(name: &[u8], exe: &[u8], exe_key: &FileKey) -> bool {
    if name.contains(&b'/') {
        return is_file(name, exe_key);
    }
    let own_name = file_name(exe);
    let version_of = own_name.strip_prefix(name).is_some_and(|rest| {
        rest.iter()
            .all(|byte| byte.is_ascii_digit() || *byte == b'.')
    });
    version_of
        || ["/usr/local/bin/", "/usr/bin/", "/bin/"]
            .iter()
            .any(|folder| {
                let path = [folder.as_bytes(), name].concat();
                is_file(&path, exe_key)
            })
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_program_of_wine_is_found_by_its_prefix_however_much_stands_before_that() {
        let folder = tempfile::tempdir().unwrap();
        let drive = folder.path().join("dosdevices/c:");
        std::fs::create_dir_all(&drive).unwrap();
        let program = drive.canonicalize().unwrap().join("a.exe");
        std::fs::write(&program, b"MZ and more").unwrap();
        let mut wine = Command::new("/bin/sh");
        wine.args(["-c", "echo; read line", r"C:\a.exe"])
            .env_clear();
        // Variables are handed on by name, so this one comes first.
        wine.env("BULK", "x".repeat(20_000));
        wine.env("WINEPREFIX", folder.path());
        wine.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut wine = wine.spawn().unwrap();
        // Who spawns goes on before the kernel has put the variables in place.
        let mut said = wine.stdout.take().unwrap();
        said.read_exact(&mut [0]).unwrap();
        let (exe, key) = procfs::executable(wine.id(), &mut Vec::new()).unwrap();
        let found = hosted(Host::Wine, wine.id(), &exe, &key);
        drop(wine.stdin.take());
        wine.wait().unwrap();
        let found = found.expect("the program of Wine");
        assert_eq!(found.path, program.as_os_str().as_bytes());
    }
}
