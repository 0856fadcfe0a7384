//! A program that is held, and how whoever waits for it is answered.

use std::sync::Arc;

use usher_core::sessions::{Process, Unanswered};
use usher_gate::{Answer, Gate, QuestionNumber};

use super::place::Place;

/// A program that is held until it is known whether there is a seat for it.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) waiting: Waiting,
    pub(crate) process: Process,
    /// What happens if no server answers.
    pub(crate) unanswered: Unanswered,
}

/// Whom to answer.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(super) gate: Arc<Gate>,
    pub(super) number: QuestionNumber,
    /// Where the user reads what becomes of it.
    pub(super) place: Option<Place>,
}

impl Waiting {
    /// The program runs.
    pub(crate) fn run(self) {
        // A gate that takes no messages has ended, or its guard ends it: then the start runs.
        let _ = self.gate.answer(self.number, Answer::Run);
    }

    /// It does not, and its user reads those lines.
    pub(crate) fn refuse(self, lines: &str) {
        let Waiting {
            gate,
            number,
            place,
        } = self;
        match place {
            Some(place) => place.tell_and_refuse(lines, &gate, number),
            None => {
                let _ = gate.answer(number, Answer::Refuse);
            }
        }
    }
}
