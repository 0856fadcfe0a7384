//! usher-platform: what this program asks of the operating system, behind one interface.
//!
//! Each public module is the interface of one kind of question; its two ends have the same names in
//! `linux` and `windows`. What an end cannot do yet is an error of kind
//! [`std::io::ErrorKind::Unsupported`] that says so, never nothing: see [`unsupported`].
//!
//! - [`account`]: who this process is, opaque outside: a uid today, a SID tomorrow.
//! - [`clock`]: the clocks that nobody sets, and which boot this is.
//! - [`files`]: private files, files of other accounts' folders, whole writes, identity, room.
//! - [`host`]: what this computer and this account are called, and where their files belong.
//! - [`lock`]: a lock on a file or a folder, who holds it, and who reads a file.
//! - [`name_service`]: the accounts and groups that the system's name services know.
//! - [`net`]: a listening TCP socket that nobody shares.
//! - [`process`]: this process's limits and memory, and other processes by their handles.
//! - [`signals`]: being told to stop.
//! - [`socket`]: a local socket, with who is at its other end.
//! - [`system_log`]: one line for the system's log.
//!
//! The service manager has a crate of its own, usher-service. What only Linux has (eBPF, the
//! process connector, fanotify, displays, the gate) is asked where it is used.
//!
//! It knows nothing of Usher.

#![deny(unsafe_code)]

pub mod account;
pub mod clock;
pub mod files;
pub mod host;
pub mod lock;
pub mod name_service;
pub mod net;
pub mod process;
pub mod signals;
pub mod socket;
pub mod system_log;

mod plain;
#[cfg(target_os = "linux")]
#[path = "linux/mod.rs"]
mod system;
#[cfg(windows)]
#[path = "windows/mod.rs"]
mod system;
mod terms;

pub use terms::unsupported;
