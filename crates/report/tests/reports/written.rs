//! Reports as CSV and as tables of a width.

use usher_api::{Cell, Column, ColumnKind, ReportName, Section};
use usher_report::render;

use crate::made_up::{berlin, report};

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
    let report = crate::made_up::report(ReportName::Holders);
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
