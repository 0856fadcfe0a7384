//! Files by the names that Windows programs have under Wine.

/// The file of Unix that a name in Wine is, for a process of Wine with this prefix: a drive is a
/// link below `dosdevices`. A name without a drive is one of Unix already.
pub fn unix_name(name: &[u8], prefix: Option<&[u8]>) -> Vec<u8> {
    let name = name.strip_prefix(br"\\?\").unwrap_or(name);
    let (drive, rest) = match name {
        [drive, b':', rest @ ..] if drive.is_ascii_alphabetic() => (drive, rest),
        _ => return name.to_vec(),
    };
    let rest = rest
        .iter()
        .map(|byte| if *byte == b'\\' { b'/' } else { *byte });
    match prefix {
        // By default the whole file system, and so without a look at the prefix.
        _ if drive.eq_ignore_ascii_case(&b'z') => rest.collect(),
        Some(prefix) => {
            let drive = [drive.to_ascii_lowercase(), b':'];
            let folder = [prefix, b"/dosdevices/", &drive].concat();
            folder.into_iter().chain(rest).collect()
        }
        None => name.to_vec(),
    }
}

/// The prefix of a process of Wine, by its environment as `/proc/PID/environ` shows it.
pub fn prefix(environ: &[u8]) -> Option<Vec<u8>> {
    let variable = |name: &[u8]| {
        environ
            .split(|byte| *byte == 0)
            .find_map(|entry| entry.strip_prefix(name))
            .filter(|value| !value.is_empty())
    };
    match variable(b"WINEPREFIX=") {
        Some(prefix) => Some(prefix.to_vec()),
        None => Some([variable(b"HOME=")?, b"/.wine"].concat()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drive_is_a_link_in_the_prefix_and_z_is_everything() {
        let prefix = Some(b"/home/anna/.wine".as_slice());
        for (name, unix) in [
            (r"Z:\opt\app.exe", "/opt/app.exe"),
            (r"\\?\z:\opt\app.exe", "/opt/app.exe"),
            (
                r"C:\Program Files\A\a.exe",
                "/home/anna/.wine/dosdevices/c:/Program Files/A/a.exe",
            ),
            ("/opt/app.exe", "/opt/app.exe"),
            ("app.exe", "app.exe"),
        ] {
            assert_eq!(unix_name(name.as_bytes(), prefix), unix.as_bytes());
        }
        assert_eq!(unix_name(br"C:\a.exe", None), br"C:\a.exe");
    }

    #[test]
    fn the_prefix_is_the_one_that_is_said_or_the_homes() {
        let said = b"A=1\0WINEPREFIX=/opt/w\0HOME=/home/anna\0";
        assert_eq!(prefix(said).as_deref(), Some(b"/opt/w".as_slice()));
        let home = b"WINEPREFIX=\0HOME=/home/anna\0";
        assert_eq!(
            prefix(home).as_deref(),
            Some(b"/home/anna/.wine".as_slice())
        );
        assert_eq!(prefix(b"PATH=/bin\0"), None);
    }
}
