//! What a command prints is a report, and one that fails is a gap.

use super::*;

fn run(script: &str, within: Duration) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let (out, err) = (folder.path().join("out"), folder.path().join("err"));
    let words = ["sh", "-c", script].map(str::to_owned);
    let printed = Printed {
        out: &out,
        err: &err,
    };
    report(&Commands::default(), &words, within, printed)
        .map(|text| String::from_utf8(text).unwrap())
}

const LONG: Duration = Duration::from_secs(60);

#[test]
fn what_a_command_prints_is_its_report_whatever_its_exit_code() {
    assert_eq!(run("echo up; exit 3", LONG).unwrap(), "up\n");
}

#[test]
fn a_command_that_says_nothing_or_is_killed_has_no_report_and_its_words_tell_why() {
    let failed = run("echo cannot connect >&2; exit 1", LONG).unwrap_err();
    assert!(failed.starts_with("sh printed nothing ("), "{failed}");
    assert!(failed.ends_with(": cannot connect"), "{failed}");
    let killed = run("echo half; kill -9 $$", LONG).unwrap_err();
    assert!(killed.starts_with("sh was ended by a signal"), "{killed}");
}

#[test]
fn a_command_that_hangs_or_prints_for_ever_is_ended() {
    let began = Instant::now();
    // What it leaves behind keeps its output open.
    let late = run("sleep 5 & echo half; sleep 5", Duration::from_millis(50));
    assert!(late.unwrap_err().contains("was not done within"), "late");
    let long = run(
        "while :; do echo 0123456789012345678901234567890123456789; done",
        LONG,
    );
    assert!(
        long.unwrap_err().contains("printed more than 16 MiB"),
        "long"
    );
    let words = run(
        "while :; do echo 0123456789012345678901234567890123456789 >&2; done",
        LONG,
    );
    assert!(
        words.unwrap_err().contains("printed more than 16 MiB"),
        "words"
    );
    assert!(began.elapsed() < LONG);
}

#[test]
fn a_command_that_is_not_there_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (out, err) = (folder.path().join("out"), folder.path().join("err"));
    let printed = Printed {
        out: &out,
        err: &err,
    };
    let words = ["/none/lmutil".to_owned()];
    let commands = Commands::default();
    let failed = report(&commands, &words, LONG, printed).unwrap_err();
    assert!(
        failed.starts_with("cannot start /none/lmutil: "),
        "{failed}"
    );
    assert!(report(&commands, &[], LONG, printed).is_err());
}
