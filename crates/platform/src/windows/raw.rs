//! Text, handles and security descriptors as Windows takes them.
#![allow(unsafe_code)]

use std::ffi::OsStr;
use std::io;
use std::os::windows::ffi::OsStrExt;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};

use windows_sys::Win32::Foundation::{HANDLE, LocalFree};
use windows_sys::Win32::Security::Authorization::{
    ConvertSidToStringSidW, ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
};
use windows_sys::Win32::Security::{
    GetTokenInformation, PSECURITY_DESCRIPTOR, PSID, SECURITY_ATTRIBUTES, TOKEN_ELEVATION,
    TOKEN_QUERY, TOKEN_USER, TokenElevation, TokenUser,
};
use windows_sys::Win32::System::Threading::{
    GetCurrentProcess, OpenProcess, OpenProcessToken, PROCESS_ACCESS_RIGHTS,
    PROCESS_QUERY_LIMITED_INFORMATION,
};

/// Text with its closing zero.
pub(super) fn wide(text: impl AsRef<OsStr>) -> Vec<u16> {
    text.as_ref().encode_wide().chain([0]).collect()
}

/// What a call that answers 0 if it fails has said.
pub(super) fn done(answer: i32) -> io::Result<()> {
    match answer {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// What a call has made, to be closed with this; none if the call failed.
pub(super) fn owned(handle: HANDLE) -> io::Result<OwnedHandle> {
    let is_none =
        handle.is_null() || handle == windows_sys::Win32::Foundation::INVALID_HANDLE_VALUE;
    if is_none {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a call has just made it for this process, and nobody else has it.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// A process, with these rights on it.
pub(super) fn process(pid: u32, rights: PROCESS_ACCESS_RIGHTS) -> io::Result<OwnedHandle> {
    // SAFETY: it takes numbers alone.
    owned(unsafe { OpenProcess(rights, 0, pid) })
}

/// The SID of the account that a process acts as.
pub(super) fn sid_of_process(pid: u32) -> io::Result<String> {
    let process = process(pid, PROCESS_QUERY_LIMITED_INFORMATION)?;
    sid_of(&token(process.as_raw_handle())?)
}

/// The SID of the account that this process acts as.
pub(super) fn own_sid() -> io::Result<String> {
    sid_of(&own_token()?)
}

/// Whether this process has an administrator's rights.
pub(super) fn is_elevated() -> io::Result<bool> {
    let token = own_token()?;
    let mut elevation = TOKEN_ELEVATION::default();
    let (size, mut written) = (size_of::<TOKEN_ELEVATION>() as u32, 0);
    let to = (&raw mut elevation).cast();
    // SAFETY: the token is open, and `to` has room for `size` bytes until the call returns.
    done(unsafe {
        GetTokenInformation(
            token.as_raw_handle(),
            TokenElevation,
            to,
            size,
            &mut written,
        )
    })?;
    Ok(elevation.TokenIsElevated != 0)
}

fn own_token() -> io::Result<OwnedHandle> {
    // SAFETY: it takes nothing, and what it answers need not be closed.
    token(unsafe { GetCurrentProcess() })
}

fn token(process: HANDLE) -> io::Result<OwnedHandle> {
    let mut token = std::ptr::null_mut();
    // SAFETY: the caller has the process open, and `token` is written to before the call returns.
    done(unsafe { OpenProcessToken(process, TOKEN_QUERY, &mut token) })?;
    owned(token)
}

fn sid_of(token: &OwnedHandle) -> io::Result<String> {
    // A user's SID takes 68 bytes at the most, behind the two pointers that name it.
    let mut user = [0_usize; 32];
    let (size, mut written) = (size_of_val(&user) as u32, 0);
    let to = user.as_mut_ptr().cast();
    // SAFETY: the token is open, and `user` has room for `size` bytes.
    done(unsafe { GetTokenInformation(token.as_raw_handle(), TokenUser, to, size, &mut written) })?;
    // SAFETY: the call has written a TOKEN_USER there, `user` is aligned as pointers are, and
    // the SID that it points to lies behind it in `user`.
    let sid = unsafe { (*user.as_ptr().cast::<TOKEN_USER>()).User.Sid };
    text_of(sid)
}

/// A SID as people write it. `sid` points to a SID.
fn text_of(sid: PSID) -> io::Result<String> {
    let mut text = std::ptr::null_mut();
    // SAFETY: `sid` is one, by the caller; `text` is written to before the call returns.
    done(unsafe { ConvertSidToStringSidW(sid, &mut text) })?;
    let mut length = 0;
    // SAFETY: the call has made text that ends with a zero; it is read up to there, and then
    // freed as the call says.
    unsafe {
        while *text.add(length) != 0 {
            length += 1;
        }
        let read = String::from_utf16_lossy(std::slice::from_raw_parts(text, length));
        LocalFree(text.cast());
        Ok(read)
    }
}

/// Who may do what with something that is to be made.
pub(super) struct Descriptor(PSECURITY_DESCRIPTOR);

impl Descriptor {
    /// From the security descriptor definition language.
    pub(super) fn new(sddl: &str) -> io::Result<Descriptor> {
        let text = wide(sddl);
        let mut made = std::ptr::null_mut();
        let nothing = std::ptr::null_mut();
        // SAFETY: `text` ends with a zero, and `made` is written to before the call returns.
        done(unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                text.as_ptr(),
                SDDL_REVISION_1,
                &mut made,
                nothing,
            )
        })?;
        Ok(Descriptor(made))
    }

    /// To be used while this lives.
    pub(super) fn attributes(&self) -> SECURITY_ATTRIBUTES {
        SECURITY_ATTRIBUTES {
            nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
            lpSecurityDescriptor: self.0,
            bInheritHandle: 0,
        }
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: the call that made it says so, and nobody else has it.
        unsafe { LocalFree(self.0) };
    }
}
