//! What people call a program: the name of the desktop entry (freedesktop.org) that starts it.
//!
//! Entries lie in the computer's own places, not in people's homes. An entry that starts an
//! interpreter or a shell names what that is given, not the interpreter: it names no program here.
//! Bounded in entries and in bytes; looked for again when one of the folders has changed.

use std::collections::HashMap;
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use usher_core::identify::{is_of_base_system, system_role};

/// The largest number of entries that are read.
const ENTRIES_LIMIT: usize = 4_096;
/// The largest entry that is read, in bytes; translations make entries long.
const ENTRY_LIMIT_BYTES: u64 = 128 * 1024;
/// The longest name, in bytes.
const NAME_LIMIT_BYTES: usize = 255;
/// Where data lie of all on a computer, unless `XDG_DATA_DIRS` says otherwise.
const DATA: &str = "/usr/local/share:/usr/share";
/// Where entries of flatpaks and snaps lie besides.
const EXPORTED: [&str; 2] = [
    "/var/lib/flatpak/exports/share/applications",
    "/var/lib/snapd/desktop/applications",
];
/// Where a program lies that an entry names without its folder.
const PROGRAMS: [&str; 4] = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/games"];
/// Programs that run other programs; the name of an entry is not theirs.
const RUNNERS: [&str; 9] = [
    "flatpak", "snap", "java", "wine", "wine64", "mono", "gjs", "electron", "xdg-open",
];

/// The names by which desktops show programs.
#[derive(Debug)]
pub(crate) struct Entries {
    folders: Vec<PathBuf>,
    made_from: Option<Vec<Option<SystemTime>>>,
    /// The names, by the file that is run.
    names: HashMap<PathBuf, String>,
}

impl Entries {
    /// The entries of this computer.
    pub(crate) fn of_this_computer() -> Self {
        let data = std::env::var_os("XDG_DATA_DIRS").filter(|data| !data.is_empty());
        let data = data.unwrap_or_else(|| DATA.into());
        let folders = std::env::split_paths(&data).filter(|folder| folder.is_absolute());
        let folders = folders.map(|folder| folder.join("applications"));
        Entries::in_folders(folders.chain(EXPORTED.map(PathBuf::from)).collect())
    }

    fn in_folders(folders: Vec<PathBuf>) -> Self {
        Entries {
            folders,
            made_from: None,
            names: HashMap::new(),
        }
    }

    /// The name of the program that lies at `path`, as the kernel names it.
    pub(crate) fn name(&mut self, path: &[u8]) -> Option<&str> {
        self.bring_up_to_date();
        let path = Path::new(std::ffi::OsStr::from_bytes(path));
        self.names.get(path).map(String::as_str)
    }

    fn bring_up_to_date(&mut self) {
        let changed = |folder: &PathBuf| folder.metadata().ok()?.modified().ok();
        let changed: Vec<_> = self.folders.iter().map(changed).collect();
        if self.made_from.as_ref() != Some(&changed) {
            self.names = self.read();
            self.made_from = Some(changed);
        }
    }

    fn read(&self) -> HashMap<PathBuf, String> {
        let entries = self
            .folders
            .iter()
            .filter_map(|folder| folder.read_dir().ok())
            .flat_map(|folder| folder.flatten().map(|entry| entry.path()))
            .filter(|path| path.extension().is_some_and(|it| it == "desktop"));
        let mut names: HashMap<PathBuf, (usize, String)> = HashMap::new();
        for path in entries.take(ENTRIES_LIMIT) {
            let Some(entry) = read(&path) else { continue };
            let Some(program) = program(&entry.exec) else {
                continue;
            };
            // Of several that start the same program, the one that says least besides is its own;
            // what lies in an earlier folder counts more.
            let known = names.get(&program);
            if known.is_none_or(|(words, _)| entry.words < *words) {
                names.insert(program, (entry.words, entry.name));
            }
        }
        let names = names.into_iter();
        names.map(|(path, (_, name))| (path, name)).collect()
    }
}

/// The needed parts of an entry.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    name: String,
    /// The command, without its arguments.
    exec: String,
    /// The number of arguments, without placeholders for files.
    words: usize,
}

fn read(path: &Path) -> Option<Entry> {
    let file = usher_platform::files::open_regular(path).ok()?;
    let mut bytes = Vec::new();
    file.take(ENTRY_LIMIT_BYTES).read_to_end(&mut bytes).ok()?;
    parse(&String::from_utf8_lossy(&bytes))
}

fn parse(text: &str) -> Option<Entry> {
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| *line == "[Desktop Entry]")?;
    let (mut name, mut exec, mut is_one) = (None, None, false);
    for line in lines.take_while(|line| !line.starts_with('[')) {
        let Some((key, value)) = line.split_once('=') else {
            continue;
        };
        match (key.trim_end(), value.trim_start()) {
            ("Name", value) => name = Some(value),
            ("Exec", value) => exec = Some(value),
            ("Type", value) => is_one = value == "Application",
            ("Hidden", "true") => return None,
            _ => {}
        }
    }
    let name = name.filter(|name| {
        (1..=NAME_LIMIT_BYTES).contains(&name.len()) && !name.contains(char::is_control)
    })?;
    let mut words = words(exec.filter(|_| is_one)?).into_iter().peekable();
    if words.peek().is_some_and(|word| word == "env") {
        words.next();
        while words.next_if(|word| word.contains('=')).is_some() {}
    }
    Some(Entry {
        name: name.to_owned(),
        exec: words.next()?,
        words: words.filter(|word| !word.starts_with('%')).count(),
    })
}

/// The words of an `Exec`, which may stand in quotes.
fn words(exec: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), None::<String>);
    let (mut is_quoted, mut letters) = (false, exec.chars());
    while let Some(letter) = letters.next() {
        match letter {
            '"' => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            '\\' if is_quoted => word.get_or_insert_default().extend(letters.next()),
            letter if letter.is_whitespace() && !is_quoted => words.extend(word.take()),
            letter => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

/// The file that is run; none: it does not exist, or runs other programs.
fn program(exec: &str) -> Option<PathBuf> {
    let path: PathBuf = match exec.contains('/') {
        true => Path::new(exec).canonicalize().ok()?,
        false => PROGRAMS
            .iter()
            .find_map(|folder| Path::new(folder).join(exec).canonicalize().ok())?,
    };
    let name = path.file_name()?.to_owned().into_vec();
    let name = String::from_utf8(name).ok()?;
    let is_runner = RUNNERS.contains(&&*name)
        || is_of_base_system(&name)
        || system_role(path.as_os_str().as_bytes()).is_some();
    (!is_runner).then_some(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_program_is_called_as_the_entry_that_starts_it_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().canonicalize().unwrap().join(name);
        for name in ["cad.bin", "tool", "python3"] {
            std::fs::write(at(name), "").unwrap();
        }
        symlink(at("cad.bin"), at("cad")).unwrap();
        std::fs::create_dir(at("applications")).unwrap();
        let put = |name: &str, text: String| {
            std::fs::write(at("applications").join(name), text).unwrap();
        };
        let entry = |name: &str, exec: &str| {
            format!(
                "# one\n[Desktop Entry]\nType=Application\nName[de]=Anders\nName = {name}\n\
                 Exec={exec}\n[Desktop Action new]\nName=Not this\nExec=/bin/false\n"
            )
        };
        let cad = at("cad").display().to_string();
        put(
            "a.desktop",
            entry("Drawing of CAD", &format!("{cad} --draw %F")),
        );
        put("b.desktop", entry("CAD", &format!("env A=1 \"{cad}\" %F")));
        put(
            "c.desktop",
            entry("A script", &at("python3").display().to_string()),
        );
        put("d.desktop", entry("Gone", "/nonexistent/gone"));
        put(
            "e.txt",
            entry("No entry", &at("tool").display().to_string()),
        );
        let mut entries = Entries::in_folders(vec![at("none"), at("applications")]);
        let mut name = |file: &str| {
            let path = at(file).into_os_string().into_vec();
            entries.name(&path).map(str::to_owned)
        };
        assert_eq!(name("cad.bin").as_deref(), Some("CAD"));
        assert_eq!(name("python3"), None);
        assert_eq!(name("tool"), None);
        // One that is installed later is found.
        put(
            "f.desktop",
            entry("The Tool", &at("tool").display().to_string()),
        );
        let later = SystemTime::now() + std::time::Duration::from_secs(5);
        let changed = std::fs::File::open(at("applications")).unwrap();
        changed.set_modified(later).unwrap();
        assert_eq!(name("tool").as_deref(), Some("The Tool"));
    }

    #[test]
    fn an_entry_that_is_hidden_or_no_application_or_has_no_name_is_none() {
        let entry = |more: &str| format!("[Desktop Entry]\nExec=/bin/cad\n{more}");
        for none in [
            "Name=CAD\n",
            "Type=Link\nName=CAD\n",
            "Type=Application\n",
            "Type=Application\nName=\n",
            "Type=Application\nName=CAD\nHidden=true\n",
            "Type=Application\nName=C\u{7}D\n",
        ] {
            assert_eq!(parse(&entry(none)), None, "{none}");
        }
        let some = parse(&entry("Type=Application\nName=CAD\n"));
        assert_eq!(some.map(|it| it.name).as_deref(), Some("CAD"));
        assert_eq!(words(r#""a \"b" c"#), ["a \"b", "c"]);
    }
}
