//! A child's first steps, between fork and exec: the one place of this program that is unsafe.
//!
//! A child begins with the signal mask that this process was given, not with the one that it has
//! taken on to read its own signals; and one that is to be watched is traced from its first
//! instruction on.

#![allow(unsafe_code)]

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::sys::ptrace;
use nix::sys::signal::SigSet;

/// Has the child of `command` begin with `mask`.
pub(crate) fn begin_with(command: &mut Command, mask: SigSet) {
    let set = move || mask.thread_set_mask().map_err(io::Error::from);
    // SAFETY: between fork and exec only async-signal-safe calls are allowed: this is one
    // pthread_sigmask with a set that was made before the fork, and neither it nor the making of an
    // error from a number allocates or locks.
    unsafe { command.pre_exec(set) };
}

/// Has the child of `command` begin with `mask`, traced by this thread: it stops at its exec.
pub(crate) fn begin_traced(command: &mut Command, mask: SigSet) {
    begin_with(command, mask);
    let ask = || ptrace::traceme().map_err(io::Error::from);
    // SAFETY: between fork and exec only async-signal-safe calls are allowed: this is one ptrace
    // call, and neither it nor the making of an error from a number allocates or locks.
    unsafe { command.pre_exec(ask) };
}
