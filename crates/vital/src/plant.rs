//! Panics on purpose: a test names a thread, and its next pass through [`here`] panics.
//!
//! Only builds with debug assertions have it, and only if `USHER_PLANTED_PANIC` names a file. The
//! file holds the name of one thread or task, or of what [`crate::catch`] handles; whoever finds its
//! own name there takes the file away and panics, so that the role that is started next runs on.

use std::path::PathBuf;
use std::sync::OnceLock;

/// The variable that names the file.
pub const VARIABLE: &str = "USHER_PLANTED_PANIC";

fn file() -> Option<&'static PathBuf> {
    static FILE: OnceLock<Option<PathBuf>> = OnceLock::new();
    if !cfg!(debug_assertions) {
        return None;
    }
    let file = FILE.get_or_init(|| std::env::var_os(VARIABLE).map(PathBuf::from));
    file.as_ref()
}

/// Whether panics can be planted in this process.
pub(crate) fn is_possible() -> bool {
    file().is_some()
}

/// Panics if a test has planted a panic in the thread of this name.
pub fn here(name: &str) {
    let Some(file) = file() else {
        return;
    };
    let is_meant = std::fs::read_to_string(file).is_ok_and(|text| text.trim() == name);
    if is_meant && std::fs::rename(file, file.with_extension("done")).is_ok() {
        panic!("a test has planted this");
    }
}

/// The same for the thread that calls, by its own name.
pub fn thread() {
    if cfg!(debug_assertions)
        && let Some(name) = std::thread::current().name()
    {
        here(name);
    }
}
