//! What was recorded of one product: who asked, who would wait, what came of it.

/// For how long somebody who asks waits if no seat is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Waits {
    /// Not at all.
    No,
    /// For so many milliseconds; then it leaves the queue.
    ForMs(u64),
    /// Until it is served.
    UntilServed,
}

/// What came of an ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Seats were granted, at once or after a wait.
    Granted {
        /// For how many milliseconds they were held, from when they were granted. None: they are
        /// still held at the end of the recording.
        held_ms: Option<u64>,
    },
    /// It was refused because no seat was free or the queue was full.
    Refused,
    /// It waited, and left the queue without a seat.
    LeftQueue,
}

impl Outcome {
    /// Whether a seat was held.
    pub fn is_granted(self) -> bool {
        matches!(self, Outcome::Granted { .. })
    }
}

/// Somebody asked for seats. What was refused for another reason than the number of seats (a
/// product that was switched off, a date) belongs in no recording: no number of seats changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ask {
    /// When, in Unix milliseconds.
    pub at_ms: i64,
    /// Who asked: the same number for the same person.
    pub person: u64,
    /// Where: the same number for the same computer.
    pub computer: u64,
    /// Seats asked for, 1 or more.
    pub seats: u32,
    /// Whether it would wait, and for how long.
    pub waits: Waits,
    /// Of those who wait, higher is served first; usually 0.
    pub priority: i8,
    /// What came of it.
    pub outcome: Outcome,
}

/// A use that ran already when the recording begins: it holds its seats from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Running {
    /// Seats held.
    pub seats: u32,
    /// When it ended, in Unix milliseconds; none: it is still held at the end of the recording.
    pub until_ms: Option<i64>,
}

/// A time in which nothing was recorded: from the first instant to the one before the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Gap {
    /// Its first instant, in Unix milliseconds.
    pub from_ms: i64,
    /// The first instant after it, in Unix milliseconds.
    pub until_ms: i64,
}

/// What was recorded of one product.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Recording {
    /// Product id, for texts.
    pub product: String,
    /// Its first instant, in Unix milliseconds.
    pub from_ms: i64,
    /// The first instant after it, in Unix milliseconds.
    pub until_ms: i64,
    /// Seats that are owned today; none: not known.
    pub seats_today: Option<u32>,
    /// What ran at its first instant.
    pub running: Vec<Running>,
    /// What was asked for, in any order; of asks at one instant the first in the list comes first.
    /// Those outside the recording's time are passed over.
    pub asks: Vec<Ask>,
    /// When nothing was recorded, in any order.
    pub gaps: Vec<Gap>,
}

impl Recording {
    /// How long it is, in milliseconds.
    pub fn length_ms(&self) -> u64 {
        u64::try_from(self.until_ms.saturating_sub(self.from_ms)).unwrap_or(0)
    }

    /// For how many of these milliseconds nothing was recorded. Gaps that overlap count once.
    pub fn unobserved_ms(&self) -> u64 {
        let mut gaps: Vec<(i64, i64)> = self
            .gaps
            .iter()
            .map(|gap| {
                (
                    gap.from_ms.max(self.from_ms),
                    gap.until_ms.min(self.until_ms),
                )
            })
            .filter(|(from, until)| from < until)
            .collect();
        gaps.sort_unstable();
        let mut total_ms = 0_u64;
        let mut seen_ms = self.from_ms;
        for (from, until) in gaps {
            let missing = until.saturating_sub(from.max(seen_ms));
            total_ms = total_ms.saturating_add(u64::try_from(missing).unwrap_or(0));
            seen_ms = seen_ms.max(until);
        }
        total_ms
    }
}
