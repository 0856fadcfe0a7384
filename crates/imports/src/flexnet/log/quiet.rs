//! Messages that are known and say nothing of uses.

/// How such messages begin.
const BEGINNINGS: &[&str] = &[
    "---",
    "===",
    "please note",
    "this log is intended",
    "in order to capture",
    "usage data into",
    "please enable report",
    "software license admin",
    "to  readily",
    "to readily",
    "readily",
    "flexnet",
    "flexlm",
    "copyright",
    "world wide web",
    "license file",
    "lmgrd",
    "starting",
    "started",
    "using",
    "slog:",
    "external filters",
    "license verification",
    "tcp_nodelay",
    "the license server",
    "this is a potential",
    "and is not recommended",
    "all feature lines",
    "successful roll-over",
    "listener thread",
    "options file",
    "no tcp override",
    "executing tcp",
    "server started",
    "shutting down",
    "shutdown",
    "received",
    "connected",
    "lost ",
    "expired",
    "upgrade",
    "all ",
    "loaded",
    "nolog",
    "reportlog",
    "debuglog",
    "insightful reports",
    "license usage data",
    "license availability",
    "can be fully automated",
    "schedule and can",
    "servers and usage",
    "network of servers",
    "and unix",
    "www.",
    "obtain an evaluation",
    "for your enterprise",
    "us patents",
    "pid ",
    "done rereading",
    "...finished rereading",
    "updating feature",
    "restarted ",
    "since this is an unknown status",
    "manager (lmgrd) will attempt",
    "can't make directory",
    "into license usage",
    "detecting other license server",
    "lmdown/lmreread only",
    "dplt: ",
    "drqt: ",
    "info: ",
    "server-out: failed",
];

/// Whether a message is known to say nothing of uses.
pub(super) fn is_known(message: &str) -> bool {
    let lower: String = message
        .chars()
        .take(40)
        .collect::<String>()
        .to_ascii_lowercase();
    lower.is_empty()
        || lower.starts_with("(@")
        || lower.contains(" using tcp-port ")
        || BEGINNINGS
            .iter()
            .any(|beginning| lower.starts_with(beginning))
}

/// Whether a message is but names, as a daemon lists its features over several lines at its start.
pub(super) fn is_list(message: &str) -> bool {
    let named = |letter: char| letter.is_alphanumeric() || "_-.+".contains(letter);
    message
        .split_whitespace()
        .all(|word| word.chars().all(named))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_start_writes_is_known() {
        for message in [
            "",
            "-----------------------------------------------",
            "MLM using TCP-port 42249",
            "SLOG: Statistics Log Frequency is 240 minute(s).",
            "(@MLM-SLOG@) Listening port: 42249",
            "TCP_NODELAY NOT enabled",
            "EXTERNAL FILTERS are OFF",
            "US Patents 5,390,297 and 5,671,412.",
            "Updating feature editor_2026",
            "SERVER-OUT: Failed to send the message(71) <END>",
            "REStarted d (internet tcp_port 45413 pid 177)",
        ] {
            assert!(is_known(message), "{message}");
        }
        assert!(!is_known("1682693477/1/6.17-1/30/x"));
        assert!(is_list("Signal_Blocks Data_Acq_Toolbox v1.2"));
        assert!(!is_list("a: b"));
    }
}
