//! Forgets people and computers that nothing refers to any more, so that someone who was refused
//! once does not stay in the directory for ever.
//!
//! What refers to somebody is in the tables; only who keeps them can look. So the ledger is told
//! to watch the directory, the tables are brought up to it and looked through, and of those who
//! are found without a reference it forgets whom nobody has named since the watch began.

use rustc_hash::FxHashSet;

use super::*;
use crate::ledger::words::event::Event;

/// The people and computers that were named since the watch began. Not part of the state: without
/// it nobody is forgotten.
#[derive(Debug, Clone, Default)]
pub(super) struct Named {
    subjects: FxHashSet<SubjectId>,
    computers: FxHashSet<ComputerId>,
}

impl Ledger {
    /// Starts or stops watching who is named.
    pub(super) fn watch_directory(&mut self, on: bool) -> Reply {
        self.named = on.then(Named::default);
        Reply::Done
    }

    pub(super) fn note_subject(&mut self, id: SubjectId) {
        if let Some(named) = &mut self.named {
            named.subjects.insert(id);
        }
    }

    pub(super) fn note_computer(&mut self, id: ComputerId) {
        if let Some(named) = &mut self.named {
            named.computers.insert(id);
        }
    }

    /// Forgets those that were not named since the watch began.
    pub(super) fn forget(&mut self, subjects: &[SubjectId], computers: &[ComputerId]) -> Reply {
        let Some(named) = self.named.take() else {
            return Reply::Done;
        };
        for subject in subjects {
            if !named.subjects.contains(subject) && self.subjects.get(*subject).is_some() {
                self.emit(Event::SubjectForgotten { subject: *subject });
            }
        }
        for computer in computers {
            if !named.computers.contains(computer) && self.computers.get(*computer).is_some() {
                self.emit(Event::ComputerForgotten {
                    computer: *computer,
                });
            }
        }
        self.named = Some(named);
        Reply::Done
    }
}
