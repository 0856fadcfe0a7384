//! Real files that grow, are renamed and are cut.

use std::fs;
use std::io::Write;

use proptest::prelude::*;

use super::*;

fn append(path: &Path, text: &str) {
    let mut file = File::options()
        .append(true)
        .create(true)
        .open(path)
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// All that is there, with `|` between files, and what of it was taken before in brackets.
fn read(tail: &mut Tail) -> String {
    let mut text = String::new();
    let mut buffer = [0; 7];
    let mut quiet = 0;
    while quiet <= QUIET_LOOKS {
        match tail.look(&mut buffer).unwrap() {
            Look::Bytes { length, is_taken } => {
                let read = String::from_utf8_lossy(&buffer[..length]);
                match is_taken {
                    true => text += &format!("[{read}]"),
                    false => text += &read,
                }
                quiet = 0;
            }
            Look::Over => {
                text.push('|');
                quiet = 0;
            }
            Look::Nothing | Look::Missing => quiet += 1,
        }
    }
    text
}

#[test]
fn a_log_that_is_renamed_is_read_to_its_end_and_then_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("debug.log");
    let mut tail = Tail::new(&log, &[]);
    let mut buffer = [0; 64];
    assert_eq!(tail.look(&mut buffer).unwrap(), Look::Missing);
    append(&log, "one\ntw");
    assert_eq!(read(&mut tail), "one\ntw");
    fs::rename(&log, folder.path().join("debug.log.1")).unwrap();
    assert_eq!(read(&mut tail), "", "there is no new one yet");
    append(&log, "three\n");
    // Whoever writes has not noticed yet.
    append(&folder.path().join("debug.log.1"), "o\n");
    assert_eq!(read(&mut tail), "o\n|three\n");
}

fn written_at(path: &Path, second: u64) {
    let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(second);
    let file = File::options().append(true).open(path).unwrap();
    file.set_modified(at).unwrap();
}

#[test]
fn a_log_that_is_renamed_twice_between_two_looks_is_read_in_all_its_files_once() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("debug.log");
    let older = |number: u8| folder.path().join(format!("debug.log.{number}"));
    append(&older(1), "zero\n");
    written_at(&older(1), 50);
    let mut tail = Tail::new(&log, &[]);
    append(&log, "one\n");
    assert_eq!(read(&mut tail), "one\n");
    fs::rename(older(1), older(3)).unwrap();
    append(&log, "end\n");
    written_at(&log, 100);
    fs::rename(&log, older(2)).unwrap();
    append(&log, "two\n");
    written_at(&log, 200);
    fs::rename(&log, older(1)).unwrap();
    append(&log, "three\n");
    assert_eq!(read(&mut tail), "end\n|two\n|three\n");
    assert!(tail.is_caught_up() && tail.is_at_log());
    assert_eq!(read(&mut tail), "");
}

#[test]
fn a_log_that_is_renamed_is_not_left_while_the_new_one_is_empty() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("debug.log");
    let older = folder.path().join("debug.log.1");
    append(&log, "one\n");
    let mut tail = Tail::new(&log, &[]);
    assert_eq!(read(&mut tail), "one\n");
    fs::rename(&log, &older).unwrap();
    append(&log, "");
    assert_eq!(read(&mut tail), "");
    append(&older, "two\n");
    assert_eq!(read(&mut tail), "two\n");
    // So it is for a watch that starts again.
    let mut tail = Tail::new(&log, &tail.parts());
    assert_eq!(read(&mut tail), "[one\ntwo][\n]");
    append(&older, "three\n");
    assert_eq!(read(&mut tail), "three\n");
    append(&log, "four\n");
    assert_eq!(read(&mut tail), "|four\n");
}

#[test]
fn what_was_cut_away_during_a_long_wait_is_read_from_the_copy() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("debug.log");
    append(&log, "one\n");
    let mut tail = Tail::new(&log, &[]);
    assert_eq!(read(&mut tail), "one\n");
    assert!(tail.copied().is_none(), "it is as it was");
    append(&log, "two\n");
    fs::copy(&log, folder.path().join("debug.log.1")).unwrap();
    fs::write(&log, "three is longer\n").unwrap();
    let mut tail = tail.copied().unwrap();
    assert_eq!(read(&mut tail), "[one\n]two\n|three is longer\n");
    fs::write(&log, "four\n").unwrap();
    assert!(tail.copied().is_none(), "there is no copy");
    assert_eq!(read(&mut tail), "|four\n");
}

#[test]
fn a_log_that_is_cut_is_read_from_its_beginning_even_if_it_is_as_long_again() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("debug.log");
    append(&log, "one\ntwo\n");
    let mut tail = Tail::new(&log, &[]);
    assert_eq!(read(&mut tail), "one\ntwo\n");
    File::options()
        .write(true)
        .open(&log)
        .unwrap()
        .set_len(0)
        .unwrap();
    append(&log, "three\n");
    assert_eq!(read(&mut tail), "|three\n");
    File::options()
        .write(true)
        .open(&log)
        .unwrap()
        .set_len(0)
        .unwrap();
    append(&log, "four is longer than three\n");
    assert_eq!(read(&mut tail), "|four is longer than three\n");
}

#[test]
fn a_log_that_is_cut_and_longer_than_before_at_the_next_look_is_read_from_its_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("debug.log");
    append(&log, "one\n");
    let mut tail = Tail::new(&log, &[]);
    assert_eq!(read(&mut tail), "one\n");
    fs::write(&log, "three\nfour\nfive\n").unwrap();
    assert_eq!(read(&mut tail), "|three\nfour\nfive\n");
}

#[test]
fn a_watch_that_starts_again_knows_what_was_taken_of_each_file() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("debug.log");
    append(&log, "one\n");
    let mut tail = Tail::new(&log, &[]);
    assert_eq!(read(&mut tail), "one\n");
    fs::rename(&log, folder.path().join("debug.log.1")).unwrap();
    append(&log, "two\n");
    assert_eq!(read(&mut tail), "|two\n");
    let parts = tail.parts();
    drop(tail);
    append(&log, "three\n");
    let mut tail = Tail::new(&log, &parts);
    assert!(!tail.is_caught_up());
    assert_eq!(read(&mut tail), "[one\n]|[two\n]three\n");
    assert!(tail.is_caught_up() && tail.is_at_log());
    // Copied and cut while nobody reads it.
    let parts = tail.parts();
    fs::copy(&log, folder.path().join("debug.log.2")).unwrap();
    File::options()
        .write(true)
        .open(&log)
        .unwrap()
        .set_len(0)
        .unwrap();
    append(&log, "four\n");
    let mut tail = Tail::new(&log, &parts);
    assert_eq!(read(&mut tail), "[one\n]|[two\nthr][ee\n]|four\n");
    assert_eq!(tail.parts().len(), PARTS_KEPT);
}

#[derive(Debug, Clone)]
enum Step {
    Append(String),
    Rename,
    Cut,
    Read,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => "[a-z]{1,9}\n".prop_map(Step::Append),
        1 => Just(Step::Rename),
        1 => Just(Step::Cut),
        3 => Just(Step::Read),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Each line is told once as new, in its order, if it is read before it is cut away.
    #[test]
    fn whatever_becomes_of_a_log_each_line_is_new_once(
        steps in proptest::collection::vec(step(), 1..30)
    ) {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("debug.log");
        let mut tail = Tail::new(&log, &[]);
        let (mut written, mut told, mut number) = (String::new(), String::new(), 0);
        let new = |read: &str| {
            let mut is_taken = false;
            let plain = |letter: &char| {
                match letter {
                    '[' => is_taken = true,
                    ']' => is_taken = false,
                    _ => {}
                }
                !is_taken && !"[]|".contains(*letter)
            };
            read.chars().filter(plain).collect::<String>()
        };
        for step in steps {
            number += 1;
            match step {
                Step::Append(text) => {
                    // Logs differ from their first line on: it has a time.
                    let text = format!("{number} {text}");
                    append(&log, &text);
                    written += &text;
                }
                Step::Rename => {
                    told += &new(&read(&mut tail));
                    if log.exists() {
                        fs::rename(&log, folder.path().join(format!("debug.log.{number}"))).unwrap();
                    }
                }
                Step::Cut => {
                    told += &new(&read(&mut tail));
                    if log.exists() {
                        File::options().write(true).open(&log).unwrap().set_len(0).unwrap();
                    }
                }
                Step::Read => told += &new(&read(&mut tail)),
                Step::Restart => {
                    // Positions are kept once what was read before is read again.
                    told += &new(&read(&mut tail));
                    tail = Tail::new(&log, &tail.parts());
                }
            }
        }
        told += &new(&read(&mut tail));
        prop_assert_eq!(told, written);
    }
}
