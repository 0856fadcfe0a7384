//! Reports as CSV, as tables of a width, and as Parquet files.

use usher_api::{Cell, Column, ColumnKind, ReportName, Section};
use usher_parquet::{Bytes, Reader, Values};
use usher_report::render;

use crate::each_report::report;
use crate::made_up::berlin;

fn section(rows: Vec<Vec<Cell>>) -> Section {
    let column = |key: &str, kind| Column {
        key: key.to_owned(),
        title: key.to_uppercase(),
        unit: None,
        kind,
    };
    Section {
        key: "people".to_owned(),
        title: "People".to_owned(),
        summary: "Nobody.".to_owned(),
        columns: vec![
            column("user", ColumnKind::Text),
            column("last_used_at", ColumnKind::Time),
            column("open_seconds", ColumnKind::Seconds),
        ],
        rows,
        plot: None,
    }
}

#[test]
fn a_table_is_written_for_a_spreadsheet_which_runs_nothing_of_it() {
    let section = section(vec![
        vec![
            Cell::text("=HYPERLINK(\"x\")"),
            Cell::text("2026-11-30T20:00:00Z"),
            Cell::Number(1.5),
        ],
        vec![
            Cell::text("a,b\nc"),
            Cell::Null,
            Cell::not_known("nobody looked"),
        ],
        vec![
            Cell::text("\tx"),
            Cell::not_known("nobody looked"),
            Cell::Number(-2.0),
        ],
    ]);
    let text = render::csv_section(&section).unwrap();
    let expected = concat!(
        "user,last_used_at,open_seconds\n",
        "\"'=HYPERLINK(\"\"x\"\")\",2026-11-30T20:00:00Z,1.5\n",
        "\"a,b\nc\",,not known\n",
        "'\tx,not known,-2\n",
    );
    assert_eq!(text, expected);
}

#[test]
fn tables_of_one_file_are_apart_by_an_empty_line_and_named() {
    let report = report(ReportName::Programs);
    let only = render::csv(&report).unwrap();
    assert!(only.starts_with("program,desktop_name,package,"), "{only}");
    let report = crate::each_report::report(ReportName::Holders);
    let all = render::csv(&report).unwrap();
    let tables: Vec<&str> = all.split("\n\n").collect();
    let first = |text: &&str| text.lines().next().unwrap().to_owned();
    let names: Vec<String> = tables.iter().map(first).collect();
    assert_eq!(
        names,
        [
            "section,products",
            "section,idle",
            "section,held",
            "section,waiting"
        ]
    );
}

#[test]
fn a_table_is_no_wider_than_its_terminal() {
    for name in ReportName::ALL {
        for width in [80, 100, 132] {
            let text = render::table(&report(name), &berlin(), width);
            let widest = text.lines().map(|line| line.chars().count()).max();
            assert!(widest.unwrap() <= width, "{name} at {width}:\n{text}");
        }
    }
}

#[test]
fn a_table_for_a_file_has_all_its_columns_beside_each_other() {
    let text = render::table(&report(ReportName::Usage), &berlin(), usize::MAX);
    let heading = text
        .lines()
        .find(|line| line.starts_with("PRODUCT"))
        .unwrap();
    assert!(heading.contains("STATE"), "{heading}");
}

fn read(report: &usher_api::Report) -> Reader<Bytes> {
    Reader::open(Bytes::from(render::parquet(report).unwrap())).unwrap()
}

/// The cells of the column of that name in a group.
fn cells(reader: &Reader<Bytes>, group: usize, name: &str) -> Values {
    let place = reader.place(name).unwrap();
    reader.read(group, &[place]).unwrap().remove(0)
}

#[test]
fn a_parquet_file_has_typed_columns_and_says_what_is_not_known() {
    let mut report = report(ReportName::People);
    let mut first = section(vec![
        vec![
            Cell::text("=1+1"),
            Cell::text("2026-11-30T20:00:00.25Z"),
            Cell::Number(1.5),
        ],
        vec![Cell::Null, Cell::not_known("nobody looked"), Cell::Whole(2)],
    ]);
    first.key = "one".to_owned();
    let mut second = section(vec![vec![
        Cell::text("ann"),
        Cell::text("2026-11-30"),
        Cell::text("soon"),
    ]]);
    second.columns[1].kind = ColumnKind::Day;
    report.sections = vec![first, second];
    let reader = read(&report);
    let names: Vec<&str> = reader.columns().iter().map(|it| &*it.name).collect();
    // What is of the same key and another kind has a column of its own.
    let expected = [
        "section",
        "user",
        "last_used_at",
        "open_seconds",
        "people_last_used_at",
        "not_known",
    ];
    assert_eq!(names, expected);
    let texts = |texts: &[Option<&str>]| {
        Values::Text(texts.iter().map(|it| it.map(str::to_owned)).collect())
    };
    assert_eq!(
        cells(&reader, 0, "section"),
        texts(&[Some("one"), Some("one")])
    );
    assert_eq!(cells(&reader, 0, "user"), texts(&[Some("=1+1"), None]));
    let at = Values::Whole(vec![Some(1_796_068_800_250_000), None]);
    assert_eq!(cells(&reader, 0, "last_used_at"), at);
    let numbers = Values::Number(vec![Some(1.5), Some(2.0)]);
    assert_eq!(cells(&reader, 0, "open_seconds"), numbers);
    let why = r#"{"last_used_at":"nobody looked"}"#;
    assert_eq!(cells(&reader, 0, "not_known"), texts(&[None, Some(why)]));
    let day = Values::Whole(vec![Some(20_787)]);
    assert_eq!(cells(&reader, 1, "people_last_used_at"), day);
    assert_eq!(cells(&reader, 1, "last_used_at"), Values::Whole(vec![None]));
    let why = r#"{"open_seconds":"\"soon\" is no value of this column"}"#;
    assert_eq!(cells(&reader, 1, "not_known"), texts(&[Some(why)]));
}

#[test]
fn each_report_is_a_parquet_file_with_all_its_rows_and_what_it_says_of_itself() {
    for name in ReportName::ALL {
        let report = report(name);
        let reader = read(&report);
        let rows: usize = report.sections.iter().map(|it| it.rows.len()).sum();
        assert_eq!(reader.rows(), rows as u64, "{name}");
        let told: usher_api::Report =
            serde_json::from_str(reader.note("usher.report").unwrap()).unwrap();
        assert_eq!((told.hash, told.cut), (report.hash, report.cut), "{name}");
        // Only what the report says is not known is null without being null.
        let unknown = report.sections.iter().flat_map(|it| &it.rows).flatten();
        let unknown = unknown
            .filter(|it| matches!(it, Cell::NotKnown { .. }))
            .count();
        let mut told = 0;
        for group in 0..reader.groups() {
            let Values::Text(texts) = cells(&reader, group, "not_known") else {
                panic!("{name}");
            };
            for text in texts.iter().flatten() {
                let by_key: serde_json::Map<String, serde_json::Value> =
                    serde_json::from_str(text).unwrap();
                told += by_key.len();
            }
        }
        assert_eq!(told, unknown, "{name}");
    }
}
