//! How many seats were wanted at once, and whom a number of seats would have refused.

mod demand;
mod free;
mod refused;
#[cfg(test)]
mod tests;

pub use demand::{Demand, Start, Want, demand};
pub use refused::{Refusal, RefusedWant, median_ms, refused_wants, seats_help};
