//! The cursor of a history: a server, a life of its data, an event, as one text that only the server
//! reads.

use usher_core::ledger::{EventNumber, Incarnation};
use usher_store::HistoryPoint;

/// A point as a cursor.
pub(crate) fn write(server_id: &str, point: HistoryPoint) -> String {
    let HistoryPoint { incarnation, event } = point;
    format!("{server_id}-{:08x}-{}", incarnation.0, event.0)
}

/// The server and the point that [`write`] wrote; none: it is no cursor.
pub(crate) fn read(text: &str) -> Option<(&str, HistoryPoint)> {
    let (rest, event) = text.rsplit_once('-')?;
    let (server_id, incarnation) = rest.rsplit_once('-')?;
    let event: u64 = event.parse().ok()?;
    // No file has an event beyond: numbers lie in it as signed ones.
    i64::try_from(event).ok()?;
    let point = HistoryPoint {
        incarnation: Incarnation(u32::from_str_radix(incarnation, 16).ok()?),
        event: EventNumber(event),
    };
    (write(server_id, point) == text).then_some((server_id, point))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_as_it_was_written_and_in_no_other_form() {
        let point = HistoryPoint {
            incarnation: Incarnation(0xab),
            event: EventNumber(7),
        };
        let text = write("6f00", point);
        assert_eq!(read(&text), Some(("6f00", point)));
        for wrong in [
            "",
            "7",
            "6f00-ab-7",
            "6f00-000000ab-07",
            "6f00-000000ab-18446744073709551615",
            "6f00-000000ab-",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
