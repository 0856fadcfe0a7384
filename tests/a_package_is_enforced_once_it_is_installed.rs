//! A program that was nobody's is a product's once the computer's packages say so: its next start is
//! asked about, though nothing about the file itself has changed.

use std::fs;
use std::path::Path;

use nix::mount::{MsFlags, mount};

use crate::gated::{ANNA, BEN, Computer, end};
use crate::support::wait_for;

pub(crate) const DPKG: &str = "/var/lib/dpkg";

/// Packages of this test's own, which only its processes see.
pub(crate) struct Packages {
    status: String,
}

impl Packages {
    /// None so far.
    pub(crate) fn none() -> Packages {
        let none: Option<&str> = None;
        mount(Some("dpkg"), DPKG, Some("tmpfs"), MsFlags::empty(), none).unwrap();
        fs::create_dir(Path::new(DPKG).join("info")).unwrap();
        fs::write(Path::new(DPKG).join("status"), "").unwrap();
        let status = String::new();
        Packages { status }
    }

    /// Installs a package the way dpkg does: the list of its files first, then what there is.
    pub(crate) fn installs(&mut self, name: &str, file: &Path) {
        let list = Path::new(DPKG).join("info").join(format!("{name}.list"));
        fs::write(list, format!("/.\n{}\n", file.display())).unwrap();
        let draft = Path::new(DPKG).join("status-new");
        self.status += &format!(
            "Package: {name}\nStatus: install ok installed\nArchitecture: all\nVersion: 1.0\n\n"
        );
        fs::write(&draft, &self.status).unwrap();
        fs::rename(draft, Path::new(DPKG).join("status")).unwrap();
    }
}

#[test]
fn what_ran_as_nobodys_is_refused_once_its_package_is_there() {
    if !Path::new(DPKG).is_dir() {
        eprintln!("skipped: there is no dpkg here");
        return;
    }
    let mut packages = None;
    let with_packages = |place: &Path| {
        packages = Some(Packages::none());
        place.to_owned()
    };
    let Some(computer) = Computer::holding(with_packages) else {
        return;
    };
    let socket = computer.socket.to_str().unwrap();
    let add = [
        "product", "add", "solver", "--mode", "enforce", "--seats", "1",
    ];
    let rule = ["--program", "package=solver-deb", "--agent-socket", socket];
    computer.running.ok(&[&add[..], &rule[..]].concat());
    computer.is_gated();
    let first = computer.start(ANNA, "55").unwrap();
    // Not asked about any more.
    for _ in 0..3 {
        computer.start(BEN, "0").unwrap().wait().unwrap();
    }
    assert_eq!(computer.status()["in_use"], 0);

    let mut packages = packages.unwrap();
    packages.installs("solver-deb", &computer.program("solver"));
    wait_for("what runs to have the seat", || {
        (computer.status()["in_use"] == 1).then_some(())
    });
    let refused = wait_for("the gate to refuse", || computer.start(BEN, "0").err());
    assert_eq!(refused.raw_os_error(), Some(nix::libc::EPERM));
    end(first);
}
