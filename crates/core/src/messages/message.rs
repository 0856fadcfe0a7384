//! One message.

use serde::{Deserialize, Serialize};

use super::catalogue::{Entry, entry};

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
    /// All of them.
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

/// A message, as it is raised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its number in the catalogue.
    pub id: u16,
    /// The computer that raised it.
    pub computer: String,
    /// The site.
    pub site: String,
    /// The metering server that it is about, where it is about one.
    pub server: Option<String>,
    /// The process that raised it.
    pub process_id: u32,
    /// When, in Unix milliseconds.
    pub time_ms: i64,
    /// What is put into the text, in its order.
    pub values: Vec<String>,
}

impl Message {
    /// Its entry in the catalogue; that of a number which is not in it is [`entry`]'s last.
    pub fn entry(&self) -> &'static Entry {
        entry(self.id)
    }

    /// The text with its values in place.
    pub fn text(&self) -> String {
        self.entry().fill(&self.values)
    }
}
