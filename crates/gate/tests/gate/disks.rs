//! A disk that hangs: an ext4 of the test's own that is frozen, so that who writes cannot be killed.

use std::fs;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use tempfile::NamedTempFile;
use usher_gate::{Answer, Otherwise};
use usher_testing::undo::{self, Undo};

use crate::answers::EPERM;
use crate::support::{Answered, Partner, Place, has_ended, options, prefix, signal, wait_for};
use crate::waits::{Pending, Stream, all_ran, none_waited_longer, start, went_at_once};

const FIRST: Duration = Duration::from_millis(50);

/// A disk of the test's own. A frozen one is thawed by another process, whatever happens to this
/// test, and before anybody waits for what hangs on it: the guard is the last that is declared.
struct Disk {
    mount: PathBuf,
    _unmounted: Undo,
}

impl Disk {
    /// In an image on this computer's disk.
    fn new(place: &Place) -> Option<Self> {
        Self::mounted(
            place,
            "disk",
            Path::new(env!("CARGO_TARGET_TMPDIR")),
            256 << 20,
        )
    }

    /// In an image on this disk: what is written to it waits as long as this one is frozen.
    fn another(&self, place: &Place) -> Option<Self> {
        Self::mounted(place, "another", &self.mount, 64 << 20)
    }

    fn mounted(place: &Place, name: &str, on: &Path, bytes: u64) -> Option<Self> {
        let image = NamedTempFile::with_prefix_in(prefix(), on).unwrap();
        let mount = place.path().join(name);
        fs::create_dir(&mount).unwrap();
        image.as_file().set_len(bytes).unwrap();
        let _unmounted = undo::unmount_later(&mount).unwrap();
        let made = run(&["mkfs.ext4", "-q", "-F"], &[image.path()])
            && run(&["mount", "-o", "loop"], &[image.path(), &mount]);
        if !made {
            eprintln!("skipped: no ext4 in a loop device here");
            return None;
        }
        Some(Self { mount, _unmounted })
    }

    fn freeze(&self) -> Undo {
        undo::freeze(&self.mount).unwrap()
    }
}

fn run(command: &[&str], paths: &[&Path]) -> bool {
    let [program, args @ ..] = command else {
        return false;
    };
    let mut command = Command::new(program);
    let command = command
        .args(args)
        .args(paths)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Whether a thread of it waits for a disk and cannot be interrupted.
fn hangs(pid: u32) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return false;
    };
    threads.flatten().any(|thread| {
        let stat = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        stat.rsplit(") ")
            .next()
            .is_some_and(|rest| rest.starts_with('D'))
    })
}

#[test]
fn a_partner_that_hangs_on_a_dead_disk_holds_nobody_even_when_it_is_killed() {
    let Some(place) = Place::new() else { return };
    let program = place.program("true");
    let Some(disk) = Disk::new(&place) else {
        return;
    };
    let file = disk.mount.join("written");
    let folder = place.path().to_str().unwrap();
    let partner = Partner::begin(&[folder, "refuse", file.to_str().unwrap()]);
    let frozen = disk.freeze();
    wait_for("a thread that hangs", || hangs(partner.pid()).then_some(()));
    wait_for("a refusal", || {
        (start(&program).outcome == Err(EPERM)).then_some(())
    });
    signal(partner.pid(), Signal::KILL);
    let first = Pending::begin(&program, 50).end();
    let others: Vec<_> = (0..100).map(|_| start(&program)).collect();
    assert!(hangs(partner.pid()), "it cannot be killed");
    let case = "the partner hangs on a dead disk and is killed, 50 starts";
    none_waited_longer(&place, case, FIRST, &first);
    went_at_once(&place, "the same: the next ones", &others);
    all_ran(&others);
    drop(frozen);
}

#[test]
fn programs_on_a_dead_disk_and_beside_it_are_decided_as_ever() {
    let Some(place) = Place::new() else { return };
    let beside = place.program("true");
    let Some(disk) = Disk::new(&place) else {
        return;
    };
    let on_disk = disk.mount.join("true");
    fs::copy("/bin/true", &on_disk).unwrap();
    let which = on_disk.clone();
    let gate = Answered::start(&place, &options(), move |path, _| {
        Some(match path == which {
            true => Answer::Refuse,
            false => Answer::Run,
        })
    });
    let opened = fs::File::open(&disk.mount).unwrap();
    let marked = gate.gate.mark(opened.as_fd()).unwrap();
    gate.done(marked).unwrap();
    drop(opened);
    let frozen = disk.freeze();
    let refused: Vec<_> = (0..50).map(|_| start(&on_disk)).collect();
    let others: Vec<_> = (0..50).map(|_| start(&beside)).collect();
    went_at_once(&place, "programs on a dead disk are refused", &refused);
    went_at_once(&place, "programs beside a dead disk run", &others);
    assert!(refused.iter().all(|start| start.outcome == Err(EPERM)));
    all_ran(&others);
    drop(frozen);
}

/// A start of a program on a disk that is unmounted lazily, with something to be written still, after
/// its starter was killed: who closes that file last unmounts the disk, and waits for it.
fn held_last(place: &Place, disk: &Disk) -> Answered {
    let on_disk = disk.mount.join("true");
    fs::copy("/bin/true", &on_disk).unwrap();
    let which = on_disk.clone();
    let gate = Answered::start(place, &options(), move |path, _| {
        let (at_most, otherwise) = (Duration::from_millis(1_500), Otherwise::Run);
        Some(match path == which {
            true => Answer::Hold { at_most, otherwise },
            false => Answer::Run,
        })
    });
    let opened = fs::File::open(&disk.mount).unwrap();
    let marked = gate.gate.mark(opened.as_fd()).unwrap();
    gate.done(marked).unwrap();
    drop(opened);
    let mut starter = Command::new("/bin/sh")
        .args(["-c", "exec \"$1\"", "sh"])
        .arg(&on_disk)
        .spawn()
        .unwrap();
    gate.wait_for_questions(1);
    starter.kill().unwrap();
    starter.wait().unwrap();
    fs::write(disk.mount.join("much"), vec![1; 4 << 20]).unwrap();
    assert!(run(&["umount", "-l"], &[&disk.mount]));
    gate
}

#[test]
fn a_disk_that_is_unmounted_while_its_program_is_held_delays_no_other() {
    let Some(place) = Place::new() else { return };
    let program = place.program("true");
    let Some(below) = Disk::new(&place) else {
        return;
    };
    let Some(disk) = below.another(&place) else {
        return;
    };
    let gate = held_last(&place, &disk);
    let frozen = below.freeze();
    let stream = Stream::begin(&program, 1, Duration::from_millis(5));
    wait_for("the end of the hold", || {
        let is_over = has_ended(gate.gate.pid()) || gate.figures().held_out == 1;
        is_over.then_some(())
    });
    // The disk is to be written meanwhile.
    let more: Vec<_> = (0..100).map(|_| start(&program)).collect();
    let starts = stream.end();
    let case = "the gate's file is the last of an unmounted disk";
    none_waited_longer(&place, case, FIRST, &starts);
    all_ran(&starts);
    all_ran(&more);
    drop(frozen);
}

#[test]
fn a_gate_that_is_killed_with_the_last_file_of_a_disk_releases_all_before_it_writes() {
    let Some(place) = Place::new() else { return };
    let program = place.program("true");
    let Some(below) = Disk::new(&place) else {
        return;
    };
    let Some(disk) = below.another(&place) else {
        return;
    };
    let gate = held_last(&place, &disk);
    let frozen = below.freeze();
    signal(gate.gate.pid(), Signal::STOP);
    let pending = Pending::begin(&program, 50);
    signal(gate.gate.pid(), Signal::KILL);
    let starts = pending.end();
    let case = "the gate is killed, its file the last of an unmounted disk";
    none_waited_longer(&place, case, FIRST, &starts);
    assert!(!has_ended(gate.gate.pid()), "it still waits for the disk");
    drop(frozen);
}
