//! The folders of unit files, and the paths in them.

use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::output::quoted;

/// Where systemd looks for what the administrator installs.
pub(super) const UNIT_DIR: &str = "/etc/systemd/system";

/// The absolute path: systemd does not resolve relative paths in a unit.
pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Refuses to write to a folder that does not exist, before anything is written. `option` is the
/// option that names the folder.
pub(super) fn must_be_there(dir: &Path, option: &str) -> Result<(), Failure> {
    if dir.is_dir() {
        return Ok(());
    }
    let shown = dir.display();
    Err(if dir.exists() {
        Failure::failed(format!("{option} {shown} is not a folder"))
            .next("Name a folder, or see the files with --print.")
    } else if dir == Path::new(UNIT_DIR) {
        Failure::failed(format!(
            "there is no {shown}: this computer does not seem to have systemd"
        ))
        .next("Name another place with --unit-dir DIR, or see the files with --print.")
    } else {
        Failure::failed(format!("{option} {shown} is not there")).next(format!(
            "Make it (mkdir -p {}), or see the files with --print.",
            quoted(&dir.to_string_lossy())
        ))
    })
}

/// Where systemd looks for units.
const LOOKED_AT: [&str; 5] = [
    UNIT_DIR,
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// How to start units that were written to that folder: by the command `enable`, if systemd looks
/// for units there.
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
    fn a_folder_that_is_not_there_is_told_with_how_to_make_it() {
        let parent = tempfile::tempdir().unwrap();
        let (dir, file) = (parent.path().join("my units"), parent.path().join("file"));
        std::fs::write(&file, "").unwrap();
        assert!(must_be_there(parent.path(), "--unit-dir").is_ok());
        let told = |dir: &Path| {
            let failure = must_be_there(dir, "--unit-dir").unwrap_err().to_string();
            failure.replace(&parent.path().display().to_string(), "PARENT")
        };
        insta::assert_snapshot!(told(&dir), @r"
        usher: --unit-dir PARENT/my units is not there
          Make it (mkdir -p 'PARENT/my units'), or see the files with --print.
        ");
        insta::assert_snapshot!(told(&file), @r"
        usher: --unit-dir PARENT/file is not a folder
          Name a folder, or see the files with --print.
        ");
    }

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
