//! Status, tables and log lines of DSLS, with made-up names.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::fact::{Ask, Fact};
use crate::reading::{Counts, read_all};

fn read(text: &str) -> (Vec<Fact>, Counts) {
    let mut reader = Dsls::new(Asked {
        at: Timestamp::UNIX_EPOCH,
        server: None,
        time_zone: TimeZone::UTC,
    });
    read_all(&mut reader, text)
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn usage_is_read_with_each_features_seats_and_uses() {
    let (facts, counts) = read(
        "admin >c lic1 4084
    Software version : 6.424
    Build number     : 20240315
    Standalone mode
    Ready: yes
    Server name: lic1    Server id: ABC-4128
admin >glu -all
Editor: Dassault Systemes, ID: 5E756A80-1C80-478D-B83A-1D5913677621
 XM2-FTA maxReleaseNumber: 9 maxReleaseDate: 12/31/2026 11:59:00 PM expirationDate: 12/31/2026 11:59:00 PM type: ConcurrentUser count: 3 inuse: 2 customerId: 200000000011723 pricing structure: YLC
        internal Id: XM2-FTA granted since: Jul 11, 2026 10:00:46 AM last used at: Jul 11, 2026 10:30:46 AM by user: ann on host: PC1 (4C01-AB.0)/192.0.2.1
        internal Id: XM2-FTA granted since: 2026. 7. 11 오전 10:00:46 last used at: 2026. 7. 11 by user: Bob B on host: PC2 (4C02-AB.0)/192.0.2.2
 SRU maxReleaseNumber: 423 type: Token count: 2374 inuse: 493 customerId: 11723
        internal Id: SRU granted at: 2026-09-17 17:59:34 tokens: 493 by user: cy on host: nid00123 (0123.0)/127.0.0.1
        internal Id: SRU tokens: 10 by user: di on host: nid00124 (0124.0)/127.0.0.1 queue position: 1
admin >quit
",
    );
    assert_eq!(
        counts.understood,
        counts.lines,
        "{:?}",
        counts.not_understood()
    );
    let [Fact::Snapshot(first), Fact::Snapshot(tokens)] = facts.as_slice() else {
        panic!("{facts:?}");
    };
    assert_eq!(first.feature.product_id(), "Dassault%20Systemes:XM2-FTA");
    assert_eq!(first.server.as_deref(), Some("lic1"));
    assert_eq!((first.issued, first.in_use), (Some(3), Some(2)));
    let [ann, bob] = first.held.as_slice() else {
        panic!("{first:?}");
    };
    assert_eq!(
        (ann.holder.user.as_str(), ann.holder.host.as_str()),
        ("ann", "PC1")
    );
    assert_eq!(ann.since, Some(time("2026-07-11T10:00:46Z")));
    // A date in a language that is not known is left out, and the use is kept.
    assert_eq!((bob.holder.user.as_str(), bob.since), ("Bob B", None));
    assert_eq!((tokens.held[0].seats, tokens.queued[0].1), (493, 10));
}

#[test]
fn a_table_gives_one_pool_for_the_rows_of_a_feature() {
    let (facts, counts) = read(
        "Editor,EditorId,Feature,Model,Commercial Type,Max Release Number,Max Release Date,Pricing Structure,Max Casual Duration,Expiration Date,Customer ID,Count,Inuse,Tokens,Casual Usage (mn),Host,User,Internal ID,Active Process,Client Code Version,Session ID,Granted Since,Last Used At,Granted At,Queue Position,
Dassault Systemes,5E756A80,PAC,Token,STD,8,2025-01-01 00:59:00,YLC,0,2025-01-01 00:59:00,11723,1,0,,,,,,,,,,,,,
Dassault Systemes,5E756A80,SRU,Token,STD,423,2025-01-01 00:59:00,YLC,0,2025-01-01 00:59:00,11723,2374,1026,493,,nid00123 (0123.0)/127.0.0.1,user_1,SRU,/powerflow/pf_sim_comm ( 48728),6.424,2DBE16,2024-09-17 17:59:34,2024-09-18 15:25:50,2024-09-17 17:59:34,,
Dassault Systemes,5E756A80,SRU,Token,STD,423,2025-01-01 00:59:00,YLC,0,2025-01-01 00:59:00,11723,2374,1026,533,,nid00124 (0124.0)/127.0.0.1,user_2,SRU,/powerflow/pf_sim_comm ( 48729),6.424,2DBE17,2024-09-17 17:59:34,2024-09-18 15:25:50,2024-09-17 17:59:34,,
",
    );
    assert_eq!(counts.understood, counts.lines);
    let [Fact::Snapshot(pac), Fact::Snapshot(sru)] = facts.as_slice() else {
        panic!("{facts:?}");
    };
    assert_eq!(
        (pac.issued, pac.in_use, pac.held.len()),
        (Some(1), Some(0), 0)
    );
    assert_eq!(
        (sru.issued, sru.in_use, sru.held.len()),
        (Some(2374), Some(1026), 2)
    );
    assert_eq!(
        (sru.held[1].seats, sru.held[1].holder.host.as_str()),
        (533, "nid00124")
    );
    assert_eq!(sru.held[0].since, Some(time("2024-09-17T17:59:34Z")));
}

#[test]
fn a_log_is_read_with_grants_ends_and_refusals_of_both_forms() {
    let (facts, counts) = read(
        "2025/05/20 06:00:00:001 I STARTSERVER Server version 6.424.0 built on 20240315
2025/05/20 08:00:00:000 I USGTRACING  Grant!!XM2-FTA!ABC-1!CATIA!ConcurrentUser!1!1!PC1 (43DD-ac18)!192.0.2.1!ann!ANN@SITE!CNEXT.exe!6.424!0!
2025/05/20 08:00:01:000 W LICENSESERV XM2-FTA not granted, no more available license ( from client PC2 (43DE-ac19)/192.0.2.2|bob|BOB@SITE|C:\\Program Files\\CNEXT.exe)
2025/05/20 08:05:00:000 I ADMINSERVER GetLicenseUsage command issued
2025/05/20 12:00:00:000 I RUNTIMEDATA System has been suspended
2025/05/20 13:00:00:000 I RUNTIMEDATA System has been resumed
2025/05/20 16:00:00:000 I USGTRACING  TimeOut!!XM2-FTA!ABC-1!CATIA!ConcurrentUser!1!1!PC1 (43DD-ac18)!192.0.2.1!ann!ANN@SITE!CNEXT.exe!6.424!0!
2025/05/20 17:00:00:000 I USGTRACING  Grant!!SRU!11723!2DBE16!Abaqus!Token!493!1!nid00123 (0123.0)!192.0.2.3!cy!CY@SITE!pf!6.424!0!
2025/05/20 18:00:00:000 I STOPSERVER License server stopped
",
    );
    assert_eq!(
        counts.understood,
        counts.lines,
        "{:?}",
        counts.not_understood()
    );
    let [
        Fact::Began { .. },
        Fact::Checkout(first),
        Fact::Denied(refused, why),
        Fact::Unobserved { from, to },
        Fact::Checkin(last),
        Fact::Checkout(tokens),
        Fact::Ended { .. },
    ] = facts.as_slice()
    else {
        panic!("{facts:?}");
    };
    let seen = |ask: &Ask| {
        let holder = ask.holder.clone();
        (holder.user, holder.host, ask.seats, ask.handle.clone())
    };
    let ann = (
        "ann".to_owned(),
        "PC1".to_owned(),
        1,
        Some("ABC-1".to_owned()),
    );
    assert_eq!((seen(first), seen(last)), (ann.clone(), ann));
    assert_eq!(seen(refused), ("bob".to_owned(), "PC2".to_owned(), 1, None));
    assert_eq!(why, "no more available license");
    assert_eq!(
        (*from, *to),
        (time("2025-05-20T12:00:00Z"), time("2025-05-20T13:00:00Z"))
    );
    let cy = (
        "cy".to_owned(),
        "nid00123".to_owned(),
        493,
        Some("2DBE16".to_owned()),
    );
    assert_eq!(seen(tokens), cy);
}

#[test]
fn a_bad_line_ends_nothing() {
    let (facts, counts) = read(
        "2025/05/20 08:00:00:000 I USGTRACING Grant!!a!b\n2025/05/20 08:00:00:000 I COLOURS red\n2025/13/20 08:00:00:000 I ENROLL x\nEditor,EditorId,\"Feature\nred, blue\ninternal Id: a by user: ann on host: pc\na maxReleaseNumber: 1 count: x inuse: 1\nError: cannot connect\n",
    );
    assert_eq!((counts.lines, counts.understood), (8, 1));
    assert!(matches!(
        facts.as_slice(),
        [Fact::Snapshot(_), Fact::Silent { .. }]
    ));
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(
        text in "(2025/05/20 15:06:36:933 I USGTRACING Grant!!|not granted|maxReleaseNumber:| count: | inuse: |by user:|on host:|Editor,EditorId,|[0-9a!|(),\" \n]){0,30}"
    ) {
        let (_, counts) = read(&text);
        prop_assert!(counts.understood <= counts.lines);
    }
}
