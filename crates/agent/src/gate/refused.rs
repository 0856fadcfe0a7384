//! The files that the gate refuses if the agent does not answer.
//!
//! A file that has changed is told again; beyond the limit the oldest is forgotten.

use std::collections::{HashMap, VecDeque};

use usher_gate::{FileId, FileState};

#[derive(Debug)]
pub(super) struct Refused {
    limit: usize,
    /// The state of each file when the gate was told.
    told: HashMap<FileId, FileState>,
    /// The files in the order in which the gate was told.
    order: VecDeque<FileId>,
}

/// What to tell the gate.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Tell {
    /// The file is refused.
    Known(FileState),
    /// The file is forgotten.
    Forgotten(FileId),
}

impl Refused {
    /// An empty list; `limit` is how many files the gate has room for.
    pub(super) fn new(limit: usize) -> Refused {
        Refused {
            limit,
            told: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    /// Notes whether a file is refused.
    pub(super) fn seen(&mut self, file: FileState, is_refused: bool) -> Vec<Tell> {
        if !is_refused {
            return self.forget(file.id).into_iter().collect();
        }
        if self.told.get(&file.id) == Some(&file) {
            return Vec::new();
        }
        let mut tell = Vec::new();
        if self.told.insert(file.id, file).is_none() {
            self.order.push_back(file.id);
        }
        if self.order.len() > self.limit
            && let Some(oldest) = self.order.front().copied()
        {
            tell.extend(self.forget(oldest));
        }
        tell.push(Tell::Known(file));
        tell
    }

    /// Notes that the gate has forgotten everything.
    pub(super) fn clear(&mut self) {
        self.told.clear();
        self.order.clear();
    }

    fn forget(&mut self, id: FileId) -> Option<Tell> {
        self.told.remove(&id)?;
        self.order.retain(|known| *known != id);
        Some(Tell::Forgotten(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(inode: u64, seconds: i64) -> FileState {
        FileState {
            id: FileId { device: 1, inode },
            changed: (seconds, 0),
        }
    }

    #[test]
    fn a_file_is_told_once_and_again_when_it_has_changed() {
        let mut refused = Refused::new(9);
        assert_eq!(refused.seen(file(1, 1), true), [Tell::Known(file(1, 1))]);
        assert_eq!(refused.seen(file(1, 1), true), []);
        assert_eq!(refused.seen(file(1, 2), true), [Tell::Known(file(1, 2))]);
    }

    #[test]
    fn a_file_that_is_refused_no_more_is_forgotten() {
        let mut refused = Refused::new(9);
        assert_eq!(refused.seen(file(1, 1), false), []);
        refused.seen(file(1, 1), true);
        let forgotten = [Tell::Forgotten(file(1, 1).id)];
        assert_eq!(refused.seen(file(1, 7), false), forgotten);
        assert_eq!(refused.seen(file(1, 7), true), [Tell::Known(file(1, 7))]);
    }

    #[test]
    fn beyond_the_limit_the_first_makes_room() {
        let mut refused = Refused::new(2);
        refused.seen(file(1, 1), true);
        refused.seen(file(2, 1), true);
        let told = refused.seen(file(3, 1), true);
        let expected = [Tell::Forgotten(file(1, 1).id), Tell::Known(file(3, 1))];
        assert_eq!(told, expected);
        assert_eq!(refused.seen(file(2, 1), true), []);
    }
}
