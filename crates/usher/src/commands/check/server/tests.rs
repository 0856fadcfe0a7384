//! What a check says of a server, case by case.

use super::*;
use crate::commands::check::finding::sentence;
use usher_api::{GrantsNothing, ProductStatus, ServerStatus, Withheld};

fn status(state: &str, queued: u64) -> Status {
    Status {
        server: ServerStatus {
            id: "s1".into(),
            version: "1".into(),
            state: state.into(),
            since: jiff::Timestamp::UNIX_EPOCH,
            why: (state != "running").then(|| "the disk | is full".to_owned()),
            pack: None,
            upgrade: None,
            last_backup_at: None,
            grants_nothing: None,
            faults: usher_api::Faults::default(),
            held_log: None,
        },
        products: vec![ProductStatus {
            id: "gimp".into(),
            name: "GIMP".into(),
            seats: 10,
            in_use: 3,
            unseated: 1,
            queued,
            denied_last_24h: 2,
            held_since: None,
            waiting_since: None,
            kept: 0,
        }],
        computers: Vec::new(),
    }
}

fn args() -> Check {
    Check {
        manager: None,
        server_only: true,
        warning_queued: Some(5),
        critical_queued: Some(50),
        warning_unseated: None,
        critical_unseated: None,
        through: crate::mine::Through::default(),
    }
}

#[test]
fn a_server_in_order_is_ok_with_figures() {
    let finding = judge(&args(), &status("running", 0));
    insta::assert_snapshot!(sentence(&finding), @"USHER OK - 1 product, 3 of 10 seats in use, 0 waiting|products=1 seats=10 in_use=3;;;0;10 unseated=1 queued=0 denied_24h=2");
}

#[test]
fn a_server_that_grants_nothing_is_a_warning_whatever_it_calls_its_state() {
    let why = "it was restored from a backup and grants nothing until 2026-11-26T10:00:00Z";
    let mut held = status("degraded", 0);
    held.server.why = Some(why.to_owned());
    for state in ["degraded", "running", "paused"] {
        held.server.state = state.to_owned();
        held.server.grants_nothing = Some(GrantsNothing {
            reason: Withheld::Restored,
            why: why.to_owned(),
            until: None,
        });
        let finding = judge(&args(), &held);
        assert_eq!(finding.level, Level::Warning, "{state}");
        assert!(finding.text.contains(why), "{}", finding.text);
    }
}

#[test]
fn thresholds_and_trouble_raise_the_level() {
    assert_eq!(judge(&args(), &status("running", 5)).level, Level::Warning);
    assert_eq!(
        judge(&args(), &status("running", 50)).level,
        Level::Critical
    );
    let degraded = judge(&args(), &status("degraded", 0));
    assert_eq!(degraded.level, Level::Warning);
    // A bar would begin the figures.
    assert!(
        degraded.text.contains("the disk / is full"),
        "{}",
        degraded.text
    );
}
