//! A held program, and how its start is answered.

use std::sync::Arc;

use usher_core::sessions::{Process, Unanswered};
use usher_gate::{Answer, Gate, QuestionNumber};

use super::place::Place;

/// A program that is held until the server has answered about its seat.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) waiting: Waiting,
    pub(crate) process: Process,
    /// What to do if no server answers.
    pub(crate) unanswered: Unanswered,
}

/// The held start to answer.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(super) gate: Arc<Gate>,
    pub(super) number: QuestionNumber,
    /// Where the user reads the result.
    pub(super) place: Option<Place>,
}

impl Waiting {
    /// Lets the program run.
    pub(crate) fn run(self) {
        // A gate that takes no messages has ended, or its guard ends it: then the start runs.
        let _ = self.gate.answer(self.number, Answer::Run);
    }

    /// Refuses it; the user reads these lines.
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
