//! What an operating system uses a program for, judged by its name and place.

use super::super::file_name;

/// What the operating system uses a program for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SystemRole {
    /// Process 1 and the programs that it is started through.
    Init,
    /// The dynamic loader.
    Loader,
    /// A command shell.
    Shell,
    /// It runs programs that are written as text or bytecode.
    Interpreter,
    /// People log in with it.
    Login,
    /// People become administrators with it.
    Privilege,
    /// It installs and removes software.
    PackageTool,
    /// Starting the computer, logging in or installing software runs it.
    Support,
    /// Usher itself.
    Usher,
    /// It belongs to the operating system's own folders.
    SystemFile,
}

impl SystemRole {
    /// The role as the end of a sentence, as in "/usr/bin/bash is a shell".
    pub fn description(self) -> &'static str {
        match self {
            SystemRole::Init => "the init system",
            SystemRole::Loader => "the program loader",
            SystemRole::Shell => "a shell",
            SystemRole::Interpreter => "an interpreter that runs other programs",
            SystemRole::Login => "what people log in by",
            SystemRole::Privilege => "what people become administrators by",
            SystemRole::PackageTool => "what installs software",
            SystemRole::Support => "what starting up, logging in or installing software needs",
            SystemRole::Usher => "Usher itself",
            SystemRole::SystemFile => "a file of the operating system",
        }
    }

    /// Whether a start of it is never refused, not even if a rule was forced.
    pub fn never_refused(self) -> bool {
        !matches!(self, SystemRole::Interpreter | SystemRole::SystemFile)
    }
}

/// Well-known programs with paths that the other lists do not cover.
const WELL_KNOWN_PATHS: &[&str] = &[
    "/lib64/ld-linux-x86-64.so.2",
    "/usr/lib/systemd/systemd",
    "/usr/lib/systemd/systemd-logind",
    "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
    "/usr/lib/openssh/sftp-server",
    "/usr/sbin/unix_chkpwd",
];
const PROGRAM_FOLDERS: &[&str] = &[
    "/bin/",
    "/sbin/",
    "/usr/bin/",
    "/usr/local/bin/",
    "/usr/sbin/",
];
/// Interpreters that are also installed under versioned names, with the versions that are tried.
const VERSIONED: &[(&str, std::ops::RangeInclusive<u32>)] = &[
    ("python3.", 4..=20),
    ("perl5.", 20..=50),
    ("ruby3.", 0..=9),
    ("php8.", 0..=9),
    ("lua5.", 1..=5),
];

/// Paths of programs that every rule is tried on, whether or not they are installed: some
/// hundreds, each of which has a [`system_role`].
pub fn well_known_programs() -> Vec<String> {
    let names = [
        SHELLS,
        INTERPRETERS,
        LOGINS,
        PRIVILEGE,
        PACKAGE_TOOLS,
        INITS,
    ]
    .into_iter()
    .flatten()
    .chain(&["usher"]);
    let placed = names.flat_map(|name| {
        let folders = PROGRAM_FOLDERS.iter();
        folders.map(move |folder| format!("{folder}{name}"))
    });
    let versioned = VERSIONED.iter().cloned().flat_map(|(name, versions)| {
        versions.map(move |version| format!("/usr/bin/{name}{version}"))
    });
    let others = WELL_KNOWN_PATHS
        .iter()
        .map(|path| (*path).to_owned())
        .chain([
            "/usr/bin/python3".to_owned(),
            "/usr/bin/python2.7".to_owned(),
        ]);
    placed.chain(versioned).chain(others).collect()
}

/// The packages of programs that no system can do without, with one program of each.
pub(super) const WELL_KNOWN_PACKAGES: &[(&str, &str)] = &[
    ("apt", "/usr/bin/apt"),
    ("bash", "/usr/bin/bash"),
    ("busybox", "/usr/bin/busybox"),
    ("dash", "/usr/bin/dash"),
    ("dnf", "/usr/bin/dnf"),
    ("dpkg", "/usr/bin/dpkg"),
    ("glibc", "/lib64/ld-linux-x86-64.so.2"),
    ("libc6", "/lib64/ld-linux-x86-64.so.2"),
    ("login", "/usr/bin/login"),
    ("openssh-client", "/usr/bin/ssh"),
    ("openssh-server", "/usr/sbin/sshd"),
    ("perl-base", "/usr/bin/perl"),
    ("perl-interpreter", "/usr/bin/perl"),
    ("python3", "/usr/bin/python3"),
    ("python3-minimal", "/usr/bin/python3"),
    ("python3.11-minimal", "/usr/bin/python3.11"),
    ("python3.13-minimal", "/usr/bin/python3.13"),
    ("rpm", "/usr/bin/rpm"),
    ("shadow-utils", "/usr/bin/login"),
    ("sudo", "/usr/bin/sudo"),
    ("systemd", "/usr/lib/systemd/systemd"),
    ("systemd-sysv", "/usr/sbin/init"),
    ("usher", "/usr/bin/usher"),
    ("util-linux", "/usr/bin/su"),
    ("zsh", "/usr/bin/zsh"),
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
/// What the programs above run in turn: checks of passwords, drivers, file systems.
const SUPPORT: &[&str] = &[
    "dbus-daemon-launch-helper",
    "fsck",
    "kmod",
    "ldconfig",
    "modprobe",
    "mount",
    "polkit-agent-helper-1",
    "sftp-server",
    "start-stop-daemon",
    "sulogin",
    "udevadm",
    "umount",
    "unix_chkpwd",
    "unix_update",
    "update-alternatives",
];
const SUPPORT_PREFIXES: &[&str] = &["systemd-", "dpkg-", "apt-", "fsck.", "mkhomedir_"];
const SUPPORT_FOLDERS: &[&[u8]] = &[
    b"/etc/init.d/",
    b"/lib/systemd/",
    b"/lib/udev/",
    b"/usr/lib/apt/",
    b"/usr/lib/dbus-1.0/",
    b"/usr/lib/dpkg/",
    b"/usr/lib/openssh/",
    b"/usr/lib/polkit-1/",
    b"/usr/lib/sudo/",
    b"/usr/lib/systemd/",
    b"/usr/lib/udev/",
    b"/usr/libexec/openssh/",
    b"/usr/libexec/sudo/",
    b"/var/lib/dpkg/",
];
const SYSTEM_FOLDERS: &[&[u8]] = &[b"/sbin/", b"/usr/sbin/", b"/usr/libexec/", b"/bin/"];

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
    let roles: [(&[&str], SystemRole); 6] = [
        (INITS, SystemRole::Init),
        (SHELLS, SystemRole::Shell),
        (LOGINS, SystemRole::Login),
        (PRIVILEGE, SystemRole::Privilege),
        (PACKAGE_TOOLS, SystemRole::PackageTool),
        (SUPPORT, SystemRole::Support),
    ];
    if let Some((_, role)) = roles.iter().find(|(names, _)| is_in(names)) {
        return Some(*role);
    }
    let is_support = SUPPORT_PREFIXES
        .iter()
        .any(|prefix| name.starts_with(prefix.as_bytes()));
    if is_support
        || SUPPORT_FOLDERS
            .iter()
            .any(|folder| path.starts_with(folder))
    {
        return Some(SystemRole::Support);
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
