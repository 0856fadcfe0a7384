//! Locks by LockFileEx, on one byte that no file has: a lock on bytes that are there would hinder
//! others, and SQLite in this process, from reading and writing them.
#![allow(unsafe_code)]

use std::fs::{File, OpenOptions};
use std::io;
use std::ops::RangeInclusive;
use std::os::windows::io::AsRawHandle;
use std::path::Path;

use windows_sys::Win32::Foundation::{ERROR_IO_PENDING, ERROR_LOCK_VIOLATION};
use windows_sys::Win32::Storage::FileSystem::{
    LOCKFILE_EXCLUSIVE_LOCK, LOCKFILE_FAIL_IMMEDIATELY, LockFileEx,
};
use windows_sys::Win32::System::IO::{OVERLAPPED, OVERLAPPED_0, OVERLAPPED_0_0};
use windows_sys::Win32::System::Threading::{
    PROCESS_QUERY_LIMITED_INFORMATION, QueryFullProcessImageNameW,
};

use super::raw;
use crate::terms::{Holder, unsupported};

/// The byte that is locked: the last but one that an offset can name.
const AT: (u32, u32) = (u32::MAX - 1, i32::MAX as u32);
/// A path of a program is shorter.
const PATH_LIMIT: usize = 1_024;

pub(crate) fn take(file: &File) -> io::Result<bool> {
    let mut at = OVERLAPPED {
        Anonymous: OVERLAPPED_0 {
            Anonymous: OVERLAPPED_0_0 {
                Offset: AT.0,
                OffsetHigh: AT.1,
            },
        },
        ..OVERLAPPED::default()
    };
    let flags = LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY;
    // SAFETY: the file is open for synchronous work, so the call has ended with `at` when it
    // returns.
    let locked = raw::done(unsafe { LockFileEx(file.as_raw_handle(), flags, 0, 1, 0, &mut at) });
    match locked {
        Ok(()) => Ok(true),
        Err(error) if is(&error, ERROR_LOCK_VIOLATION) || is(&error, ERROR_IO_PENDING) => Ok(false),
        Err(error) => Err(error),
    }
}

fn is(error: &io::Error, code: u32) -> bool {
    error.raw_os_error().map(i32::cast_unsigned) == Some(code)
}

/// A folder has no lock of its own: a file in it is locked.
pub(crate) fn file_of_folder(folder: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join(".lock"))
}

pub(crate) fn holder(_path: &Path) -> io::Result<Option<Holder>> {
    Err(unsupported("asking who holds a file's lock"))
}

/// Windows does not say which bytes are locked.
pub(crate) fn readers(_path: &Path, _bytes: RangeInclusive<u64>) -> Vec<Holder> {
    Vec::new()
}

pub(crate) fn process_name(pid: u32) -> Option<String> {
    let process = raw::process(pid, PROCESS_QUERY_LIMITED_INFORMATION).ok()?;
    let (mut path, mut length) = ([0_u16; PATH_LIMIT], PATH_LIMIT as u32);
    // SAFETY: the process is open, and `path` has room for `length` characters.
    let answer = unsafe {
        QueryFullProcessImageNameW(process.as_raw_handle(), 0, path.as_mut_ptr(), &mut length)
    };
    raw::done(answer).ok()?;
    let path = String::from_utf16_lossy(path.get(..length as usize)?);
    path.rsplit('\\').next().map(str::to_owned)
}
