//! A message as the API shows it.

use usher_api::StatusMessage;
use usher_site::MessageRow;

use crate::clock::date;

/// A message as the API shows it.
pub(crate) fn shown(row: &MessageRow) -> StatusMessage {
    let entry = row.message.entry();
    StatusMessage {
        record_id: row.record_id,
        id: row.message.id,
        severity: entry.severity.name().to_owned(),
        kind: entry.kind.name().to_owned(),
        component: entry.component.to_owned(),
        computer: row.message.computer.clone(),
        site: row.message.site.clone(),
        server: row.message.server.clone(),
        time: date(row.message.time_ms),
        values: row.message.values.clone(),
        text: row.message.text(),
        count: row.count,
        first_at: date(row.message.time_ms),
        last_at: date(row.last_ms),
        recovered_at: row.recovered_ms.map(date),
    }
}
