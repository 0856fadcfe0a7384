//! Rates a component as OK, Warning or Critical, by how many messages of each severity were raised
//! since a set time of day.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::grade::Severity;
use crate::schedule::Schedule;

/// The status of a component (SMS_ComponentSummarizer.Status 0, 1, 2).
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Every count is below its thresholds.
    #[default]
    Ok,
    /// A count has reached its threshold for Warning.
    Warning,
    /// A count has reached its threshold for Critical.
    Critical,
}

/// For each severity: how many messages make a component Warning, and how many Critical. 0 means
/// never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Thresholds {
    /// Counts of informational messages for Warning and for Critical.
    pub informational: (u64, u64),
    /// Counts of warnings for Warning and for Critical.
    pub warning: (u64, u64),
    /// Counts of errors for Warning and for Critical.
    pub error: (u64, u64),
}

impl Default for Thresholds {
    fn default() -> Self {
        Thresholds {
            informational: (2_000, 5_000),
            warning: (10, 50),
            error: (1, 5),
        }
    }
}

impl Thresholds {
    /// The least status of a component while trouble of that severity is open, however few messages
    /// report it: Critical for an error, Warning for a warning. A threshold of 0 (never) counts here
    /// as well.
    pub fn while_open(&self, severity: Severity) -> Standing {
        match severity {
            Severity::Error if self.error.1 > 0 => Standing::Critical,
            Severity::Error if self.error.0 > 0 => Standing::Warning,
            Severity::Warning if self.warning != (0, 0) => Standing::Warning,
            _ => Standing::Ok,
        }
    }

    /// Checks that no threshold for Warning is above that for Critical. The error names the setting.
    fn check(&self, name: &str) -> Result<(), String> {
        let all = [
            ("informational", self.informational),
            ("warning", self.warning),
            ("error", self.error),
        ];
        for (severity, (warning, critical)) in all {
            // 0 is never.
            if critical != 0 && warning > critical {
                return Err(format!(
                    "`{name}.{severity}` is {warning},{critical}: the first number (for WARNING) must \
                     not be above the second (for CRITICAL)"
                ));
            }
        }
        Ok(())
    }
}

/// The largest number of components with thresholds of their own.
const COMPONENTS_LIMIT: usize = 100;

/// How the messages of a site's components are summarised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SummaryOptions {
    /// The time of day from which messages are counted, such as `00:00` (SMS 2.0: since midnight).
    pub since: String,
    /// The IANA time zone of that time of day; none: that of the manager's computer.
    pub time_zone: Option<String>,
    /// The thresholds of each component that has none of its own.
    pub site: Thresholds,
    /// Components with thresholds of their own, by name.
    pub components: BTreeMap<String, Thresholds>,
}

impl Default for SummaryOptions {
    fn default() -> Self {
        SummaryOptions {
            since: "00:00".to_owned(),
            time_zone: None,
            site: Thresholds::default(),
            components: BTreeMap::new(),
        }
    }
}

impl SummaryOptions {
    /// Checks the options, except the time zone: the caller knows which zones there are.
    ///
    /// # Errors
    /// What is wrong and how to write it, as the end of a sentence.
    pub fn check(&self) -> Result<(), String> {
        self.daily()?;
        self.site.check("summaries.site")?;
        for (name, own) in &self.components {
            own.check(&format!("summaries.components.{name}"))?;
        }
        if self.components.len() > COMPONENTS_LIMIT {
            return Err(format!(
                "{} components have thresholds of their own; the limit is {COMPONENTS_LIMIT}",
                self.components.len()
            ));
        }
        Ok(())
    }

    /// The thresholds of a component.
    pub fn of(&self, component: &str) -> &Thresholds {
        self.components.get(component).unwrap_or(&self.site)
    }

    /// The instant from which messages are counted at `now`: the last time that `since` came.
    pub fn counted_since(&self, now: Timestamp, zone: &TimeZone) -> Timestamp {
        let daily = self.daily().unwrap_or(Schedule::daily(Time::midnight()));
        // A day has 25 hours if the clock is put back, and a zone may skip a whole day.
        let mut since = now - jiff::SignedDuration::from_hours(49);
        while let Some(next) = daily.next_after(since, zone).filter(|next| *next <= now) {
            since = next;
        }
        since
    }

    fn daily(&self) -> Result<Schedule, String> {
        let since: String = self.since.chars().take(40).collect();
        Schedule::parse(&format!("daily {since}")).map_err(|error| error.to_string())
    }
}

/// How many messages of each severity were raised since a set time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Informational messages.
    pub informational: u64,
    /// Warnings.
    pub warning: u64,
    /// Errors.
    pub error: u64,
}

impl Summary {
    /// Adds `more` messages of a severity.
    pub fn add(&mut self, severity: Severity, more: u64) {
        match severity {
            Severity::Informational => self.informational += more,
            Severity::Warning => self.warning += more,
            Severity::Error => self.error += more,
        }
    }

    /// The status of the component by these thresholds.
    pub fn standing(&self, thresholds: &Thresholds) -> Standing {
        let passed = self.passed(thresholds);
        passed.map_or(Standing::Ok, |passed| passed.standing)
    }

    /// The threshold that decides the status; if several do, that of the most severe messages. None
    /// if no threshold is reached.
    pub fn passed(&self, thresholds: &Thresholds) -> Option<Passed> {
        self.all_passed(thresholds).into_iter().next()
    }

    /// The thresholds that are reached, for each severity the worse one; the one that decides the
    /// status comes first.
    pub fn all_passed(&self, thresholds: &Thresholds) -> Vec<Passed> {
        let counts = [
            (
                Severity::Informational,
                self.informational,
                thresholds.informational,
            ),
            (Severity::Warning, self.warning, thresholds.warning),
            (Severity::Error, self.error, thresholds.error),
        ];
        let passed = |(severity, count, (warning, critical)): (Severity, u64, (u64, u64))| {
            let (standing, from) = match count {
                _ if critical > 0 && count >= critical => (Standing::Critical, critical),
                _ if warning > 0 && count >= warning => (Standing::Warning, warning),
                _ => return None,
            };
            Some(Passed {
                standing,
                severity,
                count,
                from,
            })
        };
        let mut all: Vec<Passed> = counts.into_iter().filter_map(passed).collect();
        all.sort_by_key(|it| std::cmp::Reverse((it.standing, it.severity)));
        all
    }
}

/// A threshold that a count of messages has reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passed {
    /// The status that it means.
    pub standing: Standing,
    /// The severity of the messages that were counted.
    pub severity: Severity,
    /// How many messages were counted.
    pub count: u64,
    /// The threshold: the least count for this status.
    pub from: u64,
}
