//! Messages about a daemon's life: it began, it ended, it read its files again.

use super::told;

/// What a message says of a daemon's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life<'l> {
    /// It began; none: the manager of all daemons.
    Began(Option<&'l str>),
    /// It ended; none: the manager of all daemons, and with it all of them.
    Ended(Option<&'l str>),
    /// It read a file again; none: all did.
    Reread(Option<&'l str>),
}

/// Reads a message of `daemon`.
pub(super) fn read<'l>(daemon: &'l str, message: &'l str) -> Option<Life<'l>> {
    let manages = is_manager(daemon);
    let whose = (!manages).then_some(daemon);
    if manages && told::is_start(message) {
        return Some(Life::Began(None));
    }
    if !manages && message.starts_with("Server started on ") {
        return Some(Life::Began(whose));
    }
    if starts(message, "EXITING DUE TO") || starts(message, "EXITING WITH CODE") {
        return Some(Life::Ended(whose));
    }
    if !manages && (starts(message, "daemon shutdown requested") || message == "SHUTDOWN") {
        return Some(Life::Ended(whose));
    }
    if manages
        && let Some((name, rest)) = message.split_once(' ')
        && (starts(rest, "exited with status") || starts(rest, "died due to signal"))
    {
        return Some(Life::Ended(Some(name)));
    }
    let again = starts(message, "reread") || starts(message, "re-read");
    again.then_some(Life::Reread(whose))
}

/// Whether that is the manager of the vendors' daemons.
pub(super) fn is_manager(daemon: &str) -> bool {
    matches!(daemon, "lmgrd" | "lmadmin")
}

fn starts(text: &str, with: &str) -> bool {
    text.get(..with.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(with))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_ends_and_readings_are_told_apart_by_daemon() {
        let start = "FlexNet Licensing (v11.14 build 1 x64_lsb) started on srv (linux) (7/17/2019)";
        let cases = [
            ("lmgrd", start, Some(Life::Began(None))),
            (
                "MLM",
                "Server started on srv for:\tMATLAB",
                Some(Life::Began(Some("MLM"))),
            ),
            (
                "MLM",
                "FlexNet Licensing version v11.14.1.2 build 208719 x64_lsb",
                None,
            ),
            ("lmgrd", "EXITING DUE TO SIGNAL 15", Some(Life::Ended(None))),
            (
                "MLM",
                "EXITING DUE TO SIGNAL 15",
                Some(Life::Ended(Some("MLM"))),
            ),
            (
                "MLM",
                "daemon shutdown requested - shutting down",
                Some(Life::Ended(Some("MLM"))),
            ),
            (
                "lmgrd",
                "MLM exited with status 36 (No features)",
                Some(Life::Ended(Some("MLM"))),
            ),
            (
                "lmgrd",
                "Rereading license file...",
                Some(Life::Reread(None)),
            ),
            ("MLM", "REREAD by ann@pc1", Some(Life::Reread(Some("MLM")))),
            ("lmgrd", "lmgrd tcp-port 27000", None),
        ];
        for (daemon, message, expected) in cases {
            assert_eq!(read(daemon, message), expected, "{daemon} {message}");
        }
    }
}
