//! Recorded use, replayed under other rules.

mod refusals;
#[cfg(test)]
mod tests;

pub use refusals::{Forecast, Use, refusals};
