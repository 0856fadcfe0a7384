//! A child that is traced from its first instruction on.

#![allow(unsafe_code)]

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::sys::ptrace;
use nix::sys::signal::SigSet;

/// Has the child of `command` begin with `mask`, traced by this thread: it stops at its exec.
pub(super) fn begin_traced(command: &mut Command, mask: SigSet) {
    let ask = move || {
        mask.thread_set_mask().map_err(io::Error::from)?;
        ptrace::traceme().map_err(io::Error::from)
    };
    // SAFETY: between fork and exec only async-signal-safe calls are allowed: these are one
    // pthread_sigmask and one ptrace call, and neither they nor the making of an error from a number
    // allocate or lock.
    unsafe { command.pre_exec(ask) };
}
