//! What lsmon prints, with made-up names.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::fact::Fact;
use crate::reading::{Counts, read_all};

fn read(text: &str) -> (Vec<Fact>, Counts) {
    let mut reader = Lsmon::new(Asked {
        at: Timestamp::UNIX_EPOCH,
        server: None,
        time_zone: TimeZone::UTC,
    });
    read_all(&mut reader, text)
}

const TEXT: &str = r#"  Sentinel RMS Development Kit 9.1.0.0104 Application Monitor
  Copyright (C) 2016 SafeNet, Inc.

 [Contacting Sentinel RMS Development Kit server on host "lic7.example.com"]


 |- Feature Information
   |- Feature name                   : "AVEVA201"  	
   |- Feature version                : "1.0"

   |- License type                   : "Normal License" 
   |- License Version                : 0x08600000
   |- Commuter license allowed       : NO
   |- Maximum concurrent user(s)     : 130
   |- Unreserved tokens in use       : 2
   |- Reserved tokens in use         : 1
   |- Available reserved             : 4
   |- Soft limit on users            : Unlimited
   |- License start date             : Fri Jun 19 00:00:00 2020
   |- Expiration date                : Sat Nov 19 23:59:59 2022
   |- Server #1 locking code         : Primary   = 2014-*16THL3AVVU6W4MC 
   |- Public vendor information      : C=SITE;LFID=de5bf;
   |- Allowed on VM                  : YES

   |- License Information
     |- License Hash                   : 28BCBCF9FA5CA671
     |- License storage name           : C:\RMS\lservrc
     |- License status                 : Inactive
     |- Maximum concurrent user(s)     : 5

   |- Client Information
     |- User name                      : ann
     |- Host name                      : PC-1-8222
     |- X display name                 : local
     |- Group name                     : DefaultGrp
     |- Status                         : Running since Tue Nov 03 11:34:40 2020 
     |- Is commuter token              : NO

   |- Client Information
     |- User name                      : Bob B
     |- Host name                      : pc-34
     |- Status                         : Running since Tue Nov 03 10:06:18 2020 
     |- Is commuter token              : NO

 |- Feature Information
   |- Feature name                   : "FREE"
   |- Maximum concurrent user(s)     : Unlimited
Press Enter to continue . . .
"#;

#[test]
fn a_feature_is_read_with_its_seats_and_its_clients() {
    let (facts, counts) = read(TEXT);
    assert_eq!(
        counts.understood,
        counts.lines,
        "{:?}",
        counts.not_understood()
    );
    let [Fact::Snapshot(first), Fact::Snapshot(free)] = facts.as_slice() else {
        panic!("{facts:?}");
    };
    assert_eq!(first.feature.product_id(), "unknown:AVEVA201");
    assert_eq!(first.server.as_deref(), Some("lic7.example.com"));
    // What a single licence of the feature has is not the feature's.
    assert_eq!((first.issued, first.in_use), (Some(130), Some(3)));
    assert_eq!(first.reserved, [("groups".to_owned(), 4)]);
    let [ann, bob] = first.held.as_slice() else {
        panic!("{first:?}");
    };
    assert_eq!((ann.holder.host.as_str(), ann.seats), ("PC-1-8222", 1));
    assert_eq!(ann.holder.display.as_deref(), Some("local"));
    let since: Timestamp = "2020-11-03T11:34:40Z".parse().unwrap();
    assert_eq!(ann.since, Some(since));
    assert_eq!(
        (bob.holder.user.as_str(), bob.version.as_deref()),
        ("Bob B", Some("1.0"))
    );
    assert_eq!((free.issued, free.in_use), (None, None));
}

#[test]
fn an_error_and_what_is_not_known_end_nothing() {
    let text = " [Contacting Sentinel RMS Development Kit server on host \"a\"]\nError[17]: Probably no servers are running on this subnet\n |- Feature Information\n |- Colour : red\n |- Feature name : \"a\"\n |- Colour : red\n |- Client Information\n |- Host name : pc\n |- Status : Gone\n";
    let (facts, counts) = read(text);
    assert!(matches!(
        facts.as_slice(),
        [Fact::Silent { .. }, Fact::Snapshot(_)]
    ));
    assert_eq!((counts.lines, counts.understood), (9, 5));
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(
        text in "( \\|- |Feature Information|Client Information|Feature name|User name|Status|: Running since |[0-9a\": \n]){0,40}"
    ) {
        let (_, counts) = read(&text);
        prop_assert!(counts.understood <= counts.lines);
    }
}
