//! The thresholds from which a fact becomes a concern.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The largest threshold in days.
const DAYS_LIMIT: u32 = 3_650;

/// The thresholds of a site. 0 means never.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Thresholds {
    /// 9430: an entitlement ends within so many days and takes seats with it.
    pub entitlement_days: u32,
    /// 9429: notice on an entitlement is to be given within so many days.
    pub notice_days_ahead: u32,
    /// 9431: so many percent of the seats are in use. Does not apply to products with fewer than
    /// [`Thresholds::seats_from`] seats.
    pub seats_percent: u32,
    /// The least number of seats for which `seats_percent` applies. Smaller products are often
    /// full; they are reported only if people wait or are refused.
    pub seats_from: u32,
    /// 9431: so many people wait for a product, or were refused within an hour.
    pub seats_wanted: u32,
    /// 9432: an agent has not reported for so many hours. The default of three days bridges a
    /// weekend.
    pub agent_hours: u32,
    /// After so many days without a report, an agent is considered gone for good and no longer
    /// reported.
    pub agent_gone_days: u32,
    /// 9433: so many starts were allowed while no server could be reached.
    pub unreached_starts: u32,
    /// For how many hours after the last such start 9433 stays open.
    pub unreached_hours: u32,
    /// 9434: at most so many percent of a disk are free ...
    pub disk_percent: u32,
    /// ... and at most so many megabytes.
    pub disk_mb: u32,
    /// 9435: the last backup is so many days old.
    pub backup_days: u32,
    /// 9436: the pack was due so many hours ago.
    pub pack_hours: u32,
    /// 9437: a rule has matched nothing for so many days, and its program is probably still
    /// started.
    pub rule_days: u32,
    /// 9444: a server has been paused, and has granted nothing, for so many minutes.
    pub paused_minutes: u32,
    /// 9452: agents or clients at one address were turned away so many times.
    pub turned_away_times: u32,
    /// 9456: the history of a server could not be collected for so many hours.
    pub history_hours: u32,
    /// 9460: for so many minutes at most [`Thresholds::free_seats`] seats, or
    /// [`Thresholds::free_percent`] percent of them, have been free.
    pub free_minutes: u32,
    /// At most so many seats are free; 0: none is.
    pub free_seats: u32,
    /// At most so many percent of the seats are free; 0: only `free_seats` applies.
    pub free_percent: u32,
    /// 9462: nothing has been imported for so many hours of a source that came in regularly. The
    /// default of four days bridges a weekend with a holiday beside it.
    pub source_hours: u32,
    /// For how many minutes a concern must be gone before its message is closed.
    pub calm_minutes: u32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Thresholds {
            entitlement_days: 30,
            notice_days_ahead: 14,
            seats_percent: 90,
            seats_from: 10,
            seats_wanted: 1,
            agent_hours: 72,
            agent_gone_days: 90,
            unreached_starts: 1,
            unreached_hours: 24,
            disk_percent: 10,
            disk_mb: 10_240,
            backup_days: 8,
            pack_hours: 24,
            rule_days: 2,
            paused_minutes: 15,
            turned_away_times: 3,
            history_hours: 24,
            free_minutes: 0,
            free_seats: 0,
            free_percent: 0,
            source_hours: 96,
            calm_minutes: 10,
        }
    }
}

/// Why thresholds are refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ThresholdsError {
    /// A threshold is out of its range.
    #[error("{name} is {value}: it can be 0 (never) to {limit}")]
    Beyond {
        /// The name of the threshold.
        name: &'static str,
        /// The value that was given.
        value: u32,
        /// The largest value allowed.
        limit: u32,
    },
    /// An agent would be considered gone before it is reported as silent.
    #[error(
        "agent_gone_days is {gone_days} and agent_hours {hours}: an agent would be considered gone \
         before it is reported as silent"
    )]
    GoneBeforeSilent {
        /// The given `agent_gone_days`.
        gone_days: u32,
        /// The given `agent_hours`.
        hours: u32,
    },
}

impl Thresholds {
    /// Checks that each is within its range.
    ///
    /// # Errors
    /// [`ThresholdsError`] names the first that does not.
    pub fn check(&self) -> Result<(), ThresholdsError> {
        let hours = DAYS_LIMIT * 24;
        let limits = [
            ("entitlement_days", self.entitlement_days, DAYS_LIMIT),
            ("notice_days_ahead", self.notice_days_ahead, DAYS_LIMIT),
            ("seats_percent", self.seats_percent, 100),
            ("agent_hours", self.agent_hours, hours),
            ("agent_gone_days", self.agent_gone_days, DAYS_LIMIT),
            ("unreached_hours", self.unreached_hours, hours),
            ("disk_percent", self.disk_percent, 100),
            ("backup_days", self.backup_days, DAYS_LIMIT),
            ("pack_hours", self.pack_hours, hours),
            ("rule_days", self.rule_days, DAYS_LIMIT),
            ("paused_minutes", self.paused_minutes, hours),
            ("history_hours", self.history_hours, hours),
            ("free_minutes", self.free_minutes, hours),
            ("free_percent", self.free_percent, 100),
            ("source_hours", self.source_hours, hours),
            ("calm_minutes", self.calm_minutes, hours),
        ];
        match limits.into_iter().find(|(_, value, limit)| value > limit) {
            Some((name, value, limit)) => Err(ThresholdsError::Beyond { name, value, limit }),
            None if self.agent_gone_days != 0 && self.agent_hours >= self.agent_gone_days * 24 => {
                Err(ThresholdsError::GoneBeforeSilent {
                    gone_days: self.agent_gone_days,
                    hours: self.agent_hours,
                })
            }
            None => Ok(()),
        }
    }
}
