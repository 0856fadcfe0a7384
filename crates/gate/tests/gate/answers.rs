//! What the partner answers is what happens.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use usher_gate::{Answer, Options, Otherwise, Question};

use crate::support::{Answered, FOR_EVER, Place, options};
use crate::waits::{Pending, all_ran, none_waited_longer, start};

pub(crate) const EPERM: i32 = 1;
const HELD: Duration = Duration::from_millis(150);

#[test]
fn a_start_is_refused_before_its_first_instruction_or_runs_as_the_partner_says() {
    let Some(place) = Place::new() else { return };
    let (refused, allowed) = (place.program("true"), place.program("true.2"));
    let which = refused.clone();
    let gate = Answered::start(&place, &options(), move |path, _| {
        Some(match path == which {
            true => Answer::Refuse,
            false => Answer::Run,
        })
    });
    assert_eq!(start(&refused).outcome, Err(EPERM));
    assert_eq!(start(&allowed).outcome, Ok(()));
    assert_eq!(*gate.asked.lock().unwrap(), [refused, allowed]);
    let figures = gate.figures();
    assert_eq!((figures.asked, figures.run, figures.refused), (2, 1, 1));
}

#[test]
fn a_question_names_process_and_file() {
    let Some(place) = Place::new() else { return };
    let program = place.program("true");
    let expected = rustix::fs::stat(&program).unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sees = seen.clone();
    let _gate = Answered::start(&place, &options(), move |_, question: &Question| {
        let id = (question.id.device, question.id.inode);
        sees.lock().unwrap().push((question.pid, id));
        Some(Answer::Run)
    });
    let mut child = std::process::Command::new(&program).spawn().unwrap();
    child.wait().unwrap();
    let expected = (child.id(), (expected.st_dev, expected.st_ino));
    assert_eq!(*seen.lock().unwrap(), [expected]);
}

/// A gate whose partner says that it asks the server, and then nothing.
fn holding(place: &Place, options: &Options, at_most: Duration, otherwise: Otherwise) -> Answered {
    Answered::start(place, options, move |_, _| {
        Some(Answer::Hold { at_most, otherwise })
    })
}

#[test]
fn a_start_that_is_held_goes_the_way_that_was_said_beforehand() {
    let Some(place) = Place::new() else { return };
    let program = place.program("true");
    for (otherwise, outcome) in [(Otherwise::Run, Ok(())), (Otherwise::Refuse, Err(EPERM))] {
        let gate = holding(&place, &options(), HELD, otherwise);
        let held = start(&program);
        assert_eq!(held.outcome, outcome);
        assert!(held.took >= HELD, "{held:?}");
        let case = format!("held 150 ms by the partner, otherwise {otherwise:?}");
        none_waited_longer(&place, &case, HELD, &[held]);
        assert_eq!(gate.figures().held_out, 1);
    }
}

#[test]
fn a_held_start_is_answered_late() {
    let Some(place) = Place::new() else { return };
    let program = place.program("true");
    for (late, outcome) in [(Answer::Run, Ok(())), (Answer::Refuse, Err(EPERM))] {
        let at_most = FOR_EVER;
        let numbers = Arc::new(Mutex::new(Vec::new()));
        let takes = numbers.clone();
        let gate = Answered::start(&place, &options(), move |_, question| {
            takes.lock().unwrap().push(question.number);
            let otherwise = Otherwise::Run;
            Some(Answer::Hold { at_most, otherwise })
        });
        let pending = Pending::begin(&program, 1);
        gate.wait_for_questions(1);
        // tidy: sleep, what a server needs for its answer
        std::thread::sleep(HELD);
        let number = numbers.lock().unwrap()[0];
        gate.gate.answer(number, late).unwrap();
        let starts = pending.end();
        assert_eq!(starts[0].outcome, outcome);
        assert!(starts[0].took >= HELD, "{starts:?}");
        none_waited_longer(&place, "answered after 150 ms", HELD, &starts);
    }
}

#[test]
fn nothing_is_held_longer_than_the_gates_own_limit() {
    let Some(place) = Place::new() else { return };
    let program = place.program("true");
    let options = Options {
        hold_limit: HELD,
        ..options()
    };
    let _gate = holding(&place, &options, Duration::MAX, Otherwise::Run);
    let held = start(&program);
    none_waited_longer(&place, "held for ever, limit 150 ms", HELD, &[held]);
    assert!(held.took >= HELD, "{held:?}");
}

#[test]
fn enforcement_off_lets_what_is_held_run_and_asks_no_more() {
    let Some(place) = Place::new() else { return };
    let program = place.program("true");
    let at_most = FOR_EVER;
    let gate = holding(&place, &options(), at_most, Otherwise::Refuse);
    let pending = Pending::begin(&program, 20);
    gate.wait_for_questions(20);
    let off = gate.gate.enforce(false).unwrap();
    gate.done(off).unwrap();
    let starts = pending.end();
    all_ran(&starts);
    all_ran(&[start(&program)]);
    assert_eq!(gate.figures().events, 20);
}

#[test]
fn a_mount_that_cannot_be_marked_says_why() {
    use std::os::fd::AsFd;
    let Some(place) = Place::new() else { return };
    let gate = Answered::start(&place, &options(), |_, _| Some(Answer::Run));
    let (pipe, _other) = rustix::pipe::pipe().unwrap();
    let marked = gate.gate.mark(pipe.as_fd()).unwrap();
    assert_eq!(gate.done(marked), Err(rustix::io::Errno::INVAL));
}

#[test]
fn a_file_system_that_is_no_longer_marked_is_not_asked_about() {
    use std::os::fd::AsFd;
    let Some(place) = Place::new() else { return };
    let program = place.program("true");
    let gate = Answered::start(&place, &options(), |_, _| Some(Answer::Refuse));
    assert_eq!(start(&program).outcome, Err(EPERM));
    let unmarked = gate.gate.unmark(place.opened().as_fd()).unwrap();
    gate.done(unmarked).unwrap();
    assert_eq!(start(&program).outcome, Ok(()));
}
