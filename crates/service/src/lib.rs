//! usher-service: connects the machine of [`usher_core::lifecycle`] to the operating system, and
//! asks the operating system about services.
//!
//! What a platform gives is the module [`platform`]: `linux` speaks to systemd, `windows` says that
//! the service control manager is not asked yet. Nothing outside this crate knows which it is.
//!
//! - [`of_this_process`]: what whoever started this process gives it and wants to hear from it.
//! - [`query`], [`start`], [`stop`], [`kill`]: how a unit is, and its steering, in bounded time.
//! - [`files`]: the files that make a role a service; [`backup`]: those of a nightly backup.

#![deny(unsafe_code)]

pub mod backup;
pub mod files;
mod unit;

#[cfg(target_os = "linux")]
#[path = "linux/mod.rs"]
pub mod platform;
#[cfg(windows)]
#[path = "windows/mod.rs"]
pub mod platform;

pub use platform::{
    Given, ask_to_start, ask_to_stop, has_manager, inherited, kill, of_this_process, query, reload,
    restart, start, stop, tell_ready,
};
pub use unit::{AskError, Unit};
