//! usher-child: waits for another program's end, up to a limit.
//!
//! A program that is asked something may hang: on a lock, a network, a disk. Whoever asks it gives
//! it a time, after which it is ended, and goes on without its answer.
//!
//! - [`start`] and [`Commands`]: a command with a process group of its own, which ends with all that it has
//!   started there.
//! - [`ended_by`] and [`ended_within`]: one process alone, such as one that is to have the terminal.

#![forbid(unsafe_code)]

mod running;
mod wait;

pub use running::{Commands, Running, start};
pub use wait::{ended_by, ended_within};
