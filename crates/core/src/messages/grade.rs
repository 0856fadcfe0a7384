//! The severity and the kind of a message.

use serde::{Deserialize, Serialize};

/// How severe a message is (SMS 2003, "Status Message Characteristics"); ordered, the mildest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Normal operation.
    Informational,
    /// A problem that Usher works around or retries, or one that is coming.
    Warning,
    /// A problem that an administrator has to solve.
    Error,
}

impl Severity {
    /// All severities, the mildest first.
    pub const ALL: [Severity; 3] = [Severity::Informational, Severity::Warning, Severity::Error];

    /// The name that the API uses.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Informational => "informational",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// The type of a message (SMS 2003, "Status Message Characteristics").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The beginning or end of a task.
    Milestone,
    /// A step within a task.
    Detail,
    /// Somebody added, changed or removed something.
    Audit,
}

impl Kind {
    /// The name that the API uses.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Milestone => "milestone",
            Kind::Detail => "detail",
            Kind::Audit => "audit",
        }
    }
}
