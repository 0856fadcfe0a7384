//! One message.

use serde::{Deserialize, Serialize};

use super::catalogue::{Entry, entry};

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
