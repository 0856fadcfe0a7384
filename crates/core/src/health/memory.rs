//! When a server whose memory grows is restarted: at a good moment, before it has to be at a bad
//! one.
//!
//! SMS 2.0's server leaked until it hung, and only a reboot helped (KB Q245271). Here a limit asks
//! for a restart when few requests come and no pack runs, or when that has been waited
//! for long enough.

use std::time::Duration;

use super::hourly::Hourly;

/// When memory is a reason for a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryOptions {
    /// Resident memory, in bytes, above which a server is to be restarted.
    pub limit_bytes: u64,
    /// So many requests a second at the most are a good moment.
    pub quiet_requests: u64,
    /// A good moment is waited for so long; then any will do.
    pub latest_after: Duration,
    /// How many times an hour at the most.
    pub times_an_hour: usize,
}

impl MemoryOptions {
    /// With that limit, in bytes.
    pub fn limited_to(limit_bytes: u64) -> Self {
        MemoryOptions {
            limit_bytes,
            quiet_requests: 20,
            latest_after: Duration::from_secs(3_600),
            times_an_hour: 3,
        }
    }
}

/// What a server tells of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemorySeen {
    /// Its resident memory, in bytes.
    pub resident_bytes: u64,
    /// Requests that it answers a second.
    pub requests: u64,
    /// Upkeep runs.
    pub pack_runs: bool,
}

/// The next thing to do. Each is a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryStep {
    /// It is over the limit: from now on a good moment is waited for.
    Wait,
    /// Restart it now.
    Restart {
        /// No good moment has come in time.
        at_latest: bool,
    },
    /// It was restarted as often as it may be within an hour: restarting does not cure it.
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
    /// Has seen nothing yet.
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

    /// What to do after this at the time `now`. To be asked again until it says nothing or
    /// [`MemoryStep::Restart`]; a restart counts as done once it was said.
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
