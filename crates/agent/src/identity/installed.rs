//! What is really installed on this computer, so that rules that would hit what it needs are seen
//! before they are enforced: the folders of programs, what the operating system's own packages
//! brought, and what the rules themselves name, symbolic links followed.

use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;
use usher_core::identify::{Danger, Facts, Package, Rule, RuleSetError, dangers};

use crate::identity::file::hash;
use crate::identity::packages::Packages;

/// How many programs are checked; further ones are ignored.
const PROGRAMS_LIMIT: usize = 100_000;
/// Where programs lie, besides the folders of `PATH`.
const FOLDERS: &[&str] = &[
    "/bin",
    "/sbin",
    "/usr/bin",
    "/usr/sbin",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/lib/systemd",
    "/usr/lib/systemd",
    "/usr/lib/openssh",
    "/usr/libexec",
];

/// The programs of this computer that one product's `rules` would hit and that it needs.
///
/// # Errors
/// The rules are too large to be used together.
pub fn dangers_here(rules: &[Rule]) -> Result<Vec<Danger>, RuleSetError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = FOLDERS.iter().map(PathBuf::from);
    let folders: Vec<PathBuf> = folders.chain(std::env::split_paths(&path)).collect();
    dangers_among(rules, &folders, Path::new("/var/lib/dpkg"))
}

fn dangers_among(
    rules: &[Rule],
    folders: &[PathBuf],
    dpkg: &Path,
) -> Result<Vec<Danger>, RuleSetError> {
    let packages = Packages::new(dpkg);
    let mut installed = Installed::default();
    for folder in folders {
        installed.add_folder(folder);
    }
    for path in packages.files_of_system() {
        installed.add(&path, true);
    }
    for path in rules.iter().filter_map(Rule::literal_path) {
        installed.add(Path::new(path), false);
    }
    dangers(rules, installed.programs(&packages))
}

/// Programs by device and inode: one file may have many names.
#[derive(Debug, Default)]
struct Installed(FxHashMap<(u64, u64), Names>);

#[derive(Debug, Default)]
struct Names {
    /// Its paths, as the kernel names them when it is started.
    real: Vec<Vec<u8>>,
    /// Symbolic links that lead to it.
    links: Vec<Vec<u8>>,
    of_system: bool,
}

impl Installed {
    fn add_folder(&mut self, folder: &Path) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            self.add(&entry.path(), false);
        }
    }

    fn add(&mut self, path: &Path, of_system: bool) {
        let Ok(facts) = std::fs::metadata(path) else {
            return;
        };
        let key = (facts.dev(), facts.ino());
        let is_program = facts.is_file() && facts.mode() & 0o111 != 0;
        if !is_program || self.0.len() >= PROGRAMS_LIMIT && !self.0.contains_key(&key) {
            return;
        }
        let Ok(real) = std::fs::canonicalize(path) else {
            return;
        };
        // Where /bin is a link to /usr/bin, what lies there has no second name by that.
        let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
        let path = match (folder, path.file_name()) {
            (Some(folder), Some(name)) => &folder.join(name),
            _ => path,
        };
        let names = self.0.entry(key).or_default();
        names.of_system |= of_system;
        if real != path {
            add_new(&mut names.links, path.as_os_str().as_bytes());
        }
        add_new(&mut names.real, &real.into_os_string().into_vec());
    }

    fn programs(self, packages: &Packages) -> impl Iterator<Item = Program<'_>> {
        self.0.into_values().flat_map(move |names| {
            let Names {
                real,
                links,
                of_system,
            } = names;
            let others = |this: &Vec<u8>| {
                let others = real.iter().filter(|other| *other != this);
                others.chain(&links).cloned().collect()
            };
            let programs: Vec<Program<'_>> = real
                .iter()
                .map(|path| Program {
                    path: path.clone(),
                    known_as: others(path),
                    of_system,
                    packages,
                    package: None,
                    sha256: None,
                })
                .collect();
            programs
        })
    }
}

fn add_new(names: &mut Vec<Vec<u8>>, name: &[u8]) {
    if !names.iter().any(|known| known == name) {
        names.push(name.to_vec());
    }
}

/// One name of an installed program.
struct Program<'a> {
    path: Vec<u8>,
    known_as: Vec<Vec<u8>>,
    of_system: bool,
    packages: &'a Packages,
    /// The package, once it was looked up; each rule may ask for it.
    package: Option<Option<Package>>,
    sha256: Option<Option<[u8; 32]>>,
}

impl Facts for Program<'_> {
    fn path(&self) -> &[u8] {
        &self.path
    }

    fn known_as(&self) -> &[Vec<u8>] {
        &self.known_as
    }

    fn is_of_system(&mut self) -> bool {
        self.of_system
    }

    fn package(&mut self) -> Option<Package> {
        let owner = || self.packages.owner(&self.path);
        self.package.get_or_insert_with(owner).clone()
    }

    fn sha256(&mut self) -> Option<[u8; 32]> {
        let path = Path::new(std::ffi::OsStr::from_bytes(&self.path));
        let hashed = || hash(&usher_platform::files::open_regular(path).ok()?);
        *self.sha256.get_or_insert_with(hashed)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use usher_core::identify::SystemRole;

    use super::*;

    struct Computer(tempfile::TempDir);

    impl Computer {
        fn new() -> Self {
            let computer = Computer(tempfile::tempdir().unwrap());
            for folder in ["bin", "venv", "info"] {
                std::fs::create_dir(computer.path(folder)).unwrap();
            }
            computer
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().canonicalize().unwrap().join(name)
        }

        fn program(&self, name: &str, text: &str) -> PathBuf {
            let path = self.path(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
            path
        }

        fn hits(&self, rule: &str) -> Vec<(PathBuf, SystemRole)> {
            let rule = Rule::parse(rule).unwrap();
            let found = dangers_among(&[rule], &[self.path("bin")], &self.path("")).unwrap();
            let below = self.path("");
            found
                .into_iter()
                .map(|danger| {
                    (
                        PathBuf::from(std::ffi::OsString::from_vec(danger.path)),
                        danger.role,
                    )
                })
                .filter(|(path, _)| path.starts_with(&below))
                .collect()
        }
    }

    #[test]
    fn a_link_to_an_interpreter_is_seen_through() {
        let computer = Computer::new();
        let python = computer.program("bin/python3.42", "x");
        let link = computer.path("venv/run");
        symlink(&python, &link).unwrap();
        let hits = computer.hits(&format!("path={}", link.display()));
        assert_eq!(hits, [(python, SystemRole::Interpreter)]);
    }

    #[test]
    fn a_hard_link_is_what_it_is_a_link_of() {
        let computer = Computer::new();
        let shell = computer.program("bin/zsh", "x");
        let link = computer.path("venv/calculator");
        std::fs::hard_link(&shell, &link).unwrap();
        let hits = computer.hits(&format!("path={}", link.display()));
        let paths: Vec<PathBuf> = hits.into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths, [shell, link]);
    }

    #[test]
    fn a_copy_is_known_by_its_contents() {
        let computer = Computer::new();
        let shell = computer.program("bin/fish", "");
        let of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let hits = computer.hits(&format!("sha256={of_nothing}"));
        assert_eq!(hits, [(shell, SystemRole::Shell)]);
    }

    #[test]
    fn a_program_that_has_become_a_fifo_since_is_not_waited_for() {
        let computer = Computer::new();
        let path = computer.program("bin/fish", "");
        let packages = Packages::new(&computer.path(""));
        let mut program = Program {
            path: path.as_os_str().as_bytes().to_vec(),
            known_as: Vec::new(),
            of_system: false,
            packages: &packages,
            package: None,
            sha256: None,
        };
        std::fs::remove_file(&path).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &path,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RWXU,
            0,
        )
        .unwrap();
        assert_eq!(program.sha256(), None);
    }

    #[test]
    fn what_the_systems_own_packages_brought_is_the_systems() {
        let computer = Computer::new();
        let program = computer.program("venv/crontab", "x");
        let other = computer.program("venv/game", "x");
        let plain = computer.path("venv/crontab.conf");
        std::fs::write(&plain, "").unwrap();
        let list = format!("/.\n{}\n{}\n", program.display(), plain.display());
        std::fs::write(computer.path("info/cron:amd64.list"), list).unwrap();
        std::fs::write(
            computer.path("info/game.list"),
            format!("/.\n{}\n", other.display()),
        )
        .unwrap();
        std::fs::write(
            computer.path("status"),
            "Package: cron\nStatus: install ok installed\nPriority: important\n\
             Architecture: amd64\nVersion: 3\n\nPackage: game\nStatus: install ok installed\n\
             Priority: optional\nArchitecture: all\nVersion: 1\n",
        )
        .unwrap();
        let rule = format!("path={}/*", computer.path("venv").display());
        assert_eq!(
            computer.hits(&rule),
            [(program.clone(), SystemRole::SystemFile)]
        );
        assert_eq!(
            computer.hits("package=cron"),
            [(program, SystemRole::SystemFile)]
        );
        assert!(computer.hits("package=game").is_empty());
    }

    #[test]
    fn a_program_in_a_folder_that_has_two_names_is_known_by_one() {
        let computer = Computer::new();
        let program = computer.program("bin/game", "x");
        let alias = computer.path("alias");
        symlink(computer.path("bin"), &alias).unwrap();
        let mut installed = Installed::default();
        installed.add_folder(&alias);
        installed.add_folder(&computer.path("bin"));
        let names: Vec<Names> = installed.0.into_values().collect();
        assert_eq!(names.len(), 1);
        assert_eq!(names[0].real, [program.as_os_str().as_bytes()]);
        assert_eq!(names[0].links, Vec::<Vec<u8>>::new());
    }

    #[test]
    fn a_program_that_people_installed_is_no_file_of_the_system_also_where_bin_is_a_link() {
        // Tests of the command line need it, and no package that a computer needs brings it.
        if !Path::new("/usr/bin/jq").exists() {
            eprintln!("skipped: there is no jq");
            return;
        }
        let rule = Rule::parse("name=jq").unwrap();
        assert_eq!(dangers_here(&[rule]).unwrap(), []);
    }

    #[test]
    fn this_computers_own_shell_is_found() {
        let rule = Rule::parse("path=/**").unwrap();
        let found = dangers_here(&[rule]).unwrap();
        let shell = std::fs::canonicalize("/bin/sh").unwrap();
        let shell = shell.as_os_str().as_bytes();
        assert!(found.iter().any(|danger| danger.path == shell));
    }
}
