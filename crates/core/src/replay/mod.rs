//! What-if: recorded asks, decided again by the ledger with other numbers of seats.
//!
//! A [`Recording`] is what was asked of one product and what came of it; [`recorded`] makes it of the
//! past that a site keeps. [`Prepared`] makes wishes
//! of it: several asks of one person that are retries of one another are one. [`Prepared::draw`]
//! makes up what is not known, and [`Prepared::replay`] decides all wishes with one number of seats
//! and one [`Draw`]; both are pure and need nothing of any other, so a caller runs as many at once as
//! it has cores.
//! [`Prepared::answer`] takes their [`Figures`] and says what would have been, how far that can be
//! trusted, and what was assumed; [`what_if`] does all of it on one thread.
//!
//! What is not known is how long somebody who was refused would have held the seat. That is drawn
//! from the uses that were granted, [`DRAWS`] times, so an answer has a median and a range.

mod advice;
mod answer;
mod assumptions;
mod calm;
mod chance;
mod ends;
mod figures;
mod fitness;
mod lengths;
mod level;
mod parameters;
mod past;
mod recording;
mod run;
#[cfg(test)]
mod tests;
mod whole;
mod wishes;

pub use advice::advice;
pub use answer::{Answer, Range, SeatsResult};
pub use calm::Draw;
pub use figures::Figures;
pub use fitness::{GAPS_SHARE_LIMIT_PERCENT, UNKNOWN_SHARE_LIMIT_PERCENT};
pub use level::{NotALevel, ServiceLevel};
pub use parameters::{DRAWS, OnFull, Parameters};
pub use past::{
    MadeBy, Past, PastLease, PastRefusal, PastSession, PastWait, Recorded, Who, recorded,
};
pub use recording::{Ask, Gap, Outcome, Recording, Running, Waits};
pub use run::{Cancelled, STEP_ASKS};
pub use whole::{Progress, what_if};
pub use wishes::Prepared;
