//! The person and the computer of a request: looked up, or entered as new.
//!
//! If the directory is crowded, who is new and would be refused is not entered, but counted
//! among the others: names that are made up as they are needed (containers) would fill memory and
//! disk with refusals.

use std::sync::Arc;

use crate::ledger::words::event::Event;
use crate::ledger::*;

/// The number of people, and of computers, from which new ones are not entered if they are refused.
pub const CROWD_LIMIT: usize = 100_000;
/// The name under which those are shown. No request can name it: its key is empty.
pub const OTHERS: &str = "(others)";
const OTHER_SUBJECTS: SubjectId = SubjectId(0);
const OTHER_COMPUTERS: ComputerId = ComputerId(0);

impl Ledger {
    /// The person and the computer of a request.
    pub(in crate::ledger) fn asker(
        &mut self,
        checkout: &Checkout,
        wanted: &[Other],
    ) -> (SubjectId, ComputerId) {
        let crowded = self.subjects.len() >= CROWD_LIMIT || self.computers.len() >= CROWD_LIMIT;
        if crowded && self.would_refuse(checkout, wanted) {
            let SubjectRef { authority, key, .. } = &checkout.subject;
            let subject = self.subjects.find(authority, key).map(|known| known.id);
            let computer = self
                .computers
                .find(&checkout.computer.key)
                .map(|known| known.id);
            let subject = subject.unwrap_or_else(|| self.other_subjects());
            let computer = computer.unwrap_or_else(|| self.other_computers());
            self.note_subject(subject);
            self.note_computer(computer);
            return (subject, computer);
        }
        (
            self.subject(checkout.subject.clone()),
            self.computer(checkout.computer.clone()),
        )
    }

    /// Whether the request would be refused, whoever asks.
    fn would_refuse(&self, checkout: &Checkout, wanted: &[Other]) -> bool {
        let nobody = (OTHER_SUBJECTS, OTHER_COMPUTERS);
        let parts = Ledger::parts(checkout, wanted, nobody, 1);
        match self.judge(&parts, self.now) {
            Ok(_) => false,
            Err(lacking) if lacking.reason.waiting_helps() => {
                !checkout.wait || self.may_wait(&parts).is_err()
            }
            Err(_) => true,
        }
    }

    fn other_subjects(&mut self) -> SubjectId {
        if self.subjects.get(OTHER_SUBJECTS).is_none() {
            self.emit(Event::SubjectEntered(Subject {
                id: OTHER_SUBJECTS,
                authority: Arc::default(),
                key: Arc::default(),
                name: OTHERS.into(),
            }));
        }
        OTHER_SUBJECTS
    }

    fn other_computers(&mut self) -> ComputerId {
        if self.computers.get(OTHER_COMPUTERS).is_none() {
            self.emit(Event::ComputerEntered(Computer {
                id: OTHER_COMPUTERS,
                key: Arc::default(),
                name: OTHERS.into(),
                document: Arc::default(),
            }));
        }
        OTHER_COMPUTERS
    }

    /// Looks up a person; enters it if it is new. A request never changes a known person's name.
    pub(in crate::ledger) fn subject(&mut self, asked: SubjectRef) -> SubjectId {
        let known = self.subjects.find(&asked.authority, &asked.key);
        if let Some(id) = known.map(|known| known.id) {
            self.note_subject(id);
            return id;
        }
        let mut id = SubjectId(asked.candidate);
        while self.subjects.get(id).is_some() {
            id = SubjectId(id.0.wrapping_add(1));
        }
        let SubjectRef {
            authority,
            key,
            name,
            ..
        } = asked;
        self.emit(Event::SubjectEntered(Subject {
            id,
            authority,
            key,
            name,
        }));
        self.note_subject(id);
        id
    }

    /// Looks up a computer; enters it if it is new.
    pub(in crate::ledger) fn computer(&mut self, asked: ComputerRef) -> ComputerId {
        let known = self.computers.find(&asked.key);
        if let Some(id) = known.map(|known| known.id) {
            self.note_computer(id);
            return id;
        }
        let name = asked.key.clone();
        self.enter_computer(asked, name, Arc::default())
    }

    pub(in crate::ledger) fn enter_computer(
        &mut self,
        asked: ComputerRef,
        name: Arc<str>,
        document: Arc<str>,
    ) -> ComputerId {
        let mut id = ComputerId(asked.candidate);
        while self.computers.get(id).is_some() {
            id = ComputerId(id.0.wrapping_add(1));
        }
        self.emit(Event::ComputerEntered(Computer {
            id,
            key: asked.key,
            name,
            document,
        }));
        self.note_computer(id);
        id
    }
}
