//! What this program is started as by itself: on Windows nothing yet.

use std::process::ExitCode;

/// Does what it was started for; the exit code then.
pub(crate) fn first() -> Option<ExitCode> {
    None
}
