//! The report of a pack in the form of the API, and events about packs.

use serde_json::json;
use usher_api::{PackReport, PackResult, PackSkipped};

use crate::base::clock::wall_ms;
use crate::base::time::timestamp;
use crate::engine::feed::{Feed, Item};

/// Sends an event that a pack has begun or ended. Never waits.
pub(crate) fn pack_changed(feed: &Feed, state: &str, ended: Option<usher_store::PackReport>) {
    if !feed.has_listeners() {
        return;
    }
    let data = json!({
        "at": timestamp(wall_ms()),
        "state": state,
        "last": ended.map(report),
    });
    feed.send(Item::Event(format!("event: pack\ndata: {data}\n\n").into()));
}

/// A report in the form of the API.
pub(crate) fn report(report: usher_store::PackReport) -> PackReport {
    let skipped = report.skipped.into_iter();
    PackReport {
        started_at: timestamp(report.started_at),
        ended_at: timestamp(report.ended_at),
        result: match report.result {
            usher_store::PackResult::Done => PackResult::Done,
            usher_store::PackResult::Stopped => PackResult::Stopped,
            usher_store::PackResult::Failed => PackResult::Failed,
        },
        purged_rows: report.purged_rows,
        bytes_before: report.bytes_before,
        bytes_after: report.bytes_after,
        skipped: skipped
            .map(|skipped| PackSkipped {
                what: skipped.what,
                why: skipped.why,
            })
            .collect(),
    }
}
