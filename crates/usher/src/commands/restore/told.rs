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
    match (&restored.kept, &restored.kept_log) {
        (Some(kept), None) => text.push_str(&format!(
            "\nWhat was there before is kept as {}. Delete it if the server has what you expect.",
            kept.display()
        )),
        (Some(kept), Some(log)) => text.push_str(&format!(
            "\nWhat was there before is kept as {} and {}, which belong together. Delete both if the \
             server has what you expect.",
            kept.display(),
            log.display()
        )),
        (None, _) => {}
    }
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
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn job(file: Option<&str>, accept_risk: bool) -> Job {
        Job {
            file: file.map(PathBuf::from),
            is_given: false,
            accept_risk,
            dry_run: false,
            may_ask: false,
            json: false,
        }
    }

    fn restored(kept: &str, hold_seconds: u64, waits_for: WaitsFor) -> Restored {
        Restored {
            kept: Some(kept.into()),
            kept_log: None,
            kept_in_all: (1, 5_000_000),
            outlook: Outlook {
                hold_seconds,
                waits_for,
                leases: 12,
            },
        }
    }

    fn described(restored: &Restored, job: &Job) -> String {
        after(restored, Path::new("/srv/usher"), job)
    }

    #[test]
    fn what_was_done_and_what_follows_is_said() {
        let kept = "/srv/usher/cache.db.before";
        let long = restored(kept, 86_400, WaitsFor::LongestTtl);
        let of_file = job(Some("a.db"), false);
        insta::assert_snapshot!(described(&long, &of_file), @r"
        /srv/usher is restored, with 12 leases.
        What was there before is kept as /srv/usher/cache.db.before. Delete it if the server has what you expect.
        Tokens that were revoked since the snapshot was made are valid again, and those that were made since are not: once the server runs, see `usher token list`, and revoke them again.
        After its start the server grants nothing for 1 d, until leases that the snapshot does not know must have ended: nothing here shows which leases were granted since, and one lasts at most as long as the longest --max-ttl of a product. While it is stopped, `usher restore --data /srv/usher --accept-risk` lets it grant at once, and a seat may be in use twice.
        ");
        for (waits_for, reason) in [
            (
                WaitsFor::LastLease,
                "as long as the last lease that was held here.",
            ),
            (
                WaitsFor::EarlierRestore,
                "as long as leases of before an earlier restore may still be in use.",
            ),
        ] {
            let text = described(&restored(kept, 300, waits_for), &of_file);
            let told = format!(
                "grants nothing for 5 min, until leases that the snapshot does not know must have \
                 ended: {reason}"
            );
            assert!(text.contains(&told), "{text}");
        }
        let ended = restored(kept, 0, WaitsFor::LastLease);
        insta::assert_snapshot!(described(&ended, &job(None, true)), @r"
        The server of /srv/usher grants from its next start on; a seat may be in use twice.
        What was there before is kept as /srv/usher/cache.db.before. Delete it if the server has what you expect.
        ");
    }

    #[test]
    fn what_would_be_done_is_said_with_what_makes_the_wait_shorter() {
        let coming = |hold_seconds, waits_for| Outlook {
            hold_seconds,
            waits_for,
            leases: 1,
        };
        let data = Path::new("/srv/usher");
        let long = coming(86_400, WaitsFor::LongestTtl);
        insta::assert_snapshot!(before(&long, data, false), @r"
        The snapshot can be restored to /srv/usher; it holds 1 lease. Nothing was changed.
        After its start the server grants nothing for 1 d, until leases that the snapshot does not know must have ended: nothing here shows which leases were granted since, and one lasts at most as long as the longest --max-ttl of a product. While it is stopped, `usher restore --data /srv/usher --accept-risk` lets it grant at once, and a seat may be in use twice.
        If the server of these data was killed and still starts, start it and stop it before you restore: then it waits only for the leases that are held.
        ");
        insta::assert_snapshot!(question(&long), @r"
        After this restore the server will grant nothing for 1 d: nothing here shows which leases were granted since, and one lasts at most as long as the longest --max-ttl of a product.
        If the server of these data was killed and still starts, start it and stop it before you restore: then it waits only for the leases that are held.
        Restore now?
        ");
        let short = before(&coming(90, WaitsFor::LastLease), data, false);
        assert!(!short.contains("killed"), "{short}");
        let risky = before(&long, data, true);
        assert!(!risky.contains("killed"), "{risky}");
    }

    #[test]
    fn a_restore_that_waits_for_nothing_says_that_it_grants_at_once_and_why() {
        let restored = restored("/srv/usher/a", 0, WaitsFor::LastLease);
        let text = described(&restored, &job(Some("a.db"), false));
        let last = text.lines().last().unwrap();
        assert!(last.contains("nobody holds a seat any more"), "{text}");
        let text = described(&restored, &job(Some("a.db"), true));
        let last = text.lines().last().unwrap();
        assert!(last.contains("be granted a second time"), "{text}");
    }

    #[test]
    fn the_log_of_a_killed_server_is_named_beside_its_file_and_files_that_pile_up_are_counted() {
        let mut restored = restored("/srv/usher/a", 0, WaitsFor::LastLease);
        restored.kept_log = Some("/srv/usher/a-wal".into());
        restored.kept_in_all = (5, 12_300_000);
        let text = described(&restored, &job(None, true));
        for told in [
            "kept as /srv/usher/a and /srv/usher/a-wal, which belong together. Delete both",
            "5 restores have left such files there, 13 MB in all",
        ] {
            assert!(text.contains(told), "{text}");
        }
    }
}
