//! Which programs an operating system needs, and whether a rule would hit them.
//!
//! A rule that matches a shell, an interpreter, a loader or what people need to get in and repair
//! a computer must not be enforced by accident. What stands here is known by name and place; who
//! asks may add what is really installed.

use super::rule_set::matches;
use super::{Facts, Matcher, Rule, file_name};

/// What the operating system uses a program for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SystemRole {
    /// Process 1 and what it runs itself through.
    Init,
    /// The dynamic loader.
    Loader,
    /// A command shell.
    Shell,
    /// It runs programs that are written as text or bytecode.
    Interpreter,
    /// People get in by it.
    Login,
    /// People become administrators by it.
    Privilege,
    /// It installs and removes software.
    PackageTool,
    /// Usher itself.
    Usher,
    /// It belongs to the operating system's own folders.
    SystemFile,
}

impl SystemRole {
    /// For people, as in "/usr/bin/bash is a shell".
    pub fn description(self) -> &'static str {
        match self {
            SystemRole::Init => "the init system",
            SystemRole::Loader => "the program loader",
            SystemRole::Shell => "a shell",
            SystemRole::Interpreter => "an interpreter that runs other programs",
            SystemRole::Login => "what people log in by",
            SystemRole::Privilege => "what people become administrators by",
            SystemRole::PackageTool => "what installs software",
            SystemRole::Usher => "Usher itself",
            SystemRole::SystemFile => "a file of the operating system",
        }
    }

    /// Whether a start of it is never refused, not even where a rule was forced.
    pub fn never_refused(self) -> bool {
        !matches!(self, SystemRole::Interpreter | SystemRole::SystemFile)
    }
}

/// A program that a rule would hit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Danger {
    /// Its path.
    pub path: Vec<u8>,
    /// What it is needed for.
    pub role: SystemRole,
}

/// Paths of programs that every rule is tried on, whether or not they are installed here.
pub const WELL_KNOWN_PROGRAMS: &[&str] = &[
    "/bin/bash",
    "/bin/busybox",
    "/bin/dash",
    "/bin/login",
    "/bin/sh",
    "/bin/su",
    "/lib64/ld-linux-x86-64.so.2",
    "/sbin/agetty",
    "/sbin/init",
    "/usr/bin/apt",
    "/usr/bin/apt-get",
    "/usr/bin/bash",
    "/usr/bin/busybox",
    "/usr/bin/dash",
    "/usr/bin/dbus-daemon",
    "/usr/bin/dnf",
    "/usr/bin/doas",
    "/usr/bin/dpkg",
    "/usr/bin/env",
    "/usr/bin/java",
    "/usr/bin/login",
    "/usr/bin/node",
    "/usr/bin/perl",
    "/usr/bin/pkexec",
    "/usr/bin/python3",
    "/usr/bin/python3.11",
    "/usr/bin/rpm",
    "/usr/bin/ruby",
    "/usr/bin/sh",
    "/usr/bin/ssh",
    "/usr/bin/su",
    "/usr/bin/sudo",
    "/usr/bin/systemctl",
    "/usr/bin/usher",
    "/usr/bin/zsh",
    "/usr/lib/systemd/systemd",
    "/usr/lib/systemd/systemd-logind",
    "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
    "/usr/local/bin/usher",
    "/usr/sbin/agetty",
    "/usr/sbin/init",
    "/usr/sbin/sshd",
];

const SHELLS: &[&str] = &[
    "sh", "bash", "rbash", "dash", "ash", "busybox", "zsh", "ksh", "mksh", "csh", "tcsh", "fish",
];
const INTERPRETERS: &[&str] = &[
    "python", "pypy", "perl", "ruby", "node", "nodejs", "java", "php", "lua", "luajit", "tclsh",
    "wish", "rscript", "awk", "gawk", "mawk", "env", "wine", "wine64", "mono", "dotnet", "guile",
];
const LOGINS: &[&str] = &[
    "login",
    "sshd",
    "sshd-session",
    "sshd-auth",
    "agetty",
    "getty",
    "gdm",
    "sddm",
    "lightdm",
    "systemd-logind",
    "dropbear",
    "ssh",
];
const PRIVILEGE: &[&str] = &[
    "sudo", "su", "doas", "pkexec", "runuser", "polkitd", "setpriv",
];
const PACKAGE_TOOLS: &[&str] = &[
    "dpkg",
    "apt",
    "apt-get",
    "dnf",
    "yum",
    "rpm",
    "zypper",
    "pacman",
    "apk",
    "snap",
    "flatpak",
    "unattended-upgrade",
    "packagekitd",
];
const INITS: &[&str] = &[
    "init",
    "systemd",
    "systemctl",
    "dbus-daemon",
    "dbus-broker",
    "telinit",
];
const SYSTEM_FOLDERS: &[&[u8]] = &[
    b"/sbin/",
    b"/usr/sbin/",
    b"/lib/systemd/",
    b"/usr/lib/systemd/",
    b"/usr/lib/apt/",
    b"/usr/libexec/",
    b"/bin/",
];

/// What the operating system uses the program at `path` for, judged by its name and folder.
pub fn system_role(path: &[u8]) -> Option<SystemRole> {
    let name = file_name(path);
    let is_in = |names: &[&str]| names.iter().any(|known| known.as_bytes() == name);
    if name == b"usher" {
        return Some(SystemRole::Usher);
    }
    if name.starts_with(b"ld-linux") || name.starts_with(b"ld-musl") || is_in(&["ld.so"]) {
        return Some(SystemRole::Loader);
    }
    let roles: [(&[&str], SystemRole); 5] = [
        (INITS, SystemRole::Init),
        (SHELLS, SystemRole::Shell),
        (LOGINS, SystemRole::Login),
        (PRIVILEGE, SystemRole::Privilege),
        (PACKAGE_TOOLS, SystemRole::PackageTool),
    ];
    if let Some((_, role)) = roles.iter().find(|(names, _)| is_in(names)) {
        return Some(*role);
    }
    if is_interpreter_name(name) {
        return Some(SystemRole::Interpreter);
    }
    SYSTEM_FOLDERS
        .iter()
        .any(|folder| path.starts_with(folder))
        .then_some(SystemRole::SystemFile)
}

/// `python3.11` and `ruby3` are interpreters as `python` and `ruby` are.
fn is_interpreter_name(name: &[u8]) -> bool {
    let end = name
        .iter()
        .rposition(|byte| !(byte.is_ascii_digit() || *byte == b'.' || *byte == b'-'))
        .map_or(0, |last| last + 1);
    let stem = name[..end].to_ascii_lowercase();
    INTERPRETERS
        .iter()
        .any(|known| known.as_bytes() == stem || known.as_bytes() == name)
}

/// The programs that `rule` would hit and that the operating system needs: of
/// [`WELL_KNOWN_PROGRAMS`] and of `present` (what is really installed), in order of path. Rules
/// that look at more than path and name (package, hash) need [`Facts`] that know them.
pub fn dangers<F: Facts>(rule: &Rule, present: impl IntoIterator<Item = F>) -> Vec<Danger> {
    let mut found = Vec::new();
    if matches!(rule.matcher, Matcher::Name(_) | Matcher::Path(_)) {
        // Whether an installed version would fit is not known: then it is taken to.
        let any_version = Rule {
            version: None,
            ..rule.clone()
        };
        for path in WELL_KNOWN_PROGRAMS {
            hit(&any_version, &mut KnownPath(path.as_bytes()), &mut found);
        }
    }
    for mut facts in present {
        hit(rule, &mut facts, &mut found);
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found.dedup();
    found
}

fn hit(rule: &Rule, facts: &mut dyn Facts, found: &mut Vec<Danger>) {
    let Some(role) = system_role(facts.path()) else {
        return;
    };
    if matches(rule, facts) {
        found.push(Danger {
            path: facts.path().to_vec(),
            role,
        });
    }
}

struct KnownPath(&'static [u8]);

impl Facts for KnownPath {
    fn path(&self) -> &[u8] {
        self.0
    }
}
