//! A disk that hangs: an ext4 of the test's own that is frozen, so that who writes cannot be killed.

use std::fs;
use std::io::Write;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use usher_gate::{Answer, Otherwise};

use crate::answers::EPERM;
use crate::support::{Answered, Partner, Place, has_ended, options, signal, wait_for};
use crate::waits::{Pending, Stream, all_ran, none_waited_longer, start};

const FIRST: Duration = Duration::from_millis(50 + 100);
const NEXT: Duration = Duration::from_millis(1 + 100);

/// A disk, and who will thaw it whatever happens to this test: by then nothing may be startable.
struct Disk {
    mount: PathBuf,
    thaws: Option<Child>,
}

impl Disk {
    fn new(place: &Place) -> Option<Self> {
        // On a disk, not in memory: what is written to it is to take its time.
        let image = tempfile::NamedTempFile::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let mount = place.path().join("disk");
        fs::create_dir(&mount).unwrap();
        image.as_file().set_len(1 << 30).unwrap();
        let made = run(&["mkfs.ext4", "-q", "-F"], &[image.path()])
            && run(&["mount", "-o", "loop"], &[image.path(), &mount]);
        if !made {
            eprintln!("skipped: no ext4 in a loop device here");
            return None;
        }
        let thaws = Command::new("/bin/sh")
            .args(["-c", "read go; exec 2>/dev/null fsfreeze -u \"$1\"", "sh"])
            .arg(&mount)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let thaws = Some(thaws);
        Some(Self { mount, thaws })
    }

    fn freeze(&self) {
        assert!(run(&["fsfreeze", "-f"], &[&self.mount]));
    }

    fn thaw(&mut self) {
        let Some(mut thaws) = self.thaws.take() else {
            return;
        };
        // At the end of its input it thaws as well: it does so too when this test is killed.
        drop(thaws.stdin.take().map(|mut go| go.write_all(b"\n")));
        drop(thaws.wait());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.thaw();
        run(&["umount", "-q", "-l"], &[&self.mount]);
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
    let Some(mut disk) = Disk::new(&place) else {
        return;
    };
    let file = disk.mount.join("written");
    let folder = place.path().to_str().unwrap();
    let partner = Partner::begin(&[folder, "refuse", file.to_str().unwrap()]);
    disk.freeze();
    wait_for("a thread that hangs", || hangs(partner.pid()).then_some(()));
    assert_eq!(start(&program).outcome, Err(EPERM));
    signal(partner.pid(), Signal::KILL);
    let first = Pending::begin(&program, 50).end();
    let others: Vec<_> = (0..100).map(|_| start(&program)).collect();
    assert!(hangs(partner.pid()), "it cannot be killed");
    let case = "the partner hangs on a dead disk and is killed, 50 starts";
    none_waited_longer(case, FIRST, &first);
    none_waited_longer("the same: the next ones", NEXT, &others);
    all_ran(&others);
    disk.thaw();
}

#[test]
fn programs_on_a_dead_disk_and_beside_it_are_decided_as_ever() {
    let Some(place) = Place::new() else { return };
    let beside = place.program("true");
    let Some(mut disk) = Disk::new(&place) else {
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
    disk.freeze();
    let refused: Vec<_> = (0..50).map(|_| start(&on_disk)).collect();
    let others: Vec<_> = (0..50).map(|_| start(&beside)).collect();
    none_waited_longer("programs on a dead disk are refused", NEXT, &refused);
    none_waited_longer("programs beside a dead disk run", NEXT, &others);
    assert!(refused.iter().all(|start| start.outcome == Err(EPERM)));
    all_ran(&others);
    disk.thaw();
}

/// A start of a program on a disk that is unmounted lazily, with much to be written still, after its
/// starter was killed: who closes that file last unmounts the disk, and waits for it.
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
    fs::write(disk.mount.join("much"), vec![1; 400 << 20]).unwrap();
    assert!(run(&["umount", "-l"], &[&disk.mount]));
    gate
}

#[test]
fn a_disk_that_is_unmounted_while_its_program_is_held_delays_no_other() {
    let Some(place) = Place::new() else { return };
    let program = place.program("true");
    let Some(disk) = Disk::new(&place) else {
        return;
    };
    let gate = held_last(&place, &disk);
    let stream = Stream::begin(&program, 1, Duration::from_millis(5));
    wait_for("the end of the hold", || {
        let is_over = has_ended(gate.gate.pid()) || gate.figures().held_out == 1;
        is_over.then_some(())
    });
    // tidy: sleep, the disk is being written meanwhile
    std::thread::sleep(Duration::from_millis(1_500));
    let starts = stream.end();
    let case = "the gate's file is the last of an unmounted disk";
    none_waited_longer(case, FIRST, &starts);
    all_ran(&starts);
}

#[test]
fn a_gate_that_is_killed_with_the_last_file_of_a_disk_releases_all_before_it_writes() {
    let Some(place) = Place::new() else { return };
    let program = place.program("true");
    let Some(disk) = Disk::new(&place) else {
        return;
    };
    let gate = held_last(&place, &disk);
    signal(gate.gate.pid(), Signal::STOP);
    let pending = Pending::begin(&program, 50);
    signal(gate.gate.pid(), Signal::KILL);
    let starts = pending.end();
    let case = "the gate is killed, its file the last of an unmounted disk";
    none_waited_longer(case, FIRST, &starts);
    assert!(!has_ended(gate.gate.pid()), "it still waits for the disk");
}
