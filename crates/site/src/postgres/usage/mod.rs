//! The roll-ups of use on PostgreSQL: kept by the transaction that appends history, read with the rows
//! that cannot be added up. What other licence servers count is read from its rows.

mod about;
mod days;
mod elsewhere;
mod grouped;
mod known;
mod last;
mod level;
mod make;
mod named;
mod quarter;
mod read;
mod refused;
mod roll_up;
mod rows;
mod running;
mod settled;
mod sources;
mod sums;
mod told;
mod uses;
mod waited;
mod within;

pub(super) use days::{forget_who, pack as pack_days};
pub(super) use grouped::grouped;
pub(super) use known::{products, record};
pub(super) use last::last_used;
pub(super) use make::make_missing;
pub(super) use read::used;
pub(super) use refused::refused;
pub(super) use roll_up::RollUp;
pub(super) use settled::settled;
pub(super) use sources::sources;
pub(super) use sums::sums;
pub(super) use waited::outcomes;
pub(super) use within::IS_ALONE;
