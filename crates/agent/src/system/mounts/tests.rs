//! Mount tables as they are found, and what is said of each mount.

use super::*;

fn line(path: &str, options: &str, fs_type: &str) -> String {
    format!("36 27 8:1 / {path} {options} shared:1 master:2 - {fs_type} source rw\n")
}

fn marked(path: &str, why_not: Option<&str>) -> MountMark {
    MountMark {
        path: path.to_owned(),
        fs_type: "any".to_owned(),
        why_not: why_not.map(str::to_owned),
    }
}

fn reach_of(fs_type: &str, options: &str, known: &Known<'_>) -> Option<Reach> {
    let mounts = parse(line("/m", options, fs_type).as_bytes());
    let mut judged = judge(&mounts, &HashSet::new(), known);
    assert!(judged.len() <= 1);
    judged.pop().map(|outlook| outlook.reach)
}

#[test]
fn each_type_of_file_system_is_held_seen_or_left_out() {
    let marks = [marked("/m", None)];
    let known = Known {
        watching: Some(Watching::Ebpf),
        marks: Some(&marks),
        enforcement_off: None,
    };
    use Reach::{Enforced, Tracked};
    let cases = [
        ("ext4", Some(Enforced)),
        ("xfs", Some(Enforced)),
        ("btrfs", Some(Enforced)),
        ("tmpfs", Some(Enforced)),
        ("overlay", Some(Enforced)),
        ("squashfs", Some(Enforced)),
        ("vfat", Some(Enforced)),
        ("fuseblk", Some(Enforced)),
        ("zfs", Some(Enforced)),
        ("nfs", Some(Tracked)),
        ("nfs4", Some(Tracked)),
        ("cifs", Some(Tracked)),
        ("smb3", Some(Tracked)),
        ("9p", Some(Tracked)),
        ("ceph", Some(Tracked)),
        ("lustre", Some(Tracked)),
        ("virtiofs", Some(Tracked)),
        ("fuse", Some(Tracked)),
        ("fuse.sshfs", Some(Tracked)),
        ("fuse.glusterfs", Some(Tracked)),
        ("newfs", Some(Tracked)),
        ("proc", None),
        ("sysfs", None),
        ("devtmpfs", None),
        ("devpts", None),
        ("cgroup2", None),
        ("bpf", None),
        ("autofs", None),
        ("fuse.gvfsd-fuse", None),
    ];
    for (fs_type, expected) in cases {
        assert_eq!(
            reach_of(fs_type, "rw,relatime", &known),
            expected,
            "{fs_type}"
        );
    }
}

#[test]
fn what_is_not_marked_watched_or_wanted_is_not_called_enforced() {
    let marks = [marked("/m", Some("the kernel refuses the mark"))];
    let others = [marked("/other", None)];
    let with = |watching, marks, enforcement_off| Known {
        watching,
        marks,
        enforcement_off,
    };
    let ebpf = Some(Watching::Ebpf);
    let good = [marked("/m", None)];
    let cases: [(Known<'_>, Reach, &str); 7] = [
        (
            with(ebpf, Some(&marks), None),
            Reach::Tracked,
            "the kernel refuses the mark",
        ),
        (
            with(ebpf, Some(&others), None),
            Reach::Tracked,
            "has not marked it",
        ),
        (with(ebpf, None, None), Reach::Tracked, "no gate runs"),
        (
            with(ebpf, Some(&good), Some("switched off")),
            Reach::Tracked,
            "switched off",
        ),
        (
            with(Some(Watching::KernelEvents), None, None),
            Reach::Tracked,
            "no gate runs",
        ),
        (
            with(Some(Watching::Polling), None, None),
            Reach::Blind,
            "misses short runs",
        ),
        (
            with(None, Some(&good), None),
            Reach::Blind,
            "no agent answers",
        ),
    ];
    let mounts = parse(line("/m", "rw", "ext4").as_bytes());
    for (known, reach, why) in cases {
        let judged = &judge(&mounts, &HashSet::new(), &known)[0];
        assert_eq!(judged.reach, reach, "{why}");
        assert!(judged.why.contains(why), "{}", judged.why);
    }
}

#[test]
fn nothing_is_started_from_noexec_and_nothing_is_known_of_what_hangs() {
    let known = Known::default();
    assert_eq!(
        reach_of("ext4", "rw,nosuid,noexec", &known),
        Some(Reach::Enforced)
    );
    assert_eq!(reach_of("ext4", "rw,xnoexecx", &known), Some(Reach::Blind));
    let mounts = parse(line("/net", "rw,noexec", "nfs4").as_bytes());
    let hung = HashSet::from([b"/net".to_vec()]);
    let judged = &judge(&mounts, &hung, &known)[0];
    assert_eq!(judged.reach, Reach::Blind);
    assert!(judged.why.contains("does not answer"), "{}", judged.why);
}

#[test]
fn a_table_is_read_as_the_kernel_writes_it() {
    let table = "\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
31 27 0:40 / /media/my\\040disk\\134x rw,noexec shared:7 propagate_from:2 - vfat /dev/sdb1 rw
32 27 0:41 /sub /data/a\\011b rw master:3 - fuse.my\\040fs host:/x rw
no line at all
33 27 0:42 / /short rw -
";
    let mounts = parse(table.as_bytes());
    let paths: Vec<String> = mounts.iter().map(Mount::shown_path).collect();
    assert_eq!(paths, ["/proc", "/", "/media/my disk\\x", "/data/a\tb"]);
    assert_eq!(mounts[1].device, "254:0");
    assert_eq!(mounts[3].fs_type, "fuse.my fs");
    let noexec: Vec<bool> = mounts.iter().map(|mount| mount.is_noexec).collect();
    assert_eq!(noexec, [false, false, true, false]);
    assert_eq!(mounts[0].path, b"/proc");
    let odd = parse(b"1 2 3:4 / /a\\999\\04\\ rw - ext4 x rw");
    assert_eq!(odd[0].path, b"/a\\999\\04\\");
}

#[test]
fn of_mounts_one_over_the_other_the_upper_is_told() {
    let table = [
        line("/", "rw", "ext4"),
        line("/data", "rw", "nfs4"),
        line("/data", "rw", "xfs"),
        line("/dev", "rw", "tmpfs"),
        line("/dev", "rw", "devtmpfs"),
    ];
    let mounts = parse(table.concat().as_bytes());
    let judged = judge(&mounts, &HashSet::new(), &Known::default());
    let told: Vec<_> = judged.iter().map(|j| (&*j.path, &*j.fs_type)).collect();
    assert_eq!(told, [("/", "ext4"), ("/data", "xfs")]);
}

#[test]
fn a_mount_of_another_namespace_is_seen_and_not_held() {
    let mount = &parse(line("/tmp", "rw", "tmpfs").as_bytes())[0];
    let known = Known {
        watching: Some(Watching::Ebpf),
        ..Known::default()
    };
    let judged = judge_elsewhere(mount, "process 7, browser", &known);
    assert_eq!(judged.reach, Reach::Tracked);
    assert!(judged.why.contains("process 7, browser"), "{}", judged.why);
    assert_eq!(
        judge_elsewhere(mount, "x", &Known::default()).reach,
        Reach::Blind
    );
}

#[test]
fn this_computers_own_table_is_read() {
    let table = std::fs::read("/proc/self/mountinfo").unwrap();
    assert!(parse(&table).iter().any(|mount| mount.path == b"/"));
}
