//! How values are stored in the columns of a data file.

use std::fmt::Write as _;

use smallvec::SmallVec;
use usher_core::ledger::{AllotmentNumber, Bound, Draw, Other, SessionKey, Wall};

/// An unsigned integer as SQLite's signed one, with the same bits.
pub(crate) fn from_i64(value: i64) -> u64 {
    value.cast_unsigned()
}

/// Draws as readable text: `allotment:seats`, separated by commas.
pub(crate) fn write_draws(draws: &[Draw]) -> String {
    let mut text = String::new();
    for draw in draws {
        let comma = if text.is_empty() { "" } else { "," };
        let _ = write!(text, "{comma}{}:{}", draw.allotment.0, draw.seats);
    }
    text
}

/// Reads what [`write_draws`] wrote; unreadable parts are left out.
pub(crate) fn read_draws(text: &str) -> SmallVec<[Draw; 1]> {
    pairs(text)
        .filter_map(|(allotment, seats)| {
            let allotment = AllotmentNumber(allotment.parse().ok()?);
            Some(Draw {
                allotment,
                seats: seats.parse().ok()?,
            })
        })
        .collect()
}

/// The further products of a request as readable text: `product:seats`, separated by commas; none
/// if there are none.
pub(crate) fn write_also(also: &[Other]) -> Option<String> {
    let each = also
        .iter()
        .map(|other| format!("{}:{}", other.product.0, other.seats));
    (!also.is_empty()).then(|| each.collect::<Vec<_>>().join(","))
}

/// Reads the product numbers and seats that [`write_also`] wrote; unreadable parts are left out.
pub(crate) fn read_also(text: &str) -> impl Iterator<Item = (u64, u32)> {
    pairs(text).filter_map(|(product, seats)| Some((product.parse().ok()?, seats.parse().ok()?)))
}

/// Holders as readable text: `computer:session:incarnation`, separated by commas.
pub(crate) fn write_holders(holders: &[SessionKey]) -> String {
    let mut text = String::new();
    for holder in holders {
        let comma = if text.is_empty() { "" } else { "," };
        let SessionKey {
            computer,
            session,
            incarnation,
        } = holder;
        let _ = write!(text, "{comma}{}:{session}:{incarnation}", computer.0);
    }
    text
}

/// Reads what [`write_holders`] wrote, also the older form without an incarnation; unreadable parts
/// are left out.
pub(crate) fn read_holders(text: &str) -> Box<[SessionKey]> {
    pairs(text)
        .filter_map(|(computer, session)| {
            let (session, incarnation) = session.split_once(':').unwrap_or((session, "0"));
            Some(SessionKey {
                computer: usher_core::ledger::ComputerId(computer.parse().ok()?),
                session: session.parse().ok()?,
                incarnation: incarnation.parse().ok()?,
            })
        })
        .collect()
}

fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split(',').filter_map(|part| part.split_once(':'))
}

macro_rules! words {
    ($($write:ident, $read:ident, $kind:ident: $($variant:ident = $word:literal),*;)*) => {$(
        pub(crate) fn $write(value: usher_core::ledger::$kind) -> &'static str {
            match value { $(usher_core::ledger::$kind::$variant => $word,)* }
        }
        #[allow(dead_code, reason = "each pair is whole, though one cause is only written")]
        pub(crate) fn $read(word: &str) -> Option<usher_core::ledger::$kind> {
            match word { $($word => Some(usher_core::ledger::$kind::$variant),)* _ => None }
        }
    )*};
}

words! {
    write_cause, read_cause, EndCause: CheckedIn = "checked_in", Expired = "expired",
        Unclaimed = "unclaimed", Idle = "idle";
    write_actor, read_actor, ActorKind: Person = "person", Token = "token", Agent = "agent",
        System = "system";
}

/// One end of a validity as three columns: an instant, or a day and its zone.
pub(crate) type BoundColumns = (Option<i64>, Option<String>, Option<String>);

/// The columns of one end of a validity.
pub(crate) fn write_bound(bound: Option<&Bound>) -> BoundColumns {
    match bound {
        None => (None, None, None),
        Some(Bound::At(at)) => (Some(at.0), None, None),
        Some(day @ Bound::Day { zone, .. }) => (
            None,
            day.date().map(|date| date.to_string()),
            Some(zone.to_string()),
        ),
    }
}

/// Reads what [`write_bound`] wrote. An unreadable day is an error, because without it an
/// entitlement would be valid for ever.
pub(crate) fn read_bound(columns: BoundColumns) -> rusqlite::Result<Option<Bound>> {
    match columns {
        (_, Some(day), Some(zone)) => {
            let date = day.parse().map_err(|error: jiff::Error| {
                rusqlite::Error::FromSqlConversionFailure(
                    0,
                    rusqlite::types::Type::Text,
                    error.into(),
                )
            })?;
            Ok(Some(Bound::day(date, zone.into())))
        }
        (at, ..) => Ok(at.map(|at| Bound::At(Wall(at)))),
    }
}
