//! The thresholds from which a fact becomes a concern.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Longer than anybody waits for anything, in days.
const DAYS_LIMIT: u32 = 3_650;

/// The thresholds of a site. 0 means never.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Thresholds {
    /// An entitlement ends within so many days, and seats go with it.
    pub entitlement_days: u32,
    /// Notice on an entitlement is to be given within so many days.
    pub notice_days_ahead: u32,
    /// So many of a hundred seats are in use. A product of few seats is full when it is used:
    /// see [`Thresholds::seats_from`].
    pub seats_percent: u32,
    /// Only products of so many seats are judged by the hundredth; others when people wait or are
    /// refused.
    pub seats_from: u32,
    /// So many people wait for a product, or were refused within an hour.
    pub seats_wanted: u32,
    /// An agent has not reported for so many hours. Three days bridge a weekend.
    pub agent_hours: u32,
    /// An agent that has not reported for so many days is taken for gone for good.
    pub agent_gone_days: u32,
    /// So many starts were allowed while no server could be reached.
    pub unreached_starts: u32,
    /// Such starts are told of for so many hours after the last.
    pub unreached_hours: u32,
    /// Of a disk so many hundredths are free, or fewer ...
    pub disk_percent: u32,
    /// ... and that is so many megabytes, or fewer.
    pub disk_mb: u32,
    /// The last backup is so many days old.
    pub backup_days: u32,
    /// The pack was to run so many hours ago.
    pub pack_hours: u32,
    /// A rule has matched nothing for so many days, and its program is started still.
    pub rule_days: u32,
    /// A server has been paused, and grants nothing, for so many minutes.
    pub paused_minutes: u32,
    /// At one address agents or clients were turned away so often.
    pub turned_away_times: u32,
    /// The history of a server could not be collected for so many hours.
    pub history_hours: u32,
    /// A concern is over when it has been gone for so many minutes.
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
            calm_minutes: 10,
        }
    }
}

/// Why thresholds are not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ThresholdsError {
    /// One lies where it means nothing.
    #[error("{name} is {value}: it can be 0 (never) to {limit}")]
    Beyond {
        /// The name of the threshold.
        name: &'static str,
        /// As it was given.
        value: u32,
        /// The largest that it can be.
        limit: u32,
    },
    /// A silent agent would be taken for gone before it is told that it is silent.
    #[error(
        "agent_gone_days is {gone_days} and agent_hours {hours}: an agent would be taken for gone \
         before it is told that it is silent"
    )]
    GoneBeforeSilent {
        /// `agent_gone_days`.
        gone_days: u32,
        /// `agent_hours`.
        hours: u32,
    },
}

impl Thresholds {
    /// Whether each lies where it means something.
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
