//! The schedule of packs as the file stores it; the server interprets it.

use rusqlite::Connection;

use crate::base::meta::{number, put, put_text, text};

const SCHEDULE: &str = "pack_schedule";
const TIME_ZONE: &str = "pack_time_zone";
const TIME: &str = "pack_time";

/// The schedule of packs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackPlan {
    /// The schedule as text, such as `Sun 01:59:59`.
    pub schedule: String,
    /// The IANA name of its time zone.
    pub time_zone: String,
    /// The next run, in Unix seconds; none if the calendar ends before it.
    pub pack_time: Option<i64>,
}

pub(super) fn keep(connection: &Connection, plan: &PackPlan) -> rusqlite::Result<()> {
    put_text(connection, SCHEDULE, &plan.schedule)?;
    put_text(connection, TIME_ZONE, &plan.time_zone)?;
    match plan.pack_time {
        Some(time) => put(connection, TIME, time.cast_unsigned()),
        None => connection
            .execute("DELETE FROM meta WHERE key = ?1", [TIME])
            .map(drop),
    }
}

pub(super) fn get(connection: &Connection) -> rusqlite::Result<Option<PackPlan>> {
    let (schedule, time_zone) = (text(connection, SCHEDULE)?, text(connection, TIME_ZONE)?);
    let (Some(schedule), Some(time_zone)) = (schedule, time_zone) else {
        return Ok(None);
    };
    Ok(Some(PackPlan {
        schedule,
        time_zone,
        pack_time: number(connection, TIME)?.map(u64::cast_signed),
    }))
}
