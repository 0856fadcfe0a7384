//! Which package installed a file: dpkg's lists, indexed once and again when they change, or a
//! question to `rpm` if that is what the computer has.
//!
//! The index holds a 64-bit hash and a package number for each installed file: a megabyte and a
//! half for 100,000 files. It is only made when a rule, or a session's record, asks.

use std::collections::HashMap;
use std::hash::Hasher;
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use rustc_hash::FxHasher;
use usher_core::identify::Package;

use crate::base::lock;

/// How many files are indexed; further ones belong to no package.
const FILES_LIMIT: usize = 4_000_000;
/// How long rpm may take to answer: its database may be locked.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);
/// The largest answer that is read, in bytes.
const ANSWER_LIMIT_BYTES: u64 = 16 * 1024;

/// The packages of this computer.
#[derive(Debug)]
pub(crate) struct Packages {
    folder: PathBuf,
    rpm: Option<Rpm>,
    /// The index of dpkg's lists. Questions to rpm do not need it.
    index: Mutex<Option<Index>>,
}

#[derive(Debug)]
struct Index {
    made_from: Option<SystemTime>,
    /// Hash of path, package; sorted.
    files: Vec<(u64, u32)>,
    packages: Vec<Package>,
}

impl Packages {
    /// The packages that dpkg knows, in `folder` (`/var/lib/dpkg`), or rpm.
    pub(crate) fn new(folder: &Path) -> Self {
        let rpm = ["/usr/bin/rpm", "/bin/rpm"]
            .map(PathBuf::from)
            .into_iter()
            .find(|path| path.exists())
            .map(|program| Rpm {
                program,
                options: Vec::new(),
            });
        Packages {
            folder: folder.to_owned(),
            rpm,
            index: Mutex::default(),
        }
    }

    /// Builds the index, so that the first question does not wait for it.
    pub(crate) fn prepare(&self) {
        if self.is_dpkg() {
            drop(self.up_to_date());
        }
    }

    fn is_dpkg(&self) -> bool {
        self.folder.join("status").exists()
    }

    fn up_to_date(&self) -> MutexGuard<'_, Option<Index>> {
        let changed = self.changed();
        let mut index = lock(&self.index);
        if index.as_ref().is_none_or(|it| it.made_from != changed) {
            *index = Some(self.read());
            // The lists are ten times the index.
            usher_platform::process::give_memory_back();
        }
        index
    }

    /// The package that installed the file at `path`. rpm may take seconds to answer; others may
    /// ask meanwhile.
    pub(crate) fn owner(&self, path: &[u8]) -> Option<Package> {
        match self.is_dpkg() {
            true => self.indexed_owner(path),
            false => self.rpm.as_ref()?.owner(path),
        }
    }

    fn indexed_owner(&self, path: &[u8]) -> Option<Package> {
        let index = self.up_to_date();
        let index = index.as_ref()?;
        // Where /bin is a link to /usr/bin, packages may still list /bin.
        let without_usr = path.strip_prefix(b"/usr").filter(|rest| {
            [b"/bin/".as_slice(), b"/sbin/", b"/lib"]
                .iter()
                .any(|start| rest.starts_with(start))
        });
        [Some(path), without_usr]
            .into_iter()
            .flatten()
            .find_map(|path| {
                let hash = hash(path);
                let at = index
                    .files
                    .binary_search_by_key(&hash, |(hash, _)| *hash)
                    .ok()?;
                index.packages.get(index.files[at].1 as usize).cloned()
            })
    }

    fn changed(&self) -> Option<SystemTime> {
        self.folder.join("status").metadata().ok()?.modified().ok()
    }

    fn read(&self) -> Index {
        let made_from = self.changed();
        let versions = self.versions();
        let mut files = Vec::new();
        let mut packages = Vec::new();
        let entries = std::fs::read_dir(self.folder.join("info"))
            .into_iter()
            .flatten();
        for entry in entries.flatten() {
            let name = entry.file_name().into_vec();
            let Some(name) = name.strip_suffix(b".list") else {
                continue;
            };
            let name = String::from_utf8_lossy(name).into_owned();
            let name = name.split(':').next().unwrap_or(&name).to_owned();
            let Ok(list) = std::fs::read(entry.path()) else {
                continue;
            };
            let number = packages.len() as u32;
            let paths = list
                .split(|byte| *byte == b'\n')
                .filter(|path| path.len() > 2);
            files.extend(paths.map(|path| (hash(path), number)));
            let version = versions.get(&name).cloned().unwrap_or_default();
            packages.push(Package { name, version });
            if files.len() > FILES_LIMIT {
                tracing::warn!(limit = FILES_LIMIT, "too many packaged files to index all");
                break;
            }
        }
        files.sort_unstable();
        files.shrink_to_fit();
        Index {
            made_from,
            files,
            packages,
        }
    }

    /// Name and version of each package in dpkg's `status`.
    fn versions(&self) -> HashMap<String, String> {
        let text = std::fs::read(self.folder.join("status")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let mut versions = HashMap::new();
        let mut name = "";
        for line in text.lines() {
            if let Some(value) = line.strip_prefix("Package: ") {
                name = value;
            } else if let Some(value) = line.strip_prefix("Version: ") {
                versions.insert(name.to_owned(), value.to_owned());
            }
        }
        versions
    }

    /// The files of the packages that the computer does not work without, as dpkg marks them:
    /// essential ones, and those of priority required and important.
    pub(crate) fn files_of_system(&self) -> Vec<PathBuf> {
        let text = std::fs::read(self.folder.join("status")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let needed = text.split("\n\n").filter_map(needed_package);
        needed.flat_map(|list| self.listed(&list)).collect()
    }

    /// The files of a package, by the name that dpkg keeps its list under.
    fn listed(&self, package: &NeededPackage<'_>) -> Vec<PathBuf> {
        let info = self.folder.join("info");
        let with_architecture = format!("{}:{}.list", package.name, package.architecture);
        let list = std::fs::read(info.join(with_architecture))
            .or_else(|_| std::fs::read(info.join(format!("{}.list", package.name))))
            .unwrap_or_default();
        list.split(|byte| *byte == b'\n')
            .filter(|path| path.len() > 2)
            .map(|path| PathBuf::from(std::ffi::OsStr::from_bytes(path)))
            .collect()
    }
}

/// The program that knows what rpm has installed.
#[derive(Debug)]
struct Rpm {
    program: PathBuf,
    /// The options before the question.
    options: Vec<String>,
}

impl Rpm {
    fn owner(&self, path: &[u8]) -> Option<Package> {
        let mut command = Command::new(&self.program);
        command
            .args(&self.options)
            .args(["-qf", "--qf", "%{NAME} %{VERSION}-%{RELEASE}\\n", "--"])
            .arg(std::ffi::OsStr::from_bytes(path))
            // What it says of files that are nobody's is in words, which go by the language.
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut asked = usher_child::start(&mut command).ok()?;
        let answer = asked.stdout()?;
        let status = asked.ended_within(ANSWERED_WITHIN);
        status.filter(|status| status.success())?;
        let mut text = String::new();
        answer
            .take(ANSWER_LIMIT_BYTES)
            .read_to_string(&mut text)
            .ok()?;
        let (name, version) = text.lines().next()?.split_once(' ')?;
        Some(Package {
            name: name.to_owned(),
            version: version.to_owned(),
        })
    }
}

struct NeededPackage<'a> {
    name: &'a str,
    architecture: &'a str,
}

/// The package of one paragraph of dpkg's `status`, if the computer does not work without it.
fn needed_package(paragraph: &str) -> Option<NeededPackage<'_>> {
    let field = |key: &str| {
        let mut lines = paragraph.lines();
        lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(": "))
    };
    let is_needed = field("Essential") == Some("yes")
        || matches!(field("Priority"), Some("required" | "important"));
    let is_installed = field("Status").is_some_and(|status| status.ends_with(" installed"));
    (is_needed && is_installed).then_some(NeededPackage {
        name: field("Package")?,
        architecture: field("Architecture").unwrap_or_default(),
    })
}

fn hash(path: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(path);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    const LOOK_EVERY: Duration = Duration::from_millis(5);

    #[test]
    fn a_file_belongs_to_the_package_that_lists_it_until_that_changes() {
        let folder = tempfile::tempdir().unwrap();
        let info = folder.path().join("info");
        std::fs::create_dir(&info).unwrap();
        std::fs::write(
            info.join("app:amd64.list"),
            "/.\n/opt/app\n/opt/app/run\n/bin/tool\n",
        )
        .unwrap();
        let status = folder.path().join("status");
        std::fs::write(&status, "Package: app\nStatus: ok\nVersion: 2:3.1-4\n\n").unwrap();
        let packages = Packages::new(folder.path());
        let app = Package {
            name: "app".to_owned(),
            version: "2:3.1-4".to_owned(),
        };
        assert_eq!(packages.owner(b"/opt/app/run"), Some(app.clone()));
        assert_eq!(packages.owner(b"/usr/bin/tool"), Some(app.clone()));
        assert_eq!(packages.owner(b"/opt/app/other"), None);

        std::fs::write(info.join("new.list"), "/opt/app/other\n").unwrap();
        std::fs::write(&status, "Package: new\nVersion: 1\n").unwrap();
        let later = SystemTime::now() + std::time::Duration::from_secs(5);
        std::fs::File::options()
            .write(true)
            .open(&status)
            .unwrap()
            .set_modified(later)
            .unwrap();
        assert_eq!(packages.owner(b"/opt/app/other").unwrap().name, "new");
    }

    const SPEC: &str = "\
Name: cadtool
Version: 3.1
Release: 4
Summary: A tool
License: MIT
BuildArch: noarch
%description
A tool.
%install
mkdir -p %{buildroot}/opt/cadtool
echo > '%{buildroot}/opt/cadtool/the tool'
%files
'/opt/cadtool/the tool'
";

    #[test]
    fn what_rpm_has_installed_is_known_by_a_database_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(at("tool.spec"), SPEC).unwrap();
        let runs = |program: &str, args: &[&str]| {
            let mut command = Command::new(program);
            let ran = command.args(args).output();
            ran.is_ok_and(|output| output.status.success())
        };
        let top = format!("_topdir {}", at(""));
        let made = ["--define", &top, "-bb", &at("tool.spec")];
        if !runs("rpm", &["--version"]) || !runs("rpmbuild", &made) {
            eprintln!("skipped: no rpm and rpmbuild here");
            return;
        }
        let package = at("RPMS/noarch/cadtool-3.1-4.noarch.rpm");
        let database = at("db");
        let place = ["--dbpath", &database];
        assert!(runs("rpm", &[&place[..], &["--initdb"]].concat()));
        let install = ["--justdb", "--nodeps", "-i", &package];
        assert!(runs("rpm", &[&place[..], &install].concat()));
        let mut packages = Packages::new(&folder.path().join("no dpkg"));
        packages.rpm.as_mut().unwrap().options = place.map(str::to_owned).to_vec();
        let cadtool = Package {
            name: "cadtool".to_owned(),
            version: "3.1-4".to_owned(),
        };
        assert_eq!(packages.owner(b"/opt/cadtool/the tool"), Some(cadtool));
        assert_eq!(packages.owner(b"/opt/cadtool/other"), None);
        assert_eq!(packages.owner(b"--help"), None);
    }

    /// An rpm that knows one file, and never answers about another.
    const SLOW_RPM: &str = "#!/bin/sh\nfor file; do :; done\n\
        case \"$file\" in /slow) touch \"$0.asked\"; exec sleep 600;; esac\necho cadtool 3.1\n";

    #[test]
    fn who_asks_rpm_does_not_wait_for_an_answer_to_somebody_else() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("rpm");
        std::fs::write(&program, SLOW_RPM).unwrap();
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&program, executable).unwrap();
        let packages = Packages {
            folder: folder.path().join("no dpkg"),
            rpm: Some(Rpm {
                program: program.clone(),
                options: Vec::new(),
            }),
            index: Mutex::default(),
        };
        std::thread::scope(|scope| {
            let slow = scope.spawn(|| packages.owner(b"/slow"));
            let asked = folder.path().join("rpm.asked");
            let deadline = Instant::now() + Duration::from_secs(60);
            while !asked.exists() {
                assert!(Instant::now() < deadline, "it is not asked");
                // tidy: sleep, between two looks, until a deadline
                std::thread::sleep(LOOK_EVERY);
            }
            let other = packages.owner(b"/other").unwrap();
            assert_eq!((&*other.name, &*other.version), ("cadtool", "3.1"));
            assert!(!slow.is_finished(), "it is asked still");
            assert_eq!(slow.join().unwrap(), None);
        });
    }

    #[test]
    fn rpm_that_does_not_answer_is_not_waited_for() {
        let hangs = Rpm {
            program: PathBuf::from("/bin/sh"),
            options: ["-c", "exec sleep 600"].map(str::to_owned).to_vec(),
        };
        assert_eq!(hangs.owner(b"/bin/sh"), None);
    }

    #[test]
    fn the_packages_of_this_computer_are_known() {
        let packages = Packages::new(Path::new("/var/lib/dpkg"));
        if !Path::new("/var/lib/dpkg/status").exists() {
            eprintln!("skipped: no dpkg here");
            return;
        }
        let bash = std::fs::canonicalize("/bin/bash").unwrap();
        assert_eq!(
            packages.owner(bash.as_os_str().as_bytes()).unwrap().name,
            "bash"
        );
    }
}
