//! Files of SMS, and what is told of each line.

use super::*;

fn read_in_berlin(text: &str) -> (Option<PackSchedule>, String) {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let (schedule, lines) = read(text, &zone, "Europe/Berlin");
    let lines = lines.iter().map(|line| {
        let Line {
            number,
            text,
            did,
            why,
        } = line;
        format!("{number} {text} -> {did:?}: {why}\n")
    });
    (schedule, lines.collect())
}

#[test]
fn a_whole_file_is_told_line_by_line() {
    let (schedule, lines) = read_in_berlin(
        "; Remodbc\r\n[DS]\r\nPackTime=1774745999\r\nPackInterval=604800\r\nDSN=smslic\r\n\
         PackTime=5\r\n\r\n[logging]\r\nLogOn=1\r\nFileName=C:\\SMS\\remodbc.log\r\n\
         BackupName=C:\\SMS\\remodbc.lo_\r\nMaxSize=100000\r\nnonsense\r\n",
    );
    let schedule = schedule.unwrap();
    assert_eq!(schedule.schedule, "Sun 01:59:59");
    assert_eq!(schedule.time_zone.as_deref(), Some("Europe/Berlin"));
    assert_eq!(
        schedule.pack_time, None,
        "the calendar keeps the week's step"
    );
    insta::assert_snapshot!(lines, @r"
        3 PackTime=1774745999 -> TakenOver: packs run by the schedule Sun 01:59:59, Europe/Berlin
        4 PackInterval=604800 -> Mapped: 604800 seconds are a week: packs run by the calendar, Sun 01:59:59, and do not drift by an hour where clocks are changed
        5 DSN=smslic -> NoEquivalent: Usher has no such setting
        6 PackTime=5 -> NoEquivalent: the same key stands further up, and Windows reads the first
        9 LogOn=1 -> Mapped: Usher's log is always on; USHER_LOG=debug makes it say more
        10 FileName=C:\SMS\remodbc.log -> Mapped: the log goes to standard error, which systemd keeps: journalctl -u usher-server
        11 BackupName=C:\SMS\remodbc.lo_ -> NoEquivalent: systemd's journal keeps older entries by itself
        12 MaxSize=100000 -> NoEquivalent: systemd's journal keeps to its own bound, SystemMaxUse= in journald.conf
        13 nonsense -> NotUnderstood: it is no KEY=VALUE
        ");
}

#[test]
fn other_intervals_than_a_week_keep_step_with_the_pack_time() {
    for (interval, expected) in [
        ("1209600", Some("every 14 days 01:59:59")),
        ("86400", Some("daily 01:59:59")),
        ("100000", Some("every 100000 seconds")),
        ("129600", Some("every 36 hours")),
        ("60", None),
        ("0", None),
        ("-604800", None),
        ("99999999999", None),
    ] {
        let text = format!("[DS]\nPackInterval={interval}\nPackTime=1774745999\n");
        let (schedule, lines) = read_in_berlin(&text);
        let anchor = schedule.as_ref().and_then(|schedule| schedule.pack_time);
        assert_eq!(anchor.is_some(), expected.is_some(), "{interval}");
        let written = schedule.map(|schedule| schedule.schedule);
        assert_eq!(written.as_deref(), expected, "{interval}: {lines}");
    }
}

#[test]
fn what_cannot_be_read_changes_nothing_and_is_told() {
    for text in [
        "",
        "[DS]\nPackTime=soon\n",
        "[Other]\nPackTime=1774745999\n",
        "\u{0}\u{fffd}=[",
    ] {
        let (schedule, lines) = read_in_berlin(text);
        assert_eq!(schedule, None, "{text:?}");
        assert!(!lines.contains("TakenOver"), "{lines}");
    }
}
