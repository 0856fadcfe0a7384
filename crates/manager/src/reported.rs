//! Open concerns about a server or a source, with the records of their messages.

use std::collections::BTreeMap;
use std::sync::Arc;

use usher_core::concerns::{Concerns, Kind, Notice};
use usher_site::{Change, ConcernRow};

use crate::clock::{steady, wall_ms};
use crate::dispatch::Raise;
use crate::tools::Tools;

/// The message that there are more messages than are stored.
const FLOOD: u16 = 9449;

/// Open concerns about one server or source.
pub(crate) struct Reported {
    tools: Arc<Tools>,
    /// Under which name the site database keeps them.
    kept_as: String,
    /// The server that messages name; none: they are about no watched server.
    server: Option<String>,
    pub(crate) concerns: Concerns,
    records: BTreeMap<(Kind, String), i64>,
}

impl Reported {
    /// Resumes the concerns that were open when the previous manager ended.
    pub(crate) fn resume(
        tools: Arc<Tools>,
        kept_as: String,
        server: Option<String>,
        rows: Vec<ConcernRow>,
    ) -> Reported {
        let mut reported = Reported {
            tools,
            kept_as,
            server,
            concerns: Concerns::default(),
            records: BTreeMap::new(),
        };
        let now = steady();
        for row in rows {
            let Some(kind) = Kind::of_message(row.message_id) else {
                continue;
            };
            if let Some(record) = row.record_id {
                reported.records.insert((kind, row.about.clone()), record);
            }
            reported.concerns.resume(kind, row.about, row.count, now);
        }
        reported
    }

    /// Records what was noticed in one step, and raises its messages.
    pub(crate) async fn tell(&mut self, notices: Vec<Notice>) {
        let mut changes = Vec::with_capacity(notices.len());
        let mut began = Vec::new();
        for notice in notices {
            changes.push(match notice {
                Notice::Began(concern) => {
                    let key = (concern.kind, concern.about.clone());
                    began.push((changes.len(), key));
                    let message = self.raised(concern.kind.message_id(), concern.values);
                    let row = self.row(concern.kind, concern.about, None, 1);
                    Change::ConcernBegan(row, message)
                }
                Notice::GoesOn(concern, count) => {
                    let key = (concern.kind, concern.about.clone());
                    let record = self.records.get(&key).copied();
                    Change::ConcernGoesOn {
                        concern: self.row(concern.kind, concern.about, record, count),
                        values: concern.values,
                        last_ms: wall_ms(),
                    }
                }
                Notice::Ended { kind, about } => {
                    let record = self.records.remove(&(kind, about.clone()));
                    Change::ConcernEnded {
                        concern: self.row(kind, about, record, 0),
                        ended_ms: wall_ms(),
                    }
                }
                Notice::TooMany { kind, more } => {
                    let values = vec![more.to_string(), kind.message_id().to_string()];
                    Change::Message(self.raised(FLOOD, values))
                }
            });
        }
        let records = self.tools.dispatcher.record(changes).await;
        for (place, key) in began {
            if let Some(record) = records.get(place).copied().flatten() {
                self.records.insert(key, record);
            }
        }
    }

    fn raised(&self, id: u16, values: Vec<String>) -> Raise {
        Raise::new(id, self.server.as_deref(), values)
    }

    fn row(&self, kind: Kind, about: String, record_id: Option<i64>, count: u64) -> ConcernRow {
        ConcernRow {
            server: self.kept_as.clone(),
            message_id: kind.message_id(),
            about,
            record_id,
            count,
        }
    }
}
