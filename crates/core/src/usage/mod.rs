//! What was used, and what would have become of it under other rules.

mod refusals;
#[cfg(test)]
mod tests;

pub use refusals::{Forecast, Use, refusals};
