//! How much of a product was used and wanted, and whom a number of seats would have refused.
//!
//! What was used is rolled up in nodes ([`Node`]) of a quarter hour, from which hours, days, weeks
//! and months of any zone are joined: by [`usage()`] if all rows are at hand, by [`Stretches`] and
//! [`items()`] if the nodes are kept elsewhere.

mod account;
mod buckets;
mod demand;
mod denials;
mod distinct;
mod edge;
mod figures;
mod free;
mod gaps;
mod granted;
mod last_use;
pub mod made_up;
mod node;
mod refused;
mod stretch;
mod sweep;
mod tally;
#[cfg(test)]
mod tests;
mod timeline;
mod united;
mod waits;
mod when;

pub use account::{Account, Counted, Quantity, Row};
pub use buckets::{BUCKETS_LIMIT, Bucket, Grain, TooManyBuckets, buckets};
pub use demand::{Demand, Start, Want, demand};
pub use denials::{DenialClass, Denials, Denied, Judged, RETRY_MS, judged, provisional_from_ms};
pub use distinct::{Distinct, distinct};
pub use edge::{Change, Edge, Span};
pub use figures::{Beside, Lines, UsageItem, Wait, Who, items, usage};
pub use gaps::Gaps;
pub use last_use::{LastUse, NotKnown, Observed};
pub use node::{Best, Level, Node};
pub use refused::{Refusal, RefusedWant, median_ms, refused_wants, seats_help};
pub use stretch::{Stretch, Stretches, stretches};
pub use sweep::peak;
pub use tally::Tally;
pub use timeline::{QUARTER_MS, Timeline, Walk, quarter_of, quarters_touched};
pub use waits::Waits;
