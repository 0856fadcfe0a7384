//! What is dangerous to enforce, and what is never refused: case by case.

use super::*;

#[derive(Default)]
struct File {
    path: &'static str,
    known_as: Vec<Vec<u8>>,
    package: Option<(&'static str, &'static str)>,
    of_system: bool,
}

impl Facts for File {
    fn path(&self) -> &[u8] {
        self.path.as_bytes()
    }
    fn known_as(&self) -> &[Vec<u8>] {
        &self.known_as
    }
    fn is_of_system(&mut self) -> bool {
        self.of_system
    }
    fn package(&mut self) -> Option<Package> {
        let (name, version) = self.package?;
        Some(Package {
            name: name.to_owned(),
            version: version.to_owned(),
        })
    }
}

fn file(path: &'static str) -> File {
    File {
        path,
        ..File::default()
    }
}

fn found(rules: &[&str], present: Vec<File>) -> Vec<Danger> {
    let rules: Vec<Rule> = rules
        .iter()
        .map(|text| Rule::parse(text).unwrap())
        .collect();
    dangers(&rules, present).unwrap()
}

#[test]
fn what_every_system_has_is_known_without_looking() {
    let hits = |rule: &str, path: &str| {
        let found = found(&[rule], Vec::new());
        let hit = found.into_iter().find(|d| d.path == path.as_bytes());
        hit.map(|danger| danger.role)
    };
    let cases = [
        ("name=*sh", "/usr/bin/bash", SystemRole::Shell),
        (
            "path=/usr/bin/python3*",
            "/usr/bin/python3.11",
            SystemRole::Interpreter,
        ),
        (
            "path=/usr/bin/python3.1[2-9]",
            "/usr/bin/python3.13",
            SystemRole::Interpreter,
        ),
        ("name={java,cad}", "/usr/bin/java", SystemRole::Interpreter),
        (
            "/usr/bin/python3.99",
            "/usr/bin/python3.99",
            SystemRole::Interpreter,
        ),
        (
            "name=python3.99",
            "/usr/bin/python3.99",
            SystemRole::Interpreter,
        ),
        ("name=*,version=3", "/usr/sbin/sshd", SystemRole::Login),
        ("path=/usr/**", "/usr/lib/systemd/systemd", SystemRole::Init),
        (
            "/usr/lib/systemd/systemd-udevd",
            "/usr/lib/systemd/systemd-udevd",
            SystemRole::Support,
        ),
        (
            "/usr/sbin/nologin",
            "/usr/sbin/nologin",
            SystemRole::SystemFile,
        ),
        (
            "name=ld-linux*",
            "/lib64/ld-linux-x86-64.so.2",
            SystemRole::Loader,
        ),
        ("name=usher", "/usr/local/bin/usher", SystemRole::Usher),
        ("package=bash", "/usr/bin/bash", SystemRole::Shell),
        (
            "package=openssh-server,version=9",
            "/usr/sbin/sshd",
            SystemRole::Login,
        ),
    ];
    for (rule, path, role) in cases {
        assert_eq!(hits(rule, path), Some(role), "{rule} on {path}");
    }
}

#[test]
fn rules_of_a_product_of_its_own_are_not_dangerous() {
    for rule in [
        "name=matlab",
        "path=/opt/**",
        "/usr/bin/gimp-2.10",
        "name=gimp*",
        "package=gimp",
        "original-name=WINAPP.EXE",
        "publisher=Acme",
    ] {
        assert!(found(&[rule], Vec::new()).is_empty(), "{rule}");
    }
}

#[test]
fn every_well_known_program_has_a_role() {
    for path in well_known_programs() {
        assert!(system_role(path.as_bytes()).is_some(), "{path}");
    }
}

#[test]
fn what_is_installed_is_looked_at_too() {
    let node = file("/opt/node/bin/node18");
    let roles = |found: Vec<Danger>| found.into_iter().map(|d| d.role).collect::<Vec<_>>();
    let of_opt = found(&["path=/opt/**"], vec![node, file("/opt/x")]);
    assert_eq!(roles(of_opt), [SystemRole::Interpreter]);

    let cron = File {
        of_system: true,
        ..file("/usr/bin/crontab")
    };
    assert_eq!(
        roles(found(&["crontab"], vec![cron])),
        [SystemRole::SystemFile]
    );
    assert!(found(&["crontab"], vec![file("/usr/bin/crontab")]).is_empty());

    let packaged = File {
        package: Some(("tcsh", "6.24")),
        ..file("/usr/bin/tcsh")
    };
    assert_eq!(found(&["package=tcsh,version=6"], vec![packaged]).len(), 1);
    let newer = File {
        package: Some(("tcsh", "7.1")),
        ..file("/usr/bin/tcsh")
    };
    assert!(found(&["package=tcsh,version=6"], vec![newer]).is_empty());
}

#[test]
fn a_link_is_as_dangerous_as_what_it_leads_to() {
    let python = File {
        known_as: vec![b"/srv/venv/bin/run".to_vec()],
        ..file("/usr/bin/python3.11")
    };
    let found = found(&["/srv/venv/bin/run"], vec![python]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].path, b"/usr/bin/python3.11");

    let hard_link = File {
        known_as: vec![b"/usr/bin/zsh".to_vec()],
        ..file("/srv/calculator")
    };
    let found = super::dangers(&[Rule::parse("calculator").unwrap()], [hard_link]).unwrap();
    assert_eq!(found[0].role, SystemRole::Shell);
}

#[test]
fn a_helper_takes_no_seat_so_it_is_refused_none() {
    assert!(found(&["name=bash,role=helper"], Vec::new()).is_empty());
    let both = found(&["name=*ash", "name=bash,role=helper"], Vec::new());
    assert!(both.iter().all(|danger| !danger.path.ends_with(b"/bash")));
    assert!(both.iter().any(|danger| danger.path.ends_with(b"/dash")));
}

#[test]
fn each_danger_names_its_rule_and_each_program_is_told_once() {
    let found = found(&["name=cad", "name=dash", "path=/usr/bin/dash"], Vec::new());
    let by_path = |path: &str| {
        let mut hits = found.iter().filter(|d| d.path == path.as_bytes());
        (hits.next().map(|d| d.rule), hits.next().is_none())
    };
    assert_eq!(by_path("/bin/dash"), (Some(1), true));
    assert_eq!(
        by_path("/usr/bin/dash"),
        (Some(2), true),
        "a path outweighs a name"
    );
}

const OWN: FileId = FileId {
    device: 7,
    inode: 70,
};

fn refusable(path: &str, file: FileId, owner: u32) -> Option<SystemRole> {
    let shell = FileId {
        device: 7,
        inode: 71,
    };
    let python = FileId {
        device: 7,
        inode: 72,
    };
    let needed = Needed::new([
        (OWN, SystemRole::Usher),
        (shell, SystemRole::Shell),
        (python, SystemRole::Interpreter),
    ]);
    let path = path.as_bytes();
    let is_administrators = owner == 0;
    needed.never_refused(&Started {
        path,
        file,
        is_administrators,
    })
}

#[test]
fn what_a_computer_needs_is_never_refused() {
    use SystemRole::{Init, Loader, Login, PackageTool, Privilege, Shell, Support, Usher};
    let other = FileId {
        device: 1,
        inode: 1,
    };
    let cases = [
        ("/usr/lib/systemd/systemd", Init),
        ("/sbin/init", Init),
        ("/usr/bin/systemctl", Init),
        ("/usr/bin/dbus-daemon", Init),
        ("/usr/lib/systemd/systemd-executor", Support),
        ("/usr/lib/systemd/systemd-logind", Login),
        ("/lib/systemd/systemd-udevd", Support),
        ("/lib64/ld-linux-x86-64.so.2", Loader),
        ("/usr/lib/ld-musl-x86_64.so.1", Loader),
        (
            "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 (deleted)",
            Loader,
        ),
        ("/bin/sh", Shell),
        ("/usr/bin/bash", Shell),
        ("/usr/bin/bash (deleted)", Shell),
        ("/usr/bin/dash", Shell),
        ("/usr/local/bin/fish", Shell),
        ("/nix/store/abc-bash-5.2/bin/bash", Shell),
        ("/usr/bin/busybox", Shell),
        ("/usr/sbin/sshd", Login),
        ("/usr/lib/openssh/sshd-session", Login),
        ("/usr/lib/openssh/sftp-server", Support),
        ("/usr/bin/login", Login),
        ("/sbin/agetty", Login),
        ("/usr/sbin/unix_chkpwd", Support),
        ("/usr/bin/sudo", Privilege),
        ("/usr/bin/su", Privilege),
        ("/usr/bin/pkexec", Privilege),
        ("/usr/lib/polkit-1/polkit-agent-helper-1", Support),
        ("/usr/bin/dpkg", PackageTool),
        ("/usr/bin/dpkg-deb", Support),
        ("/usr/bin/apt-get", PackageTool),
        ("/usr/lib/apt/methods/https", Support),
        ("/var/lib/dpkg/info/bash.postinst", Support),
        ("/usr/bin/rpm", PackageTool),
        ("/usr/bin/kmod", Support),
        ("/usr/bin/mount", Support),
        ("/usr/sbin/fsck.ext4", Support),
        ("/usr/bin/usher", Usher),
    ];
    for (path, role) in cases {
        assert_eq!(refusable(path, other, 0), Some(role), "{path}");
        assert!(role.never_refused(), "{role:?}");
    }
}

#[test]
fn usher_is_known_by_its_file_whatever_it_is_called() {
    assert_eq!(
        refusable("/home/ann/cad", OWN, 1000),
        Some(SystemRole::Usher)
    );
    let copy_on_another_disk = FileId { device: 8, ..OWN };
    assert_eq!(refusable("/home/ann/cad", copy_on_another_disk, 1000), None);
    let shell = FileId { inode: 71, ..OWN };
    assert_eq!(
        refusable("/srv/odd name", shell, 0),
        Some(SystemRole::Shell)
    );
}

#[test]
fn what_the_system_does_not_need_is_left_to_the_rules() {
    let other = FileId {
        device: 1,
        inode: 1,
    };
    let python = FileId { inode: 72, ..OWN };
    let cases = [
        ("/opt/cad/bin/cad", other, 0),
        ("/usr/bin/gimp", other, 0),
        ("/usr/bin/java", other, 0),
        ("/usr/bin/python3.11", other, 0),
        ("/usr/bin/python3.11", python, 0),
        ("/usr/sbin/cupsd", other, 0),
        ("", other, 0),
        ("/home/ann/bash", other, 1000),
        ("/home/ann/usher", other, 1000),
        ("/tmp/sshd (deleted)", other, 1000),
    ];
    for (path, file, owner) in cases {
        assert_eq!(refusable(path, file, owner), None, "{path}");
    }
}
