//! The entry with which desktops start `usher notify` in each session (Desktop Application
//! Autostart Specification).

use std::io;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::output::line;

/// The folder of programs that desktops start in everybody's sessions.
pub(crate) const EVERYBODYS: &str = "/etc/xdg/autostart";
/// The entry's file.
pub(crate) const ENTRY: &str = "usher-notify.desktop";

/// Writes it: as root for all users, else for this one.
pub(crate) fn for_whoever_asks() -> Result<(), Failure> {
    let folder = match usher_platform::account::is_administrator() {
        true => PathBuf::from(EVERYBODYS),
        false => own_folder()?.join("autostart"),
    };
    let program = std::env::current_exe()
        .map_err(|error| Failure::failed(format!("cannot tell where usher is: {error}")))?;
    let path = folder.join(ENTRY);
    write(&folder, &program)
        .map_err(|error| Failure::failed(format!("cannot write {}: {error}", path.display())))?;
    line(format!(
        "{} begins with each desktop session from now on. To stop that, remove {}.",
        program.display(),
        path.display()
    ))
}

/// Writes it into a folder, which is made if it does not exist.
pub(crate) fn write(folder: &Path, program: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join(ENTRY), text(program))
}

fn own_folder() -> Result<PathBuf, Failure> {
    let absolute = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|p| p.is_absolute())
    };
    absolute("XDG_CONFIG_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".config")))
        .ok_or_else(|| {
            Failure::usage("neither HOME nor XDG_CONFIG_HOME says where your settings are")
        })
}

/// The entry's text.
pub(crate) fn text(program: &Path) -> String {
    // Between quotes these are the characters with a meaning, and % begins a field.
    let mut quoted = String::new();
    for c in program.to_string_lossy().chars() {
        match c {
            '"' | '`' | '$' | '\\' => quoted.extend(["\\\\", &c.to_string()]),
            '%' => quoted.push_str("%%"),
            c => quoted.push(c),
        }
    }
    format!(
        "[Desktop Entry]\nType=Application\nName=Usher\n\
         Comment=Tells why a program was not started, and when a seat is free\n\
         Exec=\"{quoted}\" notify\nTerminal=false\nNoDisplay=true\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_names_the_program_wherever_it_is() {
        let entry = text(Path::new("/opt/100% $ours/usher"));
        assert!(
            entry.contains("\nExec=\"/opt/100%% \\\\$ours/usher\" notify\n"),
            "{entry}"
        );
    }
}
