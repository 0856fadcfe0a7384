//! What scontrol prints, with made-up names.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::fact::{Fact, Snapshot};
use crate::reading::{Counts, read_all};

fn read(text: &str) -> (Vec<Snapshot>, Counts) {
    let mut reader = Slurm::new(Asked {
        at: Timestamp::UNIX_EPOCH,
        server: Some("cluster".to_owned()),
        time_zone: TimeZone::UTC,
    });
    let (facts, counts) = read_all(&mut reader, text);
    let pools = facts.into_iter().filter_map(|fact| match fact {
        Fact::Snapshot(pool) => Some(*pool),
        _ => None,
    });
    (pools.collect(), counts)
}

const LINES: &str = "\
LicenseName=cad
    Total=10 Used=3 Free=5 Reserved=2 Remote=no
LicenseName=solver@lic1
    Total=80 Used=4 Free=66 Reserved=0 Remote=yes
    LastConsumed=30 LastDeficit=10 LastUpdate=2023-02-28T16:39:27
";

#[test]
fn one_line_and_several_lines_say_the_same() {
    let (several, counts) = read(LINES);
    assert_eq!(counts.understood, counts.lines);
    let on_one_line = LINES.replace("\n    ", " ");
    assert_eq!(read(&on_one_line).0, several);
    let [cad, solver] = several.as_slice() else {
        panic!("{several:?}");
    };
    assert_eq!((cad.issued, cad.in_use), (Some(10), Some(3)));
    assert_eq!(cad.reserved, [("a reservation".to_owned(), 2)]);
    assert_eq!(cad.server.as_deref(), Some("cluster"));
    assert_eq!(solver.feature.product_id(), "unknown:solver@lic1");
    // Others use some of a remote licence, too.
    assert_eq!((solver.issued, solver.in_use), (Some(80), Some(30)));
    assert!(solver.reserved.is_empty() && solver.held.is_empty());
}

#[test]
fn a_cluster_without_licences_is_understood_and_a_bad_number_is_not() {
    let (pools, counts) = read("No licenses configured in Slurm.\n");
    assert!(pools.is_empty());
    assert_eq!(counts.understood, 1);
    let (pools, counts) =
        read("LicenseName=a Total= Used=1 Colour=red\nTotal=-1\nslurm_load: error\n");
    assert_eq!(counts.understood, 0);
    assert_eq!(pools[0].issued, None);
    assert_eq!(pools[0].in_use, Some(1));
    let (pools, counts) = read("Total=5\n");
    assert!(pools.is_empty());
    assert_eq!(counts.understood, 0);
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(text in "(LicenseName=|Total=|Used=|Reserved=|LastConsumed=|[0-9a =\n@-]){0,30}") {
        let (_, counts) = read(&text);
        prop_assert!(counts.understood <= counts.lines);
    }
}
