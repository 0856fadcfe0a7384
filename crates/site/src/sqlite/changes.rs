//! What becomes of a change that a manager records, and of its message.

use rusqlite::{Connection, Result};

use crate::record::{Change, Kept, Said};
use crate::{concerns, deliveries, episodes, messages};

/// Carries out one change; answers what was stored of its message.
pub(super) fn carry_out(connection: &Connection, change: &Change<Said>) -> Result<Kept> {
    let record = |record_id| Kept {
        record_id,
        deliveries: Vec::new(),
    };
    match change {
        Change::Message(said) => say(connection, said),
        Change::EpisodeBegan(episode, said) => {
            let kept = say(connection, said)?;
            messages::open_again(connection, &kept)?;
            let mut episode = episode.clone();
            episode.record_id = kept.record_id;
            episodes::put(connection, &episode)?;
            Ok(kept)
        }
        Change::EpisodeGoesOn(episode) => {
            if let Some(record) = episode.record_id {
                messages::count(connection, record, episode.count, episode.last_ms)?;
            }
            episodes::put(connection, episode)?;
            Ok(record(episode.record_id))
        }
        Change::EpisodeEnded(episode, said) => {
            episodes::put(connection, episode)?;
            if let (Some(record), Some(ended_ms)) = (episode.record_id, episode.ended_ms) {
                messages::close(connection, record, ended_ms)?;
            }
            say(connection, said)
        }
        Change::ConcernBegan(concern, said) => {
            let kept = say(connection, said)?;
            messages::open_again(connection, &kept)?;
            let mut concern = concern.clone();
            concern.record_id = kept.record_id;
            concerns::put(connection, &concern)?;
            Ok(kept)
        }
        Change::ConcernGoesOn {
            concern,
            values,
            last_ms,
        } => {
            if let Some(record) = concern.record_id {
                messages::reword(connection, record, values, concern.count, *last_ms)?;
            }
            concerns::put(connection, concern)?;
            Ok(record(concern.record_id))
        }
        Change::ConcernEnded { concern, ended_ms } => {
            concerns::remove(connection, concern)?;
            if let Some(record) = concern.record_id {
                messages::close(connection, record, *ended_ms)?;
            }
            Ok(record(concern.record_id))
        }
    }
}

/// Stores a message and its deliveries.
pub(super) fn say(connection: &Connection, said: &Said) -> Result<Kept> {
    match said {
        Said::New(new) => {
            let record_id = match new.is_kept {
                true => Some(messages::add(connection, &new.row)?),
                false => None,
            };
            let deliveries = deliveries::add(connection, record_id, &new.deliveries)?;
            Ok(Kept {
                record_id,
                deliveries,
            })
        }
        Said::Nothing => Ok(Kept::default()),
        Said::Again {
            record_id,
            count,
            last_ms,
        } => {
            messages::count(connection, *record_id, *count, *last_ms)?;
            Ok(Kept {
                record_id: Some(*record_id),
                deliveries: Vec::new(),
            })
        }
    }
}
