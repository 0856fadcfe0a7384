//! The roll-ups of use on PostgreSQL: kept by the transaction that appends history, read with the rows
//! that cannot be added up. What other licence servers count is read from its rows.

mod about;
mod elsewhere;
mod known;
mod quarter;
mod read;
mod roll_up;
mod running;
mod told;
mod uses;

pub(super) use known::{products, record};
pub(super) use read::used;
pub(super) use roll_up::RollUp;
