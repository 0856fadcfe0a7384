//! The embedded engine's roll-ups of use: kept by the transaction that appends history, read with the
//! rows and packed days that cannot be added up. What other licence servers count is read from its rows.

mod about;
mod alone;
mod changes;
mod day_who;
mod days;
mod elsewhere;
mod grouped;
mod hours;
mod known;
mod last;
mod level;
mod line;
mod lines;
mod make;
mod mark;
mod named;
mod packed;
mod parts;
mod quarter;
mod read;
mod refused;
mod roll_up;
mod rows;
mod running;
mod settled;
mod sources;
mod sums;
mod to_pack;
mod told;
mod uses;
mod waited;
mod within;

pub(crate) use days::{forget_who, pack as pack_days};
pub(crate) use grouped::grouped;
pub(crate) use known::{products, record};
pub(crate) use last::last_used;
pub(crate) use make::make_missing;
pub(crate) use read::used;
pub(crate) use refused::refused;
pub(crate) use roll_up::RollUp;
pub(crate) use settled::settled;
pub(crate) use sources::sources;
pub(crate) use sums::sums;
pub(crate) use waited::outcomes;

/// What every engine does with what it reads.
pub(crate) use {
    about::surrogate,
    alone::IS_ALONE,
    changes::{Changes, Days, Place, Spread, by_quarters, carry_out, only_adds},
    day_who::DayWho,
    elsewhere::{Sweep, UNKNOWN},
    grouped::Grouped,
    hours::pack_lines,
    level::Levels,
    line::{
        Adds, LeaseRow, Line, SessionRow, counted_number, is_use, line_of, of_archived, of_lease,
        of_session,
    },
    lines::{PackedDays, Source, TakeQuarter, lines},
    make::{MADE, THESE},
    mark::Mark,
    named::{Name, Named, Needed},
    packed::{Unreadable, pack, unpack},
    parts::not_packed,
    quarter::{DAY_MS, QUARTERS_OF_DAY, begin_of, day_of, number_of},
    refused::{Refusal, Refusals},
    running::{Names, Runs},
    settled::{
        Times, granted_within, nobody, of_product, refused_since, running_of, to_those, told_times,
        whole,
    },
    sources::{LevelTold, Owned, OwnedRow, ToldNow},
    sums::Uses,
    to_pack::{ToPack, kept_since, missing},
    told::{Import, Spans, between, left_of},
    uses::Found,
    within::{Whose, person_among},
};
