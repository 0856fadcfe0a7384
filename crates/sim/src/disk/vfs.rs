//! What SQLite calls: an SQLite VFS whose files are those of the made-up disks.
//!
//! It is registered once for the process and never taken back, for a connection keeps a pointer to
//! its VFS. It has no shared memory: a connection takes its file alone (`locking_mode=EXCLUSIVE`
//! before the first look at it) and keeps the index of the write-ahead log in its own memory.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::Once;

use rusqlite::ffi::{self, sqlite3_file, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs};

use super::open::{self, Open};

/// Its name among the VFS of this process.
pub(super) const NAME: &str = "usher-sim";
const C_NAME: &CStr = c"usher-sim";
/// The longest name of a file, with what SQLite puts behind it.
const NAME_LIMIT: c_int = 512;
/// As SQLite's own VFS says of a disk that it knows nothing of.
const SECTOR_BYTES: c_int = 4_096;
/// 1 January 1970, 00:00 UTC, as a Julian day: nothing in a store asks SQLite for the time.
const JULIAN_1970: f64 = 2_440_587.5;

/// What SQLite keeps of an open file, in memory of its own.
#[repr(C)]
struct Handle {
    base: sqlite3_file,
    /// From `Box::into_raw`, until the file is closed.
    open: *mut Open,
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    // The first has all but shared memory and mapped files.
    iVersion: 1,
    xClose: Some(x_close),
    xRead: Some(x_read),
    xWrite: Some(x_write),
    xTruncate: Some(x_truncate),
    xSync: Some(x_sync),
    xFileSize: Some(x_file_size),
    xLock: Some(x_lock),
    xUnlock: Some(x_lock),
    xCheckReservedLock: Some(x_check_reserved_lock),
    xFileControl: Some(x_file_control),
    xSectorSize: Some(x_sector_size),
    xDeviceCharacteristics: Some(x_device_characteristics),
    xShmMap: None,
    xShmLock: None,
    xShmBarrier: None,
    xShmUnmap: None,
    xFetch: None,
    xUnfetch: None,
};

/// Makes it known to SQLite.
pub(super) fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let vfs = Box::leak(Box::new(sqlite3_vfs {
            iVersion: 1,
            // Two words.
            szOsFile: size_of::<Handle>() as c_int,
            mxPathname: NAME_LIMIT,
            pNext: std::ptr::null_mut(),
            zName: C_NAME.as_ptr(),
            pAppData: std::ptr::null_mut(),
            xOpen: Some(x_open),
            xDelete: Some(x_delete),
            xAccess: Some(x_access),
            xFullPathname: Some(x_full_pathname),
            xDlOpen: Some(x_dl_open),
            xDlError: Some(x_dl_error),
            xDlSym: None,
            xDlClose: None,
            xRandomness: Some(x_randomness),
            xSleep: Some(x_sleep),
            xCurrentTime: Some(x_current_time),
            xGetLastError: None,
            xCurrentTimeInt64: None,
            xSetSystemCall: None,
            xGetSystemCall: None,
            xNextSystemCall: None,
        }));
        // SAFETY: it is never freed, nobody else has it, and its functions do what SQLite asks of
        // them. Where SQLite has no memory for it, opening says that there is no such VFS.
        let _ = unsafe { ffi::sqlite3_vfs_register(vfs, 0) };
    });
}

/// The code of an outcome.
fn code<T, E>(outcome: Result<T, E>, failed: c_int) -> c_int {
    outcome.map_or(failed, |_| ffi::SQLITE_OK)
}

/// A place or a length, which SQLite keeps signed.
fn place<N: TryInto<usize>>(number: N) -> Result<usize, ()> {
    number.try_into().map_err(|_| ())
}

/// SAFETY: `name` is a text that SQLite ends with a zero, and keeps while `'a` lasts.
unsafe fn text<'a>(name: *const c_char) -> Option<&'a str> {
    if name.is_null() {
        return None;
    }
    // SAFETY: of the caller.
    unsafe { CStr::from_ptr(name) }.to_str().ok()
}

/// SAFETY: `file` was filled by `x_open`, was not closed, and nobody else uses it now: SQLite uses
/// a file on one thread at a time.
unsafe fn opened<'a>(file: *mut sqlite3_file) -> &'a mut Open {
    // SAFETY: of the caller; `x_open` has put a box there.
    unsafe { &mut *(*file.cast::<Handle>()).open }
}

// SAFETY: SQLite gives `szOsFile` bytes for `file`, and `name` and `out_flags` or null.
unsafe extern "C" fn x_open(
    _: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: as SQLite calls it. Without methods it is not closed.
    unsafe { (*file).pMethods = std::ptr::null() };
    let opened = match name.is_null() {
        true => Ok(Open::Scratch(Vec::new())),
        false => {
            // SAFETY: as SQLite calls it.
            let Some(path) = (unsafe { text(name) }) else {
                return ffi::SQLITE_CANTOPEN;
            };
            let make = flags & ffi::SQLITE_OPEN_CREATE != 0;
            let alone = flags & ffi::SQLITE_OPEN_MAIN_DB != 0;
            Open::named(path, make, alone)
        }
    };
    let Ok(opened) = opened else {
        return ffi::SQLITE_CANTOPEN;
    };
    let handle = Handle {
        base: sqlite3_file { pMethods: &METHODS },
        open: Box::into_raw(Box::new(opened)),
    };
    // SAFETY: as SQLite calls it: there is room for a handle, with the alignment of `malloc`.
    unsafe {
        file.cast::<Handle>().write(handle);
        if !out_flags.is_null() {
            *out_flags = flags;
        }
    }
    ffi::SQLITE_OK
}

// SAFETY: SQLite closes what `x_open` has opened, once.
unsafe extern "C" fn x_close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: as SQLite calls it.
    drop(unsafe { Box::from_raw((*file.cast::<Handle>()).open) });
    ffi::SQLITE_OK
}

// SAFETY: SQLite gives an open file, and room for so many bytes.
unsafe extern "C" fn x_read(
    file: *mut sqlite3_file,
    into: *mut c_void,
    length: c_int,
    at: sqlite3_int64,
) -> c_int {
    let (Ok(length), Ok(at)) = (place(length), place(at)) else {
        return ffi::SQLITE_IOERR_READ;
    };
    // SAFETY: as SQLite calls it. What is not read is to be zero.
    let (open, into) = unsafe {
        into.cast::<u8>().write_bytes(0, length);
        let into = std::slice::from_raw_parts_mut(into.cast::<u8>(), length);
        (opened(file), into)
    };
    match open.read(at, into) {
        Ok(found) if found == length => ffi::SQLITE_OK,
        Ok(_) => ffi::SQLITE_IOERR_SHORT_READ,
        Err(_) => ffi::SQLITE_IOERR_READ,
    }
}

// SAFETY: SQLite gives an open file, and so many bytes.
unsafe extern "C" fn x_write(
    file: *mut sqlite3_file,
    from: *const c_void,
    length: c_int,
    at: sqlite3_int64,
) -> c_int {
    let (Ok(length), Ok(at)) = (place(length), place(at)) else {
        return ffi::SQLITE_IOERR_WRITE;
    };
    // SAFETY: as SQLite calls it.
    let (open, from) = unsafe {
        let from = std::slice::from_raw_parts(from.cast::<u8>(), length);
        (opened(file), from)
    };
    code(open.write(at, from), ffi::SQLITE_IOERR_WRITE)
}

// SAFETY: SQLite gives an open file.
unsafe extern "C" fn x_truncate(file: *mut sqlite3_file, length: sqlite3_int64) -> c_int {
    let Ok(length) = place(length) else {
        return ffi::SQLITE_IOERR_TRUNCATE;
    };
    // SAFETY: as SQLite calls it.
    code(
        unsafe { opened(file) }.cut(length),
        ffi::SQLITE_IOERR_TRUNCATE,
    )
}

// SAFETY: SQLite gives an open file.
unsafe extern "C" fn x_sync(file: *mut sqlite3_file, _: c_int) -> c_int {
    // SAFETY: as SQLite calls it.
    code(unsafe { opened(file) }.sync(), ffi::SQLITE_IOERR_FSYNC)
}

// SAFETY: SQLite gives an open file, and room for a number.
unsafe extern "C" fn x_file_size(file: *mut sqlite3_file, size: *mut sqlite3_int64) -> c_int {
    // SAFETY: as SQLite calls it.
    let length = unsafe { opened(file) }.length();
    let Some(length) = length.ok().and_then(|length| length.try_into().ok()) else {
        return ffi::SQLITE_IOERR_FSTAT;
    };
    // SAFETY: as SQLite calls it.
    unsafe { *size = length };
    ffi::SQLITE_OK
}

/// Who has opened a data file has it alone.
extern "C" fn x_lock(_: *mut sqlite3_file, _: c_int) -> c_int {
    ffi::SQLITE_OK
}

// SAFETY: SQLite gives room for a number.
unsafe extern "C" fn x_check_reserved_lock(_: *mut sqlite3_file, is_held: *mut c_int) -> c_int {
    // SAFETY: as SQLite calls it.
    unsafe { *is_held = 0 };
    ffi::SQLITE_OK
}

extern "C" fn x_file_control(_: *mut sqlite3_file, _: c_int, _: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

extern "C" fn x_sector_size(_: *mut sqlite3_file) -> c_int {
    SECTOR_BYTES
}

/// A write that is cut off changes no byte beside those that it was to write: SQLite's own VFS
/// takes that of every disk, and the store runs over that one.
extern "C" fn x_device_characteristics(_: *mut sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

// SAFETY: SQLite gives a name.
unsafe extern "C" fn x_delete(_: *mut sqlite3_vfs, name: *const c_char, syncs: c_int) -> c_int {
    // SAFETY: as SQLite calls it.
    let path = unsafe { text(name) };
    match path.map(|path| open::remove(path, syncs != 0)) {
        Some(Ok(true)) => ffi::SQLITE_OK,
        Some(Ok(false)) => ffi::SQLITE_IOERR_DELETE_NOENT,
        Some(Err(_)) | None => ffi::SQLITE_IOERR_DELETE,
    }
}

// SAFETY: SQLite gives a name, and room for a number.
unsafe extern "C" fn x_access(
    _: *mut sqlite3_vfs,
    name: *const c_char,
    _: c_int,
    is_there: *mut c_int,
) -> c_int {
    // SAFETY: as SQLite calls it.
    let path = unsafe { text(name) };
    let Some(Ok(has)) = path.map(open::has) else {
        return ffi::SQLITE_IOERR_ACCESS;
    };
    // SAFETY: as SQLite calls it.
    unsafe { *is_there = c_int::from(has) };
    ffi::SQLITE_OK
}

/// A name is whole as it is.
// SAFETY: SQLite gives a name, and room for so many bytes.
unsafe extern "C" fn x_full_pathname(
    _: *mut sqlite3_vfs,
    name: *const c_char,
    room: c_int,
    into: *mut c_char,
) -> c_int {
    // SAFETY: as SQLite calls it.
    let bytes = unsafe { CStr::from_ptr(name) }.to_bytes_with_nul();
    if place(room).is_ok_and(|room| bytes.len() <= room) {
        // SAFETY: there is room, and nobody's name lies in it.
        unsafe { into.copy_from_nonoverlapping(bytes.as_ptr().cast(), bytes.len()) };
        return ffi::SQLITE_OK;
    }
    ffi::SQLITE_CANTOPEN
}

/// There are no libraries on a made-up disk.
extern "C" fn x_dl_open(_: *mut sqlite3_vfs, _: *const c_char) -> *mut c_void {
    std::ptr::null_mut()
}

extern "C" fn x_dl_error(_: *mut sqlite3_vfs, _: c_int, _: *mut c_char) {}

/// The same each time. SQLite asks only the VFS that it opens by default.
// SAFETY: SQLite gives room for so many bytes.
unsafe extern "C" fn x_randomness(_: *mut sqlite3_vfs, length: c_int, into: *mut c_char) -> c_int {
    if let Ok(length) = place(length) {
        // SAFETY: as SQLite calls it.
        unsafe { into.write_bytes(0x2a, length) };
    }
    length
}

/// Nobody waits in virtual time.
extern "C" fn x_sleep(_: *mut sqlite3_vfs, microseconds: c_int) -> c_int {
    microseconds
}

// SAFETY: SQLite gives room for a number.
unsafe extern "C" fn x_current_time(_: *mut sqlite3_vfs, julian_day: *mut f64) -> c_int {
    // SAFETY: as SQLite calls it.
    unsafe { *julian_day = JULIAN_1970 };
    ffi::SQLITE_OK
}
