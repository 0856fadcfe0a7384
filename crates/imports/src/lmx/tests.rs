//! What lmxendutil prints, as text and as a document, with made-up names.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::fact::{Fact, Snapshot};
use crate::reading::{Counts, read_all};

fn read(text: &str) -> (Vec<Fact>, Counts) {
    let mut reader = Lmx::new(Asked {
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

fn time(text: &str) -> Option<Timestamp> {
    Some(text.parse().unwrap())
}

const TEXT: &str = "\
LM-X End-user Utility v3.32
Copyright (C) 2002-2010 X-Formation. All rights reserved.

++++++++++++++++++++++++++++++++++++++++
LM-X License Server on 6200@lic13.example.com:

Server version: v5.1 Uptime: 3 day(s) 12 hour(s) 0 min(s) 51 sec(s)
----------------------------------------
Feature: CatiaV5Reader Version: 21.0 Vendor: ALTAIR
Start date: 2022-02-17 Expire date: 2023-01-31
Key type: EXCLUSIVE License sharing: CUSTOM VIRTUAL

0 of 3 license(s) used
----------------------------------------
Feature: GlobalZoneEU Version: 21.0 Vendor: ALTAIR
Start date: NONE Expire date: 2023-01-31
Key type: EXCLUSIVE License sharing: HOST USER VIRTUAL

40000 of 2147483647 license(s) used:

15000 license(s) used by ANN@RD0082879 [192.0.2.158]
    Login time: 2022-02-18 09:26   Checkout time: 2022-02-18 09:29 
    Shared on custom string: ANN:RD0082879:27164_23514544_1645091752_138525

25000 license(s) used by bob@site@pc46.example.com_ver2023 [192.0.2.20]
    Borrow expire time: 2022-03-18 09:26
";

#[test]
fn the_text_is_read_with_each_features_seats_and_who_has_them() {
    let pools = pools(TEXT);
    let [reader, zone] = pools.as_slice() else {
        panic!("{pools:?}");
    };
    assert_eq!(reader.feature.product_id(), "ALTAIR:CatiaV5Reader");
    assert_eq!(reader.server.as_deref(), Some("6200@lic13.example.com"));
    assert_eq!((reader.issued, reader.in_use), (Some(3), Some(0)));
    assert_eq!((zone.issued, zone.in_use), (None, Some(40_000)));
    let [ann, bob] = zone.held.as_slice() else {
        panic!("{zone:?}");
    };
    assert_eq!((ann.seats, ann.version.as_deref()), (15_000, Some("21.0")));
    assert_eq!(ann.since, time("2022-02-18T09:29:00Z"));
    assert_eq!(bob.holder.user, "bob@site");
    assert_eq!(bob.holder.host, "pc46.example.com_ver2023");
    assert_eq!(bob.borrowed_until, time("2022-03-18T09:26:00Z"));
}

#[test]
fn the_document_says_the_same_as_the_text() {
    let xml = "\
LM-X End-user Utility v3.32
Copyright (C) 2002-2010 X-Formation. All rights reserved.

<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<LM-X PROGRAM=\"lmxendutil\" VERSION=\"3.32\">
<LICENSE_PATH TYPE=\"NETWORK\" HOST=\"6200@lic13.example.com\" SERVER_VERSION=\"5.1\" UPTIME=\"8 hour(s)\" STATUS=\"SUCCESS\">
  <FEATURE NAME=\"CatiaV5Reader\" VERSION=\"21.0\" VENDOR=\"ALTAIR\" START=\"2022-02-17\" END=\"2023-01-31\" USED_LICENSES=\"0\" TOTAL_LICENSES=\"3\" DENIED_LICENSES=\"0\" SHARE=\"CUSTOM ,VIRTUAL\"/>
  <FEATURE NAME=\"GlobalZoneEU\" VERSION=\"21.0\" VENDOR=\"ALTAIR\" END=\"2023-01-31\"
     USED_LICENSES=\"40000\" TOTAL_LICENSES=\"2147483647\" SHARE=\"\">
    <USER NAME=\"ANN\" HOST=\"RD0082879\" IP=\"192.0.2.158\" USED_LICENSES=\"15000\" LOGIN_TIME=\"2022-02-18 09:26\" CHECKOUT_TIME=\"2022-02-18 09:29\" SHARE_CUSTOM=\"ANN:RD0082879\"/>
    <USER NAME=\"bob@site\" HOST=\"pc46.example.com_ver2023\" IP=\"192.0.2.20\" USED_LICENSES=\"25000\" BORROW_EXPIRE_TIME=\"2022-03-18 09:26\"/>
  </FEATURE>
</LICENSE_PATH>
</LM-X>
";
    assert_eq!(pools(xml), pools(TEXT));
}

#[test]
fn a_server_that_tells_nothing_is_said_so() {
    let text = "LM-X license server(s):\n----\nThere are no license server(s) available.\n";
    let (facts, counts) = read(text);
    assert_eq!(counts.understood, 3);
    assert!(matches!(facts.as_slice(), [Fact::Silent { .. }]));
    let xml = "<LM-X>\n<LICENSE_PATH HOST=\"6200@a\" STATUS=\"FAILURE\">\n</LICENSE_PATH></LM-X>\n";
    let (facts, _) = read(xml);
    let [Fact::Silent { server, why, .. }] = facts.as_slice() else {
        panic!("{facts:?}");
    };
    assert_eq!(
        (server.as_deref(), why.as_str()),
        (Some("6200@a"), "FAILURE")
    );
}

#[test]
fn what_is_not_known_is_counted_and_ends_nothing() {
    let (facts, counts) = read(
        "Feature: \n7 of x license(s) used\n1 license(s) used by ann@pc [::1]\nFeature: a Version: 1.0 Vendor: V\nLogin time: soon\n1 of 2 license(s) used:\n",
    );
    assert_eq!((counts.lines, counts.understood), (6, 2));
    assert_eq!(facts.len(), 1);
    let (facts, counts) =
        read("<LM-X>\n<COLOUR/>\n<FEATURE NAME=\"a\" USED_LICENSES=\"x\"/>\n<USER/>\n");
    assert_eq!(counts.understood, 1);
    assert_eq!(facts.len(), 1);
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(
        text in "(Feature: a|Version: |[0-9]{1,22} of 3 license\\(s\\) used|1 license\\(s\\) used by|Checkout time: |<FEATURE NAME='a'|<USER |[0-9a@\\[\n<>/=' ]){0,30}"
    ) {
        let (_, counts) = read(&text);
        prop_assert!(counts.understood <= counts.lines);
    }
}
