//! Events and kept answers as they stood in data files of schema 1 and 2: postcard, one after
//! another, without length or form.
//!
//! These types are a record of that form. They never change, whatever becomes of the ledger's own.

mod event;
mod records;
mod reply;

use usher_core::ledger;

use event::Event;
use reply::Reply;

/// Reads exactly `count` events.
pub(super) fn events(mut bytes: &[u8], count: usize) -> Result<Vec<ledger::Event>, String> {
    let mut events = Vec::with_capacity(count.min(bytes.len()));
    for _ in 0..count {
        let (event, rest) =
            postcard::take_from_bytes::<Event>(bytes).map_err(|error| error.to_string())?;
        events.push(event.into());
        bytes = rest;
    }
    match bytes.len() {
        0 => Ok(events),
        left => Err(format!("{left} bytes are left over")),
    }
}

/// Reads a kept answer.
pub(crate) fn reply(bytes: &[u8]) -> Result<ledger::Reply, String> {
    let (reply, left) =
        postcard::take_from_bytes::<Reply>(bytes).map_err(|error| error.to_string())?;
    match left.len() {
        0 => Ok(reply.into()),
        left => Err(format!("{left} bytes are left over")),
    }
}
