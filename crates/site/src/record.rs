//! What a manager records: changes, each with its message.

use crate::rows::{ConcernRow, EpisodeRow, MessageRow};

/// How a message is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// It is new.
    New(Box<NewMessage>),
    /// A stored message was raised again.
    Again {
        /// The number of its record.
        record_id: i64,
        /// How often it was raised, the first time included.
        count: u64,
        /// When it was last raised; Unix milliseconds, wall clock.
        last_ms: i64,
    },
    /// It is not recorded, because it is part of a flood.
    Nothing,
}

/// A message that was not raised before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// The message; its `record_id` is assigned when it is stored.
    pub row: MessageRow,
    /// Whether the rules store it.
    pub is_kept: bool,
    /// Its deliveries.
    pub deliveries: Vec<NewDelivery>,
}

/// A message that is to be delivered, as [`crate::DeliveryRow`] keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// The name of the rule that delivers it.
    pub rule: String,
    /// The destination, as the queues name it.
    pub destination: String,
    /// The message as JSON.
    pub message: String,
    /// Since when it waits; Unix milliseconds, wall clock.
    pub since_ms: i64,
}

/// What was stored of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// The number of its record; none: the rules do not store it.
    pub record_id: Option<i64>,
    /// The numbers of its deliveries, in their order.
    pub deliveries: Vec<i64>,
}

/// A change that a manager records. `M` is its message: as the manager raises it, or as it is
/// recorded ([`Said`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change<M> {
    /// Nothing but the message.
    Message(M),
    /// An episode of trouble begins. Its record is that of its message.
    EpisodeBegan(EpisodeRow, M),
    /// An episode goes on; its message was raised again.
    EpisodeGoesOn(EpisodeRow),
    /// An episode is over: its message is closed, and another message reports the end.
    EpisodeEnded(EpisodeRow, M),
    /// A concern begins. Its record is that of its message.
    ConcernBegan(ConcernRow, M),
    /// A concern goes on; its values may have changed.
    ConcernGoesOn {
        /// The concern as it is now.
        concern: ConcernRow,
        /// The values of its message.
        values: Vec<String>,
        /// When it was seen; Unix milliseconds, wall clock.
        last_ms: i64,
    },
    /// A concern is over: its message is closed.
    ConcernEnded {
        /// The concern as it was last.
        concern: ConcernRow,
        /// When it ended; Unix milliseconds, wall clock.
        ended_ms: i64,
    },
}

impl<M> Change<M> {
    /// The same change, with its message converted.
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

/// A message that is raised only once, however often a manager starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// The kind of event.
    pub what: &'static str,
    /// The id of the event; the message is raised unless this was the last one of its kind.
    pub which: String,
}
