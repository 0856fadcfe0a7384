//! `GetTickCount64` counts sleep, `QueryUnbiasedInterruptTime` does not; nobody sets either.
#![allow(unsafe_code)]

use std::time::Duration;

use windows_sys::Win32::System::Registry::{HKEY_LOCAL_MACHINE, RRF_RT_REG_DWORD, RegGetValueW};
use windows_sys::Win32::System::SystemInformation::GetTickCount64;
use windows_sys::Win32::System::WindowsProgramming::QueryUnbiasedInterruptTime;

use super::raw::wide;

/// Where Windows counts its boots.
const BOOTS: &str =
    r"SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters";

pub(crate) fn boot_id() -> Option<String> {
    let (key, name) = (wide(BOOTS), wide("BootId"));
    let (mut boot, mut size) = (0_u32, size_of::<u32>() as u32);
    // SAFETY: both texts end with a zero, and `boot` has room for `size` bytes.
    let answer = unsafe {
        RegGetValueW(
            HKEY_LOCAL_MACHINE,
            key.as_ptr(),
            name.as_ptr(),
            RRF_RT_REG_DWORD,
            std::ptr::null_mut(),
            (&raw mut boot).cast(),
            &mut size,
        )
    };
    (answer == 0).then(|| format!("boot {boot}"))
}

pub(crate) fn since_boot() -> Duration {
    // SAFETY: it takes nothing and writes nothing.
    Duration::from_millis(unsafe { GetTickCount64() })
}

pub(crate) fn awake() -> Duration {
    let mut hundreds_of_ns = 0;
    // SAFETY: the number is written to before the call returns.
    let answer = unsafe { QueryUnbiasedInterruptTime(&mut hundreds_of_ns) };
    match answer {
        // It fails for no number to write to alone.
        0 => since_boot(),
        _ => Duration::from_nanos(hundreds_of_ns.saturating_mul(100)),
    }
}
