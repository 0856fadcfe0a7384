//! OK, Warning or Critical, by how many messages of each severity came since a set time.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::grade::Severity;
use crate::schedule::Schedule;

/// How a component stands (SMS_ComponentSummarizer.Status 0, 1, 2).
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Below all thresholds.
    #[default]
    Ok,
    /// At or above a warning threshold.
    Warning,
    /// At or above a critical one.
    Critical,
}

/// From how many messages on; 0 is never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Thresholds {
    /// Warning and critical, for informational messages.
    pub informational: (u64, u64),
    /// The same for warnings.
    pub warning: (u64, u64),
    /// The same for errors.
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
    /// How a component stands at least while trouble of that severity is open, however few messages
    /// tell of it: an open error is critical, an open warning a warning. What is counted never (0) is
    /// left out here, too.
    pub fn while_open(&self, severity: Severity) -> Standing {
        match severity {
            Severity::Error if self.error.1 > 0 => Standing::Critical,
            Severity::Error if self.error.0 > 0 => Standing::Warning,
            Severity::Warning if self.warning != (0, 0) => Standing::Warning,
            _ => Standing::Ok,
        }
    }

    /// Whether each warning comes no later than its critical; why not, with what they are called.
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
                    "`{name}.{severity}` is {warning},{critical}: the first, for WARNING, is at \
                     most the second, for CRITICAL"
                ));
            }
        }
        Ok(())
    }
}

/// Components with thresholds of their own at the most.
const COMPONENTS_LIMIT: usize = 100;

/// How a site's components are summarised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SummaryOptions {
    /// Messages are counted since this time of day, such as `00:00` (SMS 2.0: since midnight).
    pub since: String,
    /// On the clock of this time zone; none: that of the manager's computer.
    pub time_zone: Option<String>,
    /// The thresholds of the site, and of each component that has none of its own.
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
    /// Whether they mean something; why not, as the end of a sentence. The time zone is who knows
    /// zones' to check.
    ///
    /// # Errors
    /// What is wrong, and how it is written.
    pub fn check(&self) -> Result<(), String> {
        self.daily()?;
        self.site.check("summaries.site")?;
        for (name, own) in &self.components {
            own.check(&format!("summaries.components.{name}"))?;
        }
        if self.components.len() > COMPONENTS_LIMIT {
            return Err(format!(
                "{} components have thresholds of their own: {COMPONENTS_LIMIT} may",
                self.components.len()
            ));
        }
        Ok(())
    }

    /// The thresholds of a component.
    pub fn of(&self, component: &str) -> &Thresholds {
        self.components.get(component).unwrap_or(&self.site)
    }

    /// The instant since which messages are counted at `now`: the last time that it was that time
    /// of day.
    pub fn counted_since(&self, now: Timestamp, zone: &TimeZone) -> Timestamp {
        let daily = self.daily().unwrap_or(Schedule::daily(Time::midnight()));
        // A day has 25 hours where the clock is put back, and a zone may leave out a whole one.
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

/// Messages counted since a set time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Informational ones.
    pub informational: u64,
    /// Warnings.
    pub warning: u64,
    /// Errors.
    pub error: u64,
}

impl Summary {
    /// Counts `more` messages of a severity.
    pub fn add(&mut self, severity: Severity, more: u64) {
        match severity {
            Severity::Informational => self.informational += more,
            Severity::Warning => self.warning += more,
            Severity::Error => self.error += more,
        }
    }

    /// How the component stands by these thresholds.
    pub fn standing(&self, thresholds: &Thresholds) -> Standing {
        let passed = self.passed(thresholds);
        passed.map_or(Standing::Ok, |passed| passed.standing)
    }

    /// The threshold by which it stands worst, of the most severe messages if of several; none: it
    /// has passed none.
    pub fn passed(&self, thresholds: &Thresholds) -> Option<Passed> {
        self.all_passed(thresholds).into_iter().next()
    }

    /// Each threshold that it has passed, of each severity the worse one; that by which it stands
    /// worst comes first.
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

/// A threshold that so many messages have passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passed {
    /// How the component stands by it.
    pub standing: Standing,
    /// Of which severity the messages are.
    pub severity: Severity,
    /// How many came.
    pub count: u64,
    /// From how many on.
    pub from: u64,
}
