//! What a ledger does, a sentence each.

mod answers;
mod owned;
mod seats;
mod time;
mod waiting;

use usher_core::ledger::*;

fn reason(reply: Reply) -> Reason {
    match reply {
        Reply::Denied { reason, .. } => reason,
        other => panic!("not denied: {other:?}"),
    }
}
