//! When an entitlement is valid: as it is typed, and as it is shown.

use crate::time;
use crate::time::Bound;

/// The first and the last time of a validity, read from what was typed.
pub(super) struct Validity {
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
    /// The time zone of the days; `None` if no day is given.
    pub(super) time_zone: Option<String>,
}

impl Validity {
    /// Reads them; days are in `zone`, or in this computer's time zone.
    pub(super) fn read(
        from: Option<&str>,
        to: Option<&str>,
        zone: Option<String>,
    ) -> Result<Self, String> {
        if from.is_none() && to.is_none() {
            return Ok(Validity {
                from: None,
                to: None,
                time_zone: zone,
            });
        }
        let now = time::now_in(zone.as_deref())?;
        let end = |text: Option<&str>, is_first| {
            text.map(|text| time::bound(text, is_first, &now))
                .transpose()
        };
        let (from, to) = (end(from, true)?, end(to, false)?);
        let is_day = |end: &Option<Bound>| matches!(end, Some(Bound::Day(_)));
        let time_zone = match zone {
            None if is_day(&from) || is_day(&to) => Some(zone_of_days()?),
            zone => zone,
        };
        Ok(Validity {
            from: from.map(Bound::text),
            to: to.map(Bound::text),
            time_zone,
        })
    }
}

/// The time zone of days if none is named.
pub(super) fn zone_of_days() -> Result<String, String> {
    time::zone_here().ok_or_else(|| {
        "this computer's time zone has no name that a server knows; give --time-zone, such as \
         Europe/Berlin"
            .to_owned()
    })
}

/// One end of a validity: the day as it was entered, with its time zone unless that is `here`, or
/// the instant in this computer's time zone.
pub(crate) fn end(
    day: Option<&String>,
    zone: Option<&String>,
    at: Option<jiff::Timestamp>,
    here: &str,
) -> String {
    match (day, zone) {
        (Some(day), Some(zone)) if zone != here => format!("{day} ({zone})"),
        (Some(day), _) => day.clone(),
        (None, _) => time::local_or_dash(at),
    }
}

/// The time zone that is not named beside days.
pub(crate) fn here() -> String {
    time::zone_here().unwrap_or_default()
}
