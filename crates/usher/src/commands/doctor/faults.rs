//! The faults that a server reports of itself: an end by a panic, panics that were caught, lost log
//! lines.

use usher_api::{Faults, HeldLog};

use super::finding::Finding;
use crate::output::{bytes, counted};
use crate::time;

/// One line for each kind of fault.
pub(super) fn findings(faults: &Faults) -> Vec<Finding> {
    let report = "Please report it as a bug, with the server's log of that time.";
    let ended = faults.ended.as_ref().map(|ended| {
        let found = format!(
            "the server ended by a panic in {} at {}: {}",
            ended.thread,
            time::local(ended.at),
            ended.what
        );
        Finding::warn("faults", found, report)
    });
    let caught = faults.caught.as_ref().map(|caught| {
        let found = format!(
            "{} ended by a panic, the last at {}: {}",
            counted(caught.count, "request"),
            time::local(caught.last_at),
            caught.last
        );
        Finding::warn("faults", found, report)
    });
    let lost = (faults.lost_log_lines > 0).then(|| {
        let found = format!(
            "{} of the server's log could not be written since its start",
            counted(faults.lost_log_lines, "line")
        );
        let next = "Look at where its standard error goes: a full disk, or a program that no \
                    longer reads.";
        Finding::warn("log", found, next)
    });
    [ended, caught, lost].into_iter().flatten().collect()
}

/// A reader that prevents the checkpoint of the write-ahead log.
pub(super) fn held_log(log: &HeldLog) -> Finding {
    let found = format!(
        "the log beside the server's cache.db has grown to {}: {}",
        bytes(log.bytes),
        match log.readers.is_empty() {
            true => "something keeps a read transaction open".to_owned(),
            false => format!("{} keep a read transaction open", log.readers.join(", ")),
        }
    );
    let next = "End that reader: then the log can be reset. Read a copy instead (`usher backup`).";
    Finding::warn("log", found, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_lines_of_the_log_are_told_and_nothing_where_there_is_no_fault() {
        assert_eq!(findings(&Faults::default()), []);
        let faults = Faults {
            lost_log_lines: 7,
            ..Faults::default()
        };
        let found = findings(&faults);
        assert!(found.len() == 1 && found[0].found.starts_with("7 lines"));
    }
}
