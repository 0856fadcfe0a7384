//! Where unit files lie, and what they name.

use std::path::{Path, PathBuf};

/// Where systemd looks for what the administrator installs.
pub(super) const UNIT_DIR: &str = "/etc/systemd/system";

/// What a unit names is looked up from nowhere.
pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Where systemd looks for units.
const LOOKED_AT: [&str; 5] = [
    UNIT_DIR,
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// How units are started that were written to that folder, by the command `enable`, which is told as
/// it is only where that would work.
pub(super) fn to_start(dir: &Path, enable: &str, runs_systemd: bool) -> String {
    let is_looked_at = LOOKED_AT.iter().any(|place| dir == Path::new(place));
    match (is_looked_at, runs_systemd) {
        (true, true) => format!("now, and at each boot: {enable}"),
        (true, false) => format!(
            "systemd does not run here, so nothing starts them: where it does, {enable}; without \
             it `usher up` starts everything"
        ),
        (false, _) => format!(
            "systemd does not look there: copy them to {UNIT_DIR} of the computer that they are \
             for; there systemctl daemon-reload && {enable}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_of_systemd_is_given_only_where_it_would_work() {
        let enable = "systemctl enable --now usher-server.service";
        let said = |dir: &str, runs| to_start(Path::new(dir), enable, runs);
        assert_eq!(
            said(UNIT_DIR, true),
            format!("now, and at each boot: {enable}")
        );
        let without = said(UNIT_DIR, false);
        assert!(
            without.starts_with("systemd does not run here"),
            "{without}"
        );
        let elsewhere = said("/tmp/units", true);
        assert!(elsewhere.contains("daemon-reload"), "{elsewhere}");
        assert!(
            elsewhere.contains("copy them to /etc/systemd/system"),
            "{elsewhere}"
        );
    }
}
