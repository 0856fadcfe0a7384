//! What an administrator should know before users call: an entitlement that ends, seats that are
//! low, an agent that is silent, a backup that is old.
//!
//! A server tells facts; [`judge`] makes concerns of them by a site's [`Thresholds`], and
//! [`Concerns`] tells one after another: one message for each for as long as it lasts. What is told
//! of already is judged more strictly, and is over only after some calm, so that what wavers about
//! a threshold is one concern and not many; what follows from what people have entered does not
//! waver, and is over at once. Who is affected is named; people are counted, for
//! messages are kept and names of people stand in one place only.

mod door;
mod ends;
mod facts;
mod figures;
mod judge;
mod kinds;
mod low;
mod open;
mod source;
mod thresholds;

pub use facts::{
    AgentFact, BackupFact, CaughtFact, DiskFact, EndedFact, EntitlementFact, Facts, HeldLogFact,
    HistoryFact, PackFact, ProductFact, QuietRule, TurnedAwayFact, TurnedAwayReason, Unreached,
    UpgradeFact,
};
pub use figures::counted;
pub use judge::judge;
pub use kinds::{Concern, Kind};
pub use open::{CONCERNS_OF_A_KIND, Concerns, Notice};
pub use source::{SeatsFact, SourceEntitlement, SourceFacts, SourceSeats};
pub use thresholds::{Thresholds, ThresholdsError};
