//! The gate's memory: the starts that it holds, and what is known of files. Both have their whole
//! size from the beginning.

use std::os::fd::OwnedFd;
use std::time::Instant;

use crate::protocol::{FileId, FileState, Otherwise, QuestionNumber};

/// Starts that are held at once, at most; what comes beyond is not asked about. With each answer the
/// kernel wakes all that wait, so each start costs in proportion to how many are held.
pub const HELD_AT_MOST: usize = 1_024;
/// Files of which it is known what happens when the partner is silent, at most.
pub const KNOWN_AT_MOST: usize = 1_024;

/// A start that waits.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) number: QuestionNumber,
    /// The kernel's descriptor of this start: by its number the kernel is answered.
    pub(crate) event: OwnedFd,
    /// The file as it was when the question was asked.
    pub(crate) file: FileState,
    pub(crate) since: Instant,
    pub(crate) until: Until,
}

/// How long a start waits.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    /// For the partner's first word.
    FirstWord { due: Instant },
    /// As the partner has said.
    Said { due: Instant, otherwise: Otherwise },
}

impl Until {
    fn due(self) -> Instant {
        match self {
            Self::FirstWord { due } | Self::Said { due, .. } => due,
        }
    }
}

/// All starts that wait. A question's number is its place and a count beside it, so that a late
/// answer never meets another start.
#[derive(Debug)]
pub(crate) struct Table {
    places: Box<[Option<Held>]>,
    free: Vec<u16>,
    asked: u64,
    /// No start is due before; it may be too early, never too late.
    next_due: Option<Instant>,
    /// All places from here on are free.
    top: usize,
}

impl Table {
    pub(crate) fn new() -> Self {
        Self {
            places: std::iter::repeat_with(|| None).take(HELD_AT_MOST).collect(),
            free: (0..HELD_AT_MOST as u16).rev().collect(),
            asked: 0,
            next_due: None,
            top: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// The number for a next question, if there is a place.
    pub(crate) fn next_number(&mut self) -> Option<QuestionNumber> {
        let place = u64::from(*self.free.last()?);
        self.asked += 1;
        Some(QuestionNumber(self.asked * HELD_AT_MOST as u64 + place))
    }

    /// Puts a start at the place that its number names.
    pub(crate) fn put(&mut self, held: Held) {
        self.due_at(held.until.due());
        let place = place(held.number);
        if self.free.last().map(|&free| usize::from(free)) == Some(place)
            && let Some(empty) = self.places.get_mut(place)
        {
            self.free.pop();
            *empty = Some(held);
            self.top = self.top.max(place + 1);
        }
    }

    /// Takes a start out, if it still waits.
    pub(crate) fn take(&mut self, number: QuestionNumber) -> Option<Held> {
        let place = place(number);
        let taken = self
            .places
            .get_mut(place)?
            .take_if(|held| held.number == number)?;
        self.free.push(place as u16);
        Some(taken)
    }

    /// Has a start wait on.
    pub(crate) fn hold(&mut self, number: QuestionNumber, until: impl FnOnce(&Held) -> Until) {
        let waits = self.places.get_mut(place(number)).and_then(Option::as_mut);
        let Some(held) = waits.filter(|held| held.number == number) else {
            return;
        };
        held.until = until(held);
        let due = held.until.due();
        self.due_at(due);
    }

    fn due_at(&mut self, due: Instant) {
        self.next_due = Some(self.next_due.map_or(due, |next| next.min(due)));
    }

    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.next_due
    }

    /// Takes the starts out, one by one, that are due by `due_by` (all, if `None`): from `from` on,
    /// which begins at 0. Once there are no more, it is known when the next is due.
    pub(crate) fn take_next(&mut self, due_by: Option<Instant>, from: &mut usize) -> Option<Held> {
        while *from < self.top {
            let at = *from;
            *from += 1;
            let is_due = |held: &mut Held| due_by.is_none_or(|due_by| held.until.due() <= due_by);
            if let Some(taken) = self.places.get_mut(at)?.take_if(is_due) {
                self.free.push(at as u16);
                return Some(taken);
            }
        }
        self.look_over();
        None
    }

    fn look_over(&mut self) {
        let waiting = self.places.iter().take(self.top).enumerate();
        let waiting = waiting.filter_map(|(at, held)| Some((at, held.as_ref()?.until.due())));
        let (top, next_due) = waiting.fold((0, None), |(_, next), (at, due)| {
            let next = next.map_or(due, |next: Instant| next.min(due));
            (at + 1, Some(next))
        });
        self.top = top;
        self.next_due = next_due;
    }
}

fn place(number: QuestionNumber) -> usize {
    (number.0 % HELD_AT_MOST as u64) as usize
}

/// What happens to the starts of some files when the partner is silent; every other runs.
#[derive(Debug)]
pub(crate) struct Known {
    files: Vec<(FileState, Otherwise)>,
}

impl Known {
    pub(crate) fn new() -> Self {
        Self {
            files: Vec::with_capacity(KNOWN_AT_MOST),
        }
    }

    pub(crate) fn otherwise(&self, file: FileState) -> Otherwise {
        let known = self.files.iter().find(|(known, _)| *known == file);
        known.map_or(Otherwise::Run, |(_, otherwise)| *otherwise)
    }

    /// Whether there was room for it.
    pub(crate) fn learn(&mut self, file: FileState, otherwise: Otherwise) -> bool {
        self.forget(file.id);
        let has_room = self.files.len() < KNOWN_AT_MOST;
        if has_room {
            self.files.push((file, otherwise));
        }
        has_room
    }

    pub(crate) fn forget(&mut self, file: FileId) {
        self.files.retain(|(known, _)| known.id != file);
    }

    pub(crate) fn forget_all(&mut self) {
        self.files.clear();
    }
}
