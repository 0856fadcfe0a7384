//! How long nobody has touched the places that a program belongs to: terminals and displays.
//!
//! All times are milliseconds of one clock that only goes forward and stands still while the
//! computer sleeps: what was asleep was not left alone. It promises that
//! - a place is never taken for touched longer ago than it was;
//! - what nothing is known of is in use.

mod displays;
#[cfg(test)]
mod tests;

pub use displays::displays_of;

/// How coarse the kernel's time of a terminal's last input is: it is set again only by input that
/// comes in another stretch of 8 seconds (`tty_update_time` in Linux's `drivers/tty/tty_io.c`).
pub const TERMINAL_STEP_MS: u64 = 8_000;

/// A terminal, by what its device says of its last input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    input_seconds: i64,
    touched_ms: u64,
}

impl Terminal {
    /// A terminal that is seen for the first time, whose device dates its last input at
    /// `input_seconds` while the wall clock says `wall_seconds`.
    pub fn seen(now_ms: u64, wall_seconds: i64, input_seconds: i64) -> Self {
        let ago = wall_seconds.saturating_sub(input_seconds);
        let ago_ms = u64::try_from(ago).unwrap_or(0).saturating_mul(1_000);
        Terminal {
            input_seconds,
            touched_ms: (now_ms.saturating_add(TERMINAL_STEP_MS)).saturating_sub(ago_ms),
        }
    }

    /// Looks again. Another time than before means input since, whatever the wall clock does; and
    /// input of the same step would not show.
    pub fn look(&mut self, now_ms: u64, input_seconds: i64) {
        if self.input_seconds != input_seconds {
            self.input_seconds = input_seconds;
            self.touched_ms = now_ms.saturating_add(TERMINAL_STEP_MS);
        }
    }

    /// How long nobody has touched it, at least.
    pub fn untouched_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.touched_ms)
    }
}

/// A display, by what was last reported of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Display {
    touched_ms: u64,
    until_ms: u64,
}

impl Display {
    /// It is reported that nobody has touched it for `idle_ms`, which counts for `valid_ms`.
    pub fn reported(now_ms: u64, idle_ms: u64, valid_ms: u64) -> Self {
        Display {
            touched_ms: now_ms.saturating_sub(idle_ms),
            until_ms: now_ms.saturating_add(valid_ms),
        }
    }

    /// How long nobody has touched it; none: the last report is too old to tell.
    pub fn untouched_ms(&self, now_ms: u64) -> Option<u64> {
        self.is_fresh(now_ms)
            .then(|| now_ms.saturating_sub(self.touched_ms))
    }

    /// Whether the last report still counts.
    pub fn is_fresh(&self, now_ms: u64) -> bool {
        now_ms <= self.until_ms
    }
}

/// How long nobody has touched a program that belongs to these places, each with how long nobody
/// has touched it, or none if nothing is known of it. No place at all: it is in use.
pub fn untouched_ms(places: impl Iterator<Item = Option<u64>>) -> u64 {
    known_untouched_ms(places).unwrap_or(0)
}

/// The same for the record, in which what is not known is not in use: none if nothing is known of one
/// of the places, or if there is no place.
pub fn known_untouched_ms(mut places: impl Iterator<Item = Option<u64>>) -> Option<u64> {
    let first = places.next()??;
    places.try_fold(first, |least, place| Some(least.min(place?)))
}
