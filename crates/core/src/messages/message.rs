//! One message: a number of the catalogue with its values, time and origin.

use serde::{Deserialize, Serialize};

use super::catalogue::{Entry, entry};

/// A message as it is raised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its number in the catalogue.
    pub id: u16,
    /// The computer that raised it.
    pub computer: String,
    /// The name of the site.
    pub site: String,
    /// The metering server that it is about; none: it is about no single server.
    pub server: Option<String>,
    /// The id of the process that raised it.
    pub process_id: u32,
    /// When it was raised; Unix milliseconds, wall clock.
    pub time_ms: i64,
    /// The values for the places of the text, in their order.
    pub values: Vec<String>,
}

impl Message {
    /// Its entry in the catalogue; for an unknown number the last one, see [`entry`].
    pub fn entry(&self) -> &'static Entry {
        entry(self.id)
    }

    /// The text of the catalogue with this message's values.
    pub fn text(&self) -> String {
        self.entry().fill(&self.values)
    }
}
