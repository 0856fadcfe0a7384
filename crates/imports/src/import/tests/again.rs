//! The same file again, and a grown one.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

fn keys(rows: &[ImportRow]) -> Vec<String> {
    rows.iter().map(|row| row.key.clone()).collect()
}

#[test]
fn the_same_file_makes_the_same_keys_and_each_once() {
    let (first, _) = of(Kind::FlexnetLog, &[LOG]);
    let (second, _) = of(Kind::FlexnetLog, &[LOG]);
    assert_eq!(first, second);
    let different: BTreeSet<String> = keys(&first).into_iter().collect();
    assert_eq!(different.len(), first.len());
}

#[test]
fn rows_of_a_table_that_are_the_same_are_two_and_a_file_that_overlaps_adds_its_own_alone() {
    let head = "product,user,computer,started_at,ended_at\n";
    let row = "cad,ann,pc1,2026-11-30T08:00:00Z,2026-11-30T10:00:00Z\n";
    let other = "cad,bob,pc1,2026-11-30T08:00:00Z,2026-11-30T10:00:00Z\n";
    let (one, two) = (format!("{head}{row}{row}"), format!("{head}{row}{other}"));
    let (rows, _) = of(Kind::SessionsCsv, &[&one, &two]);
    let keys = keys(&rows);
    assert_ne!(keys[0], keys[1]);
    assert_eq!(keys[0], keys[2]);
    assert!(!keys[..3].contains(&keys[3]));
}

/// What a site has after the rows: by key, the use with its end.
pub(super) fn stored(site: &mut BTreeMap<String, ImportedUse>, rows: &[ImportRow]) {
    for row in rows {
        let Imported::Use(used) = &row.what else {
            continue;
        };
        let known = site.entry(row.key.clone()).or_insert_with(|| used.clone());
        if known.ended_at.is_none() {
            *known = used.clone();
        }
    }
}

pub(super) fn line(second: u32, word: &str, user: u8) -> String {
    let (minute, second) = (second / 60, second % 60);
    format!(" 8:{minute:02}:{second:02} (d) {word}: \"f\" u{user}@pc\n")
}

proptest! {
    /// Whatever a log holds and wherever it was cut when it was read first.
    #[test]
    fn a_grown_log_comes_to_what_it_comes_to_at_once(
        events in proptest::collection::vec((0_u32..3, any::<bool>(), 0_u8..3), 1..40),
        cut in 0_usize..40,
    ) {
        let mut second = 0;
        let mut lines = vec![" 8:00:00 (lmgrd) TIMESTAMP 11/30/2026\n".to_owned()];
        for (later, begins, user) in &events {
            second += later;
            let word = if *begins { "OUT" } else { "IN" };
            lines.push(line(second, word, *user));
        }
        let whole = lines.concat();
        let part = lines[..cut.min(events.len()) + 1].concat();
        let (early, _) = of(Kind::FlexnetLog, &[&part]);
        let (all, _) = of(Kind::FlexnetLog, &[&whole]);
        let (mut twice, mut once) = (BTreeMap::new(), BTreeMap::new());
        stored(&mut twice, &early);
        stored(&mut twice, &all);
        stored(&mut once, &all);
        prop_assert_eq!(twice, once);
    }

    #[test]
    fn no_file_breaks_an_import(
        kind in 0_usize..Kind::ALL.len(),
        text in "(INCREMENT f d 1.0 permanent 3|OUT: \"f\" a@b|8:00:00 \\(d\\) |Feature: |Users of f:|product,user|<a>|[ -~é\n]){0,20}"
    ) {
        let kind = Kind::ALL[kind];
        let (_, summary) = of(kind, &[&text, &text]);
        prop_assert!(summary.understood <= summary.lines);
    }
}
