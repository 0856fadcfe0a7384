//! The child's side of the bond: a role that was started by `usher up` dies with it.

use rustix::process::{Signal, getppid, set_parent_process_death_signal};

use crate::failure::Failure;

/// Ties this process's life to that of `supervisor`. To be called after the account was changed, as
/// that unties it, and while this process has one thread.
pub(crate) fn tie_to(supervisor: Option<i32>) -> Result<(), Failure> {
    let Some(supervisor) = supervisor else {
        return Ok(());
    };
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|error| {
        Failure::failed(format!(
            "cannot tie this process to the one that started it: {error}"
        ))
    })?;
    // It may have died before the kernel was told.
    if getppid().map(|pid| pid.as_raw_nonzero().get()) != Some(supervisor) {
        return Err(Failure::failed("the process that started this one is gone"));
    }
    Ok(())
}
