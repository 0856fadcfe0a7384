//! Folds repeated messages into one row, and counts floods instead of storing them.

use rustc_hash::FxHashMap;

use super::message::Message;

/// The limits of a [`Folder`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderOptions {
    /// A message that equals an earlier one is a repeat if at most so many milliseconds lie between.
    pub window_ms: i64,
    /// Different messages of one number that a window stores; further ones are only counted.
    pub different: usize,
    /// Messages that are remembered. At this limit all are forgotten, and repeats become new rows.
    pub remembered: usize,
}

impl Default for FolderOptions {
    fn default() -> Self {
        FolderOptions {
            window_ms: 60_000,
            different: 100,
            remembered: 10_000,
        }
    }
}

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folded {
    /// It becomes a new row; the caller gives the row's id to [`Folder::stored`].
    New,
    /// It repeats an earlier one, whose row gets a new count.
    Repeat {
        /// The id of the row.
        record: i64,
        /// How often the message was raised, the first time included.
        count: u64,
    },
    /// It is part of a flood and is only counted. The caller raises 9449 if `more` is a power of ten.
    Flood {
        /// Different messages of this number that were not stored in this window, this one included.
        more: u64,
    },
}

/// Folds messages. What it remembers is bounded by [`FolderOptions`].
#[derive(Debug, Clone, Default)]
pub struct Folder {
    options: FolderOptions,
    rows: FxHashMap<Key, Row>,
    numbers: FxHashMap<u16, Number>,
}

type Key = (u16, Option<String>, String, Vec<String>);

#[derive(Debug, Clone)]
struct Row {
    record: i64,
    count: u64,
    last_ms: i64,
}

#[derive(Debug, Clone, Default)]
struct Number {
    window_from_ms: i64,
    different: usize,
    more: u64,
}

impl Folder {
    /// A folder that remembers nothing yet.
    pub fn new(options: FolderOptions) -> Self {
        Folder {
            options,
            ..Folder::default()
        }
    }

    /// Says what becomes of a message, by its own time.
    pub fn take(&mut self, message: &Message) -> Folded {
        let at = message.time_ms;
        let key = key(message);
        if let Some(row) = self.rows.get_mut(&key) {
            // A clock that was set back does not end a window.
            if at - row.last_ms <= self.options.window_ms {
                row.count += 1;
                row.last_ms = row.last_ms.max(at);
                return Folded::Repeat {
                    record: row.record,
                    count: row.count,
                };
            }
            self.rows.remove(&key);
        }
        let number = self.numbers.entry(message.id).or_default();
        if at - number.window_from_ms > self.options.window_ms {
            *number = Number {
                window_from_ms: at,
                ..Number::default()
            };
        }
        if number.different >= self.options.different {
            number.more += 1;
            return Folded::Flood { more: number.more };
        }
        number.different += 1;
        Folded::New
    }

    /// Remembers the id of the row that a new message has become.
    pub fn stored(&mut self, message: &Message, record: i64) {
        if self.rows.len() >= self.options.remembered {
            self.rows.clear();
        }
        let row = Row {
            record,
            count: 1,
            last_ms: message.time_ms,
        };
        self.rows.insert(key(message), row);
    }
}

fn key(message: &Message) -> Key {
    (
        message.id,
        message.server.clone(),
        message.computer.clone(),
        message.values.clone(),
    )
}
