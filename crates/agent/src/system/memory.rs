//! The memory of this process.
#![allow(unsafe_code)]

/// Gives memory that is free within the process back to the system.
pub(crate) fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: may be called at any time from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}
