//! usher-watch: follows the logs of other licence servers while they grow, and asks such servers again
//! and again by a command. What it reads becomes the rows that an import of the whole makes
//! ([`usher_imports::Import::live`]), and goes to whoever [`Takes`] them.
//!
//! - [`Watched`]: what is watched, and how.
//! - [`Folder`]: where each watch keeps how far it is and how it stands, in a file of its own.
//! - [`run`]: the watch itself. It waits for disks, commands and managers, so it has a thread of its own.
//!
//! A position moves only after all rows that the bytes before it make were taken. So a watch that is
//! killed reads a little again, and keys of rows tell that they are there already.

#![forbid(unsafe_code)]

mod delivery;
mod end;
mod kept;
mod log;
mod parts;
mod poll;
mod reports;
mod standing;
mod tail;
mod watch;
mod watched;

pub use delivery::{Body, Takes, Trouble};
pub use end::{Options, WatchError};
pub use kept::{Folder, KeptError, Known, Tell};
pub use standing::{Standing, State};
pub use usher_child::Commands;
pub use watch::run;
pub use watched::{Origin, Watched, check_name};
