//! The embedded engine's roll-ups of use: kept by the transaction that appends history, read with the
//! rows that cannot be added up. What other licence servers count is read from its rows.

mod about;
mod alone;
mod elsewhere;
mod known;
mod line;
mod make;
mod packed;
mod quarter;
mod read;
mod roll_up;
mod running;
mod settled;
mod sources;
mod told;
mod uses;

pub(crate) use known::{products, record};
pub(crate) use make::make_missing;
pub(crate) use read::used;
pub(crate) use roll_up::RollUp;
pub(crate) use settled::settled;
pub(crate) use sources::sources;
