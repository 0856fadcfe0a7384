//! Names by kernel32 and advapi32; places by the variables that Windows sets for each session.
#![allow(unsafe_code)]

use std::path::PathBuf;

use windows_sys::Win32::System::SystemInformation::{
    ComputerNamePhysicalDnsHostname, GetComputerNameExW,
};
use windows_sys::Win32::System::WindowsProgramming::GetUserNameW;

use super::account::is_administrator;

/// More than a computer's or an account's name has.
const NAME_LIMIT: usize = 512;

pub(crate) fn computer_name() -> Option<String> {
    let (mut name, mut length) = ([0_u16; NAME_LIMIT], NAME_LIMIT as u32);
    // SAFETY: `name` has room for `length` characters.
    let answer = unsafe {
        GetComputerNameExW(
            ComputerNamePhysicalDnsHostname,
            name.as_mut_ptr(),
            &mut length,
        )
    };
    (answer != 0).then(|| text(&name))
}

pub(crate) fn user_name() -> String {
    let (mut name, mut length) = ([0_u16; NAME_LIMIT], NAME_LIMIT as u32);
    // SAFETY: `name` has room for `length` characters.
    let answer = unsafe { GetUserNameW(name.as_mut_ptr(), &mut length) };
    match answer {
        0 => std::env::var("USERNAME")
            .or_else(|_| super::account::own().map_err(drop))
            .unwrap_or_else(|()| "unknown".to_owned()),
        _ => text(&name),
    }
}

pub(crate) fn data_home() -> PathBuf {
    match is_administrator() {
        true => settings(),
        false => place("LOCALAPPDATA").unwrap_or_else(settings),
    }
}

pub(crate) fn own_settings() -> Option<PathBuf> {
    match is_administrator() {
        true => None,
        false => place("APPDATA"),
    }
}

pub(crate) fn settings() -> PathBuf {
    place("ProgramData").unwrap_or_else(|| PathBuf::from(r"C:\ProgramData"))
}

fn place(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
}

fn text(name: &[u16]) -> String {
    let length = name.iter().position(|c| *c == 0).unwrap_or(name.len());
    String::from_utf16_lossy(&name[..length])
}
