//! The unit files of the nightly backup: a service that runs once, and its timer.

use std::path::Path;

use crate::files::{named, path, word};

/// What differs from one installation to the next.
#[derive(Debug, Clone)]
pub struct Backup<'a> {
    /// The program, by its whole path.
    pub program: &'a Path,
    /// The directory that backups are written to, by its whole path.
    pub to: &'a Path,
    /// How many are kept.
    pub keep: u32,
    /// The file with the token, by its whole path.
    pub token: &'a Path,
    /// The metering server, if it is not this computer's.
    pub server: Option<&'a str>,
    /// The authority that is trusted besides the system's, by its whole path.
    pub authority: Option<&'a Path>,
}

/// The files, by their names.
///
/// # Errors
/// A path or an address that cannot stand in a unit file.
pub fn of(backup: &Backup<'_>) -> Result<[(&'static str, String); 2], String> {
    let server = match backup.server {
        Some(server) => format!(" --server {}", word(server)?),
        None => String::new(),
    };
    let authority = match backup.authority {
        Some(authority) => format!(" --ca-file {}", path(authority)?),
        None => String::new(),
    };
    let service = include_str!("../units/usher-backup.service")
        .replace("@PROGRAM@", &path(backup.program)?)
        .replace("@TO@", &path(backup.to)?)
        .replace("@KEEP@", &backup.keep.to_string())
        .replace("@TOKEN@", &named(backup.token)?)
        .replace("@SERVER@", &server)
        .replace("@AUTHORITY@", &authority);
    let timer = include_str!("../units/usher-backup.timer").to_owned();
    Ok([
        ("usher-backup.service", service),
        ("usher-backup.timer", timer),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_units_name_the_directory_the_token_and_how_many_are_kept() {
        let backup = Backup {
            program: Path::new("/usr/bin/usher"),
            to: Path::new("/srv/backup"),
            keep: 14,
            token: Path::new("/etc/usher/backup.token"),
            server: Some("https://licences.example.org:8470"),
            authority: Some(Path::new("/etc/usher/tls/ca.pem")),
        };
        let [(_, service), (_, timer)] = of(&backup).unwrap();
        assert!(service.contains(
            "ExecStart=/usr/bin/usher backup /srv/backup --keep 14 --token-from \
             ${CREDENTIALS_DIRECTORY}/backup.token --server https://licences.example.org:8470 \
             --ca-file /etc/usher/tls/ca.pem\n"
        ));
        assert!(service.contains("LoadCredential=backup.token:/etc/usher/backup.token\n"));
        assert!(service.contains("ReadWritePaths=/srv/backup\n"));
        assert!(!service.replace("@system-service", "").contains('@'));
        assert!(timer.contains("OnCalendar="));
        let wrong = Backup {
            to: Path::new("backup"),
            ..backup
        };
        assert!(of(&wrong).is_err(), "a path that is not whole");
    }
}
