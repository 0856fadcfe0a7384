//! OK, Warning or Critical, by how many messages of each severity came since a set time.

use serde::{Deserialize, Serialize};

use super::message::Severity;

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
#[serde(deny_unknown_fields)]
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
        let one = |count: u64, (warning, critical): (u64, u64)| match count {
            _ if critical > 0 && count >= critical => Standing::Critical,
            _ if warning > 0 && count >= warning => Standing::Warning,
            _ => Standing::Ok,
        };
        one(self.informational, thresholds.informational)
            .max(one(self.warning, thresholds.warning))
            .max(one(self.error, thresholds.error))
    }
}
