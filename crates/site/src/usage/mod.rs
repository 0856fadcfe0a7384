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
mod told;
mod uses;

pub(crate) use known::{products, record};
pub(crate) use make::make_missing;
pub(crate) use read::used;
pub(crate) use roll_up::RollUp;

/// What every engine does with what it reads.
pub(crate) use {
    about::surrogate,
    elsewhere::{Sweep, UNKNOWN},
    line::{Adds, LeaseRow, Line, Of, counted_number, is_use, of_lease, of_session},
    packed::{Unreadable, pack, unpack},
    quarter::{COLUMNS, QUARTERS_OF_DAY, number_of},
    roll_up::{CHANGED_LIMIT, apply, clamped},
    running::{Names, Runs},
    told::{Spans, between},
    uses::{Found, leases_over, sessions_over},
};
