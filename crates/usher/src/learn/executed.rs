//! A program that was executed, and whether a rule may name it.
//!
//! Shells, interpreters, loaders, everyday tools and launchers of any program are no part of a
//! product: a rule for them would meter everybody's use of them.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use usher_core::identify::{SystemRole, system_role};

use super::hosted::{Hosted, is_of_wine, original_name};
use crate::output::path_as_text;

/// Packages of everyday tools.
const TOOL_PACKAGES: &[&str] = &[
    "at-spi2-core",
    "base-files",
    "bsdutils",
    "bzip2",
    "coreutils",
    "dbus",
    "dbus-bin",
    "dbus-daemon",
    "dbus-x11",
    "debianutils",
    "desktop-file-utils",
    "diffutils",
    "findutils",
    "fontconfig",
    "gawk",
    "grep",
    "gzip",
    "hostname",
    "less",
    "libc-bin",
    "login",
    "mawk",
    "mount",
    "ncurses-base",
    "ncurses-bin",
    "procps",
    "sed",
    "tar",
    "util-linux",
    "which",
    "x11-utils",
    "x11-xserver-utils",
    "xdg-user-dirs",
    "xdg-utils",
    "xz-utils",
];

/// What starts other programs, whichever they are: MPI, batch systems, sandboxes, displays.
const LAUNCHERS: &[&str] = &[
    "Xvfb",
    "bwrap",
    "firejail",
    "flatpak",
    "gdb",
    "hydra_bstrap_proxy",
    "hydra_pmi_proxy",
    "mpiexec",
    "mpiexec.hydra",
    "mpirun",
    "orted",
    "orterun",
    "prte",
    "prted",
    "prterun",
    "srun",
    "strace",
    "xdg-dbus-proxy",
    "xvfb-run",
];

/// A program that was executed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ExecutedProgram {
    /// The executable.
    #[serde(serialize_with = "path_as_text")]
    pub(crate) path: PathBuf,
    /// What it was started for.
    #[serde(flatten)]
    pub(crate) hosted: Option<Hosted>,
    /// How often it was started.
    pub(crate) starts: u64,
    /// How long its longest run lasted.
    #[serde(rename = "longest_seconds", serialize_with = "as_seconds")]
    pub(crate) longest: Duration,
    /// For how long any of it ran.
    #[serde(rename = "lived_seconds", serialize_with = "as_seconds")]
    pub(crate) lived: Duration,
    /// The processor time that all of it took.
    #[serde(rename = "cpu_seconds", serialize_with = "as_seconds")]
    pub(crate) worked: Duration,
    /// The package that installed it, or its script.
    pub(crate) package: Option<String>,
    /// Of a program of Windows, what it says it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) original_name: Option<String>,
}

fn as_seconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

impl ExecutedProgram {
    /// Seen for the first time.
    pub(super) fn new(path: &Path, hosted: Option<&Hosted>) -> Self {
        let original_name = match hosted {
            Some(Hosted::Windows(file)) => original_name(file),
            Some(Hosted::Script(_)) | None => None,
        };
        ExecutedProgram {
            path: path.to_owned(),
            hosted: hosted.cloned(),
            starts: 0,
            longest: Duration::ZERO,
            lived: Duration::ZERO,
            worked: Duration::ZERO,
            package: None,
            original_name,
        }
    }

    /// What a rule would name: the script or program of Windows if there is one, else the
    /// executable.
    pub(crate) fn file(&self) -> &Path {
        self.hosted.as_ref().map_or(&self.path, Hosted::file)
    }

    /// Whether it is a script.
    pub(super) fn is_script(&self) -> bool {
        matches!(self.hosted, Some(Hosted::Script(_)))
    }

    /// Whether it is a program of Windows.
    pub(super) fn is_windows(&self) -> bool {
        matches!(self.hosted, Some(Hosted::Windows(_)))
    }

    /// Whether it runs other programs that are text or bytecode.
    pub(super) fn is_interpreter(&self) -> bool {
        system_role(self.file().as_os_str().as_bytes()) == Some(SystemRole::Interpreter)
    }

    /// Why no rule is proposed for it.
    pub(crate) fn not_proposed(&self) -> Option<String> {
        if self.is_windows() {
            return self.is_of_windows().then(|| "a part of Wine".to_owned());
        }
        let file = self.file();
        if is_of_wine(file) {
            return Some("Wine, which runs programs of Windows".to_owned());
        }
        if let Some(role) = system_role(file.as_os_str().as_bytes()) {
            return Some(role.description().to_owned());
        }
        let is_tool = |package: &String| TOOL_PACKAGES.contains(&package.as_str());
        if self.package.as_ref().is_some_and(is_tool) {
            return Some("an everyday tool".to_owned());
        }
        let name = file.file_name().and_then(|name| name.to_str());
        if name.is_some_and(|name| LAUNCHERS.contains(&name)) {
            return Some("a launcher of any program".to_owned());
        }
        if file.to_str().is_none() {
            return Some("its path is not UTF-8: name it by package or sha256".to_owned());
        }
        None
    }

    /// Whether a program of Windows is one that Wine brings.
    fn is_of_windows(&self) -> bool {
        let path = self.file().to_string_lossy();
        path.contains("/drive_c/windows/") || path.contains("-windows/") && path.contains("/wine/")
    }
}
