//! What is said of a restore before and after it.

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
