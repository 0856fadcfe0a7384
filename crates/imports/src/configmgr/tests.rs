//! Exports of Configuration Manager, in the forms that are found, with made-up names.

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::fact::{Fact, Product, Session, Summed};
use crate::reading::{Counts, read_all};

fn read_with(text: &str, dates: DateOrder) -> (Vec<Fact>, Counts, Vec<String>) {
    let mut reader = Configmgr::new(How {
        time_zone: TimeZone::UTC,
        dates,
    });
    let (facts, counts) = read_all(&mut reader, text);
    (facts, counts, reader.unknown_columns().to_vec())
}

fn summed(text: &str) -> Vec<Summed> {
    let (facts, _, _) = read_with(text, DateOrder::MonthFirst);
    let all = facts.into_iter().filter_map(|fact| match fact {
        Fact::Summed(summed) => Some(*summed),
        _ => None,
    });
    all.collect()
}

fn time(text: &str) -> Option<Timestamp> {
    Some(text.parse().unwrap())
}

fn name(product: &Product) -> String {
    match product {
        Product::Foreign(feature) => feature.product_id(),
        Product::Id(id) => id.clone(),
    }
}

#[test]
fn a_view_of_months_is_read_with_whoever_is_joined_to_it() {
    let text = "\
\"Netbios_Name0\",\"FullName\",\"FileName\",\"FileVersion\",\"TimeKey\",\"UsageCount\",\"TSUsageCount\",\"UsageTime\",\"LastUsage\",\"SiteCode\"
\"PC1\",\"SITE\\ann\",\"visio.exe\",\"16.0\",\"202412\",\"3\",\"1\",\"5400\",\"2024-12-17 17:59:34.000\",\"P01\"
\"PC2\",\"NULL\",\"visio.exe\",\"16.0\",\"202412\",\"0\",\"0\",\"0\",\"NULL\",\"P01\"
";
    let (_, counts, unknown) = read_with(text, DateOrder::MonthFirst);
    assert_eq!((counts.lines, counts.understood), (3, 3));
    assert_eq!(unknown, ["SiteCode"]);
    let rows = summed(text);
    let [ann, nobody] = rows.as_slice() else {
        panic!("{rows:?}");
    };
    assert_eq!(name(&ann.product), "unknown:visio.exe");
    let holder = ann.holder.as_ref().unwrap();
    assert_eq!(
        (holder.user.as_str(), holder.host.as_str()),
        ("SITE\\ann", "PC1")
    );
    assert_eq!((ann.starts, ann.seconds, ann.row), (Some(4), Some(5400), 1));
    assert_eq!(ann.last_used, time("2024-12-17T17:59:34Z"));
    assert_eq!(ann.from, time("2024-12-01T00:00:00Z"));
    assert_eq!(ann.to, time("2025-01-01T00:00:00Z"));
    assert_eq!(nobody.last_used, None);
    assert_eq!(nobody.holder.as_ref().unwrap().user, "");
}

#[test]
fn a_report_is_read_below_its_title_and_in_the_form_of_its_country() {
    let text = "\
Computers that have run a metered program
;;
Details_Table0_Netbios_Name0;Details_Table0_Product_Name;Details_Table0_LastUsage;Colour
PC1;Visio;30.11.2026 18:18:00;red
PC2;Visio;11/3/2026 6:18:00 PM;red
PC3;Visio;3/11/2026 18:18;red
";
    let (facts, counts, unknown) = read_with(text, DateOrder::DayFirst);
    assert_eq!((counts.lines, counts.understood), (6, 4));
    assert_eq!(unknown, ["Colour"]);
    let seen: Vec<Option<Timestamp>> = facts
        .iter()
        .map(|fact| match fact {
            Fact::Summed(summed) => summed.last_used,
            _ => None,
        })
        .collect();
    assert_eq!(
        seen,
        [
            time("2026-11-30T18:18:00Z"),
            time("2026-11-03T18:18:00Z"),
            time("2026-11-03T18:18:00Z")
        ]
    );
}

#[test]
fn raw_data_is_read_as_uses_and_an_end_that_was_not_captured_is_none() {
    let text = "\
#TYPE System.Management.ManagementObject
ProductName,FileName,UserName,Domain,ResourceID,StartTimeGMT,EndTimeGMT,StillRunning
Visio,visio.exe,ann,SITE,16777220,2026-01-31 08:00:00,2026-01-31 09:00:00,False
Visio,visio.exe,ann,SITE,16777220,2026-01-31 10:00:00,,True
Visio,visio.exe,ann,SITE,16777220,2026-01-31 11:00:00,,False
";
    let (facts, counts, _) = read_with(text, DateOrder::MonthFirst);
    assert_eq!((counts.lines, counts.understood), (5, 4));
    let [Fact::Session(first), Fact::Session(second)] = facts.as_slice() else {
        panic!("{facts:?}");
    };
    let Session { from, until, .. } = &**first;
    assert_eq!(
        (Some(*from), *until),
        (time("2026-01-31T08:00:00Z"), time("2026-01-31T09:00:00Z"))
    );
    assert_eq!(first.holder.user, "SITE\\ann");
    assert_eq!(first.holder.host, "ResourceID 16777220");
    assert_eq!(first.program.as_deref(), Some("visio.exe"));
    assert_eq!(second.until, None);
}

#[test]
fn a_summary_of_intervals_says_how_many_people() {
    let rows = summed(
        "FileID,IntervalStart,IntervalWidth,DistinctUserCount,SiteCode\n16777217,2026-01-31 08:00:00,15,7,P01\n",
    );
    let [row] = rows.as_slice() else {
        panic!("{rows:?}");
    };
    assert_eq!(name(&row.product), "unknown:FileID%2016777217");
    assert_eq!(
        (row.users, row.starts, row.holder.clone()),
        (Some(7), None, None)
    );
    assert_eq!(row.from, time("2026-01-31T08:00:00Z"));
    assert_eq!(row.to, time("2026-01-31T08:15:00Z"));
}

#[test]
fn a_bad_row_ends_nothing_and_people_alone_are_no_use() {
    let header = "FileName,UsageCount,TimeKey";
    let text =
        format!("{header}\na,x,202412\na,1,202413\na,1\n\"a,1,202412\n,1,202412\na,2,202411\n");
    let (facts, counts, _) = read_with(&text, DateOrder::MonthFirst);
    assert_eq!((facts.len(), counts.understood), (1, 2));
    let people = "MeteredUserID,FullName,Domain,UserName\n1,SITE\\ann,SITE,ann\n";
    let (facts, counts, _) = read_with(people, DateOrder::MonthFirst);
    assert_eq!((facts.len(), counts.understood), (0, 0));
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(
        rows in "([0-9/.: ,;\"\nAPM]|NULL|202412|StartTime|FileName){0,60}"
    ) {
        for header in ["FileName,UsageCount,TimeKey,LastUsage", "File Name;Start Time;End Time"] {
            let (_, counts, _) = read_with(&format!("{header}\n{rows}"), DateOrder::DayFirst);
            prop_assert!(counts.understood <= counts.lines);
        }
    }
}
