//! Since when use is recorded.

use rusqlite::OptionalExtension;

use super::History;
use crate::queue::requests::Failure;

impl History {
    /// Since when uses are recorded, as far as they are kept, in Unix milliseconds: since a server
    /// wrote to this file first, or since `kept_from` if a pack may have removed what is older; and
    /// earlier if an earlier use is there all the same. None: that is not known.
    pub fn recorded_since(&self, kept_from: i64) -> Result<Option<i64>, Failure> {
        self.query(|connection| {
            let served: Option<i64> = connection
                .prepare_cached("SELECT since FROM versions ORDER BY number LIMIT 1")?
                .query_row([], |row| row.get(0))
                .optional()?;
            let oldest: Option<i64> = connection
                .prepare_cached("SELECT min(started_at) FROM uses")?
                .query_row([], |row| row.get(0))?;
            // 0 stands for a version that did not write down when it began.
            let served = served.filter(|since| *since > 0);
            let begun = served.map(|since| since.max(kept_from));
            Ok(begun.into_iter().chain(oldest).min())
        })
    }
}
