//! What a pack keeps for consumers of the history, and what it reports about that.

use rusqlite::Connection;

use super::Skipped;
use crate::read::consumers::{self, Consumer, KEPT_DAYS, LIVE_DAYS};

/// What is kept for consumers.
pub(super) struct Held {
    /// What ended after this event is kept, even past its retention.
    pub(super) after: i64,
    /// The names of the consumers for whom it is kept.
    by: Vec<String>,
    /// Consumers that have acknowledged nothing for so long that nothing is kept for them.
    gone: Vec<Consumer>,
}

/// What is kept now; without consumers, nothing.
pub(super) fn by_consumers(connection: &Connection, now: i64) -> rusqlite::Result<Held> {
    let all = consumers::all(connection, now)?;
    let (live, gone): (Vec<Consumer>, Vec<Consumer>) = all.into_iter().partition(|it| it.is_live);
    let after = live.iter().map(|it| it.kept_after.cast_signed()).min();
    Ok(Held {
        after: after.unwrap_or(i64::MAX),
        by: live.into_iter().map(|it| it.name).collect(),
        gone,
    })
}

impl Held {
    /// The report that rows past their retention stay.
    pub(super) fn rows_are_kept(&self) -> Skipped {
        Skipped {
            what: "history past its retention".to_owned(),
            why: format!(
                "it is kept until {KEPT_DAYS} days after all its consumers acknowledged it: {}; \
                 GET /v1/history/consumers tells how far each has come",
                self.by.join(", ")
            ),
        }
    }

    /// The report about consumers for whom nothing is kept any more.
    pub(super) fn gone(&self) -> Vec<Skipped> {
        let gone = self.gone.iter().map(|it| Skipped {
            what: format!("history for {}", it.name),
            why: format!(
                "{} has acknowledged nothing for {LIVE_DAYS} days, so nothing is kept for it past \
                 its retention: DELETE /v1/history/consumers/{} forgets it",
                it.name, it.name
            ),
        });
        gone.collect()
    }
}
