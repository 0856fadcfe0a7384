//! What a restore will do, and what it did, in words.

use std::path::Path;

use usher_store::{Outlook, Restored, WaitsFor};

use super::Job;
use crate::output::counted;
use crate::time;

/// Files of before a restore that may lie there without a word.
const KEPT_UNTOLD: usize = 2;

/// What was done.
pub(super) fn after(restored: &Restored, data: &Path, job: &Job) -> String {
    let is_restored = job.file.is_some();
    let mut text = match is_restored {
        true => format!(
            "{} is restored, with {}.",
            data.display(),
            counted(restored.outlook.leases, "lease")
        ),
        false => format!(
            "The server of {} grants from its next start on; a seat may be in use twice.",
            data.display()
        ),
    };
    text += &kept(
        restored.kept.as_deref(),
        restored.kept_log.as_deref(),
        "server",
    );
    let (count, bytes) = restored.kept_in_all;
    if count > KEPT_UNTOLD {
        text.push_str(&format!(
            "\n{count} restores have left such files there, {} MB in all: delete those that you no \
             longer need.",
            bytes.div_ceil(1_000_000)
        ));
    }
    if is_restored {
        text.push_str(
            "\nTokens that were revoked since the snapshot was made are valid again, and those that \
             were made since are not: once the server runs, see `usher token list`, and revoke \
             them again.",
        );
        text.push('\n');
        text.push_str(&granting(&restored.outlook, data, job.accept_risk));
    }
    text
}

/// Where a restore has put what was there before; `role` runs on what is there now.
pub(super) fn kept(kept: Option<&Path>, log: Option<&Path>, role: &str) -> String {
    match (kept, log) {
        (Some(kept), None) => format!(
            "\nWhat was there before is kept as {}. Delete it if the {role} has what you expect.",
            kept.display()
        ),
        (Some(kept), Some(log)) => format!(
            "\nWhat was there before is kept as {} and {}, which belong together. Delete both if the \
             {role} has what you expect.",
            kept.display(),
            log.display()
        ),
        (None, _) => String::new(),
    }
}

/// What a restore would do.
pub(super) fn before(coming: &Outlook, data: &Path, accept_risk: bool) -> String {
    let mut text = format!(
        "The snapshot can be restored to {}; it holds {}. Nothing was changed.\n{}",
        data.display(),
        counted(coming.leases, "lease"),
        granting(coming, data, accept_risk)
    );
    if coming.waits_for == WaitsFor::LongestTtl && coming.hold_seconds > 0 && !accept_risk {
        text.push('\n');
        text.push_str(SHORTER);
    }
    text
}

/// What makes a wait shorter that is as long as a lease can be.
const SHORTER: &str = "If the server of these data was killed and still starts, start it and stop \
                       it before you restore: then it waits only for the leases that are held.";

/// What is asked before a restore that waits as long as a lease can be.
pub(super) fn question(coming: &Outlook) -> String {
    format!(
        "After this restore the server will grant nothing for {}: {}.\n{SHORTER}\nRestore now?",
        time::span(coming.hold_seconds),
        reason(coming.waits_for)
    )
}

/// Why a restored server waits as long as it does.
fn reason(waits_for: WaitsFor) -> &'static str {
    match waits_for {
        WaitsFor::LastLease => "as long as the last lease that was held here",
        WaitsFor::EarlierRestore => {
            "as long as leases of before an earlier restore may still be in use"
        }
        WaitsFor::LongestTtl => {
            "nothing here shows which leases were granted since, and one lasts at most as long as \
             the longest --max-ttl of a product"
        }
    }
}

/// From when on the restored server grants seats.
fn granting(outlook: &Outlook, data: &Path, accept_risk: bool) -> String {
    match (outlook.hold_seconds, accept_risk) {
        (_, true) => "The server grants from its next start on; seats that were granted after the \
                      snapshot was made may be in use, and be granted a second time."
            .to_owned(),
        (0, false) => "The server grants from its next start on: what was there before shows that \
                       nobody holds a seat any more that the snapshot does not know."
            .to_owned(),
        (seconds, false) => format!(
            "After its start the server grants nothing for {}, until leases that the snapshot does \
             not know must have ended: {}. While it is stopped, `usher restore --data {} \
             --accept-risk` lets it grant at once, and a seat may be in use twice.",
            time::span(seconds),
            reason(outlook.waits_for),
            data.display()
        ),
    }
}

#[cfg(test)]
mod tests;
