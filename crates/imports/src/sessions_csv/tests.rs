//! Tables of uses, good and bad.

use proptest::prelude::*;

use super::*;
use crate::fact::{Product, Session};
use crate::reading::{Counts, read_all};

fn read(text: &str) -> (Vec<Session>, Counts, Vec<String>) {
    let mut reader = SessionsCsv::new();
    let (facts, counts) = read_all(&mut reader, text);
    let sessions = facts.into_iter().filter_map(|fact| match fact {
        Fact::Session(session) => Some(*session),
        _ => None,
    });
    let errors = reader.errors().iter().map(LineError::to_string);
    (sessions.collect(), counts, errors.collect())
}

const HEADER: &str = "product,user,computer,started_at,ended_at";

#[test]
fn rows_are_uses_and_the_same_row_twice_is_two() {
    let row = "cad,ann,pc1,2026-01-31T08:00:00+01:00,2026-01-31T09:00:00Z";
    let (sessions, counts, errors) = read(&format!("{HEADER}\r\n{row}\r\n{row}\r\n\r\n"));
    assert_eq!(errors, [""; 0]);
    assert_eq!((counts.lines, counts.understood), (4, 4));
    let [first, second] = sessions.as_slice() else {
        panic!("{sessions:?}");
    };
    assert_eq!(first.product, Product::Id("cad".to_owned()));
    assert_eq!(first.from, "2026-01-31T07:00:00Z".parse().unwrap());
    assert_eq!((first.seats, first.row, second.row), (1, 1, 2));
    let same = Session {
        row: 1,
        ..second.clone()
    };
    assert_eq!(same, *first);
}

#[test]
fn columns_may_stand_in_any_order_and_some_may_be_missing() {
    let (sessions, _, errors) = read(
        "seats,ended_at,started_at,version,computer,user,product,program\n3,,2026-01-31T08:00:00Z,2.1,pc1,\"Ann, B\",cad, /opt/cad\n",
    );
    assert_eq!(errors, [""; 0]);
    let session = &sessions[0];
    assert_eq!((session.seats, session.until), (3, None));
    assert_eq!(session.holder.user, "Ann, B");
    assert_eq!(session.version.as_deref(), Some("2.1"));
    assert_eq!(session.program.as_deref(), Some("/opt/cad"));
}

#[test]
fn each_error_names_its_line_and_what_is_wrong_and_the_rest_is_taken_in() {
    let rows = [
        "cad,ann,pc1,2026-01-31T08:00:00Z,",
        "cad,ann,pc1,2026-01-31 08:00,",
        "cad,ann,pc1,2026-01-31T08:00:00Z,2026-01-31T07:00:00Z",
        ",ann,pc1,2026-01-31T08:00:00Z,",
        "cad,ann,pc1,,",
        "cad,ann,pc1,2026-01-31T08:00:00Z",
        "cad,\"ann,pc1,2026-01-31T08:00:00Z,",
        "cad,an\tn,pc1,2026-01-31T08:00:00Z,",
    ];
    let (sessions, counts, errors) = read(&format!("{HEADER}\n{}\n", rows.join("\n")));
    assert_eq!(sessions.len(), 1);
    assert_eq!((counts.lines, counts.understood), (9, 2));
    assert_eq!(
        errors,
        [
            "line 3: started_at \"2026-01-31 08:00\" is no RFC 3339 time with an offset, such as 2026-01-31T08:00:00Z",
            "line 4: ended_at is before started_at",
            "line 5: product is empty",
            "line 6: started_at is empty",
            "line 7: the row has 4 cells, the first line has 5",
            "line 8: a quoted cell does not end on its line, or something follows its end",
            "line 9: user is longer than 255 bytes, or has control characters",
        ]
    );
    let (_, _, errors) = read(&format!(
        "{HEADER},seats\ncad,ann,pc1,2026-01-31T08:00:00Z,,0\n"
    ));
    assert_eq!(
        errors,
        ["line 2: seats \"0\" is no whole number from 1 to 4294967295"]
    );
}

#[test]
fn without_a_good_header_no_row_is_read() {
    let row = "cad,ann,pc1,2026-01-31T08:00:00Z,";
    for (header, error) in [
        (
            "product,user,computer,started_at",
            "line 1: the column ended_at is missing",
        ),
        (
            "product,user,computer,started_at,ended_at,user",
            "line 1: the column user is there twice",
        ),
        (
            row,
            "line 1: there is no column \"cad\"; columns are product, user, computer, started_at, ended_at, program, version and seats",
        ),
    ] {
        let (sessions, counts, errors) = read(&format!("{header}\n{row}\n"));
        assert!(sessions.is_empty());
        assert_eq!(counts.understood, 0);
        assert_eq!(
            errors,
            [
                error,
                "line 2: without a header in the first line no row can be read"
            ]
        );
    }
}

#[test]
fn errors_beyond_the_limit_are_counted() {
    let mut reader = SessionsCsv::new();
    let text = format!("{HEADER}\n{}", "x\n".repeat(ERRORS_LIMIT + 7));
    let (facts, _) = read_all(&mut reader, &text);
    assert!(facts.is_empty());
    assert_eq!(
        (reader.errors().len(), reader.more_errors()),
        (ERRORS_LIMIT, 7)
    );
}

proptest! {
    #[test]
    fn each_line_is_a_use_or_an_error(
        rows in proptest::collection::vec(
            "(cad|\"|,|ann|2026-01-31T08:00:00Z|1969-12-31T23:59:60Z|[0-9]){0,12}", 0..8
        )
    ) {
        let (sessions, counts, errors) = read(&format!("{HEADER}\n{}\n", rows.join("\n")));
        let blank = rows.iter().filter(|row| row.trim().is_empty()).count();
        let blank = if rows.is_empty() { 1 } else { blank };
        prop_assert_eq!(sessions.len() + errors.len() + blank + 1, counts.lines as usize);
    }
}
