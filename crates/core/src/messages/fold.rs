//! Repeats and floods: counted, never piled up.

use rustc_hash::FxHashMap;

use super::message::Message;

/// The bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderOptions {
    /// The same message within so many milliseconds of the last is the same row.
    pub window_ms: i64,
    /// Different messages of one number within a window; more are only counted.
    pub different: usize,
    /// Messages that are remembered; beyond, the window of all is over.
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
    /// It is a new row; remember its number by [`Folder::stored`].
    New,
    /// It is that row again; how often it was seen by now.
    Repeat {
        /// The row.
        record: i64,
        /// How often, the first included.
        count: u64,
    },
    /// One of a flood: `more` different ones of this number were not kept. It is worth a message
    /// (9449) when `more` is a power of ten.
    Flood {
        /// How many so far.
        more: u64,
    },
}

/// Folds messages. Bounded, whatever comes.
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
    /// With nothing remembered.
    pub fn new(options: FolderOptions) -> Self {
        Folder {
            options,
            ..Folder::default()
        }
    }

    /// Takes a message.
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

    /// The row that a new message has become.
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
