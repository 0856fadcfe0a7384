//! What a what-if is asked with.

use crate::replay::level::ServiceLevel;

/// How often what is not known is drawn.
pub const DRAWS: u32 = 20;

/// What somebody does who asks while no seat is free.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum OnFull {
    /// What it did in the recording: it waited, as long as is said there, or was refused.
    #[default]
    AsRecorded,
    /// Everybody is refused.
    Deny,
    /// Everybody waits: as long as is said in the recording, and who did not wait there until it is
    /// served.
    Wait,
}

/// What a what-if is asked with.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters {
    /// The numbers of seats to try. They are tried in ascending order, each once.
    pub seats: Vec<u32>,
    /// Seats beyond each of them that may be in use.
    pub overdraft: u32,
    /// How many may wait at once.
    pub queue_limit: u32,
    /// What somebody does who asks while no seat is free.
    pub on_full: OnFull,
    /// What share of asks is to be granted, and how soon; none: nobody says.
    pub service_level: Option<ServiceLevel>,
    /// From which number what is not known is drawn. The same gives the same answer.
    pub seed: u64,
    /// How often it is drawn, 1 or more.
    pub draws: u32,
}

impl Parameters {
    /// These numbers of seats, as recorded, with a queue without limit, no overdraft and no service
    /// level; [`DRAWS`] draws from seed 0.
    pub fn of(seats: impl IntoIterator<Item = u32>) -> Parameters {
        Parameters {
            seats: seats.into_iter().collect(),
            overdraft: 0,
            queue_limit: u32::MAX,
            on_full: OnFull::default(),
            service_level: None,
            seed: 0,
            draws: DRAWS,
        }
    }

    /// The numbers of seats in ascending order, each once.
    pub fn counts(&self) -> Vec<u32> {
        let mut counts = self.seats.clone();
        counts.sort_unstable();
        counts.dedup();
        counts
    }
}
