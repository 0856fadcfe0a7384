//! A child begins with the signal mask that this process was given, not with the one that it has
//! taken on to read its own signals.

#![allow(unsafe_code)]

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::sys::signal::SigSet;

/// Has the child of `command` begin with `mask`.
pub(super) fn begin_with(command: &mut Command, mask: SigSet) {
    let set = move || mask.thread_set_mask().map_err(io::Error::from);
    // SAFETY: between fork and exec only async-signal-safe calls are allowed: this is one
    // pthread_sigmask with a set that was made before the fork, and neither it nor the making of an
    // error from a number allocates or locks.
    unsafe { command.pre_exec(set) };
}
