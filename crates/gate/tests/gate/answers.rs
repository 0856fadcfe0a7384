//! What the partner answers is what happens.

use usher_gate::Answer;

use crate::support::{Answered, Place, options, start};

const EPERM: i32 = 1;

#[test]
fn a_start_is_refused_before_its_first_instruction_or_runs_as_the_partner_says() {
    let Some(place) = Place::new() else { return };
    let (refused, allowed) = (place.program("true"), place.program("true.2"));
    let which = refused.clone();
    let gate = Answered::start(&place, &options(), move |path, _| {
        Some(if path == which {
            Answer::Refuse
        } else {
            Answer::Run
        })
    });
    assert_eq!(start(&refused).1, Err(EPERM));
    assert_eq!(start(&allowed).1, Ok(()));
    assert_eq!(*gate.asked.lock().unwrap(), [refused, allowed]);
    let figures = gate.figures();
    assert_eq!((figures.asked, figures.run, figures.refused), (2, 1, 1));
}
