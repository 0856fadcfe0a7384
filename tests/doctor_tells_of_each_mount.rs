//! `usher doctor` says of each mount whether starts from it are enforced, tracked, or neither, and
//! no mount hangs it.

use std::os::unix::process::CommandExt;
use std::process::Command;

use serde_json::Value;

use crate::support::{Ended, Folder, Running, said, stdout, usher};

fn mounts(text: &str) -> Vec<String> {
    let findings: Vec<Value> = serde_json::from_str(text).unwrap();
    let of_mounts = findings.iter().filter(|f| f["what"] == "mount");
    of_mounts
        .map(|f| f["found"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn each_mount_is_told_with_its_reach_and_the_kernels_own_are_left_out() {
    let folder = Folder::new();
    let socket = folder.path("agent.sock");
    let mut command = usher();
    command
        .args(["up", "--listen", "127.0.0.1:0", "--agent-socket"])
        .arg(&socket);
    let running = Running::start(&mut command, &folder.path("data"));
    let socket = socket.to_str().unwrap();
    let output = running
        .usher(&["doctor", "--json", "--agent-socket", socket])
        .ended();
    let told = mounts(&stdout(&output));
    // Containers of this computer have roots of their own.
    let is_own_root = |m: &&String| m.starts_with("/ (") && !m.contains("a namespace of its own");
    let root: Vec<_> = told.iter().filter(is_own_root).collect();
    assert_eq!(root.len(), 1, "{told:?}");
    // An agent that may not use the kernel's events only looks now and then.
    assert!(
        root[0].contains(" is tracked: ") || root[0].contains(" is blind: "),
        "{root:?}"
    );
    assert!(told.iter().all(|m| !m.starts_with("/proc (")), "{told:?}");
    assert_eq!(running.stop(), Some(0));
}

/// A file system whose program never answers hangs all who look at it.
#[test]
fn a_mount_that_hangs_does_not_hang_the_doctor() {
    let is_possible = nix::unistd::geteuid().is_root()
        && std::path::Path::new("/dev/fuse").exists()
        && Command::new("unshare")
            .args(["-m", "true"])
            .status()
            .is_ok_and(|s| s.success());
    if !is_possible {
        eprintln!("skipped: it takes root and /dev/fuse");
        return;
    }
    let folder = Folder::new();
    let (mount, data) = (folder.path("hung"), folder.path("data"));
    std::fs::create_dir(&mount).unwrap();
    // The descriptor is held open, and nobody reads what the kernel asks through it. It closes
    // with the shell, which frees all who wait.
    let script = r#"exec 7<>/dev/fuse
mount -i -t fuse -o fd=7,rootmode=40000,user_id=0,group_id=0 hung "$1" || exit 99
"$2" doctor --json --data "$3" --agent-socket "$3/none.sock" 7>&-
true
"#;
    let output = usher_testing::surroundings::command("timeout")
        .args(["-k", "5", "25", "unshare", "-m", "sh", "-c", script, "sh"])
        .arg(&mount)
        .arg(crate::support::program())
        .arg(&data)
        .ended();
    if output.status.code() == Some(99) {
        eprintln!("skipped: {}", said(&output));
        return;
    }
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let told = mounts(&stdout(&output));
    let start = format!("{} (fuse) is blind: it does not answer", mount.display());
    assert!(told.iter().any(|m| m.starts_with(&start)), "{told:?}");
}

/// Who runs programs of a server elsewhere has no data folder, and no say in how mounts are watched.
#[test]
fn what_an_ordinary_person_need_not_have_is_no_warning() {
    let folder = Folder::new();
    let mut doctor = usher();
    doctor
        .args(["doctor", "--json", "--agent-socket"])
        .arg(folder.path("none.sock"))
        .env("HOME", folder.path("home"))
        .env("XDG_DATA_HOME", folder.path("home/share"));
    if nix::unistd::geteuid().is_root() {
        // Root's own folder is another: somebody else asks.
        doctor.uid(65534).gid(65534);
    }
    let output = doctor.ended();
    let findings: Vec<Value> = serde_json::from_str(&stdout(&output)).unwrap();
    let of = |what: &str| -> Vec<&str> {
        let found = findings.iter().filter(|finding| finding["what"] == what);
        found.map(|it| it["verdict"].as_str().unwrap()).collect()
    };
    assert_eq!(of("data"), ["note"], "{findings:#?}");
    assert_eq!(of("agent"), ["warn"], "{findings:#?}");
    assert_eq!(of("mount"), ["note"], "{findings:#?}");
}
