//! Files by their handles. A private one gives access to the system, the administrators and its
//! owner, and takes over nothing from its folder.
#![allow(unsafe_code)]

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::windows::fs::{MetadataExt, OpenOptionsExt};
use std::os::windows::io::{AsHandle, AsRawHandle};
use std::path::{Path, PathBuf};

use windows_sys::Win32::Foundation::{GENERIC_READ, GENERIC_WRITE};
use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, CREATE_NEW, CreateDirectoryW, CreateFileW, FILE_ATTRIBUTE_NORMAL,
    FILE_ATTRIBUTE_REPARSE_POINT, FILE_BASIC_INFO, FILE_CREATION_DISPOSITION,
    FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OPEN_REPARSE_POINT, FILE_SHARE_DELETE, FILE_SHARE_READ,
    FILE_SHARE_WRITE, FILE_TYPE_DISK, FileBasicInfo, GetDiskFreeSpaceExW,
    GetFileInformationByHandle, GetFileInformationByHandleEx, GetFileType, MoveFileExW,
    OPEN_ALWAYS,
};

use super::raw::{self, Descriptor, wide};
use crate::terms::{Identity, Links, Readers, Room, invalid, unsupported};

const PRIVATE_FILE: &str = "D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;OW)";
/// What is made in it takes this over.
const PRIVATE_FOLDER: &str = "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;OW)";

pub(crate) fn open_regular(path: &Path, links: Links) -> io::Result<File> {
    let (file, facts) = open(path, links)?;
    match facts.is_file() {
        true => Ok(file),
        false => Err(invalid("it is a folder")),
    }
}

pub(crate) fn open_folder_or_regular(path: &Path) -> io::Result<File> {
    open(path, Links::Followed).map(|(file, _)| file)
}

pub(crate) fn open_folder(path: &Path) -> io::Result<File> {
    let (file, facts) = open(path, Links::Followed)?;
    match facts.is_dir() {
        true => Ok(file),
        false => Err(io::ErrorKind::NotADirectory.into()),
    }
}

/// Opens a file or a folder of a disk for reading.
fn open(path: &Path, links: Links) -> io::Result<(File, Metadata)> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS | itself(links))
        .open(path)?;
    // SAFETY: the file is open.
    if unsafe { GetFileType(file.as_raw_handle()) } != FILE_TYPE_DISK {
        return Err(invalid("it is a device"));
    }
    let facts = file.metadata()?;
    match is_link(&facts, links) {
        true => Err(invalid("it is a symbolic link")),
        false => Ok((file, facts)),
    }
}

fn itself(links: Links) -> u32 {
    match links {
        Links::Followed => 0,
        Links::Refused => FILE_FLAG_OPEN_REPARSE_POINT,
    }
}

fn is_link(facts: &Metadata, links: Links) -> bool {
    links == Links::Refused && facts.file_attributes() & FILE_ATTRIBUTE_REPARSE_POINT != 0
}

/// How many names a file has.
pub(crate) fn names(file: &File) -> io::Result<u64> {
    Ok(facts(file)?.nNumberOfLinks.into())
}

pub(crate) fn identity(path: &Path) -> io::Result<Identity> {
    let facts = facts(&looked_at(path)?)?;
    Ok(Identity {
        volume: facts.dwVolumeSerialNumber.into(),
        number: u64::from(facts.nFileIndexHigh) << 32 | u64::from(facts.nFileIndexLow),
    })
}

/// Tenths of a microsecond.
pub(crate) fn changed_at_ticks(path: &Path) -> io::Result<i128> {
    const SIZE: u32 = size_of::<FILE_BASIC_INFO>() as u32;
    let file = looked_at(path)?;
    let mut facts = FILE_BASIC_INFO::default();
    // SAFETY: the file is open, `facts` is as long as is said and written to before the call returns.
    raw::done(unsafe {
        GetFileInformationByHandleEx(
            file.as_raw_handle(),
            FileBasicInfo,
            (&raw mut facts).cast(),
            SIZE,
        )
    })?;
    Ok(facts.ChangeTime.into())
}

/// Opened to be looked at, and neither read nor written.
fn looked_at(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .access_mode(0)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS)
        .open(path)
}

fn facts(file: &File) -> io::Result<BY_HANDLE_FILE_INFORMATION> {
    let mut facts = BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: the file is open, and `facts` is written to before the call returns.
    raw::done(unsafe { GetFileInformationByHandle(file.as_raw_handle(), &mut facts) })?;
    Ok(facts)
}

pub(crate) fn open_or_create(path: &Path, links: Links) -> io::Result<File> {
    let file = make(path, OPEN_ALWAYS, Readers::Nobody, itself(links))?;
    match is_link(&file.metadata()?, links) {
        true => Err(invalid("it is a symbolic link")),
        false => Ok(file),
    }
}

pub(crate) fn create_new(path: &Path, readers: Readers) -> io::Result<File> {
    make(path, CREATE_NEW, readers, 0)
}

fn make(
    path: &Path,
    how: FILE_CREATION_DISPOSITION,
    readers: Readers,
    flags: u32,
) -> io::Result<File> {
    let path = wide(path);
    let descriptor = descriptor(readers, PRIVATE_FILE)?;
    let attributes = descriptor.as_ref().map(Descriptor::attributes);
    let shared = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    // SAFETY: `path` ends with a zero; it, the attributes and the descriptor that they point to
    // live until the call has returned.
    let file = raw::owned(unsafe {
        CreateFileW(
            path.as_ptr(),
            GENERIC_READ | GENERIC_WRITE,
            shared,
            attributes.as_ref().map_or(std::ptr::null(), |it| it),
            how,
            FILE_ATTRIBUTE_NORMAL | flags,
            std::ptr::null_mut(),
        )
    })?;
    Ok(File::from(file))
}

pub(crate) fn make_folder(path: &Path, readers: Readers) -> io::Result<()> {
    let path = wide(path);
    let descriptor = descriptor(readers, PRIVATE_FOLDER)?;
    let attributes = descriptor.as_ref().map(Descriptor::attributes);
    let attributes = attributes
        .as_ref()
        .map_or(std::ptr::null(), |it| it as *const _);
    // SAFETY: as in `make`.
    raw::done(unsafe { CreateDirectoryW(path.as_ptr(), attributes) })
}

/// None: what the folder says counts.
fn descriptor(readers: Readers, private: &str) -> io::Result<Option<Descriptor>> {
    match readers {
        Readers::Nobody => Descriptor::new(private).map(Some),
        Readers::Everybody => Ok(None),
    }
}

pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    let (from, to) = (wide(from), wide(to));
    // SAFETY: both end with a zero. Without flags nothing is replaced.
    raw::done(unsafe { MoveFileExW(from.as_ptr(), to.as_ptr(), 0) })
}

/// It takes the right to write to sync a file or a folder.
pub(crate) fn sync_file(path: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).open(path)?.sync_all()
}

pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    OpenOptions::new()
        .write(true)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS)
        .open(folder)?
        .sync_all()
}

pub(crate) fn owner(_facts: &Metadata) -> io::Result<String> {
    Err(unsupported("asking whose a file is"))
}

pub(crate) fn is_closed_to_others(_folder: &Path) -> io::Result<bool> {
    Err(unsupported("asking who may use a folder"))
}

/// Whoever may use a folder may use what is made in it: nothing has to be given away.
pub(crate) fn give_to_owner_of(of: &Path, _path: &Path) -> io::Result<()> {
    std::fs::metadata(of).map(drop)
}

pub(crate) fn keep_owner(_file: &File, path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(_) => Err(unsupported("replacing a file and keeping who may use it")),
        Err(_) => Ok(()),
    }
}

pub(crate) fn room(path: &Path) -> io::Result<Room> {
    let path = wide(path);
    let mut room = Room { free: 0, total: 0 };
    let (free, total) = (&raw mut room.free, &raw mut room.total);
    // SAFETY: `path` ends with a zero; both numbers are written to before the call returns.
    raw::done(unsafe { GetDiskFreeSpaceExW(path.as_ptr(), free, total, std::ptr::null_mut()) })?;
    Ok(room)
}

pub(crate) fn is_output_an_empty_file() -> bool {
    let output = io::stdout()
        .as_handle()
        .try_clone_to_owned()
        .map(File::from);
    let facts = output.and_then(|output| output.metadata());
    facts.is_ok_and(|facts| facts.is_file() && facts.len() == 0)
}

pub(crate) fn path_of(bytes: &[u8]) -> PathBuf {
    String::from_utf8_lossy(bytes).into_owned().into()
}
