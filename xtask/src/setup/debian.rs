//! Programs of the operating system that tests and benchmarks start privately.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::Runner;

/// A program that has to be there, and the Debian package that brings it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Need {
    program: &'static str,
    package: &'static str,
    for_what: &'static str,
}

const REDIS: Need = Need {
    program: "redis-server",
    package: "redis-server",
    for_what: "the benchmark's peer",
};
const POSTGRESQL: Need = Need {
    program: "initdb",
    package: "postgresql",
    for_what: "tests of a site database on it, and the benchmark's peer",
};
const AUDITD: Need = Need {
    program: "auditd",
    package: "auditd",
    for_what: "the gate's peer",
};
const FAPOLICYD: Need = Need {
    program: "fapolicyd",
    package: "fapolicyd",
    for_what: "the gate's peer",
};
const BASH: Need = Need {
    program: "bash",
    package: "bash",
    for_what: "what undoes whatever a test has done to the computer",
};
const FSFREEZE: Need = Need {
    program: "fsfreeze",
    package: "util-linux",
    for_what: "tests of disks that hang",
};
const SUDO: Need = Need {
    program: "sudo",
    package: "sudo",
    for_what: "tests of who is counted when a program is started through sudo",
};
const CRON: Need = Need {
    program: "cron",
    package: "cron",
    for_what: "tests of who is counted when cron starts a program",
};
const SYSTEMD: Need = Need {
    program: "systemctl",
    package: "systemd",
    for_what: "tests of services, on a systemd of their own",
};
const DBUS: Need = Need {
    program: "dbus-daemon",
    package: "dbus",
    for_what: "tests of notices on a desktop of their own: its bus",
};
const DUNST: Need = Need {
    program: "dunst",
    package: "dunst",
    for_what: "tests of notices on a desktop of their own: what shows them",
};
const XVFB: Need = Need {
    program: "Xvfb",
    package: "xvfb",
    for_what: "tests of notices on a desktop of their own: its screen",
};
const XDOTOOL: Need = Need {
    program: "xdotool",
    package: "xdotool",
    for_what: "tests of idle programs: who presses keys on that screen",
};
const SWAY: Need = Need {
    program: "sway",
    package: "sway",
    for_what: "tests of idle programs under Wayland: its compositor",
};
const WTYPE: Need = Need {
    program: "wtype",
    package: "wtype",
    for_what: "tests of idle programs under Wayland: who presses keys there",
};
const IMPORT: Need = Need {
    program: "import",
    package: "imagemagick",
    for_what: "pictures of that screen",
};
const FONT: Need = Need {
    program: "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    package: "fonts-dejavu-core",
    for_what: "letters on it",
};

const JQ: Need = Need {
    program: "jq",
    package: "jq",
    for_what: "tests of the guide's commands",
};
const CURL: Need = Need {
    program: "curl",
    package: "curl",
    for_what: "tests of the guide's commands",
};
const PROMTOOL: Need = Need {
    program: "promtool",
    package: "prometheus",
    for_what: "tests of the guide's alert rules",
};
const OPENSSL: Need = Need {
    program: "openssl",
    package: "openssl",
    for_what: "tests of certificates that others made",
};

const CLANG: Need = Need {
    program: "clang",
    package: "clang",
    for_what: "building the agent's program for the kernel",
};
const LLVM_STRIP: Need = Need {
    program: "llvm-strip",
    package: "llvm",
    for_what: "leaving the debugger's part out of it",
};
const LIBBPF: Need = Need {
    program: "/usr/include/bpf/bpf_helpers.h",
    package: "libbpf-dev",
    for_what: "what it includes",
};

const MINGW: Need = Need {
    program: "x86_64-w64-mingw32-gcc",
    package: "gcc-mingw-w64-x86-64-win32",
    for_what: "compiling the C code of dependencies for Windows",
};

/// What `cargo xtask learn-table` needs.
pub(crate) const LEARNED: &[Need] = &[
    learned("soffice", "libreoffice-calc"),
    learned("octave", "octave"),
    learned("Rscript", "r-base-core"),
    learned("scilab-cli", "scilab-cli"),
    learned("blender", "blender"),
    learned("chromium", "chromium"),
    learned("gimp", "gimp"),
    learned("freecadcmd", "freecad"),
    learned("mpirun", "openmpi-bin"),
    learned("openssl", "openssl"),
    learned("java", "default-jdk-headless"),
    learned("wine", "wine"),
    learned("bwrap", "bubblewrap"),
];

const fn learned(program: &'static str, package: &'static str) -> Need {
    Need {
        program,
        package,
        for_what: "a program to learn",
    }
}

/// What `cargo xtask test` needs.
pub(crate) const TESTS: &[Need] = &[
    BASH, FSFREEZE, REDIS, POSTGRESQL, SUDO, CRON, SYSTEMD, DBUS, DUNST, XVFB, XDOTOOL, SWAY,
    WTYPE, IMPORT, FONT, OPENSSL, JQ, CURL, PROMTOOL,
];
/// What `cargo xtask windows` needs.
pub(crate) const WINDOWS: &[Need] = &[MINGW];
/// What `cargo xtask bpf` needs.
pub(crate) const BPF: &[Need] = &[CLANG, LLVM_STRIP, LIBBPF];
/// What `cargo xtask bench` needs.
pub(crate) const PEERS: &[Need] = &[REDIS, POSTGRESQL];
/// What `cargo xtask bench gate` needs.
pub(crate) const GATE_PEERS: &[Need] = &[AUDITD, FAPOLICYD];

/// Installs what is missing, as root on Debian; else says what is missing and how to get it.
pub(crate) fn debian(runner: &Runner, needs: &[Need]) -> Result<(), String> {
    let missing: Vec<Need> = needs
        .iter()
        .copied()
        .filter(|need| !is_there(need))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !rustix::process::geteuid().is_root() || find("apt-get").is_none() {
        return Err(how_to(&missing));
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    println!("installing {}", packages.join(", "));
    runner.run(apt().args(["update", "-qq"]))?;
    runner.run(
        apt()
            .args(["install", "-y", "-qq", "--no-install-recommends"])
            .args(packages),
    )?;
    let still: Vec<Need> = missing.into_iter().filter(|need| !is_there(need)).collect();
    if still.is_empty() {
        Ok(())
    } else {
        Err(how_to(&still))
    }
}

/// apt-get that asks nothing and, as in runlevel 1, starts no service: tests use their own.
fn apt() -> Command {
    let mut apt = Command::new("apt-get");
    apt.env("DEBIAN_FRONTEND", "noninteractive")
        .env("RUNLEVEL", "1");
    apt
}

fn how_to(missing: &[Need]) -> String {
    let mut text = "these programs are missing:\n".to_owned();
    for need in missing {
        text.push_str(&format!("  {:14} {}\n", need.program, need.for_what));
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    text.push_str(&format!(
        "on Debian: sudo apt-get install {}",
        packages.join(" ")
    ));
    text
}

fn is_there(need: &Need) -> bool {
    find(need.program).is_some()
}

/// A program in PATH, in the administrators' folders, or among Debian's versioned PostgreSQLs.
fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = env::split_paths(&path).collect();
    folders.extend(["/usr/sbin", "/sbin"].map(PathBuf::from));
    if let Ok(versions) = fs::read_dir("/usr/lib/postgresql") {
        folders.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    folders
        .iter()
        .map(|folder: &PathBuf| folder.join(program))
        .find(|candidate: &PathBuf| Path::is_file(candidate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_its_package_and_purpose() {
        let text = how_to(&[REDIS, SUDO]);
        assert!(
            text.contains("redis-server   the benchmark's peer"),
            "{text}"
        );
        assert!(
            text.ends_with("sudo apt-get install redis-server sudo"),
            "{text}"
        );
    }

    #[test]
    fn a_program_is_found_by_path_only_if_it_is_there() {
        assert!(find("sh").is_some());
        assert!(find("usher-no-such-program").is_none());
    }
}
