//! Files that are not asked about again, and what has them asked about again.

use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use usher_gate::Answer;

use crate::support::{Answered, Place, options};
use crate::waits::{all_ran, start};

/// A file of nobody's that was asked about once, and its gate.
fn nobodys() -> Option<(Place, PathBuf, Answered)> {
    let place = Place::new()?;
    let program = place.program("true");
    let gate = Answered::start(&place, &options(), |_, _| Some(Answer::RunAndForget));
    all_ran(&[start(&program)]);
    all_ran(&[start(&program)]);
    assert_eq!(gate.times_asked(&program), 1);
    Some((place, program, gate))
}

/// How often is asked about starts of it after `change`: what the file was before is forgotten.
#[track_caller]
fn asked_after(change: impl FnOnce(&Path) -> PathBuf) -> usize {
    let Some((_place, program, gate)) = nobodys() else {
        return 0;
    };
    let now = change(&program);
    let before = gate.asked.lock().unwrap().len();
    all_ran(&[start(&now)]);
    let after = gate.asked.lock().unwrap().len();
    after - before
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn nobodys_file_costs_no_second_question() {
    let Some((_place, program, gate)) = nobodys() else {
        return;
    };
    for _ in 0..100 {
        all_ran(&[start(&program)]);
    }
    assert_eq!(gate.times_asked(&program), 1);
    assert_eq!(gate.figures().events, 1);
    assert_eq!(gate.figures().forgotten, 1);
}

#[test]
fn a_file_that_is_written_to_is_asked_about_again() {
    let asked = asked_after(|program| {
        let mut whole = fs::read(program).unwrap();
        whole.push(0);
        fs::write(program, whole).unwrap();
        program.to_owned()
    });
    assert_eq!(asked, usize::from(is_root()));
}

#[test]
fn a_file_that_is_cut_is_asked_about_again() {
    let asked = asked_after(|program| {
        let file = fs::File::options().write(true).open(program).unwrap();
        let length = file.metadata().unwrap().len();
        file.set_len(length + 1).unwrap();
        program.to_owned()
    });
    assert_eq!(asked, usize::from(is_root()));
}

#[test]
fn a_file_put_in_anothers_place_is_asked_about() {
    let asked = asked_after(|program| {
        let new = program.with_extension("new");
        fs::copy(program, &new).unwrap();
        fs::rename(&new, program).unwrap();
        program.to_owned()
    });
    assert_eq!(asked, usize::from(is_root()));
}

#[test]
fn a_copy_is_asked_about() {
    let asked = asked_after(|program| {
        let copy = program.with_extension("copy");
        fs::copy(program, &copy).unwrap();
        copy
    });
    assert_eq!(asked, usize::from(is_root()));
}

/// The kernel's mark is on the file, not on its name: who goes by names has to look at renames,
/// and to say [`usher_gate::Gate::ask_again`].
#[test]
fn a_file_that_gets_another_name_or_mode_is_not_asked_about_again() {
    let renamed = asked_after(|program| {
        let to = program.with_extension("renamed");
        fs::rename(program, &to).unwrap();
        to
    });
    let linked = asked_after(|program| {
        let to = program.with_extension("linked");
        fs::hard_link(program, &to).unwrap();
        to
    });
    let mode_changed = asked_after(|program| {
        fs::set_permissions(program, fs::Permissions::from_mode(0o711)).unwrap();
        program.to_owned()
    });
    assert_eq!([renamed, linked, mode_changed], [0, 0, 0]);
}

#[test]
fn all_files_are_asked_about_again_when_the_rules_change() {
    let Some((_place, program, gate)) = nobodys() else {
        return;
    };
    let done = gate.gate.ask_about_all_again().unwrap();
    gate.done(done).unwrap();
    all_ran(&[start(&program)]);
    assert_eq!(gate.times_asked(&program), 2);
}

#[test]
fn one_file_is_asked_about_again_when_the_partner_says_so() {
    let Some((place, program, gate)) = nobodys() else {
        return;
    };
    let other = place.program("true.2");
    all_ran(&[start(&other)]);
    let file = fs::File::open(&program).unwrap();
    for _ in 0..2 {
        let done = gate.gate.ask_again(file.as_fd()).unwrap();
        gate.done(done).unwrap();
    }
    all_ran(&[start(&program), start(&other)]);
    assert_eq!(gate.times_asked(&program), 2);
    assert_eq!(gate.times_asked(&other), 1);
}

/// What the partner looked at is not what would be run from then on.
#[test]
fn a_file_that_changes_while_the_partner_looks_at_it_is_not_forgotten() {
    let Some(place) = Place::new() else { return };
    let program = place.program("true");
    let gate = Answered::start(&place, &options(), move |path, _| {
        // A look that takes its time, and meanwhile somebody gives the file away.
        fs::set_permissions(path, fs::Permissions::from_mode(0o711)).unwrap();
        Some(Answer::RunAndForget)
    });
    all_ran(&[start(&program), start(&program)]);
    assert_eq!(gate.times_asked(&program), 2);
    assert_eq!(gate.figures().forgotten, 0);
}
