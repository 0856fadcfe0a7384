//! What a manager records: changes, each with the message that tells of it.

use crate::rows::{ConcernRow, EpisodeRow, MessageRow};

/// A message that is told, as a record of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// For the first time.
    New(Box<NewMessage>),
    /// One that is kept was told again: how often by now, when last, in Unix milliseconds.
    Again {
        /// Its record.
        record_id: i64,
        /// How often, the first time included.
        count: u64,
        /// When it was last raised; Unix milliseconds, wall clock.
        last_ms: i64,
    },
    /// It leaves no record, as one of a flood.
    Nothing,
}

/// A message that was not told before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// The message; the `record_id` is the one that it gets.
    pub row: MessageRow,
    /// Whether the rules keep it.
    pub is_kept: bool,
    /// To whom it goes.
    pub deliveries: Vec<NewDelivery>,
}

/// A message that is to be delivered, as [`crate::DeliveryRow`] keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// The rule that says so.
    pub rule: String,
    /// The destination, as the queues name it.
    pub destination: String,
    /// The message.
    pub message: String,
    /// Since when it waits, in Unix milliseconds.
    pub since_ms: i64,
}

/// What a message has become.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// Its record, if it is kept.
    pub record_id: Option<i64>,
    /// The numbers of its deliveries, in their order.
    pub deliveries: Vec<i64>,
}

/// A change that a manager records. `M` is the message that tells of it: what the manager raises, or
/// what becomes of that ([`Said`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change<M> {
    /// Nothing but the message.
    Message(M),
    /// An episode of trouble begins. Its record is that of the message.
    EpisodeBegan(EpisodeRow, M),
    /// It goes on; its message is told again.
    EpisodeGoesOn(EpisodeRow),
    /// It is over: its message is closed. Another message tells of the end.
    EpisodeEnded(EpisodeRow, M),
    /// A concern begins. Its record is that of the message.
    ConcernBegan(ConcernRow, M),
    /// It goes on, in other words.
    ConcernGoesOn {
        /// The concern as it is now.
        concern: ConcernRow,
        /// The values of its message.
        values: Vec<String>,
        /// When it was seen, in Unix milliseconds.
        last_ms: i64,
    },
    /// It is over: its message is closed.
    ConcernEnded {
        /// The concern as it was last.
        concern: ConcernRow,
        /// When it ended, in Unix milliseconds.
        ended_ms: i64,
    },
}

impl<M> Change<M> {
    /// The same with another message.
    pub fn map<N>(self, message: impl FnOnce(M) -> N) -> Change<N> {
        match self {
            Change::Message(it) => Change::Message(message(it)),
            Change::EpisodeBegan(episode, it) => Change::EpisodeBegan(episode, message(it)),
            Change::EpisodeGoesOn(episode) => Change::EpisodeGoesOn(episode),
            Change::EpisodeEnded(episode, it) => Change::EpisodeEnded(episode, message(it)),
            Change::ConcernBegan(concern, it) => Change::ConcernBegan(concern, message(it)),
            Change::ConcernGoesOn {
                concern,
                values,
                last_ms,
            } => Change::ConcernGoesOn {
                concern,
                values,
                last_ms,
            },
            Change::ConcernEnded { concern, ended_ms } => {
                Change::ConcernEnded { concern, ended_ms }
            }
        }
    }
}

/// What is told once, however often a manager starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// What sort of thing.
    pub what: &'static str,
    /// Which of them; it is told unless this is the last one that was.
    pub which: String,
}
