//! The severity and the kind of a message.

use serde::{Deserialize, Serialize};

/// How bad it is (SMS 2003, "Status Message Characteristics"), from the least on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Normal flow.
    Informational,
    /// It is worked round or tried again.
    Warning,
    /// It needs an administrator.
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

/// What sort of thing it tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The beginning or end of a task.
    Milestone,
    /// A step inside one.
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
