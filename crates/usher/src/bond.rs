//! The role's side of its bond to `usher up`: a role that `usher up` started ends when `usher up`
//! ends.

use rustix::process::{Signal, getppid, set_parent_process_death_signal};

use crate::failure::Failure;

/// Has this process end when `supervisor` ends. To be called while this process has one thread, and
/// after the account was changed, as that resets the bond.
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
