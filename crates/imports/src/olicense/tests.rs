//! What olixtool prints and the server's document, with made-up names.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::fact::{Fact, Snapshot};
use crate::reading::{Counts, read_all};

fn read(text: &str) -> (Vec<Fact>, Counts) {
    let mut reader = Olicense::new(Asked {
        at: Timestamp::UNIX_EPOCH,
        server: None,
        time_zone: TimeZone::UTC,
    });
    read_all(&mut reader, text)
}

fn pools(text: &str) -> Vec<Snapshot> {
    let (facts, counts) = read(text);
    assert_eq!(
        counts.understood,
        counts.lines,
        "{:?}",
        counts.not_understood()
    );
    let pools = facts.into_iter().filter_map(|fact| match fact {
        Fact::Snapshot(pool) => Some(*pool),
        _ => None,
    });
    pools.collect()
}

const TEXT: &str = "\
olixtool 4.8.0 - OLicense XML Status Application
Copyright (C) 2007-2013 Optimum GmbH, Karlsruhe, Germany

Server: <192.0.2.97:31212:0> (Proxy: <>)

List of requested licenses:

==============================================
Application:\tcosin
VersionRange:\t0-20231
Licenser:\tcosin scientific software
Licensee:\tÄnne Müller
License-ID:\tcosin-faf71fdc@cos550218
Modules:
  Name; LicenseType; FloatCount; Expiration
  --------------------------------------------
  ftire_adams;         \tFreeFloating;\t4;\t2022-12-31 23:59:59;
    2 FloatsLockedBy:
      ann@RD0087712 #1
      bob@pc-39.example.com #1
    1 FloatsLockedBy 'unknown clients'


==============================================
Application:\tcosin
VersionRange:\t0-20231
Licenser:\tcosin scientific software
Licensee:\tÄnne Müller
License-ID:\tcosin-faf71fdc@cos558164
Modules:
  Name; LicenseType; FloatCount; Expiration
  --------------------------------------------
  ftire_adams;         \tFreeFloating;\t1;\t2023-02-28 23:59:00;
";

#[test]
fn each_licence_of_a_module_is_a_pool_with_its_holders() {
    let pools = pools(TEXT);
    let [first, second] = pools.as_slice() else {
        panic!("{pools:?}");
    };
    assert_eq!(first.feature.product_id(), "cosin:ftire_adams");
    assert_eq!(first.server.as_deref(), Some("31212@192.0.2.97"));
    assert_eq!((first.issued, first.in_use), (Some(4), Some(3)));
    assert_eq!(first.held.len(), 2);
    assert_eq!(first.held[1].holder.host, "pc-39.example.com");
    assert_eq!((second.issued, second.in_use), (Some(1), Some(0)));
}

#[test]
fn the_document_is_read_with_seats_in_the_module_or_beside_it() {
    let beside = "\
<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<licenseStatus><serverVersion>4.8.0</serverVersion>
<license>
 <name>cosin</name><licenser>cosin scientific software</licenser>
 <versionRange>0-20231</versionRange>
 <module><name>ftire_adams</name></module>
 <floatCount>4</floatCount><floatsLocked>3</floatsLocked>
 <floatsLockedBy>ann@RD0087712 #1, @pc2 #2</floatsLockedBy>
 <expiration>2022-12-31</expiration>
</license>
</licenseStatus>
";
    let within = beside
        .replace("</module>", "")
        .replace(" <expiration>", " </module><expiration>");
    for document in [beside, within.as_str()] {
        let pools = pools(document);
        let [pool] = pools.as_slice() else {
            panic!("{pools:?}");
        };
        assert_eq!(pool.feature.product_id(), "cosin:ftire_adams");
        assert_eq!((pool.issued, pool.in_use), (Some(4), Some(3)));
        let held: Vec<(&str, u32)> = pool
            .held
            .iter()
            .map(|held| (held.holder.user.as_str(), held.seats))
            .collect();
        assert_eq!(held, [("ann", 1), ("", 2)]);
    }
}

#[test]
fn a_server_that_does_not_answer_is_said_so_and_a_bad_line_ends_nothing() {
    let text = "Server: <123:80:0> (Proxy: <>)\nOlComm 454 Request cannot connect to target\n";
    let (facts, counts) = read(text);
    assert_eq!(counts.understood, 2);
    let [Fact::Silent { server, .. }] = facts.as_slice() else {
        panic!("{facts:?}");
    };
    assert_eq!(server.as_deref(), Some("80@123"));
    let (facts, counts) = read("x FloatsLockedBy:\nann@pc #1\na; b; c;\na; b; 3; d;\nann@pc #x\n");
    assert_eq!((facts.len(), counts.understood), (1, 1));
    let (facts, counts) = read("<a>\n<floatCount>x</floatCount>\n</b>\n</module>\n");
    assert_eq!((facts.len(), counts.understood), (0, 1));
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(
        text in "(<license>|</license>|<module>|</module>|<floatCount>|<name>|Application:|Server: <| FloatsLockedBy|[0-9a@#;:<>/ \n]){0,40}"
    ) {
        let (_, counts) = read(&text);
        prop_assert!(counts.understood <= counts.lines);
    }
}
