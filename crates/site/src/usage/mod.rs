//! The embedded engine's roll-ups of use: kept by the transaction that appends history, read with the
//! rows that cannot be added up. What other licence servers count is read from its rows.

mod about;
mod alone;
mod elsewhere;
mod known;
mod last;
mod level;
mod line;
mod make;
mod named;
mod packed;
mod quarter;
mod read;
mod refused;
mod roll_up;
mod running;
mod sums;
mod told;
mod uses;
mod waited;
mod within;

pub(crate) use known::{products, record};
pub(crate) use last::last_used;
pub(crate) use make::make_missing;
pub(crate) use read::used;
pub(crate) use refused::refused;
pub(crate) use roll_up::RollUp;
pub(crate) use sums::sums;
pub(crate) use waited::outcomes;
