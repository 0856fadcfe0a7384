//! When a server whose memory grows is restarted: at a good moment, before it has to be at a bad
//! one.
//!
//! SMS 2.0's server leaked until it hung, and only a reboot helped (KB Q245271). Here a limit asks
//! for a restart when few requests come and no pack runs, or when that has been waited
//! for long enough.

use std::time::Duration;

use super::hourly::Hourly;

/// When memory is a reason to restart a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryOptions {
    /// Resident memory, in bytes, above which a server is to be restarted.
    pub limit_bytes: u64,
    /// The moment is good if the server answers at most so many requests a second.
    pub quiet_requests: u64,
    /// The longest wait for a good moment; after it, any moment is taken.
    pub latest_after: Duration,
    /// The largest number of restarts within an hour.
    pub times_an_hour: usize,
}

impl MemoryOptions {
    /// The default options with that limit, in bytes.
    pub fn limited_to(limit_bytes: u64) -> Self {
        MemoryOptions {
            limit_bytes,
            quiet_requests: 20,
            latest_after: Duration::from_secs(3_600),
            times_an_hour: 3,
        }
    }
}

/// What a server reports about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemorySeen {
    /// Its resident memory, in bytes.
    pub resident_bytes: u64,
    /// How many requests it answers in a second.
    pub requests: u64,
    /// Whether a pack runs.
    pub pack_runs: bool,
}

/// The next step. Each is a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryStep {
    /// It is above the limit: the wait for a good moment begins.
    Wait,
    /// Restart it now.
    Restart {
        /// Whether the longest wait ended without a good moment.
        at_latest: bool,
    },
    /// The hourly limit of restarts is reached: restarts do not help.
    GiveUp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Below,
    Waiting { since: Duration },
    GivenUp,
}

/// Watches one server's memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryGuard {
    options: MemoryOptions,
    stage: Stage,
    restarts: Hourly,
}

impl MemoryGuard {
    /// A guard that has seen nothing yet.
    pub fn new(options: MemoryOptions) -> Self {
        MemoryGuard {
            restarts: Hourly::new(options.times_an_hour),
            options,
            stage: Stage::Below,
        }
    }

    /// The limit, in bytes.
    pub fn limit_bytes(&self) -> u64 {
        self.options.limit_bytes
    }

    /// The step that follows at the time `now`. Ask again until the answer is none or
    /// [`MemoryStep::Restart`], which counts as a restart.
    pub fn next(&mut self, now: Duration, seen: &MemorySeen) -> Option<MemoryStep> {
        if seen.resident_bytes <= self.options.limit_bytes {
            self.stage = Stage::Below;
            return None;
        }
        match self.stage {
            Stage::Below if !self.restarts.may(now) => {
                self.stage = Stage::GivenUp;
                Some(MemoryStep::GiveUp)
            }
            Stage::Below => {
                self.stage = Stage::Waiting { since: now };
                Some(MemoryStep::Wait)
            }
            Stage::Waiting { since } => self.restart(now, now.saturating_sub(since), seen),
            Stage::GivenUp => {
                if self.restarts.may(now) {
                    self.stage = Stage::Waiting { since: now };
                }
                None
            }
        }
    }

    fn restart(
        &mut self,
        now: Duration,
        waited: Duration,
        seen: &MemorySeen,
    ) -> Option<MemoryStep> {
        let is_good = seen.requests <= self.options.quiet_requests && !seen.pack_runs;
        let at_latest = !is_good;
        if at_latest && waited < self.options.latest_after {
            return None;
        }
        self.restarts.note(now);
        self.stage = Stage::Below;
        Some(MemoryStep::Restart { at_latest })
    }
}
