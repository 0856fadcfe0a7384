//! What a manager records, on PostgreSQL: changes, each with its message.

use super::db::Db;
use super::failure::Result;
use super::{concerns, deliveries, episodes, messages};
use crate::record::{Change, Kept, Said};

/// Carries out one change; answers what was stored of its message.
pub(super) fn carry_out(db: &Db, change: &Change<Said>) -> Result<Kept> {
    let record = |record_id| Kept {
        record_id,
        deliveries: Vec::new(),
    };
    match change {
        Change::Message(said) => say(db, said),
        Change::EpisodeBegan(episode, said) => {
            let kept = say(db, said)?;
            messages::open_again(db, &kept)?;
            let mut episode = episode.clone();
            episode.record_id = kept.record_id;
            episodes::put(db, &episode)?;
            Ok(kept)
        }
        Change::EpisodeGoesOn(episode) => {
            if let Some(record) = episode.record_id {
                messages::count(db, record, episode.count, episode.last_ms)?;
            }
            episodes::put(db, episode)?;
            Ok(record(episode.record_id))
        }
        Change::EpisodeEnded(episode, said) => {
            episodes::put(db, episode)?;
            if let (Some(record), Some(ended_ms)) = (episode.record_id, episode.ended_ms) {
                messages::close(db, record, ended_ms)?;
            }
            say(db, said)
        }
        Change::ConcernBegan(concern, said) => {
            let kept = say(db, said)?;
            messages::open_again(db, &kept)?;
            let mut concern = concern.clone();
            concern.record_id = kept.record_id;
            concerns::put(db, &concern)?;
            Ok(kept)
        }
        Change::ConcernGoesOn {
            concern,
            values,
            last_ms,
        } => {
            if let Some(record) = concern.record_id {
                messages::reword(db, record, values, concern.count, *last_ms)?;
            }
            concerns::put(db, concern)?;
            Ok(record(concern.record_id))
        }
        Change::ConcernEnded { concern, ended_ms } => {
            concerns::remove(db, concern)?;
            if let Some(record) = concern.record_id {
                messages::close(db, record, *ended_ms)?;
            }
            Ok(record(concern.record_id))
        }
    }
}

/// Stores a message and its deliveries.
pub(super) fn say(db: &Db, said: &Said) -> Result<Kept> {
    match said {
        Said::New(new) => {
            let record_id = match new.is_kept {
                true => Some(messages::add(db, &new.row)?),
                false => None,
            };
            let deliveries = deliveries::add(db, record_id, &new.deliveries)?;
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
            messages::count(db, *record_id, *count, *last_ms)?;
            Ok(Kept {
                record_id: Some(*record_id),
                deliveries: Vec::new(),
            })
        }
    }
}
