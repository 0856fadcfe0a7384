//! Whatever stands in a report, its page has the elements of ours and no others.

use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::events::Event;
use usher_api::{Cell, Plot, Report, ReportName};
use usher_report::render;

use crate::each_report::report;
use crate::made_up::berlin;

/// The elements of a page in their order; an error if it is not well-formed.
fn elements(page: &str) -> Result<Vec<String>, quick_xml::Error> {
    let mut reader = Reader::from_str(page);
    let mut elements = Vec::new();
    loop {
        match reader.read_event()? {
            Event::Start(tag) | Event::Empty(tag) => {
                for attribute in tag.attributes() {
                    attribute?;
                }
                elements.push(String::from_utf8_lossy(tag.name().as_ref()).into_owned());
            }
            Event::Eof => return Ok(elements),
            _ => {}
        }
    }
}

/// The report with other texts of people, computers, products, sentences and reasons.
fn with_texts(mut report: Report, text: &str) -> Report {
    let mut number = 0;
    let mut put = |into: &mut String| {
        number += 1;
        // Numbers keep what was different different.
        *into = format!("{text}{number}");
    };
    put(&mut report.title);
    report.notes.iter_mut().for_each(&mut put);
    for it in &mut report.as_of {
        put(&mut it.server);
    }
    for it in &mut report.cut {
        put(&mut it.what);
        put(&mut it.why);
    }
    for section in &mut report.sections {
        put(&mut section.key);
        put(&mut section.title);
        put(&mut section.summary);
        for column in &mut section.columns {
            put(&mut column.title);
        }
        for cell in section.rows.iter_mut().flatten() {
            match cell {
                Cell::Text(it) => put(it),
                Cell::NotKnown { not_known } => not_known.insert_str(0, text),
                _ => {}
            }
        }
        match &mut section.plot {
            Some(Plot::Lines { unit, series, .. }) => {
                put(unit);
                series.iter_mut().for_each(|it| put(&mut it.title));
            }
            Some(Plot::Bars { unit, bars }) => {
                put(unit);
                bars.iter_mut().for_each(|it| put(&mut it.title));
            }
            Some(Plot::HeatMap { unit, rows, .. }) => {
                put(unit);
                rows.iter_mut().for_each(|it| put(&mut it.title));
            }
            None => {}
        }
    }
    report
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        any::<Vec<u8>>().prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        "[<>&\"'/= a-z!\\[\\]-]{0,40}",
        Just("</td><script>alert(1)</script>".to_owned()),
        Just("\" onload=\"x\" a='".to_owned()),
        Just("\u{202e}gnp.exe\u{0}\u{7}".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_page_has_the_same_elements_whatever_stands_in_it(text in texts()) {
        for name in ReportName::ALL {
            let plain = render::html(&with_texts(report(name), "a"), &berlin());
            let page = render::html(&with_texts(report(name), &text), &berlin());
            let found = elements(&page);
            prop_assert!(found.is_ok(), "{name}: {found:?}");
            prop_assert_eq!(found.unwrap(), elements(&plain).unwrap());
            prop_assert!(!page.chars().any(|c| usher_api::is_unseen(c) && c != '\n'));
        }
    }

    #[test]
    fn a_line_of_a_terminal_shows_all_that_is_in_it(text in texts()) {
        for name in ReportName::ALL {
            let table = render::table(&with_texts(report(name), &text), &berlin(), 80);
            prop_assert!(!table.chars().any(|c| usher_api::is_unseen(c) && c != '\n'));
        }
    }
}
